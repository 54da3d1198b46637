"""Rates over segments: how much of a rate's change is the segments' own rates, and how much which segments there are.

Both are Bennet's indicators: each change is weighted by the mean of the other side, so that no period is preferred.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def rates(
    shares_before: npt.ArrayLike, rates_before: npt.ArrayLike, shares_now: npt.ArrayLike, rates_now: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """`within` and `mix`, one number a segment each; together the change of the sum of share times rate.

    within: the mean share times the change of the rate. mix: the mean rate times the change of the share. A rate may be
    NaN where its share is 0: a segment that comes or goes is mix alone, at the one rate it has.
    """
    old, new = np.asarray(shares_before, dtype=float), np.asarray(shares_now, dtype=float)
    was, now = np.asarray(rates_before, dtype=float), np.asarray(rates_now, dtype=float)
    first = np.where((old == 0) & np.isnan(was), np.where(np.isnan(now), 0.0, now), was)
    last = np.where((new == 0) & np.isnan(now), first, now)
    return (old + new) / 2 * (last - first), (first + last) / 2 * (new - old)
