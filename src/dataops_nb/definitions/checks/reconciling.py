"""What a reconciliation can work on: two metrics with rows that fall into a period and add up."""

from __future__ import annotations

from dataops_nb.definitions.draft import Draft, Steps
from dataops_nb.definitions.lineage import AnyMetric
from dataops_nb.definitions.models import Measure, Simple

Fault = tuple[Steps, str]
_ADDS_UP = {"count", "sum"}


def faults_of_reconciling(draft: Draft, metric: AnyMetric) -> list[Fault]:
    """Why the rows of a metric and of those it is reconciled with cannot be matched; nothing where they can."""
    if metric.reconcile and not isinstance(metric, Simple):
        return [(("reconcile",), f"a {metric.type} metric has no rows of its own; reconcile the metrics it is made of")]
    faults: list[Fault] = []
    for index, said in enumerate(metric.reconcile):
        here: Steps = ("reconcile", index)
        other = draft.definitions.metrics.get(said.with_)
        if isinstance(metric, Simple) and (fault := _fault_of(metric.measure, said.amount is not None)):
            faults.append((here, f"this metric's {fault}"))
        if isinstance(other, Simple) and (fault := _fault_of(other.measure, said.amount is not None)):
            faults.append(((*here, "with"), f"{said.with_}'s {fault}"))
        if other is not None and not isinstance(other, Simple):
            faults.append(
                ((*here, "with"), f"{said.with_} is {other.type} and has no rows of its own; name a simple metric")
            )
    return faults


def _fault_of(measure: Measure, amounts: bool) -> str:
    if measure.at is not None or measure.open is not None:
        return "rows are a stock; reconciling stocks is not available in this version"
    if measure.currency is not None:
        return "amounts are converted; reconciling converted amounts is not available in this version"
    if any(":period_" in text for text in (measure.filter, measure.exclude, measure.expr) if text):
        return "rows depend on the period asked for, so they cannot be matched"
    if measure.agg not in _ADDS_UP and not amounts:
        return f"agg: {measure.agg} does not add up row by row; say  amount:  with the columns that must agree"
    return ""
