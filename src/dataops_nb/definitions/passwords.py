"""Find passwords in the urls of company.yaml.

Files under params/ are kept under git and read by many. A url with a password in it works, and is
looked for in everything that is published. But it should stand in an environment variable, which
the file names as `env:NAME`.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from dataops_nb.definitions.nodes import Node, read
from dataops_nb.errors import Mistake

# A url that starts with this names the environment variable that holds the real one.
ENV = "env:"
BEFORE_HOST = re.compile(r"(?<=://)([^/@\s]*?):(\S*)@")
PARAMETER = re.compile(r"(?i)\b((?:pass|pwd|token|secret|key|credential|auth)\w*=)([^&;\s]+)")


def passwords_in(url: str) -> list[str]:
    """List the passwords in a url, each as it is written and as it is decoded."""
    if url.startswith(ENV):
        return []
    # A dictionary as an ordered set.
    passwords: dict[str, None] = {}
    for pattern in (BEFORE_HOST, PARAMETER):
        for match in pattern.finditer(url):
            password = match[2]
            passwords[password] = None
            passwords[unquote(password)] = None
    passwords.pop("", None)
    return list(passwords)


def notices(params: Path) -> list[Mistake]:
    """List every url of company.yaml that holds a password, with a variable to use instead."""
    root, _ = read(params / "company.yaml", "company.yaml")
    sources = (root or Node(None)).step("sources")
    if sources is None or not isinstance(sources.value, dict):
        return []
    mistakes: list[Mistake] = []
    for name, source in sources.value.items():
        url = source.step("url")
        if url is None or not isinstance(url.value, str) or not passwords_in(url.value):
            continue
        variable = re.sub(r"\W", "_", name).upper() + "_URL"
        advice = f"put the url into an environment variable and write  url: env:{variable}"
        message = f"a password stands in this file; {advice}"
        mistakes.append(Mistake("company.yaml", url.line, url.key, message))
    return mistakes
