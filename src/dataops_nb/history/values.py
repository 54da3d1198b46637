"""Every value that was ever published: `history/values.csv` in the output folder, one row a value and as-of.

The file only grows, and is replaced in one step, so that a reader never sees half a row and two writers lose nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from dataops_nb.errors import LockedError, PublishError

KEY = ["metric", "segment", "grain", "period", "as_of"]
SAID = ["value", "complete", "n", "definition"]
COLUMNS = [*KEY, *SAID, "report", "run", "published_at"]
SHOWN = "history/values.csv"
WAIT = 30.0


def remember(out: Path, rows: pd.DataFrame, *, report: str, as_of: dt.date, run: str, published_at: dt.datetime) -> int:
    """Keep published values in the output folder; how many of them were new.

    `rows` have `metric segment grain period value complete n definition`. What was last remembered of a value and as-of
    with the same `value complete n definition` is not written again, whichever report or run says it. Raises
    PublishError where the file cannot be read or written, LockedError where another process holds it for 30 seconds.
    """
    about = [report, run, published_at.isoformat(timespec="seconds")]
    asked = [[*_written(row, as_of), *about] for row in rows.to_dict("records")]
    with _held(out):
        text = _text(out)
        known = {_key(row): _said(row) for row in _parsed(text)}
        new = list({_key(row): row for row in asked if known.get(_key(row)) != _said(row)}.values())
        if new:
            _replace(out, text, new)
    return len(new)


def published(out: Path | None) -> pd.DataFrame:
    """What was published: one row a metric, segment, grain, period and as-of, as it was last said; empty where nothing was.

    Columns as in the file; `as_of` is a day, `segment` null for the total, `value` and `n` numbers, `complete` a truth
    value. Raises PublishError where the file cannot be read.
    """
    frame = pd.DataFrame(_parsed(_text(out)) if out else [], columns=COLUMNS, dtype=object)
    frame = frame.drop_duplicates(KEY, keep="last", ignore_index=True)
    try:
        return frame.assign(
            segment=frame["segment"].where(frame["segment"] != "", None),
            as_of=pd.to_datetime(frame["as_of"], format="%Y-%m-%d").astype("datetime64[s]"),
            value=pd.to_numeric(frame["value"].where(frame["value"] != "", None)).astype(float),
            complete=frame["complete"] == "true",
            n=pd.to_numeric(frame["n"].where(frame["n"] != "", "0")).astype(int),
        )
    except ValueError as error:
        raise PublishError(f"{SHOWN} cannot be read: {error}; mend it or move it away") from error


def _written(row: Mapping[Any, Any], as_of: dt.date) -> list[str]:
    """The KEY and SAID cells of a row; a number's last bits, which differ with the order of summation, are left out."""
    segment, value = row.get("segment"), row["value"]
    missing = value is None or value is pd.NA or not math.isfinite(value)
    n = row.get("n")
    return [
        str(row["metric"]),
        segment if isinstance(segment, str) else "",
        str(row["grain"]),
        str(row["period"]),
        as_of.isoformat(),
        "" if missing else f"{float(value):.12g}",
        str(bool(row["complete"])).lower(),
        "" if pd.isna(n) else str(int(n)),
        str(row.get("definition") or ""),
    ]


def _key(row: list[str]) -> tuple[str, ...]:
    return tuple(row[: len(KEY)])


def _said(row: list[str]) -> tuple[str, ...]:
    return tuple(row[len(KEY) : len(KEY) + len(SAID)])


def _file(out: Path) -> Path:
    return out / "history" / "values.csv"


def _text(out: Path) -> str:
    try:
        return _file(out).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise PublishError(f"{SHOWN} cannot be read: {error}") from error


def _parsed(text: str) -> list[list[str]]:
    if not text:
        return []
    try:
        header, *rows = csv.reader(io.StringIO(text), strict=True)
    except csv.Error as error:
        raise PublishError(f"{SHOWN} cannot be read: {error}; mend it or move it away") from error
    if header != COLUMNS:
        raise PublishError(f"{SHOWN} must have the columns {', '.join(COLUMNS)}; mend it or move it away")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(COLUMNS):
            raise PublishError(f"{SHOWN}:{number} has {len(row)} of {len(COLUMNS)} cells; mend it or move it away")
    return rows


@contextmanager
def _held(out: Path) -> Iterator[None]:
    try:
        for folder in (out / "runs", out / "history"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(out / "runs" / "history.lock", timeout=WAIT):
            yield
    except Timeout:
        raise LockedError(f"another process holds {SHOWN}") from None
    except OSError as error:
        raise PublishError(f"{SHOWN} cannot be written: {error.strerror or error}") from error


def _replace(out: Path, text: str, new: list[list[str]]) -> None:
    """Put the file with the new rows in place of the old one, in one step."""
    added = io.StringIO()
    writer = csv.writer(added, lineterminator="\n")
    if not text:
        writer.writerow(COLUMNS)
    writer.writerows(new)
    staged = out / "runs" / "values.csv.new"
    with staged.open("w", encoding="utf-8", newline="") as handle:
        handle.write(text if text.endswith("\n") or not text else f"{text}\n")
        handle.write(added.getvalue())
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(staged, _file(out))
