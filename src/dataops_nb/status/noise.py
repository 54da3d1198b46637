"""How much of a light is luck: how often it would change while nothing changed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dataops_nb.definitions.models import Better, Lights
from dataops_nb.status.terms import Asked

Array = npt.NDArray[np.float64]
Ends = tuple[Array, Array]


def flips(
    center: float, sigma: float, lights: Lights, better: Better, *, target: float, low: float, high: float
) -> float:
    """P(the next light differs from this one | nothing changed) = 1 - Σ p², p being the share of each colour.

    The process stays normal around `center` with `sigma`; NaN where one of the numbers is missing.
    """
    green = 1.0 if lights.green.at_least is None else lights.green.at_least
    yellow = math.nan if lights.yellow is None else lights.yellow.at_least or 0.0
    numbers = [np.array([float(each)]) for each in (center, sigma, green, yellow)]
    return float(flips_of(numbers[0], numbers[1], numbers[2], numbers[3], Asked.one(better, target, low, high))[0])


def flips_of(center: Array, sigma: Array, green: Array, yellow: Array, asked: Asked) -> Array:
    """`flips` of many lights at once; `yellow` is NaN where there is no such light."""
    shares = [_share(center, sigma, attaining(each, asked)) for each in (green, yellow)]
    lit = np.where(np.isnan(yellow), shares[0], np.maximum(*shares))
    found = 1 - shares[0] ** 2 - (lit - shares[0]) ** 2 - (1 - lit) ** 2
    return np.where(np.isfinite(center) & np.isfinite(sigma) & asked.known, found, np.nan)


def attaining(share: Array, asked: Asked) -> Ends:
    """The first and the last value whose attainment is at least `share`; the first is above the last where none is."""
    up, inside, target, low, high = asked.side == 1, asked.side == 0, asked.target, asked.low, asked.high
    with np.errstate(all="ignore"):
        slack = (1 - share) * np.abs(target)
        first = np.where(up, np.where(target > 0, share * target, target - slack), -np.inf)
        last = np.where(up, np.inf, np.where(target > 0, target / share, target + slack))
        anything = (share <= 0) & ~(up & (target > 0))
        beyond, wide = share > 1, (1 - share) * (high - low)
        first, last = np.where(anything, -np.inf, first), np.where(anything, np.inf, last)
        first = np.where(beyond & ~up, 0.0, first)
        first = np.where(beyond & (target <= 0), np.inf, first)
        first = np.where(inside, np.where(beyond, np.inf, low - wide), first)
        return first, np.where(inside, high + wide, last)


def _share(center: Array, sigma: Array, values: Ends) -> Array:
    """The share of the noise that lies within these values."""
    first, last = values
    still = sigma <= 0
    spread = np.where(still, 1.0, sigma)
    with np.errstate(invalid="ignore"):
        within = np.maximum(_below((last - center) / spread) - _below((first - center) / spread), 0.0)
        return np.where(still, (first <= center) & (center <= last), within).astype(float)


_ERFC = np.frompyfunc(math.erfc, 1, 1)


def _below(z: Array) -> Array:
    """P(a standard normal value lies below z)."""
    return np.asarray(_ERFC(-z / math.sqrt(2)), dtype=float) / 2
