"""One metric in the words of its file, with what it rests on, so that "what does this number mean?" has one answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel

from dataops_nb import definitions as company_files
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Duration, Simple, Source, SourceTarget, Tolerance


def describe(definitions: Definitions, metric: str) -> dict[str, Any]:
    """`question better owner definition made_of moved_by sources targets lights` of one metric, as plain values."""
    said = definitions.metrics[metric]
    lights = definitions.lights(metric)
    department = definitions.departments[definitions.department_of(metric)]
    movers = [other for other, its in definitions.metrics.items() if any(move.metric == metric for move in its.moves)]
    return {
        "question": said.question,
        "better": said.better,
        "owner": department.owner,
        "definition": _but(plain(said), "label", "question", "role", "better", "unit", "grains", "targets", "lights"),
        "made_of": list(dict.fromkeys(company_files.metric_parts(said))),
        "moved_by": movers,
        "sources": [_source(definitions, name) for name in sources(definitions, metric)],
        "targets": plain(said.targets),
        "lights": plain(lights),
    }


def sources(definitions: Definitions, metric: str) -> list[str]:
    """The sources whose rows a metric and its targets are made of, in the order of company.yaml."""
    metrics = [definitions.metrics[name] for name in {metric, *company_files.upstream(definitions, [metric])}]
    read = {said.measure.source for said in metrics if isinstance(said, Simple)}
    read |= {target.source for target in definitions.metrics[metric].targets if isinstance(target, SourceTarget)}
    return [name for name in definitions.company.sources if name in read]


def _source(definitions: Definitions, name: str) -> dict[str, Any]:
    source: Source = definitions.company.sources[name]
    return {"source": name, **_but(plain(source), "columns")}


def _but(said: dict[str, Any], *left_out: str) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key not in left_out}


def plain(value: Any) -> Any:
    """A model as it would stand in its file: only what was said, durations and days as text."""
    if isinstance(value, Duration | Tolerance):
        return str(value)
    if isinstance(value, BaseModel):
        said = [(name, field) for name, field in type(value).model_fields.items() if name in value.model_fields_set]
        return {field.alias or name: plain(getattr(value, name)) for name, field in said}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value
