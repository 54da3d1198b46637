"""The order: slack in whole weeks first, then what is at stake for a day of work."""

from __future__ import annotations

from typing import Any

import numpy as np

WEEK = 7


def order(slack: Any, at_stake: Any, amount: Any, work: Any) -> Any:
    """The positions of rows in order, best first; rows that are equal stay as they came.

    First what has something at stake, then what cannot be told (`at_stake` missing), then what has nothing at stake. Among
    each: the least slack in whole weeks (missing last), then the largest `amount` for a day of `work`, then the least work.
    """
    at_stake, work = np.asarray(at_stake, dtype=float), np.maximum(np.asarray(work, dtype=float), 1.0)
    group = np.where(np.isnan(at_stake), 1, np.where(at_stake > 0, 0, 2))
    weeks = np.floor(np.asarray(slack, dtype=float) / WEEK)
    weeks = np.where(np.isnan(weeks), np.inf, weeks)
    gain = np.nan_to_num(np.asarray(amount, dtype=float) / work)
    return np.lexsort((work, -gain, weeks, group))


def places(slack: Any, at_stake: Any, amounts: Any, work: Any) -> Any:
    """The place of each row (from 0) in each draw; all have one row an item and one column a draw, `work` one an item."""
    found = np.empty(np.shape(amounts), dtype=int)
    for draw in range(found.shape[1]):
        best = order(slack[:, draw], at_stake[:, draw], amounts[:, draw], work)
        found[best, draw] = np.arange(len(best))
    return found
