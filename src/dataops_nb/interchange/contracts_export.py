"""Write sources as an Open Data Contract, version 3.2.0.

What a contract can say of a source stands where the standard has it; the whole source travels
beside it in `customProperties`. Metrics are no part of a data contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dataops_nb.definitions.written import company_document
from dataops_nb.interchange.extensions import VERSION, Selection

API_VERSION = "v3.2.0"
VENDOR = "dataops-nb"
SOURCE_PROPERTY = "dataopsNbSource"
COMPANY_PROPERTY = "dataopsNbCompany"
# The standard's schema wants a type of every column, and ours are found out where none is said.
GUESSED_PROPERTY = "dataopsNbTypeGuessed"
LOGICAL_TYPES = {
    "text": "string",
    "integer": "integer",
    "decimal": "number",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}

UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}

Document = dict[str, Any]


def contract_of(selection: Selection) -> tuple[Document, dict[str, str]]:
    """Return the contract of the sources, and why each metric is not in it."""
    company = selection.definitions.name
    sources = {name: selection.source(name) for name in selection.sources}
    schema = []
    for name, source in sources.items():
        entry = schema_of(name, source)
        entry["customProperties"] = [_property(SOURCE_PROPERTY, {"source": source})]
        schema.append(entry)
    contract: Document = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": re.sub(r"[^a-z0-9]+", "-", company.lower()).strip("-") or "company",
        "name": company,
        "version": "1.0.0",
        "status": "draft",
        "schema": schema,
    }
    team = _team(sources)
    if team:
        contract["team"] = team
    promises = _promises(sources)
    if promises:
        contract["slaProperties"] = promises
    head = {"company": company_document(selection.definitions, ())}
    contract["customProperties"] = [_property(COMPANY_PROPERTY, head)]
    left_out = dict.fromkeys(selection.metrics, "a data contract speaks of sources alone")
    return contract, left_out


def _property(name: str, value: Document) -> Document:
    return {"property": name, "value": {"version": VERSION, **value}, "vendor": VENDOR}


def _team(sources: Mapping[str, Document]) -> Document:
    """Return who answers: a team where it is one, else each owner as a member."""
    owners = dict.fromkeys(source["owner"] for source in sources.values() if source.get("owner"))
    if len(owners) == 1:
        return {"name": next(iter(owners))}
    members = [{"username": owner, "name": owner, "role": "owner"} for owner in owners]
    return {"members": members} if members else {}


def _promises(sources: Mapping[str, Document]) -> list[Document]:
    """Return how old the last row may be: as latency, the standard's word, and as freshness."""
    promises: list[Document] = []
    for name, source in sources.items():
        match = re.match(r"(\d+) (\w+?)s?$", source.get("fresh_within", ""))
        if match is None or not source.get("time"):
            continue
        days = (
            int(match[1]) * {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}[match[2]]
        )
        for word in ("latency", "freshness"):
            promises.append(
                {
                    "property": word,
                    "value": days,
                    "unit": "d",
                    "element": f"{name}.{source['time']}",
                }
            )
    return promises


def schema_of(name: str, source: Mapping[str, Any]) -> Document:
    """Return a source as one entry of `schema`, without what only we have."""
    entry: Document = {"name": name, "logicalType": "object"}
    if source.get("table"):
        entry["physicalName"] = source["table"]
    key = source.get("key") or []
    keys = [key] if isinstance(key, str) else list(key)
    columns: Mapping[str, Any] = source.get("columns", {})
    named = [*keys, *([source["time"]] if source.get("time") else []), *columns]
    properties = []
    for column in dict.fromkeys(named):
        position = keys.index(column) + 1 if column in keys else None
        is_time = column == source.get("time")
        properties.append(_column(column, columns.get(column, {}), position, is_time=is_time))
    if properties:
        entry["properties"] = properties
    rows = source.get("rows", {})
    if rows:
        entry["quality"] = [{"metric": "rowCount", **_between(rows.get("min"), rows.get("max"))}]
    return entry


def _between(least: Any, most: Any) -> Document:
    if least is None:
        return {"mustBeLessOrEqualTo": most}
    if most is None or most == least:
        return {"mustBeGreaterOrEqualTo": least} if most is None else {"mustBe": least}
    return {"mustBeBetween": [least, most]}


def _guess(rule: Mapping[str, Any], *, is_time: bool) -> str:
    """Return the type that a column's use speaks for."""
    bounds = [rule[key] for key in ("min", "max") if rule.get(key) is not None]
    if is_time or any(isinstance(bound, str) for bound in bounds):
        return "date"
    members = rule.get("one_of") or bounds
    if members and all(isinstance(member, int | float) for member in members):
        return "number"
    return "string"


def _column(name: str, rule: Mapping[str, Any], position: int | None, *, is_time: bool) -> Document:
    column: Document = {"name": name}
    kind = LOGICAL_TYPES.get(rule.get("type", ""))
    if kind is None:
        kind = _guess(rule, is_time=is_time)
        guess = {"property": GUESSED_PROPERTY, "value": True, "vendor": VENDOR}
        column["customProperties"] = [guess]
    column["logicalType"] = kind
    if position is not None:
        column |= {"primaryKey": True, "primaryKeyPosition": position}
    for key in ("required", "unique"):
        if rule.get(key):
            column[key] = True
    if rule.get("one_of"):
        column["enum"] = [{"value": value} for value in rule["one_of"]]
    options = {}
    for key, word in (("min", "minimum"), ("max", "maximum")):
        bound = rule.get(key)
        is_day = isinstance(bound, str)
        fits = ("date", "timestamp") if is_day else ("integer", "number")
        if bound is not None and kind in fits:
            options[word] = bound
    if options:
        column["logicalTypeOptions"] = options
    if rule.get("nulls") is not None:
        share = round(rule["nulls"] * 100, 10)
        column["quality"] = [
            {"metric": "nullValues", "mustBeLessOrEqualTo": share, "unit": "percent"}
        ]
    if rule.get("references"):
        column["relationships"] = [{"type": "foreignKey", "to": rule["references"]}]
    return column
