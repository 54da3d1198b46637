"""The product and its website: releases, shipped features, daily use and sign-ups."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from dataops_nb.sample import names
from dataops_nb.sample.grid import Array, Grid, stamps, utc, written
from dataops_nb.sample.rhythm import RELEASE, Rhythm

AREAS = ["Catalogue", "Orders", "Sync", "Reports", "Mobile"]
VERBS = ["Faster", "Clearer", "New", "Shared", "Automatic"]
THINGS = ["price lists", "order history", "stock sync", "monthly report", "barcode scan", "delivery view"]
CHANNELS = ["Search", "Partner", "Paid", "Direct", "Newsletter"]
EVERY = 7
USAGE_MISSES = 6
ADOPTION_AFTER = 30


def release_day(grid: Grid) -> date:
    """The Tuesday of the release that made customers sad."""
    monday: date = grid.mondays[grid.ago(RELEASE)].item()
    return monday + timedelta(days=1)


def releases_export(grid: Grid) -> pd.DataFrame:
    """The releases, csv: one every seven weeks; 8.0 rewrote the synchronisation (see its notes)."""
    days = np.datetime64(release_day(grid), "D") + 7 * EVERY * np.arange(-grid.size // EVERY, 3)
    number = np.arange(len(days)) - int(np.flatnonzero(days == np.datetime64(release_day(grid), "D"))[0])
    days, number = days[grid.exported(days)], number[grid.exported(days)]
    old = number.min(initial=0)
    version = [f"8.{n}" if n >= 0 else f"{7 - (-n - 1) // 10}.{9 - (-n - 1) % 10}" for n in number]
    title = [f"Release {said}" for said in version]
    notes = np.where(
        number == 0, "New synchronisation engine", np.where(number == old, "Catalogue, redrawn", "Improvements")
    )
    return pd.DataFrame({"version": version, "released_on": written(days), "title": title, "notes": notes})


def features_export(grid: Grid, rhythm: Rhythm, seed: int) -> pd.DataFrame:
    """The features, csv: one row a shipped feature; its adoption is a share, known thirty days later."""
    rng = np.random.default_rng([seed, 11])
    week = np.repeat(np.arange(grid.size), rhythm.features)
    shipped = np.sort(grid.days(rng, week, among=slice(0, 5)))
    cycle = np.clip(np.rint(rng.normal(7.5, 2.2, len(week))), 1, None).astype(int)
    cycle[week == grid.last] = rng.permutation(np.resize([6, 9, 7, 8], rhythm.features[grid.last]))
    measured = grid.known(shipped + ADOPTION_AFTER)
    adoption = np.where(np.isnat(measured), np.nan, np.round(rng.beta(4, 9, len(week)), 3))
    frame = pd.DataFrame(
        {
            "title": _titles(rng, len(week)),
            "area": rng.choice(AREAS, len(week)),
            "started_on": written(shipped - cycle),
            "shipped_on": written(shipped),
            "adoption_30d": adoption,
            "measured_on": written(measured),
        }
    )[grid.exported(shipped)]
    frame.insert(0, "feature_id", names.identifiers("F-", len(frame), digits=4, first=611))
    return frame


def usage_export(grid: Grid, seed: int) -> pd.DataFrame:
    """Daily use by area, parquet. Its export is late: it ends six days before the others."""
    rng = np.random.default_rng([seed, 12])
    days = np.datetime64(grid.start, "D") + np.arange((grid.end - grid.start).days + 1 - USAGE_MISSES)
    busy = grid.busy.ravel()[(days - grid.mondays[0]).astype(int)]
    share = np.array([0.3, 0.34, 0.14, 0.12, 0.1])
    sessions = rng.poisson(1800 * busy[:, None] * share * rng.normal(1, 0.05, (len(days), 1)))
    return pd.DataFrame(
        {
            "usage_date": np.repeat(days, len(AREAS)),
            "area": np.tile(np.array(AREAS, dtype=object), len(days)),
            "sessions": sessions.ravel(),
            "accounts": np.rint(sessions.ravel() * 0.62).astype(int),
        }
    )


def signups_export(grid: Grid, rhythm: Rhythm, seed: int) -> pd.DataFrame:
    """The sign-ups, parquet, in UTC: one row a person; some activate their account within days, most never do."""
    rng = np.random.default_rng([seed, 13])
    week = np.repeat(np.arange(grid.size), rhythm.signups)
    signed = stamps(rng, grid.days(rng, week), 8, 20)
    share = pd.Series(rng.random(len(week))).groupby(week).rank(pct=True).to_numpy()
    delay = rng.choice(3, len(week), p=[0.93, 0.05, 0.02])
    active = stamps(rng, signed.astype("datetime64[D]") + delay, 20, 22)
    active = grid.known(np.where(share <= 0.365, active, np.datetime64("NaT")))
    frame = pd.DataFrame({"signed": signed, "active": active})[grid.exported(signed)].sort_values(
        "signed", kind="stable"
    )
    return pd.DataFrame(
        {
            "signup_id": names.identifiers("U", len(frame), digits=7, first=400_118),
            "signed_up_at": utc(frame["signed"].to_numpy()),
            "activated_at": utc(frame["active"].to_numpy()),
            "channel": rng.choice(np.array(CHANNELS, dtype=object), len(frame), p=[0.38, 0.17, 0.2, 0.15, 0.1]),
            "company_name": names.mostly_empty(rng, names.accounts(rng, 200).tolist(), len(frame), 0.6),
        }
    )


def _titles(rng: np.random.Generator, count: int) -> Array:
    verb, thing, area = (
        rng.choice(VERBS, count),
        rng.choice(THINGS, count),
        rng.choice(["", ", part two", " for teams"], count),
    )
    return np.array([f"{v} {t}{a}" for v, t, a in zip(verb, thing, area, strict=True)], dtype=object)
