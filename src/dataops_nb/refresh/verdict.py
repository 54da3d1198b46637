"""How a report ended, judged from outside: by its process, by what it wrote, and by what its notebook shows."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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
from dataops_nb.publish import facts
from dataops_nb.refresh.jobs import Job
from dataops_nb.refresh.ledger import State
from dataops_nb.refresh.watch import Running

MIB = 1 << 20
UNHEARD = {"Exception in thread": "a thread", "Task exception was never retrieved": "a task"}
_LAST = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning)?): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Ended:
    """How a job ended: its state, the exit code that stands for it, one line of error, and the executed notebook.

    `peak` is the most memory that it was seen to hold, in bytes.
    """

    job: Job
    state: State
    seconds: float
    code: int = 0
    error: str | None = None
    notebook: NotebookNode | None = None
    peak: int | None = None


def judged(one: Running, code: int) -> Ended:
    """The end of a job whose process has ended with `code`."""
    result = _result(one)
    peak = max(one.peak, (result or {}).get("peak") or 0)
    if one.over is not None:
        said = _over(one)
    elif code < 0 or result is None:
        said = _gone(one, code, peak)
    elif result["state"] == "ok" and code == 0:
        return _good(one, peak)
    else:
        said = _told(result, peak)
    return Ended(one.job, said.state, one.seconds, said.code, _where(one) + said.error, peak=peak or None)


class _Said(NamedTuple):
    state: State
    code: int
    error: str


def _good(one: Running, peak: int) -> Ended:
    """The end of a job that came to its end; it is good where its notebook is."""
    try:
        notebook = _notebook(one)
    except DataopsError as error:
        return Ended(one.job, "failed", one.seconds, error.exit_code, str(error), peak=peak)
    return Ended(one.job, "ok", one.seconds, notebook=notebook, peak=peak)


def _told(result: Mapping[str, Any], peak: int) -> _Said:
    """What the report's process said of itself: a cell failed, the kernel died, there was no memory or no room."""
    error = result.get("error", "failed")
    if result["state"] == "killed":
        return _Said("killed", KilledError.exit_code, error)
    if result["state"] == "memory":
        return _Said("killed", KilledError.exit_code, f"out of memory, after {_size(peak)}: {error}")
    if result["state"] == "disk":
        return _Said("failed", PublishError.exit_code, error)
    code = DataError.exit_code if result.get("ename") == DataError.__name__ else ReportError.exit_code
    return _Said("failed", code, error)


def _over(one: Running) -> _Said:
    """The end of a job that was ended for going over a limit."""
    limits = one.limits
    if one.over == "memory":
        said = f"held {_size(one.peak)} of memory, may hold {_size(limits.memory or 0)}, and was ended"
        return _Said("killed", KilledError.exit_code, said)
    cell = f"the {limits.cell:g} s of a cell" if one.over == "cell" else f"{limits.timeout:g} s"
    return _Said("timed_out", TimedOutError.exit_code, f"ran longer than {cell} and was ended")


def _gone(one: Running, code: int, peak: int) -> _Said:
    """The end of a job whose process left nothing: it was killed, left by itself, or found no room to write."""
    if code == PublishError.exit_code:
        return _Said("failed", code, f"the report's folder cannot be written{_reason(one)}")
    if code >= 0:
        return _Said(
            "killed", KilledError.exit_code, f"the report's process ended with exit code {code} and left no result"
        )
    held = f"; it held {_size(peak)} of memory" if peak and code == -signal.SIGKILL else ""
    return _Said("killed", KilledError.exit_code, f"the report's process ended by {signal.Signals(-code).name}{held}")


def _reason(one: Running) -> str:
    try:
        hit = re.search(r"cannot be written: (.*)", one.job.log.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return f": {hit[1]}" if hit else ""


def _result(one: Running) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(one.job.result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _notebook(one: Running) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(one.job.executed, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ReportError("the executed notebook cannot be read") from error
    facts.of(notebook)
    _refuse_unheard(notebook)
    return notebook


def _refuse_unheard(notebook: NotebookNode) -> None:
    """ReportError where a thread or a task failed beside the cells: no cell shows it, Python only prints it."""
    for number, cell in facts.numbered(notebook):
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream" and output.get("name") == "stderr":
                for mark, who in UNHEARD.items():
                    if re.search(rf"^{mark}", output["text"], re.MULTILINE):
                        last = _LAST.findall(output["text"])
                        said = first_line(*last[-1]) if last else "see its log"
                        raise ReportError(f"cell {number}: {who} failed: {said}")


def _where(one: Running) -> str:
    """`cell 4: `, as far as the notebook came."""
    return f"cell {one.cell}: " if one.cell else ""


def _size(count: int) -> str:
    return f"{count / MIB:,.0f} MiB"
