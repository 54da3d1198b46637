"""A company's calendar: the period of a day, the ones around it, the same one last year, and working days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from dataops_nb.definitions.models import Duration, Grain
from dataops_nb.periods.days import DAY, MONTHS_IN, add_months
from dataops_nb.periods.patterns import Pattern

LIKE_FOR_LIKE = dt.timedelta(days=364)
_SATURDAY = 5


@dataclass(frozen=True, order=True)
class Period:
    """A stretch of days with a name; `end` is the last day of it.

    `fiscal` is what a week is called within a year of weeks: `FY27-W43`; empty elsewhere.
    """

    start: dt.date
    end: dt.date
    grain: Grain
    id: str
    fiscal: str = field(default="", compare=False)

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
    With a `pattern`, months, quarters and years are made of whole weeks. On `holidays` nobody works.
    """

    week_starts: int = 0
    year_starts: int = 1
    named: Literal["end", "start"] = "end"
    week_one: Literal["iso", "first_full", "january_1"] = "iso"
    pattern: Pattern | None = None
    holidays: frozenset[dt.date] = frozenset()

    def period(self, grain: Grain, day: dt.date) -> Period:
        """The period of this grain that holds the day."""
        if grain == "day":
            return Period(day, day, "day", day.isoformat())
        if grain == "week":
            return self._week(day)
        return self._months(grain, self._month_number(day) // MONTHS_IN[grain])

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
        if period.grain in MONTHS_IN:
            return self._months(period.grain, self._month_number(period.start) // MONTHS_IN[period.grain] + by)
        step = dt.timedelta(days=7 if period.grain == "week" else 1)
        return self.period(period.grain, period.start + by * step)

    def last_year(self, period: Period) -> Period:
        """The same period a year before: days and weeks 364 days back (the same weekdays), others by their name.

        Under a pattern those others too are the same weeks, 364 days back. After a year of 53 weeks that is a week later
        than the period of that name was: last year is restated, so that like is compared with like.
        """
        if period.grain not in MONTHS_IN:
            return self.period(period.grain, period.start - LIKE_FOR_LIKE)
        named_alike = self.shift(period, -12 // MONTHS_IN[period.grain])
        if self.pattern is None:
            return named_alike
        return replace(named_alike, start=period.start - LIKE_FOR_LIKE, end=period.end - LIKE_FOR_LIKE)

    def last_complete(self, grain: Grain, as_of: dt.date) -> Period:
        """The latest period whose last day is not after `as_of`."""
        period = self.period(grain, as_of)
        return period if period.end <= as_of else self.shift(period, -1)

    def to_date(self, grain: Grain, day: dt.date) -> tuple[dt.date, dt.date]:
        """From the first day of the month, quarter or year that holds `day`, up to that day."""
        return self.period(grain, day).start, day

    def to_date_last_year(self, grain: Grain, day: dt.date) -> tuple[dt.date, dt.date]:
        """The same days a year before: up to the same date, under a pattern all of them 364 days back."""
        start, end = self.to_date(grain, day)
        if self.pattern is None:
            return add_months(start, -12), add_months(end, -12)
        return start - LIKE_FOR_LIKE, end - LIKE_FOR_LIKE

    def is_fiscal(self, duration: Duration, grain: Grain | None) -> bool:
        """Whether a duration is counted in fiscal months: it and the grain are months or longer, under a pattern."""
        return self.pattern is not None and grain in MONTHS_IN and duration.unit in MONTHS_IN

    def months_before(self, day: dt.date, duration: Duration) -> dt.date:
        """The day so many fiscal months, quarters or years before, at the same place in its month, or at its end."""
        number = self._month_number(day)
        there = number - duration.count * MONTHS_IN[duration.unit]
        place = day - self._first_day(number)
        return min(self._first_day(there) + place, self._first_day(there + 1) - DAY)

    def is_worked(self, day: dt.date) -> bool:
        """Whether a day is one of Monday to Friday, and no holiday."""
        return day.weekday() < _SATURDAY and day not in self.holidays

    def working_days(self, first: dt.date, last: dt.date) -> int:
        """How many days of `first`..`last` are worked: Monday to Friday, without holidays."""
        weeks, rest = divmod(max((last - first).days + 1, 0), 7)
        free = sum(first <= day <= last and day.weekday() < _SATURDAY for day in self.holidays)
        return weeks * 5 + sum((first.weekday() + i) % 7 < _SATURDAY for i in range(rest)) - free

    def _week(self, day: dt.date) -> Period:
        start = day - dt.timedelta(days=(day.weekday() - self.week_starts) % 7)
        decisive = start + dt.timedelta(days={"iso": 3, "first_full": 0, "january_1": 6}[self.week_one])
        number = (decisive.timetuple().tm_yday - 1) // 7 + 1
        end, name = start + dt.timedelta(days=6), f"{decisive.year}-W{number:02d}"
        return Period(start, end, "week", name, self._fiscal_week(start) if self.pattern else "")

    def _fiscal_week(self, start: dt.date) -> str:
        year = self._months("year", self._month_number(start) // 12)
        return f"{year.id}-W{(start - year.start).days // 7 + 1:02d}"

    def _months(self, grain: Grain, index: int) -> Period:
        span = MONTHS_IN[grain]
        start, after = self._first_day(index * span), self._first_day((index + 1) * span)
        return Period(start, after - DAY, grain, self._name(grain, index * span))

    def _month_number(self, day: dt.date) -> int:
        """Months are numbered through all years: number // 12 is the year, number % 12 the month's place in it."""
        return self.pattern.month_number(day) if self.pattern else day.year * 12 + day.month - self.year_starts

    def _first_day(self, number: int) -> dt.date:
        if self.pattern:
            return self.pattern.first_day(number)
        year, month = divmod(number + self.year_starts - 1, 12)
        return dt.date(year, month + 1, 1)

    def _name(self, grain: Grain, number: int) -> str:
        year, place = divmod(number, 12)
        if grain == "month":
            return f"{self._year(year)}-P{place + 1:02d}" if self.pattern else f"{self._first_day(number):%Y-%m}"
        return self._year(year) if grain == "year" else f"{self._year(year)}-Q{place // 3 + 1}"

    def _year(self, year: int) -> str:
        if self.pattern:
            number = year if self.named == "end" else self.pattern.starts_in(year)
        elif self.year_starts == 1:
            return f"{year:04d}"
        else:
            number = year + (1 if self.named == "end" else 0)
        return f"FY{number % 100:02d}"
