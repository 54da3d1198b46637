"""The CRM: meetings that become deals. It stamps everything in UTC: an evening deal in New York is dated tomorrow."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dataops_nb.sample import names
from dataops_nb.sample.grid import NOTHING, Array, Grid, stamps, utc, written
from dataops_nb.sample.rhythm import MEETING_TO_CUSTOMER, Rhythm

CHANNELS = ["Outbound call", "Outbound email", "Referral", "Event", "Inbound"]
REASONS = ["Price", "No budget", "Chose a competitor", "No decision"]
NOTES = ["Asked for a quote, call back", "Wants dimmers, sensors", "Moved by one day", 'Said "next quarter"']
GOOD_CHANNELS = [0.25, 0.15, 0.25, 0.1, 0.25]
POOR_CHANNELS = [0.35, 0.45, 0.05, 0.1, 0.05]


def meetings(grid: Grid, rhythm: Rhythm, seed: int, *, accounts_from: int) -> pd.DataFrame:
    """One row a booked meeting of the whole grid: week, account (a number), stage, booked and held (local stamps)."""
    rng = np.random.default_rng([seed, 2])
    stage = np.repeat(["qualified", "unqualified"], [rhythm.qualified.sum(), rhythm.unqualified.sum()])
    weeks = np.arange(grid.size)
    week = np.concatenate([np.repeat(weeks, rhythm.qualified), np.repeat(weeks, rhythm.unqualified)])
    shows = (stage == "qualified") | (rng.random(len(week)) < 0.42)
    booked = grid.days(rng, week, among=slice(0, 3))
    held = np.where(shows, booked + rng.integers(1, 3, len(week)), np.datetime64("NaT"))
    frame = pd.DataFrame(
        {"week": week, "stage": np.where(shows, np.where(stage == "qualified", stage, "held"), "no_show")}
    )
    frame["account"] = accounts_from + rng.permutation(len(frame))
    frame["booked"] = stamps(rng, booked)
    frame["held"] = stamps(rng, held, 9, 17)
    return frame


def deals(grid: Grid, rhythm: Rhythm, met: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row a qualified meeting of the whole grid: its deal, stage, amount, created and closed (local stamps)."""
    rng = np.random.default_rng([seed, 3])
    frame = met[met["stage"] == "qualified"][["account", "week", "held"]].reset_index(drop=True)
    closing = frame["week"].to_numpy() + MEETING_TO_CUSTOMER
    place = frame.groupby("week").cumcount().to_numpy()
    won = place < np.append(rhythm.won, np.zeros(MEETING_TO_CUSTOMER, dtype=int))[closing]
    closing = np.where(won, closing, frame["week"] + rng.integers(2, 8, len(frame)))
    beyond = closing >= grid.size
    closed = stamps(rng, grid.days(rng, np.minimum(closing, grid.size - 1)))
    closed = np.where(rng.random(len(frame)) < 0.12, stamps(rng, closed.astype("datetime64[D]"), 20, 23), closed)
    frame["created"] = frame["held"] + pd.Timedelta(hours=1)
    frame["closed"] = grid.known(np.where(beyond, np.datetime64("NaT"), closed))
    frame["stage"] = np.where(frame["closed"].isna(), "open", np.where(won, "won", "lost"))
    frame["amount"] = np.round(rng.lognormal(7.45, 0.35, len(frame)), 2)
    frame["deal_id"] = names.identifiers("D-", len(frame), digits=5, first=20417)
    return frame


def meetings_export(grid: Grid, met: pd.DataFrame, account_names: Array, seed: int) -> pd.DataFrame:
    """The calendar export, csv: what was booked in the exported weeks; a no-show was never held."""
    rng = np.random.default_rng([seed, 4])
    frame = met[grid.exported(met["booked"].to_numpy())].sort_values("booked", kind="stable")
    held = grid.known(frame["held"].to_numpy().astype("datetime64[s]"))
    unknown = frame["held"].notna().to_numpy() & np.isnat(held)
    good, poor = (rng.choice(CHANNELS, len(frame), p=share) for share in (GOOD_CHANNELS, POOR_CHANNELS))
    return pd.DataFrame(
        {
            "meeting_id": names.identifiers("M-", len(frame), digits=6, first=100_233),
            "account_id": names.account_ids(frame["account"].to_numpy()),
            "account_name": names.typed(rng, account_names[frame["account"].to_numpy()]),
            "rep": rng.choice(names.SDRS, len(frame)),
            "channel": np.where(frame["stage"] == "qualified", good, poor),
            "stage": np.where(unknown, "booked", frame["stage"]),
            "booked_at": written(utc(frame["booked"].to_numpy())),
            "held_at": written(utc(held)),
            "notes": names.mostly_empty(rng, NOTES, len(frame), 0.15),
        }
    )


def deals_export(grid: Grid, deals: pd.DataFrame, account_names: Array, seed: int) -> pd.DataFrame:
    """The deals export, parquet: those open or closed in the exported weeks, in UTC; open ones have no close."""
    rng = np.random.default_rng([seed, 5])
    closed = deals["closed"].to_numpy()
    shown = np.isnat(closed) | grid.exported(closed)
    frame = deals[shown & ~np.isnat(grid.known(deals["created"].to_numpy()))]
    lost = (frame["stage"] == "lost").to_numpy()
    return pd.DataFrame(
        {
            "deal_id": frame["deal_id"].to_numpy(),
            "account_id": names.account_ids(frame["account"].to_numpy()),
            "account_name": names.typed(rng, account_names[frame["account"].to_numpy()]),
            "amount": frame["amount"].to_numpy(),
            "stage": frame["stage"].to_numpy(),
            "seller": rng.choice(names.SELLERS, len(frame)),
            "region": rng.choice(names.REGIONS, len(frame), p=[0.45, 0.3, 0.25]),
            "created_at": utc(frame["created"].to_numpy()),
            "closed_at": utc(frame["closed"].to_numpy()),
            "lost_because": np.where(lost, rng.choice(np.array(REASONS, dtype=object), len(frame)), NOTHING),
            "campaign": names.mostly_empty(rng, ["Spring LED", "Trade fair", "Retrofit grant"], len(frame), 0.25),
        }
    )
