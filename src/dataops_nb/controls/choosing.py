"""The knobs of the panel: what somebody chooses, as settings. Each has a name, and all of them work by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets

from dataops_nb.controls import knobs
from dataops_nb.controls.material import Material, in_words
from dataops_nb.controls.settings import LAST_YEAR, PREVIOUS, Settings
from dataops_nb.controls.supposed import laid, policy_of, with_lights, with_target
from dataops_nb.controls.turns import in_turn
from dataops_nb.controls.widgets import Slider
from dataops_nb.periods import Period
from dataops_nb.story import numbers

POLICIES = [("Against its target", "target"), ("Its target and its own past", "capability")]
TOTAL = "Targets are agreed for the total"
ABOUT = ("metric", "period", "segment")


class Choices:
    """The knobs; `changed` is called with the settings that somebody has just chosen."""

    def __init__(self, material: Material, settings: Settings, changed: Callable[[Settings], None]) -> None:
        self.material, self.settings, self._changed = material, settings, changed
        self._quiet = False
        grain, board = material.board.grain, material.board
        listed = [(period_in_words(each, numbers.of(board)), id_) for id_, each in reversed(material.periods.items())]
        compared = [(f"the {grain} before", PREVIOUS), (f"the same {grain} last year", LAST_YEAR)]
        self.metric = dropdown("Metric", [(board.definitions.label(name), name) for name in board.metrics])
        self.period = dropdown("Period", listed)
        self.against = dropdown("Compare with", [*compared, *listed])
        self.segment = dropdown("Segment", [("All", "")])
        self.policy = dropdown("Policy", POLICIES)
        self.targets = [Slider(), Slider()]
        self.green, self.yellow = (_threshold(label) for label in ("Green from", "Yellow from"))
        looked = [self.metric, self.period, self.against, self.segment]
        self.box = ipywidgets.Box([_column(looked), _column([*self.targets, self.green, self.yellow, self.policy])])
        self.box.add_class("nb-knobs")
        self.put(settings)
        self._listen()

    def put(self, settings: Settings) -> None:
        """Set every knob to these settings; nobody is told."""
        self.settings = settings
        with self._still():
            self.metric.value, self.period.value, self.against.value = (
                settings.metric,
                settings.period,
                settings.against,
            )
            self._put_segments()
            self._put_agreed()
        self._stood = settings

    def _put_segments(self) -> None:
        material, metric = self.material, self.settings.metric
        splits = {segment: material.split_of(metric, segment) for segment in material.segments(metric)}
        named = [(in_words(segment, by), segment) for segment, by in splits.items()]
        self.segment.options = [("All", ""), *named]
        self.segment.value = self.settings.segment
        self.segment.disabled = not named

    def _put_agreed(self) -> None:
        settings = replace(self.settings, segment="")
        view = self.material.view(settings)
        lights, total = view.definitions.lights(settings.metric), not self.settings.segment
        found = knobs.targets(view, settings.metric, view.period)
        for slider, knob in zip(self.targets, [*found, None], strict=False):
            slider.layout.display = "" if knob else "none"
            if knob:
                _turn(slider, knob, off=not total)
        starts = {self.green: lights and lights.green, self.yellow: lights and lights.yellow}
        for slider, light in starts.items():
            slider.off = not light or light.at_least is None
            slider.value = light.at_least if light and light.at_least is not None else 0.0
        self.policy.value, self.policy.disabled = policy_of(view.definitions, settings.metric), lights is None

    def _listen(self) -> None:
        for name in ("metric", "period", "against", "segment"):
            about = ("metric",) if name == "segment" else ()
            self._hear(getattr(self, name), partial(self._looked, name), about)
        for place, slider in enumerate(self.targets):
            self._hear(slider, partial(self._aimed, place))
        self._hear(self.green, lambda value: self._lit(value, self.yellow.value))
        self._hear(self.yellow, lambda value: self._lit(self.green.value, value))
        self._hear(self.policy, lambda value: self._supposing(policy=value))

    def _hear(self, knob: Any, meant: Callable[[Any], Settings], about: tuple[str, ...] = ABOUT) -> None:
        """Let a knob be heard. What was chosen is in the message: while it waited, an answer may have put the knob back.

        What was chosen about something (`about`) that the knobs stand at no longer was never meant for what they stand at now.
        """

        def told(change: Any, stood: Settings) -> None:
            if self._quiet:
                return
            fits = all(getattr(stood, name) == getattr(self.settings, name) for name in about)
            if fits:
                self._chosen(meant(change["new"]))
            if not fits or knob.value != change["new"]:
                self.put(self.settings)

        knob.observe(in_turn(told, lambda: self._stood), "value")

    def _looked(self, name: str, value: str) -> Settings:
        """Another metric has other segments; another period other rows."""
        found = replace(self.settings, **{name: value})  # type: ignore[arg-type]
        if name == "metric":
            return replace(found, segment="", rows=())
        return replace(found, rows=()) if name == "period" else found

    def _aimed(self, place: int, value: float) -> Settings:
        settings = self.settings
        definitions, day = (
            laid(self.material.definitions, settings.changes),
            self.material.period(settings.period).start,
        )
        ends = [slider.value for slider in self.targets]
        ends[place] = value
        band = definitions.metrics[settings.metric].better == "inside"
        said = {"low": min(ends), "high": max(ends)} if band else {"value": ends[0]}
        grain = knobs.grain_of(self.material.board, settings.metric)
        return self._supposing(targets=with_target(definitions, settings.metric, day, grain, **said))

    def _lit(self, green: float, yellow: float) -> Settings:
        agreed = laid(self.material.definitions, self.settings.changes).lights(self.settings.metric)
        if agreed is None:
            return self.settings
        return self._supposing(lights=with_lights(agreed, green, None if self.yellow.off else yellow))

    def _supposing(self, **said: object) -> Settings:
        return self.settings.supposing(self.material.definitions, **said)

    def _chosen(self, settings: Settings) -> None:
        if settings == self.settings:
            return
        looked = replace(settings, changes=self.settings.changes, against=self.settings.against) != self.settings
        self.settings = settings
        if looked:
            self.put(settings)
        self._changed(settings)

    @contextmanager
    def _still(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


def dropdown(label: str, options: list[tuple[str, str]], width: str = "") -> ipywidgets.Dropdown:
    """A list to choose from, under a label that is as wide as all others."""
    style = {"description_width": "104px"}
    return ipywidgets.Dropdown(description=label, options=options, style=style, layout={"width": width or "auto"})


def period_in_words(period: Period, written: numbers.Numbers) -> str:
    """A period with its days: `week 47 · 16 to 22 Nov 2026`."""
    start, end = period.start, period.end
    if start == end:
        return written.date(start)
    if written.locale != numbers.DEFAULT:
        return f"{written.period(period)} · {written.date(start)} – {written.date(end)}"
    first = f"{start.day}{f' {start:%b}' if start.month != end.month else ''}{f' {start:%Y}' if start.year != end.year else ''}"
    return f"{written.period(period)} · {first} to {end.day} {end:%b %Y}"


def _threshold(label: str) -> Slider:
    return Slider(label=label, unit="% of target", low=0.0, high=1.5, step=0.01, scale=100.0)


def _turn(slider: Slider, knob: knobs.Knob, *, off: bool) -> None:
    with slider.hold_sync():
        slider.label, slider.hint, slider.unit = knob.label, TOTAL if off else knob.hint, knob.unit
        slider.low, slider.high, slider.step, slider.scale = knob.low, knob.high, knob.step, knob.scale
        slider.value, slider.off = knob.value, off


def _column(children: list[Any]) -> ipywidgets.VBox:
    box = ipywidgets.VBox(children)
    box.add_class("nb-column")
    return box
