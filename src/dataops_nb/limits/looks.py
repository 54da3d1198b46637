"""Looks at series in regimes: what levels and a line leave of them, and how sure each step is.

The search of `steps` looks at many regimes of many series. All looks that are wanted at a time are
computed together: regimes stand one after the other, whichever series they are of.

Regimes are taken out of values and line by their means (Frisch and Waugh 1933, Econometrica 1):
only as many equations are solved as the line has numbers, and none beside a level alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Starts = tuple[int, ...]

CAUTION = 2.0  # standard errors added to a memory that seems to be there
AROUND = (4, 12)  # periods around a regime whose noise counts as its own
EXCURSION = 1.0  # standard errors more for a step beside one the other way
BESIDE = 0.6  # standard errors more beside a line
_SINGULAR = 1e-15  # of a column's squares, what is left of one that regimes explain


@dataclass(frozen=True)
class Look:
    """What some regimes and a line leave of a series (`rest`) by least squares, and what it says.

    `starts` are those of all regimes but the first. `slope` is what each column of the line counts;
    `basis` are perpendicular columns of length 1 of what the line adds to the regimes. `spare` is
    by how much each step is surer than it must be, `memory` that within the regimes.
    """

    starts: Starts
    rest: Array
    slope: Array
    basis: Array
    spare: list[float]
    memory: float


def looked(series: Array, wanted: Sequence[Starts], columns: Array) -> list[Look]:
    """Look at each row with the regimes that are wanted of it, and a line beside them."""
    regimes = _Regimes.of(series.shape, wanted)
    rest, levels, wide, slope, basis = _fitted(series, regimes, columns)
    memory = _memories(rest, regimes, columns.shape[1])
    of_means = _of_means(rest, memory, regimes, columns.shape[1])
    spares = _spares(levels, of_means, wide, regimes, columns).tolist()
    looks: list[Look] = []
    last = 0
    for row, starts in enumerate(wanted):
        first, last = last, last + len(starts)
        spare = spares[first:last]
        looks.append(Look(starts, rest[row], slope[row], basis[row], spare, float(memory[row])))
    return looks


@dataclass(frozen=True)
class _Regimes:
    """The regimes of some series, one after the other: `owner` is the row of each.

    It goes from `first` to before `end`, is `length` long and begins at the place `begins` of all
    values. `inner` are the regimes that a step begins, `steps` how many those of each row are.
    """

    owner: Places
    first: Places
    end: Places
    length: Array
    begins: Places
    inner: Places
    steps: Places

    @classmethod
    def of(cls, shape: tuple[int, ...], wanted: Sequence[Starts]) -> _Regimes:
        """Return the regimes that begin at the starts that are wanted of each row."""
        count, n = shape
        steps = np.array([len(starts) for starts in wanted], dtype=np.intp)
        places: list[int] = []
        for starts in wanted:
            places += [0, *starts]
        first = np.array(places, dtype=np.intp)
        end = np.append(first[1:], n)
        end[end == 0] = n
        owner = np.repeat(np.arange(count), steps + 1)
        inner = np.flatnonzero(first)
        return cls(owner, first, end, (end - first).astype(float), owner * n + first, inner, steps)

    def free(self, n: int, width: int) -> Places:
        """Return the degrees of freedom of each row of n values beside so many columns."""
        return np.maximum(n - (2 * self.steps + 1 + width), 1)

    def spread(self, of_regimes: Array) -> Array:
        """Return what is said of each regime for each of its values."""
        return np.repeat(of_regimes, self.end - self.first, axis=0)


def _fitted(
    series: Array, regimes: _Regimes, columns: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Fit a level for each regime, and the columns of a line, to each row.

    Returns `rest`, the levels beside the line, by how much the line widens the variance of the step
    that begins each regime, and `slope` and `basis` of `Look`.
    """
    (count, n), width = series.shape, columns.shape[1]
    begins, length = regimes.begins, regimes.length
    levels = np.add.reduceat(series.ravel(), begins) / length
    rest = series - regimes.spread(levels).reshape(count, n)
    wide, slope, basis = np.ones(len(length)), np.zeros((count, 0)), np.zeros((count, n, 0))
    if width:
        many = np.broadcast_to(columns, (count, n, width)).reshape(count * n, width)
        middles = np.add.reduceat(many, begins, axis=0) / length[:, None]
        within = (many - regimes.spread(middles)).reshape(count, n, width)
        own, turned = np.linalg.eigh(within.transpose(0, 2, 1) @ within)
        least = _SINGULAR * float((columns * columns).sum())
        turned = turned * np.where(own > least, 1 / np.sqrt(np.maximum(own, least)), 0.0)[:, None]
        basis = within @ turned
        slope = _times(turned, _times(basis.transpose(0, 2, 1), rest))
        rest = rest - _times(within, slope)
        levels = levels - (middles * slope[regimes.owner]).sum(axis=1)
        apart = np.diff(middles, axis=0, prepend=0.0)
        apart = _times(turned.transpose(0, 2, 1)[regimes.owner], apart)
        before = np.append(1.0, length[:-1])
        wide = 1 + (apart * apart).sum(axis=1) / (1 / before + 1 / length)
    left, all_of_it = _squares(rest), _squares(series)
    rest[left <= 1e-24 * all_of_it] = 0.0  # no more than digits that were lost on the way
    return rest, levels, wide, slope, basis


def _times(matrices: Array, vectors: Array) -> Array:
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0])


def _squares(rows: Array) -> Array:
    return np.asarray(np.einsum("ki,ki->k", rows, rows))


def _memories(rest: Array, regimes: _Regimes, width: int) -> Array:
    """Return the lag-1 autocorrelation within regimes, without what estimating levels takes off.

    A mean makes successive values look less alike by (1 + 3r) / n (Marriott and Pope 1954,
    Biometrika 41); each further number that was estimated by (1 + r) / n.
    """
    count, n = rest.shape
    squares = _squares(rest)
    products = np.einsum("ki,ki->k", rest[:, 1:], rest[:, :-1])
    at, flat = regimes.begins[regimes.inner], rest.ravel()
    # from one regime into the next
    products -= np.bincount(regimes.owner[regimes.inner], flat[at] * flat[at - 1], count)
    measured = np.divide(products, squares, out=np.zeros(count), where=squares > 0)
    numbers = 2 * regimes.steps + 1 + width
    memory = np.minimum(measured + (numbers * (1 + measured) + 2 * measured) / n, 0.98)
    return np.where(squares > 0, memory, 0.0)


def _of_means(rest: Array, memory: Array, regimes: _Regimes, width: int) -> Array:
    """Return the variance of each regime's mean."""
    cautious = _cautious(memory, rest.shape[1])[regimes.owner]
    variances = _variances(rest, regimes, regimes.free(rest.shape[1], width))
    return np.asarray(variances / regimes.length * _inflation(cautious, regimes.length))


def _spares(
    levels: Array, of_means: Array, wide: Array, regimes: _Regimes, columns: Array
) -> Array:
    """Return by how much each step is surer than it must be, in standard errors.

    An excursion, whose steps lie against each other, has many more places where chance may find
    one; and steps bend a line as noise does.
    """
    (n, width), inner = columns.shape, regimes.inner
    if not len(inner):
        return np.zeros(0)
    error = np.sqrt((of_means[inner - 1] + of_means[inner]) * wide[inner])
    moved = levels[inner] - levels[inner - 1]
    known = error > 0
    t = np.divide(np.abs(moved), error, out=np.full(len(inner), 1e6), where=known)
    owner = regimes.owner[inner]
    free = regimes.free(n, width)[owner]
    size = np.sqrt(free * np.log1p(np.minimum(t * t, 1e12) / free))
    sure = np.where(known & (moved < 0), -size, size)
    against = (owner[1:] == owner[:-1]) & (sure[1:] * sure[:-1] <= 0)
    is_back = sure == 0
    is_back[1:] |= against
    is_back[:-1] |= against
    return np.asarray(size - (needed(n) + BESIDE * (width > 0) + EXCURSION * is_back))


def _variances(rest: Array, regimes: _Regimes, free: Places) -> Array:
    """Return the variance of each regime's values.

    It is that of all values, or that within the regime or it and some periods before and after it,
    where they are larger. A stretch of wild values has windows that look steady at another level;
    what is around them is wild too.
    """
    count, n = rest.shape
    sums = np.zeros((count, n + 1))
    np.cumsum(rest * rest, axis=1, out=sums[:, 1:])
    flat, base = sums.ravel(), regimes.owner * (n + 1)

    def between(first: Places, end: Places) -> Array:
        return np.asarray(flat[base + end] - flat[base + first])

    first, end = regimes.first, regimes.end
    largest = between(first, end) / np.maximum(regimes.length - 1, 1)
    largest = np.maximum(largest, (sums[:, -1] / free)[regimes.owner])
    for reach in AROUND:
        low, high = np.maximum(first - reach, 0), np.minimum(end + reach, n)
        largest = np.maximum(largest, between(low, high) / (high - low - 1))
    return largest


def _cautious(memory: Array, n: int) -> Array:
    """Return memories one standard error above what was measured, where there seems to be one."""
    error = (1 - memory * memory) / math.sqrt(n)
    seems = np.clip(memory * math.sqrt(n) - 1.0, 0.0, 1.0)
    return np.asarray(np.minimum(memory + CAUTION * seems * error, 0.98))


def _inflation(memory: Array, lengths: Array) -> Array:
    """Return by how much the variance of a mean of so many values grows with their memory.

    Exact for values that remember by a first-order autoregression. Values that alternate do not
    make it smaller.
    """
    r = np.maximum(memory, 0.0)
    tail = r * (1 - r**lengths) / (1 - r) ** 2
    return np.where(r < 1e-6, 1.0, 1 + 2 * (r / (1 - r) - tail / lengths))


def running(values: Array) -> Array:
    """Return the sums of the first 0, 1, 2 ... values."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, out=sums[1:])
    return sums


@lru_cache(maxsize=512)
def needed(n: int) -> float:
    """Return how many standard errors a step must have, so that steady series seldom show one."""
    return math.sqrt(2 * math.log(n)) + 0.14 + 8 / n
