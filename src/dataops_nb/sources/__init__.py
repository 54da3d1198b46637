"""The only reader of data: every declared source as one typed, checked, de-duplicated relation that DuckDB aggregates.

A file is never trusted: its structure, its types, the agreed columns and its keys are checked while it is read, and
every fault is collected with file, line, column, value and rule instead of stopping at the first one.
"""

from __future__ import annotations

from dataops_nb.sources.catalog import Catalog, open  # noqa: A004  -- read as `sources.open`
from dataops_nb.sources.coverage import Coverage
from dataops_nb.sources.evidence import Notice

__all__ = ["Catalog", "Coverage", "Notice", "open"]
