"""Pictures for a mail: mail programs draw no SVG, so the first chart of a page becomes a PNG, with its words beside it.

The one that is drawn for a phone is taken: its letters can be read in a narrow window, and a wide one only makes them larger.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from html import unescape

import vl_convert

from dataops_nb.publish import style
from dataops_nb.publish.markup import plain

WIDTH = 420
SCALE = 2.4
_FIGURE = re.compile(r'<figure class="nb-figure">(.*?)</figure>', re.DOTALL)
_CAPTION = re.compile(r"<figcaption>(.*?)</figcaption>", re.DOTALL)
_DRAWN = re.compile(r'<div class="nb-chart (?:nb-narrow|nb-scroll)[^>]*>\s*(<svg.*?</svg>)', re.DOTALL)
_LEGEND = re.compile(r'<ul class="nb-legend">(.*?)</ul>', re.DOTALL)
_LINE = re.compile(r"<li[^>]*>(.*?)</li>", re.DOTALL)
_ALONE = re.compile(r"<svg.*?</svg>", re.DOTALL)
_ALTERNATIVE = re.compile(r'<svg[^>]* aria-label="([^"]*)"')


@dataclass(frozen=True)
class Picture:
    """A chart as PNG, with its caption, its text alternative, and what the numbers in it stand for."""

    png: bytes
    caption: str
    alternative: str
    legend: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A name that is made of its content, as a mail needs to point to it."""
        return hashlib.sha256(self.png).hexdigest()[:16]


def first(page: str) -> Picture | None:
    """The first chart of a page; None where it has none, or where it cannot be drawn as a picture."""
    for inside in _FIGURE.findall(page):
        drawn = _DRAWN.search(inside)
        svg = drawn[1] if drawn else next(iter(_ALONE.findall(inside)), "")
        if svg and (png := _png(svg)):
            caption, alternative = _CAPTION.search(inside), _ALTERNATIVE.search(svg)
            below = _LEGEND.search(inside)
            return Picture(
                png,
                plain(caption[1]) if caption else "",
                unescape(alternative[1]) if alternative else "Chart",
                tuple(plain(line) for line in _LINE.findall(below[1])) if below else (),
            )
    return None


def _png(svg: str) -> bytes:
    colours = _palette()
    painted = re.sub(r"var\(--([\w-]+)\)", lambda hit: colours.get(hit[1], "#000000"), svg)
    painted = painted.replace("<svg ", '<svg font-family="sans-serif" ', 1)  # a page gives its letters to its charts
    try:
        return _packed(bytes(vl_convert.svg_to_png(painted, scale=SCALE)))
    except ValueError:
        return b""


def _packed(png: bytes) -> bytes:
    """The same picture in a third of the bytes: a chart is mostly white, and is drawn to be made fast, not small."""
    head, pieces, at = png[:8], list[tuple[bytes, bytes]](), 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        pieces.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    pixels = zlib.decompress(b"".join(content for kind, content in pieces if kind == b"IDAT"))
    others = [piece for piece in pieces if piece[0] != b"IDAT"]
    others.insert(-1, (b"IDAT", zlib.compress(pixels, 9)))
    return head + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in others
    )


@cache
def _palette() -> dict[str, str]:
    """The light colours of the style sheet, by name."""
    light = style.css().partition("}")[0]
    return dict(re.findall(r"--([\w-]+): *(#[0-9a-fA-F]{3,8})", light))
