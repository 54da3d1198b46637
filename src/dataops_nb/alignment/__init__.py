"""Alignment: every metric of every system on one calendar, as one metric table.

The metric table has one row for each metric, segment and period::

    metric department segment grain period period_start period_end
    value n complete coverage data_to condition

`segment` is null for the total, else `dim=value`. `value` is missing (never 0) where a system says
nothing about the period. `complete` is false where it covers a part of it; `data_to` is the last
day it speaks about; `condition` is `stale` or `fault` where that is why.

`from_frame` measures a DataFrame, `align` the metrics of a company; `combine` puts tables on one
list of periods. Functions that take a metric table add columns and keep its rows and their order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pandas as pd

from dataops_nb.alignment.comparisons import COMPARISONS, compare
from dataops_nb.alignment.formulas import Evaluated, Scope, evaluate, evaluate_all
from dataops_nb.alignment.frame_rows import Framed, FrameRows, frame_company
from dataops_nb.alignment.frames import (
    as_day,
    check_calendar,
    check_words,
    check_zone,
    columns_in,
    covered_days,
    measured_columns,
    metrics_of,
    number_values,
    quoted,
    splits_of,
)
from dataops_nb.alignment.measures import declared_splits, members, sources_of
from dataops_nb.alignment.progress import add_so_far
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.tables import TABLE, Series, combine, empty_table, tabulate
from dataops_nb.alignment.targets import Target, add_targets
from dataops_nb.alignment.windows import TOTAL, Window, Windows, window
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.metrics import Measure, Simple
from dataops_nb.periods import Calendar, Period
from dataops_nb.periods import calendar as calendar_of
from dataops_nb.terms import FIRST_DAY, GRAINS, Agg, Grain

__all__ = [
    "Target",
    "add_targets",
    "align",
    "combine",
    "from_frame",
]


def __dir__() -> list[str]:
    return __all__


COLUMNS = [
    "metric", "department", "segment", "grain", "period", "period_start", "period_end",
    "value", "n", "complete", "coverage", "data_to", "condition",
]  # fmt: skip
FRAME = "frame"
MOST_PERIODS = 100_000
_SHORTEST: dict[Grain, int] = {"day": 1, "week": 7, "month": 28, "quarter": 84, "year": 364}


def from_frame(
    frame: pd.DataFrame,
    metric: str,
    *,
    time: str,
    value: str | None = None,
    agg: Agg = "sum",
    q: float | None = None,
    by: str | Sequence[Any] | None = None,
    grain: Grain = "week",
    where: str | None = None,
    at: str | None = None,
    window: str | None = None,
    covers: tuple[Any, Any] | None = None,
    timezone: str | dt.tzinfo | None = None,
    as_of: str | dt.date | None = None,
    calendar: Calendar | None = None,
) -> pd.DataFrame:
    """Measure the rows of a DataFrame; the frame is not changed.

    `time` is the column with each row's day or moment, `value` the column that is aggregated (in
    its own unit). `agg` is count (of rows, or of filled cells of `value`), sum, average, min, max,
    median, percentile (the value with a share `q` of the values below it, between two values in
    proportion), count_distinct or first_seen (values whose first row ever falls in the period).
    `by` splits by a column or by each of a list of columns; a nested list crosses them. `grain` is
    day, week, month, quarter or year. `where` is an SQL condition over the frame's columns.
    `at="end"` takes the value on the period's last day with rows (a stock), `window="12 months"`
    aggregates the rows of a window that ends with the period. `covers=(first, last)` are the days
    that the frame speaks about, both inclusive (default: its first to its last day with rows).
    Stamps with a
    zone are cut into days in `timezone`; others are local. Rows after `as_of` do not exist
    (default: the last day with rows).

    Returns a metric table: the total, then the segments (`dim=value`), oldest period first, up to
    the one that holds `as_of`. Columns: `metric segment grain period period_start period_end value
    n complete coverage data_to`, then `previous same_last_year` and the values to date of month,
    quarter and year (`mtd` ...), with last year's, and `so_far`. `value` is missing where the frame
    does not cover the period; counts and sums are 0 in a covered period without rows. A period that
    is covered in part has its value and `complete` False.

    Raises UsageError for a wrong column, aggregation, grain, zone or day; it names the nearest
    right one.

    >>> revenue[revenue.segment.isna()].value.tolist()
    [200.0, 210.0, 320.5]
    >>> revenue[revenue.segment == "channel=web"].value.tolist()
    [200.0, 150.0, 230.5]
    """
    check_words(metric, agg, grain, at, q)
    time, value = str(time), None if value is None else str(value)
    timezone = str(timezone) if isinstance(timezone, dt.tzinfo) else timezone
    check_zone(timezone)
    check_calendar(calendar)
    measured = measured_columns(frame, value, agg)
    splits = splits_of(frame, by)
    others = [column for split in splits for column in split]
    if where:
        others += columns_in(where, frame)
    if agg == "count_distinct" and value is not None and value not in [*others, time]:
        frame = number_values(frame, value)

    framed = Framed.of(
        FRAME, frame, [*measured, *others], time, timezone=timezone, covers=covered_days(covers)
    )
    today = as_day(as_of, "as_of") or framed.last or framed.covers[1]
    if today is None:
        return empty_table()
    what = Measure(
        source=FRAME,
        agg=agg,
        q=None if q is None else float(q),
        expr=None if value is None else quoted(value),
        filter=where,
        time=time,
        at="end" if at else None,
    )
    metrics = metrics_of(metric, what, splits, grain, window)
    company = frame_company(metrics, calendar or Calendar())
    return measure_frame(FrameRows([framed], company, today), metric, grain)


def measure_frame(rows: FrameRows, metric: str, grain: Grain) -> pd.DataFrame:
    """Return the metric table of one metric over frames, with its declared splits, up to as-of."""
    span = rows.span()
    if span is None:
        return empty_table()
    start = min(span[0], rows.as_of)
    table = align(rows, [metric], grain=grain, start=start, end=rows.as_of, by="declared")
    return add_so_far(compare(table[TABLE], rows), rows)


def align(
    rows: Rows,
    metrics: Iterable[str],
    *,
    grain: Grain = "week",
    start: dt.date | None = None,
    end: dt.date | None = None,
    by: tuple[str, ...] | Literal["declared"] = (),
) -> pd.DataFrame:
    """Return the metric table of a company's metrics, oldest period first.

    Metrics that make no sense at the grain are left out. `by=("team",)` splits by a column,
    `by="declared"` gives the totals and every declared split. Without `start` and `end` the periods
    run from the first to the last day that any source covers; none starts after the as-of date.

    Raises UsageError for an unknown metric, grain or column, with the nearest right one, and
    DataError where a source that must not be used stands behind a metric.

    >>> list(alignment.align(rows, ["amount"]).columns)[:4]
    ['metric', 'department', 'segment', 'grain']
    """
    listed = list(metrics)
    known = rows.company.metrics
    for name in listed:
        _require_metric(rows, name)
    if grain not in GRAINS:
        raise UsageError(f"no grain {grain!r}{did_you_mean(str(grain), GRAINS)}")
    wanted = [name for name in listed if grain in known[name].grains]
    rows.require(*sources_of(rows.company, wanted))
    if by and by != "declared":
        _require_columns(rows, wanted, by)
    periods = _periods(rows, grain, start, end)
    splits = {}
    for name in wanted:
        declared = [(), *declared_splits(rows.company, name)]
        splits[name] = declared if by == "declared" else [by]
    series = _measure_series(rows, splits, Windows(map(window, periods)))
    table = tabulate(series, rows.company.owners, periods)
    return table.assign(grain=grain)[COLUMNS]


def values(
    rows: Rows,
    metric: str,
    *,
    grain: Grain = "week",
    start: dt.date | None = None,
    end: dt.date | None = None,
    by: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Return the metric table of one metric.

    Raises UsageError for an unknown metric, grain or split, with what there is.
    """
    _require_metric(rows, metric)
    grains = rows.company.metrics[metric].grains
    if grain not in grains:
        raise UsageError(f"{metric} has no {grain} values; choose {', '.join(grains)}")
    splits = declared_splits(rows.company, metric)
    if by and by not in splits:
        offered = "; ".join(",".join(split) for split in splits)
        why = f"choose {offered}" if offered else "its definition has no by:"
        raise UsageError(f"{metric} can't be split by {','.join(by)}: {why}")
    return align(rows, [metric], grain=grain, start=start, end=end, by=by)


def remember(rows: Rows, metric: str, periods: Iterable[Period], by: tuple[str, ...] = ()) -> None:
    """Measure a metric and its parts over periods, the ones before and last year's, and keep that.

    Whoever asks for any of them later (`drivers.explain`, `values`) has it from memory, whatever
    the metric is made of.
    """
    cut = calendar_of(rows.company.calendar)
    listed = list(periods)
    windows = [window(period) for period in listed]
    for name in ("previous", "same_last_year"):
        windows += [COMPARISONS[name](cut, period) for period in listed]
    evaluate(Scope(rows, by, keep=True), metric, list(dict.fromkeys(windows)))


def _require_metric(rows: Rows, metric: str) -> None:
    known = rows.company.metrics
    if metric not in known:
        raise UsageError(f"no metric {metric!r}{did_you_mean(metric, known)}")


def _require_columns(rows: Rows, metrics: Iterable[str], by: tuple[str, ...]) -> None:
    """Raise UsageError, with the nearest one, where a source lacks a column of a split."""
    company = rows.company
    undeclared = [name for name in metrics if by not in declared_splits(company, name)]
    for name in company.upstream(undeclared):
        metric = company.metrics[name]
        if not isinstance(metric, Simple) or rows.faulty(metric.measure.source):
            continue
        source = metric.measure.source
        for column in by:
            if rows.column(source, column) is None:
                near = did_you_mean(column, rows.columns(source))
                raise UsageError(f"source {source} has no column {column!r}{near}")


def _periods(rows: Rows, grain: Grain, start: dt.date | None, end: dt.date | None) -> list[Period]:
    span = (start, end) if start and end else rows.span()
    if span is None:
        return []
    first = max(start or span[0], FIRST_DAY)
    last = min(end or span[1], rows.as_of)
    if (last - first).days // _SHORTEST[grain] > MOST_PERIODS:
        raise UsageError(
            f"{first} to {last} are more than {MOST_PERIODS:,} {grain}s; "
            f"ask for fewer of them, or for a longer grain"
        )
    return list(calendar_of(rows.company.calendar).periods(grain, first, last))


def _measure_series(
    rows: Rows, splits: dict[str, list[tuple[str, ...]]], windows: Sequence[Window]
) -> list[Series]:
    """Measure every metric.

    For each of its splits one series a segment, in the order of the metrics.
    """
    names_by_split: dict[tuple[str, ...], list[str]] = {}
    for name, own in splits.items():
        for split in own:
            names_by_split.setdefault(split, []).append(name)
    evaluated = {}
    for split, names in names_by_split.items():
        evaluated[split] = evaluate_all(Scope(rows, split), names, windows)
    series = []
    for name, own in splits.items():
        for split in own:
            series += _series_of_split(rows, split, evaluated[split][name])
    return series


def _series_of_split(rows: Rows, by: tuple[str, ...], evaluated: Evaluated) -> list[Series]:
    metric, measured = evaluated.metric, evaluated.measured
    if evaluated.is_family:
        return [Series(metric, TOTAL, measured, metric)]
    if listed := members(rows, metric, by):
        measured = measured.segments(list(dict.fromkeys([*measured.value.columns, *listed])))
    return [Series(metric, segment, measured, segment) for segment in measured.value.columns]
