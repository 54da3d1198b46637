"""Attainment: how much of a target is attained, so exactly that equal to a threshold is equal to it."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from dataops_nb.definitions.models import Better
from dataops_nb.status.terms import Asked

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_BELOW_ONE = math.nextafter(1.0, 0.0)
_NEAR = 1e-9
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
    better, target, low, high = asked.better, asked.target, asked.low, asked.high
    inside = better == "inside"
    with np.errstate(all="ignore"):
        sided, divided = _sided(value, target, better == "up")
        out = np.where(inside, _insides(value, low, high), sided)
        near = np.isinf(out)
        for threshold in thresholds:
            near |= np.abs(out - threshold) <= _NEAR * np.maximum(1.0, np.abs(threshold))
    exact = np.where(inside, out == 1, divided & _is_whole(value) & _is_whole(target))
    for row in np.flatnonzero(near & ~exact):
        out[row] = attainment(value[row], target[row], better[row], low[row], high[row])
    return out


def _sided(value: Array, target: Array, up: Mask) -> tuple[Array, Mask]:
    """The attainment where more (`up`) or less is better, and where it is the plain quotient (or 1)."""
    over, under = np.where(up, value, target), np.where(up, target, value)
    met = np.where(up, value >= target, value <= target)
    share = over / under
    plain = (under != 0) & (share < 1)
    distant = np.where(target != 0, np.maximum(1 - np.abs(value - target) / np.abs(target), 0.0), 0.0)
    missed = np.minimum(np.where(plain, share, distant), _BELOW_ONE)
    reached = np.where((under != 0) & (share > 1), share, 1.0)
    known = np.isfinite(value) & np.isfinite(target)
    return np.where(known, np.where(met, reached, missed), np.nan), met | plain


def _insides(value: Array, low: Array, high: Array) -> Array:
    distance = np.where(value < low, low - value, value - high)
    missed = np.where(low == high, 0.0, np.minimum(1 - distance / (high - low), _BELOW_ONE))
    known = np.isfinite(value) & np.isfinite(low) & np.isfinite(high)
    return np.where(known, np.where((low <= value) & (value <= high), 1.0, missed), np.nan)


def _is_whole(number: Array) -> Mask:
    return np.asarray((np.abs(number) < _WHOLE) & (number == np.trunc(number)))
