"""The files of one source as one table of raw values: the same columns in every file, each row traceable to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from dataops_nb.definitions.models import Source
from dataops_nb.errors import Fault, did_you_mean
from dataops_nb.sources.evidence import ROW, Infer, Part, Raw
from dataops_nb.sources.files import File
from dataops_nb.sources.sql import find_column, first_row, names, quote


@dataclass(frozen=True)
class Intake:
    """One source on its way in: the DuckDB it is read into, its name and definition, a private folder, what is asked of it."""

    con: duckdb.DuckDBPyConnection
    name: str
    source: Source
    scratch: Path
    used: frozenset[str] = frozenset()

    def fault(self, file: File, rule: str, row: int | None = None, column: str = "", value: str | None = None) -> Fault:
        """A fault of this source in one of its files."""
        return Fault(self.name, rule, file.shown, row, column, value)

    def count(self, table: str) -> int:
        """The rows of a table."""
        found = first_row(self.con, f"select count(*) from {quote(table)}")
        return int(found[0]) if found else 0


@dataclass(frozen=True)
class Sheet:
    """One file as a table: its columns with their types, its rows, and how to find their lines in the file."""

    columns: dict[str, str]
    count: int
    lines: Callable[[], Sequence[int]] | None = None


Read = Callable[[File, str], tuple[Sheet | None, list[Fault]]]


def stack_files(intake: Intake, files: Sequence[File], read: Read, infer: Infer) -> tuple[Raw | None, list[Fault]]:
    """Load every file of a source into one table, under each other; one whose columns differ is a fault, left out."""
    con, name, table = intake.con, intake.name, f"__raw_{intake.name}"
    faults: list[Fault] = []
    parts: list[Part] = []
    columns: dict[str, str] | None = None
    for file in files:
        into = table if columns is None else f"__part_{name}"
        sheet, wrong = read(file, into)
        faults += wrong
        if sheet is None:
            continue
        if columns is None:
            columns = sheet.columns
        elif differ := compare_columns(list(columns), list(sheet.columns), parts[0].file):
            faults.append(intake.fault(file, differ, 1))
            continue
        else:
            same = [find_column(c, sheet.columns) or c for c in columns]
            con.execute(f"insert into {quote(table)} select {names(same)} from {quote(into)}")
        start = parts[-1].start + parts[-1].count if parts else 0
        parts.append(Part(file.shown, file.path, start, sheet.count, sheet.lines))
    con.execute(f"drop table if exists {quote(f'__part_{name}')}")
    if columns is None:
        return None, faults
    kinds = dict.fromkeys((c for c, t in columns.items() if t == "VARCHAR"), infer)
    return describe_table(table, columns, parts, kinds), faults


def describe_table(table: str, columns: dict[str, str], parts: list[Part], infer: dict[str, Infer]) -> Raw:
    """A loaded table as a raw relation; its rows keep the order in which they were loaded."""
    chosen = names(columns)
    relation = f"select {chosen}, rowid as {ROW} from {quote(table)}"
    rows = sum(p.count for p in parts)
    return Raw(relation, f"select {chosen} from {quote(table)}", columns, parts, infer, rows)


def compare_columns(expected: Sequence[str], found: Sequence[str], first: str) -> str:
    """What differs between two files' columns, in words; empty where nothing does."""
    missing = [c for c in expected if find_column(c, found) is None]
    extra = [c for c in found if find_column(c, expected) is None]
    if not missing and not extra:
        return ""
    said = [f"has other columns than {first}:"]
    if missing:
        said.append("missing " + ", ".join(f"{c!r}{did_you_mean(c, extra)}" for c in missing))
    if extra:
        said.append(("and " if missing else "") + "extra " + ", ".join(repr(c) for c in extra))
    return " ".join(said)


def load_texts(
    con: duckdb.DuckDBPyConnection, table: str, header: Sequence[str], columns: Sequence[Sequence[str | None]]
) -> None:
    """Make a table of texts from columns in the order of the header."""
    frame = pa.table([pa.array(list(c), type=pa.string()) for c in columns], names=[str(i) for i in range(len(header))])
    chosen = ", ".join(f'"{i}" as {quote(h)}' for i, h in enumerate(header))
    con.register("__loading", frame)
    con.execute(f"create or replace table {quote(table)} as select {chosen} from __loading")
    con.unregister("__loading")
