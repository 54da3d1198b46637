"""The queries that match the rows of two systems inside the engine; what agrees comes back added up by day.

Both sides are reduced to `k` (the key), `day` (local) and `v` (the amount, to six decimals, so that sums are exact).
Every row ends in one line of `_nb_matched`: `kind k a_day b_day a_v b_v`, where kind is `pair`, `only` or `duplicate`.
"""

from __future__ import annotations

import functools

import sqlglot
from sqlglot import exp

from dataops_nb.errors import DataError, Fault, did_you_mean
from dataops_nb.reconciliation.pairs import Pair, Side
from dataops_nb.sources import Catalog
from dataops_nb.sources.conditions import keep_rows
from dataops_nb.sources.kinds import family
from dataops_nb.sources.sql import find_column

DAYS = "_nb_days"
EXACT = "decimal(38, 6)"
_MATCHED = {
    # rows that are the same in both systems meet first, so that what is left over of a key is what differs
    "_nb_a": """select *, row_number() over (partition by k, day, v order by k) as nth from _nb_left where k is not null""",
    "_nb_b": """select *, row_number() over (partition by k, day, v order by k) as nth from _nb_right where k is not null""",
    "_nb_same": """
        select coalesce(a.k, b.k) as k, a.day as a_day, b.day as b_day, a.v as a_v, b.v as b_v,
               count(a.day) over (partition by coalesce(a.k, b.k)) as in_a,
               count(b.day) over (partition by coalesce(a.k, b.k)) as in_b
        from _nb_a as a full join _nb_b as b on a.k = b.k and a.day = b.day and a.v = b.v and a.nth = b.nth""",
    "_nb_rest_a": """
        select k, a_day, a_v, in_b as known, row_number() over (partition by k order by a_day, a_v desc) as nth
        from _nb_same where b_day is null""",
    "_nb_rest_b": """
        select k, b_day, b_v, in_a as known, row_number() over (partition by k order by b_day, b_v desc) as nth
        from _nb_same where a_day is null""",
    "_nb_matched": """
        select 'pair' as kind, k, a_day, b_day, a_v, b_v from _nb_same where a_day is not null and b_day is not null
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
    select kind, a_day, b_day, cast(sum(a_v) as text) as a, cast(sum(b_v) as text) as b, count(*) as n
    from _nb_matched group by kind, a_day, b_day order by a_day, b_day, kind"""
_DIFFERENT = f"""
    select kind, cast(k as text) as k, a_day, b_day, cast(a_v as text) as a, cast(b_v as text) as b,
           a_in.place as a_place, b_in.place as b_place
    from _nb_matched left join {DAYS} as a_in on a_in.day = a_day left join {DAYS} as b_in on b_in.day = b_day
    where (a_in.place is not null or b_in.place is not null)
      and (kind <> 'pair' or a_v <> b_v or a_in.place is distinct from b_in.place)
    order by coalesce(a_day, b_day), k, a_v, b_v"""


def by_day(catalog: Catalog, pair: Pair) -> exp.Select:
    """`kind a_day b_day a b n`: the matched rows added up for each pair of days; a and b are decimals as text."""
    return _over_matched(catalog, pair, _BY_DAY)


def different(catalog: Catalog, pair: Pair) -> exp.Select:
    """`kind k a_day b_day a b a_place b_place`: the rows that differ, one by one, through the dimension `DAYS` (day, place)."""
    return _over_matched(catalog, pair, _DIFFERENT)


def _over_matched(catalog: Catalog, pair: Pair, last: str) -> exp.Select:
    as_text = _kind(catalog, pair.a) != _kind(catalog, pair.b)
    query = _template(last).copy()
    sides = {"_nb_left": pair.a, "_nb_right": pair.b}
    steps: dict[str, exp.Expr] = {name: _rows(catalog, side, as_text=as_text) for name, side in sides.items()}
    steps |= {name: _template(written).copy() for name, written in _MATCHED.items()}
    for name, step in steps.items():
        query = query.with_(name, as_=step, copy=False)
    return query


@functools.cache
def _template(written: str) -> exp.Select:
    parsed: exp.Select = sqlglot.parse_one(written, read="duckdb")  # type: ignore[assignment]  # or a union, used alike
    return parsed


def _kind(catalog: Catalog, side: Side) -> str:
    columns = catalog.columns(side.measure.source)
    kind = family(columns[_found(catalog, side, side.key)])
    return {"integer": "number", "decimal": "number"}.get(kind, kind)


def _found(catalog: Catalog, side: Side, column: str) -> str:
    columns = catalog.columns(side.measure.source)
    found = find_column(column, columns)
    if found is None:
        rule = f"has no column {column!r}{did_you_mean(column, columns)}"
        raise DataError([Fault(side.measure.source, f"{rule}; it is named in the reconcile: of metric {side.metric}")])
    return found


def _rows(catalog: Catalog, side: Side, *, as_text: bool) -> exp.Select:
    """`k day v`: the rows that the side's measure counts, up to as-of."""
    what, key = side.measure, exp.column(_found(catalog, side, side.key), quoted=True)
    local = catalog.local_date(what.source, side.time)
    query = exp.select(
        exp.alias_(exp.cast(key, "text") if as_text else key, "k"),
        exp.alias_(local, "day"),
        exp.alias_(exp.cast(_amount(catalog, side), EXACT, dialect="duckdb"), "v"),
    ).from_(catalog.relation(what.source))
    query = keep_rows(query, _parsed(catalog, what.filter), _parsed(catalog, what.exclude))
    if side.amount is None and what.expr is not None:
        query = query.where(exp.paren(_sql(catalog, what.expr)).is_(exp.null()).not_())
    as_of = exp.cast(exp.Literal.string(catalog.as_of.isoformat()), "date")
    return query.where(exp.LTE(this=local.copy(), expression=as_of))


def _amount(catalog: Catalog, side: Side) -> exp.Expr:
    """The amount column (0 where empty), else what the row adds to its measure."""
    if side.amount is not None:
        column = exp.column(_found(catalog, side, side.amount), quoted=True)
        return exp.Coalesce(this=column, expressions=[exp.Literal.number(0)])
    if side.measure.agg == "sum" and side.measure.expr is not None:
        return exp.paren(_sql(catalog, side.measure.expr))
    return exp.Literal.number(1)


def _parsed(catalog: Catalog, written: str | None) -> exp.Expr | None:
    return _sql(catalog, written) if written else None


def _sql(catalog: Catalog, written: str) -> exp.Expr:
    return sqlglot.parse_one(written, dialect=catalog.dialect)
