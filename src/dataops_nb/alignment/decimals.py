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
from dataclasses import dataclass
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
_ROUNDED = {"sum", "average", "min", "max", "median", "percentile"}
Array = np.ndarray[Any, np.dtype[np.float64]]
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
    cells, counts = value.to_numpy(dtype=float), n.to_numpy(dtype=float)
    rounded = _as_written(what, places, cells, counts)
    return pd.DataFrame(rounded, index=value.index, columns=value.columns)


def _as_written(what: Measure, places: int, values: Array, counts: Array) -> Array:
    """Round the values of a measure whose cells have so many decimals."""
    if what.agg == "average":
        with np.errstate(all="ignore"):
            return _rounded(values * counts, places) / counts
    return _rounded(values, places + _more_places(what))


@dataclass(frozen=True)
class Values:
    """Values of measures of one source: a row a measure, a column a window.

    `time` is the column with the days of their rows, `n` are the filled cells behind each value.
    """

    whats: list[Measure]
    time: str
    value: Array
    n: Array


def written_all(rows: Rows, parts: Sequence[Values]) -> list[Array]:
    """Return the values of many measures as `as_written` does, with one look at each source.

    They are rounded in place.
    """
    lacking: list[list[int]] = []
    looked_at: dict[tuple[str, str | None, str], list[Measure]] = {}
    for part in parts:
        places: list[int] = []
        if part.whats[0].agg in _ROUNDED:
            places = [place for place, row in enumerate(part.value) if not _are_short(row)]
        lacking.append(places)
        for place in places:
            what = part.whats[place]
            key = what.source, what.currency, part.time
            looked_at.setdefault(key, []).append(what)
    for (_, _, time), whats in looked_at.items():
        _look(rows, whats, time)
    written = []
    for part, places in zip(parts, lacking, strict=True):
        for place in places:
            decimals = _places(rows, part.whats[place], part.time)
            if decimals is not None:
                part.value[place] = _as_written(
                    part.whats[place], decimals, part.value[place], part.n[place]
                )
        written.append(part.value)
    return written


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
    known = values[np.abs(values) < _FLOATS]  # floats beyond have no decimals
    return bool((np.round(known, MOST) == known).all())


def _rounded(values: np.ndarray[Any, Any], places: int) -> np.ndarray[Any, Any]:
    """Round values to some decimals, where floats can hold them."""
    if places > MOST:
        return values
    fits = np.abs(values) < _FLOATS / 10.0**places
    return np.where(fits, np.round(np.where(fits, values, 0.0), places), values)


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
    _look(rows, [what], time)
    places: int | None = rows.once(_looked(what, time), lambda: None)
    return places


def _looked(what: Measure, time: str) -> tuple[str | None, ...]:
    return "places", what.source, what.expr, what.currency, time


def _look(rows: Rows, whats: Sequence[Measure], time: str) -> None:
    """Find out how many decimals the values of measures have, of those of one source at once."""
    unknown: dict[tuple[str | None, ...], Measure] = {}
    for what in whats:
        key = _looked(what, time)
        if not rows.knows(key):
            declared = _declared(rows, what)
            if declared is None:
                unknown[key] = what
            else:
                _tell(rows, key, declared[0])
    if not unknown:
        return
    table = rows.fetch(_fewest(rows, list(unknown.values()), time))
    for number, key in enumerate(unknown):
        places = table[f"places{number}"].iloc[0]
        fewest = None if pd.isna(places) or places > MOST else int(places)
        _tell(rows, key, fewest)


def _tell(rows: Rows, key: tuple[str | None, ...], places: int | None) -> None:
    rows.once(key, lambda: places)


def _declared(rows: Rows, what: Measure) -> tuple[int | None] | None:
    """Return the decimals that the type of a measure's column says; None where one must look."""
    value = queries.value_of(rows, what)
    if isinstance(value, exp.Column) and not value.table:
        name = rows.column(what.source, value.name)
        type_ = rows.columns(what.source).get(name or "", "")
        decimal = _DECIMAL.fullmatch(type_)
        if decimal:
            return (int(decimal[1]),)
        if queries.family(type_) == "integer":
            return (0,)
    if queries.speaks_of_window(what) and ":period" in (what.expr or ""):
        return (None,)
    return None


def _fewest(rows: Rows, whats: Sequence[Measure], time: str) -> exp.Select:
    """Return the query of `places0 places1 ..`: how many decimals hold every value of a measure.

    It is one of `LOOKED_FOR`, or `_NONE`. Conditions are left out, so that one look serves all
    windows; a few last bits do not count. The measures convert one currency, or none.
    """
    local = rows.local_date(whats[0].source, time)
    values, counted = [], []
    for number, what in enumerate(whats):
        values.append(exp.alias_(queries.value_of(rows, what), f"x{number}", copy=False))
        fewest = exp.Max(this=_decimals(exp.column(f"x{number}")))
        counted.append(exp.alias_(fewest, f"places{number}", copy=False))
    query = queries.rows_of(rows, whats[0], local).select(*values, copy=False)
    query = query.where(queries.seen(rows, local), copy=False)
    return exp.select(*counted).from_(query.subquery("r", copy=False), copy=False)


def _decimals(x: exp.Column) -> exp.Case:
    """Return how many decimals hold a value."""
    number = exp.cast(x.copy(), "double", copy=False)
    last_bits = exp.Mul(this=exp.Abs(this=number.copy()), expression=exp.Literal.number("1e-15"))
    large = exp.GTE(this=exp.Abs(this=number.copy()), expression=exp.Literal.number("1e15"))
    fewest = exp.case().when(exp.or_(x.is_(exp.null()), large), exp.Literal.number(0))
    for count in LOOKED_FOR:
        rounded = exp.Round(this=number.copy(), decimals=exp.Literal.number(count))
        left = exp.Abs(this=exp.paren(exp.Sub(this=number.copy(), expression=rounded)))
        held = exp.LTE(this=left, expression=last_bits.copy())
        fewest = fewest.when(held, exp.Literal.number(count), copy=False)
    return fewest.else_(exp.Literal.number(_NONE), copy=False)
