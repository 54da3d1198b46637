"""The way from one system's version of a metric to the other's: what each cause adds to the difference."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from dataops_nb.board import Board
from dataops_nb.charts.lines import _values
from dataops_nb.charts.rendering import ACCENT, FAINT, INK, WIDTH, styled
from dataops_nb.reconciliation import PARTS, Pair
from dataops_nb.story import agreement, numbers


def bridge(board: Board, pair: Pair, periods: int | None = None) -> Any:
    """The five parts of the difference between two systems (bars), one after the other, up to the difference itself.

    Over every period that both systems know up to the board's, or the last so many. Each bar is labelled.
    """
    past = agreement.history(board, pair).dropna(subset=["a"])
    past = past if periods is None else past.tail(periods)
    unit, (left, right) = agreement.unit(board, pair), agreement.systems(board, pair)
    steps = _steps(past, _names(left, right), unit)
    total = numbers.difference(float(steps["size"].iloc[-1]), unit)
    head = f"{board.definitions.label(pair.a.metric)}: {left} and {right} are {total} apart in {_count(past, board)}"
    said = "; ".join(f"{row.part} {row.text}" for row in steps.itertuples())
    chart = _bars(steps, unit).properties(width=WIDTH - 190, height=alt.Step(32))
    return styled(chart, head, f"{head}. {left} less {right}: {said}.")


def _count(past: pd.DataFrame, board: Board) -> str:
    return numbers.quantity(len(past), f"{board.grain}s")


def _names(left: str, right: str) -> dict[str, str]:
    named = (f"only in {left}", f"only in {right}", "other amount", "other period", "more than once")
    return {**dict(zip(PARTS, named, strict=True)), "difference": "difference"}


def _steps(past: pd.DataFrame, names: dict[str, str], unit: str) -> pd.DataFrame:
    sizes = [float(sum(past[part])) for part in names]
    ends = pd.Series(sizes[:-1]).cumsum().round(6).tolist()
    starts = [0.0, *ends[:-1], 0.0]
    table = pd.DataFrame({"part": list(names.values()), "size": sizes, "from": starts, "to": [*ends, sizes[-1]]})
    right_edge = table[["from", "to"]].max(axis=1)
    return table.assign(
        text=[numbers.number(size, unit, signed=True) for size in sizes],
        edge=right_edge,
        total=[part == "difference" for part in names],
    )


def _bars(steps: pd.DataFrame, unit: str) -> Any:
    order = alt.Y("part:N", sort=None, axis=alt.Axis(title=None, domain=False, ticks=False))
    axis = alt.Axis(title=None, format="~%" if unit == "percent" else "~s", tickCount=5)
    low, high = min(0.0, steps["to"].min()), max(0.0, steps["edge"].max())
    room = alt.Scale(domain=[low, high + 0.18 * ((high - low) or 1.0)], nice=False)  # for the label of the longest bar
    base = alt.Chart(_values(steps, ["part", "from", "to", "edge", "text", "total"]))
    bars = base.mark_bar(height=16).encode(
        x=alt.X("from:Q", axis=axis, scale=room), x2="to:Q", y=order,
        color=alt.condition("datum.total", alt.value(INK), alt.value(ACCENT)),
    )  # fmt: skip
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=FAINT).encode(x="zero:Q")
    texts = base.mark_text(align="left", dx=5, fontSize=12, color=INK).encode(x="edge:Q", y=order, text="text:N")
    return alt.layer(zero, bars, texts)
