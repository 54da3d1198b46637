"""What is odd about rows that break no rule: `check` tells it, once, and nothing waits for it.

Days: rows after as-of, a day decades from all others, a stretch without rows, rows that a measure
counts and cannot date. Names: members and keys that look alike, and a member that is the sum of all
others. Numbers: amounts that a join repeats, and per cents that are no shares. Each has a threshold
that ordinary data do not cross.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import sqlglot
from sqlglot import exp

from dataops_nb.alignment import queries
from dataops_nb.alignment.measures import time_of
from dataops_nb.definitions.models import Covers
from dataops_nb.errors import DataError
from dataops_nb.metrics import Measure, Simple, split_columns
from dataops_nb.metrics import Target as FixedTarget
from dataops_nb.sources.catalog import Catalog
from dataops_nb.sources.evidence import Notice, find_column, quote
from dataops_nb.sources.lookalikes import LISTED, find_lookalikes, show
from dataops_nb.sources.tallies import TOGETHER

YEAR = 365
FAR = 10 * YEAR  # days to the next day with rows
FEW_ROWS, FEW = 3, 0.01  # rows, or a share of them, that may be a mistake
NO_DAYS = {  # what programs write for no day
    dt.date(1899, 12, 30),
    dt.date(1899, 12, 31),
    dt.date(1900, 1, 1),
    dt.date(1904, 1, 1),
    dt.date(1970, 1, 1),
    dt.date(1980, 1, 1),
}
LEAST_DAYS = 30  # with rows, to know what is usual
LONG_GAP, TIMES_USUAL = 28, 4  # days, and how often the longest gap otherwise
LARGE = 0.05  # the share of rows on either side of a gap
MOST_UNDATED = 0.25  # of the rows that a measure counts
MOST_MEMBERS = 1000
SAME = 1e-9
TOTAL = re.compile(
    r"\s*(all|totals?|sub-?totals?|sum|grand|alle|gesamt|summe|tous|todos|tutti)\b", re.IGNORECASE
)
DAYS_ALIKE = 3
OF_SHARES = ("average", "median", "percentile", "min", "max")
MOST_SHARE, WHOLE = 2, 100  # 200 % on average is seldom meant, and no share lies above 100


def list_oddities(catalog: Catalog) -> list[Notice]:
    """List what is odd about the rows of every source without a fault.

    What a query passes on from a source is told of that source alone.
    """
    try:
        metrics = catalog.company.metrics
    except DataError:
        return []  # a table of indicators cannot be read, which is a fault
    sound = [name for name in catalog.declared.sources if not _is_faulty(catalog, name)]
    notices: list[Notice] = []
    for name in sound:
        notices += _skip_failed(_look_at_source, catalog, name)
    for metric_name, metric in metrics.items():
        if isinstance(metric, Simple) and metric.measure.source in sound:
            notices += _skip_failed(_look_at_metric, catalog, metric_name, metric)
    firsts: dict[tuple[str, int], Notice] = {}
    for notice in sorted(notices, key=lambda notice: len(catalog.reads(notice.source))):
        firsts.setdefault((notice.text, notice.count), notice)
    return list(firsts.values())


def _is_faulty(catalog: Catalog, name: str) -> bool:
    """Whether a source, or one that it reads, has a fault."""
    try:
        catalog.require(name)
    except DataError:
        return True
    return catalog.faulty(name)


def _skip_failed(look: Callable[..., Iterator[Notice]], *about: Any) -> list[Notice]:
    """Return what is told of one thing; nothing where a database refuses the question."""
    try:
        return list(look(*about))
    except DataError:
        return []


def _look_at_source(catalog: Catalog, name: str) -> Iterator[Notice]:
    after = catalog.rows_after(name)
    if after is not None:
        count, rows, column = after
        text = f"of {rows:,} rows of {name} lie after as-of {catalog.as_of} ({column})"
        yield Notice(name, f"{text}, and are left out; exists_from: can say otherwise", count)
    for column in catalog.times_in_use(name):
        yield from _look_at_days(catalog, name, column)
    for column in _columns_of_names(catalog, name):
        yield from find_lookalikes(catalog, name, column)


# --- days ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Gap:
    """A stretch without rows between two days that have some; `before` and `after` count rows."""

    last: dt.date
    next: dt.date
    before: int
    after: int

    @property
    def days(self) -> int:
        """How many days lie from the one to the other."""
        return (self.next - self.last).days


def _look_at_days(catalog: Catalog, name: str, column: str) -> Iterator[Notice]:
    local = exp.alias_(catalog.local_date(name, column), "day")
    days = exp.select(local).from_(catalog.relation(name)).subquery("d")
    counted = exp.select("day", "count(*) as n").from_(days).where("not day is null")
    frame = catalog.fetch(counted.group_by("day").order_by("day"))
    days_with_rows = pd.to_datetime(frame["day"]).dt.date
    rows = [(day, int(n)) for day, n in zip(days_with_rows, frame["n"], strict=True)]
    total = sum(n for _, n in rows)
    gaps = _find_gaps(rows)
    few = max(FEW_ROWS, int(total * FEW))
    odd = [gap for gap in gaps if min(gap.before, gap.after) <= few and _is_far(gap, rows)]
    for gap in odd:
        yield _say_far(name, column, gap)
    start = _first_target(catalog, name)
    for gap in gaps:
        is_early = start is not None and gap.last < start and gap.days > YEAR
        if is_early and gap not in odd and gap.before <= few and gap.before < gap.after:
            odd.append(gap)
            text = f"{_lie(gap.before)} long before the first target of {start} ({column}):"
            yield Notice(name, f"{text} {gap.last}, and the next is {gap.next}", gap.before)
    yield from _say_gap(name, column, [gap for gap in gaps if gap not in odd], len(rows))
    outside = _count_outside(rows, catalog.declared.sources[name].covers)
    if outside:
        text = f"of {total:,} rows of {name} lie outside covers: ({column}), and are left out"
        yield Notice(name, text, outside)


def _count_outside(rows: Sequence[tuple[dt.date, int]], covers: Covers) -> int:
    """Count the rows on days that a source is declared not to speak about."""
    first = covers.from_ or dt.date.min
    last = covers.to if isinstance(covers.to, dt.date) else dt.date.max
    return sum(n for day, n in rows if not first <= day <= last)


def _find_gaps(rows: Sequence[tuple[dt.date, int]]) -> list[_Gap]:
    """Return every gap between neighbouring days with rows."""
    total = sum(n for _, n in rows)
    gaps = []
    before = 0
    for (day, n), (following, _) in pairwise(rows):
        before += n
        gaps.append(_Gap(day, following, before, total - before))
    return gaps


def _is_far(gap: _Gap, rows: Sequence[tuple[dt.date, int]]) -> bool:
    """Whether the few rows on one side of a gap lie decades from all others."""
    first, last = rows[0][0], rows[-1][0]
    is_early = gap.before < gap.after
    others = (last - gap.next).days if is_early else (gap.last - first).days
    return gap.days >= FAR and (gap.days > others or (is_early and gap.last in NO_DAYS))


def _say_far(name: str, column: str, gap: _Gap) -> Notice:
    count, far, near = gap.before, gap.last, gap.next
    if gap.after < gap.before:
        count, far, near = gap.after, gap.next, gap.last
    text = f"{_lie(count)} decades from all others ({column}): {far}, and the next is {near}"
    return Notice(name, f"{text}; leave a day that is not known empty", count)


def _lie(count: int) -> str:
    return "row lies" if count == 1 else "rows lie"


def _say_gap(name: str, column: str, gaps: list[_Gap], days: int) -> Iterator[Notice]:
    """Yield the longest gap, where it is far longer than all others and cuts the rows in two."""
    if days < LEAST_DAYS:
        return
    by_length = sorted(gaps, key=lambda gap: gap.days)
    longest, usual = by_length[-1], by_length[-2].days
    share = min(longest.before, longest.after) / (longest.before + longest.after)
    if longest.days >= LONG_GAP and longest.days > TIMES_USUAL * usual and share >= LARGE:
        text = f"days without any row between {longest.last} and {longest.next} ({column})"
        yield Notice(name, f"{text}; no other gap is longer than {usual - 1}", longest.days - 1)


def _first_target(catalog: Catalog, name: str) -> dt.date | None:
    """Return the first day on which a metric of a source has a target."""
    starts = []
    for metric in catalog.company.metrics.values():
        if isinstance(metric, Simple) and metric.measure.source == name:
            for target in metric.targets:
                if isinstance(target, FixedTarget) and target.from_ is not None:
                    starts.append(target.from_)
    return min(starts, default=None)


def _look_at_metric(catalog: Catalog, name: str, metric: Simple) -> Iterator[Notice]:
    yield from _find_undated(catalog, name, metric.measure)
    yield from _find_repeated(catalog, name, metric.measure)
    yield from _find_whole_percents(catalog, name, metric)
    if metric.measure.agg == "sum" and metric.measure.open is None:
        named = _columns_with_totals(catalog, metric.measure.source)
        for column in dict.fromkeys([*split_columns(metric), *named]):
            yield from _find_sum_of_others(catalog, name, metric.measure, column)


def _find_undated(catalog: Catalog, name: str, measure: Measure) -> Iterator[Notice]:
    """Yield the rows that a measure would count, but for its own time being empty."""
    source = catalog.declared.sources[measure.source]
    time = measure.time or (measure.open.from_ if measure.open else None)
    if time is None or time == source.time or _has_parameters(measure):
        return
    column = catalog.column(measure.source, time) or time
    dated = exp.Count(this=exp.column(column, quoted=True))
    query = exp.select("count(*) as n", exp.alias_(dated, "dated"))
    query = query.from_(catalog.relation(measure.source))
    query = queries.keep_rows(query, _parse(measure.filter), _parse(measure.exclude))
    value = _parse(measure.expr)
    if value is not None:
        query = query.where(exp.paren(value).is_(exp.null()).not_())
    rows, with_time = (int(count) for count in catalog.fetch(query).iloc[0])
    count = rows - with_time
    # where many have none, it has not happened to them yet, and they are not meant
    if 0 < count < MOST_UNDATED * rows:
        text = f"of {rows:,} rows that metric {name} counts have no time ({time} is empty)"
        yield Notice(measure.source, f"{text}, and are in no period", count)


def _find_repeated(catalog: Catalog, name: str, measure: Measure) -> Iterator[Notice]:
    """Yield a sum over a join that has more amounts than the table from which they come."""
    value = _parse(measure.expr)
    if measure.agg != "sum" or value is None:
        return
    for written in dict.fromkeys(column.name for column in value.find_all(exp.Column)):
        column = catalog.column(measure.source, written)
        origin = catalog.joined_from(measure.source, column) if column else None
        if column is None or origin is None:
            continue
        joined, own = _count(catalog, measure.source, column), _count(catalog, *origin)
        if joined > own:
            table = f"{own:,} of {origin[0]}: the join repeats rows"
            text = f"rows of {measure.source} with a value of {column} stand for {table}"
            yield Notice(measure.source, f"{text}, and metric {name} adds them up again", joined)
            return


def _count(catalog: Catalog, name: str, column: str) -> int:
    """Count the filled cells of a column."""
    filled = exp.Count(this=exp.column(column, quoted=True))
    query = exp.select(exp.alias_(filled, "n")).from_(catalog.relation(name))
    return int(catalog.fetch(query)["n"].iloc[0])


def _find_whole_percents(catalog: Catalog, name: str, metric: Simple) -> Iterator[Notice]:
    """Yield a metric in per cent whose cells are numbers such as 45, where 0.45 is 45 %."""
    measure = metric.measure
    column = catalog.column(measure.source, (measure.expr or "").strip('"'))
    if metric.unit != "percent" or measure.agg not in OF_SHARES or column is None:
        return
    if queries.family(catalog.columns(measure.source)[column]) not in ("integer", "decimal"):
        return
    cell = exp.column(column, quoted=True)
    query = exp.select(
        exp.alias_(exp.Count(this=cell.copy()), "n"),
        exp.alias_(exp.Min(this=cell.copy()), "low"),
        exp.alias_(exp.Avg(this=cell.copy()), "mean"),
        exp.alias_(exp.Max(this=cell.copy()), "high"),
    ).from_(catalog.relation(measure.source))
    n, low, mean, high = catalog.fetch(query).iloc[0].tolist()
    if n and low >= 0 and mean > MOST_SHARE and high <= WHOLE:
        text = f"values of {column} reach {high:g}, which metric {name} reads as {high:.0%}"
        yield Notice(
            measure.source, f"{text}; write expr: {column} / 100 if it is {high:g} %", int(n)
        )


def _has_parameters(measure: Measure) -> bool:
    texts = (measure.filter, measure.exclude, measure.expr)
    return any(":" in text.replace("::", "") for text in texts if text)


def _parse(written: str | None) -> exp.Expr | None:
    return sqlglot.parse_one(written, read="duckdb") if written else None


# --- names ---------------------------------------------------------------------------------------


def _columns_of_names(catalog: Catalog, name: str) -> list[str]:
    """List the text columns of a source whose values are keys, members or things counted."""
    wanted = list(catalog.declared.sources[name].key or [])
    for metric in catalog.company.metrics.values():
        if isinstance(metric, Simple) and metric.measure.source == name:
            wanted += split_columns(metric)
            if metric.measure.agg in ("count_distinct", "first_seen"):
                wanted.append(metric.measure.expr or "")
    types = catalog.columns(name)
    columns = [find_column(column.strip('"'), types) for column in wanted]
    return [column for column in dict.fromkeys(columns) if column and types[column] == "VARCHAR"]


def _find_sum_of_others(
    catalog: Catalog, name: str, measure: Measure, column: str
) -> Iterator[Notice]:
    """Yield the member of a split that equals the sum of all others.

    It does so on every day, or over all days where its name says that it is a total.
    """
    frame = catalog.fetch(queries.daily(catalog, measure, time_of(catalog, measure), (column,)))
    if frame.empty or frame["d0"].nunique() > MOST_MEMBERS:
        return
    wide = frame.pivot_table(index="day", columns="d0", values="v", aggfunc="sum", fill_value=0)
    for members in _sums_of_others(wide):
        shown = " and ".join(show(member) for member in members[:LISTED])
        are = "member of {} is" if len(members) == 1 else "members of {} together are"
        text = f"{are.format(column)} the sum of all others: {shown}"
        twice = f"metric {name} counts everything twice"
        yield Notice(measure.source, f"{text}; {twice}", len(members))


def _sums_of_others(wide: pd.DataFrame) -> list[list[str]]:
    """Return the members of a table by day and member that are the sum of all others.

    One of at least three is by itself, on each of several days. Those that are called totals are
    together, over all days.
    """
    values = wide.to_numpy(dtype=float)
    totals = values.sum(axis=1, keepdims=True)
    members = wide.columns.tolist()
    sums = []
    if len(members) > 2 and (totals != 0).sum() >= DAYS_ALIKE:
        is_half = np.isclose(2 * values, totals, rtol=SAME, atol=0).all(axis=0)
        sums = [[member] for member, half in zip(members, is_half, strict=True) if half]
    called = np.array([TOTAL.match(member) is not None for member in members])
    half = 2 * values[:, called].sum()
    if called.any() and totals.sum() and np.isclose(half, totals.sum(), rtol=SAME, atol=0):
        named = [member for member in members if TOTAL.match(member)]
        if named not in sums:
            sums.append(named)
    return sums


def _columns_with_totals(catalog: Catalog, name: str) -> list[str]:
    """List the text columns of a source in which a cell says that its row is a total."""
    if not catalog.is_embedded(name):
        return []
    texts = [column for column, type_ in catalog.columns(name).items() if type_ == "VARCHAR"]
    wanted = []
    for start in range(0, len(texts), TOGETHER):  # planning takes the square of their number
        wanted += _with_totals(catalog, name, texts[start : start + TOGETHER])
    return wanted


def _with_totals(catalog: Catalog, name: str, texts: Sequence[str]) -> list[str]:
    """Return which of a few text columns are such."""
    pattern = f"(?i){TOTAL.pattern}.*"
    columns = []
    for place, column in enumerate(texts):
        is_total = f"regexp_full_match({quote(column)}, '{pattern}')"
        columns.append(f"count(*) filter (where {is_total}) as c{place}")
        columns.append(f"approx_count_distinct({quote(column)}) as d{place}")
    counts = catalog.fetch(f"select {', '.join(columns)} from {quote(name)}").iloc[0].tolist()
    wanted = []
    for column, count, members in zip(texts, counts[::2], counts[1::2], strict=True):
        if count and members <= MOST_MEMBERS:
            wanted.append(column)
    return wanted
