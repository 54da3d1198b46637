"""Scales on which the metrics of a board compare.

Attainment, their own noise, and the North Star's money.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from dataops_nb.drivers.decompositions import slopes
from dataops_nb.limits.xmr import deviations

if TYPE_CHECKING:
    from dataops_nb.board import Board

SCALES = ("attainment", "sigma", "north_star")


def scale(board: Board) -> pd.DataFrame:
    """Put the metrics of the last complete period on three scales that compare.

    Returns one row a metric: `metric department light` and `SCALES`. `sigma` is how far the value
    lies from the mean of the complete periods before, in the metric's own noise. `north_star` is
    what its distance from target is worth in the first North Star in the company's currency,
    through the formulas between them. Positive is good; missing where it cannot be told, as of a
    period that the data do not cover.

    >>> float(board.scale(this).attainment[0].round(3))
    1.068
    """
    rows = board.current.reset_index(drop=True)
    complete = rows["complete"].astype(bool)
    distance = rows["value"] - rows["target"]
    north_star = distance * rows["metric"].map(_money_slopes(board)).astype(float)
    return rows[["metric", "department", "light"]].assign(
        attainment=rows["attainment"].where(complete),
        sigma=[_sigma(board, row) for _, row in rows.iterrows()],
        north_star=north_star.where(complete),
    )


def _money_slopes(board: Board) -> dict[str, float]:
    """Return what one more of each metric adds to the first North Star in money."""
    for star in board.company.north_star:
        if board.company.metrics[star].unit == board.company.currency:
            return slopes(board.rows, star, board.period)
    return {}


def _sigma(board: Board, row: pd.Series) -> float:
    """Return the noise that a value is above its past, turned so that positive is good."""
    definition = board.company.metrics[row["metric"]]
    better = definition.better
    if better == "inside" or not definition.has_direction or not row["complete"]:
        return math.nan  # a band has no good side, nor has what nobody gave one
    own = board.table[board.table["metric"] == row["metric"]]
    before = own["period_end"] < row["period_start"]
    past = own[before & own["complete"].astype(bool)]
    distance = deviations(row["value"], past["value"].dropna().tolist())
    return distance if better == "up" else -distance
