"""The sample company's time: weeks from Monday to Sunday, quiet weekends, a quiet end of December, a yearly season.

Weeks are addressed by their position on the grid; `ago(1)` is the last complete week. A few weeks before the first
exported one are made as well, because what happens in a week may have begun up to six weeks earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[Any]

LEAD = 8
NOTHING: Array = np.array(None, dtype=object)
WEEKDAYS = np.array([1.0, 1.1, 1.1, 1.05, 0.85, 0.08, 0.08])
HOLIDAY = 0.3
TIMEZONE = "America/New_York"


@dataclass(frozen=True)
class Grid:
    """`weeks` complete weeks up to the last Sunday not after `end`, `LEAD` weeks before them and one after."""

    end: date
    weeks: int

    @property
    def sunday(self) -> date:
        """The last day of the last complete week."""
        return self.end - timedelta(days=self.end.isoweekday() % 7)

    @property
    def start(self) -> date:
        """The first exported day, a Monday."""
        return self.sunday - timedelta(weeks=self.weeks) + timedelta(days=1)

    @property
    def size(self) -> int:
        """How many weeks the grid has."""
        return LEAD + self.weeks + 1

    @property
    def last(self) -> int:
        """The position of the last complete week."""
        return LEAD + self.weeks - 1

    @property
    def mondays(self) -> Array:
        """The first day of every week."""
        first = np.datetime64(self.start - timedelta(weeks=LEAD), "D")
        return first + 7 * np.arange(self.size)

    @property
    def busy(self) -> Array:
        """How busy each day is: a row a week, a column a weekday, 1.0 an ordinary Monday."""
        days = self.mondays[:, None] + np.arange(7)
        month = days.astype("datetime64[M]")
        day = (days - month.astype("datetime64[D]")).astype(int) + 1
        december, january = month.astype(int) % 12 == 11, month.astype(int) % 12 == 0
        year_end = (december & (day >= 24)) | (january & (day == 1))
        return WEEKDAYS * np.where(year_end, HOLIDAY, 1.0)

    @property
    def activity(self) -> Array:
        """The share of an ordinary week's work that each week sees."""
        return np.asarray(self.busy.sum(axis=1) / WEEKDAYS.sum())

    def ago(self, weeks: int) -> int:
        """The position of the week so many weeks back; 1 is the last complete one."""
        return self.last + 1 - weeks

    def season(self, amplitude: float, peak: int = 290) -> Array:
        """A yearly wave around 1.0 that is highest on day `peak` of the year."""
        year = self.mondays.astype("datetime64[Y]").astype("datetime64[D]")
        angle = 2 * np.pi * ((self.mondays - year).astype(int) + 3 - peak) / 365.25
        return np.asarray(1 + amplitude * np.cos(angle))

    def days(self, rng: np.random.Generator, week: Array, among: slice = slice(0, 7)) -> Array:
        """A day of each week, busy ones more often; `among` restricts the weekdays."""
        weights = np.zeros((self.size, 7))
        weights[:, among] = self.busy[:, among]
        steps = weights.cumsum(axis=1) / weights.sum(axis=1, keepdims=True)
        weekday = (rng.random(len(week))[:, None] > steps[week]).sum(axis=1)
        return np.asarray(self.mondays[week] + weekday)

    def exported(self, days: Array) -> Array:
        """Which days (or stamps, local) lie within the exports."""
        day = days.astype("datetime64[D]")
        return np.asarray((day >= np.datetime64(self.start, "D")) & (day <= np.datetime64(self.end, "D")))

    def known(self, days: Array) -> Array:
        """The same days, with those after the end missing: nobody knows them yet."""
        later = days.astype("datetime64[D]") > np.datetime64(self.end, "D")
        return np.asarray(np.where(later, np.datetime64("NaT"), days))


def stamps(rng: np.random.Generator, days: Array, opens: float = 8, closes: float = 18) -> Array:
    """Local wall-clock stamps on the given days, between two hours, to the second."""
    seconds = rng.uniform(opens * 3600, closes * 3600, len(days)).astype(int)
    return np.asarray(days.astype("datetime64[s]") + seconds)


def utc(local: Array) -> Array:
    """Local stamps as naive UTC ones, as the CRM writes them; missing stays missing."""
    index = pd.DatetimeIndex(local.astype("datetime64[s]"))
    there = index.tz_localize(TIMEZONE, ambiguous=np.zeros(len(index), dtype=bool), nonexistent="shift_forward")
    return there.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")


def written(days: Array) -> Array:
    """Dates and stamps as a csv holds them; a missing one is empty."""
    text = np.datetime_as_string(days).astype(object)
    if days.dtype != np.dtype("datetime64[D]"):
        text = np.array([stamp.replace("T", " ") for stamp in text], dtype=object)
    return np.where(np.isnat(days), "", text)
