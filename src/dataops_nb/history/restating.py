"""Restatement: a value of a closed period that is no longer what was published for an earlier day."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

PLACE = ["metric", "segment", "grain", "period"]
COLUMNS = [
    *PLACE, "period_start", "reported", "value", "reported_n", "n", "reported_as_of", "redefined",
]  # fmt: skip
SAME = 1e-11


def restatements(table: pd.DataFrame, published: pd.DataFrame, *, as_of: dt.date | None = None) -> pd.DataFrame:
    """The complete rows of a metric table that differ from what was last published of them as complete.

    `table` has `metric segment grain period period_start value n complete` and perhaps `definition`; `published` comes
    from `published`. With `as_of` only what was published for earlier days counts, so that a repeated report says the same.
    One row a change: the table's row, `reported reported_n reported_as_of`, and whether its definition is another
    one now (`redefined`).
    """
    known = published[published["complete"].astype(bool)]
    if as_of is not None:
        known = known[known["as_of"] < pd.Timestamp(as_of)]
    known = _placed(known.sort_values("as_of", kind="stable")).drop_duplicates(PLACE, keep="last")
    known = known.rename(columns={"value": "reported", "n": "reported_n", "as_of": "reported_as_of"})
    now = _placed(table[table["complete"].astype(bool)])
    if "definition" not in now:
        now = now.assign(definition="")
    known = known[[*PLACE, "reported", "reported_n", "reported_as_of", "definition"]]
    both = now.merge(known, on=PLACE, how="inner", suffixes=("", "_then"))
    before, after = (both[name].to_numpy(dtype=float) for name in ("reported", "value"))
    changed = both[~np.isclose(before, after, rtol=SAME, atol=0.0, equal_nan=True)]
    said = (changed["definition"] != "") & (changed["definition_then"] != "")
    changed = changed.assign(
        redefined=said & (changed["definition"] != changed["definition_then"]),
        segment=changed["segment"].where(changed["segment"] != "", None),
    )
    out: pd.DataFrame = changed[COLUMNS].reset_index(drop=True)
    return out


def _placed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose total has a segment that can be compared."""
    segment = rows["segment"].astype(object)
    return rows.assign(segment=segment.where(segment.notna(), ""))
