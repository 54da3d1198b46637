"""Whether a series gets worse for real, also where it is too regular for process limits to give a verdict.

A trend makes successive values alike, so the guard of the limits blanks their signals just where a slow decline needs
one. So the trend of the last periods is tested instead: Mann and Kendall's test of ranks, which one odd week does not
impress, with its variance corrected for noise that remembers (Yue & Wang 2004, Water Resources Management 18). And a fall
that comes every year is a season: where there is a year before, the recent periods must lie clearly on the bad side of
the same ones then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from dataops_nb import links
from dataops_nb.definitions.models import Better, Grain
from dataops_nb.limits import SHORTEST, autocorrelation

LEVEL = 0.01
STRETCHES = {"day": (91, 182), "week": (26, 52), "month": (26, 52), "quarter": (26, 52), "year": (26, 52)}
_BAD: dict[Better, Better] = {"up": "down", "down": "up"}


@dataclass(frozen=True)
class Decline:
    """The trend of the last `periods` values: its `slope` a period, in the bad direction, in the values' unit.

    `share` is by how much the recent periods lie above (negative: below) the same ones a year before, or the ones
    before them where there is no such year.
    """

    slope: float
    periods: int
    share: float


def decline(values: pd.Series, grain: Grain, better: Better) -> Decline | None:
    """The decline that ends with the last of successive values, oldest first; None where there is no clear one.

    The last 26 values are looked at, and the last 52 (of days 91 and 182), at least 12; the surer of both counts. A
    missing value cuts off what lies before it.
    """
    known = values.to_numpy(dtype=float)
    gaps = np.flatnonzero(~np.isfinite(known))
    known = known[gaps[-1] + 1 :] if len(gaps) else known
    if better == "inside" or len(known) < SHORTEST:
        return None
    last = min((known[-length:] for length in STRETCHES[grain]), key=chance)
    slope = _slope(last)
    bad = slope < 0 if better == "up" else slope > 0
    share = links.risen(values, grain, _BAD[better]) if bad else None
    return None if share is None or chance(last) > LEVEL else Decline(slope, len(last), share)


def chance(values: np.ndarray) -> float:
    """The two-sided p-value of the trend in values whose noise may remember its last value; at most 1."""
    n = len(values)
    left = values - _slope(values) * np.arange(n)
    if float(np.ptp(left)) <= 1e-9 * float(np.abs(values).max()):
        return float(not _slope(values))
    alike = autocorrelation(left.tolist())
    alike = min(max((n * alike + 2) / (n - 4), 0.0), 0.95)  # short series look less alike than they are
    powers = alike ** np.arange(1, n) * (1 - np.arange(1, n) / n)
    spread = n * (n - 1) * (2 * n + 5) / 18 * (1 + 2 * float(powers.sum()))
    pairs = float(np.sign(values[:, None] - values[None, :])[np.tril_indices(n, -1)].sum())
    return 2 * NormalDist().cdf(-max(abs(pairs) - 1, 0) / math.sqrt(spread))


def _slope(values: np.ndarray) -> float:
    """The median of the slopes between all pairs of values (Sen 1968): one odd week does not tilt it."""
    later, earlier = np.tril_indices(len(values), -1)
    return float(np.median((values[later] - values[earlier]) / (later - earlier)))
