"""Excel workbooks: refused before they are opened where they are none or a bomb, then read by cell.

Cells become texts in one written form (2026-11-22, 12.5, true), so that they follow the same type
rules as a csv. Cells that would be read as something else than people see are faults: Excel errors,
formulas whose result was never stored, and merged cells, of which only the first holds the value.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dataops_nb.errors import Fault
from dataops_nb.sources.areas import list_areas
from dataops_nb.sources.cells import blank_zeros, is_zero, see_days, unescape
from dataops_nb.sources.evidence import cap_faults
from dataops_nb.sources.files import File
from dataops_nb.sources.intake import Intake, Sheet
from dataops_nb.sources.pages import (
    Frame,
    Page,
    Row,
    cell_at,
    choose_page,
    load_page,
    say_hidden,
)

LARGEST = 1 << 30  # bytes unpacked
SUSPECT = 100 << 20  # bytes unpacked above which the ratio of packing counts
RATIO = 200
HEAD = 1 << 16
BLOCK = 1 << 20
ROOT = re.compile(rb"<[A-Za-z]")
DAMAGE = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    OSError,
    SyntaxError,
    zlib.error,
)
FORMULA = re.compile(rb"<f[ />]")
UNCOMPUTED = re.compile(rb"""<calcPr\b[^>]*\bfullCalcOnLoad=["'](?:1|true)["'][^>]*""")
CALCULATOR = re.compile(rb"""\bcalcId=["']([0-9]+)["']""")
FIRST_CALCULATOR = b"124519"  # of Excel 2007, which openpyxl and XlsxWriter write
NOT_STORED = "the formula's result is not stored in the file; open it in Excel and save it"
NOT_COMPUTED = "the formula was never computed, and 0 stands for it; open it in Excel and save it"
MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3})([0-9]+):([A-Z]{1,3})([0-9]+)"')
SHARED = "xl/sharedStrings.xml"
UNDERSCORE = re.compile(rb"x005F_")
LONGEST = 256  # bytes that any of them may take at the end of a block


def read_workbook(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    """Load one sheet as texts into `table`; None where it cannot be read."""
    if rule := refuse_package(file.path):
        return None, [intake.fault(file, rule)]
    try:
        return _read_sheet(intake, file, table)
    except DAMAGE as error:
        rule = (
            f"the workbook is damaged ({type(error).__name__}); open it in Excel and save it again"
        )
        return None, [intake.fault(file, rule)]


def refuse_package(path: Path, part: str = "xl/workbook.xml") -> str:
    """Say why a file is not opened as a workbook; empty where it may be.

    Only its head and its table of contents are looked at; `part` must be in it.
    """
    with path.open("rb") as handle:
        head = handle.read(8)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        advice = "save it as .xlsx without a password, or name it .xls"
        return f"is encrypted or an old .xls workbook; {advice}"
    if not head.startswith(b"PK"):
        return "is no Excel workbook, though its name says so; if it is a csv, name it .csv"
    try:
        with zipfile.ZipFile(path) as package:
            return _refuse_parts(package, part)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error):
        return "is a truncated or damaged workbook; copy or export it again"


def _refuse_parts(package: zipfile.ZipFile, part: str) -> str:
    entries = package.infolist()
    size = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if size > LARGEST or (size > SUSPECT and size / packed > RATIO):
        sizes = f"unpacks to {size / (1 << 20):,.0f} MB from {packed / (1 << 20):,.1f} MB"
        return f"{sizes}, which no honest workbook does; it is not opened"
    if part not in [entry.filename for entry in entries]:
        if part == "xl/workbook.xml":
            return "is a zip file but no Excel workbook"
        return "is a zip file but no workbook of the kind that its name says"
    for entry in entries:
        is_xml = entry.filename.endswith((".xml", ".rels", ".vml"))
        if is_xml and _declares_entities(package, entry):
            entities = f"declares XML entities in {entry.filename}"
            return f"{entities}, which no honest workbook does; it is not opened"
    return ""


def _declares_entities(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether anything but a plain declaration and comments stands before the first element."""
    with package.open(entry) as handle:
        head = handle.read(HEAD)
    if b"\0" in head[:64]:  # UTF-16, in which the words below cannot be found
        return True
    root = ROOT.search(head)
    if root is None and head:
        return True
    before = head[: root.start()] if root else b""
    return b"<!DOCTYPE" in before or b"<!ENTITY" in before


def open_workbook(path: Path, *, values: bool = True) -> Any:
    """Open a workbook with its cells' values, or with their formulas."""
    # imported here: a tenth of every command's start, and few read workbooks
    from openpyxl import load_workbook  # noqa: PLC0415

    book = load_workbook(path, read_only=True, data_only=values)
    _keep_underscores(book, path)
    see_days(book)
    return book


def _keep_underscores(book: Any, path: Path) -> None:
    """Let the texts that sheets share stand as they are written in the file.

    openpyxl drops each `x005F_` from them (not from texts inside a sheet), and then the text
    `_x000D_`, which is written `_x005F_x000D_`, cannot be told from a line end.
    """
    from openpyxl.cell.text import Text  # noqa: PLC0415
    from openpyxl.xml.functions import iterparse  # noqa: PLC0415

    with zipfile.ZipFile(path) as package:
        if SHARED not in package.namelist():
            return
        with package.open(SHARED) as handle:
            if next(_search(handle, UNDERSCORE), None) is None:
                return
        with package.open(SHARED) as handle:
            texts = []
            for _, node in iterparse(handle):
                if node.tag.endswith("}si"):
                    texts.append(Text.from_tree(node).content)
                    node.clear()
    for sheet in book.worksheets:
        sheet._shared_strings = texts  # openpyxl has no public name for it


# --- one sheet -----------------------------------------------------------------------------------


def _read_sheet(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    book = open_workbook(file.path)
    try:
        states = {sheet.title: sheet.sheet_state for sheet in book.worksheets}
        declared = intake.source.sheet
        areas = list_areas(book, file.path) if declared and declared not in states else []
        sheet, area, rule = choose_page(states, areas, declared)
        if rule:
            return None, [intake.fault(file, rule)]
        numbered = number_sheet(book[sheet], blank_zeros(book))
        own_rows = area.cut(numbered) if area else numbered
        rows = []
        for number, row in own_rows:
            if any(cell is not None for cell in row):
                rows.append((number, row))
        inside = book[sheet]._worksheet_path  # openpyxl has no public name for it
    finally:
        book.close()
    page = Page(sheet, rows, say_hidden(states), area, inside.removeprefix("/"))

    def look(header: Sequence[str], frame: Frame) -> list[Fault]:
        faults = _find_uncached(intake, file, page, header, frame)
        return faults + _name_merged(intake, file, page, header, frame)

    return load_page(intake, file, table, page, look)


def number_sheet(
    sheet: Any, blanks: Set[int] = frozenset(), most: int | None = None
) -> Iterator[Row]:
    """Yield the first `most` rows of a sheet, or all, with texts as people see them.

    A cell in one of the styles `blanks` is empty where it is 0.
    """
    sheet.reset_dimensions()
    if not blanks:
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_row=most), start=1):
            yield number, tuple(map(_seen, row))
        return
    for number, row in enumerate(sheet.iter_rows(max_row=most), start=1):
        yield number, tuple(_seen(_value_unless_zero(cell, blanks)) for cell in row)


def _seen(cell: Any) -> Any:
    return unescape(cell) if isinstance(cell, str) else cell


def _value_unless_zero(cell: Any, blanks: Set[int]) -> Any:
    is_blank = is_zero(cell.value) and getattr(cell, "_style_id", None) in blanks
    return None if is_blank else cell.value


def _find_uncached(
    intake: Intake, file: File, page: Page, header: Sequence[str], frame: Frame
) -> list[Fault]:
    """List formulas whose result was never stored, or never computed.

    The workbook is read once more for that, with its formulas, but only where it holds any. A
    program that writes formulas without computing them stores 0, and asks for a full calculation.
    """
    if not _has_formulas(file.path):
        return []
    is_asked = _asks_for_results(file.path)
    missing: dict[str, list[Fault]] = {column: [] for column in header}
    zeros: dict[str, list[Fault]] = {column: [] for column in header}
    computed = 0
    for number, place, formula, value in _list_formulas(file, page, frame, len(header)):
        column = header[place]
        if value is None:
            missing[column].append(intake.fault(file, NOT_STORED, number, column, formula))
        elif is_zero(value):
            zeros[column].append(intake.fault(file, NOT_COMPUTED, number, column, formula))
        else:
            computed += 1
    # a newer Excel may ask as well; then some results are stored that nobody else has computed
    if not is_asked or (computed and not is_asked.is_unaware):
        zeros = {}
    faults = []
    for own_faults in [*missing.values(), *zeros.values()]:
        faults += cap_faults(own_faults)
    return faults


def _list_formulas(
    file: File, page: Page, frame: Frame, width: int
) -> Iterator[tuple[int, int, str, Any]]:
    """Yield row, column (0-based), formula and stored result of each formula among the rows."""
    values, formulas = open_workbook(file.path), open_workbook(file.path, values=False)
    try:
        value_rows = number_sheet(values[page.sheet])
        formula_rows = number_sheet(formulas[page.sheet])
        for (number, row), (_, formula_row) in zip(value_rows, formula_rows, strict=False):
            for place in range(width if frame.holds(number) else 0):
                formula = _formula(cell_at(formula_row, page.left + place))
                if formula:
                    yield number, place, formula, cell_at(row, page.left + place)
    finally:
        values.close()
        formulas.close()


def _formula(cell: Any) -> str:
    """Return the formula of a cell; empty where it holds a value."""
    written = getattr(cell, "text", cell)  # an array's formula stands in an object of its own
    return written if isinstance(written, str) and written.startswith("=") else ""


@dataclass(frozen=True)
class Request:
    """That a workbook wants all its formulas computed when it is opened.

    `is_unaware` is whether it names no newer Excel as the one that has computed it: programs that
    write workbooks name none, or the first with this format.
    """

    is_unaware: bool


def _asks_for_results(path: Path) -> Request | None:
    """Return the request of a workbook to be computed when it is opened; None where it has none."""
    with zipfile.ZipFile(path) as package, package.open("xl/workbook.xml") as handle:
        request = next(_search(handle, UNCOMPUTED), None)
    if request is None:
        return None
    computed_by = CALCULATOR.search(request[0])
    return Request(computed_by is None or computed_by[1] == FIRST_CALCULATOR)


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as package:
        for entry in package.infolist():
            if entry.filename.startswith("xl/worksheets/"):
                with package.open(entry) as handle:
                    first = next(_search(handle, FORMULA), None)
                if first is not None:
                    return True
    return False


def _name_merged(
    intake: Intake, file: File, page: Page, header: Sequence[str], frame: Frame
) -> list[Fault]:
    """List merged cells below the header: all but the first would read as empty."""
    faults = []
    if not frame.body:
        return []
    rows = frame.body[0][0], frame.body[-1][0]
    width = page.left + len(header)
    for row, column, area in find_merged(file.path, page.inside, width, *rows):
        if column >= page.left:
            faults.append(intake.fault(file, say_merged(area), row, header[column - page.left]))
    return cap_faults(faults)


def say_merged(area: str) -> str:
    """Say what is wrong with merged cells."""
    merged = f"cells {area} are merged, so all but the first would read as empty"
    return f"{merged}; unmerge them and fill each"


def find_merged(
    path: Path, sheet: str, width: int, first: int, last: int
) -> Iterator[tuple[int, int, str]]:
    """Yield row, column (0-based) and range of each merge that reaches into the rows that count.

    Those are the rows `first` to `last` and their first `width` columns; `sheet` is the worksheet's
    name within the workbook's package.
    """
    with zipfile.ZipFile(path) as package, package.open(sheet) as handle:
        for hit in _search(handle, MERGED):
            left, top, right, bottom = _number(hit[1]), int(hit[2]), _number(hit[3]), int(hit[4])
            if bottom >= first and top <= last and left < width:
                yield top, left, f"{letters_of(left)}{top}:{letters_of(right)}{bottom}"


def _search(handle: IO[bytes], pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    """Yield each match of a pattern in a file, read block by block.

    The end of a block is searched again with the next, so no match is cut in two.
    """
    kept = b""
    while block := handle.read(BLOCK):
        content, done = kept + block, 0
        for hit in pattern.finditer(content):
            yield hit
            done = hit.end()
        kept = content[max(done, len(content) - LONGEST) :]


def _number(letters: bytes) -> int:
    """Return the 0-based number of a column: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def letters_of(number: int) -> str:
    """Return the letters of a column by its 0-based number."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
