"""Positions: how far into a period a day lies, and which day of another period lies as far into that one.

A period that is still open is compared with what earlier ones had reached by then. In a month "by then" is not the same
date: what comes on working days alone has come further by the tenth of a month that began on a Monday.
"""

from __future__ import annotations

import datetime as dt
from itertools import accumulate

from dataops_nb.periods.calendars import Calendar, Period
from dataops_nb.periods.days import DAY

LEAST = 0.01


def position(cut: Calendar, period: Period, day: dt.date, day_off: float = 1.0) -> float:
    """The share of a period that has passed by the end of a day: 0 before its first, 1 on its last.

    A day off (a weekend, a holiday) counts `day_off` of a working day, at least a hundredth.
    """
    passed = _passed(cut, period, day_off)
    return passed[max((day - period.start).days + 1, 0)] / passed[-1]


def at_position(cut: Calendar, period: Period, share: float, day_off: float = 1.0) -> dt.date:
    """The day of a period by whose end this share of it has passed most nearly; the day before its first for none of it.

    Never the last day, as long as something of the period is to come.
    """
    passed = _passed(cut, period, day_off)
    days = len(passed) - 1 if share < 1 and len(passed) > 2 else len(passed)
    away = [round(abs(reached / passed[-1] - share), 9) for reached in passed[:days]]
    nearest = away.index(min(away))
    return period.start + (nearest - 1) * DAY


def _passed(cut: Calendar, period: Period, day_off: float) -> list[float]:
    """How many working days have passed before the first day, by the end of it, and so on to the last."""
    off = min(max(day_off, LEAST), 1.0)
    days = (period.start + number * DAY for number in range(period.days))
    return list(accumulate((1.0 if cut.is_worked(day) else off for day in days), initial=0.0))
