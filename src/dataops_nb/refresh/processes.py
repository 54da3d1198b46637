"""Processes that leave nothing behind: a child dies with its parent, and is ended together with all it started.

A kernel lives in a session of its own, and one whose C code holds the interpreter's lock hears no signal but KILL. So
on Linux every process of a report asks to be killed when its parent dies, and whoever is ended is ended by its
process id and start time, never by a name. Elsewhere the process group is all that is ended.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

GRACE = 5.0
_DEATH_SIGNAL, _SUBREAPER = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

Process = tuple[int, str]


def die_with_parent(parent: int) -> None:
    """Ask to be killed when the process `parent` dies; ends at once where it is dead already."""
    if _LIBC is None:
        return
    _LIBC.prctl(_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def adopt() -> None:
    """Become the parent of every process below this one that loses its own."""
    if _LIBC is not None:
        _LIBC.prctl(_SUBREAPER, 1, 0, 0, 0)


def below(pid: int) -> list[Process]:
    """The processes that `pid` started, and those that they started, as (pid, start time)."""
    parents: dict[int, list[Process]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        known = _stat(int(folder.name))
        if known:
            parents.setdefault(known.parent, []).append((int(folder.name), known.start))
    found: list[Process] = []
    todo = [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += [child for child, _ in children]
    return found


def kill(processes: Iterable[Process]) -> None:
    """KILL processes that still are who they were."""
    for pid, start in processes:
        known = _stat(pid)
        if known and known.start == start:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def end(process: subprocess.Popen[bytes], grace: float = GRACE) -> None:
    """End a child that leads a process group, with everything below it: TERM, a while to leave, then KILL."""
    owned = below(process.pid)
    _signal(process, "SIGTERM")
    deadline = time.monotonic() + grace
    while process.poll() is None and time.monotonic() < deadline:
        owned += below(process.pid)
        time.sleep(0.05)
    _signal(process, "SIGKILL")
    kill(dict.fromkeys(owned))
    process.wait()
    _await(owned, time.monotonic() + grace)


def _await(processes: Iterable[Process], deadline: float) -> None:
    """Wait until killed processes are gone: the system takes them away a moment later."""
    for pid, start in processes:
        while time.monotonic() < deadline:
            known = _stat(pid)
            if not known or known.start != start or known.state in "ZX":
                break
            time.sleep(0.01)


def _signal(process: subprocess.Popen[bytes], name: str) -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, getattr(signal, name))


class _Stat(NamedTuple):
    state: str
    parent: int
    start: str


def _stat(pid: int) -> _Stat | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return _Stat(fields[0], int(fields[1]), fields[19])
