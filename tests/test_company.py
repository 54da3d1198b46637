"""Companies and what they remember, without files."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pandas as pd
import pytest

from dataops_nb import history
from dataops_nb.company import Company, Department, Memory
from dataops_nb.errors import UsageError
from dataops_nb.metrics import Derived, Measure, Simple

DAY = dt.date(2026, 11, 22)


@pytest.fixture
def shop():
    counted = Simple(type="simple", measure=Measure(source="orders", agg="count"))
    mean = Derived(type="derived", expr="orders / visits")
    metrics = {"orders": counted, "visits": counted, "orders_a_visit": mean}
    return Company(departments={"sales": Department(department="Sales", metrics=metrics)})


def test_a_company_without_files_names_labels_and_owners_of_its_metrics(shop):
    assert list(shop.metrics) == ["orders", "visits", "orders_a_visit"]
    assert shop.label("orders_a_visit") == "Orders a visit"
    assert shop.department_of("orders") == "sales"


def test_parts_come_before_what_stands_on_them(shop):
    assert shop.upstream(["orders_a_visit"]) == ["orders", "visits", "orders_a_visit"]


def test_a_metric_that_is_unknown_is_named_with_the_nearest_one(shop):
    with pytest.raises(UsageError, match="no metric 'order'; did you mean 'orders'"):
        shop.upstream(["order"])


def test_a_copy_of_a_company_lists_its_metrics_anew(shop):
    assert shop.metrics
    assert shop.model_copy(update={"departments": {}}).metrics == {}


@pytest.mark.parametrize("asked", ["published", "lights"])
def test_who_remembers_nothing_answers_like_an_empty_folder(asked, tmp_path):
    plain, empty = (getattr(one, asked)() for one in (Memory(), history.Folder(tmp_path)))
    pd.testing.assert_frame_equal(plain, empty, check_dtype=False)


@pytest.mark.parametrize("asked", ["notes", "carried"])
def test_who_remembers_nothing_answers_like_an_empty_folder_about_a_day(asked, tmp_path):
    plain, empty = (getattr(one, asked)(DAY) for one in (Memory(), history.Folder(tmp_path)))
    pd.testing.assert_frame_equal(plain, empty, check_dtype=False, check_index_type=False)


def test_a_company_is_there_before_pandas_and_duckdb():
    code = "import sys, dataops_nb.company; print({'pandas', 'duckdb'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
