"""Conversions: of those to whom one thing happened in a window, the share to whom another happened soon after.

A cohort is judged only when everybody in it had the whole time: the conversion's source must reach to the end of the
window of the last base event.
"""

from __future__ import annotations

import pandas as pd

from dataops_nb.alignment import queries
from dataops_nb.alignment.frames import window_frame
from dataops_nb.alignment.measured import Measured, Window, blanked, reach, weakest
from dataops_nb.alignment.measures import from_windows, time_of, unknown
from dataops_nb.definitions.models import Conversion, Duration, Measure, Simple
from dataops_nb.errors import UsageError
from dataops_nb.periods import after
from dataops_nb.sources import Catalog


def convert(catalog: Catalog, what: Conversion, windows: list[Window], by: tuple[str, ...]) -> Measured:
    """The share that converts, of the entities with a base event in each window; `n` counts those entities."""
    base, then = (_measure(catalog, name) for name in (what.base_metric, what.conversion_metric))
    if catalog.faulty(base.source) or catalog.faulty(then.source):
        return unknown(windows, by)
    covered = _reach(catalog, base, then, what.window, windows)
    last = catalog.coverage(base.source, time_of(catalog, base)).last or catalog.as_of
    asked = window_frame([Window(w.start, min(w.end, last), w.grain) for w in windows])
    events = [queries.Event(each, time_of(catalog, each), what.entity) for each in (base, then)]
    query = queries.converted(catalog, events[0], events[1], what.window, by)
    found, n = from_windows(catalog.fetch(query, **{queries.WINDOWS: asked}), windows, by)
    outside = covered["coverage"] == 0
    return Measured(blanked(found / n.where(n > 0), outside), blanked(n.fillna(0), outside, 0), covered)


def _reach(catalog: Catalog, base: Measure, then: Measure, length: Duration, windows: list[Window]) -> pd.DataFrame:
    """How far the base events are known, and the conversions of the last of them."""
    open_to = [Window(w.start, after(w.end, length)) for w in windows]
    return weakest(
        [
            reach(asked, catalog.coverage(each.source, time_of(catalog, each)), at_end=False)
            for each, asked in ((base, windows), (then, open_to))
        ]
    )


def _measure(catalog: Catalog, name: str) -> Measure:
    metric = catalog.definitions.metrics[name]
    if not isinstance(metric, Simple):
        raise UsageError(f"metric {name} is no simple metric, so it has no rows that convert")
    return metric.measure
