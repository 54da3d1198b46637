"""The other files of params/ as types: reports, events, things to solve, holidays."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from dataops_nb.definitions.models.terms import Duration, Grain, Model, Name


class Report(Model):
    """One notebook and its parameters; `each: department` makes one report a department."""

    notebook: Name = Field(description="The notebook's file in notebooks/.")
    parameters: dict[Name, str | int | float | bool | dt.date] = Field({}, description="Values for its parameters.")
    each: Literal["department"] | None = Field(None, description="department: one report a department.")


class Mail(Model):
    """Who is told."""

    success: list[Name] = Field([], description="Who gets the pages.")
    failure: list[Name] = Field([], description="Who is told of a failed report.")
    only_on_change: bool = Field(False, description="true: only when a light has changed.")


class Suite(Model):
    """Reports that are refreshed together."""

    cadence: Grain = Field("week", description="How often: once a day, week, month, quarter or year.")
    reports: dict[Name, Report] = Field(description="The reports by id; the id is its folder's name.")
    mail: Mail | None = Field(None, description="Who is told.")


class Event(Model):
    """Something that happened on a day: a release, a campaign, an outage, a price change."""

    date: dt.date = Field(description="The day it happened.")
    title: Name = Field(description="What happened; any text.")
    kind: Name = Field(description="What sort of thing it is: release, campaign, outage, price change.")
    metrics: list[Name] = Field([], description="The metrics it may have moved.")


class FromColumn(Model):
    """What each row of a source says in one of its columns."""

    column: Name = Field(description="The source's column.")


Told = Annotated[
    Annotated[Name, Tag("<str>")] | Annotated[FromColumn, Tag("<FromColumn>")],
    Discriminator(lambda value: "<FromColumn>" if isinstance(value, dict | FromColumn) else "<str>"),
]
ToldMetrics = Annotated[
    Annotated[list[Name], Tag("<list>")] | Annotated[FromColumn, Tag("<FromColumn>")],
    Discriminator(lambda value: "<FromColumn>" if isinstance(value, dict | FromColumn) else "<list>"),
]


class SourceEvents(Model):
    """Events that stand in a source, one a row."""

    source: Name = Field(description="The source that holds them.")
    date: Name | None = Field(None, description="Its column with the day; the source's time where left out.")
    title: Name = Field(description="Its column with what happened.")
    kind: Told = Field(description="What sort of thing they are; {column: kind} where each row says so.")
    metrics: ToldMetrics = Field(
        [], description="The metrics they may have moved; {column: about} where each row says so."
    )


def _event_form(value: Any) -> str:
    from_source = isinstance(value, dict) and "source" in value
    return "<SourceEvents>" if from_source or isinstance(value, SourceEvents) else "<Event>"


AnyEvent = Annotated[
    Annotated[Event, Tag("<Event>")] | Annotated[SourceEvents, Tag("<SourceEvents>")], Discriminator(_event_form)
]


class Item(Model):
    """One thing to solve."""

    id: Name = Field(description="Its short name; no two may share it.")
    title: Name = Field(description="What is to be solved; any text.")
    metric: Name | None = Field(None, description="The metric it would move.")
    raised_by: Name | None = Field(None, description="Who raised it.")
    raised_on: dt.date | None = Field(None, description="When it was raised.")
    effort: Duration | None = Field(None, description="How long it would take: 5d.")
    asked: int = Field(0, description="How often somebody has asked for it.")
    due: dt.date | None = Field(None, description="When it must be done.")
    owner: Name | None = Field(None, description="Who works on it.")
    state: Literal["open", "doing", "done", "dropped"] = Field("open", description="Where it stands.")


class Holiday(Model):
    """A day on which nobody works."""

    date: dt.date = Field(description="The day.")
    name: Name = Field(description="What the day is called.")
