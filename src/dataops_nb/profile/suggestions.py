"""Suggest the metrics of a file, choose the few that matter, and say why the others wait.

Metrics are money, counts of things, shares, what ended and what is open. Few are proposed: the
others stand commented out, with their reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataops_nb.profile.amounts import list_refusals
from dataops_nb.profile.maker import SuggestedMetric
from dataops_nb.profile.names import AVERAGED, expression, has
from dataops_nb.profile.proposals import propose
from dataops_nb.profile.tables import Guess, Table
from dataops_nb.sources.catalog import Catalog

MOST_METRICS = 8
MOST_NORTH_STARS = 3
LEAST_WEIGHT = 25
LEAST_WEIGHT_OF_STAR = 50
INDICATOR = frozenset(["indicator", "metric", "measure", "kpi", "series"])
AIM = frozenset(["target", "goal", "plan", "budget"])


@dataclass(frozen=True)
class IndicatorTable:
    """A long table of indicators as it goes under `metrics_from`, with the reason for it."""

    definition: dict[str, Any]
    why: str


@dataclass(frozen=True)
class Suggestions:
    """What a source's rows suggest: a table of indicators, or metrics; and the guesses of both."""

    indicators: IndicatorTable | None = None
    metrics: list[SuggestedMetric] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)


def guess_metrics(catalog: Catalog, table: Table, taken: Collection[str]) -> Suggestions:
    """Suggest the metrics of one source, none of them named like one in `taken`."""
    indicators = find_indicators(table)
    if indicators is not None:
        guess = Guess(
            f"{table.name}: metrics_from",
            indicators.definition["id"],
            indicators.why,
        )
        return Suggestions(indicators, guesses=[guess])
    if table.time is None:
        return Suggestions()
    proposed = propose(catalog, table, taken)
    guesses = [Guess(f"metric {metric.id}", table.name, metric.why) for metric in proposed.metrics]
    for about, why in [*list_refusals(table), *proposed.notes]:
        guesses.append(Guess(f"{table.name}.{about}", "", why))
    return Suggestions(metrics=proposed.metrics, guesses=guesses)


def choose_metrics(metrics_by_source: Mapping[str, Sequence[SuggestedMetric]]) -> set[str]:
    """Return the ids of the few metrics to propose: the best of each source, then the best.

    A share is proposed with its two parts or not at all.
    """
    ranked: list[SuggestedMetric] = []
    for metrics in metrics_by_source.values():
        ranked += sorted(metrics, key=_by_weight)[:1]
    ranked.sort(key=_by_weight)
    rest: list[SuggestedMetric] = []
    for metrics in metrics_by_source.values():
        rest += [metric for metric in metrics if metric not in ranked]
    chosen: set[str] = set()
    for metric in [*ranked, *sorted(rest, key=_by_weight)]:
        wanted = {metric.id, *metric.parts} - chosen
        if metric not in ranked and metric.weight < LEAST_WEIGHT:
            break
        if len(chosen) + len(wanted) <= MOST_METRICS:
            chosen |= wanted
    return chosen


def _by_weight(metric: SuggestedMetric) -> tuple[float, int]:
    return -metric.weight, -metric.rows


def choose_north_stars(metrics: Sequence[SuggestedMetric]) -> list[str]:
    """Return the ids of the few metrics that say most about a company, at most two of a source."""
    ranked = sorted(metrics, key=_by_weight)
    chosen: list[SuggestedMetric] = []
    for metric in ranked:
        same = sum(1 for other in chosen if other.source == metric.source)
        if metric.weight >= LEAST_WEIGHT_OF_STAR and same < 2 and not metric.parts:
            chosen.append(metric)
    chosen = chosen or ranked[:1]
    return [metric.id for metric in chosen[:MOST_NORTH_STARS]]


def find_indicators(table: Table) -> IndicatorTable | None:
    """Recognise a long table: names of indicators that repeat over time, and one value of each."""
    id_columns = []
    for column in table.columns:
        if has(column.name, INDICATOR) and column.text and column.distinct > 2:
            id_columns.append(column)
    values = [name for name in [*table.sums, *table.averages] if not has(name, AIM)]
    if not id_columns or table.time is None or len(values) != 1:
        return None
    # An id in the key comes before other names.
    id_column = next(
        (column for column in id_columns if column.name in table.key),
        id_columns[0],
    )
    value = values[0]
    definition = {
        "source": table.name,
        "id": id_column.name,
        "prefix": f"{table.name}_",
    }
    for column in id_columns:
        if column is not id_column and column.distinct == id_column.distinct:
            definition.setdefault("label", column.name)
    definition["expr"] = expression(value)
    definition["agg"] = "sum"
    if has(value, AVERAGED):
        definition["agg"] = "average"
    for column in table.columns:
        if column.number and has(column.name, AIM):
            definition.setdefault("target", column.name)
    why = f"{id_column.distinct:,} names in {id_column.name}, and one number, {value}, of each"
    return IndicatorTable(definition, why)
