"""Packed files: gzip, Zstandard, and a zip of one text file.

A packed file is read from a private copy of what it holds, so that everything after it knows plain
files only, and the lines that faults name are those of the text inside. What unpacks to far more
than any honest export is refused before it fills the disk.
"""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from dataops_nb.sources.files import (
    ARCHIVE,
    DOCUMENTS,
    HEAD,
    PACKED,
    TEXTS,
    WrongBytes,
    ending,
)

SUSPECT = 100 << 20  # bytes unpacked above which the ratio of packing counts
RATIO = 200
BLOCK = 1 << 20
MOST_LISTED = 5
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
ZIP = b"PK"
MARKS = {".gz": (GZIP, "gzip"), ".zst": (ZSTD, "Zstandard"), ARCHIVE: (ZIP, "zip")}
DAMAGE = (zlib.error, EOFError, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def is_packed(path: Path) -> bool:
    """Whether a file is packed, by its name."""
    return path.suffix.lower() in (*PACKED, ARCHIVE)


@contextmanager
def unpacked(path: Path, scratch: Path) -> Iterator[Path]:
    """Give the file itself where it is not packed, else a private copy, deleted afterwards.

    Raises WrongBytes where it cannot be unpacked.
    """
    if not is_packed(path):
        yield path
        return
    kind = path.suffix.lower()
    _refuse_unmarked(path, kind)
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            copy = _unpack(path, kind, Path(folder))
        except DAMAGE as error:
            if isinstance(error, OSError) and error.errno:
                raise  # of the disk, and not of the file
            name = MARKS[kind][1]
            rule = f"is a damaged or truncated {name} file; copy or export it again"
            raise WrongBytes(rule, None) from None
        yield copy


def _refuse_unmarked(path: Path, kind: str) -> None:
    """Raise WrongBytes for a file that is packed by its name only."""
    mark, name = MARKS[kind]
    with path.open("rb") as handle:
        head = handle.read(HEAD)
    if not head.startswith(mark):
        inside = ending(Path(path.stem)) or ".csv"
        rule = f"is no {name} file, though its name says so; if it is plain text, name it {inside}"
        raise WrongBytes(rule, None)


def _unpack(path: Path, kind: str, folder: Path) -> Path:
    """Write what a packed file holds into a folder, and return the copy."""
    packed = max(1, path.stat().st_size)
    if kind == ARCHIVE:
        with zipfile.ZipFile(path) as archive:
            entry = _only_entry(archive)
            copy = folder / f"unpacked{ending(Path(entry.filename))}"
            with archive.open(entry) as inside:
                _copy(inside, copy, packed)
        return copy
    copy = folder / f"unpacked{ending(Path(path.stem))}"
    if kind == ".gz":
        with gzip.open(path) as inside:
            _copy(inside, copy, packed)
        return copy
    import pyarrow as pa  # noqa: PLC0415  heavy, and few files are packed so

    with pa.input_stream(str(path), compression="zstd") as inside:
        _copy(inside, copy, packed)
    return copy


def _copy(inside: IO[bytes] | gzip.GzipFile, copy: Path, packed: int) -> None:
    """Write what is unpacked; raise WrongBytes where it grows beyond all reason."""
    size = 0
    with copy.open("wb") as target:
        while block := inside.read(BLOCK):
            size += len(block)
            if size > SUSPECT and size / packed > RATIO:
                raise WrongBytes(_say_bomb(size, packed), None)
            target.write(block)


def _say_bomb(size: int, packed: int) -> str:
    sizes = f"unpacks to more than {size >> 20:,} MB from {packed / (1 << 20):,.1f} MB"
    return f"{sizes}, which is too large to be real; not opened"


def _only_entry(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one text file in a zip; raise WrongBytes where there is none, or several."""
    entries = []
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename)
        is_own = not entry.is_dir() and name.parts[0] != "__MACOSX"
        if is_own and not name.name.startswith("."):
            entries.append(entry)
    readable = [one for one in entries if ending(Path(one.filename)) in (*TEXTS, *DOCUMENTS)]
    if len(entries) == 1 and not ending(Path(entries[0].filename)):
        readable = entries  # as pandas names it
    if len(readable) != 1:
        shown = ", ".join(entry.filename for entry in entries[:MOST_LISTED]) or "nothing"
        count = len(entries) - MOST_LISTED
        more = f" and {count} more" if count > 0 else ""
        rule = "a zip may hold one csv, tsv or json file"
        raise WrongBytes(f"holds {shown}{more}; {rule}: unpack it, and declare each", None)
    entry = readable[0]
    if entry.flag_bits & 1:
        raise WrongBytes("is a zip with a password; unpack it, and declare the file inside", None)
    packed = max(1, entry.compress_size)
    if entry.file_size > SUSPECT and entry.file_size / packed > RATIO:
        raise WrongBytes(_say_bomb(entry.file_size, packed), None)
    return entry


def inner_ending(path: Path) -> str:
    """Return the ending of what a file holds: of itself where it is not packed.

    Of a zip that cannot be opened it is `.csv`; its reader says why.
    """
    if path.suffix.lower() != ARCHIVE:
        return ending(Path(path.stem)) if is_packed(path) else ending(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return ending(Path(_only_entry(archive).filename))
    except (WrongBytes, *DAMAGE):
        return ".csv"
