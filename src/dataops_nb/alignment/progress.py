"""Progress: what each period had reached by the position that the open one is at now.

Only so can an unfinished week be judged: not by its target, which it cannot have reached yet, but by what earlier weeks had
at the same point. Every value is computed from the rows up to that day, so it holds for distinct counts and rates too.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from dataops_nb.alignment.comparisons import _periods, _splits
from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.measured import DAY, TOTAL, Window
from dataops_nb.definitions import adds_up
from dataops_nb.definitions.models import Conversion, Cumulative
from dataops_nb.periods import Period, at_position, position
from dataops_nb.sources import Catalog

PRIOR = 52
QUARTER = 91


def add_so_far(table: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """The table with `so_far`: what the metric had reached in each period by the position of the open one's last day of data.

    In the open period that is its value. A period is open where it holds the day after as-of; missing where none is, for
    more than 52 periods before it, and for conversions, whose windows are open anyway. Of a trailing window it is
    the value without what its metric still brought in the rest of the period.
    """
    out = pd.Series(np.nan, index=table.index)
    as_of = pd.Timestamp(catalog.as_of)
    if ((table["period_start"] <= as_of) & (table["period_end"] > as_of)).any():
        splits = _splits(table, catalog)
        has_begun = (table["period_start"] <= as_of) & (table["data_to"] >= table["period_start"])
        known = set(table.loc[has_begun & (table["period_end"] > as_of), "metric"])
        for _, group in table[table["metric"].isin(known)].groupby(["metric", splits], sort=False):
            out.update(_reached(group, Scope(catalog, splits[group.index[0]])))
    return table.assign(so_far=out)


def _reached(group: pd.DataFrame, scope: Scope) -> pd.Series:
    metric, cut = str(group["metric"].iloc[0]), scope.calendar
    periods = _periods(group, cut)
    now = next((p for p in periods.values() if p.start <= scope.catalog.as_of < p.end), None)
    nothing = pd.Series(dtype=float)
    if now is None or isinstance(scope.definitions.metrics[metric], Conversion):
        return nothing
    known = group.loc[group["period"] == now.id, "data_to"].min()
    if pd.isna(known) or known.date() < now.start:
        return nothing
    earlier = [p for p in periods.values() if p.end < now.start][-PRIOR:]
    off = _day_off(scope, metric, now)
    share = position(cut, now, min(known.date(), scope.catalog.as_of), off)
    days = [at_position(cut, each, share, off) for each in earlier]
    found = _up_to(scope, metric, earlier, days, group)
    return pd.Series(pd.concat([found, group.loc[group["period"] == now.id, "value"]]), dtype=float)


def _day_off(scope: Scope, metric: str, now: Period) -> float:
    """What comes on a day off for each unit on a working day, over the 91 days before; 1 where days do not add up."""
    cut = scope.calendar
    if not adds_up(scope.definitions, metric) or (now.grain == "week" and not cut.holidays):
        return 1.0
    days = [now.start - i * DAY for i in range(1, QUARTER + 1)]
    windows = [Window(day, day, "day") for day in days]
    values = evaluate(Scope(scope.catalog), metric, windows).value[TOTAL].to_numpy(dtype=float)
    worked = np.array([cut.working_days(day, day) == 1 for day in days])
    at_work, off = values[worked & np.isfinite(values)], values[~worked & np.isfinite(values)]
    if not len(at_work) or not len(off) or at_work.mean() <= 0:
        return 1.0
    return float(np.clip(off.mean() / at_work.mean(), 0.0, 1.0))


def _up_to(scope: Scope, metric: str, periods: list[Period], days: list[dt.date], group: pd.DataFrame) -> pd.Series:
    """The metric's value in each of these periods by the end of these days, by the rows of the group."""
    definition = scope.definitions.metrics[metric]
    base = definition.metric if isinstance(definition, Cumulative) else metric
    flow = adds_up(scope.definitions, base)
    if base != metric and not flow:
        return pd.Series(dtype=float)
    rows = group[group["period"].isin([period.id for period in periods])]
    firsts = [Window(p.start, max(day, p.start), p.grain) for p, day in zip(periods, days, strict=True)]
    reached = _cells(scope, base, firsts, periods, rows)
    if flow:
        before = {p.id for p, day in zip(periods, days, strict=True) if day < p.start}
        reached = reached.mask(rows["period"].isin(before), 0.0)
    if base == metric:
        return reached
    whole = _cells(scope, base, [Window(p.start, p.end, p.grain) for p in periods], periods, rows)
    return pd.Series(rows["value"] - (whole - reached), dtype=float)


def _cells(scope: Scope, metric: str, windows: list[Window], periods: list[Period], rows: pd.DataFrame) -> pd.Series:
    """The metric over the window of each row's period (one window a period), in the row's segment."""
    segments = rows["segment"].astype(object).where(rows["segment"].notna(), TOTAL)
    names = list(dict.fromkeys(segments))
    values = evaluate(scope, metric, windows).segments(names).value.to_numpy(dtype=float)
    places = rows["period"].map({period.id: i for i, period in enumerate(periods)}).to_numpy()
    return pd.Series(values[places, segments.map(names.index).to_numpy()], index=rows.index, dtype=float)
