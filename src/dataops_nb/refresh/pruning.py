"""Old periods, run folders and ledger rows are removed; the latest good report never is.

What was published is still remembered in `history/`: a later report compares with it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_nb.errors import PublishError, UsageError
from dataops_nb.refresh import archives, housekeeping, ledger, lock
from dataops_nb.workbench import Workbench

Place = tuple[str, str, str]


@dataclass(frozen=True)
class Pruned:
    """What was removed: the folders of periods, those of runs, and how many rows of the ledger."""

    pages: list[str]
    runs: list[str]
    rows: int


def prune(wb: Workbench, keep: int) -> Pruned:
    """Keep the newest `keep` periods of every report and the newest `keep` runs' evidence, and remove what is older.

    UsageError where `keep` is less than 1, LockedError where a refresh holds the output.
    """
    if keep < 1:
        raise UsageError(f"keep at least 1, not {keep}: the latest good report is never removed")
    path = wb.out / "ledger.sqlite"
    if not path.exists():
        return Pruned([], [], 0)
    with lock.held(wb.out / "runs"), ledger.opened(path) as book:
        housekeeping.tidy(book, wb.out)
        old = _old(book, keep)
        pages = [page for place in old if (page := _remove(wb.out, place))]
        runs = _old_runs(wb.out / "runs", keep)
        for run in runs:
            shutil.rmtree(wb.out / "runs" / run, ignore_errors=True)
        rows = _forget(book, old, keep)
        _show(wb, book, old)
        return Pruned(pages, runs, rows)


def _old(book: sqlite3.Connection, keep: int) -> list[Place]:
    """The (what-if, report, period) that were published and are not among the newest of their report, by as-of."""
    found = book.execute(
        "select whatif, report, period, row_number() over (partition by whatif, report order by as_of desc, id desc) as place"
        " from runs where id in (select max(id) from runs where state = 'ok' group by whatif, report, period)"
    )
    return [(row["whatif"], row["report"], row["period"]) for row in found if row["place"] > keep]


def _remove(out: Path, place: Place) -> str:
    """Take a period's pages away in one step; where they stood, or nothing where they did not."""
    whatif, report, period = place
    folder = (out / "whatif" / whatif if whatif else out) / report / period
    if not folder.is_dir():
        return ""
    aside = out / "runs" / f"pruned-{os.getpid()}"
    try:
        os.rename(folder, aside)
    except OSError as error:
        raise PublishError(f"{report}/{period} could not be removed: {error.strerror or error}") from error
    shutil.rmtree(aside, ignore_errors=True)
    return folder.relative_to(out).as_posix()


def _show(wb: Workbench, book: sqlite3.Connection, gone: Iterable[Place]) -> None:
    """The archive pages without what was removed."""
    reports: dict[str, list[str]] = {}
    for whatif, report, _ in gone:
        reports.setdefault(whatif, []).append(report)
    for whatif, named in reports.items():
        place = wb.out / "whatif" / whatif if whatif else wb.out
        company = wb.definitions.company.company
        archives.write(place, wb.out / "runs", book, named, company=company, whatif=whatif)


def _old_runs(runs: Path, keep: int) -> list[str]:
    """The folders of all runs but the newest: their names start with the time."""
    return sorted(path.name for path in runs.iterdir() if path.is_dir())[:-keep]


def _forget(book: sqlite3.Connection, old: Iterable[Place], keep: int) -> int:
    """Remove the rows of those periods, and of each report all but the newest that ended in no pages."""
    before = _count(book)
    with ledger.together(book):
        book.executemany("delete from runs where whatif = ? and report = ? and period = ? and state != 'running'", old)
        book.execute(
            "delete from runs where id in (select id from (select id, row_number() over"
            " (partition by whatif, report, state order by id desc) as place from runs"
            " where state not in ('ok', 'running')) where place > ?)",
            (keep,),
        )
        book.execute("delete from runs where state = 'ok' and id not in (select max(id) from runs where state = 'ok'"
                     " group by whatif, report, period)")  # fmt: skip
        book.execute("delete from claims where run not in (select run from runs)")
    return before - _count(book)


def _count(book: sqlite3.Connection) -> int:
    row: Any = book.execute("select count(*) from runs").fetchone()
    return int(row[0])
