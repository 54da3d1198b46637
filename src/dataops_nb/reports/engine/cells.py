"""Run the cells of a notebook one after the other in the shell of this process.

nbclient works each message of the shell into the notebook, as it does with a kernel's. An event
loop runs around the cells, so `await` works at the top of a cell and `asyncio.run` does not, as in
a kernel.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from IPython.core.interactiveshell import ExecutionResult
from nbclient.util import run_hook
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient

from dataops_nb.reports.engine.shell import (
    LIMIT,
    Shell,
    Stream,
    dress_process,
    import_date,
    make_shell,
    missing_note,
    settle,
)

LANGUAGE = {
    "name": "python",
    "version": sys.version.split()[0],
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": sys.version_info[0]},
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "file_extension": ".py",
}
SAVING = 0.05  # of the time, at most, for files that only a report which is killed leaves behind
Hook = Callable[..., Any] | None
_TASKS: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()


def run(nb_man: Any, on_cell_start: Hook = None) -> None:
    """Execute the notebook of papermill's `nb_man` in place, until a cell fails or leaves."""
    import_date(nb_man.nb)
    run = _Run(nb_man, make_shell(), on_cell_start)
    with _saved_seldom(nb_man), _kernel_like(run) as streams, _event_loop() as loop:
        run.streams = streams
        loop.run_until_complete(run.cells())
    settle(nb_man.nb)
    nb_man.nb.metadata["language_info"] = dict(LANGUAGE)


@contextmanager
def _saved_seldom(nb_man: Any) -> Iterator[None]:
    """Keep papermill from writing the whole notebook before and after every cell.

    It takes a small share of the time so. The last cells may be missing in the file of a report
    that is killed; one that ends, however it ends, is written whole afterwards.
    """
    save, due = nb_man.save, 0.0

    def save_now_and_then(**options: Any) -> None:
        nonlocal due
        began = time.monotonic()
        if began >= due:
            save(**options)
            ended = time.monotonic()
            due = ended + (ended - began) / SAVING

    nb_man.save = save_now_and_then
    try:
        yield
    finally:
        del nb_man.save


class _Printed:
    """What programs print past Python, into the descriptors 1 and 2: files of the report."""

    def __init__(self) -> None:
        self.ends = {}
        for descriptor in (1, 2):
            self.ends[descriptor] = os.fstat(descriptor).st_size

    def new(self, descriptor: int) -> str:
        """Return what was printed since the last call, as much of it as a cell may show."""
        start = self.ends[descriptor]
        end = os.fstat(descriptor).st_size
        if end <= start:
            return ""
        self.ends[descriptor] = end
        with open(f"/proc/self/fd/{descriptor}", "rb") as file:
            file.seek(start)
            return file.read(LIMIT + 1).decode(errors="replace")


@dataclass
class _Run:
    """One notebook under way; outputs go to the cell with the index `at`."""

    nb_man: Any
    shell: Shell
    on_cell_start: Hook
    streams: tuple[Stream, ...] = ()
    at: int = 0
    printed: _Printed | None = None
    client: PapermillNotebookClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = PapermillNotebookClient(self.nb_man)
        self.client.reset_execution_trackers()

    def took(self, message: dict[str, Any]) -> None:
        """Work a message of the shell into the running cell."""
        cell = self.nb_man.nb.cells[self.at]
        self.client.process_message(message, cell, self.at)

    async def cells(self) -> None:
        """Run all cells, as papermill's own client does."""
        for index, cell in enumerate(self.nb_man.nb.cells):
            self.at = index
            self.nb_man.cell_start(cell, index)
            await run_hook(self.on_cell_start, cell=cell, cell_index=index)
            succeeded = True
            if cell.cell_type == "code" and cell.source.strip():
                succeeded = await self._run_cell(cell)
            if not succeeded:
                self.nb_man.cell_exception(cell, cell_index=index)
            self.nb_man.cell_complete(cell, cell_index=index)
            if not succeeded or self.shell.ended:
                return
        _report_failed_tasks()
        self._flush(self.nb_man.nb.cells[self.at])

    async def _run_cell(self, cell: NotebookNode) -> bool:
        """Run a cell and return whether the next one may follow."""
        cell.outputs = []
        self.client.clear_before_next_output = False
        cell.execution_count = self.shell.execution_count
        for stream in self.streams:
            stream.kept = stream.lost = 0
        result = await _execute_source(self.shell, cell.source)
        # Let tasks that the cell has started begin.
        await asyncio.sleep(0)
        self._flush(cell)
        if "raises-exception" in cell.metadata.get("tags", []):
            return True
        return result.success and not self.shell._last_traceback_during_displayhook

    def _flush(self, cell: NotebookNode) -> None:
        for stream in self.streams:
            stream.flush()
        if self.printed is not None:
            for stream in self.streams:
                stream.write(self.printed.new(stream.fileno()))
                stream.flush()
        lost = sum(stream.lost for stream in self.streams)
        if lost:
            cell.outputs.append(missing_note(lost))
            for stream in self.streams:
                stream.lost = 0


async def _execute_source(shell: Any, source: str) -> ExecutionResult:
    """Run a cell as ipykernel does: on the running loop if it awaits, else straight through."""
    error = None
    try:
        transformed = shell.transform_cell(source)
    except Exception:
        transformed = source
        error = sys.exc_info()
    shell._last_traceback_during_displayhook = False
    options = {"transformed_cell": transformed, "preprocessing_exc_tuple": error}
    if not shell.should_run_async(source, **options):
        plain: ExecutionResult = shell.run_cell(source, store_history=True)
        return plain
    result: ExecutionResult | None = None
    try:
        result = await shell.run_cell_async(source, store_history=True, **options)
        return result
    finally:
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)


def _report_failed_tasks() -> None:
    """Report failed tasks now.

    Python reports one only when it is collected, and the notebook may keep a reference to it.
    """
    loop = asyncio.get_running_loop()
    for task in list(_TASKS):
        if task.done() and getattr(task, "_log_traceback", False):
            loop.call_exception_handler(
                {
                    "message": "Task exception was never retrieved",
                    "exception": task.exception(),
                    "task": task,
                }
            )


def _remember_task(
    loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
) -> asyncio.Task[Any]:
    task = asyncio.Task(coroutine, loop=loop, **options)
    _TASKS.add(task)
    return task


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Yield an event loop; cancel the tasks that still wait when the notebook ends."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(_remember_task)
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def _kernel_like(run: _Run) -> Iterator[tuple[Stream, Stream]]:
    """Give this process the streams and search path of a kernel; restore its own afterwards."""
    stdout, stderr, path = sys.stdout, sys.stderr, list(sys.path)
    if run.shell.alone:
        run.printed = _Printed()
    try:
        yield dress_process(run.shell, run.took)
    finally:
        sys.stdout = stdout
        sys.stderr = stderr
        sys.path[:] = path
