"""The process of one report: papermill executes its notebook here, and what happened is written down.

Started as `python -m dataops_nb.refresh.child JOB.json`. Exit 0 means only that papermill came to its end; the runner
looks at the executed notebook itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import papermill
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from traitlets import default

from dataops_nb.publish.facts import INJECTED, first_line, tags
from dataops_nb.publish.outputs import ESCAPES
from dataops_nb.refresh import processes

LONGEST_SOCKET = 100


class Kernel(AsyncKernelManager):
    """A kernel that dies with this process, and talks over sockets in the report's own folder."""

    died = ""

    @default("transport")
    def _over_files(self) -> str:
        return "ipc" if _sockets() else "tcp"

    @default("ip")
    def _where(self) -> str:
        return _sockets() or "127.0.0.1"

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # async, as in its base
        """Start the kernel's process."""
        if sys.platform == "linux":
            options["preexec_fn"] = partial(processes.die_with_parent, os.getpid())
        await super().start_kernel(**options)

    async def is_alive(self) -> bool:  # type: ignore[override]  # async, as in its base
        """Whether the kernel's process runs; remembers how it ended."""
        code = await self.provisioner.poll() if self.provisioner else None
        if code is not None and not Kernel.died:
            Kernel.died = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return bool(await super().is_alive())


def _sockets() -> str:
    """Where the kernel's sockets lie: the report's folder, unless its path is too long for a socket."""
    path = str(Path.cwd() / "k")
    return path if len(os.fsencode(path)) < LONGEST_SOCKET and sys.platform != "win32" else ""


class Position:
    """Which cell runs, as the author counts: from 1, without the one that papermill adds; the runner can read it."""

    def __init__(self, note: Path) -> None:
        self.note = note
        self.cell = 0
        self.injected = 0

    def moved(self, cell: NotebookNode, cell_index: int) -> None:
        """Note that a cell starts."""
        self.injected += INJECTED in tags(cell)
        self.cell = cell_index + 1 - self.injected
        self.note.write_text(str(self.cell), encoding="utf-8")


def main(path: str) -> int:
    """Run the job in the file `path`; the exit code says whether papermill came to the end."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    processes.die_with_parent(job["runner"])
    processes.adopt()
    position = Position(Path(job["cell"]))
    try:
        _execute(job, position)
        result: Mapping[str, Any] = {"state": "ok"}
    except PapermillExecutionError as error:
        result = {"state": "failed", "ename": error.ename, "error": first_line(error.ename, error.evalue)}
        sys.stderr.write(ESCAPES.sub("", str(error)))
    except DeadKernelError:
        result = {"state": "killed", "error": f"the kernel ended {Kernel.died}".rstrip()}
    except Exception as error:  # whatever it is, the runner must hear of it
        result = {
            "state": "failed",
            "ename": type(error).__name__,
            "error": first_line(type(error).__name__, str(error)),
        }
        sys.excepthook(*sys.exc_info())
    processes.kill(processes.below(os.getpid()))
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")
    return 0 if result["state"] == "ok" else 1


def _execute(job: Mapping[str, Any], position: Position) -> None:
    papermill.execute_notebook(
        job["notebook"],
        job["executed"],
        parameters=job["parameters"],
        kernel_name="python3",
        cwd=job["folder"],
        progress_bar=False,
        log_output=False,
        request_save_on_cell_execute=False,
        kernel_manager_class=Kernel,
        on_cell_start=position.moved,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
