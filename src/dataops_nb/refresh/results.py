"""How reports end, and what the steps of one refresh share."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_nb import __version__
from dataops_nb.errors import PublishError
from dataops_nb.refresh import plan
from dataops_nb.refresh.ingredients import Larder, digest
from dataops_nb.refresh.plan import Planned
from dataops_nb.refresh.progress import silent
from dataops_nb.refresh.warmth import Engine
from dataops_nb.refresh.watch import Limits
from dataops_nb.workbench import Workbench

TIMEOUT = 900.0
LOCAL = "local"


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
    suite: str = ""

    @classmethod
    def skipped(
        cls, planned: Planned, why: str, place: Path | None = None, row: Mapping[str, Any] | None = None
    ) -> Result:
        """A report that is left as it is; the pages and the light of the `row` that made it."""
        shown = json.loads(row["shown"] or "{}") if row else {}
        folder = place.resolve() / planned.report / planned.period if place and row else None
        pages = sorted(map(str, folder.glob("*.html")), key=_first_index) if folder else []
        return cls(planned.report, planned.period, "skipped", shown.get("light"), 0.0, pages, why, suite=planned.suite)


@dataclass(frozen=True)
class Outcome:
    """How a refresh ended: its id, its as-of, each report in the order of the plan, and what could not be delivered."""

    run: str
    as_of: dt.date
    reports: list[Result]
    undelivered: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 where every report is published or unchanged, else the highest code of those that are not.

        7 where that is all well and a mail or message could not be delivered.
        """
        code = max((result.code for result in self.reports), default=0)
        return code or (PublishError.exit_code if self.undelivered else 0)


@dataclass(frozen=True)
class How:
    """How reports are executed: how many at a time, for how long, here or on which cluster, on which engine.

    `limits` are those of one report beside its `timeout` in seconds; `begun` is told of each that starts.
    """

    jobs: int | None = None
    timeout: float = TIMEOUT
    executor: str = LOCAL
    engine: Engine = "forked"
    limits: Limits | None = None
    begun: Callable[[str], None] = silent


@dataclass(frozen=True)
class Refresh:
    """What the steps of one refresh share; `many` where it makes more than one period of a report, `to` its formats."""

    wb: Workbench
    run: str
    as_of: dt.date
    book: sqlite3.Connection
    larder: Larder
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
        """The folder that the reports stand in: that of a what-if never is that of the real ones."""
        return place_of(self.wb)


def place_of(wb: Workbench) -> Path:
    """The folder that a workbench's reports stand in; see `Refresh.place`."""
    return wb.out / "whatif" / wb.whatif if wb.whatif else wb.out


def show_front(refresh: Refresh) -> None:
    """Write the front page and the pointer files anew; PublishError where they cannot be written."""
    from dataops_nb.refresh import front  # noqa: PLC0415  what builds pages; not needed where nothing has changed

    known = refresh.wb.definitions
    shown = front.Front(known, refresh.run, refresh.as_of, plan.ids(known), refresh.wb.whatif)
    front.write(refresh.place, refresh.private, refresh.book, shown)
    row = (f"front:{refresh.wb.whatif}", _shown(refresh), refresh.run)
    refresh.book.execute("insert or replace into notices (key, said, at) values (?, ?, ?)", row)


def is_behind(refresh: Refresh) -> bool:
    """Whether the front page says less than the ledger, or is about other reports than the definitions name."""
    row = refresh.book.execute("select said from notices where key = ?", (f"front:{refresh.wb.whatif}",)).fetchone()
    there = all((refresh.place / name).exists() for name in ("index.html", "latest.json"))
    return not there or row is None or bool(row["said"] != _shown(refresh))


def _shown(refresh: Refresh) -> str:
    """What the front page follows from."""
    known = refresh.wb.definitions
    last = refresh.book.execute("select max(id), max(finished) from runs where state != 'skipped'").fetchone()
    return digest([known.company.company, plan.ids(known), list(last), __version__])


def _first_index(path: str) -> tuple[int, str]:
    order = ("index.html", "manager.html", "analyst.html")
    name = Path(path).name
    return (order.index(name) if name in order else len(order), path)
