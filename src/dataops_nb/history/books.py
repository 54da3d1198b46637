"""Books: files in `out/history` to which rows are only added, so that no one's words are lost.

Values and lights remember what was published for which day, notes what owners said about a light.
Rows are added under a lock: a reader never sees half a row, and two writers lose nothing.
Questions are asked of the file's `register`, whose size is that of the answer and not of the file.
Every cell is text. What a spreadsheet would run as a formula stands behind an apostrophe in the
file of a `Book`, and without it in what is read.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.bookkeeping import files, shapes
from dataops_nb.bookkeeping.lines import Broken, CellCheck, order_of
from dataops_nb.bookkeeping.shapes import COLUMNS, KEY, LIGHT_SAID, NUMBERS, PLACE, SAID
from dataops_nb.history import register
from dataops_nb.history.register import Register

HEADER = 1 << 16  # bytes in which the header of a file ends
FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True)
class Book:
    """A file `history/<name>.csv` with its columns; `key` are those that tell two rows apart.

    `wrong` says what is wrong with the cells of a row.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    wrong: CellCheck | None = None

    @property
    def shown(self) -> str:
        """The file as people are told of it."""
        return files.shown(self.name)

    def read(self, out: Path | None) -> pd.DataFrame:
        """Return all rows, oldest first, every cell text; empty where nothing was written.

        Broken lines are left out (`broken`). Raises PublishError where the file cannot be read.
        """
        if out is None:
            return pd.DataFrame(columns=list(self.columns), dtype=object)
        return _frame(self.register(out), self.columns)

    def register(self, out: Path) -> Register:
        """Return the rows as a register. Raises PublishError where the file cannot be read."""
        return register.read(out, self.name, self.columns, self.wrong).meant(_unguarded)

    def broken(self, out: Path) -> tuple[Broken, ...]:
        """Return the lines that are left out, with what is wrong with each.

        Raises PublishError where the file cannot be read.
        """
        return register.read(out, self.name, self.columns, self.wrong).broken

    def add(self, out: Path, rows: Sequence[Mapping[str, Any]]) -> int:
        """Add the rows whose key is not in the book yet, and return how many those were.

        What stands in the file stays, broken lines too. Raises PublishError where the file cannot
        be read or written, LockedError where another process holds it.
        """
        with files.held(out, self.name):
            new = self._new(self.register(out), rows) if rows else []
            if new:
                cells = [[_guarded(cell) for cell in row] for row in new]
                files.add(out, self.name, _lines(out, self.name, self.columns, cells))
        return len(new)

    def _new(self, known: Register, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Return the cells of rows whose key is not in the book; the last of two alike counts."""
        by_key: dict[tuple[str, ...], list[str]] = {}
        for row in rows:
            key = tuple(_cell(row.get(name)) for name in self.key)
            by_key[key] = [_cell(row.get(name)) for name in self.columns]
        written = set(known.rows(self.key, known.where(_wanted(self.key, by_key))))
        return [cells for key, cells in by_key.items() if key not in written]


def _wanted(key: Sequence[str], keys: Iterable[tuple[str, ...]]) -> dict[str, set[str]]:
    """Return the texts of each column of the key among these keys."""
    return {name: set(texts) for name, texts in zip(key, zip(*keys, strict=True), strict=True)}


def _frame(
    known: Register, columns: Sequence[str], places: np.ndarray | None = None
) -> pd.DataFrame:
    """Return rows of a register as a table of texts, those at the places or all."""
    if places is None:
        places = np.arange(len(known))
    cells = {name: known.cells(name, places) for name in columns}
    return pd.DataFrame(cells, columns=list(columns), dtype=object)


LIGHTS = Book("lights", shapes.OF_LIGHTS, (*PLACE, *LIGHT_SAID), shapes.LIGHTS)
VALUES = Book("values", tuple(COLUMNS), tuple(KEY), shapes.VALUES)
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


def _lines(out: Path, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as lines to add to a file that is held; a new file starts with its columns."""
    size = files.edition(out, name).size
    order = order_of(files.read(out, name, 0, min(size, HEADER)), columns)
    added = io.StringIO()
    writer = csv.writer(added, lineterminator="\n")
    if not size:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([*map([*row, ""].__getitem__, order)])
    # A spreadsheet, or a person, may have left the last line without its end.
    last = files.read(out, name, max(size - 1, 0), size)
    ends = not last or last in (b"\n", b"\r")
    return (b"" if ends else b"\n") + added.getvalue().encode()


def broken_lines(out: Path) -> list[str]:
    """Return what is wrong with lines of the values and lights in an output folder.

    One text a line, with file and line. Raises PublishError where a file cannot be read.
    """
    texts = []
    for book in (VALUES, LIGHTS):
        texts += [shapes.as_text(book.name, line) for line in book.broken(out)]
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
    cells = [_value_cells(row, as_of) for row in rows.to_dict("records")]
    if not cells:
        return 0
    with files.held(out, VALUES.name):
        values = register.read(out, VALUES.name, COLUMNS, VALUES.wrong)
        places = values.where(_wanted(KEY, map(_key, cells)))
        known = {_key(row): _said(row) for row in values.rows([*KEY, *SAID], places)}
        new: dict[tuple[str, ...], list[str]] = {}
        for row in cells:
            if known.get(_key(row)) != _said(row):
                new[_key(row)] = [*row, *source]
        if new:
            files.add(out, VALUES.name, _lines(out, VALUES.name, COLUMNS, new.values()))
    return len(new)


def published(out: Path | None) -> pd.DataFrame:
    """Return every value as it was last published; empty where nothing was.

    One row a metric, segment, grain, period and as-of, with the columns of the file: `as_of` is a
    day, `segment` null for the total, `value` and `n` numbers, `complete` a truth value. Broken
    lines are left out (`broken_lines`). Raises PublishError where the file cannot be read.
    """
    values = _values(out)
    return _typed(values, _last_places(values, KEY, np.arange(len(values))))


def newest(
    out: Path | None, before: dt.date | None = None, *, complete: bool = False
) -> pd.DataFrame:
    """Return each value as it was last published, one row a metric, segment, grain and period.

    The columns are those of `published`. The last is that of the latest as-of; with `before` it is
    earlier than that day, with `complete` only what was published as complete counts.
    """
    values = _values(out)
    places = _last_places(values, KEY, np.arange(len(values)))
    days = values.texts("as_of")
    of_day = np.argsort(np.argsort(days))[values.codes("as_of")] if len(values) else places
    if before is not None and len(values):
        places = places[(days < before.isoformat())[values.codes("as_of")[places]]]
    if complete and len(values):
        is_complete = np.array([text.lower() == "true" for text in values.texts("complete")])
        places = places[is_complete[values.codes("complete")[places]]]
    places = places[np.argsort(of_day[places], kind="stable")]
    return _typed(values, np.sort(_last_places(values, KEY[:-1], places)))


def last_told(out: Path | None, as_of: dt.date) -> pd.DataFrame:
    """Return the last as-of up to a day that each metric was published for: `metric as_of report`.

    `as_of` is a text like 2026-11-22.
    """
    values = _values(out)
    days = values.texts("as_of")
    places = np.arange(len(values))
    if len(values):
        places = places[(days <= as_of.isoformat())[values.codes("as_of")]]
        of_day = np.argsort(np.argsort(days))[values.codes("as_of")]
        places = places[np.argsort(of_day[places], kind="stable")]
    return _frame(values, ["metric", "as_of", "report"], _last_places(values, KEY[:1], places))


def _values(out: Path | None) -> Register:
    if out is None:
        return register.empty(COLUMNS)
    return register.read(out, VALUES.name, COLUMNS, VALUES.wrong)


def _last_places(values: Register, key: Sequence[str], places: np.ndarray) -> np.ndarray:
    """Return those of the places, in their order, that are the last of their key."""
    if not len(places):
        return places
    numbers = np.zeros(len(places), dtype=np.int64)
    for name in key:
        numbers = numbers * len(values.texts(name)) + values.codes(name)[places]
        # a number for each key so far, small again before the next column is added
        numbers = pd.factorize(numbers)[0]
    return places[~pd.Series(numbers).duplicated(keep="last").to_numpy()]


def _typed(values: Register, places: np.ndarray) -> pd.DataFrame:
    frame = _frame(values, COLUMNS, places)
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


def _key(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[: len(KEY)])


def _said(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[len(KEY) : len(KEY) + len(SAID)])


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
