"""What of an output folder may be seen: pages and the files beside them; never runs, history, the ledger or notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


def may_be_seen(file: Path, root: Path) -> bool:
    """Whether a file, as it really lies, is one of the published ones under `root` (which is resolved)."""
    if not file.is_relative_to(root) or file.suffix not in TYPES or not file.is_file():
        return False
    parts = file.relative_to(root).parts
    return parts[0] not in PRIVATE and not any(part.startswith(".") for part in parts)


def files(root: Path) -> Iterator[Path]:
    """Every published file under `root`, in the order of its names; a link that leads elsewhere is none."""
    root = root.resolve()
    for file in sorted(root.rglob("*"), key=lambda path: path.relative_to(root).as_posix()):
        if may_be_seen(file.resolve(), root) and not file.is_symlink():
            yield file
