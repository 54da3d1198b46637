"""Templates: the layout of pages, mails and forms as HTML, of schedules as text.

A template lies beside the package that fills it and holds layout only: what is shown is decided in
Python, and handed over as small values. Whatever is filled into a `.html.j2` is escaped, unless it
is Markup, which only our own writers of HTML make. A name that a template does not get is an error.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup


def html(folder: str, name: str, /, **values: Any) -> Markup:
    """Fill the template `name` of a folder (as `dataops_nb.messages`); values are escaped."""
    return Markup(text(folder, name, **values))  # noqa: S704  the template escaped all it was given


def text(folder: str, name: str, /, **values: Any) -> str:
    """Fill the template `name` of a folder; only those that end in `.html.j2` escape values."""
    return environment(folder).get_template(name).render(values)


def asset(folder: str, name: str) -> str:
    """Read what pages carry as it is: a style sheet or a script."""
    package, _, below = folder.partition("/")
    return files(package).joinpath(below, name).read_text(encoding="utf-8")


@cache
def environment(folder: str) -> Environment:
    """The settings of the templates of one folder: a package, or `package/folder` below it."""
    package, _, below = folder.partition("/")
    settings = Environment(
        loader=PackageLoader(package, below or "."),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    settings.filters["unbroken"] = unbroken
    return settings


def unbroken(sentence: str) -> str:
    """Tie per cent signs to their numbers, so that no line begins with one."""
    return re.sub(r"(?<=\d) %", "\u00a0%", sentence)
