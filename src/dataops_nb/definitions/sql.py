"""The SQL in the company's files: one condition, one expression or one SELECT, and nothing else.

Each piece is parsed as DuckDB reads it. A fault is a text for the person who wrote the SQL; ""
means that there is none. A company without SQL does not wait for the parser, so it is imported in
the functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dataops_nb.definitions.models import Source
from dataops_nb.errors import did_you_mean
from dataops_nb.lineage import upstream
from dataops_nb.steady import AS_OF, fault_of_run

DIALECT = "duckdb"
PLACEHOLDERS = ("period_start", "period_end", AS_OF)
_READS_FILES = re.compile(r"read|glob|scan|query|sniff", re.IGNORECASE)


def fault_of_condition(sql: str) -> str:
    """Say why `sql` is no condition on rows; return "" where it is one."""
    return _fault_of_sql(sql, placeholders=PLACEHOLDERS)


def fault_of_expression(sql: str) -> str:
    """Say why `sql` is no expression over a row's columns; return "" where it is one."""
    return _fault_of_sql(sql, placeholders=(AS_OF,))


def _fault_of_sql(sql: str, placeholders: tuple[str, ...]) -> str:
    from sqlglot import exp  # noqa: PLC0415  see the docstring of this module

    tree = _parse_sql(sql, into=exp.Condition)
    if isinstance(tree, str):
        return f"is not one SQL expression: {tree}"
    if tree.find(exp.Query):
        return "holds a SELECT; an expression speaks about the columns of one row"
    if tree.find(exp.Star, exp.Tuple) and not tree.find(exp.In, exp.AggFunc):
        return "is not one SQL expression: it names several columns"
    if tree.find(exp.AggFunc, exp.Window):
        return "aggregates rows; say how under agg, and give here what one row is worth"
    if tree.find(exp.Unnest, exp.Explode):
        return "makes several rows of one; do that in a query:, and give here what one row is worth"
    return _fault_of_placeholders(tree, placeholders) or fault_of_run(sql)


def _fault_of_placeholders(tree: Any, placeholders: tuple[str, ...]) -> str:
    from sqlglot import exp  # noqa: PLC0415  see the docstring of this module

    for placeholder in tree.find_all(exp.Placeholder, exp.Parameter):
        if placeholder.name.lower() not in placeholders:
            return _unknown_placeholder(placeholder.name, placeholders)
    return ""


def _unknown_placeholder(name: str, placeholders: tuple[str, ...]) -> str:
    message = f"unknown placeholder :{name}"
    near = did_you_mean(name, placeholders)
    if near:
        return message + near
    if not placeholders:
        return message
    *others, last = [f":{placeholder}" for placeholder in placeholders]
    known = f"{', '.join(others)} and {last}" if others else last
    return f"{message}; {known} may stand here"


def read_query(sql: str) -> tuple[list[str], str]:
    """Return the tables that one SELECT reads, and why it is none; "" where it is one."""
    from sqlglot import exp  # noqa: PLC0415  see the docstring of this module

    tree = _parse_sql(sql)
    if isinstance(tree, str):
        return [], f"is not one SELECT: {tree}"
    if not isinstance(tree, exp.Query):
        return [], f"is not one SELECT but {tree.key.upper()}"
    fault = _fault_of_placeholders(tree, (AS_OF,)) or fault_of_run(sql)

    own = {part.alias.casefold() for part in tree.find_all(exp.CTE)}
    # A dictionary as an ordered set: each table once, in the order of the query.
    tables: dict[str, None] = {}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Func):
            if _READS_FILES.search(_function_name(table.this)):
                return [], "reads a file by itself; declare a source for it and name that"
        elif table.db or table.name.casefold() not in own:
            name = ".".join(part.name for part in table.parts)
            tables[name] = None
    return list(tables), fault


def sources_behind(sources: Mapping[str, Source], named: Iterable[str]) -> list[str]:
    """Return the named sources and all that their queries read, each once.

    A source stands after those that it reads. A query with a url reads its own database only.
    """
    names_by_folded = {name.casefold(): name for name in sources}

    def parts(name: str) -> list[str]:
        source = sources[name]
        if not source.query or source.url:
            return []
        tables, _ = read_query(source.query)
        folded = [table.casefold() for table in tables]
        return [names_by_folded[table] for table in folded if table in names_by_folded]

    return upstream(named, parts)


def _function_name(function: Any) -> str:
    from sqlglot import exp  # noqa: PLC0415  see the docstring of this module

    if isinstance(function, exp.Anonymous):
        return str(function.name)
    return str(function.sql_name())


def _parse_sql(sql: str, into: Any = None) -> Any:
    """Return the parser's tree of one piece of SQL, or a text that says why there is none."""
    import sqlglot  # noqa: PLC0415  see the docstring of this module
    from sqlglot.errors import SqlglotError  # noqa: PLC0415  see the docstring of this module

    semicolon = sqlglot.TokenType.SEMICOLON
    try:
        tokens = sqlglot.tokenize(sql, dialect=DIALECT)
        if any(token.token_type == semicolon for token in tokens):
            return "leave the semicolon out"
        if into is None:
            return sqlglot.parse_one(sql, dialect=DIALECT)
        return sqlglot.parse_one(sql, dialect=DIALECT, into=into)
    except SqlglotError as error:
        return _syntax_fault(error, sql)
    except RecursionError:
        return "it is nested too deeply"


def _syntax_fault(error: Any, sql: str) -> str:
    """Put the parser's complaint in plain words."""
    if "tokeniz" in str(error):
        return "a quotation mark is not closed"
    details = getattr(error, "errors", None) or [{}]
    near = details[0].get("highlight")
    description = str(details[0].get("description", ""))
    if not sql.strip() and not near:
        return "it is empty"
    if not near:
        return "it says nothing"
    if description.startswith("Expecting"):
        return f"{description.lower()} near {near!r}"
    if "Required keyword" in description:
        return f"something is missing after {near!r}"
    return f"not expected: {near!r}"
