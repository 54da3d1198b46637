"""Runs around the median, and the crossings of it: Anhøj's rules.

They need no limits, and so no distribution. `runs` counts those of one series, `mark` finds the
points of the runs that say so.

Sources: Anhøj & Olesen 2014, "Run charts revisited", *PLoS ONE* 9(11):e113825; Anhøj 2015,
"Diagnostic value of run chart analysis", *PLoS ONE* 10(3):e0121349.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import groupby
from statistics import median

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Runs:
    """Runs around the median: their number and what noise would keep to 95 times of 100.

    `n` points lie off the median, `longest` of them in one run; the median is crossed `crossings`
    times.
    """

    n: int
    longest: int
    longest_allowed: int
    crossings: int
    crossings_needed: int

    @property
    def signal(self) -> bool:
        """Whether a run is too long or the median is crossed too rarely."""
        return self.longest > self.longest_allowed or self.crossings < self.crossings_needed


def runs(values: Sequence[float]) -> Runs:
    """Count the runs of successive values around their own median; points on it do not count.

    Source: Anhøj & Olesen 2014; Anhøj 2015.
    """
    if not len(values):
        return Runs(0, 0, 0, 0, 0)
    middle = median(values)
    above = [value > middle for value in values if value != middle]
    lengths = [len(list(run)) for _, run in groupby(above)]
    n = len(above)
    return Runs(
        n=n,
        longest=max(lengths, default=0),
        longest_allowed=longest_allowed(n),
        crossings=max(len(lengths) - 1, 0),
        crossings_needed=crossings_needed(n),
    )


def longest_allowed(n: int) -> int:
    """Return how long a run may be among `n` points off the median."""
    return round(math.log2(n)) + 3 if n else 0


@cache
def crossings_needed(n: int) -> int:
    """Return how often `n` points off the median must cross it."""
    return binomial_quantile(0.05, n - 1) if n > 1 else 0


def mark(away: Array) -> tuple[Mask, Mask]:
    """Return which values of a series lie in a run that is too long; and in one of too few.

    `away` is how far each lies above its centre line, oldest first. Where the median is crossed too
    rarely and no run is too long, the points of the longest runs are the second.
    """
    off = away - median(away.tolist()) if len(away) else away
    counted = np.flatnonzero(np.abs(off) > 1e-9 * np.max(np.abs(away), initial=0.0))
    sides = np.sign(off[counted])
    run = np.cumsum(np.diff(sides, prepend=0.0) != 0)
    lengths = np.bincount(run, minlength=1)[run]
    in_long, in_few = (np.zeros(len(away), dtype=bool) for _ in range(2))
    in_long[counted] = lengths > longest_allowed(len(counted))
    crossings = int(run[-1]) - 1 if len(run) else 0
    if not in_long.any() and crossings < crossings_needed(len(counted)):
        in_few[counted] = lengths == lengths.max()
    return in_long, in_few


def binomial_quantile(share: float, n: int, p: float = 0.5) -> int:
    """Return the smallest k with P(X ≤ k) ≥ `share` for X ~ Binomial(n, p), exactly."""
    needed, success = Fraction(repr(share)), Fraction(repr(p))
    reached = Fraction(0)
    for k in range(n + 1):
        reached += math.comb(n, k) * success**k * (1 - success) ** (n - k)
        if reached >= needed:
            return k
    return n
