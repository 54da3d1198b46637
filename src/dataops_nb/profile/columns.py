"""What the columns of a source hold: how many values, how many different ones, from where to where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataops_nb.sources import Catalog

TOGETHER = 40
NUMBERS = ("BIGINT", "DOUBLE", "INTEGER", "SMALLINT", "HUGEINT", "FLOAT", "UBIGINT", "TINYINT")
TIMES = ("DATE", "TIMESTAMP")


@dataclass(frozen=True)
class Column:
    """A column with its type, its values, its different values, its ends as text, and how many of them are below zero."""

    name: str
    type: str
    values: int
    distinct: int
    smallest: str
    largest: str
    negative: int

    @property
    def number(self) -> bool:
        """Whether it can be added up."""
        return self.type in NUMBERS or self.type.startswith("DECIMAL")

    @property
    def time(self) -> bool:
        """Whether it has days."""
        return self.type.startswith(TIMES)

    @property
    def text(self) -> bool:
        """Whether it is text."""
        return self.type == "VARCHAR"


def describe_columns(catalog: Catalog, source: str) -> list[Column]:
    """Every column of a source, in its order; a few at a time, because a query over hundreds is slow to plan."""
    types = catalog.columns(source)
    listed = list(types)
    return [
        column
        for start in range(0, len(listed), TOGETHER)
        for column in _describe_some(catalog, source, listed[start : start + TOGETHER], types)
    ]


def _describe_some(catalog: Catalog, source: str, names: Sequence[str], types: dict[str, str]) -> list[Column]:
    parts: list[str] = []
    for i, name in enumerate(names):
        value = quote(name)
        low = f"{value} < 0" if types[name] in NUMBERS or types[name].startswith("DECIMAL") else "false"
        parts += [
            f"count({value}) as v{i}",
            f"count(distinct {value}) as d{i}",
            f"cast(min({value}) as varchar) as s{i}",
            f"cast(max({value}) as varchar) as l{i}",
            f"count(*) filter (where {low}) as n{i}",
        ]
    row = catalog.fetch(f"select {', '.join(parts)} from {quote(source)}").iloc[0]
    return [
        Column(
            name,
            types[name],
            int(row[f"v{i}"]),
            int(row[f"d{i}"]),
            _text(row[f"s{i}"]),
            _text(row[f"l{i}"]),
            int(row[f"n{i}"]),
        )
        for i, name in enumerate(names)
    ]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def quote(name: str) -> str:
    """A name as an identifier of DuckDB."""
    return '"' + name.replace('"', '""') + '"'
