"""Numbers as they are written: 10.10 and 10.20 make 20.30, and 20.30 meets a target of 20.30.

Floats hold hundredths only nearly, so a sum of them misses its target by what nobody wrote down. A
sum has no more decimals than what is added, so it is rounded to as many; an average is that sum
over its count. Whether values have few decimals is told by the type of their column, else by one
look at all of them. It is looked for only where a value is not short as it is.

Quotients and arithmetic of metrics are computed anew as fractions where floats come near a short
decimal: the share 0.17 / 0.2 is 0.85, and not a little more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from sqlglot import exp

from dataops_nb.alignment import queries
from dataops_nb.alignment.rows import Rows
from dataops_nb.metrics import Measure

# Decimals that are looked for; what has more is no number that somebody wrote down.
LOOKED_FOR = (0, 2, 4, 6)
MOST = 9
DIGITS = 12  # behind the first; more are not written down, and floats hold few more
_NONE = 99
_FLOATS = 2.0**53  # up to it floats hold every whole number
_NEAR = 4e-15  # a few last bits, relative to the largest number that was used
_ROUNDED = {"sum", "average", "median", "percentile"}
_DECIMAL = re.compile(r"DECIMAL\(\d+,(\d+)\)")


def as_written(
    rows: Rows, what: Measure, time: str, value: pd.DataFrame, n: pd.DataFrame
) -> pd.DataFrame:
    """Return a measure's values without the last bits that floats have added.

    `time` is the column with its rows' days, `n` are the filled cells behind each value.
    """
    if what.agg not in _ROUNDED or _are_short(value.to_numpy(dtype=float)):
        return value
    places = _places(rows, what, time)
    if places is None:
        return value
    values = value.to_numpy(dtype=float)
    if what.agg == "average":
        counts = n.to_numpy(dtype=float)
        with np.errstate(all="ignore"):
            rounded = _rounded(values * counts, places) / counts
    else:
        rounded = _rounded(values, places + _more_places(what))
    return pd.DataFrame(rounded, index=value.index, columns=value.columns)


def exactly(
    value: pd.DataFrame,
    formula: Callable[..., Any],
    parts: Sequence[pd.DataFrame],
    *,
    divides: bool = False,
) -> pd.DataFrame:
    """Return a formula's values, computed as fractions where floats come near a short decimal.

    `parts` are the numbers it was computed from, cell by cell; a formula that only `divides` errs
    by the last bits of its result, others by those of their largest number.
    """
    values = value.to_numpy(dtype=float)
    numbers = [part.to_numpy(dtype=float) for part in parts]
    with np.errstate(all="ignore"):
        short = _shortened(values)
        sizes = [np.abs(values)] if divides else [np.abs(values), *map(np.abs, numbers)]
        size = np.max(sizes, axis=0)
        near = (short != values) & (np.abs(short - values) <= _NEAR * size)
    if not near.any():
        return value
    exact = values.copy()
    for row, column in zip(*np.nonzero(near), strict=True):
        operands = [Fraction(repr(float(number[row, column]))) for number in numbers]
        try:
            exact[row, column] = float(formula(*operands))
        except (ZeroDivisionError, OverflowError):
            continue
    return pd.DataFrame(exact, index=value.index, columns=value.columns)


def _shortened(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Round to as many decimals as people write, and to fewer where floats hold no more.

    The last bits of a large number stand before its ninth decimal.
    """
    digits = np.floor(np.log10(np.maximum(np.abs(values), 1.0)))
    scale = 10.0 ** np.clip(DIGITS - digits, 0, MOST)
    return np.where(np.isfinite(values), np.round(values * scale) / scale, values)


def _are_short(values: np.ndarray[Any, Any]) -> bool:
    """Tell whether values have no more decimals than people write."""
    known = values[np.isfinite(values)]
    return bool((np.round(known, MOST) == known).all())


def _rounded(values: np.ndarray[Any, Any], places: int) -> np.ndarray[Any, Any]:
    """Round values to some decimals, where floats can hold them."""
    if places > MOST:
        return values
    fits = np.abs(values) * 10.0**places < _FLOATS
    return np.where(fits, np.round(values, places), values)


def _more_places(what: Measure) -> int:
    """Return how many more decimals a value between two others has."""
    if what.agg == "median":
        return 1
    if what.q is None:
        return 0
    _, _, decimals = f"{what.q:.{MOST}f}".rstrip("0").partition(".")
    return len(decimals)


def _places(rows: Rows, what: Measure, time: str) -> int | None:
    """Return how many decimals the values of a measure have; None where they have too many."""
    value = queries.value_of(rows, what)
    if isinstance(value, exp.Column) and not value.table:
        name = rows.column(what.source, value.name)
        type_ = rows.columns(what.source).get(name or "", "")
        decimal = _DECIMAL.fullmatch(type_)
        if decimal:
            return int(decimal[1])
        if queries.family(type_) == "integer":
            return 0
    if queries.speaks_of_window(what) and ":period" in (what.expr or ""):
        return None
    table = rows.fetch(_fewest(rows, what, time))
    places = table["places"].iloc[0]
    return None if pd.isna(places) or places > MOST else int(places)


def _fewest(rows: Rows, what: Measure, time: str) -> exp.Select:
    """Return the query of `places`: how many decimals hold every value of a measure.

    It is one of `LOOKED_FOR`, or `_NONE`. Conditions are left out, so that one look serves all
    windows; a few last bits do not count.
    """
    local = rows.local_date(what.source, time)
    x = exp.column("x")
    number = exp.cast(x.copy(), "double")
    last_bits = exp.Mul(this=exp.Abs(this=number.copy()), expression=exp.Literal.number("1e-15"))
    large = exp.GTE(this=exp.Abs(this=number.copy()), expression=exp.Literal.number("1e15"))
    fewest = exp.case().when(exp.or_(x.is_(exp.null()), large), exp.Literal.number(0))
    for count in LOOKED_FOR:
        rounded = exp.Round(this=number.copy(), decimals=exp.Literal.number(count))
        left = exp.Abs(this=exp.paren(exp.Sub(this=number.copy(), expression=rounded)))
        held = exp.LTE(this=left, expression=last_bits.copy())
        fewest = fewest.when(held, exp.Literal.number(count))
    fewest = fewest.else_(exp.Literal.number(_NONE))
    query = queries.rows_of(rows, what, local).select(exp.alias_(queries.value_of(rows, what), "x"))
    counted = exp.alias_(exp.Max(this=fewest), "places")
    return exp.select(counted).from_(query.where(queries.seen(rows, local)).subquery("r"))
