"""Imports that cost a second and are hardly ever needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_GRAMMAR = "rfc3987_syntax"


@contextmanager
def grammars_later() -> Iterator[None]:
    """While jsonschema is imported, keep it from building its grammar of addresses; the first check builds it.

    jsonschema asks `rfc3987_syntax` for one function, for a format that charts and notebooks do not use, and that module
    reads a whole grammar when it is imported.
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
