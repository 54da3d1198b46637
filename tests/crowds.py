"""The front page of a company with very many departments, each with its metrics and findings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from dataops_nb.reports.pages import front_page
from dataops_nb.reports.pages.cards import Feed, MetricCard, More

DAY = dt.date(2026, 11, 22)
LIGHTS = ("green", "green", "yellow", "green", "red", "green", "unknown")
METRICS = 3  # of each department
FIELDS = {"value": 41, "target": 40, "gap": 1}


def front(departments: int) -> str:
    """Build the page; a third of all metrics feed the North Star."""
    entries = [_entry("north", "North Star", None, "red")]
    cards = {}
    for number in range(departments):
        report = f"region-{number:03}"
        light = LIGHTS[number % len(LIGHTS)]
        title = f"Region {number:03}, field sales"
        entries.append(_entry(report, title, title, light))
        for metric in range(METRICS):
            card = _metric(report, title, metric, light)
            cards[card.metric] = card
    feeds = [Feed(metric, "part") for metric in cards if metric.endswith("_0")]
    star = _metric("north", "Company", 0, "red", feeds)
    more = More({star.metric: star, **cards}, [star.metric])
    return front_page.build("Lumen", entries, DAY, more=more)


def _entry(report: str, title: str, department: str | None, light: str) -> front_page.Entry:
    metric = f"{report.replace('-', '_')}_0"
    facts = [_fact(metric, field, value) for field, value in FIELDS.items()]
    facts.append(_fact(metric, "light", light))
    spans: list[Mapping[str, Any]] = [
        {"text": "41", "fact": f"{metric}.value"},
        {"text": " deals won by "},
        {"text": title, "name": True},
        {"text": " last week, "},
        {"text": "1", "fact": f"{metric}.gap"},
        {"text": " above target ("},
        {"text": "40", "fact": f"{metric}.target"},
        {"text": ")."},
    ]
    text = "".join(str(span["text"]) for span in spans)
    finding = {"kind": "red by noise", "text": text, "facts": facts, "spans": spans}
    return front_page.Entry(
        report,
        title,
        f"{report}/2026-W47/index.html",
        department=department,
        owner="Head of the region",
        light=light,
        reason="no data for week 47" if light == "unknown" else None,
        headline=text,
        facts=tuple(facts),
        spans=tuple(spans),
        findings=({**finding, "metrics": [metric]},),
        overdue=(f"{title}: call the five largest customers, agreed for 15 November",),
        period="2026-W47",
        as_of="2026-11-22",
        data_to="2026-11-22",
    )


def _metric(
    report: str, department: str, number: int, light: str, feeds: list[Feed] | None = None
) -> MetricCard:
    metric = f"{report.replace('-', '_')}_{number}"
    known = {field: _fact(metric, field, value) for field, value in FIELDS.items()}
    return MetricCard(
        metric,
        f"Deals won, kind {number}",
        department,
        "Head of the region",
        "How many deals of this kind did we win?",
        report=report,
        path=f"{report}/2026-W47/index.html",
        facts={**known, "light": _fact(metric, "light", light)},
        feeds=feeds or [],
    )


def _fact(metric: str, field: str, value: Any) -> dict[str, Any]:
    return {
        "id": f"{metric}.{field}", "metric": metric, "segment": None, "period": "2026-W47",
        "field": field, "value": value, "unit": "", "text": str(value),
    }  # fmt: skip
