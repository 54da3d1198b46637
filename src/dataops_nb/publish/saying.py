"""Saying: a sentence on a page that no notebook made, with the facts it prints, so that `verify` can hold it against them.

The front page and the archives say what reports said, so two facts of one id may be about two periods: the id of each starts
with the name of its report.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dataops_nb import story
from dataops_nb.publish import facts
from dataops_nb.publish.markup import text
from dataops_nb.story.numbers import DEFAULT


@dataclass(frozen=True)
class Said:
    """A sentence: the report that says it, its text, its facts, the names in it, and how its numbers are written."""

    report: str
    text: str
    facts: Sequence[Mapping[str, Any]]
    names: Sequence[str] = ()
    locale: str = DEFAULT

    @cached_property
    def ids(self) -> list[str]:
        """The ids of its facts in the order it prints them: a report's own; none where the two do not agree."""
        known = [facts.as_fact(fact) for fact in self.facts]
        ordered = story.in_order(self.text, known, self.names, self.locale)
        if story.disagreements(self.text, ordered, self.names, self.locale):
            return []
        return [f"{self.report}:{fact.id}" for fact in ordered]

    @property
    def attribute(self) -> str:
        """What the element that holds the sentence says of its facts."""
        return f' data-facts="{text(" ".join(self.ids))}"' if self.ids else ""


def travelling(said: Iterable[Said], as_of: dt.date) -> dict[str, Any]:
    """The sentences with their facts, in the order in which they stand on the page."""
    told = [each for each in said if each.ids]
    known = {f"{each.report}:{fact['id']}": fact for each in told for fact in each.facts}
    used = {id_ for each in told for id_ in each.ids}
    sentences = [
        {"text": each.text, "facts": each.ids, "names": list(each.names), "locale": each.locale} for each in told
    ]
    carried = [{**fact, "id": id_} for id_, fact in known.items() if id_ in used]
    return {"schema_version": 1, "as_of": as_of.isoformat(), "facts": carried, "sentences": sentences}
