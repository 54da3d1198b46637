"""What people type into a pitch, by meaning: numbers, colours, directions and comparisons must agree with facts.

A pitch names facts in braces. A digit that is typed beside them ages; a word like *red*, *rose* or *above target* is a
claim, true one week and false the next. So each such word is held against the facts of its own sentence. What this
cannot judge (irony, causes, what will happen) it lets pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dataops_nb.definitions import Definitions
from dataops_nb.story.facts import Fact

NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "thirteen": 13, "twenty": 20, "fifty": 50, "hundred": 100, "thousand": 1000, "million": 1_000_000,
    "half": 0.5, "twice": 2, "double": 2, "doubled": 2, "dozen": 12,
}  # fmt: skip
_LENGTH = re.compile(r"\b(one|a|{})[\s-]+(day|week|month|quarter|year)s?\b".format("|".join(NUMBERS)), re.IGNORECASE)
_NUMBER = re.compile(r"\b({})\b".format("|".join(NUMBERS)), re.IGNORECASE)
_PERIOD = re.compile(r"\b(?:this|last|next)\s+(day|week|month|quarter|year)\b", re.IGNORECASE)
_COLOUR = re.compile(r"\b(green|yellow|amber|red)\b", re.IGNORECASE)
_UP = "up|rose|rises?|rising|risen|grew|grows|growing|grown|increased?s?|increasing|climbed|climbs|gained|jumped"
_DOWN = "down|fell|falls?|falling|fallen|dropped|drops|dropping|declined?s?|declining|decreased?s?|shrank|shrinks?|sank"
_WAY = re.compile(
    rf"\b(?:(?P<up>{_UP})|(?P<down>{_DOWN})|(?P<better>improved?s?|better than)|(?P<worse>worsened|worse than))\b",
    re.IGNORECASE,
)
_AGREED = r"(?=[^.!?;,]*(?:\b(?:targets?|plan|goal)\b|\.target\}))"
_SIDE = re.compile(
    r"\b(?:(?P<above>above|over|exceeded|exceeds|ahead of|beat)|(?P<below>below|under|behind|short of|missed))\b"
    + _AGREED,
    re.IGNORECASE,
)
_FACT = re.compile(r"\{([^{}]*)\}")
_VERBS = (
    "let|lets|letting|sign|signs|signed|set|follow|followed|come|came|end|ended|give|gave|write|wrote|show|shows|showed|look|"
    "turn|turned|break|broke"
)
_IDIOMS = re.compile(rf"\b(?:{_VERBS})\s+(?:\w+\s+)?(?:up|down)\b|\bup\s+to\b|\bover\s+the\b", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """One sentence as it was typed, the metrics it speaks of, and those of the whole text."""

    text: str
    metrics: tuple[str, ...]
    whole: tuple[str, ...]

    @property
    def typed(self) -> str:
        """What a person typed: without facts."""
        return _FACT.sub(" ", self.text)


def named(text: str) -> list[str]:
    """The facts a text names, in order, each once."""
    return list(dict.fromkeys(_FACT.findall(text)))


def metrics_in(text: str, *more: str) -> tuple[str, ...]:
    """The metrics whose facts a text names, and these, each once."""
    return tuple(dict.fromkeys([*(name.partition(".")[0] for name in named(text)), *more]))


def faults(said: Said, grain: str, definitions: Definitions, known: Mapping[str, Fact]) -> Iterator[str]:
    """What a sentence claims in its own words that no fact says, or that a fact denies, each with how to mend it."""
    typed = _without_names(said.typed, definitions)
    yield from _numbers(typed, said.whole, definitions)
    yield from _periods(typed, grain)
    metrics = said.metrics or said.whole
    yield from _colours(typed, metrics, known)
    yield from _ways(_IDIOMS.sub(" ", typed), metrics, definitions, known)
    yield from _sides(_IDIOMS.sub(" ", _without_names(said.text, definitions)), metrics, known)


def _without_names(text: str, definitions: Definitions) -> str:
    """Labels and words of the glossary are names: what they contain is no claim."""
    labels = sorted({*map(definitions.label, definitions.metrics), *definitions.glossary}, key=len, reverse=True)
    for label in labels:
        if re.search(r"\d|\b(?:green|yellow|red|up|down|over|under)\b", label, re.IGNORECASE):
            text = re.sub(rf"\b{re.escape(label)}(?!\w)", " ", text, flags=re.IGNORECASE)
    return text


def _numbers(typed: str, metrics: Iterable[str], definitions: Definitions) -> Iterator[str]:
    lengths = _lengths(definitions, metrics)
    for found in _LENGTH.finditer(typed):
        count = 1 if found[1].lower() in {"a", "one"} else NUMBERS[found[1].lower()]
        if count != 1 and (count, found[2].lower()) not in lengths:
            told = ", ".join(f"{n:g} {unit}s" for n, unit in sorted(lengths)) or "none"
            yield f"{found[0]!r} is agreed nowhere for what the pitch names (links and windows: {told}); leave it out"
    rest = _LENGTH.sub(" ", typed)
    for digits in re.findall(r"[$€£]?\d[\d.,]*\s?%?", rest):
        yield f"the number {digits.strip()} is typed, and will be wrong next time; name a fact, like {{metric.value}}"
    for word in _NUMBER.findall(rest):
        yield f"the number {word.lower()!r} is typed, and no fact says it; name a fact, or leave it out"


def _lengths(definitions: Definitions, metrics: Iterable[str]) -> set[tuple[float, str]]:
    """The lengths of time that the definitions agree on for these metrics: links from and to them, and windows."""
    asked = set(metrics)
    links = [
        m.after for id_, one in definitions.metrics.items() for m in one.moves if m.after and {id_, m.metric} & asked
    ]
    windows = [w for id_ in asked if (w := getattr(definitions.metrics[id_], "window", None))]
    return {(float(each.count), each.unit) for each in (*links, *windows)}


def _periods(typed: str, grain: str) -> Iterator[str]:
    for found in _PERIOD.finditer(typed):
        if found[1].lower() != grain:
            yield f"{found[0]!r} is wrong in a report by {grain}; say it without the period"


def _colours(typed: str, metrics: Iterable[str], known: Mapping[str, Fact]) -> Iterator[str]:
    lights = {str(known[f"{name}.light"].value) for name in metrics if f"{name}.light" in known}
    for word in _COLOUR.findall(typed):
        colour = "yellow" if word.lower() == "amber" else word.lower()
        if colour not in lights:
            told = " and ".join(sorted(lights)) or "unknown"
            yield f"says {word.lower()!r}, and the light is {told}; name the fact {{metric.light}}"


def _ways(typed: str, metrics: Iterable[str], definitions: Definitions, known: Mapping[str, Fact]) -> Iterator[str]:
    changes = {name: float(known[f"{name}.change"].value or 0) for name in metrics if f"{name}.change" in known}
    for found in _WAY.finditer(typed):
        wanted = found.lastgroup or ""
        if not changes:
            yield f"says {found[0]!r} of nothing that has a change; name the metric's value in the same sentence"
        elif not any(_went(name, size, definitions) & {wanted} for name, size in changes.items()):
            yield f"says {found[0]!r}, and {_told(changes, definitions)}; leave the direction to the page"


def _went(name: str, size: float, definitions: Definitions) -> set[str]:
    if not size:
        return set()
    better = definitions.metrics[name].better
    good = (size > 0) == (better == "up")
    return {"up" if size > 0 else "down", *(() if better == "inside" else ("better" if good else "worse",))}


def _told(changes: Mapping[str, float], definitions: Definitions) -> str:
    words = {1: "rose", -1: "fell", 0: "did not change"}
    return " and ".join(f"{definitions.label(name)} {words[(size > 0) - (size < 0)]}" for name, size in changes.items())


def _sides(text: str, metrics: Iterable[str], known: Mapping[str, Fact]) -> Iterator[str]:
    gaps = {name: float(known[f"{name}.gap"].value or 0) for name in metrics if f"{name}.gap" in known}
    for found in _SIDE.finditer(text):
        above = found.lastgroup == "above"
        if not gaps:
            yield f"says {found[0]!r}, and no target is known of what the sentence names; name a metric with a target"
        elif not any(gap > 0 if above else gap < 0 for gap in gaps.values()):
            yield f"says {found[0]!r}, and the value is not; leave the comparison to the page"
