"""Parts of a metric: who or what it is made of, side by side on one scale."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from dataops_nb.board import Board, segments
from dataops_nb.charts.lines import _values
from dataops_nb.charts.rendering import ACCENT, FAINT, INK, WIDTH, styled
from dataops_nb.story import numbers


def by_segment(board: Board, metric: str, by: str, largest: int = 8, periods: int = 13) -> Any:
    """A metric split by a declared dimension: the last complete period (bar) beside its average before (tick)."""
    rows = segments(board, metric, by, periods)
    rows = rows[rows["complete"]]
    shown = _summary(rows, board.period.id).nlargest(largest, "now")
    unit, label = board.definitions.metrics[metric].unit, board.definitions.label(metric)
    shown = shown.assign(text=[numbers.of(board).number(value, unit) for value in shown["now"]])
    when, before = numbers.of(board).period(board.period), f"the {periods - 1} {board.grain}s before"
    head = f"{label} by {by.replace('_', ' ')} in {when}"
    said = "; ".join(f"{row.part} {row.text}" for row in shown.itertuples())
    chart = _bars(shown, unit).properties(width=WIDTH - 150, height=alt.Step(30))
    return styled(board, chart, f"{head} (bar), average of {before} (line)", f"{head}: {said or 'no values'}.")


def _summary(rows: pd.DataFrame, period: str) -> pd.DataFrame:
    now = rows[rows["period"] == period].set_index("segment")["value"]
    before = rows[rows["period"] != period].groupby("segment")["value"].mean()
    table = pd.DataFrame({"now": now, "before": before}).dropna(subset=["now"]).reset_index()
    return table.assign(part=table["segment"].astype(str).str.split("=", n=1).str[1])


def _bars(shown: pd.DataFrame, unit: str) -> Any:
    order = alt.Y("part:N", sort=None, axis=alt.Axis(title=None, domain=False, ticks=False))
    axis = alt.Axis(title=None, format="~%" if unit == "percent" else "~s", tickCount=5)
    data = _values(shown, ["part", "now", "before", "text"])
    bars = alt.Chart(data).mark_bar(color=ACCENT, height=16).encode(x=alt.X("now:Q", axis=axis), y=order)
    texts = (
        alt.Chart(data).mark_text(align="left", x="width", dx=6, fontSize=12, color=INK).encode(y=order, text="text:N")
    )
    ticks = alt.Chart(data).mark_tick(color=FAINT, thickness=3, size=24).encode(x="before:Q", y=order)
    return alt.layer(bars, ticks, texts)
