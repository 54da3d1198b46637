"""Reactions: who has agreed to do something about a light, since when it is lit, and whether the agreed time is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pandas as pd

from dataops_nb.definitions import Definitions

COLUMNS = ["metric", "light", "since", "due", "days_left", "answered", "overdue", "owner"]


def reactions(table: pd.DataFrame, notes: pd.DataFrame, definitions: Definitions, as_of: dt.date) -> pd.DataFrame:
    """One row for each light now that asks for a reaction (`act_within`), with `COLUMNS`; the most urgent first.

    `table` is judged, `notes` are those up to `as_of`. `since` is the last day of the first period of the run of periods
    with this light; `due` is the last day on which the reaction was agreed, `days_left` negative where it is over.
    `answered`: somebody has noted something about the metric since. An accepted light asks for nothing.
    """
    whole = table[table["complete"].astype(bool) & (table["light"] != "unknown")]
    rows = [
        row
        for metric, own in whole.groupby("metric", sort=False)
        if (row := _reaction(str(metric), own, notes, definitions, as_of))
    ]
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.sort_values("days_left", kind="stable", ignore_index=True)


def _reaction(
    metric: str, own: pd.DataFrame, notes: pd.DataFrame, definitions: Definitions, as_of: dt.date
) -> dict[str, Any] | None:
    now, lights = own.iloc[-1], definitions.lights(metric)
    agreed = getattr(lights, now["light"], None)
    if agreed is None or agreed.act_within is None or not pd.isna(now["accepted_until"]):
        return None
    since = _since(own)
    due = since + dt.timedelta(days=agreed.act_within.days)
    said = notes[(notes["metric"] == metric) & (notes["as_of"] >= since.isoformat())]
    left = (due - as_of).days
    return {
        "metric": metric, "light": now["light"], "since": since, "due": due, "days_left": left, "answered": len(said) > 0,
        "overdue": left < 0 and len(said) == 0,
        "owner": definitions.departments[definitions.department_of(metric)].owner,
    }  # fmt: skip


def _since(own: pd.DataFrame) -> dt.date:
    """The last day of the first period of the run of lights that the last one belongs to."""
    other = own["light"] != own["light"].iloc[-1]
    run = own.loc[~other[::-1].cummax()[::-1]]
    day: dt.date = run["period_end"].iloc[0].date()
    return day


def overdue(found: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows whose time is over and that nobody has answered."""
    yield from ({str(k): v for k, v in row.items()} for row in found[found["overdue"].astype(bool)].to_dict("records"))
