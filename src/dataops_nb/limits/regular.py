"""What is regular in a series: its level, its trend, its season. What is left of it can be judged as if it had none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.definitions.models import Grain

Array = npt.NDArray[np.float64]
TWO_YEARS = 728  # days; 104 weeks, and any 24 months


def lines(starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, grain: Grain, *, trend: bool, season: bool) -> Array:
    """One column each: the level, with `trend` the time, with `season` what comes back every year.

    A season is a level of its own for each calendar month (for each quarter of quarters); of weeks and days also the number
    of a period's days from 24 December to 1 January; of days also their weekdays. Years have none.
    """
    n = len(starts)
    columns = [np.ones(n)]
    if trend:
        columns.append(np.linspace(-1.0, 1.0, n))
    if season and grain != "year":
        middle = starts + (ends - starts) / 2
        place = middle.quarter if grain == "quarter" else middle.month
        columns += [(place == each).astype(float) for each in range(2, 5 if grain == "quarter" else 13)]
        if grain in {"day", "week"}:
            columns.append(year_end(starts, ends))
        if grain == "day":
            columns += [(starts.day_of_week == day).astype(float) for day in range(6)]
    return np.column_stack(columns)


def year_end(starts: pd.DatetimeIndex, ends: pd.DatetimeIndex) -> Array:
    """How many of each period's days lie between 24 December and 1 January, when almost everything dips."""
    first, last = (each.to_numpy().astype("datetime64[D]")[:, None] for each in (starts, ends))
    days = first + np.arange(int((last - first).max().astype(int)) + 1)
    month = days.astype("datetime64[M]")
    day = (days - month.astype("datetime64[D]")).astype(int) + 1
    december, january = month.astype(int) % 12 == 11, month.astype(int) % 12 == 0
    quiet = (days <= last) & ((december & (day >= 24)) | (january & (day == 1)))
    return np.asarray(quiet.sum(axis=1), dtype=float)


def fitted(values: Array, columns: Array, basis: npt.NDArray[np.intp]) -> tuple[Array, float]:
    """The line through the values of `basis`, continued over all rows, and how wide what is left is for its moving ranges.

    A line that fits n values with p numbers takes a part of the noise with it, of single values another one than of the
    differences of successive ones: a level of each month takes nothing from the differences within it.
    """
    solution, _, rank, _ = np.linalg.lstsq(columns[basis], values[basis], rcond=None)
    within = np.linalg.svd(columns[basis], full_matrices=False)[0][:, :rank]
    steps = np.diff(within, axis=0)
    singles, differences = 1 - rank / len(basis), 1 - float((steps**2).sum()) / (2 * max(len(steps), 1))
    return np.asarray(columns @ solution), float(np.sqrt(singles / max(differences, 1e-9)))
