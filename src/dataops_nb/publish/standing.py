"""Where each metric of a company stands: its light and numbers as a report says them, its past, and what feeds it.

The front page is drawn from these: the tree from inputs to the North Star, the small lines, and the list that is searched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dataops_nb.publish import markup, style
from dataops_nb.publish.markup import text
from dataops_nb.publish.saying import Said
from dataops_nb.story.numbers import DEFAULT

Fact = Mapping[str, Any]


@dataclass(frozen=True)
class Feed:
    """What feeds a metric: the other one, whether as part, declared or found in the data, and what the data say of it."""

    metric: str
    how: Literal["part", "moves", "found"]
    facts: Sequence[Fact] = ()

    def words(self) -> str:
        """How it feeds, in a few words."""
        verdict = next((str(each["value"]) for each in self.facts if str(each["field"]).startswith("verdict_on_")), "")
        lag = next((str(each["text"]) for each in self.facts if str(each["field"]).startswith("lag_on_")), "")
        after = f" {lag} later" if lag and not lag.startswith("0 ") else ""
        if self.how == "part":
            return "part of it"
        if self.how == "found":
            return f"found:{after}" if after else "found"
        said = {"moves": f"moves it{after}", "does not": "declared, and does not move it"}
        return said.get(verdict, "declared, not shown yet" if verdict else "declared to move it")


@dataclass(frozen=True)
class Standing:
    """One metric: what it is, who answers for it, which report's page says it, its facts by field, its last values.

    `said` is its sentence with the ids of that sentence's facts; `feeds` is what stands below it in the tree.
    """

    metric: str
    label: str
    department: str = ""
    owner: str = ""
    question: str = ""
    unit: str = ""
    report: str = ""
    path: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    said: str = ""
    said_facts: Sequence[Fact] = ()
    names: Sequence[str] = ()
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
            return "in no report"
        return str(self.facts["reason"]["value"]) if "reason" in self.facts else None

    @property
    def chip(self) -> str:
        """Its light as HTML."""
        return markup.chip(self.light, self.reason)

    @property
    def small(self) -> str:
        """Its light as HTML for a list, where the reason stands among the words."""
        return markup.chip(self.light)

    @property
    def name(self) -> str:
        """Its label, which leads to the page that says more."""
        shown = text(self.label)
        return f'<a href="{text(self.path)}">{shown}</a>' if self.path else shown

    def now(self) -> tuple[str, list[Fact]]:
        """Its value against its target in a few words, with their facts; why it has no light where it has none."""
        known, reason = self.facts, self.reason if self.light == "unknown" else None
        if "value" not in known:
            return reason or "", []
        value = known["value"]
        if reason:
            return f"{value['text']} · {reason}", [value]
        if "target_low" in known and "target_high" in known:
            low, high = known["target_low"], known["target_high"]
            return f"{value['text']} · agreed {low['text']} to {high['text']}", [value, low, high]
        if "target" in known:
            return f"{value['text']} · target {known['target']['text']}", [value, known["target"]]
        return str(value["text"]), [value]

    def line(self, words: str = "", facts: Sequence[Fact] = (), names: Sequence[str] = ()) -> Said:
        """The line that says it in a list: its light, its label, and words with their facts."""
        shape, light = style.CHIPS.get(self.light, style.CHIPS["unknown"])
        lit = [self.facts[name] for name in ("light", "reason") if name in self.facts]
        said = " ".join(part for part in (shape, light, self.label, words) if part)
        return Said(self.report, said, [*facts, *lit], [self.label, *names], self.locale)
