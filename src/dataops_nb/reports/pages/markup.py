"""Make HTML that is safe to send, and hold the look of every page.

What is filled into a template is escaped. HTML and Markdown of a notebook keep only what a table or
a paragraph needs, and only the classes that the style sheet knows.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape, unescape
from typing import Any, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from dataops_nb import templates
from dataops_nb.display import CHIPS, QUIET
from dataops_nb.display import chip as words

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
LIGHT_TAGS = ("span", "td", "th", "tr", "li", "p", "div")  # those that may carry a light
ATTRIBUTES = {
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
    "abbr": {"title"},
    "ol": {"start"},
}
# removed with all that stands in them
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
FOLDER = "dataops_nb.reports.pages/templates"


def text(value: object) -> str:
    """Escape a value, to stand as text on a page or in an attribute."""
    return escape(str(value), quote=True)


def data(value: Any) -> str:
    """Write a value as JSON for a <script> element, which no character of it can end."""
    raw = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        raw = raw.replace(character, f"\\u{ord(character):04x}")
    return raw


@cache
def _cleaner(*, prose: bool) -> nh3.Cleaner:
    tags = TEXT_TAGS | TABLE_TAGS
    if prose:
        tags |= PROSE_TAGS
    return nh3.Cleaner(
        tags=tags,
        clean_content_tags=GONE,
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        tag_attribute_values={tag: {"data-light": set(CHIPS)} for tag in LIGHT_TAGS},
        allowed_classes={tag: set(classes()) for tag in tags},
        link_rel=None,
        url_schemes=set(),
        generic_attribute_prefixes=set(),
    )


def clean(html: str) -> Markup:
    """Reduce HTML of a notebook to what is allowed; each table gets a frame in which it scrolls."""
    cleaned = _cleaner(prose=False).clean(html)
    return Markup(_frame_tables(cleaned))  # noqa: S704  cleaned a line above


def markdown(source: str, *, drop_title: bool = False) -> Markup:
    """Write a Markdown cell as HTML, without raw HTML and links.

    Headings start at h2, because the page's title is h1; with `drop_title` the first h1 is left
    out.
    """
    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(source)
    if drop_title:
        rendered = re.sub(r"\s*<h1>.*?</h1>", "", rendered, count=1, flags=re.DOTALL)
    rendered = re.sub(r"<(/?)h1>", r"<\1h2>", rendered)
    rendered = re.sub(r"<(/?)h[56]>", r"<\1h4>", rendered)
    cleaned = _cleaner(prose=True).clean(rendered)
    return Markup(_frame_tables(cleaned).strip())  # noqa: S704  cleaned a line above


def is_heading(html: str) -> bool:
    """Return whether there is nothing but one heading."""
    return re.fullmatch(r"<h([2-4])>(?:(?!</h\1>).)*</h\1>", html, re.DOTALL) is not None


def _frame_tables(html: str) -> str:
    """Put each outermost table in a frame."""
    pieces: list[str] = []
    depth, start = 0, 0
    for tag in re.finditer(r"<(/?)table\b[^>]*>", html):
        if tag[1]:
            depth -= 1
            if depth == 0:
                pieces.append(_frame(html[start : tag.end()]))
                start = tag.end()
        else:
            depth += 1
            if depth == 1:
                pieces.append(html[start : tag.start()])
                start = tag.start()
    pieces.append(html[start:])
    return "".join(pieces)


class Column(NamedTuple):
    """A column of a table: its name, and whether it holds numbers."""

    name: str
    is_number: bool


def _frame(table: str) -> Markup:
    """Frame a table: it scrolls by itself, can be focused, and its headers say where they point."""
    table = _one_head(table)
    caption = re.search(r"<caption[^>]*>(.*?)</caption>", table, re.DOTALL)
    columns = _columns(table)
    # Places of one name are none to go to, so a table without a caption is only a group.
    role, label = "group", "Table"
    if caption:
        role, label = "region", plain(caption[1])
    elif columns:
        label = f"Table: {', '.join(column.name for column in columns if column.name)}"
    first_row = table.partition("</tr>")[0]
    look = _look(columns, len(re.findall(r"<t[hd][ >]", first_row)))
    if look.startswith(" nb-stack"):
        table = table.replace("<table", f'<table style="{_style(columns)}"', 1)
    scoped = Markup(_scope_headers(table))  # noqa: S704  our callers cleaned it
    return fill("data_frame.html.j2", look=look, role=role, label=label, table=scoped)


def _one_head(table: str) -> str:
    """Join two rows of names where each column has its name in one of them.

    So pandas writes the names of an index: below those of the other columns.
    """
    head, end, body = table.partition("</thead>")
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", head, re.DOTALL)
    if not end or len(rows) != 2 or "span=" in head:
        return table
    above, below = (re.findall(r"<th[^>]*>.*?</th>", row, re.DOTALL) for row in rows)
    names = list[str]()
    for one, other in zip(above, below, strict=False):
        if plain(one) and plain(other):
            return table
        names.append(one if plain(one) else other)
    if len(above) != len(below):
        return table
    start = head[: head.index("<tr")]
    return f"{start}<tr>{''.join(names)}</tr>{end}{body}"


def _columns(table: str) -> list[Column]:
    """Return the columns; none where cells are joined or not under one row of names."""
    head, end, body = table.partition("</thead>")
    if not end or "span=" in table or "<table" in body or head.count("<tr") != 1:
        return []
    columns = []
    for attributes, name in re.findall(r"<th([^>]*)>(.*?)</th>", head, re.DOTALL):
        columns.append(Column(plain(name), "nb-num" in attributes))
    widths = {len(re.findall(r"<t[hd][ >]", row)) for row in body.split("</tr>")[:-1]}
    return columns if widths == {len(columns)} else []


def _look(columns: list[Column], count: int) -> str:
    """Choose how a table of `count` columns behaves on a phone.

    As cards where most of it are words, as small numbers, or wide.
    """
    words = sum(not column.is_number for column in columns)
    if len(columns) > 3 and words <= 2:
        return " nb-fit"
    if 3 < len(columns) <= MOST_NAMED:
        return " nb-stack nb-dense" if len(columns) > DENSE else " nb-stack"
    return " nb-many" if count > WIDEST else ""


def _style(columns: list[Column]) -> str:
    """Name the columns for the style sheet, which puts the names before the cells of a card."""
    names = []
    for place, column in enumerate(columns[1:], 2):
        names.append(f"--c{place}:'{_css_text(column.name)}'")
    return ";".join(names)


def _css_text(name: str) -> str:
    """Write text for a string of CSS: whatever could end it is written as its number."""
    written = ""
    for character in name:
        if character.isalnum() or character == " ":
            written += character
        else:
            written += f"\\{ord(character):x} "
    return written


def _scope_headers(table: str) -> str:
    head, end, body = table.partition("</thead>")
    if not end:
        head, body = "", table
    head = re.sub(r"<th(?![a-z])[^>]*>(?:\s|&nbsp;)*</th>", "<td></td>", head)
    head = re.sub(r"<th(?![a-z])(?![^>]*\bscope=)", '<th scope="col"', head)
    body = re.sub(r"<th(?![a-z])(?![^>]*\bscope=)", '<th scope="row"', body)
    return head + end + body


def plain(html: str) -> str:
    """Return the visible text of a piece of HTML, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def chip(light: str, reason: str | None = None) -> Markup:
    """Write a light as shape, word and colour; an unknown one says its reason."""
    known = light if light in CHIPS else "unknown"
    shape, _, word = words(known, reason).partition(" ")
    is_quiet = known == "unknown" and reason == QUIET
    return fill("chip.html.j2", light=known, shape=shape, word=word, quiet=is_quiet)


def fill(name: str, /, **values: Any) -> Markup:
    """Fill a template of the pages: `fill("page.html.j2", title="Sales", ...)`."""
    return templates.html(FOLDER, name, **values)


@cache
def script(name: str) -> str:
    """Read a script of the pages: `finder.js` or `archive.js`."""
    return templates.asset(FOLDER, name).strip()


@cache
def css() -> str:
    """Read the style sheet as it stands in every page, without comments and indentation."""
    sheet = templates.asset(FOLDER, "page.css")
    without_comments = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", without_comments).strip()


@cache
def classes() -> frozenset[str]:
    """List the class names that the style sheet knows: those HTML of a notebook may carry."""
    return frozenset(re.findall(r"\.(nb-[a-z0-9-]+)", css()))
