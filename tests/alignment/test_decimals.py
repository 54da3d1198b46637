"""Numbers are as they are written: sums of decimals, quotients of them, and where they meet a target."""

from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, status
from tests.alignment.test_alignment import series

SOURCES = (
    "    rows: {system: Shop, path: FILE, time: day, covers: {from: 2026-01-05, to: 2026-01-11}}"
)
METRICS = """
total: {type: simple, measure: {source: rows, agg: sum, expr: amount}, targets: [{value: 20.3}], lights: standard}
mean: {type: simple, measure: {source: rows, agg: average, expr: amount}}
middle: {type: simple, measure: {source: rows, agg: median, expr: amount}}
tenth: {type: simple, measure: {source: rows, agg: percentile, q: 0.1, expr: amount}}
n: {type: simple, measure: {source: rows, agg: count}}
each: {type: ratio, numerator: total, denominator: n}
left: {type: derived, expr: total - 0.1 - 20}
window: {type: cumulative, metric: total, window: 30d}
twice: {type: simple, measure: {source: rows, agg: sum, expr: amount * 3}}
held: {type: simple, measure: {source: rows, agg: sum, expr: amount, at: end}}
since: {type: simple, measure: {source: rows, agg: sum, expr: amount, filter: "cast(day as date) >= :period_start"}}
"""
ROWS = "day,amount\n2026-01-05,10.10\n2026-01-06,10.20\n"
WRITTEN = {
    "total": 20.3,
    "mean": 10.15,
    "middle": 10.15,
    "tenth": 10.11,
    "each": 10.15,
    "left": 0.2,
    "window": 20.3,
    "twice": 60.9,
    "held": 10.2,
    "since": 20.3,
}


def test_decimals_of_a_csv_are_added_as_they_are_written(company):
    catalog = company(SOURCES.replace("FILE", "a.csv"), METRICS, {"a.csv": ROWS})
    assert {name: series(catalog, name)["2026-W02"] for name in WRITTEN} == WRITTEN


@pytest.mark.parametrize("type_", [pa.decimal128(12, 2), pa.float64()])
def test_decimals_of_a_parquet_file_are_added_as_they_are_written(company, tmp_path, type_):
    amounts = [Decimal("10.10"), Decimal("10.20")]
    if type_ == pa.float64():
        amounts = [float(amount) for amount in amounts]
    days = pa.array(["2026-01-05", "2026-01-06"]).cast(pa.date32())
    pq.write_table(
        pa.table({"day": days, "amount": pa.array(amounts, type_)}), tmp_path / "a.parquet"
    )
    catalog = company(SOURCES.replace("FILE", "a.parquet"), METRICS, {})
    assert {name: series(catalog, name)["2026-W02"] for name in WRITTEN} == WRITTEN


def test_a_sum_that_is_written_as_its_target_meets_it(company):
    catalog = company(SOURCES.replace("FILE", "a.csv"), METRICS, {"a.csv": ROWS})
    table = alignment.add_targets(alignment.align(catalog, ["total"], grain="week"), catalog)
    judged = status.judge(table, catalog.company).iloc[0]
    assert (judged["attainment"], judged["light"]) == (1.0, "green")


@pytest.mark.parametrize("agg", ["min", "max", "sum", "average", "median"])
@pytest.mark.parametrize(("a", "b"), [("0.1", "0.2"), ("10.10", "0.7"), ("1.15", "-0.35")])
def test_an_expression_over_cents_is_as_short_as_they_are(company, agg, a, b):
    metric = f"total: {{type: simple, measure: {{source: rows, agg: {agg}, expr: a + b}}}}"
    rows = f"day,a,b\n2026-01-05,{a},{b}\n"
    catalog = company(SOURCES.replace("FILE", "a.csv"), metric, {"a.csv": rows})
    assert series(catalog, "total")["2026-W02"] == float(Decimal(a) + Decimal(b))


def test_refunds_leave_no_last_bits(company):
    rows = "day,amount\n2026-01-05,1000.10\n2026-01-06,-999.90\n2026-01-07,1000000000.1\n2026-01-08,-1000000000\n"
    catalog = company(SOURCES.replace("FILE", "a.csv"), METRICS, {"a.csv": rows})
    assert series(catalog, "total")["2026-W02"] == 0.3


def test_what_has_endless_decimals_stays_as_it_is(company):
    metrics = METRICS.replace("expr: amount * 3", "expr: amount / 3")
    catalog = company(SOURCES.replace("FILE", "a.csv"), metrics, {"a.csv": ROWS})
    assert series(catalog, "twice")["2026-W02"] == pytest.approx(20.3 / 3, rel=1e-15)


def test_amounts_in_another_currency_are_added_at_their_rates(company):
    extra = "rates: {source: fx, time: day, from: currency, to: USD, rate: rate, fill: previous}"
    sources = SOURCES.replace("FILE", "a.csv") + "\n    fx: {system: Bank, path: fx.csv, time: day}"
    rows = "day,amount,currency\n2026-01-05,10.10,USD\n2026-01-06,10.00,EUR\n"
    fx = "day,currency,rate\n2026-01-01,EUR,1.02\n"
    metrics = (
        "total: {type: simple, measure: {source: rows, agg: sum, expr: amount, currency: currency}}"
    )
    catalog = company(sources, metrics, {"a.csv": rows, "fx.csv": fx}, extra=extra)
    assert series(catalog, "total")["2026-W02"] == 20.3


CENTS = st.lists(st.integers(-10_000_000, 10_000_000), min_size=1, max_size=40)


@pytest.mark.long
@settings(max_examples=8)
@given(CENTS, st.integers(0, 4))
def test_a_frames_sum_is_the_sum_in_decimals(cents, places):
    amounts = [Decimal(cent).scaleb(-places) for cent in cents]
    frame = pd.DataFrame({"day": "2026-01-05", "amount": [float(amount) for amount in amounts]})
    options = {"time": "day", "value": "amount", "as_of": "2026-01-11"}
    total = alignment.from_frame(frame, "m", **options)["value"].iloc[0]
    assert total == float(sum(amounts))
    mean = alignment.from_frame(frame, "m", agg="average", **options)["value"].iloc[0]
    assert mean == pytest.approx(float(sum(amounts) / len(amounts)), rel=1e-15)


@pytest.mark.long
@settings(max_examples=8)
@given(st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from(["a / b", "a - b", "a * b", "a / b - 1"]))  # fmt: skip
def test_a_formula_over_cents_is_exact_where_its_result_is_short(above, below, formula):
    frame = pd.DataFrame({"day": "2026-01-05", "a": [above / 100], "b": [below / 100]})
    tables = [alignment.from_frame(frame, name, time="day", value=name) for name in ("a", "b")]
    made = alignment.combine(*tables, made=formula).query("metric == 'made'")["value"].iloc[0]
    a, b = Fraction(above, 100), Fraction(below, 100)
    exact = {"a / b": a / b, "a - b": a - b, "a * b": a * b, "a / b - 1": a / b - 1}[formula]
    if exact == round(exact, 6):
        assert made == float(exact)
    else:
        assert made == pytest.approx(float(exact), rel=1e-9)
