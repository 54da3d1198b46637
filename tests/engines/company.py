"""A small company that asks for everything the metric language can say, and its rows: 12 weeks, drawn from a fixed seed."""

from __future__ import annotations

import csv
import datetime as dt
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMPANY = """
company: Lumen
currency: USD
timezone: America/New_York
lights:
  standard:
    green: {at_least: 1.0, means: "On plan.", do: "Keep going."}
    red: {means: "At risk.", do: "Re-plan."}
rates: {source: fx, time: day, from: currency, to: USD, rate: rate, fill: previous}
sources:
  deals: {system: CRM, url: "URL", table: deals, key: deal_id, time: closed_at, timezone: UTC, columns: {amount: {min: 0}, stage: {one_of: [won, lost, open]}, account_id: {references: accounts.account_id}}}
  accounts: {system: CRM, url: "URL", table: accounts, key: account_id, time: since, columns: {account_id: {unique: true}}}
  meetings: {system: CRM, url: "URL", table: meetings, key: meeting_id, time: held_on}
  spans: {system: Billing, url: "URL", table: spans, key: id, time: starts}
  invoices: {system: Billing, url: "URL", table: invoices, key: [invoice, line], latest: changed, time: day}
  fx: {system: Bank, url: "URL", table: fx, time: day}
  plan: {system: Sheet, url: "URL", table: plan, time: day}
  facts: {system: Sheet, url: "URL", table: facts, time: day}
  big: {system: CRM, query: "select deal_id, closed_at, amount, region from deals join accounts using (account_id) where amount > 50", key: deal_id, time: closed_at, timezone: UTC}
"""

DEPARTMENT = """
department: Shop
defaults: {source: deals, better: up}
metrics:
  won: {type: simple, measure: {agg: count, filter: "stage = 'won'"}, by: [{column: team, values: accounts.team}, [team, stage]], targets: [{source: plan, column: won, per: month, match: {team: team}}], lights: standard, reconcile: [{with: billed, key: {left: deal_id, right: invoice}, amount: {left: amount, right: total}, tolerance: 2%}]}
  billed: {type: simple, measure: {source: invoices, agg: count}}
  lost: {type: simple, measure: {agg: count, exclude: "stage <> 'lost'"}}
  revenue: {type: simple, measure: {agg: sum, expr: amount, filter: "stage = 'won'", currency: currency}, by: [team]}
  plain: {type: simple, measure: {agg: sum, expr: "amount * 2 - 1"}}
  mean: {type: simple, measure: {agg: average, expr: amount}, by: [team]}
  least: {type: simple, measure: {agg: min, expr: amount}}
  most: {type: simple, measure: {agg: max, expr: amount}}
  middle: {type: simple, measure: {agg: median, expr: amount}, by: [team]}
  most_of: {type: simple, measure: {agg: percentile, q: 0.9, expr: amount}, by: [team]}
  buyers: {type: simple, measure: {agg: count_distinct, expr: account_id, filter: "stage = 'won'"}, by: [team]}
  new_buyers: {type: simple, measure: {agg: first_seen, expr: account_id}, by: [team]}
  fresh: {type: simple, measure: {agg: count, filter: "cast(closed_at as date) - interval 3 day >= :period_start"}}
  share: {type: ratio, numerator: won, denominator: all, unit: percent}
  all: {type: simple, measure: {agg: count}, by: [team]}
  trailing: {type: cumulative, metric: plain, window: 28d}
  trailing_buyers: {type: cumulative, metric: buyers, window: 2 months}
  each: {type: derived, expr: revenue / buyers}
  growth: {type: derived, expr: revenue / before - 1, parts: {before: {metric: revenue, offset: 1 period}}}
  running: {type: simple, measure: {source: spans, agg: sum, expr: mrr, open: {from: starts, to: ends}, at: end}}
  subscribers: {type: simple, measure: {source: spans, agg: count_distinct, expr: account_id, open: {from: starts, to: ends}}}
  stock: {type: simple, measure: {source: spans, agg: sum, expr: mrr, at: end}}
  met: {type: simple, measure: {source: meetings, agg: count}, by: [team]}
  converts: {type: conversion, base_metric: met, conversion_metric: won, entity: account_id, window: 14d, unit: percent, by: [team]}
  converts_month: {type: conversion, base_metric: met, conversion_metric: new_buyers, entity: account_id, window: 1 month, unit: percent}
  large: {type: simple, measure: {source: big, agg: sum, expr: amount}, by: [region]}
metrics_from:
  - {source: facts, id: id, prefix: f_, label: label, expr: v, agg: sum, at: end, better: {column: direction, map: {Up: up, Down: down}}}
"""


@dataclass(frozen=True)
class Table:
    """A table's columns with their kinds, and its rows."""

    columns: dict[str, str]
    rows: list[list[Any]]


def write_csv(path: Path, table: Table) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(table.columns)
        writer.writerows(["" if v is None else v for v in row] for row in table.rows)


def _tables() -> dict[str, Table]:
    rng, start = random.Random(7), dt.datetime(2026, 1, 1)
    accounts = [f"a{i:02d}" for i in range(40)]
    team, region = (
        {a: rng.choice(["Ost", "ost", "West", None, "Äon"]) for a in accounts},
        {a: rng.choice(["n", "s"]) for a in accounts},
    )

    def moment() -> dt.datetime:
        return start + dt.timedelta(hours=rng.randrange(24 * 84), minutes=rng.randrange(60))

    deals = [
        [
            i,
            a,
            team[a],
            rng.choice(["won", "won", "lost", "open", None]),
            round(rng.uniform(1, 100), 2),
            rng.choice(["USD", "EUR"]),
            moment(),
        ]
        for i, a in enumerate(rng.choices(accounts, k=300))
    ]
    deals.append(list(deals[5]))  # an identical repeat counts once
    meetings = [
        [i, a, team[a], moment().date()] for i, a in enumerate(rng.choices(accounts, k=120))
    ]
    spans = []
    for i, a in enumerate(rng.choices(accounts, k=60)):
        first = moment().date()
        spans.append(
            [
                i,
                a,
                rng.randrange(10, 90),
                first,
                rng.choice([None, first + dt.timedelta(days=rng.randrange(1, 60))]),
            ]
        )
    invoices = [
        [
            d[0],
            1,
            round(d[4] + rng.choice([0, 0, 0, 1.25]), 2),
            (d[6] + dt.timedelta(days=rng.choice([0, 0, 1, 8]))).date(),
            rng.randrange(5),
        ]
        for d in deals[:-1]
        if d[3] == "won" and rng.random() < 0.9
    ]
    invoices += [
        [*row[:2], row[2] + 1, row[3], row[4] + 9] for row in invoices[:4]
    ]  # a later version of a line
    fx = [
        ["EUR", (start + dt.timedelta(days=i - 5)).date(), 1.05 + i / 1000] for i in range(0, 92, 3)
    ]
    plan = [[t, dt.date(2026, m, 1), 20 + m] for m in (1, 2, 3) for t in ("Ost", "West")]
    facts = [
        [
            f"x{j}",
            f"Fact {j}",
            rng.choice(["Up", "Down"]),
            (start + dt.timedelta(days=i)).date(),
            i * j + 0.5,
        ]
        for i in range(0, 84, 5)
        for j in range(6)
    ]
    return {
        "deals": Table(
            {
                "deal_id": "integer",
                "account_id": "text",
                "team": "text",
                "stage": "text",
                "amount": "decimal",
                "currency": "text",
                "closed_at": "timestamp",
            },
            deals,
        ),
        "accounts": Table(
            {"account_id": "text", "team": "text", "region": "text", "since": "date"},
            [[a, team[a], region[a], dt.date(2025, 12, 31)] for a in accounts],
        ),
        "meetings": Table(
            {"meeting_id": "integer", "account_id": "text", "team": "text", "held_on": "date"},
            meetings,
        ),
        "spans": Table(
            {
                "id": "integer",
                "account_id": "text",
                "mrr": "integer",
                "starts": "date",
                "ends": "date",
            },
            spans,
        ),
        "invoices": Table(
            {
                "invoice": "integer",
                "line": "integer",
                "total": "decimal",
                "day": "date",
                "changed": "integer",
            },
            invoices,
        ),
        "fx": Table({"currency": "text", "day": "date", "rate": "decimal"}, fx),
        "plan": Table({"team": "text", "day": "date", "won": "integer"}, plan),
        "facts": Table(
            {"id": "text", "label": "text", "direction": "text", "day": "date", "v": "decimal"},
            facts,
        ),
    }


TABLES = _tables()
