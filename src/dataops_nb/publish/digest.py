"""What a published page says, taken from the page itself: for mails and messages, which must not say anything else.

A page carries its sentences and facts. They are read back from there, so that what is sent cannot differ from what is shown;
so are what stands on top of it (stale data, a what-if), how fresh it is, whose it is, and its first picture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_nb.publish import style
from dataops_nb.publish.markup import plain
from dataops_nb.publish.pictures import Picture, first

_CARRIED = re.compile(r'<script type="application/json" id="facts">(.*?)</script>', re.DOTALL)
_ASIDE = re.compile(r'<aside class="nb-warnings" aria-label="([^"]*)">(.*?)</aside>', re.DOTALL)
_ITEM = re.compile(r"<li[^>]*>(.*?)</li>", re.DOTALL)
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_NAME = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
_AS_OF = re.compile(r'<dt>As of</dt><dd><time datetime="([^"]*)"')
_ABOUT = "As of", "Data to", "Owner"


@dataclass(frozen=True)
class Said:
    """One report as a mail tells it: `light` as on its page, the headline and further sentences, where its page is.

    `warnings` stand on top of the page, `about` says how fresh it is and whose, `picture` is its first chart.
    """

    report: str
    title: str
    light: str
    headline: str
    sentences: Sequence[str] = field(default_factory=tuple)
    period: str = ""
    as_of: str = ""
    page: Path | None = None
    error: str | None = None
    warnings: Sequence[str] = field(default_factory=tuple)
    about: str = ""
    picture: Picture | None = None

    @property
    def mark(self) -> str:
        """The light as shape and word."""
        shape, word = style.CHIPS.get(self.light, style.CHIPS["unknown"])
        return f"{shape} {word}"

    @property
    def lines(self) -> list[str]:
        """Its further sentences, each once, without the headline."""
        return [line for line in dict.fromkeys(self.sentences) if line != self.headline]


def of_page(page: Path) -> list[str]:
    """The sentences of a published page, in their order; the headline comes first where there is one."""
    return of_html(page.read_text(encoding="utf-8"))


def of_html(text: str) -> list[str]:
    """See `of_page`."""
    found = _CARRIED.search(text)
    carried: Mapping[str, Any] = json.loads(found[1]) if found else {}
    sentences = sorted(carried.get("sentences", []), key=lambda sentence: sentence.get("kind") != "headline")
    return list(dict.fromkeys(str(sentence["text"]) for sentence in sentences))


def said(text: str, report: str, light: str, *, headline: str = "", period: str = "", page: Path | None = None) -> Said:
    """All that a mail tells of a page: `text` is the page; `headline` stands in where it says nothing itself."""
    first_, *others = of_html(text) or [headline or "Nothing was said."]
    name, day = _NAME.search(text), _AS_OF.search(text)
    return Said(
        report,
        plain(name[1]) if name else report,
        light,
        first_,
        tuple(others),
        period,
        day[1] if day else "",
        page,
        warnings=tuple(_warnings(text)),
        about=_about(text),
        picture=first(text),
    )


def title(text: str) -> str:
    """What a page is called: its report, its company, its period; a what-if says so."""
    found = _TITLE.search(text)
    return plain(found[1]) if found else ""


def _warnings(text: str) -> list[str]:
    return [f"{label}: {plain(item)}" for label, inside in _ASIDE.findall(text) for item in _ITEM.findall(inside)]


def _about(text: str) -> str:
    """`As of Sun 22 Nov 2026 · Data to Sun 22 Nov 2026 · Owner Head of Sales`, as it stands below the page."""
    found = {name: re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", text, re.DOTALL) for name in _ABOUT}
    return " · ".join(f"{name} {plain(hit[1])}" for name, hit in found.items() if hit)
