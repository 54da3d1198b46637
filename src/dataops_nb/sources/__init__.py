"""The only reader of data: every declared source as one typed, checked, de-duplicated relation that DuckDB aggregates.

A file is never trusted: its structure, its types, the agreed columns and its keys are checked while it is read, and
every fault is collected with file, line, column, value and rule instead of stopping at the first one.

The names here are found when they are asked for: whoever only wants to know whether a file has changed (`files`,
`identity`) does not wait for DuckDB and pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataops_nb.sources.catalog import Catalog, open  # noqa: A004  -- read as `sources.open`
    from dataops_nb.sources.coverage import Coverage
    from dataops_nb.sources.evidence import Notice

__all__ = ["Catalog", "Coverage", "Notice", "open"]

_HOMES = {"Catalog": "catalog", "Coverage": "coverage", "Notice": "evidence", "open": "catalog"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
