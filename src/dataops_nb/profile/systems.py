"""Known systems' exports, recognised by their columns; the table is `systems.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

TABLE = Path(__file__).with_name("systems.yaml")


@dataclass(frozen=True)
class System:
    """How the rows of one system's export are meant.

    `columns` must all be there. `time`, `end`, `key` and `amount` are columns, `where` is the
    condition of the rows whose amounts count, `lead` the column or `rows` that comes first,
    `noun` what a row is, in the plural, and `notes` what an analyst should know.
    """

    name: str
    columns: list[str]
    noun: str = ""
    time: str = ""
    end: str = ""
    key: str = ""
    amount: str = ""
    lead: str = ""
    zone: str = ""
    notes: list[str] = field(default_factory=list)


@cache
def known_systems() -> list[System]:
    """Return all known exports, those with the most columns first."""
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    systems = [System(**row) for row in rows]
    return sorted(systems, key=lambda system: -len(system.columns))


def recognise(columns: Sequence[str]) -> System | None:
    """Return the system whose export has these columns; None for an unknown one.

    >>> recognise(["Record ID", "Deal Name", "Deal Stage", "Close Date"]).name
    'HubSpot deals'
    """
    folded = {column.strip().casefold() for column in columns}
    for system in known_systems():
        if all(column.casefold() in folded for column in system.columns):
            return system
    return None
