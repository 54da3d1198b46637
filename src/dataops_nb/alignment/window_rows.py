"""Measures that need the rows of each window: medians, distinct counts, open spans.

Distinct counts are exact. They do not add up, but windows need not be asked one by one: they are
cut into pieces at all their ends, the different values of each piece are kept (as one bit a value
where the engine can and they are whole numbers close together, else as a list) and put together for
each window. Where the bits of all values would take much memory, they are counted in turns, a range
of values after the other, and these counts add up.

A span, such as a subscription, touches a stretch of windows that lie side by side, so it is enough
to know the first window that it touches and the one where it is over. The engine counts or adds up
the spans with the same two places; a window's value is then put together from the places around it.
Comparing each span with each window, as one would write by hand, takes as many times longer as
there are windows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlglot import exp

from dataops_nb.alignment import queries
from dataops_nb.alignment.daily import name_segments
from dataops_nb.alignment.rows import Rows, WholeNumbers
from dataops_nb.alignment.sql import DAYS
from dataops_nb.alignment.windows import (
    TOTAL,
    Days,
    Window,
    Windows,
    cut_pieces,
    date_dimension,
    window_frame,
)
from dataops_nb.metrics import Measure

BITS_A_TURN = 1 << 28  # of all pieces and segments together: 32 MiB
MOST_TURNS = 8  # each looks at all rows
BITS_A_ROW = 400  # where there are more, a list of the values takes less memory
LEAST_BIGINT, MOST_BIGINT = -(2**63), 2**63 - 1
MOST_DAYS = 200_000  # of the table of days; windows that lie further apart are compared one by one
AT_ONCE = 2_000_000  # values that are added up together
_OVER: dict[str, np.ufunc] = {"sum": np.add, "min": np.fmin, "max": np.fmax}

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Dated:
    """A measure, the column that dates its rows, and the first day that it speaks about."""

    what: Measure
    time: str
    since: dt.date | None


def measure_windows(
    rows: Rows, dated: Dated, windows: Windows, by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure what needs the rows of each window.

    Returns value and n, one row a window and one column a segment. Board, links and priorities ask
    for much the same windows: no total is asked for twice.
    """
    if by or queries.converts(rows, dated.what):
        return _ask(rows, dated, windows, by)
    known: dict[tuple[dt.date, dt.date], tuple[float, float]]
    known = rows.once(("over windows", dated), dict)
    days = [(window.start, window.end) for window in windows]
    missing = Windows(Window(*ends) for ends in dict.fromkeys(days) if ends not in known)
    if missing:
        value, n = _ask(rows, dated, missing, by)
        value, n = value.reindex(columns=[TOTAL]), n.reindex(columns=[TOTAL])
        for window, cell, count in zip(missing, value[TOTAL], n[TOTAL], strict=True):
            known[window.start, window.end] = cell, count
    cells = np.array([known[ends] for ends in days], dtype=float).reshape(-1, 2)
    return pd.DataFrame({TOTAL: cells[:, 0]}), pd.DataFrame({TOTAL: cells[:, 1]})


def _ask(
    rows: Rows, dated: Dated, windows: Windows, by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    what = dated.what
    if what.open is not None:
        measured = measure_spans(rows, what, windows, by)
        if measured is not None:
            return measured
        query = queries.open_spans(rows, what, by)
        frame = rows.fetch(query, **{queries.WINDOWS: window_frame(windows)})
    elif what.agg == "count_distinct" and not queries.speaks_of_window(what):
        frame = _count_distinct(rows, what, dated.time, windows, by)
    else:
        query = queries.by_window(rows, what, dated.time, by)
        days = date_dimension(windows, since=dated.since)
        frame = rows.fetch(query, **{DAYS: days})
    return from_windows(frame, windows, by)


def from_windows(
    frame: pd.DataFrame, windows: Sequence[Window], by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A query's `w d0.. v n` as two tables with one row a window and one column a segment."""
    return spread_cells(frame, frame["w"].to_numpy(dtype=int), pd.RangeIndex(len(windows)), by)


def spread_cells(
    frame: pd.DataFrame, places: np.ndarray[Any, Any], rows: pd.Index, by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `v` and `n` of a query as two tables: rows by place, and one column a segment."""
    columns, names = name_segments(frame, by)

    def spread(cells: pd.Series) -> pd.DataFrame:
        wide = np.full((len(rows), len(names)), np.nan)
        wide[places, columns] = cells.to_numpy(dtype=float, na_value=np.nan)
        return pd.DataFrame(wide, index=rows, columns=names)

    return spread(frame["v"]), spread(frame["n"])


def _count_distinct(
    rows: Rows, what: Measure, time: str, windows: Sequence[Window], by: tuple[str, ...]
) -> pd.DataFrame:
    """`w d0.. v n`: the distinct values in each window and segment, and the rows that have one."""
    pieces, made = cut_pieces(windows)
    overlap = made["_nb_piece"].duplicated().any()
    frames = {DAYS: date_dimension(pieces if overlap else windows)}
    if overlap:
        frames[queries.WINDOWS] = made
    turns: list[tuple[int, int]] = []
    numbers = rows.whole_numbers(what.source, what.expr or "")
    if numbers is not None:
        segments = _segments(rows, what, by) if by else 1
        turns = _turns(numbers, len(pieces) * segments)
    if not turns:
        query = queries.distinct(rows, what, time, by, ends=None, overlap=bool(overlap))
        return rows.fetch(query, **frames)
    counted = []
    for values in turns:
        own = what if len(turns) == 1 else _within(what, values, or_none=values == turns[0])
        query = queries.distinct(rows, own, time, by, ends=values, overlap=bool(overlap))
        counted.append(rows.fetch(query, **frames))
    if len(counted) == 1:
        return counted[0]
    together = pd.concat(counted)
    keys = [name for name in together if name not in {"v", "n"}]
    return together.groupby(keys, sort=False, as_index=False)[["v", "n"]].sum()


def _turns(numbers: WholeNumbers, lists: int) -> list[tuple[int, int]]:
    """Cut the values of a column into ranges, each counted in a turn with so many lists of bits.

    No range is returned where a list of the different values takes less.
    """
    if not LEAST_BIGINT <= numbers.least <= numbers.greatest <= MOST_BIGINT:
        return []
    values = numbers.greatest - numbers.least + 1
    bits = values * max(lists, 1)
    number = -(-bits // BITS_A_TURN)
    if number > MOST_TURNS or bits > max(BITS_A_ROW * numbers.rows, BITS_A_TURN):
        return []
    step = -(-values // number)
    begins = range(numbers.least, numbers.greatest + 1, step)
    return [(begin, min(begin + step - 1, numbers.greatest)) for begin in begins]


def _within(what: Measure, values: tuple[int, int], *, or_none: bool) -> Measure:
    """Return a measure of the rows whose values are in a range, `or_none` where they have none.

    One turn counts these, or a window with no other rows would be missed.
    """
    within = f"{what.expr} between {values[0]} and {values[1]}"
    if or_none:
        within += f" or {what.expr} is null"
    also = f"({what.filter}) and ({within})" if what.filter else within
    return what.model_copy(update={"filter": also})


def _segments(rows: Rows, what: Measure, by: tuple[str, ...]) -> int:
    """How many segments a split of a source has."""
    columns = [exp.column(name, quoted=True) for name in by]
    each = exp.select(*columns).distinct().from_(rows.relation(what.source))
    counted = rows.fetch(exp.select("count(*) as n").from_(each.subquery("s")))
    return int(counted["n"].iloc[0])


# --- open spans ----------------------------------------------------------------------------------


def measure_spans(
    rows: Rows, what: Measure, windows: Windows, by: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return value and n of a measure over spans, one row a window and one column a segment.

    None where it must be computed window by window: a median needs the spans of each, and windows
    of several lengths may not lie side by side.
    """
    if what.agg not in {"count", "count_distinct", *_OVER} or not len(windows):
        return None
    order = _in_order(windows, at_end=what.at == "end")
    if order is None:
        return None
    last = windows.ends[order]
    since = last if what.at == "end" else windows.starts[order]
    if int((last[-1] - since[0]).astype(int)) > MOST_DAYS:
        return None
    query = queries.placed_spans(rows, what, by, (since[0], last[-1]))
    frame = rows.fetch(query, **{queries.PLACES: _places(since, last)})
    segments, names = name_segments(frame, by)
    cells = _Cells(segments, order, (len(windows), len(names)))
    opened, closed = (frame[name].to_numpy(dtype=int) for name in ("lo", "hi"))
    filled = cells.add(frame["n"].to_numpy(dtype=float), opened, closed)
    has_rows = cells.add(np.ones(len(frame)), opened, closed) > 0
    amounts = frame["v"].to_numpy(dtype=float, na_value=np.nan)
    if what.agg in _OVER:
        value = cells.put_together(_OVER[what.agg], amounts, opened, closed)
        value[filled == 0] = np.nan
    else:
        since_when = frame["mid"].to_numpy(dtype=int) if "mid" in frame else opened
        value = cells.add(amounts, since_when, closed)
    return (
        pd.DataFrame(np.where(has_rows, value, np.nan), columns=names),
        pd.DataFrame(np.where(has_rows, filled, np.nan), columns=names),
    )


def _in_order(windows: Windows, *, at_end: bool) -> Array | None:
    """Return the places of windows by their days, or None where some lie within others."""
    order = np.lexsort((windows.starts, windows.ends))
    firsts = windows.starts[order]
    if not at_end and (np.diff(firsts) < np.timedelta64(0, "D")).any():
        return None
    return order


def _places(since: Days, last: Days) -> pd.DataFrame:
    """Return `_nb_day _nb_lo _nb_hi`: for a day, the place of the first window that a span touches
    which opens on it, and of the first one that it no longer touches when it closes on it."""
    days = np.arange(since[0], last[-1] + np.timedelta64(2, "D"))
    return pd.DataFrame(
        {
            "_nb_day": days.astype("datetime64[s]"),
            "_nb_lo": np.searchsorted(last, days, side="left"),
            "_nb_hi": np.searchsorted(since, days, side="left"),
        }
    )


class _Cells:
    """A table of windows and segments that groups of spans are put into."""

    def __init__(self, segments: Array, order: Array, shape: tuple[int, int]) -> None:
        self.segments, self.order, self.shape = segments, order, shape

    def add(self, counts: Array, opened: Array, closed: Array) -> Array:
        """Count the spans of each window: those that came, less those that are over."""
        change = np.zeros((self.shape[0] + 1, self.shape[1]))
        touches = opened < closed
        np.add.at(change, (opened[touches], self.segments[touches]), counts[touches])
        np.subtract.at(change, (closed[touches], self.segments[touches]), counts[touches])
        return self._by_window(change[:-1].cumsum(axis=0))

    def put_together(self, over: np.ufunc, amounts: Array, opened: Array, closed: Array) -> Array:
        """Put the amounts of each window together.

        Amounts that are over are not taken off a running sum: the digits lost by it would stay.
        """
        start = 0.0 if over is np.add else np.nan
        table = np.full(self.shape, start)
        held = np.flatnonzero(~np.isnan(amounts) & (opened < closed))
        lengths = (closed - opened)[held]
        parts = np.searchsorted(lengths.cumsum(), np.arange(AT_ONCE, lengths.sum(), AT_ONCE))
        for group in np.split(held, np.unique(parts)):
            length = (closed - opened)[group]
            begins = np.repeat(opened[group] - (length.cumsum() - length), length)
            window = begins + np.arange(length.sum())
            over.at(
                table,
                (window, np.repeat(self.segments[group], length)),
                np.repeat(amounts[group], length),
            )
        return self._by_window(table)

    def _by_window(self, ordered: Array) -> Array:
        table = np.empty_like(ordered)
        table[self.order] = ordered
        return table
