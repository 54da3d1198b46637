"""The table of a board: measured from a company's rows, or taken from a table that somebody judged.

`measure_table` runs every step from rows to lights. `fill_totals` and `name_metrics` turn a plain
judged table into what a board needs: its totals with every column that a company's table has, and
the metrics with their names and units. Both ways give the same columns, so whatever reads a board
works on either.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from dataops_nb import alignment, limits, pacing, reconciliation, status
from dataops_nb.alignment.comparisons import COMPARISONS, compare
from dataops_nb.alignment.measures import sources_of
from dataops_nb.alignment.progress import add_so_far
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.tables import require_table
from dataops_nb.company import Company
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.metrics import Metric
from dataops_nb.periods import Period
from dataops_nb.status.attainment import CONCERN, IMPROVEMENT, attainment
from dataops_nb.terms import GRAINS, Better, Grain

_NUMBERS = (
    *COMPARISONS, "target", "target_low", "target_high", "center", "lower", "upper",
    "so_far", "expected", "pace", "landing", "p_hit", "flips",
)  # fmt: skip
_TEXTS = (
    *("condition", "reconciled", "signal", "limits_reason", "limits_line", "variation"),
    "assurance",
)
_FLAGS = ("previous_complete", "same_last_year_complete", "on_pace")
_EMPTY_CELLS: dict[str, Any] = {
    "department": "-",
    **dict.fromkeys(_NUMBERS, math.nan),
    **dict.fromkeys(_TEXTS),
    **dict.fromkeys(_FLAGS, False),
    "accepted_until": pd.NaT,
}
_DTYPES: dict[str, Any] = {
    "department": str,
    **dict.fromkeys(_TEXTS, object),
    **dict.fromkeys(_FLAGS, bool),
    "accepted_until": "datetime64[s]",
}


def select_metrics(
    company: Company, metrics: Iterable[str], grain: Grain, department: str | None
) -> tuple[str, ...]:
    """Return the metrics that make sense at a grain.

    Raises UsageError, with a grain to try, where none of them does.
    """
    names = list(metrics)
    known = company.metrics
    selected = tuple(name for name in names if grain in known[name].grains)
    if selected:
        return selected
    hint = ""
    for other in GRAINS:
        if any(other in known[name].grains for name in names):
            hint = f": try {other}"
            break
    subject = f"{department} has no" if department else "no metric has"
    raise UsageError(f"{subject} {grain} values{hint}")


def measure_table(
    rows: Rows, metrics: tuple[str, ...], grain: Grain, period: Period
) -> pd.DataFrame:
    """Measure and judge the totals of metrics, from the first period with data to as-of.

    `period` is the last complete one; the table reaches back to it even where there are no data.

    Raises DataError where a source that must not be used stands behind a metric.
    """
    sources = sources_of(rows.company, metrics)
    rows.require(*sources)
    span = rows.span(*sources)
    start = period.start
    if span:
        start = min(span[0], start)
    what = ["judged", metrics, grain, period.id]
    return rows.recall(what, lambda: _measure(rows, metrics, grain, start))


def _measure(rows: Rows, metrics: tuple[str, ...], grain: Grain, start: dt.date) -> pd.DataFrame:
    """Run every step from rows to lights."""
    table = alignment.align(rows, metrics, grain=grain, start=start, end=rows.as_of)
    table = compare(table, rows)
    table = alignment.add_targets(table, rows)
    table = reconciliation.add_reconciled(table, rows)
    table = limits.add_limits(table, rows.company)
    table = add_so_far(table, rows)
    table = pacing.add_pace(table, rows.company, rows.as_of)
    return status.judge(table, rows.company, rows.as_of)


def require_judged(table: pd.DataFrame) -> None:
    """Raise UsageError for what is no metric table, or was not judged."""
    require_table(table)
    if "light" not in table:
        raise UsageError("a board is made of a judged table: status.judge(table, agreements)")


def order_metrics(
    table: pd.DataFrame, lead: str | None, mentioned: Iterable[str]
) -> tuple[str, ...]:
    """Return the metrics of a table in their order, `lead` first.

    Raises UsageError, with the nearest name, where `lead` or one of the `mentioned` is not in the
    table.
    """
    names = list(dict.fromkeys(map(str, table["metric"])))
    first = [] if lead is None else [lead]
    for name in [*first, *mentioned]:
        if name not in names:
            raise UsageError(f"the table has no metric {name!r}{did_you_mean(name, names)}")
    return tuple(dict.fromkeys([*first, *names]))


def _direction_of_signals(rows: pd.DataFrame) -> Better | None:
    """Return the direction by which signals were called better or worse; None without any."""
    if not {"variation", "center"} <= set(rows.columns):
        return None
    for row in rows[rows["variation"].isin([IMPROVEMENT, CONCERN])].to_dict("records"):
        is_above = row["value"] > row["center"]
        return "up" if is_above == (row["variation"] == IMPROVEMENT) else "down"
    return None


def name_metrics(
    metrics: Mapping[str, Metric],
    names: Iterable[str],
    labels: Mapping[str, str],
    units: Mapping[str, str],
) -> dict[str, Metric]:
    """Return copies of metrics with these labels and units, by name, in the order of `names`."""
    named: dict[str, Metric] = {}
    for name in names:
        words = {"label": labels.get(name), "unit": units.get(name, "")}
        named[name] = metrics[name].model_copy(update=words)
    return named


def fill_totals(table: pd.DataFrame, metrics: tuple[str, ...], period: Period) -> pd.DataFrame:
    """Return the totals of a judged table with every column that a company's board has.

    They stand metric by metric, oldest first. A metric that has no row of the board's `period` gets
    one, in which everything is missing.
    """
    totals = _with_period(table[table["segment"].isna()], metrics, period)
    places = {name: place for place, name in enumerate(metrics)}
    totals = totals.assign(_order=totals["metric"].map(places))
    totals = totals.sort_values(["_order", "period_start"], kind="stable")
    totals = totals.drop(columns="_order").reset_index(drop=True)
    missing: dict[str, pd.Series] = {}
    for column, empty in _EMPTY_CELLS.items():
        if column not in totals:
            dtype = _DTYPES.get(column, float)
            missing[column] = pd.Series([empty] * len(totals), dtype=dtype)
    return totals.assign(**missing)


def _with_period(totals: pd.DataFrame, metrics: tuple[str, ...], period: Period) -> pd.DataFrame:
    known = set(totals.loc[totals["period"] == period.id, "metric"])
    lacking = [name for name in metrics if name not in known]
    if not lacking:
        return totals
    cells = {
        "metric": lacking,
        "grain": period.grain,
        "period": period.id,
        "period_start": pd.Timestamp(period.start),
        "period_end": pd.Timestamp(period.end),
        "n": 0,
        "complete": False,
        "coverage": 0.0,
        "light": "unknown",
        "reason": "no data",
    }
    added = pd.DataFrame(cells).reindex(columns=totals.columns)
    for column in totals.columns:
        if totals[column].dtype == bool:
            added[column] = added[column].eq(True)
        elif totals[column].dtype == object:
            added[column] = added[column].astype(object).where(added[column].notna(), None)
        else:
            added[column] = added[column].astype(totals[column].dtype)
    return pd.concat([totals, added], ignore_index=True)


def good_direction(table: pd.DataFrame, metric: str) -> Better | None:
    """Return the direction by which a metric was judged, read off its attainments and variation.

    `up` where attainments do not tell; None where nothing was judged by a direction.
    """
    own = table[table["metric"] == metric]
    judged = own[own["attainment"].notna()]
    if judged.empty:
        return _direction_of_signals(own)
    if "target_low" in judged and judged["target_low"].notna().any():
        return "inside"
    for row in judged.to_dict("records"):
        value = row["landing"] if row.get("on_pace") else row["value"]
        if attainment(value, row["target"], "up") != row["attainment"]:
            return "down"
        if value != row["target"]:
            return "up"
    return "up"
