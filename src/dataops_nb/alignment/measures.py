"""From rows to numbers: one measure over any list of windows.

Additive measures are aggregated once by local day and segment; every week, month, trailing window and to-date is then a
sum over days. Distinct counts, medians, open spans and filters that speak of the period need the rows of each window.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.alignment import queries
from dataops_nb.alignment.distinct import count_distinct
from dataops_nb.alignment.frames import date_dimension, window_frame
from dataops_nb.alignment.measured import TOTAL, Measured, Window, blanked, reach
from dataops_nb.definitions.models import Measure
from dataops_nb.errors import UsageError
from dataops_nb.sources import Catalog

_COUNTS_ZERO = {"count", "sum", "count_distinct", "first_seen"}
_ADDS_UP = {"count", "sum", "average", "min", "max", "first_seen"}


def measure(
    catalog: Catalog, what: Measure, windows: list[Window], by: tuple[str, ...], *, apart: bool = False
) -> Measured:
    """One measure over windows, split by the columns in `by` (none: the total).

    A stock's value is the one on the last day with rows: of all segments together, or `apart` on each one's own.
    """
    rates = catalog.definitions.company.rates
    if catalog.faulty(what.source) or (what.currency and rates and catalog.faulty(rates.source)):
        return unknown(windows, by)
    coverage = catalog.coverage(what.source, time_of(catalog, what))
    covered = reach(windows, coverage, at_end=what.at == "end")
    seen = coverage.last or catalog.as_of
    known = [Window(w.start, min(w.end, seen), w.grain) for w in windows]
    value, n = _aggregate(catalog, what, known, by, apart=apart)
    is_sparse_stock = what.at == "end" and what.open is None
    zero = what.agg in _COUNTS_ZERO and not is_sparse_stock
    outside = covered["coverage"] == 0
    value = blanked(value.fillna(0.0) if zero else value, outside)
    return Measured(value, blanked(n.fillna(0), outside, 0), covered, zero)


def unknown(windows: list[Window], by: tuple[str, ...]) -> Measured:
    """No value for any window, because what stands behind it has faults."""
    value = pd.DataFrame(np.nan, index=range(len(windows)), columns=[] if by else [TOTAL])
    return Measured(value, value.fillna(0).astype(int), reach(windows, None, at_end=False))


def time_of(catalog: Catalog, what: Measure) -> str:
    """The column that puts a measure's rows on a calendar."""
    declared = catalog.definitions.company.sources[what.source].time
    time = what.time or declared or (what.open.from_ if what.open else None)
    if time is None:
        raise UsageError(
            f"source {what.source} has no time column, so its rows cannot be put on a calendar; "
            f"declare  time:  on the source or on the measure"
        )
    return time


def _aggregate(
    catalog: Catalog, what: Measure, windows: list[Window], by: tuple[str, ...], *, apart: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if what.open is not None:
        spans = window_frame(windows)
        return from_windows(
            catalog.fetch(queries.open_spans(catalog, what, by), **{queries.WINDOWS: spans}), windows, by
        )
    time = time_of(catalog, what)
    if queries.speaks_of_window(what) or (what.agg not in _ADDS_UP and what.at is None):
        return from_windows(_by_window(catalog, what, time, windows, by), windows, by)
    if what.at == "end":
        return _on_last_day(catalog.fetch(queries.daily(catalog, what, time, by)), what, windows, by, apart=apart)
    return _over_days(_by_day(catalog, what, time, by), what, windows, by)


def _by_window(catalog: Catalog, what: Measure, time: str, windows: list[Window], by: tuple[str, ...]) -> pd.DataFrame:
    if what.agg == "count_distinct" and not queries.speaks_of_window(what):
        return count_distinct(catalog, what, time, windows, by)
    query = queries.by_window(catalog, what, time, by)
    return catalog.fetch(query, **{queries.DAYS: date_dimension(windows)})


def _by_day(catalog: Catalog, what: Measure, time: str, by: tuple[str, ...]) -> pd.DataFrame:
    if what.agg == "first_seen":
        return catalog.fetch(queries.first_rows(catalog, what, time, by))
    return catalog.fetch(queries.daily(catalog, summed(what), time, by))


def summed(what: Measure) -> Measure:
    """What is asked of each day for a measure over days: an average is a sum by its rows."""
    return what.model_copy(update={"agg": "sum"}) if what.agg == "average" else what


def is_daily(what: Measure) -> bool:
    """Whether a measure over any windows is made of its value on each day."""
    return what.open is None and not queries.speaks_of_window(what) and (what.agg in _ADDS_UP or what.at is not None)


def label(by: Iterable[str], values: Iterable[str]) -> str:
    """What a segment is called: `team=East`, `team=East,region=EU`."""
    return ",".join(f"{name}={value}" for name, value in zip(by, values, strict=True))


def _named(frame: pd.DataFrame, by: tuple[str, ...]) -> tuple[np.ndarray[Any, Any], list[str]]:
    """The segment of each row as the place of its name, and the names in order; without a split all rows are the total."""
    if not by:
        return np.zeros(len(frame), dtype=int), [TOTAL]
    keys = frame[[f"d{i}" for i in range(len(by))]].astype(str)
    numbers = keys.groupby(list(keys), sort=False).ngroup().to_numpy()
    names = [label(by, values) for values in keys.drop_duplicates().itertuples(index=False)]
    order = sorted(range(len(names)), key=names.__getitem__)
    return np.argsort(order)[numbers] if names else numbers, [names[i] for i in order]


def from_windows(frame: pd.DataFrame, windows: list[Window], by: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A query's `w d0.. v n` as two tables with one row a window and one column a segment."""
    return _tables(frame, frame["w"].to_numpy(dtype=int), pd.RangeIndex(len(windows)), by)


def _by_days(frame: pd.DataFrame, by: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A query's `day d0.. v n` as two tables with one row a day that has any and one column a segment."""
    days, places = np.unique(frame["day"].to_numpy(dtype="datetime64[s]"), return_inverse=True)
    return _tables(frame, places, pd.DatetimeIndex(days), by)


def _tables(
    frame: pd.DataFrame, places: np.ndarray[Any, Any], rows: pd.Index, by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    columns, names = _named(frame, by)
    wide = np.full((2, len(rows), len(names)), np.nan)
    for table, column in zip(wide, ("v", "n"), strict=True):
        table[places, columns] = frame[column].to_numpy(dtype=float, na_value=np.nan)
    return tuple(pd.DataFrame(table, index=rows, columns=names) for table in wide)  # type: ignore[return-value]


def _slices(days: pd.Index, windows: list[Window]) -> list[slice]:
    known = pd.DatetimeIndex(days).to_numpy().astype("datetime64[D]")
    first = np.searchsorted(known, np.array([w.start for w in windows], dtype="datetime64[D]"), side="left")
    last = np.searchsorted(known, np.array([w.end for w in windows], dtype="datetime64[D]"), side="right")
    return [slice(a, max(a, b)) for a, b in zip(first, last, strict=True)]


def _over_days(
    frame: pd.DataFrame, what: Measure, windows: list[Window], by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    v, n = _by_days(frame, by)
    n = n.fillna(0)
    over = {"min": np.fmin, "max": np.fmax}.get(what.agg, np.add)
    known = v.to_numpy() if what.agg in {"min", "max"} else v.fillna(0).to_numpy()
    start = np.nan if what.agg in {"min", "max"} else 0.0
    slices = _slices(v.index, windows)
    shape = (len(windows), v.shape[1])  # said, because no windows have no width of their own
    value = np.array([over.reduce(known[s], axis=0, initial=start) for s in slices]).reshape(shape)
    rows = np.array([n.to_numpy()[s].sum(axis=0) for s in slices]).reshape(shape)
    if what.agg == "average":
        value = np.divide(value, rows, out=np.full_like(value, np.nan), where=rows > 0)
    return pd.DataFrame(value, columns=v.columns), pd.DataFrame(rows, columns=v.columns)


def _on_last_day(
    frame: pd.DataFrame, what: Measure, windows: list[Window], by: tuple[str, ...], *, apart: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    v, n = _by_days(frame, by)
    if v.empty:
        return v.reindex(range(len(windows))), n.reindex(range(len(windows)))
    known = v.fillna(0.0) if what.agg in _COUNTS_ZERO else v
    has_rows = n.notna().to_numpy() if apart else np.ones(n.shape, dtype=bool)
    place = np.arange(len(n))[:, None]
    last = np.maximum.accumulate(np.where(has_rows, place, -1), axis=0)
    slices = _slices(v.index, windows)
    last = last[[s.stop - 1 for s in slices]]
    empty = last < np.array([s.start for s in slices])[:, None]
    empty |= np.array([s.stop == 0 for s in slices])[:, None]
    value, rows = (np.take_along_axis(each.to_numpy(dtype=float), last, axis=0) for each in (known, n.fillna(0)))
    return tuple(
        pd.DataFrame(np.where(empty, absent, each), columns=v.columns)
        for each, absent in ((value, np.nan), (rows, 0.0))
    )  # type: ignore[return-value]
