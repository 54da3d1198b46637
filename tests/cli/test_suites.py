"""What `check` says of reports and the parameters of their notebooks, before any refresh."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataops_nb import definitions
from dataops_nb.cli import suites
from dataops_nb.errors import UsageError
from dataops_nb.reports import plan

CELL = 'grain: str = "week"\nweeks: int = 26  # how many\nsince: date = "2026-01-01"'


def write(root: Path, reports: str, cell: str = CELL) -> None:
    """Write a company of no metric with one notebook, `a.ipynb`, and its reports."""
    (root / "params" / "departments").mkdir(parents=True, exist_ok=True)
    (root / "notebooks").mkdir(exist_ok=True)
    (root / "params" / "company.yaml").write_text(
        "company: C\ncurrency: USD\nnorth_star: []\nsources: {}\n"
    )
    (root / "params" / "departments" / "sales.yaml").write_text("department: Sales\nmetrics: {}\n")
    text = f"weekly:\n  cadence: week\n  reports:\n{reports}"
    (root / "params" / "reports.yaml").write_text(text)
    title: dict[str, Any] = {"cell_type": "markdown", "metadata": {}, "source": "# A"}
    code: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {"tags": ["parameters"]},
        "source": cell,
        "outputs": [],
        "execution_count": None,
    }
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [title, code]}
    (root / "notebooks" / "a.ipynb").write_text(json.dumps(notebook))


def told(root: Path) -> list[str]:
    """What `check` says of the reports."""
    known = definitions.load(root / "params", notebooks=root / "notebooks")
    return [str(one) for one in suites.mistakes(root / "params", root / "notebooks", known)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("grian: week", "there is no parameter 'grian'; did you mean 'grain'?"),
        ("region: EU", "there is no parameter 'region' (it has grain, weeks, since)"),
        ("weeks: ten", "parameter 'weeks' is a whole number, not 'ten'"),
        ("since: 2026-02-30", "parameter 'since' is a day, 2026-11-22, not '2026-02-30'"),
        ("as_of: 2026-11-22", "parameter 'as_of' is set with --as-of"),
    ],
)
def test_a_parameter_that_does_not_fit_is_told_with_notebook_and_cell(
    tmp_path: Path, given: str, message: str
) -> None:
    write(tmp_path, f"    top:\n      notebook: a.ipynb\n      parameters:\n        {given}\n")
    name = given.partition(":")[0]
    place = f"params/reports.yaml:7: weekly.reports.top.parameters.{name}"
    assert told(tmp_path) == [f"{place}: a.ipynb, cell 2: {message}"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("weeks: int =", "the parameters cell is not Python: line 1: invalid syntax"),
        ("weeks: int", "parameter 'weeks' has no default and must be given"),
        ("weeks: dict = {}", "parameter 'weeks' has the type dict; a parameter is one of"),
        ("print(1)", "the parameters cell may only assign values"),
        ('weeks: int = "x"', "parameter 'weeks' is a whole number, not 'x'"),
    ],
)
def test_a_parameters_cell_that_cannot_be_used_is_told_where_it_is_named(
    tmp_path: Path, cell: str, message: str
) -> None:
    write(tmp_path, "    top: {notebook: a.ipynb}\n", cell)
    (said,) = told(tmp_path)
    place = "params/reports.yaml:4: weekly.reports.top.notebook: a.ipynb, cell 2"
    assert said.startswith(f"{place}: {message}")


def test_a_report_of_each_department_needs_a_notebook_that_takes_one(tmp_path: Path) -> None:
    write(tmp_path, "    top: {notebook: a.ipynb, each: department}\n")
    (said,) = told(tmp_path)
    assert "there is no parameter 'department'" in said
    write(tmp_path, "    top: {notebook: a.ipynb, each: department}\n", "department: str")
    assert told(tmp_path) == []


def test_check_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dataops_nb.cli import main

    write(tmp_path, "    top: {notebook: a.ipynb, parameters: {week: 3}}\n")
    assert main(["-w", str(tmp_path), "check"]) == 2
    assert "there is no parameter 'week'; did you mean 'weeks'?" in capsys.readouterr().out


NAMES = st.sampled_from(["grain", "weeks", "since", "week", "as_of", "department"])
VALUES = st.sampled_from(["week", "3", "'3'", "2026-02-01", "true", "x", "1.5"])


@given(
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.booleans(),
    st.sampled_from([CELL, "weeks: int", "x ="]),
)
@settings(max_examples=60, deadline=None)
def test_check_and_plan_refuse_the_same_reports(
    given: dict[str, str], each: bool, cell: str
) -> None:
    lines = "".join(f"\n        {name}: {value}" for name, value in given.items())
    parameters = f"      parameters:{lines}\n" if given else ""
    per = "      each: department\n" if each else ""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(root, f"    top:\n      notebook: a.ipynb\n{per}{parameters}", cell)
        known, mistakes = definitions.survey(root / "params", notebooks=root / "notebooks")
        assume(not mistakes)
        try:
            plan.reports(known, root / "notebooks", as_of=dt.date(2026, 11, 22))
        except UsageError:
            is_refused = True
        else:
            is_refused = False
        assert bool(told(root)) == is_refused
