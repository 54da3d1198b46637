"""The same expression means the same on every engine, or is refused by `check`."""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from dataops_nb.alignment.sql import written_out
from dataops_nb.definitions import expressions
from dataops_nb.definitions.expressions import fault_on_databases
from dataops_nb.errors import DefinitionsError
from dataops_nb.sources.engines import Address
from dataops_nb.sources.engines.dialects import read
from dataops_nb.sources.engines.sqlite import Lite as SQLite
from dataops_nb.sources.moments import fault_of_moments

from .cases import CASES, ROWS, TABLE, WEEKS
from .company import Table
from .conftest import DUCK, Lite
from .servers import fill_spark

ROOT = Path(__file__).parents[2]


def plain(value: object) -> object:
    """A cell as every engine may give it: days as texts, numbers as floats, conditions as 0 and 1."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, dt.date | dt.datetime):
        value = str(value)
    if isinstance(value, str):
        return value.removesuffix(" 00:00:00")
    if isinstance(value, bool | int | float | Decimal) or hasattr(value, "item"):
        return round(float(value), 9)
    return value


@pytest.fixture(scope="module")
def expected() -> dict[str, list[object]]:
    """DuckDB's answers."""
    with duckdb.connect() as con:
        columns = ", ".join(f"{c} {DUCK[k]}" for c, k in TABLE.columns.items())
        con.execute(f"create table cases ({columns})")
        con.executemany(f"insert into cases values ({', '.join('?' for _ in TABLE.columns)})", ROWS)
        answers = {}
        for case in CASES:
            written = written_out(read(case)).sql("duckdb")
            rows = con.execute(f"select ({written}) as x from cases order by id").fetchall()
            answers[case] = [plain(row[0]) for row in rows]
    return answers | {case: [plain(v) for v in values] for case, values in WEEKS.items()}


def asked(engine, cases) -> dict[str, list[object]]:
    """An engine's answers, to all cases in one query."""
    columns = [
        exp.alias_(exp.paren(written_out(read(f"select {case}").expressions[0])), f"c{n}")
        for n, case in enumerate(cases)
    ]
    query = exp.select("id", *columns).from_("cases").order_by("id")
    frame = engine.fetch(query)
    return {case: [plain(v) for v in frame[f"c{n}"].astype(object)] for n, case in enumerate(cases)}


def differing(engine, expected) -> dict[str, object]:
    """The cases to which an engine gives another answer, or none."""
    wrong: dict[str, object] = {}
    cases = list(expected)
    for start in range(0, len(cases), 40):
        part = cases[start : start + 40]
        try:
            answers = asked(engine, part)
        except Exception:
            answers = {}
            for case in part:
                try:
                    answers |= asked(engine, [case])
                except Exception as error:
                    wrong[case] = str(error)
        for case, values in answers.items():
            if values != expected[case]:
                pairs = zip(range(1, 13), expected[case], values, strict=True)
                wrong[case] = [(row, right, own) for row, right, own in pairs if right != own]
    return wrong


def test_every_case_is_on_the_list_and_every_function_in_the_cases():
    assert {case: fault_on_databases(case) for case in CASES if fault_on_databases(case)} == {}
    text = " ".join(CASES)
    assert [name for name in expressions.FUNCTIONS if f"{name}(" not in text] == []


def test_every_function_stands_in_the_reference():
    text = (ROOT / expressions.PAGE).read_text(encoding="utf-8")
    assert [name for name in expressions.FUNCTIONS if f"`{name}(" not in text] == []


def test_weeks_are_full_sevens_also_where_duckdb_counts_otherwise(expected):
    with duckdb.connect() as con:
        rows = con.execute("select * from (values (1, date '2026-01-04', date '2026-01-05'), (2, date '2026-01-05', date '2026-02-02'), (3, date '2026-02-02', date '2026-01-20')) t(id, a, b)").df()  # fmt: skip
        con.register("days", rows)
        written = written_out(read("date_diff('week', a, b)")).sql("duckdb")
        assert con.execute(f"select {written} from days order by id").fetchall() == [
            (0,),
            (4,),
            (-1,),
        ]


def test_every_case_is_the_same_on_sqlite(expected, tmp_path):
    Lite(tmp_path).fill({"cases": TABLE})
    engine = SQLite(Address("sqlite:shop.db", tmp_path))
    assert differing(engine, expected) == {}
    engine.close()


@pytest.mark.engines
def test_every_case_is_the_same_on_postgres(expected, postgres, tmp_path):
    from dataops_nb.sources.engines.servers import Server

    postgres.fill("cases", {"cases": TABLE})
    engine = Server(Address(postgres.url("cases"), tmp_path), "postgres", "UTC")
    assert differing(engine, expected) == {}
    engine.close()


@pytest.mark.engines
def test_every_case_is_the_same_on_spark(expected, spark, tmp_path):
    from dataops_nb.sources.engines.spark import Spark

    engine = Spark(Address(spark.url, tmp_path))
    fill_spark(engine.session, tmp_path, {"cases": TABLE})
    assert differing(engine, expected) == {}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("m::int", "a cast to int is not known to mean the same on every database"),
        ("cast(m as bigint)", "write round(x) or floor(x)"),
        ("m % 2", "m % 2 is not known"),
        ("i // 2", "is not known"),
        ("greatest(m, 1)", "greatest() is not known"),
        ("monthname(a)", "monthname() is not known to mean the same on every database (docs/reference/expressions.md); the nearest that is: month()"),
        ("date_sub('month', a, b)", "date_sub() is not known"),
        ("date_diff('hour', s, b) > 3", "date_diff('hour', ...) is not known"),
        ("date_trunc('decade', a) = a", "date_trunc('decade', ...) is not known"),
        ("extract(epoch from s)", "extract('epoch', ...) is not known"),
        ("strftime(a, '%B')", "the format %B is not known"),
        ("a + interval (i) day < b", "an interval is a whole number"),
        ("a + interval 3 hour < b", "an interval in hour is not known"),
        ("regexp_matches(w, 'a.c')", "is not known"),
        ("left(w, i)", "left() takes places that are numbers from 1 on"),
        ("substring(w, -2)", "takes places that are numbers from 1 on"),
        ("w < 'b'", "the order of texts is not known"),
        ("w between 'a' and 'c'", "the order of texts is not known"),
        ("weekofyears(a) = 1", "the nearest that is: weekofyear()"),
        ("w similar to 'a'", "is not known"),
        ("floor(m, 2)", "floor() with more than floor(m) is not known"),
        ("ceil(m, i)", "is not known"),
        ("length(w, 2)", "is not known"),
        ("trim(w, 'a')", "is not known"),
        ("if(m > 1, 2)", "write if(c, a, null)"),
        ("interval 1 day + a < b", "but after + or -"),
        ("cast(m > 1 as varchar)", "a condition as text"),
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_is_refused_with_the_nearest_that_is(sql, words):
    assert words in fault_on_databases(sql)


SOURCES = """
rows: {{system: S, time: a, {where}}}
both: {{system: S, time: a, query: "select * from rows"}}
"""


@pytest.mark.parametrize(
    "metric",
    [
        "{type: simple, measure: {source: rows, agg: sum, expr: 'greatest(m, 1)'}}",
        "{type: simple, measure: {source: rows, agg: count, filter: 'greatest(m, 1) > 1'}}",
        "{type: simple, measure: {source: both, agg: count, exclude: 'greatest(m, 1) > 1'}}",
    ],
)
@pytest.mark.parametrize(
    ("where", "refused"),
    [('url: "sqlite:shop.db", table: t', True), ('url: "env:SHOP", table: t', True),
     ('url: "duckdb:shop.duckdb", table: t', False), ("path: a.csv", False)],
)  # fmt: skip
def test_check_refuses_where_the_rows_stay_in_a_database(company, metric, where, refused):
    if not refused:
        company(SOURCES.format(where=where), f"m: {metric}", {})
        return
    with pytest.raises(DefinitionsError, match=r"greatest\(\) is not known to mean the same"):
        company(SOURCES.format(where=where), f"m: {metric}", {})


def test_a_sqlite_file_without_the_list_would_have_counted_days_for_weeks(company, tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as con:
        con.execute("create table t (a text, b text)")
        con.execute("insert into t values ('2026-01-05', '2026-02-02')")
    con.close()
    from dataops_nb import alignment

    metric = (
        "m: {type: simple, measure: {source: rows, agg: sum, expr: \"date_diff('week', a, b)\"}}"
    )
    catalog = company(SOURCES.format(where='url: "sqlite:shop.db", table: t'), metric, {})
    assert alignment.values(catalog, "m", grain="day")["value"].tolist() == [4]


DAYS = {"a": "DATE", "b": "DATE", "s": "TIMESTAMP", "m": "DOUBLE", "w": "VARCHAR"}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("a - b", "write date_diff('day', from, to)"),
        ("m > cast(s as date) - a", "write date_diff('day', from, to)"),
        ("a + 1", "write a + interval 28 day"),
        ("a = s", "cast one, as in cast(s as date)"),
        ("s between a and b", "cast one, as in cast(s as date)"),
        ("a in (b, s)", "cast one, as in cast(s as date)"),
        ("nullif(s, a) is null", "cast one, as in cast(s as date)"),
        ("s > '2026-01-01'", "write timestamp '2026-01-31 00:00:00'"),
        ("a > '2026-1-5'", "write it as '2026-01-31'"),
    ],
)
def test_days_and_stamps_that_a_database_would_take_as_texts_are_refused(sql, words):
    assert words in fault_of_moments(sql, DAYS)


def test_no_case_mixes_days_and_stamps():
    assert {case for case in CASES if fault_of_moments(case, DAYS)} == set()


@pytest.mark.parametrize("scheme", ["sqlite", "duckdb"])
def test_a_day_minus_a_day_is_a_fault_where_it_would_be_a_year_minus_a_year(
    company, tmp_path, scheme
):
    connect = sqlite3.connect if scheme == "sqlite" else duckdb.connect
    con = connect(str(tmp_path / "shop.db"))
    con.execute("create table t (a date, b date)")
    con.execute("insert into t values ('2026-01-05', '2026-02-02')")
    con.commit()
    con.close()
    where = f'url: "{scheme}:shop.db", table: t'
    measure = "{type: simple, measure: {source: rows, agg: count, filter: 'b - a > 27'}}"
    faults = company(SOURCES.format(where=where), f"m: {measure}", {}).check()
    assert [str(fault)[-46:] for fault in faults] == (
        ["from each other; write date_diff('day', from, to)"[-46:]] if scheme == "sqlite" else []
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select date_trunc('hour', a) as a from rows", "date_trunc('hour', ...) is not known"),
        ("select a, greatest(m, 1) as m from rows", "greatest() is not known"),
        ("select a, m::int as m from rows", "a cast to int is not known"),
    ],
)
def test_a_query_over_a_database_is_held_to_the_list(company, query, words):
    sources = SOURCES.replace("select * from rows", query)
    metric = "m: {type: simple, measure: {source: both, agg: count}}"
    with pytest.raises(DefinitionsError) as caught:
        company(sources.format(where='url: "sqlite:shop.db", table: t'), metric, {})
    assert words in str(caught.value)
    company(sources.format(where="path: a.csv"), metric, {})


def test_a_query_over_a_database_may_join_add_up_and_count_rows(company):
    query = (
        "select a, sum(m) as m, count(*) as n, max(row_number() over (order by a)) as r, last_day(a) as l"
        " from rows join rows as more using (a) where m > 0 and a is not null group by a"
    )
    sources = SOURCES.replace("select * from rows", query)
    metric = "m: {type: simple, measure: {source: both, agg: count}}"
    company(sources.format(where='url: "sqlite:shop.db", table: t'), metric, {})


NUMBERS = st.one_of(
    st.integers(0, 999).map(str),
    st.decimals(0, 999, places=2).map(str),
    st.decimals(0, 9, places=3).map(str),
    st.just("m"),
)
ARITHMETIC = st.recursive(
    NUMBERS,
    lambda parts: st.builds("({} {} {})".format, parts, st.sampled_from("+-*"), parts),
    max_leaves=5,
)


@pytest.mark.long
@given(st.lists(ARITHMETIC, min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_arithmetic_with_written_decimals_is_to_the_last_bit_that_of_duckdb(formulas: list[str]):
    columns = [exp.alias_(read(formula), f"c{n}") for n, formula in enumerate(formulas)]
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        Lite(Path(folder)).fill({"cases": Table({"id": "integer", "m": "decimal"}, [[1, 0.1]])})
        engine = SQLite(Address("sqlite:shop.db", Path(folder)))
        own = engine.fetch(exp.select(*[column.copy() for column in columns]).from_("cases"))
        engine.close()
        con.execute("create table cases as select 1 as id, cast(0.1 as double) as m")
        right = con.execute(exp.select(*columns).from_("cases").sql("duckdb")).fetchall()
    assert [float(value) for value in own.iloc[0]] == [float(value) for value in right[0]]
