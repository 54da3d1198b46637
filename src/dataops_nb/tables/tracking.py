"""Calibration: what was said about unfinished periods, and what came."""

from __future__ import annotations

from dataops_nb.board import Board
from dataops_nb.story import numbers
from dataops_nb.tables.markup import Table

FEWEST_A_ROW = 5


def track(board: Board) -> Table:
    """One row for each fifth of the scale of chances: how often it was said, the mean said, the share that came."""
    written = numbers.of(board)
    rows = [
        [f"{row['low']:.0%} to {row['high']:.0%}".replace("%", " %"), written.count(row["cases"]),
         *((written.share(row[name]) if row["cases"] >= FEWEST_A_ROW else "too few to tell") for name in ("said", "came"))]
        for row in board.track.calibration.to_dict("records")
    ]  # fmt: skip
    numeric = ["Cases", "Said on average", "Met their target"]
    rows = rows if board.track.chances else []
    return Table("Chances given before, and what came", ["Chance given", *numeric], rows, frozenset(numeric))
