"""The words, numbers and durations that agreements are written in; steps along the calendar."""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import core_schema

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Month = Literal[
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
]  # fmt: skip
Grain = Literal["day", "week", "month", "quarter", "year"]
Colour = Literal["green", "yellow", "red"]
Better = Literal["up", "down", "inside"]
Role = Literal["input", "outcome", "guardrail"]
Agg = Literal[
    "count", "sum", "average", "min", "max", "median", "percentile", "count_distinct", "first_seen"
]
ColumnType = Literal["integer", "decimal", "text", "date", "timestamp", "boolean"]
MONTHS = {name: i + 1 for i, name in enumerate(Month.__args__)}  # type: ignore[attr-defined]
WEEKDAYS = {name: i for i, name in enumerate(Weekday.__args__)}  # type: ignore[attr-defined]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")
DAY = dt.timedelta(days=1)
# Reports are made as of days between these two; what is longer than LONGEST is no length of time.
FIRST_DAY, LAST_DAY = dt.date(1600, 1, 1), dt.date(2999, 12, 31)
LONGEST = {
    "day": 182_500,
    "week": 26_000,
    "month": 6_000,
    "quarter": 2_000,
    "year": 500,
    "period": 500,
}
# A day that would lie outside of the calendar is the last one that has neighbours.
_EDGES = dt.date(2, 1, 1), dt.date(9998, 12, 31)
MONTHS_IN: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}
_TEXT_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
Text = Annotated[str, WithJsonSchema(_TEXT_SCHEMA)]
Name = Annotated[str, Field(min_length=1), WithJsonSchema(_TEXT_SCHEMA | {"minLength": 1})]
_DURATION = r"\s*(\d+)\s*(d|w|m|q|y|days?|weeks?|months?|quarters?|years?|periods?)\s*"
_UNITS = {"d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year", "p": "period"}
_TOLERANCE = r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*"
_MEASURED = r"\s*([-+]?\d+(?:\.\d+)?)\s*(%|d|w|days?|weeks?)\s*"
_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{_MEASURED}$"}]}


def parse_number(value: Any) -> Any:
    """A number as people write it in a target: 12, 1.5, `3%` (0.03), `3d` (3 days)."""
    if isinstance(value, str):
        hit = re.fullmatch(_MEASURED, value)
        if hit and hit[2] == "%":
            return float(hit[1]) / 100
        return float(hit[1]) * (7 if hit[2][0] == "w" else 1) if hit else value
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[
    float, BeforeValidator(parse_number), Field(allow_inf_nan=False), WithJsonSchema(_NUMBER_SCHEMA)
]
Names = Annotated[
    list[Name],
    BeforeValidator(lambda value: value if isinstance(value, list | dict | None) else [value]),
    Field(min_length=1),
    WithJsonSchema(
        {"anyOf": [_TEXT_SCHEMA, {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1}]}
    ),
]


class Model(BaseModel):
    """The base of every model: strict, frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Duration(Model):
    """A length of time as people write it: `2d`, `14 days`, `2 months`, `1 period`."""

    count: int = Field(ge=0)
    unit: Literal["day", "week", "month", "quarter", "year", "period"]

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, int | float):
            raise ValueError(f"{value} has no unit; write {value}d, {value}w or {value} months")
        return parse_duration(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _refuse_beyond_calendar(self) -> Duration:
        most = LONGEST[self.unit]
        if self.count > most:
            raise ValueError(f"{self} reach beyond the calendar; write at most {most} {self.unit}s")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": f"^{_DURATION}$",
            "description": "14d, 2w, 2 months, 1 period",
        }

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def is_whole(self, grain: Grain) -> bool:
        """Whether it is a number of periods of a grain, wherever it starts."""
        if self.unit == "period" or grain == "day":
            return True
        if grain == "week":
            return self.unit == "week" or (self.unit == "day" and self.count % 7 == 0)
        return self.unit in MONTHS_IN and self.count * MONTHS_IN[self.unit] % MONTHS_IN[grain] == 0

    @property
    def days(self) -> int:
        """Its length in days; a month counts 30, a quarter 91, a year 365."""
        return (
            self.count
            * {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365, "period": 0}[self.unit]
        )


def parse_duration(text: str) -> dict[str, Any]:
    """`{"count": 2, "unit": "month"}` for `2 months`; ValueError where `text` is no duration."""
    hit = re.fullmatch(_DURATION, text)
    if not hit:
        raise ValueError(
            f"{text!r} is not a duration; "
            "write a number with d, w, m, q or y, or the word: 14d, 2 months"
        )
    return {"count": int(hit[1]), "unit": _UNITS[hit[2][0]]}


class Tolerance(Model):
    """How far two systems may differ: `2%` of their mean (relative), or an amount as it is \
(`50`)."""

    value: float = Field(ge=0, allow_inf_nan=False)
    relative: bool = False

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"value": float(value)}
        if not isinstance(value, str):
            return value
        hit = re.fullmatch(_TOLERANCE, value)
        if not hit:
            raise ValueError(
                f"{value!r} is not a tolerance; write a share like 2%, or an amount like 50"
            )
        return {"value": float(hit[1]) / (100 if hit[2] else 1), "relative": bool(hit[2])}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": f"^{_TOLERANCE}$"},
            ]
        }

    def __str__(self) -> str:
        return f"{self.value * 100:.10g}%" if self.relative else f"{self.value:.10g}"


def add_months(day: dt.date, months: int) -> dt.date:
    """The day so many months later; the last day of the month where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not _EDGES[0].year <= year <= _EDGES[1].year:
        return _EDGES[0] if months < 0 else _EDGES[1]
    return dt.date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def before(day: dt.date, duration: Duration) -> dt.date:
    """Return the day that lies a duration earlier, by the calendar; `period` is refused.

    Beyond the calendar it is its first or its last day.
    """
    if duration.unit == "period":
        raise ValueError("a period has a length only within a calendar")
    if duration.unit in MONTHS_IN:
        return add_months(day, -duration.count * MONTHS_IN[duration.unit])
    number = min(max(day.toordinal() - duration.days, _EDGES[0].toordinal()), _EDGES[1].toordinal())
    return dt.date.fromordinal(number)


def after(day: dt.date, duration: Duration) -> dt.date:
    """Return the day that lies a duration later, by the calendar; `period` is refused."""
    return before(day, duration.model_copy(update={"count": -duration.count}))
