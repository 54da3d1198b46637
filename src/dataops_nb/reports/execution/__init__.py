"""Execute jobs a few at a time, each in a process of its own, forked from a warm one or fresh.

To start Python, import pandas and altair and start a kernel takes ten times as long as a report's
cells. So a template imports all of that once and forks a child for each report; `engine` is what
runs in these processes. A notebook that needs a kernel gets a fresh process with one below it.

Each job has its limits, and whatever happens, each ends in one state. What papermill writes about
itself is not believed: a report ran when its process said so, no cell shows an error, and the
notebook holds its facts. Only a start is ever tried again, and only once: cells are not, unless the
template ended under them, which a cell of another report may have done.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import nbformat

from dataops_nb import grammars_later
from dataops_nb.errors import PublishError
from dataops_nb.reports import engine, environment, processes
from dataops_nb.reports import engine as engine_
from dataops_nb.reports.engine import Template, UnsafeError
from dataops_nb.reports.execution import job
from dataops_nb.reports.execution.job import Job, JobEnd, Running
from dataops_nb.reports.processes import Child
from dataops_nb.reports.resources import Engine, Limits, Warm

if TYPE_CHECKING:
    from dataops_nb.reports.pages.renderer import Renderer


POLL = 0.05  # seconds
LEAVING = 2.0  # seconds in which interrupted reports may leave
_LOG = logging.getLogger(__name__)


def run(
    jobs: Iterable[Job],
    *,
    at_a_time: int,
    timeout: float,
    started: Callable[[Job], None],
    engine: Engine = "forked",
    limits: Limits | None = None,
    template: Template | None = None,
) -> Generator[JobEnd, None, None]:
    """Execute jobs, at most `at_a_time` at once, and yield each as it ends.

    `started` is called before one starts. A job that runs longer than `timeout` seconds, or over
    one of the `limits`, is ended with all it started. So is every job that still runs when the
    caller stops asking or is interrupted. A job whose notebook needs a kernel gets one, whatever
    the `engine`. `template` is the warm process to fork from; without one, one is started.
    """
    waiting, running = list(jobs), list[Running]()
    bounds = (limits or Limits()).within(timeout, at_a_time)
    with Engines(engine, template) as engines:
        try:
            while waiting or running:
                ends = _fill(engines, waiting, running, at_a_time, started)
                ends += _collect(engines, running, bounds)
                ends += _fill(engines, waiting, running, at_a_time, started)
                yield from ends
                engines.wait(POLL if running and not ends else 0)
        finally:
            processes.end_all([one.process for one in running], LEAVING)


def _fill(
    engines: Engines,
    waiting: list[Job],
    running: list[Running],
    at_a_time: int,
    started: Callable[[Job], None],
) -> list[JobEnd]:
    """Start jobs while there is room; return those that could not be started."""
    failed = []
    while waiting and len(running) < at_a_time:
        job = waiting.pop(0)
        started(job)
        try:
            running.append(Running(job, *engines.begin(job)))
        except OSError as error:
            why = f"the report could not be started: {error.strerror or error}"
            failed.append(JobEnd(job, "failed", 0.0, PublishError.exit_code, why))
    return failed


def _collect(engines: Engines, running: list[Running], limits: Limits) -> list[JobEnd]:
    """Return the jobs that have ended, or are ended because they went over a limit."""
    ends = []
    for one in list(running):
        if one.process.poll() is None and not one.overdue(limits):
            continue
        code = one.end()
        engine = one.again(code)
        if engine is not None:
            one.process, one.engine = engines.begin(one.job, engine)
            continue
        running.remove(one)
        engines.clear(one.job)
        ends.append(job.judge(one, code))
    return ends


class Engines:
    """Starts reports' processes: as forks of the `kept` template, or of one of its own."""

    def __init__(self, engine: Engine, kept: Template | None = None) -> None:
        self.engine = engine if engine_.possible() else "kernel"
        self._kept = kept
        self._own: list[Template] = []
        self._ready: Template | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for template in self._own:
            template.close()

    def begin(self, job: Job, engine: str | None = None) -> tuple[Child, str]:
        """Start a job; return its process and the engine it runs on.

        OSError where the job's folder cannot be written.
        """
        job.folder.mkdir(parents=True, exist_ok=True)
        kernel, reason = _kernel(job)
        path = job.folder / "job.json"
        path.write_text(json.dumps(_order(job, kernel)), encoding="utf-8")
        if (engine or self.engine) == "forked" and reason is None:
            try:
                return self._template(job).fork(path, job.environment), "forked"
            except UnsafeError as error:
                _LOG.warning("%s is executed on the stock kernel: %s", job.notebook.name, error)
                self.engine = "kernel"
        return _start_fresh(job), "kernel"

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
        """Return the template that forks now; a second one where the first has died."""
        template = self._alive()
        if template is None:
            if len(self._own) > 1:
                raise UnsafeError("the template has ended twice")
            template = Template(job.environment)
            self._own.append(template)
        if self._ready is not template:
            template.ready()
            self._ready = template
        return template

    def _alive(self) -> Template | None:
        for template in (self._kept, *self._own):
            if template is not None and not template.gone:
                return template
        return None


def _kernel(job: Job) -> tuple[str, str | None]:
    """Return the kernel that a notebook names, and why it needs one.

    A file that cannot be read fails in its own process.
    """
    try:
        notebook = nbformat.read(job.notebook, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, nbformat.ValidationError):
        return engine.DEFAULT, None
    return engine.kernel_name(notebook), engine.reason_for_kernel(notebook)


def _order(job: Job, kernel: str) -> dict[str, Any]:
    """Return what the process of a job must know."""
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


def _start_fresh(job: Job) -> Child:
    """Start a process that has imported nothing yet."""
    with job.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dataops_nb.reports.engine.child", str(job.folder / "job.json")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**job.environment, "JUPYTER_RUNTIME_DIR": str(job.folder)},
            cwd=job.folder,
            start_new_session=True,
        )


@contextmanager
def kept(engine: Engine = "forked", template: Template | None = None) -> Iterator[Warm]:
    """Keep one template and one renderer for every report that is executed in here.

    A `template` that is starting already is taken, and closed at the end.
    """
    renderer: Renderer | None = None
    if template is None and engine == "forked" and engine_.possible():
        template = Template(environment.passed())
    try:
        with grammars_later():  # its package takes a while to import
            from dataops_nb.reports.pages.renderer import Renderer as _Renderer  # noqa: PLC0415

        renderer = _Renderer(environment.passed(), template)
        yield Warm(template, renderer)
    finally:
        for process in (renderer, template):
            if process is not None:
                process.close()
