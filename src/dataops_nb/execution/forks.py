"""The runner's end of the template: start it, have it fork, hear how its children ended."""

from __future__ import annotations

import json
import os
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
from typing import Any

from dataops_nb.execution import processes

STARTING = 120.0
FEW_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # arrow's allocator tidies up in a thread of its own
}


class UnsafeError(Exception):
    """The template cannot be forked here; the message says why."""


@dataclass(frozen=True)
class Fork:
    """A child of the template that executes a report."""

    template: Template
    pid: int
    start: str

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        self.template.listen(0)
        if self.template.gone and self.pid not in self.template.ended:
            processes.kill([(self.pid, self.start)])
            return -signal.SIGKILL
        return self.template.ended.get(self.pid)


class Helper:
    """A fork that works for the runner beside the reports, for as long as it is asked to; used like a Popen with pipes."""

    def __init__(self, template: Template, program: str) -> None:
        """Have the function `module:name` called with one end of a socket. UnsafeError where the template has ended."""
        self._template = template
        self._ours, theirs = socket.socketpair()
        with theirs:
            template.help(program, theirs)
        self.stdin, self.stdout = self._ours.makefile("wb"), self._ours.makefile("rb")
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs or has not come to run."""
        self._template.listen(0)
        if self._code is None:
            killed = -signal.SIGKILL if self._template.gone else None
            self._code = self._template.ended.get(self._template.helper[0], killed)
        return self._code

    def kill(self) -> None:
        """End it at once; whoever waits for its answer hears of it."""
        processes.kill([self._template.helper])
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)

    def wait(self) -> int:
        """Its exit code, for at most a grace; as if killed where it says nothing by then."""
        deadline = time.monotonic() + processes.GRACE
        while self.poll() is None and time.monotonic() < deadline:
            self._template.listen(max(deadline - time.monotonic(), 0))
        self._ours.close()
        self._code = -signal.SIGKILL if self._code is None else self._code
        return self._code


class Template:
    """The warm process. It is starting when this is made; `ready` waits until it can fork."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        self._control = ours
        self._lines = b""
        self._said: dict[str, Any] | None = None
        self._answers: list[dict[str, Any]] = []
        self.pids: set[int] = set()
        self.helper: processes.Process = (0, "")
        self.ended: dict[int, int] = {}
        self.gone = False
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dataops_nb.execution.template", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**environment, **FEW_THREADS},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id of the template."""
        return self._process.pid

    def ready(self) -> None:
        """Wait until everything is imported. UnsafeError where a thread runs in it, or it did not come so far."""
        if self._said is None:
            self._said = self._answer(STARTING)
        answer = self._said
        if "ready" not in answer:
            raise UnsafeError(answer.get("unsafe", "the template did not start"))

    def fork(self, job: Path, environment: Mapping[str, str]) -> Fork:
        """Start a child on the job in a file. UnsafeError where the system has no room for one."""
        line = json.dumps({"job": str(job), "environment": dict(environment)}).encode() + b"\n"
        try:
            self._control.sendall(line)
        except OSError as error:
            raise UnsafeError("the template has ended") from error
        answer = self._answer(processes.GRACE)
        if "pid" not in answer:
            raise UnsafeError(answer.get("refused", "the template has ended"))
        self.pids.add(answer["pid"])
        return Fork(self, answer["pid"], answer["start"])

    def help(self, program: str, end: socket.socket) -> None:
        """Start the helper: a child that calls `module:name` with `end`, as soon as everything is imported."""
        line = json.dumps({"helper": program}).encode() + b"\n"
        try:
            socket.send_fds(self._control, [line], [end.fileno()])
        except OSError as error:
            raise UnsafeError("the template has ended") from error

    def listen(self, wait: float) -> None:
        """Take in what the template says, for at most `wait` seconds until it says something."""
        while not self.gone and select.select([self._control], [], [], wait)[0]:
            try:
                said = self._control.recv(65536)
            except ConnectionError:  # it ended without having read what it was asked
                said = b""
            self.gone = not said
            *whole, self._lines = (self._lines + said).split(b"\n")
            for message in map(json.loads, whole):
                if "ended" in message:
                    self.ended[message["ended"]] = message["status"]
                elif "helper" in message:
                    self.helper = message["helper"], message["start"]
                    self.pids.add(message["helper"])
                else:
                    self._answers.append(message)
            wait = 0

    def close(self) -> None:
        """End it, with every child that still runs."""
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
        deadline = time.monotonic() + wait
        while not self._answers and not self.gone and time.monotonic() < deadline:
            self.listen(max(deadline - time.monotonic(), 0))
        return self._answers.pop(0) if self._answers else {}


def possible() -> bool:
    """Whether this system can fork safely: on Linux only, where a child can be made to die with its parent."""
    return sys.platform == "linux" and hasattr(os, "fork")
