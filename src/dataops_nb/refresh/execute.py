"""Execution: one process per report, a few at a time, each with its limits; whatever happens, each ends in one state.

What papermill writes about itself is not believed. A report ran when its process said so, no cell shows an error, and
the notebook holds its facts. Only a start is ever tried again, and only once: cells are not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterable
from contextlib import nullcontext
from functools import wraps
from typing import ParamSpec, TypeVar

from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import PublishError
from dataops_nb.execution import processes
from dataops_nb.refresh import engines, verdict
from dataops_nb.refresh.engines import Engine, Engines
from dataops_nb.refresh.jobs import Job
from dataops_nb.refresh.verdict import Ended
from dataops_nb.refresh.watch import Limits, Running

__all__ = ["Ended", "Engine", "Job", "Limits", "environment", "passed", "run", "secrets", "warmed"]

P = ParamSpec("P")
R = TypeVar("R")
POLL = 0.05
LEAVING = 2.0
PASSED = re.compile(
    r"(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|APPDATA|LOCALAPPDATA|USERPROFILE|"
    r"PYTHON\w*|VIRTUAL_ENV|CONDA_\w+|LD_LIBRARY_PATH|XDG_\w+|JUPYTER_\w+|IPYTHONDIR|MPL\w*|SSL_CERT_\w+|"
    r"OMP_\w+|OPENBLAS_\w+|MKL_\w+|JAVA_HOME|SPARK_\w+|PYSPARK_\w+|HADOOP_\w+|COVERAGE_\w+|DATAOPS_\w+)"
)


def environment(definitions: Definitions, **ours: str) -> dict[str, str]:
    """What a notebook sees of the environment: what Python needs, ours, and what a source names as `env:NAME`."""
    return passed() | _named(definitions) | ours


def passed() -> dict[str, str]:
    """What every notebook sees of the environment, whatever the company."""
    kept = {name: value for name, value in os.environ.items() if PASSED.fullmatch(name)}
    return kept | {"DATAOPS_NB_REFRESH": "1", "PYTHONHASHSEED": "0"}


def secrets(definitions: Definitions) -> list[str]:
    """What must not be published: the values that sources name as `env:NAME`, and a password in them by itself."""
    values = list(_named(definitions).values())
    inside = [hit[1] for value in values for hit in [re.search(r"://[^:/@]*:([^@/]+)@", value)] if hit]
    return [*values, *inside]


def _named(definitions: Definitions) -> dict[str, str]:
    urls = [source.url or "" for source in definitions.company.sources.values()]
    names = {url.removeprefix("env:") for url in urls if url.startswith("env:")}
    return {name: os.environ[name] for name in sorted(names) if name in os.environ}


def warmed(run: Callable[P, R]) -> Callable[P, R]:
    """A refresh whose template starts at once, so that it imports while the reports are planned."""

    @wraps(run)
    def started(*arguments: P.args, **options: P.kwargs) -> R:
        with engines.warm(passed()) if options.get("engine", "forked") == "forked" else nullcontext():
            return run(*arguments, **options)

    return started


def run(
    jobs: Iterable[Job],
    *,
    at_a_time: int,
    timeout: float,
    started: Callable[[Job], None],
    engine: Engine = "forked",
    limits: Limits | None = None,
) -> Generator[Ended, None, None]:
    """Execute jobs, at most `at_a_time` at once, and give each as it ends; `started` is told before one starts.

    A job that runs longer than `timeout` seconds, or over one of the `limits`, is ended with all it started. So is every
    job that still runs when the caller stops asking or is interrupted. A job whose notebook needs a kernel gets one,
    whatever the `engine`.
    """
    waiting, running = list(jobs), list[Running]()
    bounds = (limits or Limits()).within(timeout, at_a_time)
    with Engines(engine) as begun:
        try:
            while waiting or running:
                ended = [*_fill(begun, waiting, running, at_a_time, started), *_look(begun, running, bounds)]
                ended += _fill(begun, waiting, running, at_a_time, started)
                yield from ended
                begun.wait(POLL if running and not ended else 0)
        finally:
            processes.end_all([one.process for one in running], LEAVING)


def _fill(
    begun: Engines, waiting: list[Job], running: list[Running], at_a_time: int, started: Callable[[Job], None]
) -> list[Ended]:
    """Start jobs while there is room; those that could not be started."""
    failed = []
    while waiting and len(running) < at_a_time:
        job = waiting.pop(0)
        started(job)
        try:
            running.append(Running(job, *begun.begin(job)))
        except OSError as error:
            said = f"the report could not be started: {error.strerror or error}"
            failed.append(Ended(job, "failed", 0.0, PublishError.exit_code, said))
    return failed


def _look(begun: Engines, running: list[Running], limits: Limits) -> list[Ended]:
    """Those that have ended, or are ended because they went over a limit."""
    ended = []
    for one in list(running):
        if one.process.poll() is None and not one.overdue(limits):
            continue
        code = one.end()
        again = one.again(code)
        if again is not None:
            one.process, one.engine = begun.begin(one.job, again)
            continue
        running.remove(one)
        begun.clear(one.job)
        ended.append(verdict.judged(one, code))
    return ended
