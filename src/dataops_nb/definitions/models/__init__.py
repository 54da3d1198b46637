"""The company's files as types: what may stand in params/, and what each key means.

Strict: a key that is not here is a mistake. The public meaning of every key is in docs/reference/definitions.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import Field

from dataops_nb.definitions.models.company import (
    CalendarModel,
    Column,
    Company,
    Covers,
    FiscalYear,
    Light,
    Lights,
    Rates,
    RowCount,
    Source,
)
from dataops_nb.definitions.models.ends import YearEnd
from dataops_nb.definitions.models.metrics import (
    Accept,
    Because,
    BetterColumn,
    Conversion,
    Cumulative,
    Defaults,
    Department,
    Derived,
    Limits,
    Listed,
    Measure,
    Metric,
    MetricBase,
    MetricsFrom,
    Moves,
    Offset,
    Open,
    OwnTarget,
    Ratio,
    Reconcile,
    Sides,
    Simple,
    SourceTarget,
    Target,
)
from dataops_nb.definitions.models.records import (
    AnyEvent,
    Event,
    FromColumn,
    Holiday,
    Item,
    Mail,
    Report,
    SourceEvents,
    Suite,
)
from dataops_nb.definitions.models.terms import (
    GRAINS,
    MONTHS,
    WEEKDAYS,
    Agg,
    Better,
    Colour,
    ColumnType,
    Duration,
    Grain,
    Model,
    Month,
    Name,
    Names,
    Number,
    Role,
    Text,
    Tolerance,
    Weekday,
    parse_duration,
    parse_number,
)

__all__ = [
    "GRAINS",
    "MONTHS",
    "WEEKDAYS",
    "Accept",
    "Agg",
    "AnyEvent",
    "Because",
    "Better",
    "BetterColumn",
    "CalendarModel",
    "Colour",
    "Column",
    "ColumnType",
    "Company",
    "Conversion",
    "Covers",
    "Cumulative",
    "Defaults",
    "Definitions",
    "Department",
    "Derived",
    "Duration",
    "Event",
    "FiscalYear",
    "FromColumn",
    "Grain",
    "Holiday",
    "Item",
    "Light",
    "Lights",
    "Limits",
    "Listed",
    "Mail",
    "Measure",
    "Metric",
    "MetricBase",
    "MetricsFrom",
    "Model",
    "Month",
    "Moves",
    "Name",
    "Names",
    "Number",
    "Offset",
    "Open",
    "OwnTarget",
    "Rates",
    "Ratio",
    "Reconcile",
    "Report",
    "Role",
    "RowCount",
    "Sides",
    "Simple",
    "Source",
    "SourceEvents",
    "SourceTarget",
    "Suite",
    "Target",
    "Text",
    "Tolerance",
    "Weekday",
    "YearEnd",
    "parse_duration",
    "parse_number",
]


class Definitions(Model):
    """Everything under params/, checked against itself."""

    company: Company
    departments: dict[str, Department]
    suites: dict[str, Suite] = Field({})
    events: list[AnyEvent] = Field([])
    solve_next: list[Item] = Field([])
    glossary: dict[str, str] = Field({})
    holidays: list[Holiday] = Field([])

    @cached_property
    def metrics(self) -> dict[str, Simple | Ratio | Cumulative | Derived | Conversion]:
        """Every metric by id, in the order of the files."""
        return {id_: metric for department in self.departments.values() for id_, metric in department.metrics.items()}

    @cached_property
    def owners(self) -> dict[str, str]:
        """The id of the department that owns each metric."""
        departments = reversed(self.departments.items())
        return {metric: name for name, department in departments for metric in department.metrics}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with these fields replaced; it lists its metrics anew."""
        copied = super().model_copy(update=update, deep=deep)
        for listed in ("metrics", "owners"):
            copied.__dict__.pop(listed, None)
        return copied

    def department_of(self, metric: str) -> str:
        """The id of the department that owns a metric."""
        return self.owners[metric]

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
