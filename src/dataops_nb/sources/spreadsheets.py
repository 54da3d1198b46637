"""Workbooks in other formats: OpenDocument (ods), and Excel's old and binary ones (xls, xlsb).

python-calamine reads them all. It shows what is stored in a cell and no formula, so a formula whose
result was never stored is looked up in an ods by its XML, and cannot be told in the others; Excel
stores every result there.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import cap_faults
from dataops_nb.sources.files import File, recognise
from dataops_nb.sources.intake import Intake, Sheet
from dataops_nb.sources.pages import VISIBLE, Frame, Page, Row, choose_page, load_page, say_hidden
from dataops_nb.sources.workbooks import NOT_STORED, letters_of, refuse_package, say_merged

INSTALL = "is read by python-calamine, which is not installed; pip install 'dataops-nb[sheets]'"
PARTS = {".ods": "content.xml", ".xlsb": "xl/workbook.bin"}
OLD_MARK = b"\xd0\xcf\x11\xe0"
DAMAGE = (ElementTree.ParseError, zipfile.BadZipFile, OSError, ValueError)
# Names that the XML of an ods gives to its elements and attributes.
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


def is_installed() -> bool:
    """Whether the reader of these workbooks is there."""
    try:
        import python_calamine  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


def read_spreadsheet(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    """Load one sheet as texts into `table`; None where it cannot be read."""
    rule = refuse_spreadsheet(file.path)
    if rule:
        return None, [intake.fault(file, rule)]
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415

    try:
        with CalamineWorkbook.from_path(file.path) as book:
            return _read_sheet(intake, file, table, book)
    except PasswordError:
        rule = "is a workbook with a password; save it without one"
    except (CalamineError, *DAMAGE) as error:
        kind = type(error).__name__
        rule = f"the workbook is damaged ({kind}); open it in its program and save it again"
    return None, [intake.fault(file, rule)]


def refuse_spreadsheet(path: Path) -> str:
    """Say why a file is not opened as a workbook; empty where it may be."""
    if not is_installed():
        return INSTALL
    kind = path.suffix.lower()
    with path.open("rb") as handle:
        head = handle.read(8)
    if kind in PARTS and head.startswith(b"PK"):
        return refuse_package(path, PARTS[kind])
    if head.startswith(OLD_MARK):
        return "is a workbook with a password; save it without one" if kind in PARTS else ""
    other = "name it .xlsx" if head.startswith(b"PK") else "if it is a csv, name it .csv"
    rule = f"is no {kind} workbook, though its name says so; {other}"
    return rule if head.startswith(b"PK") else recognise(path) or rule


def list_states(book: Any) -> dict[str, str]:
    """Return the sheets of a workbook with their states, `visible` or others."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415

    states = {}
    for sheet in book.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet:
            is_visible = sheet.visible == SheetVisibleEnum.Visible
            states[sheet.name] = VISIBLE if is_visible else "hidden"
    return states


def number_rows(sheet: Any) -> Iterator[Row]:
    """Yield the rows of a sheet with their numbers; an empty cell is None."""
    for number, row in enumerate(sheet.to_python(skip_empty_area=False), 1):
        yield number, tuple(map(_filled, row))


def _filled(cell: Any) -> Any:
    return None if cell == "" else cell


def _read_sheet(
    intake: Intake, file: File, table: str, book: Any
) -> tuple[Sheet | None, list[Fault]]:
    states = list_states(book)
    title, _, rule = choose_page(states, [], intake.source.sheet)
    if rule:
        return None, [intake.fault(file, rule)]
    sheet = book.get_sheet_by_name(title)
    rows = [row for row in number_rows(sheet) if any(cell is not None for cell in row[1])]
    page = Page(title, rows, say_hidden(states))

    def look(header: Sequence[str], frame: Frame) -> list[Fault]:
        if not frame.body:
            return []
        merged = _list_merged(file.path, title, sheet)
        faults = []
        for top, left, bottom, right in merged:
            if bottom >= frame.body[0][0] and top <= frame.body[-1][0] and left < len(header):
                area = f"{letters_of(left)}{top}:{letters_of(right)}{bottom}"
                faults.append(intake.fault(file, say_merged(area), top, header[left]))
        return cap_faults(faults) + _find_uncached(intake, file, title, header, frame)

    return load_page(intake, file, table, page, look)


def _list_merged(path: Path, title: str, sheet: Any) -> list[tuple[int, int, int, int]]:
    """Return the merges of a sheet: first row, first column (0-based), last row, last column."""
    merges = []
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        merges.append((top + 1, left, bottom + 1, right))
    if path.suffix.lower() != ".ods":
        return merges
    for cell in _cells_of(path, title):
        wide = int(cell.element.get(f"{TABLE}number-columns-spanned", 1))
        high = int(cell.element.get(f"{TABLE}number-rows-spanned", 1))
        if wide > 1 or high > 1:
            merges.append((cell.row, cell.place, cell.row + high - 1, cell.place + wide - 1))
    return merges


def _find_uncached(
    intake: Intake, file: File, title: str, header: Sequence[str], frame: Frame
) -> list[Fault]:
    """List the formulas of an ods whose result is not stored in it."""
    if file.path.suffix.lower() != ".ods":
        return []
    missing: dict[str, list[Fault]] = {column: [] for column in header}
    for cell in _cells_of(file.path, title):
        formula = cell.element.get(f"{TABLE}formula")
        is_stored = f"{OFFICE}value-type" in cell.element.attrib
        if formula and not is_stored and cell.place < len(header) and frame.holds(cell.row):
            column = header[cell.place]
            shown = formula.removeprefix("of:")
            missing[column].append(intake.fault(file, NOT_STORED, cell.row, column, shown))
    faults = []
    for own_faults in missing.values():
        faults += cap_faults(own_faults)
    return faults


class _Cell:
    """One cell of an ods: its row, its place (0-based) and its element."""

    def __init__(self, row: int, place: int, element: ElementTree.Element) -> None:
        self.row = row
        self.place = place
        self.element = element


def _cells_of(path: Path, title: str) -> Iterator[_Cell]:
    """Yield the cells of a sheet that say more than a value; of cells that repeat the first."""
    with zipfile.ZipFile(path) as package, package.open("content.xml") as handle:
        name, row_number = "", 0
        events = ElementTree.iterparse(handle, events=("start", "end"))  # noqa: S314  no entities
        for event, element in events:
            if event == "start":
                if element.tag == f"{TABLE}table":
                    name, row_number = element.get(f"{TABLE}name", ""), 0
            elif element.tag == f"{TABLE}table-row":
                if name == title:
                    yield from _cells_of_row(element, row_number + 1)
                row_number += int(element.get(f"{TABLE}number-rows-repeated", 1))
                element.clear()


def _cells_of_row(row: ElementTree.Element, number: int) -> Iterator[_Cell]:
    place = 0
    for element in row:
        if element.tag in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            yield _Cell(number, place, element)
            place += int(element.get(f"{TABLE}number-columns-repeated", 1))
