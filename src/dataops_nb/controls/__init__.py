"""Controls: a board to play with. What if the target were different? What was an earlier period?

`explore` shows a panel in JupyterLab. Where nobody can use it - while a report is refreshed, under
papermill, in a script - it is a table of the same settings. The panel answers from the metric
table, judged again in memory; no data are read. `readers` asks readers of a pitch at the notebook
where somebody sits there, and counts their answers elsewhere.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_nb import numbers
from dataops_nb.board import Bench, Board
from dataops_nb.company import Trial
from dataops_nb.controls.settings import policy_of
from dataops_nb.display import Cell, Table, folded
from dataops_nb.metrics import Light
from dataops_nb.tables.scorecard import MISSING, target_text

__all__ = [
    "explore",
    "readers",
]


def __dir__() -> list[str]:
    return __all__


REFRESHING = "DATAOPS_NB_REFRESH"
WANTED = "DATAOPS_WIDGETS"
# What a Jupyter server tells the kernels it starts: their notebook, and its own process.
_SERVED, _STARTED_BY = "JPY_SESSION_NAME", "JPY_PARENT_PID"


def explore(board: Board, here: Bench | None = None) -> Any:
    """Show the panel about a board; where nobody can use it, its settings as a folded table.

    What-ifs are kept in the workbench `here`; by default in the one the board was read from.

    >>> controls.explore(this).table.caption
    'Settings behind these results'
    """
    if not usable():
        return Folded(settings_table(board))
    from dataops_nb.controls.panel import Panel  # noqa: PLC0415  brings ipywidgets

    return Panel(board, (here or board).memory.whatifs)


def usable() -> bool:
    """Tell whether a person can use widgets: a Jupyter server or an editor started the kernel.

    Nobody can during a refresh. DATAOPS_WIDGETS=1 or 0 decides where this cannot be seen.
    """
    if os.environ.get(REFRESHING):
        return False
    wanted = os.environ.get(WANTED)
    if wanted:
        return wanted != "0"
    if "IPython" not in sys.modules:
        return False
    shell: Any = sys.modules["IPython"].get_ipython()
    if getattr(shell, "kernel", None) is None:
        return False
    in_editor = "__vsc_ipynb_file__" in shell.user_ns or "google.colab" in sys.modules
    return in_editor or _served()


def _served() -> bool:
    """Tell whether a Jupyter server started this kernel.

    A server tells a kernel its notebook; papermill does not. But a program started from a cell
    inherits the variable: then the process that started this kernel had it as well.
    """
    if _SERVED not in os.environ:
        return False
    try:
        started_by = Path("/proc", os.environ[_STARTED_BY], "environ").read_bytes()
    except (KeyError, OSError):  # other systems than Linux do not show it
        return True
    return f"{_SERVED}=".encode() not in started_by


@dataclass(frozen=True)
class Folded:
    """A table under a line that opens it."""

    table: Table

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = self.table._repr_mimebundle_()
        return {**shown, "text/html": folded(self.table.caption, shown["text/html"])}


_POLICIES = {"target": "target only", "capability": "target and usual range"}


def settings_table(board: Board) -> Table:
    """Return a board's settings, a metric a row.

    Columns: Metric, Period, Compared with, Segment, Target, Green from, Yellow from, Judged by.
    """
    columns = [
        "Metric",
        "Period",
        "Compared with",
        "Segment",
        "Target",
        "Green from",
        "Yellow from",
        "Judged by",
    ]
    rows = [_settings_row(board, metric) for metric in board.metrics]
    return Table("Settings behind these results", columns, rows, frozenset(columns[4:7]))


def _settings_row(board: Board, metric: str) -> list[Cell]:
    company = board.company
    lights = company.lights(metric)
    green, yellow = None, None
    if lights is not None:
        green, yellow = lights.green, lights.yellow
    return [
        company.label(metric),
        numbers.of(board).period(board.period),
        f"the {board.grain} before",
        "all",
        target_text(board, board.row(metric)),
        _threshold_text(board, green),
        _threshold_text(board, yellow),
        _POLICIES[policy_of(company, metric)],
    ]


def _threshold_text(board: Board, light: Light | None) -> str:
    if light is None or light.at_least is None:
        return MISSING
    return numbers.of(board).threshold(light.at_least)


def readers(board: Board, metric: str | None = None) -> Any:
    """Show the next reader the questions about a metric's pitches; by default the lead's.

    Where nobody can answer, return a folded table of how many readers have.

    >>> controls.readers(this).table.caption
    'No readers yet: run dataops-nb message form revenue'
    """
    metric = metric or board.lead
    trial = board.memory.trial(metric)
    if trial is None or not usable():
        return Folded(_counts(metric, trial))
    from dataops_nb.controls.questions import Asking  # noqa: PLC0415  brings ipywidgets

    return Asking(trial)


def _counts(metric: str, trial: Trial | None) -> Table:
    """Count the invited readers and the answers of each pitch."""
    columns = ["Pitch", "Invited", "Answered"]
    if trial is None:
        caption = f"No readers yet: run dataops-nb message form {metric}"
        return Table(caption, columns, [])
    rows: list[list[Cell]] = []
    for variant, invited, answered in trial.counts:
        rows.append([variant, str(invited), str(answered)])
    return Table("Readers of the last trial", columns, rows, frozenset(columns[1:]))
