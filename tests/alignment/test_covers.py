"""A source speaks about the days in `covers:`; rows on other days count in no period."""

from __future__ import annotations

import pytest

from dataops_nb import alignment

SOURCES = """
log: {system: Log, path: log.csv, time: day, covers: {from: 2026-01-07, to: 2026-01-20}}
"""
ROWS = """
day,until,who,v
2026-01-05,2026-01-06,a,100
2026-01-06,,b,200
2026-01-07,,c,1
2026-01-09,,c,2
2026-01-14,,d,4
2026-01-21,,e,400
"""
WEEKS = ["2026-W02", "2026-W03"]  # the first begins two days before the source speaks


@pytest.mark.parametrize(
    ("measure", "values"),
    [
        ("agg: count", [2, 1]),
        ("agg: sum, expr: v", [3, 4]),
        ("agg: max, expr: v", [2, 4]),
        ("agg: average, expr: v", [1.5, 4]),
        ("agg: median, expr: v", [1.5, 4]),
        ("agg: count_distinct, expr: who", [1, 1]),
        ("agg: first_seen, expr: who", [1, 1]),
        ("agg: sum, expr: v, filter: 'day >= :period_start'", [3, 4]),
        ("agg: count, open: {from: day, to: until}", [3, 4]),
    ],
)
def test_rows_on_days_that_a_source_does_not_speak_about_count_nowhere(company, measure, values):
    metrics = f"m: {{type: simple, measure: {{source: log, {measure}}}}}"
    catalog = company(SOURCES, metrics, {"log.csv": ROWS})
    weeks = alignment.values(catalog, "m", grain="week").set_index("period")["value"]
    assert weeks.loc[WEEKS].tolist() == values


def test_the_days_of_a_period_add_up_to_it_where_a_source_begins_within_it(company):
    metrics = "m: {type: simple, measure: {source: log, agg: sum, expr: v}}"
    catalog = company(SOURCES, metrics, {"log.csv": ROWS})
    sums = [alignment.values(catalog, "m", grain=grain)["value"].sum() for grain in ("day", "week")]
    assert sums == [7, 7]


def test_a_trailing_window_begins_where_its_source_does(company):
    metrics = """
        m: {type: simple, measure: {source: log, agg: sum, expr: v}}
        t: {type: cumulative, metric: m, window: 7d}
    """
    catalog = company(SOURCES, metrics, {"log.csv": ROWS})
    days = alignment.values(catalog, "t", grain="day").set_index("period")
    assert days["value"]["2026-01-08"] == 1
    assert not days["complete"]["2026-01-08"]


def test_a_conversion_begins_where_its_source_does(company):
    metrics = """
        base: {type: simple, measure: {source: log, agg: count}}
        share: {type: conversion, entity: who, base_metric: base, conversion_metric: base, window: 1d}
    """
    catalog = company(SOURCES, metrics, {"log.csv": ROWS})
    table = alignment.values(catalog, "share", grain="week").set_index("period")
    assert table["n"].loc[WEEKS].tolist() == [1, 1]
