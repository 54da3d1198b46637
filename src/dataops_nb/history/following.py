"""What was to be solved next, report by report, so that a thing is carried until it is closed and not forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dataops_nb.history.book import Book

FOLLOW_UPS = Book("follow_ups", ("as_of", "id", "title", "metric", "kind", "rank", "state"), ("as_of", "id"))


def follow(out: Path, as_of: dt.date, rows: Iterable[Mapping[str, Any]]) -> int:
    """Remember what was listed as of a day (`id title metric kind rank state`); how many rows were new."""
    return FOLLOW_UPS.add(out, [{**row, "as_of": as_of.isoformat()} for row in rows])


def carried(out: Path | None, as_of: dt.date) -> pd.DataFrame:
    """`id title metric kind since reports last`: what was listed before a day, from when, how often, and when last.

    `last` marks what the latest of those reports listed: what is not listed any more has been closed since.
    """
    book = FOLLOW_UPS.read(out)
    before = book[book["as_of"] < as_of.isoformat()].sort_values("as_of", kind="stable")
    latest = before["as_of"].max() if len(before) else None
    columns = {"title": ("title", "last"), "metric": ("metric", "last"), "kind": ("kind", "last"),
               "since": ("as_of", "first"), "reports": ("as_of", "nunique"), "until": ("as_of", "last")}  # fmt: skip
    found = before.groupby("id", sort=False).agg(**columns).reset_index()
    return found.assign(last=found["until"] == latest).drop(columns="until")
