"""Knobs: which settings a metric has, from where to where each goes, and in what steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.controls.supposed import in_force
from dataops_nb.definitions import adds_up
from dataops_nb.definitions.models import Grain, Target
from dataops_nb.periods import Period
from dataops_nb.story import numbers


@dataclass(frozen=True)
class Knob:
    """One slider: the part of a target it sets (`value`, `low`, `high`), its words, and its reach."""

    part: str
    label: str
    hint: str
    unit: str
    value: float
    low: float
    high: float
    step: float
    scale: float = 1.0


def targets(view: Board, metric: str, period: Period) -> list[Knob]:
    """The sliders of a metric's target in a period: one, or two for a band. They say what its file says: per week, per quarter.

    Where none is agreed they start at the middle of what the metric does by itself.
    """
    definition, row = view.definitions.metrics[metric], view.row(metric)
    place = in_force(definition.targets, period.start)
    found = definition.targets[place] if place is not None else None
    agreed = found if isinstance(found, Target) else None
    band = definition.better == "inside"
    own = view.table.loc[view.table["metric"] == metric, "value"].dropna()
    start = _first(row["target"], row["center"], row["value"], 0.0)
    said = {
        "value": agreed.value if agreed else None,
        "low": _first(agreed.low if agreed else None, row["target_low"], start),
        "high": _first(agreed.high if agreed else None, row["target_high"], start),
    }
    now = {part: _first(value, start) for part, value in said.items()}
    names = {"low": "Target from", "high": "Target to"} if band else {"value": "Target"}
    most = max([*(abs(now[part]) for part in names), 0.0 if agreed and agreed.per else float(own.abs().max() or 0.0)])
    per, since = _per(agreed, grain_of(view, metric)), _since(view, agreed)
    scale = 100.0 if definition.unit == "percent" else 1.0
    high, step = _reach(most, scale)
    low = -high if float(own.min() if len(own) else 0.0) < 0 or now[next(iter(names))] < 0 else 0.0
    unit = "%" if scale == 100 else per
    return [Knob(part, name, since, unit, now[part], low, high, step, scale) for part, name in names.items()]


def grain_of(view: Board, metric: str) -> Grain | None:
    """The grain that a target of this metric is said for: its board's, where it adds up; rates and stocks take none."""
    return view.grain if adds_up(view.definitions, metric) else None


def _per(agreed: Target | None, grain: Grain | None) -> str:
    per = agreed.per if agreed else grain
    return f"a {per}" if per else ""


def _since(view: Board, agreed: Target | None) -> str:
    if agreed is None:
        return "No target was agreed for this period"
    return f"Agreed since {numbers.of(view).date(agreed.from_)}" if agreed.from_ else "Agreed from the beginning"


def _reach(most: float, scale: float) -> tuple[float, float]:
    """A round end with room above the largest value, and a round step: a hundredth of it or so, whole where it can be."""
    top = 2 * most * scale or 1.0
    unit = 10.0 ** math.floor(math.log10(top))
    end = next(each * unit for each in (1, 2, 5, 10) if each * unit >= top * 0.999)
    return end / scale, max(end / 200, 1.0 if end >= 40 and scale == 1 else 0.0) / scale


def _first(*values: float | None) -> float:
    return next((float(value) for value in values if value is not None and not pd.isna(value)), 0.0)
