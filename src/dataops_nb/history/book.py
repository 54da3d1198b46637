"""A book: rows that are only ever added, in one csv of `out/history`, each added in one step.

Notes, answers and follow-ups are books. Every cell is text; a reader never sees half a row, two writers lose nothing. What
a spreadsheet would run as a formula stands behind an apostrophe in the file, and without it in what is read.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from dataops_nb.errors import LockedError, PublishError

WAIT = 30.0
FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True)
class Book:
    """A file `history/<name>.csv` with its columns; `key` are those that tell two rows apart."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The file as people are told of it."""
        return f"history/{self.name}.csv"

    def read(self, out: Path | None) -> pd.DataFrame:
        """All rows, oldest first, every cell text; empty where nothing was written. PublishError where it cannot be read."""
        return pd.DataFrame(self._rows(self._text(out)) if out else [], columns=list(self.columns), dtype=object)

    def add(self, out: Path, rows: Sequence[Mapping[str, Any]]) -> int:
        """Add the rows whose key is not in the book yet; how many those were.

        Raises PublishError where the file cannot be read or written, LockedError where another process holds it.
        """
        try:
            for folder in (out / "runs", out / "history"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(out / "runs" / "history.lock", timeout=WAIT):
                return self._add(out, rows)
        except Timeout:
            raise LockedError(f"another process holds {self.shown}") from None
        except OSError as error:
            raise PublishError(f"{self.shown} cannot be written: {error.strerror or error}") from error

    def _add(self, out: Path, rows: Sequence[Mapping[str, Any]]) -> int:
        text = self._text(out)
        known = {self._key(dict(zip(self.columns, row, strict=True))) for row in self._rows(text)}
        asked = {self._key(row): [_cell(row.get(name)) for name in self.columns] for row in rows}
        new = [row for key, row in asked.items() if key not in known]
        if new:
            added = io.StringIO()
            cells = [[_guarded(cell) for cell in row] for row in new]
            csv.writer(added, lineterminator="\n").writerows([*([] if text else [self.columns]), *cells])
            head = text if text.endswith("\n") or not text else f"{text}\n"
            self._replace(out, head + added.getvalue())
        return len(new)

    def _key(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(_cell(row.get(name)) for name in self.key)

    def _replace(self, out: Path, text: str) -> None:
        staged = out / "runs" / f"{self.name}.csv.new"
        with staged.open("w", encoding="utf-8", newline="") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(staged, out / "history" / f"{self.name}.csv")

    def _text(self, out: Path) -> str:
        try:
            return (out / "history" / f"{self.name}.csv").read_text(encoding="utf-8-sig")  # a spreadsheet adds a mark
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise PublishError(f"{self.shown} cannot be read: {error}") from error

    def _rows(self, text: str) -> list[list[str]]:
        if not text.strip():
            return []
        try:
            header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
        except csv.Error as error:
            raise PublishError(f"{self.shown} cannot be read: {error}; mend it or move it away") from error
        if tuple(header) != self.columns:
            raise PublishError(f"{self.shown} must have the columns {', '.join(self.columns)}; mend it or move it away")
        for number, row in enumerate(rows, start=2):
            if len(row) != len(self.columns):
                raise PublishError(
                    f"{self.shown}: row {number} has {len(row)} of {len(self.columns)} cells; mend it or move it away"
                )
        return [[_plain(cell) for cell in row] for row in rows]


def _guarded(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
