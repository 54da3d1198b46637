"""Remainders: what earlier periods still brought after the position that the open one is at.

A remainder is taken whole, so that days keep their company: a strong Thursday is followed by the Friday it had. Drawing one
of them at random again and again (a bootstrap) hits the target as often as the share of them that do; so the share is
computed, and needs no seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
PRIOR = 52
CLEAR = 2.0
_SERIES = ["metric", "segment", "grain"]
_NEVER = np.datetime64("NaT", "s")


@dataclass(frozen=True)
class Past:
    """One row for each open period, one column for each of the 52 complete ones before it, the latest first; NaN is none."""

    so_far: Array
    value: Array

    @classmethod
    def of(cls, table: pd.DataFrame, rows: npt.NDArray[np.intp]) -> Past:
        """The past of these rows of a metric table with `value so_far complete period_start period_end`."""
        value, so_far = (table[name].to_numpy(dtype=float) for name in ("value", "so_far"))
        known = np.isfinite(value) & np.isfinite(so_far) & table["complete"].to_numpy(dtype=bool)
        prior = np.flatnonzero(known)
        used = table[[*_SERIES, "period_start", "period_end"]].iloc[np.concatenate([rows, prior])]
        series = used.groupby(_SERIES, dropna=False, sort=False).ngroup().to_numpy()
        now, then = series[: len(rows)], series[len(rows) :]
        place, since = np.full(series.max(initial=-1) + 1, -1), np.full(series.max(initial=-1) + 1, _NEVER)
        start, end = (used[name].to_numpy(dtype="datetime64[s]") for name in ("period_start", "period_end"))
        place[now], since[now] = np.arange(len(rows)), start[: len(rows)]
        before = end[len(rows) :] < since[then]
        prior, then, start = prior[before], then[before], start[len(rows) :][before]
        latest = np.lexsort((-start.astype(np.int64), then))
        prior, then = prior[latest], then[latest]
        first = np.flatnonzero(np.diff(then, prepend=-1))
        rank = np.arange(len(prior)) - np.repeat(first, np.diff(np.append(first, len(prior))))
        near = rank < PRIOR
        both = np.full((2, len(rows), PRIOR), np.nan)
        both[:, place[then[near]], rank[near]] = so_far[prior[near]], value[prior[near]]
        return cls(both[0], both[1])

    @property
    def periods(self) -> Array:
        """How many earlier periods are known."""
        return np.asarray(np.isfinite(self.value).sum(axis=1), dtype=float)

    @property
    def rest(self) -> Array:
        """What each earlier period still brought."""
        return self.value - self.so_far

    @property
    def share(self) -> Array:
        """The share of their totals, added up, that was reached by then; NaN where that makes no sense."""
        reached, total = np.nansum(self.so_far, axis=1), np.nansum(self.value, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where((reached > 0) & (total > 0), reached / total, np.nan))

    def mean(self, rest: Array, fewest: int) -> Array:
        """The mean remainder, NaN where fewer periods are known."""
        means = np.nansum(rest, axis=1) / np.maximum(self.periods, 1)
        return np.asarray(np.where(self.periods >= fewest, means, np.nan))


def levelled(past: Past) -> Past:
    """The past at today's level: where totals clearly grow or shrink by a rate, in proportion to that growth.

    Clear is a slope (of the totals' logarithms) of two standard errors over at least 12 periods. Where a total is not above 0
    or a remainder is below it, as of what is no amount, nothing is changed.
    """
    amounts = np.asarray(~((past.rest < 0) | (past.value <= 0)).any(axis=1))
    age = np.broadcast_to(np.arange(1.0, past.value.shape[1] + 1), past.value.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        line, now, clear = _line(np.log(past.value), age, np.zeros(len(age)))
        grown = np.where((amounts & clear)[:, None], np.exp(now[:, None] - line), 1.0)
    return Past(past.so_far * grown, past.value * grown)


def drawn(past: Past, value: Array) -> Array:
    """What may still come to each open period with this value so far: one remainder for each earlier period; NaN is none.

    At today's level; and where in the past a strong start clearly meant a strong rest (or a weak one), as it goes with this
    start. Whole numbers stay whole, so that a target that is met to the unit is met, and what was never below 0 stays so.
    """
    now = levelled(past)
    line, expected, clear = _line(now.rest, now.so_far, value)
    moved = np.where(clear[:, None], now.rest + expected[:, None] - line, now.rest)
    whole = np.asarray((np.isnan(past.rest) | (past.rest == np.round(past.rest))).all(axis=1))
    moved = np.where(whole[:, None], np.round(moved), moved)
    bounded = np.asarray(~(past.rest < 0).any(axis=1))
    return np.asarray(np.where(bounded[:, None], np.maximum(moved, 0.0), moved))


def _line(values: Array, at: Array, now: Array) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """The straight line through each row's values: at their own places, at another place, and whether it clearly slopes."""
    known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(values) & np.isfinite(at))
    n = known.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle, center = (np.asarray(np.where(known, each, 0.0).sum(axis=1) / n) for each in (values, at))
        away = np.where(known, at - center[:, None], 0.0)
        spread = (away**2).sum(axis=1)
        slope = (away * np.where(known, values - middle[:, None], 0.0)).sum(axis=1) / spread
        line = middle[:, None] + slope[:, None] * (at - center[:, None])
        left = np.where(known, values - line, 0.0)
        error = np.sqrt((left**2).sum(axis=1) / (n - 2) / spread)
        clear = np.asarray((n >= 12) & (np.abs(slope) > CLEAR * error), dtype=bool)
        return line, middle + slope * (now - center), clear
