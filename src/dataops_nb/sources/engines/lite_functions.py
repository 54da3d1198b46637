"""What SQLite has not: days, stamps, zones, medians, exact amounts and patterns, as functions in its own process.

A day is the text 2026-11-22, a stamp 2026-11-22 10:00:00, an instant the same in UTC with +00:00 behind, so that texts of one
kind are in the order of time. What is no such thing is null.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import sqlite3
import statistics
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

_SHAPE = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s?(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?\s*"
)
_LONG = {"week": 7, "day": 1}


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(1 << 16)
def _moment(value: Any) -> dt.datetime | None:
    """A day or stamp, with its offset where it has one."""
    hit = _SHAPE.fullmatch(value) if isinstance(value, str) else None
    if hit is None:
        return None
    day, clock, offset = hit.groups()
    shift = "+00:00" if offset in ("Z", "UTC") else offset or ""
    try:
        return dt.datetime.fromisoformat(f"{day}T{clock or '00:00'}{shift}")
    except ValueError:
        return None


def _say(moment: dt.datetime) -> str:
    if moment.tzinfo is None:
        return moment.isoformat(" ")
    return moment.astimezone(dt.UTC).isoformat(" ")


def to_day(value: Any) -> str | None:
    """The day that a day or stamp names itself."""
    found = _moment(value)
    return found.date().isoformat() if found else None


def to_stamp(value: Any) -> str | None:
    """The stamp of a day, or of a stamp without an offset."""
    found = _moment(value)
    return _say(found.replace(tzinfo=None)) if found else None


def to_instant(value: Any) -> str | None:
    """The instant of a stamp; one without an offset is taken to be UTC."""
    found = _moment(value)
    return _say(found if found.tzinfo else found.replace(tzinfo=dt.UTC)) if found else None


def tell_zone(value: Any, zone: str) -> str | None:
    """A stamp of that zone as an instant; an instant as the stamp that clocks show there."""
    found = _moment(value)
    if found is None:
        return None
    told = found.astimezone(_zone(zone)).replace(tzinfo=None) if found.tzinfo else found.replace(tzinfo=_zone(zone))
    return _say(told)


@lru_cache(1 << 16)
def tell_day(value: Any, zone: str, company: str) -> str | None:
    """The day in one zone of a stamp of another."""
    return to_day(tell_zone(tell_zone(value, zone), company))


def add(value: Any, count: Any, unit: str) -> str | None:
    """A day or stamp so many units later; the last day of a month where that month is shorter."""
    found = _moment(value)
    if found is None or count is None:
        return None
    if unit in ("month", "quarter", "year"):
        months = found.month - 1 + int(count) * {"month": 1, "quarter": 3, "year": 12}[unit]
        first = found.replace(year=found.year + months // 12, month=months % 12 + 1, day=1)
        after = (first + dt.timedelta(days=32)).replace(day=1)
        return _say(first.replace(day=min(found.day, (after - dt.timedelta(days=1)).day)))
    step = {f"{unit}s": int(count)} if unit not in _LONG else {"days": int(count) * _LONG[unit]}
    return _say(found + dt.timedelta(**step))


def truncate(unit: str, value: Any) -> str | None:
    """The first day of the month, quarter, year or ISO week, or the day itself."""
    found = _moment(value)
    if found is None:
        return None
    day = found.date()
    starts = {
        "day": day,
        "week": day - dt.timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
        "year": day.replace(month=1, day=1),
    }
    return starts[unit].isoformat() if unit in starts else None


def part(unit: str, value: Any) -> int | None:
    """The year, quarter, month, week, day, hour, minute, weekday (0 is Sunday) of a stamp."""
    found = _moment(value)
    if found is None:
        return None
    if unit in ("year", "month", "day", "hour", "minute", "second"):
        return int(getattr(found, unit))
    other = {"quarter": (found.month + 2) // 3, "week": found.isocalendar().week, "dow": found.isoweekday() % 7}
    return other.get(unit)


def exact(value: Any) -> str | None:
    """An amount to six decimals, as text."""
    try:
        return None if value is None else f"{Decimal(str(value)):.6f}"
    except InvalidOperation:
        return None


def matches_whole(value: Any, pattern: str) -> bool | None:
    """Whether the whole value has the shape."""
    return None if value is None else re.fullmatch(pattern, str(value)) is not None


def matches(pattern: str, value: Any) -> bool | None:
    """`value regexp pattern`."""
    return None if value is None else re.search(pattern, str(value)) is not None


def is_finite(value: Any) -> bool | None:
    """Whether a number is neither endless nor none."""
    return None if value is None else isinstance(value, int | float) and math.isfinite(value)


class Median:
    """The middle value; the mean of both where there are two."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: Any) -> None:
        """One more value; nulls do not count."""
        if value is not None:
            self.values.append(float(value))

    def finalize(self) -> float | None:
        """The median of all values so far."""
        return statistics.median(self.values) if self.values else None


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "nb_date": (1, to_day),
    "nb_timestamp": (1, to_stamp),
    "nb_instant": (1, to_instant),
    "nb_zone": (2, tell_zone),
    "nb_day": (3, tell_day),
    "nb_add": (3, add),
    "nb_trunc": (2, truncate),
    "nb_part": (2, part),
    "nb_exact": (1, exact),
    "regexp_full_match": (2, matches_whole),
    "regexp": (2, matches),
    "isfinite": (1, is_finite),
    "contains": (2, lambda value, piece: None if None in (value, piece) else str(piece) in str(value)),
    "starts_with": (2, lambda value, piece: None if None in (value, piece) else str(value).startswith(str(piece))),
    "ends_with": (2, lambda value, piece: None if None in (value, piece) else str(value).endswith(str(piece))),
}


def teach(con: sqlite3.Connection) -> None:
    """Give a connection these functions."""
    for name, (count, function) in FUNCTIONS.items():
        con.create_function(name, count, function, deterministic=True)
    con.create_aggregate("nb_median", 1, Median)  # type: ignore[arg-type]  # its step takes one value
