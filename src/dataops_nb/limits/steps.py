"""Steps beside a line: the search of `shifts`, given what a series follows.

The clearest step or excursion is added first, each step is moved to where it explains most, and
what is not sure enough is taken away again. Many of the same regimes are looked at on the way, so
what was found out about some is kept. Regimes are taken out of values and line by their means
(Frisch and Waugh 1933, Econometrica 1): only as many equations are solved as the line has numbers,
and none beside a level alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Starts = tuple[int, ...]

LEAST = 6  # periods of a regime
SHORTEST = 2 * LEAST  # periods of a series
PER_STEP = 20  # periods a series has for each of its steps
WANDERS = 0.65  # autocorrelation within regimes from which steps are no steps
CAUTION = 2.0  # standard errors added to a memory that seems to be there
AROUND = (4, 12)  # periods around a regime whose noise counts as its own
EXCURSION = 1.0  # standard errors more for a step beside one the other way
BESIDE = 0.6  # standard errors more beside a line
_ENTER = 3.2  # standard errors from which a window is worth a closer look
_SINGULAR = 1e-15  # of a column's squares, what is left of one that regimes explain


@dataclass(frozen=True)
class Levels:
    """A series in regimes: `starts` are the first places of all regimes but the first.

    `line` says which of the lines that were offered it follows, `memory` is the lag-1
    autocorrelation of what is left within the regimes, `score` what the whole explains for its
    size (lower is better).
    """

    starts: Starts
    line: int
    memory: float
    score: float


@dataclass(frozen=True)
class Fit:
    """What some regimes and a line leave of a series (`rest`), by least squares.

    `edges` are where regimes begin, and the end. `levels` are theirs beside the line, `slope` what
    each column of it counts; `basis` are perpendicular columns of length 1 of what the line adds to
    the regimes. `wide` is by how much the line widens the variance of each step.
    """

    edges: Places
    levels: Array
    slope: Array
    basis: Array
    wide: Array
    rest: Array


def fit(values: Array, columns: Array, starts: Sequence[int]) -> Fit:
    """Fit a level for each regime, and the columns of a line, to values."""
    edges = np.array([0, *starts, len(values)])
    lengths = edges[1:] - edges[:-1]
    levels = np.add.reduceat(values, edges[:-1]) / lengths
    rest = values - np.repeat(levels, lengths)
    wide, slope, basis = np.ones(len(starts)), np.zeros(0), columns
    if columns.shape[1]:
        middles = np.add.reduceat(columns, edges[:-1], axis=0) / lengths[:, None]
        within = columns - np.repeat(middles, lengths, axis=0)
        squares, turned = np.linalg.eigh(within.T @ within)
        own = squares > _SINGULAR * float((columns * columns).sum())
        turned = turned[:, own] / np.sqrt(squares[own])
        basis = within @ turned
        slope = turned @ (basis.T @ rest)
        rest = rest - within @ slope
        levels = levels - middles @ slope
        apart = (middles[1:] - middles[:-1]) @ turned
        wide = 1 + (apart * apart).sum(axis=1) / (1 / lengths[:-1] + 1 / lengths[1:])
    if float(rest @ rest) <= 1e-24 * float(values @ values):
        rest = np.zeros(len(rest))  # no more than digits that were lost on the way
    return Fit(edges, levels, slope, basis, wide, rest)


@dataclass(frozen=True)
class Beside:
    """The search for the steps of a calm series beside one line, of which `number` is its own."""

    calm: Array
    columns: Array
    number: int
    _fits: dict[Starts, Fit] = field(default_factory=dict)
    _sums: dict[Starts, Array] = field(default_factory=dict)
    _splits: dict[tuple[int, int, Starts], int] = field(default_factory=dict)
    _spares: dict[Starts, Array] = field(default_factory=dict)

    def found(self) -> Levels:
        """Return the series with the steps that are sure."""
        n = len(self.calm)
        if n < SHORTEST:
            return self.measured(())
        most = max(n // PER_STEP, 1)
        starts: list[int] = []
        in_vain = 0
        while len(starts) < most and in_vain < 2:
            added = self._clearest(starts, most - len(starts))
            if not added:
                break
            starts = self._settled(sorted([*starts, *added]))
            in_vain = in_vain + 1 if self._spare(starts).min() < -1.0 else 0
        while starts:
            spare = self._spare(starts)
            least = int(np.argmin(spare))
            if spare[least] >= 0:
                break
            del starts[least]
            starts = self._settled(starts)
        return self.measured(tuple(starts))

    def measured(self, starts: Starts) -> Levels:
        """Return what steps leave and are worth; none where what is left wanders."""
        fitted = self._fit(starts)
        numbers = 2 * len(starts) + 1 + self.columns.shape[1]
        memory = _memory(fitted.rest, starts, numbers)
        if starts and memory > WANDERS:
            return self.measured(())
        return Levels(starts, self.number, memory, score(fitted.rest, numbers))

    def _fit(self, starts: Sequence[int]) -> Fit:
        key = tuple(starts)
        if key not in self._fits:
            self._fits[key] = fit(self.calm, self.columns, key)
        return self._fits[key]

    def _clearest(self, starts: Sequence[int], room: int) -> list[int]:
        """Return the places that the clearest step (one) or excursion (two) adds; none is empty."""
        n, fitted = len(self.calm), self._fit(starts)
        rest = fitted.rest
        if not rest.any():
            return []
        firsts, ends = _windows(n)
        sums = running(rest)
        moved = sums[ends] - sums[firsts]
        squares, size = moved * moved, _sizes(fitted)
        total = float(rest @ rest)
        free = max(n - len(starts) - 1 - self.columns.shape[1] - 1, 1)
        # Few windows are clear enough, and only these are looked at closely.
        hurdle = _ENTER**2 * total * (1 - 1e-9)
        clear = np.flatnonzero(squares * (free + _ENTER**2) >= hurdle * size)
        allowed = _allowed(n, starts)
        clear = clear[allowed[firsts[clear]] & allowed[ends[clear]]]
        firsts, ends, squares, size = firsts[clear], ends[clear], squares[clear], size[clear]
        is_edge = np.zeros(n + 1, dtype=bool)
        is_edge[fitted.edges] = True
        new = 2 - is_edge[firsts].astype(int) - is_edge[ends]
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where(size > 1e-3 * (ends - firsts), squares / size, 0.0)
            squared = np.where(gain < total, gain / ((total - gain) / free), np.inf)
        worth = squared - new * 2 * math.log(n)
        worth[(new == 0) | (new > room) | (squared < _ENTER**2)] = -np.inf
        best = int(np.argmax(worth)) if len(worth) else -1
        if best < 0 or worth[best] == -np.inf:
            return []
        return [int(place) for place in (firsts[best], ends[best]) if not is_edge[place]]

    def _settled(self, starts: list[int]) -> list[int]:
        """Move each step to where it explains most, given its neighbours and the line."""
        n = len(self.calm)
        settled = list(starts)
        for _ in range(3):
            before = tuple(settled)
            # Beside a level alone the values are the same whatever the steps are.
            beside = before if self.columns.shape[1] else ()
            for number in range(len(settled)):
                low = settled[number - 1] if number else 0
                high = settled[number + 1] if number + 1 < len(settled) else n
                if high - low >= 2 * LEAST:
                    settled[number] = self._split(low, high, beside)
            if tuple(settled) == before:
                break
        return settled

    def _split(self, low: int, high: int, beside: Starts) -> int:
        """Return where the values between two places fall into two levels best.

        They are those without the line that fits `beside` these steps.
        """
        key = (low, high, beside)
        if key in self._splits:
            return self._splits[key]
        if beside not in self._sums:
            level = self.calm
            if self.columns.shape[1]:
                level = level - self.columns @ self._fit(beside).slope
            self._sums[beside] = running(level - level.mean())
        sums = self._sums[beside]
        between = sums[low + LEAST : high - LEAST + 1]
        left = np.arange(LEAST, high - low - LEAST + 1)
        right = (high - low) - left
        apart = (between - sums[low]) / left - (sums[high] - between) / right
        self._splits[key] = low + LEAST + int(np.argmax(apart * apart * left * right))
        return self._splits[key]

    def _spare(self, starts: Sequence[int]) -> Array:
        """Return by how much each step is surer than it must be.

        An excursion, whose steps lie against each other, has many more places where chance may find
        one; and steps bend a line as noise does.
        """
        key = tuple(starts)
        if key not in self._spares:
            sure = _surprises(self._fit(key), self.columns.shape[1])
            back = np.zeros(len(sure), dtype=bool)
            against = np.sign(sure[1:]) != np.sign(sure[:-1])
            back[1:] |= against
            back[:-1] |= against
            more = EXCURSION * back + BESIDE * (self.columns.shape[1] > 0)
            self._spares[key] = np.abs(sure) - (needed(len(self.calm)) + more)
        return self._spares[key]


@lru_cache(maxsize=512)
def lengths_of(n: int) -> tuple[int, ...]:
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
    for length in lengths_of(n):
        first = np.arange(n - length + 1)
        firsts.append(first)
        ends.append(first + length)
    split = np.arange(LEAST, n - LEAST + 1)
    firsts.append(np.zeros_like(split))
    ends.append(split)
    return np.concatenate(firsts), np.concatenate(ends)


def _sizes(fitted: Fit) -> Array:
    """Return what regimes and line leave of the squares of a window with a level of its own."""
    n = len(fitted.rest)
    firsts, ends = _windows(n)
    at = np.arange(n + 1)
    parts: list[Array] = []
    for first, end in zip(fitted.edges[:-1].tolist(), fitted.edges[1:].tolist(), strict=True):
        parts.append((np.clip(at, first, end) - first) / math.sqrt(end - first))
    for column in fitted.basis.T:
        parts.append(running(column))
    size = (ends - firsts).astype(float)
    for part in parts:
        known = part[ends] - part[firsts]
        size -= known * known
    return size


def running(values: Array) -> Array:
    """Return the sums of the first 0, 1, 2 ... values."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, out=sums[1:])
    return sums


def _allowed(n: int, starts: Sequence[int]) -> Mask:
    """Return at which places a window may begin or end: where regimes do, or far enough away."""
    edges = [0, *starts, n]
    allowed = np.ones(n + 1, dtype=bool)
    for edge in edges:
        allowed[max(edge - LEAST + 1, 0) : edge + LEAST] = False
    allowed[edges] = True
    return allowed


def _surprises(fitted: Fit, columns: int) -> Array:
    """Return by how many standard errors the level changes at each start, as normal deviates."""
    edges, rest = fitted.edges, fitted.rest
    n, regimes = len(rest), len(edges) - 1
    lengths = (edges[1:] - edges[:-1]).astype(float)
    numbers = regimes + columns
    free = max(n - numbers - (regimes - 1), 1)
    squares = running(rest * rest)
    pooled = float(squares[-1]) / free
    at_edges = squares[edges]
    own = (at_edges[1:] - at_edges[:-1]) / np.maximum(lengths - 1, 1)
    memory = _memory(rest, edges[1:-1].tolist(), numbers + regimes - 1)
    of_means = np.maximum(_around(squares, edges), np.maximum(own, pooled))
    of_means = of_means / lengths * _inflation(_cautious(memory, n), lengths)
    errors = np.sqrt((of_means[:-1] + of_means[1:]) * fitted.wide)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = fitted.levels[1:] - fitted.levels[:-1]
        t = np.where(errors > 0, moved / errors, np.inf)
    return np.asarray(np.sign(t) * np.sqrt(free * np.log1p(np.minimum(t * t, 1e12) / free)))


def _memory(rest: Array, starts: Sequence[int], numbers: int) -> float:
    """Return the lag-1 autocorrelation within regimes, without what estimating levels takes off.

    A mean makes successive values look less alike by (1 + 3r) / n (Marriott and Pope 1954,
    Biometrika 41); each further of the `numbers` that were estimated by (1 + r) / n.
    """
    n = len(rest)
    squares = float(rest @ rest)
    if squares <= 0:
        return 0.0
    products = float(rest[1:] @ rest[:-1])
    for start in starts:  # from one regime into the next
        products -= float(rest[start] * rest[start - 1])
    measured = products / squares
    return min(measured + (numbers * (1 + measured) + 2 * measured) / n, 0.98)


def _cautious(memory: float, n: int) -> float:
    """Return a memory one standard error above what was measured, where there seems to be one."""
    error = (1 - memory * memory) / math.sqrt(n)
    seems = min(max(memory * math.sqrt(n) - 1.0, 0.0), 1.0)
    return min(memory + CAUTION * seems * error, 0.98)


def _around(squares: Array, edges: Places) -> Array:
    """Return the variance within each regime and some periods before and after it.

    `squares` are running sums. A stretch of wild values has windows that look steady at another
    level; what is around them is wild too. Of the reaches that are looked at (`AROUND`) the larger
    variance counts.
    """
    n = len(squares) - 1
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


@lru_cache(maxsize=512)
def needed(n: int) -> float:
    """Return how many standard errors a step must have, so that steady series seldom show one."""
    return math.sqrt(2 * math.log(n)) + 0.14 + 8 / n


def score(rest: Array, numbers: int) -> float:
    """Return Schwarz's criterion: the lower, the more is explained for its size."""
    n = len(rest)
    squares = max(float(rest @ rest), 1e-300)
    return n * math.log(squares / n) + numbers * math.log(n)
