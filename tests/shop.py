"""README's shop: its eight orders as a csv, and what the examples of the helper package are told about."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from dataops_nb import (
    alignment,
    board,
    charts,
    controls,
    definitions,
    drivers,
    limits,
    links,
    pacing,
    periods,
    reconciliation,
    sources,
    status,
    story,
    tables,
    workbench,
)
from dataops_nb.company import Memory

README = Path(__file__).parents[1] / "README.md"

FIRM = """
company: Shop
currency: EUR
timezone: UTC
north_star: [amount]
lights:
  standard:
    green: {at_least: 1.0, means: "On plan.", do: "Keep going."}
    yellow: {at_least: 0.85, means: "Recoverable.", do: "Review this week.", act_within: 14d}
    red: {means: "The plan is at risk.", do: "Stop and plan again.", act_within: 5d}
sources:
  orders: {system: Shop, owner: Shop Ops, path: orders.csv, key: order_id, time: ordered_on}
  payments: {system: Bank, owner: Finance, path: payments.csv, key: order_id, time: paid_on, fresh_within: 3d}
"""
FIRM_SHOP = """
department: Shop
owner: Head of Shop
defaults: {source: orders, better: up, lights: standard}
metrics:
  amount:
    label: Revenue
    question: Do we sell enough to live on?
    type: simple
    measure: {agg: sum, expr: amount}
    unit: EUR
    targets: [{from: 2026-01-01, per: week, value: 400}]
    reconcile: [{with: paid, key: {left: order_id, right: order_id}, amount: {left: amount, right: amount}, tolerance: 2%}]
    pitch: {a: "We sold {amount.value} of {amount.target}.", b: "Revenue was {amount.value} this week."}
  new_customers:
    label: New customers
    type: simple
    measure: {agg: first_seen, expr: customer}
    unit: customers
    targets: [{from: 2026-01-01, per: week, value: 2}]
    moves: [{metric: amount, after: 1w, because: "who comes once comes again"}]
"""
FIRM_BANK = """
department: Finance
owner: Head of Finance
metrics:
  paid: {label: Paid, type: simple, measure: {source: payments, agg: sum, expr: amount}, unit: EUR, better: up}
  paid_share: {label: Paid share, type: ratio, numerator: paid, denominator: amount, unit: percent, better: up}
"""
FIRM_SOLVE = """
- {id: export, title: Payments arrive late, metric: amount, raised_by: Finance, raised_on: 2026-10-20, effort: 5d, asked: 2, state: open}
"""
FIRM_PAID = """order_id,paid_on,amount
1001,2026-10-27,120.00
1002,2026-10-29,80.00
1003,2026-11-03,60.00
1004,2026-11-06,150.00
1005,2026-11-10,90.00
1006,2026-11-11,45.00
1007,2026-11-12,110.00
"""


def csv() -> str:
    """The text of README's orders."""
    return re.search(r"```csv\n(.*?)```", README.read_text(), re.DOTALL)[1]


def orders() -> pd.DataFrame:
    """README's orders, as pandas reads them."""
    return pd.read_csv(io.StringIO(csv()))


COMPANY = """
company: Shop
currency: EUR
timezone: {timezone}
{calendar}
lights:
  standard:
    green: {{at_least: 1.0, means: "On plan.", do: "Keep going."}}
    yellow: {{at_least: 0.85, means: "Recoverable.", do: "Review."}}
    red: {{means: "At risk.", do: "Re-plan."}}
sources:
  orders: {{system: Shop, path: orders.csv, {source}}}
"""


def department() -> str:
    """README's params/departments/first.yaml."""
    return re.search(r"```yaml\n(department: Shop.*?)```", README.read_text(), re.DOTALL)[1]


def folder(
    where: Path,
    *,
    rows: str | None = None,
    metrics: str | None = None,
    source: str = "time: ordered_on",
    timezone: str = "UTC",
    calendar: str = "",
) -> Path:
    """Write README's shop as a workbench; what is named is another one than README's."""
    params = where / "params"
    (params / "departments").mkdir(parents=True)
    (where / "data").mkdir()
    said = COMPANY.format(source=source, timezone=timezone, calendar=calendar)
    (params / "company.yaml").write_text(said)
    (params / "departments" / "first.yaml").write_text(metrics or department())
    (where / "data" / "orders.csv").write_text(rows or csv())
    return where


def opened(where: Path, as_of: str) -> sources.Catalog:
    """The rows of such a workbench."""
    known = definitions.load(where / "params")
    return sources.open(known, where / "data", dt.date.fromisoformat(as_of))


class Told(Memory):
    """What a company has said of the week before: values, lights, a note, and who was told."""

    def __init__(self, before: board.Board) -> None:
        told = before.table.assign(as_of=pd.Timestamp(before.as_of), report="shop", run="a1b2c3")
        self._said = told[told["value"].notna() & (told["metric"] != "new_customers")]

    def published(self) -> pd.DataFrame:
        """The values of the week before; one of them was another."""
        rows = self._said.assign(definition="", published_at="2026-11-09T06:00:00Z")
        is_other = (rows["metric"] == "amount") & (rows["period"] == "2026-W44")
        rows.loc[is_other, "value"] = 180.0
        return rows[[*super().published().columns]]

    def lights(self) -> pd.DataFrame:
        """The lights of the week before."""
        return self._said[[*super().lights().columns]]

    def notes(self, as_of: dt.date) -> pd.DataFrame:
        """What Finance is doing about its own number."""
        note = {"noted_at": "2026-11-13T09:00:00Z", "as_of": "2026-11-13"}
        note |= {"metric": "amount", "grain": "week", "period": "2026-W46", "light": "red"}
        note |= {"who": "Ann", "kind": "note", "text": "The fair starts on Thursday.", "open": True}
        return pd.DataFrame([note])

    def communications(self, metrics: Iterable[str], as_of: dt.date) -> pd.DataFrame:
        """Revenue alone was published."""
        rows = super().communications(metrics, as_of)
        is_revenue = rows["metric"] == "amount"
        rows.loc[is_revenue, "published"] = dt.date(2026, 11, 9)
        rows.loc[is_revenue, "report"] = "shop"
        return rows

    def latest(self) -> dict[str, Any]:
        """The run that published it."""
        report = {"report": "shop", "state": "ok", "light": "red", "period": "2026-W45"}
        report |= {"as_of": "2026-11-08", "finished": "2026-11-09T06:00:00Z"}
        return {
            "run": "a1b2c3",
            "as_of": "2026-11-08",
            "finished": report["finished"],
            "reports": [report],
        }


def firm(where: Path) -> board.Board:
    """A company with a shop and a bank, which has published a report before."""
    files = {
        "params/company.yaml": FIRM,
        "params/departments/finance.yaml": FIRM_BANK,
        "params/departments/shop.yaml": FIRM_SHOP,
        "params/solve_next.yaml": FIRM_SOLVE,
        "data/orders.csv": csv(),
        "data/payments.csv": FIRM_PAID,
    }
    for name, text in files.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(text)
    metrics = ["amount", "new_customers", "paid", "paid_share"]
    before = board.measure(opened(where, "2026-11-08"), metrics)
    return board.measure(opened(where, "2026-11-15"), metrics, memory=Told(before))


def names(where: Path) -> dict[str, Any]:
    """What every example of the helper package may use; the shop's workbench is written to a folder."""
    folder(where)
    rows = orders()
    shown = {"time": "ordered_on", "as_of": "2026-11-15"}
    revenue = alignment.from_frame(rows, "revenue", value="amount", by="channel", **shown)
    buyers = alignment.from_frame(rows, "buyers", value="customer", agg="count_distinct", **shown)
    agreed = {"revenue": status.Agreement(target=300, better="up", yellow=0.85)}
    sold = status.judge(revenue, agreed)
    money = {"units": {"revenue": "EUR"}, "currency": "EUR"}
    both = status.judge(alignment.combine(revenue, buyers), agreed)
    now = alignment.from_frame(
        rows, "revenue", time="ordered_on", value="amount", as_of="2026-11-12"
    )
    paced = pacing.add_pace(now, agreed, "2026-11-12", flows=["revenue"])
    return {
        "rows": opened(where, "2026-11-15"),
        "wb": workbench.open(where),
        "workbench": workbench,
        "dt": dt,
        "here": folder(where / "own"),
        "company": firm(where / "firm"),
        "both": board.of(both, lead="revenue", **money),
        "open_week": board.of(status.judge(paced, agreed), **money),
        "pd": pd,
        "orders": rows,
        "revenue": revenue,
        "buyers": buyers,
        "agreed": agreed,
        "sold": sold,
        "this": board.of(sold, **money),
        "alignment": alignment,
        "board": board,
        "charts": charts,
        "controls": controls,
        "drivers": drivers,
        "limits": limits,
        "links": links,
        "pacing": pacing,
        "periods": periods,
        "reconciliation": reconciliation,
        "status": status,
        "story": story,
        "tables": tables,
    }
