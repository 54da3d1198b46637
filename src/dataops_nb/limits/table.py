"""Limits in the metric table: each metric and segment against its own complete periods."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Limits
from dataops_nb.limits.memory import remembers
from dataops_nb.limits.signals import signals
from dataops_nb.limits.xmr import xmr

SHORTEST = 12
DAY = dt.timedelta(days=1)
COLUMNS = {"center": math.nan, "lower": math.nan, "upper": math.nan, "signal": None, "limits_reason": None}


def add_limits(table: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    """The table with `center lower upper signal limits_reason`; rows and their order are kept.

    Limits come from all complete periods of a metric and segment (of the days of `lock`, where it has one) and start anew
    with the first period that begins on or after a day of `rebase`. `signal` is null where there is none, and where
    there can be no verdict: `limits_reason` then says `too short` (fewer than 12 complete periods) or `autocorrelated`.
    """
    found: dict[str, np.ndarray] = {name: np.full(len(table), empty) for name, empty in COLUMNS.items()}
    start, end = (table[name].to_numpy(dtype="datetime64[s]") for name in ("period_start", "period_end"))
    values = table["value"].to_numpy(dtype=float)
    whole = table["complete"].to_numpy(dtype=bool) & np.isfinite(values)
    series = table.groupby(["metric", "segment", "grain"], dropna=False, sort=False).ngroup().to_numpy()
    for number in range(series.max(initial=-1) + 1):
        rows = np.flatnonzero(series == number)
        limits = definitions.metrics[table["metric"].iloc[rows[0]]].limits
        ordered = rows[np.argsort(start[rows], kind="stable")]
        for stretch in _stretches(ordered, start[ordered], limits):
            basis = _basis(stretch[whole[stretch]], start, end, limits)
            for name, said in _limited(values[stretch], whole[stretch], values[basis], limits).items():
                found[name][stretch] = said
    return table.assign(
        **{name: pd.Series(column, index=table.index, dtype=column.dtype) for name, column in found.items()}
    )


def _stretches(rows: np.ndarray, start: np.ndarray, limits: Limits) -> list[np.ndarray]:
    """The rows, oldest first, cut where limits start anew; a `rebase` with `to` ends there."""
    days = sorted({day for each in limits.rebase for day in (each.from_, each.to and each.to + DAY) if day})
    return np.split(rows, np.searchsorted(start, np.array(days, dtype="datetime64[s]")))


def _basis(rows: np.ndarray, start: np.ndarray, end: np.ndarray, limits: Limits) -> np.ndarray:
    """The rows that limits are computed from: those within the days of the lock, all where none of them are."""
    lock = limits.lock
    if lock is None:
        return rows
    within = rows[start[rows] >= np.datetime64(lock.from_)]
    within = within if lock.to is None else within[end[within] <= np.datetime64(lock.to)]
    return within if len(within) else rows


def _limited(values: np.ndarray, whole: np.ndarray, basis: np.ndarray, limits: Limits) -> dict[str, Any]:
    """The columns of one stretch, its oldest period first; those before the first complete one have no limits."""
    known, found = np.maximum.accumulate(whole), xmr(basis.tolist(), ranges=limits.range, screen=limits.screen)
    reason = "too short" if len(basis) < SHORTEST else "autocorrelated" if remembers(basis.tolist()) else None
    signal = np.full(len(values), None)
    if reason is None:
        signal[whole] = signals(values[whole].tolist(), found)
    sides = {name: np.where(known, getattr(found, name), np.nan) for name in ("center", "lower", "upper")}
    return {**sides, "signal": signal, "limits_reason": reason}
