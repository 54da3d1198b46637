"""What DuckDB's functions of days, texts and numbers are in another engine's SQL.

Each function takes a node whose children are translated already, and returns the node that means
the same, or None where the engine means it anyway. `definitions.expressions` lists what is tried.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

from sqlglot import exp

_PARTS: dict[type, str] = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Week: "week",
    exp.WeekOfYear: "week",
    exp.Day: "day",
    exp.DayOfMonth: "day",
    exp.DayOfWeek: "dow",
    exp.DayOfWeekIso: "isodow",
    exp.DayOfYear: "doy",
    exp.Hour: "hour",
    exp.Minute: "minute",
    exp.Second: "second",
}
_CALLED_PARTS = {"weekday": "dow", "isoyear": "isoyear"}
_POSTGRES_FORMATS = {
    "Y": "YYYY", "m": "MM", "d": "DD", "H": "HH24", "M": "MI", "S": "SS", "j": "DDD", "y": "YY",
    "G": "IYYY", "V": "IW", "u": "ID",
}  # fmt: skip
_SPARK_FORMATS = {
    "Y": "yyyy", "m": "MM", "d": "dd", "H": "HH", "M": "mm", "S": "ss", "j": "DDD", "y": "yy",
}  # fmt: skip
_SPARK_PARTS = {
    "year": "year", "quarter": "quarter", "month": "month", "week": "weekofyear", "day": "day",
    "doy": "dayofyear", "hour": "hour", "minute": "minute", "second": "second",
}  # fmt: skip
_ARITHMETIC: dict[type, Callable[[Decimal, Decimal], Decimal]] = {
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
}
_MOMENTS = {"nb_add", "nb_trunc", "nb_last_day"}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def in_sqlite(node: exp.Expr) -> exp.Expr | None:
    """Return what a node is in SQLite: mostly a call of one of our own functions."""
    part = _part(node)
    if part is not None:
        return _call("nb_part", exp.Literal.string(part[0]), part[1])
    translated: exp.Expr | None = None
    match node:
        case exp.DateDiff():
            unit = exp.Literal.string(_unit(node))
            translated = _call("nb_diff", unit, node.expression, node.this)
        case exp.LastDay():
            translated = _call("nb_last_day", node.this)
        case exp.TimeToStr():
            translated = _call("nb_text", node.this, node.args["format"])
        case exp.Round():
            decimals = node.args.get("decimals") or exp.Literal.number(0)
            translated = _call("nb_round", node.this, decimals)
        case exp.Left():
            translated = _call("substr", node.this, exp.Literal.number(1), node.expression)
        case exp.Right():
            translated = _call("nb_right", node.this, node.expression)
        case exp.Ceil() | exp.Floor() | exp.Sign():
            translated = _call(f"nb_{node.key}", node.this)
        case exp.Between() | exp.In():
            translated = _moments_inside(node)
        case exp.Add() | exp.Sub() | exp.Mul():
            translated = _exact(node)
        case _ if isinstance(node, _COMPARISONS):
            translated = _moments_inside(node)
    return translated


def _exact(node: exp.Expr) -> exp.Expr | None:
    """Return the result of arithmetic on written decimals; None for any other arithmetic.

    The other engines compute 0.1 + 0.2 as the decimals that are written, SQLite as floats.
    """
    left, right = _written(node.this), _written(node.expression)
    if left is None or right is None:
        return None
    with localcontext() as context:
        context.prec = 76
        result = _ARITHMETIC[type(node)](left, right)
    number: exp.Expr = exp.Literal.number(f"{abs(result):f}")
    return exp.paren(exp.Neg(this=number)) if result < 0 else number


def _written(node: exp.Expr) -> Decimal | None:
    """Return a number as it is written, without an exponent, which would make it a float."""
    node = node.unnest()
    if isinstance(node, exp.Neg):
        inner = _written(node.this)
        return None if inner is None else -inner
    is_decimal = isinstance(node, exp.Literal) and not node.is_string
    if is_decimal and re.fullmatch(r"\d*\.?\d+|\d+\.", node.name):
        return Decimal(node.name)
    return None


def in_postgres(node: exp.Expr) -> exp.Expr | None:
    """Return what a node is in PostgreSQL."""
    part = _part(node)
    if part is not None:
        return _whole(exp.Extract(this=exp.var(part[0]), expression=_stamp(part[1])))
    translated: exp.Expr | None = None
    match node:
        case exp.DateDiff():
            days = exp.Sub(this=_day(node.this), expression=_day(node.expression))
            translated = _difference(node, exp.paren(days), in_postgres)
        case exp.TimestampTrunc() | exp.DateTrunc():
            unit = exp.Literal.string(_unit(node))
            translated = exp.cast(_call("date_trunc", unit, _stamp(node.this)), "date")
        case exp.LastDay():
            translated = exp.LastDay(this=_stamp(node.this))
        case exp.TimeToStr():
            translated = _joined(node, _piece_in_postgres)
        case exp.Round():
            translated = _rounded(node)
        case exp.Contains():
            position = exp.StrPosition(this=node.this.copy(), substr=node.expression.copy())
            translated = exp.paren(exp.GT(this=position, expression=exp.Literal.number(0)))
        case exp.EndsWith():
            length = exp.Length(this=node.expression.copy())
            end = exp.Right(this=node.this.copy(), expression=length)
            translated = exp.paren(exp.EQ(this=end, expression=node.expression.copy()))
    return translated


def in_spark(node: exp.Expr) -> exp.Expr | None:
    """Return what a node is in Spark."""
    part = _part(node)
    if part is not None:
        return _part_in_spark(*part)
    translated: exp.Expr | None = None
    match node:
        case exp.DateDiff():
            days = _call("datediff", _day(node.this), _day(node.expression))
            translated = _difference(node, days, in_spark)
        case exp.TimeToStr():
            translated = _joined(node, _piece_in_spark)
        case exp.Round():
            translated = _rounded(node)
    return translated


def _part(node: exp.Expr) -> tuple[str, exp.Expr] | None:
    """Return which part of which moment a node asks for; None where it asks for none."""
    if isinstance(node, exp.Extract):
        return str(node.this.name).lower(), node.expression
    if type(node) in _PARTS:
        return _PARTS[type(node)], node.this
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        if name in _CALLED_PARTS and len(node.expressions) == 1:
            return _CALLED_PARTS[name], node.expressions[0]
        if name == "date_part" and len(node.expressions) == 2:
            return str(node.expressions[0].name).lower(), node.expressions[1]
    return None


def _part_in_spark(part: str, moment: exp.Expr) -> exp.Expr:
    one = exp.Literal.number(1)
    if part == "dow":
        return exp.paren(exp.Sub(this=_call("dayofweek", moment), expression=one))
    if part == "isodow":
        return exp.paren(exp.Add(this=_call("weekday", moment), expression=one))
    if part == "isoyear":
        return exp.Extract(this=exp.var("YEAROFWEEK"), expression=moment.copy())
    return _call(_SPARK_PARTS.get(part, part), moment)


def _difference(node: exp.DateDiff, days: exp.Expr, say_part: Any) -> exp.Expr:
    """Return how many ends of a unit lie between two moments; a week is seven days."""
    unit = _unit(node)
    if unit == "week":
        return exp.IntDiv(this=days, expression=exp.Literal.number(7))
    if unit not in ("month", "quarter", "year"):
        return days

    def count(moment: exp.Expr) -> exp.Expr:
        """Return how many of the unit lie before a moment."""
        year = say_part(exp.Year(this=moment.copy()))
        if unit == "year":
            return exp.paren(year)
        size = exp.Literal.number(12 if unit == "month" else 4)
        kind = exp.Month if unit == "month" else exp.Quarter
        own = say_part(kind(this=moment.copy()))
        return exp.paren(exp.Add(this=exp.Mul(this=year, expression=size), expression=own))

    return exp.paren(exp.Sub(this=count(node.this), expression=count(node.expression)))


def _joined(node: exp.TimeToStr, say_piece: Any) -> exp.Expr:
    """Return a moment as text: each directive of its format, and what stands between them."""
    first, *others = str(node.args["format"].name).split("%")
    pieces: list[exp.Expr] = [exp.Literal.string(first)] if first else []
    for other in others:
        pieces.append(say_piece(other[:1], node.this))
        if other[1:]:
            pieces.append(exp.Literal.string(other[1:]))
    text = pieces[0] if pieces else exp.Literal.string("")
    for piece in pieces[1:]:
        text = exp.DPipe(this=text, expression=piece)
    return exp.paren(text)


def _piece_in_postgres(letter: str, moment: exp.Expr) -> exp.Expr:
    form = exp.Literal.string(_POSTGRES_FORMATS.get(letter, letter))
    return _call("to_char", _stamp(moment), form)


def _piece_in_spark(letter: str, moment: exp.Expr) -> exp.Expr:
    if letter in ("G", "V", "u"):
        part = {"G": "isoyear", "V": "week", "u": "isodow"}[letter]
        number = exp.cast(_part_in_spark(part, moment), "text")
        width = {"G": 4, "V": 2, "u": 1}[letter]
        return _call("lpad", number, exp.Literal.number(width), exp.Literal.string("0"))
    return _call("date_format", moment, exp.Literal.string(_SPARK_FORMATS.get(letter, letter)))


def _rounded(node: exp.Round) -> exp.Expr:
    """Return a number rounded as DuckDB does it: halves away from 0, of its binary value."""
    decimals = node.args.get("decimals")
    size = exp.Literal.number(f"1e{int(decimals.name)}" if decimals is not None else "1e0")
    number = exp.cast(node.this.copy(), "double")
    factor = exp.cast(size, "double")
    scaled = exp.Mul(this=exp.Abs(this=number.copy()), expression=factor.copy())
    half = exp.Add(this=scaled, expression=exp.cast(exp.Literal.number("0.5"), "double"))
    floored = exp.cast(exp.Floor(this=half), "double")
    sign = exp.Sign(this=number.copy())
    share = exp.Div(this=floored, expression=factor.copy())
    return exp.paren(exp.Mul(this=exp.paren(share), expression=sign))


def _moments_inside(node: exp.Expr) -> exp.Expr | None:
    """Compare stamps with stamps where one side is a computed day; None where none is."""
    sides = [side for side in (node.this, node.args.get("expression")) if side is not None]
    sides += [node.args[key] for key in ("low", "high") if node.args.get(key) is not None]
    sides += list(node.args.get("expressions") or [])
    if not any(_is_moment(side) for side in sides):
        return None
    compared = node.copy()
    for key in ("this", "expression", "low", "high"):
        if compared.args.get(key) is not None:
            compared.set(key, _call("nb_timestamp", compared.args[key]))
    if compared.args.get("expressions"):
        listed = [_call("nb_timestamp", side) for side in compared.expressions]
        compared.set("expressions", listed)
    return compared


def _is_moment(side: exp.Expr) -> bool:
    bare = side.unnest()
    return isinstance(bare, exp.Anonymous) and bare.name.lower() in _MOMENTS


def _unit(node: exp.Expr) -> str:
    unit = node.args.get("unit")
    return str(unit.name).lower() if unit is not None else "day"


def _stamp(moment: exp.Expr) -> exp.Expr:
    return exp.cast(moment.copy(), "timestamp")


def _day(moment: exp.Expr) -> exp.Expr:
    return exp.cast(moment.copy(), "date")


def _whole(number: exp.Expr) -> exp.Expr:
    return exp.cast(exp.Floor(this=number), "bigint")


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])
