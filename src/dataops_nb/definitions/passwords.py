"""Passwords that stand in a file: found in a url wherever one may stand, and named with the line and what to write instead.

Files under params/ are kept under git and read by many. A url with a password in it works, and is looked for in all that is
published; but it should stand in an environment variable, which the file names.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from dataops_nb.definitions.reading import read
from dataops_nb.errors import Mistake

ENV = "env:"
BEFORE_HOST = re.compile(r"(?<=://)([^/@\s]*?):(\S*)@")
PARAMETER = re.compile(r"(?i)\b((?:pass|pwd|token|secret|key|credential|auth)\w*=)([^&;\s]+)")


def inside(url: str) -> list[str]:
    """The passwords in a url, each as it is written and as it is meant; none in one that names a variable."""
    if url.startswith(ENV):
        return []
    found = [hit[2] for pattern in (BEFORE_HOST, PARAMETER) for hit in pattern.finditer(url)]
    return list(dict.fromkeys(word for each in found for word in (each, unquote(each)) if word))


def noted(params: Path) -> list[Mistake]:
    """Every url of company.yaml that holds a password, with its line and how to name a variable in its place."""
    root, _ = read(params / "company.yaml", "company.yaml")
    sources = root.step("sources") if root else None
    found = []
    for name, source in sources.value.items() if sources and isinstance(sources.value, dict) else ():
        url = source.step("url")
        if url and isinstance(url.value, str) and inside(url.value):
            variable = re.sub(r"\W", "_", name).upper() + "_URL"
            said = f"a password stands in this file; put the url into an environment variable and write  url: env:{variable}"
            found.append(Mistake("company.yaml", url.line, url.key, said))
    return found
