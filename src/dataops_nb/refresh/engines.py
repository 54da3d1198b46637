"""The two ways to start a report's process: a fork of the warm template, or a fresh one with a kernel below it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

import nbformat

from dataops_nb.execution import fit, forks
from dataops_nb.execution.forks import Template, UnsafeError
from dataops_nb.execution.processes import Child
from dataops_nb.refresh import warmth
from dataops_nb.refresh.jobs import Job
from dataops_nb.refresh.warmth import Engine

_LOG = logging.getLogger(__name__)


class Engines:
    """Starts reports' processes; a template of its own is started with the first job, unless one is kept warm."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine if forks.possible() else "kernel"
        self._own: list[Template] = []
        self._ready: Template | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for template in self._own:
            template.close()

    def begin(self, job: Job, engine: str | None = None) -> tuple[Child, str]:
        """Start a job; the process and the engine it runs on. OSError where the job's folder cannot be written."""
        job.folder.mkdir(parents=True, exist_ok=True)
        kernel, reason = _asked(job)
        path = job.folder / "job.json"
        path.write_text(json.dumps(_told(job, kernel)), encoding="utf-8")
        if (engine or self.engine) == "forked" and reason is None:
            try:
                return self._template(job).fork(path, job.environment), "forked"
            except UnsafeError as error:
                _LOG.warning("%s is executed on the stock kernel: %s", job.notebook.name, error)
                self.engine = "kernel"
        return _fresh(job), "kernel"

    def wait(self, seconds: float) -> None:
        """Wait until something may have happened, for at most so long."""
        if self._ready is not None and not self._ready.gone:
            self._ready.listen(seconds)
        else:
            time.sleep(seconds)

    def clear(self, job: Job) -> None:
        """Remove a kernel's sockets and its connection file; the rest of the folder is evidence."""
        for left in (*job.folder.glob("k-*"), *job.folder.glob("kernel-*.json")):
            left.unlink(missing_ok=True)

    def _template(self, job: Job) -> Template:
        """The template that forks now; a second one where the first has died."""
        kept = [template for template in (*warmth.KEPT, *self._own) if not template.gone]
        if not kept:
            if len(self._own) > 1:
                raise UnsafeError("the template has ended twice")
            self._own.append(Template(job.environment))
            kept = self._own[-1:]
        if self._ready is not kept[0]:
            kept[0].ready()
            self._ready = kept[0]
        return kept[0]


def _asked(job: Job) -> tuple[str, str | None]:
    """The kernel that a notebook names, and why it needs one; a file that cannot be read fails in its own process."""
    try:
        notebook = nbformat.read(job.notebook, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, nbformat.ValidationError):
        return fit.DEFAULT, None
    return fit.kernel(notebook), fit.reason_for_kernel(notebook)


def _told(job: Job, kernel: str) -> dict[str, Any]:
    return {
        "notebook": str(job.notebook),
        "executed": str(job.executed),
        "folder": str(job.folder),
        "parameters": dict(job.parameters),
        "result": str(job.result),
        "cell": str(job.cell),
        "log": str(job.log),
        "printed": str(job.folder / "printed.txt"),
        "kernel": kernel,
        "runner": os.getpid(),
    }


def _fresh(job: Job) -> Child:
    with job.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dataops_nb.execution.child", str(job.folder / "job.json")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**job.environment, "JUPYTER_RUNTIME_DIR": str(job.folder)},
            cwd=job.folder,
            start_new_session=True,
        )
