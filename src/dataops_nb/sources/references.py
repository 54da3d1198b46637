"""What a loaded source refers to in others: the columns of `references:`, and exchange rates.

Both are checked after loading, because they load the other source; what is wrong is added to the
faults of the source that refers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from dataops_nb.company import Rates
from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.days import SPAN_TYPES, check_rate, cut_day, is_time, list_spans
from dataops_nb.sources.engines.crossing import INTO_DUCKDB
from dataops_nb.sources.evidence import (
    Check,
    Raw,
    check_value,
    find_column,
    list_faults,
    quote,
)
from dataops_nb.sources.rules import check_reference
from dataops_nb.steady import bind

if TYPE_CHECKING:
    from dataops_nb.sources.shelf import Shelf
    from dataops_nb.sources.source import Loaded


def check_references(shelf: Shelf, loaded: Loaded) -> None:
    """Check the `references:` of a source's columns; one that cannot be looked up is a fault."""
    typed, name = loaded.typed, loaded.name
    if typed is None:
        return
    checks = []
    for declared, column in shelf.sources[name].columns.items():
        column_name = find_column(declared, typed.columns)
        if column_name is not None and column.references:
            checks += _check_one(shelf, loaded, typed, column_name, column.references)
    try:
        loaded.faults += list_faults(shelf.connection(name), name, typed, checks)
    except DataError as error:
        for fault in error.faults:
            rule = f"references: cannot be looked up: {fault.rule}"
            loaded.faults.append(replace(fault, rule=rule))


def _check_one(
    shelf: Shelf, loaded: Loaded, typed: Raw, column: str, reference: str
) -> list[Check]:
    """Return the check of one reference; where it cannot be looked up, add that as a fault."""
    target, _, member = reference.partition(".")
    target_typed = shelf.load(target).typed if target in shelf.sources else None
    target_column = find_column(member, target_typed.columns) if target_typed else None
    if target_typed is None or target_column is None:
        rule = f"references: {reference} cannot be looked up"
        loaded.faults.append(Fault(loaded.name, rule, column=column))
        return []
    if target in shelf.published or loaded.name in shelf.published:
        held = exp.select(exp.column(target_column, quoted=True)).distinct().from_(_table(target))
        types = {target_column: target_typed.columns[target_column]}
        scan = _within_reach(shelf, loaded.name, target, held, types)
        target_typed = replace(target_typed, scan=scan.sql(dialect="duckdb"))
    rule = f"is not found in {reference}"
    return [check_reference(column, target_column, typed, target_typed, rule)]


def check_rates(shelf: Shelf, loaded: Loaded) -> None:
    """Check that every row with an amount that is converted has a rate.

    Says nothing where the rates themselves cannot be read.
    """
    rates, typed = shelf.rates, loaded.typed
    if rates is not None and typed is not None and loaded.name == rates.source:
        con = shelf.connection(loaded.name)
        loaded.faults += list_faults(con, loaded.name, typed, _checks_of_rates(shelf, rates, typed))
    currencies = shelf.needs[loaded.name].currencies
    if rates is None or typed is None or not currencies:
        return
    spans = _load_spans(shelf, rates)
    if spans is None:
        return
    try:
        spans = _within_reach(shelf, loaded.name, rates.source, spans, SPAN_TYPES)
    except DataError as error:
        loaded.faults += error.faults
        return
    checks = []
    for currency, times in currencies.items():
        column = find_column(currency, typed.columns)
        for time, converted in times.items():
            day = _local_day(shelf, loaded.name, typed, time)
            if column is not None and day is not None:
                seen = f"{day.sql(dialect='duckdb')} <= date '{shelf.as_of}'"
                among = f"{seen} and ({_rows_among(shelf, loaded.name, typed, converted)})"
                check = check_rate(rates, column, day, typed.relation, among=among, spans=spans)
                checks.append(check)
    con = shelf.connection(loaded.name)
    loaded.faults += list_faults(con, loaded.name, typed, checks)


def _rows_among(shelf: Shelf, name: str, typed: Raw, conditions: Sequence[str]) -> str:
    """Return SQL of the rows that any condition means; of all rows where one cannot be asked.

    What is wrong with such a condition is said where it is measured.
    """
    written = " or ".join(f"({condition})" for condition in dict.fromkeys(conditions))
    con = shelf.connection(name)
    among = bind(written, shelf.as_of, "duckdb")
    try:
        con.execute(f"select count(*) from ({typed.scan}) where {among}").fetchall()
    except (duckdb.Error, DataError):
        return "true"
    return among


def _checks_of_rates(shelf: Shelf, rates: Rates, typed: Raw) -> list[Check]:
    """Return the checks of the rates themselves: above 0, and one a day and currency."""
    rate, currency = (find_column(name, typed.columns) for name in (rates.rate, rates.from_))
    day = _local_day(shelf, rates.source, typed, rates.time)
    if rate is None or currency is None or day is None:
        return []
    checks = [check_value(rate, "is no rate: a rate is more than 0", f"{quote(rate)} <= 0")]
    if not typed.elsewhere and shelf.sources[rates.source].latest is None:
        pair = f"{quote(currency)}, {day.sql(dialect='duckdb')}"
        several = f"having count(distinct {quote(rate)}) > 1"
        doubtful = f"select {pair} from ({typed.relation}) group by all {several}"
        rule = (
            "is one of several rates of its currency and day; keep one, or say which with latest:"
        )
        checks.append(check_value(rate, rule, f"({pair}) in ({doubtful})"))
    return checks


def _load_spans(shelf: Shelf, rates: Rates) -> exp.Select | None:
    """Load the rates, and return the days each holds; None where they cannot be read."""
    if rates.source not in shelf.sources:
        return None
    typed = shelf.load(rates.source).typed
    if typed is None:
        return None
    since = _local_day(shelf, rates.source, typed, rates.time)
    has_currency = find_column(rates.from_, typed.columns) is not None
    has_rate = find_column(rates.rate, typed.columns) is not None
    if since is None or not has_currency or not has_rate:
        return None
    return list_spans(rates, _table(rates.source), since)


def _table(name: str) -> exp.Table:
    return exp.to_table(quote(name), dialect="duckdb")


def _within_reach(
    shelf: Shelf, name: str, other: str, query: exp.Select, types: Mapping[str, str]
) -> exp.Select:
    """Return a query over another source that can be asked where a source stands.

    What files refer to in a database is brought beside them. `types` are those of its columns.
    Raises DataError where there are too many rows to bring.
    """
    if name in shelf.published or other not in shelf.published:
        return query
    frame = shelf.query(query.limit(INTO_DUCKDB + 1))
    if len(frame) > INTO_DUCKDB:
        rule = f"has more than {INTO_DUCKDB:,} rows to bring to files; keep both in one place"
        raise DataError([Fault(other, rule)])
    shelf.con.register("_nb_brought", frame)
    table = quote(f"__brought_{name}_{other}_{'_'.join(types)}")
    chosen = [f"cast({quote(name)} as {kind}) as {quote(name)}" for name, kind in types.items()]
    brought = f"select {', '.join(chosen)} from _nb_brought"
    shelf.con.execute(f"create or replace table {table} as {brought}")
    shelf.con.unregister("_nb_brought")
    return exp.select("*").from_(exp.to_table(table, dialect="duckdb"))


def _local_day(shelf: Shelf, name: str, typed: Raw, column: str) -> exp.Expression | None:
    """Return the company's local day of a column of a source; None where it has none."""
    column_name = find_column(column, typed.columns)
    if column_name is None or not is_time(typed.columns[column_name]):
        return None
    moment = exp.column(column_name, quoted=True)
    return cut_day(moment, typed.columns[column_name], shelf.zone_of(name, column_name), shelf.zone)
