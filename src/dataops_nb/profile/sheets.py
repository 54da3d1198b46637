"""Find the tables in a workbook: which sheets hold one, and where it lies in each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dataops_nb.profile.layout import Layout, Record, find_table
from dataops_nb.sources.cells import write_cell
from dataops_nb.sources.workbooks import refuse_package

SUFFIXES = (".xlsx", ".xlsm")
MOST_ROWS = 20_000
LEAST_ROWS = 2


def list_sheets(path: Path) -> list[tuple[str, Layout]]:
    """Return the visible sheets of a workbook that hold a table, each with its layout.

    Returns nothing for a file that is no workbook; its reader says why.
    """
    if path.suffix.lower() not in SUFFIXES or refuse_package(path):
        return []
    # a slow import, and few drafts need it
    from openpyxl import load_workbook  # noqa: PLC0415

    sheets = []
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (KeyError, ValueError, TypeError, OSError):
        return []
    try:
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                continue
            sheet.reset_dimensions()
            records = list(_records(sheet.iter_rows(values_only=True, max_row=MOST_ROWS)))
            if len(records) >= LEAST_ROWS:
                sheets.append((sheet.title, find_table(records)))
    finally:
        book.close()
    return sheets


def _records(rows: Iterator[tuple[object, ...]]) -> Iterator[Record]:
    """Yield the rows that are not blank, all as wide as the last column that holds something."""
    written = []
    width = 0
    for line, row in enumerate(rows, 1):
        cells = [write_cell(value, set()) or "" for value in row]
        while cells and not cells[-1].strip():
            cells.pop()
        width = max(width, len(cells))
        if cells:
            written.append((line, cells))
    for line, cells in written:
        yield Record(line, [*cells, *[""] * (width - len(cells))])
