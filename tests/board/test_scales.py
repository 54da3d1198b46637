"""One scale for all metrics: attainment, their own noise, and what they are worth in the North Star."""

from __future__ import annotations

import datetime as dt
import json
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import board
from dataops_nb.board.scales import SCALES
from dataops_nb.cli import main, status
from dataops_nb.drivers.decompositions import slopes
from dataops_nb.limits.xmr import deviations
from dataops_nb.periods import calendar

SOURCES = "deals: {system: CRM, path: deals.csv, time: on, covers: {from: 2026-01-01}}"
HEAD = "north_star: [rate, revenue_ttm]"
METRICS = """
    count: {type: simple, measure: {source: deals, agg: count}, targets: [{per: month, value: 5}], lights: standard}
    lost: {type: simple, measure: {source: deals, agg: sum, expr: lost}, better: down, targets: [{per: month, value: 2}]}
    size: {type: ratio, numerator: amount, denominator: count}
    amount: {type: simple, measure: {source: deals, agg: sum, expr: v}, unit: USD}
    revenue: {type: derived, expr: count * size - 10 * lost, unit: USD}
    revenue_ttm: {type: cumulative, metric: revenue, window: 12 months, unit: USD}
    month_value: {type: derived, expr: count * size, unit: USD}
    rate: {type: ratio, numerator: lost, denominator: count, unit: percent, targets: [{value: 50%}]}
"""
DEALS = """
    on,v,lost
    2026-01-05,10,1
    2026-01-06,20,3
    2026-02-05,30,1
    2026-02-06,20,1
    2026-02-07,10,1
    2026-03-05,60,2
    2026-04-05,10,2
    2026-04-06,10,2
    2026-04-30,40,1
"""
APRIL = dt.date(2026, 4, 30)


@pytest.fixture
def catalog(company):
    return company(SOURCES, METRICS, {"deals.csv": DEALS}, as_of="2026-04-30", extra=HEAD)


def april(catalog):
    return calendar(catalog.company.company.calendar).period("month", APRIL)


def scaled(catalog) -> pd.DataFrame:
    return board.scale(
        board.measure(catalog, list(catalog.company.metrics), grain="month")
    ).set_index("metric")


def test_noise_is_the_distance_from_the_past_mean_in_moving_ranges():
    assert deviations(7, [1, 3, 2]) == pytest.approx((7 - 2) / (1.5 / 1.128))


@pytest.mark.parametrize("before", [[], [1, 2], [4, 4, 4, 4], [1, math.nan, 2]])
def test_a_short_or_still_past_has_no_noise(before):
    assert math.isnan(deviations(5, before))


@given(
    st.lists(st.integers(-1000, 1000), min_size=3, max_size=12),
    st.integers(-1000, 1000),
    st.integers(1, 50),
    st.integers(-500, 500),
)
def test_noise_does_not_depend_on_the_unit(before, value, factor, shift):
    moved = deviations(value * factor + shift, [each * factor + shift for each in before])
    assert moved == pytest.approx(deviations(value, before), nan_ok=True)


def test_a_slope_through_a_product_is_the_other_factor(catalog):
    found = slopes(catalog, "month_value", april(catalog))
    assert found["size"] == pytest.approx(3)
    assert found["month_value"] == pytest.approx(1)
    assert found["amount"] == pytest.approx(1)


def test_a_metric_that_no_formula_leads_from_has_no_slope(catalog):
    assert "lost" not in slopes(catalog, "month_value", april(catalog))


def test_a_slope_into_a_trailing_window_is_the_windows_formula(catalog):
    found = slopes(catalog, "revenue_ttm", april(catalog))
    assert found["lost"] == pytest.approx(-10)
    assert found["amount"] == pytest.approx(1)
    assert found["count"] == pytest.approx(0, abs=1e-6)
    assert "size" not in found


def test_the_scales_of_a_board_are_positive_where_it_is_good(catalog):
    found = scaled(catalog)
    assert list(found.columns) == ["department", "light", "attainment", "sigma", "north_star"]
    assert found.loc["count", "sigma"] == pytest.approx((3 - 2) / (1.5 / 1.128))
    assert found.loc["lost", "sigma"] == pytest.approx(-(5 - 3) / (1 / 1.128))
    assert found.loc["lost", "north_star"] == pytest.approx((5 - 2) * -10)
    assert found.loc["lost", "attainment"] == pytest.approx(0.4)


def test_the_currency_scale_needs_a_target_and_a_way_to_the_north_star(catalog):
    assert scaled(catalog).loc[["amount", "month_value", "rate"], "north_star"].isna().all()


def test_sorting_puts_the_worst_first_and_what_is_not_on_the_scale_last(catalog):
    read = board.measure(catalog, list(catalog.company.metrics), grain="month")
    found = status._sorted_by_scale(read, "attainment")
    assert found["metric"].tolist()[:3] == ["lost", "count", "rate"]
    assert found["attainment"].isna().tolist() == [False] * 3 + [True] * 5
    assert set(read.current.columns) | {"sigma", "north_star"} == set(found.columns)


def test_a_period_that_the_data_do_not_cover_is_on_no_scale(company):
    partial = company(
        SOURCES,
        METRICS,
        {"deals.csv": DEALS.replace("04-30", "04-07")},
        as_of="2026-04-30",
        extra=HEAD,
    )
    assert scaled(partial).loc["lost", list(SCALES)].isna().all()


def test_the_command_sorts_text_and_json(catalog, tmp_path, capsys):
    asked = [
        "-w",
        str(tmp_path),
        "--data",
        str(tmp_path),
        "status",
        "--as-of",
        "2026-04-30",
        "--grain",
        "month",
    ]
    assert main([*asked, "--sort", "north_star", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert (rows[0]["metric"], rows[0]["north_star"]) == ("lost", pytest.approx(-30))
    assert main([*asked, "--sort", "sigma"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "sigma  north star" in lines[2]
    assert "−$30" in next(line for line in lines if "Lost" in line)
