"""What the files of `out/history` say, as digests: has anything changed that a report stands on?

A report compares its values with those published before it, so it is due when they are others. The
digest of a metric up to a day is the sum of its rows' hashes, so it does not depend on their order,
and a row more is one addition: a file that has grown is read from where it was left.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dataops_nb.bookkeeping import files
from dataops_nb.plain import DIGEST_LENGTH

VOLATILE = frozenset({"report", "run", "published_at"})  # columns that tell no reader anything
LATER = frozenset({"sent"})  # what became of a report once it was published
TYPED = frozenset({"notes"})  # what people say about a day counts on that day
VERSION = 1
LONG = 1 << 18  # bytes of a file whose digests are kept for the next run
BITS = 128
MARK = "\ufeff"
Marks = tuple[list[str], list[int]]


class HistoryDigest:
    """Digests of the history in an output folder; a file is read again where it has changed.

    With `read_only` nothing is kept for the next run.
    """

    def __init__(self, out: Path, *, read_only: bool = False) -> None:
        self._out = out
        self._read_only = read_only
        self._files: dict[str, _Read] = {}

    def digest(self, metrics: Collection[str] | None, as_of: dt.date) -> str:
        """Return 12 hex digits of what was published about metrics (None: all) for earlier days.

        What was noted counts up to the day itself. Rows without a metric count for everybody, rows
        without an as-of on every day.
        """
        self._read_changed()
        day = as_of.isoformat()
        content = hashlib.sha256()
        for name, read in self._files.items():
            chosen = read.sums if metrics is None else {"", *metrics} & read.sums.keys()
            for metric in sorted(chosen):
                days, totals = read.marks(metric)
                place = bisect_right(days, day) if name in TYPED else bisect_left(days, day)
                if place:
                    content.update(f"{name}.csv {metric} {totals[place - 1]:x}\n".encode())
        return content.hexdigest()[:DIGEST_LENGTH]

    def keep(self) -> None:
        """Keep what was read of long files for the next run."""
        if self._read_only or not files.may_keep():
            return
        for name, read in self._files.items():
            if read.is_new and read.is_sound and read.edition.size > LONG:
                with files.keeping(self._out, f"{name}.marks") as path:
                    path.write_text(json.dumps(read.plain()), encoding="utf-8")
                read.is_new = False

    def _read_changed(self) -> None:
        there = {}
        for path in sorted((self._out / "history").glob("*.csv")):
            name = path.stem
            if name not in LATER:
                now = files.edition(self._out, name, read_only=self._read_only)
                there[name] = self._read(name, now)
        self._files = there

    def _read(self, name: str, now: files.Edition) -> _Read:
        known = self._files.get(name) or _kept(self._out, name)
        if known is None or known.edition.name != now.name or not known.is_sound:
            known = _Read(files.Edition(now.name, 0))
        if known.edition.size < now.size:
            known.go_on(self._out, name, now)
        return known


@dataclass
class _Read:
    """What was read of a file: its columns, and the sum of the hashes of each metric and day."""

    edition: files.Edition
    columns: list[str] = field(default_factory=list)
    sums: dict[str, dict[str, int]] = field(default_factory=dict)
    is_sound: bool = True
    is_new: bool = False
    _marks: dict[str, Marks] = field(default_factory=dict)

    def go_on(self, out: Path, name: str, now: files.Edition) -> None:
        """Read the rows below those that were read, up to an edition's end."""
        # A line that somebody broke takes no other with it (`bookkeeping.lines`).
        path = files.path_of(out, name)
        reader = csv.reader(_lines(path, self.edition.size, now.size))
        try:
            if not self.columns:
                header = next(reader, [])
                self.columns = [column.removeprefix(MARK) for column in header]
            self._add(reader)
        except csv.Error as error:
            self._count("", "", f"{reader.line_num}: {error}")
            self.is_sound = False
        self.edition, self.is_new = now, True

    def _add(self, rows: Iterator[Sequence[str]]) -> None:
        places = [place for place, name in enumerate(self.columns) if name not in VOLATILE]
        names = [self.columns[place] for place in places]
        metric = self.columns.index("metric") if "metric" in self.columns else None
        day = self.columns.index("as_of") if "as_of" in self.columns else None
        head = "\x1f".join(names)
        width = len(self.columns)
        for row in rows:
            if not row:
                continue
            cells = [*row, *[""] * (width - len(row))]
            row_text = "\x1f".join([cells[place] for place in places] + cells[width:])
            self._count(
                "" if metric is None else cells[metric],
                "" if day is None else cells[day],
                f"{head}\x1e{row_text}",
            )

    def _count(self, metric: str, day: str, row_text: str) -> None:
        content = hashlib.blake2b(row_text.encode(), digest_size=BITS // 8).digest()
        days = self.sums.setdefault(metric, {})
        days[day] = (days.get(day, 0) + int.from_bytes(content)) % (1 << BITS)
        self._marks.pop(metric, None)

    def marks(self, metric: str) -> Marks:
        """Return the days on which a metric has rows, and the sum of all rows up to each."""
        if metric not in self._marks:
            days = sorted(self.sums[metric])
            totals: list[int] = []
            total = 0
            for day in days:
                total = (total + self.sums[metric][day]) % (1 << BITS)
                totals.append(total)
            self._marks[metric] = days, totals
        return self._marks[metric]

    def plain(self) -> list[object]:
        """Return it as plain values."""
        return [VERSION, *self.edition, self.columns, self.sums]


def _lines(path: Path, start: int, end: int) -> Iterator[str]:
    with path.open("rb") as handle:
        handle.seek(start)
        for line in handle:
            start += len(line)
            if start > end:
                return
            yield line.decode("utf-8", errors="backslashreplace")


def _kept(out: Path, name: str) -> _Read | None:
    if not files.may_keep():
        return None
    with suppress(OSError, ValueError):
        text = files.kept(out, f"{name}.marks").read_text(encoding="utf-8")
        version, edition, size, columns, sums = json.loads(text)
        if version == VERSION:
            return _Read(files.Edition(edition, size), columns, sums)
    return None
