"""Pairs: which two versions of a metric are compared, and how their rows are matched.

A pair is declared in params under `reconcile:` (`find_pairs`), or made of two DataFrames
(`open_pair`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
from pydantic import ValidationError

from dataops_nb.alignment.frame_rows import Framed, FrameRows, frame_company
from dataops_nb.alignment.frames import as_day, measured_columns, quoted
from dataops_nb.company import Company
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.metrics import Measure, Simple
from dataops_nb.periods import Calendar
from dataops_nb.terms import GRAINS, Tolerance

Column = str | Sequence[str]


@dataclass(frozen=True)
class Side:
    """One system's rows: its metric, what it measures, and its columns.

    `key` matches rows, `amount` is their value.
    """

    metric: str
    measure: Measure
    time: str
    key: str
    amount: str | None


@dataclass(frozen=True)
class Pair:
    """A metric (a) and its version in another system (b), and how far they may differ."""

    a: Side
    b: Side
    tolerance: Tolerance


def declared(company: Company) -> list[str]:
    """List the metrics that say `reconcile:`, in the order of the files.

    >>> reconciliation.declared(rows.company)
    []
    >>> reconciliation.declared(company.company)
    ['amount']
    """
    return [name for name, metric in company.metrics.items() if metric.reconcile]


def find_pairs(company: Company, metric: str) -> list[Pair]:
    """List every version of a metric that its `reconcile:` names.

    Raises UsageError where there is none, or no such metric.
    """
    if metric not in company.metrics:
        raise UsageError(f"no metric {metric!r}{did_you_mean(metric, company.metrics)}")
    agreements = company.metrics[metric].reconcile
    if not agreements:
        hint = "; declare  reconcile:  on it"
        for other in declared(company):
            partners = [agreement.with_ for agreement in company.metrics[other].reconcile]
            if metric in partners:
                hint = f"; {other} is reconciled with it"
                break
        raise UsageError(f"metric {metric} is not reconciled with another one{hint}")
    pairs: list[Pair] = []
    for agreement in agreements:
        key, amount = agreement.key, agreement.amount
        left = _side(company, metric, key.left, amount.left if amount else None)
        right = _side(company, agreement.with_, key.right, amount.right if amount else None)
        pairs.append(Pair(left, right, agreement.tolerance))
    return pairs


def open_pair(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    key: Column,
    amount: Column | None,
    time: Column,
    grain: str,
    tolerance: float | str = 0,
    timezone: str | None = None,
    as_of: str | dt.date | None = None,
    calendar: Calendar | None = None,
) -> tuple[FrameRows, Pair]:
    """Return the rows of two frames, and how they are compared.

    The arguments are those of `bridge`.

    Raises UsageError for a wrong column, grain, zone or tolerance; it names the nearest right one.
    """
    if grain not in GRAINS:
        known = ", ".join(GRAINS)
        near = did_you_mean(grain, GRAINS)
        raise UsageError(f"no grain {grain!r}{near}; choose from {known}")
    keys, times = _in_both(key, "key"), _in_both(time, "time")
    amounts = (None, None) if amount is None else _in_both(amount, "amount")
    framed: list[Framed] = []
    sides: list[Side] = []
    for place, (name, frame) in enumerate((("a", a), ("b", b))):
        side = _frame_side(name, keys[place], times[place], amounts[place])
        columns = [side.key]
        if side.amount is not None:
            columns += measured_columns(frame, side.amount, "sum")
        framed.append(Framed.of(name, frame, columns, side.time, timezone=timezone))
        sides.append(side)
    last_days = [frame.last for frame in framed if frame.last is not None]
    last_day = as_day(as_of, "as_of") or max(last_days, default=dt.date.min)
    rows = FrameRows(framed, frame_company({}, calendar or Calendar()), last_day)
    return rows, Pair(sides[0], sides[1], _read_tolerance(tolerance))


def _side(company: Company, metric: str, key: str, amount: str | None) -> Side:
    definition = company.metrics[metric]
    if not isinstance(definition, Simple):
        raise UsageError(f"metric {metric}: only a simple metric has rows that can be matched")
    source = definition.measure.source
    time = definition.measure.time or company.origins[source].time
    if time is None:
        raise UsageError(
            f"source {source} has no time column; declare  time:  on it or on the measure"
        )
    return Side(metric, definition.measure, time, key, amount)


def _frame_side(name: str, key: str, time: str, amount: str | None) -> Side:
    if amount is None:
        measure = Measure(source=name, agg="count", expr=None, time=time)
    else:
        measure = Measure(source=name, agg="sum", expr=quoted(amount), time=time)
    return Side(name, measure, time, key, amount)


def _in_both(column: Column, option: str) -> tuple[str, str]:
    """Return a column's name in both frames: one for both, or one for each."""
    if isinstance(column, str) or not isinstance(column, Iterable):
        return str(column), str(column)
    names = tuple(column)
    if len(names) != 2:
        raise UsageError(f"{option} is a column of both frames, or one of each: (left, right)")
    return str(names[0]), str(names[1])


def _read_tolerance(tolerance: float | str) -> Tolerance:
    try:
        return Tolerance.model_validate(tolerance)
    except ValidationError as error:
        message = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise UsageError(f"tolerance: {message}") from error
