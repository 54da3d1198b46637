"""The way from one value to another, part by part: from one system's version of a metric to the other's, from a period to
the next. What each part adds to the difference, and the difference itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd

from dataops_nb.board import Board, explain
from dataops_nb.charts.lines import _values
from dataops_nb.charts.rendering import ACCENT, FAINT, INK, WIDTH, styled
from dataops_nb.reconciliation import PARTS, Pair
from dataops_nb.story import agreement, numbers
from dataops_nb.story.explaining import UNEXPLAINED, part_name


def bridge(board: Board, pair: Pair, periods: int | None = None) -> Any:
    """The five parts of the difference between two systems (bars), one after the other, up to the difference itself.

    Over every period that both systems know up to the board's, or the last so many. Each bar is labelled.
    """
    past = agreement.history(board, pair).dropna(subset=["a"])
    past = past if periods is None else past.tail(periods)
    unit, (left, right) = agreement.unit(board, pair), agreement.systems(board, pair)
    sizes = [(name, float(sum(past[part]))) for part, name in _names(left, right).items()]
    steps = _steps(sizes[:-1], sizes[-1], lambda size: numbers.of(board).number(size, unit, signed=True))
    total = numbers.of(board).difference(float(steps["size"].iloc[-1]), unit)
    head = f"{board.definitions.label(pair.a.metric)}: {left} and {right} are {total} apart in {_count(past, board)}"
    said = "; ".join(f"{row.part} {row.text}" for row in steps.itertuples())
    chart = _bars(steps, unit).properties(width=WIDTH - 190, height=alt.Step(32))
    return styled(board, chart, head, f"{head}. {left} less {right}: {said}.")


def waterfall(board: Board, metric: str, by: str | tuple[str, ...] | None = None, largest: int = 8) -> Any:
    """What moved a metric since the period before: its parts (bars), one after the other, up to the change itself.

    Parts beyond the `largest` are drawn as one; what the parts do not explain is a bar of its own. Each bar is labelled.
    """
    whole, parts = explain(board, metric, by)
    label, unit = board.definitions.label(metric), board.definitions.metrics[metric].unit
    named = [
        (part_name(board.definitions, metric, row["part"], row["kind"]), float(row["effect"]))
        for row in parts.to_dict("records")
    ]
    known = whole.explainable
    steps = _steps(
        _shown(named, largest),
        ("change", whole.size if known else 0.0),
        lambda size: numbers.of(board).effect(size, unit),
    )
    said = "; ".join(f"{row.part} {row.text}" for row in steps.itertuples())
    head = (
        f"{label}: {numbers.of(board).effect(whole.size, unit)} on the {board.grain} before"
        if known
        else f"{label}: not explained"
    )
    chart = _bars(steps, unit).properties(width=WIDTH - 190, height=alt.Step(32))
    text = f"{head}. {said}." if known else f"{head}: the data do not cover both {board.grain}s."
    return styled(board, chart, head, text)


def _shown(named: list[tuple[str, float]], largest: int) -> list[tuple[str, float]]:
    """The first parts, the others as one, and what is unexplained."""
    told, rest = [each for each in named if each[0] != UNEXPLAINED], [each for each in named if each[0] == UNEXPLAINED]
    if len(told) > largest + 1:
        others = told[largest:]
        told = [*told[:largest], (f"{len(others)} others", sum(size for _, size in others))]
    return [*told, *rest]


def _count(past: pd.DataFrame, board: Board) -> str:
    return numbers.of(board).quantity(len(past), f"{board.grain}s")


def _names(left: str, right: str) -> dict[str, str]:
    named = (f"only in {left}", f"only in {right}", "other amount", "other period", "more than once")
    return {**dict(zip(PARTS, named, strict=True)), "difference": "difference"}


def _steps(parts: list[tuple[str, float]], total: tuple[str, float], text: Callable[[float], str]) -> pd.DataFrame:
    """One row a bar: each part starts where the one before it ended, and the total starts at 0."""
    names, sizes = zip(*parts, total, strict=True)
    ends = pd.Series(sizes[:-1], dtype=float).cumsum().round(9).tolist()
    starts = [0.0, *ends[:-1], 0.0] if ends else [0.0]
    table = pd.DataFrame({"part": names, "size": sizes, "from": starts, "to": [*ends, sizes[-1]]})
    right_edge = table[["from", "to"]].max(axis=1)
    is_total = table.index == len(table) - 1
    return table.assign(text=[text(size) for size in sizes], edge=right_edge, total=is_total)


def _bars(steps: pd.DataFrame, unit: str) -> Any:
    order = alt.Y("part:N", sort=None, axis=alt.Axis(title=None, domain=False, ticks=False))
    axis = alt.Axis(title=None, format="~%" if unit == "percent" else "~s", tickCount=5)
    low, high = min(0.0, steps["to"].min()), max(0.0, steps["edge"].max())
    room = alt.Scale(domain=[low, high if high > low else low + 1.0], nice=False)
    base = alt.Chart(_values(steps, ["part", "from", "to", "edge", "text", "total"]))
    bars = base.mark_bar(height=16).encode(
        x=alt.X("from:Q", axis=axis, scale=room), x2="to:Q", y=order,
        color=alt.condition("datum.total", alt.value(INK), alt.value(ACCENT)),
    )  # fmt: skip
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=FAINT).encode(x="zero:Q")
    texts = base.mark_text(align="left", x="width", dx=6, fontSize=12, color=INK).encode(y=order, text="text:N")
    return alt.layer(zero, bars, texts)
