"""Describe each metric as a card: its light and numbers as a report says them, and what feeds it.

The front page draws the North Stars, their tree and the list of all metrics from these.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from markupsafe import Markup

from dataops_nb.display import Phrase, Piece, chip, say
from dataops_nb.numbers import DEFAULT, without_unit
from dataops_nb.reports.pages import markup, notebook
from dataops_nb.reports.pages.quotes import Quoted, made_of

Fact = Mapping[str, Any]


@dataclass(frozen=True)
class Feed:
    """What feeds a metric: the other metric, `how` it does, and what the data say of it."""

    metric: str
    how: Literal["part", "moves", "found"]
    facts: Sequence[Fact] = ()

    def words(self) -> Phrase:
        """Say in a few words how it feeds (`effect after 2 weeks`), with their facts."""
        known = [notebook.as_fact(fact) for fact in self.facts]
        verdicts = [fact for fact in known if fact.field.startswith("verdict_on_")]
        after: Phrase = ()
        for fact in known:
            if fact.field.startswith("lag_on_") and not fact.text.startswith("0 "):
                after = (" after ", fact)
        if self.how == "part":
            return ("part of it",)
        if self.how == "found":
            return ("seen in the data,", after) if after else ("seen in the data",)
        if not verdicts:
            return ("expected",)
        rests_on = say.rests_on(*verdicts)
        if verdicts[0].value == "moves":
            return ("effect", after or " seen", rests_on)
        idle = [fact for fact in known if fact.field.startswith("rocking_chair_on_")]
        if verdicts[0].value == "does not" or idle:
            rests_on = say.rests_on(*verdicts, *idle)
            return ("expected, no effect seen", rests_on)
        return ("expected, no sign yet", rests_on)


@dataclass(frozen=True)
class MetricCard:
    """One metric: what it is, who answers for it, and which report's page says it.

    `facts` are its facts by field, `past` its last values; `said` is its sentence as its report
    keeps it, `feeds` what stands below it in the tree.
    """

    metric: str
    label: str
    department: str = ""
    owner: str = ""
    question: str = ""
    unit: str = ""
    bound: str = "target"
    report: str = ""
    path: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    said: Mapping[str, Any] | None = None
    locale: str = DEFAULT
    past: Sequence[float | None] = ()
    feeds: Sequence[Feed] = ()

    @property
    def light(self) -> str:
        """Its light; unknown where no report says one."""
        return str(self.facts["light"]["value"]) if "light" in self.facts else "unknown"

    @property
    def reason(self) -> str | None:
        """Why it has no light."""
        if self.path is None:
            return "not in a report"
        return str(self.facts["reason"]["value"]) if "reason" in self.facts else None

    @property
    def chip(self) -> Markup:
        """Its light, with the reason where it has none."""
        return markup.chip(self.light, self.reason)

    @property
    def small(self) -> Markup:
        """Its light for a list of many."""
        return self.chip

    def now(self) -> Phrase:
        """Say its value against its target in a few words, with their facts; () for no value."""
        known = {name: notebook.as_fact(fact) for name, fact in self.facts.items()}
        if "value" not in known:
            return ()
        value = known["value"]
        if self.light == "unknown":
            return (value,)
        if "target_low" in known and "target_high" in known:
            low, high = known["target_low"], known["target_high"]
            shorter = without_unit(low.text, high.text, high.unit)
            return (value, " · range ", say.as_(low, shorter), " to ", high)
        if "target" in known:
            return (value, f" · {self.bound} ", known["target"])
        return (value,)

    def line(self, *words: Phrase) -> Quoted:
        """Say it as a line of a list: its light, its label, and words with their facts."""
        light = chip(self.light, self.reason)
        # A reason is said as it was recorded, and is no claim that facts have to bear.
        known = say.name(light) if self.reason else light
        pieces: list[Piece] = [known, " ", say.name(self.label)]
        for phrase in words:
            if say(phrase).text:
                pieces += [" ", phrase]
        rests_on = []
        for name in ("light", "reason"):
            if name in self.facts:
                rests_on.append(notebook.as_fact(self.facts[name]))
        return made_of(self.report, *pieces, say.rests_on(*rests_on), locale=self.locale)


@dataclass(frozen=True)
class More:
    """What the front page shows beside its reports.

    `cards` say where each metric stands, by its id; `stars` are the ids of the North Stars.
    """

    cards: Mapping[str, MetricCard] = field(default_factory=dict)
    stars: Sequence[str] = ()
    grain: str = "week"
    refreshed: dt.datetime | None = None
