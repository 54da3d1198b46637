"""What might be solved next: what people raised, and what the board finds by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from dataops_nb.definitions import Definitions, upstream

OPEN = ("open", "doing")
TITLES = {
    "red": "{}: red",
    "unreconciled": "{}: two systems disagree",
    "rocking chair": "{}: activity without movement",
    "watermelon": "{}: red, and the inputs behind it are green",
    "green decline": "{}: green, and getting worse for real",
}
NOISE = "red by noise"


def find_candidates(
    definitions: Definitions, current: pd.DataFrame, links: pd.DataFrame, findings: pd.DataFrame
) -> list[dict[str, Any]]:
    """One dict each: what was raised and is not closed, in the order of the file, then what the board found.

    `findings` have `kind metric`. A metric that somebody has raised is not listed a second time; nor is a red North Star
    where an input that moves it is, nor a red that is one of the metric's usual values.
    """
    raised = [_raised(definitions, item, current) for item in definitions.solve_next if item.state in OPEN]
    known = {each["metric"] for each in raised}
    found = [each for each in _found(definitions, current, findings) if each["metric"] not in known]
    listed = [*raised, *found]
    causes = {each["metric"] for each in listed if each["light"] in {"red", "yellow"}}
    return [each for each in listed if each["kind"] == "asked" or not _explained(definitions, each, causes, links)]


def _raised(definitions: Definitions, item: Any, current: pd.DataFrame) -> dict[str, Any]:
    return {
        "id": item.id, "title": item.title, "kind": "asked", "metric": item.metric, "light": _light(current, item.metric),
        "effort": str(item.effort) if item.effort else None,
        "effort_days": float(item.effort.days) if item.effort else math.nan,
        "asked": item.asked, "due": item.due, "state": item.state, "raised_by": item.raised_by,
        "raised_on": item.raised_on, "owner": item.owner or _owner(definitions, item.metric),
    }  # fmt: skip


def _found(definitions: Definitions, current: pd.DataFrame, findings: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What the board found, each metric once and by its gravest kind; of rocking chairs those that were meant to move one."""
    noise = set(findings.loc[findings["kind"] == NOISE, "metric"])
    told = [(name, kind) for kind, name in zip(findings["kind"], findings["metric"], strict=True) if kind in TITLES]
    told = [(name, kind) for name, kind in told if kind != "rocking chair" or definitions.metrics[name].moves]
    kinds = [
        *told,
        *((name, "red") for name in current.loc[current["light"] == "red", "metric"] if name not in noise),
        *((name, "unreconciled") for name in current.loc[current["reason"] == "unreconciled", "metric"]),
    ]
    for name, kind in dict(reversed(kinds)).items():
        yield {
            "id": f"{kind.replace(' ', '-')}:{name}", "title": TITLES[kind].format(definitions.label(name)), "kind": kind,
            "metric": name, "light": _light(current, name), "effort": None, "effort_days": math.nan, "asked": 0,
            "due": None, "state": "open", "raised_by": "the board", "raised_on": None, "owner": _owner(definitions, name),
        }  # fmt: skip


def _explained(definitions: Definitions, each: dict[str, Any], causes: set[Any], links: pd.DataFrame) -> bool:
    """Whether a North Star is off because of a listed input: the input is what can be worked on."""
    star = each["metric"]
    if star not in definitions.company.north_star:
        return False
    moves = set(links.loc[(links["target"] == star) & (links["verdict"] == "moves"), "input"])
    return bool((moves | set(upstream(definitions, [star]))) & (causes - {star}))


def _light(current: pd.DataFrame, metric: str | None) -> str | None:
    rows = current.loc[current["metric"] == metric, "light"]
    return None if rows.empty else str(rows.iloc[0])


def _owner(definitions: Definitions, metric: str | None) -> str | None:
    return definitions.departments[definitions.department_of(metric)].owner if metric else None
