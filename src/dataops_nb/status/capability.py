"""Two axes instead of one value: is it changing (variation), and can it be relied on to meet its target (assurance)?

After the NHS programme "Making Data Count". Under `policy: capability` both together give the colour, by one table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from dataops_nb.definitions.models import Better, Colour
from dataops_nb.status.terms import Asked

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.signedinteger]
Variation = Literal["special-cause improvement", "special-cause concern", "common cause"]
Assurance = Literal["consistent pass", "consistent fail", "inconsistent"]
IMPROVEMENT: Variation = "special-cause improvement"
CONCERN: Variation = "special-cause concern"
COMMON: Variation = "common cause"

COLOURS: Mapping[tuple[Assurance, Variation], Colour] = {
    ("consistent pass", IMPROVEMENT): "green",
    ("consistent pass", COMMON): "green",
    ("consistent pass", CONCERN): "yellow",
    ("inconsistent", IMPROVEMENT): "yellow",
    ("inconsistent", COMMON): "yellow",
    ("inconsistent", CONCERN): "red",
    ("consistent fail", IMPROVEMENT): "yellow",
    ("consistent fail", COMMON): "red",
    ("consistent fail", CONCERN): "red",
}


VARIATIONS: tuple[Variation | None, ...] = (None, COMMON, IMPROVEMENT, CONCERN)
ASSURANCES: tuple[Assurance | None, ...] = (None, "consistent pass", "inconsistent", "consistent fail")


def variation(
    signal: object, value: float, center: float, better: Better, target: float = math.nan
) -> Variation | None:
    """What a signal means by the good direction; `common cause` without one.

    A metric that should stay inside a band improves where its value is nearer the band's middle (`target`) than its
    centre line is; without a band that cannot be said: None.
    """
    asked = Asked.one(better, target, target, target)
    found = variations(np.array([isinstance(signal, str)]), np.array([value]), np.array([center]), asked)
    return VARIATIONS[int(found[0])]


def variations(signalled: Mask, value: Array, center: Array, asked: Asked) -> Places:
    """The place in `VARIATIONS` of each value's `variation`."""
    out = np.ones(len(value), dtype=np.int8)
    rows = np.flatnonzero(signalled)
    value, center, side, target = value[rows], center[rows], asked.side[rows], asked.target[rows]
    inside = side == 0
    with np.errstate(invalid="ignore"):
        good = np.where(inside, np.abs(value - target) < np.abs(center - target), (value > center) == (side == 1))
    out[rows] = np.where(inside & np.isnan(target), 0, np.where(good, 2, 3))
    return out


def assurance(
    lower: float, upper: float, better: Better, *, target: float, low: float, high: float
) -> Assurance | None:
    """Whether values within the limits always meet the target, never, or sometimes; equal to the target meets it.

    None where a limit or the target is missing.
    """
    asked = Asked.one(better, target, low, high)
    return ASSURANCES[int(assurances(np.array([float(lower)]), np.array([float(upper)]), asked)[0])]


def assurances(lower: Array, upper: Array, asked: Asked) -> Places:
    """The place in `ASSURANCES` of each row's `assurance`."""
    up, inside = asked.side == 1, asked.side == 0
    first = np.where(up, asked.target, np.where(inside, asked.low, -np.inf))
    last = np.where(up, np.inf, np.where(inside, asked.high, asked.target))
    with np.errstate(invalid="ignore"):
        passes, fails = (first <= lower) & (upper <= last), (upper < first) | (last < lower)
    known = ~np.isnan(lower) & ~np.isnan(upper) & asked.known
    return np.where(known, np.select([passes, fails], [1, 3], 2), 0)


def colours(sure: Places, varies: Places) -> Places:
    """The place in `LIGHTS` of both axes' colour; unknown where one of them cannot be told."""
    return _TABLE[sure, varies]


LIGHTS: tuple[Colour | Literal["unknown"], ...] = ("green", "yellow", "red", "unknown")
_TABLE = np.array(
    [
        [LIGHTS.index(COLOURS[sure, varies]) if sure is not None and varies is not None else 3 for varies in VARIATIONS]
        for sure in ASSURANCES
    ]
)
