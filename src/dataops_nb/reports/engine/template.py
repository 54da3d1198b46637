"""The warm process: import what notebooks need, and fork one isolated child for each report.

The runner starts it as `python -m dataops_nb.reports.engine.template SOCKET [DAY]`, the number of
an open descriptor, and writes lines of JSON to that socket:

- `{"job", "environment"}` forks a child. The answer is `{"pid", "start"}`, and `{"ended",
  "status"}` at its end.
- `{"helper"}`, sent with a socket, forks a process that works beside the reports: it calls the
  function of that name with the socket.
- A closed socket means that the runner is gone. The template ends every child with all its
  processes, and itself.

It forks from its only thread, because a lock that another thread holds would stay locked in the
child for ever. If a library has started a thread, it says so and ends.
"""

from __future__ import annotations

import datetime as dt
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

from dataops_nb import glances, grammars_later, workbench
from dataops_nb.reports import processes

AHEAD = (
    "pandas",
    "pyarrow",
    "duckdb",
    "sqlglot",
    "dataops_nb.charts",
    "altair",
    "papermill",
    "dataops_nb.reports.engine.cells",
    "dataops_nb.reports.engine.child",
    "dataops_nb.board",
    "dataops_nb.story",
    "dataops_nb.tables",
    "dataops_nb.controls",
    "dataops_nb.sources.catalog",
    "dataops_nb.workbench.memory",
    "dataops_nb.workbench.sample",
    "dataops_nb.workbench.whatifs",
)

# A report makes many small things and few circles of them: so it looks for these less often.
YOUNG = 10_000


def main(descriptor: int, shared: str = "") -> None:
    """Import everything, then fork a child for each job until the runner goes away.

    With a day `shared`, the company is read once for all of them.
    """
    processes.die_with_parent(os.getppid())
    processes.adopt()
    control = socket.socket(fileno=descriptor)
    greeting = _prepare(shared)
    _send(control, greeting)
    if "ready" in greeting:
        processes.outlive_parent()
        _serve(control)


def _prepare(shared: str = "") -> dict[str, Any]:
    """Import everything; return `{"ready"}`, or `{"unsafe"}` with the reason not to fork."""
    gc.disable()  # what is imported stays; to look for garbage in it takes a tenth of the time
    try:
        with grammars_later():
            _warm()
    except Exception as error:
        return {"unsafe": f"{type(error).__name__}: {error}"}
    if shared:
        with suppress(Exception):  # what is wrong is told by each report, as if nothing were shared
            workbench.share(workbench.open(), dt.date.fromisoformat(shared))
    gc.freeze()
    gc.set_threshold(YOUNG)
    _, *others = processes.threads()
    if others:
        return {"unsafe": f"threads run beside it: {', '.join(others)}"}
    return {"ready": True}


def _warm() -> None:
    """Import and use what notebooks need; make the shell first, because libraries look for it."""
    # slow, and its own imports are among those that can wait
    from dataops_nb.reports.engine.shell import make_shell  # noqa: PLC0415

    with make_shell().builtin_trap:
        glances.enable()
        for name in AHEAD:
            importlib.import_module(name)
        # imports the libraries that it uses
        from dataops_nb.reports.engine import rehearsal  # noqa: PLC0415

        rehearsal.rehearse()


def _serve(control: socket.socket) -> None:
    """Fork a child for each request on `control`, and report each end of a child."""
    # The end of a child (SIGCHLD) writes a byte to `wake`, which ends the wait of select.
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    rest = b""
    sockets: list[int] = []
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            with suppress(BlockingIOError):
                woken.recv(4096)
            _reap(control, children)
        if control not in ready:
            continue
        received, descriptors, _, _ = socket.recv_fds(control, 65536, 4)
        if not received:
            _end()
        sockets += descriptors
        *lines, rest = (rest + received).split(b"\n")
        for line in lines:
            request = json.loads(line)
            end = sockets.pop(0) if "helper" in request else None
            pid = _fork(request, end, (control, woken, wake))
            if pid is not None:
                children.add(pid)
            if end is not None:
                os.close(end)


def _fork(
    request: Mapping[str, Any],
    end: int | None,
    own_sockets: tuple[socket.socket, ...],
) -> int | None:
    """Fork a child and return its process id; None if the system refuses.

    A request with a socket `end` forks a helper, any other a report.
    """
    control = own_sockets[0]
    template = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        _send(control, {"refused": f"{error.strerror or error}"})
        return None
    if pid == 0:
        signal.set_wakeup_fd(-1)
        for own_socket in own_sockets:
            own_socket.close()
        if end is None:
            _run_and_exit(partial(_run_report, request, template))
        _run_and_exit(partial(_run_helper, request["helper"], end, template))
    kind = "pid" if end is None else "helper"
    _send(control, {kind: pid, "start": processes.started(pid)})
    return pid


def _run_report(request: Mapping[str, Any], template: int) -> int:
    # imported by the template already
    from dataops_nb.reports.engine import child, isolation  # noqa: PLC0415

    job: Mapping[str, Any] = json.loads(Path(request["job"]).read_text(encoding="utf-8"))
    isolation.alone(job, request["environment"], template)
    code = child.run(job, **child.forked_options())
    isolation.leave()
    return code


def _run_helper(program: str, end: int, template: int) -> int:
    # imported by the template already
    from dataops_nb.reports.engine import isolation  # noqa: PLC0415

    isolation.beside(end, template)
    module_name, _, function_name = program.partition(":")
    function = getattr(importlib.import_module(module_name), function_name)
    function(socket.socket(fileno=isolation.HANDED))
    return 0


def _run_and_exit(work: Callable[[], int]) -> NoReturn:
    """Run all of a forked process and end it; nothing may return into the template's code."""
    code = 1
    try:
        code = work()
    except BaseException:
        with suppress(BaseException):
            sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _reap(control: socket.socket, children: set[int]) -> None:
    """Report each child that has ended, after ending the processes that it left to us."""
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
    """End the processes below this one that belong to no running child."""
    used = set()
    for child in children:
        used.update(processes.below(child))
    left = []
    for process in processes.below(os.getpid()):
        pid, _ = process
        if pid not in children and process not in used:
            left.append(process)
    processes.kill(left)


def _end() -> NoReturn:
    processes.end_below()
    os._exit(0)


def _send(control: socket.socket, message: Mapping[str, Any]) -> None:
    with suppress(OSError):
        control.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
