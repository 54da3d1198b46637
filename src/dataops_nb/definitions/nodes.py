"""Read YAML as people mean it: text stays text, and each value knows the line it stands on.

YAML 1.1 reads `no` as false, `12:30` as 750 and `007` as 7, keeps the last of two equal keys,
and lets a few aliases grow into gigabytes. Here only true, false, null, plain decimal numbers and
ISO dates are more than text; repeated keys, anchors, aliases and tags are mistakes. A file becomes
a tree of `Node`s, so that a later mistake can name its line.
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
# Reasons of syntax errors, by words in the parser's complaint; the first that fits is given.
_INDENTATION = "the indentation does not fit the lines above"
_COMMA = "or a comma between its entries is missing"
_REASONS = (
    (
        "mapping values are not allowed",
        "a second ': ' in one value; put quotes around it, or mend the indentation",
    ),
    ("could not find expected ':'", "a key without ': ' behind it"),
    ("undefined tag handle", "tags (!) are not read; quote text that starts with !"),
    ("while scanning a quoted scalar", "a quotation mark is opened here and never closed"),
    ("flow mapping", f"the '{{' opened here is not closed, {_COMMA}"),
    ("flow sequence", f"the '[' opened here is not closed, {_COMMA}"),
    ("flow node", "the file ends, or a new entry starts, before a '[' or '{' is closed"),
    ("block mapping", _INDENTATION),
    ("block collection", _INDENTATION),
    ("block sequence", _INDENTATION),
    ("expected <document start>", _INDENTATION),
    ("document start", _INDENTATION),
)
# Where one of these is not closed, its beginning is the line to name.
_OPENED_ABOVE = ("quoted scalar", "flow mapping", "flow sequence")


@dataclass(eq=False)
class Node:
    """One value of a file: a scalar, a mapping of nodes or a list of nodes.

    It knows its line, its dotted key and how it was written. While mistakes are collected,
    `stand_in` marks a value put in the place of a missing one, and `lost` names the keys or places
    whose values could not be read.
    """

    value: Any
    line: int = 1
    key: str = ""
    written: str = ""
    stand_in: bool = False
    lost: set[str] = field(default_factory=set)

    def plain(self) -> Any:
        """Return the value without positions."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def step(self, part: str | int) -> Node | None:
        """Return the node under a key or an index, or None."""
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            node: Node = self.value[part]
            return node
        return None

    def child_key(self, part: str | int) -> str:
        """Return the dotted key of the value under `part`, whether it exists or not."""
        if isinstance(part, int):
            return f"{self.key}[{part}]"
        if not self.key:
            return part
        return f"{self.key}.{part}"


def read(path: Path, file: str) -> tuple[Node | None, list[Mistake]]:
    """Return the tree of a YAML file, and every mistake in it under the name `file`.

    The tree is None where the file cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or error
        return None, [Mistake(file, 1, "", f"cannot be read: {reason}")]
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"{path.name} is not UTF-8 text; save it with the encoding UTF-8"
        return None, [Mistake(file, line, "", message)]
    return parse(text, file)


def parse(text: str, file: str) -> tuple[Node | None, list[Mistake]]:
    """Return the tree of a YAML text and its mistakes; see `read`."""
    reader = _Reader(file)
    root: Node | None = None
    try:
        root = reader.document(_LOADER(text))
    except _TooDeepError as error:
        reader.report(error.line, "", f"nested deeper than {DEEPEST} levels")
    except yaml.YAMLError as error:
        line, message = explain(error, text)
        reader.report(line, "", message)
    return root, reader.mistakes


def scalar(written: str) -> Any:
    """Return the value of an unquoted scalar: a bool, None, int, float or date, else its text."""
    if written in _WORDS:
        return _WORDS[written]
    if _INTEGER.fullmatch(written):
        return int(written)
    if _DECIMAL.fullmatch(written):
        number = float(written)
        if abs(number) != float("inf"):
            return number
    return as_date(written) or written


def as_date(text: str) -> dt.date | None:
    """Return the day of an ISO date, or None where the calendar has no such day."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


class _TooDeepError(Exception):
    def __init__(self, line: int) -> None:
        self.line = line


@dataclass
class _Reader:
    """Build nodes from parser events, so that aliases are refused before they are expanded."""

    file: str
    mistakes: list[Mistake] = field(default_factory=list)

    def report(self, line: int, key: str, message: str) -> None:
        self.mistakes.append(Mistake(self.file, line, key, message))

    def document(self, events: Any) -> Node:
        """Return the tree of the only document; report a second one."""
        events.get_event()  # start of the stream
        if events.check_event(yaml.StreamEndEvent):
            return Node(None)
        events.get_event()  # start of the document
        root = self.node(events, Node(None), 0)
        events.get_event()  # end of the document
        if not events.check_event(yaml.StreamEndEvent):
            self.report(_next_line(events), "", "a second document (---) in one file; keep one")
        return root

    def node(self, events: Any, place: Node, depth: int) -> Node:
        """Fill `place`, which knows its line and key, from the next events."""
        event = events.get_event()
        if depth > DEEPEST:
            raise _TooDeepError(event.start_mark.line + 1)
        self.refuse(event, place)
        if isinstance(event, yaml.ScalarEvent):
            place.written = place.value = event.value
            if event.implicit[0] and not event.style:
                place.value = scalar(event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            place.value = self.items(events, place, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            place.value = self.entries(events, place, depth)
        return place

    def items(self, events: Any, place: Node, depth: int) -> list[Node]:
        """Return the nodes of a list."""
        nodes: list[Node] = []
        while not events.check_event(yaml.SequenceEndEvent):
            key = place.child_key(len(nodes))
            item = Node(None, _next_line(events), key)
            nodes.append(self.node(events, item, depth + 1))
        events.get_event()  # end of the list
        return nodes

    def entries(self, events: Any, place: Node, depth: int) -> dict[str, Node]:
        """Return the nodes of a mapping; report keys that are repeated."""
        nodes: dict[str, Node] = {}
        while not events.check_event(yaml.MappingEndEvent):
            line = _next_line(events)
            name = self.name(events, place, line, depth)
            entry = Node(None, line, place.child_key(name or "?"))
            self.node(events, entry, depth + 1)
            if name in nodes:
                first = f"the first is on line {nodes[name].line}"
                message = f"the key {name!r} stands here a second time; {first}"
                self.report(line, entry.key, message)
            elif name is not None:
                nodes[name] = entry
        events.get_event()  # end of the mapping
        return nodes

    def name(self, events: Any, place: Node, line: int, depth: int) -> str | None:
        """Return a mapping's next key as text; report a key that is no scalar and return None."""
        if events.check_event(yaml.ScalarEvent):
            event = events.get_event()
            key = place.child_key(event.value)
            self.refuse(event, Node(None, line, key))
            return str(event.value)
        skipped = Node(None, line, place.child_key("?"))
        self.node(events, skipped, depth + 1)
        self.report(line, place.key, "a key must be text, not a list or a mapping")
        return None

    def refuse(self, event: Any, place: Node) -> None:
        """Report an alias, an anchor or a tag."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            advice = "write the value out, or quote text that starts with *"
            self.report(line, place.key, f"the alias *{event.anchor} is not read; {advice}")
        elif event.anchor is not None:
            advice = "leave it out, or quote text that starts with &"
            self.report(line, place.key, f"the anchor &{event.anchor} is not read; {advice}")
        elif event.tag is not None:
            short = event.tag.replace("tag:yaml.org,2002:", "!!")
            advice = "leave it out, or quote text that starts with !"
            self.report(line, place.key, f"the tag {short} is not read; {advice}")


def _next_line(events: Any) -> int:
    line: int = events.peek_event().start_mark.line
    return line + 1


def explain(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Return the line and the reason of a syntax error, in plain words."""
    if not isinstance(error, yaml.MarkedYAMLError):
        position = getattr(error, "position", None) or 0
        line = text.count("\n", 0, position)
        return line + 1, "a control character; only printable text is read"

    context, problem = error.context or "", error.problem or ""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, _reason_of(f"{context} {problem}", problem)
    if "cannot start any token" in problem or "node content" in problem:
        reason = _reason_of_character(text, mark.line, mark.column)
        if reason:
            return mark.line + 1, reason

    line = mark.line
    if error.context_mark and any(sign in context for sign in _OPENED_ABOVE):
        line = error.context_mark.line
    return line + 1, _reason_of(f"{context} {problem}", problem)


def _reason_of(complaint: str, problem: str) -> str:
    for sign, reason in _REASONS:
        if sign in complaint:
            return reason
    return f"not readable as YAML: {problem}"


def _reason_of_character(text: str, line: int, column: int) -> str:
    """Say why a character cannot stand where it does; return "" for white space."""
    lines = text.split("\n")
    if line >= len(lines):
        return ""
    character = lines[line][column : column + 1]
    if not character.strip("\n "):
        return ""
    if "\t" in lines[line][: column + 1]:
        return "a tab; indent with spaces"
    return f"text that starts with {character} needs quotes"
