"""Metrics as one SQL expression, for tools that know nothing else: written, and read back.

`write` gives the expression of a metric, or the reason why none is right: a sum in the place of a
stock would be a wrong number under a right name. `read` takes an expression apart again: one
aggregation is a simple metric, a quotient of two is a ratio, other arithmetic is derived. What is
more than that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from dataops_nb.interchange.dbt_filters import RefusedError
from dataops_nb.interchange.imported import free_name

DUCKDB = "duckdb"
WRITTEN = {"sum": "SUM", "average": "AVG", "min": "MIN", "max": "MAX", "median": "MEDIAN"}
READ: dict[Any, str] = {
    exp.Sum: "sum",
    exp.Avg: "average",
    exp.Min: "min",
    exp.Max: "max",
    exp.Median: "median",
}
OPERATORS: dict[Any, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}

Document = dict[str, Any]


# --- write ---------------------------------------------------------------------------------------


def write(name: str, documents: Mapping[str, Document], sources: Mapping[str, Document]) -> str:
    """Return the expression of a metric.

    Raises RefusedError, with the reason, where no expression is right.
    """
    document = documents[name]
    kind = document["type"]
    if kind == "simple":
        return aggregate(document["measure"], sources)
    if kind == "ratio":
        sides = []
        for role in ("numerator", "denominator"):
            if isinstance(document[role], dict):
                raise RefusedError("divides by another period")
            sides.append(write(document[role], documents, sources))
        return f"1.0 * ({sides[0]}) / NULLIF(({sides[1]}), 0)"
    if kind == "derived":
        if document.get("parts"):
            raise RefusedError("stands on another period")
        return _write_formula(document["expr"], documents, sources)
    if kind == "cumulative":
        raise RefusedError("runs over a window")
    raise RefusedError("is a conversion")


def _write_formula(
    formula: str, documents: Mapping[str, Document], sources: Mapping[str, Document]
) -> str:
    tree = sqlglot.parse_one(formula, dialect=DUCKDB)

    def inline(node: Any) -> Any:
        if isinstance(node, exp.Column):
            part = write(node.name, documents, sources)
            return exp.Paren(this=sqlglot.parse_one(part))
        if isinstance(node, exp.Div):
            guarded = exp.Nullif(this=node.expression, expression=exp.Literal.number(0))
            return exp.Div(this=exp.Mul(this=exp.Literal.number("1.0"), expression=node.this),
                           expression=guarded)  # fmt: skip
        return node

    # from the leaves up, so that what was put in is not looked at again
    for node in list(tree.find_all(exp.Div, exp.Column))[::-1]:
        replaced = inline(node.copy() if node is tree else node)
        if node is tree:
            tree = replaced
        else:
            node.replace(replaced)
    return str(tree.sql())


def why_not(measure: Mapping[str, Any], source: Mapping[str, Any]) -> str:
    """Return why one aggregation over a table cannot say a measure; "" where it can."""
    kinds = {
        "counts what is seen for the first time": measure["agg"] == "first_seen",
        "counts spans that are open": measure.get("open"),
        "is a stock, the value of a period's last day": measure.get("at"),
        "converts currencies": measure.get("currency"),
        "counts only the latest row of a key": source.get("latest"),
    }
    for reason, holds in kinds.items():
        if holds:
            return reason
    texts = [str(measure.get(key, "")) for key in ("expr", "filter", "exclude")]
    for placeholder in (":period_start", ":period_end", ":as_of"):
        if any(placeholder in text for text in texts):
            return f"names {placeholder}"
    for column, rule in source.get("columns", {}).items():
        if rule.get("map") and any(_names(text, column) for text in texts if text):
            return f"reads other spellings of {column}"
    return ""


def _names(sql: str, column: str) -> bool:
    tree = sqlglot.parse_one(sql, dialect=DUCKDB)
    return any(node.name.casefold() == column.casefold() for node in tree.find_all(exp.Column))


def aggregate(measure: Mapping[str, Any], sources: Mapping[str, Document]) -> str:
    """Return a measure as one aggregation, its columns named with their table."""
    source = sources[measure["source"]]
    reason = why_not(measure, source)
    if reason:
        raise RefusedError(reason)
    table = measure["source"]
    condition = _condition(measure, table)
    agg = measure["agg"]
    inner = _qualified(measure["expr"], table) if measure.get("expr") else _of_row(source, table)
    if condition:
        inner = f"CASE WHEN {condition} THEN {inner or '1'} END"
    if agg == "count":
        return f"COUNT({inner or '*'})"
    if agg == "count_distinct":
        return f"COUNT(DISTINCT {inner})"
    if agg == "percentile":
        return f"PERCENTILE_CONT({measure['q']}) WITHIN GROUP (ORDER BY {inner})"
    return f"{WRITTEN[agg]}({inner})"


def _of_row(source: Mapping[str, Any], table: str) -> str:
    """Return a column that no row leaves empty; "" where none is known."""
    key = source.get("key")
    if not key:
        return ""
    column = key if isinstance(key, str) else key[0]
    return _qualified(f'"{column}"' if not column.isidentifier() else column, table)


def _condition(measure: Mapping[str, Any], table: str) -> str:
    conditions = []
    if measure.get("filter"):
        conditions.append(_qualified(measure["filter"], table))
    if measure.get("exclude"):
        conditions.append(f"NOT COALESCE({_qualified(measure['exclude'], table)}, FALSE)")
    if len(conditions) > 1:
        return " AND ".join(f"({condition})" for condition in conditions)
    return conditions[0] if conditions else ""


def _qualified(sql: str, table: str) -> str:
    """Return an expression with its columns named `table.column`."""
    tree = sqlglot.parse_one(sql, dialect=DUCKDB)
    for column in tree.find_all(exp.Column):
        if not column.table:
            column.set("table", exp.to_identifier(table))
    return str(tree.sql())


def row_expression(measure: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[str, str]:
    """Return a measure as an aggregation and what it is of in each row, filtered by CASE.

    For tools that have a table at hand already. Raises RefusedError as `write` does.
    """
    reason = why_not(measure, source)
    if reason:
        raise RefusedError(reason)
    conditions = []
    if measure.get("filter"):
        conditions.append(measure["filter"])
    if measure.get("exclude"):
        conditions.append(f"not coalesce({measure['exclude']}, false)")
    key = source.get("key")
    first = key if isinstance(key, str) else (key or ["1"])[0]
    inner = measure.get("expr") or first
    agg = measure["agg"]
    if not conditions:
        return ("sum", "1") if inner == "1" and agg == "count" else (agg, inner)
    condition = " and ".join(f"({text})" for text in conditions)
    return agg, f"case when {condition} then {inner} end"


# --- read ----------------------------------------------------------------------------------------


class Reader:
    """Reads the expressions of one document.

    `table_of` gives the table of a column that names none, `column_of` the SQL of a table's field.
    """

    def __init__(
        self,
        table_of: Callable[[str], str],
        column_of: Callable[[str, str], str],
        table_of_rows: Callable[[], str],
        taken: set[str],
    ) -> None:
        self._table_of = table_of
        self._column_of = column_of
        self._table_of_rows = table_of_rows
        self._taken = taken

    def read(self, name: str, text: str) -> dict[str, Document]:
        """Return the metric of an expression, after the parts that it needs, by name.

        Raises RefusedError where the expression says more than a metric here can.
        """
        try:
            tree: Any = sqlglot.parse_one(text)
        except sqlglot.errors.SqlglotError as error:
            raise RefusedError(f"its expression cannot be read: {text}") from error
        if tree.find(exp.Window):
            raise RefusedError(f"uses a window: {text}")
        if tree.find(exp.Query):
            raise RefusedError(f"holds a SELECT: {text}")
        tree = _bare(tree)
        parts: dict[str, Document] = {}
        if _is_aggregation(tree):
            parts[name] = self._simple(tree, text)
            return parts
        sides = _quotient(tree)
        if sides and all(_is_aggregation(side) for side in sides):
            numerator = self._part(name, sides[0], parts, text)
            denominator = self._part(name, sides[1], parts, text)
            combined: Document = {
                "type": "ratio",
                "numerator": numerator,
                "denominator": denominator,
            }
        else:
            combined = {"type": "derived", "expr": self._formula(name, tree, parts, text)}
            if not parts:
                raise RefusedError(f"aggregates nothing: {text}")
        tables = {part["measure"]["source"] for part in parts.values()}
        if len(tables) > 1:
            raise RefusedError(f"joins {' and '.join(sorted(tables))} in one expression: {text}")
        return {**parts, name: combined}

    def _part(self, name: str, tree: Any, parts: dict[str, Document], text: str) -> str:
        document = self._simple(tree, text)
        for known, other in parts.items():
            if other == document:
                return known
        part = free_name(f"{name}_{len(parts) + 1}", self._taken)
        self._taken.add(part)
        parts[part] = document
        return part

    def _formula(self, name: str, tree: Any, parts: dict[str, Document], text: str) -> str:
        tree = _bare(tree)
        if _is_aggregation(tree):
            return self._part(name, tree, parts, text)
        sides = _quotient(tree)
        if sides:
            top = self._formula(name, sides[0], parts, text)
            return f"({top}) / ({self._formula(name, sides[1], parts, text)})"
        if type(tree) in OPERATORS:
            left = self._formula(name, tree.this, parts, text)
            right = self._formula(name, tree.expression, parts, text)
            return f"({left}) {OPERATORS[type(tree)]} ({right})"
        if isinstance(tree, exp.Neg):
            return f"-({self._formula(name, tree.this, parts, text)})"
        if isinstance(tree, exp.Literal) and not tree.is_string:
            return str(tree.this)
        raise RefusedError(f"is more than aggregations and + - * /: {text}")

    def _simple(self, tree: Any, text: str) -> Document:
        measure: Document = {}
        inner: Any = tree.this
        if isinstance(tree, exp.Count):
            measure["agg"] = "count"
            if isinstance(inner, exp.Distinct):
                if len(inner.expressions) != 1:
                    raise RefusedError(f"counts several columns at once: {text}")
                measure["agg"] = "count_distinct"
                inner = inner.expressions[0]
        elif isinstance(tree, exp.WithinGroup):
            measure["agg"] = "percentile"
            measure["q"] = float(tree.this.this.name)
            inner = tree.expression.expressions[0].this
        else:
            measure["agg"] = READ[type(tree)]
        tables = self._name_tables(inner, text)
        source = tables.pop() if tables else self._table_of_rows()
        inner = self._take_condition(inner, source, measure)
        if not isinstance(inner, exp.Star) and not _is_number(inner):
            measure["expr"] = self._sql(inner, source)
        elif measure["agg"] != "count":
            measure["expr"] = inner.sql(dialect=DUCKDB)
        return {"type": "simple", "measure": {"source": source, **measure}}

    def _name_tables(self, inner: Any, text: str) -> set[str]:
        tables = set()
        for column in inner.find_all(exp.Column):
            tables.add(column.table or self._table_of(column.name))
        if len(tables) > 1:
            raise RefusedError(f"joins {' and '.join(sorted(tables))} in one expression: {text}")
        return tables

    def _take_condition(self, inner: Any, source: str, measure: Document) -> Any:
        """Take the condition of `CASE WHEN f THEN x END` out as a filter, and return `x`."""
        if not isinstance(inner, exp.Case) or inner.this or inner.args.get("default"):
            return inner
        if len(inner.args["ifs"]) != 1:
            return inner
        branch = inner.args["ifs"][0]
        condition = _bare(branch.this)
        excluded = _excluded(condition)
        if excluded is not None:
            measure["exclude"] = self._sql(excluded, source)
        else:
            measure["filter"] = self._sql(condition, source)
        return branch.args["true"]

    def _sql(self, tree: Any, source: str) -> str:
        """Return an expression over the columns of a source, each field in place of its name."""
        holder = exp.Paren(this=tree.copy())
        for column in list(holder.find_all(exp.Column)):
            field = sqlglot.parse_one(self._column_of(source, column.name), dialect=DUCKDB)
            is_plain = isinstance(field, exp.Column)
            column.replace(field if is_plain else exp.Paren(this=field))
        return str(holder.this.sql(dialect=DUCKDB))


def _bare(tree: Any) -> Any:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def _is_number(tree: Any) -> bool:
    return isinstance(tree, exp.Literal) and not tree.is_string


def _is_aggregation(tree: Any) -> bool:
    tree = _bare(tree)
    if isinstance(tree, exp.WithinGroup):
        return isinstance(tree.this, exp.PercentileCont)
    return isinstance(tree, exp.Count) or type(tree) in READ


def _quotient(tree: Any) -> tuple[Any, Any] | None:
    """Return both sides of a quotient, without what guards it; None where it is none."""
    if not isinstance(tree, exp.Div):
        return None
    top, bottom = _bare(tree.this), _bare(tree.expression)
    if isinstance(top, exp.Mul) and _is_number(top.this) and float(top.this.this) == 1.0:
        top = _bare(top.expression)
    if isinstance(bottom, exp.Nullif) and bottom.expression.sql() == "0":
        bottom = _bare(bottom.this)
    return top, bottom


def _excluded(condition: Any) -> Any | None:
    """Return `f` of `NOT COALESCE(f, FALSE)`; None for any other condition."""
    if not isinstance(condition, exp.Not):
        return None
    inner = _bare(condition.this)
    if not isinstance(inner, exp.Coalesce) or len(inner.expressions) != 1:
        return None
    return inner.this if inner.expressions[0].sql().upper() == "FALSE" else None
