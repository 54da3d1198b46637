"""Reconciliation: two systems' versions of one metric, and the rows between them.

For each period the difference d = a - b is split into five parts that add up to it exactly. A row's amount is the
`amount:` column of its side, or what it adds to its measure (1 for a count). Rows are matched by key, in this order:

1. A row without a key, or whose key the other system does not have at all, is in `only_a` or `only_b`.
2. Of a key that both have, rows with the same day and amount meet first; the others meet by day, then the larger first.
3. Rows that found no partner, because one system has more rows of the key, are in `duplicate`, each in its own period.
4. Two rows that met give a - b to `amount`, in the period of a.
5. Where they lie in different periods, b's amount is in `date`: added in a's period, taken off in b's. Over all
   periods it comes to nothing, and no other part's total depends on the grain.

A period is judged once the data of both systems cover it and it is older than the arrival lag: the 95th percentile of
the days between two rows that met. Amounts are exact decimals (six digits after the point), missing ones None.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from dataops_nb.definitions.models import Grain
from dataops_nb.periods import Period, calendar
from dataops_nb.reconciliation import matched
from dataops_nb.reconciliation.bridges import COLUMNS, PARTS, build
from dataops_nb.reconciliation.matched import Matched
from dataops_nb.reconciliation.pairs import Pair, Side, declared, find_pairs
from dataops_nb.sources import Catalog

__all__ = [
    "COLUMNS", "PARTS", "ROWS", "Pair", "Side", "add_reconciled", "bridge", "declared", "find_pairs", "lag", "rows",
]  # fmt: skip

ROWS = ["metric", "with", "part", "key", "a_amount", "b_amount", "a_day", "b_day"]


def bridge(
    catalog: Catalog, metric: str, grain: Grain = "week", start: dt.date | None = None, end: dt.date | None = None
) -> pd.DataFrame:
    """One row for each other system and period, with `COLUMNS`; without `start` and `end` where both systems have data.

    `a`, `b` and the parts are None in a period that a system says nothing about; `within_tolerance` is None where the
    period is not judged. Raises UsageError for an unknown metric or one without `reconcile:`, DataError where a source
    that must not be used stands behind either side.
    """
    found = [build(catalog, pair, grain, start, end) for pair in find_pairs(catalog.definitions, metric)]
    return pd.concat(found, ignore_index=True)


def rows(
    catalog: Catalog, metric: str, grain: Grain = "week", start: dt.date | None = None, end: dt.date | None = None
) -> pd.DataFrame:
    """The rows behind the parts, one by one, with `ROWS`: which part, the key, and each side's amount and day.

    Two rows that met in different periods and differ in amount stand in `date` and in `amount`. Which rows are in
    `date` depends on the grain. Raises as `bridge` does.
    """
    listed = [
        [pair.a.metric, pair.b.metric, part, row.key, row.a, row.b, row.a_day, row.b_day]
        for pair in find_pairs(catalog.definitions, metric)
        for part, row in _by_part(catalog, pair, grain, start, end)
    ]
    kinds = {
        "key": "object",
        "a_amount": "object",
        "b_amount": "object",
        "a_day": "datetime64[s]",
        "b_day": "datetime64[s]",
    }
    return pd.DataFrame(listed, columns=ROWS).astype(kinds)


def lag(catalog: Catalog, pair: Pair) -> int:
    """The arrival lag of a pair in days: 95 of 100 rows have their partner within so many days."""
    return matched.lag(matched.by_day(catalog, pair))


def _by_part(
    catalog: Catalog, pair: Pair, grain: Grain, start: dt.date | None, end: dt.date | None
) -> list[tuple[str, Matched]]:
    periods = matched.periods(catalog, pair, grain, start, end) if matched.usable(catalog, pair) else []
    if not periods:
        return []
    cut, first, last = calendar(catalog.definitions.company.calendar), periods[0].start, periods[-1].end

    def place(day: dt.date | None) -> Period | None:
        return cut.period(grain, day) if day and first <= day <= last else None

    differing = matched.different(catalog, pair, periods)
    found = [(part, row) for row in differing for part in _parts(row, place(row.a_day), place(row.b_day))]
    return sorted(found, key=lambda each: PARTS.index(each[0]))


def _parts(row: Matched, here: Period | None, there: Period | None) -> list[str]:
    """The parts that a row which differs contributes to; `here` and `there` are its periods, None where not asked for."""
    if row.kind == "duplicate":
        return ["duplicate"]
    if row.kind == "only":
        return ["only_b" if row.a_day is None else "only_a"]
    return [*(["amount"] if here and row.a != row.b else []), *(["date"] if here != there else [])]


def add_reconciled(table: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """The metric table with `reconciled`: whether all systems agree on the value; totals only.

    False where one is out of tolerance and nobody answers for it at as-of (`accept: [{light: unreconciled}]`); None
    where nothing is declared, nothing was judged yet, or the disagreement is accepted.
    """
    declared = [name for name in table["metric"].unique() if catalog.definitions.metrics[name].reconcile]
    verdicts = {name: _verdicts(catalog, name, table[table["metric"] == name]) for name in declared}
    said = [
        verdicts[metric].get(period) if metric in verdicts and pd.isna(segment) else None
        for metric, period, segment in zip(table["metric"], table["period"], table["segment"], strict=True)
    ]
    return table.assign(reconciled=pd.Series(said, index=table.index, dtype=object))


def _verdicts(catalog: Catalog, metric: str, group: pd.DataFrame) -> dict[str, bool | None]:
    """The verdict of each period of a metric that says `reconcile:`."""
    definition = catalog.definitions.metrics[metric]
    accepted = any(each.light == "unreconciled" and catalog.as_of <= each.until for each in definition.accept)
    first, last = group["period_start"].min().date(), group["period_end"].max().date()
    found = bridge(catalog, metric, group["grain"].iloc[0], first, last)
    return {
        str(period): _verdict(judged.tolist(), accepted=accepted)
        for period, judged in found.groupby("period", sort=False)["within_tolerance"]
    }


def _verdict(judged: list[bool | None], *, accepted: bool) -> bool | None:
    if any(each is False for each in judged):
        return None if accepted else False
    return True if any(judged) else None
