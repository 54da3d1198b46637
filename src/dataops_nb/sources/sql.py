"""Names, texts and files as they stand in DuckDB SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Rows(Protocol):
    """A result."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All its rows."""


class Connection(Protocol):
    """What runs SQL in DuckDB's words: DuckDB itself, or an engine that is asked in them."""

    def execute(self, query: str, /) -> Rows:
        """The result of a query."""


def quote(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as a literal."""
    return "'" + value.replace("'", "''") + "'"


def texts(values: Iterable[str]) -> str:
    """Texts as a comma separated list of literals."""
    return ", ".join(text(v) for v in values)


def names(values: Iterable[str]) -> str:
    """Names as a comma separated list of identifiers."""
    return ", ".join(quote(v) for v in values)


def first_row(con: Connection, query: str) -> tuple[Any, ...] | None:
    """The first row of a query that has few. Fetched whole: a result left open keeps the connection from other work."""
    rows = con.execute(query).fetchall()
    return rows[0] if rows else None


def find_column(name: str, columns: Iterable[str]) -> str | None:
    """The column that DuckDB means by `name`: exact, else regardless of case; None where there is none."""
    listed = list(columns)
    if name in listed:
        return name
    return next((c for c in listed if c.casefold() == name.casefold()), None)


def say_error(error: Exception) -> str:
    """What a database error says, in one line without its kind."""
    return str(error).split(": ", 1)[-1].splitlines()[0]
