"""Coverage: the days a source speaks about, so that a day without rows is 0 inside it and unknown outside."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dataops_nb.definitions.models import Source


@dataclass(frozen=True)
class Coverage:
    """First and last covered day (inclusive, None where unknown), whether the source is stale, its last row's day."""

    first: dt.date | None
    last: dt.date | None
    stale: bool = False
    last_row: dt.date | None = None


def cover_days(source: Source, as_of: dt.date, first_row: dt.date | None, last_row: dt.date | None) -> Coverage:
    """The coverage that a source declares, completed by its rows.

    With `fresh_within` a source reaches to as-of while its last row is no older than that; after that it is stale and
    ends with its last row.
    """
    said = source.covers
    first = said.from_ or first_row
    fixed = min(said.to, as_of) if isinstance(said.to, dt.date) else None
    last = fixed or (as_of if said.to == "as_of" else last_row)
    stale = False
    if source.fresh_within is not None:
        reach = fixed or as_of
        stale = last_row is None or (reach - last_row).days > source.fresh_within.days
        last = last_row if stale else reach
    if last is not None and last > as_of:
        last = as_of
    if first is None or last is None or first > last:
        return Coverage(None, None, stale, last_row)
    return Coverage(first, last, stale, last_row)
