"""Readers of a pitch: asked one after the other where somebody sits at the notebook; elsewhere it is told how many were."""

from __future__ import annotations

from typing import Any

from dataops_nb import messages
from dataops_nb.board import Board
from dataops_nb.controls.showing import Folded, usable
from dataops_nb.errors import UsageError
from dataops_nb.messages import Trial
from dataops_nb.tables.markup import Table


def readers(board: Board, metric: str | None = None) -> Any:
    """The questions about a metric's pitches (else the lead's) for the next reader; with nobody there, a count of answers."""
    trial = _trial(board, metric or board.lead)
    if trial is None or board.out is None or not usable():
        return Folded(_counted(board, metric or board.lead, trial))
    from dataops_nb.controls.asking import Asking  # noqa: PLC0415  brings ipywidgets, which a refresh must not load

    return Asking(board.out, trial)


def _trial(board: Board, metric: str) -> Trial | None:
    try:
        return messages.read_trial(board.out, metric) if board.out else None
    except UsageError:
        return None


def _counted(board: Board, metric: str, trial: Trial | None) -> Table:
    columns = ["Pitch", "Invited", "Answered"]
    if trial is None:
        return Table(f"No readers yet: dataops-nb message form {metric} invites them", columns, [])
    invited, said = list(messages.assign(trial).values()), messages.answers(board.out, trial.id)
    rows = [[name, str(invited.count(name)), str(int((said["variant"] == name).sum()))] for name in trial.variants]
    return Table("Readers of the last trial", columns, rows, frozenset(columns[1:]))
