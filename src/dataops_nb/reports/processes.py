"""End processes and leave none behind: a child dies with its parent and all that it started.

A kernel lives in a session of its own. While its C code holds the interpreter's lock, it hears no
signal but KILL. So on Linux every process of a report asks to be killed when its parent dies. A
process is ended by its id and start time, never by a name. On other systems only the process group
is ended.
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
    """A process that this one has started."""

    @property
    def pid(self) -> int:
        """Return its process id, which is that of its group."""

    def poll(self) -> int | None:
        """Return its exit code, or minus the signal that ended it; None while it runs."""


def die_with_parent(parent: int, by: int = 9) -> None:
    """Ask for the signal `by` (KILL) when the process `parent` dies; end at once if it is dead."""
    if _LIBC is None:
        return
    _LIBC.prctl(_DEATH_SIGNAL, by, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def outlive_parent() -> None:
    """Take `die_with_parent` back, where this process learns of that death in another way."""
    if _LIBC is not None:
        _LIBC.prctl(_DEATH_SIGNAL, 0, 0, 0, 0)


def threads() -> list[str]:
    """Return the names of this process's threads, the main one first.

    The system knows also those that a library has started without Python.
    """
    tasks = sorted(Path("/proc/self/task").iterdir(), key=lambda task: int(task.name))
    names = []
    for task in tasks:
        text = (task / "comm").read_text(encoding="utf-8", errors="replace")
        names.append(text.strip())
    return names


def started(pid: int) -> str:
    """Return the start time of a process, which with its id identifies it; empty without one."""
    stat = _stat(pid)
    if stat is None:
        return ""
    return stat.start


def resident(pid: int) -> int:
    """Return the memory that a process holds, in bytes; 0 if there is none."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * _PAGE


def available() -> int:
    """Return the memory that is free, in bytes: the machine's or the container's; 0 if unknown."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        free = int(line.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        return 0
    with suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
        free = min(free, max(limit - used, 0))
    return free


def peak() -> int | None:
    """Return the most memory that this process or a child has held, in bytes; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  Windows has none

    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(own, children)


def adopt() -> None:
    """Become the parent of every process below this one that loses its own."""
    if _LIBC is not None:
        _LIBC.prctl(_SUBREAPER, 1, 0, 0, 0)


def below(pid: int) -> list[Process]:
    """Return the children of `pid` and all below them, as (pid, start time)."""
    children_of: dict[int, list[Process]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        child = int(folder.name)
        stat = _stat(child)
        if stat:
            children_of.setdefault(stat.parent, []).append((child, stat.start))
    descendants: list[Process] = []
    parents = [pid]
    while parents:
        children = children_of.get(parents.pop(), [])
        descendants += children
        parents += [child for child, _ in children]
    return descendants


def end_below() -> None:
    """End every process below this one, in any session, and wait for their end, at most a grace."""
    deadline = time.monotonic() + GRACE
    while (left := below(os.getpid())) and time.monotonic() < deadline:
        kill(left)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def kill(processes: Iterable[Process]) -> None:
    """KILL processes; leave alone those whose id another process has now."""
    for pid, start in processes:
        stat = _stat(pid)
        if stat and stat.start == start:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def tell(process: Child) -> list[Process]:
    """Ask a child and its group to leave (TERM).

    Return the processes below it, which nobody could find once it has left.
    """
    owned = below(process.pid)
    _signal(process, "SIGTERM")
    return owned


def end(process: Child, grace: float = GRACE, known: Iterable[Process] = ()) -> int:
    """End a child that leads a process group, and all below it: TERM, a grace, then KILL.

    `known` are processes that were below it before. Return its exit code.
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
    """Wait until killed processes are gone; the system removes them a moment later."""
    for pid, start in processes:
        while time.monotonic() < deadline:
            stat = _stat(pid)
            if not stat or stat.start != start or stat.state in "ZX":
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
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name before the bracket may hold blanks and brackets itself.
    fields = text.rpartition(")")[2].split()
    return _Stat(state=fields[0], parent=int(fields[1]), start=fields[19])
