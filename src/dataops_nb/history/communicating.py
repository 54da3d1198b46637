"""The communication log: when each metric was last published, sent, and read back by somebody who answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from dataops_nb.history.book import Book
from dataops_nb.history.values import published

SENT = Book("sent", ("sent_at", "report", "as_of", "readers"), ("sent_at", "report", "readers"))
COLUMNS = ["metric", "published", "report", "sent", "answers", "answered"]


def communications(out: Path | None, metrics: Iterable[str], answers: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """One row a metric with `COLUMNS`: the last as-of it was published for and in which report, when that report was last
    sent, how many readers answered about it, and when the last one did; missing where never.

    `answers` have `metric recorded_at`. What happened for a later as-of does not exist.
    """
    values = published(out)
    values = values[values["as_of"] <= pd.Timestamp(as_of)].sort_values("as_of", kind="stable")
    last = {str(row["metric"]): row for row in values.to_dict("records")}
    book = SENT.read(out)
    sent = {str(row["report"]): row["sent_at"] for row in book[book["as_of"] <= as_of.isoformat()].to_dict("records")}
    said = {str(metric): sorted(own["recorded_at"]) for metric, own in answers.groupby("metric")}
    rows = [_row(metric, last.get(metric), sent, said.get(metric, [])) for metric in metrics]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def _row(metric: str, value: dict[Any, Any] | None, sent: dict[str, Any], said: list[str]) -> tuple[Any, ...]:
    day, report = (value["as_of"].date(), str(value["report"])) if value else (None, None)
    return metric, day, report, sent.get(report or ""), len(said), said[-1] if said else None
