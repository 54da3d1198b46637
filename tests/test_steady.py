"""SQL in definitions: no clock and no dice, and `:as_of` in any of it."""

import datetime as dt
import sqlite3

import pytest

from dataops_nb import alignment, reconciliation
from dataops_nb.definitions.sql import fault_of_condition, fault_of_expression, read_query
from dataops_nb.errors import DefinitionsError
from dataops_nb.steady import bind, fault_of_run

DAY = dt.date(2026, 3, 1)


@pytest.mark.parametrize(
    "sql",
    [
        "now()", "NOW()", "x < now()", "current_date", "day < CURRENT_DATE", "current_timestamp",
        "today()", "current_date()", "age(day)", "age(coalesce(a, b))", "localtimestamp", "getdate()",
        "cast('now' as date)", "date 'today'", "'now'::timestamp", "datetime('now', '-1 day')",
        "strftime('%Y', 'now')", "julianday()", "sysdate", "unix_timestamp()", "'Today'::date",
    ],
)  # fmt: skip
def test_the_clock_is_refused_and_as_of_offered(sql):
    assert "is another moment on each run; write :as_of" in fault_of_run(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "random()",
        "x > random() * 2",
        "uuid()",
        "gen_random_uuid()",
        "rand()",
        "newid()",
        "setseed(1)",
    ],
)
def test_dice_are_refused(sql):
    assert "gives another value on each run" in fault_of_run(sql)


@pytest.mark.parametrize(
    "sql", ["select * from t using sample 10%", "select * from t tablesample bernoulli (5)"]
)
def test_a_sample_of_rows_is_refused(sql):
    assert "takes other rows on each run" in fault_of_run(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "now > 1", "today = 1", '"now()"', "t.now", "random > 0.5", "state = 'now'", "x = 'random()'",
        "state in ('today', 'now')", "age(a, b)", "date(day)", "strftime(day, '%Y')", "sample > 3",
        "t.current_date", '"current_date"', "rand", "uuid", "day <= :as_of", "time", "-- now()\n x",
        "upper('now')", "coalesce(state, 'today') = 'now'", "unix_timestamp(day)", "random_id",
    ],
)  # fmt: skip
def test_columns_and_texts_of_these_names_are_no_functions(sql):
    assert fault_of_run(sql) == ""


@pytest.mark.parametrize("fault_of", [fault_of_expression, fault_of_condition])
def test_as_of_may_stand_in_expressions_and_conditions(fault_of):
    assert fault_of("day <= :as_of") == ""
    assert "unknown placeholder :asof; did you mean 'as_of'" in fault_of("day <= :asof")


def test_as_of_may_stand_in_a_query_and_nothing_else():
    assert read_query("select * from t where day <= :as_of") == (["t"], "")
    assert "unknown placeholder :period_end" in read_query("select * from t where d < :period_end")[1]  # fmt: skip
    assert ":as_of" in read_query("select * from t where day <= current_date")[1]


def test_binding_leaves_texts_and_casts_alone():
    sql = "select ':as_of', x::as_of, \":as_of\" from t -- :as_of\nwhere d < :as_of and e=:AS_OF"
    bound = "select ':as_of', x::as_of, \":as_of\" from t -- :as_of\nwhere d < DAY and e=DAY"
    assert bind(sql, DAY, "duckdb") == bound.replace("DAY", "cast('2026-03-01' as date)")
    assert bind("d <= :as_of", DAY, "sqlite") == "d <= '2026-03-01'"


ROWS = "id,day,due\n1,2026-02-23,2026-02-27\n2,2026-02-24,2026-03-01\n3,2026-02-25,2026-03-05\n"
SOURCES = """
items: {system: Shop, path: items.csv, key: id, time: day}
late: {system: Shop, query: "select * from items where due < :as_of", time: day}
"""


@pytest.mark.parametrize(
    ("as_of", "due"), [("2026-02-28", 1), ("2026-03-01", 1), ("2026-03-02", 2), ("2026-03-09", 3)]
)
def test_as_of_is_bound_in_filters_expressions_and_queries(company, as_of, due):
    metrics = """
    kept: {type: simple, measure: {source: items, agg: count, filter: "due < :as_of"}}
    left: {type: simple, measure: {source: items, agg: count, exclude: "due >= :as_of"}}
    summed: {type: simple, measure: {source: items, agg: sum, expr: "case when due < :as_of then 1 else 0 end"}}
    read: {type: simple, measure: {source: late, agg: count}}
    both: {type: simple, measure: {source: items, agg: count, filter: "due < :as_of and day <= :period_end"}}
    """
    catalog = company(SOURCES, metrics, {"items.csv": ROWS}, as_of=as_of)
    for metric in ("kept", "left", "summed", "read", "both"):
        table = alignment.values(catalog, metric)
        assert table[table["period"] == "2026-W09"]["value"].tolist() == [due], metric


def test_as_of_is_bound_where_two_systems_are_compared(company):
    metrics = """
    kept: {type: simple, measure: {source: items, agg: count, filter: "due < :as_of"},
           reconcile: [{with: read, key: {left: id, right: id}}]}
    read: {type: simple, measure: {source: late, agg: count}}
    """
    catalog = company(SOURCES, metrics, {"items.csv": ROWS}, as_of="2026-03-02")
    bridge = reconciliation.of_company(catalog, "kept")
    assert bridge[["a", "b"]].astype(float).values.tolist() == [[2, 2]]


def test_as_of_is_bound_in_a_databases_own_query_and_watermark(company, tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as con:
        con.execute("create table items (id integer, day text, due text)")
        con.executemany(
            "insert into items values (?, ?, ?)", [r.split(",") for r in ROWS.split()[1:]]
        )
    con.close()
    sources = """
    items: {system: Shop, url: "sqlite:shop.db", query: "select * from items where due < :as_of",
            watermark: "max(case when day <= :as_of then day end)", time: day}
    """
    metrics = "n: {type: simple, measure: {source: items, agg: count, filter: due <= :as_of}}"
    catalog = company(sources, metrics, {}, as_of="2026-03-02")
    assert alignment.values(catalog, "n")["value"].tolist() == [2]
    assert catalog.watermark("items") == "2026-02-24"


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ('{system: S, url: "sqlite:a.db", query: "select * from t where d < date()"}', "query"),
        ('{system: S, url: "sqlite:a.db", table: t, watermark: "max(now())"}', "watermark"),
        ("{system: S, query: \"select *, random() as r from items\"}", "query"),
    ],
)  # fmt: skip
def test_check_names_the_line_of_sql_that_changes_by_itself(company, source, key):
    with pytest.raises(DefinitionsError, match=rf"sources.late.{key}: .* on each run"):
        company(f"items: {{system: S, path: items.csv, time: day}}\nlate: {source}", "", {})
