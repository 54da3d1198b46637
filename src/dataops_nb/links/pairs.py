"""Which metric is tested against which North Star, over which lags, and what was declared about it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dataops_nb.definitions import Definitions, upstream
from dataops_nb.definitions.models import Cumulative, Duration, Grain, Moves

USUAL_LAGS = 8
BEYOND_DECLARED = 2
USEFUL = 0.4
_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "quarter": 365.25 / 4, "year": 365.25}


@dataclass(frozen=True)
class Pair:
    """An input and a North Star; `declared` is what the input says under `moves:`, or None."""

    input: str
    target: str
    declared: Moves | None
    is_part: bool

    def after(self, grain: Grain) -> int | None:
        """The declared lag in periods of the grain, at least 1; None where none is declared."""
        said = self.declared.after if self.declared else None
        return None if said is None else in_periods(said, grain)

    def lags(self, grain: Grain) -> range:
        """The lags to test: 1 to 8 periods, or as far as two beyond the declared one."""
        return range(1, max(USUAL_LAGS, (self.after(grain) or 0) + BEYOND_DECLARED) + 1)

    @property
    def useful(self) -> float:
        """The smallest partial correlation worth having: what was declared, or .4."""
        said = self.declared.useful if self.declared else None
        return USEFUL if said is None else said


def in_periods(length: Duration, grain: Grain) -> int:
    """A duration in whole periods of a grain, at least 1."""
    if length.unit == "period":
        return max(1, length.count)
    return max(1, math.floor(length.count * _DAYS[length.unit] / _DAYS[grain] + 0.5))


def find_pairs(definitions: Definitions, grain: Grain) -> list[Pair]:
    """Every input that makes sense at the grain with every North Star that does, declared or not.

    Inputs have the role input; a metric of another role is one too where it is declared to move a North Star.
    """
    stars = [name for name in definitions.company.north_star if grain in definitions.metrics[name].grains]
    return [
        Pair(name, star, _declared(definitions, name, star), _is_part(definitions, name, star))
        for name, metric in definitions.metrics.items()
        for star in stars
        if name != star and grain in metric.grains and _is_input(definitions, name, star)
    ]


def flow(definitions: Definitions, metric: str) -> str:
    """The metric itself, or what a cumulative one accumulates: windows that overlap always look related."""
    definition = definitions.metrics[metric]
    return flow(definitions, definition.metric) if isinstance(definition, Cumulative) else metric


def _is_input(definitions: Definitions, metric: str, star: str) -> bool:
    return definitions.role(metric) == "input" or _declared(definitions, metric, star) is not None


def _declared(definitions: Definitions, metric: str, star: str) -> Moves | None:
    meant = {star, flow(definitions, star)} - {metric}
    return next((each for each in definitions.metrics[metric].moves if each.metric in meant), None)


def _is_part(definitions: Definitions, metric: str, star: str) -> bool:
    """Whether the North Star is computed from the metric: arithmetic, not a link."""
    return metric in upstream(definitions, [star])
