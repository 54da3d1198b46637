"""Tables of indicators: one metric a row's id, written once for all of them and known only when the data are open.

The definitions say how a row becomes a metric; who reads the rows says which there are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from dataops_nb.definitions.models import (
    BetterColumn,
    Defaults,
    Definitions,
    Department,
    Measure,
    MetricBase,
    MetricsFrom,
    OwnTarget,
    Simple,
)


@dataclass(frozen=True)
class Indicator:
    """What a table's latest row says of one indicator: its id, the metric's, and the texts of the columns in use."""

    id: str
    metric: str
    label: str | None = None
    department: str | None = None
    better: str | None = None


def metric_id(prefix: str, id_: str) -> str:
    """The metric of an indicator: `mmr_` and `Response time (P1)` make `mmr_Response_time_P1`; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", id_).encode("ascii", "ignore").decode()
    usable = re.sub(r"[^A-Za-z0-9_]+", "_", plain).strip("_")
    return prefix + usable if usable else ""


def indicator(table: MetricsFrom, defaults: Defaults, said: Indicator) -> Simple:
    """The metric of one indicator, with the defaults of the file that declares the table.

    A direction that the table's `map` does not know leaves it without lights: it cannot be judged.
    """
    shared = {name: getattr(defaults, name) for name in defaults.model_fields_set & MetricBase.model_fields.keys()}
    better = table.better if "better" in table.model_fields_set else defaults.better
    if isinstance(better, BetterColumn):
        shared |= {} if said.better in better.map else {"lights": None}
        better = better.map.get(said.better or "", "up")
    if table.target is not None:
        shared["targets"] = [OwnTarget(column=table.target)]
    own = {"label": said.label or said.id or None, "better": better}
    return Simple(type="simple", measure=_measure(table, defaults, said.id), **shared | own)


def _measure(table: MetricsFrom, defaults: Defaults, id_: str) -> Measure:
    column, value = table.id.replace('"', '""'), id_.replace("'", "''")
    return Measure(
        source=table.source,
        agg=table.agg,
        expr=table.expr,
        filter=f"cast(\"{column}\" as text) = '{value}'",
        time=defaults.time if defaults.source == table.source else None,
        at=table.at,
    )


_OWN_ROWS = re.compile(r"""cast\("((?:[^"]|"")+)" as text\) = '((?:[^']|'')*)'""")


def told_apart(measure: Measure) -> tuple[str, str] | None:
    """The column and the value in it by which a measure knows its rows, where that is its whole filter; else None.

    Measures that differ in that value only are one measure, split by the column.
    """
    found = _OWN_ROWS.fullmatch(measure.filter or "")
    return (found[1].replace('""', '"'), found[2].replace("''", "'")) if found else None


def expand(definitions: Definitions, found: Iterable[tuple[str, MetricsFrom, list[Indicator]]]) -> Definitions:
    """The definitions with a metric for each indicator, in the department its row names, else in the table's own.

    `found` are the tables, each with the id of the department that declares it.
    """
    metrics = {name: dict(department.metrics) for name, department in definitions.departments.items()}
    named = _departments(definitions.departments)
    for home, table, indicators in found:
        defaults = definitions.departments[home].defaults
        for said in indicators:
            owner = named.get((said.department or "").strip().casefold(), home)
            metrics[owner][said.metric] = indicator(table, defaults, said)
    departments = {
        name: department.model_copy(update={"metrics": metrics[name]})
        for name, department in definitions.departments.items()
    }
    return definitions.model_copy(update={"departments": departments})


def _departments(departments: dict[str, Department]) -> dict[str, str]:
    """The departments by id and by label; an id goes before another one's label."""
    labels = {department.department.strip().casefold(): name for name, department in departments.items()}
    return labels | {name.casefold(): name for name in departments}
