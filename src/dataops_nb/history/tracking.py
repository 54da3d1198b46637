"""The track record: what became of the unfinished periods whose light and chance were published.

A light of an unfinished period is a forecast. It hit where the period, once closed, met its target; a green one should,
a red one should not. A chance is scored by Brier (1950): the mean square of what was said less what came, 1 or 0.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

FEWEST = 12
BINS = 5
COLUMNS = ["metric", "grain", "period", "as_of", "light", "landing", "p_hit", "hit"]


@dataclass(frozen=True)
class Score:
    """How published forecasts did: of how many closed `periods`, how often green did not hit and red did, and Brier's score.

    `brier` is of the `chances` that were given, NaN where none was. `calibration` has one row for each fifth of the scale, with
    `low high cases said came` (the mean of what was said, the share that hit; missing without cases).
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
        return self.periods >= FEWEST


def forecasts(table: pd.DataFrame, lights: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """The lights of unfinished periods published for days before `as_of`, each with `hit`: whether its period met its target.

    `table` is a judged metric table (`metric segment grain period complete attainment`); periods that are not complete in
    it, or have no target, are left out. One row a published light, with `COLUMNS`.
    """
    earlier = lights[lights["on_pace"].astype(bool) & (lights["as_of"] < pd.Timestamp(as_of))]
    ended = table[table["complete"].astype(bool) & table["segment"].isna() & table["attainment"].notna()]
    ended = ended.assign(hit=ended["attainment"] >= 1)[["metric", "grain", "period", "hit"]]
    both = earlier.merge(ended, on=["metric", "grain", "period"], how="inner")
    return both[COLUMNS].sort_values(["metric", "period", "as_of"], kind="stable", ignore_index=True)


def score(found: pd.DataFrame) -> Score:
    """How the forecasts did (`forecasts`)."""
    green, red = (found[found["light"] == light] for light in ("green", "red"))
    given = found.dropna(subset=["p_hit"])
    misses = (given["p_hit"] - given["hit"].astype(float)) ** 2
    return Score(
        periods=len(found[["metric", "period"]].drop_duplicates()),
        green=len(green),
        green_not=int((~green["hit"].astype(bool)).sum()),
        red=len(red),
        red_hit=int(red["hit"].astype(bool).sum()),
        chances=len(given),
        brier=float(misses.mean()),
        calibration=_calibration(given),
    )


def _calibration(given: pd.DataFrame) -> pd.DataFrame:
    place = (given["p_hit"] * BINS).astype(int).clip(upper=BINS - 1)
    rows = []
    for number in range(BINS):
        own = given[place == number]
        said, came = own["p_hit"].mean(), own["hit"].astype(float).mean()
        rows.append({"low": number / BINS, "high": (number + 1) / BINS, "cases": len(own), "said": said, "came": came})
    return pd.DataFrame(rows).astype({"said": float, "came": float})
