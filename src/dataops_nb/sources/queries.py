"""A source that is a `query:` over other sources: what it stands on, and the refusal of all that is no source."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from dataops_nb.errors import did_you_mean
from dataops_nb.sources.sql import find_column

SERIES = (exp.GenerateSeries, exp.Unnest, exp.Explode, exp.Lateral)
SERIES_NAMES = {"range", "generate_series", "unnest"}
READS = (exp.Select, exp.SetOperation, exp.Subquery)


@dataclass(frozen=True)
class Query:
    """A parsed `query:`; `wrong` are the rules it breaks."""

    name: str
    written: str
    tree: exp.Expr
    sources: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def parse_queries(written: Mapping[str, str], sources: Collection[str]) -> dict[str, Query]:
    """Every `query:` source by name, with the sources it names."""
    parsed = {name: _parse_one(name, query, sources) for name, query in written.items()}
    return {name: _refuse_circle(query, parsed) for name, query in parsed.items()}


def _parse_one(name: str, written: str, sources: Collection[str]) -> Query:
    empty = exp.Select()
    try:
        trees = [t for t in sqlglot.parse(written, read="duckdb") if t is not None]
    except sqlglot.errors.SqlglotError as error:
        reason = str(error).split(". Line")[0].splitlines()[0]
        return Query(name, written, empty, wrong=(f"query: is not SQL that can be read: {reason}",))
    if len(trees) != 1 or not isinstance(trees[0], READS):
        return Query(name, written, empty, wrong=("query: must be one select",))
    found, wrong = find_tables(trees[0], sources)
    return Query(name, written.strip().rstrip(";"), trees[0], found, wrong)


def find_tables(tree: exp.Expr, known: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The known tables that a query reads, and a rule for everything else that it reads."""
    folded = {name.casefold(): name for name in known}
    within = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    found: dict[str, None] = {}
    wrong: dict[str, None] = {}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            if not _is_series(table.this):
                wrong[f"query: reads {table.this.sql('duckdb')}; a query may only read declared sources"] = None
        elif table.db or table.name.casefold() not in folded | dict.fromkeys(within):
            name = f"{table.db}.{table.name}" if table.db else table.name
            wrong[f"query: reads {name!r}, which is no declared source{did_you_mean(table.name, known)}"] = None
        elif table.name.casefold() not in within:
            found[folded[table.name.casefold()]] = None
    return tuple(found), tuple(wrong)


def find_origin(
    queries: Mapping[str, Query], name: str, column: str, columns: Mapping[str, Collection[str]]
) -> tuple[str, str] | None:
    """The source and column that a column of a query's result passes on unchanged; None where that is not plain.

    `columns` are those of every loaded source.
    """
    if name not in queries:
        return (name, column)
    query = queries[name]
    behind = next((a.this for a in query.tree.find_all(exp.Alias) if a.alias.casefold() == column.casefold()), None)
    if behind is not None and not isinstance(behind, exp.Column):
        return None
    wanted = behind.name if behind is not None else column
    holders = [(n, found) for n in query.sources if (found := find_column(wanted, columns.get(n, ())))]
    return find_origin(queries, *holders[0], columns) if len(holders) == 1 else None


def _is_series(node: exp.Expression) -> bool:
    return isinstance(node, SERIES) or (isinstance(node, exp.Anonymous) and node.name.lower() in SERIES_NAMES)


def _refuse_circle(query: Query, parsed: Mapping[str, Query]) -> Query:
    """The query without its sources, and a rule, where it stands on itself."""
    seen: list[str] = []
    waiting = list(query.sources)
    while waiting:
        name = waiting.pop()
        if name == query.name:
            rule = f"query: stands on itself, through {', '.join(dict.fromkeys([*seen, name]))}"
            return Query(query.name, query.written, query.tree, (), (rule,))
        if name not in seen:
            seen.append(name)
            waiting += parsed[name].sources if name in parsed else ()
    return query
