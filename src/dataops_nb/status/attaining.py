"""Attainment: how much of a target is attained, so exactly that equal to a threshold is equal to it."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from dataops_nb.definitions.models import Better
from dataops_nb.status.terms import SIDES, Asked

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_BELOW_ONE = math.nextafter(1.0, 0.0)
_NEAR = 1e-9
_BETTER: dict[int, Better] = {side: better for better, side in SIDES.items()}  # type: ignore[misc]
_WHOLE = 2.0**53


def attainment(value: float, target: float, better: Better, low: float = math.nan, high: float = math.nan) -> float:
    """How much of the target is attained; at least 1 exactly where it is met, NaN where that cannot be said.

    up: value / target. down: target / value. inside: 1 in the band, else 1 - distance / width. Where the quotient
    contradicts that (zeros, a change of sign), a met target is 1 and a missed one 1 - distance / |target|, not below 0.
    Numbers are taken as they are written in decimals, so 0.01445 of 0.017 is 0.85 and not a hair less.
    """
    if better == "inside":
        return _inside(value, low, high)
    if not (math.isfinite(value) and math.isfinite(target)):
        return math.nan
    met = value >= target if better == "up" else value <= target
    over, under = (value, target) if better == "up" else (target, value)
    share = _exact(over) / _exact(under) if under else None
    if met:
        return _rounded(max(share or 1, 1))
    if share is None or share >= 1:
        share = (
            max(1 - abs(_exact(value) - _exact(target)) / abs(_exact(target)), Fraction(0)) if target else Fraction(0)
        )
    return min(_rounded(share), _BELOW_ONE)


def _inside(value: float, low: float, high: float) -> float:
    if not all(map(math.isfinite, (value, low, high))):
        return math.nan
    if low <= value <= high:
        return 1.0
    if low == high:
        return 0.0
    distance = _exact(low) - _exact(value) if value < low else _exact(value) - _exact(high)
    return min(_rounded(1 - distance / (_exact(high) - _exact(low))), _BELOW_ONE)


def _exact(number: float) -> Fraction:
    return Fraction(repr(float(number)))


def _rounded(share: Fraction | int) -> float:
    largest = Fraction(sys.float_info.max)
    return float(max(-largest, min(share, largest)))


def attainments(value: Array, asked: Asked, thresholds: Sequence[Array]) -> Array:
    """`attainment` of many values at once: quotients of floats, and where one comes near a threshold the exact one.

    The quotient of two whole numbers is exact to its last bit anyway.
    """
    with np.errstate(all="ignore"):
        out, plain = _sided(value, asked)
        if asked.in_bands:
            inside = asked.side == 0
            out = np.where(inside, _insides(value, asked), out)
            plain &= ~inside
        near = np.isinf(out)
        for threshold in thresholds:
            near |= np.abs(out - threshold) <= _NEAR * np.maximum(1.0, np.abs(threshold))
    rows = np.flatnonzero(near)
    exact = plain[rows] & _is_whole(value[rows]) & _is_whole(asked.target[rows])
    for row in rows[~exact]:
        of = asked.target[row], _BETTER[int(asked.side[row])], asked.low[row], asked.high[row]
        out[row] = attainment(value[row], *of)
    return out


def _sided(value: Array, asked: Asked) -> tuple[Array, Mask]:
    """The attainment where more or less is better, and where it is 1 or the plain quotient."""
    up, target = asked.side == 1, asked.target
    over, under = np.where(up, value, target), np.where(up, target, value)
    met, apart = over >= under, under != 0
    share = over / under
    plain = met | (apart & (share < 1))
    known = np.isfinite(value) & np.isfinite(target)
    out = np.where(met, np.where(apart, np.maximum(share, 1.0), 1.0), np.minimum(share, _BELOW_ONE))
    out[~known] = np.nan
    odd = np.flatnonzero(~plain & known)
    out[odd] = _distant(value[odd], target[odd])
    return out, plain


def _distant(value: Array, target: Array) -> Array:
    """The attainment of a missed target where the quotient would say that it was met, or cannot be said."""
    left = np.where(target != 0, np.maximum(1 - np.abs(value - target) / np.abs(target), 0.0), 0.0)
    return np.asarray(np.minimum(left, _BELOW_ONE))


def _insides(value: Array, asked: Asked) -> Array:
    low, high = asked.low, asked.high
    distance = np.where(value < low, low - value, value - high)
    missed = np.where(low == high, 0.0, np.minimum(1 - distance / (high - low), _BELOW_ONE))
    known = np.isfinite(value) & np.isfinite(low) & np.isfinite(high)
    return np.where(known, np.where((low <= value) & (value <= high), 1.0, missed), np.nan)


def _is_whole(number: Array) -> Mask:
    return np.asarray((np.abs(number) < _WHOLE) & (number == np.trunc(number)))
