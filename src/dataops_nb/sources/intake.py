"""The files of one source as one table of raw values: the same columns in every file.

Each row stays traceable to its file and line. A last row that is the sum of the rows above it is a
fault: spreadsheets end in one, and it counts everything twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from dataops_nb.definitions.models import Source
from dataops_nb.errors import Fault, did_you_mean
from dataops_nb.sources.evidence import (
    ROW,
    Infer,
    Notice,
    Part,
    Places,
    Raw,
    find_column,
    first_row,
    names,
    quote,
)
from dataops_nb.sources.files import File

TOTALS = {
    "total",
    "totals",
    "grand total",
    "sum",
    "subtotal",
    "summe",
    "gesamt",
    "somme",
    "suma",
    "totaal",
    "totale",
}
RULE = (
    "is the sum of the rows above it, which counts them twice; leave the total out of the file, or"
    " declare `footer:`"
)
FEW_CHANGED = 40  # columns up to which changing them is quicker than writing a table anew
TOLERANCE = 1e-6  # of a sum, which a spreadsheet may have rounded


@dataclass(frozen=True)
class Sheet:
    """One file as a table: its columns with their types, and the number of its rows.

    `lines` finds their lines in the file.
    """

    columns: dict[str, str]
    count: int
    lines: Callable[[], Sequence[int]] | None = None


Read = Callable[[File, str], tuple[Sheet | None, list[Fault]]]


@dataclass(frozen=True)
class Intake:
    """One source on its way in.

    `con` is the DuckDB it is read into, `scratch` a private folder, `used` the names of the columns
    that definitions name, without capitals; `zone` is the company's. `notices` collects what must
    be said about its rows.
    """

    con: duckdb.DuckDBPyConnection
    name: str
    source: Source
    scratch: Path
    used: frozenset[str] = frozenset()
    zone: str = "UTC"
    notices: list[Notice] = field(default_factory=list)

    def note(self, remark: str, count: int) -> None:
        """Say something about so many values that is no fault; of several files once."""
        for place, notice in enumerate(self.notices):
            if notice.text == remark:
                self.notices[place] = replace(notice, count=notice.count + count)
                return
        self.notices.append(Notice(self.name, remark, count))

    def fault(
        self,
        file: File,
        rule: str,
        row: int | None = None,
        column: str = "",
        value: str | None = None,
    ) -> Fault:
        """Return a fault of this source in one of its files."""
        return Fault(self.name, rule, file.shown, row, column, value)

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        row = first_row(self.con, f"select count(*) from {quote(table)}") or (0,)
        return int(row[0])


def stack_files(
    intake: Intake, files: Sequence[File], read: Read, infer: Infer
) -> tuple[Raw | None, list[Fault]]:
    """Load every file of a source into one table, under each other, and list their faults.

    A file whose columns differ from the first one's is a fault, and left out.
    """
    table = f"__raw_{intake.name}"
    part_table = f"__part_{intake.name}"
    faults: list[Fault] = []
    parts: list[Part] = []
    columns: dict[str, str] = {}
    for file in files:
        is_first = not parts
        sheet, wrong = read(file, table if is_first else part_table)
        faults += wrong
        if sheet is None:
            continue
        if is_first:
            columns = sheet.columns
        else:
            rule = compare_columns(list(columns), list(sheet.columns), parts[0].file)
            if rule:
                faults.append(intake.fault(file, rule, 1))
                continue
            same = [find_column(column, sheet.columns) or column for column in columns]
            rows = f"select {names(same)} from {quote(part_table)}"
            intake.con.execute(f"insert into {quote(table)} {rows}")
        start = 0 if is_first else parts[-1].start + parts[-1].count
        parts.append(Part(file.shown, file.path, start, sheet.count, sheet.lines))
    intake.con.execute(f"drop table if exists {quote(part_table)}")
    if not parts:
        return None, faults
    texts = [column for column, type_ in columns.items() if type_ == "VARCHAR"]
    return describe_table(table, columns, parts, dict.fromkeys(texts, infer)), faults


def describe_table(
    table: str, columns: dict[str, str], parts: list[Part], infer: dict[str, Infer]
) -> Raw:
    """Return a loaded table as a raw relation; its rows keep the order they were loaded in."""
    chosen = names(columns)
    # A column called rowid hides DuckDB's own.
    row = "rowid" if find_column("rowid", columns) is None else "row_number() over () - 1"
    relation = f"select {chosen}, {row} as {ROW} from {quote(table)}"
    scan = f"select {chosen} from {quote(table)}"
    rows = sum(part.count for part in parts)
    return Raw(relation, scan, columns, parts, infer, rows)


def retype_table(
    con: duckdb.DuckDBPyConnection,
    name: str,
    raw: Raw,
    columns: dict[str, str],
    made: Mapping[str, str],
) -> Raw:
    """Make a table of a source's rows with other types of the raw one, which is gone then.

    `columns` are all columns with their new types, `made` is the SQL of each. A few columns are
    changed where they stand, which spares copying the texts beside them; not where some of the rows
    are left out.
    """
    table, raw_table = quote(f"__typed_{name}"), quote(f"__raw_{name}")
    changed = []
    for column, type_ in columns.items():
        if made[column] != quote(column) or type_ != raw.columns[column]:
            changed.append(column)
    if len(changed) > FEW_CHANGED or raw.scan != f"select {names(raw.columns)} from {raw_table}":
        chosen = ", ".join(f"{made[column]} as {quote(column)}" for column in columns)
        con.execute(f"create or replace table {table} as select {chosen} from ({raw.scan})")
        con.execute(f"drop table {raw_table}")
    else:
        for column in changed:
            using = f"type {columns[column]} using {made[column]}"
            con.execute(f"alter table {raw_table} alter column {quote(column)} {using}")
        con.execute(f"drop table if exists {table}")
        con.execute(f"alter table {raw_table} rename to {table}")
    return replace(describe_table(f"__typed_{name}", columns, raw.parts, {}), rows=raw.rows)


def compare_columns(expected: Sequence[str], columns: Sequence[str], first: str) -> str:
    """Say how a file's columns differ from those of the first file; empty where they do not."""
    missing = [column for column in expected if find_column(column, columns) is None]
    extra = [column for column in columns if find_column(column, expected) is None]
    if not missing and not extra:
        return ""
    words = [f"has other columns than {first}:"]
    if missing:
        hints = [f"{column!r}{did_you_mean(column, extra)}" for column in missing]
        words.append("missing " + ", ".join(hints))
    if extra:
        joint = "and " if missing else ""
        words.append(f"{joint}extra " + ", ".join(repr(column) for column in extra))
    return " ".join(words)


def load_texts(
    con: duckdb.DuckDBPyConnection,
    table: str,
    header: Sequence[str],
    columns: Sequence[Sequence[str | None]],
) -> None:
    """Make a table of texts from columns in the order of the header."""
    places = [str(place) for place in range(len(header))]
    arrays = [pa.array(list(cells), type=pa.string()) for cells in columns]
    frame = pa.table(arrays, names=places)
    renamed = [
        f"{quote(place)} as {quote(name)}" for place, name in zip(places, header, strict=True)
    ]
    chosen = ", ".join(renamed)
    con.register("__loading", frame)
    con.execute(f"create or replace table {quote(table)} as select {chosen} from __loading")
    con.unregister("__loading")


def find_totals(con: duckdb.DuckDBPyConnection, name: str, raw: Raw) -> list[Fault]:
    """Return a fault for each text file whose last row says `total` and holds a column's sum."""
    if "all" not in raw.infer.values():
        return []
    faults = []
    for part in raw.parts:
        if part.count > 1:
            faults += _find_total(con, name, raw, part)
    return faults


def _find_total(con: duckdb.DuckDBPyConnection, name: str, raw: Raw, part: Part) -> list[Fault]:
    last = part.start + part.count - 1
    rows = f"select {names(raw.columns)} from ({raw.relation}) where {ROW} = {last}"
    cells = first_row(con, rows) or ()
    if not any(_says_total(cell) for cell in cells):
        return []
    numbers = {}
    for column, cell in zip(raw.columns, cells, strict=True):
        number = _number(cell) if isinstance(cell, str) else None
        if number is not None:
            numbers[column] = (cell, number)
    if not numbers:
        return []
    sums = [f"sum(try_cast(replace({quote(name)}, ',', '') as double))" for name in numbers]
    above = f"from ({raw.relation}) where {ROW} >= {part.start} and {ROW} < {last}"
    totals = first_row(con, f"select {', '.join(sums)} {above}") or ()
    for (column, (cell, number)), total in zip(numbers.items(), totals, strict=True):
        if total is not None and abs(total - number) <= TOLERANCE * max(1.0, abs(total)):
            file, place = Places(raw).find(last)
            return [Fault(name, RULE, file, place, column, cell)]
    return []


def _says_total(cell: object) -> bool:
    return isinstance(cell, str) and cell.strip(" :").casefold() in TOTALS


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return None
