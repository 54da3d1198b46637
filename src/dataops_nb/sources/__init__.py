"""Read every declared source as one typed, checked, de-duplicated relation that DuckDB aggregates.

A file is never trusted. Its structure, its types, the agreed columns and its keys are checked while
it is read; every fault is collected with file, line, column, value and rule.

The names here are imported when they are first used: a command that only needs to know whether a
file has changed (`sources.fingerprints`) does not wait for DuckDB and pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataops_nb.alignment.rows import Coverage
    from dataops_nb.sources.catalog import Catalog, open  # noqa: A004  read as `sources.open`
    from dataops_nb.sources.evidence import Notice

__all__ = ["Catalog", "Coverage", "Notice", "open"]

_HOMES = {
    "Catalog": "sources.catalog",
    "Coverage": "alignment.rows",
    "Notice": "sources.evidence",
    "open": "sources.catalog",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"dataops_nb.{_HOMES[name]}"), name)
