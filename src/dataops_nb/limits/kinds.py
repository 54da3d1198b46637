"""Which chart fits a metric: by the kind of number it is, and by its data only where that is open.

A definition says what is counted, shared, averaged or added up. Where there is none (plain tables)
the numbers say it: whole ones are counts, those that are whole numbers of `base` are shares or
rates. Amounts have limits on the scale on which their moves are even: of the values themselves, or
of their logarithms.

What is decided by data is decided by the oldest 12, 24, 48, 96 ... periods, so it stands until the
history has doubled: no single point changes a metric's chart.

Sources: Wheeler, *Making Sense of Data* (XmR for everything else); Montgomery, *Introduction to
Statistical Quality Control*, chapter 7; Laney 2002; Tukey, *Exploratory Data Analysis*, chapter 4
(a scale on which spread does not go with level).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dataops_nb.limits.columns import begins
from dataops_nb.limits.xmr import counts, sums
from dataops_nb.lineage import adds_up, formula_parts, metric_of, names_in, quotient
from dataops_nb.metrics import (
    AnyMetric,
    Conversion,
    Derived,
    Limits,
    Measure,
    Ratio,
    Simple,
)

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Kind = Literal["count", "sum", "average", "share", "rate", "amount", "unsaid"]

# What a chart is called: the ones that a definition names, Laney's by what they are of.
CHARTS = ("xmr", "log", "p", "u", "c", "laney-p", "laney-u", "laney-c")
XMR, LOG, P, U, C, LANEY_P, LANEY_U, LANEY_C = range(len(CHARTS))
COUNTED = P  # charts from here on are of what is counted
OWN_WIDTH = LANEY_P  # and from here on as wide as their own moving ranges
WHY = {
    "xmr": "an amount: limits from how far successive values lie apart (XmR)",
    "log": "an amount that moves in percent: limits from its logarithms",
    "p": "a share: limits by the number it is a share of (p chart)",
    "u": "a rate: limits by the number it is counted for (u chart)",
    "c": "a count: limits by its size (c chart)",
    "laney-p": "a share: limits by the number it is of, as wide as shares differ (Laney p′)",
    "laney-u": "a rate: limits by the number it is counted for, as wide as rates differ (Laney u′)",
    "laney-c": "a count: limits by its size, as wide as counts differ (Laney c′)",
}
_COUNTS = {"count", "count_distinct", "first_seen"}
FIRST = 12  # periods that the first decision is made of
SMALL = 25.0  # whole numbers with a smaller mean are counts, whoever added them up
EVEN = 0.15  # a standard deviation of a smaller share of the mean is the same on either scale
CLEAR = 1.0  # how many times 1 / √n the moves must go with the level
_WHOLE = 1e-6


@dataclass(frozen=True)
class Numbers:
    """The numbers of series after series, oldest first: one entry a row.

    `series` numbers the series. `base` is what a value is a share of or is counted for, `n` the
    rows behind it (NaN: not said). Only `usable` rows decide.
    """

    series: Places
    values: Array
    base: Array
    n: Array
    usable: Mask

    @property
    def count(self) -> int:
        """How many series there are."""
        return int(self.series[-1]) + 1 if len(self.series) else 0

    @cached_property
    def firsts(self) -> Places:
        """The first row of each series."""
        return np.flatnonzero(begins(self.series))

    @cached_property
    def sizes(self) -> Places:
        """How many usable rows each series has."""
        return counts(self.usable, self.firsts)

    def all(self, holds: Mask) -> Mask:
        """Return for which series this holds in every usable row."""
        return np.asarray(counts(self.usable & ~holds, self.firsts) == 0)

    @cached_property
    def early(self) -> tuple[Places, Places]:
        """The usable rows that decide, series by series, and how many each series has."""
        rows = np.flatnonzero(self.usable)
        doublings = np.floor(np.log2(np.maximum(self.sizes, FIRST) / FIRST)).astype(int)
        decide = FIRST * 2**doublings
        ends = np.cumsum(self.sizes)
        last = np.minimum(ends - self.sizes + decide, ends)
        taken = np.arange(len(rows)) < np.repeat(last, self.sizes)
        return rows[taken], np.minimum(decide, self.sizes)


def kinds_of(names: Sequence[str], rules: Any) -> list[Kind]:
    """Return the kind of number each metric is by its definition; `unsaid` where there is none."""
    metrics = getattr(rules, "metrics", None)
    if not isinstance(metrics, Mapping):
        return ["unsaid"] * len(names)
    return [_kind(metrics, name) for name in names]


def _kind(metrics: Mapping[str, AnyMetric], name: str) -> Kind:
    metric = metrics[name]
    if isinstance(metric, Conversion):
        return "share"
    if isinstance(metric, Simple):
        return _simple_kind(metric.measure)
    if isinstance(metric, Ratio):
        parts = [metric_of(metric.numerator)], [metric_of(metric.denominator)]
        return _quotient_kind(metrics, metric, *parts)
    if isinstance(metric, Derived):
        sides = quotient(metric.expr)
        if sides is not None:
            stand_for = formula_parts(metric)
            above, below = (
                [metric_of(stand_for[part]) for part in names_in(side)] for side in sides
            )
            return _quotient_kind(metrics, metric, above, below)
        return "sum" if adds_up(metrics, name) else "amount"
    return "amount" if hasattr(metric, "type") else "unsaid"


def _simple_kind(measure: Measure) -> Kind:
    if measure.at is not None or measure.open is not None:
        return "amount"
    if measure.agg in _COUNTS:
        return "count"
    if measure.agg == "average":
        return "average"
    return "sum" if measure.agg == "sum" else "amount"


def _quotient_kind(
    metrics: Mapping[str, AnyMetric], metric: Ratio | Derived, above: list[str], below: list[str]
) -> Kind:
    """Return what a quotient is: a share of a number, a rate for each of them, or an amount."""
    counted = [_counts(metrics.get(name)) for name in above]
    if not above or not below or not all(counted):
        return "amount"
    is_part = set(above) < set(below) or _is_filtered(metrics, above, below)
    if all(_counts(metrics.get(name)) for name in below) and (metric.unit == "percent" or is_part):
        return "share"
    return "rate"


def _counts(metric: AnyMetric | None) -> bool:
    """Whether a metric counts rows or things, in a period or at its end."""
    return isinstance(metric, Simple) and metric.measure.agg in _COUNTS


def _is_filtered(metrics: Mapping[str, AnyMetric], above: list[str], below: list[str]) -> bool:
    """Whether a numerator is its denominator but for its filter."""
    if len(above) != 1 or len(below) != 1:
        return False
    pair = metrics[above[0]], metrics[below[0]]
    bare = []
    for metric in pair:
        if not isinstance(metric, Simple):
            return False
        bare.append(metric.measure.model_copy(update={"filter": None, "exclude": None}))
    return bool(bare[0] == bare[1])


def choose(
    numbers: Numbers, kinds: Sequence[Kind], agreed: Sequence[Limits]
) -> tuple[Places, Array]:
    """Return the place in `CHARTS` of each series' chart, and the base of each row (1 without one).

    `kinds` and `agreed` are those of each series' metric.
    """
    charts = np.zeros(numbers.count, dtype=np.intp)
    base = np.where(np.isfinite(numbers.base), numbers.base, numbers.n)
    wished = np.array([rules.chart for rules in agreed], dtype=object)
    is_open = wished == "auto"
    for name, place in (("log", LOG), ("p", P), ("u", U), ("c", C)):
        charts[wished == name] = place
    seen = is_open | (wished == "laney")
    if seen.any():
        fits = _Fits.of(numbers, base)
        kind = np.array(kinds, dtype=object)
        fitting = fits.attribute_charts(kind)
        laney = np.select([fitting != XMR, fits.has_base], [fitting, LANEY_U], LANEY_C)
        charts = np.where(wished == "laney", laney, np.where(is_open, fitting, charts))
        amounts = is_open & (fitting == XMR)
        charts[_even_as_logs(numbers, amounts & fits.positive)] = LOG
    plain = np.isin(charts, (XMR, LOG, C, LANEY_C))
    return charts, np.where(plain[numbers.series], 1.0, base)


@dataclass(frozen=True)
class _Fits:
    """What the numbers of each series allow: one entry a series."""

    whole_numbers: Mask  # values are whole numbers, not below 0
    whole_of_base: Mask  # values times their base are
    within_one: Mask  # values lie between 0 and 1
    has_base: Mask  # a base of its own is said
    within_n: Mask  # no value is above the rows behind it
    small: Mask  # the mean is small
    positive: Mask

    @classmethod
    def of(cls, numbers: Numbers, base: Array) -> _Fits:
        values = numbers.values
        with np.errstate(invalid="ignore"):
            is_whole = _whole(values) & (values >= 0)
            within_one = numbers.all((values >= 0) & (values <= 1))
        early, sizes = numbers.early
        with np.errstate(divide="ignore", invalid="ignore"):
            small = sums(values[early], sizes) / sizes < SMALL
        not_positive = sums((values[early] <= 0).astype(float), sizes)
        return cls(
            whole_numbers=numbers.all(is_whole),
            whole_of_base=_whole_of(numbers, base),
            within_one=within_one,
            has_base=_if_any(numbers, np.isfinite(numbers.base)),
            within_n=_if_any(numbers, values <= numbers.n),
            small=small,
            positive=(not_positive == 0) & (sizes >= FIRST),
        )

    def attribute_charts(self, kind: np.ndarray) -> Places:
        """Return Laney's chart for what is counted; XmR for everything else."""
        of_base = np.isin(kind, ("share", "rate")) | ((kind == "unsaid") & self.has_base)
        rate = of_base & self.whole_of_base
        share = rate & (kind != "rate") & self.within_one
        zero_or_one = np.isin(kind, ("average", "unsaid")) & self.whole_of_base & self.within_one
        share |= zero_or_one & ~self.whole_numbers & ~of_base
        by_definition = kind == "count"
        adds_ones = (kind == "sum") & self.small
        looks = (kind == "unsaid") & ~self.has_base & (self.small | self.within_n)
        count = self.whole_numbers & (by_definition | adds_ones | looks)
        return np.select([share, rate, count], [LANEY_P, LANEY_U, LANEY_C], XMR).astype(np.intp)


def _if_any(numbers: Numbers, holds: Mask) -> Mask:
    """Return for which series something holds that holds in no row of most tables."""
    return numbers.all(holds) if holds.any() else np.asarray(numbers.sizes == 0)


def _whole_of(numbers: Numbers, base: Array) -> Mask:
    """Return of which series the values are whole numbers of their base."""
    has_base = base > 0
    if not has_base.any():
        return np.asarray(numbers.sizes == 0)
    with np.errstate(invalid="ignore"):
        counted = numbers.values * base
        return numbers.all(_whole(counted) & (counted >= 0) & has_base)


def _whole(values: Array) -> Mask:
    return np.asarray(np.abs(values - np.rint(values)) <= _WHOLE * np.maximum(np.abs(values), 1.0))


def _even_as_logs(numbers: Numbers, candidates: Mask) -> Places:
    """Return the series whose moves go with their level, and less so as logarithms."""
    if not candidates.any():
        return np.zeros(0, dtype=np.intp)
    early, sizes = numbers.early
    owner = np.repeat(np.arange(len(sizes)), sizes)
    uneven: list[Places] = []
    for size in np.unique(sizes[candidates]):
        own = early[(candidates & (sizes == size))[owner]]
        table = numbers.values[own].reshape(-1, size)
        numbered = numbers.series[own[::size]]
        spreads = table.std(axis=1) > EVEN * table.mean(axis=1)
        table, numbered = table[spreads], numbered[spreads]
        goes = _moves_with_level(table)
        clear = goes > CLEAR / np.sqrt(size)
        table, numbered, goes = table[clear], numbered[clear], goes[clear]
        uneven.append(numbered[np.abs(_moves_with_level(np.log(table))) < goes])
    return np.concatenate(uneven)


def _moves_with_level(table: Array) -> Array:
    """Return the rank correlation of moves with the level they start from and lead to, by row."""
    moves = _ranks(np.abs(np.diff(table, axis=1)))
    levels = _ranks(table[:, 1:] + table[:, :-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        products = (moves * levels).sum(axis=1)
        return np.asarray(products / np.sqrt((moves**2).sum(axis=1) * (levels**2).sum(axis=1)))


def _ranks(table: Array) -> Array:
    """Return the rank of each number in its row, less the mean rank."""
    ranks = np.argsort(np.argsort(table, axis=1, kind="stable"), axis=1).astype(float)
    return np.asarray(ranks - (table.shape[1] - 1) / 2)
