"""By what each part multiplied a metric: factors whose product is what it was multiplied by.

Products and quotients of metrics have one factor a metric: what it was multiplied by itself, to its
power in the formula. Rates by segments (ratios, averages, conversions) are a sum of products, share
times rate; each segment's share and rate has the factor of LMDI-I (Ang 2005, 2015),
exp(its part of the change / the logarithmic mean of the two values). Sums have no factors: what
adds up is explained by parts that add up. Nothing is multiplied from or to 0, or across it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from dataops_nb.alignment.formulas import Scope, parts, trailing
from dataops_nb.alignment.windows import Window
from dataops_nb.drivers.decompositions import lmdi_parts, logarithmic_mean
from dataops_nb.drivers.parts import rates_by_segment, totals
from dataops_nb.errors import UsageError
from dataops_nb.lineage import metric_of
from dataops_nb.metrics import Conversion, Cumulative, Derived, Ratio, Simple

COLUMNS = ["metric", "part", "kind", "before", "now", "factor"]
INSTEAD = "leave --multiplicative out for the parts that add up"
_CLOSES = 1e-9


@dataclass(frozen=True)
class Factor:
    """One part of a change, its two values, and by what it multiplied the metric."""

    part: str
    kind: str
    before: float
    now: float
    factor: float


def find_factors(
    scope: Scope, metric: str, windows: list[Window], by: tuple[str, ...]
) -> list[Factor]:
    """Find by what each part multiplied a metric from the first of two windows to the second.

    Raises UsageError for a metric that is a sum of its parts, and for a part that was or is 0, or
    has changed its sign.
    """
    definition = scope.company.metrics[metric]
    if isinstance(definition, Cumulative):
        own = [trailing(window, definition.window, scope.calendar) for window in windows]
        return find_factors(scope, definition.metric, own, by)
    if isinstance(definition, Derived):
        powers = powers_in(definition.expr)
        if powers is None:
            raise UsageError(f"metric {metric} adds up metrics, so it has no factors; {INSTEAD}")
        before, now = totals(parts(scope, definition, windows))
        kinds = ["factor"] * len(powers)
        return _of_product(list(powers), kinds, list(powers.values()), before, now)
    if isinstance(definition, Ratio) and not by:
        before, now = totals(parts(scope, definition, windows))
        names: list[str] = []
        for side in (definition.numerator, definition.denominator):
            names.append(metric_of(side))
        return _of_product(names, ["numerator", "denominator"], [1, -1], before, now)
    if not _is_rate(definition):
        raise UsageError(
            f"metric {metric} is the sum of its parts or has none, so it has no factors; {INSTEAD}"
        )
    rates = rates_by_segment(scope, metric, windows, by)
    if rates is None:
        raise UsageError(f"metric {metric} is split by nothing, so it has no parts")
    return _of_rates(metric, *rates)


def as_table(metric: str, factors: list[Factor], ratio: float) -> pd.DataFrame:
    """Return the factors as a table; what they leave over of `ratio` is `unexplained`."""
    left = math.log(ratio) - math.fsum(math.log(item.factor) for item in factors)
    rows = list(factors)
    if abs(left) > _CLOSES:
        rows.append(Factor("", "unexplained", math.nan, math.nan, math.exp(left)))
    table = pd.DataFrame([asdict(item) for item in rows], columns=COLUMNS[1:])
    return table.assign(metric=metric)[COLUMNS]


def no_factors(metric: str) -> pd.DataFrame:
    """Return the table of a change that cannot be explained: it has no rows."""
    return pd.DataFrame(columns=COLUMNS).assign(metric=metric)


def ratio_of(name: str, before: float, now: float) -> float:
    """Return by what a value was multiplied.

    Raises UsageError where it was or is 0, or has changed its sign.
    """
    if before == 0 or now == 0:
        raise UsageError(
            f"{name} went from {before:g} to {now:g}: nothing is multiplied from or to 0; {INSTEAD}"
        )
    if (before < 0) != (now < 0):
        raise UsageError(
            f"{name} went from {before:g} to {now:g}: no factor says a change of sign; {INSTEAD}"
        )
    return now / before


def powers_in(expr: str) -> dict[str, int] | None:
    """Return each metric of a product or quotient with its power, in order: `a / b` is 1 and -1.

    Numbers are left out. None where metrics are added or subtracted.
    """
    return _powers(ast.parse(expr.strip(), mode="eval").body)


def _powers(node: ast.expr) -> dict[str, int] | None:
    if isinstance(node, ast.Name):
        return {node.id: 1}
    if isinstance(node, ast.UnaryOp):
        return _powers(node.operand)
    if not isinstance(node, ast.BinOp):
        return {}
    left, right = _powers(node.left), _powers(node.right)
    if left is None or right is None:
        return None
    if not isinstance(node.op, ast.Mult | ast.Div):
        return None if left or right else {}
    sign = 1 if isinstance(node.op, ast.Mult) else -1
    product = dict(left)
    for name, power in right.items():
        product[name] = product.get(name, 0) + sign * power
    return product


def _is_rate(definition: object) -> bool:
    """Tell whether a metric's segments have rates that are averaged into its own."""
    if isinstance(definition, Simple):
        return definition.measure.agg == "average"
    return isinstance(definition, Ratio | Conversion)


def _of_product(
    names: Iterable[str],
    kinds: Iterable[str],
    powers: Iterable[int],
    before: Iterable[float],
    now: Iterable[float],
) -> list[Factor]:
    """Return the factors of a product of powers: of one product LMDI's is the ratio itself."""
    factors: list[Factor] = []
    for name, kind, power, old, new in zip(names, kinds, powers, before, now, strict=True):
        ratio = ratio_of(name, old, new) ** power if power else 1.0
        factors.append(Factor(name, kind, old, new, ratio))
    return factors


def _of_rates(metric: str, rate: pd.DataFrame, share: pd.DataFrame) -> list[Factor]:
    """Return two factors a segment: of its own rate, and of its share of the total.

    A segment without a rate in one of the two periods, because nothing was in it, has the rate of
    the other: it comes or goes by its share alone.
    """
    shares, rates = share.to_numpy(dtype=float), rate.to_numpy(dtype=float)
    rates = np.where((shares == 0) & np.isnan(rates), rates[::-1], rates)
    known = np.isfinite(rates).all(axis=0) & np.isfinite(shares).all(axis=0)
    known &= (shares != 0).any(axis=0)
    old, new = (np.column_stack([rates[i], shares[i]])[known] for i in (0, 1))
    if (old < 0).any() or (new < 0).any():
        raise UsageError(
            f"segments of {metric} are below 0, so they are no products to be divided; {INSTEAD}"
        )
    before, now = (float(side.prod(axis=1).sum()) for side in (old, new))
    ratio_of(metric, before, now)
    multipliers = np.exp(lmdi_parts(old, new) / logarithmic_mean(now, before))
    factors: list[Factor] = []
    for place, name in enumerate(map(str, rate.columns[known])):
        for side, kind in enumerate(("rate", "mix")):
            values = float(old[place, side]), float(new[place, side])
            factors.append(Factor(name, kind, *values, float(multipliers[place, side])))
    return sorted(factors, key=lambda item: abs(math.log(item.factor)), reverse=True)
