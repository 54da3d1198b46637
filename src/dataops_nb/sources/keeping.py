"""What is kept between runs: results of queries and what loading found out, in one small SQLite file of the workbench.

Everything in it can be computed again, so nothing here ever raises: a file that is locked, damaged or cannot be written is
a run without memory. SQLite makes each write whole or nothing, for any number of processes.
"""

from __future__ import annotations

import io
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa

from dataops_nb.sources.identity import Identity

NAME = "aggregates.sqlite"
MOST_BYTES = 256 << 20
WAIT_SECONDS = 5
FRESH = 3600 * 10**9  # what was used within the hour is not noted again
_SCHEMA = """
create table if not exists kept (key text primary key, value blob not null, used integer not null) without rowid;
create table if not exists files (path text primary key, size integer, mtime integer, seen integer, sha256 text,
                                  rows integer) without rowid;
"""
T = TypeVar("T")


class Kept:
    """The memory in a folder; `most` bytes, of which those used longest ago go first."""

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self._path = folder / NAME
        self._most = most
        self._written = 0
        self._pruned = False
        self._con: sqlite3.Connection | None = None
        self._broken = False

    def text(self, key: str) -> Any:
        """What JSON was kept under a key; None where nothing was."""
        found = self._get(key)
        with suppress(ValueError):
            return None if found is None else json.loads(found)
        return None

    def put_text(self, key: str, value: Any) -> None:
        """Keep what JSON can hold."""
        self._put(key, json.dumps(value).encode())

    def frame(self, key: str) -> pd.DataFrame | None:
        """What table was kept under a key."""
        found = self._get(key)
        with suppress(pa.ArrowException, ValueError, KeyError):
            if found is not None:
                with pa.ipc.open_stream(found) as stream:
                    table: pd.DataFrame = stream.read_all().to_pandas()
                    return table
        return None

    def put_frame(self, key: str, frame: pd.DataFrame) -> None:
        """Keep a table, its types with it."""
        with suppress(pa.ArrowException):
            table, sink = pa.Table.from_pandas(frame, preserve_index=False), io.BytesIO()
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
                stream.write_table(table)
            self._put(key, sink.getvalue())

    def identities(self) -> dict[str, Identity]:
        """The files that were looked at, by path."""
        rows = self._ask(lambda con: con.execute("select * from files").fetchall())
        return {row[0]: Identity(*row[1:]) for row in rows or []}

    def put_identity(self, path: str, found: Identity) -> None:
        """Keep what a file was."""
        row = (path, found.size, found.mtime, found.seen, found.sha256, found.rows)
        self._ask(lambda con: con.execute("insert or replace into files values (?, ?, ?, ?, ?, ?)", row))

    def close(self) -> None:
        """Let go of the file."""
        if self._con is not None:
            with suppress(sqlite3.Error):
                self._con.close()
            self._con = None

    def _prune(self, con: sqlite3.Connection) -> None:
        """Drop the entries used longest ago, down to four fifths of what may be."""
        if (con.execute("select sum(length(value)) from kept").fetchone()[0] or 0) <= self._most:
            return
        before = "sum(length(value)) over (order by used desc, key rows between unbounded preceding and current row)"
        ranked = f"select key, {before} as so_far from kept"
        con.execute(
            f"delete from kept where key in (select key from ({ranked}) where so_far > ?)", (self._most * 4 // 5,)
        )

    def _get(self, key: str) -> bytes | None:
        row = self._ask(lambda con: con.execute("select value, used from kept where key = ?", (key,)).fetchone())
        if row is None:
            return None
        now = time.time_ns()
        if now - row[1] > FRESH:
            self._ask(lambda con: con.execute("update kept set used = ? where key = ?", (now, key)))
        return bytes(row[0])

    def _put(self, key: str, value: bytes) -> None:
        if len(value) > self._most // 4:
            return
        row = (key, value, time.time_ns())
        self._ask(lambda con: con.execute("insert or replace into kept values (?, ?, ?)", row))
        self._written += len(value)
        if self._written > self._most // 16 or not self._pruned:
            self._ask(self._prune)
            self._written, self._pruned = 0, True

    def _ask(self, do: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `do` says, in a transaction of its own; None where the memory cannot be used."""
        if self._broken:
            return None
        try:
            if self._con is None:
                self._con = self._open()
            with self._con:
                return do(self._con)
        except sqlite3.OperationalError as error:
            self._broken = "locked" not in str(error)
        except (sqlite3.DatabaseError, OSError):
            self._broken = True
            self._remove()
        return None

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        con = sqlite3.connect(self._path, timeout=WAIT_SECONDS, check_same_thread=False)
        con.execute("pragma journal_mode = wal")
        con.execute("pragma synchronous = normal")
        con.executescript(_SCHEMA)
        return con

    def _remove(self) -> None:
        """Throw a damaged file away; the next run begins a new one."""
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(NAME + ending).unlink()
