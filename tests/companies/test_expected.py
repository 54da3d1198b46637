"""Published queries over real data, answered by metrics: every column of every expected.json that the language can say.

A case names the data set, the query, its column, the metric, and how the query's key columns are read: `period` (the id of a
calendar period), `start` (its first day), `all` (the whole history: a trailing window that is longer than it), and a
dimension for each other key. A key that the query does not list had no rows: ours is 0 there, or missing.

What is not here, and why:

- olist: `mql_*`, `deals_won_*`, `weekly_*`, `ttm_*`, `reviews_by_creation_month` and the days of `late_delivery_*` are in
  test_real_companies. `one_calendar_zero_filled` is wrong on purpose: ours is missing where it says 0. `won_ever` of `cohort_conversion` is a conversion without a window's end, so one of 20 years that is
  never complete. `won_within_30d` counts moments less than 30 days after the midnight of a date: `window: 29d`, since the
  last day counts; with `window: 30d` the first day more is in. The metric says nothing before the deals' system starts
  unless `covers:` says it does. `top_sdr`, `payments_*`, `row_counts`, `orders_by_status`, `traps` and `funnel_traps` describe
  files, without a calendar.
- chinook: nothing is left out.
- oss_releases: nothing is left out; days between releases are a query's column.
- pyart_oss: nothing is left out.
- telco_churn: a cross-section without a date; it cannot be put on a calendar, and the definitions say so.
- nhs_ae: `england_monthly_4h`, `ttm_attendances` and `org_status_per_month` are in test_real_companies; `traps` describes the
  file.
- wbr_sample: the other blocks of the scenarios are in test_real_companies; `scenario4_rows_per_date` describes the file.
- dbt_metricflow: `cumulative` without a window is one that is longer than history. MetricFlow lists no day without rows, we
  say 0. A sum over no rows is 0 here and null in `returned_usd`. `test_list_metrics` and `test_csv` are about its own
  command; the values of the latter are here.
- olist_published_aggregates: `full_population_daily_delivered_gaps` asks for days without rows, which coverage is about, not a
  metric: its rows and total are here. `reconciliation_totals` has no calendar.
"""

import csv
import datetime as dt
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from dataops_nb import alignment, definitions, sources
from dataops_nb.errors import DefinitionsError

pytestmark = pytest.mark.long

AGES = "20 years"


@dataclass(frozen=True)
class Company:
    """A data set's sources and metrics, as of a day, in a time zone."""

    as_of: str
    sources: str
    metrics: str
    more: str = ""


COMPANIES = {
    "olist": Company(
        "2018-12-31",
        """
  leads: {system: Marketing, path: full/olist_marketing_qualified_leads_dataset.csv, key: mql_id, time: first_contact_date}
  won: {system: CRM, path: full/olist_closed_deals_dataset.csv, key: mql_id, time: won_date, covers: {from: 2017-06-01, to: as_of}}
  cohort:
    system: CRM
    query: >-
      select l.mql_id, l.origin, l.first_contact_date, w.won_date,
             date_diff('day', cast(l.first_contact_date as timestamp), w.won_date) as took
      from leads l left join won w using (mql_id)
    time: first_contact_date
  orders: {system: Shop, path: sample4k/olist_orders_dataset.csv, key: order_id, time: order_purchase_timestamp}
  reviews: {system: Reviews, path: sample4k/olist_order_reviews_dataset.csv, duplicates: keep}
  reviewed:
    system: Shop
    query: select o.order_purchase_timestamp as bought, r.review_score from reviews r join orders o using (order_id)
    time: bought
""",
        """
  reviews: {type: simple, measure: {source: reviewed, agg: count}}
  happy: {type: simple, measure: {source: reviewed, agg: count, filter: review_score >= 4}}
  sad: {type: simple, measure: {source: reviewed, agg: count, filter: review_score <= 2}}
  score: {type: simple, measure: {source: reviewed, agg: average, expr: review_score}}
  late_by_the_second:
    type: simple
    measure:
      source: orders
      agg: count
      time: order_delivered_customer_date
      filter: "order_status = 'delivered' and order_delivered_customer_date > order_estimated_delivery_date"
  mql: {type: simple, measure: {source: leads, agg: count}, by: [origin]}
  deals: {type: simple, measure: {source: won, agg: count}}
  days: {type: simple, measure: {source: cohort, agg: median, expr: took}}
  won_of_leads: {type: simple, measure: {source: cohort, agg: count, expr: won_date}, by: [origin]}
  mql_ever: {type: cumulative, metric: mql, window: AGES, by: [origin]}
  won_ever: {type: cumulative, metric: won_of_leads, window: AGES, by: [origin]}
  win_rate: {type: ratio, numerator: won_ever, denominator: mql_ever, by: [origin]}
  early: {type: conversion, base_metric: mql, conversion_metric: deals, entity: mql_id, window: 29d}
  later: {type: conversion, base_metric: mql, conversion_metric: deals, entity: mql_id, window: 30d}
  ever: {type: conversion, base_metric: mql, conversion_metric: deals, entity: mql_id, window: AGES}
""",
    ),
    "chinook": Company(
        "2025-12-31",
        """
  invoices: {system: Billing, path: Invoice.csv, key: InvoiceId, time: InvoiceDate, covers: {to: as_of}}
  customers: {system: Billing, path: Customer.csv, key: CustomerId}
  employees: {system: HR, path: Employee.csv, key: EmployeeId}
  lines: {system: Billing, path: InvoiceLine.csv, key: InvoiceLineId}
  by_rep:
    system: Billing
    query: >-
      select i.*, e.FirstName || ' ' || e.LastName as rep from invoices i join customers c using (CustomerId)
      join employees e on e.EmployeeId = c.SupportRepId
    time: InvoiceDate
  checked:
    system: Billing
    query: >-
      select i.InvoiceId, i.InvoiceDate, i.Total, l.v from invoices i
      join (select InvoiceId, sum(UnitPrice * Quantity) as v from lines group by 1) l using (InvoiceId)
    time: InvoiceDate
""",
        """
  invoices: {type: simple, measure: {source: invoices, agg: count}}
  revenue: {type: simple, measure: {source: invoices, agg: sum, expr: Total}}
  ttm: {type: cumulative, metric: revenue, window: 12 months}
  rep_revenue: {type: simple, measure: {source: by_rep, agg: sum, expr: Total}}
  rep_customers: {type: simple, measure: {source: by_rep, agg: count_distinct, expr: CustomerId}}
  revenue_ever: {type: cumulative, metric: rep_revenue, window: AGES, by: [rep]}
  customers_ever: {type: cumulative, metric: rep_customers, window: AGES, by: [rep]}
  mismatched: {type: simple, measure: {source: checked, agg: count, filter: abs(v - Total) > 0.005}}
  mismatches: {type: cumulative, metric: mismatched, window: AGES}
""",
    ),
    "oss_releases": Company(
        "2026-12-31",
        """
  releases: {system: Changelogs, path: releases.csv, key: [project, version], time: release_date}
  gaps:
    system: Changelogs
    query: >-
      select project, release_date,
        date_diff('day', lag(release_date) over (partition by project order by release_date), release_date) as gap from releases
    time: release_date
""",
        """
  releases: {type: simple, measure: {source: releases, agg: count}, by: [project]}
  added: {type: simple, measure: {source: releases, agg: sum, expr: added}, by: [project]}
  fixed: {type: simple, measure: {source: releases, agg: sum, expr: fixed}, by: [project]}
  gap: {type: simple, measure: {source: gaps, agg: median, expr: gap}}
  gap_ever: {type: cumulative, metric: gap, window: AGES, by: [project]}
""",
    ),
    "pyart_oss": Company(
        "2024-12-31",
        """
  issues: {system: GitHub, path: github_issues.csv, time: created, covers: {from: 2013-01-01, to: as_of}}
  commits: {system: GitHub, path: github_commits.csv, time: date, duplicates: keep}
  raw: {system: PyPI, path: pypi_stats.csv}
  downloads:
    system: PyPI
    query: select cast(month || '-01' as date) as month, "arm-pyart" as downloads from raw
    time: month
    covers: {to: as_of}
""",
        """
  opened: {type: simple, measure: {source: issues, agg: count}, by: [package]}
  closed: {type: simple, measure: {source: issues, agg: count, time: closed}, by: [package]}
  backlog: {type: simple, measure: {source: issues, agg: count, open: {from: created, to: closed}, at: end}, by: [package]}
  elsewhere:
    type: simple
    measure:
      source: issues
      agg: count
      filter: "date_trunc('month', created at time zone 'UTC') <> date_trunc('month', created at time zone 'America/Chicago')"
  elsewhere_ever: {type: cumulative, metric: elsewhere, window: AGES}
  commits: {type: simple, measure: {source: commits, agg: count}, by: [package]}
  authors: {type: simple, measure: {source: commits, agg: count_distinct, expr: author}, by: [package]}
  bots: {type: simple, measure: {source: commits, agg: count, filter: "author like '%[bot]'"}, by: [package]}
  downloads: {type: simple, measure: {source: downloads, agg: sum, expr: downloads}}
  ttm: {type: cumulative, metric: downloads, window: 12 months}
  took: {type: simple, measure: {source: issues, agg: median, expr: "date_diff('second', created, closed) / 86400.0"}}
  took_ever: {type: cumulative, metric: took, window: AGES, by: [package]}
  done_ever: {type: cumulative, metric: closed, window: AGES, by: [package]}
""",
    ),
    "nhs_ae": Company(
        "2019-03-31",
        """
  trusts: {system: NHS, path: ae_attendances.csv, key: [period, org_code, type], time: period, covers: {to: as_of}}
""",
        """
  attendances: {type: simple, measure: {source: trusts, agg: sum, expr: attendances}, by: [type]}
  breaches: {type: simple, measure: {source: trusts, agg: sum, expr: breaches}, by: [type]}
  admissions: {type: simple, measure: {source: trusts, agg: sum, expr: admissions}}
  seen: {type: simple, measure: {source: trusts, agg: sum, expr: attendances - breaches}, by: [type]}
  attendances_ever: {type: cumulative, metric: attendances, window: AGES, by: [type]}
  breaches_ever: {type: cumulative, metric: breaches, window: AGES, by: [type]}
  seen_ever: {type: cumulative, metric: seen, window: AGES, by: [type]}
  performance: {type: ratio, numerator: seen_ever, denominator: attendances_ever, unit: percent, by: [type]}
""",
    ),
    "wbr_sample": Company(
        "2022-04-30",
        """
  pages:
    system: Site
    path: scenarios/scenario_1/original.csv
    time: Date
    date_format: "%a, %d-%b-%Y"
    columns: {PageViews: {type: decimal}, PageViews__Target: {type: decimal}}
  ledger: {system: Billing, path: scenarios/scenario_4/original.csv, time: Date}
""",
        """
  views: {type: simple, measure: {source: pages, agg: sum, expr: PageViews}}
  planned: {type: simple, measure: {source: pages, agg: sum, expr: PageViews__Target}}
  new_paid: {type: simple, measure: {source: ledger, agg: sum, expr: new_paid_customers}}
  churned: {type: simple, measure: {source: ledger, agg: sum, expr: new_churned_customers}}
  mean_paid: {type: simple, measure: {source: ledger, agg: average, expr: cumulative_paid_customers}}
  new_logo: {type: simple, measure: {source: ledger, agg: sum, expr: new_logo_mrr_usd}}
  lost: {type: simple, measure: {source: ledger, agg: sum, expr: churn_revenue_lost_usd}}
  signups: {type: simple, measure: {source: ledger, agg: sum, expr: free_trial_starts}}
  new_arr: {type: simple, measure: {source: ledger, agg: sum, expr: new_arr_usd}}
  new_paid_ttm: {type: cumulative, metric: new_paid, window: 12 months}
  churned_ttm: {type: cumulative, metric: churned, window: 12 months}
  signups_ttm: {type: cumulative, metric: signups, window: 12 months}
  new_arr_ttm: {type: cumulative, metric: new_arr, window: 12 months}
""",
    ),
    "dbt_metricflow": Company(
        "2022-12-31",
        """
  seed: {system: Shop, path: mf_transactions_seed.csv, key: id_transaction, time: ds}
  people: {system: Shop, path: mf_customers_seed.csv, key: id_customer, time: ds}
  countries: {system: Shop, path: mf_countries_seed.csv, key: country}
  transactions:
    system: Shop
    query: >-
      select t.*, p.country, c.region from seed t left join people p using (id_customer) left join countries c using (country)
    time: ds
  orders: {system: Shop, path: jaffle_classic_raw_orders.csv, key: id, time: order_date}
  payments: {system: Shop, path: jaffle_classic_raw_payments.csv, key: id}
  paid:
    system: Shop
    query: select o.id, o.status, o.order_date, p.amount from orders o left join payments p on p.order_id = o.id
    time: order_date
""",
        """
  transactions: {type: simple, measure: {source: transactions, agg: count}, by: [country]}
  quick: {type: simple, measure: {source: transactions, agg: count, filter: "transaction_type_name = 'quick-buy'"}, by: [country]}
  amount: {type: simple, measure: {source: transactions, agg: sum, expr: transaction_amount_usd}, by: [transaction_type_name]}
  number: {type: simple, measure: {source: transactions, agg: count}, by: [transaction_type_name]}
  cancellations: {type: simple, measure: {source: transactions, agg: sum, expr: transaction_amount_usd, filter: "transaction_type_name = 'cancellation'"}}
  alterations: {type: simple, measure: {source: transactions, agg: sum, expr: transaction_amount_usd, filter: "transaction_type_name = 'alteration'"}}
  revenue_usd: {type: derived, expr: amount - cancellations + alterations}
  number_ever: {type: cumulative, metric: number, window: AGES, by: [transaction_type_name]}
  amount_ever: {type: cumulative, metric: amount, window: AGES, by: [transaction_type_name]}
  total: {type: cumulative, metric: transactions, window: AGES}
  quick_total: {type: cumulative, metric: quick, window: AGES}
  last_7_days: {type: cumulative, metric: transactions, window: 7 days}
  new_customers: {type: simple, measure: {source: people, agg: first_seen, expr: id_customer}}
  orders: {type: simple, measure: {source: orders, agg: count}}
  revenue: {type: simple, measure: {source: paid, agg: sum, expr: amount / 100}}
  returned: {type: simple, measure: {source: paid, agg: sum, expr: amount / 100, filter: "status in ('returned', 'return_pending')"}}
  first_orders: {type: simple, measure: {source: orders, agg: first_seen, expr: user_id}}
""",
    ),
    "olist_published_aggregates": Company(
        "2018-12-31",
        """
  segments: {system: A, path: monthly_revenue.csv, time: month}
  days: {system: A, path: daily_actual.csv, key: order_date, time: order_date}
  running: {system: B, path: mohilgarg_running_total.csv, time: purchase_month, date_format: "%Y-%m-%d %H:%M:%S UTC", covers: {from: 2016-09-01, to: 2018-09-30}}
  people: {system: A, path: new_customers_monthly.csv, time: month}
  raw_orders: {system: C, path: radwa_monthly_orders.json}
  raw_paid: {system: C, path: radwa_monthly_revenue.json}
  orders:
    system: C
    query: >-
      select cast(r.order_year_month || '-01' as date) as month, r.order_count as orders
      from (select unnest(records) as r from raw_orders)
    time: month
  paid:
    system: C
    query: >-
      select cast(r.order_year_month || '-01' as date) as month, r.total_payment_value as revenue
      from (select unnest(records) as r from raw_paid)
    time: month
""",
        """
  sold: {type: simple, measure: {source: segments, agg: sum, expr: '"Engaged-Premium" + "Silent-Premium" + "Bulk-Buyer" + "Budget-Regular" + "Delivery-Disappointed"'}}
  delivered: {type: simple, measure: {source: days, agg: sum, expr: daily_revenue}}
  day_rows: {type: simple, measure: {source: days, agg: count}}
  delivered_ever: {type: cumulative, metric: delivered, window: AGES}
  days_ever: {type: cumulative, metric: day_rows, window: AGES}
  value: {type: simple, measure: {source: running, agg: sum, expr: monthly_revenue}}
  published: {type: simple, measure: {source: running, agg: sum, expr: cumulative_revenue, at: end}}
  running: {type: cumulative, metric: value, window: AGES}
  ttm: {type: cumulative, metric: value, window: 12 months}
  new_customers: {type: simple, measure: {source: people, agg: sum, expr: new_customers}}
  orders: {type: simple, measure: {source: orders, agg: sum, expr: orders}}
  paid: {type: simple, measure: {source: paid, agg: sum, expr: revenue}}
""",
    ),
}
HEAD = "company: Real\ntimezone: UTC\nsources:"

CASES = [
    ("olist", "mql_by_origin", "mql", "mql_ever", "year", ["origin:all"]),
    ("olist", "mql_by_origin", "won", "won_ever", "year", ["origin:all"]),
    ("olist", "mql_by_origin", "win_rate", "win_rate", "year", ["origin:all"]),
    ("olist", "cohort_conversion", "mql", "mql", "month", ["period"]),
    ("olist", "cohort_conversion", "median_days", "days", "month", ["period"]),
    ("olist", "reviews_by_purchase_month", "reviews", "reviews", "month", ["period"]),
    ("olist", "reviews_by_purchase_month", "happy", "happy", "month", ["period"]),
    ("olist", "reviews_by_purchase_month", "sad", "sad", "month", ["period"]),
    ("olist", "reviews_by_purchase_month", "avg_score", "score", "month", ["period"]),
    ("olist", "late_delivery_by_delivered_month", "late_ts", "late_by_the_second", "month", ["period"]),
    ("nhs_ae", "england_monthly_4h", "breaches", "breaches", "month", ["period"]),
    ("nhs_ae", "england_monthly_4h", "admissions", "admissions", "month", ["period"]),
    ("nhs_ae", "by_type", "attendances", "attendances_ever", "month", ["type:all"]),
    ("nhs_ae", "by_type", "breaches", "breaches_ever", "month", ["type:all"]),
    ("nhs_ae", "by_type", "performance", "performance", "month", ["type:all"]),
    ("wbr_sample", "scenario1_monthly", "page_views", "views", "month", ["period"]),
    ("wbr_sample", "scenario1_monthly", "target", "planned", "month", ["period"]),
    ("wbr_sample", "scenario4_saas_monthly", "new_paid", "new_paid", "month", ["period"]),
    ("wbr_sample", "scenario4_saas_monthly", "churned", "churned", "month", ["period"]),
    ("wbr_sample", "scenario4_saas_monthly", "mean_paid", "mean_paid", "month", ["period"]),
    ("wbr_sample", "scenario4_saas_monthly", "new_logo_mrr", "new_logo", "month", ["period"]),
    ("wbr_sample", "scenario4_saas_monthly", "churned_mrr", "lost", "month", ["period"]),
    ("wbr_sample", "scenario4_saas_monthly", "signups", "signups", "month", ["period"]),
    ("chinook", "monthly", "invoices", "invoices", "month", ["period"]),
    ("chinook", "monthly", "revenue", "revenue", "month", ["period"]),
    ("chinook", "ttm_revenue", "ttm", "ttm", "month", ["period"]),
    ("chinook", "by_support_rep", "revenue", "revenue_ever", "year", ["rep:all"]),
    ("chinook", "by_support_rep", "customers", "customers_ever", "year", ["rep:all"]),
    ("oss_releases", "per_year", "releases", "releases", "year", ["project", "period"]),
    ("oss_releases", "per_year", "features_added", "added", "year", ["project", "period"]),
    ("oss_releases", "per_year", "fixed", "fixed", "year", ["project", "period"]),
    ("oss_releases", "per_quarter", "releases", "releases", "quarter", ["project", "period"]),
    ("oss_releases", "per_quarter", "features_added", "added", "quarter", ["project", "period"]),
    ("oss_releases", "median_days_between_releases", "median_gap_days", "gap_ever", "year", ["project:all"]),
    ("pyart_oss", "issues_monthly_utc", "opened", "opened", "month", ["package", "period"]),
    ("pyart_oss", "issues_monthly_utc", "closed", "closed", "month", ["package", "period"]),
    ("pyart_oss", "open_backlog_at_year_end_utc", "open", "backlog", "year", ["package", "period"]),
    ("pyart_oss", "commits_weekly_iso_monday_2024_utc", "commits", "commits", "week", ["package", "start"]),
    ("pyart_oss", "commits_yearly", "commits", "commits", "year", ["package", "period"]),
    ("pyart_oss", "commits_yearly", "authors", "authors", "year", ["package", "period"]),
    ("pyart_oss", "commits_yearly", "bot_commits", "bots", "year", ["package", "period"]),
    ("pyart_oss", "pypi_ttm_arm_pyart", "downloads", "downloads", "month", ["period"]),
    ("pyart_oss", "pypi_ttm_arm_pyart", "ttm", "ttm", "month", ["period"]),
    ("pyart_oss", "median_days_to_close", "closed", "done_ever", "year", ["package:all"]),
    ("pyart_oss", "median_days_to_close", "median_days", "took_ever", "year", ["package:all"]),
    ("dbt_metricflow", "mf_transactions_daily", "transactions", "transactions", "day", ["period"]),
    ("dbt_metricflow", "mf_new_customers_monthly", "new_customers", "new_customers", "month", ["period"]),
    ("dbt_metricflow", "mf_amount_by_type", "n", "number_ever", "month", ["transaction_type_name:all"]),
    ("dbt_metricflow", "mf_amount_by_type", "usd", "amount_ever", "month", ["transaction_type_name:all"]),
    ("dbt_metricflow", "jaffle_monthly", "orders", "orders", "month", ["period"]),
    ("dbt_metricflow", "jaffle_monthly", "revenue_usd", "revenue", "month", ["period"]),
    ("dbt_metricflow", "jaffle_monthly", "returned_usd", "returned", "month", ["period"]),
    ("dbt_metricflow", "jaffle_new_customers", "n", "first_orders", "month", ["period"]),
    ("olist_published_aggregates", "published_monthly_revenue_sum_of_segments", "revenue", "sold", "month", ["period"]),
    ("olist_published_aggregates", "published_daily_sum_by_month", "revenue", "delivered", "month", ["period"]),
    ("olist_published_aggregates", "published_daily_sum_by_month", "day_count", "day_rows", "month", ["period"]),
    ("olist_published_aggregates", "full_population_monthly_order_value", "revenue", "value", "month", ["period"]),
    ("olist_published_aggregates", "full_population_monthly_order_value", "cumulative", "running", "month", ["period"]),
    ("olist_published_aggregates", "full_population_monthly_order_value", "cumulative", "published", "month", ["period"]),
    ("olist_published_aggregates", "full_population_ttm", "ttm", "ttm", "month", ["period"]),
    ("olist_published_aggregates", "full_population_weekly_delivered_iso_monday", "revenue", "delivered", "week", ["start"]),
    ("olist_published_aggregates", "full_population_weekly_delivered_iso_monday", "day_rows", "day_rows", "week", ["start"]),
    ("olist_published_aggregates", "new_customers_monthly_published", "new_customers", "new_customers", "month", ["period"]),
    ("olist_published_aggregates", "full_population_orders_with_items_monthly", "orders", "orders", "month", ["period"]),
    ("olist_published_aggregates", "full_population_delivered_payments_monthly", "revenue", "paid", "month", ["period"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def catalogs(tmp_path_factory):
    """A data set's catalog by name, opened once; skips where the data are not on this machine."""
    from tests.conftest import SHARED

    known = {}

    def find(name):
        if not (SHARED / name).exists():
            pytest.skip(f"the real data set {name} is not on this machine")
        if name not in known:
            said, params = COMPANIES[name], tmp_path_factory.mktemp(name)
            (params / "departments").mkdir()
            (params / "company.yaml").write_text(HEAD + said.sources)
            text = "department: Real\nmetrics:" + said.metrics.replace("AGES", AGES)
            (params / "departments" / "real.yaml").write_text(text)
            day = dt.date.fromisoformat(said.as_of)
            known[name] = sources.open(definitions.load(params), SHARED / name, day)
        return SHARED / name, known[name]

    yield find
    for catalog in known.values():
        catalog.close()


def published(folder, query, column, width):
    """A query's column by its first columns, as text; a null sum of no rows is 0, a null median is missing."""
    block = json.loads((folder / "expected.json").read_text())[query]
    at = block["columns"].index(column)
    empty = math.nan if "median" in column else 0
    return {
        tuple("(none)" if cell in (None, "<null>") else str(cell) for cell in row[:width]): empty
        if row[at] is None
        else row[at]
        for row in block["rows"]
    }


def ours(catalog, metric, grain, keys, column="value"):
    by = tuple(key.split(":")[0] for key in keys if key not in {"period", "start"})
    table = alignment.values(catalog, metric, grain=grain, by=by)
    if keys[-1].endswith(":all"):
        table = table[table["value"].notna()].groupby("segment").tail(1)
    found = {}
    for _, row in table.iterrows():
        parts = [row["segment"].split("=", 1)[1]] if by else []
        parts += [row["period"]] if "period" in keys else []
        parts += [f"{row['period_start']:%Y-%m-%d}"] if "start" in keys else []
        found[tuple(parts)] = row[column]
    return found


@pytest.mark.parametrize(("data", "query", "column", "metric", "grain", "keys"), CASES)
def test_a_metric_equals_the_published_query(catalogs, data, query, column, metric, grain, keys):
    folder, catalog = catalogs(data)
    wanted, found = published(folder, query, column, len(keys)), ours(catalog, metric, grain, keys)
    # The queries say 0 for the sum of rows whose cells are all empty; that is missing here.
    found = {key: 0 if math.isnan(value) else value for key, value in found.items()}
    wanted = {key: 0 if math.isnan(value) else value for key, value in wanted.items()}
    assert {key: found.get(key, 0) for key in wanted} == pytest.approx(
        wanted, rel=1e-6, abs=0.0051, nan_ok=True
    )


@pytest.mark.parametrize(
    ("data", "query", "metric"),
    [
        ("chinook", "ttm_revenue", "ttm"),
        ("pyart_oss", "pypi_ttm_arm_pyart", "ttm"),
        ("olist_published_aggregates", "full_population_ttm", "ttm"),
    ],
)
def test_a_window_that_reaches_before_the_data_is_not_complete(catalogs, data, query, metric):
    folder, catalog = catalogs(data)
    wanted = published(folder, query, "incomplete_window", 1)
    found = ours(catalog, metric, "month", ["period"], "complete")
    assert {key: not found[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CASES
        if not case[3].endswith(("ever", "rate", "ttm", "running", "days", "backlog"))
    ],
)
def test_what_a_query_does_not_list_is_zero_or_missing_here(catalogs, case):
    data, query, column, metric, grain, keys = case
    folder, catalog = catalogs(data)
    wanted = published(folder, query, column, len(keys))
    others = {
        key: value for key, value in ours(catalog, metric, grain, keys).items() if key not in wanted
    }
    if "2024" in query:
        others = {key: value for key, value in others.items() if key[-1] >= "2024"}
    assert all(value == 0 or math.isnan(value) for value in others.values())


def test_olist_leads_that_are_won_within_thirty_days_as_a_share_of_their_cohort(catalogs):
    folder, catalog = catalogs("olist")
    mql, early, ever = (
        published(folder, "cohort_conversion", name, 1)
        for name in ("mql", "won_within_30d", "won_ever")
    )
    assert ours(catalog, "early", "month", ["period"]) == pytest.approx(
        {(month,): early.get((month,), 0) / mql[(month,)] for (month,) in mql}
        | _none_after(catalog, mql),
        nan_ok=True,
    )
    found = ours(catalog, "ever", "month", ["period"])
    before = 1  # one deal was won before the first contact, which converts nothing
    hits = {key: round(found[key] * mql[key]) for key in mql}
    assert sum(ever.values()) - sum(hits.values()) == before
    later = ours(catalog, "later", "month", ["period"])
    assert all(later[key] >= early[key] / mql[key] for key in mql)


def _none_after(catalog, known):
    months = ours(catalog, "early", "month", ["period"])
    return {key: math.nan for key in months if key not in known}


def test_olist_a_cohorts_window_is_open_until_its_last_day(catalogs):
    _, catalog = catalogs("olist")
    assert ours(catalog, "early", "month", ["period"], "complete")[("2018-04",)]
    assert not any(ours(catalog, "ever", "month", ["period"], "complete").values())


@pytest.mark.parametrize(("data", "query", "column", "metric", "grain"), [
    ("chinook", "header_equals_lines", "mismatches", "mismatches", "year"),
    ("pyart_oss", "created_month_differs_in_chicago", "n", "elsewhere_ever", "year"),
    ("olist_published_aggregates", "full_population_daily_delivered_gaps", "total", "delivered_ever", "month"),
    ("olist_published_aggregates", "full_population_daily_delivered_gaps", "day_rows", "days_ever", "month"),
])  # fmt: skip
def test_a_single_figure_over_all_history_is_a_long_window(
    catalogs, data, query, column, metric, grain
):
    folder, catalog = catalogs(data)
    block = json.loads((folder / "expected.json").read_text())[query]
    known = [
        value
        for value in ours(catalog, metric, grain, ["period"]).values()
        if not math.isnan(value)
    ]
    assert known[-1] == pytest.approx(block["rows"][0][block["columns"].index(column)])


@pytest.mark.parametrize("column", ["new_paid", "churned", "signups", "new_arr"])
def test_review_trailing_twelve_months_at_the_end_of_the_ledger(catalogs, column):
    folder, catalog = catalogs("wbr_sample")
    block = json.loads((folder / "expected.json").read_text())["scenario4_ttm_at_2022_04"]
    found = ours(catalog, f"{column}_ttm", "month", ["period"])[("2022-04",)]
    assert found == pytest.approx(block["rows"][0][block["columns"].index(column)])


def test_olist_where_the_naive_calendar_says_zero_ours_is_missing_after_a_system_has_ended(
    catalogs,
):
    folder, catalog = catalogs("olist")
    naive = published(folder, "one_calendar_zero_filled", "mql", 1)
    found = ours(catalog, "mql", "month", ["period"])
    assert naive[("2018-06",)] == 0
    assert math.isnan(found[("2018-06",)])


def snapshot(folder, name):
    """The rows of one of MetricFlow's published query results, by its first columns."""
    lines = (folder / f"mf_test_{name}__result.txt").read_text().split("---\n", 1)[1].splitlines()
    return [line.replace("T00:00:00", "").split() for line in lines if line[:2] == "20"]


def test_metricflow_transactions_a_day(catalogs):
    folder, catalog = catalogs("dbt_metricflow")
    found = ours(catalog, "transactions", "day", ["period"])
    listed = {(day,): int(n) for day, n in snapshot(folder, "query")}
    assert {key: value for key, value in found.items() if value > 0} == listed


@pytest.mark.parametrize("name", ["saved_query", "saved_query_with_where"])
def test_metricflow_transactions_and_quick_buys_a_day_and_country(catalogs, name):
    folder, catalog = catalogs("dbt_metricflow")
    found = {
        metric: ours(catalog, metric, "day", ["country", "period"])
        for metric in ("transactions", "quick")
    }
    for day, country, n, quick in snapshot(folder, name):
        assert found["transactions"][country, day] == int(n)
        assert found["quick"].get((country, day), 0) == int(quick)


def test_metricflow_totals_to_a_day_and_in_the_last_seven_days(catalogs):
    folder, catalog = catalogs("dbt_metricflow")
    total, week = (ours(catalog, metric, "day", ["period"]) for metric in ("total", "last_7_days"))
    rows = snapshot(folder, "saved_query_with_cumulative_metric")
    assert [(day, total[day,], week[day,]) for day, _, _ in rows] == [
        (d, int(t), int(w)) for d, t, w in rows
    ]


def test_metricflow_totals_of_all_transactions(catalogs):
    folder, catalog = catalogs("dbt_metricflow")
    text = (folder / "mf_test_csv__result.txt").read_text().split("---\n", 1)[1]
    listed = next(csv.DictReader(text.splitlines()))
    last = ("2022-04-04",)
    found = {"transactions": "total", "quick_buy_transactions": "quick_total"}
    assert {
        name: int(ours(catalog, metric, "day", ["period"])[last]) for name, metric in found.items()
    } == {name: int(value) for name, value in listed.items()}


def test_metricflow_revenue_is_arithmetic_on_three_metrics(catalogs):
    _, catalog = catalogs("dbt_metricflow")
    usd = published(_, "mf_amount_by_type", "usd", 1)
    months = [
        value
        for value in ours(catalog, "revenue_usd", "month", ["period"]).values()
        if not math.isnan(value)
    ]
    whole = sum(usd.values()) - usd[("cancellation",)] + usd[("alteration",)]
    assert sum(months) == pytest.approx(whole)


def test_telco_has_no_calendar_and_the_definitions_say_so(tmp_path, shared):
    shared("telco_churn")
    (tmp_path / "departments").mkdir()
    (tmp_path / "company.yaml").write_text(
        HEAD + "\n  customers: {system: CRM, path: Telco-Customer-Churn.csv, key: customerID}\n"
    )
    (tmp_path / "departments" / "d.yaml").write_text(
        "department: D\nmetrics:\n  churned: {type: simple, measure: {source: customers, agg: count, filter: \"Churn = 'Yes'\"}}\n"
    )
    with pytest.raises(
        DefinitionsError, match="no time column: say it here, or as time of the source 'customers'"
    ):
        definitions.load(tmp_path)


def test_every_trap_of_the_real_data_names_a_test_that_exists():
    root = Path(__file__).parents[2]
    named = set(re.findall(r"`(test_\w+)`", (root / "docs" / "reference" / "traps.md").read_text()))
    written = "".join(path.read_text() for path in (root / "tests").rglob("test_*.py"))
    assert {name for name in named if f"def {name}(" not in written} == set()
    assert len(named) > 25
