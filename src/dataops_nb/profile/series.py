"""Tell beforehand how a table's numbers will look over time, where that is no news about a company.

A gap is no fall, a placeholder is no beginning, and a file that stops is no company that does.
Where a file begins, everybody is new and nothing is open yet; where those who left were deleted,
only who stayed is counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dataops_nb.profile.columns import quote
from dataops_nb.profile.maker import SuggestedMetric
from dataops_nb.profile.names import PEOPLE, has
from dataops_nb.profile.parts import LEAST_GAP, TIMES_USUAL_GAP, count_days
from dataops_nb.profile.tables import Table
from dataops_nb.sources.catalog import Catalog

# Beyond so many usual gaps from all others, a few days are no part of a series.
LEAST_FAR = 180
FEW_ROWS = 0.02
MOST_GAPS = 3
TIMES_LONGEST = 3
LONGEST_LAG = 31
# A file shorter than this has no first months to speak of.
LEAST_MONTHS = 6
FIRST_MONTHS = 3
MOSTLY = 0.6
NINE_OF_TEN = 0.9
LEAST_WAIT = 7


@dataclass(frozen=True)
class Remark:
    """What is told of a series: the column it is about, the text, and the day where it shows."""

    column: str
    text: str
    day: dt.date | None = None
    title: str = ""


def tell_series(
    catalog: Catalog, table: Table, metrics: Sequence[SuggestedMetric], newest: dt.date | None
) -> list[Remark]:
    """Return what should be known of a table's time before its numbers are read.

    `newest` is the day on which the company is looked at.
    """
    if table.time is None or table.rows == 0:
        return []
    counts = count_days(catalog, table)
    remarks: list[Remark] = []
    inner, far = _set_aside(counts)
    remarks += _tell_far(table, counts, far)
    remarks += _tell_gaps(table, inner)
    remarks += _tell_end(table, inner, newest)
    remarks += _tell_new(catalog, table, metrics)
    remarks += _tell_backlog(catalog, table, metrics, inner)
    remarks += _tell_survivors(table, inner)
    return remarks


def _usual_gap(days: Sequence[dt.date]) -> int:
    gaps = sorted((after - before).days for before, after in pairwise(days))
    return gaps[len(gaps) // 2] if gaps else 1


def _longest_usual(days: Sequence[dt.date], odd: int) -> int:
    """Return how long a gap may be, by the longest one behind the few that may be odd."""
    gaps = sorted(((after - before).days for before, after in pairwise(days)), reverse=True)
    return gaps[odd] * TIMES_LONGEST if len(gaps) > odd else 0


def _set_aside(counts: dict[dt.date, int]) -> tuple[list[dt.date], list[dt.date]]:
    """Return the days of the series, and the few far away from all others."""
    days = list(counts)
    least = max(LEAST_FAR, _usual_gap(days) * TIMES_USUAL_GAP, _longest_usual(days, 2))
    few = sum(counts.values()) * FEW_ROWS
    start, end = 0, len(days)
    for place in range(1, len(days)):
        is_far = (days[place] - days[place - 1]).days > least
        if is_far and sum(counts[day] for day in days[:place]) <= few:
            start = place
        if is_far and end == len(days) and sum(counts[day] for day in days[place:]) <= few:
            end = place
    return days[start:end], [*days[:start], *days[end:]]


def _tell_far(table: Table, counts: dict[dt.date, int], far: Sequence[dt.date]) -> Iterator[Remark]:
    if far:
        rows = sum(counts[day] for day in far)
        shown = ", ".join(str(day) for day in far[:MOST_GAPS])
        text = (
            f"{rows:,} of {table.rows:,} rows are far from all others in {table.time}: {shown}; "
            "a placeholder or a slip: leave them out with a filter, or say covers:"
        )
        yield Remark(table.time or "", text)


def _tell_gaps(table: Table, days: Sequence[dt.date]) -> Iterator[Remark]:
    """Yield the longest gaps between days with rows."""
    if table.monthly:
        return
    least = max(LEAST_GAP, _usual_gap(days) * TIMES_USUAL_GAP, _longest_usual(days, MOST_GAPS))
    gaps = [(after - before, before) for before, after in pairwise(days)]
    long = sorted((gap for gap in gaps if gap[0].days > least), reverse=True)[:MOST_GAPS]
    for length, before in sorted(long, key=lambda gap: gap[1]):
        first = before + dt.timedelta(days=1)
        last = before + length - dt.timedelta(days=1)
        text = (
            f"a gap: no rows from {first} to {last} ({length.days - 1} days); sums are 0 there, "
            "which is no fall if rows are missing"
        )
        yield Remark(table.time or "", text, first, f"{table.name}: no rows until {last}")


def _tell_end(table: Table, days: Sequence[dt.date], newest: dt.date | None) -> Iterator[Remark]:
    """Yield that a series stops long before those of other files."""
    if not days or newest is None:
        return
    late = (newest - days[-1]).days
    if late > max(LONGEST_LAG, _usual_gap(days) * TIMES_USUAL_GAP):
        text = (
            f"its rows stop on {days[-1]}, {late} days before those of other files: an old export, "
            "or something that ended; its metrics end there"
        )
        day = days[-1] + dt.timedelta(days=1)
        yield Remark(table.time or "", text, day, f"{table.name}: no rows from here on")


def _tell_new(
    catalog: Catalog, table: Table, metrics: Sequence[SuggestedMetric]
) -> Iterator[Remark]:
    """Yield that most who are ever new are so where the file begins."""
    time = quote(table.time or "")
    for metric in metrics:
        measure = metric.definition.get("measure", {})
        if measure.get("agg") != "first_seen":
            continue
        expr = measure["expr"]
        query = (
            f"select count(*) from (select date_trunc('month', min({time})) as month "
            f"from {quote(table.name)} where {expr} is not null and {time} is not null "
            f"group by {expr}) group by month order by month"
        )
        months = [count for (count,) in catalog.ask(query, table.name)]
        if table.first is None or table.last is None:
            continue
        span = (table.last.year - table.first.year) * 12 + table.last.month - table.first.month + 1
        early = sum(months[:FIRST_MONTHS])
        if span >= LEAST_MONTHS and early > MOSTLY * sum(months):
            text = (
                f"{early:,} of {sum(months):,} different {expr} come first in the first "
                f"{FIRST_MONTHS} months, because the file begins there: nobody was seen before, "
                f"so the fall of {metric.id} after them is no fall"
            )
            yield Remark(expr.strip('"'), text)


def _tell_backlog(
    catalog: Catalog, table: Table, metrics: Sequence[SuggestedMetric], days: Sequence[dt.date]
) -> Iterator[Remark]:
    """Yield that what is open starts at nothing with the file, and what closes late is missing."""
    opened = [one for one in metrics if "open" in one.definition.get("measure", {})]
    if not opened or not days:
        return
    span = opened[0].definition["measure"]["open"]
    begun, ended = f"cast({quote(span['from'])} as date)", f"cast({quote(span['to'])} as date)"
    query = (
        f"select count({ended}), quantile_cont({ended} - {begun}, {NINE_OF_TEN}) "
        f"from {quote(table.name)} where {ended} >= {begun}"
    )
    ((closed, nine_of_ten),) = catalog.ask(query, table.name)
    if not closed or nine_of_ten < LEAST_WAIT:
        return
    wait = int(nine_of_ten)
    settled = days[0] + dt.timedelta(days=wait)
    text = (
        f"nine of ten are closed within {wait} days: what was opened before {days[0]} is not in "
        f"the file, so {opened[0].id} starts at 0 and is whole from about {settled} on. Of the "
        f"last {wait} days many are still open, so times to close look shorter than they will be"
    )
    yield Remark(span["to"], text)


def _tell_survivors(table: Table, days: Sequence[dt.date]) -> Iterator[Remark]:
    """Yield that a rise may be of those who stayed, where nothing says who left."""
    somebody = has(table.name, PEOPLE) or any(has(name, PEOPLE) for name in table.key)
    ends = [one for one in table.moments if one.role == "ended" and one.values]
    states = table.status is not None and table.status.bad
    if not somebody or ends or states or table.flags or table.thing or len(days) < LEAST_MONTHS:
        return
    if not table.counted or (days[-1] - days[0]).days < LEAST_MONTHS * 30:
        return
    text = (
        f"no column says who left: if those are deleted, {table.name} holds only who stayed, and "
        f"counts by {table.time} rise towards the end for that reason alone"
    )
    yield Remark(table.time or "", text)
