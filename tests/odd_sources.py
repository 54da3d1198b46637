"""Where the rows of companies by chance stand: databases, dated exports, joins, plans, rates, versions, long tables.

`add` gives a company of `tests/odd_workbenches.py` some of these sources and metrics of them. Every one is valid.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
import sqlite3
from pathlib import Path
from typing import Any

import duckdb

from tests.workbenches import FIRST

Rows = list[tuple[Any, ...]]
PLAIN = ("header", "footer", "encoding", "delimiter", "timezone")


def add(
    chance: random.Random, root: Path, company: dict[str, Any], department: dict[str, Any]
) -> None:
    """Add what chance says to the sources of a company and the metrics of its department."""
    ways = [
        _move_orders,
        _join,
        _exports,
        _plan,
        _bills,
        _versions,
        _deadlines,
        _long_table,
        _seasons,
    ]
    for way in chance.sample(ways, chance.randrange(len(ways))):
        way(chance, root, company["sources"], department["metrics"])
        if way is _bills:
            company["rates"] = {
                "source": "fx", "time": "day", "from": "currency", "to": company["currency"],
                "rate": "rate", "fill": "previous",
            }  # fmt: skip
        if way is _long_table:
            department["metrics_from"] = [
                {
                    "source": "facts",
                    "id": "name",
                    "prefix": "f_",
                    "label": "name",
                    "expr": "v",
                    "agg": "sum",
                }
            ]


def place(
    chance: random.Random, root: Path, name: str, columns: dict[str, str], rows: Rows
) -> dict[str, Any]:
    """Write a table where chance says; return what its source says of the place."""
    kind = chance.choice(["csv", "sqlite", "duckdb", "parquet"])
    if kind == "csv":
        with (root / "data" / f"{name}.csv").open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows([tuple(columns), *rows])
        return {"path": f"{name}.csv"}
    typed = ", ".join(f'"{column}" {type_}' for column, type_ in columns.items())
    marks = ", ".join("?" * len(columns))
    place = root / "data" / (f"{name}.db" if kind == "sqlite" else f"{name}.{kind}")
    if kind == "sqlite":
        lite = sqlite3.connect(place)
        lite.execute(f"create table {name} ({typed})")
        lite.executemany(f"insert into {name} values ({marks})", [_written(row) for row in rows])
        lite.commit()
        lite.close()
        return {"url": f"sqlite:{place.name}", "table": name}
    with duckdb.connect(str(place) if kind == "duckdb" else ":memory:") as con:
        con.execute(f"create table {name} ({typed})")
        if rows:
            con.executemany(f"insert into {name} values ({marks})", rows)
        if kind == "parquet":
            con.execute(f"copy {name} to '{place}' (format parquet)")
            return {"path": place.name}
    return {"url": f"duckdb:{place.name}", "table": name}


def _written(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(str(cell) if isinstance(cell, dt.date) else cell for cell in row)


def _day(chance: random.Random, last: int = 90) -> dt.date:
    return FIRST + dt.timedelta(days=chance.randrange(last))


def _move_orders(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """Move the orders from their file into a database or parquet file."""
    source = sources["orders"]
    path = root / "data" / source.get("path", "")
    if path.suffix != ".csv" or any(key in source for key in PLAIN):
        return
    header, *rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    columns = dict.fromkeys(header, "varchar") | {"at": "date", "amount": "double"}
    cells = [tuple(cell or None for cell in row) for row in rows]
    moved = place(chance, root, "orders", columns, cells)
    source.pop("path")
    source.update(moved)


def _join(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """Two tables of their own, and a query that joins them."""
    bought = [
        (n, _day(chance), chance.randrange(1, 50), chance.choice("abc"))
        for n in range(chance.choice([0, 1, 60]))
    ]
    columns = {"id": "integer", "day": "date", "v": "integer", "shop": "varchar"}
    stream = random.Random(chance.random())
    for name, rows, typed in (
        ("bought", bought, columns),
        ("shops", [("a", "North"), ("b", "Süd")], {"shop": "varchar", "region": "varchar"}),
    ):
        with (root / "data" / f"{name}.csv").open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows([tuple(typed), *rows])
        sources[name] = {"system": "Shop", "path": f"{name}.csv"}
    sources["bought"] |= {
        "time": "day",
        "columns": {"day": {"type": "date"}, "v": {"type": "integer"}},
    }
    kind = stream.choice(["join", "left join"])
    query = f"select bought.day, bought.v, shops.region from bought {kind} shops on bought.shop = shops.shop"
    sources["joined"] = {"system": "Both", "query": query, "time": "day"}
    metrics["regional"] = {
        "type": "simple",
        "measure": {"source": "joined", "agg": "sum", "expr": "v"},
        "by": ["region"],
    }


def _exports(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """An export a month, each with all rows up to its day."""
    for day in (
        dt.date(2023, 12, 31),
        FIRST + dt.timedelta(days=20),
        FIRST + dt.timedelta(days=60),
    ):
        lines = [f"{FIRST + dt.timedelta(days=n)},{n}" for n in range(max(0, (day - FIRST).days))]
        (root / "data" / f"stock-{day}.csv").write_text("\n".join(["day,v", *lines]) + "\n")
    sources["stock"] = {"system": "Store", "path": "stock-{snapshot}.csv", "time": "day",
                        "columns": {"day": {"type": "date"}, "v": {"type": "integer"}}}  # fmt: skip
    metrics["in_stock"] = {
        "type": "simple",
        "measure": {"source": "stock", "agg": "sum", "expr": "v", "at": "end"},
    }


def _plan(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """Targets that stand in a table."""
    rows = [
        (FIRST + dt.timedelta(days=7 * n), float(chance.randrange(1, 30)))
        for n in range(chance.choice([1, 12, 80]))
    ]
    sources["plan"] = {
        "system": "Sheet",
        **place(chance, root, "plan", {"day": "date", "goal": "double"}, rows),
        "time": "day",
    }
    metrics["planned"] = {
        "type": "simple", "measure": {"agg": "count"},
        "targets": [{"source": "plan", "column": "goal", "per": "week"}],
    }  # fmt: skip


def _bills(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """Amounts in several currencies, and their rates, each in a place of its own."""
    rows = [
        (n, _day(chance), chance.randrange(-5, 90), chance.choice(["EUR", "USD", "JPY", "CHF"]))
        for n in range(chance.choice([1, 40]))
    ]
    rates = [
        (FIRST + dt.timedelta(days=n), one, round(chance.uniform(0.5, 2), 4))
        for n in (-400, 3, 30)
        for one in ("EUR", "USD", "JPY", "CHF")
    ]
    columns = {"id": "integer", "day": "date", "amount": "integer", "currency": "varchar"}
    sources["bills"] = {
        "system": "Books",
        **place(chance, root, "bills", columns, rows),
        "time": "day",
        "key": "id",
    }
    columns = {"day": "date", "currency": "varchar", "rate": "double"}
    sources["fx"] = {"system": "Bank", **place(chance, root, "fx", columns, rates), "time": "day"}
    if chance.random() < 0.5:
        sources["bills"]["columns"] = {"currency": {"references": "fx.currency"}}
    metrics["billed"] = {
        "type": "simple",
        "measure": {"source": "bills", "agg": "sum", "expr": "amount", "currency": "currency"},
    }
    metrics["per_bill"] = {
        "type": "simple",
        "measure": {"source": "bills", "agg": "average", "expr": "amount", "currency": "currency"},
    }


def _versions(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """Deals as they were made and as they were changed later."""
    rows: Rows = []
    for key in range(chance.choice([1, 20])):
        made = chance.randrange(60)
        for changed in sorted({made, made + chance.randrange(30)}):
            stage = chance.choice(["open", "won", "lost"])
            rows.append(
                (key, FIRST + dt.timedelta(days=made), FIRST + dt.timedelta(days=changed), stage)
            )
    columns = {"id": "integer", "day": "date", "updated": "date", "stage": "varchar"}
    sources["deals"] = {
        "system": "CRM",
        **place(chance, root, "deals", columns, rows),
        "time": "day",
        "key": "id",
        "latest": "updated",
    }
    metrics["deals"] = {
        "type": "simple",
        "measure": {"source": "deals", "agg": "count"},
        "by": ["stage"],
    }
    metrics["deals_won"] = {
        "type": "simple",
        "measure": {"source": "deals", "agg": "count", "filter": "stage = 'won'"},
    }
    metrics["deal_rate"] = {
        "type": "ratio",
        "numerator": "deals_won",
        "denominator": "deals",
        "unit": "percent",
    }
    metrics["deal_later"] = {
        "type": "conversion", "base_metric": "deals", "conversion_metric": "deals_won", "entity": "id",
        "window": "21d", "unit": "percent",
    }  # fmt: skip


def _deadlines(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """Items that are known from their booking, and counted on their deadline."""
    rows = []
    for number in range(chance.choice([1, 30])):
        booked = _day(chance)
        rows.append((number, booked, booked + dt.timedelta(days=chance.randrange(40))))
    columns = {"id": "integer", "booked": "date", "due": "date"}
    sources["items"] = {
        "system": "Store",
        **place(chance, root, "items", columns, rows),
        "time": "due",
        "exists_from": "booked",
    }
    metrics["due"] = {"type": "simple", "measure": {"source": "items", "agg": "count"}}


def _long_table(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """One row a name and a month, as tables of indicators are."""
    rows = [
        (name, FIRST + dt.timedelta(days=30 * n), chance.choice([None, 0.5, 7.0]))
        for n in range(chance.choice([1, 4, 20])) for name in ("visits", "Größe")
    ]  # fmt: skip
    columns = {"name": "varchar", "day": "date", "v": "double"}
    sources["facts"] = {
        "system": "Sheet",
        **place(chance, root, "facts", columns, rows),
        "time": "day",
    }


def _seasons(chance: random.Random, root: Path, sources: Any, metrics: Any) -> None:
    """Targets with seasons, and such as last year gives their shape."""
    season = {"december": chance.choice([0, 0.8, 2]), "july": 1.5}
    for name in ("orders", "amount"):
        target = {"from": FIRST, "per": chance.choice(["week", "month", "year"]), "value": 40}
        if chance.random() < 0.5:
            target["season"] = season
        elif target["per"] == "year":
            target["shape"] = "last_year"
        metrics[name]["targets"] = [target]
