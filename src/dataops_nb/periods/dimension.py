"""The calendar as rows, one a day: what a warehouse or a spreadsheet joins to cut time as the company does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from dataops_nb.definitions.models import GRAINS
from dataops_nb.periods.calendars import Calendar


class Day(NamedTuple):
    """A day, the ids of its periods, and whether it is worked; `fiscal_week` is empty without a pattern."""

    day: dt.date
    week: str
    month: str
    quarter: str
    year: str
    fiscal_week: str
    working: bool


def dimension(cut: Calendar, first: dt.date, last: dt.date) -> Iterator[Day]:
    """One row for each day of `first`..`last`, oldest first."""
    for offset in range((last - first).days + 1):
        day = first + dt.timedelta(days=offset)
        week, month, quarter, year = (cut.period(grain, day) for grain in GRAINS[1:])
        worked = cut.working_days(day, day) == 1
        yield Day(day, week.id, month.id, quarter.id, year.id, week.fiscal, worked)
