"""Whether people are busy: activity that is clearly up on a year before, or on target."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dataops_nb.definitions.models import Better, Grain

RECENT = {"day": 91, "week": 13, "month": 6, "quarter": 4, "year": 2}
YEAR = {"day": 364, "week": 52, "month": 12, "quarter": 4, "year": 1}
CLEAR = 2.0


def risen(values: pd.Series, grain: Grain, better: Better = "up") -> float | None:
    """By which share the recent periods (weeks: 13) lie above the same ones a year before; None where that is no clear change.

    Without a year before they are compared with as many periods just before. Clear is a difference of two standard
    errors in the good direction; down is good where `better` is down.
    """
    length, back = RECENT[grain], YEAR[grain]
    last = values.last_valid_index()
    known = values.loc[:last].to_numpy(dtype=float) if last is not None else np.zeros(0)
    back = back if length <= back and len(known) >= length + back else length
    if len(known) < length + back:
        return None
    now, then = known[-length:], known[len(known) - length - back : len(known) - back]
    now, then = now[np.isfinite(now)], then[np.isfinite(then)]
    if min(len(now), len(then)) < 2 or then.mean() == 0:
        return None
    change = float(now.mean() - then.mean())
    error = float(np.sqrt(now.var(ddof=1) / len(now) + then.var(ddof=1) / len(then)))
    good = -change if better == "down" else change
    return change / abs(float(then.mean())) if good > CLEAR * error and good > 0 else None


def on_target(table: pd.DataFrame, grain: Grain, better: Better) -> bool:
    """Whether the recent periods met their target on average; `table` has `value target target_low target_high`."""
    recent = table.tail(RECENT[grain]).dropna(subset=["value", "target"])
    if recent.empty:
        return False
    mean = recent[["value", "target", "target_low", "target_high"]].mean()
    if better == "inside":
        return bool(mean["target_low"] <= mean["value"] <= mean["target_high"])
    return bool(mean["value"] <= mean["target"] if better == "down" else mean["value"] >= mean["target"])
