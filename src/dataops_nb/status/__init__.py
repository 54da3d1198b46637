"""The light: one colour for every input, by the thresholds the company agreed on before it saw the data.

`judge` takes a metric table with `value target target_low target_high complete` (and `condition`, `reconciled`, limits where
known) and adds `attainment light reason variation flips accepted_until`. Every number, missing or infinite, gets exactly
one light; what cannot be judged is `unknown` with its reason, never green and never zero. Equal to a threshold counts as met.
Rows and their order are kept.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

import pandas as pd

from dataops_nb import limits
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Better, Lights, MetricBase
from dataops_nb.status import noise
from dataops_nb.status.capability import COLOURS, Variation, assurance, variation
from dataops_nb.status.reactions import reactions as reactions

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


def judge(table: pd.DataFrame, definitions: Definitions, as_of: dt.date | None = None) -> pd.DataFrame:
    """The table with `attainment light reason variation flips accepted_until`.

    `reason` is null where the light is a colour. `variation` is null where there are no limits to trust, and so is
    `flips`, the chance that the next light differs though nothing changed. `accepted_until` is the last day up to which
    somebody answers for a light, where that day is not before `as_of`.
    """
    judged = [_judged({str(k): v for k, v in row.items()}, definitions, as_of) for row in table.to_dict("records")]
    columns = {
        name: pd.Series([each[name] for each in judged], index=table.index, dtype=kind)
        for name, kind in _COLUMNS.items()
    }
    return table.assign(**columns)


_COLUMNS: dict[str, Any] = {
    "attainment": float,
    "light": object,
    "reason": object,
    "on_pace": bool,
    "variation": object,
    "flips": float,
    "accepted_until": "datetime64[s]",
}


def _judged(row: Mapping[str, object], definitions: Definitions, as_of: dt.date | None) -> dict[str, object]:
    metric = definitions.metrics[str(row["metric"])]
    value, target, low, high = (_number(row.get(name)) for name in ("value", "target", "target_low", "target_high"))
    attained = attainment(value, target, metric.better, low, high)
    landing = _number(row.get("landing"))
    paced = not row["complete"] and math.isfinite(landing)
    if paced:
        attained = attainment(landing, target, metric.better, low, high)
    lights = definitions.lights(str(row["metric"]))
    varies = _variation(row, metric.better)
    reason = _reason(row, attained, lights)
    colour: LightName = "unknown"
    capable = lights is not None and not paced and (metric.policy or lights.policy) == "capability"
    if reason is None and lights is not None:
        colour = _capability(row, metric.better, varies, lights) if capable else light(attained, lights)
        reason = "too short" if colour == "unknown" else None
    said = {
        "attainment": attained,
        "light": colour,
        "reason": reason,
        "on_pace": paced and reason is None,
        "variation": varies,
    }
    plain = lights is not None and not capable and varies is not None and reason is None
    return {
        **said,
        "flips": _flips(row, metric, lights) if plain and lights else math.nan,
        "accepted_until": _accepted(metric, colour, as_of),
    }


def _variation(row: Mapping[str, object], better: Better) -> Variation | None:
    value, center = _number(row["value"]), _number(row.get("center"))
    if not (row["complete"] and math.isfinite(value) and math.isfinite(center)) or _said(row.get("limits_reason")):
        return None
    return variation(row.get("signal"), value, center, better, _number(row.get("target")))


def _capability(row: Mapping[str, object], better: Better, varies: Variation | None, lights: Lights) -> LightName:
    """The colour of both axes; unknown where one of them cannot be told."""
    target, low, high = (_number(row.get(name)) for name in ("target", "target_low", "target_high"))
    lower, upper = _number(row.get("lower")), _number(row.get("upper"))
    sure = assurance(lower, upper, better, target=target, low=low, high=high)
    if sure is None or varies is None:
        return "unknown"
    colour = COLOURS[sure, varies]
    return "red" if colour == "yellow" and lights.yellow is None else colour


def _flips(row: Mapping[str, object], metric: MetricBase, lights: Lights) -> float:
    center, upper, target, low, high = (
        _number(row.get(name)) for name in ("center", "upper", "target", "target_low", "target_high")
    )
    spread = limits.sigma(center, upper, metric.limits.range)
    return noise.flips(center, spread, lights, metric.better, target=target, low=low, high=high)


def _accepted(metric: MetricBase, colour: str, as_of: dt.date | None) -> dt.date | None:
    days = [each.until for each in metric.accept if each.light == colour and as_of is not None and as_of <= each.until]
    return max(days, default=None)


def _reason(row: Mapping[str, object], attained: float, lights: Lights | None) -> str | None:
    value, condition = _number(row["value"]), row.get("condition")
    if condition in {"stale", "fault"}:
        return str(condition)
    if math.isnan(value):
        return "no data"
    if math.isinf(value):
        return "fault"
    if not row["complete"] and math.isnan(_number(row.get("landing"))):
        return "incomplete"
    if row.get("reconciled") is False:
        return "unreconciled"
    return "no target" if lights is None or math.isnan(attained) else None


def _said(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> float:
    return math.nan if value is None or value is pd.NA else float(value)  # type: ignore[arg-type]
