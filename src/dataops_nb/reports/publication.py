"""Publish due reports: execute, judge, build pages, put them in place, enter them in the ledger.

Imported only where a report runs: what executes notebooks and builds pages takes a second to
import.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from dataops_nb import __version__
from dataops_nb.errors import DataopsError, PublishError, ReportError, UsageError, first_line
from dataops_nb.reports import (
    LOCAL,
    Execution,
    Refresh,
    Result,
    environment,
    execution,
    front,
    journal,
    ledger,
    pages,
    redaction,
    site,
    write_front,
)
from dataops_nb.reports.delivery import formats
from dataops_nb.reports.due import Due
from dataops_nb.reports.execution.job import Job, JobEnd
from dataops_nb.reports.ledger import State
from dataops_nb.reports.pages import notebook as page_notebook
from dataops_nb.reports.plan import Planned
from dataops_nb.reports.resources import Warm
from dataops_nb.workbench import Workbench

Started = Callable[[Job], None]
FRONT_SHARE = 0.1  # of the time, at most, for front pages before the last one


@dataclass
class Pace:
    """How often to do work that costs more the more reports there are."""

    share: float = FRONT_SHARE
    _next: float = 0.0

    def now_and_then(self, work: Callable[[], None]) -> None:
        """Do the work, unless doing it now would take more than its share of the time."""
        began = time.monotonic()
        if began >= self._next:
            work()
            ended = time.monotonic()
            self._next = ended + (ended - began) / self.share


def publish(refresh: Refresh, due: Sequence[Due], how: Execution) -> Iterator[Result]:
    """Run reports and publish those that come to a good end.

    Yields each result as it is there. A report that another process has claimed meanwhile is
    skipped. Raises UsageError, before anything runs, for a notebook that cannot be executed.
    """
    _check_notebooks(refresh.wb, due)
    work: dict[Job, Due] = {}
    claimed_elsewhere = []
    for report in due:
        if ledger.claim(refresh.book, report.key, refresh.run, refresh.shard) or refresh.force:
            work[_job(refresh, report.planned)] = report
        else:
            claimed_elsewhere.append(report.planned)
    yield from _work_off(refresh, work, how)
    for planned in claimed_elsewhere:
        day = planned.as_of or refresh.as_of
        ledger.skip(refresh.book, refresh.run, planned, day, shard=refresh.shard)
        yield Result.skipped(planned, "another refresh is making it")


def _check_notebooks(wb: Workbench, due: Sequence[Due]) -> None:
    for name in dict.fromkeys(report.planned.notebook for report in due):
        try:
            text = (wb.notebooks / name).read_text(encoding="utf-8")
            nbformat.validate(nbformat.reads(text, as_version=4))  # type: ignore[no-untyped-call]
        except (OSError, ValueError, nbformat.ValidationError) as error:
            reason = type(error).__name__
            if str(error):
                reason = str(error).splitlines()[0]
            raise UsageError(f"{name} is not a readable notebook: {reason}") from error


def _job(refresh: Refresh, planned: Planned) -> Job:
    folder = f"{planned.report}.{planned.suite}"
    if refresh.many:
        folder = f"{folder}.{planned.period}"
    return Job(
        notebook=refresh.wb.notebooks.resolve() / planned.notebook,
        parameters=planned.parameters,
        folder=(refresh.private / folder).resolve(),
        environment=_environment(refresh.wb, planned),
    )


@dataclass
class _Open:
    """A report that runs: its row in the ledger, and when it began."""

    row: int
    began: float


def _work_off(refresh: Refresh, work: Mapping[Job, Due], how: Execution) -> Iterator[Result]:
    """Execute jobs and publish their reports; end what is left as killed if interrupted."""
    running: dict[Due, _Open] = {}
    claimed = set(work.values())
    front_page = Pace()

    def started(job: Job) -> None:
        report = work[job]
        planned = report.planned
        row = ledger.start(
            refresh.book,
            refresh.run,
            planned,
            planned.as_of or refresh.as_of,
            made_of=report.ingredients,
            shard=refresh.shard,
        )
        running[report] = _Open(row, time.monotonic())
        how.begun(planned.report)

    try:
        with closing(_execute(work, how, started)) as ends:
            for end in ends:
                report = work[end.job]
                with ledger.publishing(refresh.wb.out / "runs"):
                    result = _conclude(refresh, report, end, running[report].row, how.warm)
                    del running[report]
                    claimed.remove(report)
                    with suppress(PublishError):
                        front_page.now_and_then(lambda: write_front(refresh))
                yield result
    finally:
        ledger.release(refresh.book, [report.key for report in claimed])
        for open_ in running.values():
            ledger.finish(
                refresh.book,
                open_.row,
                "killed",
                seconds=time.monotonic() - open_.began,
                code=ledger.ENDS["killed"].code,
                error="the refresh was interrupted",
            )


def _execute(
    work: Iterable[Job], how: Execution, started: Started
) -> Generator[JobEnd, None, None]:
    """Execute jobs here or on a cluster; yield each as it ends."""
    options: dict[str, Any] = {
        "timeout": how.timeout,
        "started": started,
        "engine": how.engine,
        "limits": how.limits,
    }
    if how.executor == LOCAL:
        at_a_time = how.jobs or os.cpu_count() or 1
        return execution.run(work, at_a_time=at_a_time, template=how.warm.template, **options)
    from dataops_nb.reports.execution import cluster  # noqa: PLC0415  the executor of an extra

    return cluster.run(work, at_a_time=how.jobs, scheduler=how.executor, **options)


def _conclude(refresh: Refresh, report: Due, end: JobEnd, row: int, warm: Warm) -> Result:
    """Publish a report that came to a good end, and enter in the ledger how it ended."""
    planned = report.planned
    state: State = end.state
    code, error = end.code, end.error
    paths: list[str] = []
    record: dict[str, Any] = {}
    if end.notebook is not None:
        try:
            paths, record = _put_in_place(refresh, planned, end.job, end.notebook, warm)
        except DataopsError as failure:
            state, code, error = "failed", failure.exit_code, str(failure)
        except Exception as failure:  # a page that cannot be built never stops other reports
            state, code = "failed", ReportError.exit_code
            error = first_line(type(failure).__name__, str(failure))
            end.job.note(failure)
    if error:
        error = _redact(refresh.wb, planned, error)
    ledger.finish(refresh.book, row, state, seconds=end.seconds, code=code, error=error, **record)
    if state == "ok":
        shutil.rmtree(end.job.folder, ignore_errors=True)
    else:
        ledger.release(refresh.book, [report.key])
        redaction.clean_folder(end.job.folder, _secrets(refresh.wb, planned))
    return Result(
        report=planned.report,
        period=planned.period,
        state=state,
        light=record["shown"]["light"] if record else None,
        seconds=round(end.seconds, 3),
        pages=paths,
        error=error,
        code=code,
        suite=planned.suite,
    )


def _put_in_place(
    refresh: Refresh, planned: Planned, job: Job, executed: NotebookNode, warm: Warm
) -> tuple[list[str], dict[str, Any]]:
    """Build the pages of a report and put them in place.

    Returns the paths of the pages, and what the ledger keeps of the report.
    """
    from dataops_nb.workbench import whatifs  # noqa: PLC0415  slow to import

    wb = refresh.wb
    notebook = redaction.without_paths(executed, {**_places(wb), "private": job.folder})
    payload = page_notebook.of(notebook)
    day = planned.as_of or refresh.as_of
    meta = pages.Meta(
        planned.report,
        __version__,
        planned.parameters,
        whatif=planned.whatif,
        differs=tuple(whatifs.words(wb, day, str(planned.parameters.get("grain") or "week"))),
        kept=wb.cache,
    )
    files = (warm.renderer or pages).files(notebook, meta)
    files |= formats.files(
        refresh.to, notebook, planned.report, files, wb.definitions.company.site_url
    )
    redaction.refuse_secrets(files, _secrets(wb, planned))

    target = refresh.place.resolve() / planned.report / planned.period
    if not planned.whatif:
        journal.intend(job.folder, planned.key, refresh.run, payload, files)
    site.publish(files, target, job.folder)
    if not planned.whatif:
        journal.enter(wb.out, job.folder)

    paths = [str(target / name) for name in files if name.endswith(".html")]
    record = {
        "shown": front.summary(payload),
        "made_of": refresh.inputs.of(planned, day, payload.get("used")),
        "content": page_notebook.fingerprint(notebook, planned.parameters, payload, __version__),
    }
    return paths, record


def _secrets(wb: Workbench, planned: Planned) -> list[str]:
    return environment.secrets(wb.definitions, *planned.parameters.values())


def _redact(wb: Workbench, planned: Planned, error: str) -> str:
    without_secrets = redaction.without_secrets(error, _secrets(wb, planned))
    return redaction.rename_paths(without_secrets, _places(wb))


def _environment(wb: Workbench, planned: Planned) -> dict[str, str]:
    return environment.of(wb.definitions, *planned.parameters.values(), **environment.places(wb))


def _places(wb: Workbench) -> dict[str, Path]:
    """Return the folders of this machine by the names that stand for them on a page."""
    return {
        "data": wb.data,
        "out": wb.out,
        "notebooks": wb.notebooks,
        "workbench": wb.root,
        "~": Path.home(),
    }
