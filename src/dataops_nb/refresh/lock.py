"""One refresh at a time for one output folder: the second is told who holds it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dataops_nb.errors import LockedError

FILE = "refresh.lock"


@contextmanager
def held(runs: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold the output folder whose private part is `runs`; LockedError names the process that holds it."""
    holder = runs / "refresh.holder.json"
    lock = FileLock(runs / FILE)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise LockedError(f"another refresh{_who(holder)} holds the output folder {runs.parent.name}/") from None
    try:
        holder.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _who(holder: Path) -> str:
    try:
        return f" (process {json.loads(holder.read_text(encoding='utf-8'))['pid']})"
    except (OSError, ValueError, KeyError):
        return ""
