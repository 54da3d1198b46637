"""What a table's metrics are made with: definitions, free ids, and what is told of columns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from dataops_nb.profile.amounts import find_amounts, money_conditions, said_states
from dataops_nb.profile.names import (
    ACRONYMS,
    MANY_ACRONYMS,
    expression,
    noun_of,
    plural,
    singular,
    slug,
    words,
)
from dataops_nb.profile.tables import Table
from dataops_nb.profile.things import THINGS
from dataops_nb.profile.wide import FLAT
from dataops_nb.sources.catalog import Catalog

MOST_LISTED = 6
GENERAL = frozenset(["number"])  # of anything
GRAINS = {1: ["month", "quarter", "year"], 3: ["quarter", "year"], 12: ["year"]}
# How much a metric says about a company.
MONEY_WEIGHT = 100
RECURRING_WEIGHT = 98
LEAD_WEIGHT = 95
COUNT_WEIGHT = 80
WON_WEIGHT = 78
ENDED_WEIGHT = 75
RATE_WEIGHT = 72
TOTAL_WEIGHT = 70
REFUND_WEIGHT = 65
OPEN_WEIGHT = 60
NEW_PEOPLE_WEIGHT = 55
VALUE_RATIO_WEIGHT = 52
PEOPLE_WEIGHT = 45
DECIDED_WEIGHT = 40
SHARE_WEIGHT = 36
OTHER_MONEY_WEIGHT = 33
OTHER_WEIGHT = 30
SCALE_WEIGHT = 51
DURATION_WEIGHT = 42
AVERAGE_WEIGHT = 20


@dataclass(frozen=True)
class SuggestedMetric:
    """A metric as it goes into a department's file, with the reason for it.

    Metrics of more `weight`, then of more `rows`, become North Stars first. `parts` are the ids
    that a share is made of.
    """

    id: str
    definition: dict[str, Any]
    why: str
    weight: float = 0
    rows: int = 0
    source: str = ""
    parts: tuple[str, ...] = ()


@dataclass
class Proposals:
    """The metrics of a table, and what is told about its columns: pairs of a column and a text."""

    metrics: list[SuggestedMetric] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


class Maker:
    """One table while metrics are made of it; `made` holds those that are."""

    def __init__(self, catalog: Catalog, table: Table, taken: Collection[str]) -> None:
        self.catalog = catalog
        self.table = table
        self.names = set(taken)
        self.made = Proposals()
        self.amounts = find_amounts(table)
        system_noun = table.system.noun if table.system else ""
        self.noun = system_noun or _noun_of_thing(table)
        if not self.noun:
            own_key = [] if table.foreign_key else table.key
            self.noun = noun_of(table.noun_words or table.name, own_key)

    def add(
        self,
        name: str,
        label: str,
        definition: dict[str, Any],
        why: str,
        *,
        weight: float,
        parts: tuple[str, ...] = (),
    ) -> str:
        """Add a metric under a free id, and return the id."""
        if slug(name) in self.names:
            name = f"{self.table.name.removesuffix(FLAT)}_{name}"
        unique = slug(name, self.names)
        self.names.add(unique)
        keys: dict[str, Any] = {"label": label, **definition}
        by = self._dimensions(definition, parts)
        if by:
            keys["by"] = by
        if self.table.monthly:
            keys["grains"] = GRAINS[self.table.months_apart]
        self.made.metrics.append(
            SuggestedMetric(unique, keys, why, weight, self.table.rows, self.table.name, parts)
        )
        return unique

    def _dimensions(self, definition: dict[str, Any], parts: tuple[str, ...]) -> list[str]:
        """Return what a metric is split by: not what its filter or its sign stands on."""
        measure = definition.get("measure", {})
        text = f"{measure.get('filter', '')} {measure.get('expr', '')}"
        left_out = str(measure.get("exclude", "")).split(" or ")
        dimensions = []
        for column in self.table.dimensions:
            name = expression(column)
            used = f"{name} = " in text or f"{name} in (" in text
            if not used and not any(one == name or one.startswith(f"{name} ") for one in left_out):
                dimensions.append(column)
        for metric in self.made.metrics:
            if metric.id in parts:
                own = metric.definition.get("by", [])
                dimensions = [column for column in dimensions if column in own]
        return dimensions

    def simple(
        self,
        agg: str,
        expr: str = "",
        *,
        unit: str = "",
        time: str | None = None,
        kept: str = "",
        out: str = "",
    ) -> dict[str, Any]:
        """Return the definition of a metric with one measure."""
        measure: dict[str, Any] = {"source": self.table.name, "agg": agg}
        if expr:
            measure["expr"] = expr
        if kept:
            measure["filter"] = kept
        if out:
            measure["exclude"] = out
        if time and time != self.table.time:
            measure["time"] = time
        definition: dict[str, Any] = {"type": "simple", "measure": measure}
        if unit:
            definition["unit"] = unit
        return definition

    def tell(self, column: str, text: str) -> None:
        """Note what is told of a column."""
        self.made.notes.append((column, text))

    def tell_states(self) -> None:
        """Tell of rows that went wrong, of several currencies, and of lines of one thing."""
        table = self.table
        status = table.status
        if status is not None and status.bad and not status.is_deal:
            kept, out = self.conditions()
            is_money = any(amount.is_money for amount in self.amounts) and not table.recurring
            filtered = bool(kept or out) and is_money
            self.tell(status.column, said_states(status, filtered=filtered))
        for flag in table.flags:
            why = f"{flag.column}: {flag.rows:,} of {table.rows:,} rows are marked so"
            if flag.moves:
                why = f"{flag.column}: {flag.moves} only move money that was counted before"
            if any(amount.is_money for amount in self.amounts):
                why += "; they are left out of money"
            self.tell(flag.column, why)
        for money in table.currencies:
            if not money.single:
                parts = ", ".join(f"{name} ({rows:,})" for name, rows in money.counts.items())
                self.tell(money.column, f"several currencies in {money.column}: {parts}")
        if table.thing is not None:
            self._tell_thing()

    def _tell_thing(self) -> None:
        thing = self.table.thing
        if thing is None:
            return
        one = singular(self.noun)
        text = (
            f"{thing.column} repeats: {self.table.rows:,} rows are lines of {thing.count:,} "
            f"{self.noun}, several rows of one {one}, so {self.noun} are counted by distinct "
            f"{thing.column}"
        )
        if thing.once:
            text += f"; {', '.join(thing.once[:MOST_LISTED])} stand on the first line only"
        if thing.repeated:
            text += f"; {', '.join(thing.repeated[:MOST_LISTED])} are repeated on each line"
        self.tell(thing.column, text)

    def conditions(self) -> tuple[str, str]:
        """Return filter and exclude of the rows whose money counts."""
        refunds = any(
            amount.taken_off and "refund" in amount.name.casefold() for amount in self.amounts
        )
        once = self.table.thing is not None
        return money_conditions(self.table, refunds=refunds and once)


def _noun_of_thing(table: Table) -> str:
    """Return what rows are lines of, in the plural: orders for `amazon-order-id`; else nothing."""
    if table.thing is None:
        return ""
    named = [word for word in words(table.thing.column) if word in THINGS - GENERAL]
    return plural(named[-1]) if named else ""


def sentence_case(text: str) -> str:
    """Return a label with one capital in front, and abbreviations in capitals."""
    spelled = []
    for word in text.split(" "):
        short = word.upper() if word in ACRONYMS else word
        spelled.append(MANY_ACRONYMS.get(word, short))
    label = " ".join(spelled)
    return label[:1].upper() + label[1:]
