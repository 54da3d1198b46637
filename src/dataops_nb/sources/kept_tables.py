"""Tables computed from rows, kept between runs: a board, the links of a company.

`Recall` gives a table back while everything it was made from is as it was: the definitions, the
as-of day, the package, and the sources that were asked while it was made. Which sources those are
is noted while the table is made, so nobody has to list them. A table comes back with the types it
had, cell by cell, or is not kept at all.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from filelock import FileLock

from dataops_nb import plain
from dataops_nb.alignment.measures import sources_of
from dataops_nb.company import Company
from dataops_nb.sources.fingerprints import FULL_LENGTH, of_code

if TYPE_CHECKING:
    import pyarrow as pa

    from dataops_nb.alignment.rows import Usage
    from dataops_nb.sources.shelf import Shelf

LONGEST, POLL = 30.0, 0.02  # seconds to wait for a table that another process makes
_OBJECTS = b"objects"  # the types, and the cells that are no numbers, in the head of the stream
_SIZES = "fiubmM"  # kinds of NumPy whose values are numbers of a size
_TEXT = pd.StringDtype("python", na_value=np.nan)


class Recall:
    """The tables of one company at one day, kept in the cache of its shelf.

    `usage` is told of the metrics behind a table that comes back, as if they had been evaluated.
    """

    def __init__(self, shelf: Shelf, usage: Usage) -> None:
        self._shelf = shelf
        self._usage = usage
        self._company: Company | None = None
        self._company_digest = ""
        self._has_turn = False

    def table(
        self, company: Company, what: Sequence[object], make: Callable[[], pd.DataFrame]
    ) -> pd.DataFrame:
        """Return the table that an earlier run kept under these words, else make and keep it."""
        key = self._key(company, what)
        known = self._known(key)
        if known is not None:
            return known
        with self._turn(key) as has_waited:
            if not has_waited:
                return self._made(company, key, make)
            known = self._known(key)
        return self._made(company, key, make) if known is None else known

    @contextmanager
    def _turn(self, key: list[str]) -> Iterator[bool]:
        """Let others that ask for the same table wait until it is kept; yield whether we waited.

        Reports that start together ask for the same tables. Who makes one table inside another
        waits for nobody, so that no two wait for each other. Nobody waits for long, because what
        stops one report must not stop the others.
        """
        folder = self._shelf.cache_folder
        if folder is None or self._has_turn:
            yield False
            return
        lock = FileLock(folder / f"table-{plain.digest(key, 2)}.lock")
        began = time.monotonic()
        try:
            with suppress(OSError, NotImplementedError):  # somebody is slow, or no lock can be had
                lock.acquire(timeout=LONGEST, poll_interval=POLL)
            self._has_turn = True
            yield time.monotonic() - began >= POLL
        finally:
            self._has_turn = False
            lock.release()

    def _made(
        self, company: Company, key: list[str], make: Callable[[], pd.DataFrame]
    ) -> pd.DataFrame:
        shelf, usage = self._shelf, self._usage
        sources_before, metrics_before = shelf.touched, set(usage.metrics)
        was_steady = shelf.is_steady
        shelf.touched, shelf.is_steady = set(), True
        usage.metrics.clear()
        try:
            table = _quick_to_ask(make())
            if shelf.is_steady:
                self._keep(company, key, table)
        finally:
            shelf.touched |= sources_before
            shelf.is_steady = shelf.is_steady and was_steady
            usage.metrics |= metrics_before
        return table

    def _key(self, company: Company, what: Sequence[object]) -> list[str]:
        if company is not self._company:
            self._company, self._company_digest = company, plain.digest(company, FULL_LENGTH)
        day = self._shelf.as_of.isoformat()
        words = [json.dumps(plain.value(word)) for word in what]
        return ["table", of_code(), self._company_digest, day, *words]

    def _known(self, key: list[str]) -> pd.DataFrame | None:
        behind = self._shelf.kept_value(key)
        if behind is None:
            return None
        content = self._shelf.kept_bytes(behind["sources"], key)
        table = None if content is None else read_table(content)
        if table is None:
            return None
        for name in behind["sources"]:
            self._shelf.load(name)
        self._usage.metrics.update(behind["metrics"])
        return table

    def _keep(self, company: Company, key: list[str], table: pd.DataFrame) -> None:
        metrics = sorted(self._usage.metrics)
        # A metric that was remembered in memory asked no source again.
        sources = sorted(self._shelf.touched.union(sources_of(company, metrics)))
        content = write_table(table)
        if content is not None and self._shelf.keep_bytes(sources, key, content):
            self._shelf.keep_value({"sources": sources, "metrics": metrics}, key)


def write_table(frame: pd.DataFrame) -> bytes | None:
    """Return a table as bytes; None where it would not come back as it is.

    Numbers, days and yes or no travel as the integers and floats that they are in memory, any other
    column as the places of its cells among those that differ.
    """
    import pyarrow as pa  # noqa: PLC0415  heavy; who keeps nothing needs none

    is_plain = frame.columns.is_unique and frame.index.equals(pd.RangeIndex(len(frame)))
    if not is_plain:
        return None
    frame = _quick_to_ask(frame)
    columns: dict[str, np.ndarray[Any, Any]] = {}
    coded: dict[str, list[Any]] = {}
    try:
        for name, type_ in frame.dtypes.items():
            if isinstance(type_, np.dtype) and type_.kind in _SIZES:
                columns[str(name)] = _as_numbers(frame[name].to_numpy())
            else:
                columns[str(name)], cells = _once_each(frame[name])
                coded[str(name)] = [_write_cell(cell) for cell in cells]
        typed = pa.table(columns)
    except (TypeError, pa.ArrowException):
        return None
    head = {"types": [str(type_) for type_ in frame.dtypes], "cells": coded}
    typed = typed.replace_schema_metadata({_OBJECTS: json.dumps(head).encode()})
    returned = read_table(_stream(typed.slice(0, 1)))  # one row has the types of all
    if returned is None or list(returned.dtypes) != list(frame.dtypes):
        return None
    return _stream(typed)


def _stream(table: pa.Table) -> bytes:
    import pyarrow as pa  # noqa: PLC0415  see write_table

    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table)
    return sink.getvalue()


def read_table(content: bytes) -> pd.DataFrame | None:
    """Return the table that `write_table` wrote; None for anything else."""
    import pyarrow as pa  # noqa: PLC0415  see write_table

    with (
        suppress(pa.ArrowException, OSError, ValueError, KeyError, TypeError),
        pa.ipc.open_stream(content) as stream,
    ):
        typed = stream.read_all()
        head = json.loads(typed.schema.metadata[_OBJECTS])
        columns: dict[str, Any] = {}
        index = pd.RangeIndex(typed.num_rows)
        for name, column, type_ in zip(
            typed.column_names, typed.columns, head["types"], strict=True
        ):
            values = column.to_numpy()
            if name not in head["cells"]:
                columns[name] = values.view(type_)
                continue
            cells = np.empty(len(head["cells"][name]), dtype=object)
            for place, cell in enumerate(head["cells"][name]):  # a cell may be a list
                cells[place] = _read_cell(cell)
            columns[name] = pd.Series(cells[values], index=index, dtype=_type(type_))
        return pd.DataFrame(columns, index=index, columns=typed.column_names)
    return None


def _type(name: str) -> Any:
    return _TEXT if name == "str" else name


def _as_numbers(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return days, spans and yes or no as the integers that stand for them in memory."""
    return values if values.dtype.kind in "fiu" else values.view(f"i{values.dtype.itemsize}")


def _quick_to_ask(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with texts that Python holds: asked cell by cell, Arrow's take far longer.

    Both are of the type `str`.
    """
    texts = [name for name, type_ in table.dtypes.items() if str(type_) == "str"]
    return table.astype(dict.fromkeys(texts, _TEXT))


def _once_each(column: pd.Series) -> tuple[np.ndarray[Any, Any], list[Any]]:
    """Return the place of each row's cell among the different cells of a column, and those.

    Cells of several types are taken as they stand, because 1 and True are equal and differ.
    """
    cells: np.ndarray[Any, Any] = column.to_numpy(dtype=object, copy=True)
    if column.dtype != object:
        cells[column.isna().to_numpy()] = None
    kinds = set(map(type, cells))
    if kinds <= {type(None), str} or kinds <= {type(None), bool}:
        places, different = pd.factorize(cells)
        places = np.where(places < 0, len(different), places)
        return places.astype("int32"), [*different, None]
    return np.arange(len(cells), dtype="int32"), list(cells)


def _write_cell(cell: Any) -> Any:
    """Return a cell of an object column as JSON that tells its type. TypeError for others."""
    kind = type(cell)
    if cell is None or kind in (bool, int, str):
        return cell
    if kind is float:
        return ["float", None if math.isnan(cell) else cell.hex()]
    if kind is dt.date:
        return ["date", cell.isoformat()]
    if kind is pd.Timestamp and cell.tz is None:
        return ["moment", cell.unit, cell.isoformat()]
    if cell is pd.NaT:
        return ["no moment"]
    if kind in (list, tuple):
        return [kind.__name__, [_write_cell(part) for part in cell]]
    raise TypeError(f"{kind.__name__} is not kept")


def _read_cell(cell: Any) -> Any:
    if not isinstance(cell, list):
        return cell
    kind, *rest = cell
    if kind == "float":
        return math.nan if rest[0] is None else float.fromhex(rest[0])
    if kind == "date":
        return dt.date.fromisoformat(rest[0])
    if kind == "moment":
        return pd.Timestamp(rest[1]).as_unit(rest[0])
    if kind == "no moment":
        return pd.NaT
    parts = [_read_cell(part) for part in rest[0]]
    return tuple(parts) if kind == "tuple" else parts
