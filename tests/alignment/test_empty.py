"""Empty is not zero: what a value is where cells are empty, and where there are no rows."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, board, status
from tests.alignment.test_families import opened

SOURCES = """
    rows: {system: Shop, path: rows.csv, time: day, columns: {amount: {type: decimal}}}
"""


def cells(catalog, metric="m", grain="day", by=()):
    """The values and `n` of a metric by period, of one segment where it is split by `team`."""
    table = alignment.values(catalog, metric, grain=grain, by=by)
    if by:
        table = table[table["segment"] == "team=East"]
    value = [None if math.isnan(v) else v for v in table["value"]]
    return dict(zip(table["period"], zip(value, table["n"], table["complete"]), strict=True))  # noqa: B905


def measured(company, rows, measure, extra=""):
    metric = f"m: {{type: simple, by: [team], measure: {{source: rows, {measure}}}{extra}}}"
    return company(SOURCES, metric, {"rows.csv": f"day,amount,team,kind\n{rows}"})


EMPTY = "2026-01-05,1,East,a\n2026-01-06,,East,a\n2026-01-06,,East,b\n2026-01-08,5,East,b\n"


@pytest.mark.parametrize(
    ("agg", "of_empty", "of_none"),
    [("sum", None, 0), ("average", None, None), ("min", None, None), ("count", 0, 0), ("count_distinct", 0, 0)],
)  # fmt: skip
def test_a_sum_of_empty_cells_is_missing_and_of_no_rows_is_0(company, agg, of_empty, of_none):
    catalog = measured(company, EMPTY, f"agg: {agg}, expr: amount")
    by_day = cells(catalog)
    assert by_day["2026-01-06"] == (of_empty, 0, True)
    assert by_day["2026-01-07"] == (of_none, 0, True)


def test_n_counts_filled_cells_and_without_expr_rows(company):
    rows = EMPTY + "2026-01-08,,East,c\n"
    assert cells(measured(company, rows, "agg: sum, expr: amount"))["2026-01-08"] == (5, 1, True)
    assert cells(measured(company, rows, "agg: count"))["2026-01-08"] == (2, 2, True)


def test_a_week_with_one_filled_cell_has_its_sum(company):
    catalog = measured(company, EMPTY, "agg: sum, expr: amount")
    assert cells(catalog, grain="week")["2026-W02"][:2] == (6, 2)


def test_where_all_rows_were_filtered_out_a_sum_is_0(company):
    catalog = measured(company, EMPTY, "agg: sum, expr: amount, filter: \"kind = 'a'\"")
    assert cells(catalog)["2026-01-08"] == (0, 0, True)
    assert cells(catalog)["2026-01-06"] == (None, 0, True)


def test_a_filter_that_speaks_of_the_period_tells_empty_from_absent_too(company):
    where = "filter: \"cast(day as date) >= :period_start and kind <> 'b'\""
    catalog = measured(company, EMPTY, f"agg: sum, expr: amount, {where}")
    assert cells(catalog)["2026-01-06"][0] is None
    assert cells(catalog)["2026-01-08"][0] == 0


def test_a_segment_of_empty_cells_is_missing_beside_one_without_rows(company):
    rows = "2026-01-05,1,East,a\n2026-01-05,1,West,a\n2026-01-06,,East,a\n2026-01-07,1,West,a\n"
    by_day = cells(measured(company, rows, "agg: sum, expr: amount"), by=("team",))
    assert [by_day[f"2026-01-0{day}"][0] for day in (5, 6, 7)] == [1, None, 0]


STOCK = "2026-01-05,90,East,a\n2026-01-06,91,East,a\n2026-01-07,,East,a\n"


def test_a_stock_whose_last_cell_is_empty_is_missing_and_its_light_unknown(company):
    target = ", better: down, targets: [{value: 50}], lights: standard"
    catalog = measured(company, STOCK, "agg: sum, expr: amount, at: end", target)
    assert cells(catalog)["2026-01-07"] == (None, 0, True)
    table = alignment.add_targets(alignment.align(catalog, ["m"], grain="day"), catalog)
    row = status.judge(table, catalog.company).set_index("period").loc["2026-01-07"]
    assert (row["light"], row["reason"], bool(row["complete"])) == ("unknown", "no data", True)


def test_an_open_span_without_an_amount_is_missing_and_no_open_span_is_0(company):
    rows = "day,ends,amount,team\n2026-01-05,2026-01-06,,East\n2026-01-08,2026-01-09,2,East\n"
    spans = "m: {type: simple, measure: {source: rows, agg: sum, expr: amount, open: {from: day, to: ends}}}"
    catalog = company(SOURCES, spans, {"rows.csv": rows})
    assert [value for value, _, _ in cells(catalog).values()] == [None, 0, 0, 2, 0]


def test_what_is_made_of_a_missing_sum_is_missing(company):
    metrics = """
    m: {type: simple, measure: {source: rows, agg: sum, expr: amount}}
    n: {type: simple, measure: {source: rows, agg: count}}
    each: {type: ratio, numerator: m, denominator: n}
    more: {type: derived, expr: m + n}
    trailing: {type: cumulative, metric: m, window: 1d}
    """
    catalog = company(SOURCES, metrics, {"rows.csv": f"day,amount,team,kind\n{EMPTY}"})
    for metric in ("each", "more", "trailing"):
        assert cells(catalog, metric)["2026-01-06"][0] is None, metric


@pytest.mark.parametrize("at", ["", ", at: end"])
def test_indicators_of_empty_cells_are_missing_also_where_they_are_measured_together(tmp_path, at):
    rows = [("a", "2026-01-05", 1, 1), ("b", "2026-01-05", 2, 1)]
    rows += [("a", "2026-01-06", None, 1), ("b", "2026-01-06", 3, 1)]
    agency = f"metrics_from: [{{source: mmr, id: id, prefix: i_, expr: v, agg: sum{at}}}]\n"
    with opened(tmp_path, rows, agency) as catalog:
        table = alignment.align(catalog, ["i_a", "i_b"], grain="day")
    assert table["value"].replace({np.nan: None}).tolist() == [1, None, 2, 3]


FRAME = pd.DataFrame(
    {"day": ["2026-01-05", "2026-01-06", "2026-01-08"], "amount": [1.0, np.nan, 2.0]}
)


@pytest.mark.parametrize("at", [None, "end"])
def test_a_frame_tells_empty_cells_from_days_without_rows(at):
    table = alignment.from_frame(FRAME, "m", time="day", value="amount", grain="day", at=at)
    absent = None if at else 0
    assert table["value"].replace({np.nan: None}).tolist() == [1, None, absent, 2]
    assert table["n"].tolist() == [1, 0, 0, 1]
    judged = status.judge(table, {"m": status.Agreement(target=5, better="down")})
    assert judged["reason"].tolist()[1] == "no data"


def test_a_column_of_nothing_but_empty_cells_is_missing_everywhere():
    frame = FRAME.assign(amount=None)
    table = alignment.from_frame(frame, "m", time="day", value="amount", grain="week")
    assert table["value"].isna().all()
    assert table["complete"].tolist() == [False]


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(st.integers(0, 13), st.one_of(st.none(), st.integers(-9, 9))),
        min_size=1,
        max_size=12,
    )
)
def test_every_sum_is_that_of_its_filled_cells_and_missing_where_rows_have_none(rows):
    start = dt.date(2026, 1, 5)
    frame = pd.DataFrame(rows, columns=["offset", "amount"])
    frame["day"] = [start + dt.timedelta(days=offset) for offset in frame["offset"]]
    table = alignment.from_frame(
        frame, "m", time="day", value="amount", covers=(start, start + dt.timedelta(days=13)),
        as_of=start + dt.timedelta(days=13),
    )  # fmt: skip
    for row in table.itertuples():
        own = frame[(frame["offset"] // 7) == (row.period_start.date() - start).days // 7]
        filled = own["amount"].dropna()
        assert row.n == len(filled)
        if len(own) and not len(filled):
            assert math.isnan(row.value)
        else:
            assert row.value == filled.sum()


@pytest.mark.parametrize("agg", ["sum", "average", "median", "max", "count_distinct"])
@pytest.mark.parametrize("at", ["", ", at: end"])
def test_no_periods_have_no_values(company, agg, at):
    catalog = measured(company, EMPTY, f"agg: {agg}, expr: amount{at}")
    later = dt.date(2030, 1, 1)
    assert alignment.values(catalog, "m", start=later, end=later).empty


@pytest.mark.parametrize(
    ("expr", "agg", "first", "second"),
    [
        ("sqrt(v)", "sum", 2.0, None),
        ("sqrt(v)", "average", 2.0, None),
        ("sqrt(v)", "median", 2.0, None),
        ("sqrt(v)", "count", 1.0, 0.0),
        ("1 + ln(v) * 0", "sum", 1.0, None),
        ("v ^ 0.5", "max", 2.0, None),
    ],
)
def test_what_has_no_result_is_empty_and_no_zero(company, expr, agg, first, second):
    catalog = company(
        "s: {system: X, path: s.csv, time: day}",
        f"m: {{type: simple, measure: {{source: s, agg: {agg}, expr: {expr}}}}}",
        {"s.csv": "day,v\n2026-01-05,4\n2026-01-06,-1\n2026-01-12,-1\n2026-01-18,-9\n"},
    )
    table = alignment.values(catalog, "m")
    cells = [None if math.isnan(value) else value for value in table["value"]]
    assert cells == [first, second]
    assert table["n"].tolist() == [1, 0]
    assert table["complete"].tolist() == [True, True]


def test_a_condition_without_a_result_leaves_its_row_out(company):
    catalog = company(
        "s: {system: X, path: s.csv, time: day}",
        'm: {type: simple, measure: {source: s, agg: count, filter: "ln(v) > 1"}}',
        {"s.csv": "day,v\n2026-01-05,4\n2026-01-06,-1\n"},
    )
    assert alignment.values(catalog, "m")["value"].tolist() == [1]


@pytest.mark.parametrize("agg", ["sum", "average"])
def test_a_text_that_is_cast_to_nan_is_never_added_up_as_zero(company, agg):
    catalog = company(
        "s: {system: X, path: s.csv, time: day, columns: {v: {type: text}}}",
        f"m: {{type: simple, measure: {{source: s, agg: {agg}, expr: try_cast(v as double)}}}}",
        {"s.csv": "day,v\n2026-01-05,4\n2026-01-06,NaN\n2026-01-12,2\n2026-01-18,n/a\n"},
    )
    table = alignment.values(catalog, "m")
    assert [None if math.isnan(value) else value for value in table["value"]] == [None, 2]


@pytest.mark.parametrize(
    "made",
    [
        "{type: derived, expr: a / 2}",
        "{type: ratio, numerator: a, denominator: n}",
        "{type: ratio, numerator: n, denominator: a}",
        "{type: cumulative, metric: a, window: 2 weeks}",
        "{type: derived, expr: a - before, parts: {before: {metric: a, offset: 1 period}}}",
    ],
)
def test_what_is_made_of_an_infinite_sum_is_a_fault_like_it(company, made):
    metrics = f"""
        a: {{type: simple, measure: {{source: s, agg: sum, expr: v}}}}
        n: {{type: simple, measure: {{source: s, agg: count}}}}
        m: {made}
    """
    rows = "day,v\n2026-11-09,2\n2026-11-16,1e308\n2026-11-17,1e308\n2026-11-22,1\n"
    source = "s: {system: Shop, path: s.csv, time: day}"
    catalog = company(source, metrics, {"s.csv": rows}, as_of="2026-11-22")
    this = board.measure(catalog, ["a", "m"])
    assert this.current["reason"].tolist() == ["fault", "fault"]
