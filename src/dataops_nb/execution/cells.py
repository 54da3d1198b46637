"""The cells of a notebook, one after the other, in the shell of this process.

Each message of the shell is worked into the notebook by nbclient, as the messages of a kernel are. An event loop runs
around the cells, so `await` works at the top of a cell and `asyncio.run` does not: both as in a kernel.
"""

from __future__ import annotations

import asyncio
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from IPython.core.interactiveshell import ExecutionResult
from nbclient.util import run_hook
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient

from dataops_nb.execution import shell as shells
from dataops_nb.execution import sizes
from dataops_nb.execution.shell import Shell, Stream

LANGUAGE = {
    "name": "python",
    "version": sys.version.split()[0],
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": sys.version_info[0]},
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "file_extension": ".py",
}

Hook = Callable[..., Any] | None
_TASKS: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()


def run(nb_man: Any, on_cell_start: Hook = None) -> None:
    """Execute the notebook of papermill's `nb_man` in place, until a cell fails or leaves."""
    run = _Run(nb_man, shells.make(), on_cell_start)
    with _dressed(run) as streams, _looped() as loop:
        run.streams = streams
        loop.run_until_complete(run.cells())
    sizes.settle(nb_man.nb)
    nb_man.nb.metadata["language_info"] = dict(LANGUAGE)


@dataclass
class _Run:
    """One notebook under way; `at` is the cell whose outputs come now."""

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
        """Work a message of the shell into the cell that runs."""
        self.client.process_message(message, self.nb_man.nb.cells[self.at], self.at)

    async def cells(self) -> None:
        """Run all cells, as papermill's own client does."""
        for index, cell in enumerate(self.nb_man.nb.cells):
            self.at = index
            self.nb_man.cell_start(cell, index)
            await run_hook(self.on_cell_start, cell=cell, cell_index=index)
            good = await self._cell(cell) if cell.cell_type == "code" and cell.source.strip() else True
            if not good:
                self.nb_man.cell_exception(cell, cell_index=index)
            self.nb_man.cell_complete(cell, cell_index=index)
            if not good or self.shell.ended:
                return
        _complain_of_lost_tasks()
        self._flush(self.nb_man.nb.cells[self.at])

    async def _cell(self, cell: NotebookNode) -> bool:
        cell.outputs = []
        self.client.clear_before_next_output = False
        cell.execution_count = self.shell.execution_count
        for stream in self.streams:
            stream.kept = stream.lost = 0
        result = await _executed(self.shell, cell.source)
        await asyncio.sleep(0)
        self._flush(cell)
        allowed = "raises-exception" in cell.metadata.get("tags", [])
        return allowed or (result.success and not self.shell._last_traceback_during_displayhook)

    def _flush(self, cell: NotebookNode) -> None:
        for stream in self.streams:
            stream.flush()
        if self.printed is not None:
            for stream in self.streams:
                stream.write(self.printed.new(stream.fileno()))
                stream.flush()
        lost = sum(stream.lost for stream in self.streams)
        if lost:
            cell.outputs.append(sizes.note(lost))
            for stream in self.streams:
                stream.lost = 0


async def _executed(shell: Any, source: str) -> ExecutionResult:
    """Run a cell as ipykernel does: on the running loop where it awaits, else straight through."""
    error = None
    try:
        transformed = shell.transform_cell(source)
    except Exception:
        transformed, error = source, sys.exc_info()
    shell._last_traceback_during_displayhook = False
    if not shell.should_run_async(source, transformed_cell=transformed, preprocessing_exc_tuple=error):
        plain: ExecutionResult = shell.run_cell(source, store_history=True)
        return plain
    result: ExecutionResult | None = None
    try:
        result = await shell.run_cell_async(
            source, store_history=True, transformed_cell=transformed, preprocessing_exc_tuple=error
        )
        return result
    finally:
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)


def _complain_of_lost_tasks() -> None:
    """Say now of a task that failed unheard what Python says when it is thrown away: a kept one never would be."""
    loop = asyncio.get_running_loop()
    for task in list(_TASKS):
        if task.done() and getattr(task, "_log_traceback", False):
            said = "Task exception was never retrieved"
            loop.call_exception_handler({"message": said, "exception": task.exception(), "task": task})


def _remembered(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    task = asyncio.Task(coroutine, loop=loop, **options)
    _TASKS.add(task)
    return task


class _Printed:
    """What programs print past Python, into the descriptors 1 and 2, where those are files of the report."""

    def __init__(self) -> None:
        self.at = {number: os.fstat(number).st_size for number in (1, 2)}

    def new(self, number: int) -> str:
        """What was printed into a descriptor since the last call, as far as a cell may show it."""
        start, end = self.at[number], os.fstat(number).st_size
        if end <= start:
            return ""
        self.at[number] = end
        with open(f"/proc/self/fd/{number}", "rb") as file:
            file.seek(start)
            return file.read(sizes.LIMIT + 1).decode(errors="replace")


@contextmanager
def _looped() -> Iterator[asyncio.AbstractEventLoop]:
    """A running loop's owner; what still waits when the notebook ends is not waited for."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(_remembered)
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
def _dressed(run: _Run) -> Iterator[tuple[Stream, Stream]]:
    """The process as a kernel's while the cells run; as it was afterwards."""
    kept = sys.stdout, sys.stderr, list(sys.path)
    run.printed = _Printed() if run.shell.alone else None
    try:
        yield shells.dress(run.shell, run.took)
    finally:
        sys.stdout, sys.stderr, sys.path[:] = kept
