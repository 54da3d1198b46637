"""Load altair lean; apart from `look`, because it must run before anything imports altair.

Altair is loaded without a grammar that takes a second, and in a refresh without widgets, unless
somebody has imported it before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from dataops_nb import grammars_later

REFRESHING = "DATAOPS_NB_REFRESH"
_WIDGETS = "anywidget"


def load() -> None:
    """Import altair, unless it is imported already."""
    if "altair" not in sys.modules:
        with grammars_later(), _without_widgets():
            import_module("altair")


@contextmanager
def _without_widgets() -> Iterator[None]:
    """Hide the package of widgets while altair is loaded in a refresh."""
    if not os.environ.get(REFRESHING) or _WIDGETS in sys.modules:
        yield
        return
    modules: dict[str, Any] = sys.modules
    modules[_WIDGETS] = None  # to altair it is not installed
    try:
        yield
    finally:
        del modules[_WIDGETS]


load()
