"""What the columns of days stand for: when a row began, ended or was paid, a plan, or an update.

Names say most. Values say the rest: a day ahead of everything that has happened is a plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from dataops_nb.profile.columns import Column, quote
from dataops_nb.profile.names import (
    BORN,
    CREATED,
    ENDED,
    GIVEN_UP,
    PAID,
    PLANNED,
    STARTED,
    STEPS,
    UPDATED,
    words,
)
from dataops_nb.sources.catalog import Catalog

# What a row's time may be, the best first.
RANKS = {
    "created": 6,
    "started": 5,
    "day": 4,
    "paid": 3,
    "won": 2,
    "ended": 2,
    "step": 1,
    "updated": 0,
}
MOSTLY = 0.95
FEW = 0.02
PERIODIC = frozenset(["current", "next", "trial"])


@dataclass(frozen=True)
class Moment:
    """A column of days: what it stands for, and how many of its values lie ahead.

    `role` is one of created, started, day, paid, won, ended, step, updated, planned, born.
    `ahead` counts the values after the last day on which something began.
    """

    name: str
    role: str
    values: int
    ahead: int = 0
    early: int = 0
    first: dt.date | None = None
    last: dt.date | None = None

    @property
    def given_up(self) -> bool:
        """Return whether it is named as the end of what was not wanted any more."""
        return not set(words(self.name)).isdisjoint(GIVEN_UP)


def role_of(name: str) -> str:
    """Return what a column of days stands for by its name."""
    own = set(words(name))
    role = "day"
    if own & BORN:
        role = "born"
    elif own & PLANNED or own & PERIODIC:
        role = "planned"
    elif own & UPDATED:
        role = "updated"
    elif "won" in own:
        role = "won"
    elif own & PAID:
        role = "paid"
    elif own & ENDED and not own & {"created", "create"}:
        role = "ended"
    elif own & STEPS:
        role = "step"
    elif own & CREATED:
        role = "created"
    elif own & STARTED:
        role = "started"
    return role


def choose_time(columns: Sequence[Column], rows: int, preferred: Sequence[str]) -> str | None:
    """Return the column that says when a row happened; None where none does."""
    able = []
    for column in columns:
        role = role_of(column.name)
        if column.time and role in RANKS and column.values * 2 >= max(1, rows):
            able.append(column)
    for name in preferred:
        for column in columns:
            if column.name.strip().casefold() == name.casefold() and column.time:
                return column.name
    if not able:
        return None

    def fitness(column: Column) -> tuple[bool, int, bool]:
        filled = column.values >= rows * MOSTLY
        return filled, RANKS[role_of(column.name)], column.values == rows

    return max(able, key=fitness).name


def look_at_times(
    catalog: Catalog, source: str, columns: Sequence[Column], time: str | None
) -> list[Moment]:
    """Return all columns of days, with what lies ahead of the last day of `time`."""
    dated = [column for column in columns if column.time]
    if not dated:
        return []
    selected = []
    for column in dated:
        value = f"cast({quote(column.name)} as date)"
        selected += [f"min({value})", f"max({value})"]
        ahead = early = "0"
        if time is not None and column.name != time:
            horizon = f"(select max(cast({quote(time)} as date)) from {quote(source)})"
            ahead = f"count(*) filter (where {value} > {horizon})"
            early = f"count(*) filter (where {value} < cast({quote(time)} as date))"
        selected += [ahead, early]
    (row,) = catalog.ask(f"select {', '.join(selected)} from {quote(source)}", source)
    moments = []
    for place, column in enumerate(dated):
        first, last, ahead, early = row[place * 4 : place * 4 + 4]
        moments.append(
            Moment(
                name=column.name,
                role=role_of(column.name),
                values=column.values,
                ahead=ahead,
                early=early,
                first=first,
                last=last,
            )
        )
    return moments


def choose_end(
    moments: Sequence[Moment], time: str | None, rows: int, *, recurring: bool
) -> Moment | None:
    """Return the column that says when a row ended; hardly ever before its time.

    What was only given up is an end of subscriptions, and of nothing else.
    """
    if time is None:
        return None
    able = []
    for moment in moments:
        late = moment.early <= moment.values * FEW
        meant = recurring or not moment.given_up
        ends = moment.role in ("ended", "won") and moment.values > 0
        if ends and late and meant and moment.name != time:
            able.append(moment)
    if not able:
        return None

    def fitness(moment: Moment) -> tuple[bool, bool, bool, int]:
        settled = moment.ahead == 0
        planned = moment.values >= rows and moment.ahead > 0
        return settled, not moment.given_up, not planned, moment.values

    return max(able, key=fitness)
