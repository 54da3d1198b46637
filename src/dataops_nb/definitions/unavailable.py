"""What the files may say by contract and this version can not compute yet: one table, each entry a clear mistake.

An entry that becomes available is deleted here, and only here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dataops_nb.definitions.reading import Node


def _said(value: Any) -> bool:
    return value is not None and value not in ([], {})


@dataclass(frozen=True)
class Unavailable:
    """A key (`*` stands for any name or position), what it would do, and for which values it is meant."""

    path: tuple[str, ...]
    what: str
    when: Callable[[Any], bool] = _said


COMPANY: tuple[Unavailable, ...] = ()
DEPARTMENT: tuple[Unavailable, ...] = ()


def find_unavailable(root: Node, entries: tuple[Unavailable, ...]) -> Iterator[tuple[Node, str]]:
    """Every node of a file that asks for something not available, and what to say about it."""
    for entry in entries:
        for node in _matches(root, entry.path):
            if not node.stand_in and entry.when(node.plain()):
                yield node, f"{entry.what} is not available in this version"


def _matches(node: Node, path: tuple[str, ...]) -> Iterator[Node]:
    if not path:
        yield node
        return
    first, *rest = path
    if first == "*":
        below = node.value.values() if isinstance(node.value, dict) else node.value
        for child in below if isinstance(node.value, dict | list) else ():
            yield from _matches(child, tuple(rest))
    elif (child := node.step(first)) is not None:
        yield from _matches(child, tuple(rest))
