"""Run a query whose sources stand in several engines; stand in for sources that stay in theirs.

Each part of a query runs where its sources are, and the rest where most of it is. A part is a
subquery, or a common table expression, all of whose sources stand in one engine. Aggregates and
rates cross as they are. Where rows must be matched one by one (reconciliation, conversions), one
row a key crosses: its key, its day and its amount. Both are bounded. Two tables of two engines in
one `from` cannot be brought together.

A source that stays in its database is named by two expressions before a query: `_nb_base_NAME` is
the table, or the query in its own dialect; `_nb_of_NAME` is the source after its contract: typed,
each key once, without rows after as-of.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlglot import exp

from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.engines import Engine
from dataops_nb.sources.engines.dialects import name_cte, read, with_ctes
from dataops_nb.sources.evidence import find_column

# The most rows of a part that may cross.
INTO_DATABASE = 20_000
INTO_DUCKDB = 2_000_000
PART = "_nb_part"
Run = Callable[[Engine, exp.Query], pd.DataFrame]
# The engine of each source by name; under "" the embedded one.
Homes = Mapping[str, Engine]
# The type of each column, by source.
Columns = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Crossing:
    """A query that was divided: where it ends, what runs there, and its parts as frames by name."""

    home: Engine
    query: exp.Query
    frames: dict[str, pd.DataFrame]


@dataclass
class Published:
    """A source in its database: its rows there (`base`), and what it is published as (`tree`).

    The tree reads the base. `over` tells whether the base names other sources; `columns` are those
    of the source itself.
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


def run(
    query: exp.Query,
    homes: Homes,
    known: Mapping[str, Published],
    columns: Columns,
    **frames: pd.DataFrame,
) -> pd.DataFrame:
    """Return the result of a query in the engine of its sources, or of each part in its engine.

    Frames by keyword are tables in it. Raises DataError where the parts cannot be brought together.
    """
    embedded = homes[""]

    def run_in(engine: Engine, tree: exp.Query, **crossed: pd.DataFrame) -> pd.DataFrame:
        named = {table.name for table in tree.find_all(exp.Table)}
        used: dict[str, pd.DataFrame] = {}
        for name, frame in {**frames, **crossed}.items():
            if name in named:
                used[name] = frame
        local: dict[str, Published] = {}
        for name, source in known.items():
            if source.engine is engine:
                local[name] = source
        if local:
            return engine.fetch(complete(tree, local), **used)
        return engine.fetch(tree, **used)

    declared = {name: home for name, home in homes.items() if name not in frames}
    engines: dict[str, Engine] = {}
    for name in _sources(query, declared):
        engine = declared[name]
        engines[engine.name] = engine
    first = next(iter(engines.values()), embedded)
    if len(engines) <= 1 and (first.exact or not _adds_decimals(query)):
        return run_in(first, query)
    crossing = cross(query, declared, embedded, run_in, columns)
    return run_in(crossing.home, crossing.query, **crossing.frames)


def _adds_decimals(query: exp.Query) -> bool:
    return any(cast.is_type("decimal") for cast in query.find_all(exp.Cast))


def cross(query: exp.Query, homes: Homes, embedded: Engine, run: Run, columns: Columns) -> Crossing:
    """Fetch every part of a query that stands elsewhere.

    Raises DataError where parts cannot be told apart, or have too many rows.
    """
    tree = query.copy()
    parts = list(_parts(tree, homes))
    home = _home(tree, parts, homes) or embedded
    if not home.exact and _adds_decimals(query):
        home = embedded
    frames: dict[str, pd.DataFrame] = {}
    for part in parts:
        engine = homes[next(_sources(part, homes))]
        if engine is not home:
            name = f"{PART}_{len(frames)}"
            _name_columns(part)
            frames[name] = _fetch(part, engine, home, run, homes)
            _replace(part, name, columns)
    return Crossing(home, tree, frames)


def _home(tree: exp.Query, parts: list[exp.Query], homes: Homes) -> Engine | None:
    """Return the engine of the sources outside all parts, or None where every source is in one.

    Raises DataError where they stand in several engines.
    """
    inside: set[int] = set()
    for part in parts:
        inside.update(id(table) for table in part.find_all(exp.Table))
    # Of several sources in one engine the last one stands for it in the message.
    direct: dict[str, tuple[Engine, str]] = {}
    for table in tree.find_all(exp.Table):
        name = _source(table, homes)
        if name and id(table) not in inside:
            direct[homes[name].name] = (homes[name], name)
    if len(direct) > 1:
        places = " and ".join(f"{name} ({engine.name})" for engine, name in direct.values())
        names = " and ".join(name for _, name in direct.values())
        advice = "copy one to the other, or aggregate each by itself"
        rule = f"the query reads {places}, which no one engine holds; {advice}"
        raise DataError([Fault(names, rule)])
    for engine, _ in direct.values():
        return engine
    return None


def _source(table: exp.Table, homes: Homes) -> str | None:
    if table.db:
        return None
    return find_column(table.name, homes)


def _sources(tree: exp.Expr, homes: Homes) -> Iterator[str]:
    for table in tree.find_all(exp.Table):
        name = _source(table, homes)
        if name:
            yield name


def _parts(tree: exp.Query, homes: Homes) -> Iterator[exp.Query]:
    """Yield the outermost queries within a query whose sources stand in one engine."""
    for node in [*tree.ctes, *_subqueries(tree)]:
        body = node.this
        engines = {homes[name].name for name in _sources(body, homes)}
        if len(engines) == 1 and not _reads_ctes(body, tree):
            yield body
        elif engines:
            yield from _parts(body, homes)


def _subqueries(tree: exp.Query) -> list[exp.Subquery]:
    """List the subqueries directly under a query, outside its common table expressions."""
    direct: list[exp.Subquery] = []
    for subquery in tree.find_all(exp.Subquery):
        if subquery.find_ancestor(exp.Subquery, exp.CTE) in (None, tree.parent):
            direct.append(subquery)
    return direct


def _reads_ctes(body: exp.Query, tree: exp.Query) -> bool:
    names = {cte.alias for cte in tree.ctes}
    return any(table.name in names for table in body.find_all(exp.Table))


def _fetch(part: exp.Query, engine: Engine, home: Engine, run: Run, homes: Homes) -> pd.DataFrame:
    """Return the rows of a part. Raises DataError where they are too many to cross."""
    most = INTO_DATABASE
    if home.dialect == "duckdb":
        most = INTO_DUCKDB
    bounded = exp.select("*").from_(part.copy().subquery("part")).limit(most + 1)
    frame = run(engine, bounded)
    if len(frame) > most:
        source_name = next(_sources(part, homes))
        way = f"from {engine.name} to {home.name}"
        rule = f"has more than {most:,} rows to bring {way}; keep both in one place"
        raise DataError([Fault(source_name, rule)])
    return frame


def _name_columns(part: exp.Query) -> None:
    """Give every column of a part a name: each engine makes up its own where it has none."""
    for place, projection in enumerate(part.selects):
        if not isinstance(projection, exp.Alias | exp.Column | exp.Star):
            name = projection.alias_or_name or f"_nb_column_{place}"
            projection.replace(exp.alias_(projection.copy(), name, quoted=True))


def _replace(part: exp.Query, name: str, columns: Columns) -> None:
    """Put a frame in the place of a part, each column with the type that it had there."""
    chosen = [_retype(projection, part, columns) for projection in part.selects]
    part.replace(exp.select(*chosen).from_(name))


def _retype(projection: exp.Expr, part: exp.Query, columns: Columns) -> exp.Expr:
    name = projection.alias_or_name
    column = exp.column(name, quoted=True)
    type_ = _type_of(projection.unalias(), part, columns)
    if type_ is None:
        return column
    return exp.alias_(exp.cast(column, type_, dialect="duckdb"), name, quoted=True)


def _type_of(value: exp.Expr, query: exp.Query, columns: Columns) -> str | None:
    """Return the DuckDB type of an expression where it names one, or is a column of a source."""
    match value:
        case exp.Cast():
            return value.to.sql(dialect="duckdb")
        case exp.Coalesce() | exp.Paren() | exp.Min() | exp.Max():
            return _type_of(value.this, query, columns)
        case exp.Case():  # as a day is read from a text
            return _type_of(value.args["ifs"][0].args["true"], query, columns)
        case exp.Column():
            return _type_of_column(value.name, query, columns)
    return None


def _type_of_column(name: str, query: exp.Query, columns: Columns) -> str | None:
    from_ = query.args.get("from_")
    if from_ is None:
        return None
    if isinstance(from_.this, exp.Subquery):
        subquery = from_.this.this
        for projection in subquery.selects:
            if projection.alias_or_name == name:
                return _type_of(projection.unalias(), subquery, columns)
    if isinstance(from_.this, exp.Table):
        return _type_in_source(from_.this.name, name, columns)
    return None


def _type_in_source(source: str, column: str, columns: Columns) -> str | None:
    source_name = find_column(source, columns)
    if not source_name:
        return None
    types = columns[source_name]
    column_name = find_column(column, types)
    if not column_name:
        return None
    return types[column_name]


def complete(query: exp.Expr, known: Mapping[str, Published]) -> exp.Expr:
    """Return the query with everything that it reads of these sources before it.

    What stands on other sources comes after them. Columns get the capitals that they have in the
    database, where only one spelling is known.
    """
    spellings: dict[str, set[str]] = defaultdict(set)
    for source in known.values():
        for column in source.columns:
            spellings[column.casefold()].add(column)
    tree = query.copy()
    for node in tree.find_all(exp.Column):
        _respell(node, spellings.get(node.name.casefold(), set()))
    ctes: dict[str, exp.CTE] = {}
    pointed = _point(tree, known, ctes)
    return with_ctes(pointed, list(ctes.values()))


def _respell(column: exp.Column, spellings: set[str]) -> None:
    """Name a column as its database does, and quote a name with capitals."""
    if column.name in spellings:
        if column.name != column.name.lower():
            column.this.set("quoted", True)
    elif len(spellings) == 1 and isinstance(column.this, exp.Identifier):
        (spelling,) = spellings
        column.set("this", exp.to_identifier(spelling, quoted=True))


def _point(tree: exp.Expr, known: Mapping[str, Published], ctes: dict[str, exp.CTE]) -> exp.Expr:
    """Turn the sources in a tree, in place, to the expressions that stand for them.

    Expressions that are missing are added to `ctes`.
    """
    folded = {name.casefold(): source for name, source in known.items()}
    roots = {source.root: source for source in known.values()}
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if table.db or not isinstance(table.this, exp.Identifier) or table.name in own:
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
    """Return the tree of a source without the columns that a query does not name."""
    all_columns = any(not isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star))
    if all_columns or not isinstance(published, exp.Select):
        return published.copy()
    named = {identifier.name.casefold() for identifier in query.find_all(exp.Identifier)}
    kept: list[exp.Expr] = []
    for projection in published.selects:
        if projection.alias_or_name.casefold() in named:
            kept.append(projection)
    if not kept:
        kept = published.selects[:1]
    return published.select(*kept, append=False)


def _add_base(source: Published, known: Mapping[str, Published], ctes: dict[str, exp.CTE]) -> None:
    if source.root in ctes:
        return
    body = source.base.copy()
    if source.over:
        body = _point(body, known, ctes)
    ctes[source.root] = name_cte(source.root, body)


class Asking:
    """Query databases in DuckDB's words, with the interface of DuckDB's connection.

    `execute(query).fetchall()`.
    """

    def __init__(self, run: Callable[[exp.Expr], pd.DataFrame]) -> None:
        self.run = run

    def execute(self, sql: str) -> Answer:
        """Run a query over published sources and their bases. Raises DataError where it fails."""
        return Answer(self.run(read(sql)))


@dataclass(frozen=True)
class Answer:
    """A result, already fetched."""

    frame: pd.DataFrame

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return its rows, with None for missing values."""
        columns: list[list[Any]] = []
        for index in range(self.frame.shape[1]):
            values = self.frame.iloc[:, index].astype(object)
            columns.append([_plain(value) for value in values])
        return list(zip(*columns, strict=True))


def _plain(value: object) -> object:
    if value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    return value
