"""`dataops-nb metric explain ID`: what moved one metric, part by part."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from dataops_nb import drivers, sources, workbench
from dataops_nb.cli import folder, metric, output
from dataops_nb.cli.records import plain, records
from dataops_nb.cli.values import split
from dataops_nb.definitions import Definitions
from dataops_nb.drivers import Against, Change
from dataops_nb.periods import calendar
from dataops_nb.story import numbers
from dataops_nb.story.explaining import part_name, part_unit

HEADERS = ("part", "kind", "before", "now", "effect", "share")


def run(args: Namespace) -> int:
    """Print the parts of the change in the last complete period, and the change itself."""
    bench = folder.find(args)
    definitions = bench.definitions
    metric.require(definitions, args.metric)
    by = split(args.by, drivers.splits(definitions, args.metric))
    against: Against = "previous" if args.against == "previous" else "same_last_year"
    workbench.ensure_data(bench)
    with sources.open(definitions, bench.data, workbench.as_of(bench, args.as_of), keep=bench.cache) as catalog:
        period = calendar(definitions.company.calendar).last_complete(args.grain, catalog.as_of)
        whole = drivers.change(catalog, args.metric, period, against)
        rows = records(drivers.explain(catalog, args.metric, period, against, by)[list(HEADERS)])
    if args.json:
        output.document(_document(args.metric, whole, rows))
        return 0
    output.write(_opening(definitions, args.metric, whole))
    if rows:
        lines = [_line(definitions, args.metric, row) for row in rows]
        output.write(output.table(HEADERS, lines, right=("before", "now", "effect", "share")))
    return 0


def _document(metric_id: str, whole: Change, rows: list[dict[str, Any]]) -> dict[str, Any]:
    values = {
        name: plain(value) for name, value in (("before", whole.before), ("now", whole.now), ("change", whole.size))
    }
    return {"metric": metric_id, "period": whole.period.id, "against": whole.against.id, **values, "rows": rows}


def _opening(definitions: Definitions, metric_id: str, whole: Change) -> str:
    unit, label = definitions.metrics[metric_id].unit, definitions.label(metric_id)
    if not whole.explainable:
        return f"{label}: the data do not cover both {whole.period.id} and {whole.against.id}, so nothing is explained"
    written = numbers.of(definitions)
    before, now = (written.quantity(value, unit) for value in (whole.before, whole.now))
    return f"{label}: {now} in {whole.period.id}, {before} in {whole.against.id}: {written.effect(whole.size, unit)}\n"


def _line(definitions: Definitions, metric_id: str, row: dict[str, Any]) -> list[str]:
    unit = definitions.metrics[metric_id].unit
    own = part_unit(definitions, metric_id, row["part"], row["kind"])
    before, now = (
        "" if row[name] is None else numbers.of(definitions).quantity(row[name], own) for name in ("before", "now")
    )
    named = part_name(definitions, metric_id, row["part"], row["kind"])
    share = "" if row["share"] is None else numbers.of(definitions).number(row["share"], "percent")
    return [named, row["kind"], before, now, numbers.of(definitions).effect(row["effect"], unit), share]
