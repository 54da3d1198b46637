"""Checks: what a correlation must stand before it counts as a link.

A correlation coefficient is as sure as its formula says where noise is even and forgets. Where it
is not, three things show it:

- *unrest*: both series are wild in the same periods. The error of the slope is then larger than the
  formula says, and is estimated from the products themselves (HC3: MacKinnon and White 1985); and
  it is known no better than from the wild periods alone, which are few.
- *other lags*: what is left of season and memory relates the series at lags that nobody means,
  years apart or backwards. The correlation must stand out among those (Bartlett 1946 says by how
  much they scatter; here that is measured).
- *one stretch*: a step, a bend or a burst relates two series once. A link holds without any fifth
  of the periods.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
STRETCHES = 5
ALONE = 2.3  # standard errors that are left without any one stretch
UNEVEN = 1.15  # by how much errors of even noise differ by chance
OTHER = 1.15  # by how much other lags scatter more by chance
EVEN = 0.4  # of all periods, as many count at least where noise is even
NEAR = 9  # periods that are about as wild as the one in their middle
FARTHEST = 3  # other lags reach to the length divided by this
_LARGEST = 0.999999


@dataclass(frozen=True)
class Doubt:
    """Which share of its standard errors a correlation keeps, and the reason why not all."""

    share: float
    reason: str | None


def doubt(cause: Array, effect: Array, lag: int, most: int) -> Doubt:
    """Check the correlation of a cause with an effect at a lag; `most` is the longest one tried."""
    ahead, behind = cause[: len(cause) - lag], effect[lag:]
    ahead, behind = ahead - ahead.mean(), behind - behind.mean()
    if without_a_stretch(ahead, behind) < ALONE:
        return Doubt(0.0, "one stretch")
    evenness, distance = unrest(ahead, behind), elsewhere(cause, effect, most)
    share = min(evenness, distance)
    if share == 1.0:
        return Doubt(1.0, None)
    return Doubt(share, "unrest" if evenness < distance else "other lags")


def unrest(cause: Array, effect: Array) -> float:
    """Return the share of its standard errors that a slope keeps in this noise, at most 1.

    A ratio of both errors that even noise has by chance, too, counts as 1, any other in full. Where
    some periods are wilder than chance makes them, it always counts, and the slope is as sure as
    that of the few periods that count: the deviate of Student's t with their degrees of freedom.
    """
    squares = float(cause @ cause)
    slope = float(cause @ effect) / squares
    rest = effect - slope * cause
    weight = cause * cause / squares
    uneven = float(((cause * rest / (1 - weight)) ** 2).sum())
    even = squares * float(rest @ rest) / max(len(cause) - 2, 1)
    if uneven <= 0 or even <= 0:
        return 1.0
    ratio = math.sqrt(even / uneven)
    wild = np.convolve((cause * rest) ** 2, np.ones(NEAR) / NEAR, mode="same")
    count = float(wild.sum() ** 2 / (wild @ wild))  # even periods that make as much noise
    if count >= EVEN * len(cause):
        return ratio if UNEVEN * ratio < 1.0 else 1.0
    size = abs(slope) * squares / math.sqrt(even)  # standard errors, were the noise even
    free = max(count - 2, 1.0)
    sure = math.sqrt(free * math.log1p((size * min(ratio, 1.0)) ** 2 / free))
    return sure / size


def elsewhere(cause: Array, effect: Array, most: int) -> float:
    """Return the ratio of how correlations scatter by chance to how others do, at most 1.

    Others are those backwards and those beyond the longest lag tried.
    """
    n = len(cause)
    lag = np.arange(1 - n, n)
    is_other = (np.abs(lag) <= n // FARTHEST) & ((lag < 0) | (lag > most))
    products = np.correlate(effect, cause, mode="full")[is_other]
    expected = float(cause @ cause) * float(effect @ effect) / n**2 * (n - np.abs(lag[is_other]))
    if not len(products) or expected.min() <= 0:
        return 1.0
    scatter = math.sqrt(float((products**2 / expected).mean()))
    return min(OTHER / scatter, 1.0) if scatter > 0 else 1.0


def without_a_stretch(cause: Array, effect: Array) -> float:
    """Return how many standard errors are left without the stretch that says most."""
    edges = np.linspace(0, len(cause), STRETCHES + 1).astype(int)
    count = len(cause) - np.diff(edges)
    mean_c, mean_e, products, squares_c, squares_e = (
        (series.sum() - np.add.reduceat(series, edges[:-1])) / count
        for series in (cause, effect, cause * effect, cause * cause, effect * effect)
    )
    spread = (squares_c - mean_c**2) * (squares_e - mean_e**2)
    width = np.sqrt(np.maximum(spread, 0.0))
    r = np.divide(products - mean_c * mean_e, width, out=np.zeros_like(width), where=width > 0)
    z = np.arctanh(np.clip(r, -_LARGEST, _LARGEST)) * np.sqrt(np.maximum(count - 3, 1))
    way = 1.0 if float(cause @ effect) > 0 else -1.0
    return float((way * z).min())
