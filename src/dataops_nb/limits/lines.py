"""The line that limits follow: a straight one, what comes back every year, or both.

A line is fitted to the periods that limits come from. Of shares and counts a period weighs as much
as the number behind it; of logarithms a straight line is growth by a rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.metrics import Limits
from dataops_nb.terms import Grain

SHORTEST = 12  # complete periods; with fewer there is no verdict
TWO_YEARS = 728  # days; 104 weeks, and any 24 months
Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Days = tuple[pd.DatetimeIndex, pd.DatetimeIndex]


@dataclass(frozen=True)
class Design:
    """What a line through some periods is made of.

    `columns` has one row a period, `weighed` those of the periods that limits come from, times the
    `roots` of their weights. `wide` is as `fit` says.
    """

    columns: Array
    weighed: Array
    roots: Array
    wide: float

    @classmethod
    def of(cls, columns: Array, basis: Places, weights: Array) -> Design:
        """Weigh the columns, and find out how wide limits are.

        A line of p numbers through n values also takes a part of the noise, and another part of
        single values than of moving ranges: a level for each month takes nothing from the moves
        within it. `wide` is the ratio of the two.
        """
        roots = np.sqrt(weights[basis])
        weighed = columns[basis] * roots[:, None]
        directions, sizes, _ = np.linalg.svd(weighed, full_matrices=False)
        rank = int((sizes > np.finfo(float).eps * max(weighed.shape) * sizes[0]).sum())
        steps = np.diff(directions[:, :rank], axis=0)
        left_of_values = 1 - rank / len(basis)
        left_of_moves = 1 - float((steps**2).sum()) / (2 * max(len(steps), 1))
        wide = float(np.sqrt(left_of_values / max(left_of_moves, 1e-9)))
        return cls(columns, weighed, roots, wide)

    def line(self, values: Array, basis: Places) -> Array:
        """Return the line through the values of the basis, for all rows."""
        solution = np.linalg.lstsq(self.weighed, values[basis] * self.roots, rcond=None)[0]
        return np.asarray(self.columns @ solution)


@dataclass(frozen=True)
class Designs:
    """The designs of lines, each decomposed once for all stretches that share their periods."""

    _known: dict[tuple[object, ...], Design] = field(default_factory=dict)

    def of(
        self, basis: Places, days: Days, grain: Grain, rules: Limits, weights: Array
    ) -> Design | None:
        """Return the design of a line; None where its numbers are too many for the basis."""
        starts, ends = days
        parts = (starts.asi8, ends.asi8, basis, weights[basis])
        key = (grain, rules.trend, rules.season, *(part.tobytes() for part in parts))
        if key not in self._known:
            columns = _regressors(starts, ends, grain, trend=rules.trend, season=rules.season)
            if len(basis) <= 1.5 * columns.shape[1]:
                return None
            self._known[key] = Design.of(columns, basis, weights)
        return self._known[key]


def fit(
    values: Array,
    basis: Places,
    days: Days,
    grain: Grain,
    rules: Limits,
    *,
    weights: Array,
    designs: Designs,
) -> tuple[Array, float] | None:
    """Return the line through the `basis` of a stretch, for all its rows, and its `wide`.

    `days` are the first and last days of the periods. `wide` is the ratio of the noise of what the
    line leaves to that of its moving ranges, by which limits from moving ranges must be widened.
    Returns None where the basis is too short for the line.
    """
    if len(basis) < SHORTEST:
        return None
    starts, ends = days
    if rules.season:
        days_in_basis = (ends[basis[-1]] - starts[basis[0]]).days + 1
        if days_in_basis < TWO_YEARS:
            return None
    design = designs.of(basis, days, grain, rules, weights)
    return None if design is None else (design.line(values, basis), design.wide)


def _regressors(
    starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, grain: Grain, *, trend: bool, season: bool
) -> Array:
    """Return one column each for the level, the `trend` and what the `season` is made of.

    A season has a level for each calendar month (of quarters, for each quarter); for weeks and days
    also the number of a period's days at the turn of the year; for days also their weekdays. Years
    have no season.
    """
    columns = [np.ones(len(starts))]
    if trend:
        columns.append(np.linspace(-1.0, 1.0, len(starts)))
    if season and grain != "year":
        middle = starts + (ends - starts) / 2
        place, places = middle.month, 12
        if grain == "quarter":
            place, places = middle.quarter, 4
        # The first month and the last weekday are the level that the others differ from.
        columns += [(place == number).astype(float) for number in range(2, places + 1)]
        if grain in {"day", "week"}:
            columns.append(year_end(starts, ends))
        if grain == "day":
            columns += [(starts.day_of_week == day).astype(float) for day in range(6)]
    return np.column_stack(columns)


def year_end(starts: pd.DatetimeIndex, ends: pd.DatetimeIndex) -> Array:
    """Count the days of each period from 24 December to 1 January, when almost everything dips."""
    first = starts.to_numpy().astype("datetime64[D]")[:, None]
    last = ends.to_numpy().astype("datetime64[D]")[:, None]
    days = first + np.arange(int((last - first).max().astype(int)) + 1)
    months = days.astype("datetime64[M]")
    day = (days - months.astype("datetime64[D]")).astype(int) + 1
    month = months.astype(int) % 12 + 1
    quiet = ((month == 12) & (day >= 24)) | ((month == 1) & (day == 1))
    return np.asarray((quiet & (days <= last)).sum(axis=1), dtype=float)
