"""The words, numbers and durations that the company's files are written in."""

from __future__ import annotations

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
Agg = Literal["count", "sum", "average", "min", "max", "median", "count_distinct", "first_seen"]
ColumnType = Literal["integer", "decimal", "text", "date", "timestamp", "boolean"]

MONTHS = {name: i + 1 for i, name in enumerate(Month.__args__)}  # type: ignore[attr-defined]
WEEKDAYS = {name: i for i, name in enumerate(Weekday.__args__)}  # type: ignore[attr-defined]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")

_TEXT_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
Text = Annotated[str, WithJsonSchema(_TEXT_SCHEMA)]
Name = Annotated[str, Field(min_length=1), WithJsonSchema(_TEXT_SCHEMA | {"minLength": 1})]


class Model(BaseModel):
    """The base of every model: strict, frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


_DURATION = r"\s*(\d+)\s*(d|w|m|q|y|days?|weeks?|months?|quarters?|years?|periods?)\s*"
_UNITS = {"d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year", "p": "period"}


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

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_DURATION}$", "description": "14d, 2w, 2 months, 1 period"}

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def days(self) -> int:
        """Its length in days; a month counts 30, a quarter 91, a year 365."""
        return self.count * {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365, "period": 0}[self.unit]


def parse_duration(text: str) -> dict[str, Any]:
    """`{"count": 2, "unit": "month"}` for `2 months`; ValueError where `text` is no duration."""
    hit = re.fullmatch(_DURATION, text)
    if not hit:
        raise ValueError(f"{text!r} is not a duration; write a number with d, w, m, q or y, or the word: 14d, 2 months")
    return {"count": int(hit[1]), "unit": _UNITS[hit[2][0]]}


_TOLERANCE = r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*"
_MEASURED = r"\s*([-+]?\d+(?:\.\d+)?)\s*(%|d|w|days?|weeks?)\s*"


def parse_number(value: Any) -> Any:
    """A number as people write it in a target: 12, 1.5, `3%` (0.03), `3d` (3 days)."""
    if isinstance(value, str):
        hit = re.fullmatch(_MEASURED, value)
        if hit and hit[2] == "%":
            return float(hit[1]) / 100
        return float(hit[1]) * (7 if hit[2][0] == "w" else 1) if hit else value
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Tolerance(Model):
    """How far two systems may differ: `2%` of their mean (relative), or an amount as it is (`50`)."""

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
            raise ValueError(f"{value!r} is not a tolerance; write a share like 2%, or an amount like 50")
        return {"value": float(hit[1]) / (100 if hit[2] else 1), "relative": bool(hit[2])}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_TOLERANCE}$"}]}

    def __str__(self) -> str:
        return f"{self.value * 100:.10g}%" if self.relative else f"{self.value:.10g}"


_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{_MEASURED}$"}]}
Number = Annotated[float, BeforeValidator(parse_number), Field(allow_inf_nan=False), WithJsonSchema(_NUMBER_SCHEMA)]
Names = Annotated[
    list[Name],
    BeforeValidator(lambda value: value if isinstance(value, list | dict | None) else [value]),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [_TEXT_SCHEMA, {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1}]}),
]
