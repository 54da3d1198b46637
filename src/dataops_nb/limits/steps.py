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
from functools import cached_property, lru_cache
from itertools import pairwise

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

    @cached_property
    def squares(self) -> list[float]:
        """The squares of what is left, added up: of the first 0, 1, 2 ... values."""
        sums: list[float] = running(self.rest * self.rest).tolist()
        return sums


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
        basis, turned = _perpendicular(within, _SINGULAR * float((columns * columns).sum()))
        slope = turned @ (rest @ basis)
        rest = rest - within @ slope
        levels = levels - middles @ slope
        apart = (middles[1:] - middles[:-1]) @ turned
        wide = 1 + (apart * apart).sum(axis=1) / (1 / lengths[:-1] + 1 / lengths[1:])
    if float(rest @ rest) <= 1e-24 * float(values @ values):
        rest = np.zeros(len(rest))  # no more than digits that were lost on the way
    return Fit(edges, levels, slope, basis, wide, rest)


def _perpendicular(within: Array, least: float) -> tuple[Array, Array]:
    """Return columns as perpendicular ones of length 1, and what makes these of them.

    Those are left out of whose squares no more than the `least` is left.
    """
    if within.shape[1] == 1:
        squares = float((within * within).sum())
        turned = np.full((1, 1), 1 / math.sqrt(squares)) if squares > least else np.zeros((1, 0))
        return within * turned, turned
    own, turned = np.linalg.eigh(within.T @ within)
    turned = turned[:, own > least] / np.sqrt(own[own > least])
    return within @ turned, turned


@dataclass(frozen=True)
class Beside:
    """The search for the steps of a calm series beside one line, of which `number` is its own."""

    calm: Array
    columns: Array
    number: int
    _fits: dict[Starts, Fit] = field(default_factory=dict)
    _sums: dict[Starts, Array] = field(default_factory=dict)
    _splits: dict[tuple[int, int, Starts], int] = field(default_factory=dict)
    _spares: dict[Starts, list[float]] = field(default_factory=dict)

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
            in_vain = in_vain + 1 if min(self._spare(starts)) < -1.0 else 0
        while starts:
            spare = self._spare(starts)
            least = min(spare)
            if least >= 0:
                break
            del starts[spare.index(least)]
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
        total = float(rest @ rest)
        if total <= 0:
            return []
        firsts, ends = _windows(n)
        sums = running(rest)
        moved = sums[ends]
        moved -= sums[firsts]
        squares = moved * moved
        size = self._sizes(fitted)
        free = max(n - len(starts) - 1 - self.columns.shape[1] - 1, 1)
        # Few windows are clear enough, and only these are looked at closely.
        hurdle = _ENTER**2 * total * (1 - 1e-9) / (free + _ENTER**2)
        clear = np.flatnonzero(squares >= hurdle * size)
        allowed, is_edge = _allowed(n, starts)
        clear = clear[allowed[firsts[clear]] & allowed[ends[clear]]]
        if not len(clear):
            return []
        firsts, ends, squares, size = firsts[clear], ends[clear], squares[clear], size[clear]
        new = 2 - is_edge[firsts] - is_edge[ends]
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where(size > 1e-3 * (ends - firsts), squares / size, 0.0)
            squared = np.where(gain < total, gain / ((total - gain) / free), np.inf)
        worth = squared - new * (2 * math.log(n))
        worth[(new == 0) | (new > room) | (squared < _ENTER**2)] = -np.inf
        best = int(np.argmax(worth))
        if worth[best] == -np.inf:
            return []
        return [int(place) for place in (firsts[best], ends[best]) if not is_edge[place]]

    def _sizes(self, fitted: Fit) -> Array:
        """Return what is left of the squares of a window with a level of its own.

        Without steps that is the same for all series beside this line.
        """
        if len(fitted.edges) > 2:
            return _sizes(fitted.edges, fitted.basis)
        basis = fitted.basis
        return _sizes_without_steps(len(fitted.rest), basis.shape[1], basis.tobytes())

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
        left, product = _sides(high - low)
        first = sums[low]
        away = sums[low + LEAST : high - LEAST + 1] - first
        away -= left * ((sums[high] - first) / (high - low))
        self._splits[key] = low + LEAST + int(np.argmax(away * away / product))
        return self._splits[key]

    def _spare(self, starts: Sequence[int]) -> list[float]:
        """Return by how much each step is surer than it must be.

        An excursion, whose steps lie against each other, has many more places where chance may find
        one; and steps bend a line as noise does.
        """
        key = tuple(starts)
        if key not in self._spares:
            width = self.columns.shape[1]
            sure = _surprises(self._fit(key), width)
            hurdle = needed(len(self.calm)) + BESIDE * (width > 0)
            spare: list[float] = []
            for number, size in enumerate(sure):
                beside = sure[max(number - 1, 0) : number + 2]
                is_back = any(size * other <= 0 for other in beside)
                spare.append(abs(size) - (hurdle + EXCURSION * is_back))
            self._spares[key] = spare
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


@lru_cache(maxsize=512)
def _sides(length: int) -> tuple[Array, Array]:
    """Return the lengths that a split of so many values may leave on its left, times the right."""
    left = np.arange(LEAST, length - LEAST + 1, dtype=float)
    return left, left * (length - left)


def _sizes(edges: Places, basis: Array) -> Array:
    """Return what regimes and line leave of the squares of a window with a level of its own."""
    n = int(edges[-1])
    firsts, ends = _windows(n)
    at = np.arange(n + 1)
    parts: list[Array] = []
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        within = np.minimum(np.maximum(at, first), end) - first
        parts.append(within / math.sqrt(end - first))
    for column in basis.T:
        parts.append(running(column))
    size = (ends - firsts).astype(float)
    for part in parts:
        known = part[ends]
        known -= part[firsts]
        known *= known
        size -= known
    return size


@lru_cache(maxsize=32)
def _sizes_without_steps(n: int, width: int, basis: bytes) -> Array:
    columns = np.frombuffer(basis).reshape(n, width)
    return _sizes(np.array([0, n]), columns)


def running(values: Array) -> Array:
    """Return the sums of the first 0, 1, 2 ... values."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, out=sums[1:])
    return sums


def _allowed(n: int, starts: Sequence[int]) -> tuple[Mask, Places]:
    """Return at which places a window may begin or end, and (as 1) where regimes do.

    It may where regimes do, or far enough away from there.
    """
    edges = [0, *starts, n]
    allowed = np.ones(n + 1, dtype=bool)
    is_edge = np.zeros(n + 1, dtype=np.intp)
    for edge in edges:
        allowed[max(edge - LEAST + 1, 0) : edge + LEAST] = False
    allowed[edges] = True
    is_edge[edges] = 1
    return allowed, is_edge


def _surprises(fitted: Fit, columns: int) -> list[float]:
    """Return by how many standard errors the level changes at each start, as normal deviates."""
    edges, squares = fitted.edges.tolist(), fitted.squares
    n, regimes = edges[-1], len(edges) - 1
    numbers = regimes + columns
    free = max(n - numbers - (regimes - 1), 1)
    memory = _cautious(_memory(fitted.rest, edges[1:-1], numbers + regimes - 1), n)
    of_means: list[float] = []
    for first, end in pairwise(edges):
        length = end - first
        own = (squares[end] - squares[first]) / max(length - 1, 1)
        variance = max(own, squares[-1] / free, _around(squares, first, end))
        of_means.append(variance / length * _inflation(memory, length))
    levels, wide = fitted.levels.tolist(), fitted.wide.tolist()
    sure: list[float] = []
    for number in range(regimes - 1):
        error = math.sqrt((of_means[number] + of_means[number + 1]) * wide[number])
        moved = levels[number + 1] - levels[number]
        t = min(abs(moved) / error, 1e6) if error > 0 else 1e6
        size = math.sqrt(free * math.log1p(t * t / free))
        sure.append(-size if moved < 0 < error else size)
    return sure


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


def _around(squares: Sequence[float], first: int, end: int) -> float:
    """Return the variance within a regime and some periods before and after it.

    `squares` are running sums. A stretch of wild values has windows that look steady at another
    level; what is around them is wild too. Of the reaches that are looked at (`AROUND`) the larger
    variance counts.
    """
    largest = 0.0
    for reach in AROUND:
        low, high = max(first - reach, 0), min(end + reach, len(squares) - 1)
        largest = max(largest, (squares[high] - squares[low]) / (high - low - 1))
    return largest


def _inflation(memory: float, length: int) -> float:
    """Return by how much the variance of a mean of so many values grows with their memory.

    Exact for values that remember by a first-order autoregression. Values that alternate do not
    make it smaller.
    """
    r = max(memory, 0.0)
    if r < 1e-6:
        return 1.0
    tail = r * (1 - r**length) / (1 - r) ** 2
    return 1 + 2 * (r / (1 - r) - tail / length)


@lru_cache(maxsize=512)
def needed(n: int) -> float:
    """Return how many standard errors a step must have, so that steady series seldom show one."""
    return math.sqrt(2 * math.log(n)) + 0.14 + 8 / n


def score(rest: Array, numbers: int) -> float:
    """Return Schwarz's criterion: the lower, the more is explained for its size."""
    n = len(rest)
    squares = max(float(rest @ rest), 1e-300)
    return n * math.log(squares / n) + numbers * math.log(n)
