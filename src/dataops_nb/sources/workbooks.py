"""Excel workbooks: refused before they are opened where they are no workbook or a bomb, then read cell by cell.

Cells become texts in one written form (2026-11-22, 12.5, true), so that they follow the same type rules as a csv.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dataops_nb.errors import Fault, did_you_mean
from dataops_nb.sources.evidence import cap_faults
from dataops_nb.sources.files import File
from dataops_nb.sources.merged import find_merged
from dataops_nb.sources.tables import Intake, Sheet, load_texts

LARGEST = 1 << 30
SUSPECT = 100 << 20
RATIO = 200
HEAD = 1 << 16
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
Row = tuple[int, tuple[Any, ...]]


def read_workbook(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    """Load one sheet as texts into `table`; None where it cannot be read."""
    if rule := refuse_package(file.path):
        return None, [intake.fault(file, rule)]
    try:
        return _read_sheet(intake, file, table)
    except DAMAGE as error:
        rule = f"the workbook is damaged ({type(error).__name__}); open it in Excel and save it again"
        return None, [intake.fault(file, rule)]


def refuse_package(path: Path) -> str:
    """Why a file is not opened as a workbook, from its head and its table of contents alone; empty where it may be."""
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
    size = sum(e.file_size for e in entries)
    packed = max(1, sum(e.compress_size for e in entries))
    if size > LARGEST or (size > SUSPECT and size / packed > RATIO):
        said = f"unpacks to {size / (1 << 20):,.0f} MB from {packed / (1 << 20):,.1f} MB"
        return f"{said}, which no honest workbook does; it is not opened"
    if not any(e.filename == "xl/workbook.xml" for e in entries):
        return "is a zip file but no Excel workbook"
    for entry in entries:
        if entry.filename.endswith((".xml", ".rels", ".vml")) and _declares_entities(package, entry):
            return f"declares XML entities in {entry.filename}, which no honest workbook does; it is not opened"
    return ""


def _declares_entities(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether anything but a plain declaration and comments stands before the first element."""
    with package.open(entry) as handle:
        head = handle.read(HEAD)
    root = ROOT.search(head)
    before = head[: root.start()] if root else head
    return b"<!DOCTYPE" in before or b"<!ENTITY" in before or (bool(head) and root is None) or b"\0" in head[:64]


def _open(path: Path, *, values: bool) -> Any:
    """The workbook with its cells' values, or with their formulas."""
    from openpyxl import load_workbook  # noqa: PLC0415  a tenth of every command's start, and few read workbooks

    return load_workbook(path, read_only=True, data_only=values)


def _read_sheet(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    book = _open(file.path, values=True)
    try:
        sheet, rule = choose_sheet(book, intake.source.sheet)
        if rule:
            return None, [intake.fault(file, rule)]
        rows = [row for row in _number_rows(book[sheet]) if any(cell is not None for cell in row[1])]
        inside, hidden = book[sheet]._worksheet_path, _list_hidden(book)  # where openpyxl keeps it; it says it nowhere
    finally:
        book.close()
    if not rows or rows[0][0] != 1:
        rule = f"row 1 of sheet {sheet!r} is empty; it must name the columns{hidden}"
        return None, [intake.fault(file, rule, 1)]
    header, wrong = _read_header(intake, file, rows)
    if wrong:
        return None, wrong
    body = rows[1:]
    faults = _find_uncached(intake, file, sheet, header) + _find_errors(intake, file, header, body)
    faults += _name_merged(intake, file, inside, header)
    missing = {"", *intake.source.na}
    columns = [[write_cell(_cell(row, i), missing) for _, row in body] for i in range(len(header))]
    load_texts(intake.con, table, header, columns)
    lines = [number for number, _ in body]
    return Sheet(dict.fromkeys(header, "VARCHAR"), len(body), partial(list, lines)), faults


def choose_sheet(book: Any, declared: str | None) -> tuple[str, str]:
    """The sheet's name, or why none can be chosen."""
    sheets = {s.title: s.sheet_state for s in book.worksheets}
    if declared is not None:
        return (
            (declared, "") if declared in sheets else ("", f"has no sheet {declared!r}{did_you_mean(declared, sheets)}")
        )
    visible = [title for title, state in sheets.items() if state == "visible"]
    if len(visible) == 1:
        return visible[0], ""
    if not visible:
        return "", "has no visible sheet; declare `sheet:` with the hidden one: " + ", ".join(map(repr, sheets))
    return "", "has several visible sheets; declare `sheet:` with one of " + ", ".join(map(repr, visible))


def _list_hidden(book: Any) -> str:
    hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
    return "; declare `sheet:` if a hidden one is meant: " + ", ".join(map(repr, hidden)) if hidden else ""


def _name_merged(intake: Intake, file: File, inside: str, header: list[str]) -> list[Fault]:
    """Merged cells below the header: all but the first would read as empty."""
    rule = "cells {} are merged, so all but the first would read as empty; unmerge them and fill each"
    found = find_merged(file.path, inside.removeprefix("/"), len(header))
    return cap_faults([intake.fault(file, rule.format(area), row, header[column]) for row, column, area in found])


def _number_rows(sheet: Any) -> Iterator[Row]:
    sheet.reset_dimensions()
    yield from enumerate(sheet.iter_rows(values_only=True), start=1)


def _read_header(intake: Intake, file: File, rows: list[Row]) -> tuple[list[str], list[Fault]]:
    """The names in row 1, without trailing empty ones; unnamed columns with values and repeated names are faults."""
    written = ["" if v is None else str(v) for v in rows[0][1]]
    while written and not written[-1].strip():
        written.pop()
    unnamed = [i + 1 for i, name in enumerate(written) if not name.strip()]
    faults = [intake.fault(file, f"column {i} has no name in the header", 1) for i in unnamed]
    for i, column in enumerate(written):
        if column.strip() and column.casefold() in [c.casefold() for c in written[:i]]:
            faults.append(intake.fault(file, "stands twice in the header; rename one of them", 1, column))
    width = len(written)
    rule = f"the row has a value in column {width + 1} or later, which has no name in the header"
    beyond = [number for number, row in rows[1:] if any(v is not None for v in row[width:])]
    return written, faults + cap_faults([intake.fault(file, rule, number) for number in beyond])


def _cell(row: tuple[Any, ...], i: int) -> Any:
    return row[i] if i < len(row) else None


def write_cell(value: Any, missing: set[str]) -> str | None:
    """A cell as text in its one written form; None where it is empty or means missing."""
    if isinstance(value, bool):
        written = "true" if value else "false"
    elif isinstance(value, dt.datetime):
        plain = value.replace(microsecond=0) if value.microsecond % 1000 else value
        written = plain.date().isoformat() if plain.time() == dt.time(0) else plain.isoformat(sep=" ")
    elif isinstance(value, float):
        written = str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    else:
        written = "" if value is None else str(value)
    return None if written in missing else written


def _find_errors(intake: Intake, file: File, header: list[str], body: list[Row]) -> list[Fault]:
    """Cells that hold an Excel error such as #DIV/0!."""
    faults: list[Fault] = []
    for i, column in enumerate(header):
        cells = [(number, _cell(row, i)) for number, row in body]
        found = [(number, v) for number, v in cells if isinstance(v, str) and v in ERRORS]
        faults += cap_faults([intake.fault(file, "the cell holds an Excel error", n, column, v) for n, v in found])
    return faults


def _find_uncached(intake: Intake, file: File, sheet: str, header: list[str]) -> list[Fault]:
    """Formulas whose result was never stored; a second look, taken only where the workbook holds formulas."""
    if not _has_formulas(file.path):
        return []
    values, formulas = _open(file.path, values=True), _open(file.path, values=False)
    rule = "the formula's result is not stored in the file; open it in Excel and save it"
    try:
        pairs = zip(_number_rows(values[sheet]), _number_rows(formulas[sheet]), strict=False)
        found = [
            intake.fault(file, rule, number, column, written)
            for (number, row), (_, source) in pairs
            for i, column in enumerate(header)
            if isinstance(written := _cell(source, i), str) and written.startswith("=") and _cell(row, i) is None
        ]
    finally:
        values.close()
        formulas.close()
    return [f for column in header for f in cap_faults([f for f in found if f.column == column])]


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as package:
        sheets = [e for e in package.infolist() if e.filename.startswith("xl/worksheets/")]
        return any(_contains(package, e, (b"<f>", b"<f ", b"<f/>")) for e in sheets)


def _contains(package: zipfile.ZipFile, entry: zipfile.ZipInfo, wanted: tuple[bytes, ...]) -> bool:
    kept = b""
    with package.open(entry) as handle:
        while block := handle.read(1 << 20):
            if any(w in kept + block for w in wanted):
                return True
            kept = block[-8:]
    return False
