"""Decompositions: divide a change among its factors; the slopes of formulas.

- `lmdi`, for products: the logarithmic mean Divisia index LMDI-I (Ang 2005, 2015), which leaves no
  residual and can be reversed. A total is the sum over segments of the product of their factors.
  Zeros are not replaced by small numbers: they have the analytic limits of Ang, Zhang and Choi
  (1998), which are where the parts go as a factor goes to 0.
- `shapley`, for any formula: what a factor changes on average over every order in which the factors
  could change.
- `rates`, over segments: how much of a rate's change is the segments' own rates, and how much which
  segments there are. Both are Bennet's indicators (1920): each change is weighted by the mean of
  the other side, so that no period is preferred.
- `slopes`: what one more of a metric in a period adds to a metric above it, through the formulas
  between them, with everything else as it was. Where no formula leads from one to the other there
  is no slope.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.alignment.formulas import Scope, arithmetic, evaluate, parts, trailing
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import TOTAL, Window, window
from dataops_nb.errors import UsageError
from dataops_nb.lineage import formula_parts
from dataops_nb.metrics import Cumulative, Derived, Offset, Ratio, Simple
from dataops_nb.periods import Period

Floats = npt.NDArray[np.float64]
MOST_FACTORS = 8
STEP = 1e-4
SMALLEST = sys.float_info.min
_ADDS_UP = {"count", "sum", "first_seen"}


def logarithmic_mean(a: float, b: float) -> float:
    """Return `(a - b) / ln(a / b)` of two numbers from 0 on.

    Of a number with itself the number, with 0 it is 0.
    """
    low, high = sorted((float(a), float(b)))
    if low <= 0:
        return 0.0
    spread = (high - low) / low
    if spread == 0:
        return low
    if math.isfinite(spread):
        return low * spread / math.log1p(spread)
    return (high - low) / (math.log(high) - math.log(low))


def lmdi(before: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """Say what each factor adds to the change of a total: one number a factor, in its unit.

    The total is the sum over segments of the product of their factors. Rows are segments, columns
    are factors from 0 on. The numbers add up to the change. A factor of 0 has the limit of what it
    adds as it goes to 0, so that no part jumps there: in a segment that comes from nothing, the
    factor that was 0 has all of the change; several of them, which go to 0 together, have equal
    parts; so have those that become 0 where it goes to nothing.

    Raises UsageError for factors below 0, and for two periods of different shape. Source: LMDI-I,
    Ang (2005, 2015); zeros by Ang, Zhang and Choi (1998), and Ang and Liu (2007).

    >>> drivers.lmdi([[100, 20.0]], [[120, 25.0]]).round(1).tolist()
    [449.7, 550.3]
    """
    total: Floats = lmdi_parts(before, now).sum(axis=0)
    return total


def lmdi_parts(before: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """Say what each factor of each segment adds: `lmdi` before it is summed over segments."""
    old, new = _factors(before), _factors(now)
    if old.shape != new.shape:
        raise UsageError(
            f"both periods need the same segments and factors, not {old.shape} and {new.shape}"
        )
    effects = [_segment_effects(was, becomes) for was, becomes in zip(old, new, strict=True)]
    by_segment: Floats = np.array(effects).reshape(old.shape)
    return by_segment


def lmdi_factors(before: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """Say by what each factor multiplies the total.

    One number a factor; their product is what the total was multiplied by.

    The arguments are those of `lmdi`. Raises UsageError for a total of 0 as well. Source: Ang
    (2015).
    """
    old, new = (float(_factors(side).prod(axis=1).sum()) for side in (before, now))
    if old <= 0 or new <= 0:
        raise UsageError(
            "a total of 0 has not been multiplied from or to anything; take the parts that add up"
        )
    multipliers: Floats = np.exp(lmdi(before, now) / logarithmic_mean(new, old))
    return multipliers


def _factors(side: npt.ArrayLike) -> Floats:
    table = np.atleast_2d(np.asarray(side, dtype=float))
    if not np.isfinite(table).all() or (table < 0).any():
        raise UsageError(
            "factors of a product must be numbers from 0 on; for others take the Shapley value"
        )
    return table


def _segment_effects(old: Floats, new: Floats) -> Floats:
    """Return what each factor adds in one segment.

    Where a factor is 0 this is the limit of what it adds as the factor goes to 0: the factor that
    comes from nothing has all of the segment, and the others nothing.
    """
    before, now = float(old.prod()), float(new.prod())
    if old.all() and new.all():
        logs: Floats = np.log(new) - np.log(old)
        if min(before, now) >= SMALLEST:
            return logarithmic_mean(now, before) * logs
        # a float does not hold this product to its last digits, but the logarithms of its factors
        spread = float(logs.sum())
        return (now - before) / spread * logs if spread else np.zeros(len(old))
    if before == now:
        return np.zeros(len(old))
    is_cause = old == 0 if now > 0 else new == 0
    return np.where(is_cause, (now - before) / int(is_cause.sum()), 0.0)


def shapley(
    formula: Callable[..., float], before: Sequence[float], now: Sequence[float]
) -> list[float]:
    """Say what each factor adds to the change of `formula(*factors)`.

    One number a factor, in the formula's unit; together they are the whole change.

    Every combination of old and new factors is computed, so at most 8 factors are taken. Where the
    formula has no value for one of them (it divides by 0), no factor has a share that can be told:
    all are NaN.

    Raises UsageError for more factors, and for two periods with different numbers of them. Source:
    Shapley (1953), the mean over all orders in which the factors can change.

    >>> drivers.shapley(lambda n, basket: n * basket, [100, 20], [120, 25])
    [450.0, 550.0]
    """
    count = len(before)
    if count != len(now):
        raise UsageError(f"both periods need the same factors, not {count} and {len(now)}")
    if count > MOST_FACTORS:
        raise UsageError(
            f"a formula of {count} metrics has {2**count:,} combinations; "
            f"at most {MOST_FACTORS} can be explained: give some of them a metric of their own"
        )
    values: dict[tuple[bool, ...], float] = {}
    for is_new in product((False, True), repeat=count):
        values[is_new] = _mixed_value(formula, before, now, is_new)
    return [_share(values, count, place) for place in range(count)]


def _mixed_value(
    formula: Callable[..., float],
    before: Sequence[float],
    now: Sequence[float],
    is_new: Sequence[bool],
) -> float:
    """Return the formula's value with some factors as they are now; NaN where it has none."""
    factors: list[np.float64] = []
    for old, new, takes_new in zip(before, now, is_new, strict=True):
        factors.append(np.float64(new if takes_new else old))
    with np.errstate(all="ignore"):
        value = float(formula(*factors))
    return value if math.isfinite(value) else math.nan


def _share(values: dict[tuple[bool, ...], float], count: int, place: int) -> float:
    """Return a factor's Shapley value.

    Its weighted steps from every combination in which it is still old.
    """
    steps: list[float] = []
    for is_new, value in values.items():
        if not is_new[place]:
            after = (*is_new[:place], True, *is_new[place + 1 :])
            steps.append((values[after] - value) * _weight(sum(is_new), count))
    return math.fsum(steps) if all(map(math.isfinite, steps)) else math.nan


def _weight(already: int, count: int) -> float:
    """Return the share of all orders in which exactly so many factors come before a given one."""
    return 1 / (count * math.comb(count - 1, already))


def rates(
    shares_before: npt.ArrayLike,
    rates_before: npt.ArrayLike,
    shares_now: npt.ArrayLike,
    rates_now: npt.ArrayLike,
) -> tuple[Floats, Floats]:
    """Divide the change of a rate into `within` and `mix`: one number a segment each.

    The rate is the sum over segments of share times rate.

    within: the mean share times the change of the rate. mix: the mean rate times the change of the
    share. Together they are the change. A rate may be NaN where its share is 0: a segment that
    comes or goes is mix alone, at the one rate it has. Source: Bennet (1920).
    """
    old_share = np.asarray(shares_before, dtype=float)
    new_share = np.asarray(shares_now, dtype=float)
    old_rate = np.asarray(rates_before, dtype=float)
    new_rate = np.asarray(rates_now, dtype=float)
    only_rate = np.where(np.isnan(new_rate), 0.0, new_rate)
    old_rate = np.where((old_share == 0) & np.isnan(old_rate), only_rate, old_rate)
    new_rate = np.where((new_share == 0) & np.isnan(new_rate), old_rate, new_rate)
    within = (old_share + new_share) / 2 * (new_rate - old_rate)
    mix = (old_rate + new_rate) / 2 * (new_share - old_share)
    return within, mix


def slopes(rows: Rows, top: str, period: Period) -> dict[str, float]:
    """Measure what one more of each metric in a period adds to `top`.

    Each is moved a little both ways.

    Returns `top` and the metrics that formulas lead from, in units of `top` for one unit of the
    metric. Nothing leads through conversions, earlier periods, or a trailing window of what does
    not add up over days.
    """
    return _Tree(Scope(rows), top, window(period)).slopes()


class _Tree:
    """The formulas below a metric, with each metric moved up and down.

    Each move has a column of its own.
    """

    def __init__(self, scope: Scope, top: str, now: Window) -> None:
        self.scope, self.top, self.now = scope, top, now
        self.names = scope.company.upstream([top])
        self.steps: dict[str, float] = {}
        self.columns: list[str] = []
        for name in self.names:
            self.steps[name] = STEP * max(abs(self._value(name, now)), 1.0)
            self.columns += [f"{name}+", f"{name}-"]
        self.moved: set[str] = set()

    def slopes(self) -> dict[str, float]:
        """Return the slopes of the metrics that could be moved."""
        top = self._frame(self.top, self.now).iloc[0]
        slopes: dict[str, float] = {}
        for name in self.names:
            if name in self.moved:
                difference = float(top[f"{name}+"] - top[f"{name}-"])
                slopes[name] = difference / (2 * self.steps[name])
        return slopes

    def _value(self, name: str, at: Window) -> float:
        return float(evaluate(self.scope, name, [at]).value[TOTAL].iloc[0])

    def _constant(self, value: float) -> pd.DataFrame:
        return pd.DataFrame([[value] * len(self.columns)], columns=self.columns)

    def _frame(self, name: str, at: Window) -> pd.DataFrame:
        """Return a metric's value in a window, one column for each moved metric."""
        frame = self._formula(name, at)
        if at != self.now and not self._is_in_longer_windows(name):
            return frame
        self.moved.add(name)
        up, down, step = f"{name}+", f"{name}-", self.steps[name]
        return frame.assign(**{up: frame[up] + step, down: frame[down] - step})

    def _formula(self, name: str, at: Window) -> pd.DataFrame:
        definition = self.scope.company.metrics[name]
        match definition:
            case Ratio(numerator=above, denominator=below):
                return self._part(definition, 0, above, at) / self._part(definition, 1, below, at)
            case Derived(expr=expr):
                named = enumerate(formula_parts(definition).values())
                frames = [self._part(definition, place, part, at) for place, part in named]
                return pd.DataFrame(arithmetic(expr)(*frames))
            case Cumulative(metric=part, window=length):
                return self._frame(part, trailing(at, length, self.scope.calendar))
        return self._constant(self._value(name, at))

    def _part(
        self, definition: Ratio | Derived, place: int, part: str | Offset, at: Window
    ) -> pd.DataFrame:
        if isinstance(part, str):
            return self._frame(part, at)
        # an earlier period, which nothing moves any more
        measured = parts(self.scope, definition, [at])[place]
        return self._constant(float(measured.value[TOTAL].iloc[0]))

    def _is_in_longer_windows(self, name: str) -> bool:
        """Tell whether what is added in the period is also in a longer window that ends with it."""
        metric = self.scope.company.metrics[name]
        if not isinstance(metric, Simple):
            return False
        measure = metric.measure
        return measure.at == "end" or (measure.open is None and measure.agg in _ADDS_UP)
