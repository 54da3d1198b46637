"""Seals: what a page's visible text was when it was built, so that a changed page can be told when it comes back.

Every piece of text that a reader can see or hear (also titles of tooltips, alternatives of pictures, labels) leaves four
hexadecimal digits in the page, in their order, and the whole, with its links, styles and script, leaves sixteen. No key is
involved: a seal shows a change; who also forges the seal still has to make the sentences agree with their facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

SPOKEN = (
    "title",
    "alt",
    "aria-label",
    "aria-roledescription",
    "data-light",
    "data-facts",
    "data-tip",
    "data-fact",
    "datetime",
    "placeholder",
)
LEADS = ("href", "src")
SILENT = frozenset({"script", "style"})
LENGTH = 4


class Visible(HTMLParser):
    """What can be read on a page: its pieces of text in order, and the text of each <p> and <li> with its facts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.said: list[tuple[str, tuple[str, ...]]] = []
        self.silent: list[str] = []
        self._silent = 0
        self._open: list[tuple[str, list[str], tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what an element says in its attributes, and open a <p> or <li>."""
        self._silent += tag in SILENT
        known = dict(attrs)
        self.pieces += [_line(value) for name in SPOKEN if (value := known.get(name))]
        self.silent += [value for name in LEADS if (value := known.get(name))]
        self.silent += [f"{name}={value}" for name, value in attrs if _changes(tag, name, known)]
        if tag == "meta" and (content := known.get("content")):
            (self.silent if known.get("http-equiv") else self.pieces).append(_line(content))
        if tag in {"p", "li"}:
            self._open.append((tag, [], tuple((known.get("data-facts") or "").split())))

    def handle_endtag(self, tag: str) -> None:
        """Close a <p> or <li>: its words are one text."""
        self._silent -= tag in SILENT
        if self._open and self._open[-1][0] == tag:
            _, words, facts = self._open.pop()
            self.said.append((_line("".join(words)), facts))

    def handle_data(self, data: str) -> None:
        """Keep a piece of text; what styles the page or runs in it apart."""
        if self._silent:
            self.silent.append(data)
            return
        if piece := _line(data):
            self.pieces.append(piece)
        for _, words, _ in self._open:
            words.append(data)


def read(html: str) -> Visible:
    """What can be read on a page."""
    visible = Visible()
    visible.feed(html)
    visible.close()
    return visible


def seal(html: str, travelling: Mapping[str, Any]) -> dict[str, str]:
    """`texts`: four digits for each piece of text; `whole`: sixteen for all with what travels, leads on, styles and runs."""
    visible = read(html)
    pieces = [digits(piece) for piece in visible.pieces]
    carried = {k: v for k, v in travelling.items() if k != "seal"}
    content = json.dumps([visible.pieces, carried, visible.silent], sort_keys=True, ensure_ascii=False)
    return {"texts": "".join(pieces), "whole": hashlib.sha256(content.encode()).hexdigest()[:16]}


def digits(piece: str) -> str:
    """What one piece of text leaves."""
    return hashlib.sha256(piece.encode()).hexdigest()[:LENGTH]


def split(texts: str) -> Sequence[str]:
    """The marks of a seal, one a piece of text."""
    return [texts[at : at + LENGTH] for at in range(0, len(texts), LENGTH)]


def _changes(tag: str, name: str, attributes: Mapping[str, str | None]) -> bool:
    """Whether an attribute can hide, restyle or rewrite what a reader sees. What our own search does to a page is let be."""
    if name == "hidden":
        return attributes.get("role") != "search" and "data-find" not in attributes
    return name == "style" or name.startswith("on") or (name == "class" and tag != "body")


def _line(text: str) -> str:
    return " ".join(text.split())
