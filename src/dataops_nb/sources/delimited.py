"""csv and tsv files: decoded, checked row by row for their structure, and read as texts only.

DuckDB reads what is well formed. Where it refuses, Python's csv module reads the file again, and
says which lines are wrong.
"""

from __future__ import annotations

import csv
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import duckdb
import numpy as np

from dataops_nb.errors import Fault
from dataops_nb.sources.archives import unpacked
from dataops_nb.sources.evidence import cap_faults, quote, text, texts
from dataops_nb.sources.files import (
    File,
    WrongBytes,
    as_literal,
    check_utf8,
    decode_text,
    recognise,
)
from dataops_nb.sources.intake import Intake, Sheet, load_texts
from dataops_nb.sources.layouts import (
    NAME_COLUMNS,
    Extract,
    cut_columns,
    extract_rows,
    layout_of,
    reads_like_a_row,
)

NUMBER = re.compile(r"[+-]?\d[\d.,]*")
DELIMITERS = (";", "\t", "|", ",")
UTF8 = ("utf-8", "utf8", "utf-8-sig")
NEWLINE, QUOTE = ord("\n"), ord('"')
BLOCK = 1 << 20

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


@dataclass(frozen=True)
class Dialect:
    """How one file's rows and fields are told apart, and which of its texts mean missing.

    `skip` are texts that mark lines that are no rows.
    """

    delimiter: str
    missing: frozenset[str]
    skip: tuple[str, ...] = ()

    def skips(self, row: Sequence[str]) -> bool:
        """Whether a narrow row is one that `skip:` marks as none."""
        for cell in row[:2]:
            for pattern in self.skip:
                beginning = pattern.removesuffix("*")
                is_same = cell.strip() == pattern
                if is_same or (beginning != pattern and cell.strip().startswith(beginning)):
                    return True
        return False

    def read_cell(self, cell: str) -> str | None:
        """Return the text of a cell, None where it means missing."""
        return None if cell in self.missing else cell

    def read(self, cells: Sequence[str]) -> list[str | None]:
        """Return the texts of cells, None where one means missing."""
        return [self.read_cell(cell) for cell in cells]


@dataclass
class Scanned:
    """A file as the csv module sees it: its good rows with their lines, and the wrong ones.

    `wrong` are line, rule and kind of each row that cannot be read, `widths` how many fields those
    of another number than the header have, with the first line of each number.
    """

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)
    widths: Counter[int] = field(default_factory=Counter)
    first_lines: dict[int, int] = field(default_factory=dict)


def read_delimited(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    """Load one file as texts into `table`; None where its columns cannot be told."""
    try:
        with unpacked(file.path, intake.scratch) as path:
            packed = file.path if path != file.path else None
            return _read_text(intake, replace(file, path=path, packed=packed), table)
    except WrongBytes as error:
        return None, [intake.fault(file, error.rule, error.line)]


def _read_text(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    source = intake.source
    layout = layout_of(source)
    delimiter = source.delimiter or ("\t" if file.suffix == ".tsv" else ",")
    if source.widths:
        delimiter = ","  # of the private copy
    if len(delimiter) > 1:
        rule = f"`delimiter: {delimiter!r}` must be one character"
        return None, [intake.fault(file, rule)]
    if rule := recognise(file.path):
        return None, [intake.fault(file, rule, 1)]
    dialect = Dialect(delimiter, frozenset({"", *source.na}), tuple(source.skip))
    try:
        with (
            as_utf8(file.path, source.encoding, intake.scratch) as decoded,
            cut_columns(decoded, source.widths or (), intake.scratch) as path,
            extract_rows(path, layout, delimiter, intake.scratch) as extract,
        ):
            if extract.rule:
                return None, [intake.fault(file, extract.rule, layout.header)]
            return _read_utf8(intake, file, table, extract, dialect)
    except WrongBytes as error:
        column = ""
        if error.at is not None and layout.is_usual:
            column = _column_at(file.path, error.at, dialect)
        return None, [intake.fault(file, error.rule, error.line, column, error.shown)]


def _column_at(path: Path, at: int, dialect: Dialect) -> str:
    """Return the column in which a byte stands; empty where that cannot be told."""
    with path.open("rb") as handle:
        before = handle.read(at).decode("latin-1")
    rows = list(csv.reader(before.splitlines(keepends=True), delimiter=dialect.delimiter))
    if len(rows) < 2 or "\0" in before:
        return ""
    header = rows[0]
    place = 0 if before.endswith(("\n", "\r")) else len(rows[-1]) - 1
    if not 0 <= place < len(header):
        return ""
    return header[place].removeprefix("\xef\xbb\xbf")  # a byte order mark, read as latin-1


@contextmanager
def as_utf8(path: Path, encoding: str | None, scratch: Path) -> Iterator[Path]:
    """Give the file itself where it is UTF-8, else a private copy that is, deleted afterwards."""
    if encoding is None or encoding.lower().replace("_", "-") in UTF8:
        check_utf8(path)
        yield path
        return
    decoded = decode_text(path, encoding)
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        copy = Path(folder) / f"decoded{path.suffix}"
        copy.write_text(decoded, encoding="utf-8", newline="")
        yield copy


def _read_utf8(
    intake: Intake, file: File, table: str, extract: Extract, dialect: Dialect
) -> tuple[Sheet | None, list[Fault]]:
    path, is_sure = extract.path, intake.source.header is not None
    first, header, wrong = _read_header(path, dialect, intake.used)
    line = 1 + extract.shift
    if wrong:
        return None, [intake.fault(file, rule, line, column) for column, rule in wrong]
    columns = dict.fromkeys(header, "VARCHAR")
    width = len(header)
    has_extra = _ends_in_extra(path, width, dialect)
    faults: list[Fault] = []
    if not has_extra and _load_well_formed(intake, table, path, header, dialect):
        encoding = intake.source.encoding or "utf-8-sig"
        own = partial(find_record_lines, width=width, dialect=dialect, encoding=encoding)
        find_lines = partial(_find_lines, file, intake.scratch, partial(own, extract=extract))
        sheet = Sheet(columns, intake.count(table), find_lines)
    else:
        scanned = scan_rows(path, width, dialect, extract.shift)
        cells: list[list[str | None]] = [[] for _ in header]
        for row in scanned.rows:
            for column_cells, cell in zip(cells, row, strict=True):
                column_cells.append(dialect.read_cell(cell))
        load_texts(intake.con, table, header, cells)
        sheet = Sheet(columns, len(scanned.rows), partial(list, scanned.lines))
        rule = "" if is_sure or width > 1 else _suggest_header(scanned)
        if rule:
            return None, [intake.fault(file, rule, line)]
        faults = _name_rows(intake, file, scanned)
    rule = "" if is_sure else _refuse_row(intake, table, dialect, header, extract.replaced or first)
    if rule:
        return None, [intake.fault(file, rule, 1)]
    return sheet, faults


def _suggest_header(scanned: Scanned) -> str:
    """Say which line may be the header where the first holds one cell, and most others more."""
    for width, count in scanned.widths.most_common(1):
        if count > len(scanned.rows) + scanned.widths.total() - count:
            line = scanned.first_lines[width]
            held = f"the first line has one cell, and most others have {width}"
            return f"{held}; declare `header: {line}` if line {line} names the columns"
    return ""


def _refuse_row(
    intake: Intake, table: str, dialect: Dialect, columns: list[str], first: Sequence[str]
) -> str:
    """Say that a first line is no header: it reads like a row; empty where it does not."""
    is_empty = intake.count(table) == 0
    cells = dialect.read(first)
    if not is_empty and not reads_like_a_row(intake, table, columns, cells):
        return ""
    if all(_is_number(cell) for cell in first):
        return f"the header holds numbers only; {NAME_COLUMNS}"
    return "" if is_empty else f"the first line reads like the rows below it; {NAME_COLUMNS}"


def _read_header(
    path: Path, dialect: Dialect, used: frozenset[str]
) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Return the header's cells and names, and what is wrong as pairs of column and rule.

    A name that stands twice is wrong where it is used; elsewhere it gets a number, so the second
    `Note` is `Note (2)`.
    """
    with path.open(encoding="utf-8-sig", newline="") as handle:
        header = next(csv.reader(handle, delimiter=dialect.delimiter), [])
    if not any(name.strip() for name in header):
        return [], [], [("", "the header is empty: the first line must name the columns")]
    misread = _misread_header(header, dialect)
    if misread:
        return header, header, [misread]
    wrong = [*_unnamed_columns(header), *_repeated_columns(header, used)]
    return header, _number_repeats(header), wrong


def _misread_header(header: list[str], dialect: Dialect) -> tuple[str, str] | None:
    """Return column and rule where the first line is no header, or cut at the wrong sign."""
    if len(header) > 1:
        return None
    name = header[0]
    if name.startswith("sep="):
        delimiter = f"`delimiter: {name[4:]!r}`"
        return "", f"the first line is meant for Excel; delete it and declare {delimiter}"
    for delimiter in DELIMITERS:
        if delimiter != dialect.delimiter and delimiter in name:
            advice = f"declare `delimiter: {delimiter!r}` if that separates them"
            return name, f"the header has one column; {advice}"
    return None


def _unnamed_columns(header: list[str]) -> list[tuple[str, str]]:
    unnamed = [place for place, name in enumerate(header, 1) if not name.strip()]
    return [("", f"column {place} has no name in the header") for place in unnamed]


def _repeated_columns(header: list[str], used: frozenset[str]) -> list[tuple[str, str]]:
    """Return the used columns whose name, capitals aside, stands in the header before."""
    repeated = []
    first_places: dict[str, int] = {}
    for place, name in enumerate(header, 1):
        folded = name.casefold()
        first = first_places.setdefault(folded, place)
        if first != place and name.strip() and folded in used:
            places = f"columns {first} and {place}"
            rule = f"appears twice in the header, as {places}; rename one of them"
            repeated.append((name, rule))
    return repeated


def _is_number(name: str) -> bool:
    return NUMBER.fullmatch(name.strip()) is not None


def _number_repeats(header: list[str]) -> list[str]:
    """Give a number to each name that stands in the header before, capitals aside."""
    names: list[str] = []
    taken: set[str] = set()
    for column in header:
        number, name = 1, column
        while name.casefold() in taken:
            number += 1
            name = f"{column} ({number})"
        names.append(name)
        taken.add(name.casefold())
    return names


def _load_well_formed(
    intake: Intake, table: str, path: Path, header: list[str], dialect: Dialect
) -> bool:
    """Load the file with DuckDB; False where it finds the file malformed."""
    columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name in header)
    options = f"""
        auto_detect=false, header=true, delim={text(dialect.delimiter)}, quote='"', escape='"',
        columns={{{columns}}}, nullstr=[{texts(sorted(dialect.missing))}]"""
    rows = f"select * from read_csv({text(as_literal(path))}, {options})"
    if len(header) == 1:  # a blank line is then no row
        rows += f" where {quote(header[0])} is not null"
    try:
        intake.con.execute(f"create or replace table {quote(table)} as {rows}")
    except duckdb.Error:
        return False
    return True


def _ends_in_extra(path: Path, width: int, dialect: Dialect) -> bool:
    """Whether a row ends in an extra empty field, quoted or not, which DuckDB forgives.

    The rows are only read for that where some line ends in an empty field.
    """
    if not _holds_empty_end(path, dialect.delimiter.encode()):
        return False
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return any(len(row) > width for row in csv.reader(handle, delimiter=dialect.delimiter))


def _holds_empty_end(path: Path, delimiter: bytes) -> bool:
    """Whether some line of a file ends in a delimiter, or in two quotes."""
    content = kept = b"\n\n"  # an empty field may end one block, and its newline begin the next
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            content = kept + block
            if b"\r" in content:
                content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            # A search for two bytes stops at each delimiter, of which there are many more.
            signs = np.frombuffer(content, np.uint8)
            ends = np.flatnonzero(signs[2:] == NEWLINE) + 2
            last, before = signs[ends - 1], signs[ends - 2]
            if bool(((last == delimiter[-1]) | ((last == QUOTE) & (before == QUOTE))).any()):
                return True
            kept = content[-2:]
    return content.endswith((delimiter, b'""'))


def scan_rows(path: Path, width: int, dialect: Dialect, shift: int = 0) -> Scanned:
    """Read a file with the csv module: its rows of the header's width, and what else there is.

    `shift` is added to the number of each line.
    """
    scanned = Scanned()
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, delimiter=dialect.delimiter, strict=True)
        try:
            next(reader, None)
        except csv.Error as error:
            scanned.wrong.append((1 + shift, _say_error(error, reader.line_num + shift), "quote"))
        while True:
            line = reader.line_num + 1 + shift
            try:
                row = next(reader)
            except StopIteration:
                return scanned
            except csv.Error as error:
                scanned.wrong.append((line, _say_error(error, reader.line_num + shift), "quote"))
                continue
            if len(row) == width:
                if width > 1 or row[0] not in dialect.missing:
                    scanned.rows.append(row)
                    scanned.lines.append(line)
            elif row and not dialect.skips(row):
                kind = "extra" if len(row) > width else "short"
                scanned.widths[len(row)] += 1
                scanned.first_lines.setdefault(len(row), line)
                fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
                scanned.wrong.append((line, f"the row has {fields}, the header has {width}", kind))


def _say_error(error: csv.Error, last: int) -> str:
    if "unexpected end" in str(error):
        opened = 'a quote (") opens in this row and is never closed'
        return f"{opened}: everything to line {last} would be one value"
    return 'a quote (") is closed before the value ends; a quote within a value is written twice'


def _name_rows(intake: Intake, file: File, scanned: Scanned) -> list[Fault]:
    """Return the malformed rows as faults, capped for each kind, in the order of the file."""
    faults_by_kind: dict[str, list[Fault]] = {}
    last = scanned.lines[-1] if scanned.lines else 0
    below = sum(1 for line, _, kind in scanned.wrong if line > last and kind == "short")
    for line, rule, kind in scanned.wrong:
        is_below = scanned.lines and line > last and kind == "short"
        footer = intake.source.footer + below
        hint = f"; declare `footer: {footer}` if the last lines are no rows" if is_below else ""
        fault = intake.fault(file, rule + hint, line)
        faults_by_kind.setdefault(kind, []).append(fault)
    faults = []
    for same_kind in faults_by_kind.values():
        faults += cap_faults(same_kind)
    return sorted(faults, key=lambda fault: (fault.row is None, fault.row or 0))


def _find_lines(file: File, scratch: Path, find: Callable[[Path], list[int]]) -> list[int]:
    """List the line of each record of a file, which is unpacked again where it is packed."""
    with unpacked(file.packed or file.path, scratch) as path:
        return find(path)


def find_record_lines(
    path: Path, width: int, dialect: Dialect, encoding: str, extract: Extract
) -> list[int]:
    """List the physical line at which each record of a well-formed file starts.

    Blank lines are no records. `extract` tells where its rows begin; what stands below them is
    listed as well.
    """
    lines: list[int] = []
    with path.open(encoding=encoding, newline="") as handle:
        for _ in range(extract.skipped):
            handle.readline()
        reader = csv.reader(handle, delimiter=dialect.delimiter)
        if extract.has_header:
            next(reader, None)
        line = reader.line_num + 1
        for row in reader:
            if row and (width > 1 or row[0] not in dialect.missing):
                lines.append(line + extract.skipped)
            line = reader.line_num + 1
    return lines
