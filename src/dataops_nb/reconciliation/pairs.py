"""Which two versions of a metric are compared: its own rows, the other system's, and how rows are matched."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Measure, Simple, Tolerance
from dataops_nb.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Side:
    """One system's rows: its metric, what it measures, the column that matches rows, the column with the amount."""

    metric: str
    measure: Measure
    time: str
    key: str
    amount: str | None


@dataclass(frozen=True)
class Pair:
    """A metric (a) and its version in another system (b), and how far they may differ."""

    a: Side
    b: Side
    tolerance: Tolerance


def declared(definitions: Definitions) -> list[str]:
    """The metrics that say `reconcile:`, in the order of the files."""
    return [name for name, metric in definitions.metrics.items() if metric.reconcile]


def find_pairs(definitions: Definitions, metric: str) -> list[Pair]:
    """Every version of a metric that its `reconcile:` names; UsageError where there is none, or no such metric."""
    if metric not in definitions.metrics:
        raise UsageError(f"unknown metric {metric!r}{did_you_mean(metric, definitions.metrics)}")
    said = definitions.metrics[metric].reconcile
    if not said:
        others = [name for name in declared(definitions) if _names(definitions, name, metric)]
        near = f"; {others[0]} is reconciled with it" if others else "; declare  reconcile:  on it"
        raise UsageError(f"metric {metric} is not reconciled with another one{near}")
    return [
        Pair(
            _side(definitions, metric, each.key.left, each.amount.left if each.amount else None),
            _side(definitions, each.with_, each.key.right, each.amount.right if each.amount else None),
            each.tolerance,
        )
        for each in said
    ]


def _names(definitions: Definitions, metric: str, other: str) -> bool:
    return any(each.with_ == other for each in definitions.metrics[metric].reconcile)


def _side(definitions: Definitions, metric: str, key: str, amount: str | None) -> Side:
    found = definitions.metrics[metric]
    if not isinstance(found, Simple):
        raise UsageError(f"metric {metric}: only a simple metric has rows that can be matched")
    time = found.measure.time or definitions.company.sources[found.measure.source].time
    if time is None:
        raise UsageError(f"source {found.measure.source} has no time column; declare  time:  on it or on the measure")
    return Side(metric, found.measure, time, key, amount)
