"""A board at a glance: what a notebook shows of it where nobody asked for anything particular.

One line of text, or a table with one row a metric: its light, its value, the target and what it
usually does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from dataops_nb import numbers
from dataops_nb.display import Light, Table

if TYPE_CHECKING:
    from dataops_nb.board import Board

LIGHTS = ("green", "yellow", "red", "unknown")
COLUMNS = ("Metric", "Status", "Value", "Target", "Variation")
MISSING = "–"


def text(board: Board) -> str:
    """Say in one line whose board it is, of when, and how many lights are on.

    >>> repr(this)
    '<Board of My Company, 2026-W46: 5 metrics, 5 unknown>'
    """
    lights = list(board.current.get("light", []))
    parts = ["1 metric" if len(board.metrics) == 1 else f"{len(board.metrics)} metrics"]
    parts += [f"{lights.count(light)} {light}" for light in LIGHTS if light in lights]
    whose = f"Board of {_name(board)}," if _name(board) else "Board of"
    return f"<{whose} {board.period.id}: {', '.join(parts)}>"


def table(board: Board) -> Table:
    """Return every metric of the board in its last complete period, a metric a row."""
    when = numbers.of(board).period(board.period)
    rows: list[list[Any]] = [_row(board, row) for _, row in board.current.iterrows()]
    as_of = f"as of {numbers.of(board).date(board.as_of)}"
    caption = ", ".join(part for part in (_name(board), when, as_of) if part)
    return Table(caption, COLUMNS, rows, frozenset(COLUMNS[2:4]))


def _name(board: Board) -> str:
    company = board.company
    if board.department is None:
        return company.name
    return company.departments[board.department].department


def _row(board: Board, row: pd.Series) -> list[Any]:
    unit = board.company.metrics[row["metric"]].unit
    targets = [row[name] for name in ("target_low", "target_high") if name in row]
    targets = [target for target in targets if pd.notna(target)]
    if not targets and pd.notna(row.get("target")):
        targets = [row["target"]]
    value, target = MISSING, MISSING
    if pd.notna(row["value"]):
        compared = numbers.of(board).beside(row["value"], targets, unit)
        value = compared.quantity(row["value"])
        if targets:
            target = " to ".join(compared.number(one) for one in targets)
    return [
        board.company.label(row["metric"]),
        Light(row.get("light") or "unknown", row.get("reason")),
        value,
        target,
        numbers.variation_of(row) if "signal" in row and "variation" in row else "",
    ]
