"""Put in order what an earlier run left, and prune what is old.

A run that was cut short leaves reports that still run in the ledger, pages half exchanged, notes
that are not in the history, and temporary files.

Pruning removes old periods, run folders and ledger rows, but never the latest good report. What was
published is still remembered in `history/`, so that a later report can compare with it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_nb.errors import PublishError, UsageError
from dataops_nb.reports import ledger, redaction, site
from dataops_nb.workbench import Workbench

# staged pages, half-written files, sockets and connection files of kernels
TEMPORARY = ("*.new", "*/*.new", "*/*/*.new", "*/*/publish", "*/*/k-*", "*/*/kernel-*.json")
NOTES = "*/*/remember.json"  # see `journal`
Place = tuple[str, str, str]  # what-if, report, period


def tidy(
    book: sqlite3.Connection, out: Path, shard: str = "", secrets: Iterable[str] = ()
) -> list[str]:
    """Put in order what earlier runs left, and return the reports that were killed.

    Ends their rows in the ledger, frees what they had claimed, repairs the pages, remembers what
    was published, removes temporary files and blanks `secrets` out of the rest. A shard leaves
    files alone.
    """
    runs = out / "runs"
    killed = ledger.reconcile(book, shard)
    ledger.free(book, runs, shard)
    if shard:
        return killed
    if killed:
        redaction.clean_folder(runs, secrets)
    site.repair(runs)
    if next(runs.glob(NOTES), None):
        from dataops_nb.reports import journal  # noqa: PLC0415  slow to import, and needed rarely

        journal.recover(out)
    sweep(runs)
    return killed


def sweep(runs: Path) -> None:
    """Remove temporary files and empty folders that a run which was cut short has left."""
    for pattern in TEMPORARY:
        for path in runs.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    for run in runs.iterdir():
        if run.is_dir():
            with suppress(OSError):
                run.rmdir()


@dataclass(frozen=True)
class Pruned:
    """What was removed: the folders of periods, those of runs, and a number of ledger rows."""

    pages: list[str]
    runs: list[str]
    rows: int


def prune(wb: Workbench, keep: int) -> Pruned:
    """Keep the newest `keep` periods of every report and the evidence of the newest `keep` runs.

    What is older is removed. UsageError where `keep` is less than 1, LockedError where a refresh
    holds the output.
    """
    if keep < 1:
        raise UsageError(f"keep at least 1, not {keep}: the latest good report is never removed")
    path = wb.out / "ledger.sqlite"
    if not path.exists():
        return Pruned([], [], 0)
    with ledger.held(wb.out / "runs"), ledger.opened(path) as book:
        tidy(book, wb.out)
        old = _old_places(book, keep)
        pages = []
        for place in old:
            removed = _remove(wb.out, place)
            if removed:
                pages.append(removed)
        runs = _remove_runs(wb.out / "runs", keep)
        rows = _remove_rows(book, old, keep)
        _update_archives(wb, book, old)
        return Pruned(pages, runs, rows)


def _old_places(book: sqlite3.Connection, keep: int) -> list[Place]:
    """Return what was published and is not among the newest `keep` of its report, by as-of."""
    rows = book.execute(
        "select whatif, report, period, row_number() over"
        " (partition by whatif, report order by as_of desc, id desc) as place"
        " from runs where id in"
        " (select max(id) from runs where state = 'ok' group by whatif, report, period)"
    )
    return [(row["whatif"], row["report"], row["period"]) for row in rows if row["place"] > keep]


def _remove(out: Path, place: Place) -> str:
    """Remove a period's pages in one step; return where they stood, empty if they did not."""
    whatif, report, period = place
    folder = _root(out, whatif) / report / period
    if not folder.is_dir():
        return ""
    aside = out / "runs" / f"pruned-{os.getpid()}"
    try:
        os.rename(folder, aside)
    except OSError as error:
        raise PublishError(
            f"{report}/{period} could not be removed: {error.strerror or error}"
        ) from error
    shutil.rmtree(aside, ignore_errors=True)
    return folder.relative_to(out).as_posix()


def _root(out: Path, whatif: str) -> Path:
    return out / "whatif" / whatif if whatif else out


def _remove_runs(runs: Path, keep: int) -> list[str]:
    """Remove the folders of all runs but the newest; their names start with the time."""
    names = sorted(path.name for path in runs.iterdir() if path.is_dir())
    old = names[:-keep]
    for name in old:
        shutil.rmtree(runs / name, ignore_errors=True)
    return old


def _remove_rows(book: sqlite3.Connection, old: Iterable[Place], keep: int) -> int:
    """Remove the rows of old periods, and return how many went.

    Of the rows that ended in no pages, each report keeps the newest of each state; of those that
    did, only the ones that made the pages which stand now.
    """
    before = _count(book)
    with ledger.together(book):
        book.executemany(
            "delete from runs"
            " where whatif = ? and report = ? and period = ? and state != 'running'",
            old,
        )
        book.execute(
            "delete from runs where id in (select id from (select id, row_number() over"
            " (partition by whatif, report, state order by id desc) as place from runs"
            " where state not in ('ok', 'running')) where place > ?)",
            (keep,),
        )
        book.execute(
            "delete from runs where state = 'ok' and id not in"
            " (select max(id) from runs where state = 'ok' group by whatif, report, period)"
        )
        book.execute("delete from claims where run not in (select run from runs)")
    return before - _count(book)


def _count(book: sqlite3.Connection) -> int:
    row: Any = book.execute("select count(*) from runs").fetchone()
    return int(row[0])


def _update_archives(wb: Workbench, book: sqlite3.Connection, removed: Iterable[Place]) -> None:
    """Write the archive pages again, without what was removed."""
    # slow to import, and a refresh only tidies
    from dataops_nb.reports import archives  # noqa: PLC0415
    from dataops_nb.reports.pages import WhatIf  # noqa: PLC0415

    reports_by_whatif: dict[str, list[str]] = {}
    for whatif, report, _ in removed:
        reports_by_whatif.setdefault(whatif, []).append(report)
    company = wb.definitions.company.company
    for whatif, reports in reports_by_whatif.items():
        archives.write_archives(
            _root(wb.out, whatif),
            wb.out / "runs",
            book,
            reports,
            company=company,
            whatif=WhatIf(whatif) if whatif else None,
        )
