"""Sample: the customers of Lumen Supply, their subscriptions and invoices.

Export billing: subscriptions, invoices, and planted disagreements with the CRM.

Subscriptions moved to this system on the first exported day, so older customers start there;
`customer_since` is true.

Let customers come, ask for help, order and leave, week by week; sad ones leave later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from dataops_nb.workbench.sample import rhythm
from dataops_nb.workbench.sample.rhythm import (
    NOTHING,
    SAD_TO_LOST,
    SHARE_OF_SAD_LOST,
    Array,
    Grid,
    Rhythm,
)

PLANS = ["Basic", "Plus", "Pro"]
PRICES = np.array([89.0, 189.0, 429.0])
SHARES = [0.45, 0.38, 0.17]
PRODUCTS = ["00417", "00418", "01250", "07733", "00092"]
PLANTED = {
    "only_in_crm": 5,
    "only_in_billing": 4,
    "amount_differs": 6,
    "other_period": 5,
    "billed_twice": 4,
}
LATE_BY = 35
FOUNDERS = 2250


def subscriptions(grid: Grid, lives: Lives, seed: int) -> pd.DataFrame:
    """Return the subscriptions, one row a span; a change of plan starts the next that day."""
    rng = np.random.default_rng([seed, 8])
    start = np.datetime64(grid.start, "D")
    end = np.datetime64(grid.end, "D")
    begun = ~np.isnat(lives.since) & (lives.since <= end)
    account = np.flatnonzero(begun & ~(lives.left < start))
    plan = rng.choice(3, len(account), p=SHARES)
    spans = pd.DataFrame(
        {
            "account": account,
            "plan": plan,
            "discount": rng.choice([1.0, 0.9], len(account), p=[0.8, 0.2]),
        }
    )
    spans["since"] = lives.since[account]
    spans["start"] = np.maximum(lives.since[account], start)
    spans["end"] = grid.known(lives.left[account])
    spans["reason"] = np.where(spans["end"].isna(), NOTHING, "cancelled")
    spans = pd.concat(_change_plans(spans, grid, rng))
    spans = spans.sort_values(["start", "account"], kind="stable")
    return pd.DataFrame(
        {
            "subscription_id": rhythm.identifiers("S-", len(spans), digits=6, first=3_001),
            "account_id": rhythm.account_ids(spans["account"].to_numpy()),
            "plan": np.array(PLANS, dtype=object)[spans["plan"]],
            "mrr": np.round(PRICES[spans["plan"]] * spans["discount"].to_numpy(), 2),
            "start_date": spans["start"].to_numpy(),
            "end_date": spans["end"].to_numpy(),
            "end_reason": spans["reason"].to_numpy(),
            "customer_since": spans["since"].to_numpy(),
        }
    )


def _change_plans(spans: pd.DataFrame, grid: Grid, rng: np.random.Generator) -> list[pd.DataFrame]:
    """Cut one span in eight in two, where its customer takes a bigger plan."""
    until = spans["end"].fillna(pd.Timestamp(grid.end))
    length = (until - spans["start"]).dt.days.to_numpy()
    can_grow = (spans["plan"] < 2).to_numpy()
    cut = (rng.random(len(spans)) < 0.12) & (length > 90) & can_grow
    days = np.maximum(length * rng.uniform(0.2, 0.8, len(spans)), 1)
    moved = spans["start"].to_numpy() + days.astype("timedelta64[D]")
    moved = np.busday_offset(moved.astype("datetime64[D]"), 0, roll="forward")
    before = spans.assign(
        end=spans["end"].where(~cut, moved),
        reason=spans["reason"].where(~cut, "plan change"),
    )
    after = spans.assign(start=moved, plan=spans["plan"] + 1)[cut]
    return [before, after]


def plant(grid: Grid, deals: pd.DataFrame, seed: int) -> dict[str, tuple[str, ...]]:
    """Choose won deals on which CRM and billing disagree; return their ids by kind.

    None of them is closed in the last eight complete weeks.
    """
    rng = np.random.default_rng([seed, 9])
    closed = deals["closed"].to_numpy().astype("datetime64[D]")
    first = np.datetime64(grid.start, "D") + 7
    end = grid.mondays[grid.ago(8)]
    is_won = (deals["stage"] == "won").to_numpy()
    won = deals["deal_id"][is_won & (closed >= first) & (closed < end)].to_numpy()
    numbers = list(PLANTED.values())
    chosen = rng.permutation(won)[: sum(numbers)]
    parts = np.split(chosen, np.cumsum(numbers)[:-1])
    return {kind: tuple(sorted(part)) for kind, part in zip(PLANTED, parts, strict=True)}


def invoices_export(
    grid: Grid,
    lives: Lives,
    deals: pd.DataFrame,
    spans: pd.DataFrame,
    *,
    planted: Mapping[str, tuple[str, ...]],
    account_names: Array,
    seed: int,
) -> pd.DataFrame:
    """Return first, subscription and order invoices and credits; dates are local days."""
    rng = np.random.default_rng([seed, 10])
    first = _first_invoices(deals, planted)
    subscription = _subscription_invoices(grid, spans, rng)
    orders = _order_invoices(grid, lives, rng)
    returned = _credits(orders, rng)
    frame = pd.concat([first, subscription, orders, returned], ignore_index=True)
    frame = frame[grid.exported(frame["day"].to_numpy())].sort_values("day", kind="stable")
    draw = rng.random(len(frame))
    void = (draw < 0.01) & (frame["kind"] == "subscription").to_numpy()
    status = np.where(void, "void", np.where(draw > 0.97, NOTHING, "issued"))
    return pd.DataFrame(
        {
            "invoice_no": rhythm.identifiers("INV-", len(frame), digits=7, first=31_250),
            "account_id": frame["account_id"].to_numpy(),
            "customer_name": account_names[frame["account_id"].str[2:].astype(int).to_numpy()],
            "invoice_date": frame["day"].to_numpy().astype("datetime64[D]"),
            "kind": frame["kind"].to_numpy(),
            "product_code": rng.choice(PRODUCTS, len(frame)),
            "deal_ref": frame["deal_ref"].to_numpy(),
            "po_number": rhythm.mostly_empty(
                rng, ["PO 4471", "po-88/b", "4500012993"], len(frame), 0.2
            ),
            "total": frame["total"].to_numpy(),
            "status": status,
        }
    )


def _first_invoices(deals: pd.DataFrame, planted: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Bill each won deal on the local day of its win, but for the planted disagreements."""
    won = deals[(deals["stage"] == "won") & ~deals["deal_id"].isin(planted["only_in_crm"])]
    late = won["deal_id"].isin(planted["other_period"]).to_numpy()
    cheaper = won["deal_id"].isin(planted["amount_differs"]).to_numpy()
    day = won["closed"].to_numpy().astype("datetime64[D]")
    frame = pd.DataFrame(
        {"account_id": rhythm.account_ids(won["account"].to_numpy()), "kind": "first"}
    )
    frame["deal_ref"] = won["deal_id"].to_numpy()
    frame["day"] = np.where(late, day + LATE_BY, day)
    billed = won["amount"].to_numpy() * np.where(cheaper, 0.85, 1.0)
    frame["total"] = np.round(billed, 2)
    again = frame[frame["deal_ref"].isin(planted["billed_twice"])]
    return pd.concat([frame, again], ignore_index=True)


def _subscription_invoices(
    grid: Grid, spans: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Bill every open span once a month, on the customer's own day or the next working day."""
    months = np.arange(np.datetime64(grid.start, "M"), np.datetime64(grid.end, "M") + 1)
    first = months.astype("datetime64[D]")
    last = (months + 1).astype("datetime64[D]") - 1
    # A row a span, a column a month.
    offset = rng.integers(0, 31, len(spans))[:, None]
    own_day = np.minimum(first[None, :] + offset, last[None, :])
    day = np.busday_offset(own_day, 0, roll="forward")
    start = spans["start_date"].to_numpy()
    end = spans["end_date"].to_numpy()
    due = (day > start[:, None]) & ~(day >= end[:, None])
    span, month = np.nonzero(due)
    return pd.DataFrame(
        {
            "account_id": spans["account_id"].to_numpy()[span],
            "kind": "subscription",
            "day": day[span, month],
            "total": spans["mrr"].to_numpy()[span],
        }
    )


def _order_invoices(grid: Grid, lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    """Bill the repeat orders of each week's buyers; they are bigger before the dark months."""
    week = np.repeat(np.arange(grid.size), [len(buyers) for buyers in lives.orders])
    total = rng.lognormal(5.0, 0.5, len(week)) * grid.season(0.12)[week]
    return pd.DataFrame(
        {
            "account_id": rhythm.account_ids(np.concatenate(lives.orders)),
            "kind": "order",
            "day": grid.days(rng, week),
            "total": np.round(total, 2),
        }
    )


def _credits(orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give credit for one order in fifty, six working days later."""
    returned = orders[rng.random(len(orders)) < 0.02]
    ordered = returned["day"].to_numpy().astype("datetime64[D]")
    day = np.busday_offset(ordered, 6, roll="forward")
    return returned.assign(kind="credit", day=day, total=-returned["total"])


@dataclass(frozen=True)
class Lives:
    """The lives of all accounts.

    `since` and `left` hold a day for each account (missing: never); the lists hold the accounts of
    each week.
    """

    since: Array
    left: Array
    sad: list[Array] = field(default_factory=list)
    happy: list[Array] = field(default_factory=list)
    others: list[Array] = field(default_factory=list)
    orders: list[Array] = field(default_factory=list)


def live(grid: Grid, rhythm: Rhythm, deals: pd.DataFrame, seed: int, *, accounts: int) -> Lives:
    """Live through all weeks; founders are customers for years, others from a won deal on."""
    rng = np.random.default_rng([seed, 6])
    never = np.datetime64("NaT", "D")
    lives = Lives(since=np.full(accounts, never), left=np.full(accounts, never))
    lives.since[:FOUNDERS] = grid.mondays[0] - rng.integers(30, 2200, FOUNDERS)
    won = deals[deals["stage"] == "won"]
    starts = won["closed"].to_numpy().astype("datetime64[D]")
    lives.since[won["account"].to_numpy()] = starts
    signed = won["account"].groupby((starts - grid.mondays[0]).astype(int) // 7).agg(list)
    alive = np.arange(accounts) < FOUNDERS
    for week in range(grid.size):
        _live_week(lives, rhythm, np.flatnonzero(alive), week, rng)
        leavers = _leavers(lives, rhythm, alive, week, rng)
        lives.left[leavers] = grid.days(rng, np.full(len(leavers), week))
        alive[leavers] = False
        alive[signed.get(week, [])] = True
    return lives


def _live_week(
    lives: Lives,
    rhythm: Rhythm,
    customers: Array,
    week: int,
    rng: np.random.Generator,
) -> None:
    """Add the week's sad and happy customers (each once), those of other tickets, the buyers."""
    sad = rhythm.sad[week]
    rated = rng.choice(customers, sad + rhythm.happy[week], replace=False)
    lives.sad.append(rated[:sad])
    lives.happy.append(rated[sad:])
    other_tickets = rhythm.lukewarm[week] + rhythm.unrated[week]
    lives.others.append(rng.choice(customers, other_tickets))
    lives.orders.append(rng.choice(customers, rhythm.orders[week]))


def _leavers(
    lives: Lives, rhythm: Rhythm, alive: Array, week: int, rng: np.random.Generator
) -> Array:
    """Choose who leaves: a part of those who were sad weeks ago, the rest at random."""
    total = int(rhythm.lost_customers[week])
    sad = lives.sad[max(week - SAD_TO_LOST, 0)]
    sad = sad[alive[sad]]
    sad_leavers = min(total, round(SHARE_OF_SAD_LOST * len(sad)))
    disappointed = rng.permutation(sad)[:sad_leavers]
    others = np.setdiff1d(np.flatnonzero(alive), sad)
    rest = rng.choice(others, total - len(disappointed), replace=False)
    return np.concatenate([disappointed, rest])
