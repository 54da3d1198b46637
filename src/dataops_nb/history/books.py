"""Books: files in `out/history` to which rows are only added, so that no one's words are lost.

Values and lights remember what was published for which day, notes what owners said about a light.
A file is replaced in one step under a lock: a reader never sees half a row, and two writers lose
nothing. Every cell is text. What a spreadsheet would run as a formula stands behind an apostrophe
in the file of a `Book`, and without it in what is read.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from dataops_nb.errors import LockedError, PublishError

WAIT = 30.0  # seconds for which another process may hold the history
FORMULA = re.compile(r"'*[=+\-@\t\r]")
MEND = "mend it or move it away"
# A value, what is said of it, and by what.
KEY = ["metric", "segment", "grain", "period", "as_of"]
SAID = ["value", "complete", "n", "definition"]
COLUMNS = [*KEY, *SAID, "report", "run", "published_at"]
SHOWN = "history/values.csv"
# The same of a light.
PLACE = ("metric", "grain", "period", "as_of")
LIGHT_SAID = ("light", "reason", "on_pace", "attainment", "landing", "p_hit")
NUMBERS = ("attainment", "landing", "p_hit")


@dataclass(frozen=True)
class Book:
    """A file `history/<name>.csv` with its columns; `key` are those that tell two rows apart."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The file as people are told of it."""
        return f"history/{self.name}.csv"

    def read(self, out: Path | None) -> pd.DataFrame:
        """Return all rows, oldest first, every cell text; empty where nothing was written.

        Raises PublishError where the file cannot be read.
        """
        rows = self._rows(self._text(out)) if out else []
        return pd.DataFrame(rows, columns=list(self.columns), dtype=object)

    def add(self, out: Path, rows: Sequence[Mapping[str, Any]]) -> int:
        """Add the rows whose key is not in the book yet, and return how many those were.

        Raises PublishError where the file cannot be read or written, LockedError where another
        process holds it.
        """
        with _held(out, self.shown):
            text = self._text(out)
            new = self._new(text, rows)
            if new:
                cells = [[_guarded(cell) for cell in row] for row in new]
                _replace(out, self.name, _appended(text, self.columns, cells))
        return len(new)

    def _new(self, text: str, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Return the cells of rows whose key is not in the text; the last of two alike counts."""
        known = set()
        for cells in self._rows(text):
            known.add(self._key(dict(zip(self.columns, cells, strict=True))))
        by_key: dict[tuple[str, ...], list[str]] = {}
        for row in rows:
            by_key[self._key(row)] = [_cell(row.get(name)) for name in self.columns]
        return [cells for key, cells in by_key.items() if key not in known]

    def _key(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(_cell(row.get(name)) for name in self.key)

    def _text(self, out: Path) -> str:
        # A spreadsheet that saves the file puts a mark before it.
        return _read(out, self.name, "utf-8-sig")

    def _rows(self, text: str) -> list[list[str]]:
        if not text.strip():
            return []
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            header, *rows = [row for row in lines if row]
        except csv.Error as error:
            raise PublishError(f"{self.shown} cannot be read: {error}; {MEND}") from error
        if tuple(header) != self.columns:
            columns = ", ".join(self.columns)
            raise PublishError(f"{self.shown} must have the columns {columns}; {MEND}")
        for number, row in enumerate(rows, start=2):
            if len(row) != len(self.columns):
                size = f"has {len(row)} of {len(self.columns)} cells"
                raise PublishError(f"{self.shown}: row {number} {size}; {MEND}")
        return [[_unguarded(cell) for cell in row] for row in rows]


LIGHTS = Book("lights", (*PLACE, *LIGHT_SAID, "report", "run"), (*PLACE, *LIGHT_SAID))
NOTES = Book(
    "notes",
    ("noted_at", "as_of", "metric", "grain", "period", "light", "who", "kind", "text"),
    ("noted_at", "metric", "kind", "text"),
)


def _guarded(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


@contextmanager
def _held(out: Path, shown: str) -> Iterator[None]:
    """Hold the history of an output folder while a file of it, `shown`, is read and written."""
    try:
        for folder in (out / "runs", out / "history"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(out / "runs" / "history.lock", timeout=WAIT):
            yield
    except Timeout:
        raise LockedError(f"another process holds {shown}") from None
    except OSError as error:
        raise PublishError(f"{shown} cannot be written: {error.strerror or error}") from error


def _read(out: Path, name: str, encoding: str = "utf-8") -> str:
    """Return the text of a file; "" where there is none."""
    file = out / "history" / f"{name}.csv"
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise PublishError(f"history/{name}.csv cannot be read: {error}") from error
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = f"0x{content[error.start]:02x}"
        rule = f"is no UTF-8: byte {byte}"
        raise PublishError(f"history/{name}.csv:{line} {rule}; {MEND}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _appended(text: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the text of a file with rows below it; a new one starts with its columns."""
    added = io.StringIO()
    writer = csv.writer(added, lineterminator="\n")
    if not text:
        writer.writerow(columns)
    writer.writerows(rows)
    # A spreadsheet, or a person, may have left the last line without its end.
    before = f"{text}\n" if text and not text.endswith("\n") else text
    return before + added.getvalue()


def _replace(out: Path, name: str, text: str) -> None:
    """Put the text in place of a file in one step."""
    staged = out / "runs" / f"{name}.csv.new"
    with staged.open("w", encoding="utf-8", newline="") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(staged, out / "history" / f"{name}.csv")


def remember(
    out: Path,
    rows: pd.DataFrame,
    *,
    report: str,
    as_of: dt.date,
    run: str,
    published_at: dt.datetime,
) -> int:
    """Keep published values in the output folder, and return how many of them were new.

    `rows` have `metric segment grain period value complete n definition`. What was last remembered
    of a value and as-of with the same `value complete n definition` is not written again, whichever
    report or run says it. Raises PublishError where the file cannot be read or written, LockedError
    where another process holds it for 30 seconds.
    """
    source = [report, run, published_at.isoformat(timespec="seconds")]
    with _held(out, SHOWN):
        text = _read(out, "values")
        known = {_key(row): _said(row) for row in _parsed(text)}
        new: dict[tuple[str, ...], list[str]] = {}
        for published_row in rows.to_dict("records"):
            row = [*_value_cells(published_row, as_of), *source]
            if known.get(_key(row)) != _said(row):
                new[_key(row)] = row
        if new:
            _replace(out, "values", _appended(text, COLUMNS, new.values()))
    return len(new)


def published(out: Path | None) -> pd.DataFrame:
    """Return every value as it was last published; empty where nothing was.

    One row a metric, segment, grain, period and as-of, with the columns of the file: `as_of` is a
    day, `segment` null for the total, `value` and `n` numbers, `complete` a truth value. Raises
    PublishError where the file cannot be read.
    """
    rows = _parsed(_read(out, "values")) if out else []
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
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
        raise PublishError(f"{SHOWN} cannot be read: {error}; {MEND}") from error


def _value_cells(row: Mapping[Any, Any], as_of: dt.date) -> list[str]:
    """Return the KEY and SAID cells of a row.

    A number's last bits, which differ with the order of summation, are left out.
    """
    segment, value, n = row.get("segment"), row["value"], row.get("n")
    is_missing = value is None or value is pd.NA or not math.isfinite(value)
    return [
        str(row["metric"]),
        segment if isinstance(segment, str) else "",
        str(row["grain"]),
        str(row["period"]),
        as_of.isoformat(),
        "" if is_missing else f"{float(value):.12g}",
        str(bool(row["complete"])).lower(),
        "" if pd.isna(n) else str(int(n)),
        str(row.get("definition") or ""),
    ]


def _key(row: list[str]) -> tuple[str, ...]:
    return tuple(row[: len(KEY)])


def _said(row: list[str]) -> tuple[str, ...]:
    return tuple(row[len(KEY) : len(KEY) + len(SAID)])


def _parsed(text: str) -> list[list[str]]:
    """Return the rows of the file of values, each with all its cells."""
    if not text:
        return []
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header, *rows = reader
    except csv.Error as error:
        raise PublishError(f"{SHOWN}:{reader.line_num} cannot be read: {error}; {MEND}") from error
    if header != COLUMNS:
        raise PublishError(f"{SHOWN} must have the columns {', '.join(COLUMNS)}; {MEND}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(COLUMNS):
            size = f"has {len(row)} of {len(COLUMNS)} cells"
            raise PublishError(f"{SHOWN}:{number} {size}; {MEND}")
    return rows


def keep_lights(
    out: Path, rows: Iterable[Mapping[str, Any]], *, as_of: dt.date, report: str, run: str
) -> int:
    """Keep published lights in the output folder, and return how many of them were new.

    `rows` have `metric grain period light reason on_pace attainment landing p_hit`. A light that
    was published before with the same words and numbers is not written again.
    """
    lights = []
    for row in rows:
        cells: dict[str, Any] = {}
        for name in (*PLACE, *LIGHT_SAID):
            cells[name] = _light_cell(row.get(name))
        cells |= {"as_of": as_of.isoformat(), "report": report, "run": run}
        lights.append(cells)
    return LIGHTS.add(out, lights)


def published_lights(out: Path | None) -> pd.DataFrame:
    """Return each light as it was last published for its metric, grain, period and as-of.

    `as_of` is a day; `attainment landing p_hit` are numbers. Raises PublishError where the file
    cannot be read.
    """
    frame = LIGHTS.read(out).drop_duplicates(list(PLACE), keep="last", ignore_index=True)
    columns: dict[str, pd.Series] = {"on_pace": frame["on_pace"] == "true"}
    try:
        for name in NUMBERS:
            known = frame[name].where(frame[name] != "", None)
            columns[name] = pd.to_numeric(known).astype(float)
        days = pd.to_datetime(frame["as_of"], format="%Y-%m-%d")
    except ValueError as error:
        raise PublishError(f"{LIGHTS.shown} cannot be read: {error}; {MEND}") from error
    return frame.assign(**columns, as_of=days.astype("datetime64[s]"))


def _light_cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{float(value):.12g}" if math.isfinite(value) else ""
    return _cell(value)


def notes(out: Path | None, as_of: dt.date) -> pd.DataFrame:
    """Return every note and answer up to a day, oldest first.

    `open` marks a note that no answer to its metric has followed.
    """
    book = NOTES.read(out)
    known = book[book["as_of"] <= as_of.isoformat()].reset_index(drop=True)
    rows = known.to_dict("records")
    answered_at: dict[str, int] = {}
    for place, row in enumerate(rows):
        if row["kind"] == "answer":
            answered_at[row["metric"]] = place
    is_open = []
    for place, row in enumerate(rows):
        is_unanswered = place > answered_at.get(row["metric"], -1)
        is_open.append(row["kind"] == "note" and is_unanswered)
    return known.assign(open=pd.Series(is_open, index=known.index, dtype=bool))
