"""What the company's definitions ask of each source: which columns must exist, which are numbers, which are times.

A need reaches through a `query:` to the sources it stands on, so that a value that is no number is named in its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from dataops_nb.definitions import Indicator, indicator
from dataops_nb.definitions.models import (
    Conversion,
    Cumulative,
    Definitions,
    Department,
    Derived,
    FromColumn,
    Listed,
    Measure,
    Metric,
    MetricsFrom,
    Offset,
    Ratio,
    Simple,
    SourceEvents,
    SourceTarget,
)
from dataops_nb.sources.queries import Query

ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Paren, exp.Abs, exp.Round, exp.Coalesce)
SUMS = (exp.Sum, exp.Avg, exp.Median)


@dataclass
class Need:
    """What is asked of one source: columns by name with who asks, and which of them are numbers and times.

    A source that holds targets speaks of days to come, so its rows after as-of count.
    """

    columns: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    used_times: list[str] = field(default_factory=list)
    currencies: dict[str, list[str]] = field(default_factory=dict)
    holds_targets: bool = False

    def use(self, names: Iterable[str | None], why: str) -> None:
        """Columns that must exist."""
        for name in names:
            if name:
                self.columns.setdefault(name, why)

    def count(self, names: Iterable[str | None], why: str) -> None:
        """Columns that must exist and be numbers."""
        listed = [n for n in names if n]
        self.use(listed, why)
        for name in listed:
            self.numbers.setdefault(name, why)

    def date(self, names: Iterable[str | None], why: str) -> None:
        """Columns that must exist and be dates or stamps."""
        listed = [n for n in names if n]
        self.use(listed, why)
        for name in listed:
            self.times.setdefault(name, why)


Needs = dict[str, Need]


def collect_needs(definitions: Definitions, queries: dict[str, Query]) -> Needs:
    """The needs of every declared source."""
    needs: Needs = {name: Need() for name in definitions.company.sources}
    _need_by_sources(definitions, needs)
    for id_, metric in definitions.metrics.items():
        _need_by_metric(definitions, id_, metric, needs)
    for department in definitions.departments.values():
        for table in department.metrics_from:
            _need_by_indicators(definitions, department, table, needs)
    for event in definitions.events:
        if isinstance(event, SourceEvents) and event.source in needs:
            _need_by_events(event, needs[event.source])
    _reach_through(queries, needs)
    return needs


def _need_by_sources(definitions: Definitions, needs: Needs) -> None:
    for name, source in definitions.company.sources.items():
        need = needs[name]
        need.use(source.key or [], "key:")
        need.use([source.latest], "latest:")
        need.use(source.columns, "columns:")
        need.date([source.time], "time:")
        for column in source.columns.values():
            listed, _, member = (column.references or "").partition(".")
            if listed in needs and member:
                needs[listed].use([member], f"references: of source {name}")
    rates = definitions.company.rates
    if rates and rates.source in needs:
        needs[rates.source].date([rates.time], "rates:")
        needs[rates.source].use([rates.from_], "rates:")
        needs[rates.source].count([rates.rate], "rates:")


def _need_by_metric(definitions: Definitions, id_: str, metric: Metric, needs: Needs) -> None:
    why = f"metric {id_}"
    measures = [m for m in _measures(definitions, id_, frozenset()) if m.source in needs]
    if isinstance(metric, Simple):
        for measure in measures:
            _need_by_measure(measure, why, needs[measure.source], definitions.company.sources[measure.source].time)
    split_at = metric.base_metric if isinstance(metric, Conversion) else id_
    for measure in _measures(definitions, split_at, frozenset()):
        if need := needs.get(measure.source):
            for dimension in metric.by:
                need.use(_columns_of(dimension), why)
    for measure in measures:
        need = needs[measure.source]
        if isinstance(metric, Conversion):
            need.use(_identifiers(metric.entity), why)
        for other in metric.reconcile:
            need.use([other.key.left], f"{why}, reconcile:")
            need.count([other.amount.left if other.amount else None], f"{why}, reconcile:")
    _need_elsewhere(definitions, metric, why, needs)


def _need_elsewhere(definitions: Definitions, metric: Metric, why: str, needs: Needs) -> None:
    """What a metric asks of other sources: listed members, targets, the other side of a reconciliation."""
    for dimension in metric.by:
        if isinstance(dimension, Listed) and dimension.values:
            source, _, column = dimension.values.partition(".")
            if source in needs:
                needs[source].use([column], why)
    for target in metric.targets:
        if isinstance(target, SourceTarget) and target.source in needs:
            needs[target.source].holds_targets = True
            needs[target.source].count([target.column], f"{why}, targets:")
            needs[target.source].use(target.match.values(), f"{why}, targets:")
    for other in metric.reconcile:
        for measure in _measures(definitions, other.with_, frozenset()):
            if need := needs.get(measure.source):
                need.use([other.key.right], f"{why}, reconcile:")
                need.count([other.amount.right if other.amount else None], f"{why}, reconcile:")


def _need_by_indicators(definitions: Definitions, department: Department, table: MetricsFrom, needs: Needs) -> None:
    """What a table of indicators asks of its source: the columns that tell its metrics apart, and those of each."""
    if need := needs.get(table.source):
        measure = indicator(table, department.defaults, Indicator("", "")).measure
        _need_by_measure(measure, "metrics_from", need, definitions.company.sources[table.source].time)
        need.use([table.id, table.label, table.department, getattr(table.better, "column", None)], "metrics_from")
        need.use([column for split in department.defaults.by for column in _columns_of(split)], "metrics_from")
        need.count([table.target], "metrics_from")


def _need_by_events(event: SourceEvents, need: Need) -> None:
    need.date([event.date], "events.yaml")
    told = [each.column for each in (event.kind, event.metrics) if isinstance(each, FromColumn)]
    need.use([event.title, *told], "events.yaml")


def _need_by_measure(measure: Measure, why: str, need: Need, default: str | None) -> None:
    need.date([measure.time], why)
    used = measure.time or (measure.open.from_ if measure.open and default is None else None)
    if used:
        need.used_times.append(used)
    if measure.open:
        need.date([measure.open.from_, measure.open.to], why)
    need.use([measure.currency], why)
    day = measure.open.from_ if measure.open else measure.time or default
    if measure.currency and day and day not in need.currencies.setdefault(measure.currency, []):
        need.currencies[measure.currency].append(day)
    for written in (measure.expr, measure.filter, measure.exclude):
        need.use(_identifiers(written), why)
    if measure.agg in ("sum", "average", "median", "min", "max"):
        need.count(_plain(measure.expr), why)


def _measures(definitions: Definitions, id_: str, seen: frozenset[str]) -> Iterator[Measure]:
    """The measures under a metric, whatever its type."""
    metric = definitions.metrics.get(id_)
    if metric is None or id_ in seen:
        return
    if isinstance(metric, Simple):
        yield metric.measure
    for part in _parts(metric):
        yield from _measures(definitions, part, seen | {id_})


def _parts(metric: Metric) -> list[str]:
    if isinstance(metric, Ratio):
        return [side.metric if isinstance(side, Offset) else side for side in (metric.numerator, metric.denominator)]
    if isinstance(metric, Cumulative):
        return [metric.metric]
    if isinstance(metric, Conversion):
        return [metric.base_metric, metric.conversion_metric]
    return list(_identifiers(metric.expr)) if isinstance(metric, Derived) else []


def _columns_of(dimension: str | list[str] | Listed) -> list[str]:
    if isinstance(dimension, Listed):
        return [dimension.column]
    return [dimension] if isinstance(dimension, str) else list(dimension)


def _parse(written: str | None) -> exp.Expr | None:
    try:
        return sqlglot.parse_one(written, read="duckdb") if written else None
    except sqlglot.errors.SqlglotError:
        return None


def _identifiers(written: str | None) -> list[str]:
    """The columns an SQL expression names itself, not those of a query inside it."""
    parsed = _parse(written)
    if parsed is None:
        return []
    found = [
        c for c in parsed.find_all(exp.Column) if not c.find_ancestor(exp.Select) and isinstance(c.this, exp.Identifier)
    ]
    return list(dict.fromkeys(c.name for c in found if not c.table))


def _plain(written: str | None) -> list[str]:
    """The columns that must be numbers for an SQL expression to be summed."""
    parsed = _parse(written)
    return [] if parsed is None else [c.name for c in _summands(parsed)]


def _summands(node: exp.Expr) -> Iterator[exp.Column]:
    if isinstance(node, exp.Column):
        yield node
    elif isinstance(node, ARITHMETIC):
        for child in node.iter_expressions():
            yield from _summands(child)


def _reach_through(queries: dict[str, Query], needs: Needs) -> None:
    """Pass every need of a query on to what it stands on, by column name; once a query for each level of nesting."""
    for _ in queries:
        for name, query in queries.items():
            numbers = dict(needs[name].numbers)
            times = dict(needs[name].times)
            for column, why in {**_asked(query, numbers), **_summed(query)}.items():
                _pass_on(query, column, why, "numbers", needs)
            for column, why in _asked(query, times, plain=True).items():
                _pass_on(query, column, why, "times", needs)


def _pass_on(query: Query, column: str, why: str, kind: str, needs: Needs) -> None:
    for upstream in query.sources:
        getattr(needs[upstream], kind).setdefault(column, why)


def _summed(query: Query) -> dict[str, str]:
    sums = (node for kind in SUMS for node in query.tree.find_all(kind))
    return {c.name: f"source {query.name}" for node in sums for c in _summands(node.this)}


def _asked(query: Query, wanted: dict[str, str], *, plain: bool = False) -> dict[str, str]:
    """The columns behind the wanted columns of a query's result: what an alias stands for, or the same name."""
    asked = dict(wanted)
    aliases = {a.alias: a.this for a in query.tree.find_all(exp.Alias)}
    for name, why in wanted.items():
        behind = aliases.get(name)
        if behind is None:
            continue
        found = [behind] if isinstance(behind, exp.Column) else [] if plain else list(_summands(behind))
        asked |= {c.name: why for c in found if isinstance(c, exp.Column)}
        if not (isinstance(behind, exp.Column) and behind.name == name):
            asked.pop(name, None)
    return asked
