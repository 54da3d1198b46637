"""Engines: where a query runs. The embedded DuckDB holds the files; a database keeps its rows and sends aggregates.

Every query is built as one tree that means what DuckDB means by it. An engine says it in its own dialect, so that the
same definitions give the same numbers everywhere. A new engine is one small class with what `Engine` lists, and a line
in `opening`.
"""

from __future__ import annotations

from dataops_nb.sources.engines.embedded import Embedded
from dataops_nb.sources.engines.interface import Described, Engine

__all__ = ["Described", "Embedded", "Engine"]
