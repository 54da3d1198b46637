"""A DataFrame that is to be measured: its columns by name, its times, and what is asked of it.

What a person types is checked here, before anything is measured: a wrong column, aggregation,
grain, zone or day is a UsageError that names the nearest right one.
"""

from __future__ import annotations

import datetime as dt
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlglot
from sqlglot import exp

from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.metrics import Cumulative, Measure, Metric, Simple
from dataops_nb.periods import Calendar
from dataops_nb.steady import fault_of_run
from dataops_nb.terms import GRAINS, Agg, Duration, Grain, parse_duration

Day = str | dt.date | None
SHOWN = 12  # of a frame's columns, where none is near
EXACT = 2**53  # whole numbers up to it are exact as floats
_AGGREGATIONS: tuple[str, ...] = get_args(Agg)
_OF_NUMBERS = {"sum", "average", "min", "max", "median", "percentile"}
_ROWS_OF = "{} (rows)"
_DATE_LENGTH = len("2026-11-22")
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")


def check_words(metric: str, agg: str, grain: str, at: str | None, q: object) -> None:
    """Raise UsageError, with the nearest right one, where a word is none."""
    if not isinstance(metric, str) or not metric.strip():
        raise UsageError(f"a metric's name is a text, not {metric!r}")
    if agg not in _AGGREGATIONS:
        near, known = did_you_mean(str(agg), _AGGREGATIONS), ", ".join(_AGGREGATIONS)
        raise UsageError(f"unknown aggregation {agg!r}{near}; there are {known}")
    if grain not in GRAINS:
        near, known = did_you_mean(str(grain), GRAINS), ", ".join(GRAINS)
        raise UsageError(f"no grain {grain!r}{near}; choose from {known}")
    if at not in (None, "end"):
        raise UsageError(f"at={at!r} is unknown; did you mean 'end'?")
    _check_share(agg, q)


def _check_share(agg: str, q: object) -> None:
    """Raise UsageError where `q` is no share of values, or agg is no percentile."""
    if agg != "percentile":
        if q is not None:
            raise UsageError(f"q is the share of a percentile; agg={agg!r} takes none")
        return
    is_number = isinstance(q, numbers.Real) and not isinstance(q, bool)
    if not is_number or not 0 < float(cast("float", q)) < 1:
        raise UsageError(f"agg='percentile' needs q between 0 and 1, like q=0.9, not {q!r}")


def check_calendar(calendar: object) -> None:
    """Raise UsageError where a calendar is none."""
    if calendar is not None and not isinstance(calendar, Calendar):
        raise UsageError(f"calendar is one that periods.calendar(...) makes, not {calendar!r}")


def check_zone(timezone: str | None) -> None:
    """Raise UsageError, with the nearest name, where a time zone is none."""
    if timezone is None:
        return
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError, TypeError):
        near = did_you_mean(str(timezone), available_timezones())
        hint = near or "; write one like Europe/Paris"
        raise UsageError(f"{timezone!r} is no time zone{hint}") from None


def measured_columns(frame: pd.DataFrame, value: str | None, agg: str) -> list[str]:
    """Return the column that is aggregated, if any. Raises UsageError where it cannot be."""
    if value is None and agg == "count":
        return []
    if value is None:
        raise UsageError(
            f"agg={agg!r} needs the column that is aggregated: value='...'; agg='count' counts rows"
        )
    column = frame[find_label(frame, value)]
    if agg in _OF_NUMBERS:
        _require_numbers(column, value, agg)
    return [value]


def _require_numbers(column: pd.Series, name: str, agg: str) -> None:
    types = pd.api.types
    if types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        raise UsageError(
            f"column {name!r} holds times, which have no {agg}; count them, or convert them"
        )
    if types.is_integer_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return
    cells = column.dropna()
    is_number = types.is_numeric_dtype(column.dtype)
    numbers = cells if is_number else pd.to_numeric(cells.astype(object), errors="coerce")
    values = numbers.to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        place = int(wrong[0])
        value = cells.iloc[place]
        shown = str(value) if isinstance(value, float | np.floating) else repr(value)
        cell = f"column {name!r}, row {cells.index[place]}: {shown}"
        if np.isinf(values[place]):
            raise UsageError(f"{cell} is no finite number; leave missing values empty")
        raise UsageError(f"{cell} is no number, so there is no {agg}")


def number_values(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the frame with the different values of a column numbered.

    Numbers are counted several times faster than texts.
    """
    label = find_label(frame, column)
    try:
        codes, _ = pd.factorize(frame[label])
    except TypeError as error:
        raise UsageError(
            f"column {column!r} holds lists or other objects, which cannot be told apart; "
            f"make texts of them: frame[{column!r}].astype(str)"
        ) from error
    numbers: Any = pd.array(codes, dtype="Int64")
    numbers[codes < 0] = pd.NA
    numbered = frame.copy(deep=False)
    numbered[label] = numbers
    return numbered


def splits_of(frame: pd.DataFrame, by: str | Sequence[Any] | None) -> list[tuple[str, ...]]:
    """Return the splits that `by` says, each a tuple of columns."""
    if by is None:
        return []
    listed = list(by) if isinstance(by, Iterable) and not isinstance(by, str) else [by]
    splits: list[tuple[str, ...]] = []
    for item in listed:
        crossed = tuple(item) if isinstance(item, list | tuple) else (item,)
        for column in crossed:
            if not str(find_label(frame, column)).strip():
                raise UsageError("a column without a name cannot be split by; rename it")
        splits.append(tuple(str(column) for column in crossed))
    return list(dict.fromkeys(splits))


def metrics_of(
    metric: str, what: Measure, splits: list[tuple[str, ...]], grain: Grain, window: str | None
) -> dict[str, Metric]:
    """Return the metric that is asked for.

    Below a trailing window the one whose rows it holds.
    """
    by: list[Any] = [split[0] if len(split) == 1 else list(split) for split in splits]
    if window is None:
        return {metric: Simple(type="simple", measure=what, by=by, grains=[grain])}
    try:
        length = Duration.model_validate(parse_duration(window))
    except (ValueError, TypeError) as error:
        raise UsageError(f"window {window!r} is no duration; write one like '12 months'") from error
    base = _ROWS_OF.format(metric)
    return {
        base: Simple(type="simple", measure=what, by=by, grains=[grain]),
        metric: Cumulative(type="cumulative", metric=base, window=length, by=by, grains=[grain]),
    }


def columns_in(condition: str, frame: pd.DataFrame) -> list[str]:
    """Return the columns that a condition speaks of.

    Raises UsageError where it cannot be read, or where another run would choose other rows.
    """
    try:
        tree = sqlglot.parse_one(condition, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        first_line = str(error).splitlines()[0]
        raise UsageError(f"where {condition!r} cannot be read as SQL: {first_line}") from error
    if tree.find(exp.Select, exp.Table):
        raise UsageError(f"where {condition!r} may speak of the frame's columns only")
    fault = fault_of_run(condition)
    if fault:
        raise UsageError(f"where {condition!r}: {fault}")
    labels = [str(label) for label in frame.columns]
    own_name = {label.casefold(): label for label in labels}
    named = dict.fromkeys(column.name for column in tree.find_all(exp.Column))
    own_name |= {label: label for label in labels}
    return [own_name.get(name) or own_name.get(name.casefold(), name) for name in named]


def covered_days(covers: object) -> tuple[Day, Day] | None:
    """Return what `covers` says as its two ends. Raises UsageError where it has not two."""
    if covers is None:
        return None
    if isinstance(covers, Mapping | str) or not isinstance(covers, Iterable):
        raise UsageError("covers is (first, last): two days, both inclusive")
    ends = tuple(covers)
    if len(ends) != 2:
        raise UsageError(f"covers is (first, last): two days, both inclusive, not {len(ends)}")
    first, last = (as_day(end, "covers") for end in ends)
    if first and last and first > last:
        raise UsageError(f"covers ends on {last}, before it starts on {first}")
    return first, last


def as_day(written: object, name: str) -> dt.date | None:
    """Return a day as people write it. Raises UsageError where it is none."""
    if written is None or written is pd.NaT:
        return None
    if isinstance(written, dt.datetime | np.datetime64):
        return pd.Timestamp(written).date()
    if isinstance(written, dt.date):
        return written
    try:
        return dt.date.fromisoformat(str(written))
    except ValueError:
        raise UsageError(f"{name} {written!r} is no day; write it like 2026-11-22") from None


def quoted(column: str) -> str:
    """Return a column's name as SQL."""
    return exp.column(column, quoted=True).sql(dialect="duckdb")


def find_label(frame: pd.DataFrame, column: object) -> Any:
    """Return the frame's own label of a column.

    Raises UsageError, with the nearest name, where it has none or two.
    """
    if not isinstance(frame, pd.DataFrame):
        kind = type(frame).__name__
        raise UsageError(f"rows are taken from a pandas DataFrame, not from a {kind}")
    labels = [label for label in frame.columns if label == column or str(label) == column]
    if not labels:
        if column in frame.index.names:
            raise UsageError(
                f"{column!r} is the frame's index; frame.reset_index() makes it a column"
            )
        known = [str(label) for label in frame.columns]
        listed = f"; it has {', '.join(known[:SHOWN])}" if known else "; it has none"
        hint = did_you_mean(str(column), known) or listed
        raise UsageError(f"the frame has no column {column!r}{hint}")
    if len(labels) > 1:
        raise UsageError(f"the frame has {len(labels)} columns named {column!r}; rename them")
    return labels[0]


def refuse_lookalikes(columns: Iterable[str]) -> None:
    """Raise UsageError where two columns differ in capitals only: SQL takes them for one."""
    known: dict[str, str] = {}
    for column in columns:
        twin = known.setdefault(column.casefold(), column)
        if twin != column:
            raise UsageError(
                f"columns {twin!r} and {column!r} differ in capitals only, which cannot be told "
                f"apart in SQL; rename one of them"
            )


def read_moments(column: pd.Series, name: str, timezone: str | None) -> pd.Series:
    """Return the times of a column as pandas knows them; texts are read as ISO dates and stamps.

    Raises UsageError, with the first of them and its row, where a cell is no time, and where stamps
    with a zone are to be cut into days and no `timezone` says where.
    """
    check_zone(timezone)
    column = column.reset_index(drop=True)
    if isinstance(column.dtype, pd.PeriodDtype):
        started: pd.Series = column.dt.start_time
        return started
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        _require_zone(name, timezone)
        return column
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    if pd.api.types.is_numeric_dtype(column.dtype) and column.notna().any():
        raise UsageError(
            f"column {name!r} holds numbers, not times; convert it with pandas.to_datetime"
        )
    return _read_texts(column, name, timezone)


def _read_texts(column: pd.Series, name: str, timezone: str | None) -> pd.Series:
    texts = column.astype(object).where(column.notna(), None)
    zoned = [_has_zone(cell) for cell in texts if cell is not None]
    if any(zoned):
        _require_zone(name, timezone)
        if not all(zoned):
            raise UsageError(f"column {name!r} mixes times with a zone and times without one")
    moments = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=any(zoned))
    wrong = np.flatnonzero(moments.isna() & texts.notna())
    if len(wrong):
        row = int(wrong[0])
        raise UsageError(
            f"column {name!r}, row {row}: {texts.iloc[row]!r} is no time; write it like 2026-11-22 "
            f"or convert the column with pandas.to_datetime"
        )
    return moments


def _has_zone(cell: object) -> bool:
    if isinstance(cell, dt.datetime):
        return cell.tzinfo is not None
    is_stamp = isinstance(cell, str) and len(cell) > _DATE_LENGTH
    return is_stamp and bool(_OFFSET.search(str(cell).strip()))


def _require_zone(name: str, timezone: str | None) -> None:
    if timezone is None:
        raise UsageError(
            f"column {name!r} has stamps with a time zone; say in which zone days are cut: "
            f"timezone='America/New_York'"
        )


def local_days(moments: pd.Series, timezone: str | None) -> pd.Series:
    """Return the local day of each time.

    Stamps with a zone are cut in `timezone`, others are local.
    """
    if isinstance(moments.dtype, pd.DatetimeTZDtype):
        moments = moments.dt.tz_convert(timezone).dt.tz_localize(None)
    days: pd.Series = moments.astype("datetime64[us]").dt.normalize()
    return days


def plain_column(column: pd.Series) -> pd.Series:
    """Return a column as a file would hold it.

    Categories become their values; whole numbers that pandas made floats, to hold missing ones,
    become integers again.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.PeriodDtype | pd.IntervalDtype):
        return column.astype(str).where(column.notna(), None)
    if not pd.api.types.is_float_dtype(column.dtype) or not column.isna().any():
        return column
    known = column.dropna()
    if not len(known) or not np.isfinite(known).all() or known.abs().max() >= EXACT:
        return column
    return column.astype("Int64") if (known == np.floor(known)).all() else column


def to_array(column: pd.Series) -> pa.Array:
    """Return a column for DuckDB; cells of several kinds become texts."""
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        texts = [None if _is_missing(cell) else str(cell) for cell in column]
        return pa.array(texts, type=pa.string())


def _is_missing(cell: object) -> bool:
    missing = pd.isna(cell)  # type: ignore[call-overload]
    return missing is True or missing is np.True_
