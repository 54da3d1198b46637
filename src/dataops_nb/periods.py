"""Calendars: which days make a week, a month, a quarter, a year, and what a period is called.

Two departments can be compared only when their days are cut the same way. This module is pure date arithmetic: a
`Calendar` names the period of a day, lists periods, and finds the one before, the same one last year, and the first day
of the month, quarter or year to date.
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dataops_nb.definitions.models import MONTHS, WEEKDAYS, CalendarModel, Duration, Grain

_MONTHS_IN: dict[Grain, int] = {"month": 1, "quarter": 3, "year": 12}
LIKE_FOR_LIKE = dt.timedelta(days=364)


@dataclass(frozen=True, order=True)
class Period:
    """A stretch of days with a name; `end` is the last day of it."""

    start: dt.date
    end: dt.date
    grain: Grain
    id: str

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1


@dataclass(frozen=True)
class Calendar:
    """How a company cuts time.

    `week_starts` counts from Monday = 0, `year_starts` is the first month of the fiscal year, `named` says whether that
    year carries the number of the calendar year it ends or starts in. `week_one` numbers weeks: `iso` (the week with the
    year's fourth day of it), `first_full` (the first week wholly in the year), `january_1` (the week with 1 January).
    """

    week_starts: int = 0
    year_starts: int = 1
    named: Literal["end", "start"] = "end"
    week_one: Literal["iso", "first_full", "january_1"] = "iso"

    def period(self, grain: Grain, day: dt.date) -> Period:
        """The period of this grain that holds the day."""
        if grain == "day":
            return Period(day, day, "day", day.isoformat())
        if grain == "week":
            return self._week(day)
        return self._months(grain, day)

    def periods(self, grain: Grain, first: dt.date, last: dt.date) -> Iterator[Period]:
        """Every period that has at least one day in `first`..`last`, oldest first."""
        if first > last:
            return
        period = self.period(grain, first)
        while period.start <= last:
            yield period
            period = self.shift(period, 1)

    def shift(self, period: Period, by: int) -> Period:
        """The period so many periods later (earlier where `by` is negative)."""
        if period.grain in _MONTHS_IN:
            return self.period(period.grain, add_months(period.start, by * _MONTHS_IN[period.grain]))
        step = dt.timedelta(days=7 if period.grain == "week" else 1)
        return self.period(period.grain, period.start + by * step)

    def last_year(self, period: Period) -> Period:
        """The same period a year before: days and weeks 364 days back (the same weekdays), others by their name."""
        if period.grain in _MONTHS_IN:
            return self.period(period.grain, add_months(period.start, -12))
        return self.period(period.grain, period.start - LIKE_FOR_LIKE)

    def last_complete(self, grain: Grain, as_of: dt.date) -> Period:
        """The latest period whose last day is not after `as_of`."""
        period = self.period(grain, as_of)
        return period if period.end <= as_of else self.shift(period, -1)

    def to_date(self, grain: Grain, day: dt.date) -> tuple[dt.date, dt.date]:
        """From the first day of the month, quarter or year that holds `day`, up to that day."""
        return self.period(grain, day).start, day

    def _week(self, day: dt.date) -> Period:
        start = day - dt.timedelta(days=(day.weekday() - self.week_starts) % 7)
        decisive = start + dt.timedelta(days={"iso": 3, "first_full": 0, "january_1": 6}[self.week_one])
        number = (decisive.timetuple().tm_yday - 1) // 7 + 1
        return Period(start, start + dt.timedelta(days=6), "week", f"{decisive.year}-W{number:02d}")

    def _months(self, grain: Grain, day: dt.date) -> Period:
        span = _MONTHS_IN[grain]
        into_year = (day.month - self.year_starts) % 12
        start = add_months(day.replace(day=1), -(into_year % span))
        end = add_months(start, span) - dt.timedelta(days=1)
        if grain == "month":
            return Period(start, end, grain, f"{start:%Y-%m}")
        year = self._fiscal_year(add_months(day.replace(day=1), -into_year))
        return Period(start, end, grain, year if grain == "year" else f"{year}-Q{into_year // 3 + 1}")

    def _fiscal_year(self, start: dt.date) -> str:
        if self.year_starts == 1:
            return f"{start:%Y}"
        number = start.year + (1 if self.named == "end" else 0)
        return f"FY{number % 100:02d}"


def calendar(model: CalendarModel) -> Calendar:
    """The calendar that params/company.yaml describes."""
    week_starts = WEEKDAYS[model.week_starts]
    week_one = model.week_one or ("iso" if week_starts == 0 else "first_full")
    return Calendar(week_starts, MONTHS[model.year.starts], model.year.named, week_one)


def add_months(day: dt.date, months: int) -> dt.date:
    """The day so many months later; the last day of the month where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def before(day: dt.date, duration: Duration) -> dt.date:
    """The day that lies a duration earlier; months, quarters and years by the calendar, `period` is refused."""
    if duration.unit == "period":
        raise ValueError("a period has a length only within a calendar")
    if duration.unit in _MONTHS_IN:
        return add_months(day, -duration.count * _MONTHS_IN[duration.unit])
    return day - dt.timedelta(days=duration.days)


def after(day: dt.date, duration: Duration) -> dt.date:
    """The day that lies a duration later; months, quarters and years by the calendar, `period` is refused."""
    if duration.unit == "period":
        raise ValueError("a period has a length only within a calendar")
    if duration.unit in _MONTHS_IN:
        return add_months(day, duration.count * _MONTHS_IN[duration.unit])
    return day + dt.timedelta(days=duration.days)
