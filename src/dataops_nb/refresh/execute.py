"""Execution: one process per report, a few at a time, each with a limit; whatever happens, each ends in one state.

What papermill writes about itself is not believed. A report ran when its process said so, no cell shows an error, and
the notebook holds its facts.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from dataops_nb.errors import DataError, DataopsError, KilledError, ReportError, TimedOutError
from dataops_nb.publish import facts
from dataops_nb.refresh import processes
from dataops_nb.refresh.ledger import State
from dataops_nb.refresh.surroundings import environment, secrets

__all__ = ["Ended", "Job", "environment", "run", "secrets"]

POLL = 0.05
_DATA = DataError.__name__


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
    def log(self) -> Path:
        """Everything the process and its kernel printed, tracebacks too."""
        return self.folder / "log.txt"

    def note(self, error: BaseException) -> None:
        """Keep the traceback of what went wrong after the notebook ran."""
        with self.log.open("a", encoding="utf-8") as log:
            log.writelines(traceback.format_exception(error))


@dataclass(frozen=True)
class Ended:
    """How a job ended: its state, the exit code that stands for it, one line of error, and the executed notebook."""

    job: Job
    state: State
    seconds: float
    code: int = 0
    error: str | None = None
    notebook: NotebookNode | None = None


@dataclass(frozen=True)
class _Running:
    job: Job
    process: subprocess.Popen[bytes]
    began: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def run(
    jobs: Iterable[Job], *, at_a_time: int, timeout: float, started: Callable[[Job], None]
) -> Generator[Ended, None, None]:
    """Execute jobs, at most `at_a_time` at once, and give each as it ends; `started` is told before one starts.

    A job that runs longer than `timeout` seconds is ended with all it started. So is every job that still runs when the
    caller stops asking or is interrupted.
    """
    waiting, running = list(jobs), list[_Running]()
    try:
        while waiting or running:
            while waiting and len(running) < at_a_time:
                job = waiting.pop(0)
                started(job)
                running.append(_begin(job))
            for one in list(running):
                ended = _look(one, timeout)
                if ended is not None:
                    running.remove(one)
                    yield ended
            time.sleep(POLL if running else 0)
    finally:
        for one in running:
            processes.end(one.process)


def _begin(job: Job) -> _Running:
    job.folder.mkdir(parents=True, exist_ok=True)
    told = {
        "notebook": str(job.notebook),
        "executed": str(job.executed),
        "folder": str(job.folder),
        "parameters": dict(job.parameters),
        "result": str(job.folder / "result.json"),
        "cell": str(job.folder / "cell.txt"),
        "runner": os.getpid(),
    }
    path = job.folder / "job.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    surroundings = {**job.environment, "JUPYTER_RUNTIME_DIR": str(job.folder)}
    with job.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dataops_nb.refresh.child", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=surroundings,
            cwd=job.folder,
            start_new_session=True,
        )
    return _Running(job, process, time.monotonic())


def _look(one: _Running, timeout: float) -> Ended | None:
    if one.process.poll() is not None:
        _clear(one.job)
        return _judged(one)
    if one.seconds <= timeout:
        return None
    processes.end(one.process)
    _clear(one.job)
    error = f"{_where(one.job)}ran longer than {timeout:g} s and was ended"
    return Ended(one.job, "timed_out", one.seconds, TimedOutError.exit_code, error)


def _clear(job: Job) -> None:
    """Remove the kernel's sockets and its connection file; the rest of the folder is evidence."""
    for left in (*job.folder.glob("k-*"), *job.folder.glob("kernel-*.json")):
        left.unlink(missing_ok=True)


def _judged(one: _Running) -> Ended:
    result = _result(one.job)
    if one.process.returncode < 0 or result is None:
        error = f"{_where(one.job)}the report's process ended {_how(one.process.returncode)}"
        return Ended(one.job, "killed", one.seconds, KilledError.exit_code, error)
    where = _where(one.job)
    if result["state"] == "killed":
        return Ended(one.job, "killed", one.seconds, KilledError.exit_code, where + result["error"])
    if result["state"] != "ok" or one.process.returncode != 0:
        code = DataError.exit_code if result.get("ename") == _DATA else ReportError.exit_code
        return Ended(one.job, "failed", one.seconds, code, where + result.get("error", "failed"))
    try:
        notebook = _notebook(one.job)
    except DataopsError as error:
        return Ended(one.job, "failed", one.seconds, error.exit_code, str(error))
    return Ended(one.job, "ok", one.seconds, notebook=notebook)


def _result(job: Job) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((job.folder / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _notebook(job: Job) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(job.executed, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ReportError("the executed notebook cannot be read") from error
    facts.of(notebook)
    return notebook


def _where(job: Job) -> str:
    """`cell 4: `, as far as the notebook came."""
    try:
        return f"cell {(job.folder / 'cell.txt').read_text(encoding='utf-8')}: "
    except OSError:
        return ""


def _how(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code} and left no result"
