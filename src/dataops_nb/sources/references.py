"""What a loaded source refers to in others: the columns of `references:`, and exchange rates.

Both are checked after loading, because they load the other source; what is wrong is added to the
faults of the source that refers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from dataops_nb.company import Rates
from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.days import check_rate, cut_day, is_time, list_spans
from dataops_nb.sources.evidence import Check, Raw, find_column, list_faults, quote
from dataops_nb.sources.rules import check_reference

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
    if shelf.engine_of(target) is not shelf.engine_of(loaded.name):
        scan = f"select distinct {quote(target_column)} from {quote(target)}"
        target_typed = replace(target_typed, scan=scan)
    rule = f"is not found in {reference}"
    return [check_reference(column, target_column, typed, target_typed, rule)]


def check_rates(shelf: Shelf, loaded: Loaded) -> None:
    """Check that every row with an amount that is converted has a rate.

    Says nothing where the rates themselves cannot be read.
    """
    rates, typed = shelf.rates, loaded.typed
    currencies = shelf.needs[loaded.name].currencies
    if rates is None or typed is None or not currencies:
        return
    spans = _load_spans(shelf, rates)
    if spans is None:
        return
    until = shelf.as_of.isoformat()
    checks = []
    for currency, times in currencies.items():
        column = find_column(currency, typed.columns)
        for time in times:
            day = _local_day(shelf, loaded.name, typed, time)
            if column is not None and day is not None:
                check = check_rate(rates, column, day, typed.relation, until=until, spans=spans)
                checks.append(check)
    con = shelf.connection(loaded.name)
    loaded.faults += list_faults(con, loaded.name, typed, checks)


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
    return list_spans(rates, exp.to_table(quote(rates.source), dialect="duckdb"), since)


def _local_day(shelf: Shelf, name: str, typed: Raw, column: str) -> exp.Expression | None:
    """Return the company's local day of a column of a source; None where it has none."""
    column_name = find_column(column, typed.columns)
    if column_name is None or not is_time(typed.columns[column_name]):
        return None
    moment = exp.column(column_name, quoted=True)
    return cut_day(moment, typed.columns[column_name], shelf.zone_of(name, column_name), shelf.zone)
