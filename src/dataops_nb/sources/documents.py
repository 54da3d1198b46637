"""JSON files: an array of objects, or one object a line. Typed by the file; its texts may be dates and stamps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from dataops_nb.errors import Fault
from dataops_nb.sources.encodings import WrongBytes, check_utf8
from dataops_nb.sources.evidence import Infer, Raw, cap_faults
from dataops_nb.sources.files import File
from dataops_nb.sources.signatures import recognise
from dataops_nb.sources.sql import quote, text
from dataops_nb.sources.tables import Intake, Sheet, stack_files

SHAPE = "write an array of objects, or one object a line"
AS_TEXT = ("VARCHAR", "DATE", "TIME", "UUID", '"NULL"', "JSON")


def read_documents(intake: Intake, files: Sequence[File], used: Sequence[str]) -> tuple[Raw | None, list[Fault]]:
    """Load every file into one table; `used` are the columns of a file that is an empty array."""
    types = _agree_types(intake.con, files)
    raw, faults = stack_files(intake, files, lambda file, table: _read_one(intake, file, table, types, used), "times")
    if raw is None:
        return None, faults
    mixed: dict[str, Infer] = {c: "all" if types.get(c) == "JSON" else kind for c, kind in raw.infer.items()}
    return replace(raw, infer=mixed), faults


def _agree_types(con: duckdb.DuckDBPyConnection, files: Sequence[File]) -> dict[str, str]:
    """One type a column for all files: JSON, read as text, where they disagree about more than the size of numbers."""
    agreed: dict[str, str] = {}
    for file in files:
        found, _ = _describe(con, file)
        for column, type_ in found.items():
            said = agreed.setdefault(column, type_)
            if said != type_:
                agreed[column] = "DOUBLE" if {said, type_} <= {"BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"} else "JSON"
    return agreed


def _describe(con: duckdb.DuckDBPyConnection, file: File) -> tuple[dict[str, str], str]:
    """The columns of a file with their types, or what is wrong with it."""
    try:
        rows = con.execute(f"describe select * from read_json({text(str(file.path))}, sample_size=-1)").fetchall()
    except duckdb.Error as error:
        return {}, str(error)
    return {row[0]: row[1] for row in rows}, ""


def _read_one(
    intake: Intake, file: File, table: str, types: dict[str, str], used: Sequence[str]
) -> tuple[Sheet | None, list[Fault]]:
    if wrong := _refuse_text(intake, file):
        return None, wrong
    if wrong := _name_odd_objects(intake, file):
        return None, wrong
    found, damage = _describe(intake.con, file)
    if damage:
        return None, [_name_damage(intake, file, damage)]
    if list(found) == ["json"]:
        return _read_empty(intake, table, used)
    columns = {c: "VARCHAR" if types[c] in AS_TEXT or types[c].startswith("TIMESTAMP") else types[c] for c in found}
    spec = ", ".join(f"{text(c)}: {text(t)}" for c, t in columns.items())
    chosen = ", ".join(_without_missing(c, t, intake.source.na) for c, t in columns.items())
    rows = f"select {chosen} from read_json({text(str(file.path))}, columns={{{spec}}})"
    try:
        intake.con.execute(f"create or replace table {quote(table)} as {rows}")
    except duckdb.Error as error:
        return None, [_name_damage(intake, file, str(error))]
    return Sheet(columns, intake.count(table)), []


def _without_missing(column: str, type_: str, missing: Sequence[str]) -> str:
    if type_ != "VARCHAR":
        return quote(column)
    listed = ", ".join(text(m) for m in ("", *missing))
    return f"case when {quote(column)} in ({listed}) then null else {quote(column)} end as {quote(column)}"


def _refuse_text(intake: Intake, file: File) -> list[Fault]:
    """What is wrong with a file before it is read as JSON: another kind of file, or another encoding."""
    if rule := recognise(file.path):
        return [intake.fault(file, rule, 1)]
    try:
        check_utf8(file.path)
    except WrongBytes as error:
        rule = error.rule.split(";")[0] + "; JSON is UTF-8: write it again"
        return [intake.fault(file, rule, error.line, value=error.shown)]
    return []


def _name_odd_objects(intake: Intake, file: File) -> list[Fault]:
    """The values of a file that are no objects, and names that stand twice in one, by the number of the object."""
    objects = f"select row_number() over () as n, json from read_json_objects({text(str(file.path))})"
    names = f"select n, unnest(json_keys(json)) as name from ({objects})"
    try:
        strange = intake.con.execute(f"""
            select n, cast(json as varchar), good from (select *, count(*) filter (json_type(json) = 'OBJECT') over () as good
            from ({objects})) where json_type(json) <> 'OBJECT' order by n""").fetchall()
        doubled = intake.con.execute(f"""
            with spelt as (select n, lower(name) as low, max(name) as name, count(*) as times from ({names}) group by 1, 2)
            select min(n), max(name) from (select *, first_value(name) over (partition by low order by n) as first from spelt)
            where times > 1 or name <> first group by low order by 1""").fetchall()
    except duckdb.Error as error:
        return [_name_damage(intake, file, str(error))]
    if strange and not strange[0][2]:
        return [intake.fault(file, f"holds no objects; {SHAPE}", 1, value=strange[0][1])]
    faults = cap_faults([intake.fault(file, f"is no object; {SHAPE}", n, value=value) for n, value, _ in strange])
    twice = "stands twice, capitals aside; rename one of them"
    return faults + [intake.fault(file, twice, n, name) for n, name in doubled]


def _read_empty(intake: Intake, table: str, used: Sequence[str]) -> tuple[Sheet | None, list[Fault]]:
    """An empty array has no rows and every column."""
    columns = ", ".join(f"{quote(c)} varchar" for c in used or ["json"])
    intake.con.execute(f"create or replace table {quote(table)} ({columns})")
    return Sheet(dict.fromkeys(used or ["json"], "VARCHAR"), 0), []


def _name_damage(intake: Intake, file: File, message: str) -> Fault:
    line, rule = find_damage(file)
    said = message.splitlines()[0].split(": ", 1)[-1].replace(str(file.path), file.shown)
    return intake.fault(file, rule or f"is no JSON that can be read: {said}", line)


def find_damage(file: File) -> tuple[int | None, str]:
    """The physical line at which a file stops to be JSON, and what is wrong there; an empty rule where nothing is."""
    try:
        written = file.path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        return None, f"is not UTF-8 at byte {error.start}"
    starts_array = written.lstrip().startswith("[")
    pieces = [(1, written)] if starts_array else [(i, t) for i, t in enumerate(written.split("\n"), 1) if t.strip()]
    for first, piece in pieces:
        try:
            json.loads(piece)
        except json.JSONDecodeError as error:
            return first + error.lineno - 1, f"is damaged JSON: {error.msg} at character {error.colno} of the line"
    return None, ""
