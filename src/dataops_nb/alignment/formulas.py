"""Metrics that stand on other metrics: ratios, trailing windows, arithmetic. Each part is aggregated first."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from dataops_nb.alignment.conversions import convert
from dataops_nb.alignment.measured import DAY, Measured, Window, blanked, combine
from dataops_nb.alignment.measures import measure
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Cumulative, Derived, Duration, Offset, Ratio, Simple
from dataops_nb.errors import UsageError
from dataops_nb.periods import Calendar, calendar
from dataops_nb.sources import Catalog

_OPERATORS: dict[type, Callable[..., pd.DataFrame]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """Where metrics are evaluated: the definitions, the data, and the columns that split them."""

    catalog: Catalog
    by: tuple[str, ...] = ()

    @property
    def definitions(self) -> Definitions:
        """The company's definitions."""
        return self.catalog.definitions

    @property
    def calendar(self) -> Calendar:
        """The company's calendar."""
        return calendar(self.definitions.company.calendar, self.definitions.holidays)


def evaluate(scope: Scope, metric: str, windows: list[Window]) -> Measured:
    """One metric over any windows, whatever its type."""
    definition = scope.definitions.metrics[metric]
    if isinstance(definition, Simple):
        return measure(scope.catalog, definition.measure, windows, scope.by)
    if isinstance(definition, Ratio):
        return _ratio(scope, definition, windows)
    if isinstance(definition, Cumulative):
        return _cumulative(scope, definition, windows)
    if isinstance(definition, Derived):
        return _derived(scope, definition, windows)
    return convert(scope.catalog, definition, windows, scope.by)


def _part(scope: Scope, part: str | Offset, windows: list[Window]) -> Measured:
    if isinstance(part, str):
        return evaluate(scope, part, windows)
    return evaluate(scope, part.metric, [window.earlier(part.offset, scope.calendar) for window in windows])


def _ratio(scope: Scope, definition: Ratio, windows: list[Window]) -> Measured:
    parts = [_part(scope, part, windows) for part in (definition.numerator, definition.denominator)]
    return combine(operator.truediv, parts)


def _cumulative(scope: Scope, definition: Cumulative, windows: list[Window]) -> Measured:
    cut = scope.calendar
    trailing = [_trailing(window, definition.window, cut) for window in windows]
    base = evaluate(scope, definition.metric, trailing)
    starts = pd.Series([window.start for window in windows], dtype="datetime64[s]")
    ended = base.reach["data_to"].isna() | (starts > base.reach["data_to"])
    return Measured(blanked(base.value, ended), blanked(base.n, ended, 0), base.reach, base.zero)


def _trailing(window: Window, length: Duration, cut: Calendar) -> Window:
    return Window(window.back(window.end + DAY, length, cut), window.end)


def _derived(scope: Scope, definition: Derived, windows: list[Window]) -> Measured:
    tree = ast.parse(definition.expr, mode="eval").body
    names = list(dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))
    parts = [evaluate(scope, name, windows) for name in names]

    def formula(*values: pd.DataFrame) -> pd.DataFrame:
        return _arithmetic(tree, dict(zip(names, values, strict=True)))

    return combine(formula, parts)


def _arithmetic(node: ast.expr, values: dict[str, pd.DataFrame]) -> pd.DataFrame:
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Constant):
        return node.value  # type: ignore[return-value]  # a number: frames take it as an operand
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_arithmetic(node.operand, values))
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_arithmetic(node.left, values), _arithmetic(node.right, values))
    raise UsageError(f"a derived metric may only add, subtract, multiply and divide, not {type(node).__name__}")
