"""From due reports to published ones: executed, judged, built into pages, put in place in one step, entered in the ledger.

Imported only where a report runs: what executes notebooks and builds pages takes a second to import.
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
from dataops_nb.errors import DataopsError, KilledError, PublishError, UsageError, first_line
from dataops_nb.publish import facts, folder, formats, page, redaction
from dataops_nb.refresh import execute, front, ledger, lock, memory, warmth
from dataops_nb.refresh.due import Decided
from dataops_nb.refresh.plan import Planned
from dataops_nb.refresh.results import LOCAL, How, Refresh, Result, show_front
from dataops_nb.refresh.surroundings import environment, secrets
from dataops_nb.workbench import Workbench

Started = Callable[[execute.Job], None]


@dataclass
class Pace:
    """How often something is done that costs more the more reports there are: a tenth of the time at most."""

    share: float = 0.1
    _next: float = 0.0

    def now_and_then(self, work: Callable[[], None]) -> None:
        """Do it, unless it was done too short a while ago."""
        began = time.monotonic()
        if began >= self._next:
            work()
            ended = time.monotonic()
            self._next = ended + (ended - began) / self.share


def publish(refresh: Refresh, due: Sequence[Decided], how: How) -> Iterator[Result]:
    """Run reports and publish those that come to a good end; each result as it is there.

    A report that another process has claimed meanwhile is skipped. UsageError, before anything runs, for a notebook that
    cannot be executed.
    """
    _check_notebooks(refresh.wb, due)
    work: dict[execute.Job, Decided] = {}
    for one in due:
        if ledger.claim(refresh.book, one.key, refresh.run) or refresh.force:
            work[_job(refresh, one)] = one
        else:
            ledger.skip(refresh.book, refresh.run, one.planned, one.planned.as_of or refresh.as_of, shard=refresh.shard)
            yield Result.skipped(one.planned, "another refresh has claimed it")
    yield from _worked(refresh, work, how)


def _worked(refresh: Refresh, work: Mapping[execute.Job, Decided], how: How) -> Iterator[Result]:
    rows: dict[Decided, int] = {}
    began: dict[Decided, float] = {}
    ended_ = set[Decided]()
    front_page = Pace()

    def started(job: execute.Job) -> None:
        one = work[job]
        day = one.planned.as_of or refresh.as_of
        rows[one] = ledger.start(refresh.book, refresh.run, one.planned, day, made_of=one.made, shard=refresh.shard)
        began[one] = time.monotonic()
        how.begun(one.planned.report)

    try:
        with closing(_executed(work, how, started)) as all_ended:
            for ended in all_ended:
                one = work[ended.job]
                with lock.publishing(refresh.wb.out / "runs"):
                    result = _concluded(refresh, one, ended, rows[one])
                    ended_.add(one)
                    with suppress(PublishError):
                        front_page.now_and_then(lambda: show_front(refresh))
                yield result
    finally:
        ledger.release(refresh.book, [one.key for one in work.values() if one not in ended_])
        for one in rows.keys() - ended_:
            seconds, error = time.monotonic() - began[one], "the refresh was interrupted"
            ledger.finish(refresh.book, rows[one], "killed", seconds=seconds, code=KilledError.exit_code, error=error)


def _executed(work: Iterable[execute.Job], how: How, started: Started) -> Generator[execute.Ended, None, None]:
    """The jobs as they end, executed here or on a cluster."""
    asked: dict[str, Any] = {"timeout": how.timeout, "started": started, "engine": how.engine, "limits": how.limits}
    if how.executor == LOCAL:
        return execute.run(work, at_a_time=how.jobs or os.cpu_count() or 1, **asked)
    from dataops_nb.refresh import cluster  # noqa: PLC0415  the executor of an extra

    return cluster.run(work, at_a_time=how.jobs, scheduler=how.executor, **asked)


def _check_notebooks(wb: Workbench, due: Sequence[Decided]) -> None:
    for name in dict.fromkeys(one.planned.notebook for one in due):
        try:
            text = (wb.notebooks / name).read_text(encoding="utf-8")
            nbformat.validate(nbformat.reads(text, as_version=4))  # type: ignore[no-untyped-call]
        except (OSError, ValueError, nbformat.ValidationError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(f"{name} is not a readable notebook: {reason}") from error


def _job(refresh: Refresh, one: Decided) -> execute.Job:
    planned = one.planned
    said = (
        f"{planned.report}.{planned.suite}"
        if not refresh.many
        else f"{planned.report}.{planned.suite}.{planned.period}"
    )
    private = (refresh.private / said).resolve()
    surroundings = _environment(refresh.wb, planned)
    return execute.Job(refresh.wb.notebooks.resolve() / planned.notebook, planned.parameters, private, surroundings)


def _concluded(refresh: Refresh, one: Decided, ended: execute.Ended, row: int) -> Result:
    """Publish what came to a good end, and enter in the ledger how the report ended."""
    planned = one.planned
    said: dict[str, Any] = {}
    state, code, error, pages = ended.state, ended.code, ended.error, list[str]()
    if ended.notebook is not None:
        try:
            pages, said = _published(refresh, one, ended.job, ended.notebook)
        except DataopsError as failure:
            state, code, error = "failed", failure.exit_code, str(failure)
        except Exception as failure:  # one page that cannot be built never stops the other reports
            state, code, error = "failed", 1, first_line(type(failure).__name__, str(failure))
            ended.job.note(failure)
    error = _redacted(refresh.wb, planned, error) if error else None
    ledger.finish(refresh.book, row, state, seconds=ended.seconds, code=code, error=error, **said)
    if state == "ok":
        shutil.rmtree(ended.job.folder, ignore_errors=True)
    else:
        ledger.release(refresh.book, [one.key])
        redaction.clean_folder(ended.job.folder, _secrets(refresh.wb, planned))
    light = said["shown"]["light"] if said else None
    return Result(
        planned.report, planned.period, state, light, round(ended.seconds, 3), pages, error, code, planned.suite
    )


def _published(
    refresh: Refresh, one: Decided, job: execute.Job, executed: NotebookNode
) -> tuple[list[str], dict[str, Any]]:
    """Put the pages in place; their paths, and what the ledger keeps of them."""
    planned = one.planned
    notebook = redaction.without_paths(executed, {**_places(refresh.wb), "private": job.folder})
    payload = facts.of(notebook)
    meta = page.Meta(planned.report, __version__, planned.parameters, whatif=planned.whatif)
    files = (warmth.DRAWN[0] if warmth.DRAWN else page).files(notebook, meta)
    files |= formats.files(refresh.to, notebook, planned.report, files)
    redaction.refuse_secrets(files, _secrets(refresh.wb, planned))
    target = refresh.place.resolve() / planned.report / planned.period
    if not planned.whatif:
        memory.intend(job.folder, planned.key, refresh.run, payload, files)
    folder.publish(files, target, job.folder)
    if not planned.whatif:
        memory.keep(refresh.wb.out, job.folder)
    pages = [str(target / name) for name in files if name.endswith(".html")]
    made = refresh.larder.made_of(planned, planned.as_of or refresh.as_of, payload.get("used"))
    content = facts.fingerprint(notebook, planned.parameters, payload, __version__)
    return pages, {"shown": front.summary(payload), "made_of": made, "content": content}


def _secrets(wb: Workbench, planned: Planned) -> list[str]:
    return secrets(wb.definitions, *planned.parameters.values())


def _redacted(wb: Workbench, planned: Planned, error: str) -> str:
    return redaction.text(redaction.without_secrets(error, _secrets(wb, planned)), _places(wb))


def _environment(wb: Workbench, planned: Planned) -> dict[str, str]:
    places = {"DATAOPS_WORKBENCH": wb.root, "DATAOPS_DATA": wb.data, "DATAOPS_OUT": wb.out}
    said = {name: str(path.resolve()) for name, path in places.items()}
    return environment(wb.definitions, *planned.parameters.values(), **said, DATAOPS_WHATIF=wb.whatif)


def _places(wb: Workbench) -> dict[str, Path]:
    return {"data": wb.data, "out": wb.out, "notebooks": wb.notebooks, "workbench": wb.root, "~": Path.home()}
