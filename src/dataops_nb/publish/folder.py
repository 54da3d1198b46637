"""Publication in one step: a reader sees the old report or the new one, never half of either.

A report's files are written and flushed beside their target, under the private folder of the run. On Linux the two
folders are then exchanged by one system call. Elsewhere, or on a file system that cannot, the old folder is renamed
aside and the new one in; a note in the private folder lets the next start put the old one back if that was cut short.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from dataops_nb.errors import PublishError

NOTE = "swap.json"
_EXCHANGE = 2
_HERE = -100  # AT_FDCWD
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


def publish(files: Mapping[str, bytes], target: Path, private: Path) -> None:
    """Put `files` in place as the folder `target`, from `private` on the same file system.

    PublishError where that fails; the target is untouched then.
    """
    staged = private / "publish"
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        _write_all({staged / name: content for name, content in files.items()})
        flush(staged)
        target.parent.mkdir(parents=True, exist_ok=True)
        _place(staged, target, private)
        flush(target.parent)
    except OSError as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise PublishError(
            f"{target.parent.name}/{target.name} could not be published: {error.strerror or error}"
        ) from error
    shutil.rmtree(staged, ignore_errors=True)


def replace(path: Path, content: bytes, private: Path) -> None:
    """Put one file in place in one step. PublishError where that fails; the old file stays."""
    staged = private / f"{path.name}.new"
    try:
        private.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(staged, content)
        os.replace(staged, path)
        flush(path.parent)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise PublishError(f"{path.name} could not be written: {error.strerror or error}") from error


def repair(runs: Path) -> list[Path]:
    """Put back what a run that was cut short had moved aside; the targets that were put back."""
    back = []
    for note in sorted(runs.glob(f"*/*/{NOTE}")):
        target = runs.parent / json.loads(note.read_text(encoding="utf-8"))["target"]
        aside = note.parent / "aside"
        if aside.exists() and not target.exists():
            os.rename(aside, target)
            back.append(target)
        shutil.rmtree(aside, ignore_errors=True)
        note.unlink()
    return back


def flush(folder: Path) -> None:
    """Make the names in a folder last through a power cut."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, content: bytes) -> None:
    _write_all({path: content})


def _write_all(files: Mapping[Path, bytes]) -> None:
    """Write files and make them last; all are written before the first is flushed, which mostly flushes the others."""
    with ExitStack() as opened:
        handles = [opened.enter_context(path.open("wb")) for path in files]
        for handle, content in zip(handles, files.values(), strict=True):
            handle.write(content)
            handle.flush()
        for handle in handles:
            os.fsync(handle.fileno())


def _place(staged: Path, target: Path, private: Path) -> None:
    if not target.exists():
        os.rename(staged, target)
    elif not exchange(staged, target):
        _aside(staged, target, private)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where this system or file system cannot."""
    if sys.platform != "linux":
        return False
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number))


def _aside(staged: Path, target: Path, private: Path) -> None:
    runs = private.parent.parent
    note, aside = private / NOTE, private / "aside"
    _write(note, json.dumps({"target": target.relative_to(runs.parent).as_posix()}).encode())
    flush(private)
    os.rename(target, aside)
    try:
        os.rename(staged, target)
    except BaseException:
        os.rename(aside, target)
        note.unlink()
        raise
    note.unlink()
    shutil.rmtree(aside, ignore_errors=True)
