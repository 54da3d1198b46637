"""What to solve next as a table: the order, what it comes from, and how loudly it is asked for."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.story import numbers
from dataops_nb.tables.markup import Table

_NOTHING = "–"
COLUMNS = ("What", "Owner", "Slack", "At stake a year", "From", "To", "Work", "In the top three", "Asked for", "Why")
NUMERIC = frozenset({"Slack", "At stake a year", "From", "To", "Work", "In the top three", "Asked for"})


def solve_next(board: Board) -> Table:
    """One row a thing to solve, best first. How often it was asked for is shown, and never decides."""
    rows = [_row(board, {str(k): v for k, v in row.items()}) for row in board.priorities.to_dict("records")]
    return Table("What to solve next", COLUMNS, rows, NUMERIC)


def shortlist(board: Board, count: int = 3) -> Table:
    """The first ones in short: whose it is, what it costs, how many days there are to start."""
    written, currency = numbers.of(board), board.definitions.company.currency
    rows = [
        [
            f"{row['rank']}. {row['title']}",
            str(row["owner"] or row["raised_by"] or "nobody named"),
            _NOTHING if pd.isna(row["at_stake"]) else written.rough(row["at_stake"], currency),
            _left(board, row["slack"]),
        ]
        for row in board.priorities.head(count).to_dict("records")
    ]
    columns = ["What", "Owner", "At stake a year", "To start within"]
    return Table("What we solve next", columns, rows, frozenset(columns[2:]), "nothing is listed")


def _left(board: Board, slack: float) -> str:
    if pd.isna(slack):
        return _NOTHING
    days = numbers.of(board).quantity(abs(int(slack)), "days")
    return days if slack >= 0 else f"{days} late"


def _row(board: Board, row: dict[str, Any]) -> list[str]:
    currency = board.definitions.company.currency
    money = [
        _NOTHING if pd.isna(row[name]) else numbers.of(board).rough(row[name], currency)
        for name in ("at_stake", "at_stake_low", "at_stake_high")
    ]
    slack = _NOTHING if pd.isna(row["slack"]) else f"{int(row['slack'])} d"
    again = f" (in {numbers.of(board).quantity(row['reports'], 'reports')} before)" if row["reports"] else ""
    asked = str(row["asked"]) if row["kind"] == "asked" else _NOTHING
    return [
        f"{row['rank']}. {row['title']}{again}", row["owner"] or row["raised_by"] or _NOTHING, slack, *money,
        row["effort"] or _NOTHING, numbers.of(board).share(row["stability"]), asked, row["why"],
    ]  # fmt: skip
