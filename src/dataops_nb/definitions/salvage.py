"""What can be used of files that hold mistakes: enough to check the data too, so that all faults show at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dataops_nb.definitions.checks.expressions import read_query
from dataops_nb.definitions.draft import Draft
from dataops_nb.definitions.lineage import AnyMetric, metric_parts
from dataops_nb.definitions.models import Definitions, Department, MetricsFrom, Simple, Source

T = TypeVar("T")


def salvage(draft: Draft) -> Definitions:
    """The definitions without the sources and metrics that hold a mistake, and without all that stands on those."""
    company = draft.definitions.company
    sources = _sound_sources(draft)
    metrics = _sound_metrics(draft, set(sources))
    changes = {"sources": sources, "north_star": [id_ for id_ in company.north_star if id_ in metrics]}
    if any(mistake.key == "timezone" and mistake.file == draft.company.name for mistake in draft.mistakes):
        changes["timezone"] = "UTC"
    departments = {
        id_: department.model_copy(
            update={"metrics": _kept(department, metrics), "metrics_from": _sound_tables(draft, id_, set(sources))}
        )
        for id_, department in draft.definitions.departments.items()
    }
    return draft.definitions.model_copy(
        update={"company": company.model_copy(update=changes), "departments": departments}
    )


def _sound_sources(draft: Draft) -> dict[str, Source]:
    sources = draft.definitions.company.sources
    sound = {
        name: source for name, source in sources.items() if not _is_faulty(draft, draft.company.name, "sources", name)
    }

    def reads(name: str) -> list[str]:
        query = sound[name].query
        return read_query(query)[0] if query else []

    return _keep_whole(sound, reads)


def _sound_metrics(draft: Draft, sources: set[str]) -> dict[str, AnyMetric]:
    sound: dict[str, AnyMetric] = {}
    for department, file in draft.departments.items():
        for id_, metric in draft.definitions.departments[department].metrics.items():
            lost = isinstance(metric, Simple) and metric.measure.source not in sources
            if not lost and not _is_faulty(draft, file.name, "metrics", id_):
                sound[id_] = metric
    return _keep_whole(sound, lambda id_: metric_parts(sound[id_]))


def _sound_tables(draft: Draft, department: str, sources: set[str]) -> list[MetricsFrom]:
    file = draft.departments[department].name
    if any(mistake.file == file and mistake.key.startswith(("metrics_from", "defaults")) for mistake in draft.mistakes):
        return []
    tables = draft.definitions.departments[department].metrics_from
    return [table for table in tables if table.source in sources]


def _is_faulty(draft: Draft, file: str, section: str, name: str) -> bool:
    key = f"{section}.{name}"
    inside = (f"{key}.", f"{key}[")
    return any(m.file == file and (m.key == key or m.key.startswith(inside)) for m in draft.mistakes)


def _keep_whole(found: dict[str, T], parts: Callable[[str], list[str]]) -> dict[str, T]:
    """Those of `found` whose parts are all in it, and so on for the parts; capitals make no difference."""
    while True:
        names = {name.casefold() for name in found}
        whole = {
            name: value for name, value in found.items() if names.issuperset(part.casefold() for part in parts(name))
        }
        if len(whole) == len(found):
            return whole
        found = whole


def _kept(department: Department, metrics: dict[str, AnyMetric]) -> dict[str, AnyMetric]:
    return {id_: metric for id_, metric in department.metrics.items() if id_ in metrics}
