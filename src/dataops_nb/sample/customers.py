"""Who is a customer when, who asks for help, who orders: week by week, as the sad of one week leave in a later one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from dataops_nb.sample.grid import Array, Grid
from dataops_nb.sample.rhythm import SAD_TO_LOST, SHARE_OF_SAD_LOST, Rhythm

FOUNDERS = 2250


@dataclass(frozen=True)
class Lives:
    """`since` and `left` a day an account (missing: never); the accounts of each week's ratings, tickets and orders."""

    since: Array
    left: Array
    sad: list[Array] = field(default_factory=list)
    happy: list[Array] = field(default_factory=list)
    others: list[Array] = field(default_factory=list)
    orders: list[Array] = field(default_factory=list)


def live(grid: Grid, rhythm: Rhythm, deals: pd.DataFrame, seed: int, *, accounts: int) -> Lives:
    """The lives of all accounts: the founders have been customers for years, the others start when a deal is won."""
    rng = np.random.default_rng([seed, 6])
    lives = Lives(np.full(accounts, np.datetime64("NaT", "D")), np.full(accounts, np.datetime64("NaT", "D")))
    lives.since[:FOUNDERS] = grid.mondays[0] - rng.integers(30, 2200, FOUNDERS)
    won = deals[deals["stage"] == "won"]
    starts = won["closed"].to_numpy().astype("datetime64[D]")
    lives.since[won["account"].to_numpy()] = starts
    signed = won["account"].groupby((starts - grid.mondays[0]).astype(int) // 7).agg(list)
    alive = np.arange(accounts) < FOUNDERS
    for week in range(grid.size):
        asked = _ask(rhythm, np.flatnonzero(alive), week, rng)
        for weekly, who in zip((lives.sad, lives.happy, lives.others, lives.orders), asked, strict=True):
            weekly.append(who)
        leavers = _leavers(lives, rhythm, alive, week, rng)
        lives.left[leavers] = grid.days(rng, np.full(len(leavers), week))
        alive[leavers] = False
        alive[signed.get(week, [])] = True
    return lives


def _ask(rhythm: Rhythm, customers: Array, week: int, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """The week's sad and happy customers (each once), the other tickets' ones, and the buyers."""
    rated = rng.choice(customers, rhythm.sad[week] + rhythm.happy[week], replace=False)
    others = rng.choice(customers, rhythm.lukewarm[week] + rhythm.unrated[week])
    buyers = rng.choice(customers, rhythm.orders[week])
    return rated[: rhythm.sad[week]], rated[rhythm.sad[week] :], others, buyers


def _leavers(lives: Lives, rhythm: Rhythm, alive: Array, week: int, rng: np.random.Generator) -> Array:
    total = int(rhythm.lost_customers[week])
    sad = lives.sad[max(week - SAD_TO_LOST, 0)]
    sad = sad[alive[sad]]
    disappointed = rng.permutation(sad)[: min(total, round(SHARE_OF_SAD_LOST * len(sad)))]
    others = np.setdiff1d(np.flatnonzero(alive), sad)
    return np.concatenate([disappointed, rng.choice(others, total - len(disappointed), replace=False)])
