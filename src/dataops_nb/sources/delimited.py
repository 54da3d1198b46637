"""csv and tsv files: decoded, checked row by row for their structure, and read as texts only.

DuckDB reads what is well formed; where it refuses, the csv module reads the file again and says which lines are wrong.
"""

from __future__ import annotations

import csv
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

from dataops_nb.errors import Fault
from dataops_nb.sources.encodings import WrongBytes, check_utf8, decode_text
from dataops_nb.sources.evidence import cap_faults
from dataops_nb.sources.files import File
from dataops_nb.sources.signatures import recognise
from dataops_nb.sources.sql import quote, text, texts
from dataops_nb.sources.tables import Intake, Sheet, load_texts

NUMBER = re.compile(r"[+-]?\d[\d.,]*")
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


@dataclass(frozen=True)
class Dialect:
    """How one file's rows and fields are told apart, and which of its texts mean missing."""

    delimiter: str
    missing: frozenset[str]


@dataclass
class Scanned:
    """A file as the csv module sees it: its good rows with their lines, and what is wrong with the others."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)


def read_delimited(intake: Intake, file: File, table: str) -> tuple[Sheet | None, list[Fault]]:
    """Load one file as texts into `table`; None where its columns cannot be told."""
    source = intake.source
    dialect = Dialect(source.delimiter or ("\t" if file.suffix == ".tsv" else ","), frozenset({"", *source.na}))
    if len(dialect.delimiter) > 1:
        return None, [intake.fault(file, f"`delimiter: {dialect.delimiter!r}` must be one character")]
    if rule := recognise(file.path):
        return None, [intake.fault(file, rule, 1)]
    try:
        with as_utf8(file.path, source.encoding, intake.scratch) as path:
            return _read_utf8(intake, file, table, path, dialect)
    except WrongBytes as error:
        column = "" if error.at is None else _column_at(file.path, error.at, dialect)
        return None, [intake.fault(file, error.rule, error.line, column, error.shown)]


def _column_at(path: Path, at: int, dialect: Dialect) -> str:
    """The header's name of the field that a byte stands in, or nothing where that cannot be told."""
    with path.open("rb") as raw:
        before = raw.read(at).decode("latin-1")
    rows = list(csv.reader(before.splitlines(keepends=True), delimiter=dialect.delimiter))
    if len(rows) < 2 or "\0" in before:
        return ""
    field = 0 if before.endswith(("\n", "\r")) else len(rows[-1]) - 1
    return rows[0][field].removeprefix("\xef\xbb\xbf") if 0 <= field < len(rows[0]) else ""


@contextmanager
def as_utf8(path: Path, encoding: str | None, scratch: Path) -> Iterator[Path]:
    """The file itself where it is UTF-8, else a private copy that is, gone afterwards."""
    if encoding is None or encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig"):
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
    intake: Intake, file: File, table: str, path: Path, dialect: Dialect
) -> tuple[Sheet | None, list[Fault]]:
    header, wrong = _read_header(path, dialect, intake.used)
    if wrong:
        return None, [intake.fault(file, rule, 1, column) for column, rule in wrong]
    columns = dict.fromkeys(header, "VARCHAR")
    if not _ends_in_extra(path, len(header), dialect) and _load_well_formed(intake, table, path, header, dialect):
        encoding = intake.source.encoding or "utf-8-sig"
        find_lines = partial(find_record_lines, file.path, len(header), dialect, encoding)
        return Sheet(columns, intake.count(table), find_lines), []
    scanned = scan_rows(path, len(header), dialect)
    cells = list(zip(*scanned.rows, strict=True)) if scanned.rows else [() for _ in header]
    load_texts(intake.con, table, header, [[None if v in dialect.missing else v for v in c] for c in cells])
    return Sheet(columns, len(scanned.rows), partial(list, scanned.lines)), _name_rows(intake, file, scanned)


def _read_header(path: Path, dialect: Dialect, used: frozenset[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The header's names, and what is wrong with them: pairs of column and rule. A repeated name that is used is wrong.

    One that nothing uses gets a number: the second `Note` is `Note (2)`.
    """
    with path.open(encoding="utf-8-sig", newline="") as handle:
        header = next(csv.reader(handle, delimiter=dialect.delimiter), [])
    if not any(h.strip() for h in header):
        return [], [("", "the header is empty: the first line must name the columns")]
    wrong = [("", f"column {i + 1} has no name in the header") for i, h in enumerate(header) if not h.strip()]
    seen: dict[str, int] = {}
    for i, column in enumerate(header):
        before = seen.setdefault(column.casefold(), i)
        if column.strip() and before != i and column.casefold() in used:
            wrong.append(
                (column, f"stands twice in the header, as columns {before + 1} and {i + 1}; rename one of them")
            )
    if all(_is_number(h) for h in header):
        return header, [("", "the header holds numbers only; the first line must name the columns")]
    if len(header) == 1 and header[0].startswith("sep="):
        return header, [
            ("", f"the first line is meant for Excel; delete it and declare `delimiter: {header[0][4:]!r}`")
        ]
    if len(header) == 1:
        other = next((d for d in (";", "\t", "|", ",") if d != dialect.delimiter and d in header[0]), None)
        if other:
            return header, [
                (header[0], f"the header has one column; declare `delimiter: {other!r}` if that separates them")
            ]
    return _numbered(header), wrong


def _is_number(name: str) -> bool:
    return NUMBER.fullmatch(name.strip()) is not None


def _numbered(header: list[str]) -> list[str]:
    named: list[str] = []
    for column in header:
        place, unique = 1, column
        while unique.casefold() in (name.casefold() for name in named):
            place += 1
            unique = f"{column} ({place})"
        named.append(unique)
    return named


def _load_well_formed(intake: Intake, table: str, path: Path, header: list[str], dialect: Dialect) -> bool:
    """Load the file with DuckDB; False where it finds the file malformed."""
    columns = ", ".join(f"{text(c)}: 'VARCHAR'" for c in header)
    blank = f" where {quote(header[0])} is not null" if len(header) == 1 else ""
    options = f"""auto_detect=false, header=true, delim={text(dialect.delimiter)}, quote='"', escape='"',
        columns={{{columns}}}, nullstr=[{texts(sorted(dialect.missing))}]"""
    rows = f"select * from read_csv({text(str(path))}, {options}){blank}"
    try:
        intake.con.execute(f"create or replace table {quote(table)} as {rows}")
    except duckdb.Error:
        return False
    return True


def _ends_in_extra(path: Path, width: int, dialect: Dialect) -> bool:
    """Whether a row ends in an extra empty field, which DuckDB forgives; looked for only where lines end in a delimiter."""
    ends = tuple(dialect.delimiter.encode() + newline for newline in (b"\n", b"\r"))
    with path.open("rb") as raw:
        blocks = iter(lambda: raw.read(1 << 20), b"")
        if not any(end in block for block in blocks for end in ends):
            return False
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return any(len(row) > width for row in csv.reader(handle, delimiter=dialect.delimiter))


def scan_rows(path: Path, width: int, dialect: Dialect) -> Scanned:
    """Read a file with the csv module: rows of the header's width, and the lines of all others with their rule."""
    scanned = Scanned()
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, delimiter=dialect.delimiter, strict=True)
        next(reader, None)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return scanned
            except csv.Error as error:
                scanned.wrong.append((line, _say_error(error, reader.line_num), "quote"))
                continue
            if len(row) == width:
                if width > 1 or row[0] not in dialect.missing:
                    scanned.rows.append(row)
                    scanned.lines.append(line)
            elif row:
                kind = "extra" if len(row) > width else "short"
                fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
                scanned.wrong.append((line, f"the row has {fields}, the header has {width}", kind))


def _say_error(error: csv.Error, last: int) -> str:
    if "unexpected end" in str(error):
        return f'a quote (") opens in this row and is never closed: everything to line {last} would be one value'
    return 'a quote (") is closed before the value ends; a quote within a value is written twice'


def _name_rows(intake: Intake, file: File, scanned: Scanned) -> list[Fault]:
    """The malformed rows as faults, capped for each kind, in the order of the file."""
    faults: list[Fault] = []
    for kind in dict.fromkeys(kind for _, _, kind in scanned.wrong):
        faults += cap_faults([intake.fault(file, rule, line) for line, rule, k in scanned.wrong if k == kind])
    return sorted(faults, key=lambda f: (f.row is None, f.row or 0))


def find_record_lines(path: Path, width: int, dialect: Dialect, encoding: str) -> list[int]:
    """The physical line at which each record of a well-formed file starts; blank lines are no records."""
    found: list[int] = []
    with path.open(encoding=encoding, newline="") as handle:
        reader = csv.reader(handle, delimiter=dialect.delimiter)
        next(reader, None)
        line = reader.line_num + 1
        for row in reader:
            if row and (width > 1 or row[0] not in dialect.missing):
                found.append(line)
            line = reader.line_num + 1
    return found
