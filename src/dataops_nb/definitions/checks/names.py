"""What a name must look like, so that it can stand in a command, a formula and a folder."""

from __future__ import annotations

import keyword
import re

_USABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*|_[A-Za-z0-9_-]+")


def fault_of_name(name: str, what: str) -> str:
    """What is wrong with the name of a source, department, suite or report; empty where nothing is."""
    return "" if _USABLE.fullmatch(name) else f"{name!r} is no {what} name; use letters a-z, digits, _ and -"


def fault_of_identifier(name: str, what: str) -> str:
    """What is wrong with the name of a metric or parameter, which stands in formulas; empty where nothing is."""
    if not name.isascii() or not name.isidentifier():
        return f"{name!r} is no {what} name; use letters a-z, digits and _, and start with a letter"
    return f"{name!r} is a word of the formula language; choose another {what} name" if keyword.iskeyword(name) else ""
