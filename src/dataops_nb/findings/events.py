"""Events: what happened on a day, and which signal came after it.

Events stand in params/events.yaml, each by itself or as the rows of a source. What is after as-of has not happened. An
event says which metrics it may have moved; one that names none is about all of them.

An event is offered for a signal that begins in its own period or one of the next four: the complete periods before it are
the usual, at least 12 that do not remember each other, and those from it on are read against their limits. That one
came after the other is all that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from sqlglot import exp

from dataops_nb import limits
from dataops_nb.definitions.models import Event, FromColumn, SourceEvents
from dataops_nb.errors import DataError, Fault, did_you_mean
from dataops_nb.sources import Catalog

COLUMNS = ["date", "title", "kind", "metrics"]
FOLLOWS = 4
RECENT = 6


def happened(catalog: Catalog) -> pd.DataFrame:
    """The events up to as-of, oldest first: `date title kind metrics` (a tuple of ids; empty: all metrics).

    Raises DataError where a row of a source names a metric that the company does not have, or the source has faults.
    """
    rows: list[list[Any]] = []
    for event in catalog.definitions.events:
        rows += _of_source(catalog, event) if isinstance(event, SourceEvents) else [_declared(event)]
    known = [row for row in rows if row[0].date() <= catalog.as_of]
    known.sort(key=lambda row: (row[0], row[1]))
    columns = dict(zip(COLUMNS, zip(*known, strict=True), strict=True)) if known else dict.fromkeys(COLUMNS, ())
    frame = pd.DataFrame({name: pd.Series(list(column), dtype=object) for name, column in columns.items()})
    return frame.assign(date=pd.to_datetime(frame["date"]).astype("datetime64[s]"))


def about(events: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The events that may have moved a metric."""
    meant = [place for place, metrics in events["metrics"].items() if not metrics or metric in metrics]
    return events.loc[meant].reset_index(drop=True)


def _declared(event: Event) -> list[Any]:
    return [pd.Timestamp(event.date), event.title, event.kind, tuple(event.metrics)]


def _of_source(catalog: Catalog, said: SourceEvents) -> list[list[Any]]:
    catalog.require(said.source)
    if catalog.faulty(said.source):
        return []
    day = catalog.local_date(said.source, said.date or catalog.definitions.company.sources[said.source].time or "")
    texts = {"title": said.title, **dict(_columns(said))}
    wanted = [exp.alias_(exp.cast(exp.column(column, quoted=True), "text"), name) for name, column in texts.items()]
    rows = catalog.fetch(exp.select(exp.alias_(day, "day"), *wanted).from_(catalog.relation(said.source)))
    return [_row(catalog, said, row) for row in rows.dropna(subset=["day", "title"]).to_dict("records")]


def _columns(said: SourceEvents) -> Iterator[tuple[str, str]]:
    for name in ("kind", "metrics"):
        told = getattr(said, name)
        if isinstance(told, FromColumn):
            yield name, told.column


def _row(catalog: Catalog, said: SourceEvents, row: Mapping[Any, Any]) -> list[Any]:
    kind = row["kind"] if isinstance(said.kind, FromColumn) else said.kind
    metrics = tuple(said.metrics) if isinstance(said.metrics, list) else _named(catalog, said, row["metrics"])
    return [pd.Timestamp(row["day"]), row["title"], kind if isinstance(kind, str) else "", metrics]


def _named(catalog: Catalog, said: SourceEvents, written: object) -> tuple[str, ...]:
    """The metrics in a cell, divided by commas or spaces."""
    names = tuple(re.findall(r"[^\s,;]+", written)) if isinstance(written, str) else ()
    column = said.metrics.column if isinstance(said.metrics, FromColumn) else ""
    for name in names:
        if name not in catalog.definitions.metrics:
            rule = f"no metric has this name{did_you_mean(name, catalog.definitions.metrics)}"
            raise DataError([Fault(said.source, rule, column=column, value=name)])
    return names


def followed(metric: str, past: pd.DataFrame, events: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The nearest event before a signal that is no older than six periods; `past` are a metric's complete periods.

    Adds `event event_kind event_date event_lag` (periods from the event's to the signal's first one), the `signal`,
    `since`, and the means `before` the event and `now`, since the signal began.
    """
    found = [row for event in about(events, metric).to_dict("records") if (row := _after(past, event)) is not None]
    if found:
        yield {"kind": "explained signal", "metric": metric, "why": "a signal that followed an event", **found[-1]}


def _after(past: pd.DataFrame, event: Mapping[Any, Any]) -> dict[str, Any] | None:
    place = int((past["period_end"] < event["date"]).sum())
    before, after = past["value"].iloc[:place].tolist(), past["value"].iloc[place:].tolist()
    if len(before) < limits.SHORTEST or not after or limits.remembers(before):
        return None
    usual = limits.xmr(before)
    was = limits.signals(before, usual)[-1]
    marked = limits.signals(after, usual)
    first = next((i for i, signal in enumerate(marked[: FOLLOWS + 1]) if signal), None)
    if first is None or was is not None:
        return None
    last = next((i for i in range(first, len(marked)) if not marked[i]), len(marked)) - 1
    if last < len(after) - RECENT:
        return None
    return {
        "event": event["title"], "event_kind": event["kind"], "event_date": event["date"], "event_lag": first,
        "signal": marked[first], "since": past["period_start"].iloc[place + first], "before": usual.center,
        "now": sum(after[first : last + 1]) / (last + 1 - first),
    }  # fmt: skip
