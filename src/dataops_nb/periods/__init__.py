"""Calendars: which days make a week, a month, a quarter, a year, and what a period is called.

Two departments can be compared only when their days are cut the same way. This package is pure date arithmetic: a
`Calendar` names the period of a day, lists periods, finds the one before, the same one last year and the first day of the
month, quarter or year to date, and counts working days. `position` says how far into a period a day lies, `dimension` gives
the same calendar as rows.
"""

from __future__ import annotations

from collections.abc import Iterable

from dataops_nb.definitions.models import MONTHS, WEEKDAYS, CalendarModel, FiscalYear, Holiday
from dataops_nb.periods.calendars import LIKE_FOR_LIKE, Calendar, Period
from dataops_nb.periods.days import add_months, after, before
from dataops_nb.periods.dimension import Day, dimension
from dataops_nb.periods.patterns import Pattern
from dataops_nb.periods.positions import at_position, position

__all__ = [
    "LIKE_FOR_LIKE",
    "Calendar",
    "Day",
    "Pattern",
    "Period",
    "add_months",
    "after",
    "at_position",
    "before",
    "calendar",
    "dimension",
    "position",
]


def calendar(model: CalendarModel, holidays: Iterable[Holiday] = ()) -> Calendar:
    """The calendar that params/company.yaml describes; `holidays` are needed where working days are counted."""
    week_starts = WEEKDAYS[model.first_weekday]
    return Calendar(
        week_starts=week_starts,
        year_starts=MONTHS[model.year.starts],
        named=model.year.named,
        week_one=model.week_one or ("iso" if week_starts == 0 else "first_full"),
        pattern=_pattern(model.year),
        holidays=frozenset(holiday.date for holiday in holidays),
    )


def _pattern(year: FiscalYear) -> Pattern | None:
    if year.pattern is None or year.ends is None:
        return None
    first, second, third = map(int, year.pattern.split("-"))
    return Pattern((first, second, third), year.ends)
