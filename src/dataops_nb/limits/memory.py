"""Whether a series remembers its last value. Limits assume that it does not: with memory, noise looks like signals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean


def autocorrelation(values: Sequence[float]) -> float:
    """The correlation of successive values (lag 1), NaN for fewer than two or for values that are all the same."""
    if len(values) < 2:
        return math.nan
    middle = fmean(values)
    away = [value - middle for value in values]
    spread = math.fsum(each * each for each in away)
    if spread <= (1e-12 * middle) ** 2 * len(values):
        return math.nan
    return math.fsum(a * b for a, b in pairwise(away)) / spread


def remembers(values: Sequence[float]) -> bool:
    """Whether successive values are more alike than in 98 of 100 series without memory: lag 1 above 2 / √n.

    Only likeness counts: it makes the moving ranges, and so the limits, too narrow. Values that alternate widen them.
    """
    return len(values) > 1 and autocorrelation(values) > 2 / math.sqrt(len(values))
