"""What is added to a workbench by command: reports and events, in the text of a person's files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_nb import workbench
from dataops_nb.errors import DefinitionsError, UsageError
from dataops_nb.workbench import Workbench

COMPANY = """\
company: Test
timezone: UTC
north_star: [won]
sources:
  deals: {system: CRM, path: deals.csv, time: day}
"""
SALES = """\
department: Sales
metrics:
  won: {type: simple, measure: {source: deals, agg: count}}
"""
REPORTS = """\
# mine
weekly:
  cadence: week
  reports:
    sales: {notebook: 30_sales.ipynb}   # asked for by the board

# monthly:
#   cadence: month
"""
DAY = dt.date(2026, 8, 4)


@pytest.fixture
def wb(tmp_path: Path) -> Workbench:
    """A workbench with one department, one notebook and no other files."""
    params = tmp_path / "params"
    (params / "departments").mkdir(parents=True)
    (params / "company.yaml").write_text(COMPANY)
    (params / "departments" / "sales.yaml").write_text(SALES)
    (tmp_path / "notebooks").mkdir()
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "notebooks" / "30_sales.ipynb").write_text(json.dumps(notebook))
    return workbench.open(tmp_path)


def test_a_new_report_is_the_last_of_the_first_suite_and_other_lines_stay(wb):
    path = wb.params / "reports.yaml"
    path.write_text(REPORTS)
    notebook, line = workbench.new_report(wb, "board-pack")
    after = "    sales: {notebook: 30_sales.ipynb}   # asked for by the board\n"
    assert path.read_text() == REPORTS.replace(after, f"{after}    {line}\n")
    assert json.loads(notebook.read_text())["cells"][0]["source"][0] == "# Board pack\n"


def test_a_new_report_makes_the_file_of_reports_where_there_is_none(wb):
    workbench.new_report(wb, "board-pack")
    assert workbench.open(wb.root).definitions.suites["weekly"].reports.keys() == {"board-pack"}


def test_a_new_report_is_planned(wb):
    notebook, _ = workbench.new_report(wb, "board-pack")
    report = workbench.open(wb.root).definitions.suites["weekly"].reports["board-pack"]
    assert report.notebook == notebook.name


@pytest.mark.parametrize("name", ["sales", "SALES"])
def test_a_report_under_a_taken_name_is_refused(wb, name):
    (wb.params / "reports.yaml").write_text(REPORTS)
    with pytest.raises(UsageError, match="there is a report 'sales' already"):
        workbench.new_report(wb, name)


def test_a_report_whose_name_is_none_leaves_every_file_as_it_was(wb):
    (wb.params / "reports.yaml").write_text(REPORTS)
    with pytest.raises(DefinitionsError, match="is no report name"):
        workbench.new_report(wb, "Board pack!")
    assert (wb.params / "reports.yaml").read_text() == REPORTS
    assert [path.name for path in wb.notebooks.iterdir()] == ["30_sales.ipynb"]


def test_reports_in_brackets_are_left_to_the_person_with_the_line_to_write(wb):
    text = "weekly: {cadence: week, reports: {sales: {notebook: 30_sales.ipynb}}}\n"
    (wb.params / "reports.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"write it yourself: board-pack: \{notebook: "):
        workbench.new_report(wb, "board-pack")
    assert (wb.params / "reports.yaml").read_text() == text


def test_a_department_without_a_notebook_gets_only_that(wb):
    definitions, notebook = workbench.new_department(wb, "sales")
    assert definitions.read_text() == SALES
    assert 'department: str = "sales"' in notebook.read_text().replace("\\", "")


def test_a_department_with_a_notebook_is_there_already(wb):
    workbench.new_department(wb, "sales")
    with pytest.raises(UsageError, match="there is a department 'sales' already"):
        workbench.new_department(wb, "sales")


@pytest.mark.parametrize(
    "before", [None, "", "# only a comment", "- {date: 2026-01-01, title: A, kind: b}"]
)
def test_an_event_is_the_last_line_of_its_file(wb, before):
    path = wb.params / "events.yaml"
    if before is not None:
        path.write_text(before)
    line = workbench.new_event(wb, DAY, "Release 8.0", kind="release", metrics=["won"])
    assert line == "- {date: 2026-08-04, title: Release 8.0, kind: release, metrics: [won]}"
    assert path.read_text().splitlines()[-1] == line
    assert path.read_text().startswith(before or "")


def test_an_event_about_an_unknown_metric_names_the_nearest(wb):
    with pytest.raises(UsageError, match="no metric 'wonn'; did you mean 'won'"):
        workbench.new_event(wb, DAY, "Release 8.0", metrics=["wonn"])


def test_an_event_is_noted_once(wb):
    workbench.new_event(wb, DAY, "Release 8.0")
    again = workbench.open(wb.root)
    with pytest.raises(UsageError, match="already"):
        workbench.new_event(again, DAY, "Release 8.0")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30))
def test_any_title_comes_back_as_it_was_given(wb, title):
    path = wb.params / "events.yaml"
    path.unlink(missing_ok=True)
    workbench.new_event(wb, DAY, title)
    assert yaml.safe_load(path.read_text(encoding="utf-8"))[0]["title"] == title
