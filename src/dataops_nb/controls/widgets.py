"""The knobs of the panel: choices as settings. Each has a name and works by keyboard.

Two widgets are our own because ipywidgets lacks them: a slider with a name, and HTML that is read
out. User actions are handled one at a time: JupyterLab hands messages of widgets to a kernel's main
thread and to its subshells, so two answers could run at once, and one would overwrite the settings
the other had just made. Garbage is collected between the actions: in the middle of one it would
double the time somebody waits.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from dataops_nb import numbers
from dataops_nb.controls.material import Material, in_words
from dataops_nb.controls.settings import (
    LAST_YEAR,
    PREVIOUS,
    Knob,
    Settings,
    laid,
    policy_of,
    target_knobs,
    with_lights,
    with_target,
)
from dataops_nb.metrics import Light
from dataops_nb.periods import Period

_FOLDER = Path(__file__).parent
_TURN = threading.RLock()
POLICIES = [("Target only", "target"), ("Target and ordinary range", "capability")]
TOTAL = "Targets apply to the total, not to a segment"
# What a slider or a policy is about: a choice holds only while these are unchanged.
ABOUT = ("metric", "period", "segment")


class Slider(anywidget.AnyWidget):
    """A number from `low` to `high` with its `unit`; it is disabled where `off` is true.

    It is shown multiplied by `scale`: by 100 for percent.
    """

    _esm = (_FOLDER / "slider.js").read_text(encoding="utf-8")
    label = traitlets.Unicode("").tag(sync=True)
    hint = traitlets.Unicode("").tag(sync=True)
    unit = traitlets.Unicode("").tag(sync=True)
    value = traitlets.Float(0.0).tag(sync=True)
    low = traitlets.Float(0.0).tag(sync=True)
    high = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.01).tag(sync=True)
    scale = traitlets.Float(1.0).tag(sync=True)
    off = traitlets.Bool(False).tag(sync=True)


class Pane(anywidget.AnyWidget):
    """HTML in a region with the name `label`.

    `live`: a screen reader reads its changes. `hosts`: it carries the styles of the panel around
    it.
    """

    _esm = (_FOLDER / "pane.js").read_text(encoding="utf-8")
    _css = (_FOLDER / "panel.css").read_text(encoding="utf-8")
    html = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
    hosts = traitlets.Bool(False).tag(sync=True)


def in_turn(
    act: Callable[..., object], noted: Callable[[], object] | None = None
) -> Callable[..., None]:
    """Wrap `act` so that calls run one at a time; nested calls in the same thread run at once.

    `noted`, if given, is called before waiting; its result is passed to `act` as last argument.
    """

    def act_in_turn(*args: Any) -> None:
        if noted is not None:
            args = (*args, noted())
        with _TURN, _without_garbage_collection():
            act(*args)

    return act_in_turn


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Choices:
    """The knobs. `changed` is called with the settings that somebody has just chosen."""

    def __init__(
        self, material: Material, settings: Settings, changed: Callable[[Settings], None]
    ) -> None:
        self.material, self.settings, self._changed = material, settings, changed
        self._quiet = False
        board, grain = material.board, material.board.grain
        metrics = [(board.company.label(metric), metric) for metric in board.metrics]
        periods = period_options(material)
        before = [(f"the {grain} before", PREVIOUS), ("a year earlier", LAST_YEAR)]

        self.metric = dropdown("Metric", metrics)
        self.period = dropdown("Period", periods)
        self.against = dropdown("Compare with", [*before, *periods])
        self.segment = dropdown("Segment", [("All", "")])
        self.policy = dropdown("Judged by", POLICIES)
        self.targets = [Slider(), Slider()]
        self.green, self.yellow = _threshold("Green from"), _threshold("Yellow from")

        shown = _knob_column([self.metric, self.period, self.against, self.segment])
        agreed = _knob_column([*self.targets, self.green, self.yellow, self.policy])
        self.box = ipywidgets.Box([shown, agreed])
        self.box.add_class("nb-knobs")
        self.put(settings)
        self._listen()

    def put(self, settings: Settings) -> None:
        """Set every knob to these settings, without calling `changed`."""
        self.settings = settings
        with self._still():
            self.metric.value = settings.metric
            self.period.value = settings.period
            self.against.value = settings.against
            self._put_segments()
            self._put_agreed()
        self._stood = settings

    def _put_segments(self) -> None:
        material, metric = self.material, self.settings.metric
        options = [("All", "")]
        for segment in material.segments(metric):
            words = in_words(segment, material.split_of(metric, segment))
            options.append((words, segment))
        self.segment.options = options
        self.segment.value = self.settings.segment
        self.segment.disabled = len(options) == 1

    def _put_agreed(self) -> None:
        """Set the targets, thresholds and policy; targets are agreed for the total only."""
        metric, is_total = self.settings.metric, not self.settings.segment
        view = self.material.view(replace(self.settings, segment=""))
        knobs = target_knobs(view, metric, view.period)
        for position, slider in enumerate(self.targets):
            if position < len(knobs):
                slider.layout.display = ""
                _set_slider(slider, knobs[position], off=not is_total)
            else:
                slider.layout.display = "none"

        lights = view.company.lights(metric)
        _set_threshold(self.green, lights.green if lights else None)
        _set_threshold(self.yellow, lights.yellow if lights else None)
        self.policy.value = policy_of(view.company, metric)
        self.policy.disabled = lights is None

    def _listen(self) -> None:
        """Turn each knob's new value into settings."""
        for name in ("metric", "period", "against"):
            self._hear(getattr(self, name), partial(self._show_other, name), about=())
        self._hear(self.segment, partial(self._show_other, "segment"), about=("metric",))
        for position, slider in enumerate(self.targets):
            self._hear(slider, partial(self._suppose_target, position))
        self._hear(self.green, lambda value: self._suppose_lights(value, self.yellow.value))
        self._hear(self.yellow, lambda value: self._suppose_lights(self.green.value, value))
        self._hear(self.policy, lambda value: self._suppose(policy=value))

    def _hear(
        self, knob: Any, to_settings: Callable[[Any], Settings], about: tuple[str, ...] = ABOUT
    ) -> None:
        """Call `to_settings` with each new value of a knob.

        The value is taken from the message: while it waited for its turn, another answer may have
        put the knob back. It is ignored where the settings in `about` have changed meanwhile.
        """

        def act(change: Any, stood: Settings) -> None:
            if self._quiet:
                return
            value = change["new"]
            still_meant = all(
                getattr(stood, name) == getattr(self.settings, name) for name in about
            )
            if still_meant:
                self._choose(to_settings(value))
            if not still_meant or knob.value != value:
                self.put(self.settings)

        knob.observe(in_turn(act, lambda: self._stood), "value")

    def _show_other(self, name: str, value: str) -> Settings:
        """Return the settings with another metric, period, comparison or segment.

        Another metric has other segments, and another period other rows.
        """
        settings = replace(self.settings, **{name: value})  # type: ignore[arg-type]
        if name == "metric":
            return replace(settings, segment="", rows=())
        if name == "period":
            return replace(settings, rows=())
        return settings

    def _suppose_target(self, position: int, value: float) -> Settings:
        """Return the settings with another target, or another end of its band."""
        settings = self.settings
        company = laid(self.material.company, settings.changes)
        ends = [slider.value for slider in self.targets]
        ends[position] = value
        limits = {"value": ends[0]}
        if company.metrics[settings.metric].better == "inside":
            limits = {"low": min(ends), "high": max(ends)}
        period = self.material.period(settings.period)
        targets = with_target(company, settings.metric, period.start, period.grain, **limits)
        return self._suppose(targets=targets)

    def _suppose_lights(self, green: float, yellow: float) -> Settings:
        """Return the settings with other thresholds; yellow stays where it cannot be moved."""
        company = laid(self.material.company, self.settings.changes)
        agreed = company.lights(self.settings.metric)
        if agreed is None:
            return self.settings
        if self.yellow.off:
            return self._suppose(lights=with_lights(agreed, green, None))
        return self._suppose(lights=with_lights(agreed, green, yellow))

    def _suppose(self, **parts: object) -> Settings:
        return self.settings.supposing(self.material.company, **parts)

    def _choose(self, settings: Settings) -> None:
        """Take the settings over; put the knobs anew where another number is shown."""
        if settings == self.settings:
            return
        same_changes = replace(
            settings, changes=self.settings.changes, against=self.settings.against
        )
        shows_other = same_changes != self.settings
        self.settings = settings
        if shows_other:
            self.put(settings)
        self._changed(settings)

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Ignore the messages of knobs that the panel itself sets."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


def dropdown(label: str, options: list[tuple[str, str]]) -> ipywidgets.Dropdown:
    """Return a list to choose from; all labels have the same width."""
    style = {"description_width": "104px"}
    layout = {"width": "auto"}
    return ipywidgets.Dropdown(description=label, options=options, style=style, layout=layout)


def period_options(material: Material) -> list[tuple[str, str]]:
    """List the periods of a board as options, the latest first."""
    written = numbers.of(material.board)
    options = []
    for id_, period in reversed(material.periods.items()):
        options.append((period_in_words(period, written), id_))
    return options


def period_in_words(period: Period, written: numbers.Numbers) -> str:
    """Write a period with its days: `week 47 · 16 to 22 Nov 2026`."""
    start, end = period.start, period.end
    if start == end:
        return written.date(start)
    name = written.period(period)
    if written.locale != numbers.DEFAULT:
        return f"{name} · {written.date(start)} – {written.date(end)}"
    first = f"{start.day}"
    if start.month != end.month:
        first += f" {start:%b}"
    if start.year != end.year:
        first += f" {start:%Y}"
    return f"{name} · {first} to {end.day} {end:%b %Y}"


def _threshold(label: str) -> Slider:
    return Slider(label=label, unit="% of target", low=0.0, high=1.5, step=0.01, scale=100.0)


def _set_threshold(slider: Slider, light: Light | None) -> None:
    """Set a slider to a light's threshold; it cannot be moved where there is none."""
    start = None
    if light is not None:
        start = light.at_least
    slider.off = start is None
    slider.value = start or 0.0


def _set_slider(slider: Slider, knob: Knob, *, off: bool) -> None:
    with slider.hold_sync():
        slider.label, slider.unit = knob.label, knob.unit
        slider.hint = knob.hint
        if off:
            slider.hint = TOTAL
        slider.low, slider.high = knob.low, knob.high
        slider.step, slider.scale = knob.step, knob.scale
        slider.value, slider.off = knob.value, off


def _knob_column(children: list[Any]) -> ipywidgets.VBox:
    box = ipywidgets.VBox(children)
    box.add_class("nb-column")
    return box
