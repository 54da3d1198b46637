"""A source that is a `query:` over other sources.

A query may read declared sources and nothing else: no file, no database, no function that lists
rows. It is parsed once; here it says which sources it reads, which rules it breaks, and from which
source a column of its result comes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import sqlglot
from sqlglot import exp

from dataops_nb.errors import did_you_mean
from dataops_nb.sources.evidence import find_column

# what stands where a table may stand, and reads nothing: range(10), unnest([1, 2])
SERIES = (exp.GenerateSeries, exp.Unnest, exp.Explode, exp.Lateral)
SERIES_NAMES = {"range", "generate_series", "unnest"}
SELECTS = (exp.Select, exp.SetOperation, exp.Subquery)


@dataclass(frozen=True)
class Query:
    """A parsed `query:`; `sources` are those it reads, `wrong` the rules it breaks."""

    name: str
    written: str
    tree: exp.Expr
    sources: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def only_joins(self) -> bool:
        """Whether it joins rows of sources, each of which it reads once, and makes no others."""
        tables = [table.name.casefold() for table in self.tree.find_all(exp.Table)]
        makes_rows = self.tree.find(exp.SetOperation, *SERIES) is not None
        return len(tables) > 1 and len(set(tables)) == len(tables) and not makes_rows


def parse_queries(written: Mapping[str, str], sources: Collection[str]) -> dict[str, Query]:
    """Parse every `query:`, by the name of its source; `sources` are all declared names."""
    parsed = {name: _parse_one(name, query, sources) for name, query in written.items()}
    return {name: _refuse_circle(query, parsed) for name, query in parsed.items()}


def _parse_one(name: str, written: str, sources: Collection[str]) -> Query:
    query = Query(name, written, exp.Select())
    try:
        parsed = sqlglot.parse(written, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        reason = str(error).split(". Line")[0].splitlines()[0]
        return replace(query, wrong=(f"query: is not SQL that can be read: {reason}",))
    trees = [tree for tree in parsed if tree is not None]
    if len(trees) != 1 or not isinstance(trees[0], SELECTS):
        return replace(query, wrong=("query: must be one select",))
    tables, wrong = find_tables(trees[0], sources)
    return Query(name, written.strip().rstrip(";"), trees[0], tables, wrong)


def _refuse_circle(query: Query, parsed: Mapping[str, Query]) -> Query:
    """Take its sources from a query that reads itself, and add the rule."""
    seen: list[str] = []
    waiting = list(query.sources)
    while waiting:
        name = waiting.pop()
        if name == query.name:
            way = ", ".join(dict.fromkeys([*seen, name]))
            rule = f"query: stands on itself, through {way}"
            return replace(query, sources=(), wrong=(rule,))
        if name not in seen:
            seen.append(name)
            if name in parsed:
                waiting += parsed[name].sources
    return query


def find_tables(tree: exp.Expr, known: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the known tables that a query reads, and one rule for everything else it reads."""
    known_by_folded = {name.casefold(): name for name in known}
    own_names = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    tables: list[str] = []
    wrong: list[str] = []
    for table in tree.find_all(exp.Table):
        folded = table.name.casefold()
        if not isinstance(table.this, exp.Identifier):
            if not _is_series(table.this):
                read = table.this.sql("duckdb")
                wrong.append(f"query: reads {read}; a query may only read declared sources")
        elif table.db:
            wrong.append(_undeclared(f"{table.db}.{table.name}", table.name, known))
        elif folded in own_names:
            continue
        elif folded in known_by_folded:
            tables.append(known_by_folded[folded])
        else:
            wrong.append(_undeclared(table.name, table.name, known))
    return tuple(dict.fromkeys(tables)), tuple(dict.fromkeys(wrong))


def _undeclared(shown: str, name: str, known: Collection[str]) -> str:
    return f"query: reads {shown!r}, which is no declared source{did_you_mean(name, known)}"


def _is_series(node: exp.Expression) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in SERIES_NAMES
    return isinstance(node, SERIES)


def find_origin(
    queries: Mapping[str, Query],
    name: str,
    column: str,
    columns: Mapping[str, Collection[str]],
) -> tuple[str, str] | None:
    """Return the source and column that a column of a query's result passes on unchanged.

    `columns` are those of every loaded source. Returns None where the column is computed, or more
    than one source has it.
    """
    if name not in queries:
        return (name, column)
    query = queries[name]
    wanted, table = column, _table_of(query.tree, column)
    for alias in query.tree.find_all(exp.Alias):
        if alias.alias.casefold() == column.casefold():
            if not isinstance(alias.this, exp.Column):
                return None
            wanted, table = alias.this.name, alias.this.table
            break
    named = _source_named(query, table)
    origins = []
    for source in [named] if named else query.sources:
        source_column = find_column(wanted, columns.get(source, ()))
        if source_column:
            origins.append((source, source_column))
    if len(origins) != 1:
        return None
    return find_origin(queries, *origins[0], columns)


def _table_of(tree: exp.Expr, column: str) -> str:
    """Return the table that a query names before a column it selects; "" where it names none."""
    for selected in getattr(tree, "selects", []):
        if isinstance(selected, exp.Column) and selected.name.casefold() == column.casefold():
            return str(selected.table)
    return ""


def _source_named(query: Query, table: str) -> str | None:
    """Return the source that a query calls by a name; None where there is none, or several."""
    if not table:
        return None
    names = set()
    for read in query.tree.find_all(exp.Table):
        if read.alias_or_name.casefold() == table.casefold():
            names.add(find_column(read.name, query.sources))
    return names.pop() if len(names) == 1 else None
