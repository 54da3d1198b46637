"""The rows of tables of indicators, read for the metrics they make.

A department's `metrics_from:` names a source whose rows are indicators: each id makes a metric. An
id that can make none is a fault of its rows.
"""

from __future__ import annotations

from typing import Any

import duckdb

from dataops_nb.definitions.indicators import Indicator, expand, indicator, metric_id
from dataops_nb.definitions.models import BetterColumn, Defaults, Definitions, MetricsFrom
from dataops_nb.definitions.value_checks import fault_of_identifier
from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.evidence import Check, Notice, check_value, quote, say_error, text, texts
from dataops_nb.sources.shelf import Shelf

EMPTY_ID = "is empty, so the row belongs to no metric"


def read_indicators(shelf: Shelf, definitions: Definitions) -> Definitions:
    """Return the definitions with the metrics of every `metrics_from`.

    What is wrong with ids is added to the source's faults. Raises DataError where a table cannot be
    read, or has faults and not one usable id.
    """
    taken = dict.fromkeys(definitions.metrics, "is declared under metrics:")
    indicators_by_table = []
    for name, department in definitions.departments.items():
        for table in department.metrics_from:
            indicators = _list_indicators(shelf, table, department.defaults, taken)
            indicators_by_table.append((name, table, indicators))
    return expand(definitions, indicators_by_table)


def _list_indicators(
    shelf: Shelf, table: MetricsFrom, defaults: Defaults, taken: dict[str, str]
) -> list[Indicator]:
    """List the usable indicators of a table; their metrics' names are taken from then on."""
    shelf.load_all([table.source])
    key = f"indicators {table.model_dump_json()} {defaults.model_dump_json()}"
    rows, remarks = shelf.fact(table.source, key, lambda: _read(shelf, table, defaults, taken))
    usable, wrong = _sort(rows, table, taken)
    if wrong:
        shelf.read_now(table.source)
        shelf.break_rules(table.source, wrong)
    loaded = shelf.load(table.source)
    for remark in remarks:
        notice = Notice(*remark)
        if notice not in loaded.notices:
            loaded.notices.append(notice)
    if not usable and loaded.faults:
        raise DataError(loaded.faults)
    for one in usable:
        taken[one.metric] = _taken_by(one.id, table)
    return usable


def _taken_by(id_: str, table: MetricsFrom) -> str:
    return f"is the metric of {id_!r} in {table.source}"


def _read(shelf: Shelf, table: MetricsFrom, defaults: Defaults, taken: dict[str, str]) -> list[Any]:
    """Return the latest row of each id, and the notices, as plain values.

    Rows without an id, or with an unusable one, become faults.
    """
    rows = [list(row) for row in _latest_rows(shelf, table, defaults)]
    _, wrong = _sort(rows, table, taken)
    empty = check_value(table.id, EMPTY_ID, f"{quote(table.id)} is null")
    shelf.break_rules(table.source, [empty, *wrong])
    notices = _note_unjudged(shelf, table)
    return [rows, [[notice.source, notice.text, notice.count] for notice in notices]]


def _sort(
    rows: list[list[str | None]], table: MetricsFrom, taken: dict[str, str]
) -> tuple[list[Indicator], list[Check]]:
    """Return the usable indicators among rows, and the rules that the others break."""
    usable: list[Indicator] = []
    wrong: list[Check] = []
    known = dict(taken)
    for row in rows:
        id_ = str(row[0])
        name = metric_id(table.prefix, id_)
        rule = _fault_of(name, id_, known)
        if rule:
            same_id = f"cast({quote(table.id)} as varchar) = {text(id_)}"
            wrong.append(check_value(table.id, rule, same_id))
        else:
            known[name] = _taken_by(id_, table)
            usable.append(Indicator(id_, name, *row[1:]))
    return usable, wrong


def _fault_of(name: str, id_: str, taken: dict[str, str]) -> str:
    """Say why an id makes no metric of that name; empty where it does."""
    if not name:
        return "has no letter or digit, so it makes no metric"
    if name in taken:
        return f"makes the metric {name}, which {taken[name]}; choose another prefix or id"
    fault = fault_of_identifier(name, "metric")
    return f"makes no metric: {fault}; choose a prefix" if fault else ""


def _latest_rows(
    shelf: Shelf, table: MetricsFrom, defaults: Defaults
) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return `id label department better` as text, of each id's latest row, by id."""
    measure = indicator(table, defaults, Indicator("", "")).measure
    time = measure.time or shelf.sources[table.source].time
    better = table.better.column if isinstance(table.better, BetterColumn) else None
    chosen = [f"{quote(table.id)} as id", f"{quote(time) if time else 'null'} as day"]
    for place, column in enumerate([table.label, table.department, better]):
        shown = f"cast({quote(column)} as varchar)" if column else "null"
        chosen.append(f"{shown} as c{place}")
    rows = f"select {', '.join(chosen)} from {quote(table.source)}"
    latest_first = "order by day desc nulls last, c0, c1, c2"
    query = f"""
        select name, c0, c1, c2
        from (
            select cast(id as varchar) as name, c0, c1, c2,
                   row_number() over (partition by id {latest_first}) as nth
            from ({rows})
            where id is not null
        )
        where nth = 1
        order by name"""
    try:
        return shelf.connection(table.source).execute(query).fetchall()
    except (duckdb.Error, DataError) as error:
        known = shelf.load(table.source).faults
        fault = Fault(table.source, f"metrics_from: {say_error(error)}")
        raise DataError(known or [fault]) from error


def _note_unjudged(shelf: Shelf, table: MetricsFrom) -> list[Notice]:
    """Count rows whose direction the table's `map` does not know: their metrics get no light."""
    if not isinstance(table.better, BetterColumn):
        return []
    column, known = quote(table.better.column), texts(table.better.map)
    unknown = f"{column} is null or cast({column} as varchar) not in ({known})"
    count = shelf.count(table.source, unknown)
    if not count:
        return []
    rows = "row" if count == 1 else "rows"
    remark = f"{rows} with a {table.better.column} that is not in map; such a metric is not judged"
    return [Notice(table.source, remark, count)]
