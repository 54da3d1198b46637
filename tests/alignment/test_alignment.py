"""The metric table: what a value is, and when there is none."""

import datetime as dt
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import alignment
from dataops_nb.alignment import comparisons
from dataops_nb.alignment.windows import Window
from dataops_nb.alignment.worths import Worths
from dataops_nb.errors import UsageError
from dataops_nb.metrics import Target
from dataops_nb.periods import Calendar
from tests import shop

DEALS = """
    id,closed_on,amount,stage,team,account
    1,2026-01-05,100,won,East,a
    2,2026-01-06,50,lost,East,b
    3,2026-01-14,30,won,West,a
    4,2026-02-02,20,won,,c
    5,2026-02-03,10,,East,c
"""
SOURCES = """
    deals: {system: CRM, path: deals.csv, key: id, time: closed_on}
"""


def series(catalog, metric, **options):
    table = alignment.values(catalog, metric, **options)
    return {
        name: None if math.isnan(v) else v
        for name, v in zip(table["period"], table["value"], strict=True)
    }


def simple(measure, extra=""):
    return f"m: {{type: simple, measure: {{source: deals, {measure}}}{extra}}}"


@pytest.mark.parametrize(
    ("measure", "january", "february"),
    [
        ("agg: count", 3, 2),
        ("agg: count, expr: team", 3, 1),
        ("agg: sum, expr: amount", 180, 30),
        ("agg: sum, expr: amount * 2", 360, 60),
        ("agg: average, expr: amount", 60, 15),
        ("agg: min, expr: amount", 30, 10),
        ("agg: max, expr: amount", 100, 20),
        ("agg: median, expr: amount", 50, 15),
        ("agg: percentile, q: 0.9, expr: amount", 90, 19),
        ("agg: percentile, q: 25%, expr: amount", 40, 12.5),
        ("agg: count_distinct, expr: account", 2, 1),
        ("agg: first_seen, expr: account", 2, 1),
    ],
)
def test_each_aggregation_over_a_month(company, measure, january, february):
    catalog = company(SOURCES, simple(measure), {"deals.csv": DEALS})
    assert series(catalog, "m", grain="month") == {"2026-01": january, "2026-02": february}


def test_a_filter_drops_rows_with_a_null_condition_and_exclude_keeps_them(company):
    kept = company(SOURCES, simple("agg: count, filter: \"stage <> 'lost'\""), {"deals.csv": DEALS})
    assert series(kept, "m", grain="month") == {"2026-01": 2, "2026-02": 1}
    kept = company(SOURCES, simple("agg: count, exclude: \"stage = 'lost'\""), {"deals.csv": DEALS})
    assert series(kept, "m", grain="month") == {"2026-01": 2, "2026-02": 2}


def test_a_week_without_rows_inside_coverage_is_zero_for_counts_and_sums_and_missing_for_averages(
    company,
):
    metrics = """
        n: {type: simple, measure: {source: deals, agg: count}}
        total: {type: simple, measure: {source: deals, agg: sum, expr: amount}}
        mean: {type: simple, measure: {source: deals, agg: average, expr: amount}}
    """
    catalog = company(SOURCES, metrics, {"deals.csv": DEALS})
    quiet = {name: series(catalog, name)["2026-W04"] for name in ("n", "total", "mean")}
    assert quiet == {"n": 0, "total": 0, "mean": None}


OTHER = """
    on,x
    2026-01-01,1
    2026-03-31,1
"""
TWO = """
    deals: {system: CRM, path: deals.csv, key: id, time: closed_on}
    other: {system: Web, path: other.csv, time: on}
"""


def test_before_a_source_starts_and_after_it_ends_values_are_missing_not_zero(company):
    catalog = company(TWO, simple("agg: count"), {"deals.csv": DEALS, "other.csv": OTHER})
    assert series(catalog, "m", grain="month") == {"2026-01": 3, "2026-02": 2, "2026-03": None}
    assert series(catalog, "m", grain="week")["2026-W01"] is None


def test_a_partial_period_has_its_value_and_is_not_complete(company):
    catalog = company(TWO, simple("agg: count"), {"deals.csv": DEALS, "other.csv": OTHER})
    table = alignment.values(catalog, "m", grain="month").set_index("period")
    assert table["complete"].tolist() == [False, False, False]
    assert table.loc["2026-02", "coverage"] == pytest.approx(3 / 28)
    assert table.loc["2026-02", "data_to"] == pd.Timestamp("2026-02-03")


def test_rows_after_as_of_do_not_exist(company):
    catalog = company(SOURCES, simple("agg: count"), {"deals.csv": DEALS}, as_of="2026-01-10")
    assert series(catalog, "m", grain="month") == {"2026-01": 2}


def test_a_ratio_divides_the_totals_and_has_no_value_where_nothing_is_below(company):
    metrics = """
        won: {type: simple, measure: {source: deals, agg: sum, expr: amount, filter: "stage = 'won'"}}
        all: {type: simple, measure: {source: deals, agg: sum, expr: amount}}
        share: {type: ratio, numerator: won, denominator: all, unit: percent}
    """
    catalog = company(SOURCES, metrics, {"deals.csv": DEALS})
    assert series(catalog, "share", grain="month") == {"2026-01": 130 / 180, "2026-02": 20 / 30}
    assert series(catalog, "share")["2026-W04"] is None


def test_a_ratio_with_an_offset_divides_by_the_period_before(company):
    metrics = """
        n: {type: simple, measure: {source: deals, agg: count}}
        growth: {type: ratio, numerator: n, denominator: {metric: n, offset: 1 period}}
    """
    catalog = company(SOURCES, metrics, {"deals.csv": DEALS})
    assert series(catalog, "growth", grain="month") == {"2026-01": None, "2026-02": 2 / 3}


def test_arithmetic_on_metrics_of_one_period(company):
    metrics = """
        n: {type: simple, measure: {source: deals, agg: count}}
        total: {type: simple, measure: {source: deals, agg: sum, expr: amount}}
        odd: {type: derived, expr: "(total - 2 * n) / n"}
    """
    catalog = company(SOURCES, metrics, {"deals.csv": DEALS})
    assert series(catalog, "odd", grain="month") == {"2026-01": 58, "2026-02": 13}


def test_a_trailing_window_ends_on_the_periods_last_day_and_is_not_complete_until_filled(company):
    metrics = """
        total: {type: simple, measure: {source: deals, agg: sum, expr: amount}}
        two_months: {type: cumulative, metric: total, window: 2 months}
    """
    catalog = company(TWO, metrics, {"deals.csv": DEALS, "other.csv": OTHER})
    table = alignment.values(catalog, "two_months", grain="month").set_index("period")
    assert table["value"].tolist()[:2] == [180, 210]
    assert math.isnan(table.loc["2026-03", "value"])
    assert not table["complete"].any()


def test_twelve_months_to_a_sunday_start_on_the_day_after_it_a_year_before():
    from dataops_nb.alignment.formulas import trailing
    from dataops_nb.terms import Duration

    week = Window(dt.date(2026, 11, 16), dt.date(2026, 11, 22), "week")
    window = trailing(week, Duration.model_validate("12 months"), CUT)
    assert (window.start, window.end) == (dt.date(2025, 11, 23), dt.date(2026, 11, 22))


LEDGER = """
    day,mrr,plan
    2026-01-05,10,a
    2026-01-05,5,b
    2026-01-09,12,a
    2026-01-20,20,a
"""


def test_a_stock_is_the_value_of_the_periods_last_day_with_rows(company):
    metrics = (
        "mrr: {type: simple, measure: {source: ledger, agg: sum, expr: mrr, at: end}, by: [plan]}"
    )
    catalog = company(
        "ledger: {system: Billing, path: ledger.csv, time: day}", metrics, {"ledger.csv": LEDGER}
    )
    assert series(catalog, "mrr") == {"2026-W02": 12, "2026-W03": None, "2026-W04": 20}
    split = alignment.values(catalog, "mrr", by=("plan",)).set_index(["period", "segment"])["value"]
    assert split[("2026-W02", "plan=b")] == 0


SPANS = """
    account,opened,closed
    a,2026-01-01,
    b,2026-01-02,2026-01-12
    c,2026-01-12,2026-01-13
"""
SUBSCRIPTIONS = "subs: {system: Billing, path: subs.csv, time: opened, covers: {from: 2026-01-01, to: 2026-01-25}}"


def test_spans_count_on_the_last_day_while_open_their_end_day_no_more(company):
    metrics = """
        active: {type: simple, measure: {source: subs, agg: count_distinct, expr: account, open: {from: opened, to: closed}, at: end}}
        ever: {type: simple, measure: {source: subs, agg: count, open: {from: opened, to: closed}}}
    """
    catalog = company(SUBSCRIPTIONS, metrics, {"subs.csv": SPANS})
    assert series(catalog, "active") == {"2026-W01": 2, "2026-W02": 2, "2026-W03": 1, "2026-W04": 1}
    assert series(catalog, "ever") == {"2026-W01": 2, "2026-W02": 2, "2026-W03": 2, "2026-W04": 1}


@pytest.mark.parametrize("time", ["", ", time: opened", ", time: closed"])
def test_spans_are_covered_from_the_first_start_to_the_last_end(company, time):
    subscriptions = f"subs: {{system: Billing, path: subs.csv{time}}}"
    metrics = "active: {type: simple, measure: {source: subs, agg: count, open: {from: opened, to: closed}, at: end}}"
    spans = (
        "account,opened,closed\na,2026-01-10,2026-03-20\nb,2026-01-20,\nc,2026-02-01,2026-05-02\n"
    )
    catalog = company(subscriptions, metrics, {"subs.csv": spans}, as_of="2026-05-31")
    months = {"2026-01": 2, "2026-02": 3, "2026-03": 2, "2026-04": 2, "2026-05": 1}
    assert series(catalog, "active", grain="month") == months


def test_a_filter_may_speak_of_the_periods_ends(company):
    metrics = simple('agg: count, filter: "closed_on < :period_start + interval 5 day"')
    catalog = company(SOURCES, metrics, {"deals.csv": DEALS})
    assert series(catalog, "m", grain="month") == {"2026-01": 1, "2026-02": 2}


def test_a_metric_is_split_by_its_declared_dimensions_and_no_value_is_named(company):
    catalog = company(
        SOURCES, simple("agg: count", ", by: [team, [team, stage]]"), {"deals.csv": DEALS}
    )
    table = alignment.align(catalog, ["m"], grain="quarter", by="declared")
    found = {
        segment: value
        for segment, value in zip(table["segment"], table["value"], strict=True)
        if segment
    }
    assert found["team=East"] == 3
    assert found["team=(none)"] == 1
    assert found["team=East,stage=won"] == 1
    assert table["segment"].isna().sum() == 1


def test_a_ratio_by_segment_counts_an_absent_numerator_as_zero(company):
    metrics = """
        won: {type: simple, measure: {source: deals, agg: count, filter: "stage = 'won'"}}
        all: {type: simple, measure: {source: deals, agg: count}}
        rate: {type: ratio, numerator: won, denominator: all, by: [account]}
    """
    catalog = company(SOURCES, metrics, {"deals.csv": DEALS})
    table = alignment.values(catalog, "rate", grain="year", by=("account",))
    assert dict(zip(table["segment"], table["value"], strict=True)) == {
        "account=a": 1,
        "account=b": 0,
        "account=c": 0.5,
    }


def test_an_instant_counts_on_the_companys_day(company):
    stamps = """
        at
        2026-01-05 03:00:00
        2026-01-05 12:00:00
    """
    catalog = company(
        "deals: {system: CRM, path: s.csv, time: at, timezone: UTC}",
        simple("agg: count"),
        {"s.csv": stamps},
    )
    assert series(catalog, "m", grain="day") == {"2026-01-04": 1, "2026-01-05": 1}


def test_a_source_without_a_time_cannot_be_put_on_a_calendar_and_says_so(company):
    with pytest.raises(UsageError, match="no time column"):
        company("deals: {system: CRM, path: d.csv}", simple("agg: count"), {"d.csv": "x\n1\n"})


def test_comparisons_are_computed_from_the_rows_of_what_they_compare_with(company):
    rows = "on,x\n" + "".join(
        f"{dt.date(2025, 1, 1) + dt.timedelta(days=i)},{i}\n" for i in range(430)
    )
    metrics = "m: {type: simple, measure: {source: s, agg: sum, expr: x}}"
    catalog = company(
        "s: {system: S, path: s.csv, time: on}", metrics, {"s.csv": rows}, as_of="2026-02-15"
    )
    table = comparisons.compare(alignment.values(catalog, "m"), catalog).set_index("period")
    last = table.loc["2026-W07"]

    def total(first, last):
        days = [(dt.date.fromisoformat(d) - dt.date(2025, 1, 1)).days for d in (first, last)]
        return sum(range(days[0], days[1] + 1))

    assert last["previous"] == total("2026-02-02", "2026-02-08")
    assert last["same_last_year"] == total("2025-02-10", "2025-02-16")
    assert last["mtd"] == total("2026-02-01", "2026-02-15")
    assert last["mtd_last_year"] == total("2025-02-01", "2025-02-15")
    assert last["qtd"] == last["ytd"] == total("2026-01-01", "2026-02-15")
    assert last["same_last_year_complete"]
    assert not table.loc["2025-W52", "same_last_year_complete"]


def test_comparing_keeps_rows_and_their_order(company):
    catalog = company(SOURCES, simple("agg: count", ", by: [team]"), {"deals.csv": DEALS})
    table = alignment.align(catalog, ["m"], by="declared")
    pd.testing.assert_frame_equal(comparisons.compare(table, catalog)[alignment.COLUMNS], table)


CUT = Calendar()


def agreed(*targets):
    return [Target.model_validate(each) for each in targets]


def target(dated, start, end):
    """The target of the days from start to end."""
    columns = Worths.of(dated, [(start, end)], CUT).values(dated)
    return columns["target"][0]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-16", "2026-11-22", 14),
        ("2026-11-01", "2026-11-30", 60),
        ("2025-12-29", "2026-01-04", 12 / 7 * 3 + 14 / 7 * 4),
    ],
)
def test_a_flows_target_is_spread_over_days_also_across_a_change(start, end, expected):
    weekly = agreed(
        {"from": dt.date(2025, 1, 1), "per": "week", "value": 12.0},
        {"from": dt.date(2026, 1, 1), "per": "week", "value": 14.0},
    )
    found = target(weekly, dt.date.fromisoformat(start), dt.date.fromisoformat(end))
    assert found == pytest.approx(expected, rel=1e-15)


def test_a_rates_target_is_weighted_by_days_across_a_change():
    rate = agreed(
        {"from": dt.date(2026, 1, 1), "value": 0.2}, {"from": dt.date(2026, 1, 16), "value": 0.4}
    )
    found = target(rate, dt.date(2026, 1, 1), dt.date(2026, 1, 31))
    assert found == pytest.approx((0.2 * 15 + 0.4 * 16) / 31)


def test_days_before_the_first_target_have_none():
    late = agreed({"from": dt.date(2026, 11, 18), "per": "week", "value": 7.0})
    assert math.isnan(target(late, dt.date(2026, 11, 16), dt.date(2026, 11, 22)))


def test_a_seasonal_factor_scales_the_days_of_its_month():
    festive = agreed(
        {"from": dt.date(2026, 1, 1), "per": "week", "value": 7.0, "season": {"december": 0.5}}
    )
    assert target(festive, dt.date(2026, 11, 30), dt.date(2026, 12, 6)) == 1 + 6 * 0.5


@given(
    st.integers(1, 10**6),
    st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
    st.sampled_from(["week", "month", "quarter", "year"]),
)
def test_the_target_of_its_own_period_is_exactly_what_was_agreed(value, day, grain):
    period = CUT.period(grain, day)
    own = agreed({"per": grain, "value": float(value)})
    assert target(own, period.start, period.end) == value


@pytest.mark.long
@settings(max_examples=15, deadline=None)
@given(days=st.lists(st.integers(0, 60), min_size=1, max_size=40))
def test_days_weeks_and_months_add_up_to_the_same_total(days, tmp_path_factory, request):
    from dataops_nb import definitions, sources

    folder = tmp_path_factory.mktemp("sum")
    (folder / "params" / "departments").mkdir(parents=True)
    (folder / "params" / "company.yaml").write_text(
        "company: T\nsources:\n  s: {system: S, path: s.csv, time: on}\n"
    )
    (folder / "params" / "departments" / "d.yaml").write_text(
        "department: D\nmetrics:\n  m: {type: simple, measure: {source: s, agg: count}}\n"
    )
    rows = "".join(f"{dt.date(2026, 1, 1) + dt.timedelta(days=each)}\n" for each in days)
    (folder / "s.csv").write_text("on\n" + rows)
    catalog = sources.open(definitions.load(folder / "params"), folder, dt.date(2026, 12, 31))
    totals = {
        grain: alignment.values(catalog, "m", grain=grain)["value"].sum()
        for grain in ("day", "week", "month", "year")
    }
    assert set(totals.values()) == {len(days)}


@pytest.mark.parametrize(
    ("metric", "asked", "near"),
    [
        ("amuont", {}, "did you mean 'amount'"),
        ("amount", {"grain": "weak"}, "did you mean 'week'"),
        ("amount", {"by": ("chanel",)}, "did you mean 'channel'"),
    ],
)
def test_a_wrong_word_names_the_nearest_right_one(tmp_path, metric, asked, near):
    shop.folder(tmp_path)
    with pytest.raises(UsageError, match=near):
        alignment.align(shop.opened(tmp_path, "2026-11-15"), [metric], **asked)


def test_a_metric_without_splits_says_so(company):
    catalog = company(SOURCES, simple("agg: count"), {"deals.csv": DEALS})
    with pytest.raises(UsageError, match="m can't be split by team: its definition has no by:"):
        alignment.values(catalog, "m", by=("team",))
