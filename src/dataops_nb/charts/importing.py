"""altair as we need it: without a grammar that takes a second, and in a refresh without the widgets of its chart in JupyterLab.

Imported before anything else that brings altair. Where somebody has imported it before, it stays as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from dataops_nb import imports

REFRESHING = "DATAOPS_NB_REFRESH"
_WIDGETS = "anywidget"


def _load() -> None:
    if "altair" in sys.modules:
        return
    with imports.grammars_later(), _without_widgets():
        import_module("altair")


@contextmanager
def _without_widgets() -> Iterator[None]:
    if not os.environ.get(REFRESHING) or _WIDGETS in sys.modules:
        yield
        return
    modules: dict[str, Any] = sys.modules
    modules[_WIDGETS] = None  # to altair it is not installed
    try:
        yield
    finally:
        del modules[_WIDGETS]


_load()
