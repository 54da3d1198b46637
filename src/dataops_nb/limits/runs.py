"""Runs around the median: the longest one, and how often the line is crossed. Anhøj & Olesen 2014; Anhøj 2015."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from statistics import median


@dataclass(frozen=True)
class Runs:
    """The points off the median, their longest run and crossings, and what noise would keep to 95 times of 100."""

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
    """The runs of successive values around their own median; points on it count nowhere."""
    middle = median(values) if len(values) else 0.0
    lengths = [len(list(run)) for _, run in groupby(value > middle for value in values if value != middle)]
    n = sum(lengths)
    return Runs(
        n=n,
        longest=max(lengths, default=0),
        longest_allowed=round(math.log2(n)) + 3 if n else 0,
        crossings=max(len(lengths) - 1, 0),
        crossings_needed=binomial_quantile(0.05, n - 1) if n > 1 else 0,
    )


def binomial_quantile(share: float, n: int, p: float = 0.5) -> int:
    """The smallest k with P(X ≤ k) ≥ `share` for X ~ Binomial(n, p); exact, in fractions."""
    wanted, hit = Fraction(repr(share)), Fraction(repr(p))
    reached = Fraction(0)
    for k in range(n + 1):
        reached += math.comb(n, k) * hit**k * (1 - hit) ** (n - k)
        if reached >= wanted:
            return k
    return n
