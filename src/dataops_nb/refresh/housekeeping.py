"""What a start finds and puts in order: runs that were cut short, pages half exchanged, temporary files."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dataops_nb.publish import folder, redaction
from dataops_nb.refresh import ledger

TEMPORARY = ("*.new", "*/*.new", "*/*/*.new", "*/*/publish", "*/*/k-*", "*/*/kernel-*.json")
NOTE = "remember.json"


def tidy(book: sqlite3.Connection, out: Path, shard: str = "", secrets: Iterable[str] = ()) -> list[str]:
    """Reconcile the ledger, repair and remember what was published, remove temporary files; the reports that were killed.

    `secrets` are blanked out of what killed runs left. A shard leaves the others' files alone.
    """
    runs = out / "runs"
    killed = ledger.reconcile(book, shard)
    if shard:
        return killed
    if killed:
        redaction.clean_folder(runs, secrets)
    folder.repair(runs)
    if next(runs.glob(f"*/*/{NOTE}"), None):
        from dataops_nb.refresh import memory  # noqa: PLC0415  brings pandas, and is needed only after a kill

        memory.recover(out)
    sweep(runs)
    return killed


def sweep(runs: Path) -> None:
    """Remove what only a run that was cut short leaves: staged pages, half-written files, sockets, empty folders."""
    for pattern in TEMPORARY:
        for path in runs.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    for run in runs.iterdir():
        if run.is_dir():
            with suppress(OSError):
                run.rmdir()
