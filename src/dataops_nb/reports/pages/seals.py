"""Seal a page when it is built, and verify one that comes back.

The bytes of the whole page leave a digest in it, so every changed byte is found. To name a change,
every piece of text that a reader can see or hear (also titles of tooltips, alternatives of
pictures, labels) leaves four hexadecimal digits in the page, in their order; all of them with its
links, styles and script leave sixteen. No key is involved: a seal shows a change, and who also
forges the seal still has to make the numbers agree with their facts.

Verification needs the page alone. Every byte must be the sealed one; where one is not, the seals of
the texts name what was changed. Each number must agree with its fact, whoever forged the seal. A
page of version 0.1.0 carries no seal of its bytes: only its sentences and texts are held against
it. A later page does not pass for one when the seal of its bytes is taken out of it: it names its
maker, and its sentences have spans.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from html.parser import HTMLParser
from typing import Any

from babel import UnknownLocaleError

from dataops_nb import numbers
from dataops_nb.display import Fact, Span
from dataops_nb.errors import ReportError
from dataops_nb.reports.pages import notebook
from dataops_nb.story import comments

SPOKEN = (
    "title",
    "alt",
    "aria-label",
    "aria-roledescription",
    "data-light",
    "data-facts",
    "data-tip",
    "data-fact",
    "datetime",
    "placeholder",
)
LEADS = ("href", "src")
SILENT = frozenset({"script", "style"})
LENGTH = 4
OPEN = "0" * 32
_CLOSED = re.compile(r'"page":"([0-9a-f]{32})"\}\}</script>')
MAKER = '<meta name="generator" content="dataops-nb">'  # no page of 0.1.0 has it
FACTS = re.compile(r'<script type="application/json" id="facts">(.*?)</script>', re.DOTALL)
MARK = "\ufeff"  # an editor on Windows puts it before a file
NO_FACTS = "not a dataops-nb page, or unreadable"
OLDER = "sealed by an older version"
WRITTEN_AGAIN = "the file was written again: its bytes are not those that were published"
UNSEALED = "the seal of its bytes was taken out of the page"
CARRIED = "facts, links, styles or script have been changed"
_MARKS = {"%", "point", "points"}  # units that read like the marks of shares
# An attainment is never rounded up to a target that was missed, so it may be half a percent off.
_WHOLE = frozenset({"attainment", "pace", "p_hit"})


class Visible(HTMLParser):
    """What can be read on a page: its pieces of text, and each <p> and <li> with its facts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.said: list[tuple[str, tuple[str, ...]]] = []
        self.silent: list[str] = []
        self._silent = 0
        self._open: list[tuple[str, list[str], tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what an element says in its attributes, and open a <p> or <li>."""
        self._silent += tag in SILENT
        known = dict(attrs)
        self.pieces += [_line(value) for name in SPOKEN if (value := known.get(name))]
        self.silent += [value for name in LEADS if (value := known.get(name))]
        self.silent += [f"{name}={value}" for name, value in attrs if _changes(tag, name, known)]
        if tag == "meta" and (content := known.get("content")):
            (self.silent if known.get("http-equiv") else self.pieces).append(_line(content))
        if tag in {"p", "li"}:
            self._open.append((tag, [], tuple((known.get("data-facts") or "").split())))

    def handle_endtag(self, tag: str) -> None:
        """Close a <p> or <li>: its words are one text."""
        self._silent -= tag in SILENT
        if self._open and self._open[-1][0] == tag:
            _, words, facts = self._open.pop()
            self.said.append((_line("".join(words)), facts))

    def handle_data(self, data: str) -> None:
        """Keep a piece of text; what styles the page or runs in it apart."""
        if self._silent:
            self.silent.append(data)
            return
        if piece := _line(data):
            self.pieces.append(piece)
        for _, words, _ in self._open:
            words.append(data)


def read(html: str) -> Visible:
    """What can be read on a page."""
    visible = Visible()
    visible.feed(html)
    visible.close()
    return visible


def seal(html: str, travelling: Mapping[str, Any]) -> dict[str, str]:
    """What a page leaves of itself, from its HTML without what travels in it.

    `texts`: four digits for each piece of text; `whole`: sixteen for all of them with what travels,
    leads on, styles and runs; `page`: room for the digest of the finished page, see `close`.
    """
    visible = read(html)
    texts = "".join(digits(piece) for piece in visible.pieces)
    return {"texts": texts, "whole": whole(visible, travelling), "page": OPEN}


def whole(visible: Visible, travelling: Mapping[str, Any]) -> str:
    """Sixteen digits of everything that a page says, carries, leads to, styles and runs."""
    carried = {key: value for key, value in travelling.items() if key != "seal"}
    content = [visible.pieces, carried, visible.silent]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def close(html: str) -> str:
    """A finished page with the digest of its bytes in the room that `seal` left."""
    found = _place(html)
    if found is None:
        return html
    start, end = found
    return html[:start] + _digest(html) + html[end:]


def is_intact(html: str) -> bool:
    """Whether every byte of a page is the one it was closed with."""
    found = _place(html)
    if found is None:
        return False
    start, end = found
    return html[start:end] == _digest(html[:start] + OPEN + html[end:])


def _place(html: str) -> tuple[int, int] | None:
    """Where the digest of the bytes stands: at the end of what travels in the page."""
    found = list(_CLOSED.finditer(html))
    return found[-1].span(1) if found else None


def _digest(html: str) -> str:
    return hashlib.sha256(html.encode("utf-8", "surrogatepass")).hexdigest()[: len(OPEN)]


def digits(piece: str) -> str:
    """What one piece of text leaves."""
    return hashlib.sha256(piece.encode()).hexdigest()[:LENGTH]


def split(texts: str) -> Sequence[str]:
    """The marks of a seal, one a piece of text."""
    return [texts[at : at + LENGTH] for at in range(0, len(texts), LENGTH)]


def _changes(tag: str, name: str, attributes: Mapping[str, str | None]) -> bool:
    """Tell whether an attribute can hide, restyle or rewrite what a reader sees.

    What our own search does to a page is let be.
    """
    if name == "hidden":
        return attributes.get("role") != "search" and "data-find" not in attributes
    return name == "style" or name.startswith("on") or (name == "class" and tag != "body")


def _line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class Problem:
    """One text of a page, and what is wrong with it."""

    sentence: str
    problem: str

    def __str__(self) -> str:
        return f"{self.sentence!r} {self.problem}" if self.sentence else self.problem


def page(html: str) -> list[Problem]:
    """Return what is wrong with a page.

    Empty where every byte is as published and its numbers agree with their facts.
    """
    try:
        bare = FACTS.sub("", html.removeprefix(MARK))
        return _compared(bare, _travelling(html), html)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        ReportError,
        TypeError,
        UnknownLocaleError,
        ValueError,
    ):  # somebody's edits
        return [Problem("", NO_FACTS)]


def is_older(html: str) -> bool:
    """Whether a page was sealed by a version that did not seal its bytes."""
    try:
        return _is_older(_travelling(html), html)
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


def _is_older(travelling: Mapping[str, Any], html: str) -> bool:
    """Tell whether a page has nothing that only pages with a seal of their bytes have."""
    if "page" in travelling["seal"] or MAKER in html:
        return False
    return not any("spans" in sentence for sentence in travelling["sentences"])


def _travelling(html: str) -> dict[str, Any]:
    """What travels in a page; LookupError where nothing does."""
    stored = FACTS.search(html)
    if stored is None:
        raise LookupError(NO_FACTS)
    travelling: dict[str, Any] = json.loads(stored[1])
    return travelling


def _compared(bare: str, travelling: Mapping[str, Any], html: str) -> list[Problem]:
    visible = read(bare)
    found = [
        *_shown(visible, travelling["sentences"]),
        *_unsealed(visible, travelling["seal"]),
        *_disagreeing(travelling),
    ]
    if found:
        return list(dict.fromkeys(found))
    is_same = whole(visible, travelling) == travelling["seal"].get("whole")
    if _is_older(travelling, html):
        return [] if is_same else [Problem("", CARRIED)]
    if "page" not in travelling["seal"]:
        return [Problem("", UNSEALED)]
    if is_intact(html):
        return []
    return [Problem("", WRITTEN_AGAIN if is_same else f"{WRITTEN_AGAIN}; {CARRIED}")]


def _shown(visible: Visible, sentences: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """The stored sentences against those on the page, in order."""
    stored = [" ".join(str(each["text"]).split()) for each in sentences if each.get("facts")]
    shown = [text for text, ids in visible.said if ids]
    for kind, a, b, c, d in SequenceMatcher(a=stored, b=shown, autojunk=False).get_opcodes():
        if kind == "replace" and b - a == d - c:
            for was, now in zip(stored[a:b], shown[c:d], strict=True):
                yield Problem(now, f"was published as {was!r}")
        elif kind != "equal":
            yield from (Problem(text, "has been removed") for text in stored[a:b])
            yield from (Problem(text, "has been added") for text in shown[c:d])


def _unsealed(visible: Visible, seal: Mapping[str, Any]) -> Iterator[Problem]:
    """The pieces of text that are not those that were sealed."""
    pieces = visible.pieces
    marks = [digits(piece) for piece in pieces]
    sealed = split(seal.get("texts", ""))
    for kind, a, b, c, d in SequenceMatcher(a=sealed, b=marks, autojunk=False).get_opcodes():
        if kind in {"replace", "insert"}:
            yield from (Problem(piece, "is not what was published here") for piece in pieces[c:d])
        if kind == "delete" or (kind == "replace" and b - a > d - c):
            after = pieces[c - 1] if c else "the start"
            missing = b - a - (d - c)
            texts = "1 text after it is" if missing == 1 else f"{missing} texts after it are"
            yield Problem(after, f"{texts} missing")


def _disagreeing(travelling: Mapping[str, Any]) -> Iterator[Problem]:
    """Sentences whose numbers are not those of their facts."""
    known, locale = notebook.by_id(travelling), str(travelling.get("locale") or numbers.DEFAULT)
    for sentence in travelling["sentences"]:
        ids, text = [str(id_) for id_ in sentence.get("facts", [])], str(sentence["text"])
        if not ids:
            continue
        if lacking := [id_ for id_ in ids if id_ not in known]:
            first, *others = lacking
            named = f"missing facts: {', '.join(lacking)}" if others else f"missing fact: {first}"
            yield Problem(text, named)
            continue
        own = str(sentence.get("locale") or locale)
        used = [known[id_] for id_ in ids]
        for fact in used:
            if not _is_printed_right(fact, own):
                yield Problem(text, f"shows {fact.text!r}; the fact is {fact.value} ({fact.id})")
        if sentence.get("spans") is None:
            wrong = _of_words(text, used, sentence.get("names", []), own)
        else:
            wrong = _of_spans(text, notebook.spans_of(sentence, known), used, own)
        for problem in wrong:
            yield Problem(text, problem)


def _of_spans(text: str, spans: Sequence[Span], used: Sequence[Fact], locale: str) -> Iterator[str]:
    """What the spans of a sentence say that is not so."""
    if "".join(span.text for span in spans) != text:
        yield "is not what its spans say"
        yield from _of_words(text, used, [span.text for span in spans if span.name], locale)
    states = {str(fact.value) for fact in used if "light" in fact.field}
    for span in spans:
        if span.fact is None and not span.name:
            for number in comments.figures(span.text, locale):
                yield f"says {number.text}; {_nearest(used)}"
            for colour in comments.typed_colours(span.text):
                if colour.means not in states:
                    yield f"says {colour.text}; no fact supports it"
        elif span.fact is not None and span.text:
            yield from _of_fact(span.text, span.fact, locale)


def _of_fact(text: str, fact: Fact, locale: str) -> Iterator[str]:
    """What a span says that its fact does not."""
    if isinstance(fact.value, str) or fact.value is None:
        if text.casefold() not in fact.text.casefold():
            yield f"says {text}; the fact is {fact.text} ({fact.id})"
        return
    printed = comments.figures(fact.text, locale)
    figures = comments.figures(text, locale)
    if [number.value for number in figures] != [number.value for number in printed]:
        yield f"says {text}; the fact is {fact.text} ({fact.id})"


def _of_words(text: str, used: Sequence[Fact], names: Iterable[str], locale: str) -> Iterator[str]:
    """The numbers of a sentence without spans, of an older version: each must be that of a fact."""
    words = [fact.text for fact in used if isinstance(fact.value, str)]
    periods = [numbers.at(locale).period_in_words(fact.period) for fact in used]
    capitals = [period[:1].upper() + period[1:] for period in periods]
    left = comments.cover(text, [*names, *words, *periods, *capitals])
    printed = [number for fact in used for number in comments.figures(fact.text, locale)[:1]]
    for number in comments.figures(left, locale):
        if not any(number.same(other) for other in printed):
            yield f"says {number.text}; {_nearest(used)}"


def _nearest(used: Iterable[Fact]) -> str:
    """What the first number of a sentence is."""
    for fact in used:
        if not isinstance(fact.value, str):
            return f"the fact is {fact.text} ({fact.id})"
    return "no fact says so"


def _is_printed_right(fact: Fact, locale: str) -> bool:
    """Whether the text of a number is its value, within half of the last printed digit."""
    if isinstance(fact.value, str) or fact.value is None:
        return True
    printed = comments.figures(fact.text, locale)
    if not printed:
        return True
    first = printed[0]
    scales = [100 if first.mark else 1]
    if fact.unit.strip().casefold() in _MARKS:
        scales = [1, 100]  # a value in it is no share; what else is said may be one
    for scale in scales:
        value = float(fact.value) * scale
        if fact.text.startswith(numbers.LESS) and 0 < abs(value) < abs(first.value):
            return True
        slack = first.within * (1 + 1e-9) + 1e-9 * abs(value)
        if first.mark == "%" and fact.field in _WHOLE:
            slack = max(slack, 0.5)
        if math.isclose(abs(first.value), abs(value), rel_tol=0, abs_tol=slack):
            return True
    return False
