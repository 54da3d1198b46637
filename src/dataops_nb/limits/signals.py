"""Signals: points that noise alone would hardly make. The strongest name counts: outside > trend > near-limit > run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from dataops_nb.limits.xmr import ProcessLimits

Signal = Literal["outside", "trend", "near-limit", "run"]
Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.int8]
NAMES: tuple[Signal | None, ...] = (None, "run", "near-limit", "trend", "outside")
_HAIR, _LEAST = 1e-9, 1e-12


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
FALSE_ALARM = 0.01  # of the newest points of stable series of 24 to 260 periods, .008 to .012 show a signal by WHEELER
NHS = Rules(run=7, near=2, near_of=3, near_at=2 / 3, trend=7)


def signals(values: Sequence[float], limits: ProcessLimits, rules: Rules = WHEELER) -> list[Signal | None]:
    """The signal of each of successive values, None where there is none. Equal to a line is not beyond it.

    Every point of a run or a trend has the signal; of `near_of` points, those that are near the limit.
    """
    if not math.isfinite(limits.lower):
        return [None] * len(values)
    center, reach = (np.full(len(values), each) for each in (limits.center, limits.upper - limits.center))
    found = marks(np.asarray(values, dtype=float), np.zeros(len(values), dtype=int), center, reach, rules)
    return [NAMES[mark] for mark in found]


def marks(values: Floats, series: npt.NDArray[np.int_], center: Floats, reach: Floats, rules: Rules = WHEELER) -> Marks:
    """The place in `NAMES` of each value's signal; the values of one series follow each other, oldest first.

    `center` is the line and `reach` its distance to a limit, for each value: lines may rise, fall and wave.
    """
    away = values - center
    far, hair = np.abs(away), np.maximum(_HAIR * np.maximum(np.abs(values), np.abs(center) + reach), _LEAST)
    sides = np.where(far > hair, np.sign(away), 0).astype(np.int8)
    near, outside = far - reach * rules.near_at > hair, far - reach > hair
    fresh = np.diff(series, prepend=-1) != 0
    found = np.zeros(len(values), dtype=np.int8)
    found[_runs(sides, fresh, rules.run)] = 1
    for side in (1, -1):
        found[_near(near & (sides == side), series, rules)] = 2
    if rules.trend:
        found[_trends(values, fresh, rules.trend)] = 3
    found[outside] = 4
    return found


def _runs(sides: Marks, fresh: npt.NDArray[np.bool_], length: int) -> npt.NDArray[np.bool_]:
    """Which points lie in a run of at least this length on one side; a series begins where `fresh` is true."""
    run = np.cumsum(fresh | (np.diff(sides, prepend=0) != 0))
    return np.asarray((sides != 0) & (np.bincount(run, minlength=1)[run] >= length))


def _trends(values: Floats, fresh: npt.NDArray[np.bool_], length: int) -> npt.NDArray[np.bool_]:
    """The points of unbroken climbs and falls: `length` points are one step fewer."""
    before = np.concatenate([values[:1], values[:-1]])
    moved = values - before
    clear = np.abs(moved) > np.maximum(_HAIR * np.maximum(np.abs(values), np.abs(before)), _LEAST)
    steps = np.where(fresh | ~clear, 0, np.sign(moved)).astype(np.int8)
    rising = _runs(steps, fresh, length - 1)
    return np.asarray(rising | np.append(rising[1:], False))


def _near(hits: npt.NDArray[np.bool_], series: npt.NDArray[np.int_], rules: Rules) -> npt.NDArray[np.bool_]:
    """Which of the hits lie within `near_of` successive points of one series of which at least `near` are hits."""
    size, windows = rules.near_of, len(hits) - rules.near_of + 1
    close = np.zeros(len(hits), dtype=bool)
    if windows > 0:
        counted = np.concatenate([[0], np.cumsum(hits)])
        full = (counted[size:] - counted[:-size] >= rules.near) & (series[size - 1 :] == series[:windows])
        for place in range(size):
            close[place : place + windows] |= full
    return close & hits
