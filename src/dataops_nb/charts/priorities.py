"""Urgent and important: the things to solve on the two axes that decide, after the matrix that bears Eisenhower's name."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from dataops_nb.board import Board
from dataops_nb.charts.lines import _values
from dataops_nb.charts.rendering import ACCENT, FAINT, HEIGHT, INK, WIDTH, styled
from dataops_nb.story import numbers

YEAR = 365.0
QUARTER = 91.0


def eisenhower(board: Board) -> Any:
    """The things to solve by slack (left is urgent) and what is at stake a year (up is important), each with its rank.

    What has no slack to run out stands at the right. A dashed line marks a quarter and half of the largest amount. The
    subtitle says which thing has which rank; what cannot be told in money is named in the text alternative only.
    """
    rows = board.priorities.assign(urgency=board.priorities["slack"].clip(-QUARTER, YEAR).fillna(YEAR))
    drawn = rows.dropna(subset=["at_stake"])
    head = _finding(drawn)
    chart = _points(_spread(drawn)).properties(width=WIDTH - 60, height=HEIGHT)
    said = "; ".join(_said(board, row) for row in rows.to_dict("records"))
    return styled(board, chart, head, f"{head}. {said}.", _legend(drawn))


def _legend(drawn: pd.DataFrame) -> list[str]:
    """What the numbers stand for."""
    worth, idle = drawn[drawn["at_stake"] > 0], drawn[~(drawn["at_stake"] > 0)]
    told = [f"{rank} {title}" for rank, title in zip(worth["rank"], worth["title"], strict=True)]
    rest = ", ".join(map(str, idle["rank"]))
    return [*told, f"{rest}: on the list, with nothing at stake"] if rest else told


def _finding(drawn: pd.DataFrame) -> str:
    if drawn.empty or not (drawn["at_stake"] > 0).any():
        return "Urgent and important: nothing with money at stake"
    return f"Urgent and important: {drawn.iloc[0]['title']}"


def _said(board: Board, row: dict[Any, Any]) -> str:
    currency = board.definitions.company.currency
    slack = "nothing runs out" if pd.isna(row["slack"]) else f"{int(row['slack'])} days of slack"
    worth = "not told" if pd.isna(row["at_stake"]) else numbers.of(board).rough(row["at_stake"], currency)
    return f"{row['rank']}. {row['title']}: {slack}, at stake {worth}"


def _spread(drawn: pd.DataFrame) -> pd.DataFrame:
    """The rows with one `label` a place: ranks at the same place are written together."""
    label = drawn.assign(label=drawn["rank"].astype(str))
    return label.groupby(["urgency", "at_stake"], sort=False)["label"].agg(", ".join).reset_index()


def _points(drawn: pd.DataFrame) -> Any:
    top = float(drawn["at_stake"].max()) if len(drawn) else 0.0
    x = alt.X(
        "urgency:Q", scale=alt.Scale(domain=[min(-14.0, float(drawn["urgency"].min() or 0)), YEAR + 15]),
        axis=alt.Axis(title="days left to start (left is urgent)", tickCount=7, grid=False),
    )  # fmt: skip
    y = alt.Y(
        "at_stake:Q", scale=alt.Scale(domain=[0, 1.15 * (top or 1.0)]),
        axis=alt.Axis(title="at stake a year", format="~s", tickCount=5, grid=False),
    )  # fmt: skip
    base = alt.Chart(_values(drawn, ["urgency", "at_stake", "label"])).encode(x=x, y=y)
    dots = base.mark_circle(color=ACCENT, size=110, opacity=1)
    words = base.mark_text(dy=-13, fontSize=13, fontWeight=600, color=INK).encode(text="label:N")
    lines = [
        alt.Chart(alt.InlineData(values=[{"at": QUARTER}])).mark_rule(color=FAINT, strokeDash=[4, 4]).encode(x="at:Q"),
        alt.Chart(alt.InlineData(values=[{"at": top / 2}])).mark_rule(color=FAINT, strokeDash=[4, 4]).encode(y="at:Q"),
    ]
    return alt.layer(*lines, dots, words)
