"""What a path with `*`, `?`, `[...]` or `**` matches.

Folders that are links are followed, as their files are meant too; each folder is entered once, so
a link to a folder above it neither counts files again nor goes on for ever.
"""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator
from pathlib import Path

ANY_DEPTH = "**"


def expand(pattern: str, data: Path, *, is_literal: bool) -> list[Path]:
    """Return what a pattern matches, sorted; where it `is_literal`, itself if that exists.

    The names of the data folder and of folders that exist are no patterns.
    """
    base = data / pattern
    if is_literal and os.path.lexists(base):
        return [base]
    if not glob.has_magic(pattern):
        return []
    home = next((parent for parent in base.parents if parent.is_dir()), data)
    below = base.relative_to(home)
    if ANY_DEPTH in below.parts:
        return sorted(_match_any_depth(home, below))
    return sorted(home / path for path in glob.glob(str(below), root_dir=home))


def folders_of(pattern: str, data: Path) -> list[Path]:
    """Return the folders in which a file may appear that a pattern means: none of a file's name."""
    parts = Path(data / pattern).parts
    fixed = next((place for place, part in enumerate(parts) if set(part) & set("*?[")), None)
    if fixed is None:
        return []
    home = Path(*parts[:fixed])
    depth = None if ANY_DEPTH in pattern else len(parts) - fixed - 1
    return [home, *(folder for folder in _walk(home, depth) if folder != home)]


def _match_any_depth(home: Path, pattern: Path) -> Iterator[Path]:
    """Yield what a pattern with `**` matches below a folder."""
    # the folders on the way are not meant by a pattern that ends in any depth
    is_any_file = pattern.name == ANY_DEPTH
    for folder in _walk(home):
        for entry in _list(folder):
            path = folder / entry.name
            is_meant = not (is_any_file and path.is_dir())
            if is_meant and _fits(path.relative_to(home).parts, pattern.parts):
                yield path


def _fits(names: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether names of folders and a file fit a pattern; those with a dot in front are hidden."""
    if not pattern:
        return not names
    first, *rest = pattern
    if first == ANY_DEPTH and _fits(names, tuple(rest)):
        return True
    if not names or (names[0].startswith(".") and not first.startswith(".")):
        return False
    if first == ANY_DEPTH:
        return _fits(names[1:], pattern)
    return fnmatch.fnmatchcase(names[0], first) and _fits(names[1:], tuple(rest))


def _walk(home: Path, depth: int | None = None) -> Iterator[Path]:
    """Yield a folder and those below it, down to a depth, each once; by links only at last."""
    seen: set[str] = set()
    waiting, links = [(home, 0)], list[tuple[Path, int]]()
    while waiting or links:
        folder, level = waiting.pop() if waiting else links.pop(0)
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        yield folder
        for entry in _list(folder) if depth is None or level < depth else []:
            if entry.is_dir():
                place = links if entry.is_symlink() else waiting
                place.append((folder / entry.name, level + 1))


def _list(folder: Path) -> list[os.DirEntry[str]]:
    """List what stands in a folder; nothing where it may not be read, as patterns do."""
    try:
        return list(os.scandir(folder))
    except OSError:
        return []
