"""Where to begin: the notebooks behind the departments, the last refresh, what changed since, and what is stale."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

from dataops_nb import board, history, tables, workbench
from dataops_nb.errors import PublishError

ROWS = "on,n\n" + "".join(
    f"{dt.date(2026, 9, 7) + dt.timedelta(days=i)},{i % 7}\n" for i in range(77)
)
SOURCE = """
s: {system: CRM, owner: Ops, path: s.csv, time: on, covers: {to: as_of}}
late: {system: Helpdesk, owner: Service, path: late.csv, time: on, fresh_within: 2d}
"""
METRICS = """
m: {label: Meetings, type: simple, measure: {source: s, agg: sum, expr: n}, lights: standard, targets: [{per: week, value: 20}]}
k: {label: Tickets, type: simple, measure: {source: late, agg: count}, lights: standard}
"""
REPORTS = """
weekly:
  reports:
    north-star: {notebook: 10_north_star.ipynb}
    dept: {notebook: 20 of dept.ipynb}
"""


@pytest.fixture
def this(company, tmp_path):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "reports.yaml").write_text(REPORTS)
    late = "on\n2026-11-10\n2026-11-11\n"
    catalog = company(
        SOURCE,
        METRICS,
        {"s.csv": ROWS, "late.csv": late},
        as_of="2026-11-22",
        extra="north_star: [m]",
    )
    return board.measure(catalog, ["m", "k"], memory=history.Folder(tmp_path / "out"))


@pytest.fixture
def here(tmp_path):
    return workbench.Workbench(tmp_path, tmp_path, tmp_path / "out")


def notebook(tmp_path, name, parameters):
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": [parameters]}
    (tmp_path / "notebooks").mkdir(exist_ok=True)
    (tmp_path / "notebooks" / name).write_text(json.dumps({"cells": [cell]}))


def test_the_north_star_and_each_department_lead_to_their_notebooks(this, here, tmp_path):
    notebook(tmp_path, "10_north_star.ipynb", 'as_of: str = ""')
    notebook(
        tmp_path, "20 of dept.ipynb", 'as_of: str = ""\ndepartment: str = "dept"  # help: whose'
    )
    table = tables.doors(this, here)
    assert [row[0] for row in table.rows] == ["North Star", "Dept"]
    assert [str(row[-1]) for row in table.rows] == ["10_north_star.ipynb", "20 of dept.ipynb"]
    assert '<a href="20%20of%20dept.ipynb">20 of dept.ipynb</a>' in table.html()
    assert "Meetings were 21 in week 47" in str(table)


@pytest.mark.parametrize("said", ["parameters: {department: dept}", "each: department"])
def test_a_report_says_whom_its_notebook_speaks_for(this, here, tmp_path, said):
    (tmp_path / "params" / "reports.yaml").write_text(
        f"w: {{reports: {{d: {{notebook: d.ipynb, {said}}}}}}}\n"
    )
    notebook(tmp_path, "d.ipynb", 'department: str = "other"')
    assert [str(row[-1]) for row in tables.doors(this, here).rows] == ["–", "d.ipynb"]


def test_before_the_first_refresh_the_tables_say_so(this):
    assert "none yet: run dataops-nb refresh" in tables.refreshed(this).html()
    assert "nothing published yet" in tables.changed(this).html()


def test_the_last_refresh_is_read_and_nothing_is_written(this, tmp_path):
    (tmp_path / "out").mkdir()
    record = {"report": "dept", "state": "failed", "period": "2026-W47", "as_of": "2026-11-22", "light": "green",
              "finished": "2026-11-23T06:10:00+00:00"}  # fmt: skip
    (tmp_path / "out" / "latest.json").write_text(json.dumps({"run": "r", "reports": [record]}))
    row = tables.refreshed(this).rows[0]
    assert [str(cell) for cell in row[2:]] == [
        "failed",
        "2026-W47",
        "2026-11-22",
        "2026-11-23 06:10 UTC",
    ]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["latest.json"]


def test_a_broken_latest_is_named(this, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "latest.json").write_text("{")
    with pytest.raises(PublishError, match=r"latest\.json cannot be read"):
        tables.refreshed(this)


def test_what_changed_are_lights_and_values_that_differ_from_what_was_last_published(
    this, tmp_path
):
    light = {
        "grain": "week",
        "period": "2026-W46",
        "reason": None,
        "on_pace": False,
        "attainment": 1.0,
    }
    rows = [{**light, "metric": "m", "light": "red"}, {**light, "metric": "k", "light": "unknown"}]
    history.keep_lights(tmp_path / "out", rows, as_of=dt.date(2026, 11, 15), report="dept", run="r")
    said = {
        "segment": None,
        "grain": "week",
        "period": "2026-W46",
        "complete": True,
        "n": 7,
        "definition": "d",
    }
    values = pd.DataFrame(
        [{**said, "metric": "m", "value": 9.0}, {**said, "metric": "k", "value": float("nan")}]
    )
    at = dt.datetime(2026, 11, 15, tzinfo=dt.UTC)
    history.remember(
        tmp_path / "out",
        values,
        report="dept",
        as_of=dt.date(2026, 11, 15),
        run="r",
        published_at=at,
    )
    (row,) = tables.changed(this).rows
    assert [getattr(cell, "name", cell) for cell in row] == [
        "Meetings",
        "2026-W46",
        "red",
        "9",
        "2026-W47",
        "green",
        "21",
    ]


def test_a_source_is_stale_by_what_was_agreed(this):
    (row,) = tables.stale(this).rows
    assert row == ["late", "Helpdesk", "Service", "11 Nov", "2 days"]
