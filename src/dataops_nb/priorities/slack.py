"""Slack: how long until the target of the coming year is out of reach if things go on as they do.

Of the `remaining` periods of that year the first so many go on as the recent ones; the others would then have to be so good
that the year's average still meets the target. Out of reach is what would take an average better than the best tenth of
the periods of the last year. A level has to reach its target within the year, by its best changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.definitions.models import Cumulative, Grain, Simple
from dataops_nb.priorities.stakes import RECENT, YEAR, Estimate, Scale, _outside

LAST_YEAR: dict[Grain, int] = {"day": 365, "week": 52, "month": 12, "quarter": 8, "year": 5}
BEST = 0.9


@dataclass(frozen=True)
class Horizon:
    """`needed` over the `remaining` periods, `expected` and `best` a period; up is good. Lengths are in periods."""

    needed: float
    remaining: float
    expected: Estimate
    best: float

    @property
    def left(self) -> float:
        """Periods until the target is out of reach; the whole year where it is not in danger, 0 where it is already."""
        return float(self._left(np.array([self.expected.value]))[0])

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        """The same, as it might have come out."""
        return self._left(self.expected.draw(rng, count))

    def _left(self, expected: Any) -> Any:
        if math.isnan(self.needed) or math.isnan(self.best):
            return np.full(len(expected), math.nan)
        room = self.best - expected
        with np.errstate(divide="ignore", invalid="ignore"):
            until = np.where(room > 0, (self.best * self.remaining - self.needed) / room, 0.0)
        safe = expected * self.remaining >= self.needed
        return np.where(safe, self.remaining, np.clip(until, 0.0, self.remaining))


def horizon(scale: Scale, metric: str) -> Horizon:
    """How far a metric is from its target over the coming year, from its complete periods; NaN without target or past."""
    remaining, grain = YEAR / scale.days, scale.period.grain
    rows = _good_is_up(scale, metric)
    if rows.empty or math.isnan(rows["target"].iloc[-1]):
        return Horizon(math.nan, remaining, Estimate(math.nan), math.nan)
    definition, target = scale.definitions.metrics[metric], float(rows["target"].iloc[-1])
    level = isinstance(definition, Simple) and definition.measure.at == "end"
    steps = rows["value"].diff() if level else rows["value"]
    needed = target - float(rows["value"].iloc[-1]) if level else target * remaining
    best = float(steps.tail(LAST_YEAR[grain]).quantile(BEST))
    return Horizon(needed, remaining, Estimate.of(steps.tail(RECENT[grain])), best)


def _good_is_up(scale: Scale, metric: str) -> pd.DataFrame:
    """`period_start value target`, turned so that more is better; a trailing sum as what it adds up."""
    definition = scale.definitions.metrics[metric]
    rows = scale.rows(metric)[["period_start", "value", "target", "target_low", "target_high"]]
    if isinstance(definition, Cumulative):
        share = scale.days / (definition.window.days or YEAR)
        base = scale.rows(definition.metric)[["period_start", "value"]]
        rows = rows.drop(columns="value").merge(base, on="period_start").assign(target=lambda t: t["target"] * share)
    if definition.better == "inside":
        return rows.assign(value=-_outside(rows).abs(), target=rows["target_low"] * 0.0)
    sign = -1.0 if definition.better == "down" else 1.0
    return rows.assign(value=sign * rows["value"], target=sign * rows["target"])
