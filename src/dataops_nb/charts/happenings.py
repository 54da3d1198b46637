"""What happened, in a trend: a dashed upright line a day with its number above it, and below the chart what each was.

A title along its line would stand across the values, and several would stand across each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from dataops_nb import findings
from dataops_nb.board import Board
from dataops_nb.charts.rendering import INK
from dataops_nb.story import numbers

MOST = 12  # numbered and listed; earlier ones are counted
CLOSE = 0.05  # of the width: numbers nearer than that stand together


def seen(board: Board, rows: pd.DataFrame, metric: str, marks: pd.DataFrame | None) -> pd.DataFrame:
    """`date title` of the events, and other marks, within the periods that are drawn, oldest first."""
    found = findings.about(board.events, metric)[["date", "title"]]
    if marks is not None:
        found = pd.concat([found, marks[["date", "title"]]]).drop_duplicates()
    within = found["date"].between(rows["period_start"].min(), rows["period_end"].max())
    return found[within].sort_values("date").reset_index(drop=True)


def listed(board: Board, found: pd.DataFrame) -> list[str]:
    """What each number stands for: `1 Release 8.0, Tue 13 Oct 2026`."""
    told = found.tail(MOST).to_dict("records")
    lines = [f"{i} {_titled(board, row)}" for i, row in enumerate(told, 1)]
    earlier = len(found) - len(told)
    return [f"{earlier} earlier ones have no number", *lines] if earlier else lines


def in_words(board: Board, found: pd.DataFrame) -> str:
    """The same for a text alternative."""
    return f" Events: {'; '.join(_titled(board, row) for row in found.to_dict('records'))}." if len(found) else ""


def _titled(board: Board, row: dict[Any, Any]) -> str:
    return f"{row['title']}, {numbers.of(board).date(row['date'].date())}"


def drawn(found: pd.DataFrame, rows: pd.DataFrame) -> list[alt.Chart]:
    """The lines and their numbers."""
    if found.empty:
        return []
    days = [f"{day:%Y-%m-%dT00:00:00}" for day in found["date"]]
    lines = alt.Chart(alt.InlineData(values=[{"period_start": day} for day in dict.fromkeys(days)]))
    width = (rows["period_end"].max() - rows["period_start"].min()) * CLOSE
    marks = [{"period_start": f"{day:%Y-%m-%dT00:00:00}", "number": said} for day, said in _numbered(found, width)]
    words = alt.Chart(alt.InlineData(values=marks))
    x = alt.X("period_start:T")
    above: Any = {"y": 0, "dy": -4, "baseline": "bottom", "fontSize": 11, "color": INK}
    return [
        lines.mark_rule(color=INK, strokeWidth=1, strokeDash=[1, 2]).encode(x=x),
        words.mark_text(**above).encode(x=x, text=alt.Text("number:N")),
    ]


def _numbered(found: pd.DataFrame, width: pd.Timedelta) -> Iterator[tuple[pd.Timestamp, str]]:
    """Where a number stands, and which: those that would touch are written as one."""
    days = list(found["date"].tail(MOST))
    start = 0
    for i in range(1, len(days) + 1):
        if i == len(days) or days[i] - days[start] > width:
            yield days[start], str(start + 1) if i == start + 1 else f"{start + 1}\u2013{i}"
            start = i
