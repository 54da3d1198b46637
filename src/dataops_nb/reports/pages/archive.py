"""The archive of a report: every period that was published, the newest first, each with its light.

It is also how a page leads to the period before and after it. A page never changes once it is
published, so it cannot know what comes after it, or whether what came before is still there. It
leads to a place in the archive instead: `#before-2026-W47` is where the period before stands, and a
script goes on to its page at once; without one the reader sees the line with its link.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from dataops_nb.numbers import DEFAULT
from dataops_nb.reports.pages import Day, WhatIf, day, document, markup
from dataops_nb.reports.pages.quotes import Quoted, quoted, travelling_text

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
    spans: Sequence[Mapping[str, Any]] | None = None
    locale: str = DEFAULT

    @property
    def path(self) -> str:
        """Where its page stands, seen from the archive."""
        return f"{quote(self.period)}/index.html"


@dataclass(frozen=True)
class Line:
    """A period in the archive; `marks` are the places by which its neighbours find it."""

    id: str
    period: str
    path: str
    marks: Sequence[str]
    chip: Markup
    sentence: Quoted | None
    as_of: Day


def script() -> str:
    """Read what goes on to the page of a neighbour."""
    return markup.script("archive.js")


@dataclass(frozen=True)
class Older:
    """A page with older periods: its path, its first period and its last one."""

    path: str
    first: str
    last: str


def build(
    company: str,
    title: str,
    past: Sequence[Past],
    whatif: WhatIf | None = None,
    *,
    newer: str | None = None,
    before: str | None = None,
    older: Sequence[Older] = (),
) -> str:
    """Build a page of the archive of a report, from its periods with the newest first.

    A year of weeks is told in sentences. `newer` is the period after the newest of these and
    `before` the one before the oldest, where other pages have them; `older` are these pages, the
    newest first.
    """
    ids = [newer, *(one.period for one in past), before]
    lines = []
    for place, one in enumerate(past):
        is_told = newer is None and place < TOLD
        lines.append(_line(one, ids[place], ids[place + 2], is_told=is_told))
    newest = dt.date.fromisoformat(max(one.as_of for one in past)[:10])
    body = markup.fill(
        "archive.html.j2",
        company=company,
        title=title,
        whatif=whatif,
        newest=day(newest, past[0].locale),
        periods=lines,
        newer=newer,
        before=before,
        older=older,
    )
    sentences = [line.sentence for line in lines if line.sentence]
    return document(
        f"{title}: all reports · {company}"
        if newer is None
        else f"{title}: older reports · {company}",
        body,
        travelling_text(sentences, newest),
        script=script(),
    )


def _line(one: Past, after: str | None, before: str | None, *, is_told: bool) -> Line:
    """Return the line of a period between its neighbours, which find it by its marks."""
    sentence = None
    if is_told:
        headline = {"text": one.headline, "facts": one.facts, "spans": one.spans}
        sentence = quoted(one.period, headline, one.locale)
    marks = []
    if after is not None:
        marks.append(f"before-{quote(after)}")
    if before is not None:
        marks.append(f"after-{quote(before)}")
    return Line(
        id=quote(one.period),
        period=one.period,
        path=one.path,
        marks=marks,
        chip=markup.chip(one.light, one.reason),
        sentence=sentence,
        as_of=day(one.as_of, one.locale),
    )
