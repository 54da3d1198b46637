"""Reconciliation: two systems' versions of one metric, and the rows between them.

For each period the difference d = a - b is split into five parts that add up to it exactly. A row's
amount is the `amount:` column of its side, or what it adds to its measure (1 for a count). Rows are
matched by key, in this order:

1. A row without a key, or whose key the other system does not have at all, is in `only_a` or
   `only_b`.
2. Of a key that both have, rows with the same day and amount meet first; the others meet by day,
   then the larger first.
3. Rows that found no partner, because one system has more rows of the key, are in `duplicate`, each
   in its own period.
4. Two rows that met give a - b to `amount`, in the period of a.
5. Where they lie in different periods, b's amount is in `date`: added in a's period, taken off in
   b's. Over all periods it comes to nothing, and no other part's total depends on the grain.

A period is judged once the data of both systems cover it and it is older than the arrival lag: the
95th percentile of the days between two rows that met. Amounts are exact decimals (six digits after
the point), missing ones None.

`bridge` and `rows` take two DataFrames; `of_company` and `rows_of_company` take the rows of a
company, whose metrics say `reconcile:`. Both ways give the same columns.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd

from dataops_nb.alignment.formulas import part_windows
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import TOTAL, Window, series_of, window
from dataops_nb.company import Company
from dataops_nb.periods import Calendar, Period
from dataops_nb.periods import calendar as calendar_of
from dataops_nb.reconciliation import queries
from dataops_nb.reconciliation.bridges import PARTS, build
from dataops_nb.reconciliation.pairs import Column, Pair, declared, find_pairs, open_pair
from dataops_nb.reconciliation.queries import Matched
from dataops_nb.terms import Grain

__all__ = ["bridge", "declared", "rows"]


def __dir__() -> list[str]:
    return __all__


ROWS = ["metric", "with", "part", "key", "a_amount", "b_amount", "a_day", "b_day"]
_DTYPES = {
    "key": "object",
    "a_amount": "object",
    "b_amount": "object",
    "a_day": "datetime64[s]",
    "b_day": "datetime64[s]",
}


def bridge(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    key: Column,
    amount: Column | None = None,
    time: Column,
    grain: Grain = "week",
    tolerance: float | str = 0,
    timezone: str | None = None,
    as_of: str | dt.date | None = None,
    calendar: Calendar | None = None,
) -> pd.DataFrame:
    """Split the difference of two systems by cause, period by period; neither frame is changed.

    `key`, `amount` and `time` are columns of both frames, or `(left, right)` where their names
    differ. Without `amount` rows are counted. `tolerance` is an amount (`50`) or a share of both
    systems' mean (`"2%"`). Stamps with a zone are cut into days in `timezone`. Rows after `as_of`
    do not exist (default: the last day of either frame). `of_company` does the same for a metric of
    a company.

    Returns one row a period in which both have data, with `COLUMNS`: the totals `a` and `b`, their
    `difference` and its five parts, which add up to it exactly, as decimals in the unit of
    `amount`; `within_tolerance` is None where the period is not judged yet. See the head of this
    module.

    Raises UsageError for a wrong column, grain, zone or tolerance; it names the nearest right one.

    >>> a = pd.DataFrame({"id": ["1", "2"], "day": "2026-11-09", "total": [110.0, 50.0]})
    >>> b = pd.DataFrame({"id": ["1"], "day": "2026-11-09", "total": [100.0]})
    >>> bridge = reconciliation.bridge(a, b, key="id", amount="total", time="day")
    >>> bridge[["difference", "only_a", "amount"]].iloc[0].astype(float).tolist()
    [60.0, 50.0, 10.0]
    """
    frames, pair = open_pair(
        a, b, key=key, amount=amount, time=time, grain=grain, tolerance=tolerance,
        timezone=timezone, as_of=as_of, calendar=calendar,
    )  # fmt: skip
    return build(frames, pair, grain, None, None)


def rows(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    key: Column,
    amount: Column | None = None,
    time: Column,
    grain: Grain = "week",
    timezone: str | None = None,
    as_of: str | dt.date | None = None,
    calendar: Calendar | None = None,
) -> pd.DataFrame:
    """List the rows behind the parts of a `bridge`.

    The arguments are the same (`rows_of_company` for a company's).

    Returns one row each, with `ROWS`: the `part`, the `key`, and each side's amount (a decimal) and
    day.

    Raises UsageError as `bridge` does.

    >>> a = pd.DataFrame({"id": ["1", "2"], "day": "2026-11-09", "total": [110.0, 50.0]})
    >>> b = pd.DataFrame({"id": ["1"], "day": "2026-11-09", "total": [100.0]})
    >>> rows = reconciliation.rows(a, b, key="id", amount="total", time="day")
    >>> rows[["part", "key"]].values.tolist()
    [['only_a', '2'], ['amount', '1']]
    """
    frames, pair = open_pair(
        a, b, key=key, amount=amount, time=time, grain=grain,
        timezone=timezone, as_of=as_of, calendar=calendar,
    )  # fmt: skip
    return _list_rows(frames, [pair], grain, None, None)


def of_company(
    rows: Rows,
    metric: str,
    grain: Grain = "week",
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> pd.DataFrame:
    """Split a metric's difference from each other system by cause, period by period.

    `rows` is what `workbench.open().rows()` gives, or a board's `rows`. Without `start` and `end`
    the periods are those in which both systems have data.

    Returns one row for each other system and period, with `COLUMNS`. `a`, `b` and the parts are
    None in a period that a system says nothing about; `within_tolerance` is None where the period
    is not judged.

    Raises UsageError for an unknown metric or one without `reconcile:`, DataError where a source
    that must not be used stands behind either side.
    """
    pairs = find_pairs(rows.company, metric)
    bridges = [build(rows, pair, grain, start, end) for pair in pairs]
    return pd.concat(bridges, ignore_index=True)


def rows_of_company(
    rows: Rows,
    metric: str,
    grain: Grain = "week",
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> pd.DataFrame:
    """List the rows behind the parts of `of_company`, one by one; the arguments are the same.

    Returns one row each, with `ROWS`: which part, the key, and each side's amount and day. Two rows
    that met in different periods and differ in amount stand in `date` and in `amount`. Which rows
    are in `date` depends on the grain.

    Raises UsageError and DataError as `of_company` does.
    """
    return _list_rows(rows, find_pairs(rows.company, metric), grain, start, end)


def lag(rows: Rows, pair: Pair) -> int:
    """Measure the arrival lag of a pair in days.

    95 of 100 rows have their partner within so many days.
    """
    return queries.lag(queries.match_by_day(rows, pair))


def add_reconciled(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """Add `reconciled` to a metric table: whether all systems agree on the value; totals only.

    False where one is out of tolerance and nobody answers for it at as-of (`accept: [{light:
    unreconciled}]`), and where the value is made of such a one: of a ratio, arithmetic or
    conversion in the periods of its parts, of a trailing window in any period that it reaches into.
    None where nothing is declared, nothing was judged yet, or the disagreement is accepted.
    """
    company = rows.company
    reconciled = np.full(len(table), None, dtype=object)
    for (metric, segment), places in series_of(table).items():
        names = company.upstream([metric])
        if segment != TOTAL or not any(company.metrics[name].reconcile for name in names):
            continue
        own = table.iloc[places]
        verdicts: dict[str, bool | None] = {}
        if company.metrics[metric].reconcile:
            verdicts = _verdicts(rows, metric, own)
        if not _is_accepted(rows, metric):
            verdicts |= dict.fromkeys(_inherited(rows, metric, own), False)
        reconciled[places] = [verdicts.get(period) for period in own["period"]]
    return table.assign(reconciled=pd.Series(reconciled, index=table.index, dtype=object))


def _inherited(rows: Rows, metric: str, own: pd.DataFrame) -> list[str]:
    """Return the periods of a metric's totals in which two systems disagree about a part of it."""
    company = rows.company
    below = [name for name in company.upstream([metric]) if name != metric]
    if not len(own) or not any(company.metrics[name].reconcile for name in below):
        return []
    cut = calendar_of(company.calendar)
    grain: Grain = own["grain"].iloc[0]
    made_of: dict[str, list[tuple[str, Window]]] = {}
    for name, day in zip(own["period"], own["period_start"], strict=True):
        wanted = window(cut.period(grain, day.date()))
        made_of[name] = _reconciled_parts(company, cut, metric, wanted)

    windows: dict[str, list[Window]] = {}
    for parts in made_of.values():
        for part, wanted in parts:
            windows.setdefault(part, []).append(wanted)
    disagreed: dict[str, list[Period]] = {}
    for part, spans in windows.items():
        span = min(one.start for one in spans), max(one.end for one in spans)
        disagreed[part] = _disagreed(rows, part, grain, span)
    return [
        name
        for name, parts in made_of.items()
        if any(_reaches_into(wanted, disagreed[part]) for part, wanted in parts)
    ]


def _reconciled_parts(
    company: Company, cut: Calendar, metric: str, wanted: Window
) -> list[tuple[str, Window]]:
    """Return the metrics below one that say `reconcile:`, each with the days it is wanted for."""
    reconciled: list[tuple[str, Window]] = []
    steps = part_windows(company, cut, metric, wanted)
    seen = set(steps)
    while steps:
        step = steps.pop()
        if company.metrics[step[0]].reconcile:
            reconciled.append(step)
        more = [below for below in part_windows(company, cut, *step) if below not in seen]
        seen.update(more)
        steps += more
    return reconciled


def _disagreed(
    rows: Rows, metric: str, grain: Grain, span: tuple[dt.date, dt.date]
) -> list[Period]:
    """Return the periods of a span in which two systems disagree about a metric."""
    cut = calendar_of(rows.company.calendar)
    periods = list(cut.periods(grain, span[0], min(span[1], rows.as_of)))
    if not periods:
        return []
    days = {"period_start": periods[0].start, "period_end": periods[-1].end}
    verdicts = _verdicts(rows, metric, pd.DataFrame([{**days, "grain": grain}]))
    return [period for period in periods if verdicts.get(period.id) is False]


def _reaches_into(wanted: Window, periods: list[Period]) -> bool:
    return any(period.start <= wanted.end and wanted.start <= period.end for period in periods)


class _Listed(NamedTuple):
    """A row behind a part, in the order of `ROWS`."""

    metric: str
    with_: str
    part: str
    key: str | None
    a_amount: Decimal | None
    b_amount: Decimal | None
    a_day: dt.date | None
    b_day: dt.date | None


def _list_rows(
    rows: Rows, pairs: list[Pair], grain: Grain, start: dt.date | None, end: dt.date | None
) -> pd.DataFrame:
    """Return the rows behind the parts of these pairs, with `ROWS`."""
    listed: list[_Listed] = []
    for pair in pairs:
        listed += _rows_of_pair(rows, pair, grain, start, end)
    return pd.DataFrame(listed, columns=ROWS).astype(_DTYPES)


def _rows_of_pair(
    rows: Rows, pair: Pair, grain: Grain, start: dt.date | None, end: dt.date | None
) -> list[_Listed]:
    """Return the rows behind the parts of one pair, part by part."""
    if not queries.usable(rows, pair):
        return []
    periods = queries.periods(rows, pair, grain, start, end)
    if not periods:
        return []
    cut = calendar_of(rows.company.calendar)
    first, last = periods[0].start, periods[-1].end

    def period_of(day: dt.date | None) -> Period | None:
        return cut.period(grain, day) if day and first <= day <= last else None

    a, b = pair.a.metric, pair.b.metric
    listed: list[_Listed] = []
    for row in queries.match_different(rows, pair, periods):
        for part in _parts(row, period_of(row.a_day), period_of(row.b_day)):
            listed.append(_Listed(a, b, part, row.key, row.a, row.b, row.a_day, row.b_day))
    return sorted(listed, key=lambda row: PARTS.index(row.part))


def _parts(row: Matched, here: Period | None, there: Period | None) -> list[str]:
    """Return the parts that a differing row contributes to; `here` and `there` are its periods.

    A period is None where it is not among those that are listed.
    """
    if row.kind == "duplicate":
        return ["duplicate"]
    if row.kind == "only":
        return ["only_b" if row.a_day is None else "only_a"]
    parts: list[str] = []
    if here and row.a != row.b:
        parts.append("amount")
    if here != there:
        parts.append("date")
    return parts


def _verdicts(rows: Rows, metric: str, group: pd.DataFrame) -> dict[str, bool | None]:
    """Return the verdict of each period of a metric that says `reconcile:`."""
    is_accepted = _is_accepted(rows, metric)
    first = pd.Timestamp(group["period_start"].min()).date()
    last = pd.Timestamp(group["period_end"].max()).date()
    bridges = of_company(rows, metric, group["grain"].iloc[0], first, last)
    verdicts: dict[str, bool | None] = {}
    for period, judged in bridges.groupby("period", sort=False)["within_tolerance"]:
        verdicts[str(period)] = _verdict(judged.tolist(), is_accepted=is_accepted)
    return verdicts


def _is_accepted(rows: Rows, metric: str) -> bool:
    """Tell whether somebody answers at as-of for the disagreement about a metric."""
    for accepted in rows.company.metrics[metric].accept:
        if accepted.light == "unreconciled" and rows.as_of <= accepted.until:
            return True
    return False


def _verdict(judged: list[bool | None], *, is_accepted: bool) -> bool | None:
    """Return whether all systems agree, from the verdict on each.

    None where that cannot be told, or is accepted.
    """
    if any(within is False for within in judged):
        return None if is_accepted else False
    return True if any(judged) else None
