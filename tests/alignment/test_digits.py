"""Whole numbers beyond 2^53 keep every digit, from the file to the JSON of the command."""

import datetime as dt
import json
import sqlite3

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, cli
from dataops_nb.alignment.comparisons import with_digits
from dataops_nb.alignment.frame_rows import Framed, FrameRows, frame_company
from dataops_nb.metrics import Measure, Simple
from dataops_nb.periods import Calendar

pytestmark = pytest.mark.long

BIG = 2**53 + 1
ROWS = [("2026-01-05", BIG, "a"), ("2026-01-06", 2 * BIG, "b"), ("2026-01-07", -BIG, "a")]
COMPANY = """
company: Ledger
currency: USD
sources:
  rows: {{system: Books, {where}, time: day, covers: {{from: 2026-01-05, to: 2026-01-11}}}}
"""
METRICS = """
department: Books
defaults: {source: rows}
metrics:
  total: {type: simple, measure: {agg: sum, expr: v}, by: [team]}
  least: {type: simple, measure: {agg: min, expr: v}}
  most: {type: simple, measure: {agg: max, expr: v}}
  last: {type: simple, measure: {agg: sum, expr: v, at: end}}
  twice: {type: simple, measure: {agg: sum, expr: v * 2}}
  window: {type: cumulative, metric: total, window: 30d}
  gap: {type: derived, expr: most - total}
  less: {type: derived, expr: total - 1}
"""
VALUES = {
    "total": 2 * BIG,
    "least": -BIG,
    "most": 2 * BIG,
    "last": -BIG,
    "twice": 4 * BIG,
    "window": 2 * BIG,
    "gap": 0,
    "less": 2 * BIG - 1,
}


def of_csv(folder):
    lines = [f"{day},{v},{team}" for day, v, team in ROWS]
    (folder / "a.csv").write_text("\n".join(["day,v,team", *lines, ""]))
    return "path: a.csv"


def of_parquet(folder, type_="bigint"):
    values = ", ".join(f"(date '{day}', {v}::{type_}, '{team}')" for day, v, team in ROWS)
    query = f"select * from (values {values}) as t(day, v, team)"
    duckdb.sql(query).write_parquet(str(folder / "a.parquet"))
    return "path: a.parquet"


def of_decimals(folder):
    return of_parquet(folder, "decimal(38, 0)")


def of_duckdb(folder):
    of_parquet(folder)
    with duckdb.connect(str(folder / "a.duckdb")) as con:
        con.execute(f"create table rows as from '{folder / 'a.parquet'}'")
    return f"url: 'duckdb:///{folder / 'a.duckdb'}', table: rows"


def of_sqlite(folder):
    with sqlite3.connect(folder / "a.sqlite") as con:
        con.execute("create table rows (day date, v integer, team text)")
        con.executemany("insert into rows values (?, ?, ?)", ROWS)
    con.close()
    return f"url: 'sqlite:///{folder / 'a.sqlite'}', table: rows"


KINDS = [of_csv, of_parquet, of_decimals, of_duckdb, of_sqlite]


@pytest.fixture
def ask(tmp_path, capsys):
    """Make a company of one kind of source, and ask its command."""

    def make(write):
        (tmp_path / "data").mkdir()
        (tmp_path / "params" / "departments").mkdir(parents=True)
        company = COMPANY.format(where=write(tmp_path / "data"))
        (tmp_path / "params" / "company.yaml").write_text(company)
        (tmp_path / "params" / "departments" / "books.yaml").write_text(METRICS)

        def run(*words):
            assert cli.main(["-w", str(tmp_path), *words, "--json"]) == 0
            return json.loads(capsys.readouterr().out)

        return run

    return make


@pytest.mark.parametrize("write", KINDS)
def test_values_and_status_have_every_digit(ask, write):
    run = ask(write)
    day = ("--as-of", "2026-01-11")
    assert {row["metric"]: row["value"] for row in run("status", *day)["rows"]} == VALUES
    shown = run("metric", "values", "total", *day, "--by", "team")["rows"]
    assert {row["segment"]: row["value"] for row in shown} == {"team=a": 0, "team=b": 2 * BIG}
    assert run("ask", "total", *day)["value"] == 2 * BIG


def test_what_a_value_is_compared_with_has_every_digit(ask):
    run = ask(of_csv)
    (row,) = [
        row
        for row in run("status", "--as-of", "2026-01-06", "--grain", "day")["rows"]
        if row["metric"] == "total"
    ]
    assert (row["value"], row["previous"], row["ytd"]) == (2 * BIG, BIG, 3 * BIG)


def measured(values, agg, at=None):
    """The exact value of a frame's week; its rows lie on three days in turn."""
    days = [dt.date(2026, 1, 5 + place % 3) for place in range(len(values))]
    frame = pd.DataFrame({"day": pd.to_datetime(days), "v": pd.Series(values, dtype="int64")})
    what = Measure(source="frame", agg=agg, expr="v", time="day", at=at)
    company = frame_company({"m": Simple(type="simple", measure=what)}, Calendar())
    framed = Framed.of("frame", frame, ["v"], "day", timezone=None, covers=(None, None))
    rows = FrameRows([framed], company, dt.date(2026, 1, 11))
    return with_digits(alignment.values(rows, "m"), rows)["value"].iloc[0]


INTEGERS = st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=9)


@settings(deadline=None, max_examples=40)
@given(INTEGERS, st.sampled_from(["sum", "min", "max"]))
def test_whole_numbers_of_any_size_are_python_s(values, agg):
    assert measured(values, agg) == {"sum": sum, "min": min, "max": max}[agg](values)


@settings(deadline=None, max_examples=20)
@given(INTEGERS)
def test_a_stock_of_any_size_is_its_last_day_s(values):
    last = min(len(values), 3) - 1
    assert measured(values, "sum", at="end") == sum(values[last::3])


def test_small_numbers_stay_floats_and_are_asked_for_once():
    value = measured([1, 2, 3], "sum")
    assert isinstance(value, float)
    assert value == 6.0


def _generations(formula_a: str, formula_b: str, count: int) -> str:
    """Two metrics, each of which is made of both of the generation before."""
    first = """
    a0: {type: simple, measure: {source: s, agg: sum, expr: v}}
    b0: {type: simple, measure: {source: s, agg: max, expr: v}}
    """
    lines = [line.strip() for line in first.strip().splitlines()]
    for n in range(count):
        for name, formula in (("a", formula_a), ("b", formula_b)):
            lines.append(f"{name}{n + 1}: {{type: derived, expr: {formula.format(n=n)}}}")
    return "\n".join(lines)


LARGE = f"day,v\n2026-01-05,{2**53 + 1}\n2026-01-06,2\n"


def test_metrics_that_share_their_parts_are_measured_once_each(company):
    """Asked along every way down, 24 generations would be 2^24 questions."""
    metrics = _generations("a{n} + b{n}", "a{n} - b{n}", 24)
    source = "s: {system: S, path: s.csv, time: day}"
    catalog = company(source, metrics, {"s.csv": LARGE}, as_of="2026-01-11")
    table = with_digits(alignment.values(catalog, "a24", grain="week"), catalog)
    assert table["value"].iloc[-1] == 2**12 * (2**53 + 3)


def test_whole_numbers_beyond_all_floats_are_no_value(company):
    metrics = _generations("a{n} * a{n}", "b{n} * b{n}", 30)
    source = "s: {system: S, path: s.csv, time: day}"
    catalog = company(source, metrics, {"s.csv": LARGE}, as_of="2026-01-11")
    table = with_digits(alignment.values(catalog, "a30", grain="week"), catalog)
    assert pd.isna(table["value"].iloc[-1])
