"""From rows to numbers: one measure over any list of windows.

Additive measures are aggregated once by local day and segment; every week, month, trailing window
and to-date is then a sum over days. What needs the rows of each window is asked by `window_rows`.

A conversion is the share of those to whom one thing happened in a window to whom another happened
soon after. A cohort is judged only when everybody in it had the whole time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlglot import exp

from dataops_nb.alignment import queries
from dataops_nb.alignment.daily import (
    SHARED,
    Block,
    add_up,
    blocks,
    by_day,
    is_daily,
    slices,
)
from dataops_nb.alignment.decimals import Values, as_written, written_all
from dataops_nb.alignment.digits import EXACT, Digits, ask_digits, is_large, put_right
from dataops_nb.alignment.rows import Coverage, Rows
from dataops_nb.alignment.window_rows import Dated, from_windows, measure_windows, spread_cells
from dataops_nb.alignment.windows import DAYS as DAY_TYPE
from dataops_nb.alignment.windows import (
    TOTAL,
    Measured,
    Window,
    Windows,
    blanked,
    reach,
    weakest,
    window_frame,
)
from dataops_nb.company import Company
from dataops_nb.errors import UsageError
from dataops_nb.metrics import Conversion, Listed, Measure, Simple, SourceTarget
from dataops_nb.terms import Duration, after

_COUNTS_ZERO = {"count", "sum", "count_distinct", "first_seen"}
AT_ONCE = 50  # series that are added up together; more take memory and no less time
COLUMNS = ["metric", "source", "query"]


def measure(
    rows: Rows,
    what: Measure,
    windows: Sequence[Window],
    by: tuple[str, ...],
    *,
    apart: bool = False,
) -> Measured:
    """One measure over windows, split by the columns in `by` (none: the total).

    A stock's value is the one on the last day with rows: of all segments together, or `apart` on
    each one's own.
    """
    rates = rows.company.rates
    if rows.faulty(what.source) or (what.currency and rates and rows.faulty(rates.source)):
        return unknown(windows, by)
    coverage = coverage_of(rows, what)
    covered = reach(windows, coverage, at_end=what.at == "end")
    known = _covered(windows, coverage, rows.as_of, what)
    value, n, is_exact = _aggregate(rows, what, known, by, apart=apart)
    if not is_exact:
        value = put_right(value, measure_digits(rows, what, windows, by, apart=apart))
    is_sparse_stock = what.at == "end" and what.open is None
    zero = what.agg in _COUNTS_ZERO and not is_sparse_stock
    outside = covered["coverage"] == 0
    if zero:
        # A sum of no rows is 0; a sum of rows whose cells are all empty is not known.
        is_known = value.notna() | (n.notna() & (what.agg == "sum"))
        value = value.where(is_known, 0.0)
    value = blanked(as_written(rows, what, time_of(rows, what), value, n), outside)
    return Measured(value, blanked(n.fillna(0), outside, 0), covered, zero)


def measure_all(
    rows: Rows, whats: Iterable[Measure], windows: Sequence[Window], by: tuple[str, ...] = ()
) -> dict[Measure, Measured]:
    """Measure many measures that add up over days, split by `by`, all of a source at once.

    Measures of any other kind, and those that were not gathered, are left out.
    """
    timed = [(what, time_of(rows, what)) for what in whats if is_shared(rows, what)]
    totals: list[_Totals] = []
    for block in blocks(rows, timed, by):
        if not block.segments:  # no row is known yet, so there is nothing to add up
            continue
        by_agg: dict[str, list[int]] = {}
        for place, what in enumerate(block.whats):
            if what.at is None:
                by_agg.setdefault(what.agg, []).append(place)
        step = max(AT_ONCE // max(len(block.segments), 1), 1)
        for places in by_agg.values():
            for start in range(0, len(places), step):
                part = places[start : start + step]
                totals.append(_Totals.of(rows, block, part, Windows(windows)))
    measured: dict[Measure, Measured] = {}
    for own, value in zip(totals, written_all(rows, [own.values for own in totals]), strict=True):
        measured |= own.measured(value)
    return measured


def is_shared(rows: Rows, what: Measure) -> bool:
    """Tell whether a measure is fetched by day together with others of its source."""
    if what.agg not in SHARED or not is_daily(what) or rows.faulty(what.source):
        return False
    rates = rows.company.rates
    return not (what.currency and rates and rows.faulty(rates.source))


@dataclass(frozen=True)
class _Totals:
    """Measures of one source with one aggregate, over windows.

    `values`, which `measured` changes, have a row for each of the `segments` of each measure; they
    are not yet as they were written, and `n` is 0 where nothing is known. Where a value `is_large`,
    its digits must be asked for; a segment that never `has_rows` is none of that measure.
    """

    values: Values
    segments: list[str]
    covered: pd.DataFrame
    is_large: np.ndarray[Any, np.dtype[np.bool_]]
    has_rows: np.ndarray[Any, np.dtype[np.bool_]]

    @classmethod
    def of(cls, rows: Rows, block: Block, places: list[int], windows: Windows) -> _Totals:
        """Add up those measures of a block that have one aggregate in common."""
        whats = [block.whats[place] for place in places]
        agg, own = whats[0].agg, block.rows_of(places)
        of_days = block.value[own]
        coverage = coverage_of(rows, whats[0])
        known = _covered(windows, coverage, rows.as_of, whats[0])
        value, n = add_up(agg, block.days, of_days, block.n[own], known)
        if agg in _COUNTS_ZERO:
            is_known = ~np.isnan(value) | (~np.isnan(n) & (agg == "sum"))
            value = np.where(is_known, value, 0.0)
        is_large = np.asarray((np.abs(of_days) >= EXACT).any(axis=1))
        has_rows = np.asarray((~np.isnan(block.n[own])).any(axis=1))
        if block.segments == [TOTAL]:
            has_rows[:] = True
        return cls(
            Values(
                [what for what in whats for _ in block.segments],
                time_of(rows, whats[0]),
                value,
                np.nan_to_num(n, copy=False),
            ),
            block.segments,
            reach(windows, coverage, at_end=False),
            is_large & (agg in queries.OF_INTEGERS),
            has_rows,
        )

    def measured(self, value: np.ndarray[Any, np.dtype[np.float64]]) -> dict[Measure, Measured]:
        """Return the measures with their values as they were written."""
        outside = (self.covered["coverage"] == 0).to_numpy()
        n = self.values.n
        value[:, outside], n[:, outside] = np.nan, 0.0
        measured = {}
        count = len(self.segments)
        for start in range(0, len(value), count):
            what = self.values.whats[start]
            own = start + np.flatnonzero(self.has_rows[start : start + count])
            if self.is_large[own].any():
                continue
            names = [self.segments[place - start] for place in own]
            every = own if len(own) < count else slice(start, start + count)
            wide, counts = (
                pd.DataFrame(cells[every].T, columns=names, copy=False) for cells in (value, n)
            )
            measured[what] = Measured(wide, counts, self.covered, what.agg in _COUNTS_ZERO)
        return measured


def measure_digits(
    rows: Rows,
    what: Measure,
    windows: Sequence[Window],
    by: tuple[str, ...],
    *,
    apart: bool = False,
) -> dict[str, Digits]:
    """The whole numbers of one measure over the days of windows that it covers (`ask_digits`)."""
    known = _covered(windows, coverage_of(rows, what), rows.as_of, what)
    return ask_digits(rows, what, time_of(rows, what), known, by, apart=apart)


def _covered(
    windows: Sequence[Window], coverage: Coverage, as_of: dt.date, what: Measure
) -> Windows:
    """Cut windows to the days that a measure speaks about: no row outside of them counts.

    The first day of a window stays where the measure's own SQL speaks of it.
    """
    first = None if queries.speaks_of_window(what) else coverage.first
    return Windows(windows).within(first, coverage.last or as_of)


def unknown(windows: Sequence[Window], by: tuple[str, ...]) -> Measured:
    """No value for any window, because what stands behind it has faults."""
    value = pd.DataFrame(np.nan, index=range(len(windows)), columns=[] if by else [TOTAL])
    return Measured(value, value.fillna(0).astype(int), reach(windows, None, at_end=False))


def coverage_of(rows: Rows, what: Measure) -> Coverage:
    """The days that a measure speaks about.

    Open spans are known from the first day on which one starts to the last on which one starts or
    ends, whatever column dates the rows of their source otherwise.
    """
    if what.open is None or what.time is not None:
        return rows.coverage(what.source, time_of(rows, what))
    ends = [rows.coverage(what.source, time) for time in (what.open.from_, what.open.to)]
    firsts = [covered.first for covered in ends if covered.first]
    lasts = [covered.last for covered in ends if covered.last]
    days = [covered.last_row for covered in ends if covered.last_row]
    return Coverage(
        min(firsts, default=None),
        max(lasts, default=None),
        all(covered.stale for covered in ends),
        max(days, default=None),
    )


def time_of(rows: Rows, what: Measure) -> str:
    """The column that puts a measure's rows on a calendar."""
    origin = rows.company.origins.get(what.source)
    declared = origin.time if origin else None
    time = what.time or declared or (what.open.from_ if what.open else None)
    if time is None:
        raise UsageError(
            f"source {what.source} has no time column, so its rows cannot be put on a calendar; "
            f"declare  time:  on the source or on the measure"
        )
    return time


def _aggregate(
    rows: Rows, what: Measure, windows: Windows, by: tuple[str, ...], *, apart: bool
) -> tuple[pd.DataFrame, pd.DataFrame, bool]:
    """Return value and n, one row a window and one column a segment, and whether floats hold what
    they were made of.

    `n` counts filled cells; it is missing where there are no rows.
    """
    if what.open is not None or not is_daily(what):
        dated = Dated(what, time_of(rows, what), coverage_of(rows, what).first)
        value, n = measure_windows(rows, dated, windows, by)
        return value, n, what.agg not in queries.OF_INTEGERS or not is_large(value)
    if what.at == "end":
        frame = by_day(rows, what, time_of(rows, what), by)
        value, n = _on_last_day(frame, what, windows, by, apart=apart)
    else:
        frame = by_day(rows, what, time_of(rows, what), by)
        value, n = _over_days(frame, what, windows, by)
    return value, n, what.agg not in queries.OF_INTEGERS or not is_large(frame["v"])


def _by_days(frame: pd.DataFrame, by: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A query's `day d0.. v n` as two tables with one row a day that has any and one column a
    segment."""
    days, places = np.unique(frame["day"].to_numpy(dtype="datetime64[s]"), return_inverse=True)
    return spread_cells(frame, places, pd.DatetimeIndex(days), by)


def _over_days(
    frame: pd.DataFrame, what: Measure, windows: Windows, by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put the days of each window together: their sum, their least or their greatest value."""
    v, n = _by_days(frame, by)
    days = v.index.to_numpy().astype(DAY_TYPE)
    together, counts = add_up(what.agg, days, v.to_numpy().T, n.to_numpy().T, windows)
    return pd.DataFrame(together.T, columns=v.columns), pd.DataFrame(counts.T, columns=v.columns)


def _on_last_day(
    frame: pd.DataFrame, what: Measure, windows: Windows, by: tuple[str, ...], *, apart: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the value on the last day of each window that has rows (`apart`: of each segment)."""
    v, n = _by_days(frame, by)
    if v.empty:
        return v.reindex(range(len(windows))), n.reindex(range(len(windows)))
    has_rows = n.notna().to_numpy() if apart else np.ones(n.shape, dtype=bool)
    place = np.arange(len(n))[:, None]
    last_with_rows = np.maximum.accumulate(np.where(has_rows, place, -1), axis=0)
    firsts, stops = slices(v.index.to_numpy().astype(DAY_TYPE), windows)
    last = last_with_rows[stops - 1]
    empty = (last < firsts[:, None]) | (stops == 0)[:, None]

    def take(table: pd.DataFrame, absent: float) -> pd.DataFrame:
        cells = np.take_along_axis(table.to_numpy(dtype=float), last, axis=0)
        return pd.DataFrame(np.where(empty, absent, cells), columns=v.columns)

    known = v.where(n.notna(), 0.0) if what.agg in _COUNTS_ZERO else v
    return take(known, np.nan), take(n.fillna(0), 0.0)


def convert(
    rows: Rows, what: Conversion, windows: Sequence[Window], by: tuple[str, ...]
) -> Measured:
    """The share that converts, of the entities with a base event in each window.

    `n` counts those entities.
    """
    base, then = (_measure(rows, name) for name in (what.base_metric, what.conversion_metric))
    if rows.faulty(base.source) or rows.faulty(then.source):
        return unknown(windows, by)
    covered = _reach(rows, base, then, what.window, windows)
    base_days = rows.coverage(base.source, time_of(rows, base))
    asked = window_frame(_covered(windows, base_days, rows.as_of, base))
    events = [queries.Event(each, time_of(rows, each), what.entity) for each in (base, then)]
    query = queries.converted(rows, events[0], events[1], what.window, by)
    found, n = from_windows(rows.fetch(query, **{queries.WINDOWS: asked}), windows, by)
    outside = covered["coverage"] == 0
    return Measured(
        blanked(found / n.where(n > 0), outside), blanked(n.fillna(0), outside, 0), covered
    )


def _reach(
    rows: Rows, base: Measure, then: Measure, length: Duration, windows: Sequence[Window]
) -> pd.DataFrame:
    """How far the base events are known, and the conversions of the last of them."""
    open_to = [Window(w.start, after(w.end, length)) for w in windows]
    return weakest(
        [
            reach(asked, rows.coverage(each.source, time_of(rows, each)), at_end=False)
            for each, asked in ((base, windows), (then, open_to))
        ]
    )


def _measure(rows: Rows, name: str) -> Measure:
    metric = rows.company.metrics[name]
    if not isinstance(metric, Simple):
        raise UsageError(f"metric {name} is no simple metric, so it has no rows that convert")
    return metric.measure


def declared_splits(company: Company, metric: str) -> list[tuple[str, ...]]:
    """The splits that a metric's `by:` declares, each a tuple of columns."""
    splits: list[tuple[str, ...]] = []
    for split in company.metrics[metric].by:
        if isinstance(split, str):
            splits.append((split,))
        elif isinstance(split, Listed):
            splits.append((split.column,))
        else:
            splits.append(tuple(split))
    return splits


def members(rows: Rows, metric: str, by: tuple[str, ...]) -> list[str]:
    """The labels of the segments that a split has by another source's list (`values:`), with rows
    or without."""
    listed = None
    for split in rows.company.metrics[metric].by:
        if isinstance(split, Listed) and (split.column,) == by:
            listed = split.values
            break
    if listed is None:
        return []
    source, _, column = listed.partition(".")
    if rows.faulty(source):
        return []
    text = exp.alias_(exp.cast(exp.column(column, quoted=True), "text"), "member")
    table = rows.fetch(exp.select(text).distinct().from_(rows.relation(source)).order_by("member"))
    return [f"{by[0]}={member}" for member in table["member"].dropna()]


def sources_of(company: Company, metrics: Iterable[str]) -> list[str]:
    """The sources that these metrics read.

    Their rows and those of their parts, rates, their targets and listed members.
    """
    wanted = list(metrics)
    sources: list[str] = []
    for name in company.upstream(wanted):
        metric = company.metrics[name]
        if isinstance(metric, Simple):
            sources.append(metric.measure.source)
            if metric.measure.currency and company.rates:
                sources.append(company.rates.source)
    for name in wanted:
        sources += _sources_beside(company, name)
    return list(dict.fromkeys(sources))


def _sources_beside(company: Company, name: str) -> Iterator[str]:
    """Yield the sources of a metric's targets and of the members of its splits."""
    metric = company.metrics[name]
    for target in metric.targets:
        if isinstance(target, SourceTarget):
            yield target.source
    for split in metric.by:
        if isinstance(split, Listed) and split.values:
            yield split.values.partition(".")[0]


def receipts(rows: Rows, metric: str) -> pd.DataFrame:
    """`metric source query`: one row for each measure that a metric stands on, parts first."""
    receipt = []
    for name in rows.company.upstream([metric]):
        part = rows.company.metrics[name]
        if isinstance(part, Simple) and not rows.faulty(part.measure.source):
            receipt.append((name, part.measure.source, _query(rows, part.measure)))
    return pd.DataFrame(receipt, columns=COLUMNS)


def _query(rows: Rows, what: Measure) -> str:
    if what.open is not None:
        query = queries.open_spans(rows, what, ())
    elif queries.speaks_of_window(what) or (
        what.agg in {"median", "percentile", "count_distinct"} and what.at is None
    ):
        query = queries.by_window(rows, what, time_of(rows, what), ())
    elif what.agg == "first_seen":
        query = queries.first_rows(rows, what, time_of(rows, what), ())
    else:
        query = queries.daily(rows, what, time_of(rows, what), ())
    return query.sql(dialect=rows.dialect)
