"""What the change of a metric is made of, by the metric's type. Each part's values are measured over the same two windows."""

from __future__ import annotations

import ast
import math
import operator
from dataclasses import dataclass

import pandas as pd

from dataops_nb.alignment import declared_splits
from dataops_nb.alignment.formulas import Scope, arithmetic, evaluate, parts, trailing
from dataops_nb.alignment.measured import DAY, TOTAL, Measured, Window
from dataops_nb.definitions import names_in
from dataops_nb.definitions.models import Conversion, Cumulative, Derived, Offset, Ratio, Simple
from dataops_nb.drivers.logarithmic import lmdi
from dataops_nb.drivers.mixes import rates
from dataops_nb.drivers.orders import shapley

_ADDS_UP = {"count", "count_distinct", "first_seen", "sum"}


@dataclass(frozen=True)
class Part:
    """One part of a change: a metric, `dim=value` or the days it is about, its two values, and what it adds."""

    part: str
    kind: str
    before: float
    now: float
    effect: float


def find_parts(scope: Scope, metric: str, windows: list[Window], by: tuple[str, ...]) -> list[Part]:
    """The parts of a metric's change from the first of two windows to the second; they need not close."""
    definition = scope.definitions.metrics[metric]
    if isinstance(definition, Cumulative):
        return _of_window(scope, definition, windows, by)
    if isinstance(definition, Derived):
        return _of_formula(definition.expr, names_in(definition.expr), parts(scope, definition, windows))
    if isinstance(definition, Ratio):
        return _of_ratio(scope, definition, windows, by)
    split = by or next(iter(declared_splits(scope.definitions, metric)), ())
    return _of_segments(scope, metric, definition, windows, split) if split else []


def _of_formula(expr: str, names: list[str], measured: list[Measured]) -> list[Part]:
    before, now = _sides(measured)
    if _is_product(expr, len(names)) and min(*before, *now) > 0:
        effects = [float(effect) for effect in lmdi(before, now)]
    else:
        effects = shapley(arithmetic(expr), before, now)
    return [Part(name, "factor", *values) for name, *values in zip(names, before, now, effects, strict=True)]


def _sides(measured: list[Measured]) -> tuple[list[float], list[float]]:
    """The total of each measure before, and now."""
    before, now = ([float(each.value[TOTAL].iloc[place]) for each in measured] for place in (0, 1))
    return before, now


def _is_product(expr: str, factors: int) -> bool:
    """Whether a formula multiplies different metrics and does nothing else."""
    nodes = list(ast.walk(ast.parse(expr.strip(), mode="eval").body))
    plain = all(isinstance(node, ast.BinOp | ast.Mult | ast.Name | ast.Load) for node in nodes)
    return plain and factors > 1 and sum(isinstance(node, ast.Name) for node in nodes) == factors


def _of_ratio(scope: Scope, definition: Ratio, windows: list[Window], by: tuple[str, ...]) -> list[Part]:
    if by:
        top, bottom = parts(Scope(scope.catalog, by), definition, windows)
        whole = parts(scope, definition, windows)[1].value[TOTAL]
        names = list(dict.fromkeys([*top.value.columns, *bottom.value.columns]))
        top, bottom = top.segments(names), bottom.segments(names)
        found = top.value.where(bottom.value != 0).divide(bottom.value.where(bottom.value != 0))
        return _mixed(found, bottom.value.divide(whole, axis=0))
    sides = (definition.numerator, definition.denominator)
    names = [side.metric if isinstance(side, Offset) else side for side in sides]
    before, now = _sides(parts(scope, definition, windows))
    effects, kinds = shapley(operator.truediv, before, now), ("numerator", "denominator")
    return [Part(name, kind, *values) for name, kind, *values in zip(names, kinds, before, now, effects, strict=True)]


def _of_segments(
    scope: Scope, metric: str, definition: Simple | Conversion, windows: list[Window], by: tuple[str, ...]
) -> list[Part]:
    """Segments of what adds up have changes of their own; averages and conversions are rates, weighted by their rows."""
    measured = evaluate(Scope(scope.catalog, by), metric, windows)
    if isinstance(definition, Conversion) or definition.measure.agg == "average":
        rows = evaluate(scope, metric, windows).n[TOTAL]
        return _mixed(measured.value, measured.n.divide(rows, axis=0))
    if definition.measure.agg not in _ADDS_UP:
        return []
    found = [Part(str(name), "segment", float(a), float(b), float(b - a)) for name, (a, b) in measured.value.items()]
    return _largest_first([part for part in found if part.before or part.now])


def _mixed(rate: pd.DataFrame, share: pd.DataFrame) -> list[Part]:
    """Two parts a segment: its own rate, and its share of the whole."""
    (old_rate, new_rate), (old_share, new_share) = rate.to_numpy(dtype=float), share.to_numpy(dtype=float)
    within, mix = rates(old_share, old_rate, new_share, new_rate)
    found = [
        part
        for place, name in enumerate(map(str, rate.columns))
        if old_share[place] or new_share[place]
        for part in (
            Part(name, "rate", float(old_rate[place]), float(new_rate[place]), float(within[place])),
            Part(name, "mix", float(old_share[place]), float(new_share[place]), float(mix[place])),
        )
    ]
    return _largest_first(found)


def _largest_first(found: list[Part]) -> list[Part]:
    return sorted(found, key=lambda part: -abs(part.effect) if math.isfinite(part.effect) else 0.0)


def _of_window(scope: Scope, definition: Cumulative, windows: list[Window], by: tuple[str, ...]) -> list[Part]:
    """The days that entered a trailing window and those that left it; by segments, the metric itself over both windows."""
    before, now = (trailing(each, definition.window, scope.calendar) for each in windows)
    if by or not _is_flow(scope, definition.metric):
        return find_parts(scope, definition.metric, [before, now], by)
    entered = Window(max(now.start, before.end + DAY), now.end)
    left = Window(before.start, min(before.end, now.start - DAY))
    gained, lost = (float(value) for value in evaluate(scope, definition.metric, [entered, left]).value[TOTAL])
    return [
        Part(_days(entered), "entered", 0.0, gained, gained),
        Part(_days(left), "left", lost, 0.0, -lost),
    ]


def _days(of: Window) -> str:
    return f"{of.start}..{of.end}"


def _is_flow(scope: Scope, metric: str) -> bool:
    """Whether the days of a window add up to the window."""
    said = scope.definitions.metrics[metric]
    return isinstance(said, Simple) and said.measure.agg in _ADDS_UP and not (said.measure.at or said.measure.open)
