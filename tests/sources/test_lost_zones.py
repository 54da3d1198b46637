"""A time zone travels through a `query:` with an unchanged column, or `check` says so."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, sources

SOURCES = """
orders: {{system: Shop, path: orders.csv, time: ts, timezone: UTC, key: id, columns: {{ts: {{type: timestamp}}}}}}
pays: {{system: Bank, path: pays.csv, time: ts, columns: {{ts: {{type: timestamp}}}}}}
orders_in: {{system: Shop, query: "select id, ts as moment from orders", time: moment}}
made: {{system: Shop, query: "{query}", time: {time}{more}}}
"""
# The company is in New York, where the first two of these Mondays are still Sunday.
ORDERS = "id,ts\n1,2026-01-05 02:00:00\n2,2026-01-12 02:00:00\n3,2026-01-12 06:00:00\n"
PAYS = "id,ts\n1,2026-01-05 10:00:00\n2,2026-01-12 10:00:00\n3,2026-01-12 11:00:00\n"
KEPT = ["2026-W01", "2026-W02", "2026-W03"]
LOST = ["2026-W02", "2026-W03"]


def weeks(make, query, time="ts", more=""):
    """The weeks with rows, and what is said of the source."""
    metric = "n: {type: simple, measure: {source: made, agg: count}}"
    written = SOURCES.format(query=query, time=time, more=more)
    catalog = make(written, metric, {"orders.csv": ORDERS, "pays.csv": PAYS})
    table = alignment.values(catalog, "n")
    catalog.check()
    said = [str(notice) for notice in catalog.notices("made") if "computes" in str(notice)]
    return table[table["value"] > 0]["period"].tolist(), said


@pytest.mark.parametrize(
    ("query", "time"),
    [
        ("select * from orders", "ts"),
        ("select id, ts from orders where id > 0", "ts"),
        ("select ts as moment from orders", "moment"),
        ("select o.ts from orders o join pays p using (id)", "ts"),
        ("select o.ts as moment, p.ts as paid from pays p join orders o using (id)", "moment"),
        ("select * from orders_in", "moment"),
        ("select moment as ts from orders_in", "ts"),
    ],
)
def test_a_zone_travels_with_an_unchanged_column(company, query, time):
    assert weeks(company, query, time) == (KEPT, [])


# Each takes a query whose time is ts and leaves the time as it is.
AROUND = (
    "select * from ({}) as q",
    "select q.ts, q.id from ({}) as q where q.id > 0",
    "with w as ({}) select id, ts from w",
    "select r.id, r.moment as ts from (select q.id, q.ts as moment from ({}) as q) as r",
    "select q.id, q.ts from ({}) as q join pays as p using (id)",
    "select q.id, q.ts from ({}) as q order by q.ts limit 9",
    "(select u.id, u.ts from ({}) as u) union (select id, ts as moment from orders)",
    "with unread as (select ts from pays) select q.id, q.ts from ({}) as q",
)


@pytest.mark.long
@given(st.lists(st.sampled_from(AROUND), max_size=4))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_zone_travels_through_any_queries_around_an_unchanged_column(company, around):
    query = "select id, ts from orders"
    for outer in around:
        query = outer.format(query)
    assert weeks(company, query) == (KEPT, [])


@pytest.mark.parametrize("query", ["select * from orders", "select moment as ts from orders_in"])
def test_a_zone_travels_where_results_are_kept_and_taken_from_there(company, tmp_path, query):
    metric = "n: {type: simple, measure: {source: made, agg: count}}"
    written = SOURCES.format(query=query, time="ts", more="")
    made = company(written, metric, {"orders.csv": ORDERS, "pays.csv": PAYS})
    for _ in range(2):
        with sources.open(made.declared, tmp_path, made.as_of, keep=tmp_path / "cache") as catalog:
            table = alignment.values(catalog, "n")
            assert table[table["value"] > 0]["period"].tolist() == KEPT


def test_a_column_of_another_source_has_that_sources_zone(company):
    query = "select o.ts as ordered, p.ts as paid from pays p join orders o using (id)"
    assert weeks(company, query, "paid") == (LOST, [])


@pytest.mark.parametrize(
    "query",
    [
        "select ts + interval 1 minute as ts from orders",
        "select cast(ts as date) as ts from orders",
        "select max(ts) as ts from orders group by id",
        "select coalesce(o.ts, p.ts) as ts from orders o join pays p using (id)",
        "select id, ts from (select id, max(ts) as ts from orders group by id)",
    ],
)
def test_a_computed_time_is_told(company, query):
    listed, [said] = weeks(company, query)
    assert listed == LOST
    assert "3 rows have a time (ts) that the query computes from stamps in UTC" in said
    assert "taken to be in America/New_York: if not, say  timezone: UTC" in said


def test_who_says_the_zone_of_a_query_is_told_nothing(company):
    query = "select ts + interval 1 minute as ts from orders"
    assert weeks(company, query, more=", timezone: UTC") == (KEPT, [])


def test_sources_in_the_companys_zone_are_told_nothing(company):
    assert weeks(company, "select max(ts) as ts from pays group by id") == (LOST, [])
