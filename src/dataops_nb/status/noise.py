"""How much of a light is luck: how often it would change while nothing changed."""

from __future__ import annotations

import math

from dataops_nb.definitions.models import Better, Lights

NOWHERE = (math.inf, math.inf)


def flips(
    center: float, sigma: float, lights: Lights, better: Better, *, target: float, low: float, high: float
) -> float:
    """P(the next light differs from this one | nothing changed) = 1 - Σ p², p being the share of each colour.

    The process stays normal around `center` with `sigma`; NaN where one of the numbers is missing.
    """
    asked = (low, high) if better == "inside" else (target,)
    if not all(math.isfinite(each) for each in (center, sigma, *asked)):
        return math.nan
    green = _share(center, sigma, attaining(_at_least(lights.green.at_least, 1.0), better, target, low, high))
    lit = green
    if lights.yellow is not None:
        lit = max(
            green, _share(center, sigma, attaining(_at_least(lights.yellow.at_least, 0.0), better, target, low, high))
        )
    return 1 - green**2 - (lit - green) ** 2 - (1 - lit) ** 2


def _at_least(said: float | None, otherwise: float) -> float:
    return otherwise if said is None else said


def attaining(share: float, better: Better, target: float, low: float, high: float) -> tuple[float, float]:
    """The values (first, last) whose attainment is at least `share`."""
    if better == "inside":
        slack = (1 - share) * (high - low)
        return (low - slack, high + slack) if share <= 1 else NOWHERE
    if share > 1:
        return _beyond(share, better, target)
    if better == "up" and target > 0:
        return share * target, math.inf
    if share <= 0:
        return -math.inf, math.inf
    slack = (1 - share) * abs(target)
    if better == "up":
        return target - slack, math.inf
    return -math.inf, target / share if target > 0 else target + slack


def _beyond(share: float, better: Better, target: float) -> tuple[float, float]:
    """More than the target can only be attained where it is above 0."""
    if target <= 0:
        return NOWHERE
    return (share * target, math.inf) if better == "up" else (0.0, target / share)


def _share(center: float, sigma: float, values: tuple[float, float]) -> float:
    first, last = values
    if sigma <= 0:
        return float(first <= center <= last)
    return max(_below((last - center) / sigma) - _below((first - center) / sigma), 0.0)


def _below(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))
