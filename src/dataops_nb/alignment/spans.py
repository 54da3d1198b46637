"""Measures over open spans: rows that hold from one day until another, such as subscriptions.

A span touches a stretch of windows that lie side by side, so it is enough to know the first window
that it touches and the one where it is over. The engine counts or adds up the spans with the same
two places; a window's value is then put together from the places around it. Comparing each span
with each window, as one would write by hand, takes as many times longer as there are windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.alignment import queries
from dataops_nb.alignment.daily import name_segments
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import Days, Windows
from dataops_nb.metrics import Measure

MOST_DAYS = 200_000  # of the table of days; windows that lie further apart are compared one by one
AT_ONCE = 2_000_000  # values that are added up together
_OVER: dict[str, np.ufunc] = {"sum": np.add, "min": np.fmin, "max": np.fmax}

Array = np.ndarray[Any, Any]


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
