"""How often the newest point of a metric shows a signal although nothing happens.

Wheeler's constants were chosen for values of any kind, and their false alarms were counted for
normal ones. A count of 3 or a skewed sum shows others. So the chance is computed for each series:
by the distribution of its counts where it is counted, else by the shape of its own values, whose
lean is read off their median and their tenths (Tukey's g), which no few wild points can move.

Limits come from the newest point too, and from few others. By how much it lies outside them more
often than outside known ones, and how much more seldom in a run, is by simulation (`signal`: normal
values, 12 to 208 points).

Few counts have chances of their own, number by number: a curve through their mean, deviation and
skewness says twice as much as is true of what lies outside.

Sources: Tukey 1977, "Modern techniques in data analysis" (the g distribution, in Hoaglin, Mosteller
& Tukey, *Exploring Data Tables, Trends, and Shapes*, chapter 11); Wilson & Hilferty 1931 (the cube
root of a gamma variable is nearly normal); Johnson, Kemp & Kotz, *Univariate Discrete
Distributions* (each count's chance from that of the one before).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataops_nb.limits.runs import longest_allowed
from dataops_nb.limits.xmr import SignalRules

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
TENTH = 1.2815515655446004  # of a standard normal variable, a tenth lies above it
_FARTHEST = 10.0  # standard deviations; what lies farther out counts as lying there
_ADDED_UP = 100  # the chances of larger numbers are read off a curve
_LEANS_BY_CHANCE = 2.6  # the variance of g of n normal values, times n
_AN_EVENT = 4.5  # standard deviations; what lies farther out is taken for an event, not for noise
_WEIGHT = 50  # points outside count beside so many of the shape's
AT_ONCE = 64  # stretches that are sorted together
_ERFC = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True)
class Chances:
    """How likely a value lies outside a limit, near it, and on one side of the middle.

    Each has two rows, above and below, and a column for each point.
    """

    outside: Array
    near: Array
    side: Array

    def of(self, places: Places) -> Chances:
        """Return the chances of the points at these places."""
        return Chances(self.outside[:, places], self.near[:, places], self.side[:, places])

    def averaged(self, owner: npt.NDArray[np.int_], count: int) -> Chances:
        """Return the mean chances of the points of each owner, of `count` owners."""
        sizes = np.maximum(np.bincount(owner, minlength=count), 1)
        means = []
        for chances in (self.outside, self.near, self.side):
            means.append(np.array([np.bincount(owner, row, count) / sizes for row in chances]))
        return Chances(*means)

    def signal(self, rules: SignalRules, sizes: Places, is_fixed: Mask) -> Array:
        """Return the chance that the newest of independent points shows a signal.

        Limits are estimated from so many of them; where they are fixed (locked to earlier days) the
        newest point is not one of them.
        """
        n = np.maximum(sizes, 1)
        lies_out = np.where(is_fixed, 1 + 33 / n, 1 + 13 / n)
        runs = np.where(is_fixed, 1 + 33 / n, np.maximum(1 - 7 / n**0.75, 0.0))
        is_near = np.where(is_fixed, 1 + 33 / n, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            near = np.maximum(self.near, self.outside)
            alone = lies_out * self.outside
            alone = alone + is_near * (near - self.outside) * _at_least(rules, near)
            given = np.where(self.side > 0, near / self.side, 0.0)
            seen = np.where(self.side > 0, self.outside / self.side, 0.0)
            also = seen + (given - seen) * _at_least(rules, np.minimum(given, 1.0))
        in_run = self.side**rules.run * (1 - np.clip(also, 0.0, 1.0))
        chance = (alone + runs * in_run).sum(axis=0)
        if rules.trend:
            chance = chance + 2 / math.factorial(rules.trend)
        return np.asarray(np.clip(chance, 0.0, 1.0))


def _at_least(rules: SignalRules, near: Array) -> Array:
    """Return the chance that enough of the points before are near the limit too."""
    before, needed = rules.near_of - 1, rules.near - 1
    if before > 10:
        return np.zeros_like(near)
    chance = np.zeros_like(near)
    for k in range(needed, before + 1):
        chance = chance + math.comb(before, k) * near**k * (1 - near) ** (before - k)
    return chance


def of_counts(counts: Counted, reach: tuple[Array, Array], near: float) -> Chances:
    """Return the chances of whole numbers.

    `reach` is the distance of the upper and of the lower limit from the mean, `near` the part of it
    from which on a point is near the limit.
    """
    upper, lower = reach
    greatest = np.array([
        np.floor(counts.expected + upper), np.ceil(counts.expected - lower) - 1,
        np.floor(counts.expected + near * upper), np.ceil(counts.expected - near * lower) - 1,
        counts.middle, counts.middle - 1,
    ])  # fmt: skip
    at_most = counts.at_most(greatest)
    above, below = 1 - at_most[::2], at_most[1::2]
    return Chances(*(np.array(pair) for pair in zip(above, below, strict=True)))


@dataclass(frozen=True)
class Counted:
    """Counts: how many are `expected`, and the `base` of which they are a share (if `is_share`).

    `dispersion` is how many times their variance is that of dice, `middle` their median.
    """

    expected: Array
    base: Array
    is_share: Mask
    dispersion: Array
    middle: Array

    def at_most(self, greatest: Array) -> Array:
        """Return the chance of at most so many; `greatest` may have several rows."""
        share = np.where(self.is_share, self.expected / self.base, 0.0)
        variance = np.maximum(self.dispersion * self.expected * (1 - share), 0.0)
        lean = np.maximum(2 * self.dispersion - 1, 0.0) * (1 - 2 * share)
        chance = _below(_cube_root(greatest + 0.5 - self.expected, np.sqrt(variance), lean))
        rarer = np.where(share > 0.5, self.base - self.expected, self.expected)
        last = rarer + _FARTHEST * (np.sqrt(variance) + self.dispersion)
        few = np.flatnonzero((last <= _ADDED_UP) & (self.dispersion >= 0.5))
        if len(few):
            chance[:, few] = self._added_up(few, greatest[:, few], int(last[few].max()) + 1)
        most = np.where(self.is_share, self.base, np.inf)
        return np.where(greatest < 0, 0.0, np.where(greatest >= most, 1.0, chance))

    def _added_up(self, few: Places, greatest: Array, last: int) -> Array:
        """Return the same of few counts, by adding up the chance of each number.

        Counts are Poisson, or negative binomial where they vary more; shares are binomial, or beta
        binomial. A share above a half is counted by the rest.
        """
        base, is_share = self.base[few], self.is_share[few]
        is_rest = is_share & (2 * self.expected[few] > base)
        expected = np.where(is_rest, base - self.expected[few], self.expected[few])
        greatest = np.where(is_rest, base - greatest - 1, greatest)
        extra = self.dispersion[few] - 1
        # Of a share, what one that is counted already adds to the chance of the next one.
        shared = extra / np.maximum(base - 1 - extra, 1.0)
        start = np.where(is_share, expected / base, expected)
        growth = np.where(is_share, shared, extra)
        chance, total = np.ones(len(few)), np.zeros(len(few))
        up_to = np.zeros(greatest.shape)
        for number in range(last + 1):
            total += chance
            up_to = np.where(number <= greatest, total, up_to)
            left = np.where(is_share, np.maximum(base - number, 0.0), 1.0)
            others = np.where(is_share, 1 - start + (base - 1 - number) * growth, 1 + growth)
            more = np.maximum(start + number * growth, 0.0) * left / np.maximum(others, 1e-9)
            chance = chance * more / (number + 1)
        at_most = up_to / total
        return np.asarray(np.where(is_rest, 1 - at_most, at_most))


def _cube_root(away: Array, deviation: Array, lean: Array) -> Array:
    """Return the standard normal score of a skewed variable (Wilson & Hilferty)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        score = away / deviation
        skew = lean / deviation
        root = np.cbrt(np.maximum(skew * score / 2 + 1, 0.0))
        bent = 6 / skew * (root - 1) + skew / 6
        return np.where(np.abs(skew) < 1e-3, score, bent)


def of_shapes(scores: Array, stretch: npt.NDArray[np.int_], sizes: Places, near: float) -> Chances:
    """Return the chances of values of any shape, one entry a stretch.

    `scores` are values less their centre, in thirds of the reach; `sizes` how many each stretch
    has.
    """
    low, middle, high = _tenths(scores, stretch, sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (high - middle) / (middle - low)
        g = np.log(ratio) / TENTH
        # Three quantiles of n normal values lean by chance: what that explains is taken off.
        explained = 2 * _LEANS_BY_CHANCE / (np.maximum(sizes, 1) * g**2)
        g = np.clip(np.nan_to_num(g * np.maximum(1 - explained, 0.0)), -2.0, 2.0)
        bent = np.where(g == 0, 2 * TENTH, (np.exp(g * TENTH) - np.exp(-g * TENTH)) / g)
        scale = np.where(g == 0, 1.0, (high - low) / bent)
        start = np.where(g == 0, 0.0, middle)

        def below(value: float) -> Array:
            away = (value - start) / scale
            bend = np.log(np.maximum(1 + g * away, 1e-300)) / g
            return _below(np.where(g == 0, away, bend))

        outside = np.array([1 - below(3.0), below(-3.0)])
        above = (scores > 3.0) & (scores <= _AN_EVENT)
        under = (scores < -3.0) & (scores >= -_AN_EVENT)
        for side, beyond in zip(outside, (above, under), strict=True):
            seen = np.bincount(stretch[beyond], minlength=len(sizes))
            side[:] = (side * _WEIGHT + seen) / (_WEIGHT + sizes)
        close = np.array([1 - below(3.0 * near), below(-3.0 * near)])
        side = np.array([1 - below(0.0), below(0.0)])
    return Chances(outside, close, side)


def _tenths(
    scores: Array, stretch: npt.NDArray[np.int_], sizes: Places
) -> tuple[Array, Array, Array]:
    """Return the lowest and the highest tenth of each stretch's scores, and their median."""
    ordered = _sorted(scores, stretch)
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
    tenths = []
    for share in (0.1, 0.5, 0.9):
        place = share * np.maximum(sizes - 1, 0)
        floor = np.floor(place).astype(int)
        lower = ordered[firsts + floor]
        upper = ordered[firsts + np.minimum(floor + 1, np.maximum(sizes - 1, 0))]
        between = lower + (upper - lower) * (place - floor)
        tenths.append((between - np.arange(len(sizes)) - 0.5) * 2 * _FARTHEST)
    return tenths[0], tenths[1], tenths[2]


def _sorted(scores: Array, stretch: npt.NDArray[np.int_]) -> Array:
    """Return the scores of each stretch in their order, as parts of 1 after its number; then NaN.

    Stretches follow each other. A few at a time are sorted side by side, which is several times as
    fast as all scores in one row.
    """
    sizes = np.bincount(stretch)
    ends = np.cumsum(sizes)
    ordered = np.full(len(scores) + 1, np.nan)
    first = 0
    for number in range(0, len(sizes), AT_ONCE):
        own = sizes[number : number + AT_ONCE]
        end = int(ends[number + len(own) - 1])
        holds = np.arange(own.max()) < own[:, None]
        few = np.full(holds.shape, np.inf)
        few[holds] = _placed(scores[first:end], stretch[first:end])
        few.sort(axis=1)
        ordered[first:end] = few[holds]
        first = end
    return ordered


def _placed(scores: Array, stretch: npt.NDArray[np.int_]) -> Array:
    numbers = scores if np.isfinite(scores).all() else np.nan_to_num(scores)
    return np.asarray(stretch + np.clip(numbers / (2 * _FARTHEST) + 0.5, 0.0, 1 - 1e-9))


def of_runs(sizes: Places) -> Array:
    """Return the chance that the newest of so many points lies in a run that is too long.

    Or, where no run is, in the longest of a series that crosses its median too rarely.
    """
    chances = np.zeros(len(sizes))
    for size in np.unique(sizes):
        allowed = longest_allowed(int(size))
        too_rare = 0.025 * min(1.0, allowed / max(int(size), 1))
        chances[sizes == size] = 2 * 0.5 ** (allowed + 1) + too_rare
    return chances


def _below(z: Array) -> Array:
    """Return P(a standard normal value lies below z)."""
    return np.asarray(_ERFC(-np.asarray(z) / math.sqrt(2)), dtype=float) / 2
