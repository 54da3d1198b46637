"""Execute a notebook by papermill in a report's own process, and write the result to a file.

The process is forked from the template, or started as `python -m dataops_nb.reports.engine.child
JOB.json` with a kernel below it. Exit 0 only means that papermill came to the end; the runner looks
at the executed notebook itself.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4.nbjson import BytesEncoder
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from dataops_nb.errors import PublishError, first_line
from dataops_nb.reports import engine, processes
from dataops_nb.reports.engine import entry

INJECTED = "injected-parameters"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
NO_ROOM = {*FULL, errno.EACCES, errno.EIO}
MEMORY_ERRORS = ("MemoryError", "OutOfMemoryException", "OutOfMemoryError")
Job = Mapping[str, Any]


class Position:
    """Which cell runs, written to a file for the runner.

    Cells count from 1, as the author sees them: without the one that papermill adds.
    """

    def __init__(self, note: Path) -> None:
        self.note = note
        self.cell = 0
        self.injected = 0

    def moved(self, cell: NotebookNode, cell_index: int) -> None:
        """Write that a cell starts."""
        if INJECTED in cell.metadata.get("tags", []):
            self.injected += 1
        self.cell = cell_index + 1 - self.injected
        self.note.write_text(str(self.cell), encoding="utf-8")

    def failed(self, cell_index: int) -> None:
        """Write which cell failed, where others ran after it (tagged `raises-exception`)."""
        self.note.write_text(str(cell_index + 1 - self.injected), encoding="utf-8")

    def rested(self, **_: Any) -> None:
        """Write that the cell has ended; the time a kernel takes between cells belongs to none."""
        self.note.write_text(f"{self.cell} ended", encoding="utf-8")


def run(job: Job, **options: Any) -> int:
    """Execute a job on an engine and write its result.

    Return 0 if papermill came to the end, else 1, or PublishError's code if the folder cannot be
    written.
    """
    try:
        position = Position(Path(job["cell"]))
        result = _result(job, position, options)
        processes.kill(processes.below(os.getpid()))
        text = json.dumps({**result, "peak": processes.peak()})
        Path(job["result"]).write_text(text, encoding="utf-8")
    except OSError as error:
        # Files written half take the room that the ledger needs.
        Path(job["executed"]).unlink(missing_ok=True)
        Path(job["result"]).unlink(missing_ok=True)
        sys.stderr.write(f"the report's folder cannot be written: {error}\n")
        return PublishError.exit_code
    return 0 if result["state"] == "ok" else 1


def _result(job: Job, position: Position, options: Mapping[str, Any]) -> dict[str, Any]:
    """Execute a job and return its state; the runner must hear of every error."""
    try:
        _execute(job, position, options)
    except PapermillExecutionError as error:
        lines = [f"{error.ename}: {error.evalue}", *error.traceback]
        sys.stderr.write("\n".join(lines) + "\n")
        position.failed(error.cell_index)
        return _failed(error.ename, error.evalue)
    except DeadKernelError as error:
        return {"state": "killed", "error": str(error)}
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        sys.excepthook(*sys.exc_info())
        return _failed(type(error).__name__, str(error))
    return {"state": "ok"}


def _failed(name: str, message: str) -> dict[str, Any]:
    state = "failed"
    if name.endswith(MEMORY_ERRORS):
        state = "memory"
    elif name == "OSError" and _names_full_disk(message):
        state = "disk"
    return {"state": state, "ename": name, "error": first_line(name, message)}


def _names_full_disk(message: str) -> bool:
    return any(f"[Errno {number}]" in message for number in FULL)


def _execute(job: Job, position: Position, options: Mapping[str, Any]) -> None:
    with _on_one_line():
        papermill.execute_notebook(
            job["notebook"],
            job["executed"],
            parameters=job["parameters"],
            language="python",
            cwd=job["folder"],
            progress_bar=False,
            log_output=False,
            request_save_on_cell_execute=False,
            on_cell_start=position.moved,
            on_cell_executed=position.rested,
            **options,
        )


@contextmanager
def _on_one_line() -> Iterator[None]:
    """Let papermill write an executed notebook without line breaks.

    Python writes these ten times as slowly, and the runner alone reads most of the files.
    """
    write = papermill.execute.write_ipynb
    papermill.execute.write_ipynb = _write
    try:
        yield
    finally:
        papermill.execute.write_ipynb = write


def _write(notebook: NotebookNode, path: str) -> None:
    text = json.dumps(notebook, cls=BytesEncoder, ensure_ascii=False, sort_keys=True)
    Path(path).write_text(f"{text}\n", encoding="utf-8")


def forked_options() -> dict[str, Any]:
    """Return papermill's options for the shell of this process."""
    papermill_engines.register(entry.NAME, entry.Forked)
    return {"engine_name": entry.NAME, "kernel_name": engine.DEFAULT}


def main(path: str) -> int:
    """Run the job in the file `path` on a kernel of its own."""
    from dataops_nb.reports.engine import kernel  # noqa: PLC0415  a forked report has no kernel

    job = json.loads(Path(path).read_text(encoding="utf-8"))
    _die_with_runner(job["runner"])
    return run(job, **kernel.kernel_options(job["kernel"]))


def _die_with_runner(runner: int) -> None:
    """End with the runner, after all processes of the report.

    A kernel may hold the interpreter's lock for ever, and its processes in sessions of their own
    would stay if this one just died.
    """
    if sys.platform == "win32":
        return
    processes.adopt()
    signal.signal(signal.SIGUSR1, _end)  # nbclient takes TERM and INT for itself
    processes.die_with_parent(runner, signal.SIGUSR1)


def _end(*_: Any) -> NoReturn:
    processes.end_below()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
