"""Make metrics of a table of indicators: declared once, one metric for each id in its rows.

The definitions say how a row becomes a metric; which rows there are is known when data are read.
What can be wrong with a table before its rows are known is checked with the company's files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataops_nb.definitions.draft import Draft, Fault
from dataops_nb.definitions.metric_checks import (
    faults_of_measure,
    faults_of_time,
    faults_on_databases,
)
from dataops_nb.definitions.models import (
    BetterColumn,
    Defaults,
    Definitions,
    Department,
    MetricsFrom,
)
from dataops_nb.definitions.value_checks import fault_of_identifier
from dataops_nb.metrics import Measure, MetricBase, OwnTarget, Simple


@dataclass(frozen=True)
class Indicator:
    """One indicator, from its latest row: its id, its metric's id and the texts used of it."""

    id: str
    metric: str
    label: str | None = None
    department: str | None = None
    better: str | None = None


def metric_id(prefix: str, id_: str) -> str:
    """Return the metric id of an indicator, or "" where no usable letter is left.

    `mmr_` and `Response time (P1)` make `mmr_Response_time_P1`.
    """
    decomposed = unicodedata.normalize("NFKD", id_)
    ascii_only = decomposed.encode("ascii", "ignore").decode()
    usable = re.sub(r"[^A-Za-z0-9_]+", "_", ascii_only).strip("_")
    if not usable:
        return ""
    return prefix + usable


def indicator(table: MetricsFrom, defaults: Defaults, row: Indicator) -> Simple:
    """Return the metric of one indicator, with the defaults of the file that declares the table.

    A direction that the table's `map` does not know leaves the metric without lights, and without
    the target that nobody could say how to meet.
    """
    keys: dict[str, Any] = {}
    for name in defaults.model_fields_set & MetricBase.model_fields.keys():
        keys[name] = getattr(defaults, name)

    better = table.better
    is_known = not isinstance(better, BetterColumn) or row.better in better.map
    if not is_known:
        keys.pop("better", None)
        keys["lights"] = None
    elif isinstance(better, BetterColumn):
        keys["better"] = better.map[row.better or ""]
    elif "better" in table.model_fields_set:
        keys["better"] = better
    keys["label"] = row.label or row.id or None
    if table.target is not None and is_known:
        keys["targets"] = [OwnTarget(column=table.target)]
    return Simple(type="simple", measure=_measure(table, defaults, row.id), **keys)


def _measure(table: MetricsFrom, defaults: Defaults, id_: str) -> Measure:
    """Return the measure of the rows of one indicator."""
    column, value = table.id.replace('"', '""'), id_.replace("'", "''")
    time = None
    if defaults.source == table.source:
        time = defaults.time
    return Measure(
        source=table.source,
        agg=table.agg,
        q=table.q,
        expr=table.expr,
        filter=f"cast(\"{column}\" as text) = '{value}'",
        time=time,
        at=table.at,
    )


def expand(
    definitions: Definitions, tables: Iterable[tuple[str, MetricsFrom, list[Indicator]]]
) -> Definitions:
    """Return the definitions with a metric for each indicator.

    `tables` are the tables with their indicators, each after the id of the department that
    declares it. A metric goes to the department that its row names, else to that one.
    """
    metrics: dict[str, dict[str, Any]] = {}
    for name, department in definitions.departments.items():
        metrics[name] = dict(department.metrics)
    names = _names_of_departments(definitions.departments)
    for home, table, indicators in tables:
        defaults = definitions.departments[home].defaults
        for row in indicators:
            wanted = (row.department or "").strip().casefold()
            owner = names.get(wanted, home)
            metrics[owner][row.metric] = indicator(table, defaults, row)

    departments: dict[str, Department] = {}
    for name, department in definitions.departments.items():
        changes = {"metrics": metrics[name]}
        departments[name] = department.model_copy(update=changes)
    return definitions.model_copy(update={"departments": departments})


def _names_of_departments(departments: Mapping[str, Department]) -> dict[str, str]:
    """Map folded ids and labels to ids; an id goes before another department's label."""
    names: dict[str, str] = {}
    for name, department in departments.items():
        names[department.department.strip().casefold()] = name
    for name in departments:
        names[name.casefold()] = name
    return names


def check_indicators(draft: Draft) -> None:
    """Report what is wrong with the tables under `metrics_from` of every department."""
    for department_id, file in draft.departments.items():
        department = draft.definitions.departments[department_id]
        for index, table in enumerate(department.metrics_from):
            here = ("metrics_from", index)
            draft.report_unknown_source(file, (*here, "source"), table.source)
            # The measure that every row of the table would have.
            metric = indicator(table, department.defaults, Indicator("", ""))
            draft.report_all(file, here, faults_of_measure(metric.measure))
            draft.report_all(file, here, faults_of_time(draft, metric.measure))
            draft.report_all(file, here, faults_on_databases(draft, metric.measure))
            draft.report_all(file, here, _faults_of_table(table))


def _faults_of_table(table: MetricsFrom) -> Iterator[Fault]:
    if table.prefix:
        fault = fault_of_identifier(table.prefix, "metric")
        if fault:
            yield ("prefix",), fault

    no_band = "inside needs a band, which a table does not give; up or down"
    if table.better == "inside":
        yield ("better",), no_band
    if not isinstance(table.better, BetterColumn):
        return
    if not table.better.map:
        example = "{Up: up, Down: down}"
        yield ("better", "map"), f"is empty; write what each value means: {example}"
    for value, better in table.better.map.items():
        if better == "inside":
            yield ("better", "map", value), no_band
