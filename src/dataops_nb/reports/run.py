"""Run one refresh, from the plan to the front page; backfill past periods.

A backfill publishes the reports of past periods, each as of its own last day, the oldest first.
What was published for earlier days can show in a report, so the reports of one day are finished
before those of the next one start. A backfill that is cut short goes on where it was; one that is
repeated executes nothing.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import signal
import sqlite3
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from dataops_nb import grammars_later, periods, workbench
from dataops_nb.errors import PublishError, UsageError
from dataops_nb.reports import (
    LOCAL,
    Execution,
    Refresh,
    RefreshResult,
    Result,
    due,
    environment,
    formats,
    is_front_behind,
    ledger,
    place_of,
    plan,
    upkeep,
    write_front,
)
from dataops_nb.reports import engine as engines
from dataops_nb.reports.due import Due
from dataops_nb.reports.inputs import Inputs
from dataops_nb.reports.plan import Planned
from dataops_nb.reports.progress import Progress, begins, choose, close
from dataops_nb.reports.resources import TIMEOUT, Engine, Limits, Warm
from dataops_nb.workbench import Workbench


def planned(
    wb: Workbench,
    *,
    suite: str | None = None,
    reports: Collection[str] = (),
    as_of: dt.date | str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> list[Planned]:
    """Return what a refresh would make, which of it is due, and why.

    Nothing is executed and nothing is written.
    """
    todo = _plan(wb, suite, reports, workbench.as_of(wb, as_of), parameters)
    path = wb.out / "ledger.sqlite"
    if not path.exists():
        return todo
    with ledger.opened(path) as book, closing(Inputs(wb, read_only=True)) as inputs:
        known = due.last_runs(book, wb.whatif)
        decided = due.decide(todo, inputs, known, place_of(wb))
    return [report.planned for report in decided]


def run(
    wb: Workbench,
    *,
    suite: str | None = None,
    reports: Collection[str] = (),
    as_of: dt.date | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    force: bool = False,
    missed: bool = False,
    shard: str = "",
    executor: str = LOCAL,
    to: tuple[str, ...] = ("html",),
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    engine: Engine = "forked",
    limits: Limits | None = None,
    progress: Progress | None = None,
    warm: Warm | None = None,
) -> RefreshResult:
    """Execute and publish the reports of a suite (default: of all) that have changed.

    The others are skipped: with `force` none is; with `missed` all are but those whose latest
    complete period was never published. `shard` (2/4) takes one part of the reports, so that
    several refreshes can share them out. `executor` is `local` or dask://HOST:PORT, `engine` is
    `forked`, or `kernel` for the stock one. `to` are the formats that are published. `limits` are
    those of one report beside its `timeout` in seconds. `warm` are processes that the caller keeps
    for several refreshes. Whoever reports.yaml names is told after.

    Raises, before anything runs: UsageError and DefinitionsError for mistakes in what is asked for,
    LockedError where another refresh holds the output, PublishError where it cannot be written or
    no browser here can print a pdf. After that the result says how every report ended.
    """
    _check_jobs(jobs)
    if "pdf" in to:
        _require_browser()
    day = workbench.as_of(wb, as_of)
    with ExitStack() as stack:
        if force and executor == LOCAL and warm is None:
            warm = Warm(stack.enter_context(_template(wb, day, engine)))
        todo = plan.pick(_plan(wb, suite, reports, day, parameters), shard)
        wb = workbench.settle(wb)
        refresh = stack.enter_context(opened(wb, day, shard=shard, force=force, to=to))
        decided = _decide(refresh, todo)
        if missed:
            decided = due.missed(decided, due.last_runs(refresh.book, wb.whatif))
        show = progress or choose(len(todo))
        how = Execution(jobs, timeout, executor, engine, limits, begins(show), warm or Warm())
        results = work(refresh, decided, how, show)
        result = RefreshResult(refresh.run, day, results)
        is_notice_due = _is_notice_due(wb, result, refresh.book)
    if is_notice_due:
        return _notify(wb, result)
    return result


def _require_browser() -> None:
    from dataops_nb.reports.delivery import paper  # noqa: PLC0415  slow to import

    paper.browser()


def _decide(refresh: Refresh, todo: Sequence[Planned]) -> list[Due]:
    known = due.last_runs(refresh.book, refresh.wb.whatif)
    files = formats.files_of(refresh.to)
    return due.decide(todo, refresh.inputs, known, refresh.place, force=refresh.force, files=files)


def _is_notice_due(wb: Workbench, result: RefreshResult, book: sqlite3.Connection) -> bool:
    """Tell whether a notice is to be written, or one that was written is still to be delivered.

    What-ifs are told to nobody.
    """
    if wb.whatif:
        return False
    suites = {report.suite for report in result.reports if report.state != "skipped"}
    if any(wb.definitions.suites[suite].mail for suite in suites):
        return True
    if suites and os.environ.get("DATAOPS_SLACK_WEBHOOK"):
        return True
    return ledger.has_undelivered(book)


def _notify(wb: Workbench, result: RefreshResult) -> RefreshResult:
    from dataops_nb.reports import delivery  # noqa: PLC0415  mostly there is nothing to tell

    return replace(result, undelivered=delivery.tell(wb, result))


def work(refresh: Refresh, decided: Sequence[Due], how: Execution, show: Progress) -> list[Result]:
    """Skip what is not due, run and publish the rest.

    Returns the results in the order of the plan.
    """
    results: dict[tuple[str, str], Result] = {}
    due_reports = [report for report in decided if report.planned.due]
    with ledger.together(refresh.book):
        for report in decided:
            if not report.planned.due:
                results[report.planned.key] = _skip(refresh, report)
    for result in results.values():
        show(result)
    try:
        with _warmed(refresh, due_reports, how) as warmed:
            for result in _publish(refresh, due_reports, warmed):
                results[result.report, result.period] = result
                show(result)
    except KeyboardInterrupt:
        close(show)
        raise KeyboardInterrupt(
            f"stopped after {len(results)} of {len(decided)} reports; finished ones are published"
        ) from None
    return [results[report.planned.key] for report in decided]


def _skip(refresh: Refresh, report: Due) -> Result:
    planned = report.planned
    day = planned.as_of or refresh.as_of
    ledger.skip(refresh.book, refresh.run, planned, day, shard=refresh.shard)
    return Result.skipped(planned, planned.why, refresh.place, report.before)


@contextmanager
def _warmed(refresh: Refresh, reports: Sequence[Due], how: Execution) -> Iterator[Execution]:
    """Keep processes warm where reports are executed here, unless the caller keeps some."""
    if not reports or how.executor != LOCAL or how.warm.renderer is not None:
        yield how
        return
    with ExitStack() as stack:
        template = how.warm.template
        if template is None:
            template = stack.enter_context(_template(refresh.wb, refresh.as_of, how.engine))
        with grammars_later():  # whoever is first to import jsonschema waits for its grammar
            from dataops_nb.reports import execution  # noqa: PLC0415  slow to import

        yield replace(how, warm=stack.enter_context(execution.kept(how.engine, template)))


@contextmanager
def _template(wb: Workbench, day: dt.date, engine: Engine) -> Iterator[engines.Template | None]:
    """Start what reports are forked from; it reads and imports beside all that this process does.

    So the earlier the better: at once where every report is due.
    """
    if engine != "forked" or not engines.possible():
        yield None
        return
    where = environment.passed() | environment.places(wb)
    with closing(engines.Template(where, day)) as template:
        yield template


def _publish(refresh: Refresh, reports: Sequence[Due], how: Execution) -> Iterator[Result]:
    if reports:
        with grammars_later():  # where no process is kept warm
            from dataops_nb.reports import publication  # noqa: PLC0415  slow to import

        yield from publication.publish(refresh, reports, how)


@contextmanager
def opened(wb: Workbench, day: dt.date, *, shard: str = "", **options: Any) -> Iterator[Refresh]:
    """Hold the output folder for a refresh: put it in order before, write its front page after.

    `options` are those of `Refresh`.
    """
    with _output(wb.out, shard), _interruptible(), ledger.opened(wb.out / "ledger.sqlite") as book:
        upkeep.tidy(book, wb.out, shard, environment.secrets(wb.definitions))
        with closing(Inputs(wb)) as inputs:
            refresh = Refresh(wb, _run_id(), day, book, inputs, shard, **options)
            yield refresh
            _finish(refresh)


def _finish(refresh: Refresh) -> None:
    if is_front_behind(refresh):
        with ledger.publishing(refresh.wb.out / "runs"):
            write_front(refresh)
    with suppress(OSError):
        refresh.private.rmdir()


def _check_jobs(jobs: int | None) -> None:
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs is at least 1, not {jobs}")


def _plan(
    wb: Workbench,
    suite: str | None,
    only: Collection[str],
    day: dt.date,
    parameters: Mapping[str, Any] | None = None,
) -> list[Planned]:
    return plan.reports(
        wb.definitions,
        wb.notebooks,
        suite=suite,
        only=only,
        as_of=day,
        parameters=parameters,
        whatif=wb.whatif,
    )


def _run_id() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


@contextmanager
def _output(out: Path, shard: str) -> Iterator[None]:
    """Hold the output folder, or this shard's part of it, for this process alone.

    It is made where it is missing.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "runs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise PublishError(
            f"the output folder {out.name}/ cannot be written: {error.strerror or error}"
        ) from error
    with ledger.held(out / "runs", shard=shard):
        yield


@contextmanager
def _interruptible() -> Iterator[None]:
    """End a refresh in order on TERM and HUP, as on Ctrl-C.

    Children are ended and the ledger is closed. Python hears signals in the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: Any) -> None:
        raise SystemExit(128 + number)

    numbers = [signal.SIGTERM]
    if sys.platform != "win32":
        numbers.append(signal.SIGHUP)
    handlers = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def backfill(
    wb: Workbench,
    suite: str,
    *,
    first: dt.date,
    last: dt.date,
    reports: Collection[str] = (),
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> RefreshResult:
    """Publish each period of a suite's reports that ends in `first`..`last` and is over today.

    UsageError where there is none. Otherwise like a refresh.
    """
    wb = workbench.settle(wb)
    end = min(last, workbench.as_of(wb))
    days = _plan_days(wb, suite, reports, first, end)
    if not days:
        raise UsageError(
            f"no report of {suite!r} has a period that ends between {first} and {last}"
            " and is over today"
        )
    results: list[Result] = []
    show = progress or choose(sum(map(len, days)))
    how = Execution(jobs, timeout, begun=begins(show))
    with opened(wb, end, many=True) as refresh, ExitStack() as stack:
        for todo in days:
            decided = _decide(refresh, todo)
            due_reports = [report for report in decided if report.planned.due]
            today = replace(refresh, as_of=todo[0].as_of or end)
            # warm processes stay for the days that follow
            how = stack.enter_context(_warmed(today, due_reports, how))
            results += work(today, decided, how, show)
    return RefreshResult(refresh.run, end, results)


def _plan_days(
    wb: Workbench, suite: str, only: Collection[str], first: dt.date, last: dt.date
) -> list[list[Planned]]:
    """Return the reports of each day on which a period of theirs ends, the oldest day first."""
    calendar = periods.calendar(wb.definitions.company.calendar)
    grains = {report.covers.grain for report in _plan(wb, suite, only, last) if report.covers}
    ends = set[dt.date]()
    for grain in grains:
        ends |= {period.end for period in calendar.periods(grain, first, last)}
    days = []
    for day in sorted(ends):
        if not first <= day <= last:
            continue
        reports = _plan(wb, suite, only, day)
        ending = [report for report in reports if report.covers and report.covers.end == day]
        if ending:
            days.append(ending)
    return days
