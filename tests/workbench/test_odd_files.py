"""Files and names as other programs and systems leave them: each has one message that names file and line."""

from __future__ import annotations

import os
import sys

import pytest

from dataops_nb import cli

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")
BAD = os.fsdecode(b"x\xff")


@pytest.fixture
def ask(tmp_path, capsys, monkeypatch):
    """A company of one file, and a command to it: its exit code, and what it says."""
    (tmp_path / "params" / "departments").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    company = "company: T\nsources:\n  a: {system: S, path: '*.json', time: day}\n"
    metric = "department: D\nmetrics:\n  n: {type: simple, measure: {source: a, agg: count}}\n"
    (tmp_path / "params" / "company.yaml").write_text(company)
    (tmp_path / "params" / "departments" / "d.yaml").write_text(metric)
    (tmp_path / "data" / "a.json").write_text('[{"day": "2026-11-19"}, {"day": "2026-11-20"}]')
    for name in ("DATAOPS_WORKBENCH", "DATAOPS_DATA", "DATAOPS_OUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATAOPS_TRACEBACK", "1")

    def run(*words, root=tmp_path):
        code = cli.main(["-w", str(root), *words])
        out, err = capsys.readouterr()
        return code, out + err

    run.root = tmp_path
    return run


@pytest.mark.parametrize(
    "array", ['[{"day": "2026-11-20"}]', '\n [{"day": "2026-11-20"}]', '{"day": "2026-11-20"}\n']
)
def test_json_behind_a_byte_order_mark_is_read(ask, array):
    (ask.root / "data" / "a.json").write_text(array, encoding="utf-8-sig")
    code, said = ask("metric", "values", "n", "--as-of", "2026-11-22", "--json")
    assert code == 0
    assert '"value": 1.0' in said


def test_json_behind_a_byte_order_mark_that_holds_no_objects_is_refused(ask):
    (ask.root / "data" / "a.json").write_text("[1, 2]", encoding="utf-8-sig")
    code, said = ask("check")
    assert code == 3
    assert "a.json" in said


def test_a_matched_file_whose_name_is_not_utf8_is_a_fault(ask):
    (ask.root / "data" / f"{BAD}.json").write_text("[]")
    code, said = ask("status", "--as-of", "2026-11-22")
    assert code == 3
    assert "x\\udcff.json: source a: has a name that is no UTF-8" in said


def test_a_department_whose_name_is_not_utf8_is_a_mistake(ask):
    (ask.root / "params" / "departments" / f"{BAD}.yaml").write_text("department: E\nmetrics: {}\n")
    code, said = ask("check")
    assert code == 2
    assert "params/departments/x\\xff.yaml" in said
    assert "is not UTF-8; rename it" in said


def test_a_workbench_whose_name_is_not_utf8_is_refused(ask):
    odd = ask.root / BAD
    odd.mkdir()
    (ask.root / "params").rename(odd / "params")
    code, said = ask("status", root=odd)
    assert code == 2
    assert "x\\xff: the name of the folder is not UTF-8" in said


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            b"n,,week,2026-W46,2026-11-15,3,true,3,,r\xff,x,now\n",
            "history/values.csv:2 is no UTF-8",
        ),
        (b"n,,week\n", "history/values.csv:2 has 3 of 12 cells"),
    ],
)
def test_a_line_of_the_history_that_cannot_be_read_is_named(ask, line, why):
    history = ask.root / "out" / "history"
    history.mkdir(parents=True)
    columns = (
        b"metric,segment,grain,period,as_of,value,complete,n,definition,report,run,published_at\n"
    )
    (history / "values.csv").write_bytes(columns + line)
    code, said = ask("ask", "n", "--as-of", "2026-11-22")
    assert code == 0
    assert why in said
    code, said = ask("check")
    assert code == 0
    assert f"note: {why.replace(':2 ', ':2: ')}" in said


def test_check_tells_the_broken_lines_of_every_file_of_the_history(ask):
    history = ask.root / "out" / "history"
    history.mkdir(parents=True)
    for name in ("values", "lights", "notes", "sent", "follow_ups", "answers"):
        (history / f"{name}.csv").write_bytes(b"\xff\n" + b"a\n" * 30)
    code, said = ask("check")
    assert code == 0
    for name in ("values", "lights", "notes", "sent", "follow_ups", "answers"):
        assert f"note: history/{name}.csv:1: is no UTF-8: byte 0xff" in said
        assert f"note: history/{name}.csv:21: 11 more lines are broken" in said


def test_a_report_whose_notebook_is_away_is_a_mistake_also_without_the_folder(ask):
    reports = "weekly: {cadence: week, reports: {a: {notebook: a.ipynb}}}\n"
    (ask.root / "params" / "reports.yaml").write_text(reports)
    code, said = ask("check")
    assert code == 2
    assert "no notebook 'a.ipynb' in notebooks/" in said


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
@pytest.mark.parametrize(
    "words", [("status",), ("metric", "values", "n"), ("links",), ("ask", "n")]
)
def test_a_day_outside_the_calendar_is_refused(ask, words, day):
    code, said = ask(*words, "--as-of", day)
    assert code == 2
    assert f"as of {day}: reports are made from" in said


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("{type: cumulative, metric: n, window: 100000 months}", "at most 6000 months"),
        ("{type: cumulative, metric: n, window: 9999999 days}", "at most 182500 days"),
        (
            "{type: ratio, numerator: n, denominator: {metric: n, offset: 99999 periods}}",
            "at most 500 periods",
        ),
    ],
)
def test_a_window_beyond_the_calendar_is_refused(ask, metric, why):
    path = ask.root / "params" / "departments" / "d.yaml"
    path.write_text(f"{path.read_text()}  far: {metric}\n")
    code, said = ask("check")
    assert code == 2
    assert "d.yaml:4" in said
    assert "reach beyond the calendar" in said
    assert why in said


def test_the_longest_window_is_measured(ask):
    path = ask.root / "params" / "departments" / "d.yaml"
    far = "{type: ratio, numerator: n, denominator: {metric: n, offset: 500 years}}"
    path.write_text(f"{path.read_text()}  far: {far}\n")
    for grain in ("day", "year"):
        code, said = ask("status", "--as-of", "2026-11-22", "--grain", grain)
        assert code == 0, said
