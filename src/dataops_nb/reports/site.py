"""Put pages into the output folder in one step; say which files may be seen; pack them.

A reader sees the old report or the new one, never half of either. A report's files are written and
flushed under the private folder of the run. On Linux that folder and its target are then exchanged
by one system call. Elsewhere, or on a file system that cannot, the old folder is renamed aside and
the new one in; a note in the private folder lets the next start put the old one back if that was
cut short.

Pages and the files beside them may be seen; runs, history, the ledger and notices never. A zip of
all that may be seen can be unpacked and read anywhere; the same pages give the same bytes.
"""

from __future__ import annotations

import ctypes
import errno
import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dataops_nb.errors import PublishError

NOTE = "swap.json"
EXCHANGE = 2  # RENAME_EXCHANGE
HERE = -100  # AT_FDCWD
UNABLE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}
PRIVATE = frozenset({"runs", "history", "cache", "notices"})
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".eml": "message/rfc822",
    ".zip": "application/zip",
    ".ipynb": "application/x-ipynb+json",
}
# what would be, answers, questions to readers: none is linked from the front page
ELSEWHERE = frozenset({"whatif", "ask", "messages"})
# what an entry of a zip says of its file, so that the same pages give the same bytes
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE = 0o644 << 16
UNIX = 3


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
            f"can't publish {target.parent.name}/{target.name}: {error.strerror or error}"
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
        raise PublishError(
            f"{path.name} could not be written: {error.strerror or error}"
        ) from error


def repair(runs: Path) -> list[Path]:
    """Put back what a run that was cut short had moved aside, and return where that stands."""
    targets = []
    for note in sorted(runs.glob(f"*/*/{NOTE}")):
        target = runs.parent / json.loads(note.read_text(encoding="utf-8"))["target"]
        aside = note.parent / "aside"
        if aside.exists() and not target.exists():
            os.rename(aside, target)
            targets.append(target)
        shutil.rmtree(aside, ignore_errors=True)
        note.unlink()
    return targets


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
    """Write files and make them last through a power cut.

    All are written before the first is flushed, because that mostly flushes the others.
    """
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
        _swap_by_renames(staged, target, private)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where this system or file system cannot."""
    if sys.platform != "linux":
        return False
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if call(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNABLE:
        return False
    raise OSError(number, os.strerror(number))


def _swap_by_renames(staged: Path, target: Path, private: Path) -> None:
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


def may_be_seen(file: Path, root: Path) -> bool:
    """Tell whether a file is one of the published ones under `root`; both paths are resolved."""
    if not file.is_relative_to(root) or file.suffix not in TYPES or not file.is_file():
        return False
    parts = file.relative_to(root).parts
    return parts[0] not in PRIVATE and not any(part.startswith(".") for part in parts)


def files(root: Path) -> Iterator[Path]:
    """Yield every published file under `root`, in the order of names; links are left out."""
    root = root.resolve()
    for file in sorted(root.rglob("*"), key=lambda path: path.relative_to(root).as_posix()):
        if may_be_seen(file.resolve(), root) and not file.is_symlink():
            yield file


@dataclass(frozen=True)
class Packed:
    """A zip that was written: where, how many files it holds, and its size in bytes."""

    file: Path
    files: int
    bytes: int


def pack(out: Path, target: Path) -> Packed:
    """Write the front page and every published report under `out` to `target` in one step.

    PublishError where nothing has been published, or the file cannot be written.
    """
    root = out.resolve()
    if not (root / "index.html").is_file():
        raise PublishError("no pages yet: run  dataops-nb refresh")
    names = []
    for file in files(root):
        name = file.relative_to(root)
        if file.suffix != ".zip" and name.parts[0] not in ELSEWHERE:
            names.append(name)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name.as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = UNIX
            entry.external_attr = READABLE
            archive.writestr(entry, (root / name).read_bytes(), compresslevel=9)
    content = written.getvalue()
    if not target.parent.is_dir():
        raise PublishError(f"can't write {target}: no folder {target.parent}")
    replace(target, content, target.parent)
    return Packed(target, len(names), len(content))
