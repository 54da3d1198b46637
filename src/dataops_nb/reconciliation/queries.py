"""The rows of two systems, matched inside the engine.

What agrees is added up by day; what differs is listed one by one.

Both sides are reduced to `k` (the key), `day` (local) and `v` (the amount, to six decimals, so that
sums are exact). Every row ends in one line of `_nb_matched`: `kind k a_day b_day a_v b_v`, where
kind is `pair`, `only` or `duplicate`.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import pandas as pd
import sqlglot
from sqlglot import exp

from dataops_nb.alignment.queries import family, keep_rows
from dataops_nb.alignment.rows import Coverage, Rows
from dataops_nb.alignment.sql import parse
from dataops_nb.errors import DataError, Fault, did_you_mean
from dataops_nb.periods import Period, calendar
from dataops_nb.reconciliation.pairs import Pair, Side
from dataops_nb.terms import Grain

DAYS = "_nb_days"
EXACT = "decimal(38, 6)"
_MATCHED = {
    # rows that are the same in both systems meet first, so that what is left of a key differs
    "_nb_a": """
        select *, row_number() over (partition by k, day, v order by k) as nth
        from _nb_left where k is not null""",
    "_nb_b": """
        select *, row_number() over (partition by k, day, v order by k) as nth
        from _nb_right where k is not null""",
    "_nb_same": """
        select coalesce(a.k, b.k) as k, a.day as a_day, b.day as b_day, a.v as a_v, b.v as b_v,
               count(a.day) over (partition by coalesce(a.k, b.k)) as in_a,
               count(b.day) over (partition by coalesce(a.k, b.k)) as in_b
        from _nb_a as a full join _nb_b as b
            on a.k = b.k and a.day = b.day and a.v = b.v and a.nth = b.nth""",
    "_nb_rest_a": """
        select k, a_day, a_v, in_b as known,
               row_number() over (partition by k order by a_day, a_v desc) as nth
        from _nb_same where b_day is null""",
    "_nb_rest_b": """
        select k, b_day, b_v, in_a as known,
               row_number() over (partition by k order by b_day, b_v desc) as nth
        from _nb_same where a_day is null""",
    "_nb_matched": """
        select 'pair' as kind, k, a_day, b_day, a_v, b_v
        from _nb_same where a_day is not null and b_day is not null
        union all
        select case when a.nth is not null and b.nth is not null then 'pair'
                    when coalesce(a.known, b.known) > 0 then 'duplicate' else 'only' end,
               coalesce(a.k, b.k), a.a_day, b.b_day, a.a_v, b.b_v
        from _nb_rest_a as a full join _nb_rest_b as b on a.k = b.k and a.nth = b.nth
        union all
        select 'only', null, day, null, v, null from _nb_left where k is null
        union all
        select 'only', null, null, day, null, v from _nb_right where k is null""",
}
_BY_DAY = """
    select kind, a_day, b_day,
           cast(sum(a_v) as text) as a, cast(sum(b_v) as text) as b, count(*) as n
    from _nb_matched group by kind, a_day, b_day order by a_day, b_day, kind"""
_DIFFERENT = f"""
    select kind, cast(k as text) as k, a_day, b_day,
           cast(a_v as text) as a, cast(b_v as text) as b,
           a_in.place as a_place, b_in.place as b_place
    from _nb_matched
    left join {DAYS} as a_in on a_in.day = a_day
    left join {DAYS} as b_in on b_in.day = b_day
    where (a_in.place is not null or b_in.place is not null)
      and (kind <> 'pair' or a_v <> b_v or a_in.place is distinct from b_in.place)
    order by coalesce(a_day, b_day), k, a_v, b_v"""
_SHARE = 95


@dataclass(frozen=True)
class Matched:
    """Rows of one kind: those of system a on a day, those of b on a day, or both.

    `a` and `b` are their amounts.
    """

    kind: Literal["pair", "only", "duplicate"]
    a_day: dt.date | None
    b_day: dt.date | None
    a: Decimal | None
    b: Decimal | None
    rows: int = 1
    key: str | None = None


def match_by_day(rows: Rows, pair: Pair) -> list[Matched]:
    """Match all rows of both sides, added up by kind and pair of days."""
    return _read_matched(rows.fetch(_over_matched(rows, pair, _BY_DAY)))


def match_different(rows: Rows, pair: Pair, periods: list[Period]) -> list[Matched]:
    """Match the rows of these periods, and return those that differ, one by one."""
    days = pd.date_range(periods[0].start, periods[-1].end, freq="D").astype("datetime64[s]")
    places: list[int] = []
    for place, period in enumerate(periods):
        places += [place] * period.days
    dimension = pd.DataFrame({"day": days, "place": places})
    query = _over_matched(rows, pair, _DIFFERENT)
    return _read_matched(rows.fetch(query, **{DAYS: dimension}))


def usable(rows: Rows, pair: Pair) -> bool:
    """Tell whether both sides may be read. Raises DataError where one must not be."""
    sources = (pair.a.measure.source, pair.b.measure.source)
    rows.require(*sources)
    return not any(rows.faulty(source) for source in sources)


def lag(matched: Iterable[Matched]) -> int:
    """Return the arrival lag in days: 95 of 100 rows have their partner within so many days.

    0 where none met.
    """
    row_counts: Counter[int] = Counter()
    for row in matched:
        if row.a_day is not None and row.b_day is not None:
            row_counts[abs((row.a_day - row.b_day).days)] += row.rows
    rank = math.ceil(row_counts.total() * _SHARE / 100)
    passed = 0
    for days in sorted(row_counts):
        passed += row_counts[days]
        if passed >= rank:
            return days
    return 0


def coverages(rows: Rows, pair: Pair) -> list[Coverage]:
    """Return the days that each side speaks about."""
    return [rows.coverage(side.measure.source, side.time) for side in (pair.a, pair.b)]


def periods(
    rows: Rows, pair: Pair, grain: Grain, start: dt.date | None, end: dt.date | None
) -> list[Period]:
    """Return the periods asked for, none after as-of.

    Without `start` and `end` those in which both have data.
    """
    first, last = start, end
    if start is None or end is None:
        known = coverages(rows, pair)
        firsts = [coverage.first for coverage in known if coverage.first]
        lasts = [coverage.last for coverage in known if coverage.last]
        first = start or max(firsts, default=None)
        last = end or min(lasts, default=None)
    if first is None or last is None:
        return []
    cut = calendar(rows.company.calendar)
    return list(cut.periods(grain, first, min(last, rows.as_of)))


def _read_matched(table: pd.DataFrame) -> list[Matched]:
    """Read the lines of a query; amounts come as text, so that no digit is lost."""
    count = len(table)
    a_days, b_days = _read_days(table["a_day"]), _read_days(table["b_day"])
    a_amounts, b_amounts = _read_amounts(table["a"]), _read_amounts(table["b"])
    row_counts: list[int] = [1] * count
    if "n" in table:
        row_counts = [int(n) for n in table["n"]]
    keys: list[str | None] = [None] * count
    if "k" in table:
        texts = table["k"].astype(object)
        keys = texts.where(texts.notna(), None).tolist()
    return [
        Matched(kind, a_days[i], b_days[i], a_amounts[i], b_amounts[i], row_counts[i], keys[i])
        for i, kind in enumerate(table["kind"])
    ]


def _read_days(column: pd.Series) -> list[dt.date | None]:
    days: list[dt.date | None] = []
    for day in pd.to_datetime(column):
        days.append(None if pd.isna(day) else day.date())
    return days


def _read_amounts(column: pd.Series) -> list[Decimal | None]:
    amounts: list[Decimal | None] = []
    for text in column:
        amounts.append(Decimal(text) if isinstance(text, str) else None)
    return amounts


def _over_matched(rows: Rows, pair: Pair, last: str) -> exp.Select:
    """Return a query over `_nb_matched`, with all steps that lead to it."""
    # keys of different types meet as text
    as_text = _key_kind(rows, pair.a) != _key_kind(rows, pair.b)
    query = _template(last).copy()
    steps: dict[str, exp.Expr] = {
        "_nb_left": _rows_of_side(rows, pair.a, as_text=as_text),
        "_nb_right": _rows_of_side(rows, pair.b, as_text=as_text),
    }
    for name, text in _MATCHED.items():
        steps[name] = _template(text).copy()
    for name, step in steps.items():
        query = query.with_(name, as_=step, copy=False)
    return query


@functools.cache
def _template(text: str) -> exp.Select:
    # or a union, which is used alike
    parsed: exp.Select = sqlglot.parse_one(text, read="duckdb")  # type: ignore[assignment]
    return parsed


def _key_kind(rows: Rows, side: Side) -> str:
    columns = rows.columns(side.measure.source)
    kind = family(columns[_column(rows, side, side.key)])
    return {"integer": "number", "decimal": "number"}.get(kind, kind)


def _column(rows: Rows, side: Side, column: str) -> str:
    """Return a column's name as its source writes it. Raises DataError where there is none."""
    source = side.measure.source
    name = rows.column(source, column)
    if name is None:
        near = did_you_mean(column, rows.columns(source))
        where = f"it is named in the reconcile: of metric {side.metric}"
        raise DataError([Fault(source, f"has no column {column!r}{near}; {where}")])
    return name


def _rows_of_side(rows: Rows, side: Side, *, as_text: bool) -> exp.Select:
    """Select `k day v`: the rows that the side's measure counts, up to as-of."""
    measure = side.measure
    key: exp.Expr = exp.column(_column(rows, side, side.key), quoted=True)
    if as_text:
        key = exp.cast(key, "text")
    local_day = rows.local_date(measure.source, side.time)
    query = exp.select(
        exp.alias_(key, "k"),
        exp.alias_(local_day, "day"),
        exp.alias_(exp.cast(_amount(rows, side), EXACT, dialect="duckdb"), "v"),
    ).from_(rows.relation(measure.source))
    query = keep_rows(query, _condition(rows, measure.filter), _condition(rows, measure.exclude))
    if side.amount is None and measure.expr is not None:
        query = query.where(exp.paren(parse(rows, measure.expr)).is_(exp.null()).not_())
    as_of = exp.cast(exp.Literal.string(rows.as_of.isoformat()), "date")
    return query.where(exp.LTE(this=local_day.copy(), expression=as_of))


def _amount(rows: Rows, side: Side) -> exp.Expr:
    """Return the amount column (0 where empty), else what the row adds to its measure."""
    if side.amount is not None:
        column = exp.column(_column(rows, side, side.amount), quoted=True)
        return exp.Coalesce(this=column, expressions=[exp.Literal.number(0)])
    if side.measure.agg == "sum" and side.measure.expr is not None:
        return exp.paren(parse(rows, side.measure.expr))
    return exp.Literal.number(1)


def _condition(rows: Rows, text: str | None) -> exp.Expr | None:
    return parse(rows, text) if text else None
