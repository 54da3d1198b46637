"""The queries that aggregate a measure inside the engine, as sqlglot expressions.

Raw rows never leave it.

Columns that go out: `w` (the window's position), `day`, `d0 d1 ...` (the segment's values as text),
`v`, `n`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlglot import exp

from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.sql import DAYS, parse
from dataops_nb.metrics import Measure
from dataops_nb.terms import Duration

NO_VALUE = "(none)"
WINDOWS = "_nb_windows"
PLACES = "_nb_places"
SPANS = "_nb_rates"
NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)
_OF_NUMBERS: dict[str, type[exp.AggFunc]] = {
    "sum": exp.Sum, "average": exp.Avg, "min": exp.Min, "max": exp.Max, "median": exp.Median,
    "percentile": exp.PercentileCont,
}  # fmt: skip


OF_INTEGERS = {"sum", "min", "max"}  # of whole numbers they are whole
Form = Literal["double", "whole", "written"]


def daily(
    rows: Rows, what: Measure, time: str, by: tuple[str, ...], *, written: bool = False
) -> exp.Select:
    """`day d0.. v n`: the measure of each local day with rows.

    With `written`, here and below, `v` is the text of what the engine has: every digit of a whole
    number.
    """
    local = rows.local_date(what.source, time)
    query = _rows(rows, what, by, local).select(exp.alias_(local, "day"), copy=False)
    query = query.where(seen(rows, local), copy=False)
    return _grouped(what, query, ("day", *_names(by)), _form(rows, what, written))


def daily_together(
    rows: Rows, whats: Sequence[Measure], time: str, by: tuple[str, ...]
) -> exp.Select:
    """`day d0.. v0 n0 r0 v1 n1 r1 ..`.

    What `daily` gives for each of several measures of one source, in one pass.

    `r` counts the rows that meet a measure's conditions: where it is 0, `daily` has no row. They
    convert one currency, or none.
    """
    local = rows.local_date(whats[0].source, time)
    inner: list[Any] = [exp.alias_(local, "day"), *_dimensions(by)]
    columns: list[Any] = [*_columns(("day", *_names(by)))]
    once = _Once(rows)
    for i, what in enumerate(whats):
        form = _form(rows, what)
        filled = [*_aggregates(what, once.value(what), form), ("r", once.row(what))]
        for name, each in filled:
            columns.append(exp.alias_(_double(each, name), f"{name}{i}", copy=False))
    query = rows_of(rows, whats[0], local).select(*inner, *once.columns, copy=False)
    query = query.where(seen(rows, local), copy=False)
    return (
        exp.select(*columns)
        .from_(query.subquery("r", copy=False), copy=False)
        .group_by(*_columns(("day", *_names(by))), copy=False)
    )


class _Once:
    """The conditions and values of measures, each as one column, however many have it in common.

    A value that is more than a column is computed for the rows that count alone, because others
    may not allow it.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._names: dict[tuple[str | None, ...], str] = {}
        self.columns: list[exp.Expr] = []

    def value(self, what: Measure) -> exp.Expr:
        """Return what a row is worth to a measure; nothing where it does not count."""
        kept = (what.filter, what.exclude)
        value = value_of(self._rows, what)
        if isinstance(value, exp.Column | exp.Literal):
            own = self._column(("value", what.expr), value)
            return self._where(kept, own)
        own_value = exp.case().when(self._condition(kept), value, copy=False)
        return self._column(("value", what.expr, what.currency, *kept), own_value)

    def row(self, what: Measure) -> exp.Expr:
        """Return the count of the rows that count."""
        return exp.Count(this=self._where((what.filter, what.exclude), exp.Literal.number(1)))

    def _where(self, kept: tuple[str | None, str | None], value: exp.Expr) -> exp.Expr:
        if kept == (None, None):
            return value
        condition = self._column(("condition", *kept), self._condition(kept))
        return exp.case().when(condition, value, copy=False)

    def _condition(self, kept: tuple[str | None, str | None]) -> exp.Expr:
        """Return whether a row counts."""
        texts = [parse(self._rows, text) if text else None for text in kept]
        where = keep_rows(exp.select("1"), texts[0], texts[1]).args.get("where")
        if where is None:
            return exp.true()
        return exp.Coalesce(this=exp.paren(where.this), expressions=[exp.false()])

    def _column(self, key: tuple[str | None, ...], value: exp.Expr) -> exp.Column:
        if key not in self._names:
            self._names[key] = f"x{len(self._names)}"
            self.columns.append(exp.alias_(value, self._names[key], copy=False))
        return exp.column(self._names[key])


def _double(value: exp.Expr, name: str) -> exp.Expr:
    return exp.cast(value, "double", copy=False) if name == "v" else value


def distinct(
    rows: Rows,
    what: Measure,
    time: str,
    by: tuple[str, ...],
    *,
    ends: tuple[int, int] | None,
    overlap: bool,
) -> exp.Select:
    """`w d0.. v n`: distinct values over `DAYS`, whose windows are pieces of those in `WINDOWS`
    where they `overlap`.

    `ends` are the least and the greatest value, where they are whole numbers that the engine can
    keep a bit of each of.
    """
    if not overlap and ends is None:
        return by_window(rows, what, time, by)
    local = rows.local_date(what.source, time)
    query = _rows(rows, what, by, local).select(exp.alias_(local, "day")).where(seen(rows, local))
    keys, names = ("w", *_names(by)), _names(by)
    dated = exp.select(_window(DAYS), *(f"r.{name}" for name in ("x", *names))).from_(
        query.subquery("r")
    )
    dated = dated.join(
        exp.to_table(DAYS), on=exp.column("_nb_day", table=DAYS).eq(exp.column("day", table="r"))
    )
    bits = f"bitstring_agg(cast(x as bigint), {ends[0]}, {ends[1]})" if ends else ""
    if not overlap:
        counted = (f"cast(bit_count({bits}) as double) as v", "count(x) as n")
        return (
            exp.select(*keys, *counted, dialect="duckdb").from_(dated.subquery("p")).group_by(*keys)
        )
    kept = [f"{bits} as x", "count(x) as n"] if ends else ["x", "count(x) as n"]
    groups = keys if ends else (*keys, "x")
    pieces = exp.select(*keys, *kept, dialect="duckdb").from_(dated.subquery("p")).group_by(*groups)
    put = "bit_count(bit_or(x))" if ends else "count(distinct x)"
    whole = exp.select(
        _window(WINDOWS),
        *names,
        f"cast({put} as double) as v",
        "cast(sum(n) as bigint) as n",
        dialect="duckdb",
    )
    on = exp.column("_nb_piece", table=WINDOWS).eq(exp.column("w", table="q"))
    return (
        whole.from_(pieces.subquery("q"))
        .join(exp.to_table(WINDOWS), on=on)
        .group_by(exp.column("_nb_w", table=WINDOWS), *names)
    )


def first_rows(rows: Rows, what: Measure, time: str, by: tuple[str, ...]) -> exp.Select:
    """`day d0.. v n`: how many distinct `expr` have their first row of all history on that day, in
    that row's segment."""
    dated, counted = _dated_rows(rows, what, time, by), what.model_copy(update={"agg": "count"})
    if by:
        return _grouped(counted, _first(dated, ("x",), by), ("day", *_names(by)))
    known = exp.column("x").is_(exp.null()).not_()
    first = exp.select("x", "min(day) AS day").from_(dated.subquery("s")).where(known).group_by("x")
    return _grouped(counted, first, ("day",))


@dataclass(frozen=True)
class Event:
    """What happens to entities.

    The rows of a measure, by the day in `time`, each about the entity in `entity`.
    """

    what: Measure
    time: str
    entity: str


def converted(
    rows: Rows, base: Event, then: Event, within: Duration, by: tuple[str, ...]
) -> exp.Select:
    """`w d0.. v n`: the entities with a base event in each window of `WINDOWS`.

    How many of them convert (`v`).

    An entity stands once in a window, with its first base event there; a conversion is on that day
    or up to `within` later.
    """
    day, unit = exp.column("day", table="b"), "month" if within.unit == "quarter" else within.unit
    count = within.count * (3 if within.unit == "quarter" else 1)
    step = exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var(unit.upper()))
    until = exp.cast(exp.Add(this=day.copy(), expression=step), "date")
    same = exp.column("entity", table="b").eq(exp.column("entity", table="c"))
    timely = exp.Between(this=exp.column("day", table="c"), low=day.copy(), high=until)
    found = (
        exp.select("b.entity", "b.day")
        .distinct(copy=False)
        .from_("_nb_base AS b", copy=False)
        .join("_nb_then AS c", on=same & timely, copy=False)
    )
    first, last = (exp.column(f"_nb_{end}", table=WINDOWS) for end in ("first", "last"))
    asked = exp.Between(this=day.copy(), low=first, high=last)
    query = (
        exp.select(_window(WINDOWS), "b.*", exp.alias_(exp.column("day", table="h"), "x"))
        .from_("_nb_base AS b")
        .join(WINDOWS, on=asked)
        .join("_nb_found AS h", on="b.entity = h.entity AND b.day = h.day", join_type="left")
    )
    counted = exp.select("w", *_names(by), "cast(count(x) as double) AS v", "count(*) AS n")
    of_entity = _first(query, ("w", "entity"), by).subquery("e", copy=False)
    return (
        counted.from_(of_entity, copy=False)
        .group_by(*_columns(("w", *_names(by))), copy=False)
        .with_("_nb_base", as_=_events(rows, base, by), copy=False)
        .with_("_nb_then", as_=_events(rows, then, ()), copy=False)
        .with_("_nb_found", as_=found, copy=False)
    )


def _events(rows: Rows, event: Event, by: tuple[str, ...]) -> exp.Select:
    """`entity day moment d0..`: the rows of an event that count and are about somebody."""
    about = exp.alias_(exp.cast(parse(rows, event.entity), "text"), "entity")
    query = _dated_rows(rows, event.what, event.time, by, about)
    if event.what.agg == "first_seen":
        query = _first(query, ("x",), by)
    named = exp.select(*_columns(("entity", "day", "moment", *_names(by))))
    named = named.from_(query.subquery("v", copy=False), copy=False)
    return named.where(_are_known(("entity", "x")), copy=False)


def _dated_rows(
    rows: Rows, what: Measure, time: str, by: tuple[str, ...], *more: Any
) -> exp.Select:
    """`day moment x d0..` of every row up to as-of."""
    local = rows.local_date(what.source, time)
    moment = exp.alias_(exp.column(time, quoted=True), "moment", copy=False)
    query = _rows(rows, what, by, local).select(exp.alias_(local, "day"), moment, *more, copy=False)
    return query.where(seen(rows, local), copy=False)


def _first(query: exp.Select, apart: tuple[str, ...], by: tuple[str, ...]) -> exp.Select:
    """The earliest row of each of `apart`, which are never empty."""
    ordered = [exp.Ordered(this=column) for column in _columns(("moment", *_names(by)))]
    order = exp.Order(expressions=ordered)
    place = exp.Window(this=exp.RowNumber(), partition_by=_columns(apart), order=order)
    columns = exp.Star(), exp.alias_(place, "place", copy=False)
    ranked = exp.select(*columns).from_(query.subquery("s", copy=False), copy=False)
    ranked = ranked.where(_are_known(apart), copy=False)
    first = exp.select(exp.Star()).from_(ranked.subquery("p", copy=False), copy=False)
    return first.where(exp.column("place").eq(1), copy=False)


def _are_known(names: Sequence[str]) -> exp.Condition:
    """Return the condition that none of these columns is empty."""
    known = [column.is_(exp.null()).not_(copy=False) for column in _columns(names)]
    return exp.and_(*known, copy=False)


def by_window(
    rows: Rows, what: Measure, time: str, by: tuple[str, ...], *, written: bool = False
) -> exp.Select:
    """`w d0.. v n`: the measure over the rows of each window, through the date dimension `DAYS`
    (`window_frame`, by day)."""
    local = rows.local_date(what.source, time)
    on = exp.column("_nb_day", table=DAYS).eq(local)
    query = _rows(rows, what, by, local).select(_window(DAYS), copy=False)
    query = query.join(exp.to_table(DAYS), on=on, copy=False).where(seen(rows, local), copy=False)
    return _grouped(what, query, ("w", *_names(by)), _form(rows, what, written))


def _window(frame: str) -> exp.Expr:
    return exp.alias_(exp.column("_nb_w", table=frame), "w", copy=False)


def open_spans(
    rows: Rows, what: Measure, by: tuple[str, ...], *, written: bool = False
) -> exp.Select:
    """`w d0.. v n`: the measure over the spans open in each window of `WINDOWS` (`window_frame`),
    or on its last day."""
    opened, closed = _ends(rows, what)
    last = exp.column("_nb_last", table=WINDOWS)
    since = last if what.at == "end" else exp.column("_nb_first", table=WINDOWS)
    still_open = exp.and_(_lies_after(closed, since), _lies_after(closed, opened))
    spans = exp.and_(exp.LTE(this=opened, expression=last), still_open)
    query = _rows(rows, what, by, opened).select(_window(WINDOWS), copy=False)
    query = query.join(exp.to_table(WINDOWS), on=spans, copy=False)
    return _grouped(what, query, ("w", *_names(by)), _form(rows, what, written))


def placed_spans(
    rows: Rows, what: Measure, by: tuple[str, ...], days: tuple[Any, Any]
) -> exp.Select:
    """`lo mid hi d0.. v n`: the measure over the spans that touch the same windows.

    The windows are in order and their days in `PLACES` lie between `days`: spans touch those from
    place `lo` until before `hi`. A distinct value is counted once in each window: from `mid` on,
    where its earlier spans are over.
    """
    opened, closed = _ends(rows, what)
    first, last = (exp.cast(exp.Literal.string(str(day)), "date") for day in days)
    after_last = exp.cast(exp.Literal.string(str(days[1] + 1)), "date")
    begins = exp.case().when(exp.LT(this=opened, expression=first), first).else_(opened)
    ends = exp.case().when(_lies_after(closed, last), after_last)
    ends = ends.when(exp.LT(this=closed, expression=first), first).else_(closed)
    names = _names(by)
    spans = _rows(rows, what, by, opened).where(exp.LTE(this=opened, expression=last))
    spans = spans.where(_lies_after(closed, opened))
    spans = spans.select(exp.alias_(begins, "begins"), exp.alias_(ends, "ends"))
    placed = exp.select("s.x", *(f"s.{name}" for name in names), "b._nb_lo AS lo", "e._nb_hi AS hi")
    placed = placed.from_(spans.subquery("s"))
    for name, day in (("b", "begins"), ("e", "ends")):
        placed = placed.join(
            exp.to_table(PLACES).as_(name),
            on=exp.column("_nb_day", table=name).eq(exp.column(day, table="s")),
        )
    if what.agg != "count_distinct":
        return _grouped(what, placed, ("lo", "hi", *names), _form(rows, what))
    apart = ", ".join(("x", *names))
    covered = (
        exp.select("*")
        .from_(placed.subquery("p"))
        .select(
            f"coalesce(max(hi) over (partition by {apart} order by lo"
            " rows between unbounded preceding and 1 preceding), 0) as before",
            dialect="duckdb",
        )
    )
    mid = "case when before > lo then before else lo end as mid"
    from_mid = exp.select("lo", mid, "hi", "x", *names).from_(covered.subquery("c"))
    counted = what.model_copy(update={"agg": "count"})
    return _grouped(counted, from_mid, ("lo", "mid", "hi", *names))


def _ends(rows: Rows, what: Measure) -> tuple[exp.Expression, exp.Expression]:
    """Return the days on which a measure's spans open and close."""
    assert what.open is not None  # noqa: S101 - told apart by the caller
    opened = rows.local_date(what.source, what.open.from_)
    return opened, rows.local_date(what.source, what.open.to)


def _lies_after(closed: exp.Expression, day: exp.Expression) -> exp.Condition:
    """Return the condition that spans close after a day, or not at all: they are open on it."""
    return exp.or_(closed.is_(exp.null()), exp.GT(this=closed, expression=day))


def speaks_of_window(what: Measure) -> bool:
    """Whether the measure's SQL uses `:period_start` or `:period_end`."""
    texts = [text for text in (what.filter, what.exclude, what.expr) if text]
    return any(":period_start" in text or ":period_end" in text for text in texts)


def _rows(rows: Rows, what: Measure, by: tuple[str, ...], day: exp.Expression) -> exp.Select:
    """`x d0..` of the rows that count.

    Amounts in a currency are converted by the rate of the row's local day.
    """
    value = exp.alias_(value_of(rows, what), "x", copy=False)
    query = rows_of(rows, what, day).select(value, *_dimensions(by), copy=False)
    kept, dropped = (parse(rows, text) if text else None for text in (what.filter, what.exclude))
    return keep_rows(query, kept, dropped)


def converts(rows: Rows, what: Measure) -> bool:
    """Whether a measure's amounts are in another currency than the company's."""
    return bool(what.currency and rows.company.rates and what.agg in _OF_NUMBERS)


def rows_of(rows: Rows, what: Measure, day: exp.Expression) -> exp.Select:
    """The rows of a measure's source, with the rate of their day where they are converted."""
    query = exp.select().from_(rows.relation(what.source), copy=False)
    if what.currency and converts(rows, what):
        return query.join(
            rows.rate_spans(),
            on=holds(exp.column(what.currency, quoted=True), day),
            join_type="left",
            copy=False,
        )
    return query


def value_of(rows: Rows, what: Measure) -> exp.Expression:
    """What a row is worth to a measure, in the company's currency."""
    value = parse(rows, what.expr) if what.expr else exp.Literal.number(1)
    rates = rows.company.rates
    if what.currency and rates and converts(rows, what):
        own = exp.cast(exp.column(what.currency, quoted=True), "text")
        same = own.eq(exp.Literal.string(rates.to))
        rate = (
            exp.case().when(same, exp.Literal.number(1)).else_(exp.column("_nb_rate", table=SPANS))
        )
        return exp.Mul(this=exp.paren(value), expression=exp.paren(rate))
    return value


def seen(rows: Rows, local: exp.Expression) -> exp.Expression:
    """Whether a row's day is none after as-of."""
    as_of = exp.cast(exp.Literal.string(rows.as_of.isoformat()), "date")
    return exp.LTE(this=local.copy(), expression=as_of)


def _dimensions(by: tuple[str, ...]) -> list[Any]:
    dimensions: list[Any] = []
    for i, name in enumerate(by):
        text = exp.cast(exp.column(name, quoted=True), "text", copy=False)
        value = exp.Coalesce(this=text, expressions=[exp.Literal.string(NO_VALUE)])
        dimensions.append(exp.alias_(value, f"d{i}", copy=False))
    return dimensions


def _names(by: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"d{i}" for i in range(len(by)))


def _columns(names: Sequence[str]) -> list[exp.Column]:
    """Return columns of our own: names that sqlglot is given as texts are parsed each time."""
    return [exp.column(name) for name in names]


def _form(rows: Rows, what: Measure, written: bool = False) -> Form:
    """How a measure's values are aggregated.

    As doubles; whole numbers as such, of which a sum loses no digit before it is a double; or
    `written`.
    """
    if written:
        return "written"
    if what.agg not in OF_INTEGERS:
        return "double"

    def find() -> Form:
        value = value_of(rows, what)
        is_column = isinstance(value, exp.Column) and not value.table
        return "whole" if is_column and rows.is_whole(what.source, value.name) else "double"

    return rows.once(("form", what.source, what.expr, what.currency), find)


def _grouped(
    what: Measure, query: exp.Select, keys: tuple[str, ...], form: Form = "double"
) -> exp.Select:
    columns: list[Any] = []
    for name, value in _aggregates(what, exp.column("x"), form):
        text = name == "v" and form == "written"
        cell = exp.cast(value, "text", copy=False) if text else _double(value, name)
        columns.append(exp.alias_(cell, name, copy=False))
    return (
        exp.select(*_columns(keys), *columns)
        .from_(query.subquery("r", copy=False), copy=False)
        .group_by(*_columns(keys), copy=False)
    )


def _aggregates(what: Measure, value: exp.Expr, form: Form) -> list[tuple[str, exp.Expr]]:
    """`v`, the measure over values, and `n`, how many of them there are."""
    counted = exp.Count(this=value)
    made: exp.AggFunc = counted.copy()
    if what.agg == "count_distinct":
        made = exp.Count(this=exp.Distinct(expressions=[value.copy()]))
    elif what.agg in _OF_NUMBERS:
        summand = value.copy()
        if form == "double":
            summand = exp.cast(summand, "double", copy=False)
        made = _OF_NUMBERS[what.agg](this=summand)
        if what.q is not None:
            made.set("expression", exp.Literal.number(what.q))
    return [("v", made), ("n", counted)]


def keep_rows(query: exp.Select, kept: exp.Expr | None, dropped: exp.Expr | None) -> exp.Select:
    """The query with a measure's conditions.

    Where one is unknown, `kept` drops the row and `dropped` keeps it.
    """
    if kept is not None:
        query = query.where(exp.paren(kept, copy=False), copy=False)
    if dropped is not None:
        known = exp.Coalesce(this=exp.paren(dropped, copy=False), expressions=[exp.false()])
        query = query.where(exp.not_(known, copy=False), copy=False)
    return query


def holds(currency: exp.Expression, day: exp.Expression) -> exp.Condition:
    """The condition under which a span of `SPANS` holds for a row's currency and day."""
    since, until, said = (
        exp.column(name, table=SPANS) for name in ("_nb_since", "_nb_until", "_nb_currency")
    )
    started = exp.GTE(this=day.copy(), expression=since)
    return exp.and_(
        said.eq(exp.cast(currency.copy(), "text")),
        started,
        exp.LT(this=day.copy(), expression=until),
    )


def family(type_: str) -> str:
    """What a DuckDB type is called in `columns:`.

    Integer, decimal, text, date, timestamp, boolean, or other.
    """
    if type_ in NUMERIC:
        return "integer"
    if type_ in ("FLOAT", "DOUBLE") or type_.startswith("DECIMAL"):
        return "decimal"
    if type_ == "VARCHAR" or type_.startswith("ENUM"):
        return "text"
    if type_.startswith("TIMESTAMP"):
        return "timestamp"
    return {"DATE": "date", "BOOLEAN": "boolean"}.get(type_, "other")
