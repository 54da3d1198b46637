"""Targets: a value or a band, in the unit of the metric, for one stretch of time each."""

from __future__ import annotations

import datetime as dt

from dataops_nb.definitions.draft import Steps
from dataops_nb.definitions.lineage import FLOWS, AnyMetric
from dataops_nb.definitions.models import Conversion, Cumulative, Derived, Listed, Ratio, Simple, SourceTarget, Target
from dataops_nb.definitions.reading import Node
from dataops_nb.errors import did_you_mean

Fault = tuple[Steps, str]


def faults_of_targets(metric: AnyMetric, node: Node) -> list[Fault]:
    """What is wrong with a metric's targets; `node` is the metric as it was written."""
    faults: list[Fault] = []
    starts: dict[dt.date | None, int] = {}
    kind = _kind_without_per(metric)
    for index, target in enumerate(metric.targets):
        here: Steps = ("targets", index)
        if not isinstance(target, Target):
            plan = _faults_of_plan(metric, target, kind) if isinstance(target, SourceTarget) else []
            faults += [((*here, *path), message) for path, message in plan]
            continue
        faults += [((*here, *path), message) for path, message in _faults_of_value(metric, target)]
        if metric.unit == "percent":
            faults += _faults_of_percent(here, node)
        if target.per is not None and kind:
            faults.append(((*here, "per"), f"{kind} has the same target at every grain; leave per out"))
        if target.by == "working_days" and target.per is None:
            faults.append(
                ((*here, "by"), "spreads a target over the days of its period; say which with per, as per: week")
            )
        faults += [((*here, *path), message) for path, message in _faults_of_shape(target, kind)]
        if target.from_ in starts:
            when = f"from {target.from_}" if target.from_ else "without from"
            faults.append(((*here, "from"), f"a second target {when}; say from which day on each holds"))
        starts.setdefault(target.from_, index)
    return faults


def _faults_of_value(metric: AnyMetric, target: Target) -> list[Fault]:
    """`better: inside` has a band, everything else a value."""
    if metric.better != "inside":
        said = [key for key in ("low", "high") if _has(target, key)]
        if said:
            return [((key,), "a band is for better: inside; write value") for key in said]
        return [] if _has(target, "value") else [(("value",), "missing key 'value'")]
    if _has(target, "value"):
        return [(("value",), "better: inside has a band; write low and high")]
    if target.low is None or target.high is None:
        key = "low" if target.low is None else "high"
        return [((key,), f"missing key {key!r}: better: inside has a band")]
    if target.low > target.high:
        return [(("low",), f"low {target.low:g} is above high {target.high:g}")]
    return []


def _faults_of_plan(metric: AnyMetric, target: SourceTarget, kind: str) -> list[Fault]:
    """Targets in a source: one column of values, matched to dimensions that the metric is split by."""
    faults: list[Fault] = []
    if metric.better == "inside":
        faults.append((("column",), "better: inside has a band; write its low and high here"))
    if target.per is not None and kind:
        faults.append((("per",), f"{kind} has the same target at every grain; leave per out"))
    dimensions = [name for split in metric.by for name in _columns(split)]
    for name in target.match:
        if name not in dimensions:
            near = did_you_mean(name, dimensions) or "; declare it under by"
            faults.append((("match", name), f"the metric is not split by {name!r}{near}"))
    return faults


def _columns(split: str | list[str] | Listed) -> list[str]:
    return [split.column] if isinstance(split, Listed) else [split] if isinstance(split, str) else split


def _faults_of_shape(target: Target, kind: str) -> list[Fault]:
    if target.shape is None:
        return []
    if target.per is None and not kind:
        return [(("shape",), "spreads the value of a period; say which under per")]
    if kind:
        return [(("shape",), f"{kind} has the same target at every grain; leave shape out")]
    return [(("shape",), "last year has its own seasons; leave season out")] if target.season else []


def _has(target: Target, key: str) -> bool:
    return getattr(target, key) is not None


def _faults_of_percent(here: Steps, node: Node) -> list[Fault]:
    """A bare number above 1: three percent are written 3%."""
    written = node
    for step in here:
        written = written.step(step) or Node({})
    faults: list[Fault] = []
    for key in ("value", "low", "high"):
        number = written.step(key)
        if number is not None and isinstance(number.value, int | float) and abs(number.value) > 1:
            faults.append(((*here, key), f"{number.written} is {number.value * 100:g} %; write {number.written}%"))
    return faults


def _kind_without_per(metric: AnyMetric) -> str:
    """What a metric is whose target is no amount of a period; empty for a flow."""
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
