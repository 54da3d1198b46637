"""One refresh at a time for one output folder: the second is told who holds it.

Shards of one refresh run beside each other: each holds its own part, and only one of them publishes at a time.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dataops_nb.errors import LockedError

FILE = "refresh.lock"
PUBLISHER = "publish.lock"
WAIT = 300.0


@contextmanager
def held(runs: Path, wait: float = 0.0, shard: str = "") -> Iterator[None]:
    """Hold the output folder whose private part is `runs`; LockedError names the process that holds it.

    With a `shard` (1/4) hold only that part of it; no other refresh may hold the whole meanwhile.
    """
    mine = _file(runs, shard)
    with _locked(mine, wait):
        _refuse_others(runs, shard, wait)
        holder = _holder(mine)
        try:
            holder.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
            yield
        finally:
            holder.unlink(missing_ok=True)


@contextmanager
def publishing(runs: Path) -> Iterator[None]:
    """Be the one that publishes and writes the front page; LockedError where another one does so for five minutes."""
    with _locked(runs / PUBLISHER, WAIT):
        yield


def _file(runs: Path, shard: str) -> Path:
    return runs / (f"refresh.{shard.replace('/', '-of-')}.lock" if shard else FILE)


@contextmanager
def _locked(path: Path, wait: float) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        who = _who(_holder(path))
        raise LockedError(f"another refresh{who} holds the output folder {path.parent.parent.name}/") from None
    try:
        yield
    finally:
        lock.release()


def _refuse_others(runs: Path, shard: str, wait: float) -> None:
    """A whole refresh waits for no shard, and a shard for no whole refresh."""
    shards = [path for path in runs.glob("refresh.*.lock") if re.fullmatch(r"refresh\.\d+-of-\d+\.lock", path.name)]
    for other in [runs / FILE] if shard else shards:
        with _locked(other, wait):
            pass


def _holder(lock: Path) -> Path:
    return lock.with_suffix(".holder.json")


def _who(holder: Path) -> str:
    try:
        return f" (process {json.loads(holder.read_text(encoding='utf-8'))['pid']})"
    except (OSError, ValueError, KeyError):
        return ""
