"""Limits from moving ranges, the signals that points give, and autocorrelation.

Each function takes the successive values of one series, oldest first; `reaches` and `marks` do the
same for all series of a table at once. `Rules` says how limits are computed, in the words of a
metric's `limits:`.

Sources: Wheeler, *Understanding Variation* and *Making Sense of Data* (limits and signals); Nelson
1982 (screening); NHS *Making Data Count* (its variant of the signals).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from dataops_nb.errors import UsageError, did_you_mean, nearest, say_invalid
from dataops_nb.limits.columns import begins, in_parts
from dataops_nb.limits.runs import Runs, binomial_quantile, runs
from dataops_nb.metrics import Limits

__all__ = [
    "FALSE_ALARM",
    "NAMES",
    "NHS",
    "WHEELER",
    "AnyRules",
    "ProcessLimits",
    "Rules",
    "Runs",
    "SignalRules",
    "autocorrelation",
    "binomial_quantile",
    "counts",
    "deviations",
    "marks",
    "reaches",
    "remembers",
    "rules_of",
    "runs",
    "sigma",
    "signals",
    "sums",
    "xmr",
]

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Marks = npt.NDArray[np.int8]
Average = Literal["mean", "median"]
Signal = Literal["outside", "trend", "near-limit", "run", "crossings", "shift"]

_AVERAGES: dict[Average, Callable[[Sequence[float]], float]] = {"mean": fmean, "median": median}
# Wheeler's constants: 2.66 = 3 / d2 with d2 = 1.128 for ranges of two values, 3.145 = 3 / d4 with
# d4 = 0.954 for their median; the limits of ranges are D4 = 3.268, or 3.865 medians.
_LIMIT = {"mean": 2.66, "median": 3.145}
_RANGE_LIMIT = {"mean": 3.268, "median": 3.865}
_SIGMA = {"mean": 1.128, "median": 0.954}
_SCREEN = 3.267
LARGEST = 1e150  # squares of larger values are no floats
NAMES: tuple[Signal | None, ...] = (
    *(None, "crossings", "run", "near-limit", "trend", "outside"),
    "shift",
)
# Values this near to a line lie on it: relative to their size, and at least.
_NEGLIGIBLE, _SMALLEST = 1e-9, 1e-12


@dataclass(frozen=True)
class SignalRules:
    """What counts besides a point outside the limits.

    `run`: so many successive points on one side of the centre line. `near` of `near_of` successive
    points further from the centre than `near_at` of the way to the same limit. `trend`: so many
    successive points that all rise or all fall (0: not used).
    """

    run: int
    near: int
    near_of: int
    near_at: float
    trend: int = 0


WHEELER = SignalRules(run=8, near=3, near_of=4, near_at=1 / 2)
# Of the newest points of stable series of 24 to 260 periods, .008 to .012 show a signal by WHEELER.
FALSE_ALARM = 0.01
NHS = SignalRules(run=7, near=2, near_of=3, near_at=2 / 3, trend=7)


class Limiting(Protocol):
    """A company, whose metrics each say how their limits are computed."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Its metrics by name."""


AnyRules = Limits | Mapping[str, Limits] | Limiting | None


class Rules(Limits):
    """How process limits are computed.

    `chart`: the one whose limits are drawn: xmr, log, p, laney, u, c; auto is what fits the
    numbers. `rules`: what is a signal, by wheeler, nhs or anhoej. `range`: from the mean or the
    median moving range. `screen`: leave out moving ranges of at least 3.267 times their mean
    (Nelson 1982). `leave_out`: days that limits are not computed from; `rebase`: days on which they
    start anew; `lock`: compute them from these days only. Each is a mapping with `from`, `because`
    and, where it has an end, `to`. `trend` and `season`: limits follow the straight line, or the
    season, of the metric. Source: Wheeler, *Understanding Variation*.

    Raises UsageError for an unknown word, with the nearest right one.

    >>> limits.Rules(range="median").screen
    False
    """

    def __init__(self, **rules: Any) -> None:
        for name in ("rebase", "leave_out"):
            entries = rules.get(name, [])
            if not isinstance(entries, str | Mapping):
                rules = rules | {name: [_with_days(entry) for entry in entries]}
        if isinstance(rules.get("lock"), Mapping):
            rules = rules | {"lock": _with_days(rules["lock"])}
        try:
            super().__init__(**rules)
        except ValidationError as error:
            message = say_invalid("limits.Rules", error.errors(), type(self).model_fields)
            raise UsageError(message) from error


def _with_days(entry: Any) -> Any:
    """Return a mapping with its texts of days as days; anything else as it is."""
    if not isinstance(entry, Mapping):
        return entry
    with_days = dict(entry)
    for name in ("from", "from_", "to"):
        text = with_days.get(name)
        if isinstance(text, str):
            try:
                with_days[name] = dt.date.fromisoformat(text)
            except ValueError:
                raise UsageError(f"{text!r} is no day; write it like 2026-03-01") from None
    return with_days


def rules_of(names: Iterable[str], rules: AnyRules) -> list[Limits]:
    """Return the rules of each metric: one for all of them, their own, or the company's.

    Raises UsageError for an entry whose name looks like a metric that has none.
    """
    metric_names = list(names)
    default = Rules()
    if rules is None:
        return [default] * len(metric_names)
    if isinstance(rules, Limits):
        return [rules] * len(metric_names)
    if not isinstance(rules, Mapping):
        return [rules.metrics[name].limits for name in metric_names]
    without_rules = [name for name in metric_names if name not in rules]
    for name in rules:
        near = nearest(name, without_rules)
        if name not in metric_names and near:
            raise UsageError(f"the table has no metric {name!r}{did_you_mean(name, [near])}")
    return [rules.get(name, default) for name in metric_names]


@dataclass(frozen=True)
class ProcessLimits:
    """The limits of one series, all in the unit of its values.

    The centre line, both limits, the average moving range and the limit of moving ranges.
    """

    center: float
    lower: float
    upper: float
    moving_range: float
    range_limit: float


def xmr(
    values: Sequence[float], rules: Limits | None = None, *, center: Average = "mean"
) -> ProcessLimits:
    """Compute limits: the centre ± 2.66 mean, or 3.145 median, moving ranges.

    `values` are successive ones, oldest first. `rules` say which moving ranges (`range`), and
    whether those of at least 3.267 times their mean are left out, once (`screen`; Nelson 1982).
    `center` is the mean or the median of the values.

    Returns `center lower upper moving_range range_limit` in the values' unit. Fewer than two values
    have no limits: NaN.

    Source: Wheeler, *Understanding Variation*; *Making Sense of Data*.

    >>> round(limits.xmr([12, 14, 13, 15, 14, 13, 12, 14, 13, 15, 14, 13]).upper, 2)
    17.13
    """
    if len(values) < 2:
        only = values[0] if len(values) else math.nan
        return ProcessLimits(only, math.nan, math.nan, math.nan, math.nan)
    kind: Average = rules.range if rules else "mean"
    ranges = [abs(after - before) for before, after in pairwise(values)]
    if rules is not None and rules.screen:
        bound = _SCREEN * fmean(ranges)
        ranges = [size for size in ranges if size < bound] or ranges
    middle = _AVERAGES[center](values)
    moving_range = _AVERAGES[kind](ranges)
    reach = _LIMIT[kind] * moving_range
    return ProcessLimits(
        center=middle,
        lower=middle - reach,
        upper=middle + reach,
        moving_range=moving_range,
        range_limit=_RANGE_LIMIT[kind] * moving_range,
    )


def reaches(values: Array, sizes: npt.NDArray[np.intp], agreed: Sequence[Limits]) -> Array:
    """Return the distance of each stretch's limits from its centre line.

    The values of each stretch follow each other, oldest first; `sizes` has their number, `agreed`
    the rules. NaN where it has fewer than two values.
    """
    moves = np.maximum(sizes - 1, 0)
    ends = np.cumsum(sizes)[sizes > 0]
    ranges = np.delete(np.abs(np.diff(values)), ends[:-1] - 1)  # none from stretch to stretch
    usual = _averages(ranges, moves)
    screened = np.array([rules.screen for rules in agreed], dtype=bool)
    if screened.any():
        bound = np.where(screened, _SCREEN * usual, np.inf)
        kept = (ranges < np.repeat(bound, moves)) | (np.repeat(usual, moves) == 0)
        owner, ranges = np.repeat(np.arange(len(moves)), moves)[kept], ranges[kept]
        moves = np.bincount(owner, minlength=len(moves))
        usual = _averages(ranges, moves)
    by_median = np.array([rules.range == "median" for rules in agreed], dtype=bool)
    if by_median.any():
        owner = np.repeat(np.arange(len(moves)), moves)
        medians = pd.Series(ranges).groupby(owner).median().reindex(range(len(moves)))
        usual = np.where(by_median, medians.to_numpy(dtype=float), usual)
    return np.asarray(usual * np.where(by_median, _LIMIT["median"], _LIMIT["mean"]))


def _averages(ranges: Array, moves: npt.NDArray[np.intp]) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums(ranges, moves) / moves)


def counts(holds: Mask, firsts: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Count the rows for which something holds, from each of the `firsts` up to the next one."""
    if not len(firsts):
        return np.zeros(0, dtype=np.intp)
    return np.asarray(np.add.reduceat(holds, firsts, dtype=np.intp))


def sums(values: Array, sizes: npt.NDArray[np.intp]) -> Array:
    """Add up runs of values that follow each other, of so many each; of none the sum is 0.

    One value is added after the other, so that the last digit does not depend on how long a run is.
    """
    owner = np.repeat(np.arange(len(sizes)), sizes)
    return np.asarray(np.bincount(owner, values, len(sizes)))


def sigma(center: float, upper: float, ranges: Average = "mean") -> float:
    """Return the standard deviation of the noise behind limits.

    It is the mean moving range / 1.128, or the median one / 0.954.
    """
    return (upper - center) / _LIMIT[ranges] / _SIGMA[ranges]


def deviations(value: float, before: Sequence[float]) -> float:
    """Return how many standard deviations a value lies above the mean of those before it.

    The deviation is that of the noise of the values before, oldest first. NaN with fewer than three
    of them, or where they never move.
    """
    if len(before) < 3 or not all(map(math.isfinite, (value, *before))):
        return math.nan
    usual = xmr(before)
    noise = usual.moving_range / _SIGMA["mean"]
    return (value - usual.center) / noise if noise else math.nan


def signals(
    values: Sequence[float], limits: ProcessLimits, rules: SignalRules = WHEELER
) -> list[Signal | None]:
    """Return the signal of each value, None without one; a value on a line is not beyond it.

    The strongest counts: outside, trend, near-limit, run. Every point of a run or a trend has the
    signal; of `near_of` points, those that are near the limit.
    """
    if not math.isfinite(limits.lower):
        return [None] * len(values)
    count = len(values)
    places = marks(
        np.asarray(values, dtype=float),
        np.zeros(count, dtype=int),
        np.full(count, limits.center),
        np.full(count, limits.upper - limits.center),
        rules,
    )
    return [NAMES[place] for place in places]


def marks(
    values: Array,
    series: npt.NDArray[np.int_],
    center: Array,
    reach: Array,
    rules: SignalRules = WHEELER,
    *,
    middle: Array | None = None,
    lift: Array | None = None,
) -> Marks:
    """Return the place in `NAMES` of each value's signal.

    The values of one series follow each other, oldest first. Each has its own `center` and the
    distance `reach` from it to a limit, so lines may rise, fall and wave. The upper limit lies
    farther off by `lift`, the lower one where that is negative. Runs are on one side of `middle`,
    where that is another line than the centre.
    """

    def compared(rows: slice) -> tuple[np.ndarray, ...]:
        """Compare values with their lines: sides of the middle, near a limit, outside it."""
        away = values[rows] - center[rows]
        distance, to_limit = np.abs(away), reach[rows]
        if lift is not None:
            lifted = lift[rows]
            to_limit = to_limit + np.maximum(np.where(away > 0, lifted, -lifted), 0.0)
        size = np.maximum(np.abs(values[rows]), np.abs(center[rows]) + to_limit)
        negligible = np.maximum(_NEGLIGIBLE * size, _SMALLEST)
        off = away if middle is None else values[rows] - middle[rows]
        sides = np.where(np.abs(off) > negligible, np.sign(off), 0).astype(np.int8)
        is_near = distance - to_limit * rules.near_at > negligible
        is_outside = distance - to_limit > negligible
        return sides, is_near & (away > 0), is_near & (away < 0), is_outside

    lift = lift if lift is not None and lift.any() else None
    sides, is_near_upper, is_near_lower, is_outside = in_parts(compared, len(values))
    is_first = begins(series)
    # The strongest comes last and replaces weaker ones.
    places = np.zeros(len(values), dtype=np.int8)
    places[_in_runs(sides, is_first, rules.run)] = NAMES.index("run")
    one_series = series[rules.near_of - 1 :] == series[: len(series) - rules.near_of + 1]
    for is_near in (is_near_upper, is_near_lower):
        places[_in_windows(is_near, one_series, rules)] = NAMES.index("near-limit")
    if rules.trend:
        places[_in_trends(values, is_first, rules.trend)] = NAMES.index("trend")
    places[is_outside] = NAMES.index("outside")
    return places


def _in_runs(sides: Marks, is_first: Mask, length: int) -> Mask:
    """Return which points lie in a run of at least this length on one side.

    A run ends where its series does: `is_first` marks the first point of each.
    """
    begins = is_first.copy()
    begins[1:] |= sides[1:] != sides[:-1]
    runs = np.flatnonzero(begins)
    lengths = np.diff(runs, append=len(sides))
    return np.repeat((sides[runs] != 0) & (lengths >= length), lengths)


def _in_trends(values: Array, is_first: Mask, length: int) -> Mask:
    """Return the points of unbroken rises and falls of at least this many points."""
    before = np.concatenate([values[:1], values[:-1]])
    moves = values - before
    size = np.maximum(np.abs(values), np.abs(before))
    moved = np.abs(moves) > np.maximum(_NEGLIGIBLE * size, _SMALLEST)
    steps = np.where(is_first | ~moved, 0, np.sign(moves)).astype(np.int8)
    # Between `length` points lie one step fewer; the first point has none of its own.
    after_step = _in_runs(steps, is_first, length - 1)
    return np.asarray(after_step | np.append(after_step[1:], False))


def _in_windows(near: Mask, one_series: Mask, rules: SignalRules) -> Mask:
    """Return the near points that lie in a window with enough of them.

    A window is `near_of` successive points of `one_series`; at least `near` of them must be near.
    """
    windows = len(one_series)
    in_window = np.zeros(len(near), dtype=bool)
    if windows and near.any():
        offsets = range(rules.near_of)
        of_window = np.zeros(windows, dtype=np.int8)  # of few points; small numbers add up fast
        for offset in offsets:
            of_window += near[offset : offset + windows]
        enough = (of_window >= rules.near) & one_series
        for offset in offsets:
            in_window[offset : offset + windows] |= enough
    return in_window & near


def autocorrelation(values: Sequence[float]) -> float:
    """Return the correlation of successive values (lag 1).

    NaN for fewer than two values, or if they are all the same.
    """
    if len(values) < 2:
        return math.nan
    largest = max(map(abs, values))
    if largest > LARGEST:
        values = [value / largest for value in values]  # the correlation is the same
    middle = fmean(values)
    away = [value - middle for value in values]
    squares = math.fsum(distance * distance for distance in away)
    if squares <= (1e-12 * middle) ** 2 * len(values):
        return math.nan
    return math.fsum(a * b for a, b in pairwise(away)) / squares


def remembers(values: Sequence[float]) -> bool:
    """Tell whether successive values are more alike than in 98 of 100 independent series.

    That is a lag-1 autocorrelation above 2 / √n. Likeness makes moving ranges, and so the limits,
    too narrow. Values that alternate only make them wider.
    """
    return len(values) > 1 and autocorrelation(values) > 2 / math.sqrt(len(values))
