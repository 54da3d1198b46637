"""Drivers: why a metric is another number than it was, as parts that add up to the change.

`lmdi` (products), `shapley` (any formula) and `rates` (shares and rates of segments) are pure functions of numbers.
`explain` puts them to a metric: each part is read off the metric table of both periods, and what they do not explain
stands in a row of its own, `unexplained`, never spread over the others.
"""

from __future__ import annotations

from dataops_nb.drivers.explaining import COLUMNS, Against, Change, change, explain, splits
from dataops_nb.drivers.logarithmic import lmdi, lmdi_factors, logarithmic_mean
from dataops_nb.drivers.mixes import rates
from dataops_nb.drivers.orders import MOST_FACTORS, shapley

__all__ = [
    "COLUMNS",
    "MOST_FACTORS",
    "Against",
    "Change",
    "change",
    "explain",
    "lmdi",
    "lmdi_factors",
    "logarithmic_mean",
    "rates",
    "shapley",
    "splits",
]
