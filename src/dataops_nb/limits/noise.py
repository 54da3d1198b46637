"""The noise of each stretch: how far its values move by themselves, and the limits of that.

Moving ranges are measured on the scale of a stretch's chart; of what is counted, in standard
deviations of chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataops_nb.limits import attributes
from dataops_nb.limits.columns import in_parts
from dataops_nb.limits.kinds import LOG, OWN_WIDTH
from dataops_nb.limits.lines import SHORTEST
from dataops_nb.limits.stretches import Stretches
from dataops_nb.limits.xmr import counts, reaches, sums

REASONS = np.array([None, "too short", "autocorrelated", "no width", "new level"], dtype=object)
ALIKE, NEW_LEVEL = 2, 4
_NO_WIDTH, _SMALLEST = 1e-9, 1e-300
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Noise:
    """The noise of each stretch: one entry a stretch; of `center spread lift reach` one a row.

    `n` periods are behind it. `few` is how many are counted in each of them on average, or are not
    counted where that is less (inf for amounts). `width` is the distance of the limits from the
    centre line, of what is counted in standard deviations of chance; `reason` the place in
    `REASONS`. `center` is on the
    scale of the chart; `spread` is the deviation by chance (1 of amounts), `reach` the distance of
    the limits, `lift` how much farther off the upper one lies, or the lower one where it is
    negative.
    """

    n: Places
    few: Array
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
        n = counts(rows.basis, rows.firsts)
        moving = rows.values[basis]
        are_counted = bool(rows.is_counted.any())
        # The base of what is not counted is 1.
        middle = level = means(moving, n, rows.base[basis] if are_counted else None)
        center = rows.line + rows.by_row(middle)
        spread = np.ones(len(rows.values))
        if are_counted:
            spread = _spread(rows, center)
            scores = _scores(moving - np.repeat(middle, n), spread[basis])
            moving = np.where(np.repeat(rows.is_counted, n), scores, moving)
            level = means(moving, n)
        width = reaches(moving, n, rows.agreed) * rows.wide
        width[rows.is_counted & (rows.chart < OWN_WIDTH)] = attributes.WIDTH
        few = np.full(len(n), np.inf)
        if are_counted:
            few = means(_few(rows, basis, center), n)
        lift = _lifted(rows, few, width, center)
        reach = rows.by_row(width) * spread
        reason = np.select(
            [rows.short | (n < SHORTEST), _without_width(rows, reach, center)],
            [1, 3],
            np.where(_remember(moving - np.repeat(level, n), level, n), 2, 0),
        )
        return cls(n, few, width, reason.astype(np.int8), center, spread, lift, reach)

    def measure_again(self, rows: Stretches, numbers: Places) -> None:
        """Measure the noise of some stretches again, in place."""
        part, places = rows.part(numbers)
        fresh = Noise.of(part)
        for of_stretches in ("n", "few", "width", "reason"):
            getattr(self, of_stretches)[numbers] = getattr(fresh, of_stretches)
        for of_rows in ("center", "spread", "lift", "reach"):
            getattr(self, of_rows)[places] = getattr(fresh, of_rows)

    @property
    def judged(self) -> Mask:
        """Which stretches have a verdict."""
        return np.asarray(self.reason == 0)


def _spread(rows: Stretches, center: Array) -> Array:
    """Return the deviation by chance of each row of what is counted, 1 for others."""
    is_counted = rows.by_row(rows.is_counted)

    def spread(part: slice) -> tuple[Array]:
        by_chance = attributes.spread(center[part], rows.base[part], rows.is_share[part])
        return (np.where(is_counted[part], by_chance, 1.0),)

    return in_parts(spread, len(center))[0]


def _scores(away: Array, spread: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, away / spread, 0.0)


def _few(rows: Stretches, basis: Places, center: Array) -> Array:
    def counted(part: slice) -> tuple[Array]:
        own = basis[part]
        return (attributes.few(center[own], rows.base[own], rows.is_share[own]),)

    return in_parts(counted, len(basis))[0]


def _lifted(rows: Stretches, few: Array, width: Array, center: Array) -> Array:
    """Return the `lift` of each row, and widen the limits of few counts to chance, in place.

    A chart that somebody asked for by name has its published limits.
    """
    chosen = np.array([rules.chart == "auto" for rules in rows.agreed], dtype=bool)
    chosen &= (rows.chart >= OWN_WIDTH) & (few < attributes.FEW)
    lifted = np.zeros(len(center))
    if not chosen.any():
        return lifted
    # Moving ranges of few counts are mostly 0 and 1, and their mean says too little.
    width[chosen] = np.maximum(width[chosen], attributes.WIDTH)
    own = np.flatnonzero(rows.by_row(chosen))
    dispersion = (width / attributes.WIDTH)[rows.stretch[own]] ** 2
    lifted[own] = attributes.lift(center[own], rows.base[own], rows.is_share[own], dispersion)
    return lifted


def _without_width(rows: Stretches, reach: Array, center: Array) -> Mask:
    """Return which stretches have values off their centre line, and limits on it."""
    has_width = np.zeros(rows.count, dtype=bool)
    is_off = np.zeros(rows.count, dtype=bool)
    # One row is enough to show a width. Of almost all stretches the first one does, so the others
    # are looked at only where it did not.
    own = rows.firsts
    for _ in range(2):
        own = own[rows.usable[own]]
        values = rows.values[own] + rows.line[own]
        size = np.maximum(np.abs(center[own]), np.abs(values))
        negligible = np.maximum(_NO_WIDTH * size, _SMALLEST)
        is_off[rows.stretch[own[np.abs(values - center[own]) > negligible]]] = True
        has_width[rows.stretch[own[reach[own] > negligible]]] = True
        own = np.flatnonzero(rows.by_row(~has_width))
    return ~has_width & is_off


def lines_of(rows: Stretches, noise: Noise) -> dict[str, Array]:
    """Return `center lower upper` of each row in the metric's unit."""
    lines = {
        "center": noise.center,
        "lower": noise.center - noise.reach + np.minimum(noise.lift, 0.0),
        "upper": noise.center + noise.reach + np.maximum(noise.lift, 0.0),
    }
    logs = rows.by_row(rows.chart == LOG)
    if logs.any():
        for name, line in lines.items():
            lines[name] = np.where(logs, np.exp(np.where(logs, line, 0.0)), line)
    counted = rows.by_row(rows.is_counted)
    if counted.any():
        # Nothing is counted less often than never, and no share is more than all.
        lower, upper = lines["lower"], lines["upper"]
        lines["lower"] = np.where(counted, np.maximum(lower, 0.0), lower)
        lines["upper"] = np.where(rows.is_share, np.minimum(upper, 1.0), upper)
    return lines


def means(values: Array, sizes: Places, weights: Array | None = None) -> Array:
    """Return the weighted mean of runs of values that follow each other, of so many each."""
    weighed = values if weights is None else values * weights
    with np.errstate(divide="ignore", invalid="ignore"):
        total = sizes if weights is None else sums(weights, sizes)
        mean = sums(weighed, sizes) / total
        # The mean of the rests gives back the digits that the sum of large values has lost.
        rest = values - np.repeat(mean, sizes)
        rest = rest if weights is None else rest * weights
        return np.asarray(mean + sums(rest, sizes) / total)


def _remember(away: Array, middle: Array, n: Places) -> Mask:
    """Return which stretches are autocorrelated, as `xmr.remembers` says for one series.

    `away` are the values less their mean `middle`, `n` how many there are in each stretch.
    """
    squares = sums(away * away, n)
    products = np.zeros(len(away))
    np.multiply(away[1:], away[:-1], out=products[1:])
    products[(np.cumsum(n) - n)[n > 0]] = 0.0  # from one stretch into the next
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = sums(products, n) / squares
        moves = squares > (1e-12 * middle) ** 2 * n
        return np.asarray(moves & (n > 1) & (correlation > 2 / np.sqrt(n)))
