"""Name the formats that a report can be published as, and the files of each.

Every command that starts a refresh asks for them, so this imports nothing slow; `delivery` writes
them.
"""

from __future__ import annotations

from collections.abc import Iterable

from dataops_nb.errors import UsageError, did_you_mean

FILES = {
    "html": ("index.html",),
    "pdf": ("index.pdf", "manager.pdf", "analyst.pdf"),
    "eml": ("report.eml",),
    "slack": ("slack.json",),
    "ipynb": ("report.ipynb",),
}


def parse(text: str) -> tuple[str, ...]:
    """Return the formats in a list like html,eml; UsageError for one that is not known."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name == "zip":
            raise UsageError("use  dataops-nb zip  to pack all pages into one file")
        if name not in FILES:
            near = did_you_mean(name, FILES)
            raise UsageError(f"no format {name!r}{near}; choose from {', '.join(FILES)}")
    return names


def files_of(formats: Iterable[str]) -> list[str]:
    """Return the files that stand for formats; the pages are always made."""
    names: list[str] = []
    for name in dict.fromkeys(("html", *formats)):
        names += FILES[name]
    return names
