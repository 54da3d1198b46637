"""The admission test: does a metric earn its place on a board? Four properties, measured.

A good metric is easily tracked, relevant to the North Star, specific enough to act on, and not too hard to create. `score`
gives each metric's figures for the four, whether they hold, and whether it should be retired.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dataops_nb import alignment
from dataops_nb.board import Board, history
from dataops_nb.definitions import Definitions, metric_parts, sources_behind, upstream
from dataops_nb.definitions.models import Source

MOST = 15
PERIODS = 26
COVERED = 0.9
SYSTEMS = 3
COLUMNS = [
    "metric", "coverage", "fresh", "exports", "tracked", "relevance", "relevant", "owner", "actions", "detectable", "specific",
    "systems", "seconds", "affordable", "held", "retire",
]  # fmt: skip


def score(board: Board) -> pd.DataFrame:
    """One row a metric of the board, with `COLUMNS`.

    `coverage`: the share of its last 26 periods that are complete and have a value. `exports`: how many sources behind it are
    files that somebody has to export. `actions`: for how many colours it was agreed what to do. `detectable`: the
    smallest change from its average that one period can show to be more than luck, as a share of that average.
    `seconds`: how long its values take to compute once its sources are open. `retire`: it has no way to the North Star, is no
    guardrail, no other metric needs it, and at least one of the other three does not hold.
    """
    return pd.DataFrame([_score(board, metric) for metric in board.metrics], columns=COLUMNS)


@dataclass(frozen=True)
class Crowd:
    """A department with more metrics than anybody reads on one board."""

    source: str
    count: int
    text: str = f"metrics on one board; nobody reads more than {MOST}, so retire some"

    def __str__(self) -> str:
        return f"department {self.source}: {self.count} {self.text}"


def crowded(definitions: Definitions) -> Iterator[Crowd]:
    """The departments with more than 15 metrics, those that rows make left out."""
    for name, department in definitions.departments.items():
        if len(department.metrics) > MOST:
            yield Crowd(name, len(department.metrics))


def _score(board: Board, metric: str) -> dict[str, Any]:
    tracked, relevance = _tracked(board, metric), _relevance(board, metric)
    specific, cost = _specific(board, metric), _cost(board, metric)
    relevant = relevance != "none"
    held = {
        "tracked": tracked["coverage"] >= COVERED and tracked["fresh"],
        "relevant": relevant,
        "specific": bool(specific["owner"]) and specific["actions"] >= 2,
        "affordable": cost["systems"] <= SYSTEMS,
    }
    kept = relevant or board.definitions.role(metric) == "guardrail" or _needed(board.definitions, metric)
    retire = not kept and not all(held[name] for name in ("tracked", "specific", "affordable"))
    return {
        "metric": metric,
        **tracked,
        "relevance": relevance,
        **specific,
        **cost,
        **held,
        "held": sum(held.values()),
        "retire": retire,
    }


def _needed(definitions: Definitions, metric: str) -> bool:
    """Whether another metric is computed from it or reconciled with it."""
    return any(
        metric in metric_parts(other) or metric in {each.with_ for each in other.reconcile}
        for other in definitions.metrics.values()
    )


def _tracked(board: Board, metric: str) -> dict[str, Any]:
    past = history(board, metric, PERIODS)
    whole = past["complete"].astype(bool) & past["value"].notna()
    return {
        "coverage": float(whole.mean()) if len(past) else 0.0,
        "fresh": board.row(metric)["reason"] not in {"stale", "fault", "no data", "incomplete"},
        "exports": sum(source.path is not None for source in _read(board, metric)),
    }


def _relevance(board: Board, metric: str) -> str:
    """How it leads to the North Star: `North Star`, `part of X`, `moves X`, `declared to move X`, or `none`."""
    definitions, pairs = board.definitions, board.company_links
    stars, own = definitions.company.north_star, pairs[pairs["input"] == metric]
    if metric in stars:
        return "North Star"
    if above := [star for star in stars if metric in upstream(definitions, [star])]:
        return f"part of {above[0]}"
    if len(moved := own[own["verdict"] == "moves"]):
        return f"moves {moved['target'].iloc[0]}"
    open_ = own[own["declared"].astype(bool) & (own["verdict"] == "cannot tell") & ~own["rocking_chair"].astype(bool)]
    return f"declared to move {open_['target'].iloc[0]}" if len(open_) else "none"


def _specific(board: Board, metric: str) -> dict[str, Any]:
    row, agreed = board.row(metric), board.definitions.lights(metric)
    judged = agreed is not None and pd.notna(row["target"])
    colours = [getattr(agreed, name) for name in ("green", "yellow", "red")] if judged else []
    center, upper = float(row["center"]), float(row["upper"])
    return {
        "owner": board.definitions.departments[board.definitions.department_of(metric)].owner,
        "actions": sum(light is not None and bool(light.do) for light in colours),
        "detectable": abs((upper - center) / center) if center else float("nan"),
    }


def _read(board: Board, metric: str) -> list[Source]:
    """The sources whose rows a metric is made of: behind a query, those that it reads."""
    declared = board.definitions.company.sources
    named = alignment.sources_of(board.definitions, [metric])
    return [source for name in sources_behind(declared, named) if (source := declared[name]).path or source.url]


def _cost(board: Board, metric: str) -> dict[str, Any]:
    systems = {source.system for source in _read(board, metric)}
    before = time.perf_counter()
    alignment.align(board.catalog, [metric], grain=board.grain, start=board.period.start, end=board.period.end)
    return {"systems": len(systems), "seconds": time.perf_counter() - before}
