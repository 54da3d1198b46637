"""What the correlations of a whole board prove: p-values, the share of false finds that is let pass, and power.

Every lag of every pair is a test. With hundreds of them something always looks related, so Benjamini and Hochberg's
procedure is run over all of them together, at q = .04: coefficients that are estimated let a little more through than
the textbook says, and this way at most 5 % of boards on which nothing moves anything show a driver.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from dataops_nb.links.whitening import Array, rounded_up

Q = 0.04
POWER = 0.8
CONFIDENCE = 0.95
FEWEST_FREE = 8
_LARGEST = 0.999999
Places = npt.NDArray[np.int_]

_NORMAL = NormalDist()
_WIDTH = _NORMAL.inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Correlations:
    """Partial correlations of an input with a later target: one for each lag (in periods), with its degrees of freedom.

    `scale` turns each into units of the target for one unit of the input; `together` is the correlation within
    one period, which says nothing about which moves which.
    """

    lags: Array
    r: Array
    free: Array
    scale: Array
    together: float = 0.0

    @cached_property
    def p(self) -> Array:
        """The two-sided p-value of each lag, by Fisher's z."""
        return np.array([math.erfc(each / math.sqrt(2)) for each in np.abs(self.z * np.sqrt(self.free)).tolist()])

    @cached_property
    def z(self) -> Array:
        """Fisher's z of each lag."""
        return np.asarray(np.arctanh(self.r))

    def excludes(self, useful: float) -> bool:
        """Whether the 95 % intervals of all lags lie inside `useful`."""
        return bool(self.high.max() < useful and self.low.min() > -useful)

    def goes_along(self, useful: float, level: float) -> bool:
        """Whether both move in the same period: found at this level, or as strongly as `useful`."""
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
        """The regression slope of the lag at this place, and the ends of its 95 % interval."""
        r, scale = float(self.r[at]), float(self.scale[at])
        reach = _WIDTH * math.sqrt((1 - r * r) / float(self.free[at]))
        return r * scale, (r - reach) * scale, (r + reach) * scale

    def power(self, useful: float, level: float, lag: int | None = None) -> float:
        """How surely a partial correlation of `useful` would have been found at this level: at a lag, or over all lags."""
        at = self.free[self.lags == lag] if lag is not None and lag in self.lags else self.free
        reached = math.atanh(useful) * np.sqrt(at) - _critical(level)
        return sum(map(_NORMAL.cdf, reached.tolist())) / len(reached)


def correlate(pairs: list[tuple[Array, Array]], lags: range, fitted: int) -> list[Correlations | None]:
    """The correlations of pairs of series of surprises at these lags, as far as they leave 8 degrees of freedom.

    `fitted` is the number of columns that both were cleared of. None where no lag is left or a series never moves.
    """
    if not pairs:
        return []
    sizes = np.array([len(cause) for cause, _ in pairs])
    causes, effects = (_ending_together([pair[side] for pair in pairs], sizes) for side in (0, 1))
    tested = np.arange(lags.start, min(lags.stop, int(sizes.max())))
    r, scale, moves = _products(causes, effects, sizes, np.concatenate([[0], tested]))
    lagged: Array = tested.astype(float)
    free: Array = sizes[:, None] - lagged - fitted - 3.0
    enough = (free >= FEWEST_FREE).sum(axis=1)
    return [
        Correlations(lagged[:n], r[row, 1 : n + 1], free[row, :n], scale[row, 1 : n + 1], float(r[row, 0]))
        if n and moves[row]
        else None
        for row, n in enumerate(enough.tolist())
    ]


def _ending_together(series: list[Array], sizes: Places) -> Array:
    """One row each; the shorter ones begin with zeros."""
    out = np.zeros((len(series), int(sizes.max())))
    for row, each in zip(out, series, strict=True):
        row[len(row) - len(each) :] = each
    return out


def _products(causes: Array, effects: Array, sizes: Places, lags: Places) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """The correlation of each row with a later one, and the ratio of their deviations, one column for each lag.

    And whether both move at all. Of each row the last `sizes` values count, those before are 0.
    """
    n, left = causes.shape[1], np.maximum(sizes[:, None] - lags, 1)
    over = np.stack([np.einsum("ki,ki->k", causes[:, : n - lag], effects[:, lag:]) for lag in lags], axis=1)
    sum_c, square_c = _without(causes[:, ::-1], np.broadcast_to(lags, left.shape))
    sum_e, square_e = _without(effects, np.minimum(n - sizes[:, None] + lags, n))
    spread_c, spread_e = (np.maximum(s - t * t / left, 0.0) for s, t in ((square_c, sum_c), (square_e, sum_e)))
    width = np.sqrt(spread_c * spread_e)
    r = np.divide(over - sum_c * sum_e / left, width, out=np.zeros_like(width), where=width > 0)
    ratio = np.divide(spread_e, spread_c, out=np.zeros_like(width), where=spread_c > 0)
    return np.clip(r, -_LARGEST, _LARGEST), np.sqrt(ratio), width[:, 0] > 0


def _without(series: Array, first: Places) -> tuple[Array, Array]:
    """The sums, and the sums of squares, of rows without so many first values, one column for each number of them."""
    most = int(first.max())
    gone = np.zeros((2, len(series), most + 1))
    np.cumsum([series[:, :most], series[:, :most] ** 2], axis=2, out=gone[:, :, 1:])
    total = np.stack([series.sum(axis=1), np.einsum("ki,ki->k", series, series)])
    left = total[:, :, None] - np.take_along_axis(gone, np.broadcast_to(first, (2, *first.shape)), axis=2)
    return left[0], left[1]


def adjusted(p: Array) -> Array:
    """The q-values of p-values, in their order: the smallest share of false finds at which each would be rejected."""
    order = np.argsort(p, kind="stable")
    steps = p[order] * len(p) / np.arange(1, len(p) + 1)
    out = np.empty(len(p))
    out[order] = np.minimum.accumulate(steps[::-1])[::-1]
    return np.minimum(out, 1.0)


def level(found: int, tests: int) -> float:
    """The p-value at which one more of `tests` would be rejected beside the `found` ones."""
    return min(Q, Q * (found + 1) / max(tests, 1))


def periods_needed(useful: float, level: float, strongest: float, free: float) -> int:
    """How many periods more make 80 % power at `useful`, and an interval around `strongest` that excludes it."""
    wanted = ((_critical(level) + _NORMAL.inv_cdf(POWER)) / math.atanh(useful)) ** 2
    if abs(strongest) < useful:
        distance = math.atanh(useful) - math.atanh(abs(strongest))
        narrow = (_WIDTH / distance) ** 2
        wanted = max(wanted, min(narrow, 10 * wanted))
    return max(1, rounded_up(wanted - free))


def _critical(level: float) -> float:
    return _NORMAL.inv_cdf(1 - level / 2)
