"""What an engine offers, and how a result becomes a frame."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import pandas as pd
from sqlglot import exp

from dataops_nb.sources.evidence import Infer

LOG = logging.getLogger("dataops_nb.engines")


@dataclass(frozen=True)
class Described:
    """A query's columns with the DuckDB name of their type; `infer` says which texts may hold numbers or times."""

    columns: dict[str, str]
    infer: dict[str, Infer] = field(default_factory=dict)


class Engine(Protocol):
    """Runs queries; `dialect` is sqlglot's name for its SQL, `name` how people call it, without any secret."""

    @property
    def dialect(self) -> str:
        """The name of its SQL."""

    @property
    def name(self) -> str:
        """What people read: `sqlite shop.db`."""

    @property
    def exact(self) -> bool:
        """Whether it adds up decimals exactly."""

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query; frames by keyword are tables in it. Raises DataError for one that fails."""

    def describe(self, query: exp.Expr) -> Described:
        """The columns of a query's result. Raises DataError for one that fails."""

    def tables(self) -> list[str]:
        """The tables that a source could name."""

    def close(self) -> None:
        """Give back what it holds."""


def frame_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Rows as a frame: days as datetime64, exact decimals as floats, the rest as it is."""
    made = {str(i): pd.Series([row[i] for row in rows], dtype=object) for i in range(len(columns))}
    frame = pd.DataFrame({key: _column(values) for key, values in made.items()})
    return frame.set_axis(list(columns), axis=1)


def _column(values: pd.Series) -> pd.Series:
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {dt.date}:
        return pd.Series(pd.to_datetime(values)).astype("datetime64[s]")
    if kinds and kinds <= {int, float, Decimal}:
        whole = kinds == {int} and not values.isna().any()
        return values.astype("int64") if whole else values.astype("float64")
    return values


def note(engine: str, written: str, rows: int) -> None:
    """A line in the query log: which engine ran what, and how many rows came back."""
    LOG.debug("%s sent %d rows for: %s", engine, rows, written)
