"""The panel: knobs above, buttons between, and below what the board says under the settings.

Its chart is the report's own trend, in which periods can be picked; nothing of it comes from a
network. Its script takes seconds to build and is kept in the user's own cache folder, never beside
a workbench's results: a script runs in JupyterLab, and other people may be able to write to a
workbench.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import ipywidgets
import pandas as pd
from altair.jupyter.jupyter_chart import JupyterChart
from altair.utils.schemapi import debug_mode

from dataops_nb import charts, numbers
from dataops_nb.board import Board, history
from dataops_nb.company import WhatIfs
from dataops_nb.controls import settings_table
from dataops_nb.controls.drawers import Comparison, Meaning, WhatIf
from dataops_nb.controls.material import Answer, Material, answer, rows
from dataops_nb.controls.settings import Difference, Settings
from dataops_nb.controls.widgets import Choices, Pane, in_turn
from dataops_nb.display import Html, Light, Told, element

PERIODS = 26
HEIGHT = 340
# The names of the two selections in the specification.
BRUSH, CLICK = "brush", "click"
_POINTS = "periods"
_MARK = {"type": "point", "filled": True, "size": 90, "color": "#1f2933", "cursor": "pointer"}
# A point is seen while it is picked by one of the selections.
_OPACITY = {
    "condition": [
        {"param": BRUSH, "empty": False, "value": 1},
        {"param": CLICK, "empty": False, "value": 1},
    ],
    "value": 0,
}
_ENCODING = {
    "x": {"field": "period_start", "type": "temporal", "title": None},
    "y": {"field": "value", "type": "quantitative", "title": None},
    "opacity": _OPACITY,
    "tooltip": [
        {"field": "period", "title": "Period"},
        {"field": "shown", "title": "Value"},
    ],
}
_SELECT_BRUSHED = {"type": "interval", "encodings": ["x"], "clear": "dblclick"}
_SELECT_CLICKED = {
    "type": "point",
    "fields": ["period"],
    "nearest": True,
    "toggle": "event.shiftKey",
    "clear": "dblclick",
}
# The first and the last moment of a brushed span.
Span = tuple[dt.datetime, dt.datetime]


class Panel:
    """The panel that `controls.explore` shows.

    `settings` are its settings now, and `answer` is what the board says under them.
    """

    def __init__(self, board: Board, kept: WhatIfs) -> None:
        self.material = Material(board)
        self.settings = Settings(board.lead, board.period.id)
        self.answer = answer(self.material, self.settings)
        self.choices = Choices(self.material, self.settings, self.show)
        self.said = Pane(label="Headline", live=True, hosts=True)
        self.scorecard = Pane(label="Scorecard")
        self.parts = Pane(label="What changed it")
        self.rows = Pane(label="Periods")
        self.finding = Pane(label="Finding")
        self.listed = _period_list()
        self.picture = Picture()
        self.drawers = (
            Meaning(),
            Comparison(self.material, kept),
            WhatIf(self.material, kept, self._load),
        )
        self.root = self._placed()
        self._tell()
        self._draw()
        self.picture.on_pick(self._picked)
        self.listed.observe(in_turn(lambda change: self._picked_in_list(change["new"])), "value")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the panel, and the table of its settings for programs that show no widgets."""
        shown = self.root._repr_mimebundle_(**options)
        metadata: dict[str, Any] = {}
        if isinstance(shown, tuple):
            shown, metadata = shown
        table = settings_table(self.material.board).html()
        return {**shown, "text/html": table}, metadata

    def show(self, settings: Settings) -> None:
        """Show what the board says under these settings."""
        # The chart shows no comparison, so another one needs no new drawing.
        same_comparison = replace(settings, against=self.settings.against)
        is_drawn = same_comparison == self.settings
        self.settings = settings
        self.answer = answer(self.material, settings)
        self._tell()
        if not is_drawn:
            self._draw()

    def _tell(self) -> None:
        """Write the sentences and the tables of the answer."""
        self.said.html = _answer_html(self.answer, self.settings)
        self.rows.html = self.answer.rows.html()
        self.parts.html = self.answer.parts.html()
        self.scorecard.html = self.answer.scorecard.html()
        self._offer_periods()
        for drawer in self.drawers:
            drawer.see(self.answer.board, self.settings)

    def _load(self, changes: dict[str, Difference]) -> None:
        settings = replace(self.settings, changes=changes)
        self.choices.put(settings)
        self.show(settings)

    def _offer_periods(self) -> None:
        """List the drawn periods, to be picked without a mouse; picked ones stay picked."""
        drawn = drawn_picture(self.answer.only, self.settings.metric)
        if list(self.listed.options) != drawn:
            self.listed.options = drawn
        if self.listed.value != self.settings.rows:
            self.listed.value = tuple(id_ for id_ in drawn if id_ in self.settings.rows)

    def _picked(self, span: Any, clicked: tuple[str, ...]) -> None:
        """Take over the periods picked in the chart."""
        periods = clicked
        if span:
            periods = within(self.answer.only, self.settings.metric, span)
        if set(periods) != set(self.settings.rows):
            self._pick(periods)

    def _picked_in_list(self, chosen: tuple[str, ...]) -> None:
        """Take over the periods picked in the list, and mark them in the chart."""
        periods = tuple(id_ for id_ in chosen if id_ in self.listed.options)
        if set(periods) != set(self.settings.rows):
            self._pick(periods)
            self._draw()

    def _pick(self, periods: tuple[str, ...]) -> None:
        self.settings = replace(self.settings, rows=tuple(periods))
        self.choices.settings = self.settings
        self.answer = replace(self.answer, rows=rows(self.answer.board, self.settings))
        self.rows.html = self.answer.rows.html()
        self._offer_periods()

    def _draw(self) -> None:
        spec = picture(self.answer.only, self.settings.metric, self.settings.rows)
        title = spec["usermeta"]
        paragraphs = [element("p", title["finding"])]
        legend = " · ".join(title["legend"])
        if legend:
            paragraphs.append(element("p", legend))
        self.finding.html = "".join(paragraphs)
        self.picture.show(spec)

    def _placed(self) -> ipywidgets.VBox:
        """Return everything in its place; the Tab key follows this order."""
        buttons = [drawer.button for drawer in self.drawers]
        bar = _classed(ipywidgets.HBox(buttons), "nb-bar")
        boxes = [drawer.box for drawer in self.drawers]
        chart = _classed(ipywidgets.VBox([self.finding, self.picture]), "nb-chart")
        beside = _classed(ipywidgets.VBox([self.rows, self.listed]), "nb-rows")
        pictured = _classed(ipywidgets.Box([chart, beside]), "nb-pictured")
        tabled = _classed(ipywidgets.Box([self.parts, self.scorecard]), "nb-tabled")
        everything = [self.choices.box, self.said, bar, *boxes, pictured, tabled]
        return _classed(ipywidgets.VBox(everything), "nb-explore")


def _classed(box: ipywidgets.Box, css_class: str) -> ipywidgets.Box:
    box.add_class(css_class)
    return box


def _period_list() -> ipywidgets.SelectMultiple:
    return ipywidgets.SelectMultiple(
        description="Rows shown",
        rows=5,
        style={"description_width": "initial"},
        layout={"width": "auto"},
    )


def _answer_html(answered: Answer, settings: Settings) -> str:
    """Write the light and the sentences, and which agreements are only supposed."""
    first, *others = answered.opening.sentences
    chip = Html(Light(answered.light).html())
    html = [element("p", chip, f" {first.text}", class_="nb-headline")]
    for sentence in (*others, *answered.compared.sentences):
        html.append(element("p", sentence.text))
    if settings.changes:
        company = answered.board.company
        labels = ", ".join(company.label(metric) for metric in settings.changes)
        warning = f"What-if, not what was agreed: settings of {labels}."
        html.append(element("p", warning, class_="nb-supposed"))
    return "".join(html)


def picture(view: Board, metric: str, picked: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the trend of a metric as a Vega-Lite specification; `picked` periods are marked.

    Its periods can be brushed and clicked. Its title and legend are in `usermeta`: they stand
    above the chart, where they may be as long as they are.
    """
    spec = _trend_spec(view, metric)
    title = spec.pop("title")
    points = {
        "name": _POINTS,
        "data": {"values": _point_values(view, metric)},
        "mark": _MARK,
        "encoding": _ENCODING,
    }
    clicked = [{"period": id_} for id_ in picked]
    return {
        **spec,
        "layer": [*spec["layer"], points],
        "params": [
            {"name": BRUSH, "select": _SELECT_BRUSHED, "views": [_POINTS]},
            {"name": CLICK, "select": _SELECT_CLICKED, "views": [_POINTS], "value": clicked},
        ],
        "usermeta": {"finding": title["text"], "legend": title.get("subtitle", [])},
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit", "contains": "padding"},
    }


def _trend_spec(view: Board, metric: str) -> dict[str, Any]:
    """Return the report's chart; where no period has a value, an empty one that says so."""
    # Not checked here: the same chart is checked where it is drawn for a page.
    with debug_mode(False):
        chart = charts.trend(view, metric, PERIODS)
        if isinstance(chart, Told):
            text = str(chart)
            return {
                "$schema": alt.SCHEMA_URL,
                "title": {"text": text},
                "description": text,
                "layer": [],
            }
        spec: dict[str, Any] = chart.to_dict(validate=False)
        return spec


def _point_values(view: Board, metric: str) -> list[dict[str, Any]]:
    unit = view.company.metrics[metric].unit
    rows = history(view, metric, PERIODS)
    rows = rows[["period", "period_start", "value"]].dropna(subset=["value"])
    values: list[dict[str, Any]] = []
    for row in rows.to_dict("records"):
        point = {
            "period": row["period"],
            "period_start": f"{row['period_start'].date()}T00:00:00",
            "value": float(f"{row['value']:.6g}"),
            "shown": numbers.of(view).number(row["value"], unit),
        }
        values.append(point)
    return values


class Picture(JupyterChart):
    """The chart as a widget: `show` draws a specification, `on_pick` hears picked periods."""

    def __init__(self) -> None:
        type(self).enable_offline()
        # The widget takes the names of the selections from this chart, and draws any other.
        with debug_mode(False):
            brush = alt.selection_interval(name=BRUSH)
            click = alt.selection_point(name=CLICK, fields=["period"])
            empty = alt.Chart(alt.InlineData(values=[])).mark_point()
            chart = empty.add_params(brush, click)
        super().__init__(
            chart,
            debounce_wait=80,
            max_wait=False,
            embed_options={"renderer": "svg", "actions": False},
        )

    @classmethod
    def enable_offline(cls, offline: bool = True) -> None:
        """Use a script that contains Vega, so that nothing is asked of a network."""
        if "_esm" not in cls.__dict__:
            packages = ("altair", "vl-convert-python")
            made_of = " ".join(f"{name} {version(name)}" for name in packages)
            cls._esm = kept(made_of, cls._bundled)

    @classmethod
    def _bundled(cls) -> str:
        super().enable_offline()
        return str(cls._esm)

    def show(self, spec: Mapping[str, Any]) -> None:
        """Draw a specification that has these selections."""
        self.spec = dict(spec)

    def on_pick(self, picked: Callable[[Span | None, tuple[str, ...]], None]) -> None:
        """Call `picked` with the brushed span and the clicked periods at every change.

        The span is None where nothing is brushed.
        """
        self.selections.observe(
            in_turn(lambda _: picked(self._brushed(), self._clicked())), names=[BRUSH, CLICK]
        )

    def _brushed(self) -> Span | None:
        ends = getattr(self.selections, BRUSH).value.get("period_start") or []
        if len(ends) != 2:
            return None
        # The browser draws midnight of its own time zone.
        zone = ZoneInfo(self.local_tz or "UTC")
        first, last = sorted(
            dt.datetime.fromtimestamp(end / 1000, zone).replace(tzinfo=None) for end in ends
        )
        return first, last

    def _clicked(self) -> tuple[str, ...]:
        points = getattr(self.selections, CLICK).value
        return tuple(str(point["period"]) for point in points if "period" in point)


def within(view: Board, metric: str, span: Span) -> tuple[str, ...]:
    """Return the ids of the drawn periods that start within a span."""
    first, last = pd.Timestamp(span[0]), pd.Timestamp(span[1])
    rows = history(view, metric, PERIODS)
    return tuple(rows[rows["period_start"].between(first, last)]["period"])


def drawn_picture(view: Board, metric: str) -> list[str]:
    """List the ids of the periods that are drawn, the latest first."""
    return list(history(view, metric, PERIODS)["period"])[::-1]


def kept(made_of: str, make: Callable[[], str]) -> str:
    """Return the script that `make` builds; it is built once for each `made_of`.

    It is built every time under DATAOPS_NO_CACHE, and where the folder cannot be used.
    """
    if os.environ.get("DATAOPS_NO_CACHE"):
        return make()
    digest = hashlib.sha256(made_of.encode()).hexdigest()
    file = _cache_folder() / f"{digest[:32]}.js"
    with suppress(OSError, UnicodeError):
        return file.read_text(encoding="utf-8")
    script = make()
    with suppress(OSError, UnicodeError):
        _write_script(file, script)
    return script


def _cache_folder() -> Path:
    folder = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(folder or os.path.expanduser("~/.cache")) / "dataops-nb"


def _write_script(file: Path, script: str) -> None:
    """Put the file in place in one step, so that nobody reads half of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        staged.write_text(script, encoding="utf-8")
        os.replace(staged, file)
    finally:
        staged.unlink(missing_ok=True)
