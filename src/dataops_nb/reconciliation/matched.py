"""The rows of two systems once they are matched: added up by day, or one by one; and how far both sides' data reach."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import pandas as pd

from dataops_nb.definitions.models import Grain
from dataops_nb.periods import Period, calendar
from dataops_nb.reconciliation import queries
from dataops_nb.reconciliation.pairs import Pair
from dataops_nb.sources import Catalog, Coverage

_SHARE = 95


@dataclass(frozen=True)
class Matched:
    """Rows of one kind: those of system a on a day, those of b on a day, or both; `a` and `b` are their amounts."""

    kind: Literal["pair", "only", "duplicate"]
    a_day: dt.date | None
    b_day: dt.date | None
    a: Decimal | None
    b: Decimal | None
    rows: int = 1
    key: str | None = None


def usable(catalog: Catalog, pair: Pair) -> bool:
    """Whether both sides may be read; raises DataError where one must not be."""
    sources = (pair.a.measure.source, pair.b.measure.source)
    catalog.require(*sources)
    return not any(catalog.faulty(source) for source in sources)


def by_day(catalog: Catalog, pair: Pair) -> list[Matched]:
    """All rows of both sides, added up by kind and pair of days."""
    return _listed(catalog.fetch(queries.by_day(catalog, pair)))


def different(catalog: Catalog, pair: Pair, periods: list[Period]) -> list[Matched]:
    """The rows of these periods that differ, one by one."""
    days = pd.date_range(periods[0].start, periods[-1].end, freq="D").astype("datetime64[s]")
    place = [i for i, period in enumerate(periods) for _ in range(period.days)]
    dimension = pd.DataFrame({"day": days, "place": place})
    return _listed(catalog.fetch(queries.different(catalog, pair), **{queries.DAYS: dimension}))


def _listed(found: pd.DataFrame) -> list[Matched]:
    a_days, b_days = (_days(found[name]) for name in ("a_day", "b_day"))
    a, b = ([Decimal(each) if isinstance(each, str) else None for each in found[name]] for name in ("a", "b"))
    keys: list[Any] = [each if isinstance(each, str) else None for each in found["k"]] if "k" in found else []
    rows: list[int] = [int(each) for each in found["n"]] if "n" in found else []
    return [
        Matched(kind, a_days[i], b_days[i], a[i], b[i], rows[i] if rows else 1, keys[i] if keys else None)
        for i, kind in enumerate(found["kind"])
    ]


def _days(column: pd.Series) -> list[dt.date | None]:
    return [None if pd.isna(day) else day.date() for day in pd.to_datetime(column)]


def lag(rows: Iterable[Matched]) -> int:
    """The arrival lag in days: 95 of 100 rows have their partner within so many days; 0 where none met."""
    shifts: Counter[int] = Counter()
    for row in rows:
        if row.a_day is not None and row.b_day is not None:
            shifts[abs((row.a_day - row.b_day).days)] += row.rows
    rank, seen = math.ceil(shifts.total() * _SHARE / 100), 0
    for days in sorted(shifts):
        seen += shifts[days]
        if seen >= rank:
            return days
    return 0


def coverages(catalog: Catalog, pair: Pair) -> list[Coverage]:
    """The days that each side speaks about."""
    return [catalog.coverage(side.measure.source, side.time) for side in (pair.a, pair.b)]


def periods(catalog: Catalog, pair: Pair, grain: Grain, start: dt.date | None, end: dt.date | None) -> list[Period]:
    """The periods asked for, none after as-of; without `start` and `end` those in which both systems have data."""
    known = coverages(catalog, pair) if start is None or end is None else []
    first = start or max((each.first for each in known if each.first), default=None)
    last = end or min((each.last for each in known if each.last), default=None)
    if first is None or last is None:
        return []
    return list(calendar(catalog.definitions.company.calendar).periods(grain, first, min(last, catalog.as_of)))
