"""Write the sentences of a notebook as HTML: a headline, tiles, a box, lists under headings.

A sentence stays one text, with a paragraph or a list item of its own. What stands apart on the
page, as the parts of a tile do, is divided by marks that are read and not seen: so each sentence
can be held against its facts when a page comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from dataops_nb.display import CHIPS, Fact, Span, is_short
from dataops_nb.reports.pages import markup, sparkline
from dataops_nb.reports.pages.notebook import as_fact, spans_of

NO_BREAK = "\u00a0"
APART = " · "
TO_DO = "to do"
# What a page carries beside the words, so that a mail can be made of it.
_CARRIED = ("headline", "cause", "tile", "figures", TO_DO)
_GAP = re.compile(rf"(: |{APART})")


class Piece(NamedTuple):
    """Words of a sentence, and what a touch on them says; empty where there is nothing to say.

    No line ends within a piece that `is_one`: a day, or the name of a week.
    """

    text: str
    tip: str = ""
    is_one: bool = False


class Part(NamedTuple):
    """A part of a tile, with the mark that ends it, and whether its change is good or bad."""

    pieces: list[Piece]
    gap: str = ""
    way: str = ""


class Line(NamedTuple):
    """A sentence on a page: its pieces, the ids of its facts, and its light if it has one.

    Of a tile, `parts` hold the pieces as they stand apart, and `drawing` its last values.
    """

    pieces: list[Piece]
    ids: list[str]
    light: str = ""
    parts: Sequence[Part] = ()
    drawing: Markup = Markup()


class Block(NamedTuple):
    """A headline under its light, a row of figures, tiles, or a list of lines."""

    kind: str
    lines: list[Line]
    chip: Markup = Markup()


@dataclass
class Shown:
    """What the cells of one page have shown so far: sentences, and a number of figures.

    `kept` is the folder of drawings that were made before.
    """

    known: Mapping[str, Fact]
    reason: str | None = None
    meanings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kept: Path | None = None
    sentences: list[dict[str, Any]] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    figures: int = 0

    @property
    def headline(self) -> bool:
        """Whether a headline was shown."""
        return any(sentence.get("kind") == "headline" for sentence in self.sentences)

    def add(
        self, sentence: Mapping[str, Any], brought: Iterable[Fact] = (), *, boxed: bool = False
    ) -> Line:
        """Keep a stored sentence with the facts that came with it, and return it as a line.

        A `boxed` one says what to do. ReportError for a fact that the report does not have.
        """
        kind = TO_DO if boxed else str(sentence.get("kind") or "line")
        spans = spans_of(sentence, self.known, brought)
        ids = list(dict.fromkeys(span.fact.id for span in spans if span.fact is not None))
        kept: dict[str, Any] = {"text": "".join(span.text for span in spans), "facts": ids}
        if ids:
            kept["spans"] = [span.as_data() for span in spans]
        if kind in _CARRIED:
            kept["kind"] = kind
        self.sentences.append(kept)

        light = str(sentence.get("light") or "")
        light = light if light in CHIPS else ""
        if kind == "tile":
            past = sentence.get("past") or {}
            drawing = Markup()
            if past:
                drawing = sparkline.draw(past["values"], past["description"], past["target"])
            return Line([], ids, light, _parts(spans, self.meanings), drawing)
        pieces = []
        is_composed = sum(bool(span.text) for span in spans) > 1
        for span in spans:
            words = _keep_together(span.text) if kind == "figures" else span.text
            is_part = is_composed and (span.fact is not None or span.name)
            is_one = is_part and is_short(span.text)
            pieces.append(Piece(words, _tip(span, self.meanings), is_one))
        return Line(pieces, ids, light)

    def place(self, heading: str) -> str:
        """Return the address of a heading on the page; "" for one that stands there already."""
        name = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")
        if name in self.places:
            return ""
        self.places.add(name)
        return name

    def name(self) -> str:
        """Return a name for the next figure."""
        self.figures += 1
        return f"f{self.figures}"


def _parts(spans: Iterable[Span], meanings: Mapping[str, Mapping[str, Any]]) -> list[Part]:
    """Divide a tile where its own words do; what is a name or a fact is never divided."""
    parts = [Part([])]
    for span in spans:
        if span.fact is not None or span.name:
            parts[-1].pieces.append(Piece(span.text, _tip(span, meanings)))
            continue
        for words in _GAP.split(span.text):
            if _GAP.fullmatch(words):
                parts[-1] = parts[-1]._replace(gap=words)
                parts.append(Part([]))
            elif words:
                parts[-1].pieces.append(Piece(words))
    marked = []
    for part in parts:
        last = part.pieces[-1].text if part.pieces else ""
        way = next((word for word in ("better", "worse") if last.endswith(f"({word})")), "")
        marked.append(part._replace(way=way))
    return marked


def _keep_together(text: str) -> str:
    """Let no line end within one figure of a row."""
    figures_ = text.split(APART)
    return APART.join(figure.replace(" ", NO_BREAK) for figure in figures_)


def write(stored: Mapping[str, Any], shown: Shown) -> Markup:
    """Write sentences that a notebook displays (`sentences facts title heading boxed`) as HTML.

    Headlines stand under their light, their cause below them, figures in a row, tiles side by side,
    the others as a list; under a title, all are folded. A heading stands over the lines it has, and
    never alone.
    """
    brought = [as_fact(fact) for fact in stored.get("facts") or []]
    boxed = bool(stored.get("boxed"))
    blocks: list[Block] = []
    for sentence in stored["sentences"]:
        line = shown.add(sentence, brought, boxed=boxed)
        kind = str(sentence.get("kind") or "line")
        if kind == "headline":
            blocks.append(_headline(line, sentence.get("light"), shown.reason))
            continue
        kind = {"figures": "figures", "tile": "tiles", "cause": "cause"}.get(kind, "lines")
        if blocks and blocks[-1].kind == kind in ("tiles", "lines"):
            blocks[-1].lines.append(line)
        else:
            blocks.append(Block(kind, [line]))
    if not blocks:
        return Markup()
    heading = str(stored.get("heading") or "")
    return markup.fill(
        "sentences.html.j2",
        title=str(stored.get("title") or ""),
        heading=heading,
        place=shown.place(heading),
        boxed=boxed,
        blocks=blocks,
    )


def headline(text: str, light: str | None, reason: str | None) -> Markup:
    """Write the sentence that answers first, under its light."""
    block = _headline(Line([Piece(text)], []), light, reason)
    return markup.fill(
        "sentences.html.j2", title="", heading="", place="", boxed=False, blocks=[block]
    )


def _headline(line: Line, light: str | None, reason: str | None) -> Block:
    chip = markup.chip(light, reason) if light else Markup()
    return Block("headline", [line], chip)


def _tip(span: Span, meanings: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what a number is; nothing for words, and for a metric that nobody described."""
    fact = span.fact
    if fact is None or not span.text or isinstance(fact.value, str):
        return ""
    meaning = meanings.get(fact.metric)
    if meaning is None:
        return ""
    tip = f"{meaning['label']}, {fact.field.replace('_', ' ')}, {fact.period}"
    if fact.field in {"value", "previous", "same_last_year"}:
        tip += f": {meaning['how']}"
    origin = ""
    if meaning["systems"]:
        origin += f" Source: {', '.join(meaning['systems'])}"
    if meaning["data_to"]:
        origin += f", data to {meaning['data_to']}"
    return f"{tip}.{origin}." if origin else f"{tip}."
