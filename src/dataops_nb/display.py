"""What a notebook shows: sentences, tables and lights, each as data, as text and as HTML.

A sentence is a row of spans. A span that states a fact carries it, so nothing has to read the
finished English to learn which digits belong to which fact: a page hangs its explanations on
spans, a mail joins them. This is the one module below reports that writes HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal
from urllib.parse import quote

SENTENCES = "application/vnd.dataops-nb.sentences+json"
CHIPS = {
    "green": "● Green",
    "yellow": "▲ Yellow",
    "red": "■ Red",
    "unknown": "◇ Unknown",
}
# What a chip says of a light that is unknown, by its reason.
REASONS = {
    "no target": "○ No target",
    "no data": "◇ No data",
    "stale": "◇ Late",
    "incomplete": "◇ Partial",
    "fault": "◇ Bad data",
    "too short": "◇ Too new",
    "unreconciled": "◇ Systems disagree",
    "not in a report": "◇ In no report",
}
QUIET = "no target"
# JupyterLab takes the text between two dollar signs for a formula, and here they are amounts.
SHORT = 14  # letters of a cell, or a name, that no line ends within
_NO_FORMULA = "mathjax_ignore"
_AFTER_MARK = re.compile("(?<=[≤≥→↑↓]) ")
_STYLE = """<style>
.nb-table { border-collapse: collapse; margin: .5em 0 }
.nb-table caption { text-align: left; font-weight: 600; padding: .3em 0 }
.nb-table.nb-table.nb-table tr > * { \
padding: .3em .8em; border-bottom: 1px solid #d5dae0; vertical-align: top }
.nb-table.nb-table.nb-table tr > * { text-align: left; white-space: normal }
.nb-table.nb-table.nb-table tr > .nb-number { \
text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.nb-table.nb-table.nb-table tr > .nb-nowrap { white-space: nowrap }
.nb-chip { \
border-radius: 1em; padding: .1em .6em; white-space: nowrap; color: #fff; background: #5c6670 }
.nb-chip[data-light=green] { background: #00805e } .nb-chip[data-light=red] { background: #b3261e }
.nb-chip[data-light=yellow] { background: #f0b429; color: #1f2933 }
.nb-chip.nb-quiet { background: none; color: inherit; opacity: .75 }
</style>"""
Kind = Literal["headline", "cause", "line", "figures", "tile"]


@dataclass(frozen=True)
class Fact:
    """One value: `id` is `metric.field`, `text` is how it is printed."""

    id: str
    metric: str
    segment: str | None
    period: str
    field: str
    value: float | str | None
    unit: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """The fact as JSON takes it."""
        return vars(self).copy()  # its fields, all of them plain


@dataclass(frozen=True)
class Span:
    """A piece of a sentence: plain words, a stated fact, or a name, which states nothing.

    An empty text with a fact is a fact that the sentence rests on without printing it.
    """

    text: str
    fact: Fact | None = None
    name: bool = False

    def as_data(self) -> dict[str, Any]:
        """The span as JSON takes it, the fact by its id."""
        data: dict[str, Any] = {"text": self.text}
        if self.fact is not None:
            data["fact"] = self.fact.id
        if self.name:
            data["name"] = True
        return data


Piece = str | Fact | Span | Sequence["Piece"]
Phrase = Sequence[Piece]


class _Say:
    """Build sentences: `say(label, " came to ", value, ".")`."""

    def __call__(
        self,
        *pieces: Piece,
        kind: Kind = "line",
        light: str | None = None,
        past: Past | None = None,
    ) -> Sentence:
        """Join words, facts and names to a sentence; phrases (sequences of pieces) are opened."""
        return Sentence(tuple(_joined(pieces)), kind, light, past)

    @staticmethod
    def as_(fact: Fact, text: str) -> Span:
        """State a fact in another text than its own: `say.as_(low, "3")` for `3 days`."""
        return Span(text, fact)

    @staticmethod
    def name(text: str) -> Span:
        """Name something: a label, a title, a period. Digits and colours in it state nothing."""
        return Span(text, name=True)

    @staticmethod
    def rests_on(*facts: Fact) -> Phrase:
        """Carry facts that the sentence rests on and does not print."""
        return tuple(Span("", fact) for fact in facts)


say = _Say()


def chip(light: str, reason: str | None = None) -> str:
    """Say a light as shape and word; an unknown one says why it is.

    >>> chip("unknown", "stale")
    '◇ Late'
    """
    if light == "unknown" and isinstance(reason, str) and reason:
        return REASONS.get(reason, f"{CHIPS['unknown']}: {reason}")
    return CHIPS.get(light, CHIPS["unknown"])


@dataclass(frozen=True)
class Light:
    """A cell that shows a light: shape, word and colour; an unknown one shows its `reason`."""

    name: str
    reason: str | None = None

    def __str__(self) -> str:
        return chip(self.name, self.reason)

    def html(self) -> str:
        """The light as a chip."""
        classes = "nb-chip nb-quiet" if self.reason == QUIET else "nb-chip"
        return element("span", str(self), class_=classes, data_light=self.name)


@dataclass(frozen=True)
class Link:
    """A cell that leads to a file beside the notebook."""

    text: str
    file: str

    def __str__(self) -> str:
        return self.text

    def html(self) -> str:
        """The text as a link."""
        return element("a", self.text, href=quote(self.file))


Cell = str | Light | Link


@dataclass(frozen=True)
class Past:
    """The last values of a metric, oldest first, for a small line: None where one is missing.

    `description` says the same in words, `target` is the last target where there is one.
    """

    values: tuple[float | None, ...]
    description: str
    target: float | None = None

    def as_data(self) -> dict[str, Any]:
        """The values as JSON takes them."""
        values = list(self.values)
        return {"values": values, "description": self.description, "target": self.target}


@dataclass(frozen=True)
class Sentence:
    """A sentence as spans; `light` where it opens with a colour, `past` where a tile draws it."""

    spans: tuple[Span, ...]
    kind: Kind = "line"
    light: str | None = None
    past: Past | None = None

    @property
    def text(self) -> str:
        """The sentence as people read it."""
        return "".join(span.text for span in self.spans)

    @property
    def known(self) -> dict[str, Fact]:
        """The facts that the sentence states or rests on, by id, in the order of its spans."""
        facts: dict[str, Fact] = {}
        for span in self.spans:
            if span.fact is not None:
                facts.setdefault(span.fact.id, span.fact)
        return facts

    @property
    def facts(self) -> tuple[str, ...]:
        """The ids of those facts."""
        return tuple(self.known)

    def as_data(self) -> dict[str, Any]:
        """The sentence as JSON takes it: `text`, `facts` by id, `spans`, `kind` and `light`."""
        data: dict[str, Any] = {
            "text": self.text,
            "facts": list(self.facts),
            "spans": [span.as_data() for span in self.spans],
            "kind": self.kind,
            "light": self.light,
        }
        if self.past is not None:
            data["past"] = self.past.as_data()
        return data


def _joined(pieces: Iterable[Piece]) -> list[Span]:
    """Open phrases, and join plain words that follow each other.

    After what ends in a full stop (`5 kr.`, `2026. nov. 22.`) a sentence that ends has no second.
    """
    spans: list[Span] = []
    last = ""
    for piece in _opened(pieces):
        is_plain = piece.fact is None and not piece.name
        ends_again = is_plain and last == "." and re.match(r"\.(?!\.)", piece.text)
        span = Span(piece.text[1:]) if ends_again else piece
        last = span.text[-1:] or last
        if is_plain and spans and spans[-1].fact is None and not spans[-1].name:
            spans[-1] = Span(spans[-1].text + span.text)
        elif span.text or span.fact is not None:
            spans.append(span)
    return spans


def _opened(pieces: Iterable[Piece]) -> Iterable[Span]:
    for piece in pieces:
        if isinstance(piece, Span):
            yield piece
        elif isinstance(piece, Fact):
            yield Span(piece.text, piece)
        elif isinstance(piece, str):
            yield Span(piece)
        else:
            yield from _opened(piece)


def capitalized(pieces: Piece) -> Phrase:
    """A phrase whose first letter is a capital; the texts of facts and names included.

    A name with a capital inside its first word (`iPhone sales`) stays as it is written.
    """
    spans = _joined([pieces])
    for place, span in enumerate(spans):
        if span.text:
            is_written_so = span.name and not span.text.partition(" ")[0].islower()
            first = span.text if is_written_so else span.text[:1].upper() + span.text[1:]
            spans[place] = Span(first, span.fact, span.name)
            break
    return tuple(spans)


def listed(pieces: Sequence[Piece]) -> Phrase:
    """Several things in a row: `A, B and C`."""
    if len(pieces) == 1:
        return tuple(pieces)
    phrase: list[Piece] = []
    for piece in pieces[:-1]:
        phrase += [piece, ", "]
    return (*phrase[:-1], " and ", pieces[-1])


@dataclass(frozen=True)
class Told:
    """Sentences as a notebook shows them; under a `title` they are folded away.

    `more` are further facts of the same answer, which a report's facts.json lists as well. A
    `heading` stands over the sentences where there are any; a `boxed` answer has a frame.
    """

    sentences: tuple[Sentence, ...] = field(default=())
    title: str = ""
    more: Mapping[str, Fact] = field(default_factory=dict)
    heading: str = ""
    boxed: bool = False

    def __str__(self) -> str:
        return "\n".join(sentence.text for sentence in self.sentences)

    @property
    def known(self) -> dict[str, Fact]:
        """Every fact that comes with the sentences, by id."""
        facts = dict(self.more)
        for sentence in self.sentences:
            facts |= sentence.known
        return facts

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        data: dict[str, Any] = {
            "sentences": [sentence.as_data() for sentence in self.sentences],
            "facts": [fact.as_dict() for fact in self.known.values()],
        }
        html = sentences_html(self.sentences)
        if self.heading and self.sentences:
            data["heading"] = self.heading
            html = element("h2", self.heading) + html
        if self.boxed:
            data["boxed"] = True
        if self.title:
            data["title"] = self.title
            html = folded(self.title, html)
        return {SENTENCES: data, "text/html": html, "text/plain": str(self)}


def sentences_html(sentences: Iterable[Sentence]) -> str:
    """Sentences as a notebook shows them: headlines as paragraphs, then the others as a list."""
    heads, items = [], []
    for sentence in sentences:
        words = escape(sentence.text)
        if sentence.kind == "headline":
            chip = CHIPS.get(sentence.light or "", "")
            heads.append(
                f'<p class="nb-headline {_NO_FORMULA}"><strong>{chip}</strong> {words}</p>'
            )
        else:
            chip = f"<strong>{CHIPS[sentence.light]}</strong> " if sentence.light else ""
            items.append(f"<li>{chip}{words}</li>")
    listing = f'<ul class="{_NO_FORMULA}">{"".join(items)}</ul>' if items else ""
    return "".join(heads) + listing


@dataclass(frozen=True)
class Table:
    """Rows of text; the first column names the row; `numeric` columns are aligned to the right.

    `nothing` is said where there are no rows; where it is empty, such a table is not shown.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numeric: frozenset[str] = frozenset()
    nothing: str = "nothing yet"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        if not self.rows and not self.nothing:
            return {"text/html": "", "text/plain": ""}
        html = f'<div class="{_NO_FORMULA}">{self.html()}</div>'
        return {"text/html": _STYLE + html, "text/plain": str(self)}

    def html(self) -> str:
        """The table as HTML without a style of its own; one sentence where it has no rows."""
        if not self.rows and not self.nothing:
            return ""
        if not self.rows:
            opening = f"{self.caption}: " if self.caption else ""
            return element("p", f"{opening}{self.nothing}.", class_="nb-note")
        caption = element("caption", self.caption) if self.caption else ""
        head = "".join(self._head(name) for name in self.columns)
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        return (
            f'<table class="nb-table">{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def __str__(self) -> str:
        lines = [self.caption, " | ".join(self.columns)]
        lines += [" | ".join(str(cell) for cell in row) for row in self.rows]
        return "\n".join(lines)

    def _head(self, column: str) -> str:
        return f'<th scope="col"{self._align(column)}>{escape(column)}</th>'

    def _align(self, column: str) -> str:
        return ' class="nb-number"' if column in self.numeric else ""

    def _row(self, row: Sequence[Cell]) -> str:
        first, *others = zip(self.columns, row, strict=True)
        cells = [f'<th scope="row">{_cell(first[1])}</th>']
        for column, cell in others:
            look = self._align(column)
            if not look and isinstance(cell, str) and is_short(cell):
                look = ' class="nb-nowrap"'
            cells.append(f"<td{look}>{_cell(cell)}</td>")
        return "".join(cells)


def is_short(text: str) -> bool:
    """Tell a day, a quantity or the name of a period, which one line holds: `6 Dec`, `14 days`."""
    return " " in text and len(text) <= SHORT and any(letter.isdigit() for letter in text)


class Html(str):
    """Text that is HTML already, as only this module writes it."""

    __slots__ = ()


def element(tag: str, *content: str, **attributes: str) -> Html:
    """Write an element around its content; text that is not `Html` is escaped.

    A name of an attribute may end in `_` where Python keeps it (`class_`), and `_` stands for `-`.
    """
    opening = tag
    for name, value in attributes.items():
        opening += f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
    parts = [part if isinstance(part, Html) else escape(part) for part in content]
    return Html(f"<{opening}>{''.join(parts)}</{tag}>")


def folded(title: str, html: str) -> str:
    """Write HTML under a line that opens it."""
    return element("details", element("summary", title), Html(html))


def _cell(cell: Cell) -> str:
    """Write a cell as HTML; a mark stays on the line of the word that it belongs to."""
    if not isinstance(cell, str):
        return cell.html()
    return _AFTER_MARK.sub("\N{NO-BREAK SPACE}", escape(cell))
