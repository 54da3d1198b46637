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
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

LEAST = 6  # periods of a regime
SHORTEST = 2 * LEAST  # periods of a series
PER_STEP = 20  # periods a series has for each of its steps
WANDERS = 0.65  # autocorrelation within regimes from which steps are no steps
BLOCK = 16  # periods of a block
WANDERS_IN_BLOCKS = 0.35  # the same within blocks, whose own level and slope take much of it
ODD = 3.5  # noises from the running median from which a value is pulled in
_SLACK = 0.3  # standard errors by which the cheap look is less strict
_ENTER = 3.2  # standard errors from which a window is worth a closer look
CAUTION = 2.0  # standard errors added to a memory that seems to be there
AROUND = (4, 12)  # periods around a regime whose noise counts as its own
EXCURSION = 1.0  # standard errors more for a step beside one the other way
BESIDE = 0.6  # standard errors more beside a line
MARGIN = 3.0  # of Schwarz's criterion, in favour of a smooth curve
_D2 = 1.128  # mean moving range of a standard normal
_D4 = 0.954  # median moving range


@dataclass(frozen=True)
class Levels:
    """A series in regimes: `starts` are the first places of all regimes but the first.

    `line` says which of the lines that were offered it follows, `memory` is the lag-1
    autocorrelation of what is left within the regimes, `score` what the whole explains for its
    size (lower is better).
    """

    starts: tuple[int, ...]
    line: int
    memory: float
    score: float


def suspects(values: Array) -> Mask:
    """Tell which series (rows, all of one length, nothing missing) may have changed level.

    This is a cheap look before the exact one: moving sums of a few lengths, and every split.
    """
    count, n = values.shape
    if n < SHORTEST:
        return np.zeros(count, dtype=bool)
    calm = calmed(values)
    away = calm - calm.mean(axis=1, keepdims=True)
    sums = np.zeros((count, n + 1))
    np.cumsum(away, axis=1, out=sums[:, 1:])
    total = np.einsum("ij,ij->i", away, away)
    split = np.arange(LEAST, n - LEAST + 1)
    weight = np.sqrt(n / (split * (n - split)))
    steps = (np.abs(sums[:, split]) * weight).max(axis=1)
    excursions = np.zeros(count)
    for length in _lengths(n):
        moved = np.abs(sums[:, length:] - sums[:, :-length]).max(axis=1)
        excursions = np.maximum(excursions, moved * math.sqrt(n / (length * (n - length))))
    needed = _needed(n)
    may_step = _is_sure(steps, total, needed, n)
    may_go_and_return = _is_sure(excursions, total, needed + EXCURSION - _SLACK, n)
    return np.asarray(may_step | may_go_and_return)


def _is_sure(most: Array, total: Array, needed: float, n: int) -> Mask:
    """Tell where the largest sum of a window is more than so many standard errors."""
    gain = most * most
    return np.asarray(gain * (n - 2) > needed**2 * (total - gain))


def find(values: Array, lines: Sequence[Array] = (), year: float | None = None) -> Levels:
    """Find the regimes of one series, oldest first, nothing missing.

    `lines` are what the series may follow besides its level: the columns of each, without a
    constant; the first one is what it follows if none explains more. `year` is the number of
    periods in one. A series that wanders has no regimes; it may still follow a line.
    """
    n = len(values)
    offered = list(lines) or [np.zeros((n, 0))]
    if wanders(values[None, :])[0]:
        return _without_steps(values, offered)
    models = [_search(values, offered[0], 0)]
    if models[0].starts or models[0].memory > 1 / math.sqrt(n):
        models += [_search(values, columns, at) for at, columns in enumerate(offered) if at]
    best = min(models, key=lambda model: model.score)
    if best.starts and _is_smooth(values, offered[best.line], best.score, year):
        return _without_steps(values, offered)
    return best


def _without_steps(values: Array, lines: Sequence[Array]) -> Levels:
    """Return the series in one regime, on the line that explains most for its size."""
    plain = [_measured(values, columns, (), number) for number, columns in enumerate(lines)]
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
    noise = np.median(ranges, axis=1) / _D4
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


@lru_cache(maxsize=512)
def _lengths(n: int) -> tuple[int, ...]:
    """Return the lengths of windows: each about 1.4 times the one before, up to half a series."""
    lengths: list[int] = []
    length = float(LEAST)
    while length <= n / 2:
        lengths.append(round(length))
        length *= math.sqrt(2)
    return tuple(lengths)


@lru_cache(maxsize=128)
def _windows(n: int) -> tuple[Places, Places]:
    """Return the first places of all windows, and the places after their last ones."""
    firsts, ends = [], []
    for length in _lengths(n):
        first = np.arange(n - length + 1)
        firsts.append(first)
        ends.append(first + length)
    split = np.arange(LEAST, n - LEAST + 1)
    firsts.append(np.zeros_like(split))
    ends.append(split)
    return np.concatenate(firsts), np.concatenate(ends)


def _design(n: int, columns: Array, starts: Sequence[int]) -> Array:
    """Return one column a regime, then those of the line."""
    edges = [0, *starts, n]
    regimes = np.zeros((n, len(starts) + 1))
    for number in range(len(edges) - 1):
        regimes[edges[number] : edges[number + 1], number] = 1.0
    return np.hstack([regimes, columns])


def _means(calm: Array, starts: Sequence[int]) -> tuple[Array, Places]:
    """Return the mean of each regime, and how long each is."""
    edges = np.array([0, *starts, len(calm)])
    lengths = np.diff(edges)
    return np.add.reduceat(calm, edges[:-1]) / lengths, lengths


def _basis(n: int, columns: Array, starts: Sequence[int]) -> Array:
    """Return orthonormal columns of the same span as the design."""
    design = _design(n, columns, starts)
    if columns.shape[1]:
        return np.asarray(np.linalg.qr(design)[0])
    return np.asarray(design / np.sqrt(design.sum(axis=0)))


def _search(values: Array, columns: Array, number: int) -> Levels:
    """Find the steps beside one line."""
    n = len(values)
    if n < SHORTEST:
        return _measured(values, columns, (), number)
    calm = _calm_around(values, columns)
    most = max(n // PER_STEP, 1)
    beside = columns.shape[1] > 0
    starts: list[int] = []
    in_vain = 0
    while len(starts) < most and in_vain < 2:
        added = _clearest(calm, columns, starts, most - len(starts))
        if not added:
            break
        starts = _settled(calm, columns, sorted([*starts, *added]))
        spare = _spare(_surprises(calm, columns, starts), n, beside)
        in_vain = in_vain + 1 if spare.min() < -1.0 else 0
    while starts:
        spare = _spare(_surprises(calm, columns, starts), n, beside)
        least = int(np.argmin(spare))
        if spare[least] >= 0:
            break
        del starts[least]
        starts = _settled(calm, columns, starts)
    return _measured(calm, columns, tuple(starts), number)


def _calm_around(values: Array, columns: Array) -> Array:
    """Pull in the odd values of what a line leaves."""
    if not columns.shape[1]:
        return np.asarray(calmed(values[None, :])[0])
    design = _design(len(values), columns, ())
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return np.asarray(calmed((values - fitted)[None, :])[0] + fitted)


def _clearest(calm: Array, columns: Array, starts: Sequence[int], room: int) -> list[int]:
    """Return the places that the clearest step (one) or excursion (two) adds; none is empty."""
    n = len(calm)
    basis = _basis(n, columns, starts)
    rest = _left(calm, basis @ (basis.T @ calm))
    if not rest.any():
        return []
    firsts, ends = _windows(n)
    allowed = _allowed(n, starts)
    fits = allowed[firsts] & allowed[ends]
    firsts, ends = firsts[fits], ends[fits]
    if not len(firsts):
        return []
    gain = _gains(rest, basis, firsts, ends)
    edges = {0, n, *starts}
    is_edge = np.zeros(n + 1, dtype=bool)
    is_edge[list(edges)] = True
    new = 2 - is_edge[firsts].astype(int) - is_edge[ends]
    total = float(rest @ rest)
    free = max(n - basis.shape[1] - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = np.where(gain < total, gain / ((total - gain) / free), np.inf)
    worth = squared - new * 2 * math.log(n)
    worth[(new == 0) | (new > room) | (squared < _ENTER**2)] = -np.inf
    best = int(np.argmax(worth))
    if worth[best] == -np.inf:
        return []
    return [int(place) for place in (firsts[best], ends[best]) if not is_edge[place]]


def _gains(rest: Array, basis: Array, firsts: Places, ends: Places) -> Array:
    """Return by how much the squares of the rest shrink if each window has a level of its own."""
    sums = np.concatenate([[0.0], np.cumsum(rest)])
    parts = np.concatenate([np.zeros((1, basis.shape[1])), np.cumsum(basis, axis=0)])
    known = parts[ends] - parts[firsts]
    size = (ends - firsts) - np.einsum("ij,ij->i", known, known)
    moved = sums[ends] - sums[firsts]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(size > 1e-3 * (ends - firsts), moved * moved / size, 0.0))


def _allowed(n: int, starts: Sequence[int]) -> Mask:
    """Return at which places a window may begin or end: where regimes do, or far enough away."""
    edges = [0, *starts, n]
    allowed = np.ones(n + 1, dtype=bool)
    for edge in edges:
        allowed[max(edge - LEAST + 1, 0) : edge + LEAST] = False
    allowed[edges] = True
    return allowed


def _settled(calm: Array, columns: Array, starts: list[int]) -> list[int]:
    """Move each step to where it explains most, given its neighbours and the line."""
    n = len(calm)
    settled = list(starts)
    for _ in range(3):
        before = list(settled)
        level = calm
        if columns.shape[1]:
            design = _design(n, columns, settled)
            solution = np.linalg.lstsq(design, calm, rcond=None)[0]
            level = calm - columns @ solution[len(settled) + 1 :]
        sums = np.concatenate([[0.0], np.cumsum(level - level.mean())])
        for number in range(len(settled)):
            low = settled[number - 1] if number else 0
            high = settled[number + 1] if number + 1 < len(settled) else n
            settled[number] = _split(sums, low, high, settled[number])
        if settled == before:
            break
    return settled


def _split(sums: Array, low: int, high: int, now: int) -> int:
    """Return where the values between two places fall into two levels best."""
    place = np.arange(low + LEAST, high - LEAST + 1)
    if not len(place):
        return now
    left, right = place - low, high - place
    apart = (sums[place] - sums[low]) / left - (sums[high] - sums[place]) / right
    return int(place[np.argmax(apart * apart * left * right)])


def _surprises(calm: Array, columns: Array, starts: Sequence[int]) -> Array:
    """Return by how many standard errors the level changes at each start, as normal deviates."""
    n, regimes = len(calm), len(starts) + 1
    numbers = regimes + columns.shape[1]
    lengths = np.diff([0, *starts, n]).astype(float)
    owner = np.repeat(np.arange(regimes), lengths.astype(int))
    if columns.shape[1]:
        design = _design(n, columns, starts)
        inverse = np.linalg.pinv(design.T @ design)
        solution = inverse @ (design.T @ calm)
        rest = _left(calm, design @ solution)
        steps = np.zeros((regimes - 1, numbers))
        for number in range(regimes - 1):
            steps[number, number : number + 2] = -1.0, 1.0
        moved = steps @ solution
        plain = 1 / lengths[:-1] + 1 / lengths[1:]
        wide = np.maximum(np.einsum("ij,jk,ik->i", steps, inverse, steps) / plain, 1.0)
    else:  # the same, of which nothing needs to be solved
        levels, _ = _means(calm, starts)
        rest = _left(calm, levels[owner])
        moved, wide = np.diff(levels), np.ones(regimes - 1)
    free = max(n - numbers - len(starts), 1)
    pooled = float(rest @ rest) / free
    own = np.bincount(owner, rest * rest, regimes) / np.maximum(lengths - 1, 1)
    memory = _memory(rest, owner, numbers + len(starts))
    memory = _cautious(memory, n)
    of_means = np.maximum(_around(rest, starts), np.maximum(own, pooled))
    of_means = of_means / lengths * _inflation(memory, lengths)
    errors = np.sqrt((of_means[:-1] + of_means[1:]) * wide)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(errors > 0, moved / errors, np.inf)
    return np.asarray(np.sign(t) * np.sqrt(free * np.log1p(np.minimum(t * t, 1e12) / free)))


def _memory(rest: Array, owner: Places, numbers: int) -> float:
    """Return the lag-1 autocorrelation within regimes, without what estimating levels takes off.

    A mean makes successive values look less alike by (1 + 3r) / n (Marriott and Pope 1954,
    Biometrika 41); each further of the `numbers` that were estimated by (1 + r) / n.
    """
    n = len(rest)
    squares = float(rest @ rest)
    if squares <= 0:
        return 0.0
    within = owner[1:] == owner[:-1]
    measured = float((rest[1:] * rest[:-1])[within].sum()) / squares
    return min(measured + (numbers * (1 + measured) + 2 * measured) / n, 0.98)


def _cautious(memory: float, n: int) -> float:
    """Return a memory one standard error above what was measured, where there seems to be one."""
    error = (1 - memory * memory) / math.sqrt(n)
    seems = min(max(memory * math.sqrt(n) - 1.0, 0.0), 1.0)
    return min(memory + CAUTION * seems * error, 0.98)


def _around(rest: Array, starts: Sequence[int]) -> Array:
    """Return the variance within each regime and some periods before and after it.

    A stretch of wild values has windows that look steady at another level; what is around them is
    wild too. Of the reaches that are looked at (`AROUND`) the larger variance counts.
    """
    n = len(rest)
    edges = np.array([0, *starts, n])
    squares = np.concatenate([[0.0], np.cumsum(rest * rest)])
    largest = np.zeros(len(edges) - 1)
    for reach in AROUND:
        first = np.maximum(edges[:-1] - reach, 0)
        end = np.minimum(edges[1:] + reach, n)
        largest = np.maximum(largest, (squares[end] - squares[first]) / (end - first - 1))
    return largest


def _inflation(memory: float, lengths: Array) -> Array:
    """Return by how much the variance of a mean of so many values grows with their memory.

    Exact for values that remember by a first-order autoregression. Values that alternate do not
    make it smaller.
    """
    r = max(memory, 0.0)
    if r < 1e-6:
        return np.ones_like(lengths)
    tail = r * (1 - r**lengths) / (1 - r) ** 2
    return np.asarray(1 + 2 * (r / (1 - r) - tail / lengths))


def _needed(n: int) -> float:
    """Return how many standard errors a step must have, so that steady series seldom show one."""
    return math.sqrt(2 * math.log(n)) + 0.14 + 8 / n


def _spare(surprises: Array, n: int, beside_line: bool) -> Array:
    """Return by how much each step is surer than it must be.

    An excursion, whose steps lie against each other, has many more places where chance may find
    one; and steps bend a line as noise does.
    """
    back = np.zeros(len(surprises), dtype=bool)
    against = np.sign(surprises[1:]) != np.sign(surprises[:-1])
    back[1:] |= against
    back[:-1] |= against
    needed = _needed(n) + EXCURSION * back + BESIDE * beside_line
    return np.asarray(np.abs(surprises) - needed)


def _measured(calm: Array, columns: Array, starts: tuple[int, ...], number: int) -> Levels:
    """Return what steps beside a line leave and are worth."""
    n = len(calm)
    numbers = len(starts) + 1 + columns.shape[1]
    levels, lengths = _means(calm, starts)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    fitted = levels[owner]
    if columns.shape[1]:
        design = _design(n, columns, starts)
        fitted = design @ np.linalg.lstsq(design, calm, rcond=None)[0]
    rest = _left(calm, fitted)
    memory = _memory(rest, owner, numbers + len(starts))
    if starts and memory > WANDERS:
        return _measured(calm, columns, (), number)
    return Levels(starts, number, memory, _score(rest, numbers + len(starts)))


def _left(calm: Array, fitted: Array) -> Array:
    """Return what a fit leaves; nothing where that is no more than digits lost on the way."""
    rest = calm - fitted
    if float(rest @ rest) <= 1e-24 * float(calm @ calm):
        return np.zeros(len(rest))
    return rest


def _score(rest: Array, numbers: int) -> float:
    """Return Schwarz's criterion: the lower, the more is explained for its size."""
    n = len(rest)
    squares = max(float(rest @ rest), 1e-300)
    return n * math.log(squares / n) + numbers * math.log(n)


def _is_smooth(values: Array, columns: Array, score: float, year: float | None) -> bool:
    """Tell whether a smooth curve, or one wave a year, explains more than steps of this score."""
    n = len(values)
    calm = _calm_around(values, columns)
    at = np.linspace(-1, 1, n)
    curves = [np.column_stack([at, at**2]), np.column_stack([at, at**2, at**3])]
    if values.min() > 0:
        growth = np.polyfit(at, np.log(values), 1)[0]
        curves.append(np.exp(growth * at)[:, None])
    if year is not None and n > 0.6 * year:
        angle = 2 * np.pi * np.arange(n) / year
        curves.append(np.column_stack([at, np.sin(angle), np.cos(angle)]))
    for curve in curves:
        design = _design(n, np.hstack([columns, curve]), ())
        fitted, _, rank, _ = np.linalg.lstsq(design, calm, rcond=None)
        if _score(calm - design @ fitted, int(rank)) <= score + MARGIN:
            return True
    return False
