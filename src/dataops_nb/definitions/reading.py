"""YAML as people mean it: text stays text, and every value knows the line it stands on.

YAML 1.1 reads `no` as false, `12:30` as 750 and `007` as 7, keeps the last of two equal keys, and lets a few aliases
grow into gigabytes. Here only true, false, null, plain decimal numbers and ISO dates are more than text; repeated keys,
anchors, aliases and tags are mistakes. A file becomes a tree of `Node`s, so that a later mistake can name its line.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dataops_nb.errors import Mistake

DEEPEST = 40
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,29})")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(eq=False)
class Node:
    """One value of a file: a scalar, a mapping of nodes or a list of nodes, with its line, key and spelling.

    While mistakes are collected, `stand_in` marks what was put in the place of something missing, and `lost` names the
    keys whose values could not be read.
    """

    value: Any
    line: int = 1
    key: str = ""
    written: str = ""
    stand_in: bool = False
    lost: set[str] = field(default_factory=set)

    def plain(self) -> Any:
        """The value without positions."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def step(self, part: str | int) -> Node | None:
        """The node under a key or an index, or None."""
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            node: Node = self.value[part]
            return node
        return None

    def child_key(self, part: str | int) -> str:
        """The dotted key of what stands, or should stand, under `part`."""
        if isinstance(part, int):
            return f"{self.key}[{part}]"
        return f"{self.key}.{part}" if self.key else part


def read(path: Path, file: str) -> tuple[Node | None, list[Mistake]]:
    """The tree of a YAML file, and every mistake in it under the name `file`; no tree where it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return None, [Mistake(file, 1, "", f"cannot be read: {error.strerror or error}")]
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return None, [Mistake(file, line, "", f"{path.name} is not UTF-8 text; save it with the encoding UTF-8")]
    return parse(text, file)


def parse(text: str, file: str) -> tuple[Node | None, list[Mistake]]:
    """The tree of a YAML text; see `read`."""
    reader = _Reader(file)
    try:
        root: Node | None = reader.document(_LOADER(text))
    except _TooDeepError as error:
        root = None
        reader.mistakes.append(Mistake(file, error.line, "", f"nested deeper than {DEEPEST} levels"))
    except yaml.YAMLError as error:
        root = None
        line, message = explain(error, text)
        reader.mistakes.append(Mistake(file, line, "", message))
    return root, reader.mistakes


def scalar(written: str) -> Any:
    """The value of an unquoted scalar: a bool, None, an int, a float, a date, else its text."""
    if written in _WORDS:
        return _WORDS[written]
    if _INTEGER.fullmatch(written):
        return int(written)
    if _DECIMAL.fullmatch(written) and abs(number := float(written)) != float("inf"):
        return number
    if _DATE.fullmatch(written):
        return as_date(written) or written
    return written


def as_date(text: str) -> dt.date | None:
    """The day of an ISO date, or None where the calendar has no such day."""
    try:
        return dt.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


class _TooDeepError(Exception):
    def __init__(self, line: int) -> None:
        self.line = line


@dataclass
class _Reader:
    """Builds nodes from parser events, so that nothing is expanded before it is refused."""

    file: str
    mistakes: list[Mistake] = field(default_factory=list)

    def document(self, events: Any) -> Node:
        events.get_event()
        if events.check_event(yaml.StreamEndEvent):
            return Node(None)
        events.get_event()
        root = self.node(events, Node(None), 0)
        events.get_event()
        if not events.check_event(yaml.StreamEndEvent):
            line = events.peek_event().start_mark.line + 1
            self.mistakes.append(Mistake(self.file, line, "", "a second document (---) in one file; keep one"))
        return root

    def node(self, events: Any, place: Node, depth: int) -> Node:
        """Fill `place`, which knows its line and key, from the next events."""
        event = events.get_event()
        if depth > DEEPEST:
            raise _TooDeepError(event.start_mark.line + 1)
        self.refuse(event, place)
        if isinstance(event, yaml.ScalarEvent):
            place.written = event.value
            place.value = scalar(event.value) if event.implicit[0] and not event.style else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            place.value = self.items(events, place, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            place.value = self.entries(events, place, depth)
        return place

    def items(self, events: Any, place: Node, depth: int) -> list[Node]:
        found: list[Node] = []
        while not events.check_event(yaml.SequenceEndEvent):
            line = events.peek_event().start_mark.line + 1
            found.append(self.node(events, Node(None, line, place.child_key(len(found))), depth + 1))
        events.get_event()
        return found

    def entries(self, events: Any, place: Node, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not events.check_event(yaml.MappingEndEvent):
            line = events.peek_event().start_mark.line + 1
            name = self.name(events, place, line, depth)
            node = self.node(events, Node(None, line, place.child_key(name or "?")), depth + 1)
            if name in found:
                message = f"the key {name!r} stands here a second time; the first is on line {found[name].line}"
                self.mistakes.append(Mistake(self.file, line, node.key, message))
            elif name is not None:
                found[name] = node
        events.get_event()
        return found

    def name(self, events: Any, place: Node, line: int, depth: int) -> str | None:
        """A mapping's next key, always text; None where it is no scalar."""
        if events.check_event(yaml.ScalarEvent):
            event = events.get_event()
            self.refuse(event, Node(None, line, place.child_key(event.value)))
            return str(event.value)
        self.node(events, Node(None, line, place.child_key("?")), depth + 1)
        self.mistakes.append(Mistake(self.file, line, place.key, "a key must be text, not a list or a mapping"))
        return None

    def refuse(self, event: Any, place: Node) -> None:
        """Note an alias, an anchor or a tag."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            what = f"the alias *{event.anchor} is not read; write the value out, or quote text that starts with *"
        elif event.anchor is not None:
            what = f"the anchor &{event.anchor} is not read; leave it out, or quote text that starts with &"
        elif event.tag is not None:
            short = event.tag.replace("tag:yaml.org,2002:", "!!")
            what = f"the tag {short} is not read; leave it out, or quote text that starts with !"
        else:
            return
        self.mistakes.append(Mistake(self.file, line, place.key, what))


_REASONS = (
    ("mapping values are not allowed", "a second ': ' in one value; put quotes around it, or mend the indentation"),
    ("could not find expected ':'", "a key without ': ' behind it"),
    ("undefined tag handle", "tags (!) are not read; quote text that starts with !"),
    ("while scanning a quoted scalar", "a quotation mark is opened here and never closed"),
    ("flow mapping", "the '{' opened here is not closed, or a comma between its entries is missing"),
    ("flow sequence", "the '[' opened here is not closed, or a comma between its entries is missing"),
    ("flow node", "the file ends, or a new entry starts, before a '[' or '{' is closed"),
    ("block mapping", "the indentation does not fit the lines above"),
    ("block collection", "the indentation does not fit the lines above"),
    ("block sequence", "the indentation does not fit the lines above"),
    ("expected <document start>", "the indentation does not fit the lines above"),
    ("document start", "the indentation does not fit the lines above"),
)
_OPENED_ABOVE = ("quoted scalar", "flow mapping", "flow sequence")


def explain(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """The line and the reason of a syntax error, in words."""
    if not isinstance(error, yaml.MarkedYAMLError):
        place = getattr(error, "position", None) or 0
        return text.count("\n", 0, place) + 1, "a control character; only printable text is read"
    context, problem = error.context or "", error.problem or ""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    at = lines[line][column : column + 1] if line < len(lines) else ""
    if at.strip("\n ") and ("cannot start any token" in problem or "node content" in problem):
        tab = at == "\t" or "\t" in (lines[line][:column] if line < len(lines) else "")
        return line + 1, "a tab; indent with spaces" if tab else f"text that starts with {at} needs quotes"
    said = f"{context} {problem}"
    reason = next((words for sign, words in _REASONS if sign in said), f"not readable as YAML: {problem}")
    if error.context_mark and any(sign in context for sign in _OPENED_ABOVE):
        line = error.context_mark.line
    return line + 1, reason
