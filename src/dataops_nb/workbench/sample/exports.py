"""Sample: the exports of CRM, helpdesk, product and diary as files.

Export the CRM: meetings that become deals.

It stamps in UTC, so an evening deal in New York has the date of tomorrow.

Export the helpdesk: tickets in local time, few of them rated.

After the planted release many are about synchronisation.

Export the product and its website: releases, shipped features, daily use and sign-ups.

Export the diary: events that might explain a number. One of them does.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from dataops_nb.workbench.sample import rhythm
from dataops_nb.workbench.sample import rhythm as rhythm_
from dataops_nb.workbench.sample.billing import Lives
from dataops_nb.workbench.sample.rhythm import (
    MEETING_TO_CUSTOMER,
    NOTHING,
    RELEASE,
    RISE_OF_BOOKED,
    Array,
    Grid,
    Rhythm,
    stamps,
    utc,
    written,
)

MEETING_CHANNELS = ["Outbound call", "Outbound email", "Referral", "Event", "Inbound"]
LOST_REASONS = ["Price", "No budget", "Chose a competitor", "No decision"]
NOTES = [
    "Asked for a quote, call back",
    "Wants dimmers, sensors",
    "Moved by one day",
    'Said "next quarter"',
]
GOOD_CHANNELS = [0.25, 0.15, 0.25, 0.1, 0.25]
POOR_CHANNELS = [0.35, 0.45, 0.05, 0.1, 0.05]
TICKET_REASONS = [
    "Billing question",
    "Delivery",
    "Sync error",
    "Login",
    "How-to",
    "Returns, damaged goods",
]
ORDINARY = [0.24, 0.26, 0.08, 0.14, 0.18, 0.10]
TROUBLED = [0.08, 0.10, 0.60, 0.08, 0.06, 0.08]
AREAS = ["Catalogue", "Orders", "Sync", "Reports", "Mobile"]
VERBS = ["Faster", "Clearer", "New", "Shared", "Automatic"]
THINGS = [
    "price lists",
    "order history",
    "stock sync",
    "monthly report",
    "barcode scan",
    "delivery view",
]
SIGNUP_CHANNELS = ["Search", "Partner", "Paid", "Direct", "Newsletter"]
WEEKS_PER_RELEASE = 7
USAGE_MISSES = 6
ADOPTION_AFTER = 30
ENTRIES = (
    (44, "Spring LED campaign", "campaign", "signups"),
    (31, "New price list", "price change", "deal_size, arpa"),
    (RISE_OF_BOOKED, "Bonus for booked meetings", "incentive", "meetings_booked"),
    (9, "Retrofit grant campaign", "campaign", "signups"),
    (5, "Order screen down for a morning", "outage", "repeat_orders"),
)


def meetings(grid: Grid, rhythm: Rhythm, seed: int, *, accounts_from: int) -> pd.DataFrame:
    """Return one row a booked meeting of the whole grid.

    The columns are week, account (a number), stage, booked and held (local stamps).
    """
    rng = np.random.default_rng([seed, 2])
    totals = [rhythm.qualified.sum(), rhythm.unqualified.sum()]
    stage = np.repeat(["qualified", "unqualified"], totals)
    weeks = np.arange(grid.size)
    qualified_weeks = np.repeat(weeks, rhythm.qualified)
    unqualified_weeks = np.repeat(weeks, rhythm.unqualified)
    week = np.concatenate([qualified_weeks, unqualified_weeks])
    shows = (stage == "qualified") | (rng.random(len(week)) < 0.42)
    booked = grid.days(rng, week, among=slice(0, 3))
    held = np.where(shows, booked + rng.integers(1, 3, len(week)), np.datetime64("NaT"))
    held_stage = np.where(stage == "qualified", stage, "held")
    frame = pd.DataFrame({"week": week, "stage": np.where(shows, held_stage, "no_show")})
    frame["account"] = accounts_from + rng.permutation(len(frame))
    frame["booked"] = stamps(rng, booked)
    frame["held"] = stamps(rng, held, 9, 17)
    return frame


def deals(grid: Grid, rhythm: Rhythm, met: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one row a qualified meeting of the whole grid.

    The columns are account, week, held, stage, amount, deal_id, created and closed (local stamps).
    """
    rng = np.random.default_rng([seed, 3])
    frame = met[met["stage"] == "qualified"][["account", "week", "held"]].reset_index(drop=True)
    closing = frame["week"].to_numpy() + MEETING_TO_CUSTOMER
    position = frame.groupby("week").cumcount().to_numpy()
    beyond_grid = np.zeros(MEETING_TO_CUSTOMER, dtype=int)
    won = position < np.append(rhythm.won, beyond_grid)[closing]
    closing = np.where(won, closing, frame["week"] + rng.integers(2, 8, len(frame)))
    beyond = closing >= grid.size
    closed = stamps(rng, grid.days(rng, np.minimum(closing, grid.size - 1)))
    in_evening = rng.random(len(frame)) < 0.12
    evening = stamps(rng, closed.astype("datetime64[D]"), 20, 23)
    closed = np.where(in_evening, evening, closed)
    frame["created"] = frame["held"] + pd.Timedelta(hours=1)
    frame["closed"] = grid.known(np.where(beyond, np.datetime64("NaT"), closed))
    frame["stage"] = np.where(frame["closed"].isna(), "open", np.where(won, "won", "lost"))
    frame["amount"] = np.round(rng.lognormal(7.45, 0.35, len(frame)), 2)
    frame["deal_id"] = rhythm_.identifiers("D-", len(frame), digits=5, first=20417)
    return frame


def meetings_export(grid: Grid, met: pd.DataFrame, account_names: Array, seed: int) -> pd.DataFrame:
    """Return the meetings booked in the exported weeks; a no-show was never held."""
    rng = np.random.default_rng([seed, 4])
    frame = met[grid.exported(met["booked"].to_numpy())].sort_values("booked", kind="stable")
    held = grid.known(frame["held"].to_numpy().astype("datetime64[s]"))
    unknown = frame["held"].notna().to_numpy() & np.isnat(held)
    good = rng.choice(MEETING_CHANNELS, len(frame), p=GOOD_CHANNELS)
    poor = rng.choice(MEETING_CHANNELS, len(frame), p=POOR_CHANNELS)
    return pd.DataFrame(
        {
            "meeting_id": rhythm.identifiers("M-", len(frame), digits=6, first=100_233),
            "account_id": rhythm.account_ids(frame["account"].to_numpy()),
            "account_name": rhythm.typed(rng, account_names[frame["account"].to_numpy()]),
            "rep": rng.choice(rhythm.SDRS, len(frame)),
            "channel": np.where(frame["stage"] == "qualified", good, poor),
            "stage": np.where(unknown, "booked", frame["stage"]),
            "booked_at": written(utc(frame["booked"].to_numpy())),
            "held_at": written(utc(held)),
            "notes": rhythm.mostly_empty(rng, NOTES, len(frame), 0.15),
        }
    )


def deals_export(grid: Grid, deals: pd.DataFrame, account_names: Array, seed: int) -> pd.DataFrame:
    """Return the deals that are open or were closed in the exported weeks; stamps are UTC."""
    rng = np.random.default_rng([seed, 5])
    closed = deals["closed"].to_numpy()
    shown = np.isnat(closed) | grid.exported(closed)
    frame = deals[shown & ~np.isnat(grid.known(deals["created"].to_numpy()))]
    lost = (frame["stage"] == "lost").to_numpy()
    return pd.DataFrame(
        {
            "deal_id": frame["deal_id"].to_numpy(),
            "account_id": rhythm.account_ids(frame["account"].to_numpy()),
            "account_name": rhythm.typed(rng, account_names[frame["account"].to_numpy()]),
            "amount": frame["amount"].to_numpy(),
            "stage": frame["stage"].to_numpy(),
            "seller": rng.choice(rhythm.SELLERS, len(frame)),
            "region": rng.choice(rhythm.REGIONS, len(frame), p=[0.45, 0.3, 0.25]),
            "created_at": utc(frame["created"].to_numpy()),
            "closed_at": utc(frame["closed"].to_numpy()),
            "lost_because": np.where(
                lost, rng.choice(np.array(LOST_REASONS, dtype=object), len(frame)), NOTHING
            ),
            "campaign": rhythm.mostly_empty(
                rng, ["Spring LED", "Trade fair", "Retrofit grant"], len(frame), 0.25
            ),
        }
    )


def tickets_export(
    grid: Grid, rhythm: Rhythm, lives: Lives, account_names: Array, seed: int
) -> pd.DataFrame:
    """Return the tickets opened in the exported weeks.

    An unrated ticket has no score, an open one no close.
    """
    rng = np.random.default_rng([seed, 7])
    frame = _tickets(grid, rhythm, lives, rng)
    frame = frame[grid.exported(frame["opened"].to_numpy())].sort_values("opened", kind="stable")
    closed = grid.known(frame["closed"].to_numpy().astype("datetime64[s]"))
    score = frame["score"].where(~np.isnat(closed)).astype("Int64")
    rated = np.where(score.isna(), np.datetime64("NaT"), closed.astype("datetime64[D]"))
    return pd.DataFrame(
        {
            "ticket_id": rhythm_.identifiers("T", len(frame), digits=7, first=58_201),
            "account_id": rhythm_.account_ids(frame["account"].to_numpy()),
            "account_name": rhythm_.typed(rng, account_names[frame["account"].to_numpy()]),
            "reason": frame["reason"].to_numpy(),
            "agent": rng.choice(rhythm_.AGENTS, len(frame)),
            "opened_at": written(frame["opened"].to_numpy().astype("datetime64[s]")),
            "first_response_minutes": np.maximum(
                rng.lognormal(5.0, 0.7, len(frame)).astype(int), 2
            ),
            "closed_at": written(closed),
            "score": score.array,
            "rated_on": written(rated.astype("datetime64[D]")),
        }
    )


def _tickets(grid: Grid, rhythm: Rhythm, lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    groups = [lives.sad, lives.happy, lives.others]
    weeks = np.arange(grid.size)
    account = np.concatenate([np.concatenate(group) for group in groups])
    week = np.concatenate([np.repeat(weeks, _sizes(group)) for group in groups])
    score = _scores(lives, rhythm, rng)
    closed = grid.days(rng, week)
    delay = rng.choice(4, len(week), p=[0.5, 0.25, 0.15, 0.1])
    opened = np.busday_offset(closed, -delay, roll="backward")
    ordinary = rng.choice(TICKET_REASONS, len(week), p=ORDINARY)
    troubled = rng.choice(TICKET_REASONS, len(week), p=TROUBLED)
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


def _sizes(group: list[Array]) -> list[int]:
    return [len(accounts) for accounts in group]


def _scores(lives: Lives, rhythm: Rhythm, rng: np.random.Generator) -> Array:
    """Draw scores for the tickets of sad, happy and other customers; of others, few give a 3."""
    sad = rng.choice([1, 2], sum(_sizes(lives.sad)))
    happy = rng.choice([4, 5], sum(_sizes(lives.happy)))
    others = np.full(sum(_sizes(lives.others)), np.nan)
    lukewarm = []
    for size, rated in zip(_sizes(lives.others), rhythm.lukewarm, strict=True):
        lukewarm.append(np.arange(size) < rated)
    others[np.concatenate(lukewarm)] = 3
    return np.concatenate([sad, happy, others]).astype(float)


def release_day(grid: Grid) -> date:
    """Return the Tuesday of the release that makes customers sad."""
    monday: date = grid.mondays[grid.ago(RELEASE)].item()
    return monday + timedelta(days=1)


def releases_export(grid: Grid) -> pd.DataFrame:
    """Return one release every seven weeks; 8.0 rewrites the synchronisation (see its notes)."""
    planted = np.datetime64(release_day(grid), "D")
    # The planted release has the number 0, those before it negative ones.
    number = np.arange(-grid.size // WEEKS_PER_RELEASE, 3)
    days = planted + 7 * WEEKS_PER_RELEASE * number
    exported = grid.exported(days)
    days, number = days[exported], number[exported]
    oldest = number.min(initial=0)
    versions = [_version(n) for n in number.tolist()]
    other_notes = np.where(number == oldest, "Catalogue, redrawn", "Improvements")
    return pd.DataFrame(
        {
            "version": versions,
            "released_on": written(days),
            "title": [f"Release {version}" for version in versions],
            "notes": np.where(number == 0, "New synchronisation engine", other_notes),
        }
    )


def _version(number: int) -> str:
    """Return 8.0 for number 0, 8.1 for 1, 7.9 for -1, 6.9 for -11."""
    if number >= 0:
        return f"8.{number}"
    tens, ones = divmod(-number - 1, 10)
    return f"{7 - tens}.{9 - ones}"


def features_export(grid: Grid, rhythm: Rhythm, seed: int) -> pd.DataFrame:
    """Return one row a shipped feature; its adoption is a share, known thirty days later."""
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
    frame.insert(0, "feature_id", rhythm_.identifiers("F-", len(frame), digits=4, first=611))
    return frame


def usage_export(grid: Grid, seed: int) -> pd.DataFrame:
    """Return daily use by area, up to six days before the others: this export is late."""
    rng = np.random.default_rng([seed, 12])
    day_count = (grid.end - grid.start).days + 1 - USAGE_MISSES
    days = np.datetime64(grid.start, "D") + np.arange(day_count)
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
    """Return one row a sign-up, in UTC; some activate their account within days, most never do."""
    rng = np.random.default_rng([seed, 13])
    week = np.repeat(np.arange(grid.size), rhythm.signups)
    signed = stamps(rng, grid.days(rng, week), 8, 20)
    share = pd.Series(rng.random(len(week))).groupby(week).rank(pct=True).to_numpy()
    delay = rng.choice(3, len(week), p=[0.93, 0.05, 0.02])
    active = stamps(rng, signed.astype("datetime64[D]") + delay, 20, 22)
    active = grid.known(np.where(share <= 0.365, active, np.datetime64("NaT")))
    frame = pd.DataFrame({"signed": signed, "active": active})[grid.exported(signed)]
    frame = frame.sort_values("signed", kind="stable")
    return pd.DataFrame(
        {
            "signup_id": rhythm_.identifiers("U", len(frame), digits=7, first=400_118),
            "signed_up_at": utc(frame["signed"].to_numpy()),
            "activated_at": utc(frame["active"].to_numpy()),
            "channel": rng.choice(
                np.array(SIGNUP_CHANNELS, dtype=object), len(frame), p=[0.38, 0.17, 0.2, 0.15, 0.1]
            ),
            "company_name": rhythm_.mostly_empty(
                rng, rhythm_.accounts(rng, 200).tolist(), len(frame), 0.6
            ),
        }
    )


def _titles(rng: np.random.Generator, count: int) -> Array:
    verbs = rng.choice(VERBS, count)
    things = rng.choice(THINGS, count)
    scopes = rng.choice(["", ", part two", " for teams"], count)
    titles = []
    for verb, thing, scope in zip(verbs, things, scopes, strict=True):
        titles.append(f"{verb} {thing}{scope}")
    return np.array(titles, dtype=object)


def diary_export(grid: Grid) -> pd.DataFrame:
    """Return each entry, on the Monday so many weeks before the end, with its metrics."""
    entries = [entry for entry in ENTRIES if entry[0] <= grid.weeks]
    weeks, what, kind, about = zip(*entries, strict=True)
    positions = [grid.ago(week) for week in weeks]
    days = grid.mondays[np.array(positions)]
    return pd.DataFrame({"day": written(days), "what": what, "kind": kind, "about": about})
