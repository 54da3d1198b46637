"""Execution: one process per report, a few at a time, each with its limits; whatever happens, each ends in one state.

What papermill writes about itself is not believed. A report ran when its process said so, no cell shows an error, and
the notebook holds its facts. Only a start is ever tried again, and only once: cells are not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from dataops_nb.errors import PublishError
from dataops_nb.execution import processes
from dataops_nb.refresh import verdict
from dataops_nb.refresh.engines import Engines
from dataops_nb.refresh.jobs import Job
from dataops_nb.refresh.surroundings import environment, passed, secrets
from dataops_nb.refresh.verdict import Ended
from dataops_nb.refresh.warmth import Engine
from dataops_nb.refresh.watch import Limits, Running

__all__ = ["Ended", "Engine", "Job", "Limits", "environment", "passed", "run", "secrets"]

POLL = 0.05
LEAVING = 2.0


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
