"""Faults, late rows and stale sources, from the command to the page: what stops, what is marked."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
import pytest
from nbformat import v4

from dataops_nb.cli import main
from dataops_nb.reports import journal
from dataops_nb.reports import run as run_

COMPANY = """
company: Acme
timezone: UTC
lights:
  standard:
    green: {at_least: 1.00, means: "On plan.", do: "Keep going."}
    red: {means: "At risk.", do: "Stop."}
sources:
  deals:
    {system: CRM, owner: Sales Ops, path: deals.csv, time: day, columns: {amount: {nulls: 20%}}}
  tickets: {system: Helpdesk, path: tickets.csv, time: day, fresh_within: 2d}
"""
DEPARTMENT = """
department: {name}
defaults: {{source: {source}, lights: standard}}
metrics:
  {metric}: {{label: {name} count, type: simple, measure: {{agg: count}}, targets: [{{value: 3}}]}}
"""
REPORTS = """
weekly:
  reports:
    sales: {notebook: fast.ipynb, parameters: {department: sales}}
    support: {notebook: fast.ipynb, parameters: {department: support}}
"""
CELLS = {
    "parameters": 'as_of: str = ""\ndepartment: str = "sales"\ngrain: str = "week"',
    "executive": """
        from dataops_nb import board, story, workbench
        this = board.read(workbench.open(), department=department, as_of=as_of, grain=grain)
        display(story.headline(this), story.restated(this))""",
    "facts": "story.record(this)",
}
W46 = """day,amount
2026-11-02,1
2026-11-09,1
2026-11-10,1
2026-11-11,1
2026-11-12,1
2026-11-15,1
"""
W47 = W46 + "2026-11-10,1\n2026-11-16,1\n2026-11-22,1\n"
HALF = W47.replace(",1", ",", 4)


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATAOPS_WORKBENCH", "DATAOPS_DATA", "DATAOPS_OUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    root = tmp_path / "acme"
    assert main(["init", str(root), "--quiet"]) == 0
    shutil.rmtree(root / "params")
    write(root, "params/company.yaml", COMPANY)
    write(root, "params/reports.yaml", REPORTS)
    for name, source, metric in (("Sales", "deals", "won"), ("Support", "tickets", "sad")):
        text = DEPARTMENT.format(name=name, source=source, metric=metric)
        write(root, f"params/departments/{name.lower()}.yaml", text)
    write(root, "data/deals.csv", W46)
    write(root, "data/tickets.csv", W47)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(metadata={"kernelspec": kernel})
    for tag, source in CELLS.items():
        notebook.cells.append(v4.new_code_cell(dedent(source).strip(), metadata={"tags": [tag]}))
    nbformat.write(notebook, root / "notebooks" / "fast.ipynb")
    return root


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, "utf-8")


def run(root: Path, *words: str) -> int:
    return main(["-w", str(root), "--quiet", *words])


def rows(capsys: pytest.CaptureFixture[str], root: Path, as_of: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(root, "status", "--as-of", as_of, "--json") == 0
    return {row["metric"]: row for row in json.loads(capsys.readouterr().out)["rows"]}


def page(root: Path, name: str) -> str:
    return (root / "out" / name).read_text("utf-8")


def on_top(html: str) -> list[str]:
    found = re.search(r'<aside class="nb-warnings".*?</aside>', html, re.DOTALL)
    return re.findall(r"<li>(.*?)</li>", found[0]) if found else []


def remembered(root: Path) -> set[tuple[str, str, str, str]]:
    with (root / "out" / "history" / "values.csv").open(encoding="utf-8", newline="") as file:
        return {
            (line["metric"], line["period"], line["as_of"], line["value"])
            for line in csv.DictReader(file)
        }


@pytest.mark.faults  # runs refreshes; `make check` has the time
def test_a_fault_stops_what_depends_on_it_and_late_rows_are_said_once_it_is_mended(
    bench: Path,
) -> None:
    assert run(bench, "refresh", "--report", "sales", "--as-of", "2026-11-15") == 0
    good = page(bench, "sales/2026-W46/index.html")

    write(bench, "data/deals.csv", HALF)
    assert run(bench, "refresh", "--report", "sales", "--as-of", "2026-11-22") == 3
    assert page(bench, "sales/2026-W46/index.html") == good
    assert not (bench / "out" / "sales" / "2026-W47").exists()
    warnings = on_top(page(bench, "index.html"))
    assert len(warnings) == 1
    fault = "deals.csv: source deals, column amount: is empty in 4 of 9 rows, more than nulls: 20%"
    assert fault in warnings[0]
    assert {as_of for _, _, as_of, _ in remembered(bench)} == {"2026-11-15"}

    write(bench, "data/deals.csv", W47)
    assert run(bench, "refresh", "--report", "sales", "--as-of", "2026-11-22") == 0
    html = page(bench, "sales/2026-W47/index.html")
    assert "Sales count, week 46: reported 5, now 6. 1 row arrived late." in html
    assert {
        ("won", "2026-W46", "2026-11-15", "5"),
        ("won", "2026-W46", "2026-11-22", "6"),
    } <= remembered(bench)


@pytest.mark.faults  # runs refreshes; `make check` has the time
def test_a_marked_fault_is_unknown_in_status_and_stands_on_top_of_the_page(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        bench,
        "params/company.yaml",
        COMPANY.replace("time: day, columns", "time: day, on_fault: mark, columns"),
    )
    write(bench, "data/deals.csv", HALF)
    status = rows(capsys, bench, "2026-11-22")
    judgement = [status["won"][name] for name in ("value", "light", "reason")]
    assert judgement == [None, "unknown", "fault"]
    assert status["sad"]["light"] != "unknown"
    assert run(bench, "refresh", "--report", "sales", "--as-of", "2026-11-22") == 0
    assert on_top(page(bench, "sales/2026-W47/index.html")) == [
        "CRM sent bad data, so its numbers are not shown. Owner: Sales Ops. First error: deals.csv: source deals, column amount: "
        "is empty in 4 of 9 rows, more than nulls: 20%",
    ]


@pytest.mark.faults  # runs refreshes; `make check` has the time
def test_a_stale_source_is_unknown_and_the_page_says_since_when(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(bench, "data/tickets.csv", W46)
    status = rows(capsys, bench, "2026-11-22")
    judgement = [status["sad"][name] for name in ("value", "light", "reason")]
    assert judgement == [None, "unknown", "stale"]
    assert run(bench, "refresh", "--report", "support", "--as-of", "2026-11-22") == 0
    assert on_top(page(bench, "support/2026-W47/index.html")) == [
        "Helpdesk data are late: last received 15 Nov, due before 18 Nov.",
    ]


@pytest.mark.faults  # runs refreshes; `make check` has the time
def test_what_a_killed_run_had_published_is_remembered_by_the_next_one(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(journal, "enter", killed)
        with pytest.raises(KeyboardInterrupt):
            run_.run(workbench(bench), reports=["sales"], as_of="2026-11-15")
    assert not (bench / "out" / "history").exists()
    assert journal.recover(bench / "out")
    assert ("won", "2026-W46", "2026-11-15", "5") in remembered(bench)
    assert journal.recover(bench / "out") == []


def workbench(root: Path) -> Any:
    from dataops_nb import workbench

    return workbench.open(root)


def test_what_was_never_published_is_not_remembered(tmp_path: Path) -> None:
    private = tmp_path / "out" / "runs" / "r1" / "sales.weekly"
    row = {
        "metric": "won",
        "grain": "week",
        "period": "2026-W46",
        "value": 5,
        "complete": True,
        "n": 5,
    }
    payload = {"as_of": "2026-11-15", "rows": [row]}
    journal.intend(private, ("sales", "2026-W46"), "r1", payload, {"index.html": b"new"})
    write(tmp_path / "out", "sales/2026-W46/index.html", "old")
    assert journal.recover(tmp_path / "out") == []
    assert not (private / journal.NOTE).exists()
    assert not (tmp_path / "out" / "history").exists()
