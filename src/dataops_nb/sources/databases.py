"""Sources behind a `url:`: found in their database and described there; their rows stay where they are."""

from __future__ import annotations

from collections.abc import Mapping

import sqlglot
from sqlglot import exp

from dataops_nb.definitions.models import Source
from dataops_nb.errors import DataError, Fault, did_you_mean
from dataops_nb.sources.engines import Described, Engine
from dataops_nb.sources.evidence import ROW, Raw
from dataops_nb.sources.published import Published, complete
from dataops_nb.sources.sql import find_column, names, quote

_READS = (exp.Select, exp.SetOperation, exp.Subquery)
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Command, exp.Into)


def find_base(name: str, source: Source, engine: Engine, catalog: str = "") -> exp.Expr:
    """The rows of a source as its database knows them: `select * from` its table, or its query as it is written.

    `catalog` is where its tables are, for an engine that holds several. Raises DataError where it is no such SQL.
    """
    try:
        if source.table:
            table = exp.to_table(source.table, dialect=engine.dialect)
            return _in_catalog(exp.select("*").from_(table), catalog)
        trees = [tree for tree in sqlglot.parse(source.query or "", read=engine.dialect) if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        reason = str(error).split(". Line")[0].splitlines()[0]
        what = "table" if source.table else "query"
        raise DataError([Fault(name, f"{what}: is not SQL that can be read as {engine.dialect}: {reason}")]) from error
    if len(trees) != 1 or not isinstance(trees[0], _READS) or trees[0].find(*_WRITES):
        raise DataError([Fault(name, "query: must be one select, which changes nothing")])
    return _in_catalog(trees[0], catalog) if catalog else exp.Var(this=(source.query or "").strip().rstrip(";"))


def _in_catalog(tree: exp.Expr, catalog: str) -> exp.Expr:
    """The query with its tables looked for in that catalog only."""
    within = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table) if catalog else ():
        if isinstance(table.this, exp.Identifier) and (table.db or table.name.casefold() not in within):
            table.set("db", exp.to_identifier(table.db or "main", quoted=True))
            table.set("catalog", exp.to_identifier(catalog, quoted=True))
    return tree


def describe_base(found: Published, source: Source, known: Mapping[str, Published]) -> Described:
    """The columns of a source as it stands. Raises DataError where the database refuses, with the nearest table."""
    try:
        return found.engine.describe(complete(found.base, known) if found.over else found.base)
    except DataError as error:
        told = [each if each.file else Fault(found.name, _explain(found, source, each.rule)) for each in error.faults]
        raise DataError(told) from error


def _explain(found: Published, source: Source, rule: str) -> str:
    if not source.table:
        return f"query: {found.engine.name} refuses it: {rule}"
    try:
        tables = found.engine.tables()
    except DataError:
        tables = []
    known = {table.casefold().rpartition(".")[2] for table in tables}
    if tables and source.table.casefold().rpartition(".")[2] not in known:
        return f"table: {found.engine.name} has no table {source.table!r}{did_you_mean(source.table, tables)}"
    return f"table: {found.engine.name} refuses {source.table}: {rule}"


def stand_in_place(found: Published, source: Source, described: Described, rows: int) -> Raw:
    """The raw relation of a source in its database: its rows are numbered by their key, where a rule needs numbers."""
    keys = tuple(c for k in source.key or [] if (c := find_column(k, described.columns)))
    root, chosen = quote(found.root), names(described.columns)
    order = f"order by {names(keys)}" if keys else f"order by {names(list(described.columns)[:1])}"
    numbered = f"select {chosen}, row_number() over ({order}) - 1 as {ROW} from {root}"
    scan = f"select {chosen} from {root}"
    place = source.table or ""
    return Raw(numbered, scan, described.columns, [], described.infer, rows, table=False, place=place, keys=keys)
