"""The shape of last year: how a period's total was spread over its days, 364 days back, on the same weekdays."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.measured import TOTAL, Window
from dataops_nb.periods import LIKE_FOR_LIKE, Period
from dataops_nb.sources import Catalog


class LastYear:
    """A metric's last year, asked for by period and remembered."""

    def __init__(self, catalog: Catalog, metric: str) -> None:
        self._scope = Scope(catalog)
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
        days = [period.start - LIKE_FOR_LIKE + dt.timedelta(days=i) for i in range(period.days)]
        measured = evaluate(self._scope, self._metric, [Window(day, day, "day") for day in days])
        values = measured.value[TOTAL]
        if not measured.reach["complete"].all() or values.isna().any() or (values < 0).any() or not values.sum() > 0:
            return None
        amounts = [Fraction(repr(float(value))) for value in values]
        total, so_far, shares = sum(amounts, Fraction(0)), Fraction(0), [Fraction(0)]
        for amount in amounts:
            so_far += amount
            shares.append(so_far / total)
        return shares
