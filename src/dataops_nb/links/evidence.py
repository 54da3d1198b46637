"""What the correlations of a whole board prove: p-values, false finds, power.

Two independent series that drift look related in most cases. So `surprises` takes memory out of
what is left of them once they are cleared of what is regular (`links.regular`): the input's own
rhythm out of both (prewhitening: Box and Jenkins 1970), then what is left of the target's own
rhythm out of the target. Without the last step a metric that moves together with the target, at lag
0, would look like a driver.

Every lag of every pair is a test, and with hundreds of them something always looks related. So
`adjusted` runs the procedure of Holm (1979) over all of them together, at 3 %: coefficients that
are estimated let a little more through, and this way at most 5 % of boards show a false link,
however many true ones stand beside it. What is strong enough to be looked at must stand
the checks of `links.checks`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from dataops_nb.links import checks
from dataops_nb.links.checks import Doubt
from dataops_nb.links.memory import autoregressions, filtered

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int_]
Flags = npt.NDArray[np.bool_]
Q = 0.03
POWER = 0.8
CANDIDATE = 0.01
CONFIDENCE = 0.95
FEWEST_FREE = 8
FARTHEST = 4.0
FARTHEST_OF_NOTHING = 2.0  # standard errors of the strongest of some lags, where nothing is
NOISE = 1e-9
_LARGEST = 0.999999
_NORMAL = NormalDist()
_WIDTH = _NORMAL.inv_cdf((1 + CONFIDENCE) / 2)
_NONE: Array = np.zeros(0)


@dataclass(frozen=True)
class Correlations:
    """Partial correlations of an input with a later target, one for each lag.

    `free` are their degrees of freedom, `doubts` what the checks say of each (none where no lag is
    strong enough to be looked at), `surprises` the series that were correlated. `lags` are in
    periods. `scale` turns each correlation into units of the target for one unit of the input.
    `together` is the correlation within one period, which says nothing about which moves which.
    """

    lags: Array
    r: Array
    free: Array
    scale: Array
    together: float = 0.0
    doubts: tuple[Doubt, ...] = ()
    surprises: tuple[Array, Array] = (_NONE, _NONE)

    @cached_property
    def p(self) -> Array:
        """The two-sided p-value of each lag, by Fisher's z less what is doubtful about it."""
        if not self.doubts:
            return self.p_unchecked
        deviations = np.abs(self.z * np.sqrt(self.free))
        return _tails(deviations * [doubt.share for doubt in self.doubts])

    @cached_property
    def p_unchecked(self) -> Array:
        """The same without any check."""
        return _tails(np.abs(self.z * np.sqrt(self.free)))

    @cached_property
    def z(self) -> Array:
        """Fisher's z of each lag."""
        return np.asarray(np.arctanh(self.r))

    def excludes(self, useful: float) -> bool:
        """Tell whether the 95 % intervals of all lags lie inside `useful`."""
        farthest = np.abs(self.z) + _WIDTH / np.sqrt(self.free)
        return bool(farthest.max() < math.atanh(useful))

    def goes_along(self, useful: float, level: float) -> bool:
        """Tell whether both move in the same period.

        Found at this level, or as strongly as `useful`.
        """
        z = math.atanh(self.together) * math.sqrt(float(self.free.max()) + 1)
        return abs(z) > _critical(level) or abs(self.together) >= useful

    @property
    def low(self) -> Array:
        """The lower ends of the 95 % intervals."""
        return np.asarray(np.tanh(self.z - _WIDTH / np.sqrt(self.free)))

    @property
    def high(self) -> Array:
        """The upper ends of the 95 % intervals."""
        return np.asarray(np.tanh(self.z + _WIDTH / np.sqrt(self.free)))

    def effect(self, at: int) -> tuple[float, float, float]:
        """Return the regression slope of the lag at this place, with its 95 % interval."""
        r, scale = float(self.r[at]), float(self.scale[at])
        reach = _WIDTH * math.sqrt((1 - r * r) / float(self.free[at]))
        return r * scale, (r - reach) * scale, (r + reach) * scale

    def power(self, useful: float, level: float, lag: int | None = None) -> float:
        """Return how surely a partial correlation of `useful` would have been found at this level.

        At a lag, or on average over all lags.
        """
        free = self.free
        if lag is not None and lag in self.lags:
            free = free[self.lags == lag]
        reached = math.atanh(useful) * np.sqrt(free) - _critical(level)
        return sum(map(_NORMAL.cdf, reached.tolist())) / len(reached)


def correlate(
    pairs: list[tuple[Array, Array]], lags: range, fitted: Array, units: Array
) -> list[Correlations | None]:
    """Correlate pairs of series of surprises at these lags.

    Lags are tested as far as they leave 8 degrees of freedom.

    `fitted` are the degrees of freedom that clearing took, one column a lag, `units` what one of
    the effects is in units of one of the causes. None where no lag is left or a series never moves.
    """
    if not pairs:
        return []
    sizes = np.array([len(cause) for cause, _ in pairs])
    causes = _ending_together([cause for cause, _ in pairs], sizes)
    effects = _ending_together([effect for _, effect in pairs], sizes)
    tested = np.arange(lags.start, min(lags.stop, int(sizes.max())))
    r, scale, moves = _products(causes, effects, sizes, np.concatenate([[0], tested]))
    scale = scale * units[:, None]
    lagged: Array = tested.astype(float)
    free: Array = sizes[:, None] - lagged - fitted[:, : len(tested)] - 3.0
    lag_counts = (free >= FEWEST_FREE).sum(axis=1)
    p = _tails(np.abs(np.arctanh(r[:, 1:])) * np.sqrt(np.maximum(free, 0.0)))
    found: list[Correlations | None] = []
    for row, count in enumerate(lag_counts.tolist()):
        if not count or not moves[row]:
            found.append(None)
            continue
        later = slice(1, count + 1)  # the first column is lag 0
        together = float(r[row, 0])
        plain = Correlations(
            lagged[:count],
            r[row, later],
            free[row, :count],
            scale[row, later],
            together,
            surprises=pairs[row],
        )
        vars(plain)["p_unchecked"] = p[row, :count]  # computed for all pairs at once
        found.append(_checked(plain))
    return found


def _checked(plain: Correlations) -> Correlations:
    """Add what the checks say of the lags that are strong enough to be looked at."""
    cause, effect = plain.surprises
    strong = np.flatnonzero(plain.p_unchecked <= CANDIDATE)
    if not len(strong):
        return plain
    doubts = [Doubt(1.0, None)] * len(plain.lags)
    for place in strong:
        lag, most = int(plain.lags[place]), int(plain.lags[-1])
        doubts[place] = checks.doubt(cause, effect, lag, most)
    return replace(plain, doubts=tuple(doubts))


def _tails(deviations: Array) -> Array:
    """Return the two-sided p-values of normal deviates."""
    sizes = (deviations / math.sqrt(2)).ravel().tolist()
    return np.array([math.erfc(size) for size in sizes]).reshape(deviations.shape)


def _ending_together(series: list[Array], sizes: Places) -> Array:
    """Stack series as rows that end together; the shorter ones begin with zeros."""
    stacked = np.zeros((len(series), int(sizes.max())))
    for row, values in zip(stacked, series, strict=True):
        row[len(row) - len(values) :] = values
    return stacked


def _products(
    causes: Array, effects: Array, sizes: Places, lags: Places
) -> tuple[Array, Array, Flags]:
    """Correlate each row of causes with the same row of effects, one column for each lag.

    Of each row the last `sizes` values count, those before are 0. Returns the correlations, the
    ratios of the deviations, and whether both rows move at all.
    """
    length = causes.shape[1]
    counts = np.maximum(sizes[:, None] - lags, 1)
    products: list[Array] = []
    for lag in lags:
        products.append(np.einsum("ki,ki->k", causes[:, : length - lag], effects[:, lag:]))
    # a cause loses its last values to the lag, an effect its first ones
    sum_c, square_c = _sums_without(causes[:, ::-1], np.broadcast_to(lags, counts.shape))
    first = np.minimum(length - sizes[:, None] + lags, length)
    sum_e, square_e = _sums_without(effects, first)
    spread_c = np.maximum(square_c - sum_c * sum_c / counts, 0.0)
    spread_e = np.maximum(square_e - sum_e * sum_e / counts, 0.0)
    width = np.sqrt(spread_c * spread_e)
    covariance = np.stack(products, axis=1) - sum_c * sum_e / counts
    r = np.divide(covariance, width, out=np.zeros_like(width), where=width > 0)
    ratio = np.divide(spread_e, spread_c, out=np.zeros_like(width), where=spread_c > 0)
    return np.clip(r, -_LARGEST, _LARGEST), np.sqrt(ratio), width[:, 0] > 0


def _sums_without(series: Array, first: Places) -> tuple[Array, Array]:
    """Return the sums, and the sums of squares, of rows without so many first values.

    `first` has one column for each number of values that are left out.
    """
    most = int(first.max())
    gone = np.zeros((2, len(series), most + 1))
    np.cumsum([series[:, :most], series[:, :most] ** 2], axis=2, out=gone[:, :, 1:])
    total = np.stack([series.sum(axis=1), np.einsum("ki,ki->k", series, series)])
    places = np.broadcast_to(first, (2, *first.shape))
    left = total[:, :, None] - np.take_along_axis(gone, places, axis=2)
    return left[0], left[1]


def adjusted(p: Array) -> Array:
    """Return the adjusted p-values of tests, in their order.

    Each is the smallest chance of any false find at which the test is rejected, whichever of the
    others are true. Source: Holm (1979, Scandinavian Journal of Statistics 6).
    """
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    q = np.empty(len(p))
    q[order] = np.maximum.accumulate(steps)
    return np.minimum(q, 1.0)


def level(found: int, tests: int) -> float:
    """Return the p-value at which one more of `tests` is rejected beside the `found` ones."""
    return Q / max(tests - found, 1)


def periods_needed(useful: float, level: float, free: float) -> int:
    """Return how many periods more tell whether there is an effect of `useful`; 0 if none would.

    They make 80 % power at the level, and intervals that exclude it at every lag where nothing is.
    """
    sure = _critical(level) + _NORMAL.inv_cdf(POWER)
    wanted = (max(sure, _WIDTH + FARTHEST_OF_NOTHING) / math.atanh(useful)) ** 2
    return max(0, rounded_up(wanted - free))


@lru_cache(maxsize=64)
def _critical(level: float) -> float:
    return _NORMAL.inv_cdf(1 - level / 2)


def bounded(series: Array) -> Array:
    """Centre each row and clip it to four robust deviations around its median.

    One odd week proves nothing.
    """
    middle = _medians(series)
    spread = 1.4826 * _medians(np.abs(series - middle))
    if not spread.all():
        spread = np.where(spread > 0, spread, series.std(axis=1, keepdims=True))
    kept = np.clip(series, middle - FARTHEST * spread, middle + FARTHEST * spread)
    return np.asarray(kept - kept.mean(axis=1, keepdims=True))


def _medians(series: Array) -> Array:
    """Return the median of each row, as a column."""
    middle = (series.shape[1] - 1) // 2, series.shape[1] // 2
    ordered = np.partition(series, middle, axis=1)
    return np.asarray(ordered[:, middle].mean(axis=1, keepdims=True))


def surprises(causes: Array, effects: Array) -> list[tuple[Array, Array]]:
    """Filter pairs of cleared rows: both by the cause's model, then by the effect's own.

    The two of a pair are equally long; the pairs need not be. Source: prewhitening, Box and Jenkins
    (1970).
    """
    own = autoregressions(causes)
    first = [filtered(cause, model) for cause, model in zip(causes, own, strict=True)]
    second = [filtered(effect, model) for effect, model in zip(effects, own, strict=True)]
    rest = _by_length(autoregressions, second)
    ahead = [cause[len(model) :] for cause, model in zip(first, rest, strict=True)]
    behind = [filtered(effect, model) for effect, model in zip(second, rest, strict=True)]
    return list(zip(_by_length(bounded, ahead), _by_length(bounded, behind), strict=True))


def _by_length(work: Callable[[Array], Iterable[Array]], series: list[Array]) -> list[Array]:
    """Do the work on series of different lengths, at once for those that are equally long.

    Return it in their order.
    """
    places_by_length: dict[int, list[int]] = {}
    for place, values in enumerate(series):
        places_by_length.setdefault(len(values), []).append(place)
    done: list[Array] = [_NONE] * len(series)
    for places in places_by_length.values():
        stacked = np.stack([series[place] for place in places])
        for place, result in zip(places, work(stacked), strict=True):
            done[place] = result
    return done


def rounded_up(value: float) -> int:
    """Return the next whole number; a number that is whole but for its last bits stays."""
    return math.ceil(value - NOISE)
