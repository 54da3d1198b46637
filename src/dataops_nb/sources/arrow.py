"""Feather and Arrow files: tables that bring their types along, loaded as they are.

A row has no line, so faults name its number, counted from 1. Durations are read as hours, as those
of parquet files are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import duckdb

from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import Infer, Raw, quote, texts
from dataops_nb.sources.files import HEAD, File, recognise
from dataops_nb.sources.intake import Intake, Sheet, stack_files

LOADING = "__arrow"
EMPTY = '"NULL"'  # the type of a column without any value
FILE_MARK = b"ARROW1"
STREAM_MARK = b"\xff\xff\xff\xff"


def read_arrow(intake: Intake, files: Sequence[File]) -> tuple[Raw | None, list[Fault]]:
    """Load Feather and Arrow files into one table, and list their faults."""
    empty: set[str] = set()
    raw, faults = stack_files(intake, files, partial(_read_one, intake, empty), "none")
    if raw is None:
        return None, faults
    infer: dict[str, Infer] = dict(raw.infer)
    for column in empty & set(infer):
        infer[column] = "times"
    return replace(raw, infer=infer), faults


def _read_one(
    intake: Intake, empty: set[str], file: File, table: str
) -> tuple[Sheet | None, list[Fault]]:
    """Load one file; the names of its columns without any value are added to `empty`."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and few read such files

    rule = _refuse(file)
    if rule:
        return None, [intake.fault(file, rule)]
    try:
        frame = _open(file)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        rule = f"is a damaged or truncated Arrow file ({reason}); write it again"
        return None, [intake.fault(file, rule)]
    repeated = _name_repeated(intake, file, frame.column_names)
    if repeated:
        return None, repeated
    intake.con.register(LOADING, frame)
    try:
        return _load(intake, table, empty), []
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].split(": ", 1)[-1]
        return None, [intake.fault(file, f"cannot be read: {reason}")]
    finally:
        intake.con.unregister(LOADING)


def _refuse(file: File) -> str:
    """Say what a file is instead of an Arrow file; empty where it may be one."""
    with file.path.open("rb") as handle:
        head = handle.read(HEAD)
    if head.startswith((FILE_MARK, STREAM_MARK)):
        return ""
    return recognise(file.path) or "is no Feather or Arrow file, though its name says so"


def _open(file: File) -> Any:
    """Return the table of a Feather or Arrow file, or of a stream of Arrow."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import feather, ipc  # noqa: PLC0415

    with file.path.open("rb") as handle:
        is_stream = handle.read(len(STREAM_MARK)) == STREAM_MARK
    if not is_stream:
        return feather.read_table(file.path)
    with pa.memory_map(str(file.path)) as handle, ipc.open_stream(handle) as stream:
        return stream.read_all()


def _name_repeated(intake: Intake, file: File, names: Sequence[str]) -> list[Fault]:
    """List the names that stand twice, capitals aside; a frame may have them, a table may not."""
    counts = Counter(name.casefold() for name in names)
    faults = []
    for name in dict.fromkeys(names):
        if counts.pop(name.casefold(), 1) > 1:
            rule = "appears twice, capitals aside; rename one of them"
            faults.append(intake.fault(file, rule, column=name))
    return faults


def _load(intake: Intake, table: str, empty: set[str]) -> Sheet:
    """Make a table of the registered frame: categories are texts, and durations hours."""
    con = intake.con
    described = con.execute(f"describe select * from {LOADING}").fetchall()
    columns = {}
    chosen = []
    missing = texts(["", *intake.source.na])
    hours = []
    for name, type_, *_ in described:
        value = quote(name)
        columns[name] = type_
        if type_ == EMPTY:
            empty.add(name)
        if type_ == EMPTY or type_.startswith("ENUM") or type_ in ("VARCHAR", "UUID", "TIME"):
            cast = f"cast({value} as varchar)"
            value = f"case when {cast} in ({missing}) then null else {cast} end"
            columns[name] = "VARCHAR"
        elif type_ == "INTERVAL":
            value = f"epoch({value}) / 3600"
            columns[name] = "DOUBLE"
            hours.append(name)
        chosen.append(f"{value} as {quote(name)}")
    query = f"select {', '.join(chosen)} from {LOADING}"
    con.execute(f"create or replace table {quote(table)} as {query}")
    for name in hours:
        count = con.execute(f"select count({quote(name)}) from {quote(table)}").fetchall()[0][0]
        if count:
            intake.note(f"durations in column {name!r} are read as hours", int(count))
    return Sheet(columns, intake.count(table))
