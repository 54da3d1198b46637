"""What real companies add to a small one: other files and calendars, reasons, agreements, and weeks that are corrected.

`dress` takes a company of `tests/workbenches.py` and gives it more of what definitions may say; `correct` changes rows behind
weeks that were published. Both are by chance, and the same for the same seed.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tests import odd_sources, workbenches
from tests.workbenches import FIRST, Made

UNITS = ("", "deals", "USD", "EUR", "hours", "days", "point", "%", "1,000 rows", "kg")
MEMBERS = ("north", "south", "Süd", "a=b", "North", "all", "Total", "1", "null", "x,y")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
REPORTS = {"north-star": "10_north_star", "solve": "60_solve_next", "agree": "15_reconcile"}


def dress(made: Made) -> Made:
    """Add to a company what its seed says, reports too."""
    chance = random.Random(f"dress {made.seed}")
    company = _read(made.root / "params" / "company.yaml")
    sales = made.root / "params" / "departments" / "sales.yaml"
    department = _read(sales)
    _files(chance, made.root, company)
    _calendar(chance, company)
    _lights(chance, company)
    metrics = department["metrics"]
    metrics |= _more_metrics(chance, company, metrics)
    odd_sources.add(random.Random(f"sources {made.seed}"), made.root, company, department)
    for name in list(metrics):
        _agree(chance, name, metrics)
    _north_star(chance, company, metrics)
    if chance.random() < 0.5:
        _second_department(chance, made.root, metrics)
    _beside(chance, made.root, metrics)
    workbenches.write(made.root / "params" / "company.yaml", company)
    workbenches.write(sales, department)
    _reports(made.root)
    return made


def correct(made: Made) -> bool:
    """Change what stands behind weeks that were published; False where there is nothing to change."""
    chance = random.Random(f"correct {made.seed}")
    path = made.root / "data" / "orders.csv"
    if not path.is_file():
        return False
    lines = path.read_bytes().split(b"\n")
    if len(lines) < 4:
        return False
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(1, len(lines) - 1)
        if chance.random() < 0.5 and len(lines) > 4:
            del lines[place]
        else:
            lines[place] = lines[place].replace(b"1", b"7").replace(b"2", b"1", 1)
    path.write_bytes(b"\n".join(lines))
    return True


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _files(chance: random.Random, root: Path, company: dict[str, Any]) -> None:
    """Keep the orders as another program writes them."""
    source = company["sources"]["orders"]
    path = root / "data" / source["path"]
    if path.suffix != ".csv" or chance.random() < 0.4:
        return
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    kind = chance.choice(["semicolon", "cp1252", "utf-16", "parquet", "header", "footer", "xlsx"])
    if kind == "semicolon":
        place = rows[0].index("amount")
        for row in rows[1:]:
            row[place] = row[place].replace(".", ",")
        source |= {"delimiter": ";", "decimal": ","}
        _rows(path, rows, delimiter=";")
    elif kind in {"cp1252", "utf-16"}:
        source["encoding"] = kind
        _rows(path, rows, encoding=kind)
    elif kind == "header":
        source["header"] = 3
        _rows(path, [["Export of the shop"], ["made by hand"], *rows])
    elif kind == "footer":
        source["footer"] = 1
        _rows(path, [*rows, ["Total", "", "1", "", "", ""]])
    elif kind == "xlsx" and len(rows) > 1:
        path.unlink()
        source["path"] = "orders.xlsx"
        pd.DataFrame(rows[1:], columns=rows[0]).to_excel(root / "data" / "orders.xlsx", index=False)
    elif kind == "parquet" and len(rows) > 1:
        path.unlink()
        source["path"] = "orders.parquet"
        frame = pd.DataFrame(rows[1:], columns=rows[0]).replace("", None)
        frame["at"] = pd.to_datetime(frame["at"]).astype("datetime64[us]")
        frame["amount"] = pd.to_numeric(frame["amount"])
        frame.to_parquet(root / "data" / "orders.parquet")
        source["columns"].pop("at")


def _rows(path: Path, rows: list[list[str]], encoding: str = "utf-8", delimiter: str = ",") -> None:
    with path.open("w", encoding=encoding, newline="", errors="replace") as handle:
        csv.writer(handle, delimiter=delimiter, lineterminator="\n").writerows(rows)


def _calendar(chance: random.Random, company: dict[str, Any]) -> None:
    if chance.random() < 0.2:
        pattern = chance.choice(["4-5-4", "4-4-5", "5-4-4"])
        end = chance.choice(["saturday nearest january 31", "last saturday of june"])
        company["calendar"] = {"year": {"pattern": pattern, "ends": end, "named": "start"}}
    elif company["calendar"].get("week_starts") != "monday" and chance.random() < 0.5:
        company["calendar"]["week_one"] = chance.choice(["first_full", "january_1"])


def _lights(chance: random.Random, company: dict[str, Any]) -> None:
    lights = json.loads(json.dumps(company["lights"]))
    if chance.random() < 0.3:
        lights["standard"].pop("yellow")
    if chance.random() < 0.3:
        lights["standard"]["policy"] = "capability"
    company["lights"] = lights


def _more_metrics(
    chance: random.Random, company: dict[str, Any], known: dict[str, Any]
) -> dict[str, Any]:
    more: dict[str, Any] = {
        "growth": {
            "type": "derived", "expr": "amount / before - 1", "unit": "percent",
            "parts": {"before": {"metric": "amount", "offset": chance.choice(["1 period", "2 periods"])}},
        },
        "share": {
            "type": "ratio", "numerator": "won", "unit": "percent",
            "denominator": {"metric": "orders", "offset": "1 period"},
        },
        "large": {"type": "simple", "measure": {"agg": "percentile", "q": 0.9, "expr": "amount"}},
        "spread": {"type": "derived", "expr": "amount - 2 * won"},
        "rolling": {"type": "cumulative", "metric": "win_rate", "window": "8w", "unit": "percent"},
        "rare": {"type": "simple", "measure": {"agg": "sum", "expr": "amount", "filter": "amount > 250 and won = 'yes'"}},
        "not_north": {"type": "simple", "measure": {"agg": "count", "exclude": "team = 'north'"}},
        "books": {"type": "simple", "measure": {"agg": "sum", "expr": "amount", "filter": "team <> 'south' or won = 'yes'"}},
        "huge": {"type": "derived", "expr": "amount * 1000000 * 1000000"},
        "tiny": {"type": "derived", "expr": "amount / 1000000 / 1000000"},
        "minus": {"type": "derived", "expr": "0 - amount"},
        "in_window": {"type": "simple", "measure": {"agg": "count", "filter": "cast(at as date) >= :period_start"}},
    }  # fmt: skip
    if "spans" in company["sources"]:
        more["fees"] = {
            "type": "simple",
            "measure": {
                "source": "spans", "agg": "sum", "expr": "fee", "at": "end",
                "open": {"from": "start_date", "to": "end_date"},
            },
        }  # fmt: skip
        more["churn"] = {
            "type": "ratio", "unit": "percent", "better": "down",
            "numerator": "ended", "denominator": {"metric": "active", "offset": "1 period"},
        }  # fmt: skip
        more["ended"] = {
            "type": "simple",
            "measure": {"source": "spans", "agg": "count", "time": "end_date"},
        }
    if "new_buyers" not in known:
        more["new_buyers"] = {"type": "simple", "measure": {"agg": "first_seen", "expr": "buyer"}}
    names = chance.sample(sorted(more), chance.randrange(len(more) + 1))
    if "churn" in names:
        names += ["ended"]
    return {name: more[name] for name in dict.fromkeys(names) if name not in known}


def _agree(chance: random.Random, name: str, metrics: dict[str, Any]) -> None:
    """Add agreements about a metric that fit its type."""
    metric = metrics[name]
    if not metric.get("unit") and chance.random() < 0.4:
        metric["unit"] = chance.choice(UNITS)
    others = [other for other in metrics if other != name]
    if chance.random() < 0.25:
        metric["limits"] = chance.choice([
            {"chart": "xmr"}, {"chart": "log"}, {"chart": "laney"}, {"rules": "nhs"}, {"rules": "anhoej"},
            {"range": "median"}, {"screen": True}, {"trend": True}, {"season": True},
            {"rebase": [{"from": FIRST + dt.timedelta(days=20), "because": "a new shop"}]},
            {"lock": {"from": FIRST, "to": FIRST + dt.timedelta(days=70), "because": "quiet weeks"}},
            {"leave_out": [{"from": FIRST + dt.timedelta(days=9), "because": "a strike, and 3 days of rain"}]},
        ])  # fmt: skip
    if chance.random() < 0.2:
        metric["accept"] = [{
            "light": chance.choice(["red", "yellow"]), "owner": chance.choice(["CFO", "=cmd", "M. O'Hara"]),
            "until": FIRST + dt.timedelta(days=chance.randrange(500)), "because": "moved to 2 sites",
        }]  # fmt: skip
    if chance.random() < 0.3:
        metric["moves"] = [{
            "metric": chance.choice(others), "after": chance.choice(["2w", "0w", "1 period", "3m"]),
            "effect": chance.choice(["same", "opposite"]),
        }]  # fmt: skip
    if chance.random() < 0.2:
        metric["pitch"] = {
            "a": f"We had {{{name}.value}} this week.",
            "b": f"{{{name}.value}} after {{{name}.previous}}.",
        }
    if chance.random() < 0.2:
        metric["worth"] = chance.choice(["12", "52 * per_order", "0", "-3"])
    if metric["type"] != "simple" and not metric.get("targets") and chance.random() < 0.5:
        _target(chance, metric)
    if name == "books" and chance.random() < 0.7:
        metric["reconcile"] = [{
            "with": "amount", "key": {"left": "id", "right": "id"},
            "amount": {"left": "amount", "right": "amount"}, "tolerance": chance.choice(["2%", 50, 0]),
        }]  # fmt: skip
    if name == "orders" and chance.random() < 0.4:
        metric["by"] = [*metric.get("by", []), "won", ["team", "won"]]


def _target(chance: random.Random, metric: dict[str, Any]) -> None:
    is_share = metric.get("unit") == "percent"
    if chance.random() < 0.3:
        metric["better"] = "inside"
        high = chance.choice([0.1, 0.5, 1 if is_share else 30])
        metric["targets"] = [{"from": FIRST, "low": 0.1, "high": high}]
        return
    metric["targets"] = [
        {"value": chance.choice([0, 0.2, 1, -1, 1e-9, 1 if is_share else 1e12])},
        {
            "from": FIRST + dt.timedelta(days=30),
            "value": 0.5,
            "grain": chance.choice(["week", "month"]),
        },
    ]
    metric["better"] = chance.choice(["up", "down"])


def _north_star(chance: random.Random, company: dict[str, Any], metrics: dict[str, Any]) -> None:
    company["north_star"] = chance.sample(sorted(metrics), chance.randrange(1, 4))


def _second_department(chance: random.Random, root: Path, metrics: dict[str, Any]) -> None:
    """Another department, whose metrics stand on the first one's."""
    own = {
        "own_rate": {"type": "ratio", "numerator": "won", "denominator": "amount", "label": "Own rate"},
        "own_half": {"type": "derived", "expr": "orders / 2", "label": chance.choice(workbenches.LABELS)},
    }  # fmt: skip
    workbenches.write(
        root / "params" / "departments" / "other.yaml",
        {
            "department": chance.choice(["Other", "Größe & Co"]),
            "owner": "O. Ther",
            "metrics": own,
        },
    )


def _beside(chance: random.Random, root: Path, metrics: dict[str, Any]) -> None:
    """Events, holidays, and what is to be solved next."""
    day = FIRST + dt.timedelta(days=chance.randrange(60))
    names = sorted(metrics)
    if chance.random() < 0.5:
        workbenches.write(
            root / "params" / "events.yaml",
            [{"date": day, "title": chance.choice(["Release 8.0", "-20 % on all", "Größe"]), "kind": "release",
              "metrics": [chance.choice(names)]}],
        )  # fmt: skip
    if chance.random() < 0.3:
        workbenches.write(root / "params" / "holidays.yaml", [{"date": day, "name": "Feast"}])
    if chance.random() < 0.5:
        workbenches.write(
            root / "params" / "solve_next.yaml",
            [{"id": "mend", "title": "Export misses 3 notes", "metric": chance.choice(names), "raised_by": "Finance",
              "raised_on": day, "effort": chance.choice(["5d", "1w"]), "asked": chance.randrange(4), "state": "open"}],
        )  # fmt: skip


def _reports(root: Path) -> None:
    folder = root / "notebooks"
    folder.mkdir()
    reports: dict[str, Any] = {}
    agreed = "reconcile:" in (root / "params" / "departments" / "sales.yaml").read_text()
    for report, notebook in REPORTS.items():
        if report == "agree" and not agreed:
            continue
        content = (NOTEBOOKS / f"{notebook}.ipynb").read_bytes()
        (folder / f"{notebook}.ipynb").write_bytes(content)
        reports[report] = {"notebook": f"{notebook}.ipynb"}
    (folder / "30_department.ipynb").write_text(_department_notebook(), encoding="utf-8")
    reports["every"] = {"notebook": "30_department.ipynb", "each": "department"}
    workbenches.write(
        root / "params" / "reports.yaml", {"weekly": {"cadence": "week", "reports": reports}}
    )


def _department_notebook() -> str:
    """The sample's notebook of a department, without the cells about its own metrics."""
    notebook = json.loads((NOTEBOOKS / "30_sales.ipynb").read_text(encoding="utf-8"))
    own = ("win_rate", "pipeline", "closed_won")
    kept = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if "closed_won" in source:
            source = source.replace('tables.split(this, "closed_won", "seller"), ', "")
            cell["source"] = [source]
        if not any(f'"{name}"' in source for name in own):
            kept.append(cell)
    return json.dumps({**notebook, "cells": kept})
