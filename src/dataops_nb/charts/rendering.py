"""How a chart leaves a notebook: as SVG to look at, or as its specification while a report is refreshed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert

from dataops_nb.board import Board
from dataops_nb.charts import speech
from dataops_nb.charts.importing import REFRESHING

MIME = "application/vnd.vegalite.v6+json"
WIDTH, HEIGHT = 620, 260
INK, FAINT, ACCENT = "#1f2933", "#8a94a0", "#1f5fa8"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_CONFIG = {
    "font": FONT,
    "background": "#ffffff",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "gridColor": "#e6e9ed",
        "domainColor": FAINT, "tickColor": FAINT, "labelLimit": 220, "labelSeparation": 9,
    },
}  # fmt: skip
LIGHTS = {"green": "#00805e", "yellow": "#f0b429", "red": "#b3261e", "unknown": "#8a94a0"}


def enable() -> None:
    """Register and choose the package's renderer."""
    alt.renderers.register("dataops-nb", _render)
    alt.renderers.enable("dataops-nb")
    alt.data_transformers.disable_max_rows()


def styled(
    board: Board,
    chart: alt.Chart | alt.LayerChart | alt.FacetChart,
    title: str,
    description: str,
    legend: Sequence[str] = (),
) -> Any:
    """The chart with its finding as title, its text alternative, the house style and the signs of the board's locale."""
    own = chart.copy(deep=False)  # what is set beside its layers is set at once: each `.configure` would copy them all
    for name, value in style(board, title, description, legend).items():
        own[name] = value
    return own


def style(board: Board, title: str, description: str, legend: Sequence[str] = ()) -> dict[str, Any]:
    """The same as keywords, for a chart that is being made; a `legend` says line by line what its numbers stand for."""
    more: Any = {"subtitle": list(legend), "subtitleFontSize": 12, "subtitleColor": INK} if legend else {}
    head = alt.TitleParams(
        title, anchor="start", fontSize=15, fontWeight=600, color=INK, offset=18 if legend else 12, **more
    )
    config = _CONFIG | speech.config(board.definitions.company.locale)
    return {"title": head, "description": description, "config": config}


def _render(spec: dict[str, Any], **_: Any) -> dict[str, Any]:
    text = str(spec.get("description") or "A chart.")
    if os.environ.get(REFRESHING):
        return {MIME: spec, "text/plain": text}
    return {"image/svg+xml": vl_convert.vegalite_to_svg(spec), "text/plain": text}
