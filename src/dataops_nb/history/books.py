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
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from dataops_nb.errors import LockedError, PublishError
from dataops_nb.history.lines import Broken, Check, order_of, read_lines

WAIT = 30.0  # seconds for which another process may hold the history
FORMULA = re.compile(r"'*[=+\-@\t\r]")
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
    """A file `history/<name>.csv` with its columns; `key` are those that tell two rows apart.

    `wrong` says what is wrong with the cells of a row.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    wrong: Check | None = None

    @property
    def shown(self) -> str:
        """The file as people are told of it."""
        return f"history/{self.name}.csv"

    def read(self, out: Path | None) -> pd.DataFrame:
        """Return all rows, oldest first, every cell text; empty where nothing was written.

        Broken lines are left out (`broken`). Raises PublishError where the file cannot be read.
        """
        rows = self._rows(_read(out, self.name)) if out else []
        return pd.DataFrame(rows, columns=list(self.columns), dtype=object)

    def broken(self, out: Path) -> tuple[Broken, ...]:
        """Return the lines that are left out, with what is wrong with each.

        Raises PublishError where the file cannot be read.
        """
        return read_lines(_read(out, self.name), self.columns, self.wrong).broken

    def add(self, out: Path, rows: Sequence[Mapping[str, Any]]) -> int:
        """Add the rows whose key is not in the book yet, and return how many those were.

        What stands in the file stays, broken lines too. Raises PublishError where the file cannot
        be read or written, LockedError where another process holds it.
        """
        with _held(out, self.shown):
            content = _read(out, self.name)
            new = self._new(content, rows)
            if new:
                cells = [[_guarded(cell) for cell in row] for row in new]
                _replace(out, self.name, _appended(content, self.columns, cells))
        return len(new)

    def _new(self, content: bytes, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Return the cells of rows whose key is not in the file; the last of two alike counts."""
        known = set()
        for cells in self._rows(content):
            known.add(self._key(dict(zip(self.columns, cells, strict=True))))
        by_key: dict[tuple[str, ...], list[str]] = {}
        for row in rows:
            by_key[self._key(row)] = [_cell(row.get(name)) for name in self.columns]
        return [cells for key, cells in by_key.items() if key not in known]

    def _key(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(_cell(row.get(name)) for name in self.key)

    def _rows(self, content: bytes) -> list[list[str]]:
        rows = read_lines(content, self.columns, self.wrong).rows
        return [[_unguarded(cell) for cell in row] for row in rows]


def _is_number(cell: str) -> bool:
    try:
        return cell == "" or math.isfinite(float(cell))
    except ValueError:
        return False


@cache
def _is_day(cell: str) -> bool:
    try:
        return dt.date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


def _cells_of_a_day(columns: Sequence[str], numbers: Iterable[str]) -> Check:
    """Return what says what is wrong with a row that has an as-of and these numbers."""
    day = columns.index("as_of")
    places = [columns.index(name) for name in numbers]

    def check(row: Sequence[str]) -> str | None:
        if not _is_day(row[day]):
            return f"has {row[day]!r} as its as_of, which is no day"
        for place in places:
            if not _is_number(row[place]):
                return f"has {row[place]!r} as its {columns[place]}, which is no number"
        return None

    return check


_OF_LIGHTS = (*PLACE, *LIGHT_SAID, "report", "run")
LIGHTS = Book("lights", _OF_LIGHTS, (*PLACE, *LIGHT_SAID), _cells_of_a_day(_OF_LIGHTS, NUMBERS))
VALUES = Book("values", tuple(COLUMNS), tuple(KEY), _cells_of_a_day(COLUMNS, ["value", "n"]))
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


def _read(out: Path, name: str) -> bytes:
    """Return the content of a file; nothing where there is none."""
    try:
        return (out / "history" / f"{name}.csv").read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise PublishError(f"history/{name}.csv cannot be read: {error}") from error


def _appended(content: bytes, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return the content of a file with rows below it; a new one starts with its columns."""
    order = order_of(content, columns)
    added = io.StringIO()
    writer = csv.writer(added, lineterminator="\n")
    if not content:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([*map([*row, ""].__getitem__, order)])
    # A spreadsheet, or a person, may have left the last line without its end.
    ends = not content or content.endswith((b"\n", b"\r"))
    return content + (b"" if ends else b"\n") + added.getvalue().encode()


def _replace(out: Path, name: str, content: bytes) -> None:
    """Put the content in place of a file in one step."""
    staged = out / "runs" / f"{name}.csv.new"
    with staged.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(staged, out / "history" / f"{name}.csv")


def broken_lines(out: Path) -> list[str]:
    """Return what is wrong with lines of the values and lights in an output folder.

    One text a line, with file and line. Raises PublishError where a file cannot be read.
    """
    texts = []
    for book in (VALUES, LIGHTS):
        texts += [f"{book.shown}:{one.line} {one.rule}" for one in book.broken(out)]
    return texts


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
        content = _read(out, "values")
        known = {_key(row): _said(row) for row in _parsed(content)}
        new: dict[tuple[str, ...], list[str]] = {}
        for published_row in rows.to_dict("records"):
            row = [*_value_cells(published_row, as_of), *source]
            if known.get(_key(row)) != _said(row):
                new[_key(row)] = row
        if new:
            _replace(out, "values", _appended(content, COLUMNS, new.values()))
    return len(new)


def published(out: Path | None) -> pd.DataFrame:
    """Return every value as it was last published; empty where nothing was.

    One row a metric, segment, grain, period and as-of, with the columns of the file: `as_of` is a
    day, `segment` null for the total, `value` and `n` numbers, `complete` a truth value. Broken
    lines are left out (`broken_lines`). Raises PublishError where the file cannot be read.
    """
    rows = _parsed(_read(out, "values")) if out else []
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    frame = frame.drop_duplicates(KEY, keep="last", ignore_index=True)
    return frame.assign(
        segment=frame["segment"].where(frame["segment"] != "", None),
        as_of=pd.to_datetime(frame["as_of"], format="%Y-%m-%d").astype("datetime64[s]"),
        value=pd.to_numeric(frame["value"].where(frame["value"] != "", None)).astype(float),
        complete=frame["complete"].str.lower() == "true",
        n=pd.to_numeric(frame["n"].where(frame["n"] != "", "0")).astype(int),
    )


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


def _parsed(content: bytes) -> list[list[str]]:
    """Return the rows of the file of values, each with all its cells."""
    return read_lines(content, COLUMNS, VALUES.wrong).rows


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
    for name in NUMBERS:
        known = frame[name].where(frame[name] != "", None)
        columns[name] = pd.to_numeric(known).astype(float)
    days = pd.to_datetime(frame["as_of"], format="%Y-%m-%d")
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
