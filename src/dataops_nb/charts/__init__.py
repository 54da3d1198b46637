"""Charts: direct labels and dashes, never colour alone; each with a text alternative.

In JupyterLab a chart is an SVG, drawn without a network. While a report is refreshed it leaves the
notebook as its Vega-Lite specification, and the page builder draws it. Each function takes a board
and returns an altair chart: a metric over time, its parts side by side, the way from one value to
another, part by part, and the matrix named after Eisenhower of what to solve.
"""

from __future__ import annotations

from dataops_nb.charts import lean  # noqa: F401  first: it says how altair is loaded

# isort: split

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Board, explain, segments
from dataops_nb.charts.look import (
    ACCENT,
    FAINT,
    FALL,
    HEIGHT,
    INK,
    RISE,
    WIDTH,
    Chart,
    enable,
    styled,
    unchecked,
    value_axis,
)
from dataops_nb.charts.moves import moving_range
from dataops_nb.charts.trend import compare, inline_values, trend
from dataops_nb.reconciliation.bridges import PARTS
from dataops_nb.reconciliation.pairs import Pair
from dataops_nb.story import trust
from dataops_nb.story.changes import UNEXPLAINED, part_name
from dataops_nb.story.phrases import inside

__all__ = [
    "bridge",
    "by_segment",
    "compare",
    "eisenhower",
    "moving_range",
    "trend",
    "waterfall",
]


def __dir__() -> list[str]:
    return __all__


# The name and the size of a part.
Part = tuple[str, float]
# Days of slack: things without an end stand at a year, a dashed line marks a quarter.
YEAR = 365.0
QUARTER = 91.0


enable()


@unchecked
def by_segment(board: Board, metric: str, by: str, largest: int = 8, periods: int = 13) -> Any:
    """Draw a metric by a declared dimension, the `largest` segments from top to bottom.

    Bars are the last complete period, ticks the average of the periods before it.

    >>> charts.by_segment(this, "revenue", "channel").to_dict()["description"]
    'Revenue by channel, week 46: web €230.50; shop €90.'
    """
    label, unit = board.company.label(metric), board.company.metrics[metric].unit
    written = numbers.of(board)
    rows = segments(board, metric, by, periods)
    rows = rows[rows["complete"] & rows["value"].notna()]
    earlier = rows.loc[rows["period"] != board.period.id, "period"].nunique()
    rows = _now_and_before(rows, board.period.id).nlargest(largest, "now")
    rows = rows.assign(text=[written.number(value, unit) for value in rows["now"]])

    when = written.period(board.period)
    head = f"{label} by {by.replace('_', ' ')}, {when}"
    legend = []
    if earlier:
        of = f"{board.grain} before" if earlier == 1 else f"{earlier} {board.grain}s before"
        legend = [f"▬ {when}, │ {'value' if earlier == 1 else 'average'} of the {of}"]
    texts = [f"{row.part} {row.text}" for row in rows.itertuples()]
    description = f"{head}: {'; '.join(texts) or 'no data'}."
    axis = value_axis(unit, board.company.locale)
    chart = _segment_bars(rows, axis).properties(width=WIDTH - 150, height=alt.Step(30))
    return styled(board, chart, head, description, legend)


def _now_and_before(rows: pd.DataFrame, period: str) -> pd.DataFrame:
    """Return each segment's value in the period and its mean before, as `part now before`."""
    is_now = rows["period"] == period
    now = rows[is_now].set_index("segment")["value"]
    before = rows[~is_now].groupby("segment")["value"].mean()
    table = pd.DataFrame({"now": now, "before": before}).dropna(subset=["now"]).reset_index()
    return table.assign(part=table["segment"].astype(str).str.split("=", n=1).str[1])


def _segment_bars(rows: pd.DataFrame, axis: alt.Axis) -> Any:
    base = Chart(inline_values(rows, ["part", "now", "before", "text"]))
    y = alt.Y("part:N", sort=None, axis=alt.Axis(title=None, domain=False, ticks=False))
    now = alt.X("now:Q", axis=axis)
    bars = base.mark_bar(color=ACCENT, height=16).encode(x=now, y=y)
    ticks = base.mark_tick(color=FAINT, thickness=3, size=24).encode(x=alt.X("before:Q"), y=y)
    texts = base.mark_text(align="left", x="width", dx=6, fontSize=12, color=INK)
    return alt.layer(bars, ticks, texts.encode(y=y, text=alt.Text("text:N")))


@unchecked
def bridge(board: Board, pair: Pair, periods: int | None = None) -> Any:
    """Draw the five parts of the difference between two systems, then the difference itself.

    It covers every period up to the board's that both systems know, or the last `periods`.

    >>> chart = charts.bridge(company, story.pairs(company)[0])
    >>> chart.to_dict()["title"]["text"]
    'Shop and Bank differ by €75.50 on revenue over 3 weeks'
    """
    past = trust.history(board, pair).dropna(subset=["a"])
    if periods is not None:
        past = past.tail(periods)
    written, unit = numbers.of(board), trust.unit(board, pair)
    left, right = trust.systems(board, pair)
    part_names = (
        f"only in {left}",
        f"only in {right}",
        "different amount",
        f"different {board.grain}",
        "duplicates",
    )
    parts: list[Part] = []
    for column, name in zip(PARTS, part_names, strict=True):
        parts.append((name, float(sum(past[column]))))
    difference = float(sum(past["difference"]))
    steps = _steps(
        parts,
        ("difference", difference),
        lambda size: written.number(size, unit, signed=True),
    )
    apart = written.difference(difference, unit)
    span = written.quantity(len(past), f"{board.grain}s")
    label = board.company.label(pair.a.metric)
    head = f"{left} and {right} differ by {apart} on {inside(label).text} over {span}"
    description = f"{head}. {left} minus {right}: {_steps_text(steps)}."
    axis = value_axis(unit, board.company.locale)
    return styled(board, _step_bars(steps, axis), head, description)


@unchecked
def waterfall(
    board: Board, metric: str, by: str | tuple[str, ...] | None = None, largest: int = 8
) -> Any:
    """Draw what moved a metric since the period before, part by part, then the change itself.

    Parts after the `largest` are drawn as one; what the parts do not explain is a bar of its own.

    >>> charts.waterfall(this, "revenue").to_dict()["title"]["text"]
    'What changed revenue: +€110.50 from the week before'
    """
    label, unit = board.company.label(metric), board.company.metrics[metric].unit
    written = numbers.of(board)
    change, explained = explain(board, metric, by)
    parts: list[Part] = []
    for row in explained.to_dict("records"):
        name = part_name(board.company, metric, row["part"], row["kind"])
        parts.append((name, float(row["effect"])))
    size = 0.0
    if change.explainable:
        size = change.size
    steps = _steps(
        _largest_parts(parts, largest),
        ("net change", size),
        lambda part_size: written.effect(part_size, unit),
    )
    if change.explainable:
        net = written.effect(size, unit) if round(size, 9) else "no net change"
        head = f"What changed {inside(label).text}: {net} from the {board.grain} before"
        description = f"{head}. {_steps_text(steps)}."
    else:
        head = f"{label}: no breakdown"
        description = f"{head}: data missing for one of the two {board.grain}s."
    axis = value_axis(unit, board.company.locale)
    return styled(board, _step_bars(steps, axis), head, description)


def _largest_parts(parts: list[Part], largest: int) -> list[Part]:
    """Return the first parts, the others as one, and last what is unexplained."""
    known = [part for part in parts if part[0] != UNEXPLAINED]
    unexplained = [part for part in parts if part[0] == UNEXPLAINED]
    others = known[largest:]
    # One more part is drawn as itself: `1 others` would take the same room.
    if len(others) > 1:
        other_size = sum(size for _, size in others)
        known = [*known[:largest], (f"{len(others)} others", other_size)]
    return known + unexplained


def _steps(parts: list[Part], total: Part, text: Callable[[float], str]) -> pd.DataFrame:
    """Return a row a bar: `part size from to text edge total`.

    Each part starts where the one before it ended; the total starts at 0.
    """
    names, sizes = zip(*parts, total, strict=True)
    ends = pd.Series(sizes[:-1], dtype=float).cumsum().round(9).tolist()
    starts = [0.0]
    if ends:
        starts = [0.0, *ends[:-1], 0.0]
    table = pd.DataFrame({"part": names, "size": sizes, "from": starts, "to": [*ends, sizes[-1]]})
    right_edge = table[["from", "to"]].max(axis=1)
    is_total = table.index == len(table) - 1
    texts = [text(size) for size in sizes]
    return table.assign(text=texts, edge=right_edge, total=is_total)


def _steps_text(steps: pd.DataFrame) -> str:
    return "; ".join(f"{row.part} {row.text}" for row in steps.itertuples())


def _step_bars(steps: pd.DataFrame, axis: alt.Axis) -> Any:
    low, high = min(0.0, steps["to"].min()), max(0.0, steps["edge"].max())
    if high <= low:
        high = low + 1.0
    scale = alt.Scale(domain=[low, high], nice=False)
    x = alt.X("from:Q", axis=axis, scale=scale)
    order = list(steps["part"])
    y = alt.Y("part:N", sort=order, axis=alt.Axis(title=None, domain=False, ticks=False))
    # A rise is a full bar, a fall an outlined one: the form says it where colours do not.
    fall = "datum.to < datum.from || (datum.total && datum.to < 0)"
    full = alt.condition("datum.total", alt.value(INK), alt.value(RISE))
    base = Chart(inline_values(steps, ["part", "from", "to", "edge", "text", "total"]))
    rises = base.transform_filter(f"!({fall})").mark_bar(height=16)
    falls = base.transform_filter(fall).mark_bar(height=16, fill="white", strokeWidth=1.6)
    edge = alt.condition("datum.total", alt.value(INK), alt.value(FALL))
    bars = [
        rises.encode(x=x, x2=alt.X2("to:Q"), y=y, color=full),
        falls.encode(x=x, x2=alt.X2("to:Q"), y=y, stroke=edge),
    ]
    zero_data = alt.InlineData(values=[{"zero": 0}])
    zero = Chart(zero_data).mark_rule(color=FAINT).encode(x=alt.X("zero:Q"))
    texts = base.mark_text(align="left", x="width", dx=6, fontSize=12, color=INK)
    chart = alt.layer(zero, *bars, texts.encode(y=y, text=alt.Text("text:N")))
    return chart.properties(width=WIDTH - 190, height=alt.Step(32))


@unchecked
def eisenhower(board: Board) -> Any:
    """Draw the things to solve by slack (left is urgent) and what is at stake a year (up).

    Each has its rank, which the subtitle explains; things whose stake is unknown are only in the
    text alternative. Dashed lines mark a quarter of slack and half of the largest stake.

    >>> charts.eisenhower(both).to_dict()["title"]["text"]
    'No item has a cost yet'
    """
    slack = board.priorities["slack"]
    rows = board.priorities.assign(urgency=slack.clip(-QUARTER, YEAR).fillna(YEAR))
    drawn = rows.dropna(subset=["at_stake"])
    head = _matrix_title(drawn)
    axis = value_axis(board.company.currency, board.company.locale)
    texts = [_priority_text(board, row) for row in rows.to_dict("records")]
    chart = _matrix(_ranks_by_place(drawn), axis).properties(width=WIDTH - 60, height=HEIGHT)
    return styled(board, chart, head, f"{head}. {'; '.join(texts)}.", _rank_legend(drawn))


def _rank_legend(drawn: pd.DataFrame) -> list[str]:
    """List what the ranks stand for; those without a stake share a line."""
    has_stake = drawn["at_stake"] > 0
    lines: list[str] = []
    for row in drawn[has_stake].itertuples():
        lines.append(f"{row.rank} {row.title}")
    idle_ranks = ", ".join(map(str, drawn[~has_stake]["rank"]))
    if idle_ranks:
        lines.append(f"{idle_ranks}: no cost yet")
    return lines


def _matrix_title(drawn: pd.DataFrame) -> str:
    if drawn.empty or not (drawn["at_stake"] > 0).any():
        return "No item has a cost yet"
    return f"Most urgent and costly: {drawn.iloc[0]['title']}"


def _priority_text(board: Board, row: dict[Any, Any]) -> str:
    slack, stake = "no deadline", "an unknown amount"
    if pd.notna(row["slack"]):
        slack = f"{int(row['slack'])} days to start"
    if pd.notna(row["at_stake"]):
        stake = numbers.of(board).rough(row["at_stake"], board.company.currency)
    return f"{row['rank']}. {row['title']}: {slack}, costs {stake} a year"


def _ranks_by_place(drawn: pd.DataFrame) -> pd.DataFrame:
    """Return `urgency at_stake label`; ranks at the same place share a label."""
    labelled = drawn.assign(label=drawn["rank"].astype(str))
    labels = labelled.groupby(["urgency", "at_stake"], sort=False)["label"]
    return labels.agg(", ".join).reset_index()


def _matrix(places: pd.DataFrame, money: alt.Axis) -> Any:
    top, left = 0.0, -14.0
    if len(places):
        top = float(places["at_stake"].max())
        left = min(left, float(places["urgency"].min()))
    x = alt.X(
        "urgency:Q",
        scale=alt.Scale(domain=[left, YEAR + 15], nice=False),
        axis=alt.Axis(title="← days left to start", tickCount=7, grid=False),
    )
    money["title"], money["grid"] = "cost a year", False
    y = alt.Y("at_stake:Q", scale=alt.Scale(domain=[0, 1.15 * (top or 1.0)]), axis=money)
    base = Chart(inline_values(places, ["urgency", "at_stake", "label"])).encode(x=x, y=y)
    dots = base.mark_circle(color=ACCENT, size=110, opacity=1)
    words = base.mark_text(dy=-13, fontSize=13, fontWeight=600, color=INK).encode(
        text=alt.Text("label:N")
    )
    quarter = _dashed_rule(QUARTER).encode(x=alt.X("at:Q"))
    half = _dashed_rule(top / 2).encode(y=alt.Y("at:Q"))
    return alt.layer(quarter, half, dots, words)


def _dashed_rule(at: float) -> Any:
    data = alt.InlineData(values=[{"at": at}])
    return Chart(data).mark_rule(color=FAINT, strokeDash=[4, 4])
