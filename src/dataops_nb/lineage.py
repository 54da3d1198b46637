"""The one walk over any graph of what stands on what, and the parts that metrics name."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from dataops_nb.metrics import AnyMetric, Conversion, Cumulative, Derived, Offset, Ratio, Simple

FLOWS = {"count", "sum", "count_distinct", "first_seen"}
_ARITHMETIC = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Add, ast.Sub, ast.Mult, ast.Div,
    ast.UAdd, ast.USub, ast.Name, ast.Load,
)  # fmt: skip


def metric_parts(metric: AnyMetric) -> list[str]:
    """The ids of the metrics that a ratio, cumulative, derived or conversion stands on.

    None for a simple metric.
    """
    match metric:
        case Ratio():
            parts = [metric_of(metric.numerator), metric_of(metric.denominator)]
        case Cumulative():
            parts = [metric.metric]
        case Derived():
            parts = [metric_of(part) for part in formula_parts(metric).values()]
        case Conversion():
            parts = [metric.base_metric, metric.conversion_metric]
        case _:
            parts = []
    return list(dict.fromkeys(parts))


def formula_parts(metric: Derived) -> dict[str, str | Offset]:
    """Each name in the formula of a derived metric, in order, with what it stands for.

    Raises ValueError where the formula cannot be read.
    """
    return {name: metric.parts.get(name, name) for name in names_in(metric.expr)}


def metric_of(part: str | Offset) -> str:
    """The id of the metric that a part names, of whatever period."""
    return part.metric if isinstance(part, Offset) else part


def upstream(wanted: Iterable[str], parts: Callable[[str], Iterable[str]]) -> list[str]:
    """`wanted` and everything it stands on, each once, parts before what stands on them.

    `parts` names what one name stands on directly; it may raise where a name is unknown. Names that
    stand on each other are each listed once too.
    """
    # A dictionary as an ordered set; the walk keeps its own stack, so a chain may have any length.
    ordered: dict[str, None] = {}
    entered: set[str] = set()
    for name in wanted:
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current in entered:
                ordered.setdefault(current)
                continue
            entered.add(current)
            below_it = [part for part in parts(current) if part not in entered]
            waiting += [current, *reversed(below_it)]
    return list(ordered)


def below(
    metrics: Mapping[str, AnyMetric], metric: str
) -> list[tuple[str, Literal["part", "moves"]]]:
    """What stands directly below a metric in a company's tree.

    Its parts, then what is declared to move it.
    """
    parts = metric_parts(metrics[metric])
    listed: list[tuple[str, Literal["part", "moves"]]] = [(part, "part") for part in parts]
    for name, other in metrics.items():
        moves_it = any(move.metric == metric for move in other.moves)
        if moves_it and name not in parts:
            listed.append((name, "moves"))
    return listed


def names_in(expr: str) -> list[str]:
    """The metrics in an arithmetic expression, in order.

    Raises ValueError, saying why, where `expr` is anything but + - * /, parentheses, numbers and
    names.
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
            raise ValueError(
                f"{expr.strip()!r} is more than metrics, numbers, + - * / and parentheses"
            )
    found = sorted(
        (n for n in ast.walk(tree) if isinstance(n, ast.Name)),
        key=lambda n: (n.lineno, n.col_offset),
    )
    return list(dict.fromkeys(name.id for name in found))


def quotient(expr: str) -> tuple[str, str] | None:
    """What an arithmetic expression divides, and by what; None where it is no division."""
    tree = ast.parse(expr.strip(), mode="eval").body
    if not isinstance(tree, ast.BinOp) or not isinstance(tree.op, ast.Div):
        return None
    return ast.unparse(tree.left), ast.unparse(tree.right)


def adds_up(metrics: Mapping[str, AnyMetric], metric: str) -> bool:
    """Whether a metric grows day by day to its period's total.

    A count or a sum, or such ones added and scaled. What takes an earlier period in does not.
    """
    waiting, looked_at = [metric], {metric}
    while waiting:
        definition = metrics[waiting.pop()]
        if isinstance(definition, Simple):
            if not _is_flow(definition):
                return False
        elif not isinstance(definition, Derived) or definition.parts:
            return False
        else:
            if not _is_linear(ast.parse(definition.expr.strip(), mode="eval").body):
                return False
            parts = [name for name in names_in(definition.expr) if name not in looked_at]
            waiting += parts
            looked_at.update(parts)
    return True


def _is_flow(metric: Simple) -> bool:
    measure = metric.measure
    return measure.agg in FLOWS and measure.at is None and measure.open is None


def _is_linear(node: ast.expr) -> bool:
    """Whether an expression only adds and subtracts names, or multiplies and divides them by
    numbers."""
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


def time_power(metrics: Mapping[str, AnyMetric], metric: str) -> int | None:
    """How a metric grows with the length of its period, as a power of it.

    1 for what comes in (over twice the time twice as much), 0 for what is there (stocks, averages,
    windows, conversions), 1 for a flow over a stock, -1 for a stock over a flow. None for a sum of
    unlike things (one less a flow over a stock), and where a part is unknown.
    """
    known: dict[str, int | None] = {}
    for name in upstream([metric], lambda name: _parts_in_time(metrics.get(name))):
        known[name] = _own_power(metrics.get(name), known)
    return known[metric]


def _parts_in_time(metric: AnyMetric | None) -> list[str]:
    """The parts that say how a metric grows; a window or a conversion does not grow."""
    return metric_parts(metric) if isinstance(metric, Ratio | Derived) else []


def _own_power(metric: AnyMetric | None, known: Mapping[str, int | None]) -> int | None:
    """The power of a metric, by those of its parts."""
    match metric:
        case Simple():
            return int(_is_flow(metric))
        case Cumulative() | Conversion():
            return 0
        case Ratio(numerator=above, denominator=below):
            top, bottom = known.get(metric_of(above)), known.get(metric_of(below))
            return None if top is None or bottom is None else top - bottom
        case Derived(expr=expr):
            powers = {}
            for name, part in formula_parts(metric).items():
                powers[name] = known.get(metric_of(part))
            return _power_of(ast.parse(expr.strip(), mode="eval").body, powers)
    return None


def _power_of(node: ast.expr, powers: Mapping[str, int | None]) -> int | None:
    """The power of an expression, by those of the names in it."""
    if isinstance(node, ast.Name):
        return powers[node.id]
    if isinstance(node, ast.UnaryOp):
        return _power_of(node.operand, powers)
    if not isinstance(node, ast.BinOp):
        return 0
    left, right = _power_of(node.left, powers), _power_of(node.right, powers)
    if left is None or right is None:
        return None
    if isinstance(node.op, ast.Mult | ast.Div):
        return left + right if isinstance(node.op, ast.Mult) else left - right
    return left if left == right else None


def is_quotient(metric: AnyMetric) -> bool:
    """Whether a metric divides by another metric."""
    if not isinstance(metric, Derived):
        return isinstance(metric, Ratio)
    for node in ast.walk(ast.parse(metric.expr.strip(), mode="eval")):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
            continue
        if names_in(ast.unparse(node.right)):
            return True
    return False


def find_cycles(parts: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Every closed chain of names, once each, from the name that comes first: `[a, b, a]`."""
    cycles: dict[frozenset[str], list[str]] = {}
    done: set[str] = set()
    for start in parts:
        path: dict[str, Iterator[str]] = {}
        waiting: list[str] = [start]
        while waiting or path:
            if waiting:
                name = waiting.pop()
                if name in path:
                    names = list(path)
                    chain = names[names.index(name) :]
                    cycles.setdefault(frozenset(chain), [*chain, name])
                elif name not in done:
                    path[name] = iter(parts.get(name, ()))
                    continue
            if not path:
                continue
            last = next(reversed(path))
            below_it = next(path[last], None)
            if below_it is not None:
                waiting.append(below_it)
            else:
                del path[last]
                done.add(last)
    return list(cycles.values())


def depths(parts: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many names lie below each, one under the other, where no chain is closed."""
    depth: dict[str, int] = {}
    for name in upstream(parts, lambda name: parts.get(name, ())):
        depth[name] = 1 + max((depth.get(part, 0) for part in parts.get(name, ())), default=-1)
    return depth
