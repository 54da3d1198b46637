"""How much of a target is attained, what a metric is capable of, how much of a light is luck.

Attainment is exact: a value on a threshold meets it. Capability looks at two axes in place of one
value: does the metric change (variation), and can it be relied on to meet its target (assurance)?
Each comes for one value and, with a plural name, for all rows of a table at once; those give places
in `VARIATIONS`, `ASSURANCES` and `LIGHTS`.

Source: NHS England, *Making Data Count*, whose two axes give the colour under `policy: capability`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.alignment.agreements import Agreement, Agreements, agreements_on
from dataops_nb.limits.columns import in_parts, number_names
from dataops_nb.limits.xmr import sigma as sigma_of
from dataops_nb.metrics import Lights
from dataops_nb.terms import Better, Colour

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Sides = npt.NDArray[np.int8]
Places = npt.NDArray[np.signedinteger]
Ends = tuple[Array, Array]
Variation = Literal["special-cause improvement", "special-cause concern", "common cause"]
Assurance = Literal["consistent pass", "consistent fail", "inconsistent"]

SIDES = {"up": 1, "down": -1, "inside": 0}
_BETTER: dict[int, Better] = {side: better for better, side in SIDES.items()}  # type: ignore[misc]
_BELOW_ONE = math.nextafter(1.0, 0.0)
_NEAR = 1e-9  # attainments this near to a threshold are computed exactly
_EXACT_INTEGERS = 2.0**53  # below it floats hold every integer
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
ASSURANCES: tuple[Assurance | None, ...] = (
    None,
    "consistent pass",
    "inconsistent",
    "consistent fail",
)
LIGHTS: tuple[Colour | Literal["unknown"], ...] = ("green", "yellow", "red", "unknown")
_ERFC = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True)
class Bounds:
    """What each row's value is measured against: good side, target, ends of a band (NaN: none).

    `side` is 1 where more is better, -1 where less is, 0 where a value should stay in the band.
    """

    side: Sides
    target: Array
    low: Array
    high: Array

    @classmethod
    def one(cls, better: Better, target: float, low: float, high: float) -> Bounds:
        """Return the bounds of one value."""
        return cls(
            side=np.array([SIDES[better]], dtype=np.int8),
            target=np.array([float(target)]),
            low=np.array([float(low)]),
            high=np.array([float(high)]),
        )

    @property
    def in_bands(self) -> bool:
        """Whether any of the values should stay inside a band."""
        return not bool(self.side.all())

    @property
    def known(self) -> Mask:
        """Where there is a target, or a band for a metric that should stay inside one."""
        if not self.in_bands:
            return np.isfinite(self.target)
        return np.isfinite(np.where(self.side == 0, self.low + self.high, self.target))

    def of(self, rows: npt.NDArray[np.intp] | slice) -> Bounds:
        """Return the bounds of these rows alone."""
        return Bounds(self.side[rows], self.target[rows], self.low[rows], self.high[rows])


@dataclass(frozen=True)
class Terms:
    """What was agreed about the lights of each row's metric: one entry a row.

    `metric` is the metric's number, `side` the good side, and `directed` whether anybody said that
    it is. `green` and `yellow` are the attainment
    from which they hold (NaN: no such light). `has_lights`: lights were agreed at all. `capable`:
    both axes decide. `noise`: the standard deviation of the noise for each unit between the centre
    line and the upper limit. `agreed` is what was agreed about each metric, by name.
    """

    metric: npt.NDArray[np.intp]
    side: Sides
    directed: Mask
    green: Array
    yellow: Array
    has_lights: Mask
    capable: Mask
    noise: Array
    agreed: Mapping[str, Agreement]

    @classmethod
    def of(cls, table: pd.DataFrame, agreements: Agreements) -> Terms:
        """Return the terms of a metric table's rows."""
        codes, names = number_names(table["metric"])
        agreed_by_name = agreements_on(map(str, names), agreements)
        terms = [_metric_terms(agreed) for agreed in agreed_by_name.values()]
        kinds = {
            "side": np.int8,
            "directed": bool,
            "green": float,
            "yellow": float,
            "has_lights": bool,
            "capable": bool,
            "noise": float,
        }
        columns = {}
        for place, (name, kind) in enumerate(kinds.items()):
            by_metric = np.array([metric_terms[place] for metric_terms in terms], dtype=kind)
            columns[name] = by_metric[codes]
        return cls(metric=codes, agreed=agreed_by_name, **columns)


def _metric_terms(agreed: Agreement) -> tuple[int, bool, float, float, bool, bool, float]:
    """Return the fields of `Terms` for one metric, but its number."""
    has_lights = agreed.green is not None
    green = np.nan if agreed.green is None else float(agreed.green)
    yellow = np.nan if agreed.yellow is None else float(agreed.yellow)
    capable = has_lights and agreed.policy == "capability"
    noise = sigma_of(0.0, 1.0, agreed.ranges)
    directed = bool(agreed.has_direction)
    return (SIDES[agreed.better], directed, green, yellow, has_lights, capable, noise)


def attainment(
    value: float, target: float, better: Better, low: float = math.nan, high: float = math.nan
) -> float:
    """Return how much of the target is attained; at least 1 exactly where it is met.

    up: value / target. down: target / value. inside: 1 in the band, else 1 - distance / width.
    Where the quotient contradicts that (zeros, a change of sign), a met target is 1 and a missed
    one 1 - distance / |target|, not below 0. NaN if a number is missing.

    Numbers are taken as they are written in decimals, so 0.01445 of 0.017 is 0.85 and not less.
    """
    if better == "inside":
        return _attainment_inside(value, low, high)
    if not (math.isfinite(value) and math.isfinite(target)):
        return math.nan
    more, less = (value, target) if better == "up" else (target, value)
    met = more >= less
    share = _exact(more) / _exact(less) if less else None
    if met:
        return _rounded(max(share or 1, 1))
    if share is None or share >= 1:
        share = Fraction(0)
        if target:
            distance = abs(_exact(value) - _exact(target))
            share = max(1 - distance / abs(_exact(target)), share)
    return min(_rounded(share), _BELOW_ONE)


def _attainment_inside(value: float, low: float, high: float) -> float:
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


def attainments(value: Array, bounds: Bounds, thresholds: Sequence[Array]) -> Array:
    """Return the `attainment` of many values at once.

    It is a quotient of floats; where that comes near a threshold, the exact one. The quotient of
    two integers is exact to its last bit anyway.
    """
    with np.errstate(all="ignore"):
        shares, is_plain = in_parts(
            lambda rows: _attained_by_side(value[rows], bounds.of(rows)), len(value)
        )
        if bounds.in_bands:
            inside = bounds.side == 0
            shares = np.where(inside, _attained_inside(value, bounds), shares)
            is_plain &= ~inside
        near = np.isinf(shares)
        for threshold in thresholds:
            # Mostly all metrics have the same one, which is looked at once for all.
            same = threshold[:1] if (threshold[1:] == threshold[:-1]).all() else threshold
            near |= np.abs(shares - same) <= _NEAR * np.maximum(1.0, np.abs(same))
    rows = np.flatnonzero(near)
    is_exact = is_plain[rows] & _is_integer(value[rows]) & _is_integer(bounds.target[rows])
    for row in rows[~is_exact]:
        better = _BETTER[int(bounds.side[row])]
        low, high = bounds.low[row], bounds.high[row]
        shares[row] = attainment(value[row], bounds.target[row], better, low, high)
    return shares


def _attained_by_side(value: Array, bounds: Bounds) -> tuple[Array, Mask]:
    """Return the attainment where more or less is better, and where it is 1 or a quotient."""
    target = bounds.target
    up = bounds.side == 1
    more, less = np.where(up, value, target), np.where(up, target, value)
    share = more / less
    met, divides = more >= less, less != 0
    is_plain = met | (divides & (share < 1))
    share_if_met = np.where(divides, np.maximum(share, 1.0), 1.0)
    shares = np.where(met, share_if_met, np.minimum(share, _BELOW_ONE))
    known = np.isfinite(value) & np.isfinite(target)
    shares[~known] = np.nan
    rows = np.flatnonzero(~is_plain & known)
    shares[rows] = _attained_by_distance(value[rows], target[rows])
    return shares, is_plain


def _attained_by_distance(value: Array, target: Array) -> Array:
    """Return the attainment of missed targets whose quotient says nothing, or that they are met."""
    left = np.maximum(1 - np.abs(value - target) / np.abs(target), 0.0)
    return np.asarray(np.minimum(np.where(target != 0, left, 0.0), _BELOW_ONE))


def _attained_inside(value: Array, bounds: Bounds) -> Array:
    low, high = bounds.low, bounds.high
    distance = np.where(value < low, low - value, value - high)
    share = np.minimum(1 - distance / (high - low), _BELOW_ONE)
    missed = np.where(low == high, 0.0, share)
    in_band = (low <= value) & (value <= high)
    known = np.isfinite(value) & np.isfinite(low) & np.isfinite(high)
    return np.where(known, np.where(in_band, 1.0, missed), np.nan)


def _is_integer(number: Array) -> Mask:
    return np.asarray((np.abs(number) < _EXACT_INTEGERS) & (number == np.trunc(number)))


def variation(
    signal: object, value: float, center: float, better: Better, target: float = math.nan
) -> Variation | None:
    """Return what a signal means by the good direction; `common cause` without a signal.

    `better` is one that was declared; without one no signal means anything. A metric that should
    stay inside a band improves where its value is nearer the band's middle (`target`) than its
    centre line is; None without a band.
    """
    bounds = Bounds.one(better, target, target, target)
    signalled = np.array([isinstance(signal, str)])
    places = variations(signalled, np.array([value]), np.array([center]), bounds)
    return VARIATIONS[int(places[0])]


def variations(
    signalled: Mask, value: Array, center: Array, bounds: Bounds, directed: Mask | None = None
) -> Places:
    """Return the place in `VARIATIONS` of each value's `variation`.

    `directed` says of which values the good side was declared (default: of all). A signal of the
    others is neither an improvement nor a concern: None.
    """
    places = np.full(len(value), VARIATIONS.index(COMMON), dtype=np.int8)
    rows = np.flatnonzero(signalled)
    value, center = value[rows], center[rows]
    side, middle = bounds.side[rows], bounds.target[rows]
    inside = side == 0
    with np.errstate(invalid="ignore"):
        nearer = np.abs(value - middle) < np.abs(center - middle)
        better_side = (value > center) == (side == 1)
    improves = np.where(inside, nearer, better_side)
    special = np.where(improves, VARIATIONS.index(IMPROVEMENT), VARIATIONS.index(CONCERN))
    means_nothing = inside & np.isnan(middle)
    if directed is not None:
        means_nothing |= ~directed[rows]
    places[rows] = np.where(means_nothing, VARIATIONS.index(None), special)
    return places


def has_memory(row: Mapping[Any, Any] | pd.Series) -> bool:
    """Tell whether a row's limits follow what the period before leads to expect.

    They judge a move, and say nothing of where a target lies in the long run.
    """
    followed = row.get("limits_line")
    return isinstance(followed, str) and followed.startswith("memory")


def assurance(
    lower: float, upper: float, better: Better, *, target: float, low: float, high: float
) -> Assurance | None:
    """Tell whether values within the limits always meet the target, never, or sometimes.

    A value equal to the target meets it. None where a limit or the target is missing.
    """
    bounds = Bounds.one(better, target, low, high)
    places = assurances(np.array([float(lower)]), np.array([float(upper)]), bounds)
    return ASSURANCES[int(places[0])]


def assurances(lower: Array, upper: Array, bounds: Bounds) -> Places:
    """Return the place in `ASSURANCES` of each row's `assurance`."""

    def compared(rows: slice) -> tuple[Mask, Mask, Mask]:
        own, low, high = bounds.of(rows), lower[rows], upper[rows]
        up, inside = own.side == 1, own.side == 0
        first = np.where(up, own.target, np.where(inside, own.low, -np.inf))
        last = np.where(up, np.inf, np.where(inside, own.high, own.target))
        with np.errstate(invalid="ignore"):
            passes = (first <= low) & (high <= last)
            fails = (high < first) | (last < low)
        return passes, fails, ~np.isnan(low) & ~np.isnan(high) & own.known

    passes, fails, known = in_parts(compared, len(lower))
    names = ("consistent pass", "consistent fail", "inconsistent")
    by_pass, by_fail, otherwise = (ASSURANCES.index(name) for name in names)
    places = np.full(len(lower), otherwise, dtype=np.int8)
    places[fails] = by_fail
    places[passes] = by_pass
    places[~known] = ASSURANCES.index(None)
    return places


def colours(assured: Places, varies: Places) -> Places:
    """Return the place in `LIGHTS` of both axes' colour; unknown if one of them is."""
    places = np.full((len(ASSURANCES), len(VARIATIONS)), LIGHTS.index("unknown"))
    for (assurance_name, variation_name), colour in COLOURS.items():
        place = ASSURANCES.index(assurance_name), VARIATIONS.index(variation_name)
        places[place] = LIGHTS.index(colour)
    return np.asarray(places[assured, varies])


def flips(
    center: float,
    sigma: float,
    lights: Lights,
    better: Better,
    *,
    target: float,
    low: float,
    high: float,
) -> float:
    """Return P(the next light differs from this one | nothing changed).

    It is 1 - Σ p², p being the share of each colour. The process stays normal around `center` with
    `sigma`. NaN where one of the numbers is missing.
    """
    green = 1.0 if lights.green.at_least is None else lights.green.at_least
    yellow = math.nan if lights.yellow is None else lights.yellow.at_least or 0.0
    chances = flips_of(
        np.array([float(center)]),
        np.array([float(sigma)]),
        np.array([float(green)]),
        np.array([float(yellow)]),
        Bounds.one(better, target, low, high),
    )
    return float(chances[0])


def flips_of(center: Array, sigma: Array, green: Array, yellow: Array, bounds: Bounds) -> Array:
    """Return the `flips` of many lights at once; `yellow` is NaN where there is no such light."""
    green_share = _share(center, sigma, attaining(green, bounds))
    at_least_yellow = _share(center, sigma, attaining(yellow, bounds))
    not_red = np.where(np.isnan(yellow), green_share, np.maximum(green_share, at_least_yellow))
    stays = (green_share**2, (not_red - green_share) ** 2, (1 - not_red) ** 2)
    chance = 1 - stays[0] - stays[1] - stays[2]
    known = np.isfinite(center) & np.isfinite(sigma) & bounds.known
    return np.where(known, chance, np.nan)


def attaining(share: Array, bounds: Bounds) -> Ends:
    """Return the first and the last value whose attainment is at least `share`.

    The first is above the last where there is none. It is `attainment`, solved for the value: by
    the quotient where the target is positive, else by the distance.
    """
    up, inside = bounds.side == 1, bounds.side == 0
    target, low, high = bounds.target, bounds.low, bounds.high
    positive = target > 0
    with np.errstate(all="ignore"):
        slack = (1 - share) * np.abs(target)
        lowest = np.where(positive, share * target, target - slack)
        highest = np.where(positive, target / share, target + slack)
        first = np.where(up, lowest, -np.inf)
        last = np.where(up, np.inf, highest)
        # By distance nothing attains less than 0, so everything attains a share of 0.
        anything = (share <= 0) & ~(up & positive)
        first = np.where(anything, -np.inf, first)
        last = np.where(anything, np.inf, last)
        # More than 1 is attained by a quotient alone: of two positive numbers.
        beyond = share > 1
        first = np.where(beyond & ~up, 0.0, first)
        first = np.where(beyond & (target <= 0), np.inf, first)
        wide = (1 - share) * (high - low)
        first = np.where(inside, np.where(beyond, np.inf, low - wide), first)
        last = np.where(inside, high + wide, last)
    return first, last


def _share(center: Array, sigma: Array, values: Ends) -> Array:
    """Return the share of the noise that lies within these values."""
    first, last = values
    constant = sigma <= 0
    spread = np.where(constant, 1.0, sigma)
    with np.errstate(invalid="ignore"):
        within = _below((last - center) / spread) - _below((first - center) / spread)
        holds = (first <= center) & (center <= last)
        return np.where(constant, holds, np.maximum(within, 0.0)).astype(float)


def _below(z: Array) -> Array:
    """Return P(a standard normal value lies below z)."""
    return np.asarray(_ERFC(-z / math.sqrt(2)), dtype=float) / 2
