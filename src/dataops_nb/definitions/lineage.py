"""What a metric stands on: ratios, cumulative and derived metrics name others, and those may name others again."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Literal

from dataops_nb.definitions.models import Conversion, Cumulative, Definitions, Derived, Offset, Ratio, Simple
from dataops_nb.errors import UsageError, did_you_mean

FLOWS = {"count", "sum", "count_distinct", "first_seen"}
AnyMetric = Simple | Ratio | Cumulative | Derived | Conversion
_ARITHMETIC = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.UAdd, ast.USub, ast.Name, ast.Load,
)  # fmt: skip


def metric_parts(metric: AnyMetric) -> list[str]:
    """The ids of the metrics that a ratio, cumulative, derived or conversion stands on; none for a simple metric."""
    match metric:
        case Ratio():
            named = [metric.numerator, metric.denominator]
            parts = [part.metric if isinstance(part, Offset) else part for part in named]
        case Cumulative():
            parts = [metric.metric]
        case Derived():
            parts = names_in(metric.expr)
        case Conversion():
            parts = [metric.base_metric, metric.conversion_metric]
        case _:
            parts = []
    return list(dict.fromkeys(parts))


def below(definitions: Definitions, metric: str) -> list[tuple[str, Literal["part", "moves"]]]:
    """What stands directly below a metric in the tree of a company: its parts, then what is declared to move it."""
    parts = metric_parts(definitions.metrics[metric])
    movers = [other for other, said in definitions.metrics.items() if any(move.metric == metric for move in said.moves)]
    return [(part, "part") for part in parts] + [(mover, "moves") for mover in movers if mover not in parts]


def upstream(definitions: Definitions, ids: Iterable[str]) -> list[str]:
    """`ids` and every metric they need, each once, parts before what stands on them.

    Raises UsageError where an id is no metric.
    """
    metrics = definitions.metrics
    ordered: dict[str, None] = {}

    def visit(id_: str) -> None:
        if id_ in ordered:
            return
        if id_ not in metrics:
            raise UsageError(f"unknown metric {id_!r}{did_you_mean(id_, metrics)}")
        for part in metric_parts(metrics[id_]):
            visit(part)
        ordered[id_] = None

    for id_ in ids:
        visit(id_)
    return list(ordered)


def names_in(expr: str) -> list[str]:
    """The metrics in an arithmetic expression, in order.

    Raises ValueError, saying why, where `expr` is anything but + - * /, parentheses, numbers and names.
    """
    try:
        tree = ast.parse(expr.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(
            f"{expr.strip()!r} is not arithmetic; write metrics, numbers, + - * / and parentheses"
        ) from None
    for node in ast.walk(tree):
        is_number = isinstance(node, ast.Constant) and type(node.value) in {int, float}
        if not is_number and not isinstance(node, _ARITHMETIC):
            raise ValueError(f"{expr.strip()!r} is more than metrics, numbers, + - * / and parentheses")
    found = sorted((n for n in ast.walk(tree) if isinstance(n, ast.Name)), key=lambda n: (n.lineno, n.col_offset))
    return list(dict.fromkeys(name.id for name in found))


def adds_up(definitions: Definitions, metric: str) -> bool:
    """Whether a metric grows day by day to its period's total: a count or a sum, or such ones added and scaled."""
    definition = definitions.metrics[metric]
    if isinstance(definition, Simple):
        return definition.measure.agg in FLOWS and definition.measure.at is None and definition.measure.open is None
    if not isinstance(definition, Derived) or not _is_linear(ast.parse(definition.expr.strip(), mode="eval").body):
        return False
    return all(adds_up(definitions, name) for name in names_in(definition.expr))


def _is_linear(node: ast.expr) -> bool:
    """Whether an expression only adds and subtracts names, or multiplies and divides them by numbers."""
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.UnaryOp):
        return _is_linear(node.operand)
    if not isinstance(node, ast.BinOp):
        return False
    sides = [node.left, node.right]
    if isinstance(node.op, ast.Add | ast.Sub):
        return all(map(_is_linear, sides))
    scaled = [side for side in sides if not isinstance(side, ast.Constant)]
    by_number = len(scaled) == 1 and (isinstance(node.op, ast.Mult) or scaled[0] is node.left)
    return by_number and _is_linear(scaled[0])


def find_cycles(parts: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Every closed chain of names, once each, from the name that comes first: `[a, b, a]`."""
    cycles: dict[frozenset[str], list[str]] = {}
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            chain = path[path.index(name) :]
            cycles.setdefault(frozenset(chain), [*chain, name])
        elif name not in done:
            for part in parts.get(name, ()):
                visit(part, [*path, name])
            done.add(name)

    for name in parts:
        visit(name, [])
    return list(cycles.values())
