"""The stock kernel, held as a report needs it: it dies with its report and talks over sockets in the report's folder."""

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

from dataops_nb.execution import processes, sizes

NAME = "dataops-kernel"
LONGEST_SOCKET = 100
ARGUMENTS = ["--InteractiveShell.system_raise_on_error=True"]


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


class Stock(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """papermill's own engine, whose outputs are joined and cut as the forked engine's are."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Run the cells in a kernel."""
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        except DeadKernelError as error:
            raise DeadKernelError(f"the kernel ended {Kernel.died}".rstrip()) from error
        finally:
            sizes.settle(nb_man.nb)


def engine(name: str) -> dict[str, Any]:
    """papermill's options for a kernel called `name`."""
    papermill_engines.register(NAME, Stock)
    options = {"kernel_manager_class": Kernel, "extra_arguments": list(ARGUMENTS)}
    return {"engine_name": NAME, "kernel_name": name, **options}


def _sockets() -> str:
    """Where the kernel's sockets lie: the report's folder, unless its path is too long for a socket."""
    path = str(Path.cwd() / "k")
    return path if len(os.fsencode(path)) < LONGEST_SOCKET and sys.platform != "win32" else ""
