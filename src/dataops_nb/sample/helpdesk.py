"""The helpdesk: tickets in local time, most never rated; after the planted release many are about synchronisation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dataops_nb.sample import names
from dataops_nb.sample.customers import Lives
from dataops_nb.sample.grid import Array, Grid, stamps, written
from dataops_nb.sample.rhythm import RELEASE, Rhythm

REASONS = ["Billing question", "Delivery", "Sync error", "Login", "How-to", "Returns, damaged goods"]
ORDINARY = [0.24, 0.26, 0.08, 0.14, 0.18, 0.10]
TROUBLED = [0.08, 0.10, 0.60, 0.08, 0.06, 0.08]


def tickets_export(grid: Grid, rhythm: Rhythm, lives: Lives, account_names: Array, seed: int) -> pd.DataFrame:
    """The tickets export, csv: one row a ticket opened in the exported weeks; no score: unrated; no close: open."""
    rng = np.random.default_rng([seed, 7])
    frame = _tickets(grid, rhythm, lives, rng)
    frame = frame[grid.exported(frame["opened"].to_numpy())].sort_values("opened", kind="stable")
    closed = grid.known(frame["closed"].to_numpy().astype("datetime64[s]"))
    score = frame["score"].where(~np.isnat(closed)).astype("Int64")
    rated = np.where(score.isna(), np.datetime64("NaT"), closed.astype("datetime64[D]"))
    return pd.DataFrame(
        {
            "ticket_id": names.identifiers("T", len(frame), digits=7, first=58_201),
            "account_id": names.account_ids(frame["account"].to_numpy()),
            "account_name": names.typed(rng, account_names[frame["account"].to_numpy()]),
            "reason": frame["reason"].to_numpy(),
            "agent": rng.choice(names.AGENTS, len(frame)),
            "opened_at": written(frame["opened"].to_numpy().astype("datetime64[s]")),
            "first_response_minutes": np.maximum(rng.lognormal(5.0, 0.7, len(frame)).astype(int), 2),
            "closed_at": written(closed),
            "score": score.array,
            "rated_on": written(rated.astype("datetime64[D]")),
        }
    )


def _tickets(grid: Grid, rhythm: Rhythm, lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    groups = [(lives.sad, [1, 2]), (lives.happy, [4, 5]), (lives.others, [0])]
    account = np.concatenate([np.concatenate(group) for group, _ in groups])
    week = np.concatenate([np.repeat(np.arange(grid.size), [len(a) for a in group]) for group, _ in groups])
    score = np.concatenate([rng.choice(scores, sum(map(len, group))) for group, scores in groups]).astype(float)
    score[score == 0] = np.nan
    lukewarm = np.concatenate([np.arange(n) < k for n, k in zip(map(len, lives.others), rhythm.lukewarm, strict=True)])
    score[-len(lukewarm) :][lukewarm] = 3
    closed = grid.days(rng, week)
    opened = np.busday_offset(closed, -rng.choice(4, len(week), p=[0.5, 0.25, 0.15, 0.1]), roll="backward")
    ordinary, troubled = (rng.choice(REASONS, len(week), p=share) for share in (ORDINARY, TROUBLED))
    sync = (score <= 2) & (week >= grid.ago(RELEASE))
    return pd.DataFrame(
        {
            "account": account,
            "score": score,
            "reason": np.where(sync, troubled, ordinary),
            "opened": stamps(rng, np.minimum(opened, closed), 8, 13),
            "closed": stamps(rng, closed, 13, 19),
        }
    )
