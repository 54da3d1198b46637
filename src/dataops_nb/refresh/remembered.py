"""Whether what earlier reports said is still the same: a report compares its values with those published before it.

The digests are made once for each metric and as-of, so that many reports and many days can ask.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

VOLATILE = frozenset({"report", "run", "published_at"})
LATER = frozenset({"sent.csv"})  # what became of a report after it was published makes no report due
TYPED = frozenset({"notes.csv"})  # what people say about a day counts on that day: no refresh writes it
Marks = tuple[list[str], list[str]]


class Remembered:
    """The files of `out/history`, read again when one of them has changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: list[tuple[str, int, int]] | None = None
        self._marks: dict[tuple[str, str], Marks] = {}

    def digest(self, metrics: Collection[str] | None, as_of: dt.date) -> str:
        """12 hex digits of what was published about these metrics (None: all) for earlier days, and noted up to this one.

        Rows without a metric count for everybody, rows without an as-of on every day.
        """
        self._look()
        whole = hashlib.sha256()
        for (file, metric), (days, digests) in self._marks.items():
            place = (bisect_right if file in TYPED else bisect_left)(days, as_of.isoformat())
            if place and (metrics is None or not metric or metric in metrics):
                whole.update(f"{file} {metric} {digests[place - 1]}\n".encode())
        return whole.hexdigest()[:12]

    def _look(self) -> None:
        paths = sorted(path for path in self.folder.glob("*.csv") if path.name not in LATER)
        seen = [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in paths]
        if seen != self._seen:
            self._seen, self._marks = seen, {}
            for path in paths:
                self._marks |= {(path.name, metric): marks for metric, marks in _read(path).items()}


def _read(path: Path) -> dict[str, Marks]:
    """The days on which something was said of each metric, and the digest of all that was said up to then."""
    rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            said = "\x1f".join(f"{key}={value}" for key, value in row.items() if key not in VOLATILE)
            rows[row.get("metric") or ""].append((row.get("as_of") or "", said))
    return {metric: _marked(sorted(said)) for metric, said in sorted(rows.items())}


def _marked(rows: list[tuple[str, str]]) -> Marks:
    whole, days, digests = hashlib.sha256(), list[str](), list[str]()
    for day, said in rows:
        whole.update(said.encode() + b"\x1e")
        if days and days[-1] == day:
            digests[-1] = whole.hexdigest()
        else:
            days.append(day)
            digests.append(whole.hexdigest())
    return days, digests
