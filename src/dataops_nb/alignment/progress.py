"""Progress: what each period had reached by the position that the open one is at now.

An unfinished week cannot be judged by its target, only by what earlier weeks had at the same point.
Metrics whose days are looked at alike are measured together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.alignment.comparisons import dimensions
from dataops_nb.alignment.formulas import Scope, evaluate, prepare
from dataops_nb.alignment.measures import declared_splits
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import DAY, DAYS, TOTAL, Window, Windows, series_of, window
from dataops_nb.metrics import Conversion, Cumulative
from dataops_nb.periods import Calendar, Period, at_position, position

PRIOR = 52
QUARTER = 91
Places = np.ndarray[Any, np.dtype[np.intp]]


def add_so_far(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """Add `so_far`: what the metric had reached in each period by the position of the open one.

    The position is that of the open period's last day of data; in the open period `so_far` is its
    value. A period is open where it holds the day after as-of. `so_far` is missing where none is
    open, for more than 52 periods before it, and for conversions, whose windows are open anyway. Of
    a trailing window it is the value without what its metric still brought in the rest of the
    period.
    """
    so_far = np.full(len(table), np.nan)
    as_of = pd.Timestamp(rows.as_of)
    is_open = (table["period_start"] <= as_of) & (table["period_end"] > as_of)
    if is_open.any():
        has_begun = is_open & (table["data_to"] >= table["period_start"])
        begun = set(table.loc[has_begun, "metric"])
        cells = _Cells.of(table, rows, so_far)
        for split, groups in _groups(table, rows, begun).items():
            _fill(Scope(rows, split), groups, cells)
    return table.assign(so_far=pd.Series(so_far, index=table.index))


def _groups(
    table: pd.DataFrame, rows: Rows, metrics: set[str]
) -> dict[tuple[str, ...], dict[str, dict[str, Places]]]:
    """Return by split where the rows of each of a metric's segments stand, in the open grain."""
    groups: dict[tuple[str, ...], dict[str, dict[str, Places]]] = {}
    for (metric, segment), places in series_of(table).items():
        company = rows.company
        if metric in metrics and not isinstance(company.metrics[metric], Conversion):
            split = dimensions(segment, declared_splits(company, metric))
            groups.setdefault(split, {}).setdefault(metric, {})[segment] = places
    return groups


@dataclass(frozen=True)
class _Cells:
    """The columns that are looked at, and the one that is filled."""

    start: np.ndarray[Any, np.dtype[np.datetime64]]
    data_to: pd.Series
    value: np.ndarray[Any, np.dtype[np.float64]]
    so_far: np.ndarray[Any, np.dtype[np.float64]]
    now: Period

    @classmethod
    def of(cls, table: pd.DataFrame, rows: Rows, so_far: np.ndarray[Any, Any]) -> _Cells:
        """Return the columns of a table, whose periods are of one grain."""
        return cls(
            start=table["period_start"].to_numpy().astype(DAYS),
            data_to=table["data_to"],
            value=table["value"].to_numpy(dtype=float, na_value=np.nan),
            so_far=so_far,
            now=Scope(rows).calendar.period(table["grain"].iloc[0], rows.as_of),
        )


@dataclass(frozen=True)
class _Asked:
    """A metric's segments, the earlier periods they are looked at in, and by which day of each."""

    metric: str
    series: dict[str, Places]
    periods: Windows
    windows: Windows
    not_begun: np.ndarray[Any, np.dtype[np.bool_]]


def _fill(scope: Scope, groups: dict[str, dict[str, Places]], cells: _Cells) -> None:
    """Put `so_far` of the segments of a split into its column."""
    company, now = scope.company, np.datetime64(cells.now.start)
    offs = _days_off(scope, groups, cells.now)
    known: dict[tuple[float, dt.date, bytes], tuple[Windows, Windows, Any]] = {}
    asked: list[_Asked] = []
    for metric, series in groups.items():
        places = np.concatenate(list(series.values()))
        open_rows = places[cells.start[places] == now]
        data_to = cells.data_to.iloc[open_rows].min()
        if pd.isna(data_to) or data_to.date() < cells.now.start:
            continue
        cells.so_far[open_rows] = cells.value[open_rows]
        starts = np.unique(cells.start[places])
        earlier = starts[starts < now][-PRIOR:]
        base = _base(scope, metric)
        if not len(earlier) or (base != metric and not company.adds_up(base)):
            continue
        day = min(data_to.date(), scope.rows.as_of)
        key = offs[metric], day, earlier.tobytes()
        if key not in known:
            known[key] = _up_to(scope.calendar, cells.now, day, earlier.tolist(), offs[metric])
        asked.append(_Asked(metric, series, *known[key]))
    for windows in dict.fromkeys(one.windows for one in asked):
        names = [_base(scope, one.metric) for one in asked if one.windows is windows]
        prepare(scope, names, windows)
    for one in asked:
        _fill_series(scope, one, cells)


def _base(scope: Scope, metric: str) -> str:
    """Return the metric whose days are looked at: of a trailing window what it adds up."""
    definition = scope.company.metrics[metric]
    return definition.metric if isinstance(definition, Cumulative) else metric


def _fill_series(scope: Scope, asked: _Asked, cells: _Cells) -> None:
    base, names = _base(scope, asked.metric), list(asked.series)
    reached = _values(scope, base, asked.windows, names)
    if scope.company.adds_up(base):
        reached = np.where(asked.not_begun[:, None], 0.0, reached)
    left = None
    if base != asked.metric:
        left = _values(scope, base, asked.periods, names) - reached
    for column, places in enumerate(asked.series.values()):
        row = np.searchsorted(asked.periods.starts, cells.start[places])
        inside = np.minimum(row, len(asked.periods) - 1)
        is_earlier = asked.periods.starts[inside] == cells.start[places]
        own, row = places[is_earlier], inside[is_earlier]
        if left is None:
            cells.so_far[own] = reached[row, column]
        else:
            cells.so_far[own] = cells.value[own] - left[row, column]


def _values(scope: Scope, metric: str, windows: Windows, names: list[str]) -> np.ndarray[Any, Any]:
    return evaluate(scope, metric, windows).segments(names).value.to_numpy(dtype=float)


def _up_to(
    cut: Calendar, now: Period, day: dt.date, starts: Iterable[dt.date], off: float
) -> tuple[Windows, Windows, np.ndarray[Any, Any]]:
    """Return periods, each up to where the open one is on a day, and which had not begun there."""
    periods = [cut.period(now.grain, start) for start in starts]
    share = position(cut, now, day, off)
    windows, not_begun = [], []
    for period in periods:
        last = at_position(cut, period, share, off)
        windows.append(Window(period.start, max(last, period.start), period.grain))
        not_begun.append(last < period.start)
    return Windows(map(window, periods)), Windows(windows), np.array(not_begun, dtype=bool)


def _days_off(scope: Scope, metrics: Iterable[str], now: Period) -> dict[str, float]:
    """Return what comes on a day off for each unit on a working day, over the 91 days before.

    It is 1 where days do not add up, or nothing tells it.
    """
    cut = scope.calendar
    offs = dict.fromkeys(metrics, 1.0)
    if now.grain == "week" and not cut.holidays:
        return offs
    days = [now.start - number * DAY for number in range(1, QUARTER + 1)]
    windows = Windows(Window(day, day, "day") for day in days)
    worked = np.array([cut.working_days(day, day) == 1 for day in days])
    totals = Scope(scope.rows)
    flows = [metric for metric in offs if scope.company.adds_up(metric)]
    prepare(totals, flows, windows)
    for metric in flows:
        values = evaluate(totals, metric, windows).value[TOTAL].to_numpy(dtype=float)
        known = np.isfinite(values)
        at_work, off = values[worked & known], values[~worked & known]
        if len(at_work) and len(off) and at_work.mean() > 0:
            offs[metric] = float(np.clip(off.mean() / at_work.mean(), 0.0, 1.0))
    return offs
