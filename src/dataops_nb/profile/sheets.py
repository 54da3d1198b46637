"""Find the tables in a workbook: which sheets hold one, and where it lies in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_nb.profile.layout import Layout, Record, find_table
from dataops_nb.sources.areas import list_areas
from dataops_nb.sources.cells import write_cell
from dataops_nb.sources.files import EXCEL, SPREADSHEETS
from dataops_nb.sources.pages import VISIBLE, Area
from dataops_nb.sources.spreadsheets import list_states, number_rows, refuse_spreadsheet
from dataops_nb.sources.workbooks import number_sheet, open_workbook, refuse_package

MOST_ROWS = 20_000
LEAST_ROWS = 2


@dataclass(frozen=True)
class SheetTable:
    """A table in a workbook: what `sheet:` calls it, and where it lies.

    `of` is the sheet of an Excel table, empty for a sheet.
    """

    name: str
    layout: Layout
    of: str = ""

    @property
    def why(self) -> str:
        """Why it is declared."""
        if self.of:
            return f"an Excel table on the sheet {self.of!r}"
        return "the workbook has several sheets"


def list_sheets(path: Path) -> list[SheetTable]:
    """Return the tables of a workbook's visible sheets: its Excel tables, else the sheet itself.

    Returns nothing for a file that is no workbook; its reader says why.
    """
    kind = path.suffix.lower()
    if kind in EXCEL and not refuse_package(path):
        return _list_excel(path)
    if kind in SPREADSHEETS and not refuse_spreadsheet(path):
        return _list_others(path)
    return []


def _list_excel(path: Path) -> list[SheetTable]:
    tables: list[SheetTable] = []
    try:
        book = open_workbook(path)
    except (KeyError, ValueError, TypeError, OSError):
        return []
    try:
        areas = [area for area in list_areas(book, path) if area.is_table]
        for sheet in book.worksheets:
            if sheet.sheet_state != VISIBLE:
                continue
            own = [area for area in areas if area.sheet == sheet.title]
            if own:
                tables += [_describe_area(area) for area in own]
                continue
            tables += _describe(sheet.title, number_sheet(sheet, most=MOST_ROWS))
    finally:
        book.close()
    return tables


def _describe_area(area: Area) -> SheetTable:
    return SheetTable(area.name, Layout(), of=area.sheet)


def _list_others(path: Path) -> list[SheetTable]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415

    tables: list[SheetTable] = []
    try:
        with CalamineWorkbook.from_path(path) as book:
            for title, state in list_states(book).items():
                if state == VISIBLE:
                    tables += _describe(title, number_rows(book.get_sheet_by_name(title)))
    except (CalamineError, OSError):
        return []
    return tables


def _describe(title: str, rows: Iterable[tuple[int, tuple[Any, ...]]]) -> Iterator[SheetTable]:
    """Yield the table of a sheet; nothing for one without rows."""
    records = list(_records(rows))
    if len(records) >= LEAST_ROWS:
        yield SheetTable(title, find_table(records))


def _records(rows: Iterable[tuple[int, tuple[Any, ...]]]) -> Iterator[Record]:
    """Yield the rows that are not blank, all as wide as the last column that holds something."""
    written = []
    width = 0
    for line, row in rows:
        cells = [write_cell(value, set()) or "" for value in row]
        while cells and not cells[-1].strip():
            cells.pop()
        width = max(width, len(cells))
        if cells:
            written.append((line, cells))
    for line, cells in written:
        yield Record(line, [*cells, *[""] * (width - len(cells))])
