"""Any formula: the Shapley value, what a factor changes on average over every order in which the factors could change."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from dataops_nb.errors import UsageError

MOST_FACTORS = 8


def shapley(formula: Callable[..., float], before: Sequence[float], now: Sequence[float]) -> list[float]:
    """What each factor adds to the change of `formula(*factors)`: one number a factor, together the whole change.

    Every combination of old and new factors is computed, so at most 8 factors are taken. Where the formula has no value
    for one of them (it divides by 0), no factor has a share that can be told: all are NaN.
    """
    count = len(before)
    if count != len(now):
        raise UsageError(f"both periods need the same factors, not {count} and {len(now)}")
    if count > MOST_FACTORS:
        raise UsageError(
            f"a formula of {count} metrics has {2**count:,} combinations; at most {MOST_FACTORS} can be explained: "
            f"give some of them a metric of their own"
        )
    values = {chosen: _value(formula, before, now, chosen) for chosen in product((False, True), repeat=count)}
    return [_share(values, count, place) for place in range(count)]


def _value(formula: Callable[..., float], before: Sequence[float], now: Sequence[float], new: Sequence[bool]) -> float:
    with np.errstate(all="ignore"):
        mixed = [np.float64(y if is_new else x) for x, y, is_new in zip(before, now, new, strict=True)]
        found = float(formula(*mixed))
    return found if math.isfinite(found) else math.nan


def _share(values: dict[tuple[bool, ...], float], count: int, place: int) -> float:
    steps = [
        (values[_with(chosen, place)] - value) * _weight(sum(chosen), count)
        for chosen, value in values.items()
        if not chosen[place]
    ]
    return math.fsum(steps) if all(map(math.isfinite, steps)) else math.nan


def _with(chosen: tuple[bool, ...], place: int) -> tuple[bool, ...]:
    return (*chosen[:place], True, *chosen[place + 1 :])


def _weight(already: int, count: int) -> float:
    """The share of all orders in which exactly so many factors come before a given one."""
    return 1 / (count * math.comb(count - 1, already))
