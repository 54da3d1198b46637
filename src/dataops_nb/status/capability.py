"""Two axes instead of one value: is it changing (variation), and can it be relied on to meet its target (assurance)?

After the NHS programme "Making Data Count". Under `policy: capability` both together give the colour, by one table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from dataops_nb.definitions.models import Better, Colour

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


def variation(
    signal: object, value: float, center: float, better: Better, target: float = math.nan
) -> Variation | None:
    """What a signal means by the good direction; `common cause` without one.

    A metric that should stay inside a band improves where its value is nearer the band's middle (`target`) than its
    centre line is; without a band that cannot be said: None.
    """
    if not isinstance(signal, str):
        return COMMON
    if better == "inside":
        if math.isnan(target):
            return None
        return IMPROVEMENT if abs(value - target) < abs(center - target) else CONCERN
    return IMPROVEMENT if (value > center) == (better == "up") else CONCERN


def assurance(
    lower: float, upper: float, better: Better, *, target: float, low: float, high: float
) -> Assurance | None:
    """Whether values within the limits always meet the target, never, or sometimes; equal to the target meets it.

    None where a limit or the target is missing.
    """
    asked = (low, high) if better == "inside" else (target,)
    if any(math.isnan(each) for each in (lower, upper, *asked)):
        return None
    first, last = {"up": (target, math.inf), "down": (-math.inf, target), "inside": (low, high)}[better]
    if first <= lower and upper <= last:
        return "consistent pass"
    return "consistent fail" if upper < first or last < lower else "inconsistent"
