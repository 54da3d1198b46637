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
from sqlglot.optimizer.scope import Scope, build_scope

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
    columns_by_folded = {}
    for source in query.sources:
        columns_by_folded[source.casefold()] = (source, columns.get(source, ()))
    scope = build_scope(query.tree.unnest())
    origins = _origins(scope, column, columns_by_folded, frozenset()) if scope else set()
    [origin] = origins if len(origins) == 1 else [None]
    return find_origin(queries, *origin, columns) if origin else None


# the source and column behind a column; None stands for what is computed
Origin = tuple[str, str] | None
Columns = Mapping[str, tuple[str, Collection[str]]]


def _origins(scope: Scope, column: str, columns: Columns, above: frozenset[int]) -> set[Origin]:
    """Return where a column of a select comes from: each place it may come from.

    `above` are the selects around this one, because a recursive one stands in itself.
    """
    if id(scope) in above:
        return {None}
    above |= {id(scope)}
    if isinstance(scope.expression, exp.SetOperation):
        return _origins_of_parts(scope, column, columns, above)
    for selected in getattr(scope.expression, "selects", []):
        if selected.alias_or_name.casefold() != column.casefold():
            continue
        passed = selected.unalias()
        if not isinstance(passed, exp.Column):
            return {None}
        return _origins_within(scope, passed.name, passed.table, columns, above)
    origins: set[Origin] = set()
    for selected in getattr(scope.expression, "selects", []):
        if selected.is_star:
            origins |= _origins_within(scope, column, selected.text("table"), columns, above)
    return origins


def _origins_of_parts(
    scope: Scope, column: str, columns: Columns, above: frozenset[int]
) -> set[Origin]:
    """Return the same of a union and its like, whose columns go by place."""
    # sqlglot calls them by another name since version 28
    parts = getattr(scope, "set_operation_scopes", None) or getattr(scope, "union_scopes", [])
    names_by_part = [[name.casefold() for name in part.expression.named_selects] for part in parts]
    wanted = [column] * len(parts)
    if names_by_part and column.casefold() in names_by_part[0]:
        place = names_by_part[0].index(column.casefold())
        if not any("*" in names or place >= len(names) for names in names_by_part):
            wanted = [names[place] for names in names_by_part]
    either: set[Origin] = set()
    for part, name in zip(parts, wanted, strict=True):
        either |= _origins(part, name, columns, above) or {None}
    return either


def _origins_within(
    scope: Scope, column: str, table: str, columns: Columns, above: frozenset[int]
) -> set[Origin]:
    """Return the same of a column that a select reads, from one table or from any of its own."""
    origins: set[Origin] = set()
    for alias, (_, source) in scope.selected_sources.items():
        if table and alias.casefold() != table.casefold():
            continue
        if isinstance(source, Scope):
            origins |= _origins(source, column, columns, above)
        elif source.name.casefold() in columns:
            name, known = columns[source.name.casefold()]
            known_column = find_column(column, known)
            origins |= {(name, known_column)} if known_column else set()
    return origins
