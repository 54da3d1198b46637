"""The light: one colour for every input, by the thresholds the company agreed on before it saw the data.

`judge` takes a metric table with `value target target_low target_high complete` (and `condition`, `reconciled` where known)
and adds `attainment light reason`. Every number, missing or infinite, gets exactly one light; what cannot be judged is
`unknown` with its reason, never green and never zero. Equal to a threshold counts as met. Rows and their order are kept.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import pandas as pd

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Better, Lights

LightName = Literal["green", "yellow", "red", "unknown"]
LIGHTS: tuple[LightName, ...] = ("green", "yellow", "red", "unknown")


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
    return min(_rounded(share), math.nextafter(1.0, 0.0))


def _inside(value: float, low: float, high: float) -> float:
    if not all(map(math.isfinite, (value, low, high))):
        return math.nan
    if low <= value <= high:
        return 1.0
    if low == high:
        return 0.0
    distance = _exact(low) - _exact(value) if value < low else _exact(value) - _exact(high)
    return min(_rounded(1 - distance / (_exact(high) - _exact(low))), math.nextafter(1.0, 0.0))


def _exact(number: float) -> Fraction:
    return Fraction(repr(float(number)))


def _rounded(share: Fraction | int) -> float:
    largest = Fraction(sys.float_info.max)
    return float(max(-largest, min(share, largest)))


def light(attained: float, lights: Lights) -> LightName:
    """The colour of an attainment; NaN is unknown."""
    if math.isnan(attained):
        return "unknown"
    if attained >= (1.0 if lights.green.at_least is None else lights.green.at_least):
        return "green"
    if lights.yellow is not None and attained >= (lights.yellow.at_least or 0.0):
        return "yellow"
    return "red"


def judge(table: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    """The table with `attainment light reason`; `reason` is null where the light is a colour."""
    judged = [_judged({str(k): v for k, v in row.items()}, definitions) for row in table.to_dict("records")]
    kinds = {"attainment": float, "light": object, "reason": object}
    columns = {
        name: pd.Series([each[i] for each in judged], index=table.index, dtype=kind)
        for i, (name, kind) in enumerate(kinds.items())
    }
    return table.assign(**columns)


def _judged(row: Mapping[str, object], definitions: Definitions) -> tuple[float, LightName, str | None]:
    metric = definitions.metrics[str(row["metric"])]
    attained = attainment(
        _number(row["value"]),
        _number(row["target"]),
        metric.better,
        _number(row.get("target_low")),
        _number(row.get("target_high")),
    )
    lights = definitions.lights(str(row["metric"]))
    reason = _reason(row, attained, lights)
    if reason is not None or lights is None:
        return attained, "unknown", reason
    return attained, light(attained, lights), None


def _reason(row: Mapping[str, object], attained: float, lights: Lights | None) -> str | None:
    value, condition = _number(row["value"]), row.get("condition")
    if condition in {"stale", "fault"}:
        return str(condition)
    if math.isnan(value):
        return "no data"
    if math.isinf(value):
        return "fault"
    if not row["complete"]:
        return "incomplete"
    if row.get("reconciled") is False:
        return "unreconciled"
    return "no target" if lights is None or math.isnan(attained) else None


def _number(value: object) -> float:
    return math.nan if value is None or value is pd.NA else float(value)  # type: ignore[arg-type]
