"""What is watched while a report runs: how long, how long in one cell, and how much memory with all it started."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from dataops_nb.execution import processes
from dataops_nb.execution.fit import NEEDS_KERNEL
from dataops_nb.execution.processes import Child
from dataops_nb.refresh.jobs import Job

Over = Literal["time", "cell", "memory"]
SHARE = 0.8
FAMILY = 0.5


@dataclass(frozen=True)
class Limits:
    """What one report may take: seconds in all, seconds in one cell, bytes of memory with all it started.

    `cell` None: as long as the whole report; `memory` None: its share of what this machine has left.
    """

    timeout: float = 900.0
    cell: float | None = None
    memory: int | None = None

    def within(self, timeout: float, at_a_time: int) -> Limits:
        """The limits with the whole run's, and with a share of the memory where nothing is said."""
        memory = self.memory or int(processes.available() * SHARE / at_a_time) or None
        return replace(self, timeout=timeout, memory=memory)


@dataclass(eq=False)
class Running:
    """A job under way, and what was seen of it."""

    job: Job
    process: Child
    engine: str
    began: float = field(default_factory=time.monotonic)
    over: Over | None = None
    limits: Limits = field(default_factory=Limits)
    peak: int = 0
    retried: bool = False
    _cell: tuple[str, float] = ("", 0.0)
    _told: float = 0.0
    _family: tuple[float, list[processes.Process]] = (0.0, [])

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.began

    @property
    def cell(self) -> str:
        """The number of the cell that runs, or ran last; empty before the first."""
        return _text(self.job.cell).partition(" ")[0]

    def overdue(self, limits: Limits) -> bool:
        """Whether it must be ended now: it went over a limit, was told to leave, and did not within the grace."""
        self.limits = limits
        if self.over is None:
            self.over = self._over(limits)
            if self.over is None:
                return False
            self._family = time.monotonic(), processes.tell(self.process)
            self._told = time.monotonic()
        return time.monotonic() - self._told > processes.GRACE

    def end(self) -> int:
        """Make sure that nothing of it is left; its exit code."""
        return processes.end(self.process, 0, self._family[1])

    def again(self, code: int) -> str | None:
        """The engine on which it is started again: it asked for a kernel, or died before its first cell."""
        if self.over is not None or self.retried:
            return None
        if code == NEEDS_KERNEL and self.engine == "forked":
            again = "kernel"
        elif not self.cell and not self.job.result.exists() and code != 0:
            again = self.engine
        else:
            return None
        self.retried = True
        self.job.cell.unlink(missing_ok=True)
        return again

    def _over(self, limits: Limits) -> Over | None:
        now = time.monotonic()
        if now - self.began > limits.timeout:
            return "time"
        if limits.cell is not None:
            cell = _text(self.job.cell)
            if cell != self._cell[0]:
                self._cell = cell, now
            if cell.isdigit() and now - self._cell[1] > limits.cell:
                return "cell"
        self.peak = max(self.peak, self._memory(now))
        return "memory" if limits.memory is not None and self.peak > limits.memory else None

    def _memory(self, now: float) -> int:
        looked, family = self._family
        if now - looked > FAMILY:
            family = processes.below(self.process.pid)
            self._family = now, family
        return sum(processes.resident(pid) for pid in (self.process.pid, *(pid for pid, _ in family)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
