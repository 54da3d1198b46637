"""The SQL in definitions: one condition, one expression or one SELECT, and nothing else."""

from __future__ import annotations

import re
from typing import Any

from dataops_nb.errors import did_you_mean

DIALECT = "duckdb"
PLACEHOLDERS = ("period_start", "period_end")
_READS_FILES = re.compile(r"read|glob|scan|query|sniff", re.IGNORECASE)


def fault_of_condition(sql: str) -> str:
    """Why `sql` is no condition on rows; empty where it is one."""
    return _fault(sql, placeholders=PLACEHOLDERS)


def fault_of_expression(sql: str) -> str:
    """Why `sql` is no expression over a row's columns; empty where it is one."""
    return _fault(sql, placeholders=())


def _fault(sql: str, placeholders: tuple[str, ...]) -> str:
    from sqlglot import exp  # noqa: PLC0415  a company without SQL does not wait for the parser

    tree = _parse(sql, into=exp.Condition)
    if isinstance(tree, str):
        return f"is not one SQL expression: {tree}"
    if tree.find(exp.Query):
        return "holds a SELECT; an expression speaks about the columns of one row"
    if tree.find(exp.Star, exp.Tuple) and not tree.find(exp.In, exp.AggFunc):
        return "is not one SQL expression: it names several columns"
    if tree.find(exp.AggFunc, exp.Window):
        return "aggregates rows; say how under agg, and give here what one row is worth"
    for found in tree.find_all(exp.Placeholder, exp.Parameter):
        if found.name not in placeholders:
            known = f"; {' and '.join(f':{name}' for name in placeholders)} may stand here" if placeholders else ""
            return f"unknown placeholder :{found.name}{did_you_mean(found.name, placeholders) or known}"
    return ""


def read_query(sql: str) -> tuple[list[str], str]:
    """The tables that one SELECT reads, and why it is none; the reason is empty where it is one."""
    from sqlglot import exp  # noqa: PLC0415  see above

    tree = _parse(sql)
    if isinstance(tree, str):
        return [], f"is not one SELECT: {tree}"
    if not isinstance(tree, exp.Query):
        return [], f"is not one SELECT but {tree.key.upper()}"
    own = {part.alias.casefold() for part in tree.find_all(exp.CTE)}
    tables: dict[str, None] = {}
    for table in tree.find_all(exp.Table):
        called = table.this
        if isinstance(called, exp.Func):
            function = called.name if isinstance(called, exp.Anonymous) else called.sql_name()
            if _READS_FILES.search(function):
                return [], "reads a file by itself; declare a source for it and name that"
        elif table.db or table.name.casefold() not in own:
            tables[".".join(part.name for part in table.parts)] = None
    return list(tables), ""


def _parse(sql: str, into: Any = None) -> Any:
    """The parser's tree of one piece of SQL, or, as text, why there is none."""
    import sqlglot  # noqa: PLC0415  see above
    from sqlglot.errors import SqlglotError  # noqa: PLC0415  see above

    try:
        tokens = sqlglot.tokenize(sql, dialect=DIALECT)
        if any(token.token_type == sqlglot.TokenType.SEMICOLON for token in tokens):
            return "leave the semicolon out"
        return sqlglot.parse_one(sql, dialect=DIALECT, into=into) if into else sqlglot.parse_one(sql, dialect=DIALECT)
    except SqlglotError as error:
        return _reason(error, sql)
    except RecursionError:
        return "it is nested too deeply"


def _reason(error: Any, sql: str) -> str:
    """The parser's complaint in words."""
    found = (getattr(error, "errors", None) or [{}])[0]
    near = found.get("highlight")
    if "tokeniz" in str(error):
        return "a quotation mark is not closed"
    if not near:
        return "it is empty" if not sql.strip() else "it says nothing"
    said = str(found.get("description", ""))
    if said.startswith("Expecting"):
        return f"{said.lower()} near {near!r}"
    return f"something is missing after {near!r}" if "Required keyword" in said else f"not expected: {near!r}"
