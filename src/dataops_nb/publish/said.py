"""What is said on a page: sentences, each a <p> or <li> of its own, whose numbers tell on a touch what they are.

A sentence is held against its facts before it stands anywhere. A number tells its metric, how it is made, its system, and the
day up to which there are data: on hover, and on a tap, without a script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataops_nb import story
from dataops_nb.errors import ReportError
from dataops_nb.publish import markup, style
from dataops_nb.story import Fact
from dataops_nb.story.numbers import DEFAULT


@dataclass
class Seen:
    """What the cells of one page have said so far: their sentences, and how many figures were numbered."""

    known: Mapping[str, Fact]
    reason: str | None = None
    names: tuple[str, ...] = ()
    meanings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    locale: str = DEFAULT
    sentences: list[dict[str, Any]] = field(default_factory=list)
    figures: int = 0

    @property
    def headline(self) -> bool:
        """Whether a headline was shown."""
        return any(sentence.get("kind") == "headline" for sentence in self.sentences)

    def say(self, said: str, used: Sequence[str], *, apart: str = "") -> tuple[list[str], str]:
        """Keep a sentence; its facts in the order it prints them, and its HTML. ReportError where the two do not agree.

        Between two of `apart` no line ends.
        """
        if lacking := [id_ for id_ in used if id_ not in self.known]:
            raise ReportError(f"the sentence {said!r} uses the fact {lacking[0]!r}, which the report does not have")
        names = [name for name in self.names if name in said]
        told = story.in_order(said, [self.known[id_] for id_ in used], names, self.locale)
        if told and (wrong := story.disagreements(said, told, names, self.locale)):
            raise ReportError(f"the sentence {said!r} does not agree with its facts: {'; '.join(wrong)}")
        ids = [fact.id for fact in told]
        self.sentences.append({"text": said, "facts": ids, **({"names": names} if names else {})})
        shown = apart.join(part.replace(" ", "\u00a0") for part in said.split(apart)) if apart else said
        return ids, _told(shown, story.places(said, told, names, self.locale), self.meanings)

    def name(self) -> str:
        """A name for the next figure."""
        self.figures += 1
        return f"f{self.figures}"


def sentences(told: Sequence[Mapping[str, Any]], seen: Seen, title: str = "") -> str:
    """Sentences as HTML: headlines under their light, figures in a row, the others as a list; folded under a title."""
    pieces: list[str] = []
    lines: list[str] = []
    for sentence in told:
        apart = " · " if sentence.get("kind") == "figures" else ""
        used, html = seen.say(str(sentence["text"]), [str(id_) for id_ in sentence.get("facts", [])], apart=apart)
        attribute = f' data-facts="{markup.text(" ".join(used))}"' if used else ""
        if sentence.get("kind") == "headline":
            seen.sentences[-1]["kind"] = "headline"
            pieces += [*_listed(lines), headline(html, sentence.get("light"), seen.reason, attribute)]
            lines = []
        elif sentence.get("kind") == "figures":
            pieces += [*_listed(lines), f'<p class="nb-figures"{attribute}>{html}</p>']
            lines = []
        else:
            lines.append(_line(html, sentence.get("light"), attribute))
    html = "".join([*pieces, *_listed(lines)])
    return f"<details><summary>{markup.text(title)}</summary>{html}</details>" if title and html else html


def _line(html: str, light: str | None, attribute: str) -> str:
    mark = f' data-light="{light}"' if light in style.CHIPS else ""
    return f"<li{attribute}{mark}>{html}</li>"


def _listed(lines: list[str]) -> list[str]:
    return [f'<ul class="nb-lines">{"".join(lines)}</ul>'] if lines else []


def headline(html: str, light: str | None, reason: str | None, attribute: str = "") -> str:
    """The sentence that answers first (as HTML), under its light."""
    mark = markup.chip(light, reason) if light else ""
    return f'<div class="nb-headline">{mark}<p{attribute}>{html}</p></div>'


def _told(said: str, numbers: Sequence[story.Said], meanings: Mapping[str, Mapping[str, Any]]) -> str:
    """A sentence as HTML: each number that is understood tells what it is."""
    pieces, end = [], 0
    for each in numbers:
        tip = _tip(each.fact, meanings.get(each.fact.metric))
        shown = markup.text(said[each.number.start : each.number.end])
        pieces.append(markup.text(said[end : each.number.start]))
        pieces.append(
            f'<span class="nb-fact" tabindex="-1" data-tip="{markup.text(tip)}">{shown}</span>' if tip else shown
        )
        end = each.number.end
    return "".join([*pieces, markup.text(said[end:])])


def _tip(fact: Fact, meaning: Mapping[str, Any] | None) -> str:
    if meaning is None:
        return ""
    what = f"{meaning['label']}, {fact.field.replace('_', ' ')}, {fact.period}"
    made = f": {meaning['how']}" if fact.field in {"value", "previous", "same_last_year"} else ""
    of = f" Source: {', '.join(meaning['systems'])}" if meaning["systems"] else ""
    reach = f", data to {meaning['data_to']}" if meaning["data_to"] else ""
    return f"{what}{made}.{of}{reach}{'.' if of or reach else ''}"
