"""The formats that a report can be published as, and the file of each beside the pages."""

from __future__ import annotations

from dataops_nb.errors import UsageError, did_you_mean

FILES = {"html": "index.html", "eml": "report.eml", "slack": "slack.json", "ipynb": "report.ipynb"}
KNOWN = ("html", "pdf", "eml", "slack", "ipynb")


def chosen(said: str) -> tuple[str, ...]:
    """The formats in a list like html,eml; UsageError for one that is not known, or that this version does not make."""
    names = tuple(dict.fromkeys(name.strip() for name in said.split(",")))
    for name in names:
        if name not in KNOWN:
            raise UsageError(f"there is no format {name!r}{did_you_mean(name, KNOWN)}; known are {', '.join(KNOWN)}")
        if name not in FILES:
            raise UsageError(f"this version does not make {name}; choose from {', '.join(FILES)}")
    return names
