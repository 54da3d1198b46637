"""Decisions: the one thing to do about each light, from all that is known about it at once.

A light alone asks for too much: red in an ordinary week is no reason to look for a cause in that
week, and a red activity that moves no North Star may not be worth a plan. `decide` brings together
the light, its variation (or a finding about it), its link to a North Star and the deadline that was
agreed, one row a metric::

    metric light reason variation link star lag effect periods_needed deadline due days_left since
    waited began event left

- `variation`: `worse` and `better` are real changes, by the metric's own limits or by a finding;
  `ordinary` and `unreachable` are no changes, and the target lies inside or outside the usual
  range; else `cannot tell`. A finding goes before what limits cannot tell.
- `link`: `moves` for a North Star, a part of one, and what was found to move one; `no effect` for
  what was declared to and does not; else `no sign`. `star` is that North Star, missing for itself.
- `deadline`: `none`, `running`, `overdue`, `answered` or `accepted`; `due`, `days_left` and `since`
  are those of the agreed reaction. `waited`: nothing changed for over four times the agreed time.
- `began` is the first day of a real change, `event` what it followed, `left` after how many periods
  a green value misses its target.

`story.action` says the row of a metric.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dataops_nb import plain
from dataops_nb.company import Company
from dataops_nb.status.attainment import (
    COMMON,
    CONCERN,
    IMPROVEMENT,
    assurance,
    has_memory,
)

COLUMNS = [
    "metric", "light", "reason", "variation", "link", "star", "lag", "effect", "periods_needed",
    "deadline", "due", "days_left", "since", "waited", "began", "event", "left",
]  # fmt: skip
# How often the agreed time may pass before waiting itself is the problem.
PATIENCE = 4
_QUIET = ("ordinary", "unreachable", "cannot tell")
Row = Mapping[str, Any]


def decide(
    current: pd.DataFrame,
    company: Company,
    *,
    findings: pd.DataFrame,
    links: pd.DataFrame,
    reactions: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Return what is known about each light of a period, one row a metric, with `COLUMNS`.

    `current` are the judged rows of the period; `findings` come from `findings.find`, `links` are
    the company's (`links.of_company`), `reactions` those of `status.reactions`.
    """
    reaction_of = {str(row["metric"]): row for row in plain.records(reactions)}
    found_out = plain.records(findings)
    pairs = plain.records(links)
    rows = []
    for row in plain.records(current):
        metric = str(row["metric"])
        own = [finding for finding in found_out if finding["metric"] == metric]
        decision: dict[str, Any] = {
            "metric": metric,
            "light": row["light"],
            "reason": row["reason"],
            **_variation(row, own, company),
            **_link(metric, company, [pair for pair in pairs if pair["input"] == metric]),
            **_deadline(row, reaction_of.get(metric)),
        }
        decision["waited"] = _has_waited(decision, company, as_of)
        rows.append(decision)
    # As objects, so that what is missing stays None.
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object).astype({"waited": bool})


def _variation(row: Row, findings: list[dict[str, Any]], company: Company) -> dict[str, Any]:
    """Return `variation began event left` of a metric's row and the findings about it."""
    change: dict[str, Any] = {"began": None, "event": None, "left": None}
    for finding in findings:
        if finding["kind"] == "explained signal":
            change |= {"began": finding["since"], "event": finding["event"]}
            return {**change, "variation": _side(row, finding, company)}
        if finding["kind"] == "new level":
            return {**change, "variation": _side(row, finding, company), "began": finding["since"]}
    for finding in findings:
        if finding["kind"] == "green decline":
            left = None if pd.isna(finding["left"]) else int(finding["left"])
            return {**change, "variation": "worse", "began": finding["since"], "left": left}
    named = {CONCERN: "worse", IMPROVEMENT: "better", COMMON: "ordinary"}
    variation = named.get(row["variation"], "cannot tell")
    if variation == "ordinary" and has_memory(row):
        variation = "cannot tell"  # an ordinary move says nothing of where it will end
    elif variation == "ordinary" and not _is_reachable(row, company):
        variation = "unreachable"
    return {**change, "variation": variation}


def _side(row: Row, finding: Row, company: Company) -> str:
    """Return whether the change that a finding tells is for the worse or the better."""
    better = company.metrics[str(row["metric"])].better
    if better == "inside":
        return "better" if row["light"] == "green" else "worse"
    rose = finding["now"] > finding["before"]
    return "better" if rose == (better == "up") else "worse"


def _is_reachable(row: Row, company: Company) -> bool:
    """Return whether the usual range of a metric reaches its target."""
    sure = assurance(
        row["lower"],
        row["upper"],
        company.metrics[str(row["metric"])].better,
        target=row["target"],
        low=row["target_low"],
        high=row["target_high"],
    )
    return sure != "consistent fail"


def _link(metric: str, company: Company, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return `link star lag effect periods_needed` of a metric, whose tested pairs these are."""
    nothing: dict[str, Any] = {"star": None, "lag": None, "effect": None, "periods_needed": None}
    if metric in company.north_star:
        return {**nothing, "link": "moves"}
    for pair in pairs:
        if pair["is_part"]:
            return {**nothing, "link": "moves", "star": pair["target"]}
    moving = [pair for pair in pairs if pair["verdict"] == "moves" and not pair["contradicted"]]
    if moving:
        strongest = min(moving, key=lambda pair: (pair["q"], -abs(pair["effect"])))
        lag, effect = int(strongest["lag"]), float(strongest["effect"])
        return {
            **nothing,
            "link": "moves",
            "star": strongest["target"],
            "lag": lag,
            "effect": effect,
        }
    declared = [pair for pair in pairs if pair["declared"]]
    for pair in declared:
        if pair["verdict"] == "does not" or pair["contradicted"] or pair["rocking_chair"]:
            return {**nothing, "link": "no effect", "star": pair["target"]}
    open_pairs = declared or pairs
    needed = [pair["periods_needed"] for pair in open_pairs if pd.notna(pair["periods_needed"])]
    star = open_pairs[0]["target"] if open_pairs else None
    least = int(min(needed)) if needed else None
    return {**nothing, "link": "no sign", "star": star, "periods_needed": least}


def _deadline(row: Row, reaction: Row | None) -> dict[str, Any]:
    """Return `deadline due days_left since` of a light."""
    nothing: dict[str, Any] = {"due": None, "days_left": None, "since": None}
    if not pd.isna(row["accepted_until"]):
        return {**nothing, "deadline": "accepted"}
    if reaction is None or reaction["light"] != row["light"]:
        return {**nothing, "deadline": "none"}
    dates = {name: reaction[name] for name in nothing}
    if reaction["answered"]:
        return {**dates, "deadline": "answered"}
    deadline = "overdue" if reaction["days_left"] < 0 else "running"
    return {**dates, "deadline": deadline}


def _has_waited(decision: Row, company: Company, as_of: dt.date) -> bool:
    """Return whether a light was on for over four times the agreed time while nothing changed."""
    agreed = getattr(company.lights(decision["metric"]), decision["light"], None)
    has_deadline = decision["deadline"] in ("running", "overdue")
    if agreed is None or agreed.act_within is None or not has_deadline:
        return False
    waited = (as_of - decision["since"]).days
    is_bad = decision["light"] in ("yellow", "red")
    is_quiet = decision["variation"] in _QUIET
    return is_bad and is_quiet and waited > PATIENCE * int(agreed.act_within.days)
