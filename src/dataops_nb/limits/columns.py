"""Columns of very many rows: names by runs, numbers a few thousand rows at a time.

Most rows of a metric table have the name of the row before. So neighbours are compared, and of each
run one name is looked up. What is computed of each row by itself is computed for as many rows at a
time as the processor keeps at hand.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
AT_ONCE = 16_384  # rows whose numbers are computed together
# What texts of pyarrow were numbered before, as long as they are in use: they never change.
_numbered: dict[int, tuple[weakref.ref[Any], Places, list[Any]]] = {}


def number_names(column: pd.Series) -> tuple[Places, list[Any]]:
    """Number the names of a column in the order in which they come (-1: none), and list them.

    As `pandas.factorize` does.
    """
    kind = column.dtype
    if column.empty:
        return np.full(0, -1), []
    if isinstance(kind, pd.StringDtype) and kind.storage == "pyarrow":
        return _number_texts(column)
    if not pd.api.types.is_object_dtype(kind):
        numbers, names_of_all = pd.factorize(column)
        return numbers.astype(np.intp), list(names_of_all)
    names = column.to_numpy()
    firsts = _runs(names)
    codes, labels = pd.factorize(names[firsts])
    return _repeated(codes.astype(np.intp), firsts, len(names)), list(labels)


def _number_texts(column: pd.Series) -> tuple[Places, list[Any]]:
    texts = column.array.__arrow_array__()  # pyarrow's own protocol
    key = id(texts)
    known = _numbered.get(key)
    if known is not None and known[0]() is texts:
        return known[1], list(known[2])
    runs = pc.run_end_encode(
        texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    )
    codes, labels = pd.factorize(runs.values.to_pandas())
    ends = runs.run_ends.to_numpy()
    numbers = np.repeat(codes.astype(np.intp), np.diff(ends, prepend=0))
    numbers.setflags(write=False)
    forgets = weakref.ref(texts, lambda _: _numbered.pop(key, None))
    _numbered[key] = forgets, numbers, list(labels)
    return numbers, list(labels)


def is_present(column: pd.Series) -> Mask:
    """Return which rows have a value, as `notna` does."""
    if column.empty or not pd.api.types.is_object_dtype(column.dtype):
        return column.notna().to_numpy(copy=True)
    values = column.to_numpy()
    firsts = _runs(values)
    return _repeated(pd.notna(values[firsts]), firsts, len(values))


def named(names: npt.NDArray[np.object_], places: npt.NDArray[np.integer[Any]]) -> np.ndarray:
    """Return the name at each of the places; the most usual one is written at once."""
    usual = int(np.bincount(places[:: len(places) // 1000 + 1]).argmax()) if len(places) else 0
    column = np.empty(len(places), dtype=object)
    column.fill(names[usual])
    others = np.flatnonzero(places != usual)
    column[others] = names[places[others]]
    return column


def in_parts(work: Callable[[slice], tuple[np.ndarray, ...]], count: int) -> tuple[np.ndarray, ...]:
    """Return the columns that work makes of `count` rows, of some of them at a time."""
    if count <= AT_ONCE:
        return work(slice(0, count))
    columns: list[np.ndarray] = []
    for first in range(0, count, AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        parts = work(rows)
        columns = columns or [np.empty(count, part.dtype) for part in parts]
        for column, part in zip(columns, parts, strict=True):
            column[rows] = part
    return tuple(columns)


def begins(numbers: np.ndarray) -> Mask:
    """Return which of the numbers differ from the one before; the first one does."""
    differs = np.ones(len(numbers), dtype=bool)
    np.not_equal(numbers[1:], numbers[:-1], out=differs[1:])
    return differs


def _runs(values: npt.NDArray[np.object_]) -> Places:
    """Return where another object begins: objects at the same address are the same."""
    return np.flatnonzero(begins(np.frombuffer(np.ascontiguousarray(values), dtype=np.intp)))


def _repeated(of_runs: np.ndarray, firsts: Places, count: int) -> np.ndarray:
    return np.repeat(of_runs, np.diff(firsts, append=count))
