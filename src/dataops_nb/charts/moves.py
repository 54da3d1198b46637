"""Moves from period to period: the chart of moving ranges that belongs to a metric's limits."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Board, history
from dataops_nb.charts.look import ACCENT, FAINT, INK, WIDTH, Chart, styled, unchecked, value_axis
from dataops_nb.charts.trend import inline_values
from dataops_nb.display import Told, say
from dataops_nb.limits.ranges import moving_ranges
from dataops_nb.story.phrases import inside

HEIGHT = 180
_X = alt.X("period_start:T", axis=alt.Axis(title=None, grid=False, tickCount=7))
_LIMIT: Any = {"color": INK, "strokeDash": [6, 4], "strokeWidth": 1.2}


@unchecked
def moving_range(board: Board, metric: str | None = None, periods: int = 52) -> Any:
    """Draw how far a metric (default: the lead) moved from period to period (mR chart).

    The thin line is the average move, the dashed one the limit that moves stay below by chance
    (3.268 averages); triangles are moves above it. Each level has its own. For a metric without two
    values, return a sentence that says so.

    Source: Wheeler, *Understanding Variation*.

    >>> charts.moving_range(this).to_dict()["title"]["text"]
    'Moves of revenue from week to week: none unusual'
    """
    metric = metric or board.lead
    every = history(board, metric, len(board.table))
    rows = moving_ranges(every, board.company.metrics[metric].limits).tail(periods)
    rows = rows.dropna(subset=["range_upper"])
    label, unit = board.company.label(metric), board.company.metrics[metric].unit
    if rows["range"].isna().all():
        return Told((say(f"{label}: no two {board.grain}s to compare."),))
    is_far = rows["range"] > rows["range_upper"] * (1 + 1e-9)
    head = f"Moves of {inside(label).text} from {board.grain} to {board.grain}: {_count(is_far)}"
    last, written = rows.iloc[-1], numbers.of(board)
    usual, most = (written.number(last[name], unit) for name in ("range_center", "range_upper"))
    far = [written.period_in_words(str(period)) for period in rows.loc[is_far, "period"]]
    description = f"{head}. On average {usual}, usually up to {most}."
    if far:
        description += f" Unusual: {', '.join(far)}."
    axis = value_axis(unit, board.company.locale)
    legend = [f"━━ move, ── average {usual}, ╌╌ usually up to {most}, ▲ unusual"]
    chart = alt.layer(*_layers(rows, is_far, axis)).properties(width=WIDTH, height=HEIGHT)
    return styled(board, chart, head, description, legend)


def _count(is_far: pd.Series) -> str:
    count = int(is_far.sum())
    return f"{count} unusual" if count else "none unusual"


def _layers(rows: pd.DataFrame, is_far: pd.Series, axis: alt.Axis) -> list[alt.Chart]:
    scale = alt.Scale(domainMin=0)
    level = rows["range_upper"].rank(method="dense").astype(int)
    data = rows.assign(level=level)
    base = Chart(
        inline_values(data, ["period_start", "range", "range_center", "range_upper", "level"])
    )
    lines = base.encode(x=_X, detail=alt.Detail("level:N"))
    layers = [
        lines.mark_line(color=FAINT, strokeWidth=0.8).encode(
            y=alt.Y("range_center:Q", axis=axis, scale=scale)
        ),
        lines.mark_line(**_LIMIT).encode(y=alt.Y("range_upper:Q", axis=axis, scale=scale)),
        lines.mark_line(color=ACCENT, point=True).encode(
            y=alt.Y("range:Q", axis=axis, scale=scale)
        ),
    ]
    if is_far.any():
        far = Chart(inline_values(data[is_far], ["period_start", "range"]))
        mark = far.mark_point(shape="triangle-up", filled=True, size=90, color=INK, opacity=1)
        layers.append(mark.encode(x=_X, y=alt.Y("range:Q", axis=axis, scale=scale)))
    return layers
