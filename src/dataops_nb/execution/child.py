"""What happens in a report's own process: papermill executes its notebook, and how that went is written down.

Forked from the template, or started as `python -m dataops_nb.execution.child JOB.json` with a kernel below it. Exit 0
means only that papermill came to its end; the runner looks at the executed notebook itself.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from dataops_nb.errors import PublishError, first_line
from dataops_nb.execution import engine, fit, processes

INJECTED = "injected-parameters"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO}
MEMORY = ("MemoryError", "OutOfMemoryException", "OutOfMemoryError")

Job = Mapping[str, Any]


class Position:
    """Which cell runs, as the author counts: from 1, without the one that papermill adds; the runner can read it."""

    def __init__(self, note: Path) -> None:
        self.note = note
        self.cell = 0
        self.injected = 0

    def moved(self, cell: NotebookNode, cell_index: int) -> None:
        """Note that a cell starts."""
        self.injected += INJECTED in cell.metadata.get("tags", [])
        self.cell = cell_index + 1 - self.injected
        self.note.write_text(str(self.cell), encoding="utf-8")

    def rested(self, **_: Any) -> None:
        """Note that the cell has ended: what a kernel does between cells, and to leave, is no cell's time."""
        self.note.write_text(f"{self.cell} ended", encoding="utf-8")


def run(job: Job, **options: Any) -> int:
    """Execute a job on an engine and write its result; the exit code says whether papermill came to the end."""
    try:
        position = Position(Path(job["cell"]))
        result = _result(job, position, options)
        processes.kill(processes.below(os.getpid()))
        text = json.dumps({**result, "peak": processes.peak()})
        Path(job["result"]).write_text(text, encoding="utf-8")
    except OSError as error:
        for half in (job["executed"], job["result"]):
            Path(half).unlink(missing_ok=True)  # what is half written takes the room that the ledger needs
        sys.stderr.write(f"the report's folder cannot be written: {error}\n")
        return PublishError.exit_code
    return 0 if result["state"] == "ok" else 1


def _result(job: Job, position: Position, options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        _execute(job, position, options)
    except PapermillExecutionError as error:
        sys.stderr.write(f"{error.ename}: {error.evalue}\n" + "\n".join(error.traceback) + "\n")
        return _failed(error.ename, error.evalue)
    except DeadKernelError as error:
        return {"state": "killed", "error": str(error)}
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        sys.excepthook(*sys.exc_info())
        return _failed(type(error).__name__, str(error))
    except Exception as error:  # whatever it is, the runner must hear of it
        sys.excepthook(*sys.exc_info())
        return _failed(type(error).__name__, str(error))
    return {"state": "ok"}


def forked() -> dict[str, Any]:
    """papermill's options for the shell of this process."""
    papermill_engines.register(engine.NAME, engine.Forked)
    return {"engine_name": engine.NAME, "kernel_name": fit.DEFAULT}


def _failed(name: str, message: str) -> dict[str, Any]:
    state = "memory" if name.endswith(MEMORY) else "disk" if name == "OSError" and _full(message) else "failed"
    return {"state": state, "ename": name, "error": first_line(name, message)}


def _full(message: str) -> bool:
    return any(f"[Errno {number}]" in message for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))


def _execute(job: Job, position: Position, options: Mapping[str, Any]) -> None:
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


def main(path: str) -> int:
    """Run the job in the file `path` on a kernel of its own."""
    from dataops_nb.execution import kernel  # noqa: PLC0415  a forked report has no kernel

    job = json.loads(Path(path).read_text(encoding="utf-8"))
    _outlive_nobody(job["runner"])
    return run(job, **kernel.engine(job["kernel"]))


def _outlive_nobody(runner: int) -> None:
    """End with the runner, after all that the report has started: a kernel may hold the interpreter's lock for ever, and
    what it started in a session of its own would stay where this process just died.
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
