"""Signals: points that noise alone would hardly make. The strongest name counts: outside > trend > near-limit > run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from dataops_nb.limits.xmr import ProcessLimits

Signal = Literal["outside", "trend", "near-limit", "run"]
_HAIR = 1e-9


@dataclass(frozen=True)
class Rules:
    """What counts besides a point outside the limits.

    `run` successive points on one side of the centre line; `near` of `near_of` successive points further out than
    `near_at` of the way from the centre to the same limit; `trend` successive points that rise, or fall (0: not used).
    """

    run: int
    near: int
    near_of: int
    near_at: float
    trend: int = 0


WHEELER = Rules(run=8, near=3, near_of=4, near_at=1 / 2)
NHS = Rules(run=7, near=2, near_of=3, near_at=2 / 3, trend=7)


def signals(values: Sequence[float], limits: ProcessLimits, rules: Rules = WHEELER) -> list[Signal | None]:
    """The signal of each of successive values, None where there is none. Equal to a line is not beyond it.

    Every point of a run or a trend has the signal; of `near_of` points, those that are near the limit.
    """
    if not math.isfinite(limits.lower):
        return [None] * len(values)
    reach = limits.upper - limits.center
    found: list[Signal | None] = [None] * len(values)
    sides = _sides(values, limits.center, 0.0)
    steps = [0, *(_side(b, a) for a, b in pairwise(values))]
    named: list[tuple[Signal, Iterator[int]]] = [
        ("run", _runs(sides, rules.run)),
        ("near-limit", _near(_sides(values, limits.center, reach * rules.near_at), rules)),
        ("trend", _trends(steps, rules.trend)),
        ("outside", (i for i, side in enumerate(_sides(values, limits.center, reach)) if side)),
    ]
    for name, points in named:
        for point in points:
            found[point] = name
    return found


def _sides(values: Sequence[float], center: float, reach: float) -> list[int]:
    """1 above `center + reach`, -1 below `center - reach`, else 0."""
    return [max(_side(value, center + reach), 0) or min(_side(value, center - reach), 0) for value in values]


def _side(value: float, line: float) -> int:
    if math.isclose(value, line, rel_tol=_HAIR, abs_tol=1e-12):
        return 0
    return 1 if value > line else -1


def _runs(sides: Sequence[int], length: int) -> Iterator[int]:
    start = 0
    for end in range(1, len(sides) + 1):
        if end == len(sides) or sides[end] != sides[start]:
            if sides[start] and end - start >= length:
                yield from range(start, end)
            start = end


def _trends(steps: Sequence[int], length: int) -> Iterator[int]:
    """The points of unbroken climbs and falls: `length` points are one step fewer."""
    if length:
        for point in _runs(steps, length - 1):
            yield from (point - 1, point)


def _near(sides: Sequence[int], rules: Rules) -> Iterator[int]:
    for start in range(len(sides) - rules.near_of + 1):
        window = range(start, start + rules.near_of)
        for side in (1, -1):
            points = [i for i in window if sides[i] == side]
            if len(points) >= rules.near:
                yield from points
