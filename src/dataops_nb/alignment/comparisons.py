"""Comparisons: the same metric a period before, a year before, and to date - each computed from the rows, never by
adding up ratios."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

import pandas as pd

from dataops_nb.alignment.families import Family, find_families, own_measure
from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.measured import TOTAL, UNMOVED, Window, window
from dataops_nb.alignment.splits import declared_splits
from dataops_nb.periods import LIKE_FOR_LIKE, Calendar, Period
from dataops_nb.sources import Catalog

Span = Literal["month", "quarter", "year"]


def _to_date(grain: Span) -> Callable[[Calendar, Period], Window]:
    return lambda cut, period: Window(*cut.to_date(grain, period.end), grain)


def _to_date_last_year(grain: Span) -> Callable[[Calendar, Period], Window]:
    def find(cut: Calendar, period: Period) -> Window:
        start, end = cut.to_date_last_year(grain, period.end)
        return Window(start, end, grain, _moved(cut))

    return find


def _same_last_year(cut: Calendar, period: Period) -> Window:
    return replace(window(cut.last_year(period)), moved=_moved(cut))


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


def compare(table: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """The table with `previous same_last_year mtd qtd ytd mtd_last_year qtd_last_year ytd_last_year`.

    A week's (and a day's) last year lies 364 days back, on the same weekdays; to-date runs to the period's last day, last
    year's to the same date a year before. Under a pattern every last year lies 364 days back. `previous_complete` and
    `same_last_year_complete` say whether the data cover the whole of what is compared with.
    """
    splits = _splits(table, catalog)
    families = find_families(_totals(table, splits), own_measure(catalog.definitions))
    units = [
        (families.get(metric, metric) if split == () else metric, split, grain)
        for metric, split, grain in zip(table["metric"], splits, table["grain"], strict=True)
    ]
    places = {unit: i for i, unit in enumerate(dict.fromkeys(units))}
    groups = table.groupby(pd.Series([places[unit] for unit in units], index=table.index, dtype=int), sort=True)
    own = (rows for _, rows in groups)
    parts = [_compared(rows, catalog, split, unit) for (unit, split, _), rows in zip(places, own, strict=True)]
    added = pd.concat(parts).reindex(table.index) if parts else pd.DataFrame(index=table.index, columns=[*COMPARISONS])
    return table.join(added)


def _totals(table: pd.DataFrame, splits: pd.Series) -> list[str]:
    """The metrics that have totals in the table."""
    return list(dict.fromkeys(name for name, split in zip(table["metric"], splits, strict=True) if split == ()))


def _splits(table: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """The split that each row's segment belongs to; the total's has no columns."""
    declared = {name: declared_splits(catalog.definitions, name) for name in table["metric"].unique()}
    segments = table["segment"].astype(object).where(table["segment"].notna(), TOTAL)
    keys = list(zip(table["metric"], segments, strict=True))
    known = {key: dimensions(key[1], declared[key[0]]) for key in dict.fromkeys(keys)}
    return pd.Series([known[key] for key in keys], index=table.index, dtype=object)


def dimensions(label: str, splits: Iterable[tuple[str, ...]] = ()) -> tuple[str, ...]:
    """The columns a segment label speaks of: `("team", "region")` for `team=East,region=EU`.

    Values may hold commas, so it is the longest of `splits` that the label fits; what fits none is cut at the commas.
    """
    for split in sorted(splits, key=len, reverse=True):
        if re.fullmatch(",".join(f"{re.escape(name)}=.*" for name in split), label, re.DOTALL):
            return split
    return tuple(part.split("=", 1)[0] for part in label.split(",")) if label else ()


def _compared(group: pd.DataFrame, catalog: Catalog, split: tuple[str, ...], unit: str | Family) -> pd.DataFrame:
    """The comparisons of one metric's segments, or of the metrics of a family."""
    scope = Scope(catalog, split)
    cut, periods = scope.calendar, _periods(group, scope.calendar)
    asked = [find(cut, period) for find in COMPARISONS.values() for period in periods.values()]
    if isinstance(unit, Family):
        names, measured = group["metric"], unit.measure(catalog, asked)
    else:
        names = group["segment"].astype(object).where(group["segment"].notna(), TOTAL)
        measured = evaluate(scope, unit, asked).segments(list(dict.fromkeys(names)))
    place = {name: i for i, name in enumerate(periods)}
    column = {name: i for i, name in enumerate(measured.value.columns)}
    values, complete = measured.value.to_numpy(dtype=float), measured.reach["complete"].to_numpy()
    rows = group["period"].map(place).to_numpy()
    cells = names.map(column).to_numpy()
    out = {name: values[i * len(periods) + rows, cells] for i, name in enumerate(COMPARISONS)}
    for i, name in enumerate(("previous", "same_last_year")):
        out[f"{name}_complete"] = complete[i * len(periods) + rows]
    return pd.DataFrame(out, index=group.index)


def _periods(group: pd.DataFrame, cut: Calendar) -> dict[str, Period]:
    starts: dict[str, dt.datetime] = dict(zip(group["period"], group["period_start"], strict=True))
    grain = group["grain"].iloc[0]
    return {name: cut.period(grain, start.date()) for name, start in starts.items()}
