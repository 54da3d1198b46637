"""Write definitions as an Apache Ossie model, version 0.2.0.dev0.

A metric without any right expression there (a window, a stock, a conversion, what is seen for the
first time) is left out of `metrics` and kept whole in the model's extension: a plain sum in its
place would be a wrong number under a right name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dataops_nb.interchange import expressions
from dataops_nb.interchange.dbt_filters import RefusedError
from dataops_nb.interchange.extensions import VENDOR, VERSION, Selection, company_extension

OSSIE_VERSION = "0.2.0.dev0"
DATATYPES = {
    "integer": "Integer",
    "decimal": "Decimal",
    "text": "String",
    "date": "Date",
    "timestamp": "DateTime",
    "boolean": "Boolean",
}

Document = dict[str, Any]


def model_of(selection: Selection) -> tuple[Document, dict[str, str]]:
    """Return the document, and why each metric is left out that has no right expression."""
    documents = selection.documents
    sources = {name: selection.source(name) for name in selection.sources}
    metrics, left_out = [], {}
    for name in selection.metrics:
        if name not in documents:
            continue
        try:
            text = expressions.write(name, documents, sources)
        except RefusedError as refusal:
            left_out[name] = str(refusal)
            continue
        metrics.append(_metric(name, documents[name], text))
    company = selection.definitions.name
    datasets = []
    for name, source in sources.items():
        extension = _extension({"version": VERSION, "source": source})
        datasets.append({**dataset_of(name, source), "custom_extensions": [extension]})
    model: Document = {
        "name": company,
        "description": f"Definitions of {company}, written by dataops-nb.",
        "datasets": datasets,
    }
    relationships = list(_relationships(sources))
    if relationships:
        model["relationships"] = relationships
    if metrics:
        model["metrics"] = metrics
    model["custom_extensions"] = [_extension(company_extension(selection, left_out))]
    return {"version": OSSIE_VERSION, "semantic_model": [model]}, left_out


def _extension(data: Mapping[str, Any]) -> Document:
    return {"vendor_name": VENDOR, "data": json.dumps(data, ensure_ascii=False)}


def dataset_of(name: str, source: Mapping[str, Any]) -> Document:
    """Return a source as a dataset, without its extension."""
    dataset: Document = {
        "name": name,
        "source": source.get("table") or source.get("query") or f"data.{name}",
    }
    key = source.get("key")
    if key:
        dataset["primary_key"] = [key] if isinstance(key, str) else list(key)
    columns: Mapping[str, Any] = source.get("columns", {})
    unique = [[column] for column, rule in columns.items() if rule.get("unique")]
    if unique:
        dataset["unique_keys"] = unique
    fields = [_field(column, source) for column in _columns(source)]
    if fields:
        dataset["fields"] = fields
    return dataset


def _columns(source: Mapping[str, Any]) -> list[str]:
    """Return the columns that a source speaks of: its key, its time, and those with rules."""
    key = source.get("key") or []
    named = [key] if isinstance(key, str) else list(key)
    if source.get("time"):
        named.append(source["time"])
    return list(dict.fromkeys([*named, *source.get("columns", {})]))


def _field(column: str, source: Mapping[str, Any]) -> Document:
    expression = column if column.isidentifier() else f'"{column}"'
    field: Document = {
        "name": column,
        "expression": {"dialects": [{"dialect": "ANSI_SQL", "expression": expression}]},
    }
    kind = source.get("columns", {}).get(column, {}).get("type")
    if kind:
        field["datatype"] = DATATYPES[kind]
        if kind == "timestamp" and source.get("timezone"):
            field["datatype"] = "DateTimeTz"
    if column == source.get("time"):
        field["dimension"] = {"is_time": True}
    elif kind in ("date", "timestamp") or kind in ("text", "boolean"):
        field["dimension"] = {"is_time": False}
    return field


def _relationships(sources: Mapping[str, Document]) -> list[Document]:
    relationships = []
    for name, source in sources.items():
        for column, rule in source.get("columns", {}).items():
            other, _, key = rule.get("references", "").partition(".")
            if other in sources:
                relationships.append(
                    {
                        "name": f"{name}_{column}",
                        "from": name,
                        "to": other,
                        "from_columns": [column],
                        "to_columns": [key],
                    }
                )
    return relationships


def _metric(name: str, document: Document, text: str) -> Document:
    metric: Document = {
        "name": name,
        "expression": {"dialects": [{"dialect": "ANSI_SQL", "expression": text}]},
    }
    if document.get("question"):
        metric["description"] = document["question"]
    elif document.get("label"):
        metric["description"] = document["label"]
    metric["custom_extensions"] = [_extension({"version": VERSION, "definition": document})]
    return metric
