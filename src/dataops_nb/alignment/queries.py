"""The queries that aggregate a measure inside the engine, as sqlglot expressions; raw rows never leave it.

Columns that go out: `w` (the window's position), `day`, `d0 d1 ...` (the segment's values as text), `v`, `n`.
"""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp

from dataops_nb.definitions.models import Measure
from dataops_nb.sources import Catalog
from dataops_nb.sources.conditions import keep_rows

NO_VALUE = "(none)"
DAYS = "_nb_days"
WINDOWS = "_nb_windows"
_OF_NUMBERS: dict[str, type[exp.AggFunc]] = {
    "sum": exp.Sum, "average": exp.Avg, "min": exp.Min, "max": exp.Max, "median": exp.Median,
}  # fmt: skip


def daily(catalog: Catalog, what: Measure, time: str, by: tuple[str, ...]) -> exp.Select:
    """`day d0.. v n`: the measure of each local day with rows."""
    local = catalog.local_date(what.source, time)
    rows = _rows(catalog, what, by).select(exp.alias_(local, "day"))
    return _grouped(what, rows.where(_seen(catalog, local)), ("day", *_names(by)))


def first_rows(catalog: Catalog, what: Measure, time: str, by: tuple[str, ...]) -> exp.Select:
    """`day d0.. v n`: how many distinct `expr` have their first row of all history on that day, in that row's segment."""
    local = catalog.local_date(what.source, time)
    rows = _rows(catalog, what, by).select(
        exp.alias_(local, "day"), exp.alias_(exp.column(time, quoted=True), "moment")
    )
    order = exp.Order(expressions=[exp.Ordered(this=exp.column(name)) for name in ("moment", *_names(by))])
    place = exp.Window(this=exp.RowNumber(), partition_by=[exp.column("x")], order=order)
    ranked = (
        exp.select("day", *_names(by), "x", exp.alias_(place, "place"))
        .from_(rows.where(_seen(catalog, local)).subquery("s"))
        .where(exp.column("x").is_(exp.null()).not_())
    )
    first = exp.select("*").from_(ranked.subquery("p")).where(exp.column("place").eq(1))
    return _grouped(what.model_copy(update={"agg": "count"}), first, ("day", *_names(by)))


def by_window(catalog: Catalog, what: Measure, time: str, by: tuple[str, ...]) -> exp.Select:
    """`w d0.. v n`: the measure over the rows of each window, through the date dimension `DAYS` (w, day, first, last)."""
    local = catalog.local_date(what.source, time)
    rows = (
        _rows(catalog, what, by)
        .select(exp.column("w", table=DAYS))
        .join(exp.to_table(DAYS), on=exp.column("day", table=DAYS).eq(local))
    )
    return _grouped(what, rows.where(_seen(catalog, local)), ("w", *_names(by)))


def open_spans(catalog: Catalog, what: Measure, by: tuple[str, ...]) -> exp.Select:
    """`w d0.. v n`: the measure over the spans open in each window of `WINDOWS` (w, first, last), or on its last day."""
    assert what.open is not None  # noqa: S101 - told apart by the caller
    opened, closed = (catalog.local_date(what.source, column) for column in (what.open.from_, what.open.to))
    last = exp.column("last", table=WINDOWS)
    since = last if what.at == "end" else exp.column("first", table=WINDOWS)
    still_open = exp.or_(closed.is_(exp.null()), exp.GT(this=closed.copy(), expression=since.copy()))
    spans = exp.and_(exp.LTE(this=opened, expression=last), still_open)
    rows = _rows(catalog, what, by).select(exp.column("w", table=WINDOWS)).join(exp.to_table(WINDOWS), on=spans)
    return _grouped(what, rows, ("w", *_names(by)))


def speaks_of_window(what: Measure) -> bool:
    """Whether the measure's SQL uses `:period_start` or `:period_end`."""
    texts = [text for text in (what.filter, what.exclude, what.expr) if text]
    return any(":period_start" in text or ":period_end" in text for text in texts)


def _parse(text: str, dialect: str) -> exp.Expression:
    ends = {"period_start": "first", "period_end": "last"}
    return sqlglot.parse_one(text, dialect=dialect).transform(
        lambda node: (
            exp.column(ends[node.name], table=DAYS) if isinstance(node, exp.Placeholder) and node.name in ends else node
        )
    )


def _rows(catalog: Catalog, what: Measure, by: tuple[str, ...]) -> exp.Select:
    value = _parse(what.expr, catalog.dialect) if what.expr else exp.Literal.number(1)
    query = exp.select(exp.alias_(value, "x"), *_dimensions(by)).from_(catalog.relation(what.source))
    kept, dropped = (_parse(text, catalog.dialect) if text else None for text in (what.filter, what.exclude))
    return keep_rows(query, kept, dropped)


def _seen(catalog: Catalog, local: exp.Expression) -> exp.Expression:
    as_of = exp.cast(exp.Literal.string(catalog.as_of.isoformat()), "date")
    return exp.LTE(this=local.copy(), expression=as_of)


def _dimensions(by: tuple[str, ...]) -> list[Any]:
    texts = [exp.cast(exp.column(name, quoted=True), "text") for name in by]
    return [
        exp.alias_(exp.Coalesce(this=text, expressions=[exp.Literal.string(NO_VALUE)]), f"d{i}")
        for i, text in enumerate(texts)
    ]


def _names(by: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"d{i}" for i in range(len(by)))


def _grouped(what: Measure, rows: exp.Select, keys: tuple[str, ...]) -> exp.Select:
    counted = exp.Count(this=exp.column("x"))
    value: exp.AggFunc = counted.copy()
    if what.agg == "count_distinct":
        value = exp.Count(this=exp.Distinct(expressions=[exp.column("x")]))
    elif what.agg in _OF_NUMBERS:
        value = _OF_NUMBERS[what.agg](this=exp.cast(exp.column("x"), "double"))
    columns = [exp.alias_(exp.cast(value, "double"), "v"), exp.alias_(counted, "n")]
    return exp.select(*keys, *columns).from_(rows.subquery("r")).group_by(*keys)
