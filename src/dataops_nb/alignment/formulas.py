"""Metrics that stand on other metrics: ratios, trailing windows, arithmetic. Each part is aggregated first."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from dataops_nb.alignment.conversions import convert
from dataops_nb.alignment.measured import DAY, Measured, Window, blanked, combine
from dataops_nb.alignment.measures import measure
from dataops_nb.definitions import Definitions, names_in
from dataops_nb.definitions.models import Cumulative, Derived, Duration, Offset, Ratio, Simple
from dataops_nb.errors import UsageError
from dataops_nb.periods import Calendar, calendar
from dataops_nb.sources import Catalog, touched

_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """Where metrics are evaluated: the definitions, the data, and the columns that split them.

    With `keep` what is measured is remembered with the data, and whoever asks for some of those windows again has it at once.
    `found` has what was measured in this scope so far, so that a metric and what is made of it are one measurement.
    """

    catalog: Catalog
    by: tuple[str, ...] = ()
    keep: bool = False
    found: dict[tuple[str, tuple[Window, ...]], Measured] = field(default_factory=dict, compare=False)

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
    touched.METRICS.add(metric)
    remembered: list[Remembered] = scope.catalog.measured.get((metric, scope.by), [])
    for known in remembered:
        if (again := known.of(windows)) is not None:
            return again
    asked = metric, tuple(windows)
    if asked not in scope.found:
        scope.found[asked] = _evaluated(scope, metric, windows)
    found = scope.found[asked]
    if scope.keep:
        places = {window: i for i, window in enumerate(windows)}
        scope.catalog.measured[metric, scope.by] = [*remembered, Remembered(places, found)]
    return found


@dataclass(frozen=True)
class Remembered:
    """A metric measured over many windows, and the place of each."""

    places: dict[Window, int]
    measured: Measured

    def of(self, windows: list[Window]) -> Measured | None:
        """The same over some of those windows; None where one is not among them."""
        if not all(window in self.places for window in windows):
            return None
        rows, said = [self.places[window] for window in windows], self.measured
        value, n, reach = (table.iloc[rows].reset_index(drop=True) for table in (said.value, said.n, said.reach))
        return Measured(value, n, reach, said.zero)


def _evaluated(scope: Scope, metric: str, windows: list[Window]) -> Measured:
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


def parts(scope: Scope, definition: Ratio | Derived, windows: list[Window]) -> list[Measured]:
    """What a ratio (numerator, denominator) or arithmetic (its metrics, in order) is made of, over the same windows."""
    if isinstance(definition, Ratio):
        return [_part(scope, part, windows) for part in (definition.numerator, definition.denominator)]
    return [evaluate(scope, name, windows) for name in names_in(definition.expr)]


def _ratio(scope: Scope, definition: Ratio, windows: list[Window]) -> Measured:
    return combine(operator.truediv, parts(scope, definition, windows))


def _cumulative(scope: Scope, definition: Cumulative, windows: list[Window]) -> Measured:
    cut = scope.calendar
    base = evaluate(scope, definition.metric, [trailing(window, definition.window, cut) for window in windows])
    starts = pd.Series([window.start for window in windows], dtype="datetime64[s]")
    ended = base.reach["data_to"].isna() | (starts > base.reach["data_to"])
    return Measured(blanked(base.value, ended), blanked(base.n, ended, 0), base.reach, base.zero)


def trailing(window: Window, length: Duration, cut: Calendar) -> Window:
    """The window of this length that ends on a window's last day."""
    return Window(window.back(window.end + DAY, length, cut), window.end)


def _derived(scope: Scope, definition: Derived, windows: list[Window]) -> Measured:
    return combine(arithmetic(definition.expr), parts(scope, definition, windows))


def arithmetic(expr: str) -> Callable[..., Any]:
    """The formula of a derived metric as a function of its metrics' values (numbers or frames), in their order."""
    tree, names = ast.parse(expr.strip(), mode="eval").body, names_in(expr)
    return lambda *values: _arithmetic(tree, dict(zip(names, values, strict=True)))


def _arithmetic(node: ast.expr, values: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_arithmetic(node.operand, values))
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_arithmetic(node.left, values), _arithmetic(node.right, values))
    raise UsageError(f"a derived metric may only add, subtract, multiply and divide, not {type(node).__name__}")
