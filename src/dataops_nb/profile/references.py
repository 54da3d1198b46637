"""Which columns point at the key of another file: by their name, and because each of their values is found there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dataops_nb.profile.columns import quote
from dataops_nb.profile.guesses import Guess
from dataops_nb.profile.names import plural, words
from dataops_nb.profile.tables import Table
from dataops_nb.sources import Catalog


@dataclass(frozen=True)
class Reference:
    """A column of one source whose values are found in the key of another."""

    source: str
    column: str
    target: str
    key: str


def find_references(catalog: Catalog, tables: Sequence[Table]) -> Iterator[tuple[Reference | None, Guess]]:
    """Every pair of a column and a key that its name means; without a reference where some values are not found."""
    for table in tables:
        for other in tables:
            if other is table or len(other.key) != 1:
                continue
            for column in table.columns:
                if [column.name] != table.key and _means(column.name, other):
                    yield _look_up(catalog, table, column.name, other)


def _means(column: str, other: Table) -> bool:
    """Whether a column is named like another source's key, or like that source and `id`."""
    said, key = words(column), words(other.key[0])
    of = said[:-1] and [*said[:-2], plural(said[-2])] == words(other.name)
    return (said == key and len(key) > 1) or (bool(of) and said[-1:] == key[-1:] and len(key) == 1)


def _look_up(catalog: Catalog, table: Table, column: str, other: Table) -> tuple[Reference | None, Guess]:
    key = other.key[0]
    query = f"""select count({quote(column)}) as n, count(*) filter (where {quote(column)} is not null and
        cast({quote(column)} as varchar) not in (select cast({quote(key)} as varchar) from {quote(other.name)})) as lost
        from {quote(table.name)}"""
    row = catalog.fetch(query).iloc[0]
    about, said = f"{table.name}.{column}", f"references {other.name}.{key}"
    if row["lost"]:
        return None, Guess(
            about, "", f"looks like it {said}, but {row['lost']:,} of {row['n']:,} values are not found there"
        )
    return Reference(table.name, column, other.name, key), Guess(
        about, said, f"each of {row['n']:,} values is found there"
    )
