"""A source that stays in its database: what stands before every query that names it.

`_nb_base_NAME` is the table, or the query in its own dialect; `_nb_of_NAME` what the source is after its contract:
typed, each key once, without rows after as-of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlglot import exp

from dataops_nb.sources.engines import Engine
from dataops_nb.sources.engines.speech import read
from dataops_nb.sources.engines.tables import name_cte, with_ctes


@dataclass
class Published:
    """Where a source stands, its rows there (`base`), and what it is published as (`tree`, over its base).

    `over` says whether the base names other sources; `columns` are its own.
    """

    name: str
    engine: Engine
    base: exp.Expr
    over: bool = False
    columns: list[str] = field(default_factory=list)
    tree: exp.Expr | None = None

    @property
    def root(self) -> str:
        """The name of its rows as they stand in the database."""
        return f"_nb_base_{self.name}"


def complete(query: exp.Expr, known: Mapping[str, Published]) -> exp.Expr:
    """The query with everything that it reads of these sources before it, what stands on others after them.

    Columns are named with the capitals that they have in the database, where one spelling only is known.
    """
    ctes: dict[str, exp.CTE] = {}
    spelled: dict[str, set[str]] = {}
    for column in (column for source in known.values() for column in source.columns):
        spelled.setdefault(column.casefold(), set()).add(column)
    tree = query.copy()
    for node in tree.find_all(exp.Column):
        spelling = spelled.get(node.name.casefold(), set())
        if len(spelling) == 1 and isinstance(node.this, exp.Identifier) and node.name not in spelling:
            node.set("this", exp.to_identifier(next(iter(spelling)), quoted=True))
        elif node.name in spelling and node.name != node.name.lower():
            node.this.set("quoted", True)
    return with_ctes(_point(tree, known, ctes), list(ctes.values()))


def _point(tree: exp.Expr, known: Mapping[str, Published], ctes: dict[str, exp.CTE]) -> exp.Expr:
    """The tree, its sources turned to the expressions that stand for them; what is missing is added to `ctes`."""
    folded = {name.casefold(): source for name, source in known.items()}
    roots = {source.root: source for source in known.values()}
    within = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if table.db or not isinstance(table.this, exp.Identifier) or table.name in within:
            continue
        source = folded.get(table.name.casefold())
        if table.name in roots:
            _add_base(roots[table.name], known, ctes)
        elif source is not None and source.tree is not None:
            _add_base(source, known, ctes)
            name = f"_nb_of_{source.name}"
            ctes.setdefault(name, name_cte(name, _needed(source.tree, tree)))
            alias = exp.to_identifier(table.alias or table.name, quoted=True)
            table.set("this", exp.to_identifier(name, quoted=True))
            table.set("alias", exp.TableAlias(this=alias))
    return tree


def _needed(published: exp.Expr, query: exp.Expr) -> exp.Expr:
    """What a source is published as, without the columns that a query does not name."""
    whole = any(not isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star))
    if whole or not isinstance(published, exp.Select):
        return published.copy()
    named = {each.name.casefold() for each in query.find_all(exp.Identifier)}
    kept = [each for each in published.selects if each.alias_or_name.casefold() in named]
    return published.select(*(kept or published.selects[:1]), append=False)


def _add_base(source: Published, known: Mapping[str, Published], ctes: dict[str, exp.CTE]) -> None:
    if source.root not in ctes:
        body = source.base.copy()
        body = _point(body, known, ctes) if source.over else body
        ctes[source.root] = name_cte(source.root, body)


class Asking:
    """Asks databases in DuckDB's words, and answers like DuckDB's connection: `execute(query).fetchall()`."""

    def __init__(self, run: Callable[[exp.Expr], pd.DataFrame]) -> None:
        self.run = run

    def execute(self, written: str) -> Answer:
        """The rows of a query over published sources and their bases. Raises DataError for one that fails."""
        return Answer(self.run(read(written)))


@dataclass(frozen=True)
class Answer:
    """A result that was fetched whole."""

    frame: pd.DataFrame

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Its rows, with None for what is missing."""
        columns = [self.frame.iloc[:, i].astype(object) for i in range(self.frame.shape[1])]
        plain = [[None if _missing(value) else value for value in column] for column in columns]
        return list(zip(*plain, strict=True))


def _missing(value: object) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))
