"""The bridge of one pair: each period's difference, split by cause.

And whether the difference may be let pass.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

import pandas as pd

from dataops_nb.alignment.rows import Coverage, Rows
from dataops_nb.periods import Calendar, Period
from dataops_nb.periods import calendar as calendar_of
from dataops_nb.reconciliation import queries
from dataops_nb.reconciliation.pairs import Pair
from dataops_nb.reconciliation.queries import Matched
from dataops_nb.terms import Grain, Tolerance

PARTS = ("only_a", "only_b", "amount", "date", "duplicate")
COLUMNS = [
    "metric", "with", "period", "period_start", "period_end", "a", "b", "difference", *PARTS,
    "within_tolerance",
]  # fmt: skip
_NOTHING = Decimal(0)


def build(
    rows: Rows, pair: Pair, grain: Grain, start: dt.date | None, end: dt.date | None
) -> pd.DataFrame:
    """Build a pair's bridge: one row a period, with `COLUMNS`.

    Amounts are missing where a side says nothing about the period.
    """
    lines: list[dict[str, object]] = []
    if queries.usable(rows, pair):
        matched = queries.match_by_day(rows, pair)
        sums = split(matched, calendar_of(rows.company.calendar), grain)
        lag = dt.timedelta(days=queries.lag(matched))
        coverages = queries.coverages(rows, pair)
        for period in queries.periods(rows, pair, grain, start, end):
            lines.append(_row(pair, period, sums.get(period.id, {}), coverages, lag))
    elif start and end:
        for period in calendar_of(rows.company.calendar).periods(grain, start, end):
            lines.append(_empty_row(pair, period))
    days = dict.fromkeys(("period_start", "period_end"), "datetime64[s]")
    exact = dict.fromkeys(("a", "b", "difference", *PARTS, "within_tolerance"), "object")
    return pd.DataFrame(lines, columns=COLUMNS).astype({**days, **exact})


def split(rows: list[Matched], cut: Calendar, grain: Grain) -> Mapping[str, Mapping[str, Decimal]]:
    """Add up `a`, `b` and the five parts of each period that has rows, by its id."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    period_ids: dict[dt.date, str] = {}

    def sums_of(day: dt.date | None) -> dict[str, Decimal]:
        if day is None:
            return defaultdict(Decimal)  # the row is not in this system
        if day not in period_ids:
            period_ids[day] = cut.period(grain, day).id
        return sums[period_ids[day]]

    for row in rows:
        a, b = row.a or _NOTHING, row.b or _NOTHING
        here, there = sums_of(row.a_day), sums_of(row.b_day)
        here["a"] += a
        there["b"] += b
        if row.kind == "pair":
            here["amount"] += a - b
            here["date"] += b
            there["date"] -= b
        elif row.kind == "duplicate":
            here["duplicate"] += a
            there["duplicate"] -= b
        else:
            here["only_a"] += a
            there["only_b"] -= b
    return sums


def within(tolerance: Tolerance, a: Decimal, b: Decimal) -> bool:
    """Tell whether the difference is let pass.

    Equal to the tolerance is. A share is of the mean of |a| and |b|.
    """
    allowed = Decimal(repr(tolerance.value))
    if tolerance.relative:
        allowed = allowed * (abs(a) + abs(b)) / 2
    return abs(a - b) <= allowed


def _row(
    pair: Pair,
    period: Period,
    sums: Mapping[str, Decimal],
    coverages: list[Coverage],
    lag: dt.timedelta,
) -> dict[str, object]:
    row = _empty_row(pair, period)
    if not all(_overlaps(coverage, period) for coverage in coverages):
        return row
    for part in PARTS:
        row[part] = sums.get(part, _NOTHING)
    a, b = sums.get("a", _NOTHING), sums.get("b", _NOTHING)
    row |= {"a": a, "b": b, "difference": a - b}
    is_judged = all(_covers(coverage, period.start, period.end + lag) for coverage in coverages)
    if is_judged:
        row["within_tolerance"] = within(pair.tolerance, a, b)
    return row


def _empty_row(pair: Pair, period: Period) -> dict[str, object]:
    return {
        **dict.fromkeys(COLUMNS),
        "metric": pair.a.metric,
        "with": pair.b.metric,
        "period": period.id,
        "period_start": period.start,
        "period_end": period.end,
    }


def _overlaps(coverage: Coverage, period: Period) -> bool:
    if not coverage.first or not coverage.last:
        return False
    return coverage.first <= period.end and period.start <= coverage.last


def _covers(coverage: Coverage, first: dt.date, last: dt.date) -> bool:
    if not coverage.first or not coverage.last:
        return False
    return coverage.first <= first and last <= coverage.last
