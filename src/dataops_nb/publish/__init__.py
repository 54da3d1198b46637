"""Pages: an executed notebook becomes one shareable file an altitude, and never shows half of a report.

A notebook is data here. What this package knows of a report's content is its facts, which the last code cell displays;
everything else passes an allow-list. `page` builds one page, `site` the front page, `folder` puts a report in its place
in one step, `facts` reads the sentinel and writes facts.json and numbers.csv.

Its modules are found when they are asked for: whoever only moves folders does not wait for what builds pages.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataops_nb.publish import facts, figures, folder, markup, outputs, page, redaction, site, style

__all__ = ["facts", "figures", "folder", "markup", "outputs", "page", "redaction", "site", "style"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
