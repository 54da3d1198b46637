"""Parquet files: refused from their footer where it is absurd, else read in place; nothing is copied."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import ROW, Infer, Part, Raw
from dataops_nb.sources.files import File
from dataops_nb.sources.sql import first_row, text, texts
from dataops_nb.sources.tables import Intake, compare_columns

MOST_ROWS = 10**8
SMALL = 50 << 20


def read_parquet(intake: Intake, files: Sequence[File]) -> tuple[Raw | None, list[Fault]]:
    """The files as a relation over themselves; one that cannot be read, or has other columns, is a fault, left out."""
    con = intake.con
    faults: list[Fault] = []
    parts: list[Part] = []
    columns: dict[str, str] = {}
    for file in files:
        rows, rule = _read_footer(con, file)
        found = {} if rule else _read_columns(con, file)
        rule = rule or (compare_columns(list(columns), list(found), parts[0].file) if parts else "")
        if rule:
            faults.append(intake.fault(file, rule))
            continue
        columns = columns or found
        start = parts[-1].start + parts[-1].count if parts else 0
        parts.append(Part(file.shown, file.path, start, rows))
    if not parts:
        return None, faults
    paths = texts(str(p.path) for p in parts)
    scan = f"select * from read_parquet([{paths}], union_by_name={str(len(parts) > 1).lower()})"
    relation = " union all by name ".join(_number_rows(p) for p in parts)
    merged = columns if len(parts) == 1 else _describe(con, scan)
    infer: dict[str, Infer] = {c: "none" for c, t in merged.items() if t == "VARCHAR"}
    return Raw(relation, scan, merged, parts, infer, sum(p.count for p in parts), table=False), faults


def _number_rows(part: Part) -> str:
    numbered = f"read_parquet({text(str(part.path))}, file_row_number=true)"
    return f"select * exclude (file_row_number), file_row_number + {part.start} as {ROW} from {numbered}"


def _read_footer(con: duckdb.DuckDBPyConnection, file: File) -> tuple[int, str]:
    """The rows that the footer declares, or why the file is not read."""
    size = file.path.stat().st_size
    if size == 0:
        return 0, "is empty (0 bytes)"
    try:
        found = first_row(con, f"select num_rows from parquet_file_metadata({text(str(file.path))})")
    except duckdb.Error:
        return 0, "is no parquet file, or was cut off: its footer cannot be read"
    rows = int(found[0]) if found else 0
    if rows > MOST_ROWS and size < SMALL:
        return 0, f"declares {rows:,} rows in {size / (1 << 20):,.1f} MB, which no honest export does; it is not read"
    return rows, ""


def _read_columns(con: duckdb.DuckDBPyConnection, file: File) -> dict[str, str]:
    return _describe(con, f"select * from read_parquet({text(str(file.path))})")


def _describe(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    return {row[0]: row[1] for row in con.execute(f"describe {query}").fetchall()}
