"""The day a year of whole weeks ends on, in the words that people use for it."""

from __future__ import annotations

import calendar as gregorian
import re
from collections.abc import Sequence
from typing import Any, Literal, get_args

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic_core import core_schema

from dataops_nb.definitions.models.terms import MONTHS, WEEKDAYS, Model, Month, Weekday
from dataops_nb.errors import nearest

_FORMS = "saturday nearest january 31, saturday nearest january end or last saturday of january"
_FILLING = {"the", "to", "of", "in", "on"}
_WORDS = [*WEEKDAYS, *MONTHS, "nearest", "last", "end"]
_ANY_COMMON_YEAR = 2025
_MONTHS: tuple[Month, ...] = get_args(Month)


class YearEnd(Model):
    """`saturday nearest january 31`, `saturday nearest january end` (`day` is None) or `last saturday of january`."""

    weekday: Weekday
    rule: Literal["nearest", "last"]
    month: Month
    day: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        return value if isinstance(value, dict | YearEnd) else parse_year_end(str(value))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "description": _FORMS}

    def __str__(self) -> str:
        if self.rule == "last":
            return f"last {self.weekday} of {self.month}"
        return f"{self.weekday} nearest {self.month} {self.day or 'end'}"

    @property
    def next_month(self) -> Month:
        """The month of the day after the one that the weekday is nearest to, or the last of: where the year starts."""
        longest = _days_of(self.month)
        return self.month if self.day and self.day < longest else _MONTHS[MONTHS[self.month] % 12]


def parse_year_end(text: str) -> dict[str, Any]:
    """`{"weekday": "saturday", "rule": "nearest", "month": "january", "day": 31}`; ValueError names the nearest form."""
    words = [word for word in text.lower().split() if word not in _FILLING]
    found = _read(words)
    if found is None:
        meant = _meant([nearest(_whole(word), _WORDS) or word for word in words])
        near = f"; did you mean {str(YearEnd.model_validate(meant))!r}?" if meant else f"; write {_FORMS}"
        raise ValueError(f"{text!r} names no day that a year can end on{near}")
    if (found["day"] or 1) not in range(1, _days_of(found["month"]) + 1):
        raise ValueError(
            f"not every {found['month']} has a day {found['day']}; write {found['month']} end for its last"
        )
    return found


def _read(words: Sequence[str]) -> dict[str, Any] | None:
    match words:
        case ["last", weekday, month] if weekday in WEEKDAYS and month in MONTHS:
            return {"weekday": weekday, "rule": "last", "month": month, "day": None}
        case [weekday, "nearest", *where] if weekday in WEEKDAYS and len(where) == 2:
            months, days = [word for word in where if word in MONTHS], [_day(word) for word in where if _is_day(word)]
            if len(months) == len(days) == 1:
                return {"weekday": weekday, "rule": "nearest", "month": months[0], "day": days[0]}
    return None


def _meant(words: Sequence[str]) -> dict[str, Any] | None:
    """The form that has the same weekday, month and day; None where there is no weekday or no month."""
    weekdays, months = ([word for word in words if word in known] for known in (WEEKDAYS, MONTHS))
    if not weekdays or not months:
        return None
    days = [_day(word) for word in words if _is_day(word)]
    day = next((day for day in days if day and 1 <= day <= _days_of(months[0])), None)
    rule = "last" if "last" in words and not days else "nearest"
    return {"weekday": weekdays[0], "rule": rule, "month": months[0], "day": day}


def _whole(word: str) -> str:
    """The whole word of an abbreviation: january for jan."""
    return next((known for known in _WORDS if len(word) >= 3 and known.startswith(word.rstrip("."))), word)


def _is_day(word: str) -> bool:
    return word == "end" or bool(re.fullmatch(r"\d{1,2}(st|nd|rd|th)?", word))


def _day(word: str) -> int | None:
    return None if word == "end" else int(re.sub(r"\D", "", word))


def _days_of(month: str) -> int:
    return gregorian.monthrange(_ANY_COMMON_YEAR, MONTHS[month])[1]
