"""By what parts multiplied a metric: factors whose product is now / before, and what has none."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dataops_nb import drivers
from dataops_nb.drivers import decompositions, factors
from dataops_nb.errors import UsageError
from dataops_nb.periods import calendar

SOURCE = "s: {system: CRM, path: s.csv, time: on, covers: {from: 2025-11-01, to: 2026-01-31}}"
ROWS = """
    on,team,customers,price,loss,won
    2025-12-02,East,1000,220,5,1
    2025-12-03,West,500,220,-15,0
    2025-12-04,West,,,,1
    2026-01-05,East,900,225,5,1
    2026-01-06,West,800,225,-25,1
    2026-01-07,,,,,0
    2026-01-08,,,,,1
"""
METRICS = """
    customers: {type: simple, measure: {source: s, agg: sum, expr: customers}, by: [team]}
    price: {type: simple, measure: {source: s, agg: average, expr: price}, by: [team]}
    size: {type: simple, measure: {source: s, agg: average, expr: customers}, by: [team]}
    bare: {type: simple, measure: {source: s, agg: average, expr: customers}}
    middle: {type: simple, measure: {source: s, agg: median, expr: customers}, by: [team]}
    loss: {type: simple, measure: {source: s, agg: sum, expr: loss}, by: [team]}
    gain: {type: derived, expr: loss + 15}
    rows: {type: simple, measure: {source: s, agg: count}, by: [team]}
    won: {type: simple, measure: {source: s, agg: sum, expr: won}, by: [team]}
    none: {type: simple, measure: {source: s, agg: count, filter: "customers > 9999"}}
    revenue: {type: derived, expr: customers * price}
    yearly: {type: derived, expr: 12 * customers * price / rows}
    squared: {type: derived, expr: customers * customers}
    per_loss: {type: derived, expr: customers / loss}
    nothing: {type: derived, expr: customers * none}
    rate: {type: ratio, numerator: won, denominator: rows, by: [team], unit: percent}
    loss_rate: {type: ratio, numerator: loss, denominator: rows, by: [team]}
    window: {type: cumulative, metric: customers, window: 1 month}
    rate_window: {type: cumulative, metric: rate, window: 1 month}
"""


@pytest.fixture
def catalog(company):
    return company(SOURCE, METRICS, {"s.csv": ROWS}, as_of="2026-01-31")


def month(catalog, day=dt.date(2026, 1, 15)):
    return calendar(catalog.company.calendar).period("month", day)


def multiplied(catalog, metric, by=None):
    table = drivers.multiply(catalog, metric, month(catalog), "previous", by)
    whole = drivers.change(catalog, metric, month(catalog))
    assert list(table.columns) == factors.COLUMNS
    assert table["factor"].prod() == pytest.approx(whole.now / whole.before, rel=1e-12)
    return {(row.kind, row.part): row.factor for row in table.itertuples()}


def test_customers_times_price_have_the_factors_of_lmdi(catalog):
    # methods.md 6: 1500 x 220 -> 1700 x 225
    found = multiplied(catalog, "revenue")
    assert found == {
        ("factor", "customers"): pytest.approx(1700 / 1500),
        ("factor", "price"): pytest.approx(225 / 220),
    }
    published = np.exp(
        np.array([44508.56, 7991.44]) / decompositions.logarithmic_mean(1700 * 225, 1500 * 220)
    )
    assert list(found.values()) == pytest.approx(list(published), abs=1e-7)
    assert list(found.values()) == pytest.approx(
        list(decompositions.lmdi_factors([1500, 220], [1700, 225]))
    )


def test_what_stands_below_the_line_divides_and_numbers_have_no_factor(catalog):
    found = multiplied(catalog, "yearly")
    assert found["factor", "rows"] == pytest.approx(3 / 4)
    assert len(found) == 3


def test_a_metric_that_stands_twice_has_its_square(catalog):
    assert multiplied(catalog, "squared") == {
        ("factor", "customers"): pytest.approx((17 / 15) ** 2)
    }


def test_a_ratio_has_factors_of_its_two_sides(catalog):
    assert multiplied(catalog, "rate") == {
        ("numerator", "won"): pytest.approx(3 / 2),
        ("denominator", "rows"): pytest.approx(3 / 4),
    }


def test_a_ratio_by_segments_has_the_factors_of_lmdi_over_rates_and_shares(catalog):
    found = multiplied(catalog, "rate", "team")
    # East 1 of 1, West 1 of 2, none; then East 1 of 1, West 1 of 1, none 1 of 2
    old = [[1, 1 / 3], [0.5, 2 / 3], [0.5, 0]]
    new = [[1, 1 / 4], [1, 1 / 4], [0.5, 1 / 2]]
    by_side = decompositions.lmdi_factors(old, new)
    for place, kind in enumerate(("rate", "mix")):
        own = [factor for (own_kind, _), factor in found.items() if own_kind == kind]
        assert math.prod(own) == pytest.approx(by_side[place])
    assert found["rate", "team=East"] == 1
    assert found["rate", "team=(none)"] == 1
    assert found["mix", "team=(none)"] > 1


def test_an_average_by_segments_multiplies_too(catalog):
    assert {kind for kind, _ in multiplied(catalog, "size")} == {"rate", "mix"}


def test_a_trailing_rate_has_the_factors_of_its_sides_over_the_window(catalog):
    assert {kind for kind, _ in multiplied(catalog, "rate_window")} == {"numerator", "denominator"}


def test_a_loss_that_stays_a_loss_has_factors(catalog):
    assert multiplied(catalog, "per_loss")["factor", "loss"] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("metric", "by", "message"),
    [
        ("customers", None, "customers is the sum of its parts or has none"),
        ("window", None, "customers is the sum of its parts"),
        ("middle", "team", "middle is the sum of its parts or has none"),
        ("bare", None, "bare is split by nothing, so it has no parts"),
        ("nothing", None, "nothing went from 0 to 0: nothing is multiplied from or to 0"),
        ("gain", None, "gain went from 5 to -5: no factor says a change of sign"),
        ("loss_rate", "team", "segments of loss_rate are below 0"),
    ],
)
def test_what_has_no_factors_says_why(catalog, metric, by, message):
    with pytest.raises(UsageError, match=message):
        drivers.multiply(catalog, metric, month(catalog), "previous", by)


def test_a_sum_of_metrics_has_no_factors(catalog, company):
    more = METRICS + "    total: {type: derived, expr: customers + rows}\n"
    rows = company(SOURCE, more, {"s.csv": ROWS}, as_of="2026-01-31")
    with pytest.raises(UsageError, match="total adds up metrics, so it has no factors"):
        drivers.multiply(rows, "total", month(rows))


def test_what_is_not_known_in_both_periods_has_no_rows(catalog):
    first = month(catalog, dt.date(2025, 11, 3))
    table = drivers.multiply(catalog, "revenue", first)
    assert list(table.columns) == factors.COLUMNS
    assert len(table) == 0


@pytest.mark.parametrize(
    ("expr", "powers"),
    [
        ("a * b / c", {"a": 1, "b": 1, "c": -1}),
        ("a / (b / c)", {"a": 1, "b": -1, "c": 1}),
        ("-(2 + 1) * a", {"a": 1}),
        ("a / a", {"a": 0}),
        ("a + b", None),
        ("a * (1 - b)", None),
        ("a / b - 1", None),
    ],
)
def test_powers_of_a_formula(expr, powers):
    assert factors.powers_in(expr) == powers


@given(
    st.lists(st.tuples(*[st.floats(0, 1)] * 2, *[st.integers(0, 50)] * 2), min_size=1, max_size=5)
)
def test_factors_of_rates_and_shares_multiply_to_the_ratio_of_the_rates(segments):
    rows = np.array(segments, dtype=float)
    counts = rows[:, 2:].T
    assume((counts.sum(axis=1) > 0).all())
    shares = counts / counts.sum(axis=1, keepdims=True)
    rates = np.where(counts > 0, rows[:, :2].T, np.nan)
    before, now = np.nansum(shares * rates, axis=1)
    assume(min(before, now) > 1e-6)
    names = [f"s={number}" for number in range(len(segments))]
    found = factors._of_rates(
        "m", pd.DataFrame(rates, columns=names), pd.DataFrame(shares, columns=names)
    )
    product = math.fsum(math.log(each.factor) for each in found)
    assert product == pytest.approx(math.log(now / before), abs=1e-9)
