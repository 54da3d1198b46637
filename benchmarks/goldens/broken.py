"""A small web shop, sound and broken in many ways: `write` makes one, `CASES` lists the faults.

Each case replaces texts in the shop's files or adds files; `dataops-nb check` has something to
say about all of them but the sound one. Most cases hold one fault, so that a difference is named
by its case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

COMPANY = """\
company: Shop
currency: EUR
timezone: Europe/Berlin
north_star: [revenue]
lights:
  standard:
    green: {at_least: 1.00, means: "On plan.", do: "Keep going."}
    yellow: {at_least: 0.85, means: "Recoverable.", do: "Review."}
    red: {means: "At risk.", do: "Plan again."}
sources:
  orders:
    system: Shop
    path: orders.csv
    key: order_id
    time: ordered_on
    columns: {amount: {type: decimal, min: 0}, channel: {one_of: [web, shop]}}
"""
SHOP = """\
department: Shop
owner: Head of Shop
defaults: {source: orders, lights: standard}
metrics:
  revenue:
    label: Revenue
    type: simple
    measure: {agg: sum, expr: amount}
    unit: EUR
    by: [channel]
    targets: [{from: 2026-01-01, per: week, value: 300}]
  orders: {type: simple, measure: {agg: count}, unit: orders}
  buyers: {type: simple, measure: {agg: count_distinct, expr: customer}}
  basket: {type: ratio, numerator: revenue, denominator: orders, unit: EUR}
"""
ORDERS = """\
order_id,ordered_on,customer,amount,channel
1001,2026-10-26,ada,120.00,web
1002,2026-10-28,ben,80.00,web
1003,2026-11-03,ada,60.00,shop
1004,2026-11-05,cyd,150.00,web
1005,2026-11-10,dee,90.00,shop
1006,2026-11-11,ada,45.50,web
1007,2026-11-12,eve,110.00,web
1008,2026-11-15,ben,75.00,web
"""
REPORTS = """\
weekly:
  cadence: week
  reports:
    shop: {notebook: shop.ipynb, parameters: {department: shop}}
"""
FILES = {
    "params/company.yaml": COMPANY,
    "params/departments/shop.yaml": SHOP,
    "params/reports.yaml": REPORTS,
    "data/orders.csv": ORDERS,
}
SHORT = {name.rpartition("/")[2].partition(".")[0]: name for name in FILES}


@dataclass(frozen=True)
class Case:
    """A fault: replacements `(file, old, new)`, and files that are added or removed (None)."""

    name: str
    replaced: tuple[tuple[str, str, str], ...] = ()
    files: dict[str, str | None] = field(default_factory=dict)


def edit(name: str, file: str, old: str, new: str) -> Case:
    """A case with one replacement."""
    return Case(name, ((file, old, new),))


def metric(name: str, text: str) -> Case:
    """A case with one more metric, `extra`."""
    return edit(name, "shop", "metrics:\n", f"metrics:\n  extra: {text}\n")


def source(name: str, text: str) -> Case:
    """A case whose source says one thing more."""
    return edit(name, "company", "path: orders.csv", f"path: orders.csv\n    {text}")


def row(name: str, text: str) -> Case:
    """A case with one more row in the csv."""
    return edit(name, "orders", "1008,", f"{text}\n1008,")


def added(name: str, file: str, text: str | None) -> Case:
    """A case with a file more, or one less."""
    return Case(name, files={file: text})


COUNT = "type: simple, measure: {agg: count}"
CASES = (
    Case("sound"),
    # definitions: company.yaml
    edit("unknown key", "company", "currency:", "curency:"),
    edit("duplicate key", "company", "currency: EUR", "currency: EUR\ncurrency: USD"),
    edit("wrong timezone", "company", "Berlin", "Belrin"),
    edit("unknown north star", "company", "[revenue]", "[revenu]"),
    edit("wrong type", "company", "north_star: [revenue]", "north_star: {a: 1}"),
    edit("tab", "company", "  standard:", "\tstandard:"),
    edit("alias", "company", "north_star: [revenue]", "north_star: &a [revenue]\nother: *a"),
    edit("open bracket", "company", "[web, shop]", "[web, shop"),
    edit("lights without red", "company", "    red:", "    rad:"),
    edit("yellow above green", "company", "at_least: 0.85", "at_least: 1.20"),
    edit("no system", "company", "    system: Shop\n", ""),
    edit("no path", "company", "    path: orders.csv\n", ""),
    edit("no time", "company", "    time: ordered_on\n", ""),
    edit(
        "pattern without end", "company", "lights:", "calendar: {year: {pattern: 4-4-5}}\nlights:"
    ),
    edit("plain password", "company", "path: orders.csv", "url: postgresql://me:pw@host/db"),
    source("covers backwards", "covers: {from: 2026-02-01, to: 2026-01-01}"),
    source("unknown reference", "columns2: {a: 1}"),
    source("bad zone", "timezone: Mars/Base"),
    # definitions: departments
    metric("metric without type", "{measure: {agg: count}}"),
    metric("unknown aggregation", "{type: simple, measure: {agg: summ, expr: amount}}"),
    metric("missing expression", "{type: simple, measure: {agg: sum}}"),
    metric("aggregated expression", "{type: simple, measure: {agg: sum, expr: sum(amount)}}"),
    metric("bad sql", "{type: simple, measure: {agg: count, filter: 'amount >'}}"),
    metric("two statements", "{type: simple, measure: {agg: count, filter: 'a; drop table b'}}"),
    metric("select", "{type: simple, measure: {agg: count, filter: amount in (select 1)}}"),
    metric("unknown column", "{type: simple, measure: {agg: sum, expr: amonut}}"),
    metric("unknown source", "{type: simple, measure: {source: ordres, agg: count}}"),
    metric("unknown part", "{type: ratio, numerator: revenue, denominator: ordres}"),
    metric("circle", "{type: derived, expr: extra + 1}"),
    metric("unknown set of lights", "{" + COUNT + ", lights: standrd}"),
    metric("better upp", "{" + COUNT + ", better: upp}"),
    metric("moves itself", "{" + COUNT + ", moves: [{metric: extra}]}"),
    metric("band for up", "{" + COUNT + ", targets: [{low: 1, high: 2}]}"),
    metric("target over 1", "{" + COUNT + ", unit: percent, targets: [{value: 3}]}"),
    metric("no such day", "{" + COUNT + ", targets: [{from: 2026-02-30, value: 2}]}"),
    metric(
        "per of an average",
        "{type: simple, measure: {agg: average, expr: amount}, targets: [{per: week, value: 2}]}",
    ),
    metric("pitch with unknown fact", "{" + COUNT + ", pitch: {a: 'We sold {revenu.value}.'}}"),
    metric("pitch with a number", "{" + COUNT + ", pitch: {a: 'We sold 12 today to everybody.'}}"),
    metric(
        "pitch with jargon",
        "{"
        + COUNT
        + ", pitch: {a: 'The ARPA of our TTM cohort is {extra.value}, synergetically.'}}",
    ),
    metric("reconcile without key", "{" + COUNT + ", reconcile: [{with: orders}]}"),
    metric("accept without end", "{" + COUNT + ", accept: [{light: red, owner: CFO}]}"),
    metric("split by unknown", "{" + COUNT + ", by: [chanel]}"),
    metric(
        "conversion without window",
        "{type: conversion, base_metric: orders, conversion_metric: buyers, entity: customer}",
    ),
    metric("metric twice", "{" + COUNT + "}\n  extra: {" + COUNT + "}"),
    edit("department without metrics", "shop", "metrics:", "metrcs:"),
    edit("default without source", "shop", "source: orders", "source: ordres"),
    # definitions: the other files
    edit("unknown cadence", "reports", "cadence: week", "cadence: fortnight"),
    edit("unknown department", "reports", "department: shop", "department: shp"),
    edit("no notebook", "reports", "shop.ipynb", "shoop.ipynb"),
    added(
        "event of unknown metric",
        "params/events.yaml",
        "- {date: 2026-11-02, title: Sale, metrics: [revenu]}\n",
    ),
    added("item without title", "params/solve_next.yaml", "- {id: a}\n"),
    added("holiday that is none", "params/holidays.yaml", "- {date: 2026-13-01, name: X}\n"),
    added("file with another name", "params/event.yaml", "[]\n"),
    added(
        "what-if of unknown metric",
        "params/whatif/low.yaml",
        "departments: {shop: {metrics: {revenu: {targets: []}}}}\n",
    ),
    added("no department", "params/departments/shop.yaml", None),
    added("no company", "params/company.yaml", None),
    # data
    added("missing csv", "data/orders.csv", None),
    added("empty csv", "data/orders.csv", ""),
    added("only a header", "data/orders.csv", ORDERS.partition("\n")[0] + "\n"),
    row("text in a number", "1009,2026-11-14,ada,cheap,web"),
    row("negative amount", "1009,2026-11-14,ada,-5.00,web"),
    row("not one of", "1009,2026-11-14,ada,5.00,phone"),
    row("same key twice", "1007,2026-11-12,eve,111.00,web"),
    row("same row twice", "1007,2026-11-12,eve,110.00,web"),
    row("a cell too many", "1009,2026-11-14,ada,5.00,web,x"),
    row("a cell too few", "1009,2026-11-14"),
    row("no such day in a cell", "1009,2026-02-30,ada,5.00,web"),
    row("no time", "1009,,ada,5.00,web"),
    row("an open quote", '1009,2026-11-14,"ada,5.00,web'),
    row("garbled letters", "1009,2026-11-14,RenÃ©,5.00,web"),
    edit("no key column", "orders", "order_id,", "id,"),
    edit("same column twice", "orders", "customer,amount", "amount,amount"),
    edit(
        "a sum as last row",
        "orders",
        "1008,2026-11-15,ben,75.00,web\n",
        "1008,2026-11-15,ben,75.00,web\nTotal,,,730.50,\n",
    ),
    edit("an html page", "orders", ORDERS, "<html><body>Please log in</body></html>\n"),
    source("stale", "fresh_within: 2d"),
    source("few rows", "rows: {min: 100}"),
    source("late start", "covers: {from: 2025-01-01}"),
    # both
    Case(
        "everything at once",
        (
            ("company", "Berlin", "Belrin"),
            ("shop", "agg: sum", "agg: summ"),
            ("reports", "cadence", "cadense"),
            ("orders", "120.00", "cheap"),
        ),
    ),
)


def write(folder: Path, case: Case) -> None:
    """Write the shop of a case."""
    texts: dict[str, str | None] = {**FILES, **case.files}
    for short, old, new in case.replaced:
        name = SHORT[short]
        text = texts[name] or ""
        if old not in text:
            raise ValueError(f"{case.name}: {old!r} is not in {name}")
        texts[name] = text.replace(old, new, 1)
    for name, content in texts.items():
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
