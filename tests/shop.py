"""README's shop: its eight orders as a csv, and what the examples of the helper package are told about."""

from __future__ import annotations

import datetime as dt
import io
import re
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

README = Path(__file__).parents[1] / "README.md"


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
