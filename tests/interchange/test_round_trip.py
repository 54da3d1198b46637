"""A company with every key, and names and texts that are awkward, out and in again in each format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataops_nb import definitions, interchange
from tests.interchange.test_dbt_export import parsed

COMPANY = """
company: "Zoo & Söhne: the 1st"
currency: EUR
timezone: Europe/Berlin
calendar: {week_starts: monday, year: {starts: july, named: start}}
north_star: [ttm]
lights:
  standard: {green: {at_least: 1.0, means: "On: plan.", do: "Keep"}, red: {means: "x # y", do: "z"}}
  other: {green: {at_least: 0.9, means: a, do: b}, yellow: {at_least: 0.5, means: a, do: b, act_within: 2w}, red: {means: a, do: b}, policy: capability}
rates: {source: fx, time: day, from: currency, to: EUR, rate: rate, fill: previous, max_gap: 5d}
sources:
  fx: {system: Bank, path: fx.csv, time: day, key: [day, currency]}
  o: {system: Shop, path: o-*.csv, key: id, time: at, timezone: UTC, fresh_within: 2 weeks, on_fault: mark, covers: {from: 2024-01-01, to: as_of}, date_format: "%m/%d/%Y", decimal: ",", delimiter: ";", na: ["", n/a, "NO"], rows: {min: 3}, columns: {"odd name": {one_of: [yes, "no", 1, 2.5, "007"]}, amount: {type: decimal, min: 0, max: 1e6}, who: {references: p.id, nulls: 5%}, day: {min: 2024-01-01}}}
  p: {system: CRM, owner: "Ann; Bob", path: p.xlsx, sheet: "S 1", key: id, columns: {id: {required: true, unique: true}, st: {map: {a: b, "no": "off"}}}}
  q: {system: X, query: "select o.*, p.st from o left join p on o.who = p.id", key: id, time: at}
  plan: {system: X, path: plan.csv, time: day}
  kpi: {system: X, path: kpi.csv, time: day}
  db: {system: X, url: "env:DB_URL", table: crm.deals, time: day, watermark: max(u), key: id}
"""
FIRST = """
department: "A: 1"
owner: Ann
defaults: {source: o, lights: standard, better: down}
metrics:
  n: {type: simple, measure: {agg: count, filter: "\\"odd name\\" = 'x''y' and st is null"}, by: [st, [st, who], {column: who, values: p.id}], grains: [week, month]}
  rev: {type: simple, better: up, measure: {source: q, agg: sum, expr: amount, currency: cur, exclude: "st = 'z'", time: other}, unit: EUR, targets: [{from: 2025-01-01, per: week, value: 12.5, season: {december: 0.8}, by: working_days}, {source: plan, column: c, per: month, match: {}}], moves: [{metric: share, after: 2w, effect: opposite, useful: 0.3, because: "x"}], worth: 12 * n}
  share: {type: ratio, numerator: n, denominator: {metric: rev, offset: 1 period}, unit: percent, targets: [{from: 2026-01-01, low: 5%, high: 250%}], better: inside, limits: {range: median, rebase: [{from: 2026-03-01, because: "new"}], leave_out: [{from: 2026-01-01, to: 2026-01-05, because: a}]}, accept: [{light: red, owner: CFO, until: 2026-12-31, because: m}], lights: {green: {at_least: 1, means: a, do: b}, red: {means: a, do: b}}, policy: target}
  ttm: {type: cumulative, metric: rev, window: 12 months, pitch: {a: "We {ttm.value}", b: x}}
  p90: {type: simple, measure: {agg: percentile, q: 0.9, expr: amount}}
  growth: {type: derived, expr: rev / before - 1, parts: {before: {metric: rev, offset: 1 period}}}
  odd: {type: derived, expr: "-(n + 2) / (p90 - n / 2)"}
  conv: {type: conversion, base_metric: n, conversion_metric: n, entity: who, window: 90d}
  st: {type: simple, measure: {source: db, agg: count_distinct, expr: who, open: {from: day, to: e}, at: end}}
"""
SECOND = """
department: B
metrics_from:
  - {source: kpi, id: ID, prefix: mmr_, label: Ind, department: ag, expr: v, agg: sum, at: end, target: t, better: {column: d, map: {Up: up, Down: down}}}
"""
OTHERS = {
    "holidays": "- {date: 2026-12-25, name: Christmas}\n",
    "glossary": 'yes: no\n"N": "x: y"\n',
    "events": '- {date: 2026-08-04, title: "R: 8.0", kind: release, metrics: [n]}\n- {source: kpi, title: x, kind: k}\n',
    "solve_next": "- {id: a, title: B, metric: n, raised_on: 2026-10-02, effort: 5d, asked: 2, state: open}\n",
}
FIELDS = (
    "name", "currency", "timezone", "calendar", "north_star", "named_lights", "rates", "sources",
    "departments", "events", "holidays", "solve_next", "glossary",
)  # fmt: skip


@pytest.fixture
def company(tmp_path: Path) -> Any:
    folder = tmp_path / "params"
    (folder / "departments").mkdir(parents=True)
    (folder / "company.yaml").write_text(COMPANY)
    (folder / "departments" / "a-1.yaml").write_text(FIRST)
    (folder / "departments" / "b.yaml").write_text(SECOND)
    for name, text in OTHERS.items():
        (folder / f"{name}.yaml").write_text(text)
    return definitions.load(folder)


def again(company: Any, kind: str, tmp_path: Path) -> Any:
    exported = interchange.export(company, kind)
    path = tmp_path / "exported.yaml"
    path.write_text(exported.text)
    if kind == "dbt":
        path = tmp_path / "semantic_manifest.json"
        path.write_text(json.dumps(parsed(exported.document)))
    contents, data = interchange.recognised([path])
    imported = interchange.read(contents, data, tmp_path / "bench")
    assert not imported.refused
    for name, text in imported.files().items():
        file = tmp_path / "again" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return definitions.load(tmp_path / "again")


@pytest.mark.parametrize("kind", ["ossie", "dbt"])
def test_everything_comes_back_equal(company, kind, tmp_path):
    read = again(company, kind, tmp_path)
    for field in FIELDS:
        assert getattr(read, field) == getattr(company, field), field


def test_a_contract_brings_the_sources_back_equal(company, tmp_path):
    read = again(company, "odcs", tmp_path)
    assert read.sources == company.sources
    assert read.calendar == company.calendar


def test_what_stands_on_a_metric_without_a_right_form_has_none_either(company):
    left_out = {
        line.partition(":")[0]: line for line in interchange.export(company, "dbt").left_out
    }
    assert "n is no name that dbt takes" in left_out["odd"]
