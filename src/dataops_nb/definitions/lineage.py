"""What a metric stands on: ratios, cumulative and derived metrics name others, and those may name others again."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from dataops_nb.definitions.models import Conversion, Cumulative, Definitions, Derived, Offset, Ratio, Simple
from dataops_nb.errors import UsageError, did_you_mean

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
