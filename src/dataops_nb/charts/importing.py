"""altair as a refresh needs it: without the widgets that it would import for its chart in JupyterLab.

Imported before anything else that brings altair. In JupyterLab altair is left as it is.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

REFRESHING = "DATAOPS_NB_REFRESH"
_WIDGETS = "anywidget"


def _load() -> None:
    if not os.environ.get(REFRESHING) or "altair" in sys.modules or _WIDGETS in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules[_WIDGETS] = None  # to altair it is not installed
    try:
        import_module("altair")
    finally:
        del modules[_WIDGETS]


_load()
