"""Excel workbooks: refused before they are opened where they are none or a bomb, then read by cell.

Cells become texts in one written form (2026-11-22, 12.5, true), so that they follow the same type
rules as a csv. Cells that would be read as something else than people see are faults: Excel errors,
formulas whose result was never stored, and merged cells, of which only the first holds the value.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from dataops_nb.errors import Fault, did_you_mean
from dataops_nb.sources.cells import blank_zeros, is_zero, see_days, unescape, write_cell
from dataops_nb.sources.evidence import cap_faults
from dataops_nb.sources.files import File
from dataops_nb.sources.intake import Intake, Sheet, load_texts
from dataops_nb.sources.layouts import NAME_COLUMNS, Layout, layout_of, reads_like_a_row

LARGEST = 1 << 30  # bytes unpacked
SUSPECT = 100 << 20  # bytes unpacked above which the ratio of packing counts
RATIO = 200
HEAD = 1 << 16
BLOCK = 1 << 20
ROOT = re.compile(rb"<[A-Za-z]")
ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!"}
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
LONGEST = 256  # bytes that any of them may take at the end of a block

Row = tuple[int, tuple[Any, ...]]


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


def refuse_package(path: Path) -> str:
    """Say why a file is not opened as a workbook; empty where it may be.

    Only its head and its table of contents are looked at.
    """
    with path.open("rb") as handle:
        head = handle.read(8)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "is encrypted or an old .xls workbook; save it as .xlsx without a password"
    if not head.startswith(b"PK"):
        return "is no Excel workbook, though its name says so; if it is a csv, name it .csv"
    try:
        with zipfile.ZipFile(path) as package:
            return _refuse_parts(package)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error):
        return "is a truncated or damaged workbook; copy or export it again"


def _refuse_parts(package: zipfile.ZipFile) -> str:
    entries = package.infolist()
    size = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if size > LARGEST or (size > SUSPECT and size / packed > RATIO):
        sizes = f"unpacks to {size / (1 << 20):,.0f} MB from {packed / (1 << 20):,.1f} MB"
        return f"{sizes}, which no honest workbook does; it is not opened"
    if "xl/workbook.xml" not in [entry.filename for entry in entries]:
        return "is a zip file but no Excel workbook"
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


def _open(path: Path, *, values: bool) -> Any:
    """Open a workbook with its cells' values, or with their formulas."""
    # imported here: a tenth of every command's start, and few read workbooks
    from openpyxl import load_workbook  # noqa: PLC0415

    book = load_workbook(path, read_only=True, data_only=values)
    see_days(book)
    return book


# --- one sheet -----------------------------------------------------------------------------------


def _read_sheet(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    book = _open(file.path, values=True)
    try:
        sheet, rule = choose_sheet(book, intake.source.sheet)
        if rule:
            return None, [intake.fault(file, rule)]
        rows = []
        for number, row in _number_rows(book[sheet], blank_zeros(book)):
            if any(cell is not None for cell in row):
                rows.append((number, row))
        inside = book[sheet]._worksheet_path  # openpyxl has no public name for it
        hidden = _list_hidden(book)
    finally:
        book.close()
    layout = layout_of(intake.source)
    frame, rule = _frame_rows(layout, rows, sheet)
    if frame is None:
        return None, [intake.fault(file, rule + hidden, layout.first)]
    header, wrong = _read_header(intake, file, frame)
    if wrong:
        return None, wrong
    body = frame.body
    faults = _find_uncached(intake, file, sheet, header, frame)
    faults += _find_errors(intake, file, header, body)
    faults += _name_merged(intake, file, inside, header, frame)
    missing = {"", *intake.source.na}
    columns = []
    for place in range(len(header)):
        columns.append([write_cell(_cell(row, place), missing) for _, row in body])
        durations = sum(isinstance(_cell(row, place), dt.timedelta) for _, row in body)
        if durations:
            intake.note(f"durations in column {header[place]!r} are read as hours", durations)
    load_texts(intake.con, table, header, columns)
    if not layout.declared and frame.header:
        first = [write_cell(_cell(frame.header, place), missing) for place in range(len(header))]
        if reads_like_a_row(intake, table, header, first):
            rule = f"row 1 of sheet {sheet!r} reads like the rows below it; {NAME_COLUMNS}"
            return None, [intake.fault(file, rule, 1)]
    lines = [number for number, _ in body]
    return Sheet(dict.fromkeys(header, "VARCHAR"), len(body), partial(list, lines)), faults


@dataclass(frozen=True)
class Frame:
    """The rows of a sheet that count: the cells of its header, if it has one, and those below.

    `columns` are the names to use; None where they stand in the header.
    """

    header: tuple[Any, ...] | None
    body: list[Row]
    columns: list[str] | None = None

    def holds(self, number: int) -> bool:
        """Whether a row of the sheet lies between the first and the last that counts."""
        return bool(self.body) and self.body[0][0] <= number <= self.body[-1][0]


def _frame_rows(layout: Layout, rows: list[Row], sheet: str) -> tuple[Frame | None, str]:
    """Return the rows that count; None where the sheet is not laid out as declared, and why.

    `rows` are those that are not empty.
    """
    below = [row for row in rows if row[0] >= layout.first]
    header = None
    if layout.header is not None:
        if not below or below[0][0] != layout.header:
            return None, f"row {layout.first} of sheet {sheet!r} is empty; it must name the columns"
        header = below.pop(0)[1]
    if len(below) < layout.footer:
        return None, layout.say_short(len(rows))
    body = below[: len(below) - layout.footer]
    if layout.keeps_header:
        return Frame(header, body), ""
    width = _width([header] if header else [row for _, row in body])
    columns, rule = layout.name_columns(width)
    return (None, rule) if rule else (Frame(header, body, columns), "")


def _width(rows: Iterable[tuple[Any, ...]]) -> int:
    """Return the number of columns up to the last that has a value."""
    width = 0
    for row in rows:
        filled = [place for place, cell in enumerate(row, 1) if cell is not None]
        width = max(width, *filled[-1:], 0)
    return width


def choose_sheet(book: Any, declared: str | None) -> tuple[str, str]:
    """Return the name of the sheet to read, or an empty one and why none can be chosen."""
    state_by_sheet = {sheet.title: sheet.sheet_state for sheet in book.worksheets}
    if declared is not None:
        if declared in state_by_sheet:
            return declared, ""
        near = did_you_mean(declared, state_by_sheet) or f"; it has {_list(state_by_sheet)}"
        return "", f"has no sheet {declared!r}{near if state_by_sheet else ', and no other'}"
    if not state_by_sheet:
        return "", "has no sheet with cells, only charts or macros"
    visible = [title for title, state in state_by_sheet.items() if state == "visible"]
    if len(visible) == 1:
        return visible[0], ""
    if not visible:
        advice = "declare `sheet:` with the hidden one"
        return "", f"has no visible sheet; {advice}: {_list(state_by_sheet)}"
    return "", f"has several visible sheets; declare `sheet:` with one of {_list(visible)}"


def _list(titles: Iterable[str]) -> str:
    return ", ".join(repr(title) for title in titles)


def _list_hidden(book: Any) -> str:
    hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
    return f"; declare `sheet:` if a hidden one is meant: {_list(hidden)}" if hidden else ""


def _number_rows(sheet: Any, blanks: Set[int] = frozenset()) -> Iterator[Row]:
    """Yield the rows of a sheet; a cell in one of the styles `blanks` is empty where it is 0."""
    sheet.reset_dimensions()
    if not blanks:
        yield from enumerate(sheet.iter_rows(values_only=True), start=1)
        return
    for number, row in enumerate(sheet.iter_rows(), start=1):
        yield number, tuple(_value_unless_zero(cell, blanks) for cell in row)


def _value_unless_zero(cell: Any, blanks: Set[int]) -> Any:
    is_blank = is_zero(cell.value) and getattr(cell, "_style_id", None) in blanks
    return None if is_blank else cell.value


def _read_header(intake: Intake, file: File, frame: Frame) -> tuple[list[str], list[Fault]]:
    """Return the names of the columns, without trailing empty ones, and list their faults.

    Unnamed columns with values and repeated names are faults.
    """
    header = frame.columns
    faults = []
    if header is None:
        header = [_name(cell) for cell in frame.header or ()]
        while header and not header[-1].strip():
            header.pop()
        faults = _name_odd_headers(intake, file, header)
    width = len(header)
    rule = f"the row has a value in column {width + 1} or later, which has no name in the header"
    beyond = []
    for number, row in frame.body:
        if any(cell is not None for cell in row[width:]):
            beyond.append(intake.fault(file, rule, number))
    return header, faults + cap_faults(beyond)


def _name(cell: Any) -> str:
    return "" if cell is None else unescape(str(cell))


def _name_odd_headers(intake: Intake, file: File, header: list[str]) -> list[Fault]:
    """List the columns without a name, and the names that stand twice."""
    line = layout_of(intake.source).header
    faults = []
    for place, name in enumerate(header, 1):
        if not name.strip():
            faults.append(intake.fault(file, f"column {place} has no name in the header", line))
    before: set[str] = set()
    for name in header:
        if name.strip() and name.casefold() in before:
            rule = "stands twice in the header; rename one of them"
            faults.append(intake.fault(file, rule, line, name))
        before.add(name.casefold())
    return faults


def _cell(row: tuple[Any, ...], place: int) -> Any:
    return row[place] if place < len(row) else None


def _find_errors(intake: Intake, file: File, header: list[str], body: list[Row]) -> list[Fault]:
    """List the cells that hold an Excel error such as #DIV/0!."""
    faults: list[Fault] = []
    rule = "the cell holds an Excel error"
    for place, column in enumerate(header):
        own = []
        for number, row in body:
            cell = _cell(row, place)
            if isinstance(cell, str) and cell in ERRORS:
                own.append(intake.fault(file, rule, number, column, cell))
        faults += cap_faults(own)
    return faults


def _find_uncached(
    intake: Intake, file: File, sheet: str, header: list[str], frame: Frame
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
    for number, place, formula, value in _list_formulas(file, sheet, frame, len(header)):
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
    file: File, sheet: str, frame: Frame, width: int
) -> Iterator[tuple[int, int, str, Any]]:
    """Yield row, column (0-based), formula and stored result of each formula among the rows."""
    values, formulas = _open(file.path, values=True), _open(file.path, values=False)
    try:
        value_rows = _number_rows(values[sheet])
        formula_rows = _number_rows(formulas[sheet])
        for (number, row), (_, formula_row) in zip(value_rows, formula_rows, strict=False):
            for place in range(width if frame.holds(number) else 0):
                formula = _formula(_cell(formula_row, place))
                if formula:
                    yield number, place, formula, _cell(row, place)
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
    intake: Intake, file: File, inside: str, header: list[str], frame: Frame
) -> list[Fault]:
    """List merged cells below the header: all but the first would read as empty."""
    faults = []
    if not frame.body:
        return []
    rows = frame.body[0][0], frame.body[-1][0]
    for row, column, area in find_merged(file.path, inside.removeprefix("/"), len(header), *rows):
        merged = f"cells {area} are merged, so all but the first would read as empty"
        rule = f"{merged}; unmerge them and fill each"
        faults.append(intake.fault(file, rule, row, header[column]))
    return cap_faults(faults)


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
                yield top, left, f"{_letters(left)}{top}:{_letters(right)}{bottom}"


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


def _letters(number: int) -> str:
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
