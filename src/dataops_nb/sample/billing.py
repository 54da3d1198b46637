"""Billing: subscriptions as spans, invoices dated in local days, and the places where it disagrees with the CRM.

Subscriptions were moved to this system on the first exported day, so older customers start there;
`customer_since` is true.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dataops_nb.sample import names
from dataops_nb.sample.customers import Lives
from dataops_nb.sample.grid import NOTHING, Array, Grid

PLANS = ["Basic", "Plus", "Pro"]
PRICES = np.array([89.0, 189.0, 429.0])
SHARES = [0.45, 0.38, 0.17]
PRODUCTS = ["00417", "00418", "01250", "07733", "00092"]
PLANTED = {"only_in_crm": 5, "only_in_billing": 4, "amount_differs": 6, "other_period": 5, "billed_twice": 4}
LATE_BY = 35


def subscriptions(grid: Grid, lives: Lives, seed: int) -> pd.DataFrame:
    """The subscriptions export, parquet: one row a span; a change of plan starts the next on the same day."""
    rng = np.random.default_rng([seed, 8])
    start, end = np.datetime64(grid.start, "D"), np.datetime64(grid.end, "D")
    account = np.flatnonzero(~np.isnat(lives.since) & (lives.since <= end) & ~(lives.left < start))
    plan = rng.choice(3, len(account), p=SHARES)
    spans = pd.DataFrame(
        {"account": account, "plan": plan, "discount": rng.choice([1.0, 0.9], len(account), p=[0.8, 0.2])}
    )
    spans["since"] = lives.since[account]
    spans["start"] = np.maximum(lives.since[account], start)
    spans["end"] = grid.known(lives.left[account])
    spans["reason"] = np.where(spans["end"].isna(), NOTHING, "cancelled")
    spans = pd.concat(_changed(spans, grid, rng)).sort_values(["start", "account"], kind="stable")
    return pd.DataFrame(
        {
            "subscription_id": names.identifiers("S-", len(spans), digits=6, first=3_001),
            "account_id": names.account_ids(spans["account"].to_numpy()),
            "plan": np.array(PLANS, dtype=object)[spans["plan"]],
            "mrr": np.round(PRICES[spans["plan"]] * spans["discount"].to_numpy(), 2),
            "start_date": spans["start"].to_numpy(),
            "end_date": spans["end"].to_numpy(),
            "end_reason": spans["reason"].to_numpy(),
            "customer_since": spans["since"].to_numpy(),
        }
    )


def _changed(spans: pd.DataFrame, grid: Grid, rng: np.random.Generator) -> list[pd.DataFrame]:
    """The spans, with one in eight cut in two where its customer takes a bigger plan."""
    until = spans["end"].fillna(pd.Timestamp(grid.end))
    length = (until - spans["start"]).dt.days.to_numpy()
    cut = (rng.random(len(spans)) < 0.12) & (length > 90) & (spans["plan"] < 2).to_numpy()
    moved = spans["start"].to_numpy() + np.maximum(length * rng.uniform(0.2, 0.8, len(spans)), 1).astype(
        "timedelta64[D]"
    )
    moved = np.busday_offset(moved.astype("datetime64[D]"), 0, roll="forward")
    before = spans.assign(end=spans["end"].where(~cut, moved), reason=spans["reason"].where(~cut, "plan change"))
    after = spans.assign(start=moved, plan=spans["plan"] + 1)[cut]
    return [before, after]


def plant(grid: Grid, deals: pd.DataFrame, seed: int) -> dict[str, tuple[str, ...]]:
    """The won deals on which CRM and billing disagree: ids by kind, none closed in the last eight complete weeks."""
    rng = np.random.default_rng([seed, 9])
    closed = deals["closed"].to_numpy().astype("datetime64[D]")
    from_, to = np.datetime64(grid.start, "D") + 7, grid.mondays[grid.ago(8)]
    won = deals["deal_id"][(deals["stage"] == "won").to_numpy() & (closed >= from_) & (closed < to)].to_numpy()
    chosen = rng.permutation(won)[: sum(PLANTED.values())]
    parts = np.split(chosen, np.cumsum(list(PLANTED.values()))[:-1])
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
    """The invoices export, csv: first, subscription and order invoices, and credits; dates are local days."""
    rng = np.random.default_rng([seed, 10])
    rows = [_first(deals, planted), _subscription(grid, spans, rng), _order(grid, lives, rng)]
    rows.append(_credit(rows[2], rng))
    frame = pd.concat(rows, ignore_index=True)
    frame = frame[grid.exported(frame["day"].to_numpy())].sort_values("day", kind="stable")
    draw = rng.random(len(frame))
    void = (draw < 0.01) & (frame["kind"] == "subscription").to_numpy()
    status = np.where(void, "void", np.where(draw > 0.97, NOTHING, "issued"))
    return pd.DataFrame(
        {
            "invoice_no": names.identifiers("INV-", len(frame), digits=7, first=31_250),
            "account_id": frame["account_id"].to_numpy(),
            "customer_name": account_names[frame["account_id"].str[2:].astype(int).to_numpy()],
            "invoice_date": frame["day"].to_numpy().astype("datetime64[D]"),
            "kind": frame["kind"].to_numpy(),
            "product_code": rng.choice(PRODUCTS, len(frame)),
            "deal_ref": frame["deal_ref"].to_numpy(),
            "po_number": names.mostly_empty(rng, ["PO 4471", "po-88/b", "4500012993"], len(frame), 0.2),
            "total": frame["total"].to_numpy(),
            "status": status,
        }
    )


def _first(deals: pd.DataFrame, planted: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """The first invoice of each won deal, on the local day on which it was won, but for the planted disagreements."""
    won = deals[(deals["stage"] == "won") & ~deals["deal_id"].isin(planted["only_in_crm"])]
    late = won["deal_id"].isin(planted["other_period"]).to_numpy()
    cheaper = won["deal_id"].isin(planted["amount_differs"]).to_numpy()
    day = won["closed"].to_numpy().astype("datetime64[D]")
    frame = pd.DataFrame({"account_id": names.account_ids(won["account"].to_numpy()), "kind": "first"})
    frame["deal_ref"] = won["deal_id"].to_numpy()
    frame["day"] = np.where(late, day + LATE_BY, day)
    frame["total"] = np.round(won["amount"].to_numpy() * np.where(cheaper, 0.85, 1.0), 2)
    again = frame[frame["deal_ref"].isin(planted["billed_twice"])]
    return pd.concat([frame, again], ignore_index=True)


def _subscription(grid: Grid, spans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """An invoice a month for every open span, on the customer's own day of the month, or the next working day."""
    months = np.arange(np.datetime64(grid.start, "M"), np.datetime64(grid.end, "M") + 1)
    first, last = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]") - 1
    own = np.minimum(first[None, :] + rng.integers(0, 31, len(spans))[:, None], last[None, :])
    day = np.busday_offset(own, 0, roll="forward")
    start, end = spans["start_date"].to_numpy(), spans["end_date"].to_numpy()
    due = (day > start[:, None]) & ~(day >= end[:, None])
    which, month = np.nonzero(due)
    return pd.DataFrame(
        {
            "account_id": spans["account_id"].to_numpy()[which],
            "kind": "subscription",
            "day": day[which, month],
            "total": spans["mrr"].to_numpy()[which],
        }
    )


def _order(grid: Grid, lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    """Repeat orders of the week's buyers; bigger ones before the dark months."""
    week = np.repeat(np.arange(grid.size), [len(buyers) for buyers in lives.orders])
    total = rng.lognormal(5.0, 0.5, len(week)) * grid.season(0.12)[week]
    return pd.DataFrame(
        {
            "account_id": names.account_ids(np.concatenate(lives.orders)),
            "kind": "order",
            "day": grid.days(rng, week),
            "total": np.round(total, 2),
        }
    )


def _credit(orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A credit for one order in fifty, six working days later."""
    back = orders[rng.random(len(orders)) < 0.02]
    day = np.busday_offset(back["day"].to_numpy().astype("datetime64[D]"), 6, roll="forward")
    return back.assign(kind="credit", day=day, total=-back["total"])
