"""The same code computes the right numbers of real companies.

Olist (Brazil): `expected.json` of the data. Working Backwards' review app: the published blocks of its scenarios 1 to 4.
NHS England A&E: monthly attendances and the four-hour standard.
"""

import datetime as dt
import json
import math
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from dataops_nb import alignment, definitions, sources, status
from dataops_nb.alignment import comparisons
from dataops_nb.errors import DataError

pytestmark = pytest.mark.long

OLIST = Path(__file__).parents[2] / "examples" / "olist"


def expected(folder, query, column):
    block = json.loads((folder / "expected.json").read_text())[query]
    at = block["columns"].index(column)
    return {row[0]: row[at] for row in block["rows"]}


@pytest.fixture(scope="module")
def olist():
    folder = Path(__file__).parents[3] / "shared" / "data" / "olist"
    if not folder.exists():
        pytest.skip("the real data set olist is not on this machine")
    with sources.open(definitions.load(OLIST / "params"), folder, dt.date(2018, 12, 31)) as catalog:
        yield folder, catalog


def ours(catalog, metric, grain):
    table = alignment.values(catalog, metric, grain=grain)
    keys = table["period"] if grain == "month" else table["period_start"].dt.strftime("%Y-%m-%d")
    return dict(zip(keys, table["value"], strict=True))


@pytest.mark.parametrize(
    ("metric", "grain", "query", "column"),
    [
        ("leads", "month", "mql_monthly", "mql"),
        ("leads", "week", "mql_weekly_iso_monday", "mql"),
        ("won_deals", "month", "deals_won_monthly", "won"),
        ("won_deals", "week", "deals_won_weekly_iso_monday", "won"),
        ("orders", "month", "monthly_orders_revenue", "orders"),
        ("orders", "week", "weekly_orders_iso_monday", "orders"),
        ("revenue", "month", "monthly_orders_revenue", "revenue"),
        ("revenue_ttm", "month", "ttm_revenue_at_month_end", "ttm_revenue"),
        ("new_customers", "month", "new_customers_monthly", "new_customers"),
        ("happy", "month", "reviews_by_creation_month", "happy"),
        ("sad", "month", "reviews_by_creation_month", "sad"),
        ("review_score", "month", "reviews_by_creation_month", "avg_score"),
        ("delivered", "month", "late_delivery_by_delivered_month", "delivered"),
        ("late", "month", "late_delivery_by_delivered_month", "late_day"),
    ],
)
def test_olist_equals_the_published_queries(olist, metric, grain, query, column):
    folder, catalog = olist
    published, found = expected(folder, query, column), ours(catalog, metric, grain)
    assert {period: found[period] for period in published} == pytest.approx(
        published, abs=1e-6, nan_ok=True
    )


@pytest.mark.parametrize(
    ("metric", "first", "last"),
    [
        ("leads", "2017-06", "2018-05"),
        ("won_deals", "2017-12", "2018-11"),
        ("orders", "2016-10", "2018-08"),
    ],
)
def test_an_olist_system_says_nothing_before_it_starts_or_after_it_ended_and_zero_in_between(
    olist, metric, first, last
):
    found = ours(olist[1], metric, "month")
    assert all(
        math.isnan(value) == (not first <= period <= last) for period, value in found.items()
    )
    assert sum(value == 0 for value in found.values()) == (2 if metric == "orders" else 0)


def test_olist_trailing_twelve_months_are_missing_once_the_shop_has_ended(olist):
    found = ours(olist[1], "revenue_ttm", "month")
    assert math.isnan(found["2018-09"])
    assert not math.isnan(found["2018-08"])


def test_olist_a_join_that_repeats_an_order_for_each_payment_is_refused_and_does_not_double_revenue(
    olist, tmp_path
):
    folder, _ = olist
    shutil.copytree(OLIST / "params", tmp_path / "params")
    company = (tmp_path / "params" / "company.yaml").read_text()
    naive = re.sub(
        r"left join \(select.*?\) p using", "left join payments p using", company, flags=re.DOTALL
    )
    (tmp_path / "params" / "company.yaml").write_text(
        naive.replace("p.paid", "p.payment_value as paid")
    )
    catalog = sources.open(definitions.load(tmp_path / "params"), folder, dt.date(2018, 12, 31))
    with pytest.raises(DataError, match="order_payments"):
        alignment.values(catalog, "revenue", grain="month")


REVIEW = """
company: Review
calendar: {{week_starts: sunday, year: {{starts: {starts}}}}}
sources:
  site: {{system: Site, path: original.csv, time: Date{more}}}
"""
PAGES = "department: Web\nmetrics:\n  PageViews: {type: simple, measure: {source: site, agg: sum, expr: PageViews}}\n"
SAAS = """
department: SaaS
defaults: {source: site}
metrics:
  CumulativePaidCustomers: {type: simple, measure: {agg: average, expr: cumulative_paid_customers}}
  PaidCustomers: {type: simple, measure: {agg: sum, expr: new_paid_customers}}
  ChurnedCustomers: {type: simple, measure: {agg: sum, expr: new_churned_customers}}
  CAC: {type: simple, measure: {agg: sum, expr: cac_usd}}
  FreeTrialStarts: {type: simple, measure: {agg: sum, expr: free_trial_starts}}
  NewLogoMRR: {type: simple, measure: {agg: sum, expr: new_logo_mrr_usd}}
  UpsellMRR: {type: simple, measure: {agg: sum, expr: upsell_mrr_usd}}
  TestMaxMetric: {type: simple, measure: {agg: max, expr: latency}}
  TestMinMetric: {type: simple, measure: {agg: min, expr: latency}}
  TestSumDoubleMetric: {type: simple, measure: {agg: sum, expr: latency}}
  TestFilterMetricUS: {type: simple, measure: {agg: average, expr: latency, filter: latency_country = 'US'}}
  TestSumMetrics: {type: derived, expr: NewLogoMRR + UpsellMRR}
  TestSumMetricColumn: {type: derived, expr: NewLogoMRR + UpsellMRR}
  TestDifferenceMetric: {type: derived, expr: PaidCustomers - ChurnedCustomers}
  TestProductMetric: {type: derived, expr: CAC * FreeTrialStarts}
  TestProductMetricTwo: {type: derived, expr: CumulativePaidCustomers * ChurnedCustomers}
  TestDivisionMetric: {type: ratio, numerator: ChurnedCustomers, denominator: CumulativePaidCustomers}
"""
CASES = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), *((4, i) for i in range(12))]


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    root = Path(__file__).parents[3] / "shared" / "data" / "wbr_sample" / "scenarios"
    if not root.exists():
        pytest.skip("the real data set wbr_sample is not on this machine")
    known = {}

    def blocks(scenario, case):
        folder = root / f"scenario_{scenario}"
        test = yaml.safe_load((folder / "testconfig.yml").read_text())["tests"][case]["test"]
        day = dt.datetime.strptime(str(test["week_ending"]), "%d-%b-%Y").date()
        if scenario not in known:
            params = tmp_path_factory.mktemp(f"scenario{scenario}")
            more = "" if scenario == 4 else ', date_format: "%a, %d-%b-%Y"'
            (params / "company.yaml").write_text(
                REVIEW.format(starts="june" if scenario == 3 else "january", more=more)
            )
            (params / "departments").mkdir()
            (params / "departments" / "web.yaml").write_text(SAAS if scenario == 4 else PAGES)
            known[scenario] = sources.open(definitions.load(params), folder, day)
        name = test["metric_name"] if scenario == 4 else "PageViews"
        catalog = known[scenario]
        tables = [
            comparisons.compare(alignment.values(catalog, name, grain=g), catalog)
            for g in ("week", "month")
        ]
        return test, day, *tables

    return blocks


@pytest.mark.parametrize(("scenario", "case"), CASES)
def test_review_six_weeks_and_the_same_weeks_last_year(review, scenario, case):
    test, day, weeks, _ = review(scenario, case)
    six = weeks[weeks["period_end"] <= pd.Timestamp(day)].tail(6)
    assert six["period_end"].iloc[-1] == pd.Timestamp(day)
    assert six["value"].tolist() == pytest.approx(test["cy_6_weeks"], rel=1e-6)
    assert six["same_last_year"].tolist() == pytest.approx(
        test["py_6_weeks"], rel=1e-6, nan_ok=True
    )


@pytest.mark.parametrize(("scenario", "case"), CASES)
def test_review_twelve_months_and_the_same_months_last_year(review, scenario, case):
    test, day, _, months = review(scenario, case)
    first = (
        dt.date(day.year, 1, 1)
        if test["x_axis_monthly_display"] == "fiscal_year"
        else _twelve_before(day)
    )
    rows = months.set_index("period").reindex(
        f"{each:%Y-%m}" for each in pd.date_range(first, periods=12, freq="MS")
    )
    published = [value for value in test["cy_monthly"] if not math.isnan(value)]
    whole = rows[rows["period_end"] <= pd.Timestamp(day)]
    assert whole["value"].tolist() == pytest.approx(published, rel=1e-6)
    before = [
        value
        for value, known in zip(test["py_monthly"], rows["value"].notna(), strict=True)
        if known
    ]
    assert rows["same_last_year"].dropna().tolist() == pytest.approx(
        [v for v in before if not math.isnan(v)], rel=1e-6
    )


def _twelve_before(day):
    last = pd.Period(day, "M") if (day + dt.timedelta(days=1)).day == 1 else pd.Period(day, "M") - 1
    return (last - 11).start_time.date()


@pytest.mark.parametrize(("scenario", "case"), CASES)
def test_review_week_month_quarter_and_year_to_date_with_their_changes(review, scenario, case):
    test, _, weeks, _ = review(scenario, case)
    row = weeks.iloc[-1]
    value, wow, yoy, *to_date = test["box_totals"]
    assert row["value"] == pytest.approx(value, rel=1e-6)
    assert [
        _percent(row["value"], row["previous"]),
        _percent(row["value"], row["same_last_year"]),
    ] == pytest.approx([wow, yoy], abs=0.05)
    for name, (total, change) in zip(
        ("mtd", "qtd", "ytd"), zip(to_date[::2], to_date[1::2], strict=True), strict=True
    ):
        assert row[name] == pytest.approx(total, rel=1e-6)
        assert _percent(row[name], row[f"{name}_last_year"]) == pytest.approx(change, abs=0.05)


def _percent(value, before):
    return (value / before - 1) * 100


HEALTH = """
company: NHS England
timezone: Europe/London
calendar: {year: {starts: april}}
lights:
  four_hours:
    green: {at_least: 1.0, means: "Meets the standard.", do: "Keep going."}
    yellow: {at_least: 0.9474, means: "Nearly.", do: "Review."}
    red: {means: "Misses it.", do: "Act."}
sources:
  trusts: {system: NHS, path: ae_attendances.csv, key: [period, org_code, type], time: period,
           covers: {from: 2016-04-01, to: 2019-03-31}}
"""
EMERGENCY = """
department: A&E
defaults: {source: trusts, lights: four_hours, by: [org_code]}
metrics:
  attendances: {type: simple, measure: {agg: sum, expr: attendances}}
  seen: {type: simple, measure: {agg: sum, expr: attendances - breaches}}
  performance: {type: ratio, numerator: seen, denominator: attendances, unit: percent, targets: [{from: 2016-04-01, value: 95%}]}
  mean_of_trusts: {type: simple, measure: {agg: average, expr: "1 - breaches / nullif(attendances, 0)"}, unit: percent}
  attendances_ttm: {type: cumulative, metric: attendances, window: 12 months}
"""


@pytest.fixture(scope="module")
def health(tmp_path_factory):
    folder = Path(__file__).parents[3] / "shared" / "data" / "nhs_ae"
    if not folder.exists():
        pytest.skip("the real data set nhs_ae is not on this machine")
    params = tmp_path_factory.mktemp("nhs")
    (params / "departments").mkdir()
    (params / "company.yaml").write_text(HEALTH)
    (params / "departments" / "emergency.yaml").write_text(EMERGENCY)
    with sources.open(definitions.load(params), folder, dt.date(2019, 3, 31)) as catalog:
        yield folder, catalog


@pytest.mark.parametrize(
    ("metric", "query", "column"),
    [
        ("attendances", "england_monthly_4h", "attendances"),
        ("performance", "england_monthly_4h", "performance"),
        ("attendances_ttm", "ttm_attendances", "ttm"),
    ],
)
def test_nhs_monthly_figures_equal_the_published_queries(health, metric, query, column):
    folder, catalog = health
    found = ours(catalog, metric, "month")
    assert found == pytest.approx(expected(folder, query, column), rel=1e-7)


def test_nhs_a_ratio_of_sums_is_not_the_mean_of_ratios(health):
    march = {
        metric: ours(health[1], metric, "month")["2019-03"]
        for metric in ("performance", "mean_of_trusts")
    }
    assert {name: round(value, 3) for name, value in march.items()} == {
        "performance": 0.866,
        "mean_of_trusts": 0.920,
    }


def test_nhs_trusts_get_the_published_number_of_lights_and_absent_ones_none(health):
    folder, catalog = health
    table = alignment.values(catalog, "performance", grain="month", by=("org_code",))
    table = table.assign(target=0.95, target_low=math.nan, target_high=math.nan)
    judged = status.judge(table, catalog.company)
    march = judged[judged["period"] == "2019-03"]
    counts = march["light"].value_counts()
    exact = (
        expected(folder, "org_status_per_month", "green")["2019-03"],
        expected(folder, "org_status_per_month", "red")["2019-03"],
    )
    assert counts["green"] == exact[0]
    assert abs(counts["red"] - exact[1]) <= 1
    assert set(march.loc[march["light"] == "unknown", "reason"]) <= {"no data"}
