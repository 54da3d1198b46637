"""Plain values: what JSON can hold, and the digest of it.

The one place that turns numbers of NumPy and pandas, days, moments and models into plain values.
It imports neither, so that a command that only prints stays quick to start.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


DIGEST_LENGTH = 12
_MISSING = {"NaTType", "NAType"}  # their classes' names: to import pandas for this would be slow


def value(item: Any, *, digits: int | None = None) -> Any:
    """Return `item` as None, bool, int, float, text, or lists and dicts of these.

    NaN, NaT, NA and infinite numbers become None, days `2026-11-22`, midnights without a time
    zone their day, other moments ISO text, models the dict of their fields by alias. Floats are
    rounded to `digits` significant digits where given. Anything else becomes its text.
    """
    if item is None or isinstance(item, bool | int | str):
        return item
    if isinstance(item, Mapping):
        return {str(key): value(part, digits=digits) for key, part in item.items()}
    if isinstance(item, list | tuple):
        return [value(part, digits=digits) for part in item]
    return _single(item, digits)


def rows(frame: pd.DataFrame, *, digits: int | None = None) -> list[dict[str, Any]]:
    """Return one dict a row of `frame`, in order, with its columns as keys and plain values."""
    columns = []
    for cells, kind in _columns(frame):
        if kind in "iub":
            columns.append(cells)
        elif kind == "f":
            columns.append([_number(cell, digits) for cell in cells])
        else:
            columns.append([value(cell, digits=digits) for cell in cells])
    return _dicts(frame, columns)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one dict a row of `frame`, in order, with its cells as they are."""
    return _dicts(frame, [cells for cells, _ in _columns(frame)])


def _columns(frame: pd.DataFrame) -> Iterator[tuple[list[Any], str]]:
    """Yield the cells of each column, and NumPy's letter for their kind; "O" for other types."""
    for _, column in frame.items():
        is_of_numpy = not hasattr(column.dtype, "na_value")
        yield column.tolist(), column.dtype.kind if is_of_numpy else "O"


def _dicts(frame: pd.DataFrame, columns: list[list[Any]]) -> list[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def digest(item: Any, length: int = DIGEST_LENGTH) -> str:
    """Return the first hex digits of the SHA-256 of a plain value; the order of keys is ignored."""
    text = json.dumps(value(item), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _single(item: Any, digits: int | None) -> Any:
    """Return the plain value of anything that is no container and not plain yet."""
    if isinstance(item, float):
        return _number(float(item), digits)
    if type(item).__name__ in _MISSING:
        return None
    if isinstance(item, dt.date):
        return _moment(item)
    if hasattr(item, "model_dump"):
        return item.model_dump(mode="json", by_alias=True)
    if hasattr(item, "item"):  # a scalar of NumPy
        return value(item.item(), digits=digits)
    return str(item)


def _number(number: float, digits: int | None) -> float | None:
    if not math.isfinite(number):
        return None
    return number if digits is None else float(f"{number:.{digits}g}")


def _moment(moment: dt.date) -> str:
    """Return a day, or a moment; a midnight without a time zone is a day."""
    if isinstance(moment, dt.datetime) and moment.tzinfo is None:
        midnight = dt.datetime.combine(moment.date(), dt.time())
        if moment == midnight:
            return moment.date().isoformat()
    return moment.isoformat()
