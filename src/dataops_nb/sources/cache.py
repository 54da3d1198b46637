"""Results of queries and findings about sources, kept between runs by fingerprint.

Everything here can be computed again, so nothing ever raises: a file that is locked, damaged or
cannot be written means a run without it. SQLite makes each write atomic, for any number of
processes. Callers never keep the results of a source that has a fault.
"""

from __future__ import annotations

import io
import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dataops_nb import plain
from dataops_nb.sources.fingerprints import FileFingerprint, SourceFingerprint, is_steady

if TYPE_CHECKING:
    import pandas as pd


NAME = "aggregates.sqlite"
MOST_BYTES = 256 << 20
WAIT_SECONDS = 5
FRESH = 3600 * 10**9  # nanoseconds in which a second use is not noted again
SCHEMA = """
create table if not exists kept (
    key text primary key, value blob not null, used integer not null
) without rowid;
create table if not exists files (
    path text primary key, size integer, mtime integer, seen integer, sha256 text, rows integer
) without rowid;
"""
DAMAGE = (sqlite3.DatabaseError, OSError)
T = TypeVar("T")


class Cache:
    """The kept results in a folder: frames and plain values, under the fingerprints they need."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def value(self, *key: str) -> Any:
        """Return the plain value kept under a key; None where there is none."""
        content = self.store.get(plain.digest(key, 64))
        if content is None:
            return None
        with suppress(ValueError):
            return json.loads(content)
        return None

    def keep_value(self, value: Any, *key: str) -> None:
        """Keep a value that JSON can hold."""
        self.store.put(plain.digest(key, 64), json.dumps(value).encode())

    def frame(
        self,
        query: str,
        frames: Mapping[str, pd.DataFrame],
        fingerprints: Sequence[SourceFingerprint | None],
    ) -> pd.DataFrame | None:
        """Return the result of a query over sources and frames; None where it is not known."""
        key = _query_key(query, frames, fingerprints)
        content = self.store.get(key) if key else None
        return None if content is None else _read_frame(content)

    def keep_frame(
        self,
        result: pd.DataFrame,
        query: str,
        frames: Mapping[str, pd.DataFrame],
        fingerprints: Sequence[SourceFingerprint | None],
    ) -> None:
        """Keep the result of a query, where every source it reads has a fingerprint."""
        key = _query_key(query, frames, fingerprints)
        content = _write_frame(result) if key else None
        if content is not None:
            self.store.put(key, content)


class Store:
    """The SQLite file of a cache: bytes by key, and the fingerprints of files by path.

    Holds `most` bytes; entries used longest ago go first. Without a folder it remembers files for
    as long as the process lives. With `read_only` nothing is written.
    """

    def __init__(
        self, folder: Path | None, most: int = MOST_BYTES, *, read_only: bool = False
    ) -> None:
        self._path = folder / NAME if folder else None
        self._most = most
        self._read_only = read_only
        self._written = 0
        self._pruned = False
        self._con: sqlite3.Connection | None = None
        self._broken = folder is None
        self._files: dict[str, FileFingerprint] | None = None

    def get(self, key: str) -> bytes | None:
        """Return what was kept under a key; None where nothing was."""
        row = self._ask(
            lambda con: con.execute("select value, used from kept where key = ?", (key,)).fetchone()
        )
        if row is None:
            return None
        now = time.time_ns()
        if now - row[1] > FRESH:
            self._write("update kept set used = ? where key = ?", (now, key))
        return bytes(row[0])

    def put(self, key: str, value: bytes) -> None:
        """Keep bytes under a key, unless they would fill a quarter of the room."""
        if len(value) > self._most // 4:
            return
        self._write("insert or replace into kept values (?, ?, ?)", (key, value, time.time_ns()))
        self._written += len(value)
        if self._written > self._most // 16 or not self._pruned:
            self._ask(self._prune)
            self._written = 0
            self._pruned = True

    def file(self, path: str) -> FileFingerprint | None:
        """Return the fingerprint that a file had when it was last hashed."""
        return self._known_files().get(path)

    def keep_file(self, path: str, fingerprint: FileFingerprint) -> None:
        """Keep the fingerprint of a file."""
        self._known_files()[path] = fingerprint
        size, mtime, seen = fingerprint.size, fingerprint.mtime, fingerprint.seen
        row = (path, size, mtime, seen, fingerprint.sha256, fingerprint.rows)
        self._write("insert or replace into files values (?, ?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        if self._con is not None:
            with suppress(sqlite3.Error):
                self._con.close()
            self._con = None

    def _known_files(self) -> dict[str, FileFingerprint]:
        if self._files is None:
            rows = self._ask(lambda con: con.execute("select * from files").fetchall())
            self._files = {row[0]: FileFingerprint(*row[1:]) for row in rows or []}
        return self._files

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        if not self._read_only:
            self._ask(lambda con: con.execute(statement, values))

    def _prune(self, con: sqlite3.Connection) -> None:
        """Drop the entries used longest ago, down to four fifths of the room."""
        total = con.execute("select sum(length(value)) from kept").fetchone()[0] or 0
        if total <= self._most:
            return
        window = "order by used desc, key rows between unbounded preceding and current row"
        ranked = f"select key, sum(length(value)) over ({window}) as so_far from kept"
        old = f"select key from ({ranked}) where so_far > ?"
        con.execute(f"delete from kept where key in ({old})", (self._most * 4 // 5,))

    def _ask(self, do: Callable[[sqlite3.Connection], T]) -> T | None:
        """Call `do` in a transaction of its own; None where the file cannot be used."""
        if self._broken or self._path is None:
            return None
        try:
            if self._con is None:
                self._con = self._open(self._path)
            if self._con is None:
                return None
            with self._con:
                return do(self._con)
        except sqlite3.OperationalError as error:
            self._broken = "locked" not in str(error)
        except DAMAGE:
            self._broken = True
            self._remove(self._path)
        return None

    def _open(self, path: Path) -> sqlite3.Connection | None:
        """Open the file, and make it where it is missing and may be written."""
        if self._read_only and not path.exists():
            return None
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        con = sqlite3.connect(path, timeout=WAIT_SECONDS, check_same_thread=False)
        if not self._read_only:
            con.execute("pragma journal_mode = wal")
            con.execute("pragma synchronous = normal")
            con.executescript(SCHEMA)
        return con

    def _remove(self, path: Path) -> None:
        """Delete a damaged file; the next run begins a new one."""
        if self._read_only:
            return
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                path.with_name(NAME + ending).unlink()


def _query_key(
    query: str,
    frames: Mapping[str, pd.DataFrame],
    fingerprints: Sequence[SourceFingerprint | None],
) -> str:
    """Return the key of a query's result; empty where it may differ from one run to the next."""
    keys = [fingerprint.key for fingerprint in fingerprints if fingerprint is not None]
    if not keys or len(keys) < len(fingerprints) or not is_steady(query):
        return ""
    return plain.digest(["query", query, _digest_frames(frames), keys], 64)


def _digest_frames(frames: Mapping[str, pd.DataFrame]) -> list[Any]:
    """Return the names, types, lengths and content of tables, as plain values."""
    if not frames:
        return []
    from pandas.util import hash_pandas_object  # noqa: PLC0415  heavy; files need none

    digests: list[Any] = []
    for name, frame in sorted(frames.items()):
        types = [f"{column} {type_}" for column, type_ in frame.dtypes.items()]
        rows = hash_pandas_object(frame, index=False).to_numpy().tobytes()
        digests.append([name, types, len(frame), plain.digest(rows.hex(), 64)])
    return digests


def _read_frame(content: bytes) -> pd.DataFrame | None:
    import pyarrow as pa  # noqa: PLC0415  see _digest_frames

    with (
        suppress(pa.ArrowException, ValueError, KeyError),
        pa.ipc.open_stream(content) as stream,
    ):
        frame: pd.DataFrame = stream.read_all().to_pandas()
        return frame
    return None


def _write_frame(frame: pd.DataFrame) -> bytes | None:
    """Return a table with its types as bytes; None where Arrow cannot hold it."""
    import pyarrow as pa  # noqa: PLC0415  see _digest_frames

    with suppress(pa.ArrowException):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        sink = io.BytesIO()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
            stream.write_table(table)
        return sink.getvalue()
    return None
