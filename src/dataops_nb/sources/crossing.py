"""A query over sources of several engines: each part runs where its sources stand, and the rest where most of it does.

A part is a subquery, or a common table expression, all of whose sources stand in one engine. Aggregates and rates cross as
they are; where rows must be matched one by one (reconciliation, conversions), what crosses is a row a key: its key, its day
and its amount. Both are bounded. Two tables of two engines in one `from` cannot be brought together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
from sqlglot import exp

from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.engines import Engine
from dataops_nb.sources.published import Published, complete
from dataops_nb.sources.sql import find_column

INTO_DATABASE = 20_000
INTO_DUCKDB = 2_000_000
PART = "_nb_part"


@dataclass(frozen=True)
class Crossing:
    """The engine where a query ends, the query there, and the parts that come from elsewhere, as frames by name."""

    home: Engine
    query: exp.Query
    frames: dict[str, pd.DataFrame]


Run = Callable[[Engine, exp.Query], pd.DataFrame]
Homes = Mapping[str, Engine]
Columns = Mapping[str, Mapping[str, str]]


def run(
    query: exp.Query, homes: Homes, known: Mapping[str, Published], columns: Columns, **frames: pd.DataFrame
) -> pd.DataFrame:
    """The result of a query in the engine of its sources; parts of it in theirs, where they stand in several.

    `homes` gives the engine of each source by name, and the embedded one under an empty name; `columns` each source's
    columns with their types. Raises DataError where the parts cannot be brought together.
    """
    embedded = homes[""]

    def run_in(engine: Engine, tree: exp.Query, **more: pd.DataFrame) -> pd.DataFrame:
        named = {table.name for table in tree.find_all(exp.Table)}
        used = {name: frame for name, frame in {**frames, **more}.items() if name in named}
        there = {name: each for name, each in known.items() if each.engine is engine}
        return engine.fetch(complete(tree, there) if there else tree, **used)

    ours = {name: home for name, home in homes.items() if name not in frames}
    engines = {ours[name].name: ours[name] for name in _sources(query, ours)}
    only = next(iter(engines.values()), embedded)
    if len(engines) < 2 and (only.exact or not _adds_decimals(query)):
        return run_in(only, query)
    crossing = cross(query, ours, embedded, run_in, columns)
    return run_in(crossing.home, crossing.query, **crossing.frames)


def _adds_decimals(query: exp.Query) -> bool:
    return any(cast.is_type("decimal") for cast in query.find_all(exp.Cast))


def cross(query: exp.Query, homes: Homes, embedded: Engine, run: Run, columns: Columns) -> Crossing:
    """Fetch every part of a query that stands elsewhere. Raises DataError where parts cannot be told apart, or are too long.

    `homes` gives the engine of each source by name, `columns` each source's columns with their types.
    """
    tree = query.copy()
    parts = list(_parts(tree, homes))
    inside = {id(table) for part in parts for table in part.find_all(exp.Table)}
    outside = [table for table in tree.find_all(exp.Table) if id(table) not in inside]
    direct = {homes[n].name: (homes[n], n) for table in outside if (n := _source(table, homes))}
    if len(direct) > 1:
        said = " and ".join(f"{name} ({engine.name})" for engine, name in direct.values())
        rule = f"the query reads {said}, which no one engine holds; copy one to the other, or aggregate each by itself"
        raise DataError([Fault(" and ".join(name for _, name in direct.values()), rule)])
    home = next((engine for engine, _ in direct.values()), embedded)
    if not home.exact and _adds_decimals(query):
        home = embedded
    frames: dict[str, pd.DataFrame] = {}
    for part in parts:
        engine = homes[next(_sources(part, homes))]
        if engine is not home:
            name = f"{PART}_{len(frames)}"
            frames[name] = _fetch(part, engine, home, run, homes)
            _replace(part, name, columns)
    return Crossing(home, tree, frames)


def _source(table: exp.Table, homes: Homes) -> str | None:
    return None if table.db else find_column(table.name, homes)


def _sources(tree: exp.Expr, homes: Homes) -> Iterator[str]:
    return (name for table in tree.find_all(exp.Table) if (name := _source(table, homes)))


def _parts(tree: exp.Query, homes: Homes) -> Iterator[exp.Query]:
    """The outermost queries within a query whose sources stand in one engine."""
    for node in [*tree.ctes, *_subqueries(tree)]:
        body = node.this
        engines = {homes[name].name for name in _sources(body, homes)}
        if len(engines) == 1 and not _reads_ctes(body, tree):
            yield body
        elif engines:
            yield from _parts(body, homes)


def _subqueries(tree: exp.Query) -> list[exp.Subquery]:
    """The subqueries directly under a query, outside its common table expressions."""
    found = tree.find_all(exp.Subquery)
    return [s for s in found if s.find_ancestor(exp.Subquery, exp.CTE) in (None, tree.parent)]


def _reads_ctes(body: exp.Query, tree: exp.Query) -> bool:
    names = {cte.alias for cte in tree.ctes}
    return any(table.name in names for table in body.find_all(exp.Table))


def _fetch(part: exp.Query, engine: Engine, home: Engine, run: Run, homes: Homes) -> pd.DataFrame:
    most = INTO_DUCKDB if home.dialect == "duckdb" else INTO_DATABASE
    bounded = exp.select("*").from_(part.copy().subquery("part")).limit(most + 1)
    frame = run(engine, bounded)
    if len(frame) > most:
        name = next(_sources(part, homes))
        rule = f"has more than {most:,} rows to bring from {engine.name} to {home.name}; keep both in one place"
        raise DataError([Fault(name, rule)])
    return frame


def _replace(part: exp.Query, name: str, columns: Columns) -> None:
    """Put a frame in the place of a part, each column with the type that it had there."""
    chosen = [_retype(projection, part, columns) for projection in part.selects]
    part.replace(exp.select(*chosen).from_(name))


def _retype(projection: exp.Expr, part: exp.Query, columns: Columns) -> exp.Expr:
    name = projection.alias_or_name
    column, type_ = exp.column(name, quoted=True), _type_of(projection.unalias(), part, columns)
    return column if type_ is None else exp.alias_(exp.cast(column, type_, dialect="duckdb"), name, quoted=True)


def _type_of(value: exp.Expr, query: exp.Query, columns: Columns) -> str | None:
    """The DuckDB type of an expression where it says one, or is a column of a source."""
    if isinstance(value, exp.Cast):
        return value.to.sql(dialect="duckdb")
    if isinstance(value, exp.Coalesce | exp.Paren):
        return _type_of(value.this, query, columns)
    if not isinstance(value, exp.Column):
        return None
    from_ = query.args.get("from_")
    inner = from_.this if from_ is not None else None
    if isinstance(inner, exp.Subquery):
        behind = next((p for p in inner.this.selects if p.alias_or_name == value.name), None)
        return None if behind is None else _type_of(behind.unalias(), inner.this, columns)
    name = find_column(inner.name, columns) if isinstance(inner, exp.Table) else None
    found = find_column(value.name, columns[name]) if name else None
    return columns[name][found] if name and found else None
