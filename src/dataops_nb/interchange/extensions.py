"""What only we have, as it travels inside another tool's definitions.

An export puts the company into one place of the document, each source beside its table, and each
metric beside what the other tool understands of it. A metric without any right form there travels
with the company. Read again, all of it gives the definitions that were exported, unless somebody
has changed what the other tool understands since then: then that wins, and the account says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.sql import sources_behind
from dataops_nb.definitions.written import (
    as_written,
    company_document,
    department_documents,
    other_documents,
    wanted_metrics,
)
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.interchange.imported import Imported
from dataops_nb.metrics import AnyMetric, Listed, Simple, SourceTarget

VENDOR = "DATAOPS_NB"
VERSION = 1

Document = dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """What is exported: definitions, the metrics and the sources of them, and their documents."""

    definitions: Definitions
    metrics: list[str]
    sources: list[str]
    departments: dict[str, Document]

    @property
    def documents(self) -> dict[str, Document]:
        """Each metric as its file has it, by id."""
        documents: dict[str, Document] = {}
        for department in self.departments.values():
            documents |= department["metrics"]
        return documents

    def source(self, name: str) -> Document:
        """Return a source as company.yaml has it."""
        document: Document = as_written(self.definitions.sources[name])
        return document


def select(
    definitions: Definitions, metrics: Collection[str], sources: Collection[str]
) -> Selection:
    """Return what an export of these metrics and sources holds; none named: all.

    Metrics bring those they stand on, and the sources behind them; sources bring the metrics that
    need nothing else. Raises UsageError for an unknown name.
    """
    for name in sources:
        if name not in definitions.sources:
            near = did_you_mean(name, definitions.sources)
            raise UsageError(f"no source {name!r}{near}")
    for name in metrics:
        if name not in definitions.metrics:
            near = did_you_mean(name, definitions.metrics)
            raise UsageError(f"no metric {name!r}{near}")
    names = wanted_metrics(definitions, metrics)
    behind = _sources_behind(definitions, names)
    if sources and not metrics:
        names = [name for name in names if behind[name] <= set(sources)]
    needed = set(sources)
    for name in names:
        needed |= behind[name]
    if not metrics and not sources:
        needed = set(definitions.sources)
    listed = [name for name in definitions.sources if name in _with_read(definitions, needed)]
    departments = department_documents(definitions, names)
    for department in departments.values():
        tables = department.get("metrics_from", [])
        department["metrics_from"] = [table for table in tables if table["source"] in listed]
        if not department["metrics_from"]:
            del department["metrics_from"]
    return Selection(definitions, names, listed, departments)


def _sources_behind(definitions: Definitions, names: list[str]) -> dict[str, set[str]]:
    """Return the sources that each metric needs: of its rows, its targets, its rates."""
    behind = {}
    for name in names:
        needed: set[str] = set()
        for part in definitions.upstream([name]):
            needed |= _own_sources(definitions, definitions.metrics[part])
        behind[name] = needed
    return behind


def _own_sources(definitions: Definitions, metric: AnyMetric) -> set[str]:
    needed: set[str] = set()
    if isinstance(metric, Simple):
        needed.add(metric.measure.source)
        if metric.measure.currency and definitions.rates is not None:
            needed.add(definitions.rates.source)
    for target in metric.targets:
        if isinstance(target, SourceTarget):
            needed.add(target.source)
    for split in metric.by:
        if isinstance(split, Listed) and split.values:
            needed.add(split.values.partition(".")[0])
    return needed


def _with_read(definitions: Definitions, names: Collection[str]) -> set[str]:
    """Return sources with those that their queries read and their columns point at."""
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        for name in sources_behind(definitions.sources, [waiting.pop()]):
            if name in needed:
                continue
            needed.add(name)
            for column in definitions.sources[name].columns.values():
                if column.references:
                    waiting.append(column.references.partition(".")[0])
    return needed


# --- out -----------------------------------------------------------------------------------------


def company_extension(selection: Selection, left_out: Collection[str]) -> Document:
    """Return what travels once: company, departments, other files, metrics without a right form."""
    departments = {}
    for name, department in selection.departments.items():
        departments[name] = {**department, "metrics": list(department["metrics"])}
    company = company_document(selection.definitions, selection.metrics)
    if "rates" in company and company["rates"]["source"] not in selection.sources:
        del company["rates"]
    documents = selection.documents
    others = other_documents(selection.definitions, selection.metrics)
    events = [event for event in others.pop("events", []) if _has_source(event, selection)]
    if events:
        others["events"] = events
    return {
        "version": VERSION,
        "company": company,
        "departments": departments,
        "files": others,
        "metrics": {name: documents[name] for name in selection.metrics if name in left_out},
    }


def _has_source(event: Document, selection: Selection) -> bool:
    return "source" not in event or event["source"] in selection.sources


# --- in ------------------------------------------------------------------------------------------


def read_company(imported: Imported, extension: Mapping[str, Any]) -> None:
    """Take the company and its other files from an extension."""
    version = extension.get("version")
    if version != VERSION:
        raise UsageError(
            f"{imported.file}: its {VENDOR} extension has version {version}; this reads {VERSION}"
        )
    imported.is_ours = True
    imported.company = dict(extension["company"])
    imported.others = dict(extension.get("files") or {})


def whole_metrics(extension: Mapping[str, Any], imported: Imported) -> dict[str, Document]:
    """Return the metrics that had no right form in the other tool."""
    documents = dict(extension.get("metrics") or {})
    for name in documents:
        imported.keep(name, "kept whole in the extension; the other tool has no right form for it")
    return documents


def place_metrics(
    imported: Imported, extension: Mapping[str, Any], documents: dict[str, Document]
) -> None:
    """Put metrics into the departments they were exported from, in their order.

    Those are taken out of `documents`; what is left is new.
    """
    for name, department in (extension.get("departments") or {}).items():
        own = {}
        for metric in department["metrics"]:
            if metric in documents:
                own[metric] = documents.pop(metric)
        imported.departments[name] = {**department, "metrics": own}


def merged(
    name: str, definition: Mapping[str, Any], native: Document, imported: Imported
) -> Document:
    """Return what a metric says there now, with the rest of what we had exported of it."""
    imported.change(name, "was changed there since it was exported; what it says there counts")
    parts = ("type", "measure", "numerator", "denominator", "expr", "parts", "metric", "window")
    rest = {key: value for key, value in definition.items() if key not in parts}
    return {**native, **rest}
