"""Real exports with their real traps, as far as they are at hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from dataops_nb import sources
from dataops_nb.definitions.models import Definitions

AS_OF = dt.date(2026, 11, 22)


def open_one(
    data: Path, measure: dict[str, Any] | None = None, timezone: str = "UTC", **source: Any
) -> sources.Catalog:
    metrics = {"m": {"type": "simple", "measure": {"source": "s", **measure}}} if measure else {}
    company = {"company": "C", "timezone": timezone, "sources": {"s": {"system": "X", **source}}}
    departments = {"d": {"department": "D", "metrics": metrics}}
    return sources.open(
        Definitions.model_validate({"company": company, "departments": departments}), data, AS_OF
    )


def test_reviews_with_newlines_in_quotes_load(shared: Any) -> None:
    path = "sample4k/olist_order_reviews_dataset.csv"
    with open_one(shared("olist"), path=path, time="review_creation_date") as catalog:
        assert catalog.check() == []
        found = catalog.fetch(
            "select count(*) as n, sum(cast(review_score >= 4 as int)) as happy from s"
        )
        assert found["n"][0] == 3986
        cover = catalog.coverage("s")
        assert (cover.first, cover.last) == (dt.date(2016, 10, 15), dt.date(2018, 8, 31))


def test_an_order_export_loads_with_its_types(shared: Any) -> None:
    path = "sample4k/olist_orders_dataset.csv"
    shared("olist")
    with open_one(
        shared("olist"), path=path, key="order_id", time="order_purchase_timestamp"
    ) as catalog:
        catalog.require("s")
        assert catalog.fetch("select count(*) as n from s")["n"][0] == 4000
        assert catalog.columns("s")["order_delivered_customer_date"] == "TIMESTAMP"


def test_payments_are_the_same_as_csv_and_as_parquet(shared: Any) -> None:
    totals = []
    for suffix in ("csv", "parquet"):
        with open_one(
            shared("olist"), path=f"full/olist_order_payments_dataset.{suffix}"
        ) as catalog:
            assert catalog.check() == []
            totals.append(
                catalog.fetch("select count(*) as n, round(sum(payment_value), 2) as v from s")
                .iloc[0]
                .tolist()
            )
    assert totals == [[103886, 16008872.12]] * 2


def test_zip_codes_keep_their_leading_zeros(shared: Any) -> None:
    with open_one(
        shared("olist"), path="full/olist_sellers_dataset.csv", key="seller_id"
    ) as catalog:
        assert catalog.check() == []
        assert catalog.columns("s")["seller_zip_code_prefix"] == "VARCHAR"


def test_sellers_that_are_not_listed_are_named(shared: Any) -> None:
    deals = {
        "system": "X",
        "path": "full/olist_closed_deals_dataset.csv",
        "columns": {"seller_id": {"references": "sellers.seller_id"}},
    }
    listed = {"deals": deals, "sellers": {"system": "X", "path": "full/olist_sellers_dataset.csv"}}
    definitions = Definitions.model_validate(
        {"company": {"company": "C", "sources": listed}, "departments": {}}
    )
    with sources.open(definitions, shared("olist"), AS_OF) as catalog:
        faults = catalog.check()
        assert len(faults) == 21
        assert f"and {842 - 380 - 20} more" in faults[-1].rule


def test_dates_with_weekday_names_and_thousands_load(shared: Any) -> None:
    declared = {
        "path": "scenarios/scenario_1/original.csv",
        "date_format": "%a, %d-%b-%Y",
        "time": "Date",
    }
    measure = {"agg": "sum", "expr": "Impressions"}
    with open_one(shared("wbr_sample"), measure, **declared) as catalog:
        fault = catalog.check()[0]
        assert (fault.row, fault.column, fault.value) == (2, "Impressions", "523,419")
    with open_one(
        shared("wbr_sample"), measure, **declared, columns={"Impressions": {"type": "integer"}}
    ) as catalog:
        assert catalog.check() == []
        assert catalog.fetch("select Impressions as v from s limit 1")["v"][0] == 523419
        assert catalog.coverage("s").first == dt.date(2020, 1, 5)


def test_american_dates_load(shared: Any) -> None:
    path = "demo/2-wbr-sample-dataset-with-filter.csv"
    with open_one(shared("wbr_sample"), path=path, date_format="%m/%d/%Y", time="Date") as catalog:
        assert catalog.check() == []
        cover = catalog.coverage("s")
        assert (cover.first, cover.last) == (dt.date(2020, 1, 1), dt.date(2022, 3, 2))


def test_a_column_that_stands_twice_and_is_not_used_gets_a_number(shared: Any) -> None:
    with open_one(shared("wbr_sample"), path="scenarios/scenario_3/original.csv") as catalog:
        assert catalog.check() == []
        assert {"Desktop Pct", "Desktop Pct (2)"} <= set(catalog.columns("s"))


def test_blank_charges_are_named_until_they_are_declared_missing(shared: Any) -> None:
    with open_one(shared("telco_churn"), path="Telco-Customer-Churn.csv") as catalog:
        assert [(f.column, f.value) for f in catalog.check()] == [("TotalCharges", " ")] * 11
    with open_one(shared("telco_churn"), path="Telco-Customer-Churn.csv", na=[" "]) as catalog:
        assert catalog.check() == []
        assert catalog.columns("s")["TotalCharges"] == "DOUBLE"


def test_commits_in_utc_fall_on_the_days_of_the_team(shared: Any) -> None:
    with open_one(
        shared("pyart_oss"), timezone="America/Chicago", path="github_commits.csv", time="date"
    ) as catalog:
        assert catalog.check() == []
        assert catalog.columns("s")["date"] == "TIMESTAMP WITH TIME ZONE"
        assert catalog.coverage("s").last == dt.date(2024, 12, 28)


@pytest.mark.parametrize(
    ("folder", "source", "n"),
    [
        (
            "nhs_ae",
            {"path": "ae_attendances.csv", "time": "period", "key": ["period", "org_code", "type"]},
            12765,
        ),
        (
            "oss_releases",
            {"path": "releases.csv", "time": "release_date", "key": ["project", "version"]},
            120,
        ),
        ("chinook", {"path": "Invoice.csv", "time": "InvoiceDate", "key": "InvoiceId"}, 412),
        ("chinook", {"path": "Customer.csv", "key": "CustomerId"}, 59),
        ("olist", {"path": "full/product_category_name_translation.csv"}, 71),
        (
            "olist",
            {"path": "full/olist_marketing_qualified_leads_dataset.csv", "key": "mql_id"},
            8000,
        ),
    ],
)
def test_real_exports_load_without_a_fault(
    shared: Any, folder: str, source: dict[str, Any], n: int
) -> None:
    with open_one(shared(folder), **source) as catalog:
        assert catalog.check() == []
        assert catalog.fetch("select count(*) as n from s")["n"][0] == n
