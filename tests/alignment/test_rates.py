"""Amounts in several currencies: each row at the rate of its own local day, and a rate that is missing is a fault."""

import pytest

from dataops_nb import alignment, status
from dataops_nb.errors import DataError, DefinitionsError

DEALS = """
    on,amount,money,team
    2026-01-05,100,USD,E
    2026-01-05,10,EUR,E
    2026-01-06,10,EUR,W
    2026-01-09,10,EUR,E
    2026-01-10,10,GBP,W
    2026-02-02,10,EUR,W
"""
FX = """
    day,currency,rate
    2026-01-05,EUR,2
    2026-01-06,EUR,3
    2026-01-08,EUR,4
    2026-01-10,GBP,5
    2026-02-02,EUR,6
"""
RATES = "rates: {{source: fx, time: day, from: currency, to: USD, rate: rate{0}}}"
SOURCES = """
    deals: {system: CRM, path: deals.csv, time: on}
    fx: {system: Bank, path: fx.csv, time: day}
"""
REVENUE = "m: {type: simple, measure: {source: deals, agg: sum, expr: amount, currency: money}, by: [team]}"


def opened(
    company,
    *,
    fill=", fill: previous",
    metrics=REVENUE,
    known=SOURCES,
    fx=FX,
    deals=DEALS,
    **options,
):
    files = {"deals.csv": deals, "fx.csv": fx}
    return company(known, metrics, files, extra=RATES.format(fill), **options)


def values(catalog, metric="m", grain="month", **options):
    table = alignment.values(catalog, metric, grain=grain, **options)
    return dict(zip(table["segment"] if options else table["period"], table["value"], strict=True))


def test_each_row_is_converted_at_the_rate_of_its_day_or_the_last_one_before(company):
    assert values(opened(company)) == {"2026-01": 100 + 20 + 30 + 40 + 50, "2026-02": 60}


def test_a_split_and_another_grain_convert_the_same_rows(company):
    split = alignment.values(opened(company), "m", grain="year", by=("team",)).set_index("segment")[
        "value"
    ]
    assert split.to_dict() == {"team=E": 160, "team=W": 140}
    assert values(opened(company), grain="day")["2026-01-06"] == 30


@pytest.mark.parametrize(
    ("agg", "january"), [("average", 48), ("min", 20), ("max", 100), ("median", 40)]
)
def test_every_aggregation_of_amounts_is_one_of_converted_amounts(company, agg, january):
    catalog = opened(company, metrics=REVENUE.replace("agg: sum", f"agg: {agg}"))
    assert values(catalog)["2026-01"] == january


def test_an_expression_is_converted_as_a_whole_and_its_names_stay_those_of_the_rows(company):
    catalog = opened(company, metrics=REVENUE.replace("expr: amount", "expr: amount + 1"))
    assert values(catalog)["2026-02"] == 66


def test_a_window_by_its_rows_and_open_spans_convert_too(company):
    metrics = """
        early: {type: simple, measure: {source: deals, agg: sum, expr: amount, currency: money, filter: '"on" < :period_start + interval 5 day'}}
        held: {type: simple, measure: {source: deals, agg: sum, expr: amount, currency: money, open: {from: on, to: until}, at: end}}
    """
    deals = (
        DEALS.replace("team", "team,until", 1)
        .replace(",E\n", ",E,\n")
        .replace(",W\n", ",W,2026-01-20\n")
    )
    catalog = opened(company, metrics=metrics, deals=deals)
    assert values(catalog, "early") == {"2026-01": 120, "2026-02": 60}
    assert values(catalog, "held")["2026-01"] == 160


def test_a_rate_that_is_too_old_is_a_fault_that_names_currency_and_day(company):
    catalog = opened(
        company, fill=", fill: previous, max_gap: 1d", fx=FX.replace("2026-01-08", "2026-01-07")
    )
    with pytest.raises(DataError, match="EUR on 2026-01-09") as error:
        values(catalog)
    (fault,) = error.value.faults
    assert (fault.file, fault.row, fault.column) == ("deals.csv", 5, "money")
    assert fault.rule == "has no rate to USD in fx no older than 1 day"


@pytest.mark.parametrize(
    ("fx", "rows", "rule"),
    [
        (FX.replace("EUR,3", "EUR,0"), [3], "is no rate: a rate is more than 0"),
        (FX.replace("EUR,3", "EUR,-3"), [3], "is no rate: a rate is more than 0"),
        (
            FX + "    2026-01-06,EUR,3.5\n",
            [3, 7],
            "is one of several rates of its currency and day",
        ),
    ],
)
def test_rates_that_cannot_be_are_faults(company, fx, rows, rule):
    faults = opened(company, fx=fx).check()
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [
        ("fx.csv", row, "rate") for row in rows
    ]
    assert all(fault.rule.startswith(rule) for fault in faults)


def test_the_same_rate_twice_is_one_and_latest_says_which_of_several_counts(company):
    assert opened(company, fx=FX + "    2026-01-06,EUR,3\n").check() == []
    known = SOURCES.replace("time: day}", "time: day, key: [day, currency], latest: rate}")
    catalog = opened(company, known=known, fx=FX + "    2026-01-06,EUR,3.5\n")
    assert catalog.check() == []
    assert values(catalog)["2026-01"] == 100 + 20 + 35 + 40 + 50


def test_a_gap_of_exactly_the_longest_allowed_is_filled(company):
    assert values(opened(company, fill=", fill: previous, max_gap: 1d"))["2026-01"] == 240


def test_without_fill_only_the_days_own_rate_counts(company):
    with pytest.raises(DataError, match="has no rate to USD in fx on that day"):
        values(opened(company, fill=""))


@pytest.mark.parametrize("cell", ["CHF", ""])
def test_a_currency_without_rates_and_a_row_without_a_currency_are_faults(company, cell):
    with pytest.raises(DataError, match=f"{cell or 'no currency'} on 2026-01-06"):
        values(opened(company, deals=DEALS.replace("10,EUR,W", f"10,{cell},W", 1)))


def test_where_faults_are_only_marked_the_metric_is_unknown(company):
    known = SOURCES.replace("path: deals.csv", "path: deals.csv, on_fault: mark")
    catalog = opened(company, known=known, deals=DEALS.replace("GBP", "CHF"))
    table = alignment.add_targets(alignment.values(catalog, "m", grain="month"), catalog)
    judged = status.judge(table, catalog.company)
    assert set(judged["light"]) == {"unknown"}
    assert set(judged["reason"]) == {"fault"}


def test_faulty_rates_that_are_only_marked_make_the_metric_unknown(company):
    known = SOURCES.replace("path: fx.csv", "path: fx.csv, on_fault: mark")
    catalog = opened(company, known=known, fx=FX.replace("EUR,6", "EUR,six"))
    assert set(alignment.values(catalog, "m", grain="month")["condition"]) == {"fault"}


def test_rows_and_rates_after_as_of_do_not_exist(company):
    late = DEALS + "    2026-02-03,10,CHF,W\n"
    assert values(opened(company, deals=late, as_of="2026-02-02"))["2026-02"] == 60


def test_check_lists_the_missing_rate(company):
    catalog = opened(company, deals=DEALS.replace("GBP", "CHF"))
    assert [str(fault.value) for fault in catalog.check()] == ["CHF on 2026-01-10"]


@pytest.mark.parametrize(
    ("rates", "metrics", "words"),
    [
        ("", REVENUE, "needs exchange rates"),
        (RATES.format("").replace("source: fx", "source: fy"), REVENUE, "no source 'fy'"),
        (RATES.format("").replace("to: USD", "to: EUR"), REVENUE, "amounts are shown in USD"),
        (RATES.format(", max_gap: 3d"), REVENUE, "holds on its own day only"),
        (
            RATES.format(""),
            REVENUE.replace("agg: sum, expr: amount", "agg: count"),
            "has no amount to convert",
        ),
    ],
)
def test_rates_that_cannot_be_followed_are_refused(company, rates, metrics, words):
    with pytest.raises(DefinitionsError, match=words):
        company(SOURCES, metrics, {"deals.csv": DEALS, "fx.csv": FX}, extra=rates)


@pytest.mark.parametrize(
    "lines",
    ["2026-01-09,,GBP,W", "2026-01-09,5,GBP,lost", "2026-01-09,5,,lost", "2026-01-09,,,E"],
)
def test_a_row_without_an_amount_or_left_out_by_its_measure_needs_no_rate(company, lines):
    deals = DEALS.rstrip() + f"\n{lines}\n"
    metrics = REVENUE.replace("currency: money", "currency: money, filter: \"team <> 'lost'\"")
    excluding = metrics.replace("filter:", "exclude:").replace("<>", "=")
    for written in (metrics, excluding):
        assert values(opened(company, metrics=written, deals=deals))["2026-01"] == 240


def test_a_row_that_one_measure_counts_and_another_leaves_out_needs_a_rate(company):
    metrics = f"""
        {REVENUE}
        w: {{type: simple, measure: {{source: deals, agg: sum, expr: amount, currency: money, filter: "team = 'W'"}}}}
    """
    deals = DEALS.rstrip() + "\n2026-01-09,5,GBP,E\n"
    with pytest.raises(DataError, match="GBP on 2026-01-09"):
        values(opened(company, metrics=metrics, deals=deals), "w")


def test_a_condition_of_each_window_leaves_no_row_out_of_the_check(company):
    metrics = REVENUE.replace("currency: money", "currency: money, filter: '\"on\" < :period_end'")
    deals = DEALS.rstrip() + "\n2026-01-09,5,GBP,E\n"
    with pytest.raises(DataError, match="GBP on 2026-01-09"):
        values(opened(company, metrics=metrics, deals=deals))
