"""One refresh, from the plan to the front page."""

from __future__ import annotations

import datetime as dt
import os
import secrets as chance
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from dataops_nb import __version__, workbench
from dataops_nb.errors import DataopsError, KilledError, PublishError, UsageError, first_line
from dataops_nb.publish import facts, folder, page, redaction
from dataops_nb.refresh import execute, front, ledger, lock, memory, plan
from dataops_nb.refresh.plan import Planned
from dataops_nb.refresh.progress import Progress, choose
from dataops_nb.workbench import Workbench

TIMEOUT = 900.0


@dataclass(frozen=True)
class Result:
    """How one report ended; `pages` are the files that were published, `error` is one line."""

    report: str
    period: str
    state: str
    light: str | None
    seconds: float
    pages: list[str] = field(default_factory=list)
    error: str | None = None
    code: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a refresh ended: its id, its as-of, and each report in the order of the plan."""

    run: str
    as_of: dt.date
    reports: list[Result]

    @property
    def exit_code(self) -> int:
        """0 where every report is published, else the highest code of those that are not."""
        return max((result.code for result in self.reports), default=0)


@dataclass(frozen=True)
class _Refresh:
    """What the steps of one refresh share."""

    wb: Workbench
    run: str
    as_of: dt.date
    book: sqlite3.Connection

    @property
    def private(self) -> Path:
        return self.wb.out / "runs" / self.run


@dataclass(frozen=True)
class _Asked:
    """How reports are to be executed."""

    at_a_time: int
    timeout: float
    engine: execute.Engine
    limits: execute.Limits | None


def planned(
    wb: Workbench,
    *,
    suite: str | None = None,
    reports: Collection[str] = (),
    as_of: dt.date | str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> list[Planned]:
    """What a refresh would make, and whether it is due: a period that the ledger does not know as published is."""
    before: dict[tuple[str, str], str] = {}
    if (wb.out / "ledger.sqlite").exists():
        with ledger.opened(wb.out / "ledger.sqlite") as book:
            before = ledger.published(book)
    day = workbench.as_of(wb, as_of)
    return plan.reports(
        wb.definitions, wb.notebooks, suite=suite, only=reports, as_of=day, parameters=parameters, published=before
    )


@execute.warmed
def run(
    wb: Workbench,
    *,
    suite: str | None = None,
    reports: Collection[str] = (),
    as_of: dt.date | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    engine: execute.Engine = "forked",
    limits: execute.Limits | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Execute and publish the reports of a suite (default: of all).

    `engine` is `forked`, or `kernel` for the stock one; `limits` are those of one report beside its `timeout`.

    Raises before anything runs: UsageError and DefinitionsError for what is asked, LockedError where another refresh
    holds the output, PublishError where it cannot be written. After that every report ends in the outcome.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs is at least 1, not {jobs}")
    day = workbench.as_of(wb, as_of)
    todo = plan.reports(wb.definitions, wb.notebooks, suite=suite, only=reports, as_of=day, parameters=parameters)
    workbench.ensure_data(wb)
    with _output(wb.out), _interruptible(), ledger.opened(wb.out / "ledger.sqlite") as book:
        ledger.reconcile(book)
        folder.repair(wb.out / "runs")
        memory.recover(wb.out)
        refresh = _Refresh(wb, _id(), day, book)
        asked = _Asked(jobs or os.cpu_count() or 1, timeout, engine, limits)
        results = _refreshed(refresh, todo, asked, progress or choose(len(todo)))
        _front(refresh)
        _sweep(refresh.private)
    return Outcome(refresh.run, day, results)


def _refreshed(refresh: _Refresh, todo: list[Planned], asked: _Asked, show: Progress) -> list[Result]:
    surroundings = _environment(refresh.wb)
    work = {_job(refresh, one, surroundings): one for one in todo}
    rows: dict[Planned, int] = {}
    results: dict[Planned, Result] = {}

    def started(job: execute.Job) -> None:
        rows[work[job]] = ledger.start(refresh.book, refresh.run, work[job], refresh.as_of)

    try:
        with closing(execute.run(work, started=started, **vars(asked))) as all_ended:
            for ended in all_ended:
                one = work[ended.job]
                results[one] = _concluded(refresh, one, ended, rows[one])
                show(results[one])
                with suppress(PublishError):
                    _front(refresh)
    finally:
        for one in rows.keys() - results.keys():
            error = "the refresh was interrupted"
            ledger.finish(refresh.book, rows[one], "killed", seconds=0.0, code=KilledError.exit_code, error=error)
    return [results[one] for one in todo]


def _job(refresh: _Refresh, one: Planned, surroundings: Mapping[str, str]) -> execute.Job:
    private = refresh.private / f"{one.report}.{one.suite}"
    return execute.Job(refresh.wb.notebooks.resolve() / one.notebook, one.parameters, private.resolve(), surroundings)


def _concluded(refresh: _Refresh, one: Planned, ended: execute.Ended, row: int) -> Result:
    """Publish what came to a good end, and enter in the ledger how the report ended."""
    shown: dict[str, Any] | None = None
    state, code, error, pages = ended.state, ended.code, ended.error, list[str]()
    if ended.notebook is not None:
        try:
            pages, shown = _published(refresh, one, ended.job, ended.notebook)
        except DataopsError as failure:
            state, code, error = "failed", failure.exit_code, str(failure)
        except Exception as failure:  # one page that cannot be built never stops the other reports
            state, code, error = "failed", 1, first_line(type(failure).__name__, str(failure))
            ended.job.note(failure)
    error = redaction.text(error, _places(refresh.wb)) if error else None
    ledger.finish(refresh.book, row, state, seconds=ended.seconds, code=code, error=error, shown=shown)
    if state == "ok":
        shutil.rmtree(ended.job.folder, ignore_errors=True)
    light = shown["light"] if shown else None
    return Result(one.report, one.period, state, light, round(ended.seconds, 3), pages, error, code)


def _published(
    refresh: _Refresh, one: Planned, job: execute.Job, executed: NotebookNode
) -> tuple[list[str], dict[str, Any]]:
    notebook = redaction.without_paths(executed, {**_places(refresh.wb), "private": job.folder})
    files = page.files(notebook, page.Meta(one.report, __version__, one.parameters))
    redaction.refuse_secrets(files, execute.secrets(refresh.wb.definitions))
    target = refresh.wb.out.resolve() / one.report / one.period
    memory.intend(job.folder, one.key, refresh.run, facts.of(notebook), files)
    folder.publish(files, target, job.folder)
    memory.keep(refresh.wb.out, job.folder)
    pages = [str(target / name) for name in files if name.endswith(".html")]
    return pages, front.summary(facts.of(notebook))


def _front(refresh: _Refresh) -> None:
    definitions = refresh.wb.definitions
    shown = front.Front(definitions.company.company, refresh.run, refresh.as_of, plan.ids(definitions))
    front.write(refresh.wb.out, refresh.private, refresh.book, shown)


def _environment(wb: Workbench) -> dict[str, str]:
    places = {"DATAOPS_WORKBENCH": wb.root, "DATAOPS_DATA": wb.data, "DATAOPS_OUT": wb.out}
    return execute.environment(wb.definitions, **{name: str(path.resolve()) for name, path in places.items()})


def _places(wb: Workbench) -> dict[str, Path]:
    return {"data": wb.data, "out": wb.out, "notebooks": wb.notebooks, "workbench": wb.root, "~": Path.home()}


def _sweep(private: Path) -> None:
    with suppress(OSError):
        private.rmdir()


def _id() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{chance.token_hex(3)}"


@contextmanager
def _output(out: Path) -> Iterator[None]:
    """The output folder, made where it is missing, held by this process alone."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "runs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise PublishError(f"the output folder {out.name}/ cannot be written: {error.strerror or error}") from error
    with lock.held(out / "runs"):
        yield


@contextmanager
def _interruptible() -> Iterator[None]:
    """TERM and HUP end the refresh in order, as Ctrl-C does: children are ended and the ledger is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: Any) -> None:
        raise SystemExit(128 + number)

    names = [signal.SIGTERM] if sys.platform == "win32" else [signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.signal(number, leave) for number in names}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
