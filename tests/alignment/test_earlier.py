"""Derived metrics over other periods, and what a percentile is."""

import datetime as dt
import math
import statistics

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, drivers
from dataops_nb.errors import UsageError
from dataops_nb.lineage import adds_up, metric_parts, time_power
from dataops_nb.periods import calendar
from dataops_nb.story.changes import part_name
from dataops_nb.story.facts import how
from dataops_nb.terms import Duration

ORDERS = """
    id,day,amount,team
    1,2026-01-05,100,East
    2,2026-01-20,100,West
    3,2026-02-10,240,East
    4,2026-03-02,90,East
    5,2026-03-31,90,West
"""
SOURCES = """
    orders: {system: Shop, path: orders.csv, key: id, time: day, covers: {from: 2026-01-01}}
"""
REVENUE = """
    revenue: {type: simple, by: [team], measure: {source: orders, agg: sum, expr: amount}}
"""


def values(company, metric, grain="month", by=()):
    catalog = company(SOURCES, REVENUE + metric, {"orders.csv": ORDERS})
    table = alignment.values(catalog, "growth", grain=grain, by=by)
    return {
        (row.segment if isinstance(row.segment, str) else row.period): None
        if math.isnan(row.value)
        else round(row.value, 6)
        for row in table.itertuples()
        if not isinstance(row.segment, str) or row.period == "2026-02"
    }


PERIOD = """
    growth: {type: derived, expr: revenue / before - 1, unit: percent,
             parts: {before: {metric: revenue, offset: 1 period}}}
"""


def test_growth_compares_with_the_period_before(company):
    assert values(company, PERIOD) == {"2026-01": None, "2026-02": 0.2, "2026-03": -0.25}


def test_growth_of_a_segment_compares_with_that_segment(company):
    split = PERIOD.replace("unit:", "by: [team], unit:")
    assert values(company, split, by=("team",)) == {"team=East": 1.4, "team=West": -1.0}


def test_an_offset_in_units_holds_at_grains_in_which_it_is_a_whole_number(company):
    two = """
    growth: {type: derived, expr: revenue - before, grains: [month],
             parts: {before: {metric: revenue, offset: 2 months}}}
    """
    assert values(company, two) == {"2026-01": None, "2026-02": None, "2026-03": -20.0}


def test_a_part_may_be_of_another_metric_and_stand_twice(company):
    other = """
    orders: {type: simple, measure: {source: orders, agg: count}}
    growth: {type: derived, expr: (orders - before) / before + second,
             parts: {before: {metric: orders, offset: 1 period}, second: {metric: revenue, offset: 2 periods}}}
    """
    assert values(company, other) == {"2026-01": None, "2026-02": None, "2026-03": 201.0}


def test_a_formula_over_an_earlier_period_stands_on_that_metric_and_does_not_add_up(company):
    catalog = company(SOURCES, REVENUE + PERIOD, {"orders.csv": ORDERS})
    metrics = catalog.company.metrics
    assert metric_parts(metrics["growth"]) == ["revenue"]
    assert not adds_up(metrics, "growth")
    assert time_power(metrics, "growth") == 0


def test_growth_is_explained_by_now_and_the_period_before_under_their_own_names(company):
    catalog = company(SOURCES, REVENUE + PERIOD, {"orders.csv": ORDERS})
    period = calendar(catalog.company.calendar).period("month", dt.date(2026, 3, 1))
    parts = drivers.of_company(catalog, "growth", period)
    assert parts[["part", "before", "now"]].values.tolist() == [
        ["revenue", 240, 180],
        ["before", 200, 240],
    ]
    assert parts["effect"].sum() == pytest.approx(-0.45)
    names = [part_name(catalog.company, "growth", part, "factor") for part in parts["part"]]
    assert names == ["Revenue", "Revenue, 1 period earlier"]
    assert how(catalog.company, "growth") == (
        "revenue / before - 1, before being Revenue, 1 period earlier"
    )


@pytest.mark.parametrize(
    ("offset", "grains"),
    [
        ("1 period", ["day", "week", "month", "quarter", "year"]),
        ("10d", ["day"]),
        ("14d", ["day", "week"]),
        ("1 week", ["day", "week"]),
        ("1 month", ["day", "month"]),
        ("3 months", ["day", "month", "quarter"]),
        ("2 quarters", ["day", "month", "quarter"]),
        ("12 months", ["day", "month", "quarter", "year"]),
        ("1 year", ["day", "month", "quarter", "year"]),
    ],
)
def test_where_an_offset_is_a_whole_number_of_periods(offset, grains):
    whole = Duration.model_validate(offset)
    assert [g for g in ("day", "week", "month", "quarter", "year") if whole.is_whole(g)] == grains


FRAME = pd.DataFrame({"day": ["2026-01-05", "2026-01-06", "2026-01-07"], "x": [1.0, 2.0, 10.0]})


def test_a_percentile_of_a_frame_lies_between_two_values_in_proportion():
    table = alignment.from_frame(FRAME, "m", time="day", value="x", agg="percentile", q=0.9)
    assert table["value"].tolist() == [pytest.approx(8.4)]


@pytest.mark.parametrize("q", [None, 0, 1, 90, "0.9", True])
def test_a_percentile_needs_a_share_between_0_and_1(q):
    with pytest.raises(UsageError, match="needs q between 0 and 1"):
        alignment.from_frame(FRAME, "m", time="day", value="x", agg="percentile", q=q)


def test_other_aggregations_take_no_share():
    with pytest.raises(UsageError, match="agg='sum' takes none"):
        alignment.from_frame(FRAME, "m", time="day", value="x", q=0.5)


@pytest.mark.long
@settings(max_examples=8)
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20), st.integers(1, 9))
def test_a_percentile_is_the_inclusive_quantile_of_the_statistics_library(numbers, tenth):
    frame = pd.DataFrame({"day": "2026-01-05", "x": numbers})
    table = alignment.from_frame(
        frame, "m", time="day", value="x", agg="percentile", q=tenth / 10, as_of="2026-01-11"
    )
    known = statistics.quantiles(numbers, n=10, method="inclusive")[tenth - 1]
    assert table["value"].iloc[0] == pytest.approx(known, abs=1e-9)
