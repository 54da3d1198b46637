"""The noise of each stretch: how far its values move by themselves, and the limits of that.

Moving ranges are measured on the scale of a stretch's chart; of what is counted, in standard
deviations of chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataops_nb.limits import attributes
from dataops_nb.limits.kinds import LOG, OWN_WIDTH
from dataops_nb.limits.lines import SHORTEST
from dataops_nb.limits.stretches import Stretches
from dataops_nb.limits.xmr import reaches

REASONS = np.array([None, "too short", "autocorrelated", "no width", "new level"], dtype=object)
ALIKE, NEW_LEVEL = 2, 4
_NO_WIDTH, _SMALLEST = 1e-9, 1e-300
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Noise:
    """The noise of each stretch: one entry a stretch; of `center spread lift reach` one a row.

    `n` periods are behind it. `width` is the distance of the limits from the centre line, of what
    is counted in standard deviations of chance; `reason` the place in `REASONS`. `center` is on
    the scale of the chart; `spread` is the deviation by chance (1 of amounts), `reach` the distance
    of the limits, `lift` how much farther off the upper one lies, or the lower one where it is
    negative.
    """

    n: Places
    width: Array
    reason: npt.NDArray[np.int8]
    center: Array
    spread: Array
    lift: Array
    reach: Array

    @classmethod
    def of(cls, rows: Stretches) -> Noise:
        """Measure the noise of each stretch by its own moving ranges."""
        basis = np.flatnonzero(rows.basis)
        stretch, count = rows.stretch[basis], rows.count
        n = np.bincount(stretch, minlength=count)
        moving = rows.values[basis]
        middle = means(moving, rows.base[basis], stretch, count)
        level = middle
        center = rows.line + middle[rows.stretch]
        spread = np.ones(len(rows.values))
        if rows.is_counted.any():
            spread = _spread(rows, center)
            scores = _scores(moving - middle[stretch], spread[basis])
            moving = np.where(rows.is_counted[stretch], scores, moving)
            level = means(moving, np.ones(len(basis)), stretch, count)
        width = reaches(moving, stretch, rows.agreed) * rows.wide
        width[rows.is_counted & (rows.chart < OWN_WIDTH)] = attributes.WIDTH
        lift = _lifted(rows, width, center)
        reach = width[rows.stretch] * spread
        reason = np.select(
            [rows.short | (n < SHORTEST), _without_width(rows, reach, center)],
            [1, 3],
            np.where(_remember(moving - level[stretch], stretch, level, n), 2, 0),
        )
        return cls(n, width, reason.astype(np.int8), center, spread, lift, reach)

    @property
    def judged(self) -> Mask:
        """Which stretches have a verdict."""
        return np.asarray(self.reason == 0)


def _spread(rows: Stretches, center: Array) -> Array:
    """Return the deviation by chance of each row of what is counted, 1 for others."""
    spread = np.ones(len(rows.values))
    counted = np.flatnonzero(rows.is_counted[rows.stretch])
    shares = rows.is_share[counted]
    spread[counted] = attributes.spread(center[counted], rows.base[counted], shares)
    return spread


def _scores(away: Array, spread: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, away / spread, 0.0)


def _lifted(rows: Stretches, width: Array, center: Array) -> Array:
    """Return the `lift` of each row, and widen the limits of few counts to chance, in place.

    A chart that somebody asked for by name has its published limits.
    """
    chosen = np.array([rules.chart == "auto" for rules in rows.agreed], dtype=bool)
    chosen &= rows.chart >= OWN_WIDTH
    if not chosen.any():
        return np.zeros(len(rows.values))
    basis = np.flatnonzero(rows.basis)
    stretch = rows.stretch[basis]
    counted = attributes.few(center, rows.base, rows.is_share)[basis]
    few = chosen & (means(counted, np.ones(len(basis)), stretch, rows.count) < attributes.FEW)
    # Moving ranges of few counts are mostly 0 and 1, and their mean says too little.
    width[few] = np.maximum(width[few], attributes.WIDTH)
    dispersion = (width / attributes.WIDTH)[rows.stretch] ** 2
    lifted = attributes.lift(center, rows.base, rows.is_share, dispersion)
    return np.where(few[rows.stretch], lifted, 0.0)


def _without_width(rows: Stretches, reach: Array, center: Array) -> Mask:
    """Return which stretches have values off their centre line, and limits on it."""
    values = rows.values + rows.line
    size = np.maximum(np.abs(center), np.abs(values))
    negligible = np.maximum(_NO_WIDTH * size, _SMALLEST)
    wide = rows.stretch[rows.usable & (reach > negligible)]
    off = rows.stretch[rows.usable & (np.abs(values - center) > negligible)]
    has_width = np.bincount(wide, minlength=rows.count) > 0
    return np.asarray(~has_width & (np.bincount(off, minlength=rows.count) > 0))


def lines_of(rows: Stretches, noise: Noise) -> dict[str, Array]:
    """Return `center lower upper` of each row in the metric's unit."""
    lines = {
        "center": noise.center,
        "lower": noise.center - noise.reach + np.minimum(noise.lift, 0.0),
        "upper": noise.center + noise.reach + np.maximum(noise.lift, 0.0),
    }
    logs = (rows.chart == LOG)[rows.stretch]
    if logs.any():
        for name, line in lines.items():
            lines[name] = np.where(logs, np.exp(np.where(logs, line, 0.0)), line)
    counted = rows.is_counted[rows.stretch]
    if counted.any():
        # Nothing is counted less often than never, and no share is more than all.
        lower, upper = lines["lower"], lines["upper"]
        lines["lower"] = np.where(counted, np.maximum(lower, 0.0), lower)
        lines["upper"] = np.where(rows.is_share, np.minimum(upper, 1.0), upper)
    return lines


def means(values: Array, weights: Array, stretch: npt.NDArray[np.int_], count: int) -> Array:
    """Return the weighted mean of each stretch."""
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.bincount(stretch, weights, count)
        mean = np.bincount(stretch, values * weights, count) / total
        # The mean of the rests gives back the digits that the sum of large values has lost.
        rest = np.bincount(stretch, (values - mean[stretch]) * weights, count) / total
        return np.asarray(mean + rest)


def _remember(
    away: Array, stretch: npt.NDArray[np.int_], middle: Array, n: npt.NDArray[np.int_]
) -> Mask:
    """Return which stretches are autocorrelated, as `xmr.remembers` says for one series.

    `away` are the values less their mean `middle`, `n` how many there are in each stretch.
    """
    count = len(n)
    squares = np.bincount(stretch, away * away, count)
    products = (stretch[1:] == stretch[:-1]) * away[1:] * away[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.bincount(stretch[1:], products, count) / squares
        moves = squares > (1e-12 * middle) ** 2 * n
        return np.asarray(moves & (n > 1) & (correlation > 2 / np.sqrt(n)))
