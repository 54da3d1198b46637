"""Boards by chance: one metric or two of any unit, size, sign and direction, in a locale, and with values that were restated.

One seed gives one board. Whoever finds a board that breaks something says its seed.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from dataops_nb import alignment, board, status, story
from dataops_nb.company import Memory
from dataops_nb.display import Told

UNITS = (
    "",
    "deals",
    "USD",
    "EUR",
    "percent",
    "points",
    "point",
    "%",
    "hours",
    "days",
    "1,000 rows",
    "kg",
)
SIZES = (1e-6, 1e-3, 0.01, 1.0, 7.0, 100.0, 1e3, 1e5, 1e6, 4.9e6, 1e9, 1e12)
LOCALES = ("en_US", "en_US", "de_DE", "fr_FR", "en_IN", "de_CH")
LABELS = ("Won deals", "Sign-ups", "Revenue 2.0", "Red Line 7", "Churn, 30 days", "ARR > plan")
TOLD = (
    "headline", "action", "first", "lines", "moved", "movement", "explained", "restated", "changed", "luck", "paced", "now",
    "worth", "mind", "findings", "links", "reactions", "untold", "track", "agreements", "solving",
)  # fmt: skip
FIRST = dt.date(2024, 7, 1)


class Published(Memory):
    """What earlier reports said: other values of some periods, of which rows changed or went."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows

    def published(self) -> pd.DataFrame:
        return self.rows


@dataclass(frozen=True)
class Drawn:
    """A board by chance, and what it was made of."""

    seed: int
    this: board.Board
    unit: str
    locale: str

    def told(self) -> Iterator[tuple[str, Told]]:
        """Everything that story says of it."""
        for name in TOLD:
            yield name, getattr(story, name)(self.this)


def draw(seed: int) -> Drawn:
    """The board of a seed."""
    chance = random.Random(seed)
    unit, locale = chance.choice(UNITS), chance.choice(LOCALES)
    weeks = chance.choice([1, 2, 9, 30, 120])
    as_of = FIRST + dt.timedelta(weeks=weeks) - dt.timedelta(days=chance.choice([1, 3]))
    names = ["won", "lost"][: chance.choice([1, 2])]
    tables = [_table(chance, name, weeks, as_of) for name in names]
    judged = status.judge(alignment.combine(*tables), _agreements(chance, tables))
    this = board.of(
        judged,
        lead=names[0],
        labels=dict(zip(names, chance.sample(LABELS, len(names)), strict=True)),
        units=dict.fromkeys(names, unit),
        currency=unit if unit in {"USD", "EUR"} else "USD",
        as_of=as_of,
    )
    company = this.company.model_copy(update={"locale": locale})
    memory = Published(_restated(chance, this))
    return Drawn(seed, replace(this, rows=this.rows.under(company), memory=memory), unit, locale)


def _table(chance: random.Random, name: str, weeks: int, as_of: dt.date) -> pd.DataFrame:
    size, sign = chance.choice(SIZES), chance.choice([1, 1, 1, -1])
    noise, step = chance.choice([0.0, 0.05, 0.5]), chance.choice([0.0, 0.0, 1.5])
    values = []
    for week in range(weeks):
        level = size * (1 + (step if week > weeks / 2 else 0))
        values.append(
            sign * round(level * (1 + noise * chance.gauss(0, 1)), chance.choice([0, 2, 8]))
        )
    days = [FIRST + dt.timedelta(weeks=week) for week in range(weeks)]
    rows = pd.DataFrame({"day": pd.to_datetime(days), "v": values})
    return alignment.from_frame(
        rows,
        name,
        time="day",
        value="v",
        agg=chance.choice(["sum", "average"]),
        grain="week",
        as_of=as_of,
    )


def _agreements(chance: random.Random, tables: list[pd.DataFrame]) -> dict[str, status.Agreement]:
    agreed = {}
    for table in tables:
        last = table["value"].dropna()
        if len(last) and chance.random() < 0.8:
            target = float(last.iloc[-1]) * chance.choice([0.5, 0.9999, 1.0, 1.0001, 1.3])
            better = chance.choice(["up", "down"])
            agreed[table["metric"].iloc[0]] = status.Agreement(
                target=target, better=better, green=1.0, yellow=0.85
            )
    return agreed


def _restated(chance: random.Random, this: board.Board) -> pd.DataFrame:
    """What was published a week ago: some values were others, with as many rows, more or fewer."""
    then = this.table[this.table["complete"].astype(bool)]
    rows = then[["metric", "segment", "grain", "period", "value", "complete", "n"]].tail(6).copy()
    for label in rows.index:
        rows.loc[label, "value"] *= chance.choice([1.0, 1.000001, 0.5, 1.2, 2.0, 0.0, -1.0])
        rows.loc[label, "n"] += chance.choice([0, 0, 1, -1, 40, 1_000_000])
    day = pd.Timestamp(this.as_of) - pd.Timedelta(days=1)
    definition = chance.choice(["", "another"])
    return rows.assign(
        as_of=day.as_unit("s"), definition=definition, report="sales", run="r", published_at="now"
    )
