"""Files of the history: rows are only added at their end, so what adding costs does not grow.

What is to be added is written beside the file first (`runs/<name>.adding`) and removed when it is
in. A reader that comes meanwhile reads up to where the file ended before, so it never sees half a
row; a writer that was killed is finished by the next one, unless somebody has touched the file
since.

An edition tells that a file is what it was, or that and new rows below it. It goes on while rows
are added here, and ends when anybody else writes the file. What was found out about the beginning
of a file is kept under its edition, so that a long file is not read again for its last rows.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from dataops_nb.errors import LockedError, PublishError

WAIT = 30.0  # seconds for which another process may hold the history
_HEAD_END = b"\n"


class Edition(NamedTuple):
    """What a file is now: the name of its edition, and how many of its bytes are whole rows."""

    name: str
    size: int


def shown(name: str) -> str:
    """Return a file of the history as people are told of it."""
    return f"history/{name}.csv"


def path_of(out: Path, name: str) -> Path:
    """Return where a file of the history stands in an output folder."""
    return out / "history" / f"{name}.csv"


def kept(out: Path, name: str) -> Path:
    """Return where what is known about a file is kept; it can be found out again."""
    return out / "cache" / "history" / name


@contextmanager
def held(out: Path, name: str) -> Iterator[None]:
    """Hold the history of an output folder while a file of it is read and written.

    Raises LockedError where another process holds it, PublishError where it cannot be written.
    """
    try:
        for folder in (out / "runs", out / "history"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(out / "runs" / "history.lock", timeout=WAIT):
            _finish(out, name)
            yield
    except Timeout:
        raise LockedError(f"another process holds {shown(name)}") from None
    except OSError as error:
        raise PublishError(f"{shown(name)} cannot be written: {error.strerror or error}") from error


def edition(out: Path, name: str, *, read_only: bool = False) -> Edition:
    """Return the edition of a file, and its size; a new one where somebody has written the file.

    A new one is noted, unless `read_only`. Raises PublishError where the file cannot be read.
    """
    try:
        stat = path_of(out, name).stat()
        size = _size(out, name)
    except FileNotFoundError:
        return Edition("", 0)
    except OSError as error:
        raise PublishError(f"{shown(name)} cannot be read: {error}") from error
    known = _read_head(out, name)
    marks = _marks(stat)
    if known is not None and known[1:] == marks:
        return Edition(known[0], size)
    fresh = secrets.token_hex(8)
    if size == stat.st_size and not read_only:
        _write_head(out, name, fresh, marks)
    elif size < stat.st_size and known is not None and [known[1], known[3]] == [size, marks[2]]:
        return Edition(known[0], size)  # rows are being added to what the head speaks of
    return Edition(fresh, size)


def read(out: Path, name: str, start: int = 0, end: int | None = None) -> bytes:
    """Return bytes of a file, whole rows only; none where there is no file.

    Raises PublishError where it cannot be read.
    """
    try:
        if end is None:
            end = _size(out, name)
        with path_of(out, name).open("rb") as handle:
            handle.seek(start)
            return handle.read(end - start)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise PublishError(f"{shown(name)} cannot be read: {error}") from error


def add(out: Path, name: str, content: bytes) -> None:
    """Add rows at the end of a file that is `held`; all of them are in it afterwards, or none."""
    path, note = path_of(out, name), _note(out, name)
    known = edition(out, name)
    _write_whole(note, f"{known.size}\n".encode() + content)
    with path.open("ab", buffering=0) as handle:
        try:
            _write(handle, content)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle.fileno(), known.size)
                note.unlink()
            raise
        marks = _marks(os.fstat(handle.fileno()))
    note.unlink()
    _write_head(out, name, known.name or secrets.token_hex(8), marks)


def _finish(out: Path, name: str) -> None:
    """Finish what a writer that was killed has begun; what somebody has touched since stays."""
    note = _note(out, name)
    try:
        head, _, content = note.read_bytes().partition(_HEAD_END)
        size = int(head)
    except FileNotFoundError:
        return
    except ValueError:  # it was killed before it had begun
        note.unlink()
        return
    there = read(out, name, size, size + len(content) + 1)
    if content.startswith(there):
        with path_of(out, name).open("ab", buffering=0) as handle:
            _write(handle, content[len(there) :])
    note.unlink()


def _size(out: Path, name: str) -> int:
    """Return how many bytes of a file are whole rows, also while some are being added."""
    path, note = path_of(out, name), _note(out, name)
    while True:
        size = path.stat().st_size
        with suppress(FileNotFoundError, ValueError):
            before = int(note.read_bytes().partition(_HEAD_END)[0])
            return min(before, size)
        if path.stat().st_size == size:
            return size


def _note(out: Path, name: str) -> Path:
    return out / "runs" / f"{name}.adding"


def _marks(stat: os.stat_result) -> list[int]:
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino]


def may_keep() -> bool:
    """Tell whether anything is to be kept between runs (not with `--no-cache`)."""
    return not os.environ.get("DATAOPS_NO_CACHE")


def _read_head(out: Path, name: str) -> list[Any] | None:
    if not may_keep():
        return None
    with suppress(OSError, ValueError):
        known = json.loads(kept(out, f"{name}.json").read_text(encoding="utf-8"))
        if isinstance(known, list) and len(known) == len(Edition._fields) + 2:
            return known
    return None


def _write_head(out: Path, name: str, fresh: str, marks: list[int]) -> None:
    if not may_keep():
        return
    with keeping(out, f"{name}.json") as path:
        path.write_text(json.dumps([fresh, *marks]), encoding="utf-8")


@contextmanager
def keeping(out: Path, name: str) -> Iterator[Path]:
    """Give a place to write what is known about the history, and keep that in one step.

    Where it cannot be written it is not kept.
    """
    path = kept(out, name)
    staged = path.with_name(f"{name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield staged
        os.replace(staged, path)
    except OSError:
        with suppress(OSError):
            staged.unlink()


def _write_whole(path: Path, content: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _write(handle: FileIO, content: bytes) -> None:
    """Write all of it and make it last through a power cut; nothing waits in a buffer after."""
    rest = memoryview(content)
    while rest:
        rest = rest[handle.write(rest) :]
    os.fsync(handle.fileno())
