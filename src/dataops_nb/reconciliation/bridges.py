"""The bridge between two systems: each period's difference, split by cause, and whether it may be let pass."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

import pandas as pd

from dataops_nb.definitions.models import Grain, Tolerance
from dataops_nb.periods import Calendar, Period, calendar
from dataops_nb.reconciliation import matched
from dataops_nb.reconciliation.matched import Matched
from dataops_nb.reconciliation.pairs import Pair
from dataops_nb.sources import Catalog, Coverage

PARTS = ("only_a", "only_b", "amount", "date", "duplicate")
COLUMNS = [
    "metric", "with", "period", "period_start", "period_end", "a", "b", "difference", *PARTS, "within_tolerance",
]  # fmt: skip
_NOTHING = Decimal(0)


def build(catalog: Catalog, pair: Pair, grain: Grain, start: dt.date | None, end: dt.date | None) -> pd.DataFrame:
    """One row a period, with `COLUMNS`; amounts are missing where a side says nothing about the period."""
    cut = calendar(catalog.definitions.company.calendar)
    if matched.usable(catalog, pair):
        found = matched.by_day(catalog, pair)
        sums, late = split(found, cut, grain), dt.timedelta(days=matched.lag(found))
        reach = matched.coverages(catalog, pair)
        periods = matched.periods(catalog, pair, grain, start, end)
        rows = [_row(pair, period, sums.get(period.id, {}), reach, late) for period in periods]
    else:
        rows = [_blank(pair, period) for period in cut.periods(grain, start, end)] if start and end else []
    days = dict.fromkeys(("period_start", "period_end"), "datetime64[s]")
    exact = dict.fromkeys(("a", "b", "difference", *PARTS, "within_tolerance"), "object")
    return pd.DataFrame(rows, columns=COLUMNS).astype({**days, **exact})


def split(rows: list[Matched], cut: Calendar, grain: Grain) -> Mapping[str, Mapping[str, Decimal]]:
    """`a`, `b` and the five parts of each period that has rows, by its id."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    names: dict[dt.date, str] = {}

    def place(day: dt.date | None) -> dict[str, Decimal]:
        if day is None:
            return defaultdict(Decimal)
        if day not in names:
            names[day] = cut.period(grain, day).id
        return sums[names[day]]

    for row in rows:
        a, b = row.a or _NOTHING, row.b or _NOTHING
        here, there = place(row.a_day), place(row.b_day)
        here["a"] += a
        there["b"] += b
        if row.kind == "pair":
            here["amount"] += a - b
            here["date"] += b
            there["date"] -= b
        else:
            here["duplicate" if row.kind == "duplicate" else "only_a"] += a
            there["duplicate" if row.kind == "duplicate" else "only_b"] -= b
    return sums


def _row(
    pair: Pair, period: Period, sums: Mapping[str, Decimal], reach: list[Coverage], late: dt.timedelta
) -> dict[str, object]:
    if not all(_overlaps(each, period) for each in reach):
        return _blank(pair, period)
    a, b = sums.get("a", _NOTHING), sums.get("b", _NOTHING)
    judged = all(_covers(each, period.start, period.end + late) for each in reach)
    return {
        **_blank(pair, period),
        **{part: sums.get(part, _NOTHING) for part in PARTS},
        "a": a,
        "b": b,
        "difference": a - b,
        "within_tolerance": within(pair.tolerance, a, b) if judged else None,
    }


def _blank(pair: Pair, period: Period) -> dict[str, object]:
    return {
        **dict.fromkeys(COLUMNS),
        "metric": pair.a.metric,
        "with": pair.b.metric,
        "period": period.id,
        "period_start": period.start,
        "period_end": period.end,
    }


def _overlaps(coverage: Coverage, period: Period) -> bool:
    return bool(coverage.first and coverage.last and coverage.first <= period.end and period.start <= coverage.last)


def _covers(coverage: Coverage, first: dt.date, last: dt.date) -> bool:
    return bool(coverage.first and coverage.last and coverage.first <= first and last <= coverage.last)


def within(tolerance: Tolerance, a: Decimal, b: Decimal) -> bool:
    """Whether the difference is let pass; equal to the tolerance is. A share is of the mean of |a| and |b|."""
    allowed = Decimal(repr(tolerance.value))
    return abs(a - b) <= (allowed * (abs(a) + abs(b)) / 2 if tolerance.relative else allowed)
