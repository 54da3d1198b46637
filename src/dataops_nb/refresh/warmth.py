"""What is started before it is needed, so that it is warm by then: the template of the reports' processes.

Imports nothing slow: the template imports while this process does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from dataops_nb.execution import forks
from dataops_nb.execution.forks import Template
from dataops_nb.refresh.surroundings import passed

Engine = Literal["forked", "kernel"]
KEPT: list[Template] = []


@contextmanager
def kept(engine: Engine = "forked") -> Iterator[None]:
    """Keep one template for every report that is executed in here, so that only the first waits for its imports."""
    if KEPT or engine != "forked" or not forks.possible():
        yield
        return
    KEPT.append(Template(passed()))
    try:
        yield
    finally:
        KEPT.pop().close()
