"""Events: what happened on a day, and which signal came after it; and values that were restated.

Events stand in params/events.yaml, each by itself or as the rows of a source. What is after as-of
has not happened. An event names the metrics that it may have moved; one that names none is about
all of them.

An event is offered for a signal that begins in its own period or one of the next four. The complete
periods before it are what is usual: at least 12, without autocorrelation. Those from it on are read
against the limits of the ones before. All that is said is that the signal came after the event.

A restatement is a value of a closed period that is no longer what was published for an earlier day.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sqlglot import exp

from dataops_nb.alignment.rows import Rows
from dataops_nb.company import FromColumn, SourceEvents
from dataops_nb.errors import DataError, Fault, did_you_mean
from dataops_nb.limits.lines import SHORTEST
from dataops_nb.limits.xmr import remembers, xmr
from dataops_nb.limits.xmr import signals as signals_of
from dataops_nb.periods import Calendar
from dataops_nb.terms import Grain

EVENT_COLUMNS = ["date", "title", "kind", "metrics"]
FOLLOWS = 4
RECENT = 6
PLACE = ["metric", "segment", "grain", "period"]
RESTATED = [
    *PLACE, "period_start", "reported", "value", "reported_n", "n", "reported_as_of", "redefined",
]  # fmt: skip
SAME = 1e-11


def happened(rows: Rows) -> pd.DataFrame:
    """List the events up to as-of, oldest first.

    Returns `date title kind metrics`; metrics is a tuple of ids, empty where it is all of them.
    What a system keeps and somebody also wrote down, the same on the same day, is one event about
    the metrics of both.

    Raises DataError where a row of a source names a metric that the company does not have, or the
    source has faults.
    """
    lines: list[list[Any]] = []
    for event in rows.company.events:
        if isinstance(event, SourceEvents):
            lines += _read_source(rows, event)
        else:
            lines.append([pd.Timestamp(event.date), event.title, event.kind, tuple(event.metrics)])
    past = _merged(line for line in lines if line[0].date() <= rows.as_of)
    past.sort(key=lambda line: (line[0], line[1]))
    columns: dict[str, pd.Series] = {}
    for place, name in enumerate(EVENT_COLUMNS):
        columns[name] = pd.Series([line[place] for line in past], dtype=object)
    table = pd.DataFrame(columns)
    return table.assign(date=pd.to_datetime(table["date"]).astype("datetime64[s]"))


def _merged(lines: Iterable[list[Any]]) -> list[list[Any]]:
    kept: dict[tuple[Any, ...], list[Any]] = {}
    for line in lines:
        day, title, kind, metrics = line
        first = kept.setdefault((day, title, kind), line)
        are_all = not metrics or not first[3]
        first[3] = () if are_all else tuple(dict.fromkeys((*first[3], *metrics)))
    return list(kept.values())


def about(events: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the events that may have moved a metric."""
    places: list[Any] = []
    for place, metrics in events["metrics"].items():
        if not metrics or metric in metrics:
            places.append(place)
    return events.loc[places].reset_index(drop=True)


def nearest(
    events: pd.DataFrame, metric: str, since: pd.Timestamp, grain: Grain, calendar: Calendar
) -> dict[str, Any] | None:
    """Return the newest event about a metric shortly before a change, or in its first period.

    With `event_lag`, how many periods lie between; None where there is none.
    """
    first = calendar.period(grain, since.date())
    own = about(events, metric)
    earliest = calendar.shift(first, -FOLLOWS).start
    near = own[own["date"].between(pd.Timestamp(earliest), pd.Timestamp(first.end))]
    if near.empty:
        return None
    event = near.iloc[-1]
    lag = 0
    while pd.Timestamp(calendar.shift(first, -lag).start) > event["date"]:
        lag += 1
    return {
        "event": event["title"],
        "event_kind": event["kind"],
        "event_date": event["date"],
        "event_lag": lag,
    }


def followed(metric: str, past: pd.DataFrame, events: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the nearest event before a signal that is no older than six periods, if there is one.

    `past` are a metric's complete periods. Gives `event event_kind event_date event_lag` (periods
    from the event's to the signal's first one), the `signal`, `since`, and the means `before` the
    event and `now`, since the signal began.
    """
    latest = None
    for event in about(events, metric).to_dict("records"):
        signal = _signal_after(past, event)
        if signal is not None:
            latest = signal
    if latest is not None:
        yield {
            "kind": "explained signal",
            "metric": metric,
            "why": "changed after an event",
            **latest,
        }


def restatements(
    table: pd.DataFrame, published: pd.DataFrame, *, as_of: dt.date | None = None
) -> pd.DataFrame:
    """Compare the complete rows of a metric table with what was last published of them as complete.

    `table` has `metric segment grain period period_start value n complete` and perhaps
    `definition`; `published` comes from `Memory.published`. With `as_of` only what was published
    for earlier days counts, so that a repeated report says the same.

    Returns one row a changed value, with `RESTATED`: the table's row, `reported reported_n
    reported_as_of`, and `redefined`: whether its definition has changed since.
    """
    then = published[published["complete"].astype(bool)]
    if as_of is not None:
        then = then[then["as_of"] < pd.Timestamp(as_of)]
    then = _name_totals(then.sort_values("as_of", kind="stable"))
    then = then.drop_duplicates(PLACE, keep="last")
    then = then.rename(columns={"value": "reported", "n": "reported_n", "as_of": "reported_as_of"})
    then = then[[*PLACE, "reported", "reported_n", "reported_as_of", "definition"]]
    now = _name_totals(table[table["complete"].astype(bool)])
    if "definition" not in now:
        now = now.assign(definition="")
    both = now.merge(then, on=PLACE, how="inner", suffixes=("", "_then"))
    before, after = (both[name].to_numpy(dtype=float) for name in ("reported", "value"))
    changed = both[~np.isclose(before, after, rtol=SAME, atol=0.0, equal_nan=True)]
    are_known = (changed["definition"] != "") & (changed["definition_then"] != "")
    changed = changed.assign(
        redefined=are_known & (changed["definition"] != changed["definition_then"]),
        segment=changed["segment"].where(changed["segment"] != "", None),
    )
    restated: pd.DataFrame = changed[RESTATED].reset_index(drop=True)
    return restated


def _read_source(rows: Rows, declared: SourceEvents) -> list[list[Any]]:
    """Read the events that stand in the rows of a source, in the order of `EVENT_COLUMNS`."""
    source = declared.source
    rows.require(source)
    if rows.faulty(source):
        return []
    time_column = declared.date or rows.company.origins[source].time or ""
    columns = {"title": declared.title}
    for name in ("kind", "metrics"):
        given = getattr(declared, name)
        if isinstance(given, FromColumn):
            columns[name] = given.column
    selected = [exp.alias_(rows.local_date(source, time_column), "day")]
    for name, column in columns.items():
        text = exp.cast(exp.column(column, quoted=True), "text")
        selected.append(exp.alias_(text, name))
    table = rows.fetch(exp.select(*selected).from_(rows.relation(source)))
    dated = table.dropna(subset=["day", "title"])
    return [_read_event(rows, declared, row) for row in dated.to_dict("records")]


def _read_event(rows: Rows, declared: SourceEvents, row: Mapping[Any, Any]) -> list[Any]:
    kind = row["kind"] if isinstance(declared.kind, FromColumn) else declared.kind
    if not isinstance(kind, str):
        kind = ""  # an empty cell
    metrics: tuple[str, ...]
    if isinstance(declared.metrics, FromColumn):
        metrics = _read_metrics(rows, declared.source, declared.metrics.column, row["metrics"])
    else:
        metrics = tuple(declared.metrics)
    return [pd.Timestamp(row["day"]), row["title"], kind, metrics]


def _read_metrics(rows: Rows, source: str, column: str, cell: object) -> tuple[str, ...]:
    """Return the metrics in a cell, which are divided by commas, semicolons or spaces."""
    if not isinstance(cell, str):
        return ()
    names = tuple(re.findall(r"[^\s,;]+", cell))
    for name in names:
        if name not in rows.company.metrics:
            rule = f"no metric has this name{did_you_mean(name, rows.company.metrics)}"
            raise DataError([Fault(source, rule, column=column, value=name)])
    return names


def _signal_after(past: pd.DataFrame, event: Mapping[Any, Any]) -> dict[str, Any] | None:
    """Return the signal that began soon after an event and lasts until lately.

    None where there is none.
    """
    place = int((past["period_end"] < event["date"]).sum())
    before = past["value"].iloc[:place].tolist()
    after = past["value"].iloc[place:].tolist()
    if len(before) < SHORTEST or not after or remembers(before):
        return None
    usual = xmr(before)
    if signals_of(before, usual)[-1] is not None:
        return None  # the signal was there before the event
    signals = signals_of(after, usual)
    first = 0
    while first < len(signals) and not signals[first]:
        first += 1
    if first > FOLLOWS or first == len(signals):
        return None
    end = first
    while end < len(signals) and signals[end]:
        end += 1
    if end <= len(signals) - RECENT:
        return None
    return {
        "event": event["title"], "event_kind": event["kind"], "event_date": event["date"],
        "event_lag": first, "signal": signals[first],
        "since": past["period_start"].iloc[place + first],
        "before": usual.center, "now": sum(after[first:end]) / (end - first),
    }  # fmt: skip


def _name_totals(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose totals have the segment "", so that they can be compared."""
    segment = rows["segment"].astype(object)
    return rows.assign(segment=segment.where(segment.notna(), ""))
