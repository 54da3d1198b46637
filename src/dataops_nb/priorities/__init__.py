"""Priorities: what to solve next, urgent and important, not loud.

One row for each thing that somebody raised (params/solve_next.yaml, until it is done or dropped) and each thing that the
board found by itself, with `COLUMNS`::

    rank id title kind metric light slack at_stake at_stake_low at_stake_high why
    stability star lag effort effort_days asked due state raised_by raised_on owner

`slack`: days until the target of the North Star that the metric leads to is out of reach, less the link's lag, less the
work; negative is late already, missing where nothing runs out. `at_stake`: what the shortfall costs in the company's
currency over a year if it stays as it is, with the middle 95 % of the draws; missing where that cannot be told, 0 where the
metric is on target or moves no North Star. Ranked by slack in whole weeks, then by what is at stake for a day of
work; what has nothing at stake comes last. `asked` (loudness) is carried and never used. `stability` is the share of draws
in which the row stays among the first three. How: docs/reference/priorities.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.periods import Period
from dataops_nb.priorities.candidates import find_candidates
from dataops_nb.priorities.ranking import order, places
from dataops_nb.priorities.slack import Horizon, horizon
from dataops_nb.priorities.stakes import Scale, Stake, Unit, stake, unit_worth
from dataops_nb.sources import Catalog

__all__ = [
    "COLUMNS",
    "TOP",
    "Horizon",
    "Scale",
    "Stake",
    "Unit",
    "find",
    "find_candidates",
    "horizon",
    "order",
    "places",
    "stake",
    "unit_worth",
]

COLUMNS = [
    "rank", "id", "title", "kind", "metric", "light", "slack", "at_stake", "at_stake_low", "at_stake_high", "why",
    "stability", "star", "lag", "effort", "effort_days", "asked", "due", "state", "raised_by", "raised_on", "owner",
]  # fmt: skip
TOP = 3
DRAWS = 2000
SEED = 20
USUAL_EFFORT = 5.0
_ENDS = (2.5, 97.5)
_TEXTS = ("metric", "light", "star", "effort", "due", "raised_by", "raised_on", "owner")


def find(
    catalog: Catalog,
    current: pd.DataFrame,
    links: pd.DataFrame,
    period: Period,
    *,
    findings: pd.DataFrame | None = None,
    seed: int = SEED,
) -> pd.DataFrame:
    """What to solve next, with `COLUMNS`, best first.

    `current` is the judged metric table of the last complete period, `links` the pairs of `links.find`, `findings` those of
    `findings.find`. The same seed gives the same draws. Raises DataError where a source that must not be used stands behind
    a metric.
    """
    known = pd.DataFrame(columns=["kind", "metric"]) if findings is None else findings
    listed = find_candidates(catalog.definitions, current, links, known)
    scale = Scale(catalog, period, links)
    rng = np.random.default_rng(seed)
    stakes = {name: stake(scale, name) for name in dict.fromkeys(row["metric"] for row in listed if row["metric"])}
    ends = {each.star: horizon(scale, each.star) for each in stakes.values() if each.star}
    usual = _usual_effort(listed)
    rows, draws = [], []
    for row in listed:
        found = stakes.get(row["metric"]) or Stake(reason="no metric says how it would be seen")
        end = ends.get(found.star) if found.star else None
        rows.append(_row(row, found, end, scale, usual))
        draws.append(_drawn(rows[-1], found, end, scale, rng))
    return _ranked(rows, draws)


def _usual_effort(listed: list[dict[str, Any]]) -> float:
    """The length of the work that is taken where nobody has said it: the median of the others."""
    said = [row["effort_days"] for row in listed if math.isfinite(row["effort_days"])]
    return float(np.median(said)) if said else USUAL_EFFORT


def _row(row: dict[str, Any], found: Stake, end: Horizon | None, scale: Scale, usual: float) -> dict[str, Any]:
    days = row["effort_days"] if math.isfinite(row["effort_days"]) else usual
    left = _left(row, found, end, scale, None)
    return row | {
        "slack": _less(left, found.lag * scale.days, days),
        "at_stake": found.amount,
        "star": found.star,
        "lag": found.lag if found.star else None,
        "why": _why(row, found, scale),
        "work": days,
    }


def _left(row: dict[str, Any], found: Stake, end: Horizon | None, scale: Scale, draws: Any) -> Any:
    """Days until the target is out of reach, or the thing is due; NaN where nothing runs out."""
    if found.amount == 0:
        return math.nan
    left = (end.left if draws is None else draws) * scale.days if end else math.nan
    if row["due"] is None:
        return left
    due = (row["due"] - scale.catalog.as_of).days
    return np.fmin(left, due)


def _less(left: float, lag: float, work: float) -> float:
    return math.nan if math.isnan(left) else float(np.floor(left - lag - work))


def _drawn(row: dict[str, Any], found: Stake, end: Horizon | None, scale: Scale, rng: Any) -> dict[str, Any]:
    """The same row as it might have come out: slack and amount, one of each a draw."""
    amounts = found.draw(rng, DRAWS)
    ends = end.draw(rng, DRAWS) if end else np.full(DRAWS, math.nan)
    left = np.broadcast_to(_left(row, found, end, scale, ends), DRAWS)
    return {"slack": np.floor(left - found.lag * scale.days - row["work"]), "at_stake": amounts, "work": row["work"]}


def _ranked(rows: list[dict[str, Any]], draws: list[dict[str, Any]]) -> pd.DataFrame:
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.DataFrame(rows)
    kinds: dict[str, Any] = {"slack": float, "at_stake": float, "lag": "Int64", "asked": int, "effort_days": float}
    said = {name: table[name].astype(object).where(table[name].notna(), None) for name in _TEXTS}
    table = table.assign(**said).astype(kinds)
    amounts = np.array([each["at_stake"] for each in draws])
    slack = np.array([each["slack"] for each in draws])
    low, high = np.percentile(amounts, _ENDS, axis=1)
    place = places(slack, np.broadcast_to(table["at_stake"].to_numpy()[:, None], amounts.shape), amounts, table["work"])
    table = table.assign(
        at_stake_low=np.fmin(low, table["at_stake"]),
        at_stake_high=np.fmax(high, table["at_stake"]),
        stability=(place < TOP).mean(axis=1),
    )
    best = order(table["slack"].to_numpy(), table["at_stake"].to_numpy(), table["at_stake"].to_numpy(), table["work"])
    ranked: pd.DataFrame = table.iloc[best].reset_index(drop=True)
    return ranked.assign(rank=np.arange(1, len(ranked) + 1)).reindex(columns=COLUMNS)


def _why(row: dict[str, Any], found: Stake, scale: Scale) -> str:
    opening = {"red": "red", "unreconciled": "two systems disagree", "rocking chair": "busy without movement",
               "watermelon": "its inputs are green", "green decline": "getting worse for real"}.get(row["kind"])  # fmt: skip
    return f"{opening}: {found.reason}" if opening else found.reason
