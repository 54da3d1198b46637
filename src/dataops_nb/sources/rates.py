"""Exchange rates: which rate holds on which days, and the rows of a source whose day has none."""

from __future__ import annotations

from sqlglot import exp

from dataops_nb.definitions.models import Rates
from dataops_nb.sources.evidence import ROW, Check
from dataops_nb.sources.sql import quote, text

SPANS = "_nb_rates"
LAST = "9999-12-31"


def list_spans(rates: Rates, relation: exp.Expression, day: exp.Expression) -> exp.Select:
    """`_nb_currency _nb_since _nb_until _nb_rate`: the days each rate holds, the last one exclusive; they never overlap.

    `day` is the local day of a row of `relation`, the source of the rates.
    """
    known = exp.select(
        exp.alias_(exp.cast(exp.column(rates.from_, quoted=True), "text"), "_nb_currency"),
        exp.alias_(day, "_nb_since"),
        exp.alias_(exp.cast(exp.column(rates.rate, quoted=True), "double"), "_nb_rate"),
    ).from_(relation)
    complete = "_nb_currency is not null and _nb_since is not null and _nb_rate is not null"
    after = "lead(_nb_since) over (partition by _nb_currency order by _nb_since, _nb_rate)"
    until = f"coalesce({after}, cast('{LAST}' as date))"
    longest = _days(rates)
    if longest is not None:
        until = f"least({until}, cast(_nb_since + interval '{longest + 1}' day as date))"
    columns = ("_nb_currency", "_nb_since", f"{until} as _nb_until", "_nb_rate")
    return exp.select(*columns, dialect="duckdb").from_(known.subquery("r")).where(complete)


def holds(currency: exp.Expression, day: exp.Expression) -> exp.Condition:
    """The condition under which a span of `SPANS` holds for a row's currency and day."""
    since, until, said = (exp.column(name, table=SPANS) for name in ("_nb_since", "_nb_until", "_nb_currency"))
    started = exp.GTE(this=day.copy(), expression=since)
    return exp.and_(said.eq(exp.cast(currency.copy(), "text")), started, exp.LT(this=day.copy(), expression=until))


def check_rates(
    rates: Rates, column: str, day: exp.Expression, relation: str, *, until: str, spans: exp.Select
) -> Check:
    """Rows up to a day that have no currency, or one without a rate on their day; the value shown names both."""
    currency = exp.column(column, quoted=True)
    on = holds(currency, day).sql(dialect="duckdb")
    own, shown = f"cast({quote(column)} as varchar)", f"cast({day.sql(dialect='duckdb')} as varchar)"
    lacking = f"{quote(column)} is null or ({own} <> {text(rates.to)} and _nb_rate is null)"
    joined = f"({relation}) left join ({spans.sql(dialect='duckdb')}) as {SPANS} on {on}"
    rows = f"select {ROW} from {joined} where {day.sql(dialect='duckdb')} <= date '{until}' and ({lacking})"
    longest = _days(rates)
    reach = "" if longest is None else " on that day" if longest == 0 else f" no older than {rates.max_gap}"
    rule = f"has no rate to {rates.to} in {rates.source}{reach}"
    return Check(column, rule, f"{ROW} in ({rows})", f"coalesce({own}, 'no currency') || ' on ' || {shown}")


def _days(rates: Rates) -> int | None:
    """How many days a rate holds after its own; None without end."""
    if rates.fill is None:
        return 0
    return rates.max_gap.days if rates.max_gap else None
