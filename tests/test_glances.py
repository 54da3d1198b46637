"""What a notebook shows of metric tables, links and boards, and which names a module offers."""

import asyncio
import importlib
import json

import pandas as pd
import pytest

from dataops_nb import board, glances, status, workbench
from dataops_nb.alignment import from_frame
from dataops_nb.cli.contents import Contents

MODULES = (
    *("alignment", "board", "charts", "controls", "drivers", "limits", "links", "pacing"),
    *("periods", "reconciliation", "status", "story", "tables", "workbench"),
)
COMPANY = """
company: Acme
data: .
north_star: [deals]
lights: {standard: {green: {at_least: 1, means: On plan., do: Go on.}, red: {means: At risk., do: Stop.}}}
sources: {deals: {system: CRM, path: deals.csv, key: id, time: day}}
"""
SALES = """
department: Sales
defaults: {source: deals, better: up, lights: standard}
metrics:
  deals: {label: Deals, type: simple, measure: {agg: count}, unit: deals}
"""


@pytest.fixture
def judged():
    days = pd.date_range("2026-10-05", periods=28)
    orders = pd.DataFrame({"day": days, "amount": [10.0] * 28})
    table = from_frame(orders, metric="sales", time="day", value="amount", agg="sum", grain="week")
    return status.judge(table, {"sales": status.Agreement(target=60, better="up", yellow=0.85)})


def bench(folder):
    files = {"company.yaml": COMPANY, "departments/sales.yaml": SALES}
    for name, text in files.items():
        path = folder / "params" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "deals.csv").write_text("id,day\n1,2025-12-01\n")


def frame(**columns):
    return pd.DataFrame({"metric": "a", "period": "2026-W01", "value": 1.0, **columns}, index=[0])


@pytest.mark.parametrize("name", MODULES)
def test_a_public_module_offers_its_public_names_alone(name):
    module = importlib.import_module(f"dataops_nb.{name}")
    assert dir(module) == sorted(module.__all__)


def test_a_light_is_a_chip_that_says_why_it_is_unknown():
    text = glances.html(frame(light="unknown", reason="stale"))
    assert '<span class="nb-chip" data-light="unknown">◇ Late</span>' in text


def test_a_column_without_any_value_is_left_out_and_counted():
    table = glances.table_of(frame(segment=None, extra=3))
    assert list(table.columns) == ["metric", "period", "value"]
    assert table.caption == "Metric table: 1 row, 2 more columns"


def test_a_long_table_shows_both_ends():
    rows = pd.DataFrame({"metric": "a", "period": [f"p{n}" for n in range(50)], "value": 1.0})
    table = glances.table_of(rows)
    assert [row[1] for row in table.rows] == [
        *(f"p{n}" for n in range(10)),
        "…",
        *(f"p{n}" for n in range(40, 50)),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.1235"), (1234.56, "1,235"), (float("nan"), ""), (None, ""), (True, "yes")],
)
def test_values_are_short_and_what_is_missing_is_empty(value, text):
    assert glances._cell("value", value, None) == text


def test_links_are_a_table():
    rows = pd.DataFrame({"input": ["a"], "target": ["b"], "verdict": ["moves"], "lag": [3]})
    assert glances.table_of(rows).rows == [["a", "b", "moves", "3"]]


SHOP = pd.DataFrame(
    {"region": ["A", "A", "B"], "channel": ["web", "shop", "web"], "won": [1.0, 2.5, None]}
)


def shown(frame):
    table = glances.plain_table(frame)
    return [list(table.columns), *table.rows]


def test_any_other_frame_is_a_table_whose_counted_rows_have_no_column():
    assert glances.table_of(SHOP) is None
    assert shown(SHOP)[:2] == [["region", "channel", "won"], ["A", "web", "1.0"]]
    assert '<td class="nb-number">–</td>' in glances.html(SHOP)


def test_levels_of_an_index_are_columns_with_their_names():
    indexed = SHOP.set_index(["region", "channel"])
    assert shown(indexed)[:2] == [["region", "channel", "won"], ["A", "web", "1.0"]]
    assert shown(SHOP.set_index("won").rename_axis(None))[0] == ["index", "region", "channel"]


def test_joined_names_of_columns_are_one_name():
    sums = SHOP.groupby("region").agg({"won": ["sum", "max"]})
    assert shown(sums) == [
        ["region", "won, sum", "won, max"],
        ["A", "3.5", "2.5"],
        ["B", "0.0", "–"],
    ]


def test_a_series_is_a_table_of_one_column():
    text = glances.html(SHOP.set_index("region")["won"])
    assert '<th scope="col">region</th><th scope="col" class="nb-number">won</th>' in text


def test_of_many_rows_and_columns_the_ends_stand_as_pandas_is_told():
    many = pd.DataFrame({f"c{n}": range(100) for n in range(9)})
    with pd.option_context("display.max_rows", 10, "display.min_rows", 4, "display.max_columns", 4):
        table = glances.plain_table(many)
    assert table.columns == ["c0", "c1", "…", "c7", "c8"]
    assert [row[0] for row in table.rows] == ["0", "1", "…", "98", "99"]
    assert table.caption == "100 rows, columns: 9"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.0, 1234.5], ["1.0", "1234.5"]),
        ([1 / 3, 1.0], ["0.333333", "1.000000"]),
        ([1e20, 1e-9], ["1e+20", "1e-09"]),
        (pd.array([1, None], dtype="Int64"), ["1", "–"]),
        (pd.to_datetime(["2026-01-31", None]), ["2026-01-31", "–"]),
        ([True, "x"], ["yes", "x"]),
    ],
)
def test_numbers_of_a_column_have_equal_decimals_and_days_no_time(values, texts):
    assert [row[0] for row in shown(pd.DataFrame({"x": values}))[1:]] == texts


def test_a_frame_of_our_own_making_has_lights(judged):
    assert "nb-chip" in glances.html(judged)


def test_a_board_is_one_line_of_text_and_a_table_of_its_metrics(judged):
    this = board.of(judged)
    shown = this._repr_mimebundle_()
    assert shown["text/plain"] == repr(this)
    assert len(repr(this)) < 120
    assert repr(this) == "<Board of 2026-W44: 1 metric, 1 green>"
    assert shown["text/html"].count('<th scope="row">') == 1


def test_the_company_of_a_board_is_one_line(judged):
    assert repr(board.of(judged).company) == "<FrameCompany: 1 department, 1 metric>"


def test_an_edited_file_is_read_for_the_next_rows(tmp_path):
    bench(tmp_path)
    here = workbench.open(tmp_path)
    with here.rows("2026-01-01") as before:
        assert before.company.label("deals") == "Deals"
    edited = SALES.replace("label: Deals", "label: Deals that were won")
    (tmp_path / "params" / "departments" / "sales.yaml").write_text(edited)
    with here.rows("2026-01-01") as after:
        assert after.company.label("deals") == "Deals that were won"


def test_what_was_not_edited_is_not_read_again(tmp_path):
    bench(tmp_path)
    here = workbench.open(tmp_path)
    first = here.definitions
    with here.rows("2026-01-01"):
        assert here.definitions is first


def notebook(tmp_path, kernel):
    content = {
        "cells": [],
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "a.ipynb").write_text(json.dumps(content))
    manager = Contents(root_dir=str(tmp_path))
    return asyncio.run(manager.get("a.ipynb"))["content"]["metadata"]


def test_a_notebook_arrives_with_the_language_that_its_kernel_will_name(tmp_path):
    assert notebook(tmp_path, "python3")["language_info"]["name"] == "python"
    assert "language_info" not in (tmp_path / "a.ipynb").read_text()


def test_a_notebook_of_another_kernel_arrives_as_it_is(tmp_path):
    assert "language_info" not in notebook(tmp_path, "julia")
