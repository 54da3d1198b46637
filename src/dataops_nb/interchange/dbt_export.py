"""Write definitions as YAML of dbt's latest spec: one model a source, its metrics inside.

A filter there names dimensions, not columns, so a condition is written into the expression as
`case when`, which is right for every aggregation. What only we have travels in
`config.meta.dataops_nb`; dbt keeps it in the manifest that it writes. Windows, stocks, conversions
and what is seen for the first time are left out, and kept whole in the first model's meta.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from dataops_nb.interchange.dbt_filters import RefusedError
from dataops_nb.interchange.expressions import row_expression
from dataops_nb.interchange.extensions import VERSION, Selection, company_extension

SPEC_VERSION = 2
META = "dataops_nb"
# dbt refuses names with two underscores in a row, of one letter, and of a grain.
NAME = re.compile(r"(?!.*__)[a-z][a-z0-9_]*[a-z0-9]")
WORDS = ("day", "week", "month", "quarter", "year", "hour", "minute", "second", "metric_time")

Document = dict[str, Any]


def project_of(selection: Selection) -> tuple[Document, dict[str, str]]:
    """Return the document, and why each metric is left out that has no right form."""
    documents = selection.documents
    sources = {name: selection.source(name) for name in selection.sources}
    inside: dict[str, list[Document]] = {name: [] for name in sources}
    beside: list[Document] = []
    left_out: dict[str, str] = {}
    for name in selection.metrics:
        if name not in documents:
            continue
        try:
            metric = _metric(name, documents, sources)
        except RefusedError as refusal:
            left_out[name] = str(refusal)
            continue
        source = documents[name].get("measure", {}).get("source")
        if source:
            inside[source].append(metric)
        else:
            beside.append(metric)
    models = [_model(name, source, inside[name]) for name, source in sources.items()]
    if models:
        meta = models[0]["semantic_model"]["config"]["meta"][META]
        meta |= company_extension(selection, left_out)
    document: Document = {"version": SPEC_VERSION, "models": models}
    if beside:
        document["metrics"] = beside
    return document, left_out


def _model(name: str, source: Mapping[str, Any], metrics: list[Document]) -> Document:
    meta = {META: {"version": VERSION, "source": dict(source)}}
    model: Document = {
        "name": name,
        "semantic_model": {"enabled": True, "name": name, "config": {"meta": meta}},
    }
    time = source.get("time")
    if time:
        model["agg_time_dimension"] = _dimension_name(time)
    columns: dict[str, Document] = {}
    key = source.get("key")
    keys = [key] if isinstance(key, str) else list(key or [])
    if len(keys) == 1:
        columns[keys[0]] = {"name": keys[0], "entity": {"type": "primary", "name": f"{name}_row"}}
    times = [time, *(metric.get("agg_time_dimension") for metric in metrics)]
    for column in dict.fromkeys(column for column in times if column):
        dimension = {"type": "time", "name": _dimension_name(column)}
        columns[column] = {
            **columns.get(column, {"name": column}),
            "granularity": "day",
            "dimension": dimension,
        }
    for column in _splits(metrics):
        if column not in columns and _is_name(column):
            columns[column] = {"name": column, "dimension": {"type": "categorical"}}
    if columns:
        model["columns"] = list(columns.values())
    if len(keys) != 1:
        texts = [f"cast({part} as varchar)" for part in keys]
        expression = " || '-' || ".join(texts) or "1"
        entity = {"name": f"{name}_row", "type": "primary", "expr": expression}
        model["derived_semantics"] = {"entities": [entity]}
    if metrics:
        model["metrics"] = metrics
    return model


def _splits(metrics: list[Document]) -> list[str]:
    """Return the columns that metrics are split by."""
    columns: list[str] = []
    for metric in metrics:
        for split in metric["config"]["meta"][META]["definition"].get("by", []):
            names = [split["column"]] if isinstance(split, dict) else split
            columns += [names] if isinstance(names, str) else names
    return list(dict.fromkeys(columns))


def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and name not in WORDS


def _dimension_name(column: str) -> str:
    """Return a name that dbt takes for a column: itself, or with letters that it knows."""
    if _is_name(column):
        return column
    plain = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return f"{plain}_on" if plain else "on_day"


def _metric(
    name: str, documents: Mapping[str, Document], sources: Mapping[str, Document]
) -> Document:
    """Return a metric as dbt has it. Raises RefusedError where no form is right."""
    document = documents[name]
    metric: Document = {"name": name}
    if document.get("label"):
        metric["label"] = document["label"]
    if document.get("question"):
        metric["description"] = document["question"]
    metric |= form_of(name, documents, sources)
    time = document.get("measure", {}).get("time")
    if time:
        metric["agg_time_dimension"] = _dimension_name(time)
    metric["config"] = {"meta": {META: {"definition": document}}}
    return metric


def form_of(
    name: str, documents: Mapping[str, Document], sources: Mapping[str, Document]
) -> Document:
    """Return what dbt understands of a metric: its type and parts, without names and words."""
    document = documents[name]
    kind = document["type"]
    if not _is_name(name):
        raise RefusedError(f"{name} is no name that dbt takes")
    if kind == "simple":
        measure = document["measure"]
        agg, expression = row_expression(measure, sources[measure["source"]])
        form: Document = {"type": "simple", "agg": agg, "expr": " ".join(expression.split())}
        if agg == "percentile":
            form |= {"percentile": measure["q"], "percentile_type": "continuous"}
        return form
    if kind == "ratio":
        for role in ("numerator", "denominator"):
            if isinstance(document[role], dict):
                raise RefusedError("divides by another period")
            form_of(document[role], documents, sources)
        return {
            "type": "ratio",
            "numerator": document["numerator"],
            "denominator": document["denominator"],
        }
    if kind == "derived":
        if document.get("parts"):
            raise RefusedError("stands on another period")
        return _derived(document["expr"], documents, sources)
    raise RefusedError("runs over a window" if kind == "cumulative" else "is a conversion")


def _derived(
    expression: str, documents: Mapping[str, Document], sources: Mapping[str, Document]
) -> Document:
    tree: Any = sqlglot.parse_one(expression, dialect="duckdb")
    names = list(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))
    for part in names:
        form_of(part, documents, sources)
    for division in list(tree.find_all(exp.Div)):
        divisor = division.expression
        if not isinstance(divisor, exp.Literal | exp.Nullif):
            zero = exp.Literal.number(0)
            division.set("expression", exp.Nullif(this=divisor.copy(), expression=zero))
    return {"type": "derived", "expr": tree.sql(dialect="duckdb"), "input_metrics": sorted(names)}
