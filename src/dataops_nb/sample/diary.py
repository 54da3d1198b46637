"""The company's diary: what happened on a day and might explain a number. One entry does, the others are harmless."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dataops_nb.sample.grid import Grid, written
from dataops_nb.sample.rhythm import RISE_OF_BOOKED

ENTRIES = (
    (44, "Spring LED campaign", "campaign", "signups"),
    (31, "New price list", "price change", "deal_size, arpa"),
    (RISE_OF_BOOKED, "Bonus for booked meetings", "incentive", "meetings_booked"),
    (9, "Retrofit grant campaign", "campaign", "signups"),
    (5, "Order screen down for a morning", "outage", "repeat_orders"),
)


def diary_export(grid: Grid) -> pd.DataFrame:
    """The diary, csv: each entry on the Monday so many weeks before the end, with the metrics it is about."""
    weeks, what, kind, about = zip(*[entry for entry in ENTRIES if entry[0] <= grid.weeks], strict=True)
    days = grid.mondays[np.array([grid.ago(week) for week in weeks])]
    return pd.DataFrame({"day": written(days), "what": what, "kind": kind, "about": about})
