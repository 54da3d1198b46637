"""The track record: what became of the unfinished periods whose light and chance were published.

A light of an unfinished period is a forecast. It hit where the period, once closed, met its target:
a green one should, a red one should not. A chance is scored by Brier (1950): the mean square of
what was said less what came, 1 or 0.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

FEWEST_FORECASTS = 12
BINS = 5
FORECASTS = ["metric", "grain", "period", "as_of", "light", "landing", "p_hit", "hit"]


@dataclass(frozen=True)
class Score:
    """How published forecasts did.

    `periods` have closed since; `green` lights were published for them, of which `green_not` did
    not hit, and `red` ones, of which `red_hit` did. `brier` is the score of the `chances` that were
    given, NaN where none was. `calibration` has one row for each fifth of the scale: `low high
    cases said came` (the mean of what was said, the share that hit; missing without cases).
    """

    periods: int
    green: int
    green_not: int
    red: int
    red_hit: int
    chances: int
    brier: float
    calibration: pd.DataFrame

    @property
    def tells(self) -> bool:
        """Whether there are enough closed periods to say how often lights were right."""
        return self.periods >= FEWEST_FORECASTS


def forecasts(table: pd.DataFrame, lights: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Return the lights of unfinished periods published before `as_of`, and whether each `hit`.

    `table` is a judged metric table (`metric segment grain period complete attainment`); periods
    that are not complete in it, or have no target, are left out. One row a published light, with
    `FORECASTS`.
    """
    is_earlier = lights["on_pace"].astype(bool) & (lights["as_of"] < pd.Timestamp(as_of))
    is_total = table["segment"].isna() & table["attainment"].notna()
    ended = table[table["complete"].astype(bool) & is_total]
    ended = ended.assign(hit=ended["attainment"] >= 1)[["metric", "grain", "period", "hit"]]
    both = lights[is_earlier].merge(ended, on=["metric", "grain", "period"], how="inner")
    order = ["metric", "period", "as_of"]
    return both[FORECASTS].sort_values(order, kind="stable", ignore_index=True)


def score(published: pd.DataFrame) -> Score:
    """Score published forecasts, as `forecasts` returns them."""
    green = published[published["light"] == "green"]
    red = published[published["light"] == "red"]
    given = published.dropna(subset=["p_hit"])
    misses = (given["p_hit"] - given["hit"].astype(float)) ** 2
    return Score(
        periods=len(published[["metric", "period"]].drop_duplicates()),
        green=len(green),
        green_not=int((~green["hit"].astype(bool)).sum()),
        red=len(red),
        red_hit=int(red["hit"].astype(bool).sum()),
        chances=len(given),
        brier=float(misses.mean()),
        calibration=_calibration(given),
    )


def _calibration(given: pd.DataFrame) -> pd.DataFrame:
    """Compare what was said with what came, for each fifth of the scale."""
    fifth = (given["p_hit"] * BINS).astype(int).clip(upper=BINS - 1)
    rows = []
    for number in range(BINS):
        own = given[fifth == number]
        rows.append(
            {
                "low": number / BINS,
                "high": (number + 1) / BINS,
                "cases": len(own),
                "said": own["p_hit"].mean(),
                "came": own["hit"].astype(float).mean(),
            }
        )
    return pd.DataFrame(rows).astype({"said": float, "came": float})
