"""What is wrong with a database is said like what is wrong with a file: the table, the column, the value, the row by its key."""

from __future__ import annotations

import sqlite3
import struct

import duckdb
import pytest

from dataops_nb import alignment
from dataops_nb.errors import DataError
from dataops_nb.sources.engines import redact

METRICS = """
revenue: {type: simple, measure: {source: deals, agg: sum, expr: amount, filter: "stage = 'won'"}}
"""
SOURCE = 'deals: {{system: CRM, url: "sqlite:shop.db", table: deals, key: deal_id, time: closed_at, timezone: UTC{more}}}'
ROWS = [
    (1, "won", 10.5, "2026-01-05 03:00:00"),
    (2, "won", 5, "2026-01-06 15:00:00"),
    (3, "lost", 7, "2026-01-13 12:00:00"),
]


@pytest.fixture
def shop(company, tmp_path):
    """A company on a SQLite table with these rows; `more` goes into the source's definition."""

    def make(
        rows=ROWS,
        more="",
        source=SOURCE,
        metrics=METRICS,
        columns="deal_id, stage, amount, closed_at",
        extra="",
    ):
        con = sqlite3.connect(tmp_path / "shop.db")
        con.execute("drop table if exists deals")
        con.execute(f"create table deals ({columns})")
        con.executemany(f"insert into deals values ({', '.join('?' for _ in rows[0])})", rows)
        con.commit()
        con.close()
        return company(source.format(more=more) + extra, metrics, {})

    return make


def _said(catalog) -> list[str]:
    return [str(fault) for fault in catalog.check()]


def test_a_metric_is_aggregated_in_the_database_by_the_companys_day(shop):
    table = alignment.values(shop(), "revenue")
    assert dict(zip(table["period"], table["value"], strict=True)) == {
        "2026-W01": 10.5,
        "2026-W02": 5.0,
        "2026-W03": 0.0,
    }


@pytest.mark.parametrize(
    ("row", "more", "words"),
    [
        ((4, "won", "12x", "2026-01-05 03:00:00"), "", ["deals: source deals, column amount, value '12x', row deal_id 4: is not", "metric revenue"]),
        ((4, "won", -3, "2026-01-05 03:00:00"), ", columns: {amount: {min: 0}}", ["value '-3', row deal_id 4: is below min: 0"]),
        ((4, "wno", 3, "2026-01-05 03:00:00"), ", columns: {stage: {one_of: [won, lost]}}", ["value 'wno', row deal_id 4: must be one of won, lost"]),
        ((4, None, 3, "2026-01-05 03:00:00"), ", columns: {stage: {required: true}}", ["column stage, row deal_id 4: is empty but required"]),
        ((4, "lost", 3, "2026-01-05 03:00:00"), ", columns: {stage: {unique: true}}", ["column stage, value 'won', row deal_id 2: is not unique"]),
        ((None, "won", 3, "2026-01-05 03:00:00"), "", ["column deal_id, row deal_id (empty): is empty, but it is the key"]),
        ((3, "won", 7, "2026-01-13 12:00:00"), "", ["column deal_id, value '3': 2 rows share this key and differ in stage"]),
        ((4, "won", 3, "2026-02-30 03:00:00"), "", ["column closed_at, value '2026-02-30 03:00:00', row deal_id 4"]),
        ((4, "won", 3, "2026-01-05T03:00:00Z"), "", ["column closed_at, value '2026-01-05T03:00:00Z', row deal_id 4: is not a date and time without"]),
        ((4, "won", float("inf"), "2026-01-05 03:00:00"), "", ["column amount", "row deal_id 4: is no finite number"]),
        ((4, None, 3, "2026-01-05 03:00:00"), ", columns: {stage: {nulls: 1%}}", ["column stage: is empty in 1 of 4 rows, more than nulls: 1%"]),
        ((4, "won", 3, "2026-01-05 03:00:00"), ", rows: {max: 3}", ["deals: source deals: has 4 rows, more than rows: max: 3"]),
    ],
)  # fmt: skip
def test_a_row_that_breaks_a_rule_is_named_by_its_key(shop, row, more, words):
    said = _said(shop([*ROWS, row], more))
    assert any(all(word in line for word in words) for line in said), said


def test_identical_repeats_count_once_and_the_latest_row_counts(shop):
    repeated = shop([*ROWS, ROWS[0]])
    assert not _said(repeated)
    assert [str(n) for n in repeated.notices()] == [
        "source deals: 1 identical repeat of a row was counted once"
    ]
    assert alignment.values(repeated, "revenue")["value"].iloc[0] == 10.5


def test_latest_and_keep_say_what_counts_of_rows_with_one_key(shop):
    newer = [*ROWS, (1, "won", 20, "2026-01-05 04:00:00")]
    latest = shop(newer, ", latest: closed_at")
    assert not _said(latest)
    assert alignment.values(latest, "revenue")["value"].iloc[0] == 20
    assert [str(notice) for notice in latest.notices()] == [
        "source deals: 1 older row is left out:"
        " only the latest row of each key was kept (by closed_at)"
    ]
    kept = shop(newer, ", duplicates: keep")
    assert not _said(kept)
    assert alignment.values(kept, "revenue")["value"].iloc[0] == 30.5


def test_a_value_must_stand_in_the_source_it_refers_to(shop):
    other = '\naccounts: {system: CRM, url: "sqlite:shop.db", query: "select \'won\' as stage", key: stage}'
    said = _said(shop(more=", columns: {stage: {references: accounts.stage}}", extra=other))
    assert said == [
        "deals: source deals, column stage, value 'lost', row deal_id 3: is not found in accounts.stage"
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("table: deals", "table: deal", "table: sqlite shop.db has no table 'deal'; did you mean 'deals'?"),
        ("time: closed_at", "time: closed_on", "missing: 'closed_on' (time:; did you mean 'closed_at'?)"),
        ("table: deals", "query: select * form deals", "query: is not SQL that can be read as sqlite"),
        ("table: deals", "query: select nil from deals", "query: sqlite shop.db refuses it: no such column: nil"),
        ("table: deals", "query: drop table deals", "query: must be one select, which changes nothing"),
        ("sqlite:shop.db", "sqlite:shp.db", "does not exist; did you mean 'shop.db'?"),
        ("sqlite:shop.db", "env:NO_SUCH_URL", "url: env:NO_SUCH_URL: the environment variable NO_SUCH_URL is not set"),
        ("sqlite:shop.db", "duckdb:shop.db", "is no DuckDB database that can be read"),
        ("sqlite:shop.db", "gopher:shop", "url: no engine knows gopher:shop"),
    ],
)  # fmt: skip
def test_a_database_or_table_that_is_not_there_is_named(
    shop, tmp_path, monkeypatch, old, new, words
):
    monkeypatch.delenv("NO_SUCH_URL", raising=False)
    said = _said(shop(source=SOURCE.replace(old, new)))
    assert any(words in line for line in said), said
    assert not (tmp_path / "shp.db").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"id,amount\n" * 200, "is no SQLite database"),
        (struct.pack("4096x"), "is no SQLite database"),
    ],
)
def test_a_file_that_is_no_database_is_named(shop, tmp_path, content, words):
    catalog = shop()
    (tmp_path / "shop.db").write_bytes(content)
    said = _said(catalog)
    assert len(said) == 1
    assert "sqlite:shop.db" in said[0]
    assert words in said[0]


def test_a_database_is_only_read(shop, tmp_path):
    before = None
    with shop() as catalog:
        before = (tmp_path / "shop.db").read_bytes()
        alignment.values(catalog, "revenue")
        with pytest.raises(DataError, match="readonly"):
            catalog._shelf.engine_of("deals").fetch("delete from deals")
    assert (tmp_path / "shop.db").read_bytes() == before


def test_a_watermark_tells_whether_the_rows_have_changed(shop):
    marked = shop(more=", watermark: max(closed_at)")
    assert marked.watermark("deals") == "2026-01-13 12:00:00"
    assert (
        shop(
            [*ROWS, (4, "won", 1, "2026-01-20 00:00:00")], more=", watermark: max(closed_at)"
        ).watermark("deals")
        == "2026-01-20 00:00:00"
    )
    assert shop().watermark("deals") is None
    with pytest.raises(DataError, match="watermark: no such column: changed"):
        shop(more=", watermark: max(changed)").watermark("deals")


def test_rows_of_a_database_are_reconciled_with_a_file(company, shop, tmp_path):
    shop()
    (tmp_path / "bank.csv").write_text(
        "id,day,total\n1,2026-01-04,10.5\n2,2026-01-06,6\n9,2026-01-06,1\n"
    )
    catalog = company(
        SOURCE.format(more="") + "\nbank: {system: Bank, path: bank.csv, key: id, time: day}",
        "won: {type: simple, measure: {source: deals, agg: sum, expr: amount, filter: \"stage = 'won'\"}, reconcile: [{with: paid, key: {left: deal_id, right: id}}]}\n"
        "paid: {type: simple, measure: {source: bank, agg: sum, expr: total}}",
        {},
    )
    from dataops_nb import reconciliation

    found = reconciliation.of_company(catalog, "won", "month").iloc[0]
    assert [float(found[part]) for part in ("a", "b", "only_b", "amount")] == [
        15.5,
        17.5,
        -1.0,
        -1.0,
    ]


def test_rates_in_a_file_convert_amounts_in_a_database(company, shop, tmp_path):
    shop(
        [(1, "EUR", 10, "2026-01-05 15:00:00"), (2, "USD", 1, "2026-01-06 15:00:00")],
        columns="deal_id, currency, amount, closed_at",
        metrics="a: {type: simple, measure: {source: deals, agg: sum, expr: amount}}",
    )
    (tmp_path / "fx.csv").write_text("day,currency,rate\n2026-01-01,EUR,1.5\n")
    catalog = company(
        SOURCE.format(more="") + "\nfx: {system: Bank, path: fx.csv, time: day}",
        "a: {type: simple, measure: {source: deals, agg: sum, expr: amount, currency: currency}}",
        {},
        extra="rates: {source: fx, time: day, from: currency, to: USD, rate: rate, fill: previous}",
    )
    assert not _said(catalog)
    assert alignment.values(catalog, "a")["value"].iloc[-1] == 16.0


def test_two_tables_of_two_engines_cannot_be_joined_and_both_are_named(company, shop, tmp_path):
    shop()
    (tmp_path / "bank.csv").write_text("deal_id,total\n1,10.5\n")
    catalog = company(
        SOURCE.format(more="")
        + "\nbank: {system: Bank, path: bank.csv}\nboth: {system: X, query: select * from deals join bank using (deal_id), time: closed_at}",
        "a: {type: simple, measure: {source: both, agg: count}}",
        {},
    )
    said = _said(catalog)
    assert len(said) == 1
    assert (
        "query: reads deals (sqlite shop.db) and bank (files), which no one engine holds" in said[0]
    )


@pytest.mark.parametrize(
    ("url", "package", "extra"),
    [
        ("postgresql://localhost/shop", "sqlalchemy", "sql"),
        ("spark://localhost:7077", "pyspark", "spark"),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_its_extra(
    shop, monkeypatch, url, package, extra
):
    monkeypatch.setattr("dataops_nb.sources.engines.databases.find_spec", lambda name: None)
    said = _said(shop(source=SOURCE.replace("sqlite:shop.db", url)))
    assert said == [
        f"deals: source deals: url: needs the package {package}, which is not installed; install dataops-nb[{extra}]"
    ]


def test_a_duckdb_file_is_a_database_like_others(shop, tmp_path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.execute(
            "create schema crm; create table crm.deals (deal_id int, stage text, amount double, closed_at timestamp)"
        )
        con.executemany(
            "insert into crm.deals values (?, ?, ?, ?)",
            [*ROWS, (4, "won", -1, "2026-01-14 12:00:00")],
        )
    there = SOURCE.replace("sqlite:shop.db", "duckdb:shop.duckdb").replace(
        "table: deals", "table: crm.deals"
    )
    said = _said(shop(more=", columns: {amount: {min: 0}}", source=there))
    assert said == [
        "crm.deals: source deals, column amount, value '-1.0', row deal_id 4: is below min: 0"
    ]
    query = there.replace("table: crm.deals", "query: select * from crm.deals where amount > 0")
    found = alignment.values(shop(source=query), "revenue")
    assert list(found["value"]) == [10.5, 5.0, 0.0]
    wrong = _said(shop(source=there.replace("crm.deals", "crm.deal")))
    assert wrong == [
        "deals: source deals: table: files has no table 'crm.deal'; did you mean 'crm.deals'?"
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:s3cret@h/d", "postgresql://me:***@h/d"),
        (
            "mssql+pyodbc://me:a@b@h/d?password=x&driver=y",
            "mssql+pyodbc://me:***@h/d?password=***&driver=y",
        ),
        ("spark:sc://h:15002/;token=abc", "spark:sc://h:15002/;token=***"),
    ],
)
def test_what_is_shown_of_a_url_has_no_secret(url, shown):
    assert redact(url) == shown
