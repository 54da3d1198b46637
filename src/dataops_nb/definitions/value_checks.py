"""What a single value of the company's files can be wrong in.

Names must be able to stand in a command, a formula and a folder. Lights need thresholds in order.
Targets are in the unit of their metric and for one stretch of time each. Two metrics can be
reconciled where both have rows that fall into a period and add up.
"""

from __future__ import annotations

import datetime as dt
import keyword
import re
from collections.abc import Iterator

from dataops_nb.definitions.draft import Draft, Fault, Steps
from dataops_nb.definitions.nodes import Node
from dataops_nb.errors import did_you_mean
from dataops_nb.lineage import FLOWS, adds_up
from dataops_nb.metrics import (
    AnyMetric,
    Conversion,
    Cumulative,
    Derived,
    Lights,
    Measure,
    Ratio,
    Simple,
    SourceTarget,
    Target,
    split_columns,
)
from dataops_nb.terms import Grain

_USABLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*|_[A-Za-z0-9_-]+")
_ADDS_UP = {"count", "sum"}
SMALLEST, LARGEST = 1e-12, 1e18  # of targets
MOST_ATTAINED = 1000.0  # of a target, where a light begins
MOST_SEASON = 1e6  # times the target in a month


def fault_of_name(name: str, kind: str) -> str:
    """Say what is wrong with the name of a source, department, suite or report; else return ""."""
    if _USABLE_NAME.fullmatch(name):
        return ""
    return f"{name!r} is no {kind} name; use letters a-z, digits, _ and -"


def fault_of_identifier(name: str, kind: str) -> str:
    """Say what is wrong with the name of a metric or parameter; return "" where nothing is.

    Such names stand in formulas, so they must be identifiers of Python and none of its keywords.
    """
    if not name.isascii() or not name.isidentifier():
        rule = "use letters a-z, digits and _, and start with a letter"
        return f"{name!r} is no {kind} name; {rule}"
    if keyword.iskeyword(name):
        return f"{name!r} is a word of the formula language; choose another {kind} name"
    return ""


def faults_of_lights(lights: Lights) -> Iterator[Fault]:
    """Yield the thresholds that are missing, superfluous or in the wrong order."""
    green, yellow, red = lights.green, lights.yellow, lights.red
    missing = "missing key 'at_least': from which attainment on it is"
    if green.at_least is None:
        yield ("green", "at_least"), f"{missing} green"
    if yellow is not None:
        place = ("yellow", "at_least")
        if yellow.at_least is None:
            yield place, f"{missing} yellow"
        elif green.at_least is not None and yellow.at_least >= green.at_least:
            start, limit = f"{yellow.at_least:g}", f"{green.at_least:g}"
            yield place, f"yellow starts at {start}, which must be below green's {limit}"
    for name, light in (("green", green), ("yellow", yellow)):
        at_least = light.at_least if light is not None else None
        if at_least is not None and abs(at_least) > MOST_ATTAINED:
            rule = f"a light begins at {MOST_ATTAINED:g} times the target or before"
            yield (name, "at_least"), f"{at_least:g} is never attained; {rule}"
    if red.at_least is not None:
        yield ("red", "at_least"), "red is everything below the other colours; leave it out"


def faults_of_targets(metric: AnyMetric, node: Node) -> Iterator[Fault]:
    """Yield what is wrong with a metric's targets; `node` is the metric as it was written."""
    first_days: set[tuple[dt.date | None, Grain | None]] = set()
    kind = _kind_without_per(metric)
    for index, target in enumerate(metric.targets):
        here: Steps = ("targets", index)
        if isinstance(target, SourceTarget):
            faults = _faults_of_plan(metric, target, kind)
        elif isinstance(target, Target):
            faults = _faults_of_target(metric, target, kind)
        else:
            continue
        for path, message in faults:
            yield (*here, *path), message
        if not isinstance(target, Target):
            continue

        if metric.unit == "percent":
            yield from _faults_of_percent(here, node)
        if (target.from_, target.grain) in first_days:
            start = "without from"
            if target.from_:
                start = f"from {target.from_}"
            if target.grain:
                start += f" for grain {target.grain}"
            advice = "say from which day on each holds"
            yield (*here, "from"), f"a second target {start}; {advice}"
        first_days.add((target.from_, target.grain))


def _faults_of_target(metric: AnyMetric, target: Target, kind: str) -> Iterator[Fault]:
    if metric.better == "inside":
        yield from _faults_of_band(target)
    else:
        yield from _faults_of_value(target)
    yield from _faults_of_size(target)
    yield from _faults_of_grain(metric, target, kind)
    if target.by == "working_days" and target.per is None:
        purpose = "spreads a target over the days of its period"
        yield ("by",), f"{purpose}; say which with per, as per: week"
    fault = _fault_of_shape(target, kind)
    if fault:
        yield ("shape",), fault


def _faults_of_size(target: Target) -> Iterator[Fault]:
    """Yield numbers that no metric is measured in: by far too large, or next to nothing."""
    for key in ("value", "low", "high"):
        size = abs(getattr(target, key) or 0.0)
        if size and not SMALLEST <= size <= LARGEST:
            rule = f"targets lie between {SMALLEST:g} and {LARGEST:g}, or are 0"
            yield (key,), f"{getattr(target, key):g} is no target; {rule}"
    for month, factor in target.season.items():
        if factor and not 1 / MOST_SEASON <= abs(factor) <= MOST_SEASON:
            rule = f"a month's factor lies between {1 / MOST_SEASON:g} and {MOST_SEASON:g}, or is 0"
            yield ("season", month), f"{factor:g} is no factor; {rule}"


def _faults_of_value(target: Target) -> Iterator[Fault]:
    """Yield what is wrong with a target that must be one value."""
    has_band = False
    for key, limit in (("low", target.low), ("high", target.high)):
        if limit is not None:
            has_band = True
            yield (key,), "a band is for better: inside; write value"
    if target.value is None and not has_band:
        yield ("value",), "missing key 'value'"


def _faults_of_band(target: Target) -> Iterator[Fault]:
    """Yield what is wrong with a target that must be a band."""
    if target.value is not None:
        yield ("value",), "better: inside has a band; write low and high"
    elif target.low is None:
        yield ("low",), "missing key 'low': better: inside has a band"
    elif target.high is None:
        yield ("high",), "missing key 'high': better: inside has a band"
    elif target.low > target.high:
        yield ("low",), f"low {target.low:g} is above high {target.high:g}"


def _faults_of_grain(
    metric: AnyMetric, target: Target | SourceTarget, kind: str
) -> Iterator[Fault]:
    """Yield what is wrong with the period or the grain that a target is for.

    `per` is for what adds up over days, `grain` for what does not.
    """
    if target.per is not None and kind:
        advice = f"leave per out, or write grain: {target.per}"
        yield ("per",), f"{kind} has no amount to be scaled; {advice}"
    if target.grain is None:
        return
    if isinstance(metric, Simple) and adds_up({"": metric}, ""):
        rule = "a flow's target is scaled to every grain"
        yield ("grain",), f"{rule}; write per: {target.grain}"
    elif target.per is not None and not kind:
        yield ("grain",), "a target has per or grain, not both"
    elif target.grain not in metric.grains:
        listed = ", ".join(metric.grains)
        yield ("grain",), f"the metric makes no sense at {target.grain}; its grains are {listed}"


def _faults_of_plan(metric: AnyMetric, target: SourceTarget, kind: str) -> Iterator[Fault]:
    """Yield what is wrong with targets in a source: one column, matched to the metric's splits."""
    if metric.better == "inside":
        yield ("column",), "better: inside has a band; write its low and high here"
    yield from _faults_of_grain(metric, target, kind)
    dimensions = split_columns(metric)
    for name in target.match:
        if name not in dimensions:
            advice = did_you_mean(name, dimensions) or "; declare it under by"
            yield ("match", name), f"the metric is not split by {name!r}{advice}"


def _fault_of_shape(target: Target, kind: str) -> str:
    if target.shape is None:
        return ""
    if kind:
        return f"{kind} has no amount to be spread; leave shape out"
    if target.per is None:
        return "spreads the value of a period; say which under per"
    if target.season:
        return "last year has its own seasons; leave season out"
    return ""


def _faults_of_percent(here: Steps, node: Node) -> Iterator[Fault]:
    """Yield numbers above 1 without a percent sign: three percent are written 3%."""
    target_node = node
    for step in here:
        target_node = target_node.step(step) or Node({})
    for key in ("value", "low", "high"):
        number = target_node.step(key)
        if number is None or not isinstance(number.value, int | float):
            continue
        if abs(number.value) > 1:
            percent = f"{number.value * 100:g}%"
            advice = f"write {number.written}%"
            yield (*here, key), f"{number.written} is {percent}; {advice}"


def _kind_without_per(metric: AnyMetric) -> str:
    """Name a metric whose target is the same at every grain; return "" for a flow."""
    match metric:
        case Ratio() | Conversion():
            return "a ratio"
        case Cumulative():
            return "a cumulative metric"
        case Simple() if metric.measure.at == "end":
            return "a stock"
        case Simple() if metric.measure.agg not in FLOWS:
            return f"agg: {metric.measure.agg}"
        case Simple() | Derived():
            return ""


def faults_of_reconciling(draft: Draft, metric: AnyMetric) -> Iterator[Fault]:
    """Yield why the rows of a metric and of those it is reconciled with cannot be matched."""
    if not metric.reconcile:
        return
    if not isinstance(metric, Simple):
        reason = "has no rows of its own; reconcile the metrics it is made of"
        yield ("reconcile",), f"a {metric.type} metric {reason}"
        return

    for index, agreement in enumerate(metric.reconcile):
        has_amounts = agreement.amount is not None
        fault = _fault_of_rows(metric.measure, has_amounts)
        if fault:
            yield ("reconcile", index), f"this metric's {fault}"

        other_id = agreement.with_
        other = draft.definitions.metrics.get(other_id)
        if other is None:
            continue
        place = ("reconcile", index, "with")
        if not isinstance(other, Simple):
            reason = "has no rows of its own; name a simple metric"
            yield place, f"{other_id} is {other.type} and {reason}"
            continue
        fault = _fault_of_rows(other.measure, has_amounts)
        if fault:
            yield place, f"{other_id}'s {fault}"


def _fault_of_rows(measure: Measure, has_amounts: bool) -> str:
    """Say why the rows of a measure cannot be matched; return "" where they can."""
    missing = "is not available in this version"
    if measure.at is not None or measure.open is not None:
        return f"rows are a stock; reconciling stocks {missing}"
    if measure.currency is not None:
        return f"amounts are converted; reconciling converted amounts {missing}"
    for sql in (measure.filter, measure.exclude, measure.expr):
        if sql and ":period_" in sql:
            return "rows depend on the period asked for, so they cannot be matched"
    if measure.agg not in _ADDS_UP and not has_amounts:
        advice = "say  amount:  with the columns that must agree"
        return f"agg: {measure.agg} does not add up row by row; {advice}"
    return ""
