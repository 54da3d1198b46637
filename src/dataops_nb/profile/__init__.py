"""Profile files that nobody has described yet, and draft the company's first files from them.

`draft` reads the files, and `write` returns the text of the company's files for it. No guess is
silent: each stands in the draft beside its reason, and `look` shows the figures behind every guess
as frames, for the files that a workbench reads today.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dataops_nb import sources, workbench
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DataError
from dataops_nb.profile.company_files import ASKED, write
from dataops_nb.profile.draft import Draft, draft
from dataops_nb.profile.references import find_references
from dataops_nb.profile.suggestions import guess_metrics
from dataops_nb.profile.tables import Guess, Table, describe_table
from dataops_nb.workbench import Workbench

__all__ = [
    "ASKED",
    "Draft",
    "Guess",
    "Look",
    "draft",
    "look",
    "write",
]


FILE_COLUMNS = ["source", "file", "rows", "columns", "key", "time", "from", "to"]
GUESS_COLUMNS = ["about", "guess", "declared", "why"]
COLUMN_COLUMNS = [
    "source",
    "column",
    "type",
    "values",
    "missing",
    "different",
    "smallest",
    "largest",
    "taken for",
]


@dataclass(frozen=True)
class Look:
    """The figures behind the guesses.

    `files` has one row for each source, `guesses` one for each guess beside what is declared,
    `columns` one for each column; `faults` are texts.
    """

    files: pd.DataFrame
    guesses: pd.DataFrame
    columns: pd.DataFrame
    faults: list[str]


def look(here: Workbench, as_of: str | dt.date = "") -> Look:
    """Profile the files of a workbench's sources as of a day, today by default, and guess again.

    A source that cannot be read is among the faults.
    """
    definitions = here.definitions
    workbench.ensure_data(here)
    last_day = workbench.as_of(here, as_of or None)
    bare = _without_agreements(definitions)
    with sources.open(bare, here.data, last_day, usage=here.usage) as catalog:
        tables, faults = _describe_tables(catalog)
        guesses = _all_guesses(catalog, tables)
        file_rows = [_file_row(catalog, table) for table in tables]
    guess_rows = []
    for guess in guesses:
        declared = _declared(definitions, guess.about)
        guess_rows.append([guess.about, guess.said, declared, guess.why])
    column_rows: list[list[Any]] = []
    for table in tables:
        column_rows += _column_rows(table)
    return Look(
        files=pd.DataFrame(file_rows, columns=FILE_COLUMNS),
        guesses=pd.DataFrame(guess_rows, columns=GUESS_COLUMNS),
        columns=pd.DataFrame(column_rows, columns=COLUMN_COLUMNS),
        faults=faults,
    )


def _without_agreements(definitions: Definitions) -> Definitions:
    """Return definitions without metrics and without types of columns, which are guessed anew."""
    plain_sources = {}
    for name, source in definitions.sources.items():
        plain_sources[name] = source.model_copy(update={"columns": {}})
    return definitions.model_copy(update={"sources": plain_sources, "departments": {}})


def _describe_tables(catalog: sources.Catalog) -> tuple[list[Table], list[str]]:
    tables: list[Table] = []
    faults: list[str] = []
    for name in catalog.declared.sources:
        try:
            tables.append(describe_table(catalog, name))
        except DataError as error:
            faults += [str(fault) for fault in error.faults]
    return tables, faults


def _all_guesses(catalog: sources.Catalog, tables: Sequence[Table]) -> list[Guess]:
    guesses: list[Guess] = []
    for table in tables:
        guesses += table.guesses
    for _, guess in find_references(catalog, tables):
        guesses.append(guess)
    for table in tables:
        guesses += guess_metrics(catalog, table, []).guesses
    return guesses


def _file_row(catalog: sources.Catalog, table: Table) -> list[Any]:
    files = catalog.provenance(table.name)["files"]
    file: str = files[0] if len(files) else "a query"
    return [
        table.name,
        file,
        table.rows,
        len(table.columns),
        ", ".join(table.key),
        table.time or "",
        table.first,
        table.last,
    ]


def _declared(definitions: Definitions, about: str) -> str:
    """Return what the definitions say today about the subject of a guess; empty where nothing."""
    if about.startswith("metric "):
        metric = about.removeprefix("metric ")
        return "yes" if metric in definitions.metrics else "no"
    source_name, _, option = about.partition(".")
    source = definitions.sources.get(source_name)
    if source is None:
        return ""
    column = source.columns.get(option)
    if column is not None and column.references:
        return f"references {column.references}"
    if option not in ("key", "time"):
        return ""
    value = getattr(source, option, None)
    if isinstance(value, list):
        return ", ".join(value)
    return str(value or "")


def _column_rows(table: Table) -> list[list[Any]]:
    rows = []
    for column in table.columns:
        row = [
            table.name,
            column.name,
            column.type,
            column.values,
            table.rows - column.values,
            column.distinct,
            column.smallest,
            column.largest,
            ", ".join(table.uses(column.name)),
        ]
        rows.append(row)
    return rows
