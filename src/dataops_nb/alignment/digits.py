"""Every digit of whole numbers beyond 2^53, which floats hold only nearly.

A metric table is floats. Where a sum, a least or a greatest value of whole numbers is larger than
what floats hold, its digits are asked of the engine once more, as text, and put together as Python
integers. Nothing is asked where no value is that large.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.alignment import queries
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.sql import DAYS
from dataops_nb.alignment.windows import TOTAL, Window, date_dimension, window_frame
from dataops_nb.errors import DataError, UsageError
from dataops_nb.metrics import Measure

EXACT = 2.0**53  # up to it floats hold every whole number
Digits = list[int | None]
_DIGITS = re.compile(r"-?\d+")
_TOGETHER: dict[str, Callable[[list[int]], int]] = {"sum": sum, "min": min, "max": max}


def is_large(values: pd.DataFrame | pd.Series) -> bool:
    """Tell whether any value is larger than what floats hold."""
    cells = values.to_numpy(dtype=float, na_value=np.nan)
    return bool((np.abs(cells) >= EXACT).any())


def ask_digits(
    rows: Rows,
    what: Measure,
    time: str,
    windows: Sequence[Window],
    by: tuple[str, ...],
    *,
    apart: bool = False,
) -> dict[str, Digits]:
    """Return a measure's whole numbers: by segment, one a window.

    None where a window has no rows, or what the engine has is no whole number. Nothing where it
    cannot say, as a database whose own sums are too large for it.
    """
    if what.agg not in queries.OF_INTEGERS:
        return {}
    with suppress(DataError, UsageError):
        return _ask(rows, what, time, list(windows), by, apart=apart)
    return {}


def _ask(
    rows: Rows,
    what: Measure,
    time: str,
    windows: list[Window],
    by: tuple[str, ...],
    *,
    apart: bool,
) -> dict[str, Digits]:
    if what.open is not None:
        query = queries.open_spans(rows, what, by, written=True)
        return _placed(rows.fetch(query, **{queries.WINDOWS: window_frame(windows)}), windows, by)
    if queries.speaks_of_window(what):
        query = queries.by_window(rows, what, time, by, written=True)
        return _placed(rows.fetch(query, **{DAYS: date_dimension(windows)}), windows, by)
    daily = rows.fetch(queries.daily(rows, what, time, by, written=True))
    all_days = sorted(pd.to_datetime(daily["day"]).dt.date.unique())
    digits: dict[str, Digits] = {}
    for segment, own in _by_segment(daily, by).items():
        numbers = dict(zip(pd.to_datetime(own["day"]).dt.date, map(_number, own["v"]), strict=True))
        days = sorted(numbers) if apart or what.at is None else all_days
        digits[segment] = [_over(what, numbers, days, window) for window in windows]
    return digits


def _over(
    what: Measure, numbers: dict[dt.date, int | str | None], days: list[dt.date], window: Window
) -> int | None:
    """Put the days of a window together: the last of them, or what its aggregate makes of all."""
    within = days[bisect_left(days, window.start) : bisect_right(days, window.end)]
    if what.at == "end":
        within = within[-1:]
    filled = [numbers[day] for day in within if numbers.get(day) is not None]
    integers = [number for number in filled if isinstance(number, int)]
    if not integers or len(integers) < len(filled):
        return None
    return _TOGETHER[what.agg](integers)


def _number(text: Any) -> int | str | None:
    """Read a number as the engine wrote it; the text of one that is not whole."""
    if not isinstance(text, str):
        return None
    return int(text) if _DIGITS.fullmatch(text) else text


def _placed(frame: pd.DataFrame, windows: list[Window], by: tuple[str, ...]) -> dict[str, Digits]:
    digits: dict[str, Digits] = {}
    for segment, own in _by_segment(frame, by).items():
        numbers = dict(zip(own["w"].astype(int), map(_number, own["v"]), strict=True))
        integers = {w: number for w, number in numbers.items() if isinstance(number, int)}
        digits[segment] = [integers.get(place) for place in range(len(windows))]
    return digits


def _by_segment(frame: pd.DataFrame, by: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Return the rows of each segment by its label."""
    if not by:
        return {TOTAL: frame}
    keys = [f"d{place}" for place in range(len(by))]
    parts = {}
    for values, own in frame.astype(dict.fromkeys(keys, str)).groupby(keys, sort=False):
        named = zip(by, values, strict=True)
        parts[",".join(f"{name}={value}" for name, value in named)] = own
    return parts


def put_right(value: pd.DataFrame, digits: dict[str, Digits]) -> pd.DataFrame:
    """Return values with the floats nearest to the whole numbers that they are.

    Large numbers that were added up as floats, and cancel, leave anything behind.
    """
    right = value.copy()
    for segment in right.columns.intersection(list(digits)):
        known = pd.Series(digits[segment], index=right.index, dtype=object).astype(float)
        right[segment] = known.where(known.notna() & right[segment].notna(), right[segment])
    return right
