"""The company's files as types: what may stand in params/, and what each key means.

Strict: a key that is not here is a mistake. The public meaning of every key is in docs/reference/definitions.md.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

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
Name = Annotated[str, Field(min_length=1)]

MONTHS = {name: i + 1 for i, name in enumerate(Month.__args__)}  # type: ignore[attr-defined]
WEEKDAYS = {name: i for i, name in enumerate(Weekday.__args__)}  # type: ignore[attr-defined]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")


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
        return value if not isinstance(value, str) else parse_duration(value)

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def days(self) -> int:
        """Its length in days; a month counts 30, a quarter 91, a year 365."""
        return self.count * {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365, "period": 0}[self.unit]


_DURATION = re.compile(r"^\s*(\d+)\s*(d|w|m|q|y|days?|weeks?|months?|quarters?|years?|periods?)\s*$")
_UNITS = {"d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year", "p": "period"}


def parse_duration(text: str) -> dict[str, Any]:
    """`{"count": 2, "unit": "month"}` for `2 months`; ValueError where `text` is no duration."""
    hit = _DURATION.match(text)
    if not hit:
        raise ValueError(f"{text!r} is not a duration; write a number with d, w, m, q or y, or the word: 14d, 2 months")
    return {"count": int(hit[1]), "unit": _UNITS[hit[2][0]]}


def parse_number(value: Any) -> Any:
    """A number as people write it in a target: 12, 1.5, `3%` (0.03), `3d` (3 days)."""
    if isinstance(value, str):
        text = value.strip()
        if text.endswith("%"):
            try:
                return float(text[:-1]) / 100
            except ValueError:
                return value
        hit = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*(d|w|days?|weeks?)", text)
        if hit:
            return float(hit[1]) * (7 if hit[2][0] == "w" else 1)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[float, BeforeValidator(parse_number), Field(allow_inf_nan=False)]
Names = Annotated[list[Name], BeforeValidator(lambda v: [v] if isinstance(v, str) else v), Field(min_length=1)]


# --- company.yaml ---------------------------------------------------------------------------------------------------


class FiscalYear(Model):
    """The year: `starts:` a month, or `pattern:` with `ends:`; named by the year it ends in, or by the one it starts in."""

    starts: Month = "january"
    named: Literal["end", "start"] = "end"
    pattern: Literal["4-4-5", "4-5-4", "5-4-4"] | None = None
    ends: Name | None = None


class CalendarModel(Model):
    """How days become weeks, months, quarters and years."""

    week_starts: Weekday = "monday"
    year: FiscalYear = FiscalYear()
    week_one: Literal["iso", "first_full", "january_1"] | None = None


class Light(Model):
    """One colour: from which attainment on it holds, what it means, what is done, and how soon."""

    at_least: Number | None = None
    means: Name
    do: Name
    act_within: Duration | None = None


class Lights(Model):
    """A company's agreement on green, yellow (may be left out) and red."""

    green: Light
    yellow: Light | None = None
    red: Light
    policy: Literal["target", "capability"] = "target"


class Column(Model):
    """What is agreed about one column of a source."""

    type: ColumnType | None = None
    required: bool = False
    one_of: list[Any] | None = None
    min: Number | None = None
    max: Number | None = None
    unique: bool = False
    map: dict[str, str] | None = None
    references: Name | None = None


class Covers(Model):
    """The days a source speaks about, both ends inclusive; `to: as_of` for a source that is always up to date."""

    from_: dt.date | None = Field(default=None, alias="from")
    to: dt.date | Literal["as_of"] | None = None


class Source(Model):
    """One system's data: exactly one of path, query, url."""

    system: Name
    owner: Name | None = None
    path: Name | None = None
    query: Name | None = None
    url: Name | None = None
    table: Name | None = None
    key: Names | None = None
    latest: Name | None = None
    duplicates: Literal["keep"] | None = None
    time: Name | None = None
    timezone: Name | None = None
    covers: Covers = Covers()
    fresh_within: Duration | None = None
    on_fault: Literal["stop", "mark"] = "stop"
    columns: dict[Name, Column] = {}
    encoding: Name | None = None
    date_format: Name | None = None
    decimal: Literal[".", ","] = "."
    delimiter: Name | None = None
    sheet: Name | None = None
    na: list[str] = []


class Rates(Model):
    """Where exchange rates come from."""

    source: Name
    time: Name
    from_: Name = Field(alias="from")
    to: Name
    rate: Name
    fill: Literal["previous"] | None = None
    max_gap: Duration | None = None


class Company(Model):
    """params/company.yaml."""

    company: Name
    currency: Name = "USD"
    timezone: Name = "UTC"
    data: Name = "data"
    calendar: CalendarModel = CalendarModel()
    north_star: list[Name] = []
    lights: dict[Name, Lights] = {}
    rates: Rates | None = None
    sources: dict[Name, Source]


# --- departments/*.yaml ---------------------------------------------------------------------------------------------


class Open(Model):
    """Rows are spans: open from the day in `from` until the day before the one in `to`; an empty `to` is still open."""

    from_: Name = Field(alias="from")
    to: Name


class Measure(Model):
    """What is aggregated of which rows."""

    source: Name
    agg: Agg
    expr: Name | None = None
    filter: Name | None = None
    exclude: Name | None = None
    time: Name | None = None
    currency: Name | None = None
    at: Literal["end"] | None = None
    open: Open | None = None


class Listed(Model):
    """A dimension whose members are listed in another source: `{column: agent, values: staff.agent}`."""

    column: Name
    values: Name | None = None


class SourceTarget(Model):
    """Targets that stand in a source."""

    source: Name
    column: Name
    per: Grain | None = None
    match: dict[Name, Name] = {}


class Target(Model):
    """A dated target: a value, or a band `low`..`high` for `better: inside`."""

    from_: dt.date | None = Field(default=None, alias="from")
    per: Grain | None = None
    by: Literal["days", "working_days"] = "days"
    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    season: dict[Month, Number] = {}
    shape: Literal["last_year"] | None = None


class Because(Model):
    """A dated decision about limits, with its reason."""

    from_: dt.date = Field(alias="from")
    to: dt.date | None = None
    because: Name


class Limits(Model):
    """How process limits are computed."""

    range: Literal["mean", "median"] = "mean"
    screen: bool = False
    rebase: list[Because] = []
    lock: Because | None = None


class Accept(Model):
    """A known light that somebody answers for until a date."""

    light: Literal["red", "yellow", "unreconciled"]
    owner: Name
    until: dt.date
    because: Name


class Moves(Model):
    """A declared link: this metric moves another one, after a while."""

    metric: Name
    after: Duration | None = None
    effect: Literal["same", "opposite"] = "same"
    useful: Number | None = None
    because: Name | None = None


class Sides(Model):
    """One column's name on either side of a reconciliation."""

    left: Name
    right: Name


class Reconcile(Model):
    """The same metric in another system."""

    with_: Name = Field(alias="with")
    key: Sides
    amount: Sides | None = None
    tolerance: Number = 0.0


class Offset(Model):
    """A metric of an earlier period: `{metric: active_customers, offset: 1 period}`."""

    metric: Name
    offset: Duration


class MetricBase(Model):
    """What every metric may say, whatever its type."""

    label: Name | None = None
    question: Name | None = None
    role: Role | None = None
    better: Better = "up"
    unit: str = ""
    grains: Annotated[list[Grain], Field(min_length=1)] = list(GRAINS)
    by: list[Name | list[Name] | Listed] = []
    targets: list[Target | SourceTarget] = []
    lights: Name | Lights | None = None
    policy: Literal["target", "capability"] | None = None
    limits: Limits = Limits()
    accept: list[Accept] = []
    moves: list[Moves] = []
    reconcile: list[Reconcile] = []
    pitch: dict[Name, Name] = {}


class Simple(MetricBase):
    """One aggregation over rows."""

    type: Literal["simple"]
    measure: Measure


class Ratio(MetricBase):
    """Two metrics, each aggregated first, then divided."""

    type: Literal["ratio"]
    numerator: Name | Offset
    denominator: Name | Offset


class Cumulative(MetricBase):
    """A metric over a window that ends on the period's last day."""

    type: Literal["cumulative"]
    metric: Name
    window: Duration


class Derived(MetricBase):
    """Arithmetic on metrics of one period."""

    type: Literal["derived"]
    expr: Name


class Conversion(MetricBase):
    """Of the entities with the base event, the share that converts within the window."""

    type: Literal["conversion"]
    base_metric: Name
    conversion_metric: Name
    entity: Name
    window: Duration


Metric = Annotated[Simple | Ratio | Cumulative | Derived | Conversion, Field(discriminator="type")]


class BetterColumn(Model):
    """The good direction of an indicator, read from a column."""

    column: Name
    map: dict[str, Better]


class MetricsFrom(Model):
    """A long table of indicators: one metric a row's id."""

    source: Name
    id: Name
    prefix: str = ""
    label: Name | None = None
    department: Name | None = None
    expr: Name
    agg: Agg = "sum"
    at: Literal["end"] | None = None
    target: Name | None = None
    better: Better | BetterColumn = "up"


class Department(Model):
    """params/departments/NAME.yaml, its defaults already merged into its metrics."""

    department: Name
    owner: Name | None = None
    metrics: dict[Name, Metric] = {}
    metrics_from: list[MetricsFrom] = []


# --- the other files ------------------------------------------------------------------------------------------------


class Report(Model):
    """One notebook and its parameters; `each: department` makes one report a department."""

    notebook: Name
    parameters: dict[Name, str | int | float | bool | dt.date] = {}
    each: Literal["department"] | None = None


class Mail(Model):
    """Who is told."""

    success: list[Name] = []
    failure: list[Name] = []
    only_on_change: bool = False


class Suite(Model):
    """Reports that are refreshed together."""

    cadence: Grain = "week"
    reports: dict[Name, Report]
    mail: Mail | None = None


class Event(Model):
    """Something that happened on a day: a release, a campaign, an outage, a price change."""

    date: dt.date
    title: Name
    kind: Name
    metrics: list[Name] = []


class Item(Model):
    """One thing to solve."""

    id: Name
    title: Name
    metric: Name | None = None
    raised_by: Name | None = None
    raised_on: dt.date | None = None
    effort: Duration | None = None
    asked: int = 0
    due: dt.date | None = None
    owner: Name | None = None
    state: Literal["open", "doing", "done", "dropped"] = "open"


class Holiday(Model):
    """A day on which nobody works."""

    date: dt.date
    name: Name


class Definitions(Model):
    """Everything under params/, checked against itself."""

    company: Company
    departments: dict[str, Department]
    suites: dict[str, Suite] = {}
    events: list[Event] = []
    solve_next: list[Item] = []
    glossary: dict[str, str] = {}
    holidays: list[Holiday] = []

    @property
    def metrics(self) -> dict[str, Simple | Ratio | Cumulative | Derived | Conversion]:
        """Every metric by id, in the order of the files."""
        return {id_: metric for department in self.departments.values() for id_, metric in department.metrics.items()}

    def department_of(self, metric: str) -> str:
        """The id of the department that owns a metric."""
        return next(name for name, department in self.departments.items() if metric in department.metrics)

    def label(self, metric: str) -> str:
        """A metric's label, or its id in words."""
        return self.metrics[metric].label or metric.replace("_", " ").capitalize()

    def role(self, metric: str) -> Role:
        """A metric's role: what it says, or outcome where it is a North Star, else input."""
        return self.metrics[metric].role or ("outcome" if metric in self.company.north_star else "input")

    def lights(self, metric: str) -> Lights | None:
        """The lights a metric is judged by, or None where nothing is agreed."""
        said = self.metrics[metric].lights
        return self.company.lights[said] if isinstance(said, str) else said
