"""Refresh: what is planned, what runs, what is published, and what is left when something goes wrong."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from nbformat import v4

from dataops_nb import reports, workbench
from dataops_nb.definitions.models import Definitions, Report, Suite
from dataops_nb.errors import LockedError, UsageError
from dataops_nb.reports import environment, ledger, parameters, plan, processes, progress, run

DAY = dt.date(2026, 11, 22)
COMPANY = """
company: Lumen
sources:
  deals: {system: CRM, path: deals.csv, time: day}
"""
SALES = """
department: Sales
metrics:
  won: {type: simple, measure: {source: deals, agg: count}}
"""
FACTS = """
display({"application/vnd.dataops-nb.facts+json": {
    "schema_version": 1, "complete": True, "company": "Lumen", "department": "Sales", "title": "Sales " + word,
    "owner": None, "as_of": as_of, "grain": grain, "period": "2026-W47", "data_to": as_of, "light": "green",
    "reason": None, "headline": "All is well.", "facts": [], "rows": [{"metric": "won", "value": 3}], "sources": [],
    "warnings": [],
}}, raw=True)
"""
PARAMETERS = (
    'as_of: str = ""  # the day\ngrain: str = "week"\nword: str = "here"  # a word\nweeks: int = 26'
)


def write_notebook(path: Path, *cells: str, declared: str = PARAMETERS, ends: bool = True) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nb = v4.new_notebook(metadata={"kernelspec": kernel}, cells=[v4.new_markdown_cell("# Sales")])
    for source, tags in [
        (declared, ["parameters"]),
        *((c, ["executive"]) for c in cells),
        *([(FACTS, ["facts"])] * ends),
    ]:
        cell = v4.new_code_cell(dedent(source))
        cell.metadata["tags"] = tags
        nb.cells.append(cell)
    nbformat.write(nb, path)


def make(root: Path, reports: str, **notebooks: list[str]) -> workbench.Workbench:
    for name, text in {
        "company.yaml": COMPANY,
        "departments/sales.yaml": SALES,
        "reports.yaml": reports,
    }.items():
        (root / "params" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "params" / name).write_text(dedent(text))
    for folder in ("notebooks", "data"):
        (root / folder).mkdir()
    (root / "data" / "deals.csv").write_text("day\n2026-11-20\n")
    for name, cells in notebooks.items():
        write_notebook(root / "notebooks" / f"{name}.ipynb", *cells)
    return workbench.open(root, data=root / "data", out=root / "out")


def weekly(*names: str) -> str:
    return "weekly:\n  reports:\n" + "".join(
        f"    {name}: {{notebook: {name}.ipynb}}\n" for name in names
    )


def suite(**reports: Report) -> Definitions:
    model = {"company": "Lumen", "sources": {}}
    departments = {name: {"department": name.title()} for name in ("sales", "sdr")}
    found = Definitions.model_validate({"company": model, "departments": departments})
    return found.model_copy(update={"suites": {"weekly": Suite(reports=reports)}})


# --- parameters -----------------------------------------------------------------------------------------------------


def declared(source: str) -> dict[str, parameters.Parameter]:
    cell = v4.new_code_cell(source)
    cell.metadata["tags"] = ["parameters"]
    return parameters.declared(v4.new_notebook(cells=[cell]), "x.ipynb")


def test_a_parameters_cell_is_a_schema():
    found = declared(
        'a: str = "x"  # its help\nb = 3\nc: float | None = None\nd: dt.date = "2026-11-22"\ne: bool\nf = None'
    )
    assert {n: (p.kind, p.default, p.required, p.optional) for n, p in found.items()} == {
        "a": ("str", "x", False, False),
        "b": ("int", 3, False, False),
        "c": ("float", None, False, True),
        "d": ("date", "2026-11-22", False, False),
        "e": ("bool", None, True, False),
        "f": ("str", None, False, True),
    }
    assert found["a"].help == "its help"


@pytest.mark.parametrize("source", ["x: dict = {}", "x = today()", "print(1)", "x ="])
def test_a_parameters_cell_that_does_more_than_assign_is_refused(source):
    with pytest.raises(UsageError, match=r"x\.ipynb"):
        declared(source)


@pytest.mark.parametrize(
    ("kind", "said", "read"),
    [
        ("str", "007", "007"), ("str", "no", "no"), ("str", "None", "None"), ("str", dt.date(2026, 11, 22), "2026-11-22"),
        ("int", "-12", -12), ("int", 5, 5), ("float", "1e3", 1000.0), ("float", 2, 2.0), ("bool", "true", True),
        ("bool", False, False), ("date", "2026-11-22", "2026-11-22"),
    ],
)  # fmt: skip
def test_a_value_is_read_by_its_declared_type(kind, said, read):
    value = parameters.value(parameters.Parameter("x", kind), said, "report 'r'")
    assert (value, type(value)) == (read, type(read))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("int", "1_000"), ("int", "0x10"), ("int", "007"), ("int", "1.0"), ("int", " 1"), ("int", True), ("int", 2.0),
        ("float", "nan"), ("float", "inf"), ("float", float("nan")), ("float", "1e999"), ("float", "1_0"),
        ("bool", "yes"), ("bool", "True"), ("bool", 1), ("date", "22.11.2026"), ("date", "2026-02-30"), ("str", 7),
        ("str", None), ("int", "None"), ("str", True), ("float", "٣"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(kind, said):
    with pytest.raises(UsageError, match="parameter 'x' is"):
        parameters.value(parameters.Parameter("x", kind), said, "report 'r'")


def test_everything_wrong_with_a_reports_parameters_is_said_at_once():
    with pytest.raises(UsageError) as caught:
        parameters.complete(
            declared("department: str\nweeks: int = 26"),
            {"deprtment": "x", "weeks": "many"},
            "report 'r'",
        )
    assert "no parameter 'deprtment'; did you mean 'department'?" in str(caught.value)
    assert "'department' has no default" in str(caught.value)
    assert "'weeks' is a whole number, not 'many'" in str(caught.value)


def test_a_name_with_code_is_no_parameter():
    with pytest.raises(UsageError, match="is not a parameter's name"):
        parameters.complete({}, {"x=1;print(1)#": 1}, "report 'r'")


# --- the plan -------------------------------------------------------------------------------------------------------


@pytest.fixture
def notebooks(tmp_path):
    write_notebook(tmp_path / "sales.ipynb")
    write_notebook(tmp_path / "dept.ipynb", declared="department: str\nas_of: str\ngrain: str")
    return tmp_path


def test_a_plan_has_complete_parameters(notebooks):
    (one,) = plan.reports(
        suite(sales=Report(notebook="sales.ipynb")), notebooks, as_of=DAY, parameters={"weeks": "8"}
    )
    assert one.parameters == {"as_of": "2026-11-22", "grain": "week", "word": "here", "weeks": 8}
    assert (one.suite, one.report, one.period, one.due) == ("weekly", "sales", "2026-W47", True)


def test_each_department_has_a_report_of_its_own(notebooks):
    made = plan.reports(
        suite(dept=Report(notebook="dept.ipynb", each="department")), notebooks, as_of=DAY
    )
    assert [(p.report, p.parameters["department"]) for p in made] == [
        ("dept-sales", "sales"),
        ("dept-sdr", "sdr"),
    ]


@pytest.mark.parametrize("only", ["dept", "dept-sdr"])
def test_a_report_is_chosen_by_its_id_or_that_of_its_family(notebooks, only):
    reports = suite(
        sales=Report(notebook="sales.ipynb"), dept=Report(notebook="dept.ipynb", each="department")
    )
    assert plan.reports(reports, notebooks, only=[only], as_of=DAY)[-1].report == "dept-sdr"


def test_the_grain_of_a_report_decides_its_period(notebooks):
    said = Report(notebook="sales.ipynb", parameters={"grain": "month"})
    assert plan.reports(suite(sales=said), notebooks, as_of=DAY)[0].period == "2026-10"


def test_a_published_period_is_not_due(notebooks):
    before = {("sales", "2026-W47"): "2026-11-22"}
    (one,) = plan.reports(
        suite(sales=Report(notebook="sales.ipynb")), notebooks, as_of=DAY, published=before
    )
    assert (one.due, one.why) == (False, "up to date (2026-W47, published 2026-11-22)")


def test_every_report_is_checked_before_anything_is_planned(notebooks):
    reports = suite(
        one=Report(notebook="sals.ipynb"),
        two=Report(notebook="sales.ipynb", parameters={"weaks": 3}),
        three=Report(notebook="../sales.ipynb"),
        four=Report(notebook="sales.ipynb", parameters={"weeks": "x"}),
    )
    with pytest.raises(UsageError) as caught:
        plan.reports(reports, notebooks, as_of=DAY)
    for said in (
        "'sals.ipynb'; did you mean 'sales.ipynb'?",
        "'weaks'; did you mean 'weeks'?",
        "lies outside",
        "'weeks'",
    ):
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"suite": "weakly"}, "did you mean 'weekly'"),
        ({"only": ["sale"]}, "did you mean 'sales'"),
        ({"parameters": {"wrd": "x"}}, "did you mean 'word'"),
        ({"parameters": {"as_of": "2026-01-01"}}, "--as-of"),
        ({"parameters": {"grain": "wek"}}, "did you mean 'week'"),
    ],
)
def test_what_is_asked_for_must_exist(notebooks, asked, message):
    with pytest.raises(UsageError, match=message):
        plan.reports(
            suite(sales=Report(notebook="sales.ipynb")), notebooks, **({"as_of": DAY} | asked)
        )


@pytest.mark.parametrize("id_", ["../escaped", "runs", "a/b", ".hidden"])
def test_a_reports_id_cannot_leave_its_folder(notebooks, id_):
    with pytest.raises(UsageError, match="becomes a folder"):
        plan.reports(suite(**{id_: Report(notebook="sales.ipynb")}), notebooks, as_of=DAY)


def test_two_reports_never_share_a_place(notebooks):
    one = suite(sales=Report(notebook="sales.ipynb"))
    both = one.model_copy(update={"suites": {"a": one.suites["weekly"], "b": one.suites["weekly"]}})
    with pytest.raises(UsageError, match="two suites make the report 'sales' for 2026-W47"):
        plan.reports(both, notebooks, as_of=DAY)


@pytest.mark.parametrize(
    "text", ["{", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', ""]
)
def test_a_damaged_notebook_is_named(tmp_path, text):
    (tmp_path / "x.ipynb").write_text(text)
    with pytest.raises(UsageError, match=r"x\.ipynb is not a readable notebook"):
        parameters.read(tmp_path / "x.ipynb")


def test_a_notebook_that_waits_for_somebody_is_refused(tmp_path):
    write_notebook(tmp_path / "x.ipynb", "name = input('who?')")
    with pytest.raises(UsageError, match="cell 3 uses input"):
        parameters.read(tmp_path / "x.ipynb")


# --- the ledger and the lock ----------------------------------------------------------------------------------------


def planned(report: str = "sales") -> plan.Planned:
    return plan.Planned("weekly", report, "sales.ipynb", {"weeks": 3}, "2026-W47", True, "")


def test_a_report_ends_in_exactly_one_state(tmp_path):
    with ledger.opened(tmp_path / "l.sqlite") as book:
        row = ledger.start(book, "r1", planned(), DAY)
        assert ledger.rows(book)[0]["state"] == "running"
        ledger.finish(book, row, "ok", seconds=1.5, shown={"light": "green"})
        ledger.finish(book, row, "failed", seconds=9.0)
        (only,) = ledger.rows(book)
        assert (only["state"], only["seconds"], only["parameters"]) == ("ok", 1.5, {"weeks": 3})
        with pytest.raises(sqlite3.IntegrityError):
            book.execute("update runs set state = 'fine'")


def test_the_next_start_ends_what_a_killed_runner_left(tmp_path):
    with ledger.opened(tmp_path / "l.sqlite") as book:
        ledger.start(book, "r1", planned(), DAY)
    with ledger.opened(tmp_path / "l.sqlite") as book:
        assert ledger.reconcile(book) == ["sales"]
        assert ledger.rows(book)[0]["state"] == "killed"
        assert ledger.reconcile(book) == []


def test_the_newest_good_report_is_shown_and_only_a_later_failure_counts(tmp_path):
    with ledger.opened(tmp_path / "l.sqlite") as book:
        for day, state in ((15, "failed"), (22, "ok"), (8, "failed")):
            row = ledger.start(book, "r", planned(), dt.date(2026, 11, day))
            ledger.finish(book, row, state, seconds=1)
        good, failed = ledger.newest(book, "weekly", "sales")
        assert (good["as_of"], failed) == ("2026-11-22", None)
        ledger.finish(book, ledger.start(book, "r", planned(), DAY), "timed_out", seconds=1)
        assert ledger.newest(book, "weekly", "sales")[1]["state"] == "timed_out"


def test_a_ledger_that_somebody_holds_is_waited_for_and_then_named(tmp_path):
    with ledger.opened(tmp_path / "l.sqlite"):
        pass
    other = sqlite3.connect(tmp_path / "l.sqlite", isolation_level=None)
    other.execute("begin exclusive")
    with pytest.raises(LockedError), ledger.opened(tmp_path / "l.sqlite", wait=0.1) as book:
        ledger.start(book, "r", planned(), DAY)
    other.close()


def test_the_second_refresh_is_told_who_holds_the_output(tmp_path):
    runs = tmp_path / "out" / "runs"
    runs.mkdir(parents=True)
    said = rf"process {os.getpid()}\)"
    with ledger.held(runs), pytest.raises(LockedError, match=said), ledger.held(runs):
        pass
    with ledger.held(runs):
        pass


def test_a_notebook_sees_no_secret_that_no_source_names(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hunter22")
    monkeypatch.setenv("WAREHOUSE", "postgresql://me:pa55word@host/db")
    source = {"system": "DWH", "url": "env:WAREHOUSE", "table": "t"}
    named = Definitions.model_validate(
        {"company": {"company": "L", "sources": {"s": source}}, "departments": {}}
    )
    seen = environment.of(named)
    assert "MY_TOKEN" not in seen
    assert seen["WAREHOUSE"] == os.environ["WAREHOUSE"]
    assert environment.secrets(named) == ["postgresql://me:pa55word@host/db", "pa55word"]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")
def test_ending_a_child_ends_what_it_started_in_sessions_of_its_own():
    script = "import subprocess as s; p = s.Popen(['sleep', '600'], start_new_session=True); print(1, flush=True); p.wait()"
    child = subprocess.Popen(
        [sys.executable, "-c", script], start_new_session=True, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    grandchildren = processes.below(child.pid)
    assert len(grandchildren) == 1
    processes.end(child, grace=1)
    child.stdout.close()
    assert [pid for pid, _ in grandchildren if alive(pid)] == []


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


# --- whole refreshes ------------------------------------------------------------------------------------------------

BAD = "class DataError(Exception): pass\nraise DataError('1 fault in the data\\n  deals.csv:2: no day')"
BROKEN_PAGE = "display({'application/vnd.vegalite.v6+json': {'mark': 'image'}}, raw=True)"


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    """One refresh of five reports: one is good, four go wrong, each in its own way."""
    root = tmp_path_factory.mktemp("wb")
    wb = make(
        root,
        weekly("good", "bad", "dead", "left", "page"),
        good=["import os; print(sorted(k for k in os.environ if k.startswith('DATAOPS')))"],
        bad=[BAD],
        dead=["import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
        page=[BROKEN_PAGE],
    )
    write_notebook(root / "notebooks" / "left.ipynb", "x = 1", ends=False)
    seen: list[str] = []
    outcome = run.run(
        wb, as_of="2026-11-22", jobs=3, progress=lambda result: seen.append(result.report)
    )
    return wb, outcome, seen


def result_of(refreshed, name: str) -> reports.Result:
    return next(result for result in refreshed[1].reports if result.report == name)


def test_a_good_report_is_published_whole(refreshed):
    wb, _, _ = refreshed
    good = result_of(refreshed, "good")
    assert (good.state, good.light, good.error) == ("ok", "green", None)
    assert [Path(page).name for page in good.pages] == [
        "index.html",
        "manager.html",
        "analyst.html",
    ]
    names = sorted(path.name for path in (wb.out / "good" / "2026-W47").iterdir())
    assert names == ["analyst.html", "facts.json", "index.html", "manager.html", "numbers.csv"]
    assert "Sales here" in (wb.out / "good" / "2026-W47" / "index.html").read_text()


@pytest.mark.parametrize(
    ("name", "state", "code", "error"),
    [
        ("bad", "failed", 3, "cell 3: DataError: 1 fault in the data: deals.csv:2: no day"),
        ("dead", "killed", 6, "cell 3: the report's process was stopped by SIGKILL"),
        (
            "left",
            "failed",
            1,
            "the notebook stopped before its last cell, story.record(this)",
        ),
        ("page", "failed", 1, "a chart on a page may not contain images"),
    ],
)
def test_what_went_wrong_is_said_in_one_line(refreshed, name, state, code, error):
    found = result_of(refreshed, name)
    assert (found.state, found.code, found.error.partition("; it held")[0], found.pages) == (
        state,
        code,
        error,
        [],
    )
    assert not (refreshed[0].out / name).exists()


def test_one_failed_report_never_stops_the_others(refreshed):
    _, outcome, seen = refreshed
    assert [result.report for result in outcome.reports] == ["good", "bad", "dead", "left", "page"]
    assert sorted(seen) == ["bad", "dead", "good", "left", "page"]
    assert outcome.exit_code == 6


def test_only_failed_reports_leave_evidence_and_no_socket_stays(refreshed):
    wb, outcome, _ = refreshed
    private = wb.out / "runs" / outcome.run
    assert sorted(path.name for path in private.iterdir()) == [
        "bad.weekly",
        "dead.weekly",
        "left.weekly",
        "page.weekly",
    ]
    assert "Traceback" in (private / "bad.weekly" / "log.txt").read_text()
    assert [
        path for path in private.rglob("*") if path.is_socket() or path.name.startswith("kernel-")
    ] == []


def test_every_report_stands_in_the_ledger(refreshed):
    with ledger.opened(refreshed[0].out / "ledger.sqlite") as book:
        states = {row["report"]: row["state"] for row in ledger.rows(book)}
    assert states == {
        "good": "ok",
        "bad": "failed",
        "dead": "killed",
        "left": "failed",
        "page": "failed",
    }


def test_latest_json_and_the_front_page_say_what_is_shown_and_what_failed(refreshed):
    wb, outcome, _ = refreshed
    latest = json.loads((wb.out / "latest.json").read_text())
    assert (latest["schema_version"], latest["run"], latest["as_of"]) == (
        1,
        outcome.run,
        "2026-11-22",
    )
    good, bad = latest["reports"][:2]
    assert (good["report"], good["state"], good["path"]) == (
        "good",
        "ok",
        "good/2026-W47/index.html",
    )
    assert (bad["state"], bad["path"], bad["published_as_of"]) == ("failed", None, None)
    front = (wb.out / "index.html").read_text()
    assert 'href="good/2026-W47/index.html"' in front
    assert "deals.csv:2: no day" in front


def test_no_folder_of_this_machine_is_published(refreshed):
    wb, _, _ = refreshed
    published = [
        p
        for p in wb.out.rglob("*")
        if p.is_file() and "runs" not in p.parts and p.suffix != ".sqlite"
    ]
    assert len(published) >= 7
    assert [path.name for path in published if str(wb.root) in path.read_text()] == []


def test_a_repeated_refresh_publishes_the_same_bytes_and_leaves_nothing_else(refreshed):
    wb, _, _ = refreshed
    before = {path.name: path.read_bytes() for path in (wb.out / "good" / "2026-W47").iterdir()}
    outcome = run.run(wb, reports=["good"], as_of=DAY, progress=progress.silent)
    assert outcome.exit_code == 0
    assert {
        path.name: path.read_bytes() for path in (wb.out / "good" / "2026-W47").iterdir()
    } == before
    assert not (wb.out / "runs" / outcome.run).exists()


def test_a_later_failure_keeps_the_last_good_report_and_says_its_age(refreshed):
    wb, _, _ = refreshed
    before = {path.name: path.read_bytes() for path in (wb.out / "good" / "2026-W47").iterdir()}
    write_notebook(wb.notebooks / "good.ipynb", "raise ValueError('no')")
    outcome = run.run(wb, reports=["good"], as_of=dt.date(2026, 11, 29), progress=progress.silent)
    assert outcome.exit_code == 1
    assert {
        path.name: path.read_bytes() for path in (wb.out / "good" / "2026-W47").iterdir()
    } == before
    (entry, *_) = json.loads((wb.out / "latest.json").read_text())["reports"]
    assert (entry["state"], entry["period"]) == ("failed", "2026-W48")
    assert (entry["published_as_of"], entry["path"]) == ("2026-11-22", "good/2026-W47/index.html")
    assert "7 days behind" in (wb.out / "index.html").read_text()


def test_nothing_runs_when_a_parameter_is_wrong(tmp_path):
    wb = make(tmp_path, weekly("good"), good=["1"])
    with pytest.raises(UsageError):
        run.run(wb, as_of=DAY, parameters={"wrod": "x"})
    assert not wb.out.exists()


def test_on_a_terminal_a_bar_says_what_runs_and_what_went_wrong(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show = progress.choose(2)
    for report in ("sales", "sdr"):
        progress.begins(show)(report)
    show(reports.Result("sales", "2026-W47", "ok", "green", 3.21))
    show(reports.Result("sdr", "2026-W47", "failed", None, 0.5, error="cell 4: ValueError: no"))
    said = capsys.readouterr().err
    assert "0 of 2 reports" in said
    assert ", sales 0 s" in said
    assert "failed  sdr  2026-W47  0.5 s  cell 4: ValueError: no\n" in said
    assert "ok      sales" not in said


def test_without_a_terminal_each_report_is_one_line(capsys):
    progress.choose(1)(reports.Result("sales", "2026-W47", "ok", "green", 3.21))
    progress.choose(1)(
        reports.Result("sdr", "2026-W47", "failed", None, 0.5, error="cell 4: ValueError: no")
    )
    assert capsys.readouterr().err == (
        "ok      sales  2026-W47  3.2 s\nfailed  sdr  2026-W47  0.5 s  cell 4: ValueError: no\n"
    )


def test_nothing_slow_is_imported_before_a_report_is_due():
    code = "import sys, dataops_nb.cli.reports; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    slow = {"pandas", "duckdb", "nbformat", "papermill", "altair", "nh3", "http.server"}
    assert slow & set(answer.stdout.split()) == set()
