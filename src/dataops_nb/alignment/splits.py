"""What a metric is split by, which members a split has even without rows, and which sources all that needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from dataops_nb.definitions import Definitions, upstream
from dataops_nb.definitions.models import Listed, Simple, SourceTarget
from dataops_nb.sources import Catalog


def declared_splits(definitions: Definitions, metric: str) -> list[tuple[str, ...]]:
    """The splits that a metric's `by:` declares, each a tuple of columns."""
    said = definitions.metrics[metric].by
    return [
        (each,) if isinstance(each, str) else (each.column,) if isinstance(each, Listed) else tuple(each)
        for each in said
    ]


def members(catalog: Catalog, metric: str, by: tuple[str, ...]) -> list[str]:
    """The labels of the segments that a split has by another source's list (`values:`), with rows or without."""
    said = (each for each in catalog.definitions.metrics[metric].by if isinstance(each, Listed))
    listed = next((each.values for each in said if (each.column,) == by), None)
    if listed is None:
        return []
    source, _, column = listed.partition(".")
    if catalog.faulty(source):
        return []
    text = exp.alias_(exp.cast(exp.column(column, quoted=True), "text"), "member")
    rows = catalog.fetch(exp.select(text).distinct().from_(catalog.relation(source)).order_by("member"))
    return [f"{by[0]}={member}" for member in rows["member"].dropna()]


def sources_of(definitions: Definitions, metrics: Iterable[str]) -> list[str]:
    """The sources that these metrics read: their rows and those of their parts, rates, their targets and listed members."""
    wanted = list(metrics)
    found: list[str] = []
    for name in upstream(definitions, wanted):
        metric = definitions.metrics[name]
        if isinstance(metric, Simple):
            found.append(metric.measure.source)
            if metric.measure.currency and definitions.company.rates:
                found.append(definitions.company.rates.source)
    for name in wanted:
        found += _beside(definitions, name)
    return list(dict.fromkeys(found))


def _beside(definitions: Definitions, name: str) -> Iterator[str]:
    """The sources of a metric's targets and of the members of its splits."""
    metric = definitions.metrics[name]
    yield from (target.source for target in metric.targets if isinstance(target, SourceTarget))
    yield from (each.values.partition(".")[0] for each in metric.by if isinstance(each, Listed) and each.values)
