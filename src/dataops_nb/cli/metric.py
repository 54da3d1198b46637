"""`dataops-nb metric list | show | tree`: what is defined. Nothing is computed; data are read only
where `metrics_from` makes metrics of their rows."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import yaml

from dataops_nb import definitions as company_files
from dataops_nb.cli import described, folder, output
from dataops_nb.definitions import Definitions
from dataops_nb.errors import UsageError, did_you_mean

LISTED = ("id", "label", "department", "type", "grains", "unit", "role")


def require(definitions: Definitions, metric: str) -> None:
    """Raise UsageError, with the nearest id, where the company has no such metric."""
    known = definitions.metrics
    if metric not in known:
        near = did_you_mean(metric, known) or "; dataops-nb metric list names all of them"
        raise UsageError(f"unknown metric {metric!r}{near}")


def run_list(args: Namespace) -> int:
    """Print every metric, in the order of the files."""
    definitions = folder.definitions(args)
    rows = [_listed(definitions, metric) for metric in definitions.metrics]
    if args.json:
        output.document({"metrics": rows})
        return 0
    lines = [[", ".join(row[name]) if name == "grains" else row[name] for name in LISTED] for row in rows]
    output.write(output.table(LISTED, lines))
    return 0


def _listed(definitions: Definitions, metric: str) -> dict[str, Any]:
    said = definitions.metrics[metric]
    return {
        "id": metric,
        "label": definitions.label(metric),
        "department": definitions.department_of(metric),
        "type": said.type,
        "grains": list(said.grains),
        "unit": said.unit,
        "role": definitions.role(metric),
    }


def run_show(args: Namespace) -> int:
    """Print one metric as it is defined, with its sources and the lights it is judged by."""
    definitions = folder.definitions(args)
    require(definitions, args.metric)
    shown = {"metric": args.metric, **_listed(definitions, args.metric), **described.describe(definitions, args.metric)}
    del shown["id"]
    if args.json:
        output.document(shown)
    else:
        text = yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=110)
        output.write(text.rstrip("\n"))
    return 0


def run_tree(args: Namespace) -> int:
    """Print the tree below each North Star: its parts, and the metrics that are declared to move them."""
    definitions = folder.definitions(args)
    tops = definitions.company.north_star or list(definitions.metrics)
    tree = [branch(definitions, metric, "north star") for metric in tops]
    if args.json:
        output.document({"tree": tree})
        return 0
    for top in tree:
        output.write("\n".join([_name(top), *_lines(top["children"], "")]))
    return 0


def branch(definitions: Definitions, metric: str, relation: str, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """A metric and what is below it: its parts, then its declared movers. A metric below itself is not repeated."""
    path = (*above, metric)
    return {
        "metric": metric,
        "label": definitions.label(metric),
        "department": definitions.department_of(metric),
        "relation": relation,
        "children": [
            branch(definitions, child, how, path)
            for child, how in company_files.below(definitions, metric)
            if child not in path
        ],
    }


def _lines(children: list[dict[str, Any]], indent: str) -> list[str]:
    lines = []
    for child in children:
        last = child is children[-1]
        lines.append(f"{indent}{'`-- ' if last else '|-- '}{_name(child)}")
        lines += _lines(child["children"], indent + ("    " if last else "|   "))
    return lines


def _name(node: dict[str, Any]) -> str:
    how = " moves it" if node["relation"] == "moves" else ""
    return f"{node['metric']}{how}  ({node['label']}, {node['department']})"
