"""Terms: what was agreed about each row's metric before the data, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb import limits
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Better, Lights, MetricBase

Sides = npt.NDArray[np.int8]
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


SIDES = {"up": 1, "down": -1, "inside": 0}


@dataclass(frozen=True)
class Asked:
    """What each row's value is measured against: the good side, the target, and a band's ends (NaN: there is none).

    `side` is 1 where more is better, -1 where less is, 0 where a value should stay inside the band.
    """

    side: Sides
    target: Array
    low: Array
    high: Array

    @classmethod
    def one(cls, better: Better, target: float, low: float, high: float) -> Asked:
        """What one value is measured against."""
        return cls(np.array([SIDES[better]], dtype=np.int8), *(np.array([float(each)]) for each in (target, low, high)))

    @property
    def in_bands(self) -> bool:
        """Whether any of the values should stay inside a band."""
        return not bool(self.side.all())

    @property
    def known(self) -> Mask:
        """Where there is a target, or a band for a metric that should stay inside one."""
        if not self.in_bands:
            return np.isfinite(self.target)
        return np.isfinite(np.where(self.side == 0, self.low + self.high, self.target))

    def of(self, rows: npt.NDArray[np.intp]) -> Asked:
        """The same for these rows alone."""
        return Asked(self.side[rows], self.target[rows], self.low[rows], self.high[rows])


@dataclass(frozen=True)
class Terms:
    """One entry a row: its metric's number, the good side, and what was agreed about its lights.

    `green`, `yellow`: the attainment from which they hold (NaN: no such light). `lit`: lights were agreed at all.
    `capable`: both axes decide. `noise`: the standard deviation of the noise for each unit between the centre line and the
    upper limit.
    """

    metric: npt.NDArray[np.intp]
    side: Sides
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
        each = [_agreed(known[name], definitions.lights(name)) for name in map(str, names)]
        columns = zip(*each, strict=True) if each else [()] * 6
        kinds = (np.int8, float, float, bool, bool, float)
        of = (np.array(list(column), dtype=kind)[codes] for column, kind in zip(columns, kinds, strict=True))
        return cls(codes, *of)


def _agreed(metric: MetricBase, lights: Lights | None) -> tuple[int, float, float, bool, bool, float]:
    green = yellow = np.nan
    if lights is not None:
        green = _at_least(lights.green.at_least, 1.0)
        yellow = _at_least(lights.yellow.at_least, 0.0) if lights.yellow else np.nan
    capable = lights is not None and (metric.policy or lights.policy) == "capability"
    return SIDES[metric.better], green, yellow, lights is not None, capable, limits.sigma(0.0, 1.0, metric.limits.range)


def _at_least(said: float | None, otherwise: float) -> float:
    return otherwise if said is None else said
