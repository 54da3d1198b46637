"""One refresh, from the plan to the front page."""

from __future__ import annotations

import datetime as dt
import secrets as chance
import signal
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from dataops_nb import workbench
from dataops_nb.errors import PublishError, UsageError
from dataops_nb.publish import kinds, paper
from dataops_nb.refresh import audience, due, housekeeping, ingredients, ledger, lock, plan, shards, warmth
from dataops_nb.refresh.due import Decided
from dataops_nb.refresh.ingredients import Larder
from dataops_nb.refresh.plan import Planned
from dataops_nb.refresh.progress import Progress, begins, choose, close
from dataops_nb.refresh.results import LOCAL, TIMEOUT, How, Outcome, Refresh, Result, is_behind, place_of, show_front
from dataops_nb.refresh.surroundings import secrets
from dataops_nb.refresh.warmth import Engine
from dataops_nb.refresh.watch import Limits
from dataops_nb.workbench import Workbench

__all__ = ["TIMEOUT", "How", "Outcome", "Result", "opened", "planned", "run", "work"]


def planned(
    wb: Workbench,
    *,
    suite: str | None = None,
    reports: Collection[str] = (),
    as_of: dt.date | str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> list[Planned]:
    """What a refresh would make, which of it is due, and why; nothing is executed and nothing written."""
    todo = _plan(wb, suite, reports, workbench.as_of(wb, as_of), parameters)
    if not (wb.out / "ledger.sqlite").exists():
        return todo
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        larder = Larder(wb, ingredients.known_files(book))
        return [one.planned for one in due.decide(todo, larder, due.past(book, wb.whatif), place_of(wb))]


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
) -> Outcome:
    """Execute and publish the reports of a suite (default: of all) that have changed; the others are skipped.

    With `force` none is skipped; with `missed` all are but those whose latest complete period was never published.
    `shard` (2/4) takes one part of the reports, so that several refreshes can share them out; `executor` is local or
    dask://HOST:PORT; `to` are the formats that are published. `engine` is `forked`, or `kernel` for the stock one; `limits`
    are those of one report beside its `timeout`. Whoever reports.yaml names is told after. Raises before anything runs:
    UsageError and DefinitionsError for what is asked, LockedError where another refresh holds the output, PublishError
    where it cannot be written or nothing here can print the pdf that is asked for. After that every report ends in the outcome.
    """
    _check_jobs(jobs)
    if "pdf" in to:
        paper.browser()
    day = workbench.as_of(wb, as_of)
    todo = shards.pick(_plan(wb, suite, reports, day, parameters), shard)
    workbench.ensure_data(wb)
    with opened(wb, day, shard=shard, force=force, to=to) as refresh:
        known = due.past(refresh.book, wb.whatif)
        decided = due.decide(todo, refresh.larder, known, refresh.place, force=force, files=kinds.files(to))
        decided = due.missed(decided, known) if missed else decided
        show = progress or choose(len(todo))
        how = How(jobs, timeout, executor, engine, limits, begins(show))
        results = work(refresh, decided, how, show)
        outcome = Outcome(refresh.run, day, results)
        told = audience.wanted(wb, outcome, refresh.book)
    return _told(wb, outcome) if told else outcome


def _told(wb: Workbench, outcome: Outcome) -> Outcome:
    from dataops_nb.refresh import notice  # noqa: PLC0415  writes mails, and mostly there is nothing to tell

    return replace(outcome, undelivered=notice.tell(wb, outcome))


def work(refresh: Refresh, decided: Sequence[Decided], how: How, show: Progress) -> list[Result]:
    """Skip what is not due, run and publish the rest; the results in the order of the plan."""
    found: dict[tuple[str, str], Result] = {}
    wanted = [one for one in decided if one.planned.due]
    with ledger.together(refresh.book):
        for one in decided:
            if not one.planned.due:
                day = one.planned.as_of or refresh.as_of
                ledger.skip(refresh.book, refresh.run, one.planned, day, shard=refresh.shard)
                found[one.planned.key] = Result.skipped(one.planned, one.planned.why, refresh.place, one.before)
    for result in found.values():
        show(result)
    try:
        with warmth.kept(how.engine) if wanted and how.executor == LOCAL else nullcontext():
            for result in _worked(refresh, wanted, how):
                found[result.report, result.period] = result
                show(result)
    except KeyboardInterrupt:
        close(show)
        raise KeyboardInterrupt(f"{len(found)} of {len(decided)} reports had ended; what is published stays") from None
    return [found[one.planned.key] for one in decided]


def _worked(refresh: Refresh, wanted: Sequence[Decided], how: How) -> Iterator[Result]:
    if wanted:
        from dataops_nb.refresh import publication  # noqa: PLC0415  see there

        yield from publication.publish(refresh, wanted, how)


@contextmanager
def opened(wb: Workbench, day: dt.date, *, shard: str = "", **options: Any) -> Iterator[Refresh]:
    """A refresh that holds the output folder: put in order before, with its front page written after.

    `options` are those of `Refresh`.
    """
    with _output(wb.out, shard), _interruptible(), ledger.opened(wb.out / "ledger.sqlite") as book:
        housekeeping.tidy(book, wb.out, shard, secrets(wb.definitions))
        larder = Larder(wb, ingredients.known_files(book))
        refresh = Refresh(wb, _id(), day, book, larder, shard, **options)
        yield refresh
        _finish(refresh)


def _finish(refresh: Refresh) -> None:
    with ledger.together(refresh.book):
        ingredients.remember_files(refresh.book, refresh.larder.identities)
    if is_behind(refresh):
        with lock.publishing(refresh.wb.out / "runs"):
            show_front(refresh)
    with suppress(OSError):
        refresh.private.rmdir()


def _check_jobs(jobs: int | None) -> None:
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs is at least 1, not {jobs}")


def _plan(
    wb: Workbench, suite: str | None, only: Collection[str], day: dt.date, parameters: Mapping[str, Any] | None
) -> list[Planned]:
    return plan.reports(
        wb.definitions, wb.notebooks, suite=suite, only=only, as_of=day, parameters=parameters, whatif=wb.whatif
    )


def _id() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{chance.token_hex(3)}"


@contextmanager
def _output(out: Path, shard: str) -> Iterator[None]:
    """The output folder, made where it is missing, held by this process alone (or this shard's part of it)."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "runs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise PublishError(f"the output folder {out.name}/ cannot be written: {error.strerror or error}") from error
    with lock.held(out / "runs", shard=shard):
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
