"""Steps beside a line: the search of `shifts`, given what a series follows.

The clearest step or excursion is added first, each step is moved to where it explains most, and
what is not sure enough is taken away again. Many of the same regimes are looked at on the way, so
what was found out about some is kept. Each series goes its own way, but what some regimes leave of
it, and how sure they are, is computed for all series that wait for it (`looks`).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from dataops_nb.limits.looks import Look, Starts, looked, running

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
T = TypeVar("T")
# A search waits for a look at its series in regimes with these starts.
Search = Generator[Starts, None, T]

LEAST = 6  # periods of a regime
SHORTEST = 2 * LEAST  # periods of a series
PER_STEP = 20  # periods a series has for each of its steps
WANDERS = 0.65  # autocorrelation within regimes from which steps are no steps
_ENTER = 3.2  # standard errors from which a window is worth a closer look


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
class Beside:
    """The search for the steps of a calm series beside one line, of which `number` is its own."""

    calm: Array
    columns: Array
    number: int
    looks: dict[Starts, Look] = field(default_factory=dict)
    _sums: dict[Starts, Array] = field(default_factory=dict)
    _splits: dict[tuple[int, int, Starts], int] = field(default_factory=dict)

    def steps(self) -> Search[Levels]:
        """Search for the steps that are sure, and return the series with them."""
        n = len(self.calm)
        if n < SHORTEST:
            return (yield from self._measured(()))
        most = max(n // PER_STEP, 1)
        starts: list[int] = []
        in_vain = 0
        while len(starts) < most and in_vain < 2:
            look = yield from self._look(starts)
            added = self._clearest(look, most - len(starts))
            if not added:
                break
            starts = yield from self._settled(sorted([*starts, *added]))
            look = yield from self._look(starts)
            in_vain = in_vain + 1 if min(look.spare) < -1.0 else 0
        while starts:
            look = yield from self._look(starts)
            least = min(look.spare)
            if least >= 0:
                break
            del starts[look.spare.index(least)]
            starts = yield from self._settled(starts)
        return (yield from self._measured(tuple(starts)))

    def plain(self) -> Search[Levels]:
        """Return the series without any step."""
        return (yield from self._measured(()))

    def _measured(self, starts: Starts) -> Search[Levels]:
        """Return what steps leave and are worth; none where what is left wanders."""
        look = yield from self._look(starts)
        if starts and look.memory > WANDERS:
            look = yield from self._look(())
        numbers = 2 * len(look.starts) + 1 + self.columns.shape[1]
        return Levels(look.starts, self.number, look.memory, score(look.rest, numbers))

    def _look(self, starts: Sequence[int]) -> Search[Look]:
        """Return the look at some regimes, or wait for it."""
        key = tuple(starts)
        if key not in self.looks:
            yield key
        return self.looks[key]

    def _clearest(self, look: Look, room: int) -> list[int]:
        """Return the places that the clearest step (one) or excursion (two) adds; none is empty."""
        n, rest, starts = len(self.calm), look.rest, look.starts
        total = float(rest @ rest)
        if total <= 0:
            return []
        firsts, ends = _windows(n)
        sums = running(rest)
        moved = sums[ends]
        moved -= sums[firsts]
        squares = moved * moved
        size = self._sizes(look)
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

    def _sizes(self, look: Look) -> Array:
        """Return what is left of the squares of a window with a level of its own.

        Without steps that is the same for all series beside this line.
        """
        if look.starts:
            return _sizes([0, *look.starts, len(self.calm)], look.basis)
        return _sizes_without_steps(len(self.calm), look.basis.shape[1], look.basis.tobytes())

    def _settled(self, starts: list[int]) -> Search[list[int]]:
        """Move each step to where it explains most, given its neighbours and the line."""
        n = len(self.calm)
        settled = list(starts)
        for _ in range(3):
            before = tuple(settled)
            # Beside a level alone the values are the same whatever the steps are.
            beside = before if self.columns.shape[1] else ()
            if beside not in self._sums:
                yield from self._add_sums(beside)
            for number in range(len(settled)):
                low = settled[number - 1] if number else 0
                high = settled[number + 1] if number + 1 < len(settled) else n
                if high - low >= 2 * LEAST:
                    settled[number] = self._split(low, high, beside)
            if tuple(settled) == before:
                break
        return settled

    def _add_sums(self, beside: Starts) -> Search[None]:
        """Add up the values without the line that fits beside these steps."""
        level = self.calm
        if self.columns.shape[1]:
            look = yield from self._look(beside)
            level = level - self.columns @ look.slope
        self._sums[beside] = running(level - level.mean())

    def _split(self, low: int, high: int, beside: Starts) -> int:
        """Return where the values between two places fall into two levels best.

        They are those without the line that fits `beside` these steps.
        """
        key = (low, high, beside)
        if key in self._splits:
            return self._splits[key]
        sums = self._sums[beside]
        left, product = _sides(high - low)
        first = sums[low]
        away = sums[low + LEAST : high - LEAST + 1] - first
        away -= left * ((sums[high] - first) / (high - low))
        self._splits[key] = low + LEAST + int(np.argmax(away * away / product))
        return self._splits[key]


def searched(ways: Sequence[Beside], *, plain: bool = False) -> list[Levels]:
    """Search series for their steps (or, if `plain`, take them without) beside the same line."""
    ended: dict[int, Levels] = {}
    waiting: list[tuple[int, Search[Levels], Starts]] = []

    def go_on(number: int, search: Search[Levels]) -> None:
        try:
            waiting.append((number, search, next(search)))
        except StopIteration as end:
            ended[number] = end.value

    for number, way in enumerate(ways):
        go_on(number, way.plain() if plain else way.steps())
    while waiting:
        resumed = list(waiting)
        waiting.clear()
        series = np.stack([ways[number].calm for number, _, _ in resumed])
        wanted = [starts for _, _, starts in resumed]
        looks = looked(series, wanted, ways[0].columns)
        for (number, search, starts), look in zip(resumed, looks, strict=True):
            ways[number].looks[starts] = look
            go_on(number, search)
    return [ended[number] for number in range(len(ways))]


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


def _sizes(edges: Sequence[int], basis: Array) -> Array:
    """Return what regimes and line leave of the squares of a window with a level of its own."""
    n = edges[-1]
    firsts, ends = _windows(n)
    at = np.arange(n + 1)
    parts: list[Array] = []
    for first, end in pairwise(edges):
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
    return _sizes([0, n], columns)


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


def score(rest: Array, numbers: int) -> float:
    """Return Schwarz's criterion: the lower, the more is explained for its size."""
    n = len(rest)
    squares = max(float(rest @ rest), 1e-300)
    return n * math.log(squares / n) + numbers * math.log(n)
