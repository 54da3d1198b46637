"""The admission test: does a metric earn its place on a board? Four properties, measured.

A good metric is easily tracked, relevant to the North Star, specific enough to act on, and not too
hard to create. `score` gives each metric's figures for the four, whether they hold, and whether it
should be retired.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dataops_nb import alignment
from dataops_nb.alignment.measures import sources_of
from dataops_nb.board import Board, history
from dataops_nb.company import Company, Origin
from dataops_nb.lineage import metric_parts

MOST = 15
PERIODS = 26
COVERED = 0.9
SYSTEMS = 3
COLUMNS = [
    "metric", "coverage", "fresh", "exports", "tracked", "relevance", "relevant", "owner",
    "actions", "detectable", "specific", "systems", "seconds", "affordable", "held", "retire",
]  # fmt: skip
_NOT_FRESH = {"stale", "fault", "no data", "incomplete"}


def score(board: Board) -> pd.DataFrame:
    """Score each metric of the board by the four properties.

    Returns one row a metric, with `COLUMNS`. `coverage` is the share of its last 26 periods that
    are complete and have a value, `exports` how many sources behind it are files that somebody has
    to export, `actions` for how many colours it was agreed what to do. `detectable` is the smallest
    change from its average that one period can show to be more than luck, as a share of that
    average. `seconds` is how long its values take to compute once its sources are open. `retire`:
    it has no way to the North Star, is no guardrail, no other metric needs it, and at least one of
    the other three properties does not hold.
    """
    return pd.DataFrame([_score(board, metric) for metric in board.metrics], columns=COLUMNS)


@dataclass(frozen=True)
class Crowd:
    """A department with more metrics than anybody reads on one board."""

    source: str
    count: int
    text: str = f"metrics on one page; {MOST} is as many as people read: retire some"

    def __str__(self) -> str:
        return f"department {self.source}: {self.count} {self.text}"


def crowded(company: Company) -> Iterator[Crowd]:
    """Yield the departments with more than 15 metrics."""
    for name, department in company.departments.items():
        if len(department.metrics) > MOST:
            yield Crowd(name, len(department.metrics))


def _score(board: Board, metric: str) -> dict[str, Any]:
    tracked = _tracked(board, metric)
    relevance = _relevance(board, metric)
    specific = _specific(board, metric)
    cost = _cost(board, metric)
    is_relevant = relevance != "none"
    held = {
        "tracked": tracked["coverage"] >= COVERED and tracked["fresh"],
        "relevant": is_relevant,
        "specific": bool(specific["owner"]) and specific["actions"] >= 2,
        "affordable": cost["systems"] <= SYSTEMS,
    }
    is_guardrail = board.company.role(metric) == "guardrail"
    is_kept = is_relevant or is_guardrail or _needed(board.company, metric)
    is_sound = held["tracked"] and held["specific"] and held["affordable"]
    return {
        "metric": metric,
        **tracked,
        "relevance": relevance,
        **specific,
        **cost,
        **held,
        "held": sum(held.values()),
        "retire": not is_kept and not is_sound,
    }


def _needed(company: Company, metric: str) -> bool:
    """Tell whether another metric is computed from this one or reconciled with it."""
    for other in company.metrics.values():
        reconciled = [agreement.with_ for agreement in other.reconcile]
        if metric in metric_parts(other) or metric in reconciled:
            return True
    return False


def _tracked(board: Board, metric: str) -> dict[str, Any]:
    past = history(board, metric, PERIODS)
    is_known = past["complete"].astype(bool) & past["value"].notna()
    files = [source for source in _origins(board, metric) if source.path is not None]
    return {
        "coverage": float(is_known.mean()) if len(past) else 0.0,
        "fresh": board.row(metric)["reason"] not in _NOT_FRESH,
        "exports": len(files),
    }


def _relevance(board: Board, metric: str) -> str:
    """Say how a metric leads to the North Star.

    `North Star`, `part of X`, `moves X`, `expected to move X`, or `none`.
    """
    stars = board.company.north_star
    if metric in stars:
        return "North Star"
    for star in stars:
        if metric in board.company.upstream([star]):
            return f"part of {star}"
    pairs = board.company_links
    pairs = pairs[pairs["input"] == metric]
    moved = pairs.loc[pairs["verdict"] == "moves", "target"]
    if len(moved):
        return f"moves {moved.iloc[0]}"
    is_declared = pairs["declared"].astype(bool)
    is_open = (pairs["verdict"] == "cannot tell") & ~pairs["rocking_chair"].astype(bool)
    hoped = pairs.loc[is_declared & is_open, "target"]
    return f"expected to move {hoped.iloc[0]}" if len(hoped) else "none"


def _specific(board: Board, metric: str) -> dict[str, Any]:
    row = board.row(metric)
    company = board.company
    agreed = company.lights(metric)
    actions = 0
    if agreed is not None and pd.notna(row["target"]):
        for light in (agreed.green, agreed.yellow, agreed.red):
            if light is not None and light.do:
                actions += 1
    center, upper = float(row["center"]), float(row["upper"])
    return {
        "owner": company.departments[company.department_of(metric)].owner,
        "actions": actions,
        "detectable": abs((upper - center) / center) if center else float("nan"),
    }


def _cost(board: Board, metric: str) -> dict[str, Any]:
    systems = {source.system for source in _origins(board, metric)}
    started = time.perf_counter()
    alignment.align(
        board.rows, [metric], grain=board.grain, start=board.period.start, end=board.period.end
    )
    return {"systems": len(systems), "seconds": time.perf_counter() - started}


def _origins(board: Board, metric: str) -> list[Origin]:
    """Return the sources whose rows a metric is made of: behind a query, those that it reads."""
    sources = sources_of(board.company, [metric])
    return [board.company.origins[name] for name in board.rows.behind(*sources)]
