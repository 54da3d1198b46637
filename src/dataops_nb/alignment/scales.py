"""What a metric is worth in another one.

A slope is what one more of a metric in a period adds to a metric above it, through the formulas between them, with
everything else as it was. Where no formula leads from one to the other there is no slope.
"""

from __future__ import annotations

import pandas as pd

from dataops_nb.alignment.formulas import Scope, _part, arithmetic, evaluate, trailing
from dataops_nb.alignment.measured import TOTAL, Window, window
from dataops_nb.definitions import names_in, upstream
from dataops_nb.definitions.models import Cumulative, Derived, Offset, Ratio, Simple
from dataops_nb.periods import Period
from dataops_nb.sources import Catalog

STEP = 1e-4
_ADDS_UP = {"count", "sum", "first_seen"}


def slopes(catalog: Catalog, top: str, period: Period) -> dict[str, float]:
    """By metric, what one more of it in a period adds to `top`; only `top` and metrics that formulas lead from.

    Measured by moving each metric a little both ways. Nothing leads through conversions, earlier periods, or a trailing
    window of what does not add up over days.
    """
    return _Tree(Scope(catalog), top, window(period)).slopes()


class _Tree:
    """The formulas below a metric, evaluated with each metric moved up and down in a column of its own."""

    def __init__(self, scope: Scope, top: str, now: Window) -> None:
        self.scope, self.top, self.now = scope, top, now
        self.names = upstream(scope.definitions, [top])
        values = {name: self._known(name, now) for name in self.names}
        self.steps = {name: STEP * max(abs(value), 1.0) for name, value in values.items()}
        self.columns = [f"{name}{way}" for name in self.names for way in "+-"]
        self.moved: set[str] = set()

    def slopes(self) -> dict[str, float]:
        found = self._frame(self.top, self.now).iloc[0]
        return {
            name: float(found[f"{name}+"] - found[f"{name}-"]) / (2 * self.steps[name])
            for name in self.names
            if name in self.moved
        }

    def _known(self, name: str, at: Window) -> float:
        return float(evaluate(self.scope, name, [at]).value[TOTAL].iloc[0])

    def _constant(self, value: float) -> pd.DataFrame:
        return pd.DataFrame([[value] * len(self.columns)], columns=self.columns)

    def _frame(self, name: str, at: Window) -> pd.DataFrame:
        frame = self._formula(name, at)
        if at == self.now or self._adds_up(name):
            self.moved.add(name)
            frame = frame.assign(
                **{
                    f"{name}{way}": frame[f"{name}{way}"] + sign * self.steps[name]
                    for way, sign in (("+", 1), ("-", -1))
                }
            )
        return frame

    def _formula(self, name: str, at: Window) -> pd.DataFrame:
        match self.scope.definitions.metrics[name]:
            case Ratio(numerator=above, denominator=below):
                return self._side(above, at) / self._side(below, at)
            case Derived(expr=expr):
                return pd.DataFrame(arithmetic(expr)(*(self._frame(part, at) for part in names_in(expr))))
            case Cumulative(metric=part, window=length):
                return self._frame(part, trailing(at, length, self.scope.calendar))
        return self._constant(self._known(name, at))

    def _side(self, part: str | Offset, at: Window) -> pd.DataFrame:
        if isinstance(part, str):
            return self._frame(part, at)
        return self._constant(float(_part(self.scope, part, [at]).value[TOTAL].iloc[0]))

    def _adds_up(self, name: str) -> bool:
        """Whether what is added in the period is in a longer window that ends with it, too."""
        metric = self.scope.definitions.metrics[name]
        if not isinstance(metric, Simple):
            return False
        return metric.measure.at == "end" or (metric.measure.open is None and metric.measure.agg in _ADDS_UP)
