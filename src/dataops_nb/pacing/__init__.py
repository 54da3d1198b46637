"""Pacing: whether an unfinished period is on its way to its target.

`add_pace` takes a metric table with `value so_far target target_low target_high complete` (`so_far`: what each period
had reached by the position that the open one is at) and adds, for open periods, `expected pace landing p_hit`:

- `expected`: the target times w, the share of a period's total that was normally reached by then;
- `pace`: the value so far / `expected`; 1 is on the way exactly;
- `landing`: where the period ends at this pace: the value so far / w;
- `p_hit`: the share of earlier periods whose rest, added to the value so far, meets the target.

What does not add up over days (a rate, an average, a stock, a trailing window) has no share of a total: its `landing` is
the value so far plus the mean change from there to the end of earlier periods, and `expected` and `pace` are missing.
Everything is missing for closed periods, and where fewer than two earlier periods are known; `p_hit` below twelve.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.definitions import Definitions, adds_up
from dataops_nb.definitions.models import Better
from dataops_nb.pacing.remainders import PRIOR, Past, drawn

__all__ = ["COLUMNS", "FEWEST", "PRIOR", "SHORTEST", "Past", "add_pace", "drawn", "is_open", "probability"]

COLUMNS = ("expected", "pace", "landing", "p_hit")
FEWEST, SHORTEST = 2, 12
_HAIR = 1e-9
Array = npt.NDArray[np.float64]


def add_pace(table: pd.DataFrame, definitions: Definitions, as_of: dt.date) -> pd.DataFrame:
    """The table with `COLUMNS`; rows and their order are kept. Periods are open that hold the day after `as_of`."""
    found = {name: np.full(len(table), np.nan) for name in COLUMNS}
    rows = np.flatnonzero(is_open(table, as_of))
    if len(rows):
        past = Past.of(table, rows)
        for name, column in _paced(table.iloc[rows], past, definitions).items():
            found[name][rows] = column
    return table.assign(**{name: pd.Series(each, index=table.index, copy=False) for name, each in found.items()})


def is_open(table: pd.DataFrame, as_of: dt.date) -> npt.NDArray[np.bool_]:
    """Which rows are about an unfinished period with data: it began on or before `as_of` and ends after it."""
    start, end = (table[name].to_numpy() for name in ("period_start", "period_end"))
    so_far = table["so_far"].to_numpy(dtype=float) if "so_far" in table else np.full(len(table), np.nan)
    known = np.isfinite(table["value"].to_numpy(dtype=float)) & np.isfinite(so_far)
    day = np.datetime64(as_of)
    return np.asarray(known & (start <= day) & (end > day))


def _paced(now: pd.DataFrame, past: Past, definitions: Definitions) -> dict[str, Array]:
    names = now["metric"].unique()
    metric = {name: definitions.metrics[name] for name in names}
    flow = now["metric"].map({name: adds_up(definitions, name) for name in names}).to_numpy(dtype=bool)
    value, target = now["value"].to_numpy(dtype=float), now["target"].to_numpy(dtype=float)
    rest = drawn(past, value)
    share = np.where(flow & (past.periods >= FEWEST), past.share, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = target * share
        pace = np.where(expected != 0, value / expected, np.nan)
        landing = np.where(flow, value / share, value + past.mean(rest, FEWEST))
    low, high = _asked(now, {name: each.better for name, each in metric.items()})
    p_hit = np.where(past.periods >= SHORTEST, probability(value, rest, low, high), np.nan)
    return {"expected": _plain(expected), "pace": _plain(pace), "landing": _plain(landing), "p_hit": p_hit}


def _asked(now: pd.DataFrame, better: dict[str, Better]) -> tuple[Array, Array]:
    """The first and the last value that meet the target, missing where there is none."""
    side = now["metric"].map(better).to_numpy()
    target, low, high = (now[name].to_numpy(dtype=float) for name in ("target", "target_low", "target_high"))
    first = np.select([side == "up", side == "down"], [target, np.where(np.isnan(target), np.nan, -np.inf)], low)
    last = np.select([side == "up", side == "down"], [np.where(np.isnan(target), np.nan, np.inf), target], high)
    return first, last


def probability(value: Array, rest: Array, low: Array, high: Array) -> Array:
    """The share of remainders (a row of `rest` for each value; NaN is none) that take a value to `low`..`high`."""
    ends = value[:, None] + rest
    hair = _HAIR * np.maximum(np.abs(ends), 1e-3)
    with np.errstate(invalid="ignore"):
        meets = (ends >= low[:, None] - hair) & (ends <= high[:, None] + hair)
        found = meets.sum(axis=1) / np.isfinite(rest).sum(axis=1)
    return np.where(np.isnan(low) | np.isnan(high), np.nan, found)


def _plain(column: Array) -> Array:
    """Without the last bits of a division, so that a pace that meets its target exactly meets it."""
    return np.array([float(f"{each:.12g}") if np.isfinite(each) else np.nan for each in column], dtype=float)
