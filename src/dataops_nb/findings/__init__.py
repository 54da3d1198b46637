"""Findings: what a light alone does not say, as one table that pages, commands and priorities read.

One row a finding, the gravest kind first; every cell that a kind does not use is missing::

    kind metric department light period why other inputs green judged signal since change slope left
    event event_kind event_date event_lag before now

`kind` is `watermelon` (a red North Star whose inputs are green), `green decline` (green, and getting worse for real),
`rocking chair` (busy, and no North Star follows), `contradicted link` (declared, and the data speak against it),
`explained signal` (one that followed an event) or `red by noise` (red, and one of its usual values). `why` says it in
plain words. `light` is missing where another board lights the metric. `other` is the North Star of a link, `inputs` the
green ones inside a watermelon (ids, with commas), `green` how many they are and `judged` how many have a colour. `since`
is the first day of the signal or the decline, `change` the share by which recent periods lie above the same ones a year
before, `slope` the change a period in the metric's own unit, `left` after how many periods it misses its target at that
pace. `event_lag` counts periods from the event to the signal, `before` and `now` are the means before it and since.
How each is told: docs/reference/findings.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from dataops_nb.definitions import Definitions
from dataops_nb.findings.declines import Decline, decline
from dataops_nb.findings.events import about, followed, happened
from dataops_nb.findings.leads import contradicted, rocking
from dataops_nb.findings.lit import declining, inputs_of, noisy, watermelon
from dataops_nb.periods import Period

__all__ = ["COLUMNS", "KINDS", "Decline", "about", "decline", "find", "happened", "inputs_of"]

KINDS = ("watermelon", "green decline", "rocking chair", "contradicted link", "explained signal", "red by noise")
COLUMNS: Mapping[str, Any] = {
    "kind": object, "metric": object, "department": object, "light": object, "period": object, "why": object,
    "other": object, "inputs": object, "green": "Int64", "judged": "Int64", "signal": object, "since": "datetime64[s]",
    "change": float, "slope": float, "left": "Int64",
    "event": object, "event_kind": object, "event_date": "datetime64[s]", "event_lag": "Int64", "before": float, "now": float,
}  # fmt: skip


def find(
    table: pd.DataFrame,
    definitions: Definitions,
    period: Period,
    *,
    links: pd.DataFrame,
    feeding: pd.DataFrame,
    events: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The findings of a judged metric table (totals of every period, oldest first) in one period.

    `links` are rows of `links.find`; `feeding` are the period's rows of the metrics behind the North Stars, which a
    watermelon is told by; `events` come from `happened`. A metric without a row in the period has no finding of its own.
    """
    current = table[table["period"] == period.id]
    past = {str(name): rows for name, rows in table.groupby("metric", sort=False)}
    lights = dict(zip(feeding["metric"], feeding["light"], strict=True))
    lit = dict(zip(current["metric"], current["light"], strict=True))
    rows = [
        *(found for row in _records(current) for found in _of_row(row, past, definitions, period, lights)),
        *rocking(links, definitions),
        *contradicted(links),
        *(
            row
            for name, rows in past.items()
            if events is not None
            for row in followed(name, _known(rows, period), events)
        ),
    ]
    known = [_whole(row, definitions, period, lit | lights) for row in rows]
    known.sort(key=lambda row: KINDS.index(row["kind"]))
    return pd.DataFrame({name: pd.Series([row[name] for row in known], dtype=kind) for name, kind in COLUMNS.items()})


def _of_row(
    row: Mapping[str, Any],
    past: Mapping[str, pd.DataFrame],
    definitions: Definitions,
    period: Period,
    lights: Mapping[str, str],
) -> Iterable[dict[str, Any]]:
    metric = str(row["metric"])
    if row["light"] == "red" and metric in definitions.company.north_star:
        yield from watermelon(metric, inputs_of(definitions, metric, period.grain), lights)
    if row["light"] == "red":
        yield from noisy(row, definitions.metrics[metric].better)
    if row["light"] == "green":
        yield from declining(row, past[metric], definitions.metrics[metric].better, period.grain)


def _known(rows: pd.DataFrame, period: Period) -> pd.DataFrame:
    """A metric's complete periods up to this one."""
    return rows[
        rows["complete"].astype(bool) & (rows["period_end"] <= pd.Timestamp(period.end)) & rows["value"].notna()
    ]


def _whole(row: dict[str, Any], definitions: Definitions, period: Period, lights: Mapping[str, str]) -> dict[str, Any]:
    metric = row["metric"]
    known = {
        "department": definitions.department_of(metric),
        "light": lights.get(metric),
        "period": period.id,
    }
    return {**dict.fromkeys(COLUMNS), **known, **row}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
