"""What a metric measured over a list of windows: one value for each window and segment, and how far the data reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.definitions.models import Duration, Grain
from dataops_nb.periods import Calendar, Period, before
from dataops_nb.sources import Coverage

TOTAL = ""
DAY = dt.timedelta(days=1)
UNMOVED = dt.timedelta(0)
DAYS = "datetime64[D]"
NOT_A_DAY = np.datetime64("NaT")


@dataclass(frozen=True)
class Window:
    """The days `start`..`end` that a value is asked for; `grain` where they are (the beginning of) a calendar period.

    `moved` says how far they lie before that period, where last year is the same weeks rather than a period of its own.
    """

    start: dt.date
    end: dt.date
    grain: Grain | None = None
    moved: dt.timedelta = UNMOVED

    def earlier(self, by: Duration, calendar: Calendar) -> Window:
        """The window a duration before; `period` means the whole period of the calendar before this one's."""
        if by.unit == "period":
            return self._periods_earlier(by.count, calendar)
        if self.grain in {None, "day", "week"}:
            return Window(before(self.start, by), before(self.end, by))
        start, after = (self.back(day, by, calendar) for day in (self.start, self.end + DAY))
        return Window(start, after - DAY, self.grain if calendar.is_fiscal(by, self.grain) else None, self.moved)

    def back(self, day: dt.date, by: Duration, calendar: Calendar) -> dt.date:
        """The day a duration before one of this window's, counted where the window's own period lies."""
        if not calendar.is_fiscal(by, self.grain):
            return before(day, by)
        return calendar.months_before(day + self.moved, by) - self.moved

    def _periods_earlier(self, count: int, calendar: Calendar) -> Window:
        if self.grain is None:
            length = count * (self.end - self.start + DAY)
            return Window(self.start - length, self.end - length)
        own = calendar.shift(calendar.period(self.grain, self.start + self.moved), -count)
        return Window(own.start - self.moved, own.end - self.moved, self.grain, self.moved)


def window(period: Period) -> Window:
    """The window of a calendar period."""
    return Window(period.start, period.end, period.grain)


@dataclass(frozen=True)
class Measured:
    """`value` and `n`: one row a window, one column a segment (`TOTAL` for all rows together).

    `reach`: one row a window with `complete`, `coverage` (share of its days that the data cover), `data_to` and
    `condition` (`stale` or `fault`, else null). `zero`: a segment that is not there counts 0 rather than missing.
    """

    value: pd.DataFrame
    n: pd.DataFrame
    reach: pd.DataFrame
    zero: bool = False

    def segments(self, names: list[str]) -> Measured:
        """The same with exactly these segments; those it does not know are 0 or missing."""
        value = self.value.reindex(columns=names)
        if self.zero:
            absent = [name for name in names if name not in self.value]
            known = self.reach["coverage"] > 0
            value[absent] = np.where(known, 0.0, np.nan)[:, None].repeat(len(absent), axis=1)
        return Measured(value, self.n.reindex(columns=names, fill_value=0), self.reach, self.zero)


def combine(formula: Callable[..., pd.DataFrame], parts: list[Measured], n: pd.DataFrame | None = None) -> Measured:
    """A formula over measured parts, segment by segment; what any part lacks, the result lacks."""
    names = list(dict.fromkeys(name for part in parts for name in part.value.columns))
    parts = [part.segments(names) for part in parts]
    value = formula(*[part.value for part in parts]).replace([np.inf, -np.inf], np.nan)
    rows = parts[-1].n if n is None else n
    return Measured(value, rows, weakest([part.reach for part in parts]))


def weakest(reaches: list[pd.DataFrame]) -> pd.DataFrame:
    """How far data reach that stand on several others: as far as the shortest of them."""
    order = {"fault": 0, "stale": 1}
    first, *others = reaches
    out = first.copy()
    for other in others:
        out["complete"] &= other["complete"]
        out["coverage"] = np.minimum(out["coverage"], other["coverage"])
        later = other["data_to"].isna() | (out["data_to"].notna() & (other["data_to"] < out["data_to"]))
        out["data_to"] = out["data_to"].where(~later, other["data_to"])
        graver = other["condition"].map(order).fillna(9) < out["condition"].map(order).fillna(9)
        out["condition"] = out["condition"].where(~graver, other["condition"])
    return out


def blanked(table: pd.DataFrame, rows: pd.Series | np.ndarray[Any, Any], to: float = np.nan) -> pd.DataFrame:
    """The table with these whole rows (a boolean for each) replaced."""
    values = table.to_numpy(dtype=float, copy=True)
    values[np.asarray(rows, dtype=bool)] = to
    return pd.DataFrame(values, index=table.index, columns=table.columns)


def reach(windows: list[Window], coverage: Coverage | None, *, at_end: bool) -> pd.DataFrame:
    """How much of each window the source covers; a stock needs only the last day; no coverage at all is a fault."""
    nothing = {"complete": False, "coverage": 0.0, "data_to": NOT_A_DAY, "condition": None}
    if coverage is None or coverage.first is None or coverage.last is None:
        stale = coverage is not None and coverage.stale
        nothing["condition"] = "fault" if coverage is None else "stale" if stale else None
        return _reaches(len(windows), **nothing)
    starts, ends = (np.array([getattr(w, side) for w in windows], dtype=DAYS) for side in ("start", "end"))
    first, last = np.datetime64(coverage.first), np.datetime64(coverage.last)
    needed = ends if at_end else starts
    covered = np.maximum((np.minimum(ends, last) - np.maximum(starts, first)).astype(int) + 1, 0)
    return _reaches(
        len(windows),
        complete=(first <= needed) & (ends <= last),
        coverage=covered / ((ends - starts).astype(int) + 1),
        data_to=last,
        condition=["stale" if late else None for late in coverage.stale & (ends > last)],
    )


def _reaches(count: int, **columns: Any) -> pd.DataFrame:
    types = {"complete": bool, "coverage": float, "data_to": "datetime64[s]", "condition": object}
    return pd.DataFrame({name: np.full(count, columns[name], dtype=kind) for name, kind in types.items()})
