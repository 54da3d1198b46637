"""Changes of level: where a series leaves the level that it had, and stays away.

A step is no memory. Limits over both of its sides are too wide for either, and its values look
autocorrelated, although each side is as steady as ever. So steps are looked for first, and what is
left within the regimes between them is asked for memory afterwards.

How. Values without what one odd period adds (Hampel's filter) are scanned: the mean of every window
of at least `LEAST` periods against the rest, by windows of growing lengths, the clearest step or
excursion first, within what is left (seeded binary segmentation: Kovács, Bühlmann, Li and Munk
2023, Biometrika 110; moving sums: Eichinger and Kirch 2018, Bernoulli 24). A line, a trend or a
season, is estimated together with the steps (partial structural change: Bai and Perron 1998,
Econometrica 66), so that neither takes the other's share. A step stays if the levels beside it
differ by more standard errors than `_needed` says. These are by each side's own variance where it
is larger (Welch), and grow with the autocorrelation of what is left once the steps are out, which
the steps themselves therefore do not raise (long-run variance: Andrews 1991, Econometrica 59).

A smooth line is no step: where a curve of four numbers or one wave a year explains the values
better for its size (Schwarz 1978, with the place of each step as a number of its own: Zhang and
Siegmund 2007, Biometrics 63), no change of level is said. Nor where what is left remembers so much
that the series wanders.

The figures of every kind of series: benchmarks/honesty_shifts.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dataops_nb.limits.looks import EXCURSION, looked, needed
from dataops_nb.limits.steps import (
    LEAST,
    SHORTEST,
    Beside,
    Levels,
    lengths_of,
    score,
    searched,
)

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

BLOCK = 16  # periods of a block
WANDERS_IN_BLOCKS = 0.35  # autocorrelation within blocks, whose own level and slope take much of it
ODD = 3.5  # noises from the running median from which a value is pulled in
AT_ONCE = 64  # series that are looked at together
MARGIN = 3.0  # of Schwarz's criterion, in favour of a smooth curve
_SLACK = 0.3  # standard errors by which the cheap look is less strict
_D2 = 1.128  # mean moving range of a standard normal
_D4 = 0.954  # median moving range


def suspects(values: Array) -> Mask:
    """Tell which series (rows, all of one length, nothing missing) may have changed level.

    This is a cheap look before the exact one: moving sums of a few lengths, and every split.
    """
    count, n = values.shape
    if n < SHORTEST:
        return np.zeros(count, dtype=bool)
    # A few series at a time stay in the processor's cache through all of it.
    parts = [values[first : first + AT_ONCE] for first in range(0, count, AT_ONCE)]
    return np.concatenate([np.zeros(0, dtype=bool), *map(_suspects, parts)])


def _suspects(values: Array) -> Mask:
    count, n = values.shape
    calm = calmed(values)
    away = calm - calm.mean(axis=1, keepdims=True)
    sums = np.zeros((count, n + 1))
    np.cumsum(away, axis=1, out=sums[:, 1:])
    total = np.einsum("ij,ij->i", away, away)
    split = np.arange(LEAST, n - LEAST + 1)
    weight = np.sqrt(n / (split * (n - split)))
    steps = (np.abs(sums[:, LEAST : n - LEAST + 1]) * weight).max(axis=1)
    excursions = np.zeros(count)
    for length in lengths_of(n):
        moved = np.abs(sums[:, length:] - sums[:, :-length]).max(axis=1)
        excursions = np.maximum(excursions, moved * math.sqrt(n / (length * (n - length))))
    may_step = _is_sure(steps, total, needed(n), n)
    may_go_and_return = _is_sure(excursions, total, needed(n) + EXCURSION - _SLACK, n)
    return np.asarray(may_step | may_go_and_return)


def _is_sure(most: Array, total: Array, hurdle: float, n: int) -> Mask:
    """Tell where the largest sum of a window is more than so many standard errors."""
    gain = most * most
    return np.asarray(gain * (n - 2) > hurdle**2 * (total - gain))


def find(values: Array, lines: Sequence[Array] = (), year: float | None = None) -> Levels:
    """Find the regimes of one series, oldest first, nothing missing.

    `lines` are what the series may follow besides its level: the columns of each, without a
    constant; the first one is what it follows if none explains more. `year` is the number of
    periods in one. A series that wanders has no regimes; it may still follow a line.
    """
    series = values[None, :]
    if wanders(series)[0]:
        return _without_steps(values, list(lines) or [np.zeros((len(values), 0))])
    return find_in_steady(series, lines, [year])[0]


def find_in_steady(
    series: Array, lines: Sequence[Array], years: Sequence[float | None]
) -> list[Levels]:
    """Find the regimes of series (rows) of which is known that they do not wander (see `find`)."""
    count, n = series.shape
    if not count:
        return []
    offered = list(lines) or [np.zeros((n, 0))]
    ways: list[list[Beside]] = [[] for _ in range(count)]
    models: list[list[Levels]] = [[] for _ in range(count)]
    rows = list(range(count))
    for number, columns in enumerate(offered):
        if not rows:
            break
        calm = _calm_around(series[rows], columns)
        tried = [Beside(own, columns, number) for own in calm]
        for row, way, levels in zip(rows, tried, searched(tried), strict=True):
            ways[row].append(way)
            models[row].append(levels)
        if number == 0:
            rows = [row for row in rows if _is_open(models[row][0], n)]
    chosen: list[Levels] = []
    for row, own in enumerate(models):
        best = min(own, key=lambda model: model.score)
        if best.starts and _is_smooth(series[row], ways[row][best.line], best.score, years[row]):
            best = _without_steps(series[row], offered)
        chosen.append(best)
    return chosen


def _is_open(levels: Levels, n: int) -> bool:
    """Tell whether a line may explain more of a series of so many periods."""
    return bool(levels.starts) or levels.memory > 1 / math.sqrt(n)


def _without_steps(values: Array, lines: Sequence[Array]) -> Levels:
    """Return the series in one regime, on the line that explains most for its size."""
    plain: list[Levels] = []
    for number, columns in enumerate(lines):
        plain += searched([Beside(values, columns, number)], plain=True)
    return min(plain, key=lambda model: model.score)


def wanders(values: Array) -> Mask:
    """Tell which series (rows, all of one length, nothing missing) wander, whatever their steps.

    Memory is measured within blocks of 16 periods, each without its own level and slope; of the
    blocks the median counts, so that the few in which a step lies do not. Fewer than four blocks
    tell nothing. This spares a search whose steps would be thrown away: of 130 periods it knows
    three of four random walks, and takes one of a thousand series that remember .3 for one.
    """
    count, n = values.shape
    blocks = n // BLOCK
    if blocks < 4:
        return np.zeros(count, dtype=bool)
    away = values[:, n - blocks * BLOCK :].reshape(count, blocks, BLOCK)
    away = away - away.mean(axis=2, keepdims=True)
    at = np.arange(BLOCK) - (BLOCK - 1) / 2
    away = away - (away @ at)[:, :, None] * at / (at @ at)
    squares = np.einsum("ijk,ijk->ij", away, away)
    products = np.einsum("ijk,ijk->ij", away[:, :, 1:], away[:, :, :-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        memory = np.where(squares > 0, products / squares, 0.0)
    return np.asarray(np.median(memory, axis=1) > WANDERS_IN_BLOCKS)


def calmed(values: Array) -> Array:
    """Pull odd values in: to `ODD` noises from the median of the five around (Hampel's filter).

    A step and a slope stay as they are.
    """
    n = values.shape[1]
    if n < 5:
        return values
    middle = values.copy()
    middle[:, 2:-2] = _median_of_five(*(values[:, at : n - 4 + at] for at in range(5)))
    middle[:, :2] = middle[:, 2:3]
    middle[:, -2:] = middle[:, -3:-2]
    ranges = np.abs(np.diff(values, axis=1))
    ordered = np.sort(ranges, axis=1)  # several times as fast as a partition
    noise = ordered[:, [(n - 2) // 2, (n - 1) // 2]].mean(axis=1) / _D4
    noise = np.where(noise > 0, noise, ranges.mean(axis=1) / _D2)[:, None]
    return np.clip(values, middle - ODD * noise, middle + ODD * noise)


def _median_of_five(a: Array, b: Array, c: Array, d: Array, e: Array) -> Array:
    """Return the medians of five values each, by comparisons alone."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    d, e = np.minimum(d, e), np.maximum(d, e)
    a = np.maximum(a, d)  # the least of four is not the median
    b = np.minimum(b, e)  # nor is the greatest
    low, high = np.minimum(a, b), np.maximum(a, b)
    return np.asarray(np.maximum(low, np.minimum(high, c)))


def _calm_around(series: Array, columns: Array) -> Array:
    """Pull in the odd values of what a line leaves of each row."""
    if not columns.shape[1]:
        return calmed(series)
    without = looked(series, [()] * len(series), columns)
    fitted = series - np.stack([look.rest for look in without])
    return np.asarray(calmed(series - fitted) + fitted)


def _is_smooth(values: Array, beside: Beside, least: float, year: float | None) -> bool:
    """Tell whether a smooth curve, or one wave a year, explains more than steps do (`least`)."""
    n, calm, columns = len(values), beside.calm, beside.columns
    bases = list(_curves(n, year, columns.shape[1], columns.tobytes()))
    if values.min() > 0:
        at = np.linspace(-1, 1, n)
        growth = np.polyfit(at, np.log(values), 1)[0]
        bases.append(_basis(columns, np.exp(growth * at)[:, None]))
    for basis in bases:
        rest = calm - basis @ (calm @ basis)
        if score(rest, basis.shape[1]) <= least + MARGIN:
            return True
    return False


@lru_cache(maxsize=32)
def _curves(n: int, year: float | None, width: int, columns: bytes) -> tuple[Array, ...]:
    """Return a basis of each curve beside the columns of a line: the same for all series."""
    line = np.frombuffer(columns).reshape(n, width)
    at = np.linspace(-1, 1, n)
    curves = [np.column_stack([at, at**2]), np.column_stack([at, at**2, at**3])]
    if year is not None and n > 0.6 * year:
        angle = 2 * np.pi * np.arange(n) / year
        curves.append(np.column_stack([at, np.sin(angle), np.cos(angle)]))
    return tuple(_basis(line, curve) for curve in curves)


def _basis(columns: Array, curve: Array) -> Array:
    """Return perpendicular columns of length 1 that stand for a level, a line and a curve."""
    design = np.hstack([np.ones((len(curve), 1)), columns, curve])
    directions, sizes, _ = np.linalg.svd(design, full_matrices=False)
    return directions[:, sizes > np.finfo(float).eps * max(design.shape) * sizes[0]]
