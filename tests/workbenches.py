"""Companies by chance: a folder of definitions and exports, small and valid, with the oddities that real ones have.

One seed gives one company, byte for byte. Whoever finds one that breaks something says its seed.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Europe/Berlin")
LOCALES = ("en_US", "de_DE", "fr_FR")
WEEK_STARTS = ("monday", "sunday", "saturday")
TEAMS = ("north", "south", "Süd", "a=b", "", "N/A", "None", "north ")
LABELS = ("Orders", "Churn, 30 days", "Red Line 7", "Größe", "ARR > plan", "100 % sure", "=1+1")
FIRST = dt.date(2024, 12, 2)
BEFORE = dt.date(2024, 1, 1)
LIGHTS = {
    "standard": {
        "green": {"at_least": 1.0, "means": "On plan.", "do": "Keep going."},
        "yellow": {"at_least": 0.7, "means": "Recoverable.", "do": "Review.", "act_within": "14d"},
        "red": {"means": "At risk.", "do": "Re-plan."},
    }
}


@dataclass(frozen=True)
class Made:
    """A company by chance: where it is, and days and grains to ask it about."""

    seed: int
    root: Path
    days: tuple[str, ...]
    grain: str


def make(folder: Path, seed: int) -> Made:
    """Write the company of a seed into a new folder."""
    chance = random.Random(seed)
    root = folder / f"company-{seed}"
    (root / "params" / "departments").mkdir(parents=True)
    (root / "data").mkdir()
    length = chance.choice([0, 1, 6, 15, 45, 120, 120, 400, 400, 400])
    sources = {"orders": _orders(chance, root, length)}
    if chance.random() < 0.6:
        sources["spans"] = _spans(chance, root, length)
    write(root / "params" / "company.yaml", _company(chance, sources))
    metrics = _metrics(chance, sources)
    write(
        root / "params" / "departments" / "sales.yaml",
        {
            "department": chance.choice(LABELS),
            "defaults": {"source": "orders", "lights": "standard"},
            "metrics": metrics,
        },
    )
    last = FIRST + dt.timedelta(days=length)
    earlier = last - dt.timedelta(days=chance.randrange(1, 60))
    asked = last - dt.timedelta(days=chance.randrange(1, max(length // 2, 2)))
    if chance.random() < 0.1:
        asked = BEFORE
    grain = chance.choice(["day", "week", "week", "month", "quarter"])
    return Made(seed, root, (str(last), str(earlier), str(asked)), grain)


class Dumper(yaml.SafeDumper):
    """YAML without aliases, which definitions may not have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write(path: Path, content: Any) -> None:
    """Write a file of definitions."""
    text = yaml.dump(content, Dumper=Dumper, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def _company(chance: random.Random, sources: dict[str, Any]) -> dict[str, Any]:
    return {
        "company": chance.choice(LABELS),
        "currency": chance.choice(["USD", "EUR", "JPY"]),
        "locale": chance.choice(LOCALES),
        "timezone": chance.choice(ZONES),
        "calendar": {
            "week_starts": chance.choice(WEEK_STARTS),
            "year": {"starts": chance.choice(["january", "april", "july"])},
        },
        "north_star": ["orders"],
        "lights": LIGHTS,
        "sources": sources,
    }


def _orders(chance: random.Random, root: Path, length: int) -> dict[str, Any]:
    """Rows that happen: one an order, on a day or at a time of the clock."""
    is_stamp = chance.random() < 0.4
    rows = []
    for number in range(chance.choice([0, 1, 3, length, 3 * length, 3 * length, 3 * length])):
        day = FIRST + dt.timedelta(days=chance.randrange(length + 1))
        at = f"{day} {chance.randrange(24):02d}:30:00" if is_stamp else str(day)
        rows.append(
            {
                "id": str(number),
                "at": "" if chance.random() < 0.03 else at,
                "amount": _amount(chance),
                "buyer": f"b{chance.randrange(9)}",
                "team": chance.choice(TEAMS),
                "won": chance.choice(["yes", "no"]),
            }
        )
    if rows and chance.random() < 0.2:
        rows.append(dict(rows[-1]))  # the same row twice counts once
    kind = chance.choice(["csv", "csv", "json"]) if rows else "csv"
    text = _csv(rows, ["id", "at", "amount", "buyer", "team", "won"])
    if kind == "json":
        text = json.dumps([{**row, "amount": float(row["amount"] or 0)} for row in rows])
    (root / "data" / f"orders.{kind}").write_text(text, encoding="utf-8")
    source: dict[str, Any] = {
        "system": "Shop",
        "path": f"orders.{kind}",
        "key": "id",
        "time": "at",
        "columns": {
            "at": {"type": "timestamp" if is_stamp else "date"},
            "amount": {"type": "decimal"},
            "team": {"type": "text"},
            "id": {"type": "text"},
        },
    }
    if is_stamp:
        source["timezone"] = chance.choice(ZONES)
    if chance.random() < 0.3:
        source["covers"] = {"from": FIRST}
    if chance.random() < 0.3:
        source["fresh_within"] = "3d"
    return source


def _amount(chance: random.Random) -> str:
    if chance.random() < 0.05:
        return ""
    size = chance.choice([0.01, 1, 1, 100, 1e6])
    return f"{chance.choice([1, 1, 1, 0, -1]) * size * chance.randrange(1, 300) / 100:.2f}"


def _spans(chance: random.Random, root: Path, length: int) -> dict[str, Any]:
    """Rows that last: subscriptions with a start, and an end where they have one."""
    rows = []
    for number in range(chance.choice([1, 5, 20])):
        start = FIRST + dt.timedelta(days=chance.randrange(length + 1))
        end = start + dt.timedelta(days=chance.randrange(1, 90))
        rows.append(
            {
                "id": str(number),
                "start_date": str(start),
                "end_date": chance.choice(["", str(end)]),
                "fee": str(chance.randrange(1, 90)),
            }
        )
    text = _csv(rows, ["id", "start_date", "end_date", "fee"])
    (root / "data" / "spans.csv").write_text(text, encoding="utf-8")
    columns = {name: {"type": "date"} for name in ("start_date", "end_date")}
    return {
        "system": "Billing", "path": "spans.csv", "time": "start_date",
        "columns": {**columns, "id": {"type": "text"}, "fee": {"type": "decimal"}},
    }  # fmt: skip


def _csv(rows: list[dict[str, str]], columns: list[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _metrics(chance: random.Random, sources: dict[str, Any]) -> dict[str, Any]:
    """The metrics that every company has (with parts that must fit), and some by chance."""
    metrics: dict[str, Any] = {
        "orders": _simple(chance, agg="count", by=["team"]),
        "amount": _simple(chance, agg="sum", expr="amount", by=["team"]),
        "won": _simple(chance, agg="count", filter="won = 'yes'", by=["team"]),
        "win_rate": {
            "type": "ratio",
            "numerator": "won",
            "denominator": "orders",
            "unit": "percent",
        },
        "per_order": {"type": "derived", "expr": "amount / orders", "unit": "USD"},
    }
    others = {
        "middle": _simple(chance, agg=chance.choice(["average", "median", "min", "max"]), expr="amount"),
        "buyers": _simple(chance, agg="count_distinct", expr="buyer"),
        "new_buyers": _simple(chance, agg="first_seen", expr="buyer"),
        "last_amount": _simple(chance, agg="sum", expr="amount", at="end"),
        "year": {"type": "cumulative", "metric": "amount", "window": chance.choice(["4 weeks", "12 months"])},
        "won_later": {
            "type": "conversion", "base_metric": "orders", "conversion_metric": "won", "entity": "buyer",
            "window": chance.choice(["7d", "60d"]), "unit": "percent",
        },
    }  # fmt: skip
    for name in chance.sample(sorted(others), chance.randrange(len(others) + 1)):
        metrics[name] = others[name]
    if "spans" in sources:
        metrics["active"] = {
            "type": "simple",
            "measure": {
                "source": "spans", "agg": "count_distinct", "expr": "id",
                "open": {"from": "start_date", "to": "end_date"}, "at": "end",
            },
        }  # fmt: skip
    for metric in metrics.values():
        metric["label"] = chance.choice(LABELS)
        if chance.random() < 0.3:
            metric["better"] = chance.choice(["up", "down"])
    return metrics


def _simple(
    chance: random.Random, *, by: list[str] | None = None, **measure: Any
) -> dict[str, Any]:
    metric: dict[str, Any] = {"type": "simple", "measure": measure}
    if by and chance.random() < 0.7:
        metric["by"] = by
    if chance.random() < 0.6:
        usual = 3.2 if measure["agg"] == "count" else 250_000
        value = chance.choice([0, 1, 12.5, 1e-12, 1e15, -3, 40, usual, usual, usual])
        target = {"from": FIRST, "value": value}
        if measure["agg"] in {"count", "sum", "first_seen"} and "at" not in measure:
            target["per"] = chance.choice(["day", "week", "month"])
        metric["targets"] = [target]
    return metric
