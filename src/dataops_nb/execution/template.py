"""The warm process: it has imported what notebooks need, and forks one isolated child for each report.

Started by the runner as `python -m dataops_nb.execution.template SOCKET`, where SOCKET is the number of an open
descriptor. A line `{"job", "environment"}` on it forks a child; `{"pid", "start"}` is answered, and `{"ended",
"status"}` when the child has ended. `{"helper"}`, with a socket, forks a process that works beside the reports: it calls
the function of that name with the socket. A closed socket means that the runner is gone: every child is ended, with all
it started, and so is this process. It forks from its only thread, because a lock that another thread holds would stay
locked in the child for ever: it says so, and ends, where a library has started one.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from dataops_nb import imports
from dataops_nb.execution import processes

AHEAD = (
    "pandas", "pyarrow", "duckdb", "sqlglot", "dataops_nb.charts", "altair", "papermill", "dataops_nb.execution.cells",
    "dataops_nb.execution.child", "dataops_nb.board", "dataops_nb.story", "dataops_nb.tables", "dataops_nb.controls",
)  # fmt: skip


def main(descriptor: int) -> None:
    """Import everything, then fork a child for each job until the runner goes away."""
    processes.die_with_parent(os.getppid())
    processes.adopt()
    control = socket.socket(fileno=descriptor)
    said = _prepared()
    _send(control, said)
    if "ready" in said:
        processes.outlive_parent()
        _serve(control)


def _prepared() -> dict[str, Any]:
    try:
        with imports.grammars_later():
            _warm()
    except Exception as error:
        return {"unsafe": f"{type(error).__name__}: {error}"}
    gc.collect()
    gc.freeze()
    threads = processes.threads()
    return {"unsafe": f"threads run beside it: {', '.join(threads[1:])}"} if len(threads) > 1 else {"ready": True}


def _warm() -> None:
    """Import and use what notebooks need; the shell is there before, because libraries look for it."""
    from dataops_nb.execution import shell  # noqa: PLC0415  slow, and its imports are among those that can wait

    with shell.make().builtin_trap:
        for name in AHEAD:
            importlib.import_module(name)
        from dataops_nb.execution import rehearsal  # noqa: PLC0415  imports the libraries that it uses

        rehearsal.rehearse()


def _serve(control: socket.socket) -> None:
    waking, wake = socket.socketpair()
    waking.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    lines = b""
    handed: list[int] = []
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([control, waking], [], [])
        if waking in ready:
            with suppress(BlockingIOError):
                waking.recv(4096)
            _reap(control, children)
        if control in ready:
            said, sockets, _, _ = socket.recv_fds(control, 65536, 4)
            if not said:
                _end()
            handed += sockets
            *whole, lines = (lines + said).split(b"\n")
            for line in whole:
                asked = json.loads(line)
                end = handed.pop(0) if "helper" in asked else None
                children.update(_fork(asked, end, control, (waking, wake)))
                if end is not None:
                    os.close(end)


def _fork(
    asked: Mapping[str, Any], end: int | None, control: socket.socket, waking: tuple[socket.socket, ...]
) -> list[int]:
    template = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        _send(control, {"refused": f"{error.strerror or error}"})
        return []
    if pid == 0:
        for open_ in (control, *waking):
            signal.set_wakeup_fd(-1)
            open_.close()
        if end is not None:
            _leaving(partial(_helper, asked["helper"], end, template))
        _leaving(partial(_report, asked, template))
    _send(control, {"pid" if end is None else "helper": pid, "start": processes.started(pid)})
    return [pid]


def _report(asked: Mapping[str, Any], template: int) -> int:
    from dataops_nb.execution import child, isolation  # noqa: PLC0415  imported by the template already

    job: Mapping[str, Any] = json.loads(Path(asked["job"]).read_text(encoding="utf-8"))
    isolation.alone(job, asked["environment"], template)
    code = child.run(job, **child.forked())
    isolation.leave()
    return code


def _helper(program: str, end: int, template: int) -> int:
    from dataops_nb.execution import isolation  # noqa: PLC0415  imported by the template already

    isolation.beside(end, template)
    module, _, name = program.partition(":")
    getattr(importlib.import_module(module), name)(socket.socket(fileno=isolation.HANDED))
    return 0


def _leaving(work: Callable[[], int]) -> NoReturn:
    """Everything of a forked process, from the fork to its end; nothing returns into the template."""
    code = 1
    try:
        code = work()
    except BaseException:
        with suppress(BaseException):
            sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _reap(control: socket.socket, children: set[int]) -> None:
    """Tell the runner of every child that ended; what a report left behind has become ours, and is ended first."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in children:
            children.discard(pid)
            _sweep(children)
            _send(control, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _sweep(children: Collection[int]) -> None:
    """End what is below this process and below no child that still runs."""
    ours = {process for child in children for process in processes.below(child)}
    left = [p for p in processes.below(os.getpid()) if p[0] not in children and p not in ours]
    processes.kill(left)


def _end() -> NoReturn:
    processes.end_below()
    os._exit(0)


def _send(control: socket.socket, message: Mapping[str, Any]) -> None:
    with suppress(OSError):
        control.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
