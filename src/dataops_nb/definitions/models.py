"""The files of params/ as types; of metrics, lights and targets see `metrics`, the ground.

What may stand in a file, and what each key means. Strict: a key that is not here is a mistake.
docs/reference/definitions.md explains every key to people; the JSON Schemas that `write_schema`
makes of these types explain them to an editor. `Definitions` is all files together: a `Company`
with its sources and reports.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.json_schema import SkipJsonSchema

from dataops_nb import company
from dataops_nb.company import AnyEvent, Company, Item, Origin, Rates
from dataops_nb.metrics import Lights, MetricBase
from dataops_nb.periods.fiscal import CalendarModel, Holiday
from dataops_nb.terms import (
    Agg,
    Better,
    ColumnType,
    Duration,
    Grain,
    Model,
    Name,
    Names,
    Number,
    Text,
)

if TYPE_CHECKING:
    from dataops_nb.alignment.rows import Usage

# The keys of company.yaml, and the fields of `Definitions` that hold them.
_FIELDS = {
    "company": "name",
    "currency": "currency",
    "locale": "locale",
    "timezone": "timezone",
    "data": "data",
    "calendar": "calendar",
    "north_star": "north_star",
    "lights": "named_lights",
    "rates": "rates",
    "site_url": "site_url",
    "sources": "sources",
}
DRAFT = "http://json-schema.org/draft-07/schema#"


# A number, or a day for columns of days and moments.
Bound = Number | dt.date


class Covers(Model):
    """The days a source speaks about, both ends inclusive; `to: as_of` for a source that is \
always up to date."""

    from_: dt.date | None = Field(
        default=None, alias="from", description="The first day it speaks about."
    )
    to: dt.date | Literal["as_of"] | None = Field(
        None, description="The last day it speaks about; as_of: always up to date."
    )


class RowCount(Model):
    """How many rows a source is expected to hold, both ends inclusive."""

    min: int | None = Field(None, ge=0, description="The fewest rows it may hold.")
    max: int | None = Field(None, ge=0, description="The most rows it may hold.")


class Column(Model):
    """What is agreed about one column of a source."""

    type: ColumnType | None = Field(
        None, description="The type of its values; found out where left out."
    )
    required: bool = Field(False, description="true: no cell may be empty.")
    one_of: list[Any] | None = Field(None, description="The only values it may hold.")
    min: Bound | None = Field(None, description="The smallest number, or first day, it may hold.")
    max: Bound | None = Field(None, description="The largest number, or last day, it may hold.")
    unique: bool = Field(False, description="true: no value may stand in two rows.")
    map: dict[Text, Text] | None = Field(
        None, description="Other spellings, and what to read for each."
    )
    references: Name | None = Field(
        None, description="source.column that must hold each of its values."
    )
    nulls: Number | None = Field(
        None, description="The highest share of its cells that may be empty: 5%."
    )


class Source(Model):
    """One system's data: a path, a query over other sources, or a database's url with table \
or query."""

    system: Name = Field(description="The system it comes from, as people call it: CRM.")
    owner: Name | None = Field(None, description="Who answers for the data.")
    path: Name | None = Field(
        None, description="A csv, tsv, json, parquet or xlsx file, or a glob; from the data folder."
    )
    query: Name | None = Field(
        None, description="A SELECT over other sources; with url, in its own SQL."
    )
    url: Name | None = Field(
        None,
        description="A database: env:NAME, duckdb:FILE, a SQLAlchemy url; with table or query.",
    )
    table: Name | None = Field(None, description="The table behind url: crm.deals.")
    watermark: Name | None = Field(
        None,
        description="SQL over a database's rows that changes whenever they do: max(updated_at).",
    )
    key: Names | None = Field(None, description="The column, or columns, that tell rows apart.")
    latest: Name | None = Field(
        None, description="Of rows with one key, the one with the largest value here counts."
    )
    duplicates: Literal["keep"] | None = Field(
        None, description="keep: rows with one key count each."
    )
    time: Name | None = Field(
        None, description="The time column of its measures, unless they name another."
    )
    exists_from: Name | None = Field(
        None,
        description="The time from which a row is known, where it is not time; empty: always.",
    )
    timezone: Name | None = Field(
        None, description="Of times without a zone; the company's where left out."
    )
    covers: Covers = Field(
        Covers(), description="The days it speaks about; first to last row where left out."
    )
    fresh_within: Duration | None = Field(None, description="How old its last row may be: 2d.")
    on_fault: Literal["stop", "mark"] = Field(
        "stop", description="stop publishing, or mark its metrics unknown."
    )
    rows: RowCount = Field(
        RowCount(), description="How many rows it must hold: {min: 1000, max: 50000}."
    )
    columns: dict[Name, Column] = Field({}, description="What is agreed about its columns.")
    encoding: Name | None = Field(None, description="Of text files: cp1252; utf-8 where left out.")
    date_format: Name | None = Field(None, description='How its dates are written: "%m/%d/%Y".')
    decimal: Literal[".", ","] = Field(".", description="The decimal sign of its numbers.")
    thousands: Text | None = Field(
        None, description='What groups the digits of its numbers in threes: ",".'
    )
    delimiter: Name | None = Field(None, description="What separates the cells of a text file.")
    widths: list[Annotated[int, Field(gt=0)]] | None = Field(
        None,
        min_length=1,
        description="How many letters wide each column of a text file is that has no delimiter; "
        "the last one goes on to the line's end: [10, 24, 8].",
    )
    records: Name | None = Field(
        None,
        description="The list in a JSON file that holds its rows, as APIs answer; dots lead into "
        "objects: data.orders.",
    )
    sheet: Name | None = Field(
        None,
        description="The sheet of a workbook, or an Excel table or a named range in it; the only "
        "visible sheet where left out.",
    )
    na: list[Text] = Field([], description="Texts that mean missing, besides the empty cell.")
    skip: list[Text] = Field(
        [],
        description="Lines that are no rows, such as totals, by a text in one of their first two "
        "cells; a * at its end stands for anything.",
    )
    year_from: dt.date | None = Field(
        None,
        description="The first of the twelve months in which days without a year lie: 2026-01-01.",
    )
    header: Literal["none"] | int | None = Field(
        None, description="The line that names the columns, 1 where left out; none: no line does."
    )
    names: list[Name] | None = Field(
        None, min_length=1, description="Its columns in their order, instead of the header's names."
    )
    footer: int = Field(
        0, ge=0, description="How many lines at the end, blank ones aside, are no rows."
    )


class CompanyFile(Model):
    """params/company.yaml."""

    model_config = ConfigDict(title="Company")

    company: Name = Field(description="The company's name.")
    currency: Name = Field("USD", description="The currency all amounts are shown in.")
    locale: Name = Field(
        "en_US",
        description="How numbers, money and days are written: en_US, de_DE. Words stay English.",
    )
    timezone: Name = Field(
        "UTC", description="Days, weeks and months are cut in this time zone: America/New_York."
    )
    data: Name = Field("data", description="The folder where relative paths start.")
    sample: bool = Field(
        False, description="This is the sample company: its data are made where they are missing."
    )
    calendar: CalendarModel = Field(CalendarModel(), description="How weeks and years are cut.")
    north_star: list[Name] = Field([], description="The few metrics everyone looks at.")
    lights: dict[Name, Lights] = Field({}, description="Named agreements on green, yellow and red.")
    rates: Rates | None = Field(None, description="Where exchange rates come from.")
    site_url: Name | None = Field(
        None, description="The address under which out/ is published, for links in mails."
    )
    sources: dict[Name, Source] = Field(description="The data, by name.")

    def fields(self) -> dict[str, Any]:
        """Return its values as fields of `Definitions`."""
        return {field: getattr(self, key) for key, field in _FIELDS.items()}


class Defaults(MetricBase):
    """What holds for every metric of a department that does not say otherwise."""

    source: Name | None = Field(None, description="The source of simple metrics.")
    time: Name | None = Field(None, description="The time column of simple metrics of that source.")


class BetterColumn(Model):
    """The good direction of an indicator, read from a column."""

    column: Name = Field(description="The column with the direction.")
    map: dict[Text, Better] = Field(description="Its values, and the direction each means.")


class MetricsFrom(Model):
    """A long table of indicators: one metric a row's id."""

    source: Name = Field(description="The source of the rows.")
    id: Name = Field(description="The column with the indicator's id.")
    prefix: Text = Field("", description="Put before the id to make the metric's id.")
    label: Name | None = Field(None, description="The column with the label.")
    department: Name | None = Field(None, description="The column with the department.")
    expr: Name = Field(description="The column or SQL expression with the value.")
    agg: Agg = Field("sum", description="How rows become one value.")
    q: Number | None = Field(
        None, gt=0, lt=1, description="Of agg: percentile, the share of values below: 0.9."
    )
    at: Literal["end"] | None = Field(None, description="end: a stock.")
    target: Name | None = Field(None, description="The column with the target.")
    better: Better | BetterColumn = Field(
        "up", description="The good direction, or the column that says it."
    )


class Department(company.Department):
    """params/departments/NAME.yaml, its defaults already merged into its metrics."""

    defaults: SkipJsonSchema[Defaults] = Field(Defaults(), description="For every metric below.")
    metrics_from: list[MetricsFrom] = Field(
        [], description="Metrics from long tables of indicators."
    )


class Report(Model):
    """One notebook and its parameters; `each: department` makes one report a department."""

    notebook: Name = Field(description="The notebook's file in notebooks/.")
    parameters: dict[Name, str | int | float | bool | dt.date] = Field(
        {}, description="Values for its parameters."
    )
    each: Literal["department"] | None = Field(
        None, description="department: one report a department."
    )


class Mail(Model):
    """Who gets mail."""

    success: list[Name] = Field([], description="Who gets the pages.")
    failure: list[Name] = Field([], description="Who hears of a report that failed.")
    only_on_change: bool = Field(False, description="true: only when a light has changed.")
    digest: dict[Name, list[Name]] = Field(
        {}, description="Who gets one mail a week, about which reports; [] for all of the suite."
    )


class Suite(Model):
    """Reports that are refreshed together."""

    cadence: Grain = Field(
        "week", description="How often: once a day, week, month, quarter or year."
    )
    reports: dict[Name, Report] = Field(
        description="The reports by id; the id is its folder's name."
    )
    mail: Mail | None = Field(None, description="Who gets mail.")


KINDS: dict[str, Any] = {
    "company": CompanyFile,
    "department": Department,
    "reports": dict[Name, Suite],
    "events": list[AnyEvent],
    "solve_next": list[Item],
    "glossary": dict[Text, Text],
    "holidays": list[Holiday],
}


class Definitions(Company):
    """Everything under params/, checked against itself: a company, its sources and reports."""

    departments: Mapping[str, Department]
    data: Name = Field("data", description="The folder where relative paths start.")
    sample: bool = Field(
        False, description="This is the sample company: its data are made where they are missing."
    )
    site_url: Name | None = Field(None, description="The address that out/ is published under.")
    sources: dict[Name, Source] = Field({}, description="The data, by name.")
    suites: dict[str, Suite] = Field({}, description="Reports that are refreshed together.")

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, value: Any) -> Any:
        """Accept the content of company.yaml as one value, `company`, too."""
        if not isinstance(value, dict) or "company" not in value:
            return value
        file = CompanyFile.model_validate(value["company"])
        fields = file.fields() | value
        del fields["company"]
        return fields

    @property
    def origins(self) -> Mapping[str, Origin]:
        """The sources of its data by name."""
        return self.sources

    @property
    def company(self) -> CompanyFile:
        """The content of company.yaml, for notebooks that read `definitions.company.north_star`."""
        values = {key: getattr(self, field) for key, field in _FIELDS.items()}
        return CompanyFile.model_construct(**values)

    @cached_property
    def usage(self) -> Usage:
        """The metrics and sources that somebody has looked at under these definitions."""
        from dataops_nb.alignment.rows import Usage  # noqa: PLC0415  brings pandas

        return Usage()


def write_schema(folder: Path) -> list[Path]:
    """Write NAME.schema.json for every kind of file into `folder`, and return the files.

    The folder is made where it is missing.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name in KINDS:
        path = folder / f"{name}.schema.json"
        text = json.dumps(schema_of(name), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8", newline="\n")
        written.append(path)
    return written


def schema_of(name: str) -> dict[str, Any]:
    """Return the schema of one kind of file as people write it.

    A department has defaults, and its measures may leave out the source.
    """
    schema = TypeAdapter(KINDS[name]).json_schema(by_alias=True)
    if name == "department":
        _add_defaults(schema)
    schema.pop("title", None)
    return {"$schema": DRAFT, "title": f"params: {name}", **schema}


def _add_defaults(schema: dict[str, Any]) -> None:
    defaults = TypeAdapter(Defaults).json_schema(by_alias=True)
    schema["$defs"] |= defaults.pop("$defs", {})
    schema["$defs"]["Defaults"] = defaults
    schema["$defs"]["Measure"]["required"].remove("source")
    schema["properties"]["defaults"] = {
        "$ref": "#/$defs/Defaults",
        "description": "For every metric below.",
    }
