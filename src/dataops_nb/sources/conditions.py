"""Which rows of a source count: `filter` keeps what is known to hold, `exclude` drops what is known to hold."""

from __future__ import annotations

from sqlglot import exp


def keep_rows(query: exp.Select, kept: exp.Expr | None, dropped: exp.Expr | None) -> exp.Select:
    """The query with a measure's conditions; where one is unknown, `kept` drops the row and `dropped` keeps it."""
    if kept is not None:
        query = query.where(exp.paren(kept))
    if dropped is not None:
        known = exp.Coalesce(this=exp.paren(dropped), expressions=[exp.false()])
        query = query.where(exp.not_(known))
    return query
