"""params/company.yaml as types: the calendar, the lights and the sources that all departments share."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, get_args

from pydantic import Field

from dataops_nb.definitions.models.ends import YearEnd
from dataops_nb.definitions.models.terms import (
    WEEKDAYS,
    ColumnType,
    Duration,
    Model,
    Month,
    Name,
    Names,
    Number,
    Text,
    Weekday,
)

_WEEK: tuple[Weekday, ...] = get_args(Weekday)


class FiscalYear(Model):
    """The year: `starts:` a month, or `pattern:` with `ends:`; named by the year it ends or starts in."""

    starts: Month = Field("january", description="The month the year starts in.")
    named: Literal["end", "start"] = Field("end", description="A year is called after the year it ends or starts in.")
    pattern: Literal["4-4-5", "4-5-4", "5-4-4"] | None = Field(None, description="Weeks a month of each quarter.")
    ends: YearEnd | None = Field(None, description="The day a pattern's year ends on: saturday nearest january 31.")


class CalendarModel(Model):
    """How days become weeks, months, quarters and years."""

    week_starts: Weekday = Field("monday", description="The first day of a week.")
    year: FiscalYear = Field(FiscalYear(), description="When the year starts and how it is named.")
    week_one: Literal["iso", "first_full", "january_1"] | None = Field(
        None, description="Which week is week 1, for weeks that do not start on Monday; first_full where left out."
    )

    @property
    def first_weekday(self) -> Weekday:
        """The day weeks start on: the one after the year's last where the year is made of weeks, else as said."""
        if self.year.pattern is None or self.year.ends is None:
            return self.week_starts
        return _WEEK[(WEEKDAYS[self.year.ends.weekday] + 1) % 7]


class Light(Model):
    """One colour: from which attainment on it holds, what it means, what is done, and how soon."""

    at_least: Number | None = Field(None, description="The attainment from which on the colour holds; 1 is on target.")
    means: Name = Field(description="What the colour says, in one sentence.")
    do: Name = Field(description="What is done about it, in one sentence.")
    act_within: Duration | None = Field(None, description="How soon it is done: 5d.")


class Lights(Model):
    """A company's agreement on green, yellow (may be left out) and red."""

    green: Light = Field(description="At or above its threshold.")
    yellow: Light | None = Field(None, description="Below green, at or above its own threshold; may be left out.")
    red: Light = Field(description="Everything below; it has no threshold.")
    policy: Literal["target", "capability"] = Field("target", description="Judge against the target, or its own past.")


class Column(Model):
    """What is agreed about one column of a source."""

    type: ColumnType | None = Field(None, description="The type of its values; found out where left out.")
    required: bool = Field(False, description="true: no cell may be empty.")
    one_of: list[Any] | None = Field(None, description="The only values it may hold.")
    min: Number | None = Field(None, description="The smallest value it may hold.")
    max: Number | None = Field(None, description="The largest value it may hold.")
    unique: bool = Field(False, description="true: no value may stand in two rows.")
    map: dict[Text, Text] | None = Field(None, description="Other spellings, and what to read for each.")
    references: Name | None = Field(None, description="source.column that must hold each of its values.")
    nulls: Number | None = Field(None, description="The highest share of its cells that may be empty: 5%.")


class RowCount(Model):
    """How many rows a source is expected to hold, both ends inclusive."""

    min: int | None = Field(None, ge=0, description="The fewest rows it may hold.")
    max: int | None = Field(None, ge=0, description="The most rows it may hold.")


class Covers(Model):
    """The days a source speaks about, both ends inclusive; `to: as_of` for a source that is always up to date."""

    from_: dt.date | None = Field(default=None, alias="from", description="The first day it speaks about.")
    to: dt.date | Literal["as_of"] | None = Field(
        None, description="The last day it speaks about; as_of: always up to date."
    )


class Source(Model):
    """One system's data: a path, a query over other sources, or a database's url with table or query."""

    system: Name = Field(description="The system it comes from, as people call it: CRM.")
    owner: Name | None = Field(None, description="Who answers for the data.")
    path: Name | None = Field(
        None, description="A csv, tsv, json, parquet or xlsx file, or a glob; from the data folder."
    )
    query: Name | None = Field(None, description="A SELECT over other sources; with url, in its own SQL.")
    url: Name | None = Field(
        None, description="A database: env:NAME, duckdb:FILE, a SQLAlchemy url; with table or query."
    )
    table: Name | None = Field(None, description="The table behind url: crm.deals.")
    watermark: Name | None = Field(
        None, description="SQL over a database's rows that changes whenever they do: max(updated_at)."
    )
    key: Names | None = Field(None, description="The column, or columns, that tell rows apart.")
    latest: Name | None = Field(None, description="Of rows with one key, the one with the largest value here counts.")
    duplicates: Literal["keep"] | None = Field(None, description="keep: rows with one key count each.")
    time: Name | None = Field(None, description="The time column of its measures, unless they name another.")
    timezone: Name | None = Field(None, description="Of times without a zone; the company's where left out.")
    covers: Covers = Field(Covers(), description="The days it speaks about; first to last row where left out.")
    fresh_within: Duration | None = Field(None, description="How old its last row may be: 2d.")
    on_fault: Literal["stop", "mark"] = Field("stop", description="stop publishing, or mark its metrics unknown.")
    rows: RowCount = Field(RowCount(), description="How many rows it must hold: {min: 1000, max: 50000}.")
    columns: dict[Name, Column] = Field({}, description="What is agreed about its columns.")
    encoding: Name | None = Field(None, description="Of text files: cp1252; utf-8 where left out.")
    date_format: Name | None = Field(None, description='How its dates are written: "%m/%d/%Y".')
    decimal: Literal[".", ","] = Field(".", description="The decimal sign of its numbers.")
    delimiter: Name | None = Field(None, description="What separates the cells of a text file.")
    sheet: Name | None = Field(None, description="The sheet of an xlsx file; the first where left out.")
    na: list[Text] = Field([], description="Texts that mean missing, besides the empty cell.")


class Rates(Model):
    """Where exchange rates come from."""

    source: Name = Field(description="The source that holds the rates.")
    time: Name = Field(description="Its column with the day.")
    from_: Name = Field(alias="from", description="Its column with the currency that is converted.")
    to: Name = Field(description="The currency it is converted to.")
    rate: Name = Field(description="Its column with the rate.")
    fill: Literal["previous"] | None = Field(None, description="previous: a day without a rate takes the last one.")
    max_gap: Duration | None = Field(None, description="How old that last rate may be.")


class Company(Model):
    """params/company.yaml."""

    company: Name = Field(description="The company's name.")
    currency: Name = Field("USD", description="The currency all amounts are shown in.")
    locale: Name = Field(
        "en_US", description="How numbers, money and days are written: en_US, de_DE. Words stay English."
    )
    timezone: Name = Field("UTC", description="Days, weeks and months are cut in this time zone: America/New_York.")
    data: Name = Field("data", description="The folder where relative paths start.")
    calendar: CalendarModel = Field(CalendarModel(), description="How weeks and years are cut.")
    north_star: list[Name] = Field([], description="The few metrics everyone looks at.")
    lights: dict[Name, Lights] = Field({}, description="Named agreements on green, yellow and red.")
    rates: Rates | None = Field(None, description="Where exchange rates come from.")
    sources: dict[Name, Source] = Field(description="The data, by name.")
