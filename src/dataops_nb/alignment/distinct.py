"""Distinct counts over windows, exact. They do not add up, so they need the rows; but each row is looked at once.

Windows are cut into pieces at all their ends. Of each piece the different values are kept - as one bit a value where the
engine can and they are whole numbers close together, else as a list - and put together for each window. A trailing year
at every week is then one scan, and not fifty-two times the rows.
"""

from __future__ import annotations

import pandas as pd

from dataops_nb.alignment import queries
from dataops_nb.alignment.frames import cut_pieces, date_dimension
from dataops_nb.alignment.measured import Window
from dataops_nb.definitions.models import Measure
from dataops_nb.sources import Catalog

MOST_BITS = 1 << 31  # of all pieces together: 256 MiB


def count_distinct(
    catalog: Catalog, what: Measure, time: str, windows: list[Window], by: tuple[str, ...]
) -> pd.DataFrame:
    """`w d0.. v n`: the distinct values in each window and segment, and the rows that have one."""
    pieces, made = cut_pieces(windows)
    overlap = made["_nb_piece"].duplicated().any()
    frames = {queries.DAYS: date_dimension(pieces if overlap else windows)}
    if overlap:
        frames[queries.WINDOWS] = made
    ends = None if by else catalog.whole_numbers(what.source, what.expr or "")
    if ends is not None and (ends[1] - ends[0] + 1) * max(len(pieces), 1) > MOST_BITS:
        ends = None
    query = queries.distinct(catalog, what, time, by, ends=ends, overlap=bool(overlap))
    return catalog.fetch(query, **frames)
