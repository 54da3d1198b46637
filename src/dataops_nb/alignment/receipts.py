"""Receipts: the queries that a metric's numbers come from, as they run in the engine."""

from __future__ import annotations

import pandas as pd

from dataops_nb.alignment import queries
from dataops_nb.alignment.measures import time_of
from dataops_nb.definitions import upstream
from dataops_nb.definitions.models import Measure, Simple
from dataops_nb.sources import Catalog

COLUMNS = ["metric", "source", "query"]


def receipts(catalog: Catalog, metric: str) -> pd.DataFrame:
    """`metric source query`: one row for each measure that a metric stands on, parts first."""
    known = catalog.definitions.metrics
    measured = [
        (name, said.measure)
        for name in upstream(catalog.definitions, [metric])
        if isinstance(said := known[name], Simple)
    ]
    rows = [(name, what.source, _query(catalog, what)) for name, what in measured if not catalog.faulty(what.source)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _query(catalog: Catalog, what: Measure) -> str:
    if what.open is not None:
        query = queries.open_spans(catalog, what, ())
    elif queries.speaks_of_window(what) or (what.agg in {"median", "count_distinct"} and what.at is None):
        query = queries.by_window(catalog, what, time_of(catalog, what), ())
    elif what.agg == "first_seen":
        query = queries.first_rows(catalog, what, time_of(catalog, what), ())
    else:
        query = queries.daily(catalog, what, time_of(catalog, what), ())
    return query.sql(dialect=catalog.dialect)
