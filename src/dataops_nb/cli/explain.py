"""Run `dataops-nb metric explain`: what moved one metric, part by part.

The parts add up to the change, or with `--multiplicative` their factors multiply to it. Compared
are the last complete period and another one: the one before, the same one last year, or any.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from dataops_nb import cli, drivers, numbers, plain, sources, workbench
from dataops_nb.cli.metric import require, split
from dataops_nb.definitions.models import Definitions
from dataops_nb.drivers import Change
from dataops_nb.drivers.names import grain_named
from dataops_nb.periods import calendar
from dataops_nb.story.changes import part_name, part_unit

PART_HEADERS = ("part", "kind", "before", "now", "effect", "share")
FACTOR_HEADERS = ("part", "kind", "before", "now", "factor")
RIGHT = ("before", "now", "effect", "share", "factor")
# More decimals than a value has, so that the product of what is printed can be followed.
MORE = 2


def run_explain(args: Namespace) -> int:
    """Print the change in the last complete period, and the parts that make it."""
    bench = cli.find(args)
    definitions = bench.definitions
    require(definitions, args.metric)
    by = split(args.by, drivers.splits(definitions, args.metric))
    as_of = workbench.as_of(bench, args.as_of)
    company_calendar = calendar(definitions.calendar)
    workbench.ensure_data(bench)
    headers = FACTOR_HEADERS if args.multiplicative else PART_HEADERS
    explain = drivers.multiply if args.multiplicative else drivers.of_company
    with sources.open(definitions, bench.data, as_of, keep=bench.cache) as catalog:
        grain = args.grain or grain_named(catalog, args.against) or "week"
        period = company_calendar.last_complete(grain, catalog.as_of)
        against = drivers.comparison_named(catalog, period, args.against)
        change = drivers.change(catalog, args.metric, period, against)
        parts = explain(catalog, args.metric, period, against, by)
        rows = plain.rows(parts[list(headers)])
    if args.json:
        document = _change_document(args.metric, change, rows)
        if args.multiplicative:
            document["factor"] = _factor_of(change)
        cli.document(document)
        return 0
    cli.show(_change_text(definitions, args.metric, change))
    if rows:
        lines = [_part_line(definitions, args.metric, row) for row in rows]
        if args.multiplicative:
            lines.append(_product_line(definitions, change))
        cli.show(cli.table(headers, lines, right=[name for name in headers if name in RIGHT]))
    return 0


def _factor_of(change: Change) -> float | None:
    """Return what the metric was multiplied by; None where nothing is explained."""
    return change.now / change.before if change.explainable else None


def _product_line(definitions: Definitions, change: Change) -> list[str]:
    product = numbers.of(definitions).number(change.now / change.before, more=MORE)
    return ["product", "", "", "", product]


def _change_document(metric_id: str, change: Change, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "metric": metric_id,
        "period": change.period.id,
        "against": change.against.id,
        "before": plain.value(change.before),
        "now": plain.value(change.now),
        "change": plain.value(change.size),
        "rows": rows,
    }


def _change_text(definitions: Definitions, metric_id: str, change: Change) -> str:
    label = definitions.label(metric_id)
    period = change.period.id
    earlier = change.against.id
    if not change.explainable:
        return f"{label}: data are missing for {period} or {earlier}"
    unit = definitions.metrics[metric_id].unit
    written = numbers.of(definitions)
    before = written.quantity(change.before, unit)
    now = written.quantity(change.now, unit)
    size = written.effect(change.size, unit)
    return f"{label}: {now} in {period}, {before} in {earlier} ({size})\n"


def _part_line(definitions: Definitions, metric_id: str, row: dict[str, Any]) -> list[str]:
    part, kind = row["part"], row["kind"]
    written = numbers.of(definitions)
    unit = part_unit(definitions, metric_id, part, kind)
    values = []
    for name in ("before", "now"):
        value = row[name]
        text = ""
        if value is not None:
            text = written.quantity(value, unit)
        values.append(text)
    start = [part_name(definitions, metric_id, part, kind), kind, *values]
    if "factor" in row:
        return [*start, written.number(row["factor"], more=MORE)]
    share = ""
    if row["share"] is not None:
        share = written.number(row["share"], "percent")
    return [*start, written.effect(row["effect"], definitions.metrics[metric_id].unit), share]
