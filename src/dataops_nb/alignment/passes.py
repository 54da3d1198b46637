"""One pass over a source for all its measures, instead of one a measure.

What adds up is aggregated by local day; all measures of a source that do, by one time and split, are fetched together
before any of them is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dataops_nb.alignment import queries
from dataops_nb.alignment.measures import is_daily, summed, time_of
from dataops_nb.definitions.lineage import metric_parts
from dataops_nb.definitions.models import Conversion, Measure, Simple
from dataops_nb.sources import Catalog

TOGETHER = 25
_SHARED = {"count", "sum", "average", "min", "max"}


def gather(catalog: Catalog, metrics: Iterable[str], by: tuple[str, ...], apart: Collection[str] = ()) -> None:
    """Fetch by day what these metrics and their parts need of each source, split by `by`; not of the metrics in `apart`."""
    groups: dict[tuple[str, str, str | None], dict[Measure, None]] = {}
    for what in dict.fromkeys(_measures(catalog, metrics, set(apart))):
        if what.agg in _SHARED and is_daily(what) and not catalog.faulty(what.source):
            currency = what.currency if queries.converts(catalog, what) else None
            groups.setdefault((what.source, time_of(catalog, what), currency), {})[summed(what)] = None
    rates = catalog.definitions.company.rates
    for (source, time, currency), found in groups.items():
        read = (source, rates.source) if currency and rates else (source,)
        missing = [what for what in found if not catalog.knows(queries.daily(catalog, what, time, by), *read)]
        for start in range(0, len(missing), TOGETHER):
            _fetch(catalog, missing[start : start + TOGETHER], time, by, read)


def _fetch(catalog: Catalog, whats: list[Measure], time: str, by: tuple[str, ...], read: tuple[str, ...]) -> None:
    if len(whats) < 2:
        return
    frame = catalog.fetch(queries.daily_together(catalog, whats, time, by))
    keys = ["day", *(f"d{i}" for i in range(len(by)))]
    for i, what in enumerate(whats):
        own = frame.loc[frame[f"r{i}"] > 0, [*keys, f"v{i}", f"n{i}"]].rename(columns={f"v{i}": "v", f"n{i}": "n"})
        catalog.keep(queries.daily(catalog, what, time, by), own.reset_index(drop=True), *read)


def _measures(catalog: Catalog, metrics: Iterable[str], seen: set[str]) -> Iterator[Measure]:
    """The measures that these metrics are evaluated from; a conversion asks for rows of its own."""
    for name in metrics:
        metric = catalog.definitions.metrics[name]
        if name in seen or isinstance(metric, Conversion):
            continue
        seen.add(name)
        if isinstance(metric, Simple):
            yield metric.measure
        yield from _measures(catalog, metric_parts(metric), seen)
