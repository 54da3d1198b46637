"""Limits of what is counted: shares of a number, events for each unit, plain counts.

How far a count moves by chance follows from its size. A share of n varies by √(p (1 - p) / n), a
rate for each of n units by √(u / n), a count by √c; so each period has limits by its own n. Laney's
charts take these widths times σz, the noise of successive periods measured in them, because people
and markets vary by more than dice do.

A count is a whole number, so it has a middle: the median of its distribution. A count that equals
it lies on the centre line, and no run is made of such points. Small counts lean to one side, which
`lift` allows for.

Sources: Montgomery, *Introduction to Statistical Quality Control*, chapter 7 (p, c, u); Laney 2002,
"Improved control charts for attributes", *Quality Engineering* 14:531-537 (p′, u′); Winterbottom
1993, "Simple adjustments to improve control limits on attribute charts", *Quality and Reliability
Engineering International* 9:105-109 (the first term of Cornish & Fisher 1937).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
WIDTH = 3.0  # standard deviations between the centre line and a limit
FEW = 5.0  # counts with a smaller mean lean too much for limits that are equally far on both sides


def spread(center: Array, base: Array, is_share: Mask) -> Array:
    """Return the standard deviation of each period's value by chance alone.

    `center` is what is usual, in the unit of the values; `base` the number that the value is a
    share of (`is_share`) or is counted for. 0 where nothing, or everything, is counted.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(is_share, center * (1 - center), center) / base
        return np.sqrt(np.maximum(variance, 0.0))


def lean(center: Array, is_share: Mask, dispersion: Array) -> Array:
    """Return the skewness of each period's count by chance, times its standard deviation.

    `dispersion` is how many times the variance is that of dice (σz²). It is 1 - 2p of a binomial
    count and 1 of a Poisson count, and 2σz² - 1 times that where the count is overdispersed
    (negative binomial).
    """
    return np.asarray(np.maximum(2 * dispersion - 1, 0.0) * np.where(is_share, 1 - 2 * center, 1.0))


def medians(center: Array, base: Array, is_share: Mask, dispersion: Array) -> Array:
    """Return the median of each period's value by chance, in the unit of the values.

    Of a count with mean μ, standard deviation σ and skewness γ it is the whole number next to
    μ - γσ/6 that can be counted.
    """
    expected = center * base
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.ceil(expected - lean(center, is_share, dispersion) / 6 - 0.5)
        return np.asarray(np.clip(middle, 0.0, np.where(is_share, base, np.inf)) / base)


def few(center: Array, base: Array, is_share: Mask) -> Array:
    """Return how many are counted in each period, or are not where that is less."""
    expected = center * base
    return np.asarray(np.where(is_share, np.minimum(expected, base - expected), expected))


def lift(center: Array, base: Array, is_share: Mask, dispersion: Array) -> Array:
    """Return how much farther off a limit lies on the side that counts lean to: (3² - 1) γσ / 6.

    The other limit stays where it is, since no count is below 0. It is 0 where nothing, or
    everything, is counted: that has no spread, so it leans to no side.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        farther = (WIDTH**2 - 1) * lean(center, is_share, dispersion) / 6 / base
        return np.where(spread(center, base, is_share) > 0, farther, 0.0)


def likely(sigma: Array, sizes: npt.NDArray[np.int_]) -> Array:
    """Return by how much more than by chance counts vary, as far as σz of so many points tells.

    The standard error of a σz of 1 is .8 / √n; what that explains is taken off.
    """
    excess = sigma - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = 0.64 / (np.maximum(sizes, 1) * excess**2)
        return np.asarray(1 + np.nan_to_num(excess * np.maximum(1 - explained, 0.0)))
