"""What a command prints on stdout: a text, a table for people, or one JSON document for programs."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

SCHEMA_VERSION = 1
MARKS = {"green": "● green", "yellow": "▲ yellow", "red": "■ red", "unknown": "◇ unknown"}


def mark(light: str | None) -> str:
    """A light as shape and word, so that it reads without colours."""
    return MARKS.get(light or "", light or "")


def write(text: str) -> None:
    """Print `text`. A reader who has seen enough and closed the pipe changes neither the work nor its exit code."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def document(content: Mapping[str, Any]) -> None:
    """Print one JSON document. Missing numbers are null; days are written like 2026-11-22."""
    whole = {"schema_version": SCHEMA_VERSION, **content}
    write(json.dumps(_plain(whole), ensure_ascii=False, allow_nan=False, indent=2, default=str))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Collection[str] = ()) -> str:
    """Rows under headers, in columns as wide as their widest cell; the columns named in `right` end at one edge."""
    cells = [["" if cell is None else " ".join(str(cell).split()) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(headers, *cells, strict=True)]
    edges = [str.rjust if header in right else str.ljust for header in headers]

    def line(row: Sequence[str]) -> str:
        return "  ".join(pad(cell, width) for pad, cell, width in zip(edges, row, widths, strict=True)).rstrip()

    return "\n".join(map(line, [headers, ["-" * width for width in widths], *cells]))
