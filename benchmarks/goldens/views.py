"""What a reader or a program sees in a published file, as lines that can be compared by kind."""

from __future__ import annotations

import email
import json
import re
from email import policy
from html.parser import HTMLParser
from pathlib import PurePath
from typing import Any

Views = dict[str, list[str]]
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
INLINE = {
    "a",
    "abbr",
    "b",
    "code",
    "em",
    "i",
    "kbd",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "time",
}
TIPS = {"data-tip", "title", "aria-label", "alt"}
RUN = re.compile(r"<run>|\b[0-9a-f]{12,64}\b")


class Page(HTMLParser):
    """Visible text, tips, elements, code cells and scripts of a page, each as lines in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.views: Views = {
            "text": [],
            "tips": [],
            "tree": [],
            "code": [],
            "style": [],
            "script": [],
        }
        self.open: list[str] = []
        self.words: list[str] = []
        self.inside_code = 0  # how many elements deep we are in a shown code cell

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and its tips."""
        if tag not in INLINE:
            self.break_line()
        shown = []
        for name, value in sorted(attrs):
            if name in TIPS:
                self.views["tips"].append(f"{name}: {flat(value or '')}")
            else:
                shown.append(f' {name}="{RUN.sub("#", flat(value or ""))}"')
        self.views["tree"].append(f"{'/'.join(self.open[-2:])}/{tag}{''.join(shown)}")
        if tag in VOID:
            return
        self.open.append(tag)
        if self.inside_code or ("class", "nb-code") in attrs:
            self.inside_code += 1

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if tag not in INLINE:
            self.break_line()
        if tag in self.open:
            while self.open.pop() != tag:
                self.inside_code = max(0, self.inside_code - 1)
            self.inside_code = max(0, self.inside_code - 1)

    def handle_data(self, data: str) -> None:
        """Collect words."""
        self.words.append(data)

    def break_line(self) -> None:
        """What has been collected is a line of the view that the innermost element belongs to."""
        line = flat("".join(self.words))
        self.words.clear()
        innermost = self.open[-1] if self.open else ""
        if not line:
            return
        if innermost in {"style", "script"}:
            if not line.startswith("{"):  # the data that travel in a page are nobody's reading
                self.views[innermost].append(line)
        elif self.inside_code:
            self.views["code"].append(line)
        else:
            self.views["text"].append(RUN.sub("#", line))


def flat(text: str) -> str:
    """A text with single spaces."""
    return " ".join(text.split())


def of_html(text: str) -> Views:
    """The views of a page."""
    page = Page()
    page.feed(text)
    page.close()
    page.break_line()
    return page.views


def of_json(value: Any, where: str = "") -> list[str]:
    """A JSON value as one line for each leaf."""
    lines = []
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            lines += of_json(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            lines += of_json(inner, f"{where}[{_mark(inner, number)}]")
    else:
        lines.append(f"{where} = {json.dumps(value, ensure_ascii=False)}")
    return lines


def _mark(row: Any, number: int) -> str:
    """What names a row of a list: its own names, else its number."""
    names = []
    if isinstance(row, dict):
        for key in ("id", "metric", "report", "input", "target", "segment", "period"):
            if isinstance(row.get(key), str):
                names.append(row[key])
    return " ".join(names) or str(number)


def of_facts(text: str) -> Views:
    """`facts.json`: each fact in a line, sorted by id."""
    whole = json.loads(text)
    facts = sorted(whole.pop("facts", []), key=lambda fact: str(fact.get("id")))
    lines = [json.dumps(fact, sort_keys=True, ensure_ascii=False) for fact in facts]
    return {"facts": lines, "json": of_json(whole)}


def of_notebook(text: str) -> Views:
    """An executed notebook: its cells, and what each output says as text, page and chart."""
    views: Views = {"cells": [], "text": [], "tree": [], "tips": [], "charts": [], "outputs": []}
    for cell in json.loads(text)["cells"]:
        views["cells"] += "".join(cell["source"]).splitlines()
        for output in cell.get("outputs", []):
            for kind, content in output.get("data", {}).items():
                _add_output(views, kind, content)
            views["text"] += "".join(output.get("text", [])).splitlines()
    return views


def _add_output(views: Views, kind: str, content: Any) -> None:
    text = "".join(content) if isinstance(content, list) else content
    if kind == "text/plain":
        views["text"] += str(text).splitlines()
    elif kind == "text/html":
        page = of_html(str(text))
        for name in ("text", "tree", "tips"):
            views[name] += page[name]
    elif "vega" in kind:
        views["charts"] += of_json(content)
    else:
        views["outputs"] += of_json(content, kind)


def of_mail(text: str) -> Views:
    """A mail: headers without ids, its text, its page, and what is attached."""
    views: Views = {"headers": [], "text": [], "tree": [], "tips": [], "attached": []}
    message = email.message_from_string(text, policy=policy.default)
    for name, value in message.items():
        if name.lower() not in {"message-id", "content-type"}:
            views["headers"].append(f"{name}: {flat(str(value))}")
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            views["text"] += part.get_content().splitlines()
        elif part.get_content_type() == "text/html":
            page = of_html(part.get_content())
            for name in ("text", "tree", "tips"):
                views[name] += page[name]
        elif not part.is_multipart():
            size = len(part.get_payload(decode=True) or b"")
            views["attached"].append(f"{part.get_content_type()}, {size} bytes")
    return views


def of_values(text: str) -> Views:
    """Any other JSON file."""
    return {"json": of_json(json.loads(text))}


def of_numbers(text: str) -> Views:
    """`numbers.csv`."""
    return {"numbers": text.splitlines()}


def of_trial(text: str) -> Views:
    """A trial and its readers: their codes are chance, their number is not."""
    return {"lines": [f"{len(text.splitlines())} lines"]}


READERS = {
    "facts.json": of_facts,
    "numbers.csv": of_numbers,
    ".html": of_html,
    ".json": of_values,
    ".ipynb": of_notebook,
    ".eml": of_mail,
}


def of_file(path: str, text: str) -> Views:
    """The views of a published file, by its name or its ending."""
    place = PurePath(path)
    if "trials" in place.parts:
        return of_trial(text)
    reader = READERS.get(place.name) or READERS.get(place.suffix)
    return reader(text) if reader else {"lines": text.splitlines()}
