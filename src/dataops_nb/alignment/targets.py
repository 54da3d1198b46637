"""Targets: what was agreed for a period, whatever grain it was agreed for.

A flow's target (`per:`) is spread over the days of its own period and added up over the days asked for; a rate's or a
stock's is averaged over them. Both are weighted by days where a period runs across a change, and computed exactly
(as fractions), so that meeting a target to the unit counts as meeting it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction

import pandas as pd

from dataops_nb.alignment.families import Family, find_families
from dataops_nb.alignment.measured import TOTAL, Window
from dataops_nb.alignment.measures import measure
from dataops_nb.alignment.plans import plan
from dataops_nb.alignment.shapes import LastYear
from dataops_nb.alignment.splits import declared_splits
from dataops_nb.definitions.models import MONTHS, Measure, OwnTarget, Simple, SourceTarget, Target
from dataops_nb.periods import Calendar, calendar
from dataops_nb.sources import Catalog

_MONTH_NAMES = {number: name for name, number in MONTHS.items()}
_PLAIN = Calendar()
COLUMNS = {"target": "value", "target_low": "low", "target_high": "high"}


def add_targets(table: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """The table with `target`, `target_low`, `target_high`; a band's target is its middle.

    Missing where nothing was agreed for every day of the period. Segments have the targets that a source matches to them."""
    cut = calendar(catalog.definitions.company.calendar, catalog.definitions.holidays)
    metrics = table["metric"].unique()
    dated = {name: _agreed(catalog, name, cut) for name in metrics}
    past = {name: LastYear(catalog, name) for name in metrics}
    segments = table["segment"].astype(object).where(table["segment"].notna(), TOTAL)
    starts, ends = (table[name].dt.date for name in ("period_start", "period_end"))
    asked = list(zip(table["metric"], segments, starts, ends, strict=True))
    known = {
        key: target(dated[key[0]][key[1]], key[2], key[3], cut, past[key[0]])
        for key in dict.fromkeys(asked)
        if dated[key[0]].get(key[1])
    }
    none: dict[str, float | None] = dict.fromkeys(COLUMNS)
    said = [known.get(key, none) for key in asked]
    found = {name: pd.Series([each[name] for each in said], index=table.index, dtype=float) for name in COLUMNS}
    found["target"].update(_own(table[table["segment"].isna()], catalog))
    return table.assign(**found)


def _own(totals: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """The target in the latest of a metric's own rows in each period, for the metrics that have such targets."""
    latest = {name: found for name in totals["metric"].unique() if (found := _latest(catalog, name))}
    families = find_families(latest, latest.get)
    known = totals[totals["metric"].isin(list(latest))]
    units = {name: families.get(name, name) for name in latest}
    places = {unit: i for i, unit in enumerate(dict.fromkeys(units.values()))}
    groups = known.groupby(known["metric"].map({name: places[unit] for name, unit in units.items()}))
    parts = [_own_of(groups.get_group(i), catalog, unit, latest) for unit, i in places.items()]
    return pd.concat(parts) if parts else pd.Series(dtype=float)


def _own_of(rows: pd.DataFrame, catalog: Catalog, unit: str | Family, latest: dict[str, Measure]) -> pd.Series:
    days = list(zip(rows["period_start"], rows["period_end"], strict=True))
    place = {day: i for i, day in enumerate(dict.fromkeys(days))}
    windows = [Window(start.date(), end.date()) for start, end in place]
    if isinstance(unit, Family):
        value = unit.measure(catalog, windows).value
    else:
        value = measure(catalog, latest[unit], windows, ()).value.rename(columns={TOTAL: unit})
    cells = value.columns.get_indexer(pd.Index(rows["metric"]))
    return pd.Series(value.to_numpy(dtype=float)[[place[day] for day in days], cells], index=rows.index)


def _latest(catalog: Catalog, name: str) -> Measure | None:
    """The measure of the target in a metric's own latest row; None for a metric without one."""
    metric = catalog.definitions.metrics[name]
    columns = [each.column for each in metric.targets if isinstance(each, OwnTarget)]
    if not columns or not isinstance(metric, Simple):
        return None
    column = '"' + columns[0].replace('"', '""') + '"'
    return metric.measure.model_copy(update={"agg": "max", "expr": column, "at": "end"})


def target(
    dated: list[Target], start: dt.date, end: dt.date, cut: Calendar, past: LastYear | None = None
) -> dict[str, float | None]:
    """The target of the days `start`..`end`: `target`, and the band's ends where it is a band."""
    found = {name: _over(dated, field, start, end, cut=cut, past=past) for name, field in COLUMNS.items()}
    low, high = found["target_low"], found["target_high"]
    if low is not None and high is not None:
        found["target"] = (low + high) / 2
    return {name: None if value is None else float(value) for name, value in found.items()}


def _agreed(catalog: Catalog, metric: str, cut: Calendar) -> dict[str, list[Target]]:
    """The dated targets of a metric's total and segments, oldest first: those in its file, and those in sources."""
    said, splits = catalog.definitions.metrics[metric].targets, declared_splits(catalog.definitions, metric)
    found: dict[str, list[Target]] = {TOTAL: [each for each in said if isinstance(each, Target)]}
    for each in said:
        if isinstance(each, SourceTarget):
            for label, planned in plan(catalog, each, splits, cut).items():
                found.setdefault(label, []).extend(planned)
    return {label: sorted(targets, key=_begins) for label, targets in found.items()}


def _begins(each: Target) -> tuple[dt.date, bool]:
    """The day a target starts to hold; one that says something goes before the mere end of another."""
    return each.from_ or dt.date.min, each.value is not None or each.low is not None


def _over(
    dated: list[Target], field: str, start: dt.date, end: dt.date, *, cut: Calendar, past: LastYear | None
) -> Fraction | None:
    total, days, adds_up = Fraction(0), (end - start).days + 1, False
    for current, first, last in _stretches(dated, start, end):
        said = getattr(current, field) if current else None
        if current is None or said is None:
            return None
        total += Fraction(repr(said)) * _shares(current, first, last, cut, past)
        adds_up = adds_up or current.per is not None
    return total if adds_up else total / days


def _stretches(dated: list[Target], start: dt.date, end: dt.date) -> Iterator[tuple[Target | None, dt.date, dt.date]]:
    """The target in force and the first and last day of each stretch of `start`..`end`."""
    changes = sorted({each.from_ for each in dated if each.from_ and start < each.from_ <= end})
    firsts = [start, *changes]
    for first, after in zip(firsts, [*changes, end + dt.timedelta(days=1)], strict=True):
        started = [each for each in dated if each.from_ is None or each.from_ <= first]
        yield (started[-1] if started else None), first, after - dt.timedelta(days=1)


def _shares(current: Target, first: dt.date, last: dt.date, cut: Calendar, past: LastYear | None) -> Fraction:
    """How many times its value the target is worth over these days: days of its own periods, by the month's factor.

    `season` speaks of plain months, also under a pattern. An own period without a working day is worth nothing.
    """
    total = Fraction(0)
    for month in _PLAIN.periods("month", first, last):
        start, end = max(first, month.start), min(last, month.end)
        season = Fraction(repr(current.season.get(_MONTH_NAMES[month.start.month], 1.0)))
        total += season * _periods_worth(current, start, end, cut, past)
    return total


def _periods_worth(current: Target, first: dt.date, last: dt.date, cut: Calendar, past: LastYear | None) -> Fraction:
    if current.per is None:
        return Fraction((last - first).days + 1)
    length = cut.working_days if current.by == "working_days" else _days
    total = Fraction(0)
    for own in cut.periods(current.per, first, last):
        start, end, whole = max(first, own.start), min(last, own.end), length(own.start, own.end)
        shaped = past.share(own, start, end) if past is not None and current.shape else None
        even = Fraction(length(start, end), whole) if whole else Fraction(0)
        total += even if shaped is None else shaped
    return total


def _days(first: dt.date, last: dt.date) -> int:
    return (last - first).days + 1
