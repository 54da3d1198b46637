"""Watch one job: its files, its limits while it runs, and how it ended as judged from outside.

A job is one notebook to execute with its parameters in a private folder. While it runs, its time,
the time in its cell and its memory with all it started are watched. How it ended is judged by its
process, by what that wrote, and by what its notebook shows.
"""

from __future__ import annotations

import json
import re
import signal
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import nbformat
from nbformat import NotebookNode

from dataops_nb.errors import (
    DataError,
    DataopsError,
    KilledError,
    PublishError,
    ReportError,
    TimedOutError,
    first_line,
)
from dataops_nb.reports import processes
from dataops_nb.reports.engine import NEEDS_KERNEL, Fork
from dataops_nb.reports.ledger import State
from dataops_nb.reports.pages import notebook as notebook_
from dataops_nb.reports.processes import Child
from dataops_nb.reports.resources import Limits

Over = Literal["time", "cell", "memory"]
FAMILY = 0.5  # seconds between looks for what it started
MIB = 1 << 20
UNHEARD = {"Exception in thread": "a thread", "Task exception was never retrieved": "a task"}
_LAST = re.compile(
    r"^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning)?): (.*)$", re.MULTILINE
)


@dataclass(frozen=True, eq=False)
class Job:
    """One notebook to execute with its parameters, in a private folder, with an environment."""

    notebook: Path
    parameters: Mapping[str, Any]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def executed(self) -> Path:
        """Where papermill writes; private until it is judged."""
        return self.folder / "executed.ipynb"

    @property
    def result(self) -> Path:
        """Where the process says how it went."""
        return self.folder / "result.json"

    @property
    def cell(self) -> Path:
        """Where the process says which cell runs."""
        return self.folder / "cell.txt"

    @property
    def log(self) -> Path:
        """Everything the process and its kernel printed, tracebacks too."""
        return self.folder / "log.txt"

    def note(self, error: BaseException) -> None:
        """Keep the traceback of what went wrong after the notebook ran."""
        with self.log.open("a", encoding="utf-8") as log:
            log.writelines(traceback.format_exception(error))


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
    _told_to_leave: float = 0.0
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
        """Tell whether it must be ended now.

        It went over a limit, was told to leave, and did not within the grace.
        """
        self.limits = limits
        if self.over is None:
            self.over = self._over(limits)
            if self.over is None:
                return False
            self._family = time.monotonic(), processes.tell(self.process)
            self._told_to_leave = time.monotonic()
        return time.monotonic() - self._told_to_leave > processes.GRACE

    def end(self) -> int:
        """Make sure that nothing of it is left, and return its exit code."""
        return processes.end(self.process, 0, self._family[1])

    def again(self, code: int) -> str | None:
        """Return the engine to start it on again; None where it has ended.

        It is started again if it asked for a kernel or died before its first cell, but only once.
        One that ended with the template may have done nothing for it: a cell of a neighbour can
        end their common parent. It is executed again, on a kernel that shares no parent.
        """
        if self.over is not None:
            return None
        if isinstance(self.process, Fork) and self.process.is_orphan:
            self._forget()
            self.began = time.monotonic()
            return "kernel"
        if self.retried:
            return None
        if code == NEEDS_KERNEL and self.engine == "forked":
            again = "kernel"
        elif not self.cell and not self.job.result.exists() and code != 0:
            again = self.engine
        else:
            return None
        self._forget()
        return again

    def _forget(self) -> None:
        self.retried = True
        for left in (self.job.cell, self.job.result, self.job.executed):
            left.unlink(missing_ok=True)

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
        return sum(
            processes.resident(pid) for pid in (self.process.pid, *(pid for pid, _ in family))
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


@dataclass(frozen=True)
class JobEnd:
    """How a job ended: its state and exit code, one line of error, and the executed notebook.

    `peak` is the most memory that it was seen to hold, in bytes.
    """

    job: Job
    state: State
    seconds: float
    code: int = 0
    error: str | None = None
    notebook: NotebookNode | None = None
    peak: int | None = None


def judge(one: Running, code: int) -> JobEnd:
    """Judge a job whose process has ended with `code`."""
    result = _result(one)
    peak = max(one.peak, (result or {}).get("peak") or 0)
    if one.over is not None:
        verdict = _over(one)
    elif code < 0 or result is None:
        verdict = _gone(one, code, peak)
    elif result["state"] == "ok" and code == 0:
        return _good(one, peak)
    else:
        verdict = _reported(result, peak)
    error = f"cell {one.cell}: {verdict.error}" if one.cell else verdict.error
    return JobEnd(one.job, verdict.state, one.seconds, verdict.code, error, peak=peak or None)


class _Verdict(NamedTuple):
    state: State
    code: int
    error: str


def _good(one: Running, peak: int) -> JobEnd:
    """Judge a job that came to its end; it is good where its notebook is."""
    try:
        notebook = _notebook(one)
    except DataopsError as error:
        return JobEnd(one.job, "failed", one.seconds, error.exit_code, str(error), peak=peak)
    return JobEnd(one.job, "ok", one.seconds, notebook=notebook, peak=peak)


def _reported(result: Mapping[str, Any], peak: int) -> _Verdict:
    """Judge by what the report's process wrote: a cell failed, the kernel died, room ran out."""
    error = result.get("error", "failed")
    if result["state"] == "killed":
        return _killed(error)
    if result["state"] == "memory":
        return _killed(f"out of memory at {_size(peak)}: {error}")
    if result["state"] == "disk":
        return _Verdict("failed", PublishError.exit_code, error)
    if result.get("ename") == DataError.__name__:
        return _Verdict("failed", DataError.exit_code, error)
    return _Verdict("failed", ReportError.exit_code, error)


def _killed(error: str) -> _Verdict:
    return _Verdict("killed", KilledError.exit_code, error)


def _over(one: Running) -> _Verdict:
    """Judge a job that was ended for going over a limit."""
    limits = one.limits
    if one.over == "memory":
        held, allowed = _size(one.peak), _size(limits.memory or 0)
        return _killed(f"used {held} of memory (limit {allowed}) and was stopped")
    limit = f"{limits.timeout:g} s (limit)"
    if one.over == "cell":
        limit = f"{limits.cell:g} s (limit of a cell)"
    return _Verdict("timed_out", TimedOutError.exit_code, f"took more than {limit} and was stopped")


def _gone(one: Running, code: int, peak: int) -> _Verdict:
    """Judge a job whose process left no result: it was killed, left, or could not write."""
    if code == PublishError.exit_code:
        error = f"the report's folder cannot be written{_reason(one)}"
        return _Verdict("failed", code, error)
    if code >= 0:
        return _killed(f"the report's process stopped without a result (exit code {code})")
    held = ""
    if peak and code == -signal.SIGKILL:
        held = f"; it held {_size(peak)} of memory"
    return _killed(f"the report's process was stopped by {signal.Signals(-code).name}{held}")


def _reason(one: Running) -> str:
    try:
        log = one.job.log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    match = re.search(r"cannot be written: (.*)", log)
    return f": {match[1]}" if match else ""


def _result(one: Running) -> dict[str, Any] | None:
    try:
        result: dict[str, Any] = json.loads(one.job.result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return result


def _notebook(one: Running) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(  # type: ignore[no-untyped-call]
            one.job.executed, as_version=4
        )
    except (OSError, ValueError) as error:
        raise ReportError("can't read the executed notebook") from error
    notebook_.of(notebook)
    _refuse_unheard(notebook)
    return notebook


def _refuse_unheard(notebook: NotebookNode) -> None:
    """Raise ReportError where a thread or a task failed beside the cells.

    No cell shows it, Python only prints it.
    """
    for number, cell in notebook_.numbered(notebook):
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream" and output.get("name") == "stderr":
                _refuse_unheard_in(output["text"], number)


def _refuse_unheard_in(text: str, number: int) -> None:
    for mark, who in UNHEARD.items():
        if re.search(rf"^{mark}", text, re.MULTILINE):
            errors = _LAST.findall(text)
            error = first_line(*errors[-1]) if errors else "see its log"
            raise ReportError(f"cell {number}: {who} failed: {error}")


def _size(count: int) -> str:
    return f"{count / MIB:,.0f} MiB"
