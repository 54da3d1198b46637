"""Products: the logarithmic mean Divisia index, LMDI-I (Ang 2005, 2015), which leaves no residual and can be reversed.

A total is the sum over segments of the product of their factors. Zeros are not replaced by small numbers: they have
the analytic limits of Ang, Zhang and Choi (1998).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dataops_nb.errors import UsageError

Floats = npt.NDArray[np.float64]


def logarithmic_mean(a: float, b: float) -> float:
    """`(a - b) / ln(a / b)` of two numbers from 0 on; of a number with itself the number, with 0 it is 0."""
    low, high = sorted((float(a), float(b)))
    if low <= 0:
        return 0.0
    spread = (high - low) / low
    return low if spread == 0 else low * spread / math.log1p(spread) if math.isfinite(spread) else _far(low, high)


def _far(low: float, high: float) -> float:
    return (high - low) / (math.log(high) - math.log(low))


def lmdi(before: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """What each factor adds to the change of the total: one number a factor, together the whole change.

    Rows are segments, columns are factors from 0 on. In a segment that comes from nothing, its factors that were 0 have
    all of the change, in equal parts; so have those that become 0 where it goes to nothing.
    """
    old, new = _factors(before), _factors(now)
    if old.shape != new.shape:
        raise UsageError(f"both periods need the same segments and factors, not {old.shape} and {new.shape}")
    found: Floats = np.array([_segment(x, y) for x, y in zip(old, new, strict=True)]).reshape(old.shape).sum(axis=0)
    return found


def lmdi_factors(before: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """By what each factor multiplies the total: one number a factor, whose product is the total's own."""
    old, new = (float(_factors(side).prod(axis=1).sum()) for side in (before, now))
    if old <= 0 or new <= 0:
        raise UsageError("a total of 0 has not been multiplied from or to anything; take the parts that add up")
    found: Floats = np.exp(lmdi(before, now) / logarithmic_mean(new, old))
    return found


def _factors(side: npt.ArrayLike) -> Floats:
    table = np.atleast_2d(np.asarray(side, dtype=float))
    if not np.isfinite(table).all() or (table < 0).any():
        raise UsageError("factors of a product must be numbers from 0 on; for others take the Shapley value")
    return table


def _segment(old: Floats, new: Floats) -> Floats:
    was, now = float(old.prod()), float(new.prod())
    if was == 0 or now == 0:
        turned = (old == 0) if now > 0 else (new == 0) if was > 0 else np.zeros(len(old), dtype=bool)
        return np.where(turned, (now - was) / max(int(turned.sum()), 1), 0.0)
    return logarithmic_mean(now, was) * (np.log(new) - np.log(old))
