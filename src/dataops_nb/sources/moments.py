"""Days and stamps in expressions over a database, once the types of its columns are known.

DuckDB takes a day from a day, and compares a day with a stamp, by what they mean. SQLite has texts
for both, and would subtract years and compare letters. Where the rows stay there, such an
expression is a fault that says what to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import sqlglot
from sqlglot import exp

from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import find_column

if TYPE_CHECKING:
    from dataops_nb.sources.shelf import Shelf
    from dataops_nb.sources.source import Loaded

Kind = Literal["day", "stamp", "short", "odd"]  # a text may be a day, written in full or not
COMPARED = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.Nullif,
)  # fmt: skip
DAY = "dddd-dd-dd"


def check_moments(shelf: Shelf, loaded: Loaded) -> None:
    """Add the expressions over a source in a database that mix days and stamps to its faults."""
    typed = loaded.typed
    if typed is None or shelf.engine_of(loaded.name) is shelf.engine:
        return
    for sql, why in shelf.needs[loaded.name].expressions.items():
        rule = fault_of_moments(sql, typed.columns)
        if rule:
            loaded.faults.append(Fault(loaded.name, f"{why}: {rule}", typed.file))


def fault_of_moments(sql: str, types: Mapping[str, str]) -> str:
    """Say what of an expression mixes days and stamps; "" where nothing does.

    `types` are those of the columns, in DuckDB's words. SQL that cannot be read is told elsewhere.
    """
    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        return ""
    for node in tree.walk():
        fault = ""
        if isinstance(node, exp.Add | exp.Sub):
            fault = _fault_of_sum(node, types)
        elif isinstance(node, COMPARED):
            fault = _fault_of_comparison(node, types)
        if fault:
            return f"{node.sql(dialect='duckdb')}: {fault}"
    return ""


def _fault_of_sum(node: exp.Binary, types: Mapping[str, str]) -> str:
    if isinstance(node.expression.unnest(), exp.Interval):
        return ""
    kinds = [_kind(side, types) in ("day", "stamp") for side in (node.this, node.expression)]
    if all(kinds):
        return "a database may take texts from each other; write date_diff('day', from, to)"
    if any(kinds):
        return "a database may add to a text; write a + interval 28 day"
    return ""


def _fault_of_comparison(node: exp.Expr, types: Mapping[str, str]) -> str:
    sides = list(_sides(node))
    if any(isinstance(side.unnest(), exp.Add | exp.Sub) for side in sides):
        return ""  # beside what is computed all are compared as stamps
    kinds = {_kind(side, types) for side in sides}
    if {"day", "stamp"} <= kinds:
        return "a day and a stamp may be compared as texts; cast one, as in cast(s as date)"
    if {"stamp", "short"} <= kinds:
        return "a stamp and a day may be compared as texts; write timestamp '2026-01-31 00:00:00'"
    if "odd" in kinds and kinds & {"day", "stamp"}:
        return "a day may be compared as a text; write it as '2026-01-31'"
    return ""


def _sides(node: exp.Expr) -> Iterator[exp.Expr]:
    for key in ("this", "expression", "low", "high"):
        side = node.args.get(key)
        if isinstance(side, exp.Expr):
            yield side
    yield from node.args.get("expressions") or []


def _kind(value: exp.Expr, types: Mapping[str, str]) -> Kind | None:
    """Return whether a column, a cast or a text is a day or a stamp; None for what is computed."""
    value = value.unnest()
    if isinstance(value, exp.Coalesce):
        return _kind(value.this, types)
    if isinstance(value, exp.Literal) and value.is_string:
        shape = "".join("d" if letter.isdigit() else letter for letter in value.name)
        if shape == DAY:
            return "short"
        return "odd" if "dd-d" in shape and not shape.startswith(DAY) else None
    type_ = ""
    if isinstance(value, exp.Cast):
        type_ = value.to.sql(dialect="duckdb")
    elif isinstance(value, exp.Column):
        type_ = types.get(find_column(value.name, types) or "", "")
    if type_.upper() == "DATE":
        return "day"
    return "stamp" if type_.upper().startswith("TIMESTAMP") else None
