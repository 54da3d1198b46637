"""HTML that is safe to send: text is escaped, markup from a notebook keeps only what a table or a paragraph needs."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape, unescape
from typing import Any

import nh3
from markdown_it import MarkdownIt

from dataops_nb.publish import style

TEXT_TAGS = {
    "p",
    "ul",
    "ol",
    "li",
    "span",
    "div",
    "strong",
    "em",
    "small",
    "h2",
    "h3",
    "h4",
    "details",
    "summary",
    "abbr",
}
TABLE_TAGS = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
PROSE_TAGS = {"code", "pre", "blockquote", "hr", "br"}
ATTRIBUTES = {"th": {"scope", "colspan", "rowspan"}, "td": {"colspan", "rowspan"}, "abbr": {"title"}, "ol": {"start"}}
GONE = {
    "script",
    "style",
    "svg",
    "math",
    "template",
    "iframe",
    "object",
    "noscript",
    "title",
    "textarea",
    "select",
    "xmp",
}
WIDEST = 4  # columns that fit a phone without more ado
DENSE = 6  # columns of words that fit a page of 720 px as they are
MOST_NAMED = 12  # columns that the style sheet can name


def text(value: object) -> str:
    """A value as text of a page or of an attribute."""
    return escape(str(value), quote=True)


def prose(value: object) -> str:
    """The same of a sentence: no line of it begins with a percent sign."""
    return re.sub(r"(?<=\d) %", "\u00a0%", text(value))


def data(value: Any) -> str:
    """A value as JSON that may stand in a <script> element: no character of it can end the element."""
    raw = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        raw = raw.replace(character, f"\\u{ord(character):04x}")
    return raw


@cache
def _cleaner(*, prose: bool) -> nh3.Cleaner:
    tags = TEXT_TAGS | TABLE_TAGS | (PROSE_TAGS if prose else set())
    return nh3.Cleaner(
        tags=tags,
        clean_content_tags=GONE,
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        tag_attribute_values={
            tag: {"data-light": set(style.CHIPS)} for tag in ("span", "td", "th", "tr", "li", "p", "div")
        },
        allowed_classes={tag: set(style.classes()) for tag in tags},
        link_rel=None,
        url_schemes=set(),
        generic_attribute_prefixes=set(),
    )


def clean(html: str) -> str:
    """HTML of a notebook, reduced to the allow-list; each table scrolls in a frame of its own."""
    return _framed(_cleaner(prose=False).clean(html))


def markdown(source: str, *, drop_title: bool = False) -> str:
    """A Markdown cell as HTML: no raw HTML, no links; headings start at h2 because the page's title is h1."""
    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(source)
    if drop_title:
        rendered = re.sub(r"\s*<h1>.*?</h1>", "", rendered, count=1, flags=re.DOTALL)
    rendered = re.sub(r"<(/?)h1>", r"<\1h2>", rendered)
    rendered = re.sub(r"<(/?)h[56]>", r"<\1h4>", rendered)
    return _framed(_cleaner(prose=True).clean(rendered)).strip()


def _framed(html: str) -> str:
    """Tables that say which way their headers point, each in a frame that scrolls by itself and can be focused."""
    pieces, depth, start = [], 0, 0
    for hit in re.finditer(r"<(/?)table\b[^>]*>", html):
        depth += -1 if hit[1] else 1
        if not hit[1] and depth == 1:
            pieces.append(html[start : hit.start()])
            start = hit.start()
        elif hit[1] and depth == 0:
            pieces.append(_frame(html[start : hit.end()]))
            start = hit.end()
    return "".join([*pieces, html[start:]])


def _frame(table: str) -> str:
    caption = re.search(r"<caption[^>]*>(.*?)</caption>", table, re.DOTALL)
    label = plain(caption[1]) if caption else "Table"
    heads = _heads(table)
    kind = _kind(heads, len(re.findall(r"<t[hd][ >]", table.partition("</tr>")[0])))
    if kind.startswith(" nb-stack"):
        table = table.replace("<table", f'<table style="{_named(heads)}"', 1)
    return f'<div class="nb-scroll{kind}" role="region" aria-label="{text(label)}" tabindex="0">{_scoped(table)}</div>'


def _heads(table: str) -> list[tuple[str, bool]]:
    """The name of each column and whether it holds numbers; nothing where cells are joined or not under one row of names."""
    head, end, body = table.partition("</thead>")
    if not end or "span=" in table or "<table" in body or head.count("<tr") != 1:
        return []
    found = re.findall(r"<th([^>]*)>(.*?)</th>", head, re.DOTALL)
    rows = [len(re.findall(r"<t[hd][ >]", row)) for row in body.split("</tr>")[:-1]]
    return [(plain(name), "nb-num" in said) for said, name in found] if set(rows) == {len(found)} else []


def _kind(heads: list[tuple[str, bool]], columns: int) -> str:
    """How a table with so many columns behaves on a phone: as cards where most of it are words, as small numbers, else wide."""
    words = sum(not number for _, number in heads)
    if len(heads) > 3 and words <= 2:
        return " nb-fit"
    if 3 < len(heads) <= MOST_NAMED:
        return " nb-stack nb-dense" if len(heads) > DENSE else " nb-stack"
    return " nb-many" if columns > WIDEST else ""


def _named(heads: list[tuple[str, bool]]) -> str:
    """The names of the columns as the style sheet takes them, to stand before each cell of a card."""
    return ";".join(f"--c{place}:'{_quoted(name)}'" for place, (name, _) in enumerate(heads, 1) if place > 1)


def _quoted(name: str) -> str:
    """Text as a string of CSS: whatever could end it is written as its number."""
    return "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in name)


def _scoped(table: str) -> str:
    head, end, body = table.partition("</thead>")
    if not end:
        head, body = "", table
    head = re.sub(r"<th(?![a-z])(?![^>]*\bscope=)", '<th scope="col"', head)
    body = re.sub(r"<th(?![a-z])(?![^>]*\bscope=)", '<th scope="row"', body)
    return head + end + body


def plain(html: str) -> str:
    """The visible text of a piece of HTML, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def chip(light: str, reason: str | None = None) -> str:
    """A light as shape, word and colour; an unknown one says why."""
    shape, word = style.CHIPS.get(light, style.CHIPS["unknown"])
    why = f": {text(reason)}" if light == "unknown" and reason else ""
    known = light if light in style.CHIPS else "unknown"
    return f'<span class="nb-chip" data-light="{known}"><span aria-hidden="true">{shape}</span> {word}{why}</span>'
