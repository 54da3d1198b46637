"""`dataops-nb metric values ID`: one metric, period by period."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from dataops_nb import alignment, sources, workbench
from dataops_nb.cli import folder, metric, output
from dataops_nb.cli.records import records
from dataops_nb.story import numbers

COLUMNS = ("period", "period_start", "period_end", "segment", "value", "n", "complete")


def run(args: Namespace) -> int:
    """Print the values: totals, or one row a segment and period with --by."""
    folder.require_order(args)
    bench = folder.find(args)
    workbench.ensure_data(bench)
    with sources.open(bench.definitions, bench.data, workbench.as_of(bench, args.as_of), keep=bench.cache) as catalog:
        definitions = catalog.definitions
        metric.require(definitions, args.metric)
        by = split(args.by, alignment.declared_splits(definitions, args.metric))
        frame = alignment.values(catalog, args.metric, grain=args.grain, start=args.start, end=args.end, by=by)
    rows = records(frame[list(COLUMNS)])
    unit = definitions.metrics[args.metric].unit
    if args.json:
        output.document({"metric": args.metric, "unit": unit, "grain": args.grain, "rows": rows})
        return 0
    lines = [[*row.values()] for row in ({**row, **_words(row, unit, numbers.of(definitions))} for row in rows)]
    output.write(output.table(COLUMNS, lines, right=("value", "n")))
    return 0


def split(said: list[str] | None, declared: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The columns that `--by` names, said once or more often, with or without commas; in the declared order."""
    whole = tuple(said or ())
    parts = tuple(part.strip() for name in whole for part in name.split(","))
    return next((columns for columns in declared if sorted(columns) in (sorted(whole), sorted(parts))), parts)


def _words(row: dict[str, Any], unit: str, written: numbers.Numbers) -> dict[str, str]:
    value = "" if row["value"] is None else written.quantity(row["value"], unit)
    return {"value": value, "complete": "yes" if row["complete"] else "no"}
