"""Limits of individual values from their moving ranges. Wheeler, *Understanding Variation*; *Making Sense of Data*."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.definitions.models import Limits

Array = npt.NDArray[np.float64]
Average = Literal["mean", "median"]
_AVERAGES: dict[Average, Callable[[Sequence[float]], float]] = {"mean": fmean, "median": median}
_LIMIT = {"mean": 2.66, "median": 3.145}
_RANGE_LIMIT = {"mean": 3.268, "median": 3.865}
_SIGMA = {"mean": 1.128, "median": 0.954}
_SCREEN = 3.267


@dataclass(frozen=True)
class ProcessLimits:
    """The centre line, both limits, the average moving range and the limit of moving ranges, in the values' unit."""

    center: float
    lower: float
    upper: float
    moving_range: float
    range_limit: float


def xmr(
    values: Sequence[float], *, ranges: Average = "mean", center: Average = "mean", screen: bool = False
) -> ProcessLimits:
    """The limits of successive values: centre ± 2.66 mean (or 3.145 median) moving ranges.

    `screen` leaves out the moving ranges of at least 3.267 times their mean, once (Nelson 1982). Fewer than two values
    have no limits: NaN.
    """
    if len(values) < 2:
        return ProcessLimits(values[0] if len(values) else math.nan, *[math.nan] * 4)
    moved = [abs(after - before) for before, after in pairwise(values)]
    if screen:
        bound = _SCREEN * fmean(moved)
        moved = [each for each in moved if each < bound] or moved
    middle, usual = _AVERAGES[center](values), _AVERAGES[ranges](moved)
    reach = _LIMIT[ranges] * usual
    return ProcessLimits(middle, middle - reach, middle + reach, usual, _RANGE_LIMIT[ranges] * usual)


def reaches(values: Array, stretch: npt.NDArray[np.int_], agreed: Sequence[Limits]) -> Array:
    """How far the limits of each stretch lie from its centre line; its values follow each other, oldest first.

    One entry of `agreed` for each stretch. NaN where it has fewer than two values.
    """
    within = stretch[1:] == stretch[:-1]
    of, moved = stretch[1:][within], np.abs(np.diff(values))[within]
    usual = _averages(moved, of, len(agreed))
    if any(each.screen for each in agreed):
        bound = np.where([each.screen for each in agreed], _SCREEN * usual, np.inf)
        kept = (moved < bound[of]) | (usual[of] == 0)
        of, moved = of[kept], moved[kept]
        usual = _averages(moved, of, len(agreed))
    by_median = np.array([each.range == "median" for each in agreed], dtype=bool)
    if by_median.any():
        middles = pd.Series(moved).groupby(of).median().reindex(range(len(agreed))).to_numpy(dtype=float)
        usual = np.where(by_median, middles, usual)
    return np.asarray(usual * np.where(by_median, _LIMIT["median"], _LIMIT["mean"]))


def _averages(moved: Array, of: npt.NDArray[np.int_], count: int) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.bincount(of, moved, count) / np.bincount(of, minlength=count))


def sigma(center: float, upper: float, ranges: Average = "mean") -> float:
    """The standard deviation of the noise behind limits: the mean moving range / 1.128 (the median one / 0.954)."""
    return (upper - center) / _LIMIT[ranges] / _SIGMA[ranges]


def deviations(value: float, before: Sequence[float]) -> float:
    """How many standard deviations of its own noise a value lies above the mean of those before it, oldest first.

    NaN with fewer than three values before, or where they never move.
    """
    if len(before) < 3 or not all(map(math.isfinite, (value, *before))):
        return math.nan
    usual = xmr(before)
    noise = usual.moving_range / _SIGMA["mean"]
    return (value - usual.center) / noise if noise else math.nan
