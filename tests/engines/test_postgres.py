"""What only a database server can do: refuse, hide, be written in capitals, and hold texts that are no numbers."""

from __future__ import annotations

import datetime as dt

import pytest

from dataops_nb import alignment
from dataops_nb.errors import DataError

from .company import Table
from .servers import PASSWORD, free_port

pytestmark = pytest.mark.engines

METRICS = "revenue: {type: simple, measure: {source: deals, agg: sum, expr: Amount, filter: \"stage like 'w%'\"}}"
SOURCE = "deals: {system: CRM, url: env:SHOP_URL, table: crm.deals, key: deal_id, time: closed_at, timezone: UTC}"


@pytest.fixture(scope="module")
def shop(postgres):
    """A database whose user `reader` may read the schema crm and nothing else."""
    postgres.fill("shop", {"other": Table({"a": "integer"}, [[1]])})
    postgres.execute(
        "shop",
        f"create role reader login password '{PASSWORD}'",
        "create schema crm",
        """create table crm.deals (deal_id int, stage varchar(9), "Amount" numeric(12, 2), closed_at timestamptz, said text, seen text)""",
        "insert into crm.deals values (1, 'won', 10.5, '2026-01-05 03:00+00', '1.5', '2026-01-01'), "
        "(2, 'won', 5, '2026-01-06 15:00+00', '2', '2026-01-02'), (3, 'lost', -7, '2026-01-13 12:00+00', 'x', '2026-02-30')",
        "grant usage on schema crm to reader",
        "grant select on all tables in schema crm to reader",
    )
    return postgres


@pytest.fixture
def opened(company, monkeypatch, shop):
    """The company on that database, with its url in the environment."""

    def make(source: str = SOURCE, **url):
        monkeypatch.setenv("SHOP_URL", shop.url("shop", user="reader", **url))
        return company(source, METRICS, {})

    return make


def _said(catalog) -> str:
    with catalog:
        return "\n".join(str(fault) for fault in catalog.check())


def test_capitals_patterns_and_offsets_are_understood(opened):
    with opened() as catalog:
        table = alignment.values(catalog, "revenue")
        assert dict(zip(table["period"], table["value"], strict=True)) == {
            "2026-W01": 10.5,
            "2026-W02": 5.0,
            "2026-W03": 0.0,
        }
        assert catalog.coverage("deals").first == dt.date(2026, 1, 4)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("crm.deals", "crm.deal", "table: postgresql 127.0.0.1/shop has no table 'crm.deal'; did you mean 'crm.deals'?"),
        ("crm.deals", "public.other", "permission denied for table other"),
        ("closed_at", "closed_on", "missing: 'closed_on' (time:; did you mean 'closed_at'?)"),
        ("table: crm.deals", "query: select nil from crm.deals", 'query: postgresql 127.0.0.1/shop refuses it: column "nil" does not exist'),
        ("table: crm.deals", "query: select * from crm.deals where (", "query: is not SQL that can be read as postgres"),
        ("timezone: UTC", "timezone: UTC, columns: {Amount: {min: 0}}", "crm.deals: source deals, column Amount, value '-7.00', row deal_id 3: is below min: 0"),
        ("timezone: UTC", "columns: {said: {type: decimal}}", "column said, value 'x', row deal_id 3: is not a number, the type declared"),
        ("timezone: UTC", "columns: {seen: {type: date}}", "column seen, value '2026-02-30', row deal_id 3: is not a date, the type declared"),
        ("time: closed_at", "time: said", "column said, value '1.5', row deal_id 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_table_column_value_and_key(opened, old, new, words):
    assert words in _said(opened(SOURCE.replace(old, new)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "tell-nobody"}, "password authentication failed"),
        ({"port": free_port()}, "cannot be reached"),
    ],
)
def test_a_refused_connection_is_a_fault_without_the_password(opened, wrong, words):
    said = _said(opened(**wrong))
    assert words in said
    assert "reader:***@127.0.0.1" in said
    for secret in (PASSWORD, "p%40ss", "tell-nobody"):
        assert secret not in said


def test_what_is_published_of_the_source_holds_no_secret(opened):
    with opened(
        SOURCE.replace("timezone: UTC", "timezone: UTC, watermark: max(closed_at)")
    ) as catalog:
        row = catalog.provenance("deals").iloc[0]
        assert row["files"].endswith("reader:***@127.0.0.1:" + row["files"].rpartition(":")[2])
        assert PASSWORD not in str(row.to_dict())
        assert len(row["sha256"]) == 12
        assert catalog.watermark("deals") == "2026-01-13 07:00:00-05"


def test_a_session_may_only_read(opened, shop):
    with opened() as catalog:
        catalog.check()
        engine = catalog._shelf.engine_of("deals")
        with pytest.raises(DataError, match="read-only transaction"):
            engine.fetch("create temporary table t (a int); insert into crm.deals values (9)")


def test_the_rows_stay_in_the_database(opened, shop):
    shop.execute("shop", "alter system set log_statement = 'all'", "select pg_reload_conf()")
    with opened() as catalog:
        alignment.values(catalog, "revenue")
    asked = [
        line for line in (shop.folder / "log").read_text().splitlines() if "statement: WITH" in line
    ]
    assert asked
    assert all(
        "GROUP BY" in line or "COUNT(" in line or "MIN(" in line or "LIMIT 1" in line
        for line in asked
    )


def test_a_lost_connection_is_made_anew(opened, shop):
    with opened() as catalog:
        assert not catalog.check()
        engine = catalog._shelf.engine_of("deals")
        shop.execute(
            "shop",
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'reader'",
        )
        with pytest.raises(DataError):
            engine.fetch("select 1 as one")
        assert engine.fetch("select 1 as one")["one"].item() == 1
