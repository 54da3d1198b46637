"""Write a query in an engine's SQL, with frames inside it.

A query is a tree that means what DuckDB means by it. Where sqlglot's own translation would fail or
mean something else, a rule of the dialect steps in: a function from a node, whose children are
translated already, to the node that stands for it.

Frames are common table expressions of VALUES before the query, so that nothing is ever written to
a database.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd
import sqlglot
from sqlglot import exp

from dataops_nb.sources.engines import meanings
from dataops_nb.sources.engines.functions import FUNCTIONS

Rule = Callable[[exp.Expr], exp.Expr]
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_LEAP_DAY = r"(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
_LONG_MONTH = r"(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])"
_SHORT_MONTH = r"(0[469]|11)-(0[1-9]|[12]\d|30)"
_FEBRUARY = r"02-(0[1-9]|1\d|2[0-8])"
_DAY = rf"((\d{{4}}-({_LONG_MONTH}|{_SHORT_MONTH}|{_FEBRUARY}))|{_LEAP_DAY})"
_ZONE = r"(\s?(Z|UTC|[+-](0\d|1[0-4])(:?[0-5]\d)?))?"
# The texts that can be cast to a type; a database ends a query over any other text.
_POSSIBLE = {
    "bigint": r"^\s*[+-]?\d{1,18}\s*$",
    "double": r"^\s*[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,2})?\s*$",
    "date": rf"^\s*{_DAY}\s*$",
    "timestamp": rf"^\s*{_DAY}([T ]{_CLOCK}{_ZONE})?\s*$",
}
# The SQL types of a frame's columns, by the kind of their dtype.
_TYPES = {"i": "bigint", "f": "double", "b": "boolean"}
# The columns of a date dimension: its window, and the first and last day of that.
WINDOW = ["w", "first", "last"]
# A date dimension with more rows is written as its windows and its days.
MOST_ROWS = 200


def say(query: exp.Expr, dialect: str) -> str:
    """Return the SQL of a query in a dialect."""
    tree = query.copy()
    rule = RULES.get(dialect)
    for index, node in enumerate(reversed(list(tree.dfs()))):
        _name_subquery(node, index)
        if rule is None:
            continue
        translated = rule(node)
        if translated is node:
            continue
        if node is tree:
            tree = translated
        else:
            node.replace(translated)
    return tree.sql(dialect=dialect)


def say_with(query: exp.Expr | str, frames: Mapping[str, pd.DataFrame], dialect: str) -> str:
    """Return the SQL of a query with frames inside it; a text is SQL of the dialect already."""
    if isinstance(query, str):
        return query
    return say(with_tables(query, frames), dialect)


def _name_subquery(node: exp.Expr, index: int) -> None:
    """Give a subquery after `from` or `join` an alias: some databases require one."""
    if not isinstance(node, exp.Subquery) or node.alias:
        return
    if isinstance(node.parent, exp.From | exp.Join):
        node.set("alias", exp.TableAlias(this=exp.to_identifier(f"_nb_q{index}")))


def read(sql: str) -> exp.Expr:
    """Return the tree of SQL in DuckDB's dialect."""
    return sqlglot.parse_one(sql, read="duckdb")


def with_tables(query: exp.Expr, frames: Mapping[str, pd.DataFrame]) -> exp.Expr:
    """Return the query with every frame as a common table expression before its own."""
    ctes: list[exp.CTE] = []
    for name, frame in frames.items():
        ctes += list_rows(name, frame)
    return with_ctes(query, ctes)


def with_ctes(query: exp.Expr, ctes: Iterable[exp.CTE]) -> exp.Expr:
    """Return a copy of the query with these common table expressions before its own."""
    tree = query.copy()
    expressions = list(ctes)
    if not expressions:
        return tree
    own = tree.args.get("with_")
    if own:
        expressions += own.expressions
    tree.set("with_", exp.With(expressions=expressions))
    return tree


def name_cte(name: str, body: exp.Expr, columns: Iterable[str] = ()) -> exp.CTE:
    """Return `name(columns) as (body)`."""
    alias = exp.TableAlias(
        this=exp.to_identifier(name, quoted=True),
        columns=[exp.to_identifier(column, quoted=True) for column in columns],
    )
    return exp.CTE(this=body, alias=alias)


def list_rows(name: str, frame: pd.DataFrame) -> list[exp.CTE]:
    """Return a frame as two expressions: its values, and under `name` its values with their types.

    A long date dimension (w, day, first, last) is written as its windows and its days, and joined
    in the engine.
    """
    if len(frame) > MOST_ROWS and {*WINDOW, "day"} == set(frame.columns):
        return _list_dimension(name, frame)
    raw = f"{name}_v"
    typed = [_cast_column(column, frame[column]) for column in frame.columns]
    chosen = exp.select(*typed).from_(_table(raw))
    rows: list[exp.Tuple] = []
    for row in frame.itertuples(index=False, name=None):
        rows.append(exp.Tuple(expressions=[_literal(value) for value in row]))
    if not rows:
        # VALUES need a row; it is left out again.
        rows.append(exp.Tuple(expressions=[exp.null() for _ in frame.columns]))
        chosen = chosen.where(exp.false())
    values = exp.Values(expressions=rows)
    return [name_cte(raw, values, frame.columns), name_cte(name, chosen)]


def _list_dimension(name: str, frame: pd.DataFrame) -> list[exp.CTE]:
    windows = list_rows(f"{name}_w", frame[WINDOW].drop_duplicates())
    days = list_rows(f"{name}_d", frame[["day"]].drop_duplicates())
    first, last = exp.column("first", quoted=True), exp.column("last", quoted=True)
    inside = exp.column("day", quoted=True).between(first, last)
    columns = [exp.column(column, quoted=True) for column in frame.columns]
    joined = exp.select(*columns).from_(_table(f"{name}_w"))
    joined = joined.join(_table(f"{name}_d"), on=inside)
    return [*windows, *days, name_cte(name, joined)]


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def _cast_column(name: str, values: pd.Series) -> exp.Expr:
    column = exp.column(name, quoted=True)
    type_ = _TYPES.get(values.dtype.kind, "text")
    if _holds_days(values):
        type_ = "date"
    return exp.alias_(exp.cast(column, type_), name, quoted=True)


def _holds_days(values: pd.Series) -> bool:
    if values.dtype.kind == "M":
        return True
    return len(values) > 0 and all(isinstance(value, dt.date) for value in values)


def _literal(value: Any) -> exp.Expr:
    if pd.isna(value):
        return exp.null()
    if isinstance(value, pd.Timestamp | dt.date):
        return exp.Literal.string(f"{value:%Y-%m-%d}")
    return exp.convert(value)


def _postgres(node: exp.Expr) -> exp.Expr:
    translated = meanings.in_postgres(node)
    if translated is not None:
        return translated
    if isinstance(node, exp.RegexpFullMatch):
        return _match_whole(node)
    if _is_call(node, "isfinite"):
        value = node.expressions[0]
        above = exp.GT(this=value.copy(), expression=_infinity("-Infinity"))
        below = exp.LT(this=value.copy(), expression=_infinity("Infinity"))
        return exp.paren(exp.and_(above, below))
    if isinstance(node, exp.TryCast):
        return _cast_where_possible(node)
    if isinstance(node, exp.PercentileCont):
        return _within_group(node)
    if isinstance(node, exp.Ordered) and _is_dimension(node.this):
        # Members are in the order of their bytes, as they are in DuckDB.
        bytewise = exp.to_identifier("C", quoted=True)
        node.set("this", exp.Collate(this=node.this.copy(), expression=bytewise))
    return _without_zero(_as_number(node))


def _within_group(node: exp.PercentileCont) -> exp.Expr:
    """Return a percentile as the standard writes it: the share, and the values in their order."""
    order = exp.Order(expressions=[exp.Ordered(this=node.this.copy())])
    share = exp.PercentileCont(this=node.expression.copy())
    return exp.WithinGroup(this=share, expression=order)


def _is_dimension(node: Any) -> bool:
    """Tell whether a node is one of our columns of members: d0, d1, ..."""
    return isinstance(node, exp.Column) and node.name[:1] == "d" and node.name[1:].isdigit()


def _infinity(text: str) -> exp.Expr:
    return exp.cast(exp.Literal.string(text), "double")


def _spark(node: exp.Expr) -> exp.Expr:
    translated = meanings.in_spark(node)
    if translated is not None:
        return translated
    if isinstance(node, exp.RegexpFullMatch):
        return _match_whole(node)
    if _is_call(node, "isfinite"):
        value = node.expressions[0]
        size = exp.Abs(this=value.copy())
        endless = exp.GTE(this=size, expression=_infinity("Infinity"))
        neither = exp.paren(exp.or_(exp.IsNan(this=value.copy()), endless))
        return exp.paren(exp.not_(neither))
    if isinstance(node, exp.PercentileCont):
        return _call("percentile", node.this, node.expression)
    if isinstance(node, exp.AtTimeZone):
        above = node.parent
        if isinstance(above, exp.Paren):
            above = above.parent
        # Of two zones the inner one is that of the stamp, the outer one the company's.
        name = "from_utc_timestamp"
        if isinstance(above, exp.AtTimeZone):
            name = "to_utc_timestamp"
        return _call(name, node.this, node.args["zone"])
    return _without_zero(_as_number(node))


def _sqlite(node: exp.Expr) -> exp.Expr:
    """Put our functions in the place of dates, zones, medians and decimals; see `functions`."""
    if isinstance(node, exp.Cast):
        return _sqlite_cast(node)
    if isinstance(node, exp.CTE) and not node.alias.startswith("_nb_base_"):
        # Else its expressions are evaluated again for each pair of rows.
        node.set("materialized", True)
    call = _sqlite_call(node) or meanings.in_sqlite(node)
    if call is None:
        return _without_zero(node)
    return call


def _sqlite_call(node: exp.Expr) -> exp.Expr | None:
    """Return the call of our function that stands for a node; None where there is none."""
    call: exp.Expr | None = None
    match node:
        case exp.Median():
            call = _call("nb_median", node.this)
        case exp.PercentileCont(expression=exp.Expression()):
            call = _call("nb_percentile", node.this, node.expression)
        case exp.AtTimeZone():
            call = _call("nb_zone", node.this, node.args.get("zone"))
        case exp.Add(expression=exp.Interval()) | exp.Sub(expression=exp.Interval()):
            call = _sqlite_step(node)
        case exp.DateTrunc() | exp.TimestampTrunc():
            call = _call("nb_trunc", _unit(node), node.this)
    return call


def _sqlite_step(node: exp.Expr) -> exp.Expr:
    """Return a day plus or minus an interval as a call of `nb_add`."""
    interval = node.expression
    count = interval.this
    if isinstance(node, exp.Sub):
        count = exp.Neg(this=count.copy())
    return _call("nb_add", node.this, count, _unit(interval))


def _unit(node: exp.Expr) -> str:
    return str(node.args["unit"].name).lower()


def _sqlite_cast(node: exp.Cast) -> exp.Expr:
    value: exp.Expr = node.this
    type_ = _type_name(node)
    if type_ in {"date", "timestamp", "instant"}:
        return _sqlite_moment(value, type_)
    if type_ == "decimal":
        return _call("nb_exact", value)
    if isinstance(node, exp.TryCast) and type_ == "bigint":
        return exp.cast(value.copy(), "bigint")
    if isinstance(node, exp.TryCast) and type_ == "double":
        return _call("nb_double", value)
    return node


def _sqlite_moment(value: exp.Expr, type_: str) -> exp.Expr:
    """Return a cast to a date, a timestamp or an instant: a text, or a call of our function."""
    if type_ == "date" and _is_call(value, "nb_zone"):
        inner = value.expressions[0].unnest()
        if _is_call(inner, "nb_zone"):
            # The day of a stamp in the company's zone: one call instead of three.
            moment = inner.expressions[0].unnest()
            if _is_call(moment, "nb_timestamp"):
                moment = moment.expressions[0]
            return _call("nb_day", moment, inner.expressions[1], value.expressions[1])
    name = f"nb_{type_}"
    if value.is_string:
        _, function = FUNCTIONS[name]
        moment = function(value.name)
        return exp.null() if moment is None else exp.Literal.string(moment)
    if _is_call(value, name):
        return value.copy()
    return _call(name, value)


# Dialects without a rule are translated by sqlglot alone.
RULES: dict[str, Rule] = {
    "postgres": _postgres,
    "redshift": _postgres,
    "spark": _spark,
    "databricks": _spark,
    "sqlite": _sqlite,
}


def _call(name: str, *arguments: exp.Expr | str | None) -> exp.Anonymous:
    """Return a call of a function; texts are literals, and None is left out."""
    expressions: list[exp.Expr] = []
    for argument in arguments:
        if isinstance(argument, str):
            expressions.append(exp.Literal.string(argument))
        elif argument is not None:
            expressions.append(argument.copy())
    return exp.Anonymous(this=name, expressions=expressions)


def _is_call(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def _match_whole(node: exp.RegexpFullMatch) -> exp.Expr:
    """Return a match of the whole value as a match of a pattern with both ends."""
    pattern = exp.Literal.string(f"^(?:{node.expression.name})$")
    return exp.RegexpLike(this=node.this.copy(), expression=pattern)


def _type_name(node: exp.Cast) -> str:
    """Name the type of a cast: date, timestamp (without an offset), instant, or sqlglot's name."""
    if node.is_type("date"):
        return "date"
    if node.is_type("timestamptz", "timestampltz"):
        return "instant"
    if node.is_type(*exp.DataType.TEMPORAL_TYPES):
        return "timestamp"
    return str(node.to.this.value).lower()


def _cast_where_possible(node: exp.TryCast) -> exp.Expr:
    """Return a cast of the texts that the database can read, and null for the others."""
    type_ = _type_name(node)
    if type_ == "instant":
        type_ = "timestamp"
    cast = exp.Cast(this=node.this.copy(), to=node.to.copy())
    if type_ not in _POSSIBLE:
        return cast
    if node.this.is_string and not re.search(_POSSIBLE[type_], node.this.this):
        return exp.Null()  # PostgreSQL casts what is written before it asks any condition
    text = exp.cast(node.this.copy(), "text")
    possible = exp.RegexpLike(this=text, expression=exp.Literal.string(_POSSIBLE[type_]))
    return exp.Case(ifs=[exp.If(this=possible, true=cast)])


def _as_number(node: exp.Expr) -> exp.Expr:
    """Turn a measure that is a condition into a number: 1 where it holds, 0 where it does not."""
    if not isinstance(node, exp.Alias) or node.alias != "x":
        return node
    if not isinstance(node.this.unnest(), exp.Predicate | exp.Not | exp.Connector):
        return node
    condition = node.this.copy()
    negation = exp.not_(exp.paren(condition.copy()))
    cases = exp.case().when(condition, exp.Literal.number(1))
    cases = cases.when(negation, exp.Literal.number(0))
    return exp.alias_(cases, "x")


def _without_zero(node: exp.Expr) -> exp.Expr:
    """Make a division by zero null instead of an error."""
    if not isinstance(node, exp.Div):
        return node
    divisor = node.expression
    if not divisor.is_number and not isinstance(divisor, exp.Nullif):
        zero = exp.Literal.number(0)
        node.set("expression", exp.Nullif(this=divisor.copy(), expression=zero))
    return node
