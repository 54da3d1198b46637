"""The look of every page: one style sheet, and the class names that a notebook's own tables may use."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Chip(NamedTuple):
    """How a light is shown: always a shape, a word and a colour."""

    shape: str
    word: str


CHIPS = {
    "green": Chip("●", "Green"),
    "yellow": Chip("▲", "Yellow"),
    "red": Chip("■", "Red"),
    "unknown": Chip("◇", "Unknown"),
}


@cache
def css() -> str:
    """The style sheet, as it stands in every page; comments and indentation are left out."""
    text = files("dataops_nb.publish").joinpath("page.css").read_text(encoding="utf-8")
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


@cache
def classes() -> frozenset[str]:
    """The class names that HTML of a notebook may carry: those the style sheet knows."""
    return frozenset(re.findall(r"\.(nb-[a-z0-9-]+)", css()))
