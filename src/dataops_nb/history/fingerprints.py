"""The fingerprint of a metric's definition: it changes when the value may, and with nothing else.

A value that changed because somebody changed its formula is another story than one that changed because rows came late.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from dataops_nb.definitions import Definitions, sources_behind, upstream
from dataops_nb.definitions.models import MetricBase, Simple, Source

AGREEMENTS = frozenset({"system", "owner", "on_fault", "rows", "columns"})


def fingerprint(definitions: Definitions, metric: str) -> str:
    """12 hex digits of all that a metric's value is computed from: its formula, the metrics and sources below, the calendar.

    Labels, targets, lights and agreements about columns do not count; nor does a default that is written out.
    """
    metrics = {name: definitions.metrics[name] for name in upstream(definitions, [metric])}
    measures = [each.measure for each in metrics.values() if isinstance(each, Simple)]
    company = definitions.company
    named = [measure.source for measure in measures]
    converts = company.rates is not None and any(measure.currency for measure in measures)
    if converts and company.rates:
        named.append(company.rates.source)
    counted = {"timezone", "calendar", *(("currency", "rates") if converts else ())}
    whole = {
        "metrics": {name: _plain(each, type(each).model_fields.keys() - MetricBase.model_fields.keys())
                    for name, each in metrics.items()},
        "sources": {name: _source(company.sources[name]) for name in sources_behind(company.sources, named)},
        "company": _plain(company, counted),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:12]


def _plain(model: Any, fields: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=set(fields))
    return found


def _source(source: Source) -> dict[str, Any]:
    read = {name: _plain(column, {"type", "map"}) for name, column in source.columns.items()}
    return _plain(source, Source.model_fields.keys() - AGREEMENTS) | {"columns": {n: c for n, c in read.items() if c}}
