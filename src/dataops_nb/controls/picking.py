"""The chart of the panel: the report's own trend, in which periods can be picked. Nothing of it comes from a network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd
from altair.jupyter.jupyter_chart import JupyterChart
from altair.utils.schemapi import debug_mode

from dataops_nb import charts
from dataops_nb.board import Board, history
from dataops_nb.controls.scripts import kept
from dataops_nb.controls.turns import in_turn
from dataops_nb.story import Told, numbers

PERIODS = 26
HEIGHT = 340
BRUSH, CLICK = "brush", "click"
_POINTS = "periods"
_PICKED = {"condition": [{"param": name, "empty": False, "value": 1} for name in (BRUSH, CLICK)], "value": 0}


def picture(view: Board, metric: str, picked: tuple[str, ...] = ()) -> dict[str, Any]:
    """The trend of a metric as a Vega-Lite specification whose periods can be brushed and clicked; `picked` ones are marked."""
    spec = _trend(view, metric)
    title = spec.pop("title")  # it stands above the chart, where it can be as long as it is
    told = {"finding": title["text"], "legend": title.get("subtitle", [])}
    points = {
        "name": _POINTS,
        "data": {"values": _points(view, metric)},
        "mark": {"type": "point", "filled": True, "size": 90, "color": "#1f2933", "cursor": "pointer"},
        "encoding": {
            "x": {"field": "period_start", "type": "temporal"},
            "y": {"field": "value", "type": "quantitative"},
            "opacity": _PICKED,
            "tooltip": [{"field": "period", "title": "Period"}, {"field": "shown", "title": "Value"}],
        },
    }
    select = {
        BRUSH: {"type": "interval", "encodings": ["x"], "clear": "dblclick"},
        CLICK: {
            "type": "point",
            "fields": ["period"],
            "nearest": True,
            "toggle": "event.shiftKey",
            "clear": "dblclick",
        },
    }
    params: list[dict[str, Any]] = [{"name": name, "select": said, "views": [_POINTS]} for name, said in select.items()]
    params[1]["value"] = [{"period": id_} for id_ in picked]
    fit = {"width": "container", "height": HEIGHT, "autosize": {"type": "fit", "contains": "padding"}}
    return {**spec, "layer": [*spec["layer"], points], "params": params, "usermeta": told, **fit}


def _trend(view: Board, metric: str) -> dict[str, Any]:
    """The report's chart; where no period has a value an empty one that says so."""
    with debug_mode(False):  # what is built here is checked wherever the same chart is drawn for a page
        chart = charts.trend(view, metric, PERIODS)
        if isinstance(chart, Told):
            return {"$schema": alt.SCHEMA_URL, "title": {"text": str(chart)}, "description": str(chart), "layer": []}
        spec: dict[str, Any] = chart.to_dict(validate=False)
        return spec


def _points(view: Board, metric: str) -> list[dict[str, Any]]:
    rows = history(view, metric, PERIODS)[["period", "period_start", "value"]].dropna(subset=["value"])
    unit = view.definitions.metrics[metric].unit
    return [
        {"period": row["period"], "period_start": f"{row['period_start'].date()}T00:00:00",
         "value": float(f"{row['value']:.6g}"), "shown": numbers.of(view).number(row["value"], unit)}
        for row in rows.to_dict("records")
    ]  # fmt: skip


class Picture(JupyterChart):
    """The chart as a widget. `show` draws a specification in it; `on_pick` tells which periods are chosen."""

    def __init__(self) -> None:
        type(self).enable_offline()
        with debug_mode(
            False
        ):  # the widget reads the selections off a chart, and draws whatever specification it is shown
            chart = alt.Chart(alt.InlineData(values=[])).mark_point().add_params(
                alt.selection_interval(name=BRUSH), alt.selection_point(name=CLICK, fields=["period"])
            )  # fmt: skip
        super().__init__(chart, debounce_wait=80, max_wait=False, embed_options={"renderer": "svg", "actions": False})

    @classmethod
    def enable_offline(cls, offline: bool = True) -> None:
        """Take the script that holds Vega, so that nothing is asked of a network."""
        if "_esm" not in cls.__dict__:
            made_of = [f"{name} {version(name)}" for name in ("altair", "vl-convert-python")]
            cls._esm = kept(" ".join(made_of), cls._bundled)

    @classmethod
    def _bundled(cls) -> str:
        super().enable_offline()
        return str(cls._esm)

    def show(self, spec: Mapping[str, Any]) -> None:
        """Draw a specification that has these selections."""
        self.spec = dict(spec)

    def on_pick(self, picked: Callable[[tuple[dt.datetime, dt.datetime] | None, tuple[str, ...]], None]) -> None:
        """Call with the span that is brushed (None: nothing is) and the periods that are clicked, whenever they change."""
        self.selections.observe(in_turn(lambda _: picked(self._brushed(), self._clicked())), names=[BRUSH, CLICK])

    def _brushed(self) -> tuple[dt.datetime, dt.datetime] | None:
        ends = getattr(self.selections, BRUSH).value.get("period_start") or []
        zone = ZoneInfo(self.local_tz or "UTC")  # the browser puts midnight where it is
        found = [dt.datetime.fromtimestamp(end / 1000, zone).replace(tzinfo=None) for end in ends]
        return (min(found), max(found)) if len(found) == 2 else None

    def _clicked(self) -> tuple[str, ...]:
        return tuple(str(each["period"]) for each in getattr(self.selections, CLICK).value if "period" in each)


def within(view: Board, metric: str, span: tuple[dt.datetime, dt.datetime]) -> tuple[str, ...]:
    """The drawn periods of a metric that start within a span."""
    first, last = map(pd.Timestamp, span)
    rows = history(view, metric, PERIODS)
    return tuple(rows[rows["period_start"].between(first, last)]["period"])


def drawn(view: Board, metric: str) -> list[str]:
    """The periods of a metric that are drawn, the latest first."""
    return list(history(view, metric, PERIODS)["period"])[::-1]
