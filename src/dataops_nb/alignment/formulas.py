"""Metrics that stand on other metrics: ratios, trailing windows, arithmetic.

Each part is aggregated first.

`evaluate` measures one metric of any kind over any windows, `evaluate_all` many of them with few
queries: a family of metrics that are one measure is one of them (`alignment.families`); and what
adds up over days is fetched from each source for all metrics together before any of them is asked
for.
"""

from __future__ import annotations

import ast
import operator
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import pandas as pd

from dataops_nb.alignment.daily import gather
from dataops_nb.alignment.digits import EXACT, Digits, is_large, put_right
from dataops_nb.alignment.families import Family, find_families, measure_families, own_measure
from dataops_nb.alignment.measures import (
    convert,
    is_shared,
    measure,
    measure_all,
    measure_digits,
    time_of,
)
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import DAY, Measured, Window, Windows, blanked, combine
from dataops_nb.company import Company
from dataops_nb.errors import UsageError
from dataops_nb.lineage import formula_parts, metric_of, names_in
from dataops_nb.metrics import Conversion, Cumulative, Derived, Measure, Offset, Ratio, Simple
from dataops_nb.periods import Calendar, calendar
from dataops_nb.terms import Duration, after

_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """Where metrics are evaluated: the company, its rows, and the columns that split them.

    With `keep` what is measured is remembered with the data, and whoever asks for some of those
    windows again has it at once. `known` has what was measured in this scope so far, so that a
    metric and what is made of it are one measurement; `digits` has the whole numbers of it.
    """

    rows: Rows
    by: tuple[str, ...] = ()
    keep: bool = False
    known: dict[tuple[str, Windows], Measured] = field(default_factory=dict, compare=False)
    digits: dict[tuple[str, Windows, tuple[str, ...]], dict[str, Digits]] = field(
        default_factory=dict, compare=False
    )

    @property
    def company(self) -> Company:
        """The company."""
        return self.rows.company

    @cached_property
    def calendar(self) -> Calendar:
        """The company's calendar."""
        return calendar(self.company.calendar, self.company.holidays)


def evaluate(scope: Scope, metric: str, windows: Sequence[Window]) -> Measured:
    """Measure one metric over any windows, whatever its type."""
    scope.rows.usage.metrics.add(metric)
    remembered: list[Remembered] = scope.rows.measured.get((metric, scope.by), [])
    for kept in remembered:
        measured = kept.of(windows)
        if measured is not None:
            return measured
    windows = Windows(windows)
    key = metric, windows
    if key not in scope.known:
        scope.known[key] = _measure(scope, metric, windows)
    measured = scope.known[key]
    if scope.keep:
        places = {window: place for place, window in enumerate(windows)}
        scope.rows.measured[metric, scope.by] = [*remembered, Remembered(places, measured)]
    return measured


@dataclass(frozen=True)
class Remembered:
    """A metric measured over many windows, and the place of each."""

    places: dict[Window, int]
    measured: Measured

    def of(self, windows: Sequence[Window]) -> Measured | None:
        """Return the same over some of those windows; None where one is not among them."""
        if not all(window in self.places for window in windows):
            return None
        rows, measured = [self.places[window] for window in windows], self.measured
        value = measured.value.iloc[rows].reset_index(drop=True)
        n = measured.n.iloc[rows].reset_index(drop=True)
        reach = measured.reach.iloc[rows].reset_index(drop=True)
        return Measured(value, n, reach, measured.zero)


def _measure(scope: Scope, metric: str, windows: Sequence[Window]) -> Measured:
    definition = scope.company.metrics[metric]
    if isinstance(definition, Simple):
        return measure(scope.rows, definition.measure, windows, scope.by)
    if isinstance(definition, Ratio):
        return _ratio(scope, definition, windows)
    if isinstance(definition, Cumulative):
        return _cumulative(scope, definition, windows)
    if isinstance(definition, Derived):
        return _derived(scope, definition, windows)
    return convert(scope.rows, definition, windows, scope.by)


def _part(scope: Scope, part: str | Offset, windows: Sequence[Window]) -> Measured:
    if isinstance(part, str):
        return evaluate(scope, part, windows)
    return evaluate(scope, part.metric, _windows_of(scope, part, Windows(windows)))


def parts(scope: Scope, definition: Ratio | Derived, windows: Sequence[Window]) -> list[Measured]:
    """Measure what a ratio (numerator, denominator) or arithmetic (its metrics, in order) is made
    of."""
    return [_part(scope, part, windows) for part in _named(definition)]


def _named(definition: Ratio | Derived) -> list[str | Offset]:
    if isinstance(definition, Ratio):
        return [definition.numerator, definition.denominator]
    return list(formula_parts(definition).values())


def _ratio(scope: Scope, definition: Ratio, windows: Sequence[Window]) -> Measured:
    return combine(operator.truediv, parts(scope, definition, windows))


def _cumulative(scope: Scope, definition: Cumulative, windows: Sequence[Window]) -> Measured:
    listed = Windows(windows)
    long = _trailing_all(scope, definition.window, listed)
    base = evaluate(scope, definition.metric, long)
    starts = pd.Series(listed.starts.astype("datetime64[s]"))
    ended = base.reach["data_to"].isna() | (starts > base.reach["data_to"])
    return Measured(blanked(base.value, ended), blanked(base.n, ended, 0), base.reach, base.zero)


def trailing(window: Window, length: Duration, cut: Calendar) -> Window:
    """Return the window of this length that ends on a window's last day."""
    return Window(window.back(window.end + DAY, length, cut), window.end)


def part_windows(
    company: Company, cut: Calendar, metric: str, wanted: Window
) -> list[tuple[str, Window]]:
    """Return the metrics that one stands on directly, each with the days it is asked for.

    Of a conversion the later event is asked for up to the end of the last window.
    """
    definition = company.metrics[metric]
    match definition:
        case Ratio() | Derived():
            named = _named(definition)
        case Cumulative():
            return [(definition.metric, trailing(wanted, definition.window, cut))]
        case Conversion():
            until = after(wanted.end, definition.window)
            then = definition.conversion_metric, Window(wanted.start, until)
            return [(definition.base_metric, wanted), then]
        case _:
            return []
    parts: list[tuple[str, Window]] = []
    for part in named:
        days = wanted if isinstance(part, str) else wanted.earlier(part.offset, cut)
        parts.append((metric_of(part), days))
    return parts


def _derived(scope: Scope, definition: Derived, windows: Sequence[Window]) -> Measured:
    measured = parts(scope, definition, windows)
    computed = combine(arithmetic(definition.expr), measured)
    if not any(is_large(part.value) for part in measured):
        return computed
    digits = _derived_digits(scope, definition, windows, list(computed.value.columns))
    return replace(computed, value=put_right(computed.value, digits))


def digits_of(
    scope: Scope, metric: str, windows: Sequence[Window], segments: Sequence[str]
) -> dict[str, Digits]:
    """Return the whole numbers that a metric's values over windows are, with every digit.

    By segment, one a window; None where a value is missing or not whole, or only its float is
    known, as of a ratio or a mean.
    """
    key = metric, Windows(windows), tuple(segments)
    if key not in scope.digits:
        scope.digits[key] = _ask_digits_of(scope, metric, windows, segments)
    return scope.digits[key]


def _ask_digits_of(
    scope: Scope, metric: str, windows: Sequence[Window], segments: Sequence[str]
) -> dict[str, Digits]:
    definition = scope.company.metrics[metric]
    digits: dict[str, Digits] = {}
    if isinstance(definition, Simple):
        what = definition.measure
        digits = measure_digits(scope.rows, what, windows, scope.by)
    elif isinstance(definition, Cumulative):
        long = _trailing_all(scope, definition.window, Windows(windows))
        digits = digits_of(scope, definition.metric, long, segments)
    elif isinstance(definition, Derived):
        digits = _derived_digits(scope, definition, windows, segments)
    value = evaluate(scope, metric, windows).segments(list(segments)).value
    unknown: Digits = [None] * len(windows)
    known: dict[str, Digits] = {}
    for name in segments:
        known[name] = list(map(_integer, value[name], digits.get(name, unknown)))
    return known


def _integer(cell: float, number: int | None) -> int | None:
    """Return the whole number that a float is, or that it only comes near."""
    if abs(cell) >= EXACT:
        return number
    return int(cell) if float(cell).is_integer() else None


def _derived_digits(
    scope: Scope, definition: Derived, windows: Sequence[Window], segments: Sequence[str]
) -> dict[str, Digits]:
    """Return arithmetic on whole numbers, where its result is whole."""
    formula, operands = arithmetic(definition.expr), []
    for part in formula_parts(definition).values():
        own = _windows_of(scope, part, Windows(windows))
        operands.append(digits_of(scope, metric_of(part), own, segments))
    digits: dict[str, Digits] = {}
    for name in segments:
        columns = [operand[name] for operand in operands]
        digits[name] = [_compute(formula, cells) for cells in zip(*columns, strict=True)]
    return digits


def _compute(formula: Callable[..., Any], cells: Sequence[int | None]) -> int | None:
    known = [Fraction(cell) for cell in cells if cell is not None]
    if len(known) < len(cells):
        return None
    try:
        computed = Fraction(formula(*known))
    except ZeroDivisionError:
        return None
    if computed.denominator > 1 or abs(computed) > sys.float_info.max:
        return None
    return int(computed)


def arithmetic(expr: str) -> Callable[..., Any]:
    """Return the formula of a derived metric as a function of its metrics' values, in their order.

    Values are numbers, fractions, Series or frames.
    """
    tree, names = ast.parse(expr.strip(), mode="eval").body, names_in(expr)
    return lambda *values: _arithmetic(tree, dict(zip(names, values, strict=True)))


def _arithmetic(node: ast.expr, values: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Constant):
        is_exact = any(isinstance(value, Fraction) for value in values.values())
        return Fraction(repr(node.value)) if is_exact else node.value
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_arithmetic(node.operand, values))
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](
            _arithmetic(node.left, values), _arithmetic(node.right, values)
        )
    raise UsageError(
        f"a derived metric may only add, subtract, multiply and divide, not {type(node).__name__}"
    )


@dataclass(frozen=True)
class Evaluated:
    """A metric over windows.

    The columns of `measured` are its segments, or in a family the metrics of it.
    """

    metric: str
    measured: Measured
    is_family: bool = False


def evaluate_all(
    scope: Scope, metrics: Sequence[str], windows: Sequence[Window]
) -> dict[str, Evaluated]:
    """Measure each metric over the same windows; members of a family share what was measured."""
    families: dict[str, Family] = {}
    if not scope.by:
        families = find_families(metrics, own_measure(scope.company), scope.rows)
    prepare(scope, [name for name in metrics if name not in families], windows)
    measured = measure_families(scope.rows, families.values(), windows)
    evaluated: dict[str, Evaluated] = {}
    for metric in metrics:
        family = families.get(metric)
        if family is None:
            evaluated[metric] = Evaluated(metric, evaluate(scope, metric, windows))
            continue
        evaluated[metric] = Evaluated(metric, measured[family], is_family=True)
    return evaluated


def prepare(scope: Scope, metrics: Sequence[str], windows: Sequence[Window]) -> None:
    """Fetch by day what metrics and their parts need of each source, and measure the totals of it
    over the windows that each is asked for, all of a source at once."""
    rows = scope.rows
    wanted: dict[Windows, dict[str, Measure]] = {}
    seen: set[tuple[str, Windows]] = set()
    for name in metrics:
        _want(scope, name, Windows(windows), wanted, seen)
    if not scope.by:
        for own_windows, measures in wanted.items():
            families = find_families(measures, measures.get, rows)
            of_family = measure_families(rows, families.values(), own_windows)
            for name, family in families.items():
                alone = family.alone(of_family[family], name)
                scope.known.setdefault((name, own_windows), alone)
                del measures[name]
    shared = {}
    for measures in wanted.values():
        for what in measures.values():
            if what not in shared and is_shared(rows, what):
                shared[what] = time_of(rows, what)
    gather(rows, shared.items(), scope.by)
    for own_windows, measures in wanted.items():
        measured = measure_all(rows, dict.fromkeys(measures.values()), own_windows, scope.by)
        for name, what in measures.items():
            if what in measured:
                scope.known.setdefault((name, own_windows), measured[what])


def _want(
    scope: Scope,
    name: str,
    windows: Windows,
    wanted: dict[Windows, dict[str, Measure]],
    seen: set[tuple[str, Windows]],
) -> None:
    """Note which simple metrics a metric is evaluated from, and over which windows.

    A conversion asks for its own rows. What was `seen`, as a part of another one, is noted.
    """
    if (name, windows) in seen:
        return
    seen.add((name, windows))
    metric = scope.company.metrics[name]
    if isinstance(metric, Simple):
        wanted.setdefault(windows, {})[name] = metric.measure
    elif isinstance(metric, Cumulative):
        long = _trailing_all(scope, metric.window, windows)
        _want(scope, metric.metric, long, wanted, seen)
    elif not isinstance(metric, Conversion):
        named: list[str | Offset] = (
            [metric.numerator, metric.denominator]
            if isinstance(metric, Ratio)
            else list(formula_parts(metric).values())
        )
        for part in named:
            own = _windows_of(scope, part, windows)
            _want(scope, metric_of(part), own, wanted, seen)


def _windows_of(scope: Scope, part: str | Offset, windows: Windows) -> Windows:
    """Return the windows that a part is asked for."""
    if isinstance(part, str):
        return windows
    by, cut = part.offset, scope.calendar
    return windows.once(
        ("earlier", by, cut), lambda: Windows(window.earlier(by, cut) for window in windows)
    )


def _trailing_all(scope: Scope, length: Duration, windows: Windows) -> Windows:
    cut = scope.calendar
    return windows.once(
        ("trailing", length, cut),
        lambda: Windows(trailing(window, length, cut) for window in windows),
    )
