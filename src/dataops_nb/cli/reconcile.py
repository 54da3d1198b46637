"""`dataops-nb reconcile [ID]`: two systems' versions of one metric, and the rows between them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd

from dataops_nb import reconciliation, sources, workbench
from dataops_nb.cli import folder, metric, output
from dataops_nb.cli.records import records
from dataops_nb.definitions import Definitions
from dataops_nb.errors import UsageError
from dataops_nb.sources import Catalog

COLUMNS = ("metric", "with", "period", "a", "b", "difference", *reconciliation.PARTS, "within_tolerance")
ROWS = tuple(reconciliation.ROWS)
VERDICTS = {True: "yes", False: "no", None: ""}


def run(args: Namespace) -> int:
    """Print each period's difference by cause, or with --rows the rows that make it."""
    folder.require_order(args)
    bench = folder.find(args)
    columns = ROWS if args.rows else COLUMNS
    workbench.ensure_data(bench)
    with sources.open(bench.definitions, bench.data, workbench.as_of(bench, args.as_of), keep=bench.cache) as catalog:
        metrics = _wanted(catalog.definitions, args)
        found = _read(catalog, metrics, args)
    rows = [{name: _number(value) for name, value in row.items()} for row in records(found[list(columns)])]
    if args.json:
        output.document({"rows": rows})
        return 0
    right = [
        name for name in columns if name in {"a", "b", "difference", "a_amount", "b_amount", *reconciliation.PARTS}
    ]
    output.write(output.table(columns, [[_cell(value) for value in row.values()] for row in rows], right=right))
    return 0


def _wanted(definitions: Definitions, args: Namespace) -> list[str]:
    """The metric asked for, or every one with `reconcile:` that makes sense at the grain."""
    if args.metric is None:
        return [name for name in reconciliation.declared(definitions) if args.grain in definitions.metrics[name].grains]
    metric.require(definitions, args.metric)
    grains = definitions.metrics[args.metric].grains
    if args.grain not in grains:
        raise UsageError(f"metric {args.metric} has no grain {args.grain!r}; it has {', '.join(grains)}")
    return [args.metric]


def _read(catalog: Catalog, metrics: list[str], args: Namespace) -> pd.DataFrame:
    read: Callable[..., pd.DataFrame] = reconciliation.rows if args.rows else reconciliation.bridge
    found = [read(catalog, name, args.grain, args.start, args.end) for name in metrics]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=ROWS if args.rows else COLUMNS)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _cell(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return VERDICTS[value]
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
