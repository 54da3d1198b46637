"""Which reports of a plan are due: those that were never published for their period, and those that have changed since."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataops_nb.refresh import ingredients, ledger
from dataops_nb.refresh.ingredients import Larder, Made
from dataops_nb.refresh.plan import Planned

Row = Mapping[str, Any]
WITNESS = "index.html"
ENDED = {"failed": "failed", "timed_out": "ran out of time", "killed": "was killed"}


@dataclass(frozen=True, eq=False)
class Decided:
    """A planned report with `due` and `why` as they are now, what it is made of, and the row that made its pages."""

    planned: Planned
    made: Made
    before: Row | None = None

    @property
    def key(self) -> str:
        """What is claimed in the ledger before it runs: all it is made of, in place of what stands there now."""
        return ingredients.claim_key(self.planned, {**self.made, "before": (self.before or {}).get("id")})


@dataclass(frozen=True)
class Past:
    """What the ledger knows of each (report, period): the row that made its pages, and its last attempt if that failed."""

    good: Mapping[tuple[str, str], Row]
    failed: Mapping[tuple[str, str], Row]

    def last(self, report: str) -> str:
        """The latest as-of for which a report was published."""
        return max((row["as_of"] for key, row in self.good.items() if key[0] == report), default="")


def past(book: sqlite3.Connection | None, whatif: str = "") -> Past:
    """The past of all reports, or of all of one what-if; an empty one where there is no ledger yet."""
    if book is None:
        return Past({}, {})
    return Past(ledger.in_place(book, whatif), ledger.last_failed(book, whatif))


def decide(
    planned: Iterable[Planned],
    larder: Larder,
    known: Past,
    place: Path,
    *,
    force: bool = False,
    files: Collection[str] = (WITNESS,),
) -> list[Decided]:
    """Every planned report with whether it would run now, and why; `place` is the folder that the reports stand in.

    With `force` all would; so does one that lacks a file of `files`.
    """
    decided = [_decided(one, larder, known) for one in planned]
    return [_asked(one, place, files, force=force) if one.before else one for one in decided]


def _decided(one: Planned, larder: Larder, known: Past) -> Decided:
    day = one.as_of or dt.date.min
    before = known.good.get(one.key)
    if before is None:
        why = f"{one.period} is complete and not published yet{_failure(known.failed.get(one.key))}"
        return Decided(replace(one, due=True, why=why), larder.made_of(one, day, None))
    was = json.loads(before["made_of"] or "{}")
    now = larder.again(one, day, was)
    why = "; ".join(ingredients.changes(was, now, one.notebook))
    return Decided(replace(one, due=bool(why), why=why), now, before)


def _asked(one: Decided, place: Path, files: Collection[str], *, force: bool) -> Decided:
    """A report that was published before, due also where a file of it is missing, or where it is asked for."""
    planned, why = one.planned, one.planned.why
    missing = [name for name in files if not (place / planned.report / planned.period / name).exists()]
    if missing:
        why = "its pages are missing" if WITNESS in missing else f"{', '.join(missing)} is missing"
    if force:
        why = "asked for with --force"
    published = f"{planned.period} was published as of {(one.before or {})['as_of']}"
    said = f"{published}; {why}" if why else f"{published}, and nothing has changed since"
    return replace(one, planned=replace(planned, due=bool(why), why=said))


def _failure(row: Row | None) -> str:
    return f"; it {ENDED.get(row['state'], row['state'])} as of {row['as_of']}" if row else ""


def missed(decided: Iterable[Decided], known: Past) -> list[Decided]:
    """The same, due only where the latest complete period was never published: for schedulers, which may ask often.

    The period is the key, so neither a second call, nor an hour that comes twice or never, nor a clock that was set back
    makes a report run again. Of several missed periods only the latest counts (`backfill` makes the others). What failed
    is not repeated until something that it is made of has changed; what was killed is.
    """
    return [_missed(one, known) for one in decided]


def _missed(one: Decided, known: Past) -> Decided:
    planned, failed = one.planned, known.failed.get(one.planned.key)
    later = known.last(planned.report)
    if one.before is not None:
        why = f"{planned.period} was published as of {one.before['as_of']}"
    elif planned.as_of and later > planned.as_of.isoformat():
        why = f"a later period was published as of {later}; is the clock right?"
    elif failed and failed["state"] != "killed" and not _changed(failed, one):
        why = f"it {ENDED[failed['state']]} as of {failed['as_of']}, and nothing has changed since"
    else:
        return one
    return replace(one, planned=replace(planned, due=False, why=why))


def _changed(failed: Row, one: Decided) -> bool:
    return bool(ingredients.changes(json.loads(failed["made_of"] or "{}"), one.made, one.planned.notebook))
