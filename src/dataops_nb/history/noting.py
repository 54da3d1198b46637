"""Notes: what an owner has said about a light, on a day, carried until it is answered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from dataops_nb.history.book import Book

NOTES = Book(
    "notes",
    ("noted_at", "as_of", "metric", "grain", "period", "light", "who", "kind", "text"),
    ("noted_at", "metric", "kind", "text"),
)


def notes(out: Path | None, as_of: dt.date) -> pd.DataFrame:
    """Every note up to a day, oldest first, with `open`: a note that no answer to its metric has followed."""
    book = NOTES.read(out)
    known = book[book["as_of"] <= as_of.isoformat()].reset_index(drop=True)
    answered: dict[str, int] = {}
    for place, row in enumerate(known.to_dict("records")):
        if row["kind"] == "answer":
            answered[str(row["metric"])] = place
    waiting = [
        row["kind"] == "note" and place > answered.get(str(row["metric"]), -1)
        for place, row in enumerate(known.to_dict("records"))
    ]
    return known.assign(open=pd.Series(waiting, index=known.index, dtype=bool))
