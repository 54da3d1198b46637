"""Comparisons: which period stands beside a value (before, last year, to date), and its value.

Each is computed from the rows, never by adding up ratios, so it holds for distinct counts and rates
too.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd

from dataops_nb.alignment.digits import EXACT, is_large
from dataops_nb.alignment.families import Family, find_families, measure_families, own_measure
from dataops_nb.alignment.formulas import Scope, digits_of, evaluate, prepare
from dataops_nb.alignment.measures import declared_splits
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import (
    DAYS,
    UNMOVED,
    Window,
    Windows,
    segment_names,
    series_of,
    window,
)
from dataops_nb.periods import LIKE_FOR_LIKE, Calendar, Period
from dataops_nb.terms import Grain

Span = Literal["month", "quarter", "year"]
REACHING = ("previous", "same_last_year")  # the first two of COMPARISONS


def _same_last_year(cut: Calendar, period: Period) -> Window:
    return replace(window(cut.last_year(period)), moved=_moved(cut))


def _to_date(grain: Span) -> Callable[[Calendar, Period], Window]:
    return lambda cut, period: Window(*cut.to_date(grain, period.end), grain)


def _to_date_last_year(grain: Span) -> Callable[[Calendar, Period], Window]:
    def find(cut: Calendar, period: Period) -> Window:
        start, end = cut.to_date_last_year(grain, period.end)
        return Window(start, end, grain, _moved(cut))

    return find


def _moved(cut: Calendar) -> dt.timedelta:
    return LIKE_FOR_LIKE if cut.pattern else UNMOVED


COMPARISONS: dict[str, Callable[[Calendar, Period], Window]] = {
    "previous": lambda cut, period: window(cut.shift(period, -1)),
    "same_last_year": _same_last_year,
    "mtd": _to_date("month"),
    "qtd": _to_date("quarter"),
    "ytd": _to_date("year"),
    "mtd_last_year": _to_date_last_year("month"),
    "qtd_last_year": _to_date_last_year("quarter"),
    "ytd_last_year": _to_date_last_year("year"),
}


def compare(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """Add what each row is compared with.

    Adds `previous same_last_year mtd qtd ytd mtd_last_year qtd_last_year ytd_last_year`, in the
    metric's unit, and `previous_complete` and `same_last_year_complete`: whether the data cover the
    whole of what is compared with. A week's (and a day's) last year lies 364 days back, on the same
    weekdays; to-date runs to the period's last day, last year's to the same date a year before.
    Under a pattern every last year lies 364 days back.
    """
    families = find_families(_totals(table), own_measure(rows.company), rows)
    columns = {name: np.full(len(table), np.nan) for name in COMPARISONS}
    complete = {f"{name}_complete": np.zeros(len(table), dtype=bool) for name in REACHING}
    grains = table["grain"].to_numpy(dtype=object)
    for grain in dict.fromkeys(grains.tolist()):
        places = np.flatnonzero(grains == grain)
        _compare_grain(table.iloc[places], rows, families, (places, columns, complete))
    added = {}
    for name, cells in {**columns, **complete}.items():
        added[name] = pd.Series(cells, index=table.index)
    return table.assign(**added)


def _totals(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.loc[table["segment"].isna(), "metric"].unique()]


def _compare_grain(
    table: pd.DataFrame,
    rows: Rows,
    families: Mapping[str, Family],
    into: tuple[np.ndarray[Any, Any], dict[str, Any], dict[str, Any]],
) -> None:
    """Put the comparisons of a table's rows, all of one grain, into columns at their places."""
    places, columns, complete = into
    cut = Scope(rows).calendar
    starts = table["period_start"].to_numpy().astype(DAYS)
    days, row = np.unique(starts, return_inverse=True)
    windows = _windows(cut, table["grain"].iloc[0], tuple(days.tolist()))
    for split, units in _units(table, rows, families).items():
        scope = Scope(rows, split)
        prepare(scope, [unit for unit in units if isinstance(unit, str)], windows)
        of_family = measure_families(
            rows, [unit for unit in units if isinstance(unit, Family)], windows
        )
        for unit, series in units.items():
            if isinstance(unit, Family):
                measured = of_family[unit]
            else:
                measured = evaluate(scope, unit, windows).segments(list(series))
            column_of = {name: number for number, name in enumerate(measured.value.columns)}
            values = measured.value.to_numpy(dtype=float)
            is_complete = measured.reach["complete"].to_numpy(dtype=bool)
            for name, own in series.items():
                column = column_of[name]
                for number, compared in enumerate(COMPARISONS):
                    place = number * len(days) + row[own]
                    columns[compared][places[own]] = values[place, column]
                    if compared in REACHING:
                        complete[f"{compared}_complete"][places[own]] = is_complete[place]


def _units(
    table: pd.DataFrame, rows: Rows, families: Mapping[str, Family]
) -> dict[tuple[str, ...], dict[str | Family, dict[str, Any]]]:
    """Return by split what is measured together, and where the rows of each of its series stand.

    That is a metric's segments of one split, or the totals of a family, whose series are metrics.
    """
    units: dict[tuple[str, ...], dict[str | Family, dict[str, Any]]] = {}
    declared: dict[str, list[tuple[str, ...]]] = {}
    for (metric, segment), own in series_of(table).items():
        if metric not in declared:
            declared[metric] = declared_splits(rows.company, metric)
        split = dimensions(segment, declared[metric])
        unit = families.get(metric, metric) if split == () else metric
        name = metric if isinstance(unit, Family) else segment
        units.setdefault(split, {}).setdefault(unit, {})[name] = own
    return units


def with_digits(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """Return a company's metric table with Python integers for whole numbers beyond 2^53.

    In `value` and what it is compared with; other cells stay floats. Rows and columns are the same.
    """
    columns = {"value": lambda _, period: window(period), **COMPARISONS}
    large = [name for name in columns if name in table and is_large(table[name])]
    if not large:
        return table
    out = table.astype(dict.fromkeys(large, object))
    groups: Any = table.groupby(["metric", _splits(table, rows), "grain"], sort=False)
    for (metric, split, _), group in groups:
        scope = Scope(rows, split)
        periods = _periods(group, scope.calendar)
        places = {name: place for place, name in enumerate(periods)}
        segments = segment_names(group)
        for name in large:
            if not is_large(group[name]):
                continue
            windows = [columns[name](scope.calendar, period) for period in periods.values()]
            digits = digits_of(scope, metric, windows, list(dict.fromkeys(segments)))
            for row in group.index[group[name].abs() >= EXACT]:
                number = digits[segments[row]][places[group["period"][row]]]
                if number is not None:
                    out.at[row, name] = number
    return out


def covers(rows: Rows, metric: str, period: Period) -> dict[str, bool]:
    """Tell of each of `COMPARISONS` whether the data cover all of it, for a metric's total."""
    scope = Scope(rows)
    windows = [window_of(scope.calendar, period) for window_of in COMPARISONS.values()]
    reach = evaluate(scope, metric, windows).reach
    return dict(zip(COMPARISONS, reach["complete"].astype(bool).tolist(), strict=True))


def _splits(table: pd.DataFrame, rows: Rows) -> pd.Series:
    """Return the split that each row's segment belongs to; the total's has no columns."""
    declared = {name: declared_splits(rows.company, name) for name in table["metric"].unique()}
    known: dict[tuple[str, str], tuple[str, ...]] = {}
    splits = []
    for metric, segment in zip(table["metric"], segment_names(table), strict=True):
        if (metric, segment) not in known:
            known[metric, segment] = dimensions(segment, declared[metric])
        splits.append(known[metric, segment])
    return pd.Series(splits, index=table.index, dtype=object)


def dimensions(label: str, splits: Iterable[tuple[str, ...]] = ()) -> tuple[str, ...]:
    """Return the columns a segment label speaks of: `("team", "region")` for `team=East,region=EU`.

    Values may hold commas, so it is the longest of `splits` that the label fits; what fits none is
    cut at the commas.
    """
    for split in sorted(splits, key=len, reverse=True):
        form = ",".join(f"{re.escape(name)}=.*" for name in split)
        if re.fullmatch(form, label, re.DOTALL):
            return split
    if not label:
        return ()
    return tuple(part.split("=", 1)[0] for part in label.split(","))


@lru_cache(maxsize=16)
def _windows(cut: Calendar, grain: Grain, starts: tuple[dt.date, ...]) -> Windows:
    """Return what the periods that start on these days are compared with, one after the other."""
    periods = [cut.period(grain, start) for start in starts]
    windows: list[Window] = []
    for window_of in COMPARISONS.values():
        windows += [window_of(cut, period) for period in periods]
    return Windows(windows)


def _periods(group: pd.DataFrame, cut: Calendar) -> dict[str, Period]:
    starts: dict[str, dt.datetime] = dict(zip(group["period"], group["period_start"], strict=True))
    grain = group["grain"].iloc[0]
    return {name: cut.period(grain, start.date()) for name, start in starts.items()}
