"""Quote what reports say on a page that no notebook made, with the facts, for `verify`.

The front page and the archives say what reports said. Two facts of one id may then be about two
periods, so the id of each starts with the name of its report.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataops_nb.display import Piece, Sentence, Span, say
from dataops_nb.numbers import DEFAULT
from dataops_nb.reports.pages import notebook


@dataclass(frozen=True)
class Quoted:
    """A sentence of a report, and how its numbers are written."""

    report: str
    sentence: Sentence
    locale: str = DEFAULT

    @property
    def text(self) -> str:
        """The sentence as people read it."""
        return self.sentence.text

    @property
    def ids(self) -> list[str]:
        """The ids of its facts, each after its report."""
        return [f"{self.report}:{id_}" for id_ in self.sentence.facts]


def quoted(report: str, sentence: Mapping[str, Any], locale: str = DEFAULT) -> Quoted:
    """A sentence as a ledger keeps it: `text`, its `facts` whole, its `spans`.

    One of an older version has no spans: it is shown, and nothing is held against facts.
    """
    known = notebook.by_id({"facts": sentence.get("facts") or ()})
    return Quoted(report, Sentence(notebook.spans_of(sentence, known)), locale)


def made_of(report: str, *pieces: Piece, locale: str = DEFAULT) -> Quoted:
    """A sentence that the page makes of a report's facts."""
    return Quoted(report, say(*pieces), locale)


def travelling_text(quotes: Iterable[Quoted], as_of: dt.date) -> dict[str, Any]:
    """The sentences with their facts, in the order in which they stand on the page."""
    sentences: list[dict[str, Any]] = []
    carried: dict[str, dict[str, Any]] = {}
    for quote in quotes:
        if not quote.ids:
            continue
        spans = [_after_report(quote.report, span) for span in quote.sentence.spans]
        for span in spans:
            if span.fact is not None:
                carried.setdefault(span.fact.id, span.fact.as_dict())
        sentences.append(
            {
                "text": quote.text,
                "facts": quote.ids,
                "spans": [span.as_data() for span in spans],
                "locale": quote.locale,
            }
        )
    return {
        "schema_version": 1,
        "as_of": as_of.isoformat(),
        "facts": list(carried.values()),
        "sentences": sentences,
    }


def _after_report(report: str, span: Span) -> Span:
    if span.fact is None:
        return span
    return replace(span, fact=replace(span.fact, id=f"{report}:{span.fact.id}"))
