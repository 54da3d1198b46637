"""The rows of tables of indicators, read for the metrics they make; an id that can make none is a fault of its rows."""

from __future__ import annotations

from typing import Any

import duckdb

from dataops_nb.definitions import Definitions, Indicator, expand, indicator, metric_id
from dataops_nb.definitions.checks.names import fault_of_identifier
from dataops_nb.definitions.models import BetterColumn, Defaults, MetricsFrom
from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.evidence import Check, Notice, check_value
from dataops_nb.sources.loading import Shelf
from dataops_nb.sources.sql import quote, say_error, text, texts

EMPTY = "is empty, so the row belongs to no metric"


def read_indicators(shelf: Shelf, definitions: Definitions) -> Definitions:
    """The definitions with the metrics of every `metrics_from`; what is wrong with ids is added to the source's faults.

    Raises DataError where a table cannot be read, or has faults and not one usable id.
    """
    taken = dict.fromkeys(definitions.metrics, "is declared under metrics:")
    found = [
        (name, table, _indicators(shelf, table, department.defaults, taken))
        for name, department in definitions.departments.items()
        for table in department.metrics_from
    ]
    return expand(definitions, found)


def _indicators(shelf: Shelf, table: MetricsFrom, defaults: Defaults, taken: dict[str, str]) -> list[Indicator]:
    """The usable indicators of a table, whose metrics' names are taken from then on."""
    shelf.see([table.source])
    asked = f"indicators {table.model_dump_json()} {defaults.model_dump_json()}"
    rows, unjudged = shelf.fact(table.source, asked, lambda: _read(shelf, table, defaults, taken))
    usable, wrong = _sort(rows, table, taken)
    if wrong:
        shelf.rouse(table.source)
        shelf.break_rules(shelf.load(table.source), wrong)
    loaded = shelf.load(table.source)
    loaded.notices += [notice for each in unjudged if (notice := Notice(*each)) not in loaded.notices]
    if not usable and loaded.faults:
        raise DataError(loaded.faults)
    taken |= {one.metric: f"is the metric of {one.id!r} in {table.source}" for one in usable}
    return usable


def _read(shelf: Shelf, table: MetricsFrom, defaults: Defaults, taken: dict[str, str]) -> list[Any]:
    """The latest row of each id, and what must be said; rows without an id, or with an unusable one, become faults."""
    rows = [list(row) for row in _latest_rows(shelf, table, defaults)]
    empty = check_value(table.id, EMPTY, f"{quote(table.id)} is null")
    shelf.break_rules(shelf.load(table.source), [empty, *_sort(rows, table, taken)[1]])
    return [rows, [[each.source, each.text, each.count] for each in _unjudged(shelf, table)]]


def _sort(
    rows: list[list[str | None]], table: MetricsFrom, taken: dict[str, str]
) -> tuple[list[Indicator], list[Check]]:
    """The usable indicators among rows, and the rules that the others break."""
    usable: list[Indicator] = []
    wrong: list[Check] = []
    known = dict(taken)
    for row in rows:
        id_ = str(row[0])
        name = metric_id(table.prefix, id_)
        if rule := _fault_of(name, id_, known):
            wrong.append(check_value(table.id, rule, f"cast({quote(table.id)} as varchar) = {text(id_)}"))
        else:
            known[name] = f"is the metric of {id_!r} in {table.source}"
            usable.append(Indicator(id_, name, *row[1:]))
    return usable, wrong


def _fault_of(name: str, id_: str, taken: dict[str, str]) -> str:
    if not name:
        return "has no letter or digit, so it makes no metric"
    if name in taken:
        return f"makes the metric {name}, which {taken[name]}; choose another prefix or id"
    fault = fault_of_identifier(name, "metric")
    return f"makes no metric: {fault}; choose a prefix" if fault else ""


def _latest_rows(
    shelf: Shelf, table: MetricsFrom, defaults: Defaults
) -> list[tuple[str, str | None, str | None, str | None]]:
    """`id label department better` as text, of each id's latest row, in the order of the ids."""
    time = indicator(table, defaults, Indicator("", "")).measure.time or shelf.sources[table.source].time
    said = [table.label, table.department, table.better.column if isinstance(table.better, BetterColumn) else None]
    texts = ", ".join(
        f"cast({quote(name)} as varchar) as c{i}" if name else f"null as c{i}" for i, name in enumerate(said)
    )
    query = f"""
        select name, c0, c1, c2
        from (
            select cast(id as varchar) as name, c0, c1, c2,
                   row_number() over (partition by id order by day desc nulls last, c0, c1, c2) as nth
            from (select {quote(table.id)} as id, {quote(time) if time else "null"} as day, {texts} from {quote(table.source)})
            where id is not null
        )
        where nth = 1
        order by name"""
    try:
        return shelf.ask(table.source).execute(query).fetchall()
    except (duckdb.Error, DataError) as error:
        known = shelf.load(table.source).faults
        raise DataError(known or [Fault(table.source, f"metrics_from: {say_error(error)}")]) from error


def _unjudged(shelf: Shelf, table: MetricsFrom) -> list[Notice]:
    """How many rows have a direction that the table's `map` does not know: their metrics have no lights."""
    if not isinstance(table.better, BetterColumn):
        return []
    column, known = quote(table.better.column), texts(table.better.map)
    count = shelf.count(table.source, f"{column} is null or cast({column} as varchar) not in ({known})")
    said = f"rows with a {table.better.column} that is not in map; such a metric is not judged"
    return [Notice(table.source, said, count)] if count else []
