"""What the company's definitions need of each source: columns, and which are numbers or times.

A metric, an event, an exchange rate or a table of indicators names columns; here the names are
collected by source, each with who needs it, so that a missing column or a text where a number is
needed can be reported with its reason. A need for a query's result is passed on to the sources it
reads, so that a value that is no number is reported in its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from dataops_nb.company import FromColumn, SourceEvents
from dataops_nb.definitions.indicators import Indicator, indicator
from dataops_nb.definitions.models import BetterColumn, Definitions, Department, MetricsFrom
from dataops_nb.errors import Fault, did_you_mean, nearest
from dataops_nb.lineage import metric_parts, upstream
from dataops_nb.metrics import (
    Conversion,
    Listed,
    Measure,
    Metric,
    Simple,
    SourceTarget,
)
from dataops_nb.sources.evidence import Raw, find_column
from dataops_nb.sources.queries import Query

ARITHMETIC = (
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Neg,
    exp.Paren,
    exp.Abs,
    exp.Round,
    exp.Coalesce,
)
SUMS = (exp.Sum, exp.Avg, exp.Median, exp.PercentileCont)
SHOWN_COLUMNS = 30
OF_NUMBERS = ("sum", "average", "median", "percentile", "min", "max")


@dataclass
class Need:
    """What is needed of one source.

    `columns`, `numbers` and `times` are names with who needs them; `used_times` are the time
    columns of metrics, `currencies` the currency columns with the time columns that date their
    amounts and the conditions of the rows that are converted, `expressions` the SQL over its rows
    with who asks it. A source with targets (`holds_targets`) speaks of days to come, so its rows
    after as-of count.
    """

    columns: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    used_times: list[str] = field(default_factory=list)
    currencies: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    holds_targets: bool = False

    def use(self, names: Iterable[str | None], why: str) -> None:
        """Need columns."""
        for name in names:
            if name:
                self.columns.setdefault(name, why)

    def count(self, names: Iterable[str | None], why: str) -> None:
        """Need columns of numbers."""
        for name in names:
            if name:
                self.columns.setdefault(name, why)
                self.numbers.setdefault(name, why)

    def date(self, names: Iterable[str | None], why: str) -> None:
        """Need columns of dates or stamps."""
        for name in names:
            if name:
                self.columns.setdefault(name, why)
                self.times.setdefault(name, why)


Needs = dict[str, Need]


def collect_needs(definitions: Definitions, queries: Mapping[str, Query]) -> Needs:
    """Return what is needed of every declared source, by its name."""
    needs: Needs = {name: Need() for name in definitions.company.sources}
    _need_by_sources(definitions, needs)
    _need_by_rates(definitions, needs)
    for metric_name, metric in definitions.metrics.items():
        _need_by_metric(definitions, metric_name, metric, needs)
    for department in definitions.departments.values():
        for table in department.metrics_from:
            _need_by_indicators(definitions, department, table, needs)
    for event in definitions.events:
        if isinstance(event, SourceEvents) and event.source in needs:
            _need_by_events(event, needs[event.source])
    _pass_on_needs(queries, needs)
    return needs


def _need_by_sources(definitions: Definitions, needs: Needs) -> None:
    for name, source in definitions.company.sources.items():
        need = needs[name]
        need.use(source.key or [], "key:")
        need.use([source.latest], "latest:")
        need.use(source.columns, "columns:")
        need.date([source.time], "time:")
        need.date([source.exists_from], "exists_from:")
        for column in source.columns.values():
            target, _, member = (column.references or "").partition(".")
            if target in needs and member:
                needs[target].use([member], f"references: of source {name}")


def _need_by_rates(definitions: Definitions, needs: Needs) -> None:
    rates = definitions.company.rates
    if rates and rates.source in needs:
        need = needs[rates.source]
        need.date([rates.time], "rates:")
        need.use([rates.from_], "rates:")
        need.count([rates.rate], "rates:")


def _need_by_metric(definitions: Definitions, name: str, metric: Metric, needs: Needs) -> None:
    why = f"metric {name}"
    # the rows of a conversion are those of its base: they are what is split by dimensions
    split_metric = name
    if isinstance(metric, Conversion):
        split_metric = metric.base_metric
    if isinstance(metric, Simple) and metric.measure.source in needs:
        source = metric.measure.source
        time = definitions.company.sources[source].time
        _need_by_measure(metric.measure, why, needs[source], time)
    for measure in _measures(definitions, split_metric):
        if measure.source in needs:
            for dimension in metric.by:
                needs[measure.source].use(_columns_of(dimension), why)
    for measure in _measures(definitions, name):
        if measure.source not in needs:
            continue
        need = needs[measure.source]
        if isinstance(metric, Conversion):
            need.use(_own_columns(metric.entity), why)
        for other in metric.reconcile:
            need.use([other.key.left], f"{why}, reconcile:")
            if other.amount:
                need.count([other.amount.left], f"{why}, reconcile:")
    _need_elsewhere(definitions, metric, why, needs)


def _need_elsewhere(definitions: Definitions, metric: Metric, why: str, needs: Needs) -> None:
    """Add the needs of a metric in other sources.

    These hold the members of its dimensions, its targets, and the other side of a reconciliation.
    """
    for dimension in metric.by:
        if isinstance(dimension, Listed) and dimension.values:
            source, _, column = dimension.values.partition(".")
            if source in needs:
                needs[source].use([column], why)
    for target in metric.targets:
        if isinstance(target, SourceTarget) and target.source in needs:
            need = needs[target.source]
            need.holds_targets = True
            need.count([target.column], f"{why}, targets:")
            need.use(target.match.values(), f"{why}, targets:")
    for other in metric.reconcile:
        for measure in _measures(definitions, other.with_):
            if measure.source not in needs:
                continue
            need = needs[measure.source]
            need.use([other.key.right], f"{why}, reconcile:")
            if other.amount:
                need.count([other.amount.right], f"{why}, reconcile:")


def _need_by_indicators(
    definitions: Definitions, department: Department, table: MetricsFrom, needs: Needs
) -> None:
    """Add the needs of a table of indicators: the columns of its measure, and those of each row."""
    if table.source not in needs:
        return
    need, why = needs[table.source], "metrics_from"
    measure = indicator(table, department.defaults, Indicator("", "")).measure
    _need_by_measure(measure, why, need, definitions.company.sources[table.source].time)
    need.use([table.id, table.label, table.department], why)
    if isinstance(table.better, BetterColumn):
        need.use([table.better.column], why)
    for dimension in department.defaults.by:
        need.use(_columns_of(dimension), why)
    need.count([table.target], why)


def _need_by_events(event: SourceEvents, need: Need) -> None:
    need.date([event.date], "events.yaml")
    need.use([event.title], "events.yaml")
    for value in (event.kind, event.metrics):
        if isinstance(value, FromColumn):
            need.use([value.column], "events.yaml")


def _need_by_measure(measure: Measure, why: str, need: Need, source_time: str | None) -> None:
    """Add the columns of a measure; `source_time` is the source's own `time:`."""
    need.date([measure.time], why)
    opening = measure.open
    day = measure.time or source_time
    if measure.time:
        need.used_times.append(measure.time)
    if opening:
        need.date([opening.from_, opening.to], why)
        day = opening.from_
        if not measure.time:
            need.used_times += [opening.from_, opening.to]
    if measure.currency:
        need.use([measure.currency], why)
        if day:
            days = need.currencies.setdefault(measure.currency, {})
            days.setdefault(day, []).append(_converted_rows(measure))
    for written in (measure.expr, measure.filter, measure.exclude):
        need.use(_own_columns(written), why)
        if written:
            need.expressions.setdefault(written, why)
    if measure.agg in OF_NUMBERS:
        need.count(_summed_columns(measure.expr), why)


def _converted_rows(measure: Measure) -> str:
    """Return SQL of the rows that have an amount and count; "true" where that is each window's."""
    conditions = [f"({measure.expr}) is not null"] if measure.expr else []
    if measure.filter:
        conditions.append(f"({measure.filter})")
    if measure.exclude:
        conditions.append(f"not coalesce(({measure.exclude}), false)")
    together = " and ".join(conditions)
    return "true" if ":period_" in together else together or "true"


def find_missing(name: str, raw: Raw, need: Need) -> list[Fault]:
    """Return one fault that lists every needed column a source lacks, with the nearest unused."""
    extra = [column for column in raw.columns if find_column(column, need.columns) is None]
    missing = []
    listed = []
    for column, why in need.columns.items():
        if find_column(column, raw.columns) is None:
            hint = did_you_mean(column, extra) if nearest(column, extra) else ""
            missing.append(column)
            listed.append(f"{column!r} ({why}{hint})")
    if not missing:
        return []
    rule = (
        f"missing: {', '.join(listed)}; extra: {_list_some(extra) or 'none'};"
        f" there are {_list_some(list(raw.columns))}"
    )
    return [Fault(name, rule, raw.file, 1 if raw.file else None, ", ".join(missing))]


def _list_some(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - SHOWN_COLUMNS} more" if len(columns) > SHOWN_COLUMNS else ""
    return ", ".join(repr(column) for column in columns[:SHOWN_COLUMNS]) + more


# --- the measures below a metric -----------------------------------------------------------------


def _measures(definitions: Definitions, name: str) -> Iterator[Measure]:
    """Yield the measures below a metric, whatever its type."""
    metrics = definitions.metrics

    def parts(name: str) -> list[str]:
        return metric_parts(metrics[name]) if name in metrics else []

    for below in upstream([name], parts):
        metric = metrics.get(below)
        if isinstance(metric, Simple):
            yield metric.measure


def _columns_of(dimension: str | list[str] | Listed) -> list[str]:
    if isinstance(dimension, Listed):
        return [dimension.column]
    if isinstance(dimension, str):
        return [dimension]
    return dimension


# --- columns in SQL ------------------------------------------------------------------------------


def _parse(written: str | None) -> exp.Expr | None:
    """Parse an expression; None for one that is no SQL, which the checks of definitions report."""
    if not written:
        return None
    try:
        return sqlglot.parse_one(written, read="duckdb")
    except sqlglot.errors.SqlglotError:
        return None


def _own_columns(written: str | None) -> list[str]:
    """List the columns an SQL expression names itself, without those of a query inside it."""
    parsed = _parse(written)
    if parsed is None:
        return []
    columns = []
    for column in parsed.find_all(exp.Column):
        is_named = isinstance(column.this, exp.Identifier) and not column.table
        if is_named and not column.find_ancestor(exp.Select):
            columns.append(column.name)
    return list(dict.fromkeys(columns))


def _summed_columns(written: str | None) -> list[str]:
    """List the columns that must be numbers for an SQL expression to be summed."""
    parsed = _parse(written)
    if parsed is None:
        return []
    return [column.name for column in _summands(parsed)]


def _summands(node: exp.Expr) -> Iterator[exp.Column]:
    """Yield the columns below a node that only arithmetic lies above; no field inside a column."""
    if isinstance(node, exp.Column):
        if not node.table:
            yield node
    elif isinstance(node, ARITHMETIC):
        for child in node.iter_expressions():
            yield from _summands(child)


# --- through queries -----------------------------------------------------------------------------


def _pass_on_needs(queries: Mapping[str, Query], needs: Needs) -> None:
    """Pass each need for numbers and times of a query's result on to the sources it reads.

    Repeated once a query, so that a need comes down through queries over queries in any order.
    """
    for _ in queries:
        for name, query in queries.items():
            numbers = _computed_from(query, needs[name].numbers) | _columns_in_sums(query)
            times = _passed_through(query, needs[name].times)
            for source in query.sources:
                for column, why in numbers.items():
                    needs[source].numbers.setdefault(column, why)
                for column, why in times.items():
                    needs[source].times.setdefault(column, why)


def _columns_in_sums(query: Query) -> dict[str, str]:
    columns = {}
    for kind in SUMS:
        for node in query.tree.find_all(kind):
            for column in _summands(node.this):
                columns[column.name] = f"source {query.name}"
    return columns


def _computed_from(query: Query, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the columns from which the wanted columns of a query's result are computed.

    A column without an alias has the same name below.
    """
    expressions = _expressions_by_alias(query)
    columns = dict(wanted)
    for name, why in wanted.items():
        expression = expressions.get(name)
        if expression is None:
            continue
        for column in _summands(expression):
            columns[column.name] = why
        if not _is_column(expression, name):
            columns.pop(name, None)
    return columns


def _passed_through(query: Query, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the columns that a query passes on unchanged as the wanted columns of its result."""
    expressions = _expressions_by_alias(query)
    columns = dict(wanted)
    for name, why in wanted.items():
        expression = expressions.get(name)
        if expression is None:
            continue
        if isinstance(expression, exp.Column):
            columns[expression.name] = why
        if not _is_column(expression, name):
            columns.pop(name, None)
    return columns


def _expressions_by_alias(query: Query) -> dict[str, exp.Expr]:
    return {alias.alias: alias.this for alias in query.tree.find_all(exp.Alias)}


def _is_column(expression: exp.Expr, name: str) -> bool:
    return isinstance(expression, exp.Column) and expression.name == name
