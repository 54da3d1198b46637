"""Processes that leave nothing behind: a child dies with its parent, and is ended together with all it started.

A kernel lives in a session of its own, and one whose C code holds the interpreter's lock hears no signal but KILL. So
on Linux every process of a report asks to be killed when its parent dies, and whoever is ended is ended by its
process id and start time, never by a name. Elsewhere the process group is all that is ended.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

GRACE = 5.0
_DEATH_SIGNAL, _SUBREAPER = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

Process = tuple[int, str]


class Child(Protocol):
    """A process that somebody started, and asks whether it has ended."""

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group."""

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""


def die_with_parent(parent: int, by: int = 9) -> None:
    """Ask for a signal (KILL) when the process `parent` dies; ends at once where it is dead already."""
    if _LIBC is None:
        return
    _LIBC.prctl(_DEATH_SIGNAL, by, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def outlive_parent() -> None:
    """Take that back, where the death of the parent is heard of in another way."""
    if _LIBC is not None:
        _LIBC.prctl(_DEATH_SIGNAL, 0, 0, 0, 0)


def threads() -> list[str]:
    """The names of this process's threads as the system knows them, the main one first; libraries start some unseen."""
    tasks = sorted(Path("/proc/self/task").iterdir(), key=lambda task: int(task.name))
    return [(task / "comm").read_text(encoding="utf-8", errors="replace").strip() for task in tasks]


def started(pid: int) -> str:
    """When a process started, which with its id says who it is; empty where there is none."""
    known = _stat(pid)
    return known.start if known else ""


def resident(pid: int) -> int:
    """The memory that a process holds, in bytes; 0 where there is none."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * _PAGE


def available() -> int:
    """The memory that processes may still take here, in bytes: the machine's, or this container's; 0 where unknown."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return 0
    with suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
        free = min(free, max(limit - used, 0))
    return free


def peak() -> int | None:
    """The most memory that this process or one it started has held, in bytes; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  Windows has none

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


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


def end_below() -> None:
    """End every process below this one, whatever session it is in, and wait until they are gone, for a grace at most."""
    deadline = time.monotonic() + GRACE
    while (left := below(os.getpid())) and time.monotonic() < deadline:
        kill(left)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def kill(processes: Iterable[Process]) -> None:
    """KILL processes that still are who they were."""
    for pid, start in processes:
        known = _stat(pid)
        if known and known.start == start:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def tell(process: Child) -> list[Process]:
    """Ask a child and its group to leave; what is below it now, and would not be found once it has left."""
    owned = below(process.pid)
    _signal(process, "SIGTERM")
    return owned


def end(process: Child, grace: float = GRACE, known: Iterable[Process] = ()) -> int:
    """End a child that leads a process group, with everything below it: TERM, a while to leave, then KILL.

    `known` are processes that were seen below it before.
    """
    owned = [*known, *below(process.pid)]
    if process.poll() is None:
        tell(process)
    deadline = time.monotonic() + grace
    while process.poll() is None and time.monotonic() < deadline:
        owned += below(process.pid)
        time.sleep(0.05)
    _signal(process, "SIGKILL")
    kill(dict.fromkeys(owned))
    while (code := process.poll()) is None:
        time.sleep(0.01)
    _await(owned, time.monotonic() + GRACE)
    return code


def end_all(processes: Iterable[Child], grace: float = GRACE) -> None:
    """End several children within one grace."""
    left = list(processes)
    deadline = time.monotonic() + grace
    told = [tell(process) for process in left]
    for process, owned in zip(left, told, strict=True):
        end(process, max(deadline - time.monotonic(), 0), owned)


def _await(processes: Iterable[Process], deadline: float) -> None:
    """Wait until killed processes are gone: the system takes them away a moment later."""
    for pid, start in processes:
        while time.monotonic() < deadline:
            known = _stat(pid)
            if not known or known.start != start or known.state in "ZX":
                break
            time.sleep(0.01)


def _signal(process: Child, name: str) -> None:
    if sys.platform == "win32":
        os.kill(process.pid, signal.SIGTERM)
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
