"""The formats that a report can be published as, and the files of each beside the pages."""

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


def chosen(said: str) -> tuple[str, ...]:
    """The formats in a list like html,eml; UsageError for one that is not known."""
    names = tuple(dict.fromkeys(name.strip() for name in said.split(",")))
    for name in names:
        if name == "zip":
            raise UsageError("zip is no format of a report;  dataops-nb zip  packs all published pages into one file")
        if name not in FILES:
            raise UsageError(f"there is no format {name!r}{did_you_mean(name, FILES)}; known are {', '.join(FILES)}")
    return names


def files(to: Iterable[str]) -> list[str]:
    """The files that stand for these formats; the pages are made whatever is asked for."""
    return [file for name in dict.fromkeys(("html", *to)) for file in FILES[name]]
