"""Decide which planned reports are due, from the ledger and from what `inputs` says has changed."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataops_nb.reports import ledger
from dataops_nb.reports.inputs import Ingredients, Inputs, changes, claim_key
from dataops_nb.reports.plan import Planned

Row = Mapping[str, Any]
WITNESS = "index.html"


@dataclass(frozen=True, eq=False)
class Due:
    """A planned report whose `due` and `why` are as of now.

    `ingredients` is what it is made of, `before` the ledger's row of the run that made its pages.
    """

    planned: Planned
    ingredients: Ingredients
    before: Row | None = None

    @property
    def key(self) -> str:
        """What is claimed in the ledger before it runs.

        It stands for all the report is made of, in place of what stands there now.
        """
        before = (self.before or {}).get("id")
        return claim_key(self.planned, {**self.ingredients, "before": before})


@dataclass(frozen=True)
class LastRuns:
    """What the ledger knows of each (report, period).

    `good` has the row of the run that made its pages, `failed` its last attempt where that failed.
    """

    good: Mapping[tuple[str, str], Row]
    failed: Mapping[tuple[str, str], Row]

    def last_day(self, report: str) -> str:
        """Return the latest as-of for which a report was published; empty where it never was."""
        days = [row["as_of"] for (name, _), row in self.good.items() if name == report]
        return max(days, default="")


def last_runs(book: sqlite3.Connection | None, whatif: str = "") -> LastRuns:
    """Return the last runs of all reports, or of those of one what-if.

    There are none where there is no ledger yet.
    """
    if book is None:
        return LastRuns({}, {})
    return LastRuns(ledger.in_place(book, whatif), ledger.last_failed(book, whatif))


def decide(
    planned: Iterable[Planned],
    inputs: Inputs,
    known: LastRuns,
    place: Path,
    *,
    force: bool = False,
    files: Collection[str] = (WITNESS,),
) -> list[Due]:
    """Say of every planned report whether it would run now, and why.

    `place` is the folder the reports stand in. A report that lacks one of `files` is due; with
    `force` all are.
    """
    decided = []
    for report in planned:
        one = _decide(report, inputs, known)
        if one.before is not None:
            one = _look_at_pages(one, place, files, force=force)
        decided.append(one)
    return decided


def _decide(planned: Planned, inputs: Inputs, known: LastRuns) -> Due:
    day = planned.as_of or dt.date.min
    before = known.good.get(planned.key)
    if before is None:
        failure = _failure(known.failed.get(planned.key))
        why = f"{planned.period} has ended and is not published{failure}"
        return Due(replace(planned, due=True, why=why), inputs.of(planned, day, None))
    then = json.loads(before["made_of"] or "{}")
    now = inputs.again(planned, day, then)
    why = "; ".join(changes(then, now, planned.notebook))
    return Due(replace(planned, due=bool(why), why=why), now, before)


def _look_at_pages(one: Due, place: Path, files: Collection[str], *, force: bool) -> Due:
    """Have a published report due also where a file of it is missing, or where it is asked for."""
    planned = one.planned
    folder = place / planned.report / planned.period
    missing = [name for name in files if not (folder / name).exists()]
    why = planned.why
    if WITNESS in missing:
        why = "pages missing"
    elif missing:
        why = f"{', '.join(missing)} is missing"
    if force:
        why = "forced"
    published = f"{planned.period}, published {(one.before or {})['as_of']}"
    explained = f"{published}: {why}" if why else f"up to date ({published})"
    return replace(one, planned=replace(planned, due=bool(why), why=explained))


def _failure(row: Row | None) -> str:
    if row is None:
        return ""
    return f"; it {ledger.ENDS[row['state']].words} as of {row['as_of']}"


def missed(decided: Iterable[Due], known: LastRuns) -> list[Due]:
    """Leave only reports due whose latest complete period was never published.

    For schedulers, which may ask often. The period is the key, so neither a second call, nor an
    hour that comes twice or never, nor a clock that was set back makes a report run again. Of
    several missed periods only the latest counts (`backfill` makes the others). What failed is not
    repeated until something that it is made of has changed; what was killed is.
    """
    return [_leave_missed(one, known) for one in decided]


def _leave_missed(one: Due, known: LastRuns) -> Due:
    planned, failed = one.planned, known.failed.get(one.planned.key)
    later = known.last_day(planned.report)
    if one.before is not None:
        why = f"up to date ({planned.period}, published {one.before['as_of']})"
    elif planned.as_of and later > planned.as_of.isoformat():
        why = f"a later period was published on {later}; is the clock right?"
    elif failed and not ledger.ENDS[failed["state"]].again and not _has_changed(failed, one):
        ended = ledger.ENDS[failed["state"]].words
        why = f"it {ended} as of {failed['as_of']}, and nothing has changed since"
    else:
        return one
    return replace(one, planned=replace(planned, due=False, why=why))


def _has_changed(failed: Row, one: Due) -> bool:
    then = json.loads(failed["made_of"] or "{}")
    return bool(changes(then, one.ingredients, one.planned.notebook))
