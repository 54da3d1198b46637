"""Series cut into stretches with limits of their own.

A stretch is a series of a metric table, or a part of it between days on which limits start anew.
`Stretches` holds the rows of a table, series by series, oldest first; everything else is one number
a row, or one a stretch.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.limits.columns import begins, number_names
from dataops_nb.limits.kinds import COUNTED, LANEY_P, P
from dataops_nb.limits.xmr import counts
from dataops_nb.metrics import Limits

DAY = dt.timedelta(days=1)
NOTHING = -745.0  # the logarithm of the smallest number there is
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True)
class Stretches:
    """The rows of a table, series by series, oldest first.

    A `stretch` is a part of a series with limits of its own, by its `chart` (a place in `CHARTS`).
    `values` are on the scale of their chart (logarithms of `log`), without the `line` of their
    stretch, which is 0 where limits follow none. `base` is the number that a counted value is a
    share of or is for, 1 without one. `wide` is, for each stretch, the ratio of the noise of what
    the line leaves to that of its moving ranges (1 without a line). A signal may lie on `usable`
    rows; limits come from those of the `basis`, which has none that are `left_out`. `short`
    stretches are too short for their line; `agreed` are the rules of each.
    """

    stretch: npt.NDArray[np.int_]
    chart: Places
    values: Array
    base: Array
    line: Array
    wide: Array
    usable: Mask
    basis: Mask
    left_out: Mask
    short: Mask
    agreed: list[Limits]

    @property
    def count(self) -> int:
        """How many stretches there are."""
        return len(self.agreed)

    @cached_property
    def firsts(self) -> Places:
        """The first row of each stretch."""
        return np.flatnonzero(begins(self.stretch))

    @cached_property
    def sizes(self) -> Places:
        """How many rows each stretch has."""
        return np.diff(self.firsts, append=len(self.stretch))

    def by_row(self, of_stretches: npt.NDArray[Kind]) -> npt.NDArray[Kind]:
        """Return what is said of each stretch for each of its rows."""
        return np.repeat(of_stretches, self.sizes)

    def part(self, numbers: Places) -> tuple[Stretches, Places]:
        """Return some of the stretches, and the places of their rows."""
        is_in = np.zeros(self.count, dtype=bool)
        is_in[numbers] = True
        rows = np.flatnonzero(self.by_row(is_in))
        stretches = Stretches(
            stretch=np.repeat(np.arange(len(numbers)), self.sizes[numbers]),
            chart=self.chart[numbers],
            values=self.values[rows],
            base=self.base[rows],
            line=self.line[rows],
            wide=self.wide[numbers],
            usable=self.usable[rows],
            basis=self.basis[rows],
            left_out=self.left_out[rows],
            short=self.short[numbers],
            agreed=[self.agreed[number] for number in numbers.tolist()],
        )
        return stretches, rows

    @cached_property
    def rules(self) -> np.ndarray:
        """The name of each stretch's rules."""
        return np.array([limits.rules for limits in self.agreed], dtype=object)

    @property
    def is_counted(self) -> Mask:
        """Which stretches are of what is counted."""
        return np.asarray(self.chart >= COUNTED)

    @cached_property
    def is_share(self) -> Mask:
        """Which rows are shares of a number."""
        return self.by_row((self.chart == P) | (self.chart == LANEY_P))

    def known(self) -> Mask:
        """Return which rows have limits: those from the first usable one of their stretch on."""
        usable = np.flatnonzero(self.usable)
        sizes = counts(self.usable, self.firsts)
        first = np.full(self.count, len(self.values))
        has_any = np.flatnonzero(sizes)
        first[has_any] = usable[(np.cumsum(sizes) - sizes)[has_any]]
        return np.asarray(np.arange(len(self.values)) >= self.by_row(first))


def number_series(table: pd.DataFrame) -> tuple[Places, Places, list[str]]:
    """Number the metrics, and the series (metric, segment and grain), of the rows; name metrics."""
    metric, names = number_names(table["metric"])
    series = metric
    for name in ("segment", "grain"):
        codes, labels = number_names(table[name])
        if len(labels) > (1 if codes.min(initial=0) >= 0 else 0):
            series = series * (len(labels) + 1) + codes + 1
    return metric, series, [str(name) for name in names]


def order_of(series: Places, start: np.ndarray) -> Places | None:
    """Return the order of the rows by series and time; None if they are in it already."""
    next_series = series[1:] > series[:-1]
    same_series = series[1:] == series[:-1]
    not_earlier = start[1:] >= start[:-1]
    if (next_series | (same_series & not_earlier)).all():
        return None
    return np.lexsort((start, series))


def stretch_starts(
    metric: Places, series: Places, start: np.ndarray, metric_rules: Sequence[Limits]
) -> Mask:
    """Return which rows begin a stretch: the first of a series, and of a rebase."""
    firsts = begins(series)
    for number, rules in enumerate(metric_rules):
        if rules.rebase:
            rows = np.flatnonzero(metric == number)
            firsts[rows] |= begins(rebases_before(start[rows], rules))
    return np.asarray(firsts)


def rebases_before(start: np.ndarray, rules: Limits) -> Places:
    """Count how often limits have started anew before each period.

    A `rebase` with `to` ends there, so that limits start anew the day after.
    """
    days = set()
    for rebase in rules.rebase:
        if rebase.from_:
            days.add(rebase.from_)
        if rebase.to:
            days.add(rebase.to + DAY)
    return np.searchsorted(np.array(sorted(days), dtype="datetime64[s]"), start, side="right")


def left_out_by(start: pd.DatetimeIndex, end: pd.DatetimeIndex, rules: Limits) -> Mask:
    """Return the rows that hold a day of `leave_out`."""
    out = np.zeros(len(start), dtype=bool)
    for days in rules.leave_out:
        last = days.to or days.from_
        out |= (start <= pd.Timestamp(last)) & (end >= pd.Timestamp(days.from_))
    return out


def locked_by(basis: Mask, start: pd.DatetimeIndex, end: pd.DatetimeIndex, rules: Limits) -> Mask:
    """Return the rows that limits come from: those in the lock's days; all if there are none."""
    lock = rules.lock
    if lock is None:
        return basis
    within = basis & (start >= pd.Timestamp(lock.from_))
    if lock.to is not None:
        within = within & (end <= pd.Timestamp(lock.to))
    return within if within.any() else basis


def numbers_in(table: pd.DataFrame, name: str) -> Array:
    """Return a column of numbers; NaN where the table has none."""
    if name not in table:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(dtype=float, na_value=np.nan)


def on_scale(values: Array, is_log: Mask) -> Array:
    """Return the values, as logarithms where their chart says so; what has none lies below all."""
    out = values.copy()
    positive = is_log & (values > 0)
    out[positive] = np.log(values[positive])
    out[is_log & (values <= 0)] = NOTHING
    return out
