"""The form of other tools' documents: which keys may stand where, and on which line they do.

A document is checked against a `Shape` before it is read, so a misspelt key is not taken for one
that is not there. Every mistake is told at once, with file, line and key, as for our own files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dataops_nb.errors import DefinitionsError, Mistake, did_you_mean

KINDS = {
    "text": (str,),
    "number": (int, float),
    "flag": (bool,),
    "list": (list,),
    "mapping": (dict,),
}
# Lists of one kind, and how many items they have where that is fixed.
LISTS = {"texts": ("text", None), "two numbers": ("number", 2), "lists of texts": ("texts", None)}


@dataclass(frozen=True)
class Shape:
    """What a mapping may hold: the kind of each key, the keys that must be there, what is inside.

    `keys` has a kind, or "any"; `inside` has the shape of a mapping, or of each item of a list.
    """

    keys: Mapping[str, str]
    required: tuple[str, ...] = ()
    inside: Mapping[str, Shape] = field(default_factory=dict)
    is_open: bool = False


def check_document(path: Path, content: Any, shape: Shape) -> None:
    """Raise DefinitionsError with every mistake of a document."""
    faults = list(_faults(content, shape, ()))
    if not faults:
        return
    lines = Lines(path)
    mistakes = []
    for steps, message in faults:
        key = ".".join(str(step) for step in steps)
        mistakes.append(Mistake(str(path), lines.at(steps) or 1, key, message))
    raise DefinitionsError(mistakes)


class Lines:
    """The lines of a YAML or JSON document's keys."""

    def __init__(self, path: Path) -> None:
        self._root: Any = None
        try:
            text = path.read_text(encoding="utf-8-sig", errors="replace")
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        except (OSError, yaml.YAMLError):
            self._root = None

    def at(self, steps: tuple[Any, ...]) -> int | None:
        """Return the line at which the deepest step that is there stands, counted from 1."""
        node = self._root
        line = None if node is None else node.start_mark.line + 1
        for step in steps:
            following = _child(node, step)
            if following is None:
                return line
            place, node = following
            line = place.start_mark.line + 1
        return line


def _child(node: Any, step: Any) -> tuple[Any, Any] | None:
    """Return the node that names a step, and the node of its value."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    return None


def _faults(
    content: Any, shape: Shape, steps: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    if not isinstance(content, dict):
        yield steps, f"is no mapping but {_kind_of(content)}"
        return
    for key in shape.required:
        if content.get(key) is None:
            yield steps, f"missing key {key!r}"
    for key, value in content.items():
        place = (*steps, key)
        kind = shape.keys.get(key)
        if kind is None:
            if not shape.is_open:
                near = did_you_mean(str(key), shape.keys)
                yield place, f"unknown key {key!r}{near}"
            continue
        if value is None:
            continue
        if kind != "any" and not _is_kind(value, kind):
            wanted = f"no {kind}" if kind in KINDS else f"not {kind}"
            yield place, f"is {wanted} but {_kind_of(value)}"
        elif key in shape.inside:
            yield from _faults_inside(value, shape.inside[key], place)


def _faults_inside(
    value: Any, shape: Shape, place: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _faults(item, shape, (*place, number))
    else:
        yield from _faults(value, shape, place)


def _is_kind(value: Any, kind: str) -> bool:
    if kind == "number" and isinstance(value, bool):
        return False
    if kind not in LISTS:
        return isinstance(value, KINDS[kind])
    item_kind, length = LISTS[kind]
    if not isinstance(value, list) or length not in (None, len(value)):
        return False
    return all(_is_kind(item, item_kind) for item in value)


def _kind_of(value: Any) -> str:
    """Return what a value is, in the words of this page."""
    for kind, types in KINDS.items():
        if isinstance(value, types) and _is_kind(value, kind):
            return kind
    return "flag" if isinstance(value, bool) else type(value).__name__
