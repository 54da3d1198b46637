"""Definitions as plain values, in the form in which files have them.

What a model was read from, and no more: a key that nobody set is not there. Read again, the values
give an equal model. They can be JSON or YAML.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from pydantic import BaseModel

from dataops_nb.company import Company
from dataops_nb.definitions.models import Definitions
from dataops_nb.metrics import AnyMetric
from dataops_nb.terms import Duration, Tolerance

# Files of params/ that belong to no source and no department.
OTHER_FILES = ("events", "holidays", "solve_next", "glossary")


def as_written(value: Any) -> Any:
    """Return a model as plain values, as its file has it: only the keys that were set.

    Durations, tolerances and days become text.
    """
    if isinstance(value, Duration | Tolerance):
        return str(value)
    if isinstance(value, BaseModel):
        document = {}
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set:
                key = field.alias or name
                document[key] = as_written(getattr(value, name))
        return document
    if isinstance(value, dict):
        return {key: as_written(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_written(item) for item in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def company_document(definitions: Definitions, metrics: Collection[str]) -> dict[str, Any]:
    """Return company.yaml without its sources and its data folder; the North Star of `metrics`."""
    document: dict[str, Any] = as_written(definitions.company)
    for key in ("sources", "data"):
        document.pop(key, None)
    document["north_star"] = [name for name in definitions.north_star if name in metrics]
    return {key: value for key, value in document.items() if value not in (None, {}, [])}


def other_documents(definitions: Definitions, metrics: Collection[str]) -> dict[str, Any]:
    """Return events, holidays, things to solve and the glossary, where they speak of `metrics`."""
    documents: dict[str, Any] = {}
    for name in OTHER_FILES:
        document = as_written(getattr(definitions, name))
        if name == "events":
            document = [_about(event, metrics) for event in document]
        if name == "solve_next":
            document = [item for item in document if item.get("metric") in {None, *metrics}]
        if document:
            documents[name] = document
    return documents


def _about(event: dict[str, Any], metrics: Collection[str]) -> dict[str, Any]:
    """Return an event without the metrics that are not there."""
    named = event.get("metrics")
    if not isinstance(named, list):
        return event
    return {**event, "metrics": [name for name in named if name in metrics]}


def metric_document(metric: AnyMetric, metrics: Collection[str]) -> dict[str, Any]:
    """Return a metric as its file has it; what it says of others is kept where they are there."""
    document: dict[str, Any] = as_written(metric)
    for key, name in (("moves", "metric"), ("reconcile", "with")):
        if key in document:
            document[key] = [item for item in document[key] if item[name] in metrics]
    if document.get("unit") == "percent":
        document["targets"] = [_in_percent(target) for target in document.get("targets", [])]
        if "targets" not in metric.model_fields_set:
            del document["targets"]
    return document


def _in_percent(target: dict[str, Any]) -> dict[str, Any]:
    """Return a target with shares above 1 as `120%`: as a bare number that would be a mistake."""
    written = dict(target)
    for key in ("value", "low", "high"):
        value = written.get(key)
        if isinstance(value, float) and value > 1:
            written[key] = f"{value * 100:.12g}%"
    return written


def department_documents(
    definitions: Definitions, metrics: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Return the departments that own one of `metrics`, or a table of indicators, by id.

    A metric has all its keys, so a department's defaults change nothing in it.
    """
    documents: dict[str, dict[str, Any]] = {}
    for name, department in definitions.departments.items():
        own = [metric for metric in department.metrics if metric in metrics]
        if not own and not department.metrics_from:
            continue
        document = as_written(department)
        document["metrics"] = {}
        for metric in own:
            document["metrics"][metric] = metric_document(department.metrics[metric], metrics)
        documents[name] = document
    return documents


def wanted_metrics(definitions: Company, named: Iterable[str]) -> list[str]:
    """Return these metrics and those they stand on, in the company's order; none named: all.

    Raises UsageError where one is unknown.
    """
    names = list(named)
    if not names:
        return list(definitions.metrics)
    needed = set(definitions.upstream(names))
    return [name for name in definitions.metrics if name in needed]
