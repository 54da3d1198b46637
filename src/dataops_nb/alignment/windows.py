"""Windows: what is asked (`Window`), what comes back (`Measured`), and how far the data reach.

A metric is measured over a list of windows: one value for each window and segment, and for each
window how much of it the data cover. `window_frame` and `date_dimension` are windows as tables that
a query can join; no source has columns of their names.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from dataops_nb.alignment.decimals import exactly
from dataops_nb.alignment.rows import Coverage
from dataops_nb.periods import Calendar, Period
from dataops_nb.terms import Duration, Grain, before

TOTAL = ""
DAY = dt.timedelta(days=1)
UNMOVED = dt.timedelta(0)
DAYS = "datetime64[D]"
NOT_A_DAY = np.datetime64("NaT")
Days = np.ndarray[Any, np.dtype[np.datetime64]]
Places = np.ndarray[Any, np.dtype[np.int64]]
T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """The days `start`..`end` that a value is asked for.

    `grain` is set where they are a calendar period, or the beginning of one. `moved` says how far
    they lie before that period, where last year is the same weeks rather than a period of its own.
    """

    start: dt.date
    end: dt.date
    grain: Grain | None = None
    moved: dt.timedelta = UNMOVED

    def earlier(self, by: Duration, calendar: Calendar) -> Window:
        """Return the window a duration before.

        `period` means the whole period of the calendar before this one's.
        """
        if by.unit == "period":
            return self._periods_earlier(by.count, calendar)
        if self.grain in {None, "day", "week"}:
            return Window(before(self.start, by), before(self.end, by))
        start = self.back(self.start, by, calendar)
        after = self.back(self.end + DAY, by, calendar)
        own_grain = self.grain if calendar.is_fiscal(by, self.grain) else None
        return Window(start, after - DAY, own_grain, self.moved)

    def back(self, day: dt.date, by: Duration, calendar: Calendar) -> dt.date:
        """Return the day a duration before one of this window's.

        It is counted where the window's own period lies.
        """
        if not calendar.is_fiscal(by, self.grain):
            return before(day, by)
        return calendar.months_before(day + self.moved, by) - self.moved

    def _periods_earlier(self, count: int, calendar: Calendar) -> Window:
        if self.grain is None:
            length = count * (self.end - self.start + DAY)
            return Window(self.start - length, self.end - length)
        own = calendar.shift(calendar.period(self.grain, self.start + self.moved), -count)
        return Window(own.start - self.moved, own.end - self.moved, self.grain, self.moved)


class Windows(tuple[Window, ...]):
    """Windows in order, with what is the same for all that is measured over them.

    Their days are arrays that are made once; what else is computed of them (`once`) is kept with
    them.
    """

    def __new__(cls, windows: Iterable[Window] = ()) -> Windows:
        """Return windows as such; those that are, as they are."""
        return windows if isinstance(windows, Windows) else super().__new__(cls, windows)

    @cached_property
    def starts(self) -> Days:
        """The first day of each."""
        return np.array([window.start for window in self], dtype=DAYS)

    @cached_property
    def ends(self) -> Days:
        """The last day of each."""
        return np.array([window.end for window in self], dtype=DAYS)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or super().__eq__(other)

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    @cached_property
    def _known(self) -> dict[Hashable, Any]:
        return {}

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` computes of these windows; `what` tells it apart from the rest."""
        if what not in self._known:
            self._known[what] = make()
        known: T = self._known[what]
        return known

    def within(self, first: dt.date | None, last: dt.date) -> Windows:
        """Return the same windows without their days before `first` and after `last`."""
        return self.once(("within", first, last), lambda: self._cut(first, last))

    def _cut(self, first: dt.date | None, last: dt.date) -> Windows:
        since = first or dt.date.min
        is_inside = (self.starts >= np.datetime64(since)) & (self.ends <= np.datetime64(last))
        if is_inside.all():
            return self
        return Windows(Window(max(one.start, since), min(one.end, last), one.grain) for one in self)


def window(period: Period) -> Window:
    """Return the window of a calendar period."""
    return Window(period.start, period.end, period.grain)


def segment_names(table: pd.DataFrame) -> pd.Series:
    """Return the segment of each row of a metric table, with `TOTAL` for the total."""
    return table["segment"].astype(object).where(table["segment"].notna(), TOTAL)


def series_of(table: pd.DataFrame) -> dict[tuple[str, str], np.ndarray[Any, Any]]:
    """Return the places of the rows of each metric and segment, in the order of the table.

    The segment of the total is `TOTAL`.
    """
    segments = segment_names(table)
    groups = table.groupby([table["metric"].astype(object), segments], sort=False).indices
    places: Any = groups.items()
    return {(str(metric), str(segment)): rows for (metric, segment), rows in places}


@dataclass(frozen=True)
class Measured:
    """`value` and `n`: one row a window, one column a segment (`TOTAL` for all rows together).

    `reach`: one row a window with `complete`, `coverage` (share of its days that the data cover),
    `data_to` and `condition` (`stale` or `fault`, else null). `zero`: a segment that is not there
    counts 0 rather than missing.
    """

    value: pd.DataFrame
    n: pd.DataFrame
    reach: pd.DataFrame
    zero: bool = False

    def segments(self, names: list[str]) -> Measured:
        """Return the same with exactly these segments; those it does not know are 0 or missing."""
        if list(self.value.columns) == names:
            return self
        value = self.value.reindex(columns=names)
        if self.zero:
            absent = [name for name in names if name not in self.value]
            known = self.reach["coverage"] > 0
            value[absent] = np.where(known, 0.0, np.nan)[:, None].repeat(len(absent), axis=1)
        return Measured(value, self.n.reindex(columns=names, fill_value=0), self.reach, self.zero)


def combine(
    formula: Callable[..., Any], parts: list[Measured], n: pd.DataFrame | None = None
) -> Measured:
    """Compute a formula over measured parts, segment by segment; what any part lacks, it lacks.

    What is divided by 0 is missing.
    """
    names: dict[str, None] = {}
    for part in parts:
        names.update(dict.fromkeys(part.value.columns))
    parts = [part.segments(list(names)) for part in parts]
    values = [part.value for part in parts]
    computed = formula(*values).replace([np.inf, -np.inf], np.nan)
    value = exactly(computed, formula, values, divides=formula is operator.truediv)
    for own in values:  # what is made of an infinite value is as unknown as that: a fault
        endless = np.isinf(own.to_numpy(dtype=float))
        if endless.any():
            value = value.mask(endless, np.inf)
    rows = parts[-1].n if n is None else n
    return Measured(value, rows, weakest([part.reach for part in parts]))


def weakest(reaches: list[pd.DataFrame]) -> pd.DataFrame:
    """Return how far data reach that stand on several others: as far as the shortest of them."""
    first, *others = {id(part): part for part in reaches}.values()
    if not others:
        return first
    out = first.copy()
    for other in others:
        out["complete"] &= other["complete"]
        out["coverage"] = np.minimum(out["coverage"], other["coverage"])
        is_earlier = out["data_to"].notna() & (other["data_to"] < out["data_to"])
        shorter = other["data_to"].isna() | is_earlier
        out["data_to"] = out["data_to"].where(~shorter, other["data_to"])
        graver = _gravity(other) < _gravity(out)
        out["condition"] = out["condition"].where(~graver, other["condition"])
    return out


def _gravity(reach: pd.DataFrame) -> pd.Series:
    """Return a number for each condition, the gravest first."""
    return reach["condition"].map({"fault": 0, "stale": 1}).fillna(9)


def blanked(
    table: pd.DataFrame, rows: pd.Series | np.ndarray[Any, Any], to: float = np.nan
) -> pd.DataFrame:
    """Return the table with these whole rows (a boolean for each) replaced."""
    values = table.to_numpy(dtype=float, copy=True)
    values[np.asarray(rows, dtype=bool)] = to
    return pd.DataFrame(values, index=table.index, columns=table.columns)


def reach(windows: Sequence[Window], coverage: Coverage | None, *, at_end: bool) -> pd.DataFrame:
    """Return how much of each window a source covers; without a coverage all are a fault.

    A stock (`at_end`) needs only the last day of a window.
    """
    listed = Windows(windows)
    return listed.once(("reach", coverage, at_end), lambda: _reach(listed, coverage, at_end=at_end))


def _reach(windows: Windows, coverage: Coverage | None, *, at_end: bool) -> pd.DataFrame:
    count = len(windows)
    if coverage is None or coverage.first is None or coverage.last is None:
        condition = None
        if coverage is None:
            condition = "fault"
        elif coverage.stale:
            condition = "stale"
        return _reaches(count, complete=False, coverage=0.0, data_to=NOT_A_DAY, condition=condition)
    starts, ends = windows.starts, windows.ends
    first, last = np.datetime64(coverage.first), np.datetime64(coverage.last)
    needed = ends if at_end else starts
    covered = (np.minimum(ends, last) - np.maximum(starts, first)).astype(int) + 1
    lengths = (ends - starts).astype(int) + 1
    condition_of = np.full(count, None, dtype=object)
    if coverage.stale:
        condition_of[ends > last] = "stale"
    return _reaches(
        count,
        complete=(first <= needed) & (ends <= last),
        coverage=np.maximum(covered, 0) / lengths,
        data_to=last,
        condition=condition_of,
    )


def _reaches(count: int, **columns: Any) -> pd.DataFrame:
    types = {"complete": bool, "coverage": float, "data_to": "datetime64[s]", "condition": object}
    full = {name: np.full(count, columns[name], dtype=kind) for name, kind in types.items()}
    return pd.DataFrame(full)


def window_frame(windows: Sequence[Window]) -> pd.DataFrame:
    """Return `_nb_w _nb_first _nb_last`: each window by its position."""
    listed = Windows(windows)
    days = {"_nb_first": listed.starts, "_nb_last": listed.ends}
    seconds = {name: own.astype("datetime64[s]") for name, own in days.items()}
    return pd.DataFrame({"_nb_w": np.arange(len(listed)), **seconds})


def date_dimension(windows: Sequence[Window], since: dt.date | None = None) -> pd.DataFrame:
    """Return `_nb_w _nb_first _nb_last _nb_day`: each day of each window, none before `since`."""
    listed = Windows(windows)
    starts = np.maximum(listed.starts, np.datetime64(since or dt.date.min))
    lengths = np.maximum((listed.ends - starts).astype(np.int64) + 1, 0)
    place = np.repeat(np.arange(len(listed)), lengths)
    days = window_frame(listed).iloc[place].reset_index(drop=True)
    day = starts[place] + _count_up(lengths)
    return days.assign(_nb_day=day.astype("datetime64[s]"))


def _count_up(lengths: Places) -> Places:
    """Count from 0 anew for each length: 2, 3 gives 0 1 0 1 2."""
    ends = np.cumsum(lengths)
    return np.arange(lengths.sum()) - np.repeat(ends - lengths, lengths)


def cut_pieces(windows: Sequence[Window]) -> tuple[list[Window], pd.DataFrame]:
    """Cut windows at all their ends.

    Returns the stretches of days between any two cuts that a window holds, and `_nb_w _nb_piece`:
    which of them make each window.
    """
    listed = Windows(windows)
    numbers = np.flatnonzero(listed.starts <= listed.ends)
    starts, ends = listed.starts[numbers], listed.ends[numbers] + 1
    cuts = np.unique(np.concatenate([starts, ends]))
    firsts = np.searchsorted(cuts, starts)
    counts = np.searchsorted(cuts, ends) - firsts
    held = np.repeat(firsts, counts) + _count_up(counts)
    used, pieces = np.unique(held, return_inverse=True)
    days = cuts.astype(object)
    stretches = [Window(days[place], days[place + 1] - DAY) for place in used]
    frame = pd.DataFrame({"_nb_w": np.repeat(numbers, counts), "_nb_piece": pieces})
    return stretches, frame.astype("int64")
