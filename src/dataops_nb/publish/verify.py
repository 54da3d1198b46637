"""Verification: whether a page that somebody sends on still says what was published, and whether that agrees with its facts.

Offline, from the page alone. Three questions: does every <p> and <li> read as the sentence that is stored in the page; is every
other piece of visible text the one that was sealed; does each stored sentence agree with its facts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from babel import UnknownLocaleError

from dataops_nb.publish import facts, seals
from dataops_nb.story import disagreements
from dataops_nb.story.numbers import DEFAULT

FACTS = re.compile(r'<script type="application/json" id="facts">(.*?)</script>', re.DOTALL)
NO_FACTS = "carries no facts of dataops-nb, or they cannot be read"


@dataclass(frozen=True)
class Problem:
    """One text of a page, and what is wrong with it."""

    sentence: str
    problem: str

    def __str__(self) -> str:
        return f"{self.sentence!r} {self.problem}" if self.sentence else self.problem


def page(html: str) -> list[Problem]:
    """What is wrong with a page; empty where it says what was published and that agrees with its facts."""
    stored = FACTS.search(html)
    try:
        return _compared(FACTS.sub("", html), json.loads(stored[1])) if stored else [Problem("", NO_FACTS)]
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        UnknownLocaleError,
        ValueError,
    ):  # somebody's edits
        return [Problem("", NO_FACTS)]


def _compared(bare: str, travelling: Mapping[str, Any]) -> list[Problem]:
    found = [*_shown(bare, travelling["sentences"]), *_unsealed(bare, travelling), *_disagreeing(travelling)]
    return list(dict.fromkeys(found)) or _broken(bare, travelling)


def _shown(html: str, sentences: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """The stored sentences against those on the page, in order."""
    stored = [" ".join(str(each["text"]).split()) for each in sentences if each.get("facts")]
    visible = [text for text, facts in seals.read(html).said if facts]
    for kind, a, b, c, d in SequenceMatcher(a=stored, b=visible, autojunk=False).get_opcodes():
        if kind == "replace" and b - a == d - c:
            for was, now in zip(stored[a:b], visible[c:d], strict=True):
                yield Problem(now, f"was published as {was!r}")
        elif kind != "equal":
            yield from (Problem(text, "is missing from the page") for text in stored[a:b])
            yield from (Problem(text, "was not published with this page") for text in visible[c:d])


def _unsealed(html: str, travelling: Mapping[str, Any]) -> Iterator[Problem]:
    pieces = seals.read(html).pieces
    marks, sealed = [seals.digits(piece) for piece in pieces], seals.split(travelling["seal"].get("texts", ""))
    for kind, a, b, c, d in SequenceMatcher(a=sealed, b=marks, autojunk=False).get_opcodes():
        if kind in {"replace", "insert"}:
            yield from (Problem(piece, "is not what was published here") for piece in pieces[c:d])
        if kind == "delete" or (kind == "replace" and b - a > d - c):
            after = pieces[c - 1] if c else "the start"
            yield Problem(after, f"is followed by less than was published: {b - a - (d - c)} texts are missing")


def _disagreeing(travelling: Mapping[str, Any]) -> Iterator[Problem]:
    known, locale = facts.by_id(travelling), str(travelling.get("locale") or DEFAULT)
    for sentence in travelling["sentences"]:
        used, text = [str(id_) for id_ in sentence.get("facts", [])], str(sentence["text"])
        if lacking := [id_ for id_ in used if id_ not in known]:
            yield Problem(text, f"uses {', '.join(lacking)}, which the page does not have")
            continue
        own = str(sentence.get("locale") or locale)
        told = [known[id_] for id_ in used]
        for wrong in disagreements(text, told, sentence.get("names", []), own) if used else ():
            yield Problem(text, wrong)


def _broken(html: str, travelling: Mapping[str, Any]) -> list[Problem]:
    """Nothing visible has changed, and yet the whole is another one: then it is what travels, leads on, styles or runs."""
    whole = seals.seal(html, travelling)["whole"]
    return (
        []
        if whole == travelling["seal"].get("whole")
        else [Problem("", "the facts, the links, the styles or the script in the page are not those it was built with")]
    )
