"""Tables of indicators: what can be wrong with them before their rows are known."""

from __future__ import annotations

from dataops_nb.definitions.checks.metrics import Fault, faults_of_measure, faults_of_time
from dataops_nb.definitions.checks.names import fault_of_identifier
from dataops_nb.definitions.draft import Draft
from dataops_nb.definitions.indicators import Indicator, indicator
from dataops_nb.definitions.models import BetterColumn, MetricsFrom


def check_indicators(draft: Draft) -> None:
    """Every entry of every `metrics_from`."""
    for id_, file in draft.departments.items():
        department = draft.definitions.departments[id_]
        for index, table in enumerate(department.metrics_from):
            here = ("metrics_from", index)
            draft.say_unknown_source(file, (*here, "source"), table.source)
            measure = indicator(table, department.defaults, Indicator("", "")).measure
            faults = [*faults_of_measure(measure), *faults_of_time(draft, measure), *_faults_of_table(table)]
            for path, message in faults:
                draft.say(file, (*here, *path), message)


def _faults_of_table(table: MetricsFrom) -> list[Fault]:
    faults: list[Fault] = []
    if table.prefix and (fault := fault_of_identifier(table.prefix, "metric")):
        faults.append((("prefix",), fault))
    if isinstance(table.better, BetterColumn):
        for value, better in table.better.map.items():
            if better == "inside":
                faults.append(
                    (("better", "map", value), "inside needs a band, which a table does not give; up or down")
                )
        if not table.better.map:
            faults.append((("better", "map"), "is empty; write what each value means: {Up: up, Down: down}"))
    elif table.better == "inside":
        faults.append((("better",), "inside needs a band, which a table does not give; up or down"))
    return faults
