"""Families: metrics that are one measure, told apart by the value of a column, and so are measured in one go.

The thousand indicators of a long table are one query and one matrix, not a thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.measured import Measured, Window
from dataops_nb.alignment.measures import label, measure
from dataops_nb.alignment.passes import gather
from dataops_nb.definitions import Definitions, told_apart
from dataops_nb.definitions.models import Measure, Simple
from dataops_nb.sources import Catalog

MeasureOf = Callable[[str], Measure | None]


@dataclass(frozen=True, eq=False)
class Family:
    """`members`: each metric with the value that its rows have in `column`; `what` is measured of the rows of all."""

    what: Measure
    column: str
    members: dict[str, str]

    def measure(self, catalog: Catalog, windows: list[Window]) -> Measured:
        """All members over windows: one column a metric."""
        found = measure(catalog, self.what, windows, (self.column,), apart=True)
        names = {label((self.column,), (value,)): metric for metric, value in self.members.items()}
        own = found.segments(list(names))
        value, n = (table.rename(columns=names) for table in (own.value, own.n))
        return Measured(value, n, own.reach, own.zero)


def own_measure(definitions: Definitions) -> MeasureOf:
    """Finds the measure of a simple metric; None for any other."""

    def find(metric: str) -> Measure | None:
        definition = definitions.metrics[metric]
        return definition.measure if isinstance(definition, Simple) else None

    return find


def find_families(metrics: Iterable[str], measure_of: MeasureOf) -> dict[str, Family]:
    """The family of each metric that has one with at least two members; the others stand alone.

    Whose first row of all history counts is not the same for one value and for all, so `first_seen` has no family.
    """
    alike: dict[tuple[Measure, str], dict[str, str]] = {}
    for metric in metrics:
        what = measure_of(metric)
        told = told_apart(what) if what is not None and what.agg != "first_seen" else None
        if what is not None and told is not None:
            alike.setdefault((what.model_copy(update={"filter": _known(told[0])}), told[0]), {})[metric] = told[1]
    families = [Family(what, column, members) for (what, column), members in alike.items() if len(members) > 1]
    return {metric: family for family in families for metric in family.members}


@dataclass(frozen=True)
class Evaluated:
    """A metric over windows. The columns of `measured` are its segments, or in a family the metrics of it."""

    metric: str
    measured: Measured
    is_family: bool = False


def evaluate_all(scope: Scope, metrics: Sequence[str], windows: list[Window]) -> dict[str, Evaluated]:
    """Each metric over the same windows; members of a family share what was measured."""
    families = {} if scope.by else find_families(metrics, own_measure(scope.definitions))
    gather(scope.catalog, metrics, scope.by, apart=families)
    done: dict[int, Measured] = {}
    found: dict[str, Evaluated] = {}
    for metric in metrics:
        family = families.get(metric)
        if family is None:
            found[metric] = Evaluated(metric, evaluate(scope, metric, windows))
            continue
        if id(family) not in done:
            done[id(family)] = family.measure(scope.catalog, windows)
        found[metric] = Evaluated(metric, done[id(family)], is_family=True)
    return found


def _known(column: str) -> str:
    return '"' + column.replace('"', '""') + '" is not null'
