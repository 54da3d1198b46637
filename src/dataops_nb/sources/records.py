"""Rows in a list within a JSON document: `{"orders": [...], "next_page": null}`, as APIs answer.

`records: orders` names the list, and dots lead into objects: `records: data.orders`. It is never
taken for granted, because one object a line may be one order with a list of its lines.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataops_nb.errors import did_you_mean
from dataops_nb.sources.files import WrongBytes

DEEPEST = 3  # objects within objects that are looked through for lists
LARGEST = 512 << 20  # bytes that a draft reads to find out


@contextmanager
def unwrapped(path: Path, records: str, scratch: Path) -> Iterator[Path]:
    """Give a private copy that has the rows of a list one a line, deleted afterwards.

    A file may hold several documents, one after another: the pages of an answer. A file that is no
    JSON is given as it is, and whoever reads it says where it is damaged. Raises WrongBytes where
    the list is not there.
    """
    try:
        documents = list(_documents(path.read_text("utf-8-sig")))
    except (ValueError, RecursionError):
        yield path
        return
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        copy = Path(folder) / "records.jsonl"
        with copy.open("w", encoding="utf-8") as handle:
            for document in documents:
                for row in _take(document, records):
                    handle.write(json.dumps(row, ensure_ascii=False))
                    handle.write("\n")
        yield copy


def find_records(path: Path) -> tuple[str, int]:
    """Return where in a document the longest list of objects is, and how many; "" for none.

    A file that is a list itself, or one object a line, has none.
    """
    if path.suffix.lower() != ".json" or path.stat().st_size > LARGEST:
        return "", 0
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError):
        return "", 0
    lists = dict(_lists(document, ()))
    longest = max(lists, key=lambda name: lists[name], default="")
    return (longest, lists[longest]) if longest and lists[longest] > 1 else ("", 0)


def _documents(content: str) -> Iterator[Any]:
    """Yield the documents of a text; raise ValueError where it is damaged."""
    decoder = json.JSONDecoder()
    at = _after_blanks(content, 0)
    while at < len(content):
        document, end = decoder.raw_decode(content, at)
        at = _after_blanks(content, end)
        yield document


def _after_blanks(content: str, at: int) -> int:
    while at < len(content) and content[at].isspace():
        at += 1
    return at


def _take(document: Any, records: str) -> list[Any]:
    """Return the rows of a document, or raise WrongBytes."""
    inner = document
    for name in records.split("."):
        if not isinstance(inner, dict) or name not in inner:
            lists = [where for where, _ in _lists(document, ())]
            others = f"; it holds {', '.join(lists)}" if lists else ""
            rule = f"has no list {records!r}{did_you_mean(records, lists) or others}"
            raise WrongBytes(rule, None)
        inner = inner[name]
    if inner is None:
        return []
    if not isinstance(inner, list) or not all(isinstance(row, dict) for row in inner):
        raise WrongBytes(f"has no list of objects in {records!r}", None)
    return inner


def _lists(document: Any, path: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Yield the lists of objects in a document by their path, with their lengths."""
    if not isinstance(document, dict) or len(path) > DEEPEST:
        return
    for name, value in document.items():
        if "." in name:
            continue  # a path could not name it
        own_path = (*path, name)
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            yield ".".join(own_path), len(value)
        else:
            yield from _lists(value, own_path)
