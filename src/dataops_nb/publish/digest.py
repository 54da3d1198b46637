"""What a published page says, taken from the page itself: for mails and messages, which must not say anything else.

A page carries its sentences and facts. They are read back from there, so that what is sent cannot differ from what is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_nb.publish import style

_CARRIED = re.compile(r'<script type="application/json" id="facts">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class Said:
    """One report as a mail tells it: `light` as on its page, the headline and further sentences, where its page is."""

    report: str
    title: str
    light: str
    headline: str
    sentences: Sequence[str] = field(default_factory=tuple)
    period: str = ""
    as_of: str = ""
    owner: str | None = None
    page: Path | None = None
    error: str | None = None

    @property
    def mark(self) -> str:
        """The light as shape and word."""
        shape, word = style.CHIPS.get(self.light, style.CHIPS["unknown"])
        return f"{shape} {word}"


def of_page(page: Path) -> list[str]:
    """The sentences of a published page, in their order; the headline comes first where there is one."""
    return of_html(page.read_text(encoding="utf-8"))


def of_html(text: str) -> list[str]:
    """See `of_page`."""
    found = _CARRIED.search(text)
    carried: Mapping[str, Any] = json.loads(found[1]) if found else {}
    sentences = sorted(carried.get("sentences", []), key=lambda sentence: sentence.get("kind") != "headline")
    return list(dict.fromkeys(str(sentence["text"]) for sentence in sentences))
