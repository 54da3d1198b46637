"""Rebases: the line that makes a change of level part of a metric's definition, ready to paste.

Limits start anew by themselves where a metric left its level (`limits`). Written down as `rebase`,
with the reason, that stands from then on: the change is no longer the signal of its points, each
level has limits of its own, and what comes after the newest day is searched for the next change.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.board.events import nearest
from dataops_nb.metrics import Because, Limits
from dataops_nb.periods import calendar
from dataops_nb.terms import Model

UNKNOWN = "a new level, reason not known yet"


@dataclass(frozen=True)
class Rebase:
    """What is proposed for one metric whose level is new.

    `since` is the first day of the newest level, `before` and `now` the means before it and since.
    `limits` are the metric's own with every change of level that was found.
    """

    metric: str
    since: dt.date
    before: float
    now: float
    limits: Limits

    @property
    def line(self) -> str:
        """What to write beside the metric: `limits: {rebase: [{from: ..., because: ...}]}`."""
        return f"limits: {_flow(self.limits)}"


def propose(board: Board, metrics: Collection[str] | None = None) -> Iterator[Rebase]:
    """Yield the rebase of each of a board's metrics whose newest signal is a change of level.

    `metrics` are the ones asked about, all where left out.
    """
    for row in board.current[board.current["signal"] == "shift"].to_dict("records"):
        metric = str(row["metric"])
        if metrics is not None and metric not in metrics:
            continue
        known = board.company.metrics[metric].limits
        rebase = [*known.rebase, *_changes(board, metric)]
        yield Rebase(
            metric,
            row["level_since"].date(),
            float(row["level_before"]),
            float(row["level_now"]),
            known.model_copy(update={"rebase": rebase}),
        )


def _changes(board: Board, metric: str) -> Iterator[Because]:
    """Yield each day on which a metric left its level, oldest first, with the reason."""
    own = board.table[board.table["metric"] == metric]
    for since in sorted(own["level_since"].dropna().unique()):
        day = pd.Timestamp(since)
        entry = {"from": day.date(), "because": _reason(board, metric, day)}
        yield Because.model_validate(entry)


def _reason(board: Board, metric: str, since: pd.Timestamp) -> str:
    """Return the newest event in the new level's first period, or the four before it."""
    cut = calendar(board.company.calendar)
    event = nearest(board.events, metric, since, board.grain, cut)
    return f"{event['event']}, {event['event_date'].date()}" if event else UNKNOWN


def _flow(value: Any) -> str:
    """Write a value as YAML on one line; what a model has by default is left out."""
    if isinstance(value, Model):
        given = value.model_dump(by_alias=True, exclude_defaults=True)
        value = {key: part for key, part in given.items() if part is not None}
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(part)}' for key, part in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(part) for part in value)}]"
    if isinstance(value, dt.date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)
