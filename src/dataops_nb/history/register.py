"""The register of a book: its rows as columns of codes, kept beside it, in the order of the file.

A book may have a million rows, and questions are about few of them. Its register holds each text
once and says by numbers where it stands, so that a question is one comparison of numbers. It is
read from the file some megabytes at a time, kept under the file's edition, and mapped into memory
where it is asked; the last rows of the file are read beside it until there are many of them. The
file itself is what counts: a register that is missing, or of another edition, is made anew.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from dataops_nb.bookkeeping import files
from dataops_nb.bookkeeping.lines import (
    MARK,
    MOST_LINES,
    Broken,
    CellCheck,
    Row,
    read_lines,
    read_sound,
)

BLOCK = 1 << 20  # bytes of a file that are read at a time
FEW = 1 << 20  # bytes of new rows that are read beside what is kept
HEADER = 1 << 16  # bytes in which the first line of a file ends
SHARE = 16  # and at most such a part of it
VERSION = 1
_HEAD = b"register"
_CODED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Register:
    """The sound rows of a book; `table` has its columns as codes and texts, all of one length."""

    table: pa.Table
    broken: tuple[Broken, ...] = ()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def meant(self, unguarded: Callable[[str], str]) -> Register:
        """Return the register with its texts as they are meant, not as they stand in the file."""
        columns: dict[str, pa.DictionaryArray] = {}
        for name in self.table.column_names:
            coded = self._coded(name)
            texts = coded.dictionary.to_pylist()
            meant = [unguarded(text) for text in texts]
            if meant != texts:
                plain = pa.DictionaryArray.from_arrays(coded.indices, pa.array(meant, pa.string()))
                coded = plain.cast(pa.string()).dictionary_encode()
            columns[name] = coded
        return Register(pa.table(columns), self.broken)

    def codes(self, column: str) -> np.ndarray:
        """Return the number of each row's text."""
        numbers: np.ndarray = self._coded(column).indices.to_numpy(zero_copy_only=False)
        return numbers

    def texts(self, column: str) -> np.ndarray:
        """Return the texts of a column by their number, each once."""
        return np.array(self._coded(column).dictionary.to_pylist(), dtype=object)

    def where(self, wanted: Mapping[str, Collection[str]]) -> np.ndarray:
        """Return the places of the rows that have one of the wanted texts in each column."""
        places = np.arange(len(self))
        for column, texts in wanted.items():
            dictionary = self._coded(column).dictionary
            numbers = [dictionary.index(text).as_py() for text in texts]
            codes = self.codes(column)[places]
            places = places[np.isin(codes, [number for number in numbers if number >= 0])]
        return places

    def cells(self, column: str, places: np.ndarray) -> np.ndarray:
        """Return the texts of a column at these places."""
        texts = self.texts(column)
        return texts[self.codes(column)[places]] if len(texts) else np.empty(0, dtype=object)

    def rows(self, columns: Sequence[str], places: np.ndarray) -> list[tuple[str, ...]]:
        """Return the cells of rows at these places."""
        return list(zip(*(self.cells(name, places) for name in columns), strict=True))

    def _coded(self, column: str) -> pa.DictionaryArray:
        return self.table.column(column).chunk(0)


def read(out: Path, name: str, columns: Sequence[str], wrong: CellCheck | None) -> Register:
    """Return the register of a book as its file is now.

    Raises PublishError where the file cannot be read.
    """
    now = files.edition(out, name)
    known, covered = _kept(out, name, columns, now)
    if known is not None and covered == now.size:
        return known
    if known is not None:
        with suppress(_UnsoundError):
            tail = _parse(files.read(out, name, covered, now.size), columns, wrong)
            rows = Register(_joined([known.table, tail]), known.broken)
            if now.size - covered > max(FEW, covered // SHARE):
                _keep(out, name, now, rows)
            return rows
    rows = _read_whole(out, name, columns, wrong, now.size)
    _keep(out, name, now, rows)
    mapped, covered = _kept(out, name, columns, now)
    if mapped is None or covered < now.size:
        return rows
    del rows
    pa.default_memory_pool().release_unused()
    return mapped


def empty(columns: Sequence[str]) -> Register:
    """Return the register of a book in which nothing was written."""
    return Register(_coded([], columns))


class _UnsoundError(Exception):
    """A line of a file is not as we write it."""


def _read_whole(
    out: Path, name: str, columns: Sequence[str], wrong: CellCheck | None, size: int
) -> Register:
    """Read a file by blocks; line by line where a line of it is broken."""
    try:
        blocks = _blocks(out, name, size)
        first = next(blocks, b"").removeprefix(MARK)
        header, _, rest = first.partition(b"\n")
        if first and header.rstrip(b"\r") != ",".join(columns).encode():
            raise _UnsoundError
        parts = [_parse(rest, columns, wrong)]
        parts += [_parse(block, columns, wrong) for block in blocks]
    except _UnsoundError:
        lines = read_lines(files.read(out, name, 0, size), columns, wrong)
        return Register(_coded(lines.rows, columns), lines.broken)
    return Register(_joined(parts))


def _blocks(out: Path, name: str, size: int) -> Iterator[bytes]:
    """Yield a file in blocks of whole rows."""
    done, rest = 0, b""
    while done < size:
        content = files.read(out, name, done, min(done + BLOCK, size))
        if not content:
            break
        done += len(content)
        rest += content
        if done < size:
            end = _end_of_rows(rest)
            if end:
                yield rest[:end]
                rest = rest[end:]
    if rest:
        yield rest


def _end_of_rows(content: bytes) -> int:
    """Return where the last whole row ends; a cell in quotes may hold line ends."""
    end = content.rfind(b"\n") + 1
    is_open = content.count(b'"', 0, end) % 2
    for _ in range(MOST_LINES):
        if not is_open:
            return end
        before = content.rfind(b"\n", 0, max(end - 1, 0)) + 1
        is_open = (is_open + content.count(b'"', before, end)) % 2
        end = before
    raise _UnsoundError


def _parse(content: bytes, columns: Sequence[str], wrong: CellCheck | None) -> pa.Table:
    """Return the rows of a block. Raises _UnsoundError where one of them is broken."""
    if not content.strip():
        return _coded([], columns)
    if any(mark in content for mark in (b'"', b"\r", b"\0")):
        rows = read_sound(content, columns)
        if rows is None:
            raise _UnsoundError
        table = _coded(rows, columns)
    else:
        table = _parse_plain(content, columns)
    if wrong is not None:
        _check(table, wrong)
    return table


def _parse_plain(content: bytes, columns: Sequence[str]) -> pa.Table:
    """Return the rows of a block without quotes, in which every comma divides cells."""
    try:
        return arrow_csv.read_csv(
            io.BytesIO(content),
            arrow_csv.ReadOptions(column_names=list(columns), use_threads=False, block_size=BLOCK),
            arrow_csv.ParseOptions(quote_char=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, _CODED), strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        raise _UnsoundError from error


def _check(table: pa.Table, wrong: CellCheck) -> None:
    """Raise _UnsoundError where a cell is wrong; each text is looked at once."""
    for name, (is_right, _) in wrong.tests.items():
        for chunk in table.column(name).chunks:
            if not all(map(is_right, chunk.dictionary.to_pylist())):
                raise _UnsoundError


def _coded(rows: Sequence[Row], columns: Sequence[str]) -> pa.Table:
    cells: Sequence[Sequence[str]] = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(texts, pa.string()).dictionary_encode() for texts in cells]
    return pa.table(dict(zip(columns, arrays, strict=True)))


def _joined(tables: list[pa.Table]) -> pa.Table:
    """Return the rows of tables below each other, each column as one piece with one dictionary.

    The list is empty afterwards, so that a column is held twice at a time and not all of them are.
    """
    together = pa.concat_tables(tables)
    tables.clear()
    columns = {}
    for name in together.column_names:
        column = together.column(name).unify_dictionaries()
        together = together.drop_columns([name])
        joined = column.combine_chunks()
        if isinstance(joined, pa.ChunkedArray):
            joined = joined.chunk(0)
        columns[name] = joined
    return pa.table(columns)


# --- kept beside the file ------------------------------------------------------------------------


def _kept(
    out: Path, name: str, columns: Sequence[str], now: files.Edition
) -> tuple[Register | None, int]:
    """Return what is kept of this edition of a file, and how many bytes of the file it covers."""
    nothing = None, 0
    path = files.kept(out, f"{name}.arrow")
    try:
        with pa.memory_map(os.fspath(path)) as source, pa.ipc.open_file(source) as opened:
            table = opened.read_all()
        head = json.loads(table.schema.metadata[_HEAD])
        if [head["version"], head["edition"]] != [VERSION, now.name]:
            return nothing
        if table.column_names != list(columns) or head["covered"] > now.size:
            return nothing
        broken = tuple(Broken(*line) for line in head["broken"])
        if table.num_rows == 0:
            table = _coded([], columns)
        return Register(table, broken), int(head["covered"])
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return nothing


def _keep(out: Path, name: str, now: files.Edition, register: Register) -> None:
    """Keep a register, where there is enough of it to be worth it."""
    if now.size <= FEW or not files.may_keep() or not _is_plain(out, name, register):
        return
    broken = [[line.line, line.rule] for line in register.broken]
    head: dict[str, Any] = {
        "version": VERSION,
        "edition": now.name,
        "covered": now.size,
        "broken": broken,
    }
    table = register.table.replace_schema_metadata({_HEAD: json.dumps(head).encode()})
    with (
        files.keeping(out, f"{name}.arrow") as path,
        pa.OSFile(os.fspath(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)


def _is_plain(out: Path, name: str, register: Register) -> bool:
    """Whether the file has our header, so that rows below it can be read without it."""
    first = files.read(out, name, 0, HEADER).removeprefix(MARK).partition(b"\n")[0]
    return first.rstrip(b"\r") == ",".join(register.table.column_names).encode()
