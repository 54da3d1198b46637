"""A query said in an engine's SQL, where sqlglot's own translation would fail or mean something else.

The tree means what DuckDB means by it. A rule is a function from a node (whose children are said already) to the node
that stands for it in one dialect.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from dataops_nb.sources.engines.lite_functions import FUNCTIONS

Rule = Callable[[exp.Expr], exp.Expr]
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_LEAP = r"(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
_DAY = rf"((\d{{4}}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))|{_LEAP})"
_ZONE = r"(\s?(Z|UTC|[+-](0\d|1[0-4])(:?[0-5]\d)?))?"
_POSSIBLE = {
    "bigint": r"^\s*[+-]?\d{1,18}\s*$",
    "double": r"^\s*[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,2})?\s*$",
    "date": rf"^\s*{_DAY}\s*$",
    "timestamp": rf"^\s*{_DAY}([T ]{_CLOCK}{_ZONE})?\s*$",
}


def say(query: exp.Expr, dialect: str) -> str:
    """A query in a dialect."""
    tree, rule = query.copy(), RULES.get(dialect, _keep)
    for i, node in enumerate(reversed(list(tree.dfs()))):
        if isinstance(node, exp.Subquery) and isinstance(node.parent, exp.From | exp.Join) and not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(f"_nb_q{i}")))
        said = rule(node)
        if said is not node:
            if node is tree:
                tree = said
            else:
                node.replace(said)
    return tree.sql(dialect=dialect)


def read(written: str) -> exp.Expr:
    """The tree of SQL that we wrote, in DuckDB's dialect."""
    return sqlglot.parse_one(written, read="duckdb")


def _keep(node: exp.Expr) -> exp.Expr:
    return node


def _call(name: str, *arguments: exp.Expr | str | None) -> exp.Anonymous:
    said = [exp.Literal.string(a) if isinstance(a, str) else a for a in arguments]
    return exp.Anonymous(this=name, expressions=[a.copy() for a in said if a is not None])


def _whole(node: exp.RegexpFullMatch) -> exp.Expr:
    """A match of the whole value, as one of a pattern with both ends."""
    return exp.RegexpLike(this=node.this.copy(), expression=exp.Literal.string(f"^(?:{node.expression.name})$"))


def _is_call(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def _kind(node: exp.Cast) -> str:
    """The type that a cast makes: date, timestamp (without an offset), instant, or sqlglot's name."""
    if node.is_type("date"):
        return "date"
    if node.is_type("timestamptz", "timestampltz"):
        return "instant"
    return "timestamp" if node.is_type(*exp.DataType.TEMPORAL_TYPES) else str(node.to.this.value).lower()


def _postgres(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.RegexpFullMatch):
        return _whole(node)
    if _is_call(node, "isfinite"):
        ends = exp.cast(exp.Literal.string("-Infinity"), "double"), exp.cast(exp.Literal.string("Infinity"), "double")
        value = node.expressions[0]
        return exp.paren(
            exp.and_(exp.GT(this=value.copy(), expression=ends[0]), exp.LT(this=value.copy(), expression=ends[1]))
        )
    if isinstance(node, exp.TryCast):
        return _cast_where_possible(node)
    if isinstance(node, exp.Round) and node.args.get("decimals"):
        exact = exp.Round(this=exp.cast(node.this.copy(), "decimal"), decimals=node.args["decimals"].copy())
        return exp.cast(exact, "double")
    if (
        isinstance(node, exp.Ordered)
        and isinstance(node.this, exp.Column)
        and node.this.name[:1] == "d"
        and node.this.name[1:].isdigit()
    ):
        node.set("this", exp.Collate(this=node.this.copy(), expression=exp.to_identifier("C", quoted=True)))
    return _without_zero(_as_number(node))


def _cast_where_possible(node: exp.TryCast) -> exp.Expr:
    """A cast of the texts that the database can read, because one that it cannot read ends the query."""
    kind = {"instant": "timestamp"}.get(_kind(node), _kind(node))
    cast = exp.Cast(this=node.this.copy(), to=node.to.copy())
    if kind not in _POSSIBLE:
        return cast
    text = exp.cast(node.this.copy(), "text")
    possible = exp.RegexpLike(this=text, expression=exp.Literal.string(_POSSIBLE[kind]))
    return exp.Case(ifs=[exp.If(this=possible, true=cast)])


def _as_number(node: exp.Expr) -> exp.Expr:
    """A measure of a condition: 1 where it holds, 0 where it does not."""
    if (
        isinstance(node, exp.Alias)
        and node.alias == "x"
        and isinstance(node.this.unnest(), exp.Predicate | exp.Not | exp.Connector)
    ):
        held = node.this.copy()
        cases = (
            exp.case().when(held, exp.Literal.number(1)).when(exp.not_(exp.paren(held.copy())), exp.Literal.number(0))
        )
        return exp.alias_(cases, "x")
    return node


def _without_zero(node: exp.Expr) -> exp.Expr:
    """A division by nothing is missing rather than an error."""
    if isinstance(node, exp.Div) and not (node.expression.is_number or isinstance(node.expression, exp.Nullif)):
        node.set("expression", exp.Nullif(this=node.expression.copy(), expression=exp.Literal.number(0)))
    return node


def _spark(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.RegexpFullMatch):
        return _whole(node)
    if _is_call(node, "isfinite"):
        value = node.expressions[0]
        endless = exp.GTE(
            this=exp.Abs(this=value.copy()), expression=exp.cast(exp.Literal.string("Infinity"), "double")
        )
        return exp.paren(exp.not_(exp.paren(exp.or_(exp.IsNan(this=value.copy()), endless))))
    if isinstance(node, exp.AtTimeZone):
        above = node.parent.parent if isinstance(node.parent, exp.Paren) else node.parent
        inner = isinstance(above, exp.AtTimeZone)
        return _call("to_utc_timestamp" if inner else "from_utc_timestamp", node.this, node.args["zone"])
    return _without_zero(_as_number(node))


_PARTS: dict[type, str] = {
    exp.Year: "year",
    exp.Month: "month",
    exp.Day: "day",
    exp.Quarter: "quarter",
    exp.DayOfWeek: "dow",
}


def _sqlite(node: exp.Expr) -> exp.Expr:
    """SQLite has no dates, zones, medians or decimals: functions of ours stand in, see `lite_functions`."""
    if isinstance(node, exp.Cast):
        return _sqlite_cast(node)
    if isinstance(node, exp.CTE) and not node.alias.startswith("_nb_base_"):
        node.set("materialized", True)  # else its expressions are evaluated again for each pair of rows
    if isinstance(node, exp.AtTimeZone | exp.Median):
        return _call("nb_median" if isinstance(node, exp.Median) else "nb_zone", node.this, node.args.get("zone"))
    if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
        step = node.expression
        count = exp.Neg(this=step.this.copy()) if isinstance(node, exp.Sub) else step.this
        return _call("nb_add", node.this, count, str(step.args["unit"].name).lower())
    if isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
        return _call("nb_trunc", str(node.args["unit"].name).lower(), node.this)
    unit = str(node.this.name).lower() if isinstance(node, exp.Extract) else _PARTS.get(type(node))
    if unit is not None:
        return _call("nb_part", unit, node.expression if isinstance(node, exp.Extract) else node.this)
    return _without_zero(node)


def _sqlite_cast(node: exp.Cast) -> exp.Expr:
    value: exp.Expr = node.this
    kind = _kind(node)
    if kind == "date" and _is_call(value, "nb_zone") and _is_call(value.expressions[0].unnest(), "nb_zone"):
        inner = value.expressions[0].unnest()
        moment = inner.expressions[0].unnest()
        moment = moment.expressions[0] if _is_call(moment, "nb_timestamp") else moment
        return _call("nb_day", moment, inner.expressions[1], value.expressions[1])
    if kind in ("date", "timestamp", "instant"):
        if value.is_string:
            return exp.Literal.string(FUNCTIONS[f"nb_{kind}"][1](value.name) or "")
        return value.copy() if _is_call(value, f"nb_{kind}") else _call(f"nb_{kind}", value)
    if kind == "decimal":
        return _call("nb_exact", value)
    if isinstance(node, exp.TryCast) and kind == "bigint":
        return exp.cast(value.copy(), "bigint")
    return node


RULES: dict[str, Rule] = {
    "postgres": _postgres,
    "redshift": _postgres,
    "spark": _spark,
    "databricks": _spark,
    "sqlite": _sqlite,
}
