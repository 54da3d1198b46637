"""Run `dataops-nb links` and `dataops-nb reconcile`.

`links` shows which inputs move the North Star, and which only rock. `reconcile [ID]` compares two
systems' versions of a metric, and their rows.
"""

from __future__ import annotations

from argparse import Namespace
from decimal import Decimal
from typing import Any

import pandas as pd

from dataops_nb import cli, links, numbers, plain, reconciliation, sources, workbench
from dataops_nb.cli import metric
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import UsageError
from dataops_nb.links.verdicts import reason_words
from dataops_nb.reconciliation.bridges import PARTS
from dataops_nb.sources.catalog import Catalog

LINK_COLUMNS = (
    "input",
    "target",
    "verdict",
    "lag",
    "horizon",
    "effect",
    "effect_low",
    "effect_high",
    "q",
    "same_as",
    "reason",
    "declared",
    "rocking_chair",
)
LINK_NUMBERS = ("effect", "effect_low", "effect_high", "q")
LINK_HEADERS = ("input", "target", "effect?", "after", "change", "likely from", "to", "q", "note")
LINK_RIGHT = ("after", "change", "likely from", "to", "q")
ANSWERS = {"moves": "yes", "does not": "no", "cannot tell": "no sign yet"}
LINK_SPARE = ("q", "likely from", "to")
LARGE, SMALL = 1000, 1e-4
BRIDGE_COLUMNS = (
    "metric",
    "with",
    "period",
    "a",
    "b",
    "difference",
    *PARTS,
    "within_tolerance",
)
BRIDGE_SPARE = ("with", "a", "b", "within_tolerance", "duplicate")
ROW_COLUMNS = tuple(reconciliation.ROWS)
AMOUNT_COLUMNS = {"a", "b", "difference", "a_amount", "b_amount", *PARTS}
VERDICTS = {True: "yes", False: "no", None: ""}


def run_links(args: Namespace) -> int:
    """Print one line for each input and North Star: those that move it, then what was declared."""
    bench = cli.find(args)
    definitions = bench.definitions
    as_of = workbench.as_of(bench, args.as_of)
    workbench.ensure_data(bench)
    with sources.open(definitions, bench.data, as_of, keep=bench.cache) as catalog:
        rows = plain.rows(links.of_company(catalog, args.grain))
    if args.json:
        documents = [{name: row[name] for name in LINK_COLUMNS} for row in rows]
        cli.document({"rows": documents})
        return 0
    rows.sort(key=_link_order)
    lines = [_link_line(definitions, row, args.grain) for row in rows]
    cli.show(cli.table(LINK_HEADERS, lines, right=LINK_RIGHT, spare=LINK_SPARE))
    return 0


def _link_order(row: dict[str, Any]) -> tuple[bool, bool, bool]:
    """Order by verdict, then declared links, then rocking chairs; the rest comes last."""
    return (
        row["verdict"] != "moves",
        not row["declared"],
        not row["rocking_chair"],
    )


def _link_line(definitions: Definitions, row: dict[str, Any], grain: str) -> list[Any]:
    written = numbers.at(definitions.company.locale)
    return [
        definitions.label(row["input"]),
        definitions.label(row["target"]),
        ANSWERS[row["verdict"]],
        row["lag"],
        *[_short_number(row[name], written) for name in LINK_NUMBERS],
        _link_note(definitions, row, grain),
    ]


def _short_number(value: float | None, written: numbers.Numbers) -> str | None:
    """Write three digits, or all digits before the point: 3,130, not 3.13e+03."""
    if value is None:
        return None
    size = abs(value)
    if 0 < size < SMALL:
        digits = f"{size:.3g}"
    else:
        digits = written.digits(f"{size:.0f}" if size >= LARGE else f"{Decimal(f'{size:.3g}'):f}")
    return f"{numbers.MINUS if value < 0 else ''}{digits}"


def _link_note(definitions: Definitions, row: dict[str, Any], grain: str) -> str:
    notes = []
    if row["same_as"] is not None:
        notes.append(f"same as {numbers.small(definitions.label(row['same_as']))}")
    if row["rocking_chair"]:
        notes.append("up without effect")
    if row["contradicted"]:
        notes.append("expected, but not seen")
    elif row["declared"]:
        notes.append("expected")
    if row["verdict"] == "does not":
        notes.append(f"not within {_periods(row['horizon'], grain)}")
    if row["periods_needed"] is not None:
        notes.append(f"{_periods(row['periods_needed'], grain)} more needed")
    elif row["verdict"] == "cannot tell":
        notes.append(reason_words(row["reason"], grain))
    return "; ".join(notes)


def _periods(count: int, grain: str) -> str:
    return f"1 {grain}" if count == 1 else f"{count} {grain}s"


def run_reconcile(args: Namespace) -> int:
    """Print each period's difference by cause; --rows prints the rows that make it."""
    cli.require_order(args)
    bench = cli.find(args)
    as_of = workbench.as_of(bench, args.as_of)
    workbench.ensure_data(bench)
    with sources.open(bench.definitions, bench.data, as_of, keep=bench.cache) as catalog:
        metric_names = _reconciled(catalog.company, args)
        frame = _read_differences(catalog, metric_names, args)
    columns = _columns(args)
    # A decimal is a number here; as a plain value it would be its text.
    rows = plain.rows(frame[list(columns)].map(_as_float))
    if args.json:
        cli.document({"rows": rows})
        return 0
    lines = []
    for row in rows:
        lines.append([_reconcile_cell(value) for value in row.values()])
    cli.show(cli.table(columns, lines, right=AMOUNT_COLUMNS, spare=BRIDGE_SPARE))
    return 0


def _reconciled(definitions: Definitions, args: Namespace) -> list[str]:
    """Return the requested metric, or every one with `reconcile:` that has the grain."""
    if args.metric is None:
        names = []
        for name in reconciliation.declared(definitions):
            if args.grain in definitions.metrics[name].grains:
                names.append(name)
        return names
    metric.require(definitions, args.metric)
    grains = definitions.metrics[args.metric].grains
    if args.grain not in grains:
        raise UsageError(f"{args.metric} has no {args.grain} values; choose {', '.join(grains)}")
    return [args.metric]


def _read_differences(catalog: Catalog, metric_names: list[str], args: Namespace) -> pd.DataFrame:
    frames = []
    for name in metric_names:
        if args.rows:
            frame = reconciliation.rows_of_company(catalog, name, args.grain, args.start, args.end)
        else:
            frame = reconciliation.of_company(catalog, name, args.grain, args.start, args.end)
        frames.append(frame)
    if not frames:
        return pd.DataFrame(columns=_columns(args))
    return pd.concat(frames, ignore_index=True)


def _columns(args: Namespace) -> tuple[str, ...]:
    if args.rows:
        return ROW_COLUMNS
    return BRIDGE_COLUMNS


def _as_float(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value


def _reconcile_cell(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return VERDICTS[value]
    if isinstance(value, float):
        return f"{value:,.2f}"
    return str(value)
