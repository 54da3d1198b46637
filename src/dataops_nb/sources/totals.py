"""A last row that is the sum of the rows above it: spreadsheets end in one, and it counts everything twice."""

from __future__ import annotations

import duckdb

from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import ROW, Part, Places, Raw
from dataops_nb.sources.sql import first_row, names, quote

WORDS = {"total", "totals", "grand total", "sum", "subtotal", "summe", "gesamt", "somme", "suma", "totaal", "totale"}
RULE = "is the sum of the rows above it, which counts them twice; leave the total out of the file"


def find_totals(con: duckdb.DuckDBPyConnection, name: str, raw: Raw) -> list[Fault]:
    """A fault for each file of texts whose last row says `total` and holds the sum of a column."""
    if "all" not in raw.infer.values():
        return []
    return [fault for part in raw.parts if part.count > 1 for fault in _find_one(con, name, raw, part)]


def _find_one(con: duckdb.DuckDBPyConnection, name: str, raw: Raw, part: Part) -> list[Fault]:
    last = part.start + part.count - 1
    row = first_row(con, f"select {names(raw.columns)} from ({raw.relation}) where {ROW} = {last}") or ()
    if not any(isinstance(cell, str) and cell.strip(" :").casefold() in WORDS for cell in row):
        return []
    cells = dict(zip(raw.columns, row, strict=True))
    numbers = {column: cell for column, cell in cells.items() if isinstance(cell, str) and _number(cell) is not None}
    if not numbers:
        return []
    sums = ", ".join(f"sum(try_cast(replace({quote(column)}, ',', '') as double))" for column in numbers)
    above = first_row(con, f"select {sums} from ({raw.relation}) where {ROW} >= {part.start} and {ROW} < {last}") or ()
    for (column, cell), total in zip(numbers.items(), above, strict=True):
        if total is not None and abs(total - (_number(cell) or 0)) <= 1e-6 * max(1.0, abs(total)):
            file, place = Places(raw).find(last)
            return [Fault(name, RULE, file, place, column, cell)]
    return []


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return None
