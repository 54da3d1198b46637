"""What SQLite lacks (days, stamps, zones, medians, exact amounts, patterns) as functions of ours.

They run in this process. A day is the text 2026-11-22, a stamp 2026-11-22 10:00:00, an instant the
same in UTC with +00:00 behind, so that texts of one kind sort in the order of time. A value that is
no such text gives None.
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

_MOMENT = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)"
    r"(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s?(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?\s*"
)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"week": 7, "day": 1}
# As many different values as a column of times may well have.
_REMEMBERED = 1 << 16


def to_day(value: Any) -> str | None:
    """Return the day that a day or stamp names, in its own zone."""
    moment = _moment(value)
    if moment is None:
        return None
    return moment.date().isoformat()


def to_stamp(value: Any) -> str | None:
    """Return the stamp of a day, or of a stamp without its offset."""
    moment = _moment(value)
    if moment is None:
        return None
    return _written(moment.replace(tzinfo=None))


def to_instant(value: Any) -> str | None:
    """Return the instant of a stamp; one without an offset is taken to be UTC."""
    moment = _moment(value)
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return _written(moment)


def change_zone(value: Any, zone: str) -> str | None:
    """Return the instant of a stamp in a zone; of an instant the stamp on the clocks there."""
    moment = _moment(value)
    if moment is None:
        return None
    if moment.tzinfo is None:
        return _written(moment.replace(tzinfo=_zone(zone)))
    return _written(moment.astimezone(_zone(zone)).replace(tzinfo=None))


@lru_cache(_REMEMBERED)
def day_in_zone(value: Any, zone: str, company_zone: str) -> str | None:
    """Return the company's day of a stamp in another zone."""
    instant = change_zone(value, zone)
    return to_day(change_zone(instant, company_zone))


def add(value: Any, count: Any, unit: str) -> str | None:
    """Return a day or stamp `count` units later; a shorter month gives its last day."""
    moment = _moment(value)
    if moment is None or count is None:
        return None
    if unit in _MONTHS:
        return _written(_months_later(moment, int(count) * _MONTHS[unit]))
    if unit in _DAYS:
        return _written(moment + dt.timedelta(days=int(count) * _DAYS[unit]))
    return _written(moment + dt.timedelta(**{f"{unit}s": int(count)}))


def _months_later(moment: dt.datetime, count: int) -> dt.datetime:
    months = moment.month - 1 + count
    year = moment.year + months // 12
    first = moment.replace(year=year, month=months % 12 + 1, day=1)
    next_first = (first + dt.timedelta(days=32)).replace(day=1)
    last = next_first - dt.timedelta(days=1)
    return first.replace(day=min(moment.day, last.day))


def truncate(unit: str, value: Any) -> str | None:
    """Return the first day of the month, quarter, year or ISO week, or the day itself."""
    moment = _moment(value)
    if moment is None:
        return None
    day = moment.date()
    match unit:
        case "day":
            first = day
        case "week":
            first = day - dt.timedelta(days=day.weekday())
        case "month":
            first = day.replace(day=1)
        case "quarter":
            first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            first = day.replace(month=1, day=1)
        case _:
            return None
    return first.isoformat()


def part(unit: str, value: Any) -> int | None:
    """Return the year, quarter, month, week, day, hour, minute, second or weekday of a stamp.

    Sunday is weekday 0. Other units give None.
    """
    moment = _moment(value)
    if moment is None:
        return None
    if unit in ("year", "month", "day", "hour", "minute", "second"):
        return int(getattr(moment, unit))
    year, week, weekday = moment.isocalendar()
    others = {
        "quarter": (moment.month + 2) // 3,
        "week": week,
        "isoyear": year,
        "dow": weekday % 7,
        "isodow": weekday,
        "doy": moment.timetuple().tm_yday,
    }
    return others.get(unit)


def difference(unit: str, first: Any, last: Any) -> int | None:
    """Return how many ends of a unit lie between two moments; a week is seven days."""
    start, end = _moment(first), _moment(last)
    if start is None or end is None:
        return None
    days = (end.date() - start.date()).days
    if unit == "day":
        return days
    if unit == "week":
        return int(math.copysign(abs(days) // 7, days))
    size = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if size is None:
        return None
    return _month_number(end) // size - _month_number(start) // size


def _month_number(moment: dt.datetime) -> int:
    return moment.year * 12 + moment.month - 1


def last_day(value: Any) -> str | None:
    """Return the last day of a moment's month."""
    moment = _moment(value)
    if moment is None:
        return None
    first = moment.date().replace(day=1)
    following = (first + dt.timedelta(days=32)).replace(day=1)
    return (following - dt.timedelta(days=1)).isoformat()


def formatted(value: Any, form: str) -> str | None:
    """Return a moment as text by the directives of `definitions.expressions.FORMATS`."""
    moment = _moment(value)
    if moment is None:
        return None
    year, week, weekday = moment.isocalendar()
    words = {
        "Y": f"{moment.year:04d}", "m": f"{moment.month:02d}", "d": f"{moment.day:02d}",
        "H": f"{moment.hour:02d}", "M": f"{moment.minute:02d}", "S": f"{moment.second:02d}",
        "j": f"{moment.timetuple().tm_yday:03d}", "y": f"{moment.year % 100:02d}",
        "G": f"{year:04d}", "V": f"{week:02d}", "u": str(weekday),
    }  # fmt: skip
    first, *others = form.split("%")
    return first + "".join(words.get(piece[:1], "") + piece[1:] for piece in others)


def rounded(value: Any, decimals: int) -> float | None:
    """Return a number rounded, halves away from 0."""
    if not isinstance(value, int | float):
        return None
    scaled = abs(value) * 10.0**decimals
    return math.copysign(math.floor(scaled + 0.5) / 10.0**decimals, value)


def ceiling(value: Any) -> float | None:
    """Return the least whole number that is not below a number."""
    return float(math.ceil(value)) if isinstance(value, int | float) else None


def floor(value: Any) -> float | None:
    """Return the greatest whole number that is not above a number."""
    return float(math.floor(value)) if isinstance(value, int | float) else None


def sign(value: Any) -> int | None:
    """Return 1, 0 or -1."""
    if not isinstance(value, int | float):
        return None
    return (value > 0) - (value < 0)


def right(value: Any, count: int) -> str | None:
    """Return the last letters of a text."""
    return None if value is None else str(value)[-count:]


def double(value: Any) -> float | None:
    """Return a number or the number that a text is; None for any other text."""
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def lower(value: Any) -> str | None:
    """Return a text in small letters, of any alphabet."""
    return None if value is None else str(value).lower()


def upper(value: Any) -> str | None:
    """Return a text in capitals, of any alphabet."""
    return None if value is None else str(value).upper()


def exact(value: Any) -> str | None:
    """Return an amount to six decimals, as text."""
    if value is None:
        return None
    try:
        return f"{Decimal(str(value)):.6f}"
    except InvalidOperation:
        return None


def matches_whole(value: Any, pattern: str) -> bool | None:
    """Tell whether the pattern fits the value from end to end."""
    if value is None:
        return None
    return re.fullmatch(pattern, str(value)) is not None


def matches(pattern: str, value: Any) -> bool | None:
    """Tell whether the pattern fits somewhere: `value regexp pattern`."""
    if value is None:
        return None
    return re.search(pattern, str(value)) is not None


def is_finite(value: Any) -> bool | None:
    """Tell whether a value is a number, and a finite one."""
    if value is None:
        return None
    return isinstance(value, int | float) and math.isfinite(value)


def contains(value: Any, piece: Any) -> bool | None:
    """Tell whether a text contains another."""
    if value is None or piece is None:
        return None
    return str(piece) in str(value)


def starts_with(value: Any, piece: Any) -> bool | None:
    """Tell whether a text starts with another."""
    if value is None or piece is None:
        return None
    return str(value).startswith(str(piece))


def ends_with(value: Any, piece: Any) -> bool | None:
    """Tell whether a text ends with another."""
    if value is None or piece is None:
        return None
    return str(value).endswith(str(piece))


class Median:
    """The middle value; the mean of both where there are two."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: Any) -> None:
        """Add one more value; nulls do not count."""
        if value is not None:
            self.values.append(float(value))

    def finalize(self) -> float | None:
        """Return the median of all values so far; None without any."""
        if not self.values:
            return None
        return statistics.median(self.values)


class Percentile:
    """The value with a share of the values below it; between two values in proportion."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.share = 0.5

    def step(self, value: Any, share: float) -> None:
        """Add one more value; nulls do not count."""
        self.share = share
        if value is not None:
            self.values.append(float(value))

    def finalize(self) -> float | None:
        """Return the percentile of all values so far; None without any."""
        if not self.values:
            return None
        ordered = sorted(self.values)
        place = (len(ordered) - 1) * self.share
        below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
        return below + (above - below) * (place - math.floor(place))


# By the name in SQL: the number of arguments, and the function.
FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "nb_date": (1, to_day),
    "nb_timestamp": (1, to_stamp),
    "nb_instant": (1, to_instant),
    "nb_zone": (2, change_zone),
    "nb_day": (3, day_in_zone),
    "nb_add": (3, add),
    "nb_trunc": (2, truncate),
    "nb_part": (2, part),
    "nb_exact": (1, exact),
    "nb_diff": (3, difference),
    "nb_last_day": (1, last_day),
    "nb_text": (2, formatted),
    "nb_round": (2, rounded),
    "nb_ceil": (1, ceiling),
    "nb_floor": (1, floor),
    "nb_sign": (1, sign),
    "nb_right": (2, right),
    "nb_double": (1, double),
    "lower": (1, lower),
    "upper": (1, upper),
    "regexp_full_match": (2, matches_whole),
    "regexp": (2, matches),
    "isfinite": (1, is_finite),
    "contains": (2, contains),
    "starts_with": (2, starts_with),
    "ends_with": (2, ends_with),
}


def teach(con: sqlite3.Connection) -> None:
    """Give a connection these functions, `nb_median` and `nb_percentile`."""
    for name, (count, function) in FUNCTIONS.items():
        con.create_function(name, count, function, deterministic=True)
    # The stub wants a step of any number of values; this one takes one.
    con.create_aggregate("nb_median", 1, Median)  # type: ignore[arg-type]
    con.create_aggregate("nb_percentile", 2, Percentile)  # type: ignore[arg-type]


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(_REMEMBERED)
def _moment(value: Any) -> dt.datetime | None:
    """Read a day or stamp, with its offset where it has one."""
    if not isinstance(value, str):
        return None
    match = _MOMENT.fullmatch(value)
    if match is None:
        return None
    day, clock, offset = match.groups()
    if offset in {"Z", "UTC"}:
        offset = "+00:00"
    try:
        return dt.datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset or ''}")
    except ValueError:
        return None


def _written(moment: dt.datetime) -> str:
    if moment.tzinfo is None:
        return moment.isoformat(" ")
    return moment.astimezone(dt.UTC).isoformat(" ")
