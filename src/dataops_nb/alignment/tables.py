"""Metric tables: made from series, checked.

Put together on one list of periods by `combine`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pandas as pd

from dataops_nb.alignment.comparisons import COMPARISONS
from dataops_nb.alignment.decimals import exactly
from dataops_nb.alignment.formulas import arithmetic
from dataops_nb.alignment.windows import TOTAL, Measured, Places, series_of, weakest
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.lineage import names_in
from dataops_nb.periods import Period

TABLE = [
    "metric", "segment", "grain", "period", "period_start", "period_end",
    "value", "n", "complete", "coverage", "data_to",
]  # fmt: skip
_REACH = ["complete", "coverage", "data_to", "condition"]
# Without rows, a column of flags must still be one: pandas takes other columns for names.
_REACH_TYPES: dict[Hashable, Any] = {
    "complete": bool,
    "coverage": float,
    "data_to": "datetime64[s]",
    "condition": str,
}


def require_table(table: pd.DataFrame) -> None:
    """Raise UsageError where a DataFrame is no metric table."""
    if not isinstance(table, pd.DataFrame):
        raise UsageError(f"a metric table is a pandas DataFrame, not a {type(table).__name__}")
    missing = [name for name in TABLE if name not in table.columns]
    if missing:
        near = did_you_mean(missing[0], map(str, table.columns))
        raise UsageError(
            f"this is no metric table: it has no column {missing[0]!r}{near}; "
            f"make one with alignment.from_frame"
        )


def empty_table() -> pd.DataFrame:
    """Return a metric table without rows."""
    texts = dict.fromkeys(("metric", "grain", "period"), str)
    days = dict.fromkeys(("period_start", "period_end", "data_to"), "datetime64[s]")
    kinds: dict[str, Any] = {**texts, **days, "segment": object, "n": int, "complete": bool}
    columns = [*TABLE, *COMPARISONS, "previous_complete", "same_last_year_complete", "so_far"]
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, float)) for name in columns})


@dataclass(frozen=True)
class Series:
    """One metric's or segment's values over all windows.

    The column of `measured` with that name.
    """

    metric: str
    segment: str
    measured: Measured
    column: str


def tabulate(
    series: Sequence[Series], owners: dict[str, str], periods: Sequence[Period]
) -> pd.DataFrame:
    """Return measured series as rows, one for each period of each.

    Columns: `metric department segment period period_start period_end value n complete coverage
    data_to condition`.
    """
    count, length = len(series), len(periods)
    metrics = [one.metric for one in series]
    segments = [None if one.segment == TOTAL else one.segment for one in series]
    repeated = np.repeat(np.arange(count), length)
    tiled = np.tile(np.arange(length), count)
    starts = np.array([period.start for period in periods], dtype="datetime64[s]")
    ends = np.array([period.end for period in periods], dtype="datetime64[s]")
    table = pd.DataFrame(
        {
            "metric": _take(metrics, repeated),
            "department": _take([owners[metric] for metric in metrics], repeated),
            "segment": _take(segments, repeated, object if None in segments else str),
            "period": _take([period.id for period in periods], tiled),
            "period_start": starts[tiled],
            "period_end": ends[tiled],
            "value": _join(series, "value"),
            "n": np.nan_to_num(_join(series, "n")).astype(int),
        }
    )
    return table.join(_join_reaches([one.measured.reach for one in series], length))


def _take(cells: Sequence[Any], places: Places, kind: type = str) -> pd.Series:
    return pd.Series(cells, dtype=kind).take(places).reset_index(drop=True)


def _join(series: Sequence[Series], name: Literal["value", "n"]) -> np.ndarray[Any, Any]:
    """Put the cells of series under each other; those of one table are taken together."""
    parts = [np.empty(0)]
    for _, group in groupby(series, key=lambda one: id(one.measured)):
        own = list(group)
        table: pd.DataFrame = getattr(own[0].measured, name)
        places = table.columns.get_indexer(pd.Index([one.column for one in own]))
        parts.append(table.to_numpy(dtype=float)[:, places].T.ravel())
    return np.concatenate(parts)


def _join_reaches(reaches: Sequence[pd.DataFrame], length: int) -> pd.DataFrame:
    """Put how far the data reach under each other.

    Many series share one reach, so each is copied once and taken as often as it is needed.
    """
    if not reaches:
        return pd.DataFrame(columns=_REACH).astype(_REACH_TYPES)
    once = {id(reach): reach for reach in reaches}
    first_row = {key: place * length for place, key in enumerate(once)}
    rows = np.concatenate([np.arange(length) + first_row[id(reach)] for reach in reaches])
    return pd.concat(once.values(), ignore_index=True).take(rows).reset_index(drop=True)


def combine(*tables: pd.DataFrame, **formulas: str) -> pd.DataFrame:
    """Put metric tables on one list of periods, and add metrics that are arithmetic on theirs.

    Every series (a metric's total or one segment) has a row for each period of any table; where a
    table has none, `value` is missing, `n` 0 and `complete` False. `formulas` are new metrics: `+ -
    * /`, parentheses and numbers over metrics (and formulas before them), each aggregated first, in
    the unit that the arithmetic gives. A formula has a total, and the segments that all its metrics
    have. Division by 0 is missing.

    Returns a metric table with the rows of the tables in their order, then the formulas'; columns
    are those of all tables.

    Raises UsageError for tables of different grains or calendars, a metric that stands in two of
    them, and a formula with an unknown metric; it names the nearest right one.

    >>> each = alignment.combine(revenue, buyers, each="revenue / buyers").query("metric == 'each'")
    >>> each.value.round(1).tolist()
    [100.0, 105.0, 80.1]
    """
    if not tables:
        raise UsageError("combine needs at least one metric table")
    for table in tables:
        require_table(table)
    _check_together(tables)
    columns: dict[str, None] = {}
    for table in tables:
        columns.update(dict.fromkeys(table.columns))
    periods = _periods_of(tables)
    parts = [_on_periods(table, periods) for table in tables if len(table)]
    if not parts:
        return tables[0].copy()
    combined = _stack(parts, list(columns))
    for name, formula in formulas.items():
        added = _formula(combined, name, formula)
        combined = _stack([combined, added], list(columns))
    return combined


def _check_together(tables: Sequence[pd.DataFrame]) -> None:
    """Raise UsageError where tables have different grains, or a metric twice."""
    grains: dict[str, None] = {}
    seen: set[str] = set()
    for table in tables:
        grains.update(dict.fromkeys(map(str, table["grain"].unique())))
    if len(grains) > 1:
        raise UsageError(
            f"tables of different grains cannot be combined: {' and '.join(grains)}; "
            f"measure them at one grain"
        )
    for table in tables:
        names = [str(name) for name in table["metric"].unique()]
        for name in names:
            if name in seen:
                raise UsageError(
                    f"metric {name!r} stands in two tables; give one of them another name"
                )
        seen.update(names)


def _periods_of(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return `period period_start period_end`: each period of any table once, oldest first.

    Raises UsageError where the tables cut their periods differently.
    """
    columns = ["period", "period_start", "period_end"]
    listed = pd.concat([table[columns] for table in tables if len(table)] or [tables[0][columns]])
    periods = listed.drop_duplicates().sort_values("period_start").reset_index(drop=True)
    twice = periods["period"].duplicated() | periods["period_start"].duplicated()
    starts, ends = periods["period_start"].to_numpy(), periods["period_end"].to_numpy()
    overlap = starts[1:] <= ends[:-1]
    if twice.any() or overlap.any():
        raise UsageError(
            "the tables cut their periods differently; measure them with one calendar: calendar=..."
        )
    return periods


def _on_periods(table: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a row for each period in each of its series."""
    places = series_of(table)
    if all(len(rows) == len(periods) for rows in places.values()):
        return table
    parts = []
    for rows in places.values():
        own = table.iloc[rows]
        wide = periods.merge(own, on=list(periods.columns), how="left")
        for name in ("metric", "department", "segment", "grain"):
            if name in own:
                same = [own[name].iloc[0]] * len(wide)
                wide[name] = pd.Series(same, dtype=table[name].dtype)
        wide["n"] = wide["n"].fillna(0).astype(table["n"].dtype)
        wide["complete"] = wide["complete"].eq(True)
        wide["coverage"] = wide["coverage"].fillna(0.0)
        wide["data_to"] = wide["data_to"].fillna(own["data_to"].max())
        parts.append(wide[table.columns])
    return pd.concat(parts, ignore_index=True)


def _stack(parts: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Put tables under each other; a column that one of them lacks is missing there, or False."""
    return pd.DataFrame({name: _stack_column(parts, name) for name in columns})


def _stack_column(parts: Sequence[pd.DataFrame], name: str) -> pd.Series:
    own = [part[name] for part in parts if name in part]
    kind = next((column.dtype for column in own if column.notna().any()), own[0].dtype)
    absent = False if pd.api.types.is_bool_dtype(kind) else None
    stacked = []
    for part in parts:
        stacked.append(part[name] if name in part else pd.Series([absent] * len(part)))
    if not pd.api.types.is_object_dtype(kind):
        return pd.concat([column.astype(kind) for column in stacked], ignore_index=True)
    cells: list[Any] = []
    for column in stacked:  # pandas would make other missing values of None
        cells += list(column)
    return pd.Series(cells, dtype=object)


def _formula(table: pd.DataFrame, name: str, formula: str) -> pd.DataFrame:
    """Return the rows of a metric that is arithmetic on those of a table.

    It has a total, and the segments that all parts have.
    """
    known = list(dict.fromkeys(map(str, table["metric"])))
    if name in known:
        raise UsageError(f"metric {name!r} is in the tables already; give the formula another name")
    parts = _parts_of(formula, known)
    places = series_of(table)
    compute = arithmetic(formula)
    computed = []
    for metric, segment in places:
        shared = metric == parts[0] and all((part, segment) in places for part in parts)
        if shared:
            rows = [table.iloc[places[part, segment]].reset_index(drop=True) for part in parts]
            computed.append(_compute(name, rows, compute))
    if not computed:
        raise UsageError(f"{formula!r}: its metrics have no total and no segment in common")
    return pd.concat(computed, ignore_index=True)[list(table.columns)]


def _parts_of(formula: str, known: list[str]) -> list[str]:
    """Return the metrics in a formula.

    Raises UsageError where it is no arithmetic on known ones.
    """
    try:
        parts = names_in(formula)
    except (ValueError, AttributeError) as error:
        raise UsageError(str(error)) from error
    if not parts:
        raise UsageError(f"{formula!r} names no metric; there are {', '.join(known)}")
    for part in parts:
        if part not in known:
            raise UsageError(f"{formula!r}: no metric {part!r}{did_you_mean(part, known)}")
    return parts


def _compute(
    name: str, rows: list[pd.DataFrame], compute: Callable[..., pd.Series]
) -> pd.DataFrame:
    """Return one series of a formula from those of its parts, which have the same periods."""
    out = rows[-1].copy()
    out["metric"] = name
    numbers = [column for column in (*COMPARISONS, "value", "so_far") if column in out]
    for column in out.columns.difference([*TABLE, "department", "condition", *numbers]):
        out[column] = False if out[column].dtype == bool else None
    for column in numbers:
        values = [part[column].astype(float) for part in rows]
        with np.errstate(all="ignore"):
            computed = pd.DataFrame({0: compute(*values)}).replace([np.inf, -np.inf], np.nan)
        frames = [pd.DataFrame({0: operand}) for operand in values]
        out[column] = exactly(computed, compute, frames)[0]
    if "condition" not in out:
        rows = [part.assign(condition=None) for part in rows]
    reach = weakest([part[_REACH].astype({"condition": object}) for part in rows])
    for column in _REACH:
        if column in out:
            out[column] = reach[column]
    for column in ("previous_complete", "same_last_year_complete"):
        if column in out:
            out[column] = np.logical_and.reduce([part[column].astype(bool) for part in rows])
    return out
