"""One find a cause: inputs that carry the same information are named under the strongest.

A cause has many names: tickets, the share of happy customers and the revenue of sad ones tell the
same story, and each of them is found. An input says the same as a stronger one where the two are
related, and where nothing, or less than half, is left of what it explains of the target once the
stronger one is known (the partial correlation: Yule 1907, Proceedings of the Royal Society A 79;
the share of an effect that another one explains: Freedman, Graubard and Schatzkin 1992, Statistics
in Medicine 11). Less than half, because two measures of one cause are each a little off: what is
open in the pipeline tells more of the customers to come than meetings that were qualified do, and
still is no second thing to act on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dataops_nb.links.evidence import Correlations

Array = npt.NDArray[np.float64]
RELATED = 3.3  # standard errors from which two inputs are related
LEFT = 2.6  # standard errors from which an input adds something of its own
OWN = 0.5  # of what an input explains, the share from which it is a cause of its own
APART = 3  # periods that one may show before the other
_LARGEST = 0.999999


def name_same(rows: Sequence[dict[str, Any]], tested: Sequence[Correlations | None]) -> None:
    """Write `same_as` into the rows that move a target as a stronger row does."""
    by_target: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row["verdict"] == "moves":
            by_target.setdefault(row["target"], []).append(place)
    for places in by_target.values():
        ordered = sorted(places, key=lambda place: _strength(tested[place]), reverse=True)
        heads: list[int] = []
        for place in ordered:
            head = _first_alike(place, heads, rows, tested)
            if head is None:
                heads.append(place)
            else:
                rows[place]["same_as"] = rows[head]["input"]


def _strength(correlations: Correlations | None) -> float:
    if correlations is None:
        return 0.0
    return float((np.abs(correlations.z) * np.sqrt(correlations.free)).max())


def _first_alike(
    place: int,
    heads: Sequence[int],
    rows: Sequence[dict[str, Any]],
    tested: Sequence[Correlations | None],
) -> int | None:
    """Return the strongest of the heads that says what this row says."""
    own = tested[place]
    for head in heads:
        other = tested[head]
        if own is None or other is None:
            continue
        if says_the_same(own, rows[place]["lag"], other, rows[head]["lag"]):
            return head
    return None


def says_the_same(own: Correlations, lag: int, stronger: Correlations, its_lag: int) -> bool:
    """Tell whether an input that moves a target at a lag adds little to a stronger one."""
    cause, effect = own.surprises
    strong = stronger.surprises[0]
    reach = max(lag, its_lag) + APART
    n = min(len(cause), len(effect), len(strong)) - reach
    if n < 2 * reach:
        return False
    ends = slice(len(effect) - n, None)
    target = effect[ends]
    mine = cause[len(cause) - n - lag : len(cause) - lag]
    steps = range(its_lag - min(APART, its_lag), its_lag + APART + 1)
    near = np.column_stack([strong[len(strong) - n - step : len(strong) - step] for step in steps])
    explained = _explained(near, mine)
    if explained < RELATED:
        return False
    alone = _correlation(mine - mine.mean(), target - target.mean())
    known = np.column_stack([np.ones(n), near])
    basis = np.linalg.qr(known)[0]
    mine, target = mine - basis @ (basis.T @ mine), target - basis @ (basis.T @ target)
    left = _correlation(mine, target)
    errors = abs(math.atanh(left)) * math.sqrt(max(n - near.shape[1] - 3, 1))
    return errors < LEFT or left**2 < OWN * alone**2


def _correlation(mine: Array, target: Array) -> float:
    """Return the correlation of two series without their means; 0 where one is all zeros."""
    width = math.sqrt(float(mine @ mine) * float(target @ target))
    if width <= 0:
        return 0.0
    return min(max(float(mine @ target) / width, -_LARGEST), _LARGEST)


def _explained(near: Array, mine: Array) -> float:
    """Return the strongest relation of an input with another at any step, in standard errors."""
    away = near - near.mean(axis=0)
    own = mine - mine.mean()
    width = np.sqrt((away**2).sum(axis=0) * float(own @ own))
    r = np.divide(own @ away, width, out=np.zeros_like(width), where=width > 0)
    z = np.arctanh(np.clip(r, -_LARGEST, _LARGEST))
    return float(np.abs(z).max()) * math.sqrt(max(len(mine) - 3, 1))
