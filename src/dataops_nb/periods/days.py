"""Steps along the plain calendar: months added to a day, and the day a duration earlier."""

from __future__ import annotations

import calendar as gregorian
import datetime as dt

from dataops_nb.definitions.models import Duration

DAY = dt.timedelta(days=1)
MONTHS_IN: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}


def add_months(day: dt.date, months: int) -> dt.date:
    """The day so many months later; the last day of the month where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def before(day: dt.date, duration: Duration) -> dt.date:
    """The day that lies a duration earlier; months, quarters and years by the calendar, `period` is refused."""
    if duration.unit == "period":
        raise ValueError("a period has a length only within a calendar")
    if duration.unit in MONTHS_IN:
        return add_months(day, -duration.count * MONTHS_IN[duration.unit])
    return day - dt.timedelta(days=duration.days)


def after(day: dt.date, duration: Duration) -> dt.date:
    """The day that lies a duration later; months, quarters and years by the calendar, `period` is refused."""
    return before(day, duration.model_copy(update={"count": -duration.count}))
