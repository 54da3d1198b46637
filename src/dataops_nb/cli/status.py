"""`dataops-nb status`: the lights of the last complete period, North Star first, then department by department."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from dataops_nb import board
from dataops_nb.cli import folder, output
from dataops_nb.cli.records import records
from dataops_nb.definitions import Definitions
from dataops_nb.story import numbers

HEADERS = ("light", "department", "metric", "value", "target", "attained", "reason", "owner")


def run(args: Namespace) -> int:
    """Print the lights; JSON carries the whole rows of the metric table."""
    read = board.read(folder.find(args), as_of=args.as_of, grain=args.grain)
    rows = records(read.current)
    if args.json:
        output.document({"as_of": read.as_of, "grain": read.grain, "rows": rows})
        return 0
    definitions, period = read.definitions, read.period
    days = f"{period.id} ({period.start} to {period.end})"
    output.write(f"{definitions.company.company}, {days}, as of {read.as_of}\n")
    lines = [_line(definitions, row) for row in sorted(rows, key=lambda row: _rank(definitions, row["metric"]))]
    output.write(output.table(HEADERS, lines, right=("value", "target", "attained")))
    return 0


def _rank(definitions: Definitions, metric: str) -> int:
    star = definitions.company.north_star
    return star.index(metric) if metric in star else len(star)


def _line(definitions: Definitions, row: dict[str, Any]) -> list[Any]:
    metric = row["metric"]
    unit = definitions.metrics[metric].unit
    department = definitions.departments[definitions.department_of(metric)]
    band = [row[name] for name in ("target_low", "target_high") if row.get(name) is not None]
    targets = [numbers.number(target, unit) for target in band or [row["target"]] if target is not None]
    return [
        output.mark(row["light"]),
        "North Star" if metric in definitions.company.north_star else department.department,
        definitions.label(metric),
        "" if row["value"] is None else numbers.quantity(row["value"], unit),
        " to ".join(targets),
        "" if row["attainment"] is None else numbers.share(row["attainment"]),
        row["reason"] or (f"accepted until {row['accepted_until']}" if row["accepted_until"] else None),
        department.owner,
    ]
