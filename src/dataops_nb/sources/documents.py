"""JSON and Parquet files: formats that bring their types along.

JSON is an array of objects, or one object a line. The file types its numbers; its texts may still
be dates and stamps. It is loaded into a table. Parquet is refused from its footer where that is
absurd, and else read in place; nothing is copied.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import duckdb

from dataops_nb.errors import Fault
from dataops_nb.sources.archives import unpacked
from dataops_nb.sources.evidence import (
    ROW,
    Infer,
    Part,
    Raw,
    cap_faults,
    find_column,
    first_row,
    quote,
    text,
    texts,
)
from dataops_nb.sources.files import BOM, HEAD, File, WrongBytes, as_literal, check_utf8, recognise
from dataops_nb.sources.intake import Intake, Sheet, compare_columns, stack_files
from dataops_nb.sources.records import unwrapped

SHAPE = "write an array of objects, or one object a line"
AS_TEXT = ("VARCHAR", "DATE", "TIME", "UUID", '"NULL"', "JSON")
NUMBERS = {"BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"}
WIDE = ("DOUBLE", "UBIGINT", "HUGEINT")  # what whole numbers beyond 64 bits may be read as
DIGITS_OF_64_BITS = 19
EMPTY = '"NULL"'  # the type of a column without any value
PER_HOUR = {"s": 3600, "ms": 3_600_000, "us": 3_600_000_000, "ns": 3_600_000_000_000}
MOST_ROWS = 10**8
# Milliseconds since 1970: smaller numbers are days such as 20261120, larger ones beyond 2200.
FIRST_MOMENT, LAST_MOMENT = 10**10, 7_258_118_400_000
SMALL = 50 << 20


# --- JSON ----------------------------------------------------------------------------------------


def read_documents(
    intake: Intake, files: Sequence[File], used: Sequence[str]
) -> tuple[Raw | None, list[Fault]]:
    """Load JSON files into one table, and list their faults.

    `used` are the columns of a file that is an empty array. The table is None where no file could
    be read.
    """
    with ExitStack() as copies:
        plain, wrong = _unpack(intake, files, copies)
        types = _agree_types(intake.con, plain)
        read = partial(_read_one, intake, types, used)
        raw, faults = stack_files(intake, plain, read, "times")
    faults = wrong + faults
    if raw is None:
        return None, faults
    packed = {file.path: file.packed for file in plain if file.packed}
    parts = [replace(part, path=packed.get(part.path, part.path)) for part in raw.parts]
    raw = replace(raw, parts=parts)
    infer = dict(raw.infer)
    for column in raw.infer:
        if types.get(column) == "JSON":
            infer[column] = "all"
    return replace(raw, infer=infer), faults


def _unpack(
    intake: Intake, files: Sequence[File], copies: ExitStack
) -> tuple[list[File], list[Fault]]:
    """Return the files, packed ones as private copies, and the faults of those that cannot be."""
    plain = []
    faults = []
    for file in files:
        try:
            path = copies.enter_context(unpacked(file.path, intake.scratch))
            if intake.source.records:
                rows = unwrapped(path, intake.source.records, intake.scratch)
                path = copies.enter_context(rows)
        except WrongBytes as error:
            faults.append(intake.fault(file, error.rule))
            continue
        packed = file.path if path != file.path else None
        plain.append(replace(file, path=path, packed=packed))
    return plain, faults


def _agree_types(con: duckdb.DuckDBPyConnection, files: Sequence[File]) -> dict[str, str]:
    """Return one type a column for all files.

    Where they disagree about more than the size of numbers it is JSON, which is read as text.
    """
    agreed: dict[str, str] = {}
    for file in files:
        own_types, _ = _describe_json(con, file)
        for column, type_ in own_types.items():
            before = agreed.setdefault(column, type_)
            if before == type_:
                continue
            agreed[column] = "DOUBLE" if {before, type_} <= NUMBERS else "JSON"
    for column in _list_long_numbers(con, files, agreed):
        agreed[column] = "VARCHAR"
    return agreed


def _list_long_numbers(
    con: duckdb.DuckDBPyConnection, files: Sequence[File], types: Mapping[str, str]
) -> list[str]:
    """List the columns of whole numbers of which some are longer than 64 bits, as ids may be.

    Read as numbers they would lose their last digits; as in a csv, they are texts.
    """
    wide = [column for column, type_ in types.items() if type_ in WIDE]
    if not wide:
        return []
    named = ", ".join(f"{text(column)}: 'VARCHAR'" for column in wide)
    looks = []
    for place, column in enumerate(wide):
        value = quote(column)
        is_whole = f"coalesce(bool_and(regexp_full_match({value}, '-?[0-9]+')), true)"
        longest = f"max(length(ltrim({value}, '-'))) > {DIGITS_OF_64_BITS}"
        beyond = f"bool_or(try_cast({value} as bigint) is null and {value} is not null)"
        looks.append(f"{is_whole} as whole{place}, ({longest} or {beyond}) as long{place}")
    are_whole, are_long = [True] * len(wide), [False] * len(wide)
    for file in files:
        rows = f"read_json({_as_json(file)}, columns={{{named}}})"
        try:
            answer = first_row(con, f"select {', '.join(looks)}, count(*) from {rows}")
        except duckdb.Error:
            return []  # a damaged file, which is told where it is read
        for place in range(len(wide)):
            if answer and answer[-1]:
                are_whole[place] = are_whole[place] and bool(answer[2 * place])
                are_long[place] = are_long[place] or bool(answer[2 * place + 1])
    return [column for place, column in enumerate(wide) if are_whole[place] and are_long[place]]


def _describe_json(con: duckdb.DuckDBPyConnection, file: File) -> tuple[dict[str, str], str]:
    """Return the columns of a file with their types, and what is wrong with it."""
    try:
        return _describe(con, f"select * from read_json({_as_json(file)}, sample_size=-1)"), ""
    except duckdb.Error as error:
        return {}, str(error)


def _as_json(file: File) -> str:
    """Return a file as the functions that read JSON take it.

    DuckDB does not see that an array begins behind a byte order mark, and must be told.
    """
    with file.path.open("rb") as handle:
        head = handle.read(HEAD)
    is_marked_array = head.startswith(BOM) and head.removeprefix(BOM).lstrip().startswith(b"[")
    return text(as_literal(file.path)) + (", format='array'" if is_marked_array else "")


def _describe(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    return {row[0]: row[1] for row in con.execute(f"describe {query}").fetchall()}


def _read_one(
    intake: Intake, types: dict[str, str], used: Sequence[str], file: File, table: str
) -> tuple[Sheet | None, list[Fault]]:
    wrong = _refuse_text(intake, file) or _name_odd_objects(intake, file)
    if wrong:
        return None, wrong
    own_types, damage = _describe_json(intake.con, file)
    if damage:
        return None, [_name_damage(intake, file, damage)]
    if list(own_types) == ["json"]:
        return _load_empty(intake, table, used)
    columns = {}
    for column in own_types:
        type_ = types[column]
        is_text = type_ in AS_TEXT or type_.startswith("TIMESTAMP")
        columns[column] = "VARCHAR" if is_text else type_
    declared = ", ".join(f"{text(column)}: {text(type_)}" for column, type_ in columns.items())
    if rule := _say_orientation(intake, file, own_types):
        return None, [intake.fault(file, rule)]
    missing = texts(["", *intake.source.na])
    selected = []
    for column, type_ in columns.items():
        if type_ in ("BIGINT", "UBIGINT") and _is_moment(intake, column):
            selected.append(f"{_epoch(column)} as {quote(column)}")
        else:
            selected.append(_select(column, type_, missing))
    chosen = ", ".join(selected)
    documents = f"read_json({_as_json(file)}, columns={{{declared}}})"
    query = f"select {chosen} from {documents}"
    try:
        intake.con.execute(f"create or replace table {quote(table)} as {query}")
    except duckdb.Error as error:
        return None, [_name_damage(intake, file, str(error))]
    loaded = _describe(intake.con, f"select * from {quote(table)}")
    return Sheet(loaded, intake.count(table)), []


def _say_orientation(intake: Intake, file: File, types: Mapping[str, str]) -> str:
    """Say that a file is one object of columns, as pandas writes a frame unless told otherwise."""
    nested = ("STRUCT", "MAP", "JSON")
    if not all(type_.startswith(nested) or type_.endswith("[]") for type_ in types.values()):
        return ""
    objects = f"select count(*) from read_json_objects({_as_json(file)})"
    count = first_row(intake.con, objects) or (0,)
    if count[0] != 1 or len(types) < 2:
        return ""
    return (
        "is one object that holds a table by its columns or parts; name the list that holds its "
        "rows (records: orders), or write one object a row: in pandas, df.to_json(path, "
        "orient='records', lines=True)"
    )


def _is_moment(intake: Intake, column: str) -> bool:
    """Whether a column of whole numbers is declared to hold days or moments."""
    declared = intake.source.columns.get(column)
    return declared is not None and declared.type in ("date", "timestamp")


def _epoch(column: str) -> str:
    """Return SQL of milliseconds since 1970, as pandas and JavaScript write moments, as text."""
    value = quote(column)
    moment = f"strftime(epoch_ms({value}), '%Y-%m-%d %H:%M:%S.%g')"
    is_moment = f"{value} between {FIRST_MOMENT} and {LAST_MOMENT}"
    return f"case when {is_moment} then {moment} else cast({value} as varchar) end"


def _select(column: str, type_: str, missing: str) -> str:
    """Return the SQL of a column, null where its text means missing."""
    name = quote(column)
    if type_ != "VARCHAR":
        return name
    return f"case when {name} in ({missing}) then null else {name} end as {name}"


def _load_empty(
    intake: Intake, table: str, used: Sequence[str]
) -> tuple[Sheet | None, list[Fault]]:
    """Load an empty array: it has no rows and every column that is used."""
    names = used or ["json"]
    columns = ", ".join(f"{quote(name)} varchar" for name in names)
    intake.con.execute(f"create or replace table {quote(table)} ({columns})")
    return Sheet(dict.fromkeys(names, "VARCHAR"), 0), []


def _refuse_text(intake: Intake, file: File) -> list[Fault]:
    """List why a file is not read as JSON: it is another kind of file, or in another encoding."""
    if rule := recognise(file.path):
        return [intake.fault(file, rule, 1)]
    try:
        check_utf8(file.path)
    except WrongBytes as error:
        rule = error.rule.split(";")[0] + "; JSON is UTF-8: write it again"
        return [intake.fault(file, rule, error.line, value=error.shown)]
    return []


def _name_odd_objects(intake: Intake, file: File) -> list[Fault]:
    """List the values that are no objects, and names that repeat in one, by object number."""
    objects = f"select row_number() over () as n, json from read_json_objects({_as_json(file)})"
    try:
        strange = intake.con.execute(_select_strange(objects)).fetchall()
        repeated = intake.con.execute(_select_repeated(objects)).fetchall()
    except duckdb.Error as error:
        return [_name_damage(intake, file, str(error))]
    faults = []
    for number, value, good in strange:
        if not good:  # how many objects there are in the file
            return [intake.fault(file, f"holds no objects; {SHAPE}", 1, value=value)]
        faults.append(intake.fault(file, f"is no object; {SHAPE}", number, value=value))
    faults = cap_faults(faults)
    for number, name in repeated:
        rule = "appears twice, capitals aside; rename one of them"
        faults.append(intake.fault(file, rule, number, name))
    return faults


def _select_strange(objects: str) -> str:
    """Return SQL of the number and text of each value that is no object, and how many are."""
    is_object = "json_type(json) = 'OBJECT'"
    counted = f"select *, count(*) filter ({is_object}) over () as good from ({objects})"
    return f"""
        select n, cast(json as varchar), good
        from ({counted})
        where json_type(json) <> 'OBJECT'
        order by n"""


def _select_repeated(objects: str) -> str:
    """Return SQL of each name that repeats in an object, or is spelt otherwise than before."""
    names = f"select n, unnest(json_keys(json)) as name from ({objects})"
    return f"""
        with spelt as (
            select n, lower(name) as low, max(name) as name, count(*) as times
            from ({names})
            group by 1, 2
        ),
        compared as (
            select *, first_value(name) over (partition by low order by n) as first
            from spelt
        )
        select min(n), max(name)
        from compared
        where times > 1 or name <> first
        group by low
        order by 1"""


def _name_damage(intake: Intake, file: File, message: str) -> Fault:
    line, rule = find_damage(file)
    if not rule:
        reason = message.splitlines()[0].split(": ", 1)[-1]
        rule = f"is no JSON that can be read: {reason.replace(str(file.path), file.shown)}"
    return intake.fault(file, rule, line)


def find_damage(file: File) -> tuple[int | None, str]:
    """Return the physical line at which a file stops being JSON, and what is wrong there.

    The rule is empty where nothing is.
    """
    try:
        content = file.path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        return None, f"is not UTF-8 at byte {error.start}"
    pieces = [(1, content)]
    if not content.lstrip().startswith("["):
        pieces = list(enumerate(content.split("\n"), 1))
    for first_line, piece in pieces:
        try:
            if piece.strip():
                json.loads(piece)
        except json.JSONDecodeError as error:
            rule = f"is damaged JSON: {error.msg} at character {error.colno} of the line"
            return first_line + error.lineno - 1, rule
        except RecursionError:
            return first_line, "is JSON that is nested too deeply to be read"
    return None, ""


# --- Parquet -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """One parquet file: its rows, and SQL for those of its columns that are not read as they are.

    `columns` are the types of all.
    """

    part: Part
    columns: dict[str, str]
    hours: dict[str, str]

    def select(self, options: str = "") -> str:
        """Return SQL of the columns; `options` are those of `read_parquet`."""
        rows = f"select * from read_parquet({text(as_literal(self.part.path))}{options})"
        return _replace(rows, self.hours)

    @property
    def numbered(self) -> str:
        """SQL of the columns and the hidden row number."""
        if find_column("file_row_number", self.columns) is not None:  # which hides DuckDB's own
            row = f"row_number() over () - 1 + {self.part.start} as {ROW}"
            return f"select *, {row} from ({self.select()})"
        rows = self.select(", file_row_number=true")
        row = f"file_row_number + {self.part.start} as {ROW}"
        return f"select * exclude (file_row_number), {row} from ({rows})"


def _replace(rows: str, expressions: Mapping[str, str]) -> str:
    """Return SQL of all columns of a query, some of them as these expressions."""
    if not expressions:
        return rows
    replaced = [f"{expression} as {quote(column)}" for column, expression in expressions.items()]
    return f"select * replace ({', '.join(replaced)}) from ({rows})"


def read_parquet(intake: Intake, files: Sequence[File]) -> tuple[Raw | None, list[Fault]]:
    """Return the files as a relation over themselves, and list their faults.

    A file that cannot be read, or has other columns than the first, is a fault and left out.
    """
    faults: list[Fault] = []
    tables: list[Table] = []
    for file in files:
        rows, rule = _read_footer(intake.con, file)
        columns = {} if rule else _read_columns(intake.con, file)
        if tables and not rule:
            first = tables[0]
            rule = compare_columns(list(first.columns), list(columns), first.part.file)
        if rule:
            faults.append(intake.fault(file, rule))
            continue
        faults += _ask_for_zone(intake, file) + _name_repeated(intake, file, columns)
        last = tables[-1].part if tables else None
        start = last.start + last.count if last else 0
        hours = _hours(file, columns)
        tables.append(Table(Part(file.shown, file.path, start, rows), columns, hours))
    if not tables:
        return None, faults
    raw = _stack(intake.con, tables)
    _say_hours(intake, tables, raw)
    return raw, faults


def _stack(con: duckdb.DuckDBPyConnection, tables: list[Table]) -> Raw:
    """Return the files under each other; an empty column is text, which may be of any type."""
    parts = [table.part for table in tables]
    if any(table.hours for table in tables):
        scan = " union all by name ".join(table.select() for table in tables)
    else:
        paths = texts(as_literal(part.path) for part in parts)
        several = str(len(parts) > 1).lower()
        scan = f"select * from read_parquet([{paths}], union_by_name={several})"
    relation = " union all by name ".join(table.numbered for table in tables)
    merged = _describe(con, scan)
    infer: dict[str, Infer] = {}
    empty = {}
    for column, type_ in merged.items():
        if type_ == EMPTY:
            empty[column] = f"cast({quote(column)} as varchar)"
            merged[column] = "VARCHAR"
        if merged[column] == "VARCHAR":
            infer[column] = "times" if column in empty else "none"
    rows = sum(part.count for part in parts)
    relation, scan = _replace(relation, empty), _replace(scan, empty)
    return Raw(relation, scan, merged, parts, infer, rows, table=False)


def _hours(file: File, columns: Mapping[str, str]) -> dict[str, str]:
    """Return the SQL of the columns that hold durations, as hours.

    Parquet has no durations: Arrow and pandas write them as whole numbers, and say so elsewhere.
    """
    hours = {}
    for column, type_ in columns.items():
        if type_ == "INTERVAL":
            hours[column] = f"epoch({quote(column)}) / 3600"
    if "BIGINT" not in columns.values():
        return hours
    import pyarrow as pa  # noqa: PLC0415  only where there may be any
    from pyarrow import parquet  # noqa: PLC0415

    for field in parquet.read_schema(file.path):
        if pa.types.is_duration(field.type) and columns.get(field.name) == "BIGINT":
            hours[field.name] = f"{quote(field.name)} / {PER_HOUR[field.type.unit]}"
    return hours


def _say_hours(intake: Intake, tables: Sequence[Table], raw: Raw) -> None:
    columns: dict[str, str] = {}
    for table in tables:
        columns |= table.hours
    for column in columns:
        row = first_row(intake.con, f"select count({quote(column)}) from ({raw.scan})")
        if row and row[0]:
            intake.note(f"durations in column {column!r} are read as hours", int(row[0]))


def _ask_for_zone(intake: Intake, file: File) -> list[Fault]:
    """Return a fault for each used column of stamps as Spark writes them: they are in UTC."""
    if intake.source.timezone is not None or intake.zone == "UTC":
        return []
    schema = f"parquet_schema({text(as_literal(file.path))})"
    rows = intake.con.execute(f"select name from {schema} where type = 'INT96'").fetchall()
    rule = (
        "holds stamps as Spark writes them (INT96), which are in UTC and do not say so; declare"
        " timezone: UTC, or the zone they are in"
    )
    used = [name for (name,) in rows if name.casefold() in intake.used]
    return [intake.fault(file, rule, column=name) for name in used]


def _name_repeated(intake: Intake, file: File, columns: Mapping[str, str]) -> list[Fault]:
    """Return a fault for each used column that stands twice, capitals aside.

    DuckDB gives the second a number, so that its own name would mean the first.
    """
    schema = f"select name from parquet_schema({text(as_literal(file.path))})"
    written = {name for (name,) in intake.con.execute(schema).fetchall()}
    if written.issuperset(columns):
        return []
    from pyarrow import parquet  # noqa: PLC0415  only where there are any

    names = Counter(name.casefold() for name in parquet.read_schema(file.path).names)
    repeated = {name for name, count in names.items() if count > 1}
    rule = "appears twice, capitals aside; rename one of them"
    return [intake.fault(file, rule, column=name) for name in sorted(repeated & intake.used)]


def _read_footer(con: duckdb.DuckDBPyConnection, file: File) -> tuple[int, str]:
    """Return the rows that the footer declares, or why the file is not read."""
    size = file.path.stat().st_size
    if size == 0:
        return 0, "is empty (0 bytes)"
    query = f"select num_rows from parquet_file_metadata({text(as_literal(file.path))})"
    try:
        row = first_row(con, query)
    except duckdb.Error:
        return 0, "is no parquet file, or was cut off: its footer cannot be read"
    rows = int(row[0]) if row else 0
    if rows > MOST_ROWS and size < SMALL:
        declared = f"declares {rows:,} rows in {size / (1 << 20):,.1f} MB"
        return 0, f"{declared}, which is too large to be real; not read"
    return rows, ""


def _read_columns(con: duckdb.DuckDBPyConnection, file: File) -> dict[str, str]:
    return _describe(con, f"select * from read_parquet({text(as_literal(file.path))})")
