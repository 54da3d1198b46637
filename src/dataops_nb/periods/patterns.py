"""Years made of whole weeks: 52 or 53 of them, dealt to twelve months by a pattern such as 4-5-4.

Retailers count this way so that a month always has the same weekdays as the year before. A year is known by the number of
the calendar year whose `ends` day it is nearest to; its 53rd week, where it has one, belongs to its last month.
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from dataops_nb.definitions.models import MONTHS, WEEKDAYS, YearEnd
from dataops_nb.periods.days import DAY


@dataclass(frozen=True)
class Pattern:
    """`weeks` of the three months of each quarter, and the day the year `ends` on.

    Months are numbered through all years: number // 12 is the year, number % 12 the month's place in it.
    """

    weeks: tuple[int, int, int]
    ends: YearEnd

    def month_number(self, day: dt.date) -> int:
        """The number of the month that holds the day."""
        year = day.year
        while day > self._last_day(year):
            year += 1
        while day <= self._last_day(year - 1):
            year -= 1
        return year * 12 + bisect_right(_first_days(self, year), day) - 1

    def first_day(self, number: int) -> dt.date:
        """The first day of the month with this number."""
        year, place = divmod(number, 12)
        return _first_days(self, year)[place]

    def starts_in(self, year: int) -> int:
        """The calendar year in which the year of this number starts, the few days left aside by which it may slip."""
        return (self._meant(year - 1) + DAY).year

    def _meant(self, year: int) -> dt.date:
        """The day of the month that the year's last weekday is nearest to, or must not go beyond."""
        month = MONTHS[self.ends.month]
        return dt.date(year, month, self.ends.day or gregorian.monthrange(year, month)[1])

    def _last_day(self, year: int) -> dt.date:
        meant = self._meant(year)
        back = (meant.weekday() - WEEKDAYS[self.ends.weekday]) % 7
        forward = self.ends.rule == "nearest" and back > 3
        return meant + dt.timedelta(days=(7 if forward else 0) - back)


@lru_cache(maxsize=1024)
def _first_days(pattern: Pattern, year: int) -> tuple[dt.date, ...]:
    """The first days of a year's twelve months; what a 53rd week adds lies after the last of them."""
    first = pattern._last_day(year - 1) + DAY
    weeks = accumulate([0, *(pattern.weeks * 4)[:-1]])
    return tuple(first + dt.timedelta(weeks=passed) for passed in weeks)
