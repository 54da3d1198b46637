"""Read a published page back for a mail or a message: what it says first, and its first chart.

A page carries its sentences and facts, and says of each what it is: the headline, a tile, what to
do. What is sent is read from what is shown, so that the two cannot differ. Mail programs draw no
SVG, so the chart becomes a PNG: the one drawn for a phone, whose letters can be read in a narrow
window.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import vl_convert

from dataops_nb import numbers
from dataops_nb.display import chip
from dataops_nb.reports.pages import markup
from dataops_nb.reports.pages.markup import plain
from dataops_nb.reports.pages.sentences import TO_DO

SCALE = 2.4
NOTHING = "Nothing was said."
SUBJECT = 70  # letters of the subject of one report
_FIGURE = re.compile(r'<figure class="nb-figure">(.*?)</figure>', re.DOTALL)
_CAPTION = re.compile(r"<figcaption>(.*?)</figcaption>", re.DOTALL)
_DRAWN = re.compile(
    r'<div class="nb-chart (?:nb-narrow|nb-scroll)[^>]*>\s*(<svg.*?</svg>)', re.DOTALL
)
_LEGEND = re.compile(r'<ul class="nb-legend">(.*?)</ul>', re.DOTALL)
_LINE = re.compile(r"<li[^>]*>(.*?)</li>", re.DOTALL)
_ALONE = re.compile(r"<svg.*?</svg>", re.DOTALL)
_ALTERNATIVE = re.compile(r'<svg[^>]* aria-label="([^"]*)"')
_CARRIED = re.compile(r'<script type="application/json" id="facts">(.*?)</script>', re.DOTALL)
_ASIDE = re.compile(r'<aside class="nb-warnings" aria-label="([^"]*)">(.*?)</aside>', re.DOTALL)
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_WHAT_IF = re.compile(r"What-if (\S+) · ")
_NAME = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
_CHIP = re.compile(r'<div class="nb-headline"><span class="nb-chip[^>]*>(.*?)</span>\s*<p')
_AS_OF = re.compile(r'<(?:nav|span) class="nb-asof".*?<time datetime="([^"]*)">(.*?)</time>')
_DATA_TO = re.compile(r"<dt>Data to</dt><dd>(.*?)</dd>", re.DOTALL)
_WHEN = re.compile(r" (?:in|on) ")  # what a headline counts stands before its period
_OWNER = re.compile(r"<dt>Owner</dt><dd>(.*?)</dd>", re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """A chart as PNG, with its caption, its text alternative and its legend."""

    png: bytes
    caption: str
    alternative: str
    legend: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A name made of its content, by which the mail points to it."""
        return hashlib.sha256(self.png).hexdigest()[:16]


def first_picture(page: str) -> Picture | None:
    """Draw the first chart of a page; None where it has none that can be drawn."""
    for figure in _FIGURE.findall(page):
        svg = _svg(figure)
        png = _png(svg) if svg else b""
        if not png:
            continue
        legend: list[str] = []
        legend_html = _LEGEND.search(figure)
        if legend_html:
            legend = _LINE.findall(legend_html[1])
        alternative = _ALTERNATIVE.search(svg)
        return Picture(
            png,
            caption=_inside(_CAPTION, figure),
            alternative=unescape(alternative[1]) if alternative else "Chart",
            legend=tuple(map(plain, legend)),
        )
    return None


def _svg(figure: str) -> str:
    """Return the drawing for a phone, or the only one."""
    narrow = _DRAWN.search(figure)
    if narrow:
        return narrow[1]
    only = _ALONE.search(figure)
    return only[0] if only else ""


def _inside(pattern: re.Pattern[str], html: str, default: str = "") -> str:
    """Return the visible text of the first match's group."""
    match = pattern.search(html)
    return plain(match[1]) if match else default


def _png(svg: str) -> bytes:
    colours = _palette()
    painted = re.sub(r"var\(--([\w-]+)\)", lambda hit: colours.get(hit[1], "#000000"), svg)
    # on a page, a chart has the page's font
    painted = painted.replace("<svg ", '<svg font-family="sans-serif" ', 1)
    try:
        return _compress(bytes(vl_convert.svg_to_png(painted, scale=SCALE)))
    except ValueError:
        return b""


def _compress(png: bytes) -> bytes:
    """Write the same picture in a third of the bytes; it was written to be made fast."""
    chunks: list[tuple[bytes, bytes]] = []
    place = 8  # after the signature
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        chunks.append((png[place + 4 : place + 8], png[place + 8 : place + 8 + length]))
        place += 12 + length
    pixels = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    chunks = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
    chunks.insert(-1, (b"IDAT", zlib.compress(pixels, 9)))
    written = png[:8]
    for kind, content in chunks:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        written += struct.pack(">I", len(content)) + kind + content + checksum
    return written


@cache
def _palette() -> dict[str, str]:
    """Return the colours of the style sheet for a light page, by name."""
    light = markup.css().partition("}")[0]
    return dict(re.findall(r"--([\w-]+): *(#[0-9a-fA-F]{3,8})", light))


@dataclass(frozen=True)
class Words:
    """One report as a mail tells it: its light, its headline with its cause, tiles, what to do.

    `warnings` stand on top of its page, `about` says whose it is and how fresh, `picture` is its
    first chart, `gist` what the subject says. `sentences` are all of a page that has neither tiles
    nor a box. `link` leads to the page and `changed` to what changed, where there is an address.
    """

    report: str
    title: str
    light: str
    headline: str
    sentences: Sequence[str] = field(default_factory=tuple)
    period: str = ""
    as_of: str = ""
    page: Path | None = None
    error: str | None = None
    warnings: Sequence[str] = field(default_factory=tuple)
    about: str = ""
    picture: Picture | None = None
    tiles: Sequence[str] = field(default_factory=tuple)
    to_do: Sequence[str] = field(default_factory=tuple)
    cause: str = ""
    gist: str = ""
    word: str = ""
    link: str = ""
    changed: str = ""

    @property
    def mark(self) -> str:
        """The light as shape and word."""
        return self.word or chip(self.light)

    @property
    def lines(self) -> list[str]:
        """Its further sentences, each once, without the headline."""
        return [line for line in dict.fromkeys(self.sentences) if line != self.headline]

    @property
    def subject(self) -> str:
        """What the mail about this one report is called: `▲ Sales: 12 of 13 deals, week 47`."""
        shape = self.mark.partition(" ")[0]
        gist = self.gist or self.headline.rstrip(".")
        if self.headline in ("", NOTHING):
            gist = ""
        when = numbers.at(numbers.DEFAULT).period_in_words(self.period) if self.period else ""
        ends = f", {when}" if when and when not in gist else ""
        if not gist:
            return f"{shape} {self.title}{ends}"
        room = SUBJECT - len(f"{shape} {self.title}: {ends}")
        if len(gist) > max(room, 20):
            gist = f"{gist[: max(room, 20) - 1].rstrip()}…"
        return f"{shape} {self.title}: {gist}{ends}"


def sentences(page: str) -> list[str]:
    """Return the sentences of a published page in their order, but a headline first."""
    stored = sorted(_sentences(page), key=lambda sentence: sentence.get("kind") != "headline")
    return list(dict.fromkeys(str(sentence["text"]) for sentence in stored))


def told_first(page: str) -> list[str]:
    """Return what a mail repeats of a page: its headline and its cause, its tiles, what to do."""
    texts = []
    for kind in ("headline", "cause", "tile", TO_DO):
        texts += _of_kind(page, kind)
    return texts


def read(
    text: str,
    report: str,
    light: str,
    *,
    headline: str = "",
    period: str = "",
    page: Path | None = None,
    site: str | None = None,
) -> Words:
    """Read all that a mail tells of a page from its `text`.

    `headline` stands in where the page has no sentences; `site` is the address that the pages are
    published under.
    """
    first, *others = sentences(text) or [headline or NOTHING]
    tiles, to_do = _of_kind(text, "tile"), _of_kind(text, TO_DO)
    causes = _of_kind(text, "cause")
    if tiles or to_do:
        others = []
    else:
        causes = []  # they are among the others
    day, mark = _AS_OF.search(text), _CHIP.search(text)
    base = f"{site.rstrip('/')}/{report}/{period}" if site else ""
    return Words(
        report,
        title=_inside(_NAME, text, report),
        light=light,
        headline=first,
        sentences=tuple(others),
        period=period,
        as_of=day[1] if day else "",
        page=page,
        warnings=tuple(_warnings(text)),
        about=_about(text),
        picture=first_picture(text),
        tiles=tuple(tiles),
        to_do=tuple(to_do),
        cause=causes[0] if causes else "",
        gist=_gist(text),
        word=plain(mark[1]) if mark else "",
        link=f"{base}/index.html" if base else "",
        changed=f"{base}/manager.html#what-changed" if base else "",
    )


def whatif(text: str) -> str:
    """Return the name of the what-if that a page shows; "" for what is."""
    match = _WHAT_IF.match(_inside(_TITLE, text))
    return match[1] if match else ""


def _carried(page: str) -> Mapping[str, Any]:
    match = _CARRIED.search(page)
    carried: Mapping[str, Any] = json.loads(match[1]) if match else {}
    return carried


def _sentences(page: str) -> list[Mapping[str, Any]]:
    return list(_carried(page).get("sentences", []))


def _of_kind(page: str, kind: str) -> list[str]:
    """Return the sentences of a kind, each once."""
    own = [str(sentence["text"]) for sentence in _sentences(page) if sentence.get("kind") == kind]
    return list(dict.fromkeys(own))


def _gist(page: str) -> str:
    """Return the headline's number against its target: `12 of 13 deals`; "" where it has none.

    A limit is no goal, and one that was met is passed: `44 sad customers, limit 26`, `81 meetings
    booked, target 65`, counted as the headline counts.
    """
    headline: Mapping[str, Any] = {}
    for sentence in _sentences(page):
        if sentence.get("kind") == "headline":
            headline = sentence
    facts = {fact["id"]: fact for fact in _carried(page).get("facts", [])}
    own = [facts[id_] for id_ in headline.get("facts", []) if id_ in facts]
    values = [fact for fact in own if fact["field"] == "value"]
    if not values:
        return ""
    value = values[0]
    tile = _tile_of(page, value["id"])
    bounds = [facts[id_] for id_ in tile.get("facts", []) if id_ in facts]
    target = next((fact["text"] for fact in bounds if fact["field"] == "target"), "")
    unit = str(value["unit"] or "")
    # what is written with its unit (21 days, $5, 3 %) needs no further word
    words = unit if value["text"].replace(",", "").replace(".", "").isdecimal() else ""
    counted = f"{value['text']} {words}".strip()
    if not target:
        return counted
    goal = next(fact.get("value") for fact in bounds if fact["field"] == "target")
    is_limit = " · limit " in str(tile["text"])
    is_met = goal is not None and value["value"] >= goal
    if not is_limit and not is_met:
        return f"{value['text']} of {target} {words}".strip()
    named, *rest = _WHEN.split(str(headline["text"]), maxsplit=1)
    if rest and named.startswith(f"{value['text']} ") and named.endswith(words):
        counted = named
    return f"{counted}, {'limit' if is_limit else 'target'} {target}"


def _tile_of(page: str, id_: str) -> Mapping[str, Any]:
    """Return the tile of a value; an empty one where the page has none."""
    for sentence in _sentences(page):
        if sentence.get("kind") == "tile" and id_ in sentence["facts"]:
            return sentence
    return {}


def _warnings(text: str) -> list[str]:
    warnings = []
    for label, items in _ASIDE.findall(text):
        if label.startswith("Check"):
            label = "Check first"  # noqa: PLW2901
        for item in _LINE.findall(items):
            warnings.append(f"{label}: {plain(item)}")
    return warnings


def _about(text: str) -> str:
    """Return whose a page is and how fresh: `Head of Sales · data to Sun 22 Nov 2026`."""
    owner, reach = _inside(_OWNER, text), _inside(_DATA_TO, text)
    as_of = _AS_OF.search(text)
    dates = [f"data to {reach}"] if reach else []
    if as_of and plain(as_of[2]) != reach:
        dates.insert(0, f"as of {plain(as_of[2])}")
    return " · ".join(part for part in (owner, *dates) if part)
