"""Plans: targets that stand in a source, as dated targets of the total and of each segment.

A row is about a day and, through `match:`, about a segment. With `per:` it is about the whole period that holds its day, and
rows of one period add up; without, it holds from its day until the next one. Rows that leave match columns empty are about
what the filled ones say, all together: they go before the sum of the parts.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence

import pandas as pd
from sqlglot import exp

from dataops_nb.alignment.measured import TOTAL
from dataops_nb.definitions.models import Grain, SourceTarget, Target
from dataops_nb.periods import Calendar
from dataops_nb.sources import Catalog


def plan(
    catalog: Catalog, said: SourceTarget, splits: Sequence[tuple[str, ...]], cut: Calendar
) -> dict[str, list[Target]]:
    """Dated targets by segment label (`TOTAL` for all together), for the splits that the plan speaks of.

    A target without a value ends the one before. A rate's plan says nothing about what is put together from its segments.
    """
    if catalog.faulty(said.source):
        return {}
    rows = _rows(catalog, said)
    if said.per is not None:
        rows = rows.assign(day=[cut.period(said.per, day).start for day in rows["day"]])
    found: dict[str, list[Target]] = {}
    for split in [(), *(split for split in splits if set(split) <= set(said.match))]:
        for label, own in _segments(rows, split):
            apart = own[[name for name in said.match if name not in split]].isna().all(axis=1)
            known = _amounts(own, apart, cut, said.per) if said.per else _holding(own[apart])
            found.setdefault(label, []).extend(known)
    return found


def _rows(catalog: Catalog, said: SourceTarget) -> pd.DataFrame:
    """`day value` and the dimensions in `match`, as text."""
    time = catalog.definitions.company.sources[said.source].time or ""
    day, value = catalog.local_date(said.source, time), exp.cast(exp.column(said.column, quoted=True), "double")
    texts = [
        exp.alias_(exp.cast(exp.column(column, quoted=True), "text"), dimension, quoted=True)
        for dimension, column in said.match.items()
    ]
    query = exp.select(exp.alias_(day, "day"), exp.alias_(value, "value"), *texts)
    rows = catalog.fetch(query.from_(catalog.relation(said.source)))
    known = rows.dropna(subset=["day", "value"])
    return known.assign(day=pd.to_datetime(known["day"]).dt.date)


def _segments(rows: pd.DataFrame, split: tuple[str, ...]) -> Iterator[tuple[str, pd.DataFrame]]:
    if not split:
        yield TOTAL, rows
        return
    for key, own in rows.dropna(subset=list(split)).groupby(list(split), sort=True):
        yield ",".join(f"{name}={value}" for name, value in zip(split, key, strict=True)), own


def _amounts(rows: pd.DataFrame, apart: pd.Series, cut: Calendar, per: Grain) -> list[Target]:
    """One target a period: of the rows about all together where there are any, else the sum of the parts."""
    whole, parts = rows[apart], rows[~apart]
    sums = pd.concat([whole, parts[~parts["day"].isin(set(whole["day"]))]]).groupby("day")["value"].sum()
    found: list[Target] = []
    for start, value in zip(sums.index, sums, strict=True):
        period = cut.period(per, start)
        ends = period.end + dt.timedelta(days=1)
        found.append(Target(from_=period.start, per=per, value=float(value)))
        if ends not in sums.index:
            found.append(Target(from_=ends))
    return found


def _holding(rows: pd.DataFrame) -> list[Target]:
    """One target a day with rows; two values for one day are none."""
    values: dict[dt.date, set[float]] = defaultdict(set)
    for day, value in zip(rows["day"], rows["value"], strict=True):
        values[day].add(float(value))
    return [Target(from_=day, value=min(all_) if len(all_) == 1 else None) for day, all_ in sorted(values.items())]
