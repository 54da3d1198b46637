"""How a measure's SQL is read: `:as_of` is bound, and what engines disagree on is written out.

A division by 0 is empty, and the weeks between two days are full sevens, on every engine and in
every version of DuckDB, which has changed its mind about both. The root of a negative number, its
logarithm and whatever else has no result is empty too: DuckDB calls it nan, which no sum survives.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from dataops_nb.alignment.rows import Rows

DAYS = "_nb_days"
_ENDS = {"period_start": "_nb_first", "period_end": "_nb_last"}
_SEVEN = exp.Literal.number(7)
_MAY_BE_UNDEFINED = {
    "sqrt", "ln", "log", "log2", "log10", "pow", "power", "acos", "asin", "acosh", "atanh", "fmod",
    "gamma", "lgamma",
}  # fmt: skip


def parse(rows: Rows, text: str) -> exp.Expression:
    """Read a measure's SQL: `:as_of` is the as-of day, and the ends of periods are a window's."""

    def bind(node: exp.Expression) -> exp.Expression:
        name = node.name.lower() if isinstance(node, exp.Placeholder) else ""
        if name == "as_of":
            return exp.cast(exp.Literal.string(rows.as_of.isoformat()), "date")
        return exp.column(_ENDS[name], table=DAYS) if name in _ENDS else node

    def read() -> exp.Expression:
        tree = sqlglot.parse_one(text, dialect=rows.dialect).transform(bind)
        return written_out(tree).transform(_empty_where_undefined)

    return rows.once(("parsed", text), read).copy()


def _empty_where_undefined(node: exp.Expression) -> exp.Expression:
    """Return a function that may have no result with null in the place of nan.

    Only DuckDB has these functions in expressions; over other databases they are refused.
    """
    if not isinstance(node, exp.Func):
        return node
    name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
    if name.lower() not in _MAY_BE_UNDEFINED:
        return node
    nan = exp.cast(exp.Literal.string("nan"), "double")
    return exp.Nullif(this=exp.cast(node.copy(), "double"), expression=nan)


def written_out(tree: exp.Expression) -> exp.Expression:
    """Return an expression with its divisions and weeks in words that every engine knows."""
    out: exp.Expression = tree.transform(_write_out)
    return out


def _write_out(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Div):
        divisor = node.expression
        is_safe = divisor.is_number and float(divisor.to_py()) != 0
        if not is_safe and not isinstance(divisor, exp.Nullif):
            zero = exp.Literal.number(0)
            node.set("expression", exp.Nullif(this=divisor.copy(), expression=zero))
        return node
    unit = node.args.get("unit") if isinstance(node, exp.DateDiff) else None
    if unit is None or str(unit.name).lower() != "week":
        return node
    days = node.copy()
    days.set("unit", exp.var("DAY"))
    left = exp.Mod(this=days.copy(), expression=_SEVEN.copy())
    sevens = exp.paren(exp.Sub(this=days.copy(), expression=exp.paren(left)))
    return exp.paren(exp.Div(this=sevens, expression=_SEVEN.copy()))
