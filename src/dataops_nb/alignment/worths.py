"""What dated targets are worth in other periods than their own, exactly.

A flow's target is spread over the days of its own period and added up over those asked for; a
rate's or a stock's is averaged over them. Targets that are dated and spread alike are worth the
same share of their value in each period, whatever metric they are of, so `Worths` is found once
for all of them; the values are put in as fractions.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import DAY, TOTAL, Window
from dataops_nb.metrics import Target
from dataops_nb.periods import LIKE_FOR_LIKE, Calendar, Period
from dataops_nb.terms import MONTHS

COLUMNS = {"target": "value", "target_low": "low", "target_high": "high"}
_MONTH_NAMES = {number: name for name, number in MONTHS.items()}
_PLAIN = Calendar()
Part = tuple[int | None, Fraction]


def spread(item: Target) -> Hashable:
    """Return what decides which days a target is worth how much."""
    return item.from_, item.per, item.by, tuple(sorted(item.season.items())), item.shape


@dataclass(frozen=True)
class Worths:
    """How targets add up to those of periods.

    `kinds` are the different ways: the parts (a target's place, how many times its value counts)
    and the number of days to divide by. `kind` is the place of each period's.
    """

    kinds: list[tuple[tuple[Part, ...], int]]
    kind: np.ndarray[Any, np.dtype[np.intp]]

    @classmethod
    def of(
        cls,
        agreed: list[Target],
        periods: Sequence[tuple[dt.date, dt.date]],
        cut: Calendar,
        past: LastYear | None = None,
    ) -> Worths:
        """Find how these targets add up to those of periods, each given by its first and last
        day."""
        kinds: dict[tuple[tuple[Part, ...], int], int] = {}
        kind = []
        for start, end in periods:
            parts, days = [], 1
            for place, first, last in _stretches(agreed, start, end):
                share = Fraction(1)
                if place is not None:
                    share = _shares(agreed[place], first, last, cut, past)
                parts.append((place, share))
            if all(place is None or agreed[place].per is None for place, _ in parts):
                days = (end - start).days + 1
            kind.append(kinds.setdefault((tuple(parts), days), len(kinds)))
        return cls(list(kinds), np.array(kind, dtype=np.intp))

    def values(self, agreed: list[Target]) -> dict[str, np.ndarray[Any, Any]]:
        """Return the columns of targets that are dated and spread like those it was found for."""
        cells: dict[str, list[float]] = {name: [] for name in COLUMNS}
        for parts, days in self.kinds:
            ends = {name: _added_up(agreed, field, parts, days) for name, field in COLUMNS.items()}
            low, high = ends["target_low"], ends["target_high"]
            if low is not None and high is not None:
                ends["target"] = (low + high) / 2
            for name, value in ends.items():
                cells[name].append(np.nan if value is None else float(value))
        return {name: np.array(column)[self.kind] for name, column in cells.items()}


def _added_up(
    agreed: list[Target],
    field: str,
    parts: tuple[Part, ...],
    days: int,
) -> Fraction | None:
    """Return the sum of the parts, exactly; None where one of them has no value."""
    total = Fraction(0)
    for place, share in parts:
        value = None if place is None else getattr(agreed[place], field)
        if value is None:
            return None
        total += Fraction(repr(value)) * share
    return total / days


def _stretches(
    dated: list[Target], start: dt.date, end: dt.date
) -> Iterator[tuple[int | None, dt.date, dt.date]]:
    """Yield each stretch of `start`..`end`: the place of the target in force, its first and its
    last day.

    Targets are dated oldest first.
    """
    begins = [item.from_ or dt.date.min for item in dated]
    later = bisect_right(begins, start)
    firsts = [start, *dict.fromkeys(begins[later : bisect_right(begins, end)])]
    nexts = [*firsts[1:], end + DAY]
    for first, following in zip(firsts, nexts, strict=True):
        in_force = bisect_right(begins, first) - 1
        yield in_force if in_force >= 0 else None, first, following - DAY


def _shares(
    current: Target, first: dt.date, last: dt.date, cut: Calendar, past: LastYear | None
) -> Fraction:
    """How many times its value the target is worth over these days.

    Days of its own periods, by the month's factor.

    `season` speaks of plain months, also under a pattern. An own period without a working day is
    worth nothing.
    """
    if not current.season:
        return _periods_worth(current, first, last, cut, past)
    total = Fraction(0)
    for month in _PLAIN.periods("month", first, last):
        start, end = max(first, month.start), min(last, month.end)
        season = Fraction(repr(current.season.get(_MONTH_NAMES[month.start.month], 1.0)))
        total += season * _periods_worth(current, start, end, cut, past)
    return total


def _periods_worth(
    current: Target, first: dt.date, last: dt.date, cut: Calendar, past: LastYear | None
) -> Fraction:
    if current.per is None:
        return Fraction((last - first).days + 1)
    length = cut.working_days if current.by == "working_days" else _days
    total = Fraction(0)
    for own in cut.periods(current.per, first, last):
        start, end = max(first, own.start), min(last, own.end)
        share = None
        if past is not None and current.shape:
            share = past.share(own, start, end)
        if share is None:  # evenly; without a working day it is worth nothing
            days = length(own.start, own.end)
            share = Fraction(length(start, end), days) if days else Fraction(0)
        total += share
    return total


def _days(first: dt.date, last: dt.date) -> int:
    return (last - first).days + 1


class LastYear:
    """A metric's last year, asked for by period and remembered."""

    def __init__(self, rows: Rows, metric: str) -> None:
        self._scope = Scope(rows)
        self._metric = metric
        self._known: dict[tuple[dt.date, dt.date], list[Fraction] | None] = {}

    def share(self, period: Period, first: dt.date, last: dt.date) -> Fraction | None:
        """The share of a period's total that the days `first`..`last` of it had a year before.

        None where the data do not cover that time, or the days add up to nothing or go below 0.
        """
        key = (period.start, period.end)
        if key not in self._known:
            self._known[key] = self._up_to(period)
        up_to = self._known[key]
        if up_to is None:
            return None
        return up_to[(last - period.start).days + 1] - up_to[(first - period.start).days]

    def _up_to(self, period: Period) -> list[Fraction] | None:
        """The shares of the days before the first, the second, ..., and of all of them."""
        first = period.start - LIKE_FOR_LIKE
        days = [first + number * DAY for number in range(period.days)]
        measured = evaluate(self._scope, self._metric, [Window(day, day, "day") for day in days])
        values = measured.value[TOTAL]
        is_known = measured.reach["complete"].all() and not values.isna().any()
        if not is_known or (values < 0).any() or not values.sum() > 0:
            return None
        amounts = [Fraction(repr(float(value))) for value in values]
        total, so_far, shares = sum(amounts, Fraction(0)), Fraction(0), [Fraction(0)]
        for amount in amounts:
            so_far += amount
            shares.append(so_far / total)
        return shares
