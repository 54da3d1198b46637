"""Fiscal years: those that start in another month, and those of whole weeks (4-4-5, 4-5-4).

Retailers count in whole weeks, so that a month always has the same weekdays as the year before. A
pattern deals the weeks to twelve months. A year has the number of the calendar year whose `ends`
day it is nearest to; a 53rd week belongs to its last month.

`CalendarModel` is the calendar of params/company.yaml, `Holiday` a line of params/holidays.yaml.

Source: the NRF's 4-5-4 calendar; IRS, 52-53-week tax years (last weekday of, nearest to).
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import core_schema

from dataops_nb.errors import nearest
from dataops_nb.terms import DAY, MONTHS, WEEKDAYS, Model, Month, Name, Weekday

_YEAR_ENDS = "saturday nearest january 31, saturday nearest january end or last saturday of january"
_FILLING = {"the", "to", "of", "in", "on"}
_KNOWN_WORDS: list[str] = [*WEEKDAYS, *MONTHS, "nearest", "last", "end"]
_ANY_COMMON_YEAR = 2025
_MONTH_NAMES: tuple[Month, ...] = get_args(Month)
_WEEK: tuple[Weekday, ...] = get_args(Weekday)


class YearEnd(Model):
    """The day a year of whole weeks ends on.

    `saturday nearest january 31`, `saturday nearest january end` (`day` is None) or `last saturday
    of january`.
    """

    weekday: Weekday
    rule: Literal["nearest", "last"]
    month: Month
    day: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, dict | YearEnd):
            return value
        return parse_year_end(str(value))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "description": _YEAR_ENDS}

    def __str__(self) -> str:
        if self.rule == "last":
            return f"last {self.weekday} of {self.month}"
        return f"{self.weekday} nearest {self.month} {self.day or 'end'}"

    @property
    def next_month(self) -> Month:
        """The month in which the next year starts, the day after this one ends."""
        if self.day and self.day < _days_in(self.month):
            return self.month
        return _MONTH_NAMES[MONTHS[self.month] % 12]


def parse_year_end(text: str) -> dict[str, Any]:
    """Return the fields of a `YearEnd`: `weekday`, `rule`, `month`, `day`.

    Raises ValueError if the text has none of the forms, with the nearest that has.
    """
    words = [word for word in text.lower().split() if word not in _FILLING]
    fields = _parse_words(words)
    if fields is None:
        hint = f"write {_YEAR_ENDS}"
        known_words = [_nearest_word(word) for word in words]
        meant = _guess_fields(known_words)
        if meant:
            hint = f"did you mean {str(YearEnd.model_validate(meant))!r}?"
        raise ValueError(f"{text!r} names no day that a year can end on; {hint}")
    day, month = fields["day"], fields["month"]
    if day is not None and not 1 <= day <= _days_in(month):
        raise ValueError(f"not every {month} has a day {day}; write {month} end for its last")
    return fields


def _parse_words(words: Sequence[str]) -> dict[str, Any] | None:
    match words:
        case ["last", weekday, month] if weekday in WEEKDAYS and month in MONTHS:
            return {"weekday": weekday, "rule": "last", "month": month, "day": None}
        case [weekday, "nearest", first, second] if weekday in WEEKDAYS:
            # january 31 and 31 january
            for month, day in ((first, second), (second, first)):
                if month in MONTHS and _is_day(day):
                    return {
                        "weekday": weekday,
                        "rule": "nearest",
                        "month": month,
                        "day": _parse_day(day),
                    }
    return None


def _guess_fields(words: Sequence[str]) -> dict[str, Any] | None:
    """Return fields with the weekday, month and day of the words; None without one of the first."""
    weekdays = [word for word in words if word in WEEKDAYS]
    months = [word for word in words if word in MONTHS]
    if not weekdays or not months:
        return None
    days = [_parse_day(word) for word in words if _is_day(word)]
    rule = "last" if "last" in words and not days else "nearest"
    day_in_month = None
    for day in days:
        if day and 1 <= day <= _days_in(months[0]):
            day_in_month = day
            break
    return {"weekday": weekdays[0], "rule": rule, "month": months[0], "day": day_in_month}


def _nearest_word(word: str) -> str:
    """Return the known word that is meant, if one is: january for jan and for janury."""
    beginning = word.rstrip(".")
    for known in _KNOWN_WORDS:
        if len(word) >= 3 and known.startswith(beginning):
            return known
    return nearest(word, _KNOWN_WORDS) or word


def _is_day(word: str) -> bool:
    return word == "end" or bool(re.fullmatch(r"\d{1,2}(st|nd|rd|th)?", word))


def _parse_day(word: str) -> int | None:
    return None if word == "end" else int(re.sub(r"\D", "", word))


def _days_in(month: str) -> int:
    """Return how many days a month has in every year."""
    return gregorian.monthrange(_ANY_COMMON_YEAR, MONTHS[month])[1]


class FiscalYear(Model):
    """The year: `starts:` a month, or `pattern:` with `ends:`; named by the year it ends or \
starts in."""

    starts: Month = Field("january", description="The month the year starts in.")
    named: Literal["end", "start"] = Field(
        "end", description="A year is called after the year it ends or starts in."
    )
    pattern: Literal["4-4-5", "4-5-4", "5-4-4"] | None = Field(
        None, description="Weeks a month of each quarter."
    )
    ends: YearEnd | None = Field(
        None, description="The day a pattern's year ends on: saturday nearest january 31."
    )


class CalendarModel(Model):
    """How days become weeks, months, quarters and years."""

    week_starts: Weekday = Field("monday", description="The first day of a week.")
    year: FiscalYear = Field(FiscalYear(), description="When the year starts and how it is named.")
    week_one: Literal["iso", "first_full", "january_1"] | None = Field(
        None,
        description="Which week is week 1, for weeks that do not start on Monday; "
        "first_full where left out.",
    )

    @property
    def first_weekday(self) -> Weekday:
        """The day weeks start on; under a pattern the one after the last of its years."""
        if self.year.pattern is None or self.year.ends is None:
            return self.week_starts
        return _WEEK[(WEEKDAYS[self.year.ends.weekday] + 1) % 7]


class Holiday(Model):
    """A day on which nobody works."""

    date: dt.date = Field(description="The day.")
    name: Name = Field(description="What the day is called.")


@dataclass(frozen=True)
class Pattern:
    """`weeks` of the three months of each quarter, and the day the year `ends` on.

    Months are numbered through all years: number // 12 is the year, number % 12 the month's place
    in it.
    """

    weeks: tuple[int, int, int]
    ends: YearEnd

    def month_number(self, day: dt.date) -> int:
        """Return the number of the month that holds the day."""
        year = day.year
        while day > self._last_day(year):
            year += 1
        while day <= self._last_day(year - 1):
            year -= 1
        return year * 12 + bisect_right(_first_days(self, year), day) - 1

    def first_day(self, number: int) -> dt.date:
        """Return the first day of the month with this number."""
        year, place = divmod(number, 12)
        return _first_days(self, year)[place]

    def starts_in(self, year: int) -> int:
        """Return the calendar year in which a fiscal year starts.

        The few days by which its start may lie before or after the agreed day do not count.
        """
        return (self._agreed_end(year - 1) + DAY).year

    def _agreed_end(self, year: int) -> dt.date:
        """Return the date that the year's last weekday is nearest to, or must not go beyond."""
        month = MONTHS[self.ends.month]
        return dt.date(year, month, self.ends.day or gregorian.monthrange(year, month)[1])

    def _last_day(self, year: int) -> dt.date:
        agreed = self._agreed_end(year)
        days_back = (agreed.weekday() - WEEKDAYS[self.ends.weekday]) % 7
        if self.ends.rule == "nearest" and days_back > 3:
            return agreed + dt.timedelta(days=7 - days_back)
        return agreed - dt.timedelta(days=days_back)


@lru_cache(maxsize=1024)
def _first_days(pattern: Pattern, year: int) -> tuple[dt.date, ...]:
    """Return the first days of a year's twelve months; a 53rd week lies after the last of them."""
    day = pattern._last_day(year - 1) + DAY
    first_days = []
    for weeks in pattern.weeks * 4:
        first_days.append(day)
        day += dt.timedelta(weeks=weeks)
    return tuple(first_days)
