"""Whether a file is still the one that was read: its size and time tell at once, its content tells for sure.

A file whose size and time are those it had when its content was last hashed is taken to be the same, unless it was
written so shortly before that its time may stand still while its content changes.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SETTLED = 2_000_000_000
_COUNTED = {".csv", ".tsv", ".txt"}
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Identity:
    """A file as it was `seen` (nanoseconds): size in bytes, time of its last change, SHA-256, and rows where that is known."""

    size: int
    mtime: int
    seen: int
    sha256: str
    rows: int | None = None


def identify(path: Path, known: Mapping[str, Identity]) -> Identity:
    """The identity of a file; `known` are those of earlier times by path, and spare reading it where nothing moved."""
    stat = path.stat()
    before = known.get(str(path))
    if before and (before.size, before.mtime) == (stat.st_size, stat.st_mtime_ns) and stat.st_mtime_ns < before.seen:
        return before
    return _read(path, stat)


def _read(path: Path, stat: os.stat_result) -> Identity:
    digest, newlines, quotes, last, binary = hashlib.sha256(), 0, 0, b"\n", False
    counted = path.suffix.lower() in _COUNTED
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
            if counted:
                binary = binary or b"\0" in block
                parts = block.split(b'"')
                newlines += sum(part.count(b"\n") for part in parts[quotes % 2 :: 2])
                quotes += len(parts) - 1
                last = block[-1:]
    rows = None if not counted or binary else max(newlines + (last != b"\n") - 1, 0)
    if path.suffix.lower() == ".parquet":
        rows = _parquet_rows(path)
    return Identity(stat.st_size, stat.st_mtime_ns, time.time_ns() - SETTLED, digest.hexdigest(), rows)


def _parquet_rows(path: Path) -> int | None:
    from pyarrow import parquet  # noqa: PLC0415  heavy, and only needed where a parquet file has changed

    try:
        return int(parquet.read_metadata(path).num_rows)
    except (OSError, ValueError):
        return None
