"""The figures behind every guess, as frames for a notebook: of the files that a workbench reads today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dataops_nb import sources, workbench
from dataops_nb.errors import DataError
from dataops_nb.profile.guesses import Guess
from dataops_nb.profile.metrics import find_indicators, propose
from dataops_nb.profile.references import find_references
from dataops_nb.profile.tables import Table, describe_table
from dataops_nb.workbench import Workbench

FILES = ["source", "file", "rows", "columns", "key", "time", "from", "to"]
GUESSES = ["about", "guess", "declared", "why"]
COLUMNS = ["source", "column", "type", "values", "missing", "different", "smallest", "largest", "taken for"]


@dataclass(frozen=True)
class Look:
    """`files` one row a source, `guesses` one a guess beside what is declared, `columns` one a column, `faults` as text."""

    files: pd.DataFrame
    guesses: pd.DataFrame
    columns: pd.DataFrame
    faults: list[str]


def look(here: Workbench, as_of: str | dt.date = "") -> Look:
    """Look through the files of a workbench's sources as of a day, and guess again; what cannot be read is a fault."""
    known = here.definitions
    workbench.ensure_data(here)
    plain = {name: source.model_copy(update={"columns": {}}) for name, source in known.company.sources.items()}
    bare = known.model_copy(update={"company": known.company.model_copy(update={"sources": plain}), "departments": {}})
    with sources.open(bare, here.data, workbench.as_of(here, as_of or None)) as catalog:
        tables, faults = _read(catalog)
        guesses = [guess for table in tables for guess in table.guesses]
        guesses += [guess for _, guess in find_references(catalog, tables)]
        guesses += [guess for table in tables for guess in _propose(catalog, table)]
        files = [_file(catalog, table) for table in tables]
    return Look(
        pd.DataFrame(files, columns=FILES),
        pd.DataFrame([[g.about, g.said, _declared(known, g.about), g.why] for g in guesses], columns=GUESSES),
        pd.DataFrame([row for table in tables for row in _columns(table)], columns=COLUMNS),
        faults,
    )


def _read(catalog: sources.Catalog) -> tuple[list[Table], list[str]]:
    tables: list[Table] = []
    faults: list[str] = []
    for name in catalog.declared.company.sources:
        try:
            tables.append(describe_table(catalog, name))
        except DataError as error:
            faults += map(str, error.faults)
    return tables, faults


def _propose(catalog: sources.Catalog, table: Table) -> Iterator[Guess]:
    indicators = find_indicators(table)
    if indicators:
        yield Guess(f"{table.name}: metrics_from", indicators.definition["id"], indicators.why)
        return
    for metric in propose(catalog, table, []):
        yield Guess(f"metric {metric.id}", table.name, metric.why)


def _file(catalog: sources.Catalog, table: Table) -> list[Any]:
    shown = catalog.provenance(table.name)["files"][0]
    return [
        table.name,
        shown,
        table.rows,
        len(table.columns),
        ", ".join(table.key),
        table.time or "",
        table.first,
        table.last,
    ]


def _declared(known: Any, about: str) -> str:
    """What the definitions say today about what was guessed; empty where they say nothing of the kind."""
    source, _, option = about.partition(".")
    if about.startswith("metric "):
        return "yes" if about.removeprefix("metric ") in known.metrics else "no"
    said = known.company.sources.get(source)
    if said is None or not option:
        return ""
    if option in said.columns and said.columns[option].references:
        return f"references {said.columns[option].references}"
    value = getattr(said, option, None) if option in ("key", "time") else None
    return ", ".join(value) if isinstance(value, list) else str(value or "")


def _columns(table: Table) -> Iterator[list[Any]]:
    for c in table.columns:
        missing = table.rows - c.values
        yield [
            table.name,
            c.name,
            c.type,
            c.values,
            missing,
            c.distinct,
            c.smallest,
            c.largest,
            _taken_for(table, c.name),
        ]


def _taken_for(table: Table, column: str) -> str:
    said: dict[str, list[str | None] | list[str]] = {
        "key": table.key, "time": [table.time], "end": [table.ended], "dimension": table.dimensions, "people": table.people,
        "sum": table.sums, "average": table.averages,
    }  # fmt: skip
    return ", ".join(kind for kind, names in said.items() if column in names)
