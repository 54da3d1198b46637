"""Alignment: every metric of every system on one calendar, as one metric table.

The metric table has one row for each metric, segment and period::

    metric department segment grain period period_start period_end value n complete coverage data_to condition

`segment` is null for the total, else `dim=value`; `value` is missing (never 0) where a system says nothing about the
period; `complete` is false where it says something about a part of it; `data_to` is the last day it speaks about;
`condition` is `stale` or `fault` where that is why. Functions add columns and keep rows and their order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import pandas as pd

from dataops_nb.alignment.comparisons import COMPARISONS, compare
from dataops_nb.alignment.families import Evaluated, evaluate_all
from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.measured import TOTAL, Window, window
from dataops_nb.alignment.progress import add_so_far
from dataops_nb.alignment.receipts import receipts
from dataops_nb.alignment.scales import slopes
from dataops_nb.alignment.splits import declared_splits, members, sources_of
from dataops_nb.alignment.tabulated import Series, tabulate
from dataops_nb.alignment.targets import add_targets
from dataops_nb.definitions.models import Grain
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.periods import Period, calendar
from dataops_nb.sources import Catalog

__all__ = [
    "COLUMNS",
    "add_so_far",
    "add_targets",
    "align",
    "compare",
    "declared_splits",
    "receipts",
    "remember",
    "slopes",
    "sources_of",
    "values",
]

COLUMNS = [
    "metric", "department", "segment", "grain", "period", "period_start", "period_end",
    "value", "n", "complete", "coverage", "data_to", "condition",
]  # fmt: skip


def align(
    catalog: Catalog,
    metrics: Iterable[str],
    *,
    grain: Grain = "week",
    start: dt.date | None = None,
    end: dt.date | None = None,
    by: tuple[str, ...] | Literal["declared"] = (),
) -> pd.DataFrame:
    """The metric table of these metrics, oldest period first; only metrics that make sense at the grain.

    `by=("team",)` splits by a column, `by="declared"` gives the totals and every declared split. Without `start` and
    `end` the periods run from the first to the last day that any source covers; none starts after the as-of date.
    Raises DataError where a source that must not be used stands behind one of them.
    """
    wanted = [name for name in metrics if grain in catalog.definitions.metrics[name].grains]
    catalog.require(*sources_of(catalog.definitions, wanted))
    periods = _periods(catalog, grain, start, end)
    splits = {name: [(), *declared_splits(catalog.definitions, name)] if by == "declared" else [by] for name in wanted}
    series = _series(catalog, splits, [window(period) for period in periods])
    return tabulate(series, catalog.definitions.owners, periods).assign(grain=grain)[COLUMNS]


def values(
    catalog: Catalog,
    metric: str,
    *,
    grain: Grain = "week",
    start: dt.date | None = None,
    end: dt.date | None = None,
    by: tuple[str, ...] = (),
) -> pd.DataFrame:
    """The metric table of one metric; an unknown metric, grain or split is an error that names the nearest right one."""
    known = catalog.definitions.metrics
    if metric not in known:
        raise UsageError(f"unknown metric {metric!r}{did_you_mean(metric, known)}")
    if grain not in known[metric].grains:
        raise UsageError(f"metric {metric} has no grain {grain!r}; it has {', '.join(known[metric].grains)}")
    splits = declared_splits(catalog.definitions, metric)
    if by and by not in splits:
        offered = "; ".join(",".join(split) for split in splits) or "none"
        raise UsageError(f"metric {metric} is not split by {','.join(by)}; declared: {offered}")
    return align(catalog, [metric], grain=grain, start=start, end=end, by=by)


def remember(catalog: Catalog, metric: str, periods: Iterable[Period], by: tuple[str, ...] = ()) -> None:
    """Measure a metric and its parts over periods, the ones before and last year's, for all who ask for any of them later.

    What is asked of them then (`drivers.explain`, `values`) is taken from memory, whatever the metric is made of.
    """
    cut = calendar(catalog.definitions.company.calendar)
    compared = (COMPARISONS[name] for name in ("previous", "same_last_year"))
    listed = list(periods)
    asked = [window(each) for each in listed] + [find(cut, each) for find in compared for each in listed]
    evaluate(Scope(catalog, by, keep=True), metric, list(dict.fromkeys(asked)))


def _periods(catalog: Catalog, grain: Grain, start: dt.date | None, end: dt.date | None) -> list[Period]:
    span = (start, end) if start and end else catalog.span()
    if span is None:
        return []
    first, last = start or span[0], min(end or span[1], catalog.as_of)
    return list(calendar(catalog.definitions.company.calendar).periods(grain, first, last))


def _series(catalog: Catalog, splits: dict[str, list[tuple[str, ...]]], windows: list[Window]) -> list[Series]:
    """Every metric's series: for each of its splits one a segment, in the order of the metrics."""
    known = {
        split: evaluate_all(Scope(catalog, split), [name for name, own in splits.items() if split in own], windows)
        for split in dict.fromkeys(each for own in splits.values() for each in own)
    }
    return [one for name, own in splits.items() for split in own for one in _split(catalog, split, known[split][name])]


def _split(catalog: Catalog, by: tuple[str, ...], found: Evaluated) -> list[Series]:
    measured = found.measured
    if found.is_family:
        return [Series(found.metric, TOTAL, measured, found.metric)]
    if listed := members(catalog, found.metric, by):
        measured = measured.segments(list(dict.fromkeys([*measured.value.columns, *listed])))
    return [Series(found.metric, segment, measured, segment) for segment in measured.value.columns]
