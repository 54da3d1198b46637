"""What the reports of a refresh may use: an engine, so much time and memory, warm processes.

Every command that starts a refresh imports this, so it imports nothing slow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dataops_nb.reports import processes

if TYPE_CHECKING:
    from dataops_nb.reports.engine import Template
    from dataops_nb.reports.pages.renderer import Renderer

Engine = Literal["forked", "kernel"]
TIMEOUT = 900.0  # seconds
SHARE = 0.8  # of the free memory, for all reports that run at a time


@dataclass(frozen=True)
class Limits:
    """What one report may take: seconds in all, seconds in one cell, bytes of memory.

    The memory is that of its process and of all that it started. With `cell` None, a cell may take
    as long as the whole report; with `memory` None, a report gets its share of the free memory.
    """

    timeout: float = TIMEOUT
    cell: float | None = None
    memory: int | None = None

    def within(self, timeout: float, at_a_time: int) -> Limits:
        """Return the limits with the given timeout and, where none is set, a share of memory."""
        share = int(processes.available() * SHARE / at_a_time)
        memory = self.memory or share or None
        return replace(self, timeout=timeout, memory=memory)


@dataclass(frozen=True)
class Warm:
    """Processes kept for all reports of a refresh, so that only the first one waits for them.

    Reports fork from `template`; `renderer` builds their pages. Each is None where there is none.
    """

    template: Template | None = None
    renderer: Renderer | None = None
