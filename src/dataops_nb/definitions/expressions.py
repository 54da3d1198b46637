"""What an expression over a database's rows may use: what means the same on every engine.

Definitions are written in DuckDB's SQL. Over files DuckDB itself reads them, and anything goes.
Where the rows stay in a database they are said in its own SQL, and only what is listed here is
known to mean the same there. One table of cases tries it on DuckDB, SQLite, PostgreSQL and Spark.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from dataops_nb.errors import did_you_mean, nearest

DIALECT = "duckdb"
PAGE = "docs/reference/expressions.md"
# Each function, with a form of it that is tried.
FUNCTIONS = {
    "abs": "abs(m)",
    "ceil": "ceil(m)",
    "ceiling": "ceiling(m)",
    "coalesce": "coalesce(m, 0)",
    "contains": "contains(w, 'a')",
    "date_diff": "date_diff('day', a, b)",
    "datediff": "datediff('day', a, b)",
    "date_part": "date_part('year', a)",
    "date_trunc": "date_trunc('week', a)",
    "day": "day(a)",
    "dayofmonth": "dayofmonth(a)",
    "dayofweek": "dayofweek(a)",
    "dayofyear": "dayofyear(a)",
    "ends_with": "ends_with(w, 'a')",
    "extract": "extract(year from a)",
    "floor": "floor(m)",
    "hour": "hour(s)",
    "if": "if(m > 1, 1, 0)",
    "ifnull": "ifnull(m, 0)",
    "isodow": "isodow(a)",
    "isoyear": "isoyear(a)",
    "last_day": "last_day(a)",
    "left": "left(w, 2)",
    "length": "length(w)",
    "lower": "lower(w)",
    "minute": "minute(s)",
    "month": "month(a)",
    "nullif": "nullif(m, 0)",
    "quarter": "quarter(a)",
    "replace": "replace(w, 'a', 'b')",
    "right": "right(w, 2)",
    "round": "round(m, 1)",
    "second": "second(s)",
    "sign": "sign(m)",
    "starts_with": "starts_with(w, 'a')",
    "strftime": "strftime(a, '%Y-%m')",
    "substr": "substr(w, 2, 2)",
    "substring": "substring(w, 2, 2)",
    "trim": "trim(w)",
    "upper": "upper(w)",
    "week": "week(a)",
    "weekday": "weekday(a)",
    "weekofyear": "weekofyear(a)",
    "year": "year(a)",
}
OPERATORS = {
    "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Neg": "-", "EQ": "=", "NEQ": "<>", "LT": "<",
    "LTE": "<=", "GT": ">", "GTE": ">=", "And": "and", "Or": "or", "Not": "not", "Is": "is",
    "In": "in", "Between": "between", "Like": "like", "ILike": "ilike", "DPipe": "||",
    "Case": "case", "Cast": "cast", "TryCast": "try_cast", "NullSafeEQ": "is not distinct from",
    "NullSafeNEQ": "is distinct from",
}  # fmt: skip
_PLAIN = {
    "Column", "Identifier", "Literal", "Boolean", "Null", "Placeholder", "Parameter", "Paren",
    "Interval", "Var", "DataType", "DataTypeParam", "If",
}  # fmt: skip
CASTS = ("date", "timestamp", "varchar", "text", "double")
TRY_CASTS = ("date", "timestamp", "double")
PARTS = (
    "year", "quarter", "month", "week", "day", "hour", "minute", "second", "dow", "isodow", "doy",
    "isoyear",
)  # fmt: skip
DIFFERENCES = ("day", "week", "month", "quarter", "year")
TRUNCATIONS = ("day", "week", "month", "quarter", "year")
STEPS = ("day", "week", "month", "year")
FORMATS = ("Y", "m", "d", "H", "M", "S", "j", "y", "G", "V", "u")
_SAME = f"is not known to mean the same on every database ({PAGE})"


def fault_on_databases(sql: str) -> str:
    """Say what of an expression may mean something else on a database; "" where nothing does.

    SQL that cannot be read is told elsewhere.
    """
    import sqlglot  # noqa: PLC0415  a company without SQL does not wait for the parser
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        tree = sqlglot.parse_one(sql, dialect=DIALECT, into=exp.Condition)
    except (SqlglotError, RecursionError):
        return ""
    for node in tree.walk():
        fault = _fault_of_node(node)
        if fault:
            return fault
    return ""


def fault_of_query(sql: str) -> str:
    """Say what a query over a database's rows uses that may mean something else there.

    Its tables, joins, aggregates and windows are those of every database; its functions, casts,
    intervals and formats must be on the list.
    """
    import sqlglot  # noqa: PLC0415  see `fault_on_databases`
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        tree = sqlglot.parse_one(sql, dialect=DIALECT)
    except (SqlglotError, RecursionError):
        return ""
    exp = _parser()
    for node in tree.walk():
        is_over_rows = isinstance(node, exp.AggFunc) or isinstance(node.parent, exp.Window)
        if isinstance(node, exp.Func | exp.Interval) and not is_over_rows:
            fault = _fault_of_node(node)
            if fault:
                return fault
    return ""


@cache
def _arguments() -> dict[str, set[str]]:
    """Return which arguments each listed function has in the forms that are tried, by class."""
    import sqlglot  # noqa: PLC0415  see `fault_on_databases`

    known: dict[str, set[str]] = {}
    for form in FUNCTIONS.values():
        node = sqlglot.parse_one(form, dialect=DIALECT)
        known.setdefault(type(node).__name__, set()).update(_given(node))
    return known


def _given(node: Any) -> set[str]:
    return {name for name, value in node.args.items() if value not in (None, [], False)}


@cache
def _names_by_class() -> dict[str, str]:
    """Return the name of each listed function by the parser's class for it."""
    import sqlglot  # noqa: PLC0415  see `fault_on_databases`

    names: dict[str, str] = {}
    for name, form in FUNCTIONS.items():
        kind = type(sqlglot.parse_one(form, dialect=DIALECT)).__name__
        names.setdefault(kind, name)
    return names


def _fault_of_node(node: Any) -> str:
    kind = type(node).__name__
    if kind in _RULES:
        return _RULES[kind](node)
    if kind == "If" and not isinstance(node.parent, _parser().Case) and not node.args.get("false"):
        return "if() without a third value is not known to databases; write if(c, a, null)"
    if kind in _PLAIN or kind in OPERATORS:
        return ""
    name = _names_by_class().get(kind, "")
    if kind == "Anonymous":
        name = str(node.name).lower()
    if name in FUNCTIONS:
        if kind != "Anonymous" and not _given(node) <= _arguments().get(kind, set()):
            return f"{name}() with more than {FUNCTIONS[name]} {_SAME}"
        return _fault_of_arguments(node, name)
    shown = _shown(node)
    return f"{shown} {_SAME}{_near(shown)}"


def _fault_of_order(node: Any) -> str:
    """Say that texts have another order on each database; days and numbers begin with a digit."""
    sides = [node.this, node.args.get("expression"), node.args.get("low"), node.args.get("high")]
    for side in sides:
        if side is not None and side.is_string and not side.name[:1].isdigit():
            return f"the order of texts {_SAME}; compare them with =, in or like"
    return ""


def _parser() -> Any:
    from sqlglot import exp  # noqa: PLC0415  see `fault_on_databases`

    return exp


def _shown(node: Any) -> str:
    """Return a function or operator as the person wrote it, as well as it can be told."""
    from sqlglot import exp  # noqa: PLC0415  see `fault_on_databases`

    if isinstance(node, exp.Anonymous):
        return f"{str(node.name).lower()}()"
    if isinstance(node, exp.Func):
        written = str(node.sql(dialect=DIALECT))
        return f"{written.partition('(')[0].lower()}()" if "(" in written else written
    return str(node.sql(dialect=DIALECT))


def _near(shown: str) -> str:
    word = shown.removesuffix("()")
    near = nearest(word, FUNCTIONS)
    return f"; the nearest that is: {near}()" if near else ""


def _fault_of_cast(node: Any) -> str:
    known = TRY_CASTS if type(node).__name__ == "TryCast" else CASTS
    type_ = str(node.to.sql(dialect=DIALECT)).lower()
    is_condition = isinstance(node.this.unnest(), _parser().Predicate | _parser().Connector)
    if type_ in ("varchar", "text") and is_condition:
        return f"a condition as text {_SAME}; write if(c, 'yes', 'no')"
    if type_ in known:
        return ""
    advice = f"cast to {', '.join(known)}"
    if type_ in ("int", "integer", "bigint", "smallint", "tinyint", "hugeint"):
        advice = "write round(x) or floor(x)"
    return f"a cast to {type_} {_SAME}; {advice}"


def _fault_of_step(node: Any) -> str:
    from sqlglot import exp  # noqa: PLC0415  see `fault_on_databases`

    unit = str(node.args["unit"].name).lower() if node.args.get("unit") else ""
    if unit not in STEPS:
        return f"an interval in {unit or 'words'} {_SAME}; there are {', '.join(STEPS)}"
    if not str(getattr(node.this, "name", "")).lstrip("-").isdigit():
        return f"an interval is a whole number: interval 28 {unit}"
    if not isinstance(node.parent, exp.Add | exp.Sub) or node.arg_key != "expression":
        return f"an interval {_SAME} but after + or -"
    return ""


def _fault_of_arguments(node: Any, name: str) -> str:
    """Say what units, formats and places of a listed function are not listed."""
    choices: tuple[str, ...] = ()
    word = ""
    if name in ("date_diff", "datediff"):
        choices, word = DIFFERENCES, _unit(node)
    elif name == "date_trunc":
        choices, word = TRUNCATIONS, _unit(node)
    elif name == "extract":
        choices, word = PARTS, str(node.this.name).lower()
    elif name == "date_part":
        choices, word = PARTS, str(node.expressions[0].name).lower() if node.expressions else ""
    elif name == "strftime":
        return _fault_of_format(node.args.get("format"))
    elif name in ("substr", "substring", "left", "right", "round"):
        return _fault_of_places(node, name)
    if choices and word not in choices:
        near = did_you_mean(word, choices)
        return f"{name}('{word}', ...) {_SAME}{near}; there are {', '.join(choices)}"
    return ""


def _unit(node: Any) -> str:
    unit = node.args.get("unit")
    return str(unit.name).lower() if unit is not None else "day"


def _fault_of_format(written: Any) -> str:
    if written is None or not written.is_string:
        return "strftime() takes a format in quotation marks"
    pieces = str(written.name).split("%")[1:]
    for piece in pieces:
        if piece[:1] not in FORMATS:
            listed = " ".join(f"%{letter}" for letter in FORMATS)
            return f"the format %{piece[:1]} {_SAME}; there are {listed}"
    return ""


def _fault_of_places(node: Any, name: str) -> str:
    """Say where a text is cut, or a number rounded, at a place that is no plain number."""
    smallest = 0 if name == "round" else 1
    places = [node.args.get(key) for key in ("start", "length", "decimals")]
    if name in ("left", "right"):
        places = [node.expression]
    for place in places:
        if place is None:
            continue
        if not place.is_int or not place.is_number or place.to_py() < smallest:
            return f"{name}() takes places that are numbers from {smallest} on"
    return ""


_RULES = {
    "Cast": _fault_of_cast,
    "TryCast": _fault_of_cast,
    "Interval": _fault_of_step,
    **dict.fromkeys(("LT", "LTE", "GT", "GTE", "Between"), _fault_of_order),
}
