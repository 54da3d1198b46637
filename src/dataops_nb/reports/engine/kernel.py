"""Run a report in the stock kernel; apart from `child`, because a forked report has no kernel.

The kernel dies with its report and keeps its sockets in the report's folder.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from traitlets import default

from dataops_nb.reports import processes
from dataops_nb.reports.engine.shell import import_date, settle

NAME = "dataops-kernel"
LONGEST_SOCKET = 100
ARGUMENTS = ["--InteractiveShell.system_raise_on_error=True"]


class Kernel(AsyncKernelManager):
    """A kernel that dies with this process and uses sockets in the report's own folder."""

    died = ""

    @default("transport")
    def _transport_for_folder(self) -> str:
        return "ipc" if _socket_path() else "tcp"

    @default("ip")
    def _address(self) -> str:
        return _socket_path() or "127.0.0.1"

    # async, as in its base
    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start the kernel's process."""
        if sys.platform == "linux":
            options["preexec_fn"] = partial(processes.die_with_parent, os.getpid())
        await super().start_kernel(**options)

    async def is_alive(self) -> bool:  # type: ignore[override]  # async, as in its base
        """Return whether the kernel's process runs; remember how it ended."""
        code = None
        if self.provisioner:
            code = await self.provisioner.poll()
        if code is not None and not Kernel.died:
            Kernel.died = f"with exit code {code}"
            if code < 0:
                Kernel.died = f"by {signal.Signals(-code).name}"
        return bool(await super().is_alive())


class Stock(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """papermill's own engine, with outputs joined and cut like those of the forked engine."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Run the cells in a kernel."""
        import_date(nb_man.nb)
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        except DeadKernelError as error:
            raise DeadKernelError(f"the kernel ended {Kernel.died}".rstrip()) from error
        finally:
            settle(nb_man.nb)


def kernel_options(name: str) -> dict[str, Any]:
    """Return papermill's options for a kernel called `name`."""
    papermill_engines.register(NAME, Stock)
    return {
        "engine_name": NAME,
        "kernel_name": name,
        "kernel_manager_class": Kernel,
        "extra_arguments": list(ARGUMENTS),
    }


def _socket_path() -> str:
    """Return the path of the kernel's sockets in the report's folder; empty if too long for one."""
    if sys.platform == "win32":
        return ""
    path = str(Path.cwd() / "k")
    if len(os.fsencode(path)) >= LONGEST_SOCKET:
        return ""
    return path
