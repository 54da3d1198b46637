"""What the correlations of a whole board prove: p-values, the share of false finds that is let pass, and power.

Every lag of every pair is a test. With hundreds of them something always looks related, so Benjamini and Hochberg's
procedure is run over all of them together, at q = .04: coefficients that are estimated let a little more through than
the textbook says, and this way at most 5 % of boards on which nothing moves anything show a driver.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from dataops_nb.links.whitening import Array, rounded_up

Q = 0.04
POWER = 0.8
CONFIDENCE = 0.95
FEWEST_FREE = 8

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

    @property
    def p(self) -> Array:
        """The two-sided p-value of each lag, by Fisher's z."""
        z = np.arctanh(self.r) * np.sqrt(self.free)
        return np.array([math.erfc(abs(each) / math.sqrt(2)) for each in z])

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
        return np.asarray(np.tanh(np.arctanh(self.r) - _WIDTH / np.sqrt(self.free)))

    @property
    def high(self) -> Array:
        """The upper ends of the 95 % intervals."""
        return np.asarray(np.tanh(np.arctanh(self.r) + _WIDTH / np.sqrt(self.free)))

    def effect(self, at: int) -> tuple[float, float, float]:
        """The regression slope of the lag at this place, and the ends of its 95 % interval."""
        r, scale = float(self.r[at]), float(self.scale[at])
        reach = _WIDTH * math.sqrt((1 - r * r) / float(self.free[at]))
        return r * scale, (r - reach) * scale, (r + reach) * scale

    def power(self, useful: float, level: float, lag: int | None = None) -> float:
        """How surely a partial correlation of `useful` would have been found at this level: at a lag, or over all lags."""
        at = self.free[self.lags == lag] if lag in self.lags else self.free
        reached = math.atanh(useful) * np.sqrt(at) - _critical(level)
        return float(np.mean([_NORMAL.cdf(float(each)) for each in reached]))


def correlate(cause: Array, effect: Array, lags: range, fitted: int) -> Correlations | None:
    """The correlations of two series of surprises at these lags; None where none has 8 degrees of freedom.

    `fitted` is the number of columns that both series were cleared of.
    """
    n = len(cause)
    known = [lag for lag in lags if n - lag - fitted - 3 >= FEWEST_FREE]
    if not known or not cause.std() or not effect.std():
        return None
    shifted = [(cause[: n - lag], effect[lag:]) for lag in known]
    free = np.array([n - lag - fitted - 3 for lag in known], dtype=float)
    r = np.array([_correlation(*both) for both in shifted])
    scale = np.array([float(later.std() / (earlier.std() or np.inf)) for earlier, later in shifted])
    return Correlations(np.array(known), r, free, scale, _correlation(cause, effect))


def _correlation(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = math.sqrt(float(one @ one) * float(other @ other))
    return float(np.clip(one @ other / size, -0.999999, 0.999999)) if size > 0 else 0.0


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
