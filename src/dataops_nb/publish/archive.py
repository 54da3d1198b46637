"""The archive of a report: every period that was published, the newest first, each with its light and sentence.

It is also how a page leads to the period before and after it. A page never changes once it is published, so it cannot know
what comes after it, or whether what came before is still there. It leads to a place in the archive instead: `#before-2026-W47`
is where the period before stands, and a script goes on to its page at once; without one the reader sees the line with its link.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from dataops_nb.publish import markup, saying
from dataops_nb.publish.markup import prose, text
from dataops_nb.publish.page import document, notice, stamp, whatif_said
from dataops_nb.publish.saying import Said
from dataops_nb.story.numbers import DEFAULT

TOLD = 53


@dataclass(frozen=True)
class Past:
    """One published period of a report: what its page says first."""

    period: str
    as_of: str
    light: str = "unknown"
    reason: str | None = None
    headline: str = ""
    facts: Sequence[Mapping[str, Any]] = ()
    names: Sequence[str] = ()
    locale: str = DEFAULT

    @property
    def path(self) -> str:
        """Where its page stands, seen from the archive."""
        return f"{quote(self.period)}/index.html"


@cache
def script() -> str:
    """What goes on to the page of a neighbour."""
    return files("dataops_nb.publish").joinpath("archive.js").read_text(encoding="utf-8").strip()


def build(company: str, title: str, past: Sequence[Past], whatif: str = "") -> str:
    """The archive page of a report, from its periods with the newest first. A year of weeks is told in sentences."""
    said = [Said(each.period, each.headline, each.facts, each.names, each.locale) for each in past[:TOLD]]
    newest = dt.date.fromisoformat(max(each.as_of for each in past)[:10])
    marks = _marks([each.period for each in past])
    items = "".join(_item(each, marks[each.period], said[i] if i < TOLD else None) for i, each in enumerate(past))
    mark = notice("What-if", f"<li>{text(whatif_said(whatif))}</li>") if whatif else ""
    first, last = (
        f'<p class="nb-note" id="{way}-{_id(each.period)}">' for way, each in (("after", past[0]), ("before", past[-1]))
    )
    body = (
        f'<header>\n<div class="nb-top"><span class="nb-company">{text(company)}</span>'
        f'<span class="nb-asof">newest as of {stamp(newest, past[0].locale)}</span></div>\n'
        f"<h1>{text(title)}: every period</h1>\n"
        f'<nav aria-label="Up"><a class="nb-up" href="../index.html">All reports</a></nav>\n</header>\n'
        f"<main>\n{mark}{first}The newest is {text(past[0].period)}.</p>"
        f'<ol class="nb-cards" reversed>{items}</ol>'
        f"{last}Nothing before {text(past[-1].period)} is kept here.</p>\n"
        "</main>\n<footer><p>Each page stays as it was published.</p></footer>"
    )
    return document(f"{company} · {title} · every period", body, saying.travelling(said, newest), script=script())


def _id(period: str) -> str:
    return text(quote(period))


def _marks(periods: Sequence[str]) -> dict[str, str]:
    """For each period the places by which its neighbours find it."""
    marks = dict.fromkeys(periods, "")
    for later, earlier in pairwise(periods):
        marks[earlier] += f'<span id="before-{_id(later)}"></span>'
        marks[later] += f'<span id="after-{_id(earlier)}"></span>'
    return marks


def _item(past: Past, marks: str, said: Said | None) -> str:
    name = f'<a href="{text(past.path)}">{text(past.period)}</a>'
    top = f'<div class="nb-cardtop"><h2>{name}</h2>{markup.chip(past.light, past.reason)}</div>'
    told = f'<p class="nb-said"{said.attribute}>{prose(said.text)}</p>' if said else ""
    return f'<li id="{_id(past.period)}">{marks}{top}{told}<p class="nb-meta">as of {stamp(past.as_of, past.locale)}</p></li>'
