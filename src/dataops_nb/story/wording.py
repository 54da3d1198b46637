"""What people type into a pitch beside its facts: numbers that will age, lengths of time, and periods.

A pitch names facts in braces. A number that is typed beside them is right once; a length of time must be one that the
definitions agree on (a link's `after`, a window); a period must be the report's. Colours, directions and comparisons are
held against the facts like those of every other sentence (`checking`). Causes and what will happen nobody can check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dataops_nb.definitions import Definitions
from dataops_nb.story import claims
from dataops_nb.story.naming import names

NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "thirteen": 13, "twenty": 20, "fifty": 50, "hundred": 100, "thousand": 1000, "million": 1_000_000,
    "half": 0.5, "twice": 2, "double": 2, "doubled": 2, "dozen": 12,
}  # fmt: skip
_LENGTH = re.compile(r"\b(one|a|{})[\s-]+(day|week|month|quarter|year)s?\b".format("|".join(NUMBERS)), re.IGNORECASE)
_NUMBER = re.compile(r"\b({})\b".format("|".join(NUMBERS)), re.IGNORECASE)
_PERIOD = re.compile(r"\b(?:this|last|next)\s+(day|week|month|quarter|year)\b", re.IGNORECASE)
_FACT = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Said:
    """One sentence as it was typed, and the metrics that the whole text speaks of."""

    text: str
    whole: tuple[str, ...]

    @property
    def typed(self) -> str:
        """What a person typed: without facts."""
        return _FACT.sub(" ", self.text)


def named(text: str) -> list[str]:
    """The facts a text names, in order, as often as it does."""
    return _FACT.findall(text)


def metrics_in(text: str, *more: str) -> tuple[str, ...]:
    """The metrics whose facts a text names, and these, each once."""
    return tuple(dict.fromkeys([*(name.partition(".")[0] for name in named(text)), *more]))


def faults(said: Said, grain: str, definitions: Definitions) -> Iterator[str]:
    """The numbers, lengths of time and periods that a sentence says in its own words and nobody agreed on, and the remedy."""
    typed = claims.cover(said.typed, names(definitions))
    yield from _numbers(typed, said.whole, definitions)
    yield from _periods(typed, grain)


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
