"""Pairs: which metric is tested against which North Star, over which lags."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dataops_nb.company import Company
from dataops_nb.metrics import Cumulative, Moves
from dataops_nb.terms import Duration, Grain

USUAL_LAGS = 8
BEYOND_DECLARED = 2
USEFUL = 0.4
_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "quarter": 365.25 / 4, "year": 365.25}


@dataclass(frozen=True)
class Pair:
    """An input and a North Star.

    `declared` is what the input says under `moves:`, or None. `is_part`: the North Star is computed
    from the input. `is_window`: the input is computed from nothing but the North Star and its
    parts, as a trailing year of it is. Both are arithmetic and not tested.
    """

    input: str
    target: str
    declared: Moves | None
    is_part: bool
    is_window: bool = False

    @property
    def is_tested(self) -> bool:
        """Whether the two are measured apart from each other."""
        return not (self.is_part or self.is_window)

    def after(self, grain: Grain) -> int | None:
        """Return the declared lag in periods of the grain, at least 1.

        None where none is declared.
        """
        if self.declared is None or self.declared.after is None:
            return None
        return in_periods(self.declared.after, grain)

    def lags(self, grain: Grain) -> range:
        """Return the lags to test: 1 to 8 periods, or as far as two beyond the declared one."""
        farthest = (self.after(grain) or 0) + BEYOND_DECLARED
        return range(1, max(USUAL_LAGS, farthest) + 1)

    @property
    def useful(self) -> float:
        """The smallest partial correlation worth having: what was declared, or .4."""
        if self.declared is None or self.declared.useful is None:
            return USEFUL
        return self.declared.useful


def find_pairs(company: Company, grain: Grain) -> list[Pair]:
    """List every input with every North Star, where both make sense at the grain.

    They are listed whether declared or not.

    Inputs have the role input; a metric of another role is one too where it is declared to move a
    North Star.
    """
    stars = [name for name in company.north_star if grain in company.metrics[name].grains]
    pairs: list[Pair] = []
    for name, metric in company.metrics.items():
        if grain not in metric.grains:
            continue
        for star in stars:
            declared = _declared_link(company, name, star)
            is_input = company.role(name) == "input" or declared is not None
            if name != star and is_input:
                is_part = name in company.upstream([star])
                is_window = not is_part and _sources(company, name) <= _sources(company, star)
                pairs.append(Pair(name, star, declared, is_part, is_window))
    return pairs


def flow(company: Company, metric: str) -> str:
    """Return the metric itself, or what a cumulative one accumulates.

    Windows that overlap always look related.
    """
    definition = company.metrics[metric]
    if isinstance(definition, Cumulative):
        return flow(company, definition.metric)
    return metric


def _sources(company: Company, metric: str) -> set[str]:
    """Return the simple metrics that a metric is computed from, or itself."""
    return {name for name in company.upstream([metric]) if company.upstream([name]) == [name]}


def in_periods(length: Duration, grain: Grain) -> int:
    """Return a duration in whole periods of a grain, at least 1."""
    if length.unit == "period":
        return max(1, length.count)
    periods = length.count * _DAYS[length.unit] / _DAYS[grain]
    return max(1, math.floor(periods + 0.5))


def _declared_link(company: Company, metric: str, star: str) -> Moves | None:
    """Return what a metric says about moving a North Star, or the flow behind it."""
    targets = {star, flow(company, star)} - {metric}
    for moves in company.metrics[metric].moves:
        if moves.metric in targets:
            return moves
    return None
