"""Frames as tables inside a query: the rows as VALUES in front of it, so that nothing is ever written to a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from sqlglot import exp

SPANS = ["w", "first", "last"]
FEW = 200


def with_tables(query: exp.Expr, frames: Mapping[str, pd.DataFrame]) -> exp.Expr:
    """The query with every frame as a common table expression before its own."""
    return with_ctes(query, [cte for name, frame in frames.items() for cte in list_rows(name, frame)])


def with_ctes(query: exp.Expr, ctes: Iterable[exp.CTE]) -> exp.Expr:
    """A copy of the query with these common table expressions before its own."""
    out, ours = query.copy(), list(ctes)
    if not ours:
        return out
    own = out.args.get("with_")
    out.set("with_", exp.With(expressions=[*ours, *(own.expressions if own else [])]))
    return out


def name_cte(name: str, body: exp.Expr, columns: Iterable[str] = ()) -> exp.CTE:
    """`name(columns) as (body)`."""
    alias = exp.TableAlias(
        this=exp.to_identifier(name, quoted=True), columns=[exp.to_identifier(c, quoted=True) for c in columns]
    )
    return exp.CTE(this=body, alias=alias)


def list_rows(name: str, frame: pd.DataFrame) -> list[exp.CTE]:
    """A frame as one expression, or two: its values, and its values with their types.

    A long date dimension (w, day, first, last) is written as its windows and its days, and joined in the engine.
    """
    if len(frame) > FEW and {*SPANS, "day"} == set(frame.columns):
        windows, days = frame[SPANS].drop_duplicates(), frame[["day"]].drop_duplicates()
        parts = [*list_rows(f"{name}_w", windows), *list_rows(f"{name}_d", days)]
        on = exp.column("day", quoted=True).between(exp.column("first", quoted=True), exp.column("last", quoted=True))
        joined = exp.select(*[exp.column(c, quoted=True) for c in frame.columns])
        joined = joined.from_(_table(f"{name}_w")).join(_table(f"{name}_d"), on=on)
        return [*parts, name_cte(name, joined)]
    raw = f"{name}_v"
    typed = [_typed(column, frame[column]) for column in frame.columns]
    rows = [tuple(_literal(value) for value in row) for row in frame.itertuples(index=False, name=None)]
    chosen = exp.select(*typed).from_(_table(raw))
    if not rows:
        rows = [tuple(exp.null() for _ in frame.columns)]
        chosen = chosen.where(exp.false())
    values = exp.Values(expressions=[exp.Tuple(expressions=list(row)) for row in rows])
    return [name_cte(raw, values, frame.columns), name_cte(name, chosen)]


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def _typed(name: str, values: pd.Series) -> exp.Expr:
    column = exp.column(name, quoted=True)
    kind = "date" if _is_day(values) else {"i": "bigint", "f": "double", "b": "boolean"}.get(values.dtype.kind, "text")
    return exp.alias_(exp.cast(column, kind), name, quoted=True)


def _is_day(values: pd.Series) -> bool:
    return values.dtype.kind == "M" or (len(values) > 0 and all(isinstance(value, dt.date) for value in values))


def _literal(value: Any) -> exp.Expr:
    if pd.isna(value):
        return exp.null()
    if isinstance(value, pd.Timestamp | dt.date):
        return exp.Literal.string(f"{value:%Y-%m-%d}")
    return exp.convert(value)
