"""Terms: what was agreed about each row's metric before the data, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb import limits
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Lights, MetricBase

Names = npt.NDArray[np.object_]
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """What each row's value is measured against: the good direction, the target, and a band's ends (NaN: there is none)."""

    better: Names
    target: Array
    low: Array
    high: Array

    @property
    def known(self) -> Mask:
        """Where there is a target, or a band for a metric that should stay inside one."""
        return np.isfinite(np.where(self.better == "inside", self.low + self.high, self.target))

    def of(self, rows: npt.NDArray[np.intp]) -> Asked:
        """The same for these rows alone."""
        return Asked(self.better[rows], self.target[rows], self.low[rows], self.high[rows])


@dataclass(frozen=True)
class Terms:
    """One entry a row: the good direction; the attainment from which green and yellow hold (NaN: no such light); more.

    `lit`: lights were agreed at all. `capable`: both axes decide. `noise`: the standard deviation of the noise for each
    unit between the centre line and the upper limit.
    """

    better: Names
    green: Array
    yellow: Array
    lit: Mask
    capable: Mask
    noise: Array

    @classmethod
    def of(cls, table: pd.DataFrame, definitions: Definitions) -> Terms:
        """The terms of a metric table's rows."""
        codes, names = pd.factorize(table["metric"])
        known = definitions.metrics
        agreed = [(known[str(name)], definitions.lights(str(name))) for name in names]
        each = [_agreed(metric, lights) for metric, lights in agreed]
        columns = zip(*each, strict=True) if each else [()] * 6
        kinds = (object, float, float, bool, bool, float)
        return cls(*(np.array(list(column), dtype=kind)[codes] for column, kind in zip(columns, kinds, strict=True)))


def _agreed(metric: MetricBase, lights: Lights | None) -> tuple[str, float, float, bool, bool, float]:
    green = yellow = np.nan
    if lights is not None:
        green = _at_least(lights.green.at_least, 1.0)
        yellow = _at_least(lights.yellow.at_least, 0.0) if lights.yellow else np.nan
    capable = lights is not None and (metric.policy or lights.policy) == "capability"
    return metric.better, green, yellow, lights is not None, capable, limits.sigma(0.0, 1.0, metric.limits.range)


def _at_least(said: float | None, otherwise: float) -> float:
    return otherwise if said is None else said
