"""What a metric's change is made of, by the metric's type.

Each part's values are measured over the same two windows. Segments of what adds up have changes of
their own; averages, ratios and conversions are rates, whose segments have a rate and a weight; a
formula has factors; a trailing window has the days that entered it and those that left it.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from dataops_nb.alignment.formulas import Scope, arithmetic, evaluate, parts, trailing
from dataops_nb.alignment.measures import declared_splits
from dataops_nb.alignment.windows import DAY, TOTAL, Measured, Window
from dataops_nb.drivers.decompositions import lmdi, rates, shapley
from dataops_nb.lineage import metric_of, names_in
from dataops_nb.metrics import Conversion, Cumulative, Derived, Ratio, Simple

_ADDS_UP = {"count", "count_distinct", "first_seen", "sum"}


@dataclass(frozen=True)
class Part:
    """One part of a change, its two values, and what it adds.

    `part` is a metric, `dim=value` or the days it is about.
    """

    part: str
    kind: str
    before: float
    now: float
    effect: float


def find_parts(scope: Scope, metric: str, windows: list[Window], by: tuple[str, ...]) -> list[Part]:
    """Find the parts of a metric's change from the first of two windows to the second.

    They need not close.

    `by` is a split that the metric declares; without it a simple metric takes its first one.
    """
    definition = scope.company.metrics[metric]
    if isinstance(definition, Cumulative):
        return _of_trailing_window(scope, definition, windows, by)
    if isinstance(definition, Derived):
        measured = parts(scope, definition, windows)
        return _of_formula(definition.expr, measured)
    if isinstance(definition, Ratio):
        if by:
            return _of_ratio_by_segment(scope, definition, windows, by)
        return _of_ratio(scope, definition, windows)
    splits = declared_splits(scope.company, metric)
    split = by or (splits[0] if splits else ())
    return _of_segments(scope, metric, definition, windows, split) if split else []


def _of_formula(expr: str, measured: list[Measured]) -> list[Part]:
    """Return the factors of a formula.

    By LMDI where it is a product of numbers from 0 on, else by Shapley values. A factor of 0 has
    its logarithmic limit, so the parts do not jump where a factor becomes 0.
    """
    names = names_in(expr)
    before, now = totals(measured)
    if _is_product(expr, len(names)) and min(*before, *now) >= 0:
        effects = [float(effect) for effect in lmdi(before, now)]
    else:
        effects = shapley(arithmetic(expr), before, now)
    return _factors(names, ["factor"] * len(names), before, now, effects)


def _of_ratio(scope: Scope, definition: Ratio, windows: list[Window]) -> list[Part]:
    """Return what the numerator and the denominator add."""
    names: list[str] = []
    for side in (definition.numerator, definition.denominator):
        names.append(metric_of(side))
    before, now = totals(parts(scope, definition, windows))
    effects = shapley(operator.truediv, before, now)
    return _factors(names, ["numerator", "denominator"], before, now, effects)


def _of_ratio_by_segment(
    scope: Scope, definition: Ratio, windows: list[Window], by: tuple[str, ...]
) -> list[Part]:
    """Return each segment's own rate and its share of the denominator."""
    return _rates_and_mix(*_rates_of_ratio(scope, definition, windows, by))


def rates_by_segment(
    scope: Scope, metric: str, windows: list[Window], by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return the rates and the shares of the segments of a ratio, an average or a conversion.

    One row a window, one column a segment. `by` is as in `find_parts`; None where the metric
    declares no split.
    """
    definition = scope.company.metrics[metric]
    splits = declared_splits(scope.company, metric)
    split = by or (splits[0] if splits else ())
    if not split:
        return None
    if isinstance(definition, Ratio):
        return _rates_of_ratio(scope, definition, windows, split)
    measured = evaluate(Scope(scope.rows, split), metric, windows)
    return measured.value, _shares_of_rows(scope, metric, windows, measured)


def _shares_of_rows(
    scope: Scope, metric: str, windows: list[Window], measured: Measured
) -> pd.DataFrame:
    row_count = evaluate(scope, metric, windows).n[TOTAL]
    return measured.n.divide(row_count, axis=0)


def _rates_of_ratio(
    scope: Scope, definition: Ratio, windows: list[Window], by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    top, bottom = parts(Scope(scope.rows, by), definition, windows)
    total = parts(scope, definition, windows)[1].value[TOTAL]
    names = list(dict.fromkeys([*top.value.columns, *bottom.value.columns]))
    numerator = top.segments(names).value
    denominator = bottom.segments(names).value
    has_rate = denominator != 0
    rate = numerator.where(has_rate).divide(denominator.where(has_rate))
    return rate, denominator.divide(total, axis=0)


def _of_segments(
    scope: Scope,
    metric: str,
    definition: Simple | Conversion,
    windows: list[Window],
    by: tuple[str, ...],
) -> list[Part]:
    """Return the segments of a simple metric or a conversion.

    None where its segments have no total.
    """
    measured = evaluate(Scope(scope.rows, by), metric, windows)
    if isinstance(definition, Conversion) or definition.measure.agg == "average":
        shares = _shares_of_rows(scope, metric, windows, measured)
        return _rates_and_mix(measured.value, shares)
    if definition.measure.agg not in _ADDS_UP:
        return []
    segments: list[Part] = []
    for name, (before, now) in measured.value.items():
        if before or now:
            effect = float(now - before)
            segments.append(Part(str(name), "segment", float(before), float(now), effect))
    return _largest_first(segments)


def _of_trailing_window(
    scope: Scope, definition: Cumulative, windows: list[Window], by: tuple[str, ...]
) -> list[Part]:
    """Return the days that entered a trailing window and those that left it.

    By segments, or where its days do not add up, the parts are those of the metric itself over both
    windows.
    """
    before, now = (trailing(each, definition.window, scope.calendar) for each in windows)
    if by or not _adds_up_by_day(scope, definition.metric):
        return find_parts(scope, definition.metric, [before, now], by)
    entered = Window(max(now.start, before.end + DAY), now.end)
    left = Window(before.start, min(before.end, now.start - DAY))
    values = evaluate(scope, definition.metric, [entered, left]).value[TOTAL]
    gained, lost = (float(value) for value in values)
    return [
        Part(f"{entered.start}..{entered.end}", "entered", 0.0, gained, gained),
        Part(f"{left.start}..{left.end}", "left", lost, 0.0, -lost),
    ]


def totals(measured: list[Measured]) -> tuple[list[float], list[float]]:
    """Return the total of each measure before, and now."""
    before = [float(each.value[TOTAL].iloc[0]) for each in measured]
    now = [float(each.value[TOTAL].iloc[1]) for each in measured]
    return before, now


def _factors(
    names: Iterable[str],
    kinds: Iterable[str],
    before: Iterable[float],
    now: Iterable[float],
    effects: Iterable[float],
) -> list[Part]:
    values = zip(names, kinds, before, now, effects, strict=True)
    return [Part(*each) for each in values]


def _rates_and_mix(rate: pd.DataFrame, share: pd.DataFrame) -> list[Part]:
    """Return two parts a segment: its own rate, and its share of the total.

    One row a window, one column a segment.
    """
    old_rates, new_rates = rate.to_numpy(dtype=float)
    old_shares, new_shares = share.to_numpy(dtype=float)
    within, mix = rates(old_shares, old_rates, new_shares, new_rates)
    found: list[Part] = []
    for place, name in enumerate(map(str, rate.columns)):
        before, now = float(old_rates[place]), float(new_rates[place])
        share_before, share_now = float(old_shares[place]), float(new_shares[place])
        if share_before or share_now:
            found.append(Part(name, "rate", before, now, float(within[place])))
            found.append(Part(name, "mix", share_before, share_now, float(mix[place])))
    return _largest_first(found)


def _largest_first(found: list[Part]) -> list[Part]:
    def size(part: Part) -> float:
        return abs(part.effect) if math.isfinite(part.effect) else 0.0

    return sorted(found, key=size, reverse=True)


def _is_product(expr: str, factors: int) -> bool:
    """Tell whether a formula multiplies different metrics and does nothing else."""
    nodes = list(ast.walk(ast.parse(expr.strip(), mode="eval").body))
    for node in nodes:
        if not isinstance(node, ast.BinOp | ast.Mult | ast.Name | ast.Load):
            return False
    names = [node for node in nodes if isinstance(node, ast.Name)]
    return factors > 1 and len(names) == factors


def _adds_up_by_day(scope: Scope, metric: str) -> bool:
    """Tell whether the days of a window add up to the window."""
    definition = scope.company.metrics[metric]
    if not isinstance(definition, Simple) or definition.measure.agg not in _ADDS_UP:
        return False
    return not (definition.measure.at or definition.measure.open)
