"""History: what was published, so that a report can say what has changed since somebody read it.

`remember` keeps every published value with its as-of and the fingerprint of its definition,
`keep_lights` every light with what was foreseen, `follow` what is to be solved until it is closed.
`Folder`, the memory of an output folder, reads it all; `communications` says when each metric was
last published, sent and read back.

`arrivals` and `lateness` tell from successive exports how late the rows of a source come. A week is
not over for the data when it is over for people: until the late rows are in, two systems cannot be
compared.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.bookkeeping.shapes import COLUMNS
from dataops_nb.company import Memory
from dataops_nb.errors import PublishError
from dataops_nb.history.books import (
    LIGHTS,
    NOTES,
    VALUES,
    Book,
    broken_lines,
    keep_lights,
    last_told,
    newest,
    notes,
    published,
    published_lights,
    remember,
)

__all__ = [
    "BOOKS",
    "COLUMNS",
    "NOTES",
    "SENT",
    "Book",
    "Folder",
    "Lateness",
    "arrivals",
    "broken_lines",
    "carried",
    "communications",
    "follow",
    "keep_lights",
    "last_told",
    "lateness",
    "latest",
    "newest",
    "notes",
    "published",
    "published_lights",
    "remember",
]


SENT = Book("sent", ("sent_at", "report", "as_of", "readers"), ("sent_at", "report", "readers"))
COMMUNICATION_COLUMNS = ["metric", "published", "report", "sent", "answers", "answered"]
FOLLOW_UPS = Book(
    "follow_ups", ("as_of", "id", "title", "metric", "kind", "rank", "state"), ("as_of", "id")
)
BOOKS = (VALUES, LIGHTS, NOTES, SENT, FOLLOW_UPS)
ARRIVAL_COLUMNS = ["key", "event_day", "first_seen_day"]


class Folder(Memory):
    """The memory of an output folder: what its reports published, and what people noted.

    Every answer is read anew; each raises PublishError where its file cannot be read.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def published(self) -> pd.DataFrame:
        """Return every value as it was last published; see `Memory.published`."""
        return published(self.out)

    def newest(self, before: dt.date | None = None, *, complete: bool = False) -> pd.DataFrame:
        """Return each value as it was last published; see `Memory.newest`."""
        return newest(self.out, before, complete=complete)

    def told_metrics(self, as_of: dt.date) -> frozenset[str]:
        """Return the metrics that were published up to a day; see `Memory.told_metrics`."""
        return frozenset(last_told(self.out, as_of)["metric"])

    def lights(self) -> pd.DataFrame:
        """Return every light as it was last published; see `Memory.lights`."""
        return published_lights(self.out)

    def notes(self, as_of: dt.date) -> pd.DataFrame:
        """Return every note up to a day, oldest first; see `Memory.notes`."""
        return notes(self.out, as_of)

    def carried(self, as_of: dt.date) -> pd.DataFrame:
        """Return what was listed to be solved before a day; see `Memory.carried`."""
        return carried(self.out, as_of)

    def broken(self) -> list[str]:
        """Return the lines that nobody can read; see `Memory.broken`."""
        return broken_lines(self.out)

    def latest(self) -> dict[str, Any]:
        """Return what the last refresh left to be shown; see `Memory.latest`."""
        return latest(self.out)


def latest(out: Path | None) -> dict[str, Any]:
    """Return the content of latest.json: `run as_of finished reports`; empty before any refresh.

    Raises PublishError where it cannot be read.
    """
    path = out / "latest.json" if out else None
    if path is None or not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PublishError(
            f"latest.json cannot be read: {error}; the next refresh writes it anew"
        ) from error
    return content if isinstance(content, dict) else {}


def communications(
    out: Path | None, metrics: Iterable[str], answers: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Return who was told of each metric, one row a metric: `COMMUNICATION_COLUMNS`.

    The last as-of it was published for and in which report, when that report was last sent, how
    many readers answered about it, and when the last one did; missing where never. `answers` have
    `metric recorded_at`. What happened for a later as-of does not exist.
    """
    last = {row["metric"]: row for row in last_told(out, as_of).to_dict("records")}
    sent = SENT.read(out)
    sent = sent[sent["as_of"] <= as_of.isoformat()]
    sent_at = dict(zip(sent["report"], sent["sent_at"], strict=True))
    answered = answers.groupby("metric")["recorded_at"]
    rows: list[tuple[Any, ...]] = []
    for metric in metrics:
        day = report = answered_at = None
        if metric in last:
            day = dt.date.fromisoformat(last[metric]["as_of"])
            report = str(last[metric]["report"])
        moments = list(answered.get_group(metric)) if metric in answered.groups else []
        if moments:
            answered_at = max(moments)
        rows.append((metric, day, report, sent_at.get(report), len(moments), answered_at))
    return pd.DataFrame(rows, columns=COMMUNICATION_COLUMNS, dtype=object)


def follow(out: Path, as_of: dt.date, rows: Iterable[Mapping[str, Any]]) -> int:
    """Keep what was listed to be solved as of a day, and return how many rows were new.

    `rows` have `id title metric kind rank state`.
    """
    return FOLLOW_UPS.add(out, [{**row, "as_of": as_of.isoformat()} for row in rows])


def carried(out: Path | None, as_of: dt.date) -> pd.DataFrame:
    """Return what was listed before a day: `id title metric kind since reports last`.

    `since` is the first as-of, `reports` how often it was listed. `last` marks what the latest of
    those reports listed: what is not listed any more has been closed since.
    """
    book = FOLLOW_UPS.read(out)
    before = book[book["as_of"] < as_of.isoformat()].sort_values("as_of", kind="stable")
    listed = before.groupby("id", sort=False).agg(
        title=("title", "last"),
        metric=("metric", "last"),
        kind=("kind", "last"),
        since=("as_of", "first"),
        reports=("as_of", "nunique"),
        until=("as_of", "last"),
    )
    listed = listed.reset_index()
    return listed.assign(last=listed["until"] == before["as_of"].max()).drop(columns="until")


@dataclass(frozen=True)
class Lateness:
    """How many days late rows came.

    `days` has one row a number of days: `days rows share` (of rows that were in by then). `rows` is
    how many were looked at, `late` how many came a day late or later, `p95` the fewest days after
    which at least 95 % were in and `longest` the most (both None where there are no rows).
    """

    days: pd.DataFrame
    rows: int
    late: int
    p95: int | None
    longest: int | None


def arrivals(exports: Iterable[tuple[dt.date, pd.DataFrame]]) -> pd.DataFrame:
    """Return when each row came, `key event_day first_seen_day`, from dated exports.

    Each export has `key event_day`. Rows of events before the first export are left out: when they
    came is not known. A row is dated as its first export dates it.
    """
    dated = sorted(exports, key=lambda export: export[0])
    if not dated:
        nothing = pd.DataFrame({name: pd.Series(dtype=object) for name in ARRIVAL_COLUMNS})
        return _dated(nothing)
    parts = []
    for day, frame in dated:
        parts.append(frame[["key", "event_day"]].assign(first_seen_day=pd.Timestamp(day)))
    rows = _dated(pd.concat(parts, ignore_index=True).drop_duplicates("key", keep="first"))
    first_export = pd.Timestamp(dated[0][0])
    return rows[rows["event_day"] >= first_export].reset_index(drop=True)


def _dated(rows: pd.DataFrame) -> pd.DataFrame:
    first_seen, event = _days(rows["first_seen_day"]), _days(rows["event_day"])
    return rows.assign(first_seen_day=first_seen, event_day=event)


def lateness(rows: pd.DataFrame) -> Lateness:
    """Return how late rows came: the days between `event_day` and `first_seen_day`, a row a `key`.

    A row that stands in an export before its day is 0 days late; rows without a day are left out.
    """
    waits = _days(rows["first_seen_day"]) - _days(rows["event_day"])
    late = waits.dt.days.dropna().clip(lower=0).astype(int)
    counts = late.value_counts().sort_index()
    share = counts.cumsum() / max(len(late), 1)
    days = pd.DataFrame(
        {"days": counts.index.astype(int), "rows": counts.to_numpy(), "share": share.to_numpy()}
    )
    if late.empty:
        return Lateness(days, 0, 0, None, None)
    p95 = int(np.quantile(late.to_numpy(), 0.95, method="inverted_cdf"))
    return Lateness(days, len(late), int((late > 0).sum()), p95, int(late.max()))


def _days(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column).astype("datetime64[s]")
