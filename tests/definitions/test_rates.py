"""Which targets of rates are noted: those that nobody has said the grain of."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataops_nb import definitions
from dataops_nb.definitions import rates
from dataops_nb.lineage import time_power
from tests.conftest import LIGHTS

ROOT = Path(__file__).parents[2]
METRICS = """department: Dept
defaults: {source: s}
metrics:
  left: {type: simple, measure: {agg: count}}
  gone: {type: simple, measure: {agg: count_distinct, expr: who}}
  there: {type: simple, measure: {agg: sum, expr: n, at: end}}
  open: {type: simple, measure: {agg: count, open: {from: day, to: until}}}
  size: {type: simple, measure: {agg: average, expr: n}}
  window: {type: cumulative, metric: left, window: 12 months}
  kept: {type: conversion, base_metric: left, conversion_metric: gone, entity: who, window: 30d}
"""


def noted(tmp_path, metric, lights="lights: standard"):
    (tmp_path / "departments").mkdir(exist_ok=True)
    (tmp_path / "company.yaml").write_text(
        f"company: Test\n{LIGHTS}\nsources:\n  s: {{system: CRM, path: s.csv, time: day}}\n"
    )
    text = METRICS + f"  m: {{{metric}, {lights}}}\n"
    (tmp_path / "departments" / "dept.yaml").write_text(text)
    return rates.notices(tmp_path, definitions.load(tmp_path))


CHURN = "type: ratio, numerator: left, denominator: {metric: there, offset: 1 period}, "


def test_a_target_of_a_flow_over_a_stock_is_noted_at_its_line_with_the_grains_it_could_be_for(
    tmp_path,
):
    (note,) = noted(tmp_path, CHURN + "grains: [week, month], targets: [{value: 3}]")
    assert (note.file, note.line, note.key) == (
        "departments/dept.yaml", 11, "metrics.m.targets[0].grain",
    )  # fmt: skip
    assert "m changes with the length of its period" in note.message
    assert note.message.endswith("as grain: week or month")


@pytest.mark.parametrize(
    "metric",
    [
        "type: derived, expr: left / there, targets: [{value: 3}]",
        "type: derived, expr: 100 * gone / (there + there), targets: [{value: 3}]",
        "type: ratio, numerator: left, denominator: size, targets: [{value: 3}]",
        "type: ratio, numerator: gone, denominator: open, targets: [{value: 3}]",
        "type: ratio, numerator: there, denominator: left, targets: [{value: 3}]",
        "type: derived, expr: 1 - left / there, targets: [{value: 3}]",
        "type: derived, expr: left / there + size, targets: [{value: 3}]",
        CHURN + "targets: [{source: s, column: goal}]",
        CHURN + "targets: [{grain: month, value: 2}, {from: 2026-01-01, value: 3}]",
    ],
)
def test_rates_whose_size_depends_on_the_length_of_the_period_are_noted(tmp_path, metric):
    assert len(noted(tmp_path, metric)) == 1


@pytest.mark.parametrize(
    "metric",
    [
        CHURN + "targets: [{grain: month, value: 3}]",
        CHURN + "targets: [{source: s, column: goal, grain: month}]",
        CHURN + "grains: [month], targets: [{value: 3}]",
        "type: ratio, numerator: gone, denominator: left, targets: [{value: 3}]",
        "type: ratio, numerator: there, denominator: size, targets: [{value: 3}]",
        "type: derived, expr: left / there, targets: [{per: week, value: 3}]",
        "type: derived, expr: left + gone, targets: [{value: 3}]",
        "type: derived, expr: left / 7, targets: [{value: 3}]",
        "type: derived, expr: gone / left - 1, targets: [{value: 3}]",
        "type: ratio, numerator: window, denominator: there, targets: [{value: 3}]",
        "type: ratio, numerator: kept, denominator: there, targets: [{value: 3}]",
        "type: simple, measure: {agg: average, expr: n}, targets: [{value: 3}]",
    ],
)
def test_what_has_a_grain_or_is_alike_at_every_grain_is_not_noted(tmp_path, metric):
    assert noted(tmp_path, metric) == []


def test_what_no_light_judges_is_not_noted(tmp_path):
    assert noted(tmp_path, CHURN + "targets: [{value: 3}]", lights="role: input") == []


@pytest.mark.parametrize("folder", ["params", "examples/olist/params"])
def test_the_companies_that_come_along_have_nothing_to_note(folder):
    known = definitions.load(ROOT / folder)
    assert rates.notices(ROOT / folder, known) == []


def test_the_power_of_an_unknown_part_is_unknown():
    known = definitions.load(ROOT / "params").metrics
    assert time_power(known, "churn_rate") == 1
    assert time_power({"churn_rate": known["churn_rate"]}, "churn_rate") is None
