"""Two systems side by side: the periods in which they differ, by cause, and the rows behind it."""

from __future__ import annotations

import pandas as pd

from dataops_nb import reconciliation
from dataops_nb.board import Board
from dataops_nb.reconciliation import PARTS, Pair
from dataops_nb.story import agreement, numbers
from dataops_nb.tables.markup import Table

_NOTHING = "–"
_VERDICTS = {True: "yes", False: "no", None: "not judged"}


def bridge(board: Board, pair: Pair, periods: int = 26) -> Table:
    """The last periods in which the two systems differ, newest first: both values, the five parts, within tolerance."""
    left, right = agreement.systems(board, pair)
    past = agreement.history(board, pair).dropna(subset=["a"])
    shown = past[past["difference"] != 0].tail(periods).iloc[::-1]
    unit = agreement.unit(board, pair)
    rows = [
        [row["period"], _amount(board, row["a"], unit), _amount(board, row["b"], unit),
         *(_signed(board, row[part], unit) for part in ("difference", *PARTS)), _VERDICTS[row["within_tolerance"]]]
        for _, row in shown.iterrows()
    ]  # fmt: skip
    numeric = [
        left,
        right,
        "Difference",
        f"Only in {left}",
        f"Only in {right}",
        "Other amount",
        "Other period",
        "Twice",
    ]
    columns = ["Period", *numeric, "Let pass"]
    return Table(f"{left} less {right}, where they differ", columns, rows, frozenset(numeric))


def rows_apart(board: Board, pair: Pair, largest: int = 30) -> Table:
    """The rows behind the differences, the largest first: what is wrong with each, its key, both amounts and days."""
    left, right = agreement.systems(board, pair)
    found = reconciliation.rows(board.catalog, pair.a.metric, board.grain, end=board.period.end)
    found = found[found["with"] == pair.b.metric]
    sizes = [abs(_known(row.a_amount) - _known(row.b_amount)) or _known(row.a_amount) for row in found.itertuples()]
    shown = found.assign(size=sizes).sort_values("size", ascending=False, kind="stable").head(largest)
    unit = agreement.unit(board, pair)
    names = {"only_a": f"only in {left}", "only_b": f"only in {right}", "amount": "other amount",
             "date": "other period", "duplicate": "more than once"}  # fmt: skip
    rows = [
        [str(row.key) if row.key is not None else "(no key)", names[str(row.part)], _amount(board, row.a_amount, unit),
         _amount(board, row.b_amount, unit), _day(row.a_day), _day(row.b_day)]
        for row in shown.itertuples()
    ]  # fmt: skip
    columns = ["Key", "What", f"{left}, amount", f"{right}, amount", f"{left}, day", f"{right}, day"]
    caption = f"{numbers.of(board).count(len(found))} rows differ between {left} and {right}" + (
        f"; the {largest} largest" if len(found) > largest else ""
    )
    return Table(caption, columns, rows, frozenset(columns[2:4]))


def _known(amount: object) -> float:
    return 0.0 if amount is None else float(amount)  # type: ignore[arg-type]


def _amount(board: Board, amount: object, unit: str) -> str:
    return _NOTHING if amount is None else numbers.of(board).number(_known(amount), unit)


def _signed(board: Board, amount: object, unit: str) -> str:
    return numbers.of(board).number(_known(amount), unit, signed=True) if amount else _NOTHING


def _day(day: object) -> str:
    return _NOTHING if pd.isna(day) else f"{day:%Y-%m-%d}"  # type: ignore[call-overload]
