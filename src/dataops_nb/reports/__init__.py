"""Refresh: execute the due notebooks and publish their pages, safely.

The plan names the reports. Each one that has changed is claimed and entered in the ledger, executed
in a private folder and a process of its own, judged, built into pages and published in one step;
then the ledger says how it ended. A failed report never stops the others, and never replaces the
last good pages.

Here is what the steps of one refresh share, and how reports end. `run` starts a refresh,
`publication` works through its reports. Nothing slow is imported before a report is due.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_nb import __version__, plain
from dataops_nb.errors import PublishError
from dataops_nb.reports import plan
from dataops_nb.reports.inputs import Inputs
from dataops_nb.reports.ledger import State
from dataops_nb.reports.plan import Planned
from dataops_nb.reports.progress import silent
from dataops_nb.reports.resources import TIMEOUT, Engine, Limits, Warm
from dataops_nb.workbench import Workbench

LOCAL = "local"
PAGES = ("index.html", "manager.html", "analyst.html")


@dataclass(frozen=True)
class Result:
    """How one report ended; `pages` are the files that were published, `error` is one line."""

    report: str
    period: str
    state: State
    light: str | None
    seconds: float
    pages: list[str] = field(default_factory=list)
    error: str | None = None
    code: int = 0
    suite: str = ""

    @classmethod
    def skipped(
        cls,
        planned: Planned,
        why: str,
        place: Path | None = None,
        row: Mapping[str, Any] | None = None,
    ) -> Result:
        """Describe a report that is left as it is.

        Its pages and its light are those of the `row` of the ledger that made it.
        """
        shown: dict[str, Any] = {}
        pages: list[str] = []
        if row:
            shown = json.loads(row["shown"] or "{}")
        if row and place:
            folder = place.resolve() / planned.report / planned.period
            pages = sorted(map(str, folder.glob("*.html")), key=_page_order)
        return cls(
            report=planned.report,
            period=planned.period,
            state="skipped",
            light=shown.get("light"),
            seconds=0.0,
            pages=pages,
            error=why,
            suite=planned.suite,
        )


def _page_order(path: str) -> tuple[int, str]:
    """Sort the executive page first, then the manager's, the analyst's and any other."""
    name = Path(path).name
    place = PAGES.index(name) if name in PAGES else len(PAGES)
    return place, path


@dataclass(frozen=True)
class RefreshResult:
    """How a refresh ended: its id, its as-of, and each report in the order of the plan.

    `undelivered` has one line for each notice that could not be delivered.
    """

    run: str
    as_of: dt.date
    reports: list[Result]
    undelivered: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Return 0 where every report is published or unchanged, else the highest of their codes.

        7 where that is all well and a mail or message could not be delivered.
        """
        code = max((result.code for result in self.reports), default=0)
        if code == 0 and self.undelivered:
            return PublishError.exit_code
        return code


@dataclass(frozen=True)
class Execution:
    """How reports are executed: how many at a time, for how long, where, on which engine.

    `jobs` None is one for each processor. `timeout` is in seconds, `limits` are the others of one
    report. `executor` is `local` or dask://HOST:PORT. `begun` is called with each report that
    starts; `warm` are the processes kept for all of them.
    """

    jobs: int | None = None
    timeout: float = TIMEOUT
    executor: str = LOCAL
    engine: Engine = "forked"
    limits: Limits | None = None
    begun: Callable[[str], None] = silent
    warm: Warm = field(default_factory=Warm)


@dataclass(frozen=True)
class Refresh:
    """What the steps of one refresh share.

    `many` says that it makes more than one period of a report, `to` which formats it publishes.
    """

    wb: Workbench
    run: str
    as_of: dt.date
    book: sqlite3.Connection
    inputs: Inputs
    shard: str = ""
    force: bool = False
    many: bool = False
    to: tuple[str, ...] = ("html",)

    @property
    def private(self) -> Path:
        """The folder of unfinished files."""
        return self.wb.out / "runs" / self.run

    @property
    def place(self) -> Path:
        """The folder that the reports stand in; a what-if has one of its own."""
        return place_of(self.wb)

    @property
    def front_key(self) -> str:
        """The name under which the ledger keeps what the front page was made from."""
        return f"front:{self.wb.whatif}"


def place_of(wb: Workbench) -> Path:
    """Return the folder that a workbench's reports stand in; a what-if has one of its own."""
    return wb.out / "whatif" / wb.whatif if wb.whatif else wb.out


def write_front(refresh: Refresh) -> None:
    """Write the front page and the pointer files; PublishError where they cannot be written."""
    # both are slow to import
    from dataops_nb.reports import front  # noqa: PLC0415
    from dataops_nb.workbench import whatifs  # noqa: PLC0415

    definitions = refresh.wb.definitions
    reports = plan.ids(definitions)
    page = front.Front(
        definitions,
        refresh.run,
        refresh.as_of,
        reports,
        refresh.wb.whatif,
        tuple(whatifs.words(refresh.wb, refresh.as_of)),
    )
    front.write_front(refresh.place, refresh.private, refresh.book, page)
    row = (refresh.front_key, _front_digest(refresh), refresh.run)
    refresh.book.execute("insert or replace into notices (key, said, at) values (?, ?, ?)", row)


def is_front_behind(refresh: Refresh) -> bool:
    """Tell whether the front page is missing, or is not made from what the ledger says now."""
    for name in ("index.html", "latest.json"):
        if not (refresh.place / name).exists():
            return True
    query = "select said from notices where key = ?"
    row = refresh.book.execute(query, (refresh.front_key,)).fetchone()
    return row is None or bool(row["said"] != _front_digest(refresh))


def _front_digest(refresh: Refresh) -> str:
    """Hash what the front page follows from: company, reports, the last run, our version."""
    definitions = refresh.wb.definitions
    query = "select max(id), max(finished) from runs where state != 'skipped'"
    last = refresh.book.execute(query).fetchone()
    company = definitions.company.company
    return plain.digest([company, plan.ids(definitions), list(last), __version__])
