"""Comments: what people type about a metric, held against its facts by meaning.

A comment is read clause by clause. Each clause is about the metric it names, else about the one before it, else about the one
that the comment stands beside. What it claims (a colour, a way, a number, a rank, a streak, whether the target is met) is
right, wrong, or cannot be judged: plans, causes, and numbers about something else are left to people, and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from dataops_nb.story import claims, weighing
from dataops_nb.story.topics import stranger
from dataops_nb.story.weighing import About

Verdict = Literal["right", "wrong", "cannot judge"]

_BREAK = re.compile(
    r"(?<=[.!?;:])\s+|,\s+(?:and\s+|but\s+|so\s+)?|\s+(?:but|although|whereas|while)\s+|\s[-\u2013\u2014]\s|\s+and (?=we )"
)
_OPEN = re.compile(
    r"\b(?:will|would|should|could|may|might|must|can|going to|expect\w*|hope\w*|plan(?:s|ned|ning)? to|aims?|want\w*|"
    r"needs?(?= )|"
    r"if|unless|until|next (?:week|month|quarter|year)|tomorrow|forecast\w*|probably|perhaps|let us|let's|please|\?)(?=\W|$)",
    re.IGNORECASE,
)
_SURELY = re.compile(r"\b(?:green|yellow|amber|red|target|plan|goal|quota)\b", re.IGNORECASE)
_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_TENS = "|".join(word for word, value in _WORDS.items() if value >= 20)
_ONES = "|".join(word for word, value in _WORDS.items() if 0 < value < 10)
_SPELLED = re.compile(
    rf"\b(?:(?P<tens>{_TENS})[- ](?P<ones>{_ONES})|(?P<word>{'|'.join(_WORDS)}))\b(?! more time\b)(?!(?<=\bone) of\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Claim:
    """One thing that a comment says: the clause and the words in it that say it, what became of it, and why."""

    text: str
    verdict: Verdict
    why: str
    words: str = ""


def weigh(text: str, beside: str, known: Iterable[About], names: Iterable[str] = ()) -> list[Claim]:
    """Every claim of a comment that stands beside the metric `beside`; `names` are further words that claim nothing."""
    metrics = {about.metric: about for about in known}
    current, found = metrics[beside], list[Claim]()
    for clause in _clauses(text):
        current = _subject(clause, metrics.values()) or current
        others = [about.label for about in metrics.values()]
        covered = claims.cover(_digits(clause), [*names, *others, *(label.lower() for label in others)])
        found += _read(clause, covered, current)
    return found


def wrong(found: Iterable[Claim]) -> list[Claim]:
    """The claims that the facts contradict."""
    return [claim for claim in found if claim.verdict == "wrong"]


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in _BREAK.split(" ".join(text.split())) if clause and clause.strip()]


def _digits(clause: str) -> str:
    """Numbers that are spelled out, as digits: `three weeks` -> `3 weeks`, `forty-one` -> `41`."""

    def value(hit: re.Match[str]) -> str:
        parts = [hit["word"]] if hit["word"] else [hit["tens"], hit["ones"]]
        return str(sum(_WORDS[part.lower()] for part in parts))

    return _SPELLED.sub(value, clause)


def _subject(clause: str, known: Iterable[About]) -> About | None:
    """The metric that a clause names, by label or id; the first one where it names several."""
    places = []
    for about in known:
        for name in {about.label, about.metric.replace("_", " ")}:
            hit = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", clause, re.IGNORECASE)
            if hit:
                places.append((hit.start(), -len(name), about))
    return min(places, key=lambda place: place[:2])[2] if places else None


def _read(clause: str, covered: str, about: About) -> Iterator[Claim]:
    if hit := _OPEN.search(covered):
        if claims.figures(covered, about.locale) or claims.colours(covered) or claims.ways(covered):
            yield Claim(clause, "cannot judge", "it speaks of what may be, not of what was", hit[0])
        return
    strange = stranger(covered, about)
    for holds, why, words in weighing.weighed(covered, about):
        if holds is False and strange is not None and not _SURELY.search(words):
            yield Claim(clause, "cannot judge", f"it may be about {strange}, which no fact tells", words)
        else:
            yield Claim(clause, "cannot judge" if holds is None else "right" if holds else "wrong", why, words)
