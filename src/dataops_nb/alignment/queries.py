"""The queries that aggregate a measure inside the engine, as sqlglot expressions; raw rows never leave it.

Columns that go out: `w` (the window's position), `day`, `d0 d1 ...` (the segment's values as text), `v`, `n`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from dataops_nb.definitions.models import Duration, Measure
from dataops_nb.sources import Catalog
from dataops_nb.sources.conditions import keep_rows
from dataops_nb.sources.rates import SPANS, holds

NO_VALUE = "(none)"
DAYS = "_nb_days"
WINDOWS = "_nb_windows"
_OF_NUMBERS: dict[str, type[exp.AggFunc]] = {
    "sum": exp.Sum, "average": exp.Avg, "min": exp.Min, "max": exp.Max, "median": exp.Median,
}  # fmt: skip


def daily(catalog: Catalog, what: Measure, time: str, by: tuple[str, ...]) -> exp.Select:
    """`day d0.. v n`: the measure of each local day with rows."""
    local = catalog.local_date(what.source, time)
    rows = _rows(catalog, what, by, local).select(exp.alias_(local, "day"))
    return _grouped(what, rows.where(_seen(catalog, local)), ("day", *_names(by)))


def first_rows(catalog: Catalog, what: Measure, time: str, by: tuple[str, ...]) -> exp.Select:
    """`day d0.. v n`: how many distinct `expr` have their first row of all history on that day, in that row's segment."""
    rows = _first(_dated_rows(catalog, what, time, by), ("x",), by)
    return _grouped(what.model_copy(update={"agg": "count"}), rows, ("day", *_names(by)))


@dataclass(frozen=True)
class Event:
    """What happens to entities: the rows of a measure, by the day in `time`, each about the entity in `entity`."""

    what: Measure
    time: str
    entity: str


def converted(catalog: Catalog, base: Event, then: Event, within: Duration, by: tuple[str, ...]) -> exp.Select:
    """`w d0.. v n`: the entities with a base event in each window of `WINDOWS`, and how many of them convert (`v`).

    An entity stands once in a window, with its first base event there; a conversion is on that day or up to `within` later.
    """
    day, unit = exp.column("day", table="b"), "month" if within.unit == "quarter" else within.unit
    count = within.count * (3 if within.unit == "quarter" else 1)
    step = exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var(unit.upper()))
    until = exp.cast(exp.Add(this=day.copy(), expression=step), "date")
    same = exp.column("entity", table="b").eq(exp.column("entity", table="c"))
    timely = exp.Between(this=exp.column("day", table="c"), low=day.copy(), high=until)
    found = exp.select("b.entity", "b.day").distinct().from_("_nb_base AS b").join("_nb_then AS c", on=same & timely)
    first, last = (exp.column(f"_nb_{end}", table=WINDOWS) for end in ("first", "last"))
    asked = exp.Between(this=day.copy(), low=first, high=last)
    rows = (
        exp.select(_window(WINDOWS), "b.*", exp.alias_(exp.column("day", table="h"), "x"))
        .from_("_nb_base AS b")
        .join(WINDOWS, on=asked)
        .join("_nb_found AS h", on="b.entity = h.entity AND b.day = h.day", join_type="left")
    )
    counted = exp.select("w", *_names(by), "cast(count(x) as double) AS v", "count(*) AS n")
    return (
        counted.from_(_first(rows, ("w", "entity"), by).subquery("e"))
        .group_by("w", *_names(by))
        .with_("_nb_base", as_=_events(catalog, base, by))
        .with_("_nb_then", as_=_events(catalog, then, ()))
        .with_("_nb_found", as_=found)
    )


def _events(catalog: Catalog, event: Event, by: tuple[str, ...]) -> exp.Select:
    """`entity day moment d0..`: the rows of an event that count and are about somebody."""
    about = exp.alias_(exp.cast(_parse(event.entity, catalog.dialect), "text"), "entity")
    rows = _dated_rows(catalog, event.what, event.time, by, about)
    if event.what.agg == "first_seen":
        rows = _first(rows, ("x",), by)
    known = exp.and_(*[exp.column(name).is_(exp.null()).not_() for name in ("entity", "x")])
    return exp.select("entity", "day", "moment", *_names(by)).from_(rows.subquery("v")).where(known)


def _dated_rows(catalog: Catalog, what: Measure, time: str, by: tuple[str, ...], *more: Any) -> exp.Select:
    """`day moment x d0..` of every row up to as-of."""
    local = catalog.local_date(what.source, time)
    rows = _rows(catalog, what, by, local).select(
        exp.alias_(local, "day"), exp.alias_(exp.column(time, quoted=True), "moment"), *more
    )
    return rows.where(_seen(catalog, local))


def _first(rows: exp.Select, apart: tuple[str, ...], by: tuple[str, ...]) -> exp.Select:
    """The earliest row of each of `apart`, which are never empty."""
    order = exp.Order(expressions=[exp.Ordered(this=exp.column(name)) for name in ("moment", *_names(by))])
    place = exp.Window(this=exp.RowNumber(), partition_by=[exp.column(name) for name in apart], order=order)
    known = exp.and_(*[exp.column(name).is_(exp.null()).not_() for name in apart])
    ranked = exp.select("*", exp.alias_(place, "place")).from_(rows.subquery("s")).where(known)
    return exp.select("*").from_(ranked.subquery("p")).where(exp.column("place").eq(1))


def by_window(catalog: Catalog, what: Measure, time: str, by: tuple[str, ...]) -> exp.Select:
    """`w d0.. v n`: the measure over the rows of each window, through the date dimension `DAYS` (`window_frame`, by day)."""
    local = catalog.local_date(what.source, time)
    days = exp.to_table(DAYS), exp.column("_nb_day", table=DAYS).eq(local)
    rows = _rows(catalog, what, by, local).select(_window(DAYS)).join(days[0], on=days[1])
    return _grouped(what, rows.where(_seen(catalog, local)), ("w", *_names(by)))


def _window(frame: str) -> exp.Expr:
    return exp.alias_(exp.column("_nb_w", table=frame), "w")


def open_spans(catalog: Catalog, what: Measure, by: tuple[str, ...]) -> exp.Select:
    """`w d0.. v n`: the measure over the spans open in each window of `WINDOWS` (`window_frame`), or on its last day."""
    assert what.open is not None  # noqa: S101 - told apart by the caller
    opened, closed = (catalog.local_date(what.source, column) for column in (what.open.from_, what.open.to))
    last = exp.column("_nb_last", table=WINDOWS)
    since = last if what.at == "end" else exp.column("_nb_first", table=WINDOWS)
    still_open = exp.or_(closed.is_(exp.null()), exp.GT(this=closed.copy(), expression=since.copy()))
    spans = exp.and_(exp.LTE(this=opened, expression=last), still_open)
    rows = _rows(catalog, what, by, opened).select(_window(WINDOWS)).join(exp.to_table(WINDOWS), on=spans)
    return _grouped(what, rows, ("w", *_names(by)))


def speaks_of_window(what: Measure) -> bool:
    """Whether the measure's SQL uses `:period_start` or `:period_end`."""
    texts = [text for text in (what.filter, what.exclude, what.expr) if text]
    return any(":period_start" in text or ":period_end" in text for text in texts)


def _parse(text: str, dialect: str) -> exp.Expression:
    ends = {"period_start": "_nb_first", "period_end": "_nb_last"}
    return sqlglot.parse_one(text, dialect=dialect).transform(
        lambda node: (
            exp.column(ends[node.name], table=DAYS) if isinstance(node, exp.Placeholder) and node.name in ends else node
        )
    )


def _rows(catalog: Catalog, what: Measure, by: tuple[str, ...], day: exp.Expression) -> exp.Select:
    """`x d0..` of the rows that count; amounts in a currency are converted by the rate of the row's local day."""
    value = _parse(what.expr, catalog.dialect) if what.expr else exp.Literal.number(1)
    rows = exp.select().from_(catalog.relation(what.source))
    rates = catalog.definitions.company.rates
    if what.currency and rates and what.agg in _OF_NUMBERS:
        own = exp.column(what.currency, quoted=True)
        rows = rows.join(catalog.rate_spans(), on=holds(own, day), join_type="left")
        same = exp.cast(own.copy(), "text").eq(exp.Literal.string(rates.to))
        rate = exp.case().when(same, exp.Literal.number(1)).else_(exp.column("_nb_rate", table=SPANS))
        value = exp.Mul(this=exp.paren(value), expression=exp.paren(rate))
    query = rows.select(exp.alias_(value, "x"), *_dimensions(by))
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
