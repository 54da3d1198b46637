"""What `check` finds out about reports: notebooks and parameters that do not fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dataops_nb.definitions import nodes
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import Mistake
from dataops_nb.reports import plan

FILE = "reports.yaml"


def mistakes(params: Path, notebooks: Path, definitions: Definitions) -> Iterator[Mistake]:
    """Yield a mistake for each parameter that a report and its notebook do not agree about.

    It stands at its line of reports.yaml, and names the notebook and the cell.
    """
    root: nodes.Node | None = None
    for misfit in plan.misfits(definitions, notebooks):
        if root is None:
            root, _ = nodes.read(params / FILE, FILE)
        last = ("parameters", misfit.parameter) if misfit.parameter else ("notebook",)
        node = root or nodes.Node({})
        for step in (misfit.suite, "reports", misfit.report, *last):
            node = node.step(step) or node
        key = ".".join([misfit.suite, "reports", misfit.report, *last])
        for line in misfit.message.splitlines():
            yield Mistake(f"params/{FILE}", node.line, key, line)
