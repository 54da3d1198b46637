"""One file source from its path to a raw relation, whatever its format."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dataops_nb.errors import Fault, did_you_mean, nearest
from dataops_nb.sources.delimited import read_delimited
from dataops_nb.sources.documents import read_documents
from dataops_nb.sources.evidence import Raw
from dataops_nb.sources.files import File
from dataops_nb.sources.needs import Need
from dataops_nb.sources.parquet import read_parquet
from dataops_nb.sources.sql import find_column
from dataops_nb.sources.tables import Intake, stack_files
from dataops_nb.sources.workbooks import read_workbook

EXCEL = (".xlsx", ".xlsm")
JSON = (".json", ".ndjson", ".jsonl")
SHOWN_COLUMNS = 30


def read_files(intake: Intake, files: Sequence[File], need: Need) -> tuple[Raw | None, list[Fault]]:
    """The files of a source as one raw relation, and their faults; None where no file could be read."""
    closed = {f: rule for f in files if (rule := _refuse_closed(f))}
    full = [f for f in files if f not in closed and f.path.stat().st_size]
    faults = [intake.fault(f, closed.get(f, "is empty (0 bytes)")) for f in files if f not in full]
    if not full:
        return None, faults
    formats = sorted({_format(f) for f in full})
    if len(formats) > 1:
        return None, [*faults, intake.fault(full[0], f"holds files of several formats: {', '.join(formats)}")]
    raw, wrong = _read(intake, full, need, formats[0])
    return raw, faults + wrong


def _refuse_closed(file: File) -> str:
    """Why a file cannot be opened; empty where it can."""
    try:
        with file.path.open("rb"):
            return ""
    except OSError as error:
        return f"cannot be opened: {(error.strerror or 'the system refuses it').lower()}"


def _format(file: File) -> str:
    return (
        "excel"
        if file.suffix in EXCEL
        else "json"
        if file.suffix in JSON
        else "parquet"
        if file.suffix == ".parquet"
        else "csv"
    )


def _read(intake: Intake, files: Sequence[File], need: Need, format_: str) -> tuple[Raw | None, list[Fault]]:
    if format_ == "parquet":
        return read_parquet(intake, files)
    if format_ == "json":
        return read_documents(intake, files, list(need.columns))
    read = read_workbook if format_ == "excel" else read_delimited
    return stack_files(intake, files, partial(read, intake), "all")


def find_missing(name: str, raw: Raw, need: Need) -> list[Fault]:
    """One fault that lists every column that is used but not there, with the nearest unused one."""
    missing = {c: why for c, why in need.columns.items() if find_column(c, raw.columns) is None}
    if not missing:
        return []
    extra = [c for c in raw.columns if find_column(c, need.columns) is None]
    listed = [f"{c!r} ({why}{'' if not nearest(c, extra) else did_you_mean(c, extra)})" for c, why in missing.items()]
    rule = f"missing: {', '.join(listed)}; extra: {_list(extra) or 'none'}; there are {_list(list(raw.columns))}"
    return [Fault(name, rule, raw.file, 1 if raw.file else None, ", ".join(missing))]


def _list(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - SHOWN_COLUMNS} more" if len(columns) > SHOWN_COLUMNS else ""
    return ", ".join(repr(c) for c in columns[:SHOWN_COLUMNS]) + more
