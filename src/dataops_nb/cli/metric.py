"""Run `dataops-nb metric list | show | tree | values`.

`list`, `show` and `tree` show definitions: no value is computed, and data are read only where
`metrics_from` makes metrics of their rows. `show` describes one metric in the words of its file, so
"what does this number mean?" has one answer. `values` shows it period by period.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import yaml

from dataops_nb import alignment, cli, numbers, plain, sources, workbench
from dataops_nb.alignment.comparisons import with_digits
from dataops_nb.alignment.measures import declared_splits
from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.written import as_written
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.lineage import metric_parts
from dataops_nb.metrics import Simple, SourceTarget

LIST_HEADERS = ("id", "label", "department", "type", "grains", "unit", "role")
LIST_SPARE = ("grains", "type", "role", "unit")
YAML_WIDTH = 110
# Keys that `metric show` prints in a place of their own.
SHOWN_APART = (
    "label",
    "question",
    "role",
    "better",
    "unit",
    "grains",
    "targets",
    "lights",
)
VALUE_COLUMNS = (
    "period",
    "period_start",
    "period_end",
    "segment",
    "value",
    "n",
    "complete",
)


def require(definitions: Definitions, metric: str) -> None:
    """Raise UsageError with the nearest id if the company has no such metric."""
    known = definitions.metrics
    if metric in known:
        return
    hint = did_you_mean(metric, known)
    if not hint:
        hint = "; dataops-nb metric list names all of them"
    raise UsageError(f"no metric {metric!r}{hint}")


def run_list(args: Namespace) -> int:
    """Print every metric, in the order of the files."""
    definitions = cli.definitions(args)
    rows = [listed_metric(definitions, metric) for metric in definitions.metrics]
    if args.json:
        cli.document({"metrics": rows})
        return 0
    lines = []
    for row in rows:
        row["grains"] = ", ".join(row["grains"])
        lines.append([row[name] for name in LIST_HEADERS])
    cli.show(cli.table(LIST_HEADERS, lines, spare=LIST_SPARE))
    return 0


def listed_metric(definitions: Definitions, metric: str) -> dict[str, Any]:
    """Return one row of `metric list`."""
    defined = definitions.metrics[metric]
    return {
        "id": metric,
        "label": definitions.label(metric),
        "department": definitions.department_of(metric),
        "type": defined.type,
        "grains": list(defined.grains),
        "unit": defined.unit,
        "role": definitions.role(metric),
    }


def run_show(args: Namespace) -> int:
    """Print the definition of one metric, with its sources, targets and lights."""
    definitions = cli.definitions(args)
    require(definitions, args.metric)
    listed = listed_metric(definitions, args.metric)
    del listed["id"]
    shown = {
        "metric": args.metric,
        **listed,
        **describe(definitions, args.metric),
    }
    if args.json:
        cli.document(shown)
    else:
        text = yaml.safe_dump(
            shown,
            sort_keys=False,
            allow_unicode=True,
            width=min(YAML_WIDTH, cli.width() or YAML_WIDTH),
        )
        cli.write(text.rstrip("\n"))
    return 0


def run_tree(args: Namespace) -> int:
    """Print the tree below each North Star: its parts, and the metrics declared to move them."""
    definitions = cli.definitions(args)
    tops = definitions.north_star or list(definitions.metrics)
    trees = [branch(definitions, metric, "north star") for metric in tops]
    if args.json:
        cli.document({"tree": trees})
        return 0
    for tree in trees:
        lines = [_branch_text(tree), *_branch_lines(tree["children"], "")]
        cli.show("\n".join(lines))
    return 0


def branch(
    definitions: Definitions,
    metric: str,
    relation: str,
    above: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return a metric with the metrics below it: its parts, then its declared movers.

    A metric that stands on itself is not repeated.
    """
    path = (*above, metric)
    children = []
    for child, child_relation in definitions.below(metric):
        if child not in path:
            children.append(branch(definitions, child, child_relation, path))
    return {
        "metric": metric,
        "label": definitions.label(metric),
        "department": definitions.department_of(metric),
        "relation": relation,
        "children": children,
    }


def _branch_lines(children: list[dict[str, Any]], indent: str) -> list[str]:
    lines = []
    for child in children:
        stem, below = "|-- ", "|   "
        if child is children[-1]:
            stem, below = "`-- ", "    "
        lines.append(f"{indent}{stem}{_branch_text(child)}")
        lines += _branch_lines(child["children"], indent + below)
    return lines


def _branch_text(node: dict[str, Any]) -> str:
    relation = " moves it" if node["relation"] == "moves" else ""
    return f"{node['metric']}{relation}  ({node['label']}, {node['department']})"


def describe(definitions: Definitions, metric: str) -> dict[str, Any]:
    """Return one metric's definition as plain values.

    The keys are `question better owner definition made_of moved_by sources targets lights`.
    """
    defined = definitions.metrics[metric]
    department = definitions.departments[definitions.department_of(metric)]
    definition = _without(as_written(defined), *SHOWN_APART)
    made_of = list(dict.fromkeys(metric_parts(defined)))
    source_documents = []
    for name in source_names(definitions, metric):
        source = as_written(definitions.sources[name])
        source_documents.append({"source": name, **_without(source, "columns")})
    return {
        "question": defined.question,
        "better": defined.better if defined.has_direction else None,
        "owner": department.owner,
        "definition": definition,
        "made_of": made_of,
        "moved_by": _movers(definitions, metric),
        "sources": source_documents,
        "targets": as_written(defined.targets),
        "lights": as_written(definitions.lights(metric)),
    }


def _movers(definitions: Definitions, metric: str) -> list[str]:
    """Return the metrics that are declared to move this one."""
    movers = []
    for name, other in definitions.metrics.items():
        if any(move.metric == metric for move in other.moves):
            movers.append(name)
    return movers


def source_names(definitions: Definitions, metric: str) -> list[str]:
    """Return the sources behind a metric and its targets, in the order of company.yaml."""
    used = set()
    for name in definitions.upstream([metric]):
        below = definitions.metrics[name]
        if isinstance(below, Simple):
            used.add(below.measure.source)
    for target in definitions.metrics[metric].targets:
        if isinstance(target, SourceTarget):
            used.add(target.source)
    return [name for name in definitions.sources if name in used]


def _without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}


def run_values(args: Namespace) -> int:
    """Print the totals, or with --by one row for each segment and period."""
    cli.require_order(args)
    bench = cli.find(args)
    as_of = workbench.as_of(bench, args.as_of)
    workbench.ensure_data(bench)
    with sources.open(bench.definitions, bench.data, as_of, keep=bench.cache) as catalog:
        definitions = catalog.company
        require(definitions, args.metric)
        by = split(args.by, declared_splits(definitions, args.metric))
        frame = alignment.values(
            catalog,
            args.metric,
            grain=args.grain,
            start=args.start,
            end=args.end,
            by=by,
        )
        frame = with_digits(frame, catalog)
    rows = plain.rows(frame[list(VALUE_COLUMNS)])
    unit = definitions.metrics[args.metric].unit
    if args.json:
        cli.document(
            {
                "metric": args.metric,
                "unit": unit,
                "grain": args.grain,
                "rows": rows,
            }
        )
        return 0
    written = numbers.of(definitions)
    lines = [_value_line(row, unit, written) for row in rows]
    cli.show(cli.table(VALUE_COLUMNS, lines, right=("value", "n")))
    return 0


def split(options: list[str] | None, declared: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the columns that `--by` names, in the order of the declared split they match.

    `--by` may be repeated or hold commas. A column may have a comma in its name, so the options
    are also compared as they are.
    """
    whole = tuple(options or ())
    parts = []
    for option in whole:
        for name in option.split(","):
            parts.append(name.strip())
    for columns in declared:
        if sorted(columns) in (sorted(whole), sorted(parts)):
            return columns
    return tuple(parts)


def _value_line(row: dict[str, Any], unit: str, written: numbers.Numbers) -> list[Any]:
    value = ""
    if row["value"] is not None:
        value = written.quantity(row["value"], unit)
    complete = "yes" if row["complete"] else "no"
    texts = {**row, "value": value, "complete": complete}
    return list(texts.values())
