"""Limits in the metric table: each metric and segment against its own complete periods, all of them at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Grain, Limits
from dataops_nb.limits.regular import TWO_YEARS, fitted, lines
from dataops_nb.limits.signals import NAMES, marks
from dataops_nb.limits.xmr import reaches

SHORTEST = 12
DAY = dt.timedelta(days=1)
REASONS = np.array([None, "too short", "autocorrelated"], dtype=object)
_PLAIN = Limits()
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


def add_limits(table: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    """The table with `center lower upper signal limits_reason`; rows and their order are kept.

    Limits come from all complete periods of a metric and segment (of the days of `lock`, where it has one) and start anew
    with the first period that begins on or after a day of `rebase`; with `trend` and `season` they follow the line that
    fits them. `signal` is null where there is none, and where there can be no verdict: `limits_reason` then says
    `too short` (fewer than 12 complete periods, or a season of less than two years) or `autocorrelated`.
    """
    history = _History.of(table, definitions)
    noise = history.noise()
    center, reach = history.line + noise.middle[history.stretch], noise.reach[history.stretch]
    unknown = ~history.known()
    found: dict[str, Any] = {
        "center": np.where(unknown, np.nan, center),
        "lower": np.where(unknown, np.nan, center - reach),
        "upper": np.where(unknown, np.nan, center + reach),
        "signal": np.array(NAMES, dtype=object)[history.signals(center, reach, noise.reason == 0)],
        "limits_reason": REASONS[noise.reason[history.stretch]],
    }
    return table.assign(**{name: _put_back(column, history.order, table.index) for name, column in found.items()})


def _put_back(column: np.ndarray, order: Places | None, index: pd.Index) -> pd.Series:
    if order is not None:
        sorted_, column = column, np.empty_like(column)
        column[order] = sorted_
    return pd.Series(column, index=index, dtype=column.dtype, copy=False)


@dataclass(frozen=True)
class _Noise:
    """One entry a stretch: the mean of what the line leaves, how far limits lie from it, and the place in `REASONS`."""

    middle: Array
    reach: Array
    reason: npt.NDArray[np.int8]


@dataclass(frozen=True)
class _History:
    """The rows of a table, series by series, oldest first. A `stretch` is a part of a series with limits of its own.

    `order` puts the rows of the table so; None where they are. `values` are without the `line` of their stretch (0 where it
    has none), `wide` is how wide what is left of them is for its moving ranges (1 without a line). `whole` are those that
    a signal may lie on, `basis` those that limits come from.
    """

    order: Places | None
    stretch: npt.NDArray[np.int_]
    values: Array
    line: Array
    wide: Array
    whole: Mask
    basis: Mask
    short: Mask
    agreed: list[Limits]

    @classmethod
    def of(cls, table: pd.DataFrame, definitions: Definitions) -> _History:
        """The history of a metric table, by the metrics' own `limits:`."""
        codes, series, names = _series(table)
        start, end = (table[name].to_numpy() for name in ("period_start", "period_end"))
        order = _order(series, start)
        if order is not None:
            start, end, codes, series = start[order], end[order], codes[order], series[order]
        values, whole = (table[name].to_numpy(dtype=kind) for name, kind in (("value", float), ("complete", bool)))
        values = values.copy() if order is None else values[order]
        whole = (whole if order is None else whole[order]) & np.isfinite(values)
        known = definitions.metrics
        agreed = [known[name].limits for name in names]
        firsts = np.diff(series, prepend=-1) != 0
        for code in (i for i, each in enumerate(agreed) if each.rebase):
            rows = np.flatnonzero(codes == code)
            firsts[rows] |= np.diff(_turn(start[rows], agreed[code]), prepend=-1) != 0
        stretch, of_stretch = np.cumsum(firsts) - 1, [agreed[code] for code in codes[firsts]]
        history = cls(
            order, stretch, values, np.zeros(len(values)), np.ones(len(of_stretch)), whole, whole.copy(),
            np.zeros(len(of_stretch), dtype=bool), of_stretch,
        )  # fmt: skip
        edges = np.append(np.flatnonzero(firsts), len(values))
        for number in (i for i, each in enumerate(of_stretch) if each != _PLAIN):
            own = slice(int(edges[number]), int(edges[number + 1]))
            days = pd.DatetimeIndex(start[own]), pd.DatetimeIndex(end[own])
            first = own.start if order is None else order[own.start]
            history._agree(number, own, days, table["grain"].iloc[first])
        return history

    def _agree(self, number: int, rows: slice, days: tuple[pd.DatetimeIndex, pd.DatetimeIndex], grain: Grain) -> None:
        """Let a stretch have the basis and the line that its metric agreed on; called while the history is made."""
        agreed = self.agreed[number]
        self.basis[rows] = _basis(self.whole[rows], *days, agreed)
        if not (agreed.trend or agreed.season):
            return
        line = _line(self.values[rows], np.flatnonzero(self.basis[rows]), days, grain, agreed)
        self.short[number] = line is None
        if line is not None:
            self.line[rows], self.wide[number] = line
            self.values[rows] -= self.line[rows]

    def noise(self) -> _Noise:
        """The noise of each stretch, by its own moving ranges."""
        at = np.flatnonzero(self.basis)
        values, stretch, count = self.values[at], self.stretch[at], len(self.agreed)
        n = np.bincount(stretch, minlength=count)
        middle = _mean(values, stretch, count)
        ranges = reaches(values, stretch, self.agreed)
        remembers = _remember(values - middle[stretch], stretch, middle, n)
        reason = np.select([self.short | (n < SHORTEST), remembers], [1, 2], 0).astype(np.int8)
        return _Noise(middle, ranges * self.wide, reason)

    def known(self) -> Mask:
        """Which rows have limits: those from the first complete one of their stretch on."""
        seen = np.cumsum(self.whole)
        before = np.concatenate([[0], seen])[np.flatnonzero(np.diff(self.stretch, prepend=-1))]
        return np.asarray(seen > before[self.stretch]) if len(seen) else np.zeros(0, dtype=bool)

    def signals(self, center: Array, reach: Array, judged: Mask) -> npt.NDArray[np.int8]:
        """The place in `NAMES` of each row's signal, among the complete ones of stretches with a verdict."""
        found = np.zeros(len(self.values), dtype=np.int8)
        rows = np.flatnonzero(self.whole & judged[self.stretch])
        values = (self.values + self.line)[rows]
        found[rows] = marks(values, self.stretch[rows], center[rows], reach[rows])
        return found


def _series(table: pd.DataFrame) -> tuple[Places, Places, list[str]]:
    """The number of each row's metric, that of its metric, segment and grain together, and the metrics by number."""
    metric, names = pd.factorize(table["metric"])
    number = metric.astype(np.intp)
    for name in ("segment", "grain"):
        if not _is_one(table[name]):
            codes, labels = pd.factorize(table[name])
            number = number * (len(labels) + 1) + codes + 1
    return metric, number, [str(name) for name in names]


def _is_one(column: pd.Series) -> bool:
    """Whether a column says the same in every row, or nothing in any."""
    missing = column.isna()
    if missing.all():
        return True
    return not missing.any() and bool((column == column.iloc[0]).all())


def _order(series: Places, start: np.ndarray) -> Places | None:
    """The order of the rows by series and time; None where they stand in it."""
    later = start[1:] >= start[:-1]
    if len(series) < 2 or ((series[1:] > series[:-1]) | ((series[1:] == series[:-1]) & later)).all():
        return None
    return np.lexsort((start, series))


def _turn(start: np.ndarray, limits: Limits) -> Places:
    """How often limits have started anew before each period; a `rebase` with `to` ends there."""
    days = sorted({day for each in limits.rebase for day in (each.from_, each.to and each.to + DAY) if day})
    return np.searchsorted(np.array(days, dtype="datetime64[s]"), start, side="right")


def _basis(whole: Mask, start: pd.DatetimeIndex, end: pd.DatetimeIndex, limits: Limits) -> Mask:
    """The rows that limits are computed from: those within the days of the lock, all where none of them are."""
    lock = limits.lock
    if lock is None:
        return whole
    within = whole & (start >= pd.Timestamp(lock.from_))
    within = within if lock.to is None else within & (end <= pd.Timestamp(lock.to))
    return within if within.any() else whole


def _line(
    values: Array, basis: Places, days: tuple[pd.DatetimeIndex, pd.DatetimeIndex], grain: Grain, limits: Limits
) -> tuple[Array, float] | None:
    """The line that limits follow, and how wide its rest is for its moving ranges; None where the basis is too short for it."""
    if len(basis) < SHORTEST or (limits.season and (days[1][basis[-1]] - days[0][basis[0]]).days + 1 < TWO_YEARS):
        return None
    columns = lines(*days, grain, trend=limits.trend, season=limits.season)
    return fitted(values, columns, basis) if len(basis) > 1.5 * columns.shape[1] else None


def _mean(values: Array, stretch: npt.NDArray[np.int_], count: int) -> Array:
    """The mean of each stretch, taken twice: the second time of what is left, so that no digit of a sum is lost."""
    n = np.bincount(stretch, minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.bincount(stretch, values, count) / n
        return np.asarray(first + np.bincount(stretch, values - first[stretch], count) / n)


def _remember(away: Array, stretch: npt.NDArray[np.int_], middle: Array, n: npt.NDArray[np.int_]) -> Mask:
    """Which stretches remember their last value (`limits.remembers`); `away` are the values less their mean."""
    count = len(n)
    spread = np.bincount(stretch, away * away, count)
    together = (stretch[1:] == stretch[:-1]) * away[1:] * away[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.bincount(stretch[1:], together, count) / spread
        moves = spread > (1e-12 * middle) ** 2 * n
        return np.asarray(moves & (n > 1) & (alike > 2 / np.sqrt(n)))
