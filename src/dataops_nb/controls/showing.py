"""Where a panel can be used it is shown; elsewhere a table says what its settings would be."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_nb.board import Board
from dataops_nb.controls.answers import goal
from dataops_nb.controls.supposed import policy_of
from dataops_nb.definitions.models import Light
from dataops_nb.story import numbers
from dataops_nb.tables.markup import Cell, Table
from dataops_nb.workbench import Workbench

REFRESHING = "DATAOPS_NB_REFRESH"
WANTED = "DATAOPS_WIDGETS"
_SERVED, _STARTED_BY = "JPY_SESSION_NAME", "JPY_PARENT_PID"


def explore(board: Board, here: Workbench | None = None) -> Any:
    """The panel about a board, where somebody can use it; else the settings it would start with, as a folded table.

    `here` is where what-ifs are kept: the workbench that `workbench.open()` finds where it is left out.
    """
    if not usable():
        return Folded(settings(board))
    from dataops_nb import workbench  # noqa: PLC0415  nothing of it is needed for the table
    from dataops_nb.controls.panel import Panel  # noqa: PLC0415  brings ipywidgets, which a refresh must not load

    return Panel(board, here or workbench.open())


def usable() -> bool:
    """Whether a person sits at the other end: a kernel that a Jupyter server or an editor started, and no refresh.

    DATAOPS_WIDGETS=1 or 0 says so where that cannot be told.
    """
    if os.environ.get(REFRESHING):
        return False
    if said := os.environ.get(WANTED):
        return said != "0"
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is None:
        return False
    return _served() or "__vsc_ipynb_file__" in shell.user_ns or "google.colab" in sys.modules


def _served() -> bool:
    """Whether a Jupyter server started this kernel: it says which notebook a kernel is for, and papermill says nothing.

    What is started from a notebook's cell has that from the cell's kernel: then whoever started this one had it as well.
    """
    if _SERVED not in os.environ:
        return False
    try:
        started_by = Path("/proc", os.environ[_STARTED_BY], "environ").read_bytes()
    except (KeyError, OSError):  # elsewhere than on Linux nobody can tell
        return True
    return f"{_SERVED}=".encode() not in started_by


@dataclass(frozen=True)
class Folded:
    """A table under a line that opens it: on a page it is there for whoever asks, and in nobody's way."""

    table: Table

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = self.table._repr_mimebundle_()
        html = f"<details><summary>{self.table.caption}</summary>{shown['text/html']}</details>"
        return {**shown, "text/html": html}


def settings(board: Board) -> Table:
    """The settings of a board: its period, what it is compared with, and each metric's target, thresholds and policy."""
    columns = ["Metric", "Period", "Compared with", "Segment", "Target", "Green from", "Yellow from", "Policy"]
    body = [_settings(board, name) for name in board.metrics]
    return Table("Settings of these lights", columns, body, frozenset(columns[4:7]))


def _settings(board: Board, metric: str) -> list[Cell]:
    definitions, agreed = board.definitions, board.definitions.lights(metric)
    target = goal(board, board.row(metric), definitions.metrics[metric].unit)
    found = {"green": agreed.green, "yellow": agreed.yellow} if agreed else {}
    starts = [_start(board, found.get(colour)) for colour in ("green", "yellow")]
    about = [definitions.label(metric), numbers.of(board).period(board.period), f"the {board.grain} before", "all"]
    return [*about, target, *starts, policy_of(definitions, metric)]


def _start(board: Board, light: Light | None) -> str:
    return "–" if light is None or light.at_least is None else numbers.of(board).share(light.at_least)
