"""How late rows come, told from successive exports of one source.

A week is not over for the data when it is over for people. Until the late rows are in, two systems cannot be compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = ["key", "event_day", "first_seen_day"]


@dataclass(frozen=True)
class Lateness:
    """How many days late rows came: `days` has one row a number of days, with `days rows share` (of rows in by then).

    `rows` is how many were looked at, `late` how many came a day late or later, `p95` the fewest days after which at least
    95 % were in and `longest` the most (both None where there are no rows).
    """

    days: pd.DataFrame
    rows: int
    late: int
    p95: int | None
    longest: int | None


def arrivals(exports: Iterable[tuple[dt.date, pd.DataFrame]]) -> pd.DataFrame:
    """`key event_day first_seen_day` of each row, from the dated exports (`key event_day`) it may stand in.

    Rows of events before the first export are left out: when they came is not known. A row is dated as its first
    export dates it.
    """
    dated = sorted(exports, key=lambda export: export[0])
    if not dated:
        return pd.DataFrame({"key": pd.Series(dtype=object)} | {c: _days(pd.Series(dtype=object)) for c in COLUMNS[1:]})
    parts = [frame[["key", "event_day"]].assign(first_seen_day=pd.Timestamp(day)) for day, frame in dated]
    rows = pd.concat(parts, ignore_index=True).drop_duplicates("key", keep="first")
    rows = rows.assign(**{name: _days(rows[name]) for name in COLUMNS[1:]})
    return rows[rows["event_day"] >= pd.Timestamp(dated[0][0])].reset_index(drop=True)


def lateness(rows: pd.DataFrame) -> Lateness:
    """The distribution of the days between `event_day` and `first_seen_day`, one row a `key`.

    A row that stands in an export before its day is 0 days late; rows without a day are left out.
    """
    late = (_days(rows["first_seen_day"]) - _days(rows["event_day"])).dt.days.dropna().clip(lower=0).astype(int)
    counts = late.value_counts().sort_index()
    share = counts.cumsum() / max(len(late), 1)
    days = pd.DataFrame({"days": counts.index.astype(int), "rows": counts.to_numpy(), "share": share.to_numpy()})
    if late.empty:
        return Lateness(days, 0, 0, None, None)
    p95 = int(np.quantile(late.to_numpy(), 0.95, method="inverted_cdf"))
    return Lateness(days, len(late), int((late > 0).sum()), p95, int(late.max()))


def _days(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column).astype("datetime64[s]")
