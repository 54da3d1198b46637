"""A notebook workbench for the numbers of a revenue organisation.

Everything is a function from a metric table to a metric table: sources are aligned into one table,
which is judged, told and published. Notebooks import the concepts: ``from dataops_nb import board,
charts, story, tables, workbench``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__version__ = "0.2.0"
_GRAMMAR = "rfc3987_syntax"


@contextmanager
def grammars_later() -> Iterator[None]:
    """Keep jsonschema from building its grammar of addresses while it is imported.

    The first check builds it. jsonschema asks `rfc3987_syntax` for one function, for a format that
    charts and notebooks do not use, and that module takes a second to read its grammar.
    """
    if _GRAMMAR in sys.modules:
        yield
        return
    sys.modules[_GRAMMAR] = _stand_in()
    try:
        yield
    finally:
        del sys.modules[_GRAMMAR]


def _stand_in() -> ModuleType:
    module = ModuleType(_GRAMMAR)

    def is_valid_syntax(*arguments: Any) -> Any:
        import rfc3987_syntax  # noqa: PLC0415  this is what takes a second

        return rfc3987_syntax.is_valid_syntax(*arguments)

    module.is_valid_syntax = is_valid_syntax  # type: ignore[attr-defined]
    return module


if "IPython" in sys.modules:
    # A notebook: metric tables are shown with their lights.
    from dataops_nb import glances

    glances.enable()
