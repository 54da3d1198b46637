"""Which format the files of a source are in, and the one relation they are read as.

The ending of a file's name decides; all files of a source have the same format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from dataops_nb.errors import Fault
from dataops_nb.sources.archives import inner_ending
from dataops_nb.sources.arrow import read_arrow
from dataops_nb.sources.delimited import read_delimited
from dataops_nb.sources.documents import read_documents, read_parquet
from dataops_nb.sources.evidence import Raw, first_row, quote, text
from dataops_nb.sources.files import ARROW, DOCUMENTS, EXCEL, SPREADSHEETS, File
from dataops_nb.sources.intake import Intake, stack_files
from dataops_nb.sources.spreadsheets import read_spreadsheet
from dataops_nb.sources.workbooks import read_workbook


def read_files(
    intake: Intake, files: Sequence[File], used: Sequence[str]
) -> tuple[Raw | None, list[Fault]]:
    """Read the files of a source as one raw relation, and list their faults.

    `used` are the columns that definitions name. The relation is None where no file could be read.
    """
    faults = []
    full = []
    for file in files:
        rule = _refuse_closed(file)
        if not rule and file.path.stat().st_size == 0:
            rule = "is empty (0 bytes)"
        if rule:
            faults.append(intake.fault(file, rule))
        else:
            full.append(file)
    if not full:
        return None, faults
    formats = sorted({_format(file) for file in full})
    if len(formats) > 1:
        rule = f"holds files of several formats: {', '.join(formats)}"
        return None, [*faults, intake.fault(full[0], rule)]
    raw, wrong = _read(intake, full, used, formats[0])
    if raw is not None and intake.source.skip:
        raw = _leave_out(intake, raw)
    return raw, faults + wrong


def _leave_out(intake: Intake, raw: Raw) -> Raw:
    """Return the relation without the rows that `skip:` marks in one of their first two cells."""
    marked = []
    for column in list(raw.columns)[:2]:
        cell = f"trim(cast({quote(column)} as varchar))"
        for pattern in intake.source.skip:
            beginning = pattern.removesuffix("*")
            if pattern.endswith("*"):
                marked.append(f"coalesce(starts_with({cell}, {text(beginning)}), false)")
            else:
                marked.append(f"{cell} is not distinct from {text(pattern)}")
    kept = f"where not ({' or '.join(marked)})"
    scan = f"select * from ({raw.scan}) {kept}"
    counted = first_row(intake.con, f"select count(*) from ({scan})") or (0,)
    relation = f"select * from ({raw.relation}) {kept}"
    return replace(raw, relation=relation, scan=scan, rows=int(counted[0]))


def _refuse_closed(file: File) -> str:
    """Say why a file cannot be opened; empty where it can."""
    try:
        with file.path.open("rb"):
            return ""
    except OSError as error:
        return f"cannot be opened: {(error.strerror or 'the system refuses it').lower()}"


def _format(file: File) -> str:
    formats = dict.fromkeys(EXCEL, "excel") | dict.fromkeys(SPREADSHEETS, "spreadsheet")
    formats |= dict.fromkeys(DOCUMENTS, "json") | dict.fromkeys(ARROW, "arrow")
    formats[".parquet"] = "parquet"
    return formats.get(inner_ending(file.path), "csv")


def _read(
    intake: Intake, files: Sequence[File], used: Sequence[str], format_: str
) -> tuple[Raw | None, list[Fault]]:
    if format_ == "parquet":
        return read_parquet(intake, files)
    if format_ == "arrow":
        return read_arrow(intake, files)
    if format_ == "json":
        return read_documents(intake, files, used)
    readers = {"excel": read_workbook, "spreadsheet": read_spreadsheet}
    read = readers.get(format_, read_delimited)
    return stack_files(intake, files, partial(read, intake), "all")
