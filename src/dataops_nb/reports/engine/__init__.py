"""The runner's end of the forked engine: start the template, have it fork, hear how forks end.

A fork executes a report in a copy of the template, which has imported everything already. A
notebook needs a kernel instead if it talks to a browser or names another kernel than python3. Our
own `controls` use widgets only in a live notebook; under refresh they are a table. A notebook that
talks without an import that says so is noticed when it does: its process ends with NEEDS_KERNEL.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_nb.reports import processes

if TYPE_CHECKING:
    from nbformat import NotebookNode


STARTING = 120.0  # seconds that the template may take to import everything
FEW_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    # arrow's allocator cleans up in a thread of its own
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
DEFAULT = "python3"
NEEDS_KERNEL = 75  # exit code
TALKING = (
    "anywidget",
    "bqplot",
    "comm",
    "ipycanvas",
    "ipyleaflet",
    "ipympl",
    "ipyparallel",
    "ipywidgets",
    "panel",
)
_IMPORT = re.compile(rf"^\s*(?:from|import)\s+({'|'.join(TALKING)})\b", re.MULTILINE)
_MAGIC = re.compile(r"^\s*%matplotlib\s+(widget|notebook|ipympl|nbagg|qt|tk|gtk)", re.MULTILINE)


class UnsafeError(Exception):
    """The template cannot fork here; the message says why."""


class Template:
    """The warm process, which starts with this object; `ready` waits until it can fork.

    `pids` are its children, `ended` the exit codes of those that have ended.
    """

    def __init__(self, environment: Mapping[str, str], shared: dt.date | None = None) -> None:
        """Start it; with a day it reads the workbench that the environment names, for all forks."""
        ours, theirs = socket.socketpair()
        self._control = ours
        self._lines = b""
        self._greeting: dict[str, Any] | None = None
        self._answers: list[dict[str, Any]] = []
        self.pids: set[int] = set()
        self.helper: processes.Process = (0, "")
        self.ended: dict[int, int] = {}
        self.gone = False
        with theirs:
            program = [sys.executable, "-P", "-m", "dataops_nb.reports.engine.template"]
            self._process = subprocess.Popen(
                [*program, str(theirs.fileno()), *([shared.isoformat()] if shared else [])],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**environment, **FEW_THREADS},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the process id of the template."""
        return self._process.pid

    def ready(self) -> None:
        """Wait until everything is imported.

        Raises UnsafeError if the template does not start, or a thread runs in it.
        """
        if self._greeting is None:
            self._greeting = self._answer(STARTING)
        if "ready" not in self._greeting:
            reason = self._greeting.get("unsafe", "the template did not start")
            raise UnsafeError(reason)

    def fork(self, job: Path, environment: Mapping[str, str]) -> Fork:
        """Start a child on the job in a file.

        Raises UnsafeError if the template has ended or the system has no room for a process.
        """
        request = {"job": str(job), "environment": dict(environment)}
        try:
            self._control.sendall(_as_line(request))
        except OSError as error:
            raise UnsafeError("the template has ended") from error
        answer = self._answer(processes.GRACE)
        if "pid" not in answer:
            reason = answer.get("refused", "the template has ended")
            raise UnsafeError(reason)
        self.pids.add(answer["pid"])
        return Fork(self, answer["pid"], answer["start"])

    def help(self, program: str, end: socket.socket) -> None:
        """Start the helper: a child that calls `module:name` with `end` once all is imported."""
        line = _as_line({"helper": program})
        try:
            socket.send_fds(self._control, [line], [end.fileno()])
        except OSError as error:
            raise UnsafeError("the template has ended") from error

    def listen(self, wait: float) -> None:
        """Read what the template writes; wait at most `wait` seconds for the first of it."""
        while not self.gone and select.select([self._control], [], [], wait)[0]:
            try:
                received = self._control.recv(65536)
            except ConnectionError:
                # It has ended without reading the last request.
                received = b""
            self.gone = not received
            *lines, self._lines = (self._lines + received).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
            wait = 0

    def _take(self, message: dict[str, Any]) -> None:
        """Note the end of a child or the start of the helper; keep answers for who waits."""
        if "ended" in message:
            self.ended[message["ended"]] = message["status"]
        elif "helper" in message:
            self.helper = message["helper"], message["start"]
            self.pids.add(message["helper"])
        else:
            self._answers.append(message)

    def close(self) -> None:
        """End it with every child that still runs."""
        self._control.close()
        self.gone = True
        if not self.pids:
            self._process.kill()
        try:
            self._process.wait(2 * processes.GRACE)
        except subprocess.TimeoutExpired:
            owned = processes.below(self.pid)
            self._process.kill()
            processes.kill(owned)
            self._process.wait()

    def _answer(self, wait: float) -> dict[str, Any]:
        """Return the template's next answer; empty if none comes within `wait` seconds."""
        deadline = time.monotonic() + wait
        while not self._answers and not self.gone and time.monotonic() < deadline:
            self.listen(max(deadline - time.monotonic(), 0))
        if not self._answers:
            return {}
        return self._answers.pop(0)


@dataclass(frozen=True)
class Fork:
    """A child of the template that executes a report; `start` is its start time."""

    template: Template
    pid: int
    start: str

    @property
    def is_orphan(self) -> bool:
        """Whether it was ended because the template has ended, whatever it did itself."""
        return self.template.gone and self.pid not in self.template.ended

    def poll(self) -> int | None:
        """Return its exit code, or minus the signal that ended it; None while it runs."""
        self.template.listen(0)
        if self.is_orphan:
            processes.kill([(self.pid, self.start)])
            return -signal.SIGKILL
        return self.template.ended.get(self.pid)


class Helper:
    """A fork that works for the runner beside the reports; used like a Popen with pipes."""

    def __init__(self, template: Template, program: str) -> None:
        """Have the template call the function `module:name` with one end of a socket.

        Raises UnsafeError if the template has ended.
        """
        self._template = template
        self._ours, theirs = socket.socketpair()
        with theirs:
            template.help(program, theirs)
        self.stdin, self.stdout = self._ours.makefile("wb"), self._ours.makefile("rb")
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, or minus the signal that ended it; None until its end."""
        self._template.listen(0)
        if self._code is None:
            pid, _ = self._template.helper
            self._code = self._template.ended.get(pid)
        if self._code is None and self._template.gone:
            self._code = -signal.SIGKILL
        return self._code

    def kill(self) -> None:
        """End it at once, and the wait for its answers too."""
        processes.kill([self._template.helper])
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)

    def wait(self) -> int:
        """Wait for its exit code, at most a grace; return that of a killed process after it."""
        deadline = time.monotonic() + processes.GRACE
        while self.poll() is None and time.monotonic() < deadline:
            self._template.listen(max(deadline - time.monotonic(), 0))
        self._ours.close()
        if self._code is None:
            self._code = -signal.SIGKILL
        return self._code


def _as_line(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request).encode() + b"\n"


def possible() -> bool:
    """Return whether this system can fork safely: Linux, where a child can die with its parent."""
    return sys.platform == "linux" and hasattr(os, "fork")


def kernel_name(notebook: NotebookNode) -> str:
    """Return the name of the kernel that a notebook asks for, python3 by default."""
    spec = notebook.metadata.get("kernelspec", {})
    return str(spec.get("name") or DEFAULT)


def reason_for_kernel(notebook: NotebookNode) -> str | None:
    """Return why a notebook needs a kernel: the kernel it names or what it imports; else None."""
    name = kernel_name(notebook)
    if name != DEFAULT:
        return f"it names the kernel {name!r}"
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        match = _IMPORT.search(cell.source) or _MAGIC.search(cell.source)
        if match:
            return f"{match[0].strip()!r} talks to a browser"
    return None
