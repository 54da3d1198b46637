"""Moving ranges: how far each value lies from the one before, and how far is too far.

An XmR chart is two charts. The one of values is `limits.add_limits`; this is the one of moves. A
move above its limit says that two successive values lie further apart than the others lead to
expect, whatever the values are.

Source: Wheeler, *Understanding Variation* (3.268 mean, or 3.865 median, moving ranges).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from dataops_nb.limits.stretches import rebases_before
from dataops_nb.limits.xmr import xmr
from dataops_nb.metrics import Limits

COLUMNS = ["range", "range_center", "range_upper"]


def moving_ranges(rows: pd.DataFrame, rules: Limits) -> pd.DataFrame:
    """Add the moving ranges of one metric to its rows of a metric table with limits.

    The rows are oldest first. What limits leave out, and what is not complete, has no range; none
    reaches from one level into the next. Moves are those around the line that limits follow.

    Returns the same rows with `range` and its average and limit, `range_center range_upper`, all in
    the metric's unit.

    >>> from dataops_nb.limits import ranges
    >>> ranges.moving_ranges(limits.add_limits(buyers[:1]), limits.Rules())["range"].tolist()
    [nan]
    """
    # Without limits the centre is a level, around which moves are what they are.
    center = rows["center"] if rows["center"].notna().any() else pd.Series(0.0, rows.index)
    counts = rows["complete"].astype(bool) & rows["value"].notna() & center.notna()
    if "left_out" in rows:
        counts &= ~rows["left_out"].astype(bool)
    away = (rows["value"] - center).to_numpy(dtype=float)
    level = pd.Series(0.0, rows.index)
    if "level_since" in rows:
        level = rows["level_since"].rank(method="dense").fillna(0.0)
    stretch = level.to_numpy(dtype=float) + 1000 * rebases_before(
        rows["period_start"].to_numpy(), rules
    )
    columns = {name: np.full(len(rows), np.nan) for name in COLUMNS}
    for number in np.unique(stretch):
        own = np.flatnonzero(counts.to_numpy() & (stretch == number))
        if len(own) < 2:
            continue
        usual = xmr(away[own].tolist(), rules)
        columns["range"][own[1:]] = np.abs(np.diff(away[own]))
        columns["range_center"][own] = usual.moving_range
        columns["range_upper"][own] = usual.range_limit
    return rows.assign(**columns)
