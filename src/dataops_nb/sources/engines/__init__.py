"""Engines: where a query runs. The embedded DuckDB holds the files; a database keeps its rows and sends aggregates.

Every query is built as one tree that means what DuckDB means by it. An engine says it in its own dialect, so that the
same definitions give the same numbers everywhere. A new engine is one small class with what `Engine` lists.
"""

from __future__ import annotations

from typing import Protocol

import pandas as pd
from sqlglot import exp

from dataops_nb.sources.engines.embedded import Embedded

__all__ = ["Embedded", "Engine"]


class Engine(Protocol):
    """Runs queries; `dialect` is sqlglot's name for its SQL."""

    @property
    def dialect(self) -> str:
        """The name of its SQL."""

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query; frames by keyword are tables in it. Raises DataError for one that fails."""

    def close(self) -> None:
        """Give back what it holds."""
