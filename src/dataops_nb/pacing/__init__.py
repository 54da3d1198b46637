"""Pacing: whether an unfinished period is on its way to its target, and its chance to arrive.

`add_pace` takes a metric table with `value so_far target target_low target_high complete`
(`so_far`: what each period had reached by the position that the open one is at) and adds, for open
periods, `expected pace landing p_hit`:

- `expected`: the target times w, the share of a period's total that was normally reached by then;
- `pace`: the value so far / `expected`; 1 is on the way exactly;
- `landing`: where the period ends at this pace: the value so far / w;
- `p_hit`: the share of earlier periods whose rest, added to the value so far, meets the target.

What does not add up over days (a rate, an average, a stock, a trailing window) has no share of a
total: its `landing` is the value so far plus the mean change from there to the end of earlier
periods, and `expected` and `pace` are missing. Everything is missing for closed periods, and where
fewer than two earlier periods are known; `p_hit` below twelve.

What earlier periods still brought after that position (a remainder) is taken whole, so that days
keep their company: a strong Thursday is followed by the Friday it had. Drawing one of them at
random again and again (a bootstrap) hits the target as often as the share of them that do; so the
share is computed, and needs no seed.

Earlier periods are scaled to today's level first (`levels`): by their season, growth or change of
level, whichever forecast them best. Where the level moves now, and the chance hinges on whether it
goes on moving, `p_hit` is missing. How published chances turned out is the `track_record`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.alignment.agreements import Agreements, add_agreed
from dataops_nb.alignment.frames import as_day
from dataops_nb.company import Company
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.limits.columns import number_names
from dataops_nb.limits.stretches import number_series, order_of
from dataops_nb.pacing.levels import scales
from dataops_nb.terms import Better, Grain

__all__ = ["add_pace"]


def __dir__() -> list[str]:
    return __all__


COLUMNS = ("expected", "pace", "landing", "p_hit")
FEWEST, SHORTEST = 2, 12
_HAIR = 1e-9
Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# Earlier periods that a remainder is taken from, and those that tell how the level moves.
PRIOR, HISTORY = 52, 156
YEAR: dict[Grain, int] = {"week": 52, "month": 12, "quarter": 4}
CLEAR = 2.0
HINGES = 0.1  # chances that lie farther apart hinge on what nobody knows


def add_pace(
    table: pd.DataFrame,
    agreements: Agreements,
    as_of: str | dt.date,
    flows: Iterable[str] = (),
) -> pd.DataFrame:
    """Add where open periods lead: those that hold the day after `as_of`.

    Rows and their order are kept.

    `agreements` are `status.Agreement`s by metric, or a company. `flows` are the metrics that add
    up over the days of a period (counts and sums); a company knows its own. The table has `so_far`,
    as `alignment.from_frame` makes it.

    Adds `target` where the agreements say one, `expected` (in the metric's unit), `pace` (1 is on
    the way exactly), `landing` (in the metric's unit) and `p_hit` (from 0 to 1); see the head of
    this module. They are missing for closed periods, and where fewer than two earlier ones are
    known; `p_hit` below twelve.

    Raises UsageError for a flow that the table does not have, with the nearest metric, and for a
    day that is none. Source: the bootstrap of earlier remainders (Efron), computed exactly.

    >>> rows = alignment.from_frame(
    ...     orders, "revenue", time="ordered_on", value="amount", as_of="2026-11-12"
    ... )
    >>> paced = pacing.add_pace(
    ...     rows, {"revenue": status.Agreement(target=300)}, "2026-11-12", flows=["revenue"]
    ... )
    >>> paced.iloc[-1][["expected", "pace", "landing"]].astype(float).round(3).tolist()
    [300.0, 0.818, 245.5]
    """
    day = as_day(as_of, "as_of")
    if day is None:
        raise UsageError("as_of is the last day that is known; write it like 2026-11-22")
    table = add_agreed(table, agreements)
    columns = {name: np.full(len(table), np.nan) for name in COLUMNS}
    is_flow = _flows(table, agreements, flows)
    rows = np.flatnonzero(is_open(table, day))
    if len(rows):
        past = Past.of(table, rows)
        for name, values in _paced(table.iloc[rows], past, agreements, is_flow).items():
            columns[name][rows] = values
    added = {}
    for name, column in columns.items():
        added[name] = pd.Series(column, index=table.index, copy=False)
    return table.assign(**added)


def _flows(table: pd.DataFrame, agreements: Agreements, flows: Iterable[str]) -> dict[str, bool]:
    """Return whether each metric adds up over days.

    Raises UsageError for a flow that is no metric of the table.
    """
    names = [str(name) for name in number_names(table["metric"])[1]]
    if isinstance(agreements, Company):
        return {name: agreements.adds_up(name) for name in names}
    adding_up = [flows] if isinstance(flows, str) else list(flows)
    for name in adding_up:
        if name not in names:
            raise UsageError(f"flows: the table has no metric {name!r}{did_you_mean(name, names)}")
    return {name: name in adding_up for name in names}


def is_open(table: pd.DataFrame, as_of: dt.date) -> Flags:
    """Return which rows are about an unfinished period with data.

    It began on or before `as_of` and ends after it.
    """
    day = np.datetime64(as_of)
    has_begun = table["period_start"].to_numpy() <= day
    ends_later = table["period_end"].to_numpy() > day
    known = np.isfinite(table["value"].to_numpy(dtype=float)) & np.isfinite(_so_far(table))
    return np.asarray(known & has_begun & ends_later)


def _so_far(table: pd.DataFrame) -> Array:
    if "so_far" not in table:
        return np.full(len(table), np.nan)
    return table["so_far"].to_numpy(dtype=float)


def _paced(
    now: pd.DataFrame, past: Past, agreements: Agreements, is_flow: Mapping[str, bool]
) -> dict[str, Array]:
    """Return `expected pace landing p_hit` of open rows."""
    flow = now["metric"].map(is_flow).to_numpy(dtype=bool)
    value, target = now["value"].to_numpy(dtype=float), now["target"].to_numpy(dtype=float)
    rest = remainders(past, value)
    share = np.where(flow & (past.periods >= FEWEST), past.share, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = target * share
        pace = np.where(expected != 0, value / expected, np.nan)
        landing = np.where(flow, value / share, value + past.mean(rest, FEWEST))
    low, high = _wanted(now, _good_sides(now, agreements))
    enough = (past.periods >= SHORTEST) & (np.isfinite(rest).sum(axis=1) >= SHORTEST)
    return {
        "expected": _plain(expected),
        "pace": _plain(pace),
        "landing": _plain(landing),
        "p_hit": np.where(enough, chance(past, value, rest, low, high), np.nan),
    }


def _good_sides(now: pd.DataFrame, agreements: Agreements) -> dict[str, Better]:
    """Return which side is the good one of each metric; up where nothing was agreed."""
    known = agreements if isinstance(agreements, Mapping) else agreements.metrics
    sides: dict[str, Better] = {}
    for name in map(str, now["metric"].unique()):
        sides[name] = known[name].better if name in known else "up"
    return sides


def _wanted(now: pd.DataFrame, better: dict[str, Better]) -> tuple[Array, Array]:
    """Return the first and the last value that meet the target; NaN where there is none."""
    side = now["metric"].map(better).to_numpy()
    bounds = []
    for name in ("target", "target_low", "target_high"):
        bounds.append(now[name].to_numpy(dtype=float) if name in now else np.full(len(now), np.nan))
    target, low, high = bounds
    no_target = np.isnan(target)
    from_below = np.where(no_target, np.nan, -np.inf)
    to_above = np.where(no_target, np.nan, np.inf)
    is_up, is_down = side == "up", side == "down"
    first = np.select([is_up, is_down], [target, from_below], low)
    last = np.select([is_up, is_down], [to_above, target], high)
    return first, last


def chance(past: Past, value: Array, rest: Array, low: Array, high: Array) -> Array:
    """Return the chance that each value ends in `low`..`high`; `rest` are its `remainders`.

    Where the level moves now, nobody knows whether it goes on moving: the chance is the middle of
    both ways, and NaN where they lie more than `HINGES` apart.
    """
    _, reach = past.to_today
    chances = probability(value, rest, low, high)
    moving = np.flatnonzero(reach > 0)
    if not len(moving):
        return chances
    own, is_whole = rest[moving], _are_whole(rest[moving])
    ways = [chances[moving]]
    for level in (1 - reach[moving], 1 + reach[moving]):
        other = np.maximum(own * level[:, None], 0.0)
        other = np.where(is_whole[:, None], np.round(other), other)
        ways.append(probability(value[moving], other, low[moving], high[moving]))
    least, most = np.min(ways, axis=0), np.max(ways, axis=0)
    chances[moving] = np.where(most - least > HINGES, np.nan, (least + most) / 2)
    return chances


def _are_whole(rest: Array) -> Flags:
    return np.asarray((np.isnan(rest) | (rest == np.round(rest))).all(axis=1))


def probability(value: Array, rest: Array, low: Array, high: Array) -> Array:
    """Return the share of remainders that take each value to `low`..`high`.

    `rest` has one row of remainders for each value; NaN is none.
    """
    ends = value[:, None] + rest
    hair = _HAIR * np.maximum(np.abs(ends), 1e-3)
    with np.errstate(invalid="ignore"):
        meets = (ends >= low[:, None] - hair) & (ends <= high[:, None] + hair)
        share = meets.sum(axis=1) / np.isfinite(rest).sum(axis=1)
    return np.where(np.isnan(low) | np.isnan(high), np.nan, share)


def _plain(column: Array) -> Array:
    """Drop the last bits of a division, so that a pace that meets its target does so exactly."""
    plain = column.copy()
    known = np.flatnonzero(np.isfinite(column))
    plain[known] = [float(f"{number:.12g}") for number in column[known].tolist()]
    return plain


@dataclass(frozen=True)
class Past:
    """The periods before each open one, the latest first; NaN is unknown.

    `so_far` and `value` have a row for each open period and a column for each of the 52 before it.
    `history` are the values of up to three years; `year` says how many periods make one, for each
    row (0: no season).
    """

    so_far: Array
    value: Array
    history: Array | None = None
    year: npt.NDArray[np.intp] | None = None

    @classmethod
    def of(cls, table: pd.DataFrame, rows: npt.NDArray[np.intp]) -> Past:
        """Return the past of these rows of a metric table, which has `so_far`."""
        _, series, _ = number_series(table)
        order = order_of(series, table["period_start"].to_numpy())
        place_in_order = rows
        if order is not None:
            places = np.empty(len(order), dtype=np.intp)
            places[order] = np.arange(len(order))
            place_in_order = places[rows]
        # The rows before an open one, in order, are its earlier periods.
        before = place_in_order[:, None] - np.arange(1, HISTORY + 1)
        earlier = np.maximum(before, 0)
        earlier = earlier if order is None else order[earlier]
        known = table["complete"].to_numpy(dtype=bool)[earlier]
        known &= (before >= 0) & (series[earlier] == series[rows][:, None])
        value = np.where(known, table["value"].to_numpy(dtype=float)[earlier], np.nan)
        recent = slice(0, PRIOR)
        so_far = np.where(known[:, recent], _so_far(table)[earlier[:, recent]], np.nan)
        both = np.isfinite(value[:, :PRIOR]) & np.isfinite(so_far)
        years = np.array([YEAR.get(grain, 0) for grain in table["grain"].iloc[rows]], dtype=np.intp)
        return cls(
            so_far=np.where(both, so_far, np.nan),
            value=np.where(both, value[:, :PRIOR], np.nan),
            history=value,
            year=years,
        )

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
        """The share of their totals, added up, that was reached by then.

        NaN where that makes no sense.
        """
        reached, total = np.nansum(self.so_far, axis=1), np.nansum(self.value, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where((reached > 0) & (total > 0), reached / total, np.nan))

    @cached_property
    def to_today(self) -> tuple[Array, Array]:
        """What takes each period to today's level, and how far that may be off (see `scales`).

        What is no amount, because a value or a remainder is below 0, is left as it is; so is a past
        of fewer than twelve periods.
        """
        history = self.value if self.history is None else self.history
        years = np.zeros(len(history), dtype=np.intp) if self.year is None else self.year
        is_amount = ~((self.rest < 0).any(axis=1) | (history < 0).any(axis=1))
        rows = np.flatnonzero(is_amount & (self.periods >= SHORTEST))
        scale, reach = np.ones_like(self.value), np.zeros(len(history))
        for year in np.unique(years[rows]):
            own = rows[years[rows] == year]
            oldest_first = history[own, ::-1]
            known = np.isfinite(oldest_first).any(axis=0)
            known_since = oldest_first[:, int(known.argmax()) :]
            scale[own], reach[own] = scales(known_since, self.value.shape[1], int(year))
        return scale, reach

    def mean(self, rest: Array, fewest: int) -> Array:
        """Return the mean remainder, NaN where fewer periods are known."""
        count = np.isfinite(rest).sum(axis=1)
        means = np.nansum(rest, axis=1) / np.maximum(count, 1)
        return np.asarray(np.where(self.periods >= fewest, means, np.nan))


def levelled(past: Past) -> Past:
    """Return the past at today's level (see `levels`)."""
    scale, _ = past.to_today
    return Past(past.so_far * scale, past.value * scale)


def remainders(past: Past, value: Array) -> Array:
    """Return what may still come to each open period: one remainder for each earlier period.

    NaN is none. Remainders are at today's level; and where in the past a strong start clearly meant
    a strong rest (or a weak one), they go with this start, the `value` so far. Whole numbers stay
    whole, so that a target that is met to the unit is met, and what was never below 0 stays so.
    """
    now = levelled(past)
    line, expected, clear = _line(now.rest, now.so_far, value)
    moved = np.where(clear[:, None], now.rest + expected[:, None] - line, now.rest)
    moved = np.where(_are_whole(past.rest)[:, None], np.round(moved), moved)
    was_below_zero = np.asarray((past.rest < 0).any(axis=1))
    return np.asarray(np.where(was_below_zero[:, None], moved, np.maximum(moved, 0.0)))


def _line(values: Array, at: Array, now: Array) -> tuple[Array, Array, Flags]:
    """Fit a straight line through each row's `values`, which stand `at` places of their own.

    Returns the line there, its value at the place `now`, and whether it clearly slopes: by two
    standard errors over at least 12 values.
    """
    known = np.isfinite(values) & np.isfinite(at)
    n = known.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.where(known, values, 0.0).sum(axis=1) / n
        center = np.where(known, at, 0.0).sum(axis=1) / n
        away = np.where(known, at - center[:, None], 0.0)
        spread = (away**2).sum(axis=1)
        slope = (away * np.where(known, values - middle[:, None], 0.0)).sum(axis=1) / spread
        line = middle[:, None] + slope[:, None] * (at - center[:, None])
        left = np.where(known, values - line, 0.0)
        error = np.sqrt((left**2).sum(axis=1) / (n - 2) / spread)
        clear = np.asarray((n >= SHORTEST) & (np.abs(slope) > CLEAR * error), dtype=bool)
        return line, middle + slope * (now - center), clear
