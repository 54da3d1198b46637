"""A whole company of hostile words, refreshed for real: names, files, segments, notes, events, answers; then opened in Chromium."""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from dataops_nb.history.books import NOTES
from dataops_nb.messages.trials import ANSWERS, COLUMNS
from dataops_nb.reports.pages import seals
from tests.browser import hostile

pytestmark = pytest.mark.browser
AS_OF = dt.date(2026, 11, 22)
FILE = "<img src=x onerror=window.hit=1>'&\".csv"
READ = """
from dataops_nb import board, charts, story, tables, workbench

here = workbench.open()
this = board.read(here, department=department, as_of=as_of, grain=grain)
"""
SHOW = """
display(story.headline(this), story.now(this), story.pitch(this), story.action(this), story.notes(this))
display(charts.trend(this, this.lead), charts.compare(this, this.metrics[:3], title=word))
display(story.findings(this), tables.reactions(this), story.lines(this), story.luck(this), story.paced(this, this.metrics))
display(charts.by_segment(this, this.lead, "region"), tables.split(this, this.lead, "region"), tables.scorecard(this))
display(story.moved(this), story.for_departments(this), story.reactions(this), tables.leads(this), tables.lights(this))
display(story.links(this), tables.links(this), tables.understood(this), tables.communications(this), tables.pitch_gate(this))
"""
SOLVE = """
from dataops_nb import board, charts, story, tables, workbench

here = workbench.open()
this = board.read(here, as_of=as_of, grain=grain)
"""
SOLVED = "display(story.headline(this), story.solving(this, count=40), charts.eisenhower(this), tables.solve_next(this))"


def quoted(said: str) -> str:
    """A string as YAML can hold it."""
    return (
        json.dumps(said, ensure_ascii=False)
        .replace("\u0085", "\\N")
        .replace("\u2028", "\\L")
        .replace("\u2029", "\\P")
    )


def write(folder: Path) -> None:
    words = iter(range(10_000))

    def next_(_: object = None) -> str:
        return quoted(hostile.STRINGS[next(words) % 40])

    def light(extra: str) -> str:
        return f"{{{extra} means: {next_()}, do: {next_()}}}"

    for place in ("params/departments", "notebooks", "data"):
        (folder / place).mkdir(parents=True)
    lights = f"{{green: {light('at_least: 1.0,')}, yellow: {light('at_least: 0.85,')}, red: {light('')}}}"
    (folder / "params" / "company.yaml").write_text(
        f"company: {next_()}\ntimezone: UTC\nnorth_star: [m0]\nlights: {{standard: {lights}}}\nsources:\n"
        f"  deals: {{system: {next_()}, owner: {next_()}, path: {quoted(FILE)}, time: day, key: id}}\n"
    )
    target = "targets: [{from: 2020-01-01, per: week, value: 45}], lights: standard"
    metrics = "".join(
        f"  m{n}: {{label: {next_()}, question: {next_()}, unit: {next_()}, type: simple, measure: {{source: deals, agg: count, "
        f"filter: \"size > {n}\"}}, by: [region], {target}, pitch: {{a: 'We closed {{m{n}.value}}.', b: 'It was {{m{n}.value}}.'}}"
        + (f", moves: [{{metric: m0, after: 1w, effect: same, because: {next_()}}}]" if n else "") + "}\n"
        for n in range(20)
    )  # fmt: skip
    (folder / "params" / "departments" / "sales.yaml").write_text(
        f"department: {next_()}\nowner: {next_()}\nmetrics:\n{metrics}"
    )
    each = list(map(quoted, hostile.STRINGS))
    day = (AS_OF - dt.timedelta(days=30)).isoformat()
    others = {
        "events": [f"- {{date: {day}, title: {said}, kind: {said}, metrics: [m0]}}" for said in each],
        "solve_next": [
            f"- {{id: i{n}, title: {said}, metric: m{n % 20}, raised_by: {said}, owner: {said}, effort: 5d, asked: 2}}"
            for n, said in enumerate(each)
        ],
        "glossary": [f"? {said}\n: {said}" for said in each],
        "holidays": [f"- {{date: 2026-01-{1 + n % 28:02}, name: {said}}}" for n, said in enumerate(each[:28])],
        "reports": ["weekly:", "  reports:", f"    sales: {{notebook: sales.ipynb, parameters: {{department: sales, word: {each[3]}}}}}",
                    "    solve: {notebook: solve.ipynb}"],
    }  # fmt: skip
    for name, lines in others.items():
        (folder / "params" / f"{name}.yaml").write_text("\n".join([*lines, ""]))
    with (folder / "data" / FILE).open("w", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(["id", "day", "region", "size"])
        regions = [said for said in hostile.STRINGS if "\0" not in said]
        days = [AS_OF - dt.timedelta(days=n) for n in range(400)]
        table.writerows(
            [f"k{n}-{i}", day, regions[(n * 6 + i) % len(regions)], 30]
            for n, day in enumerate(days)
            for i in range(6)
        )
    notebook(folder / "notebooks" / "sales.ipynb", "department: str\nword: str = ''\n", READ, SHOW)
    notebook(folder / "notebooks" / "solve.ipynb", "", SOLVE, SOLVED)
    note = {"as_of": day, "grain": "week", "period": "2026-W43", "light": "red", "kind": "note"}
    NOTES.add(folder / "out", [note | {"noted_at": f"{day}T00:00:{n:02}", "metric": f"m{n % 20}", "who": said, "text": said}
                               for n, said in enumerate(hostile.STRINGS)])  # fmt: skip
    answer = dict.fromkeys(COLUMNS, "yes") | {
        "trial": "t",
        "metric": "m0",
        "variant": "a",
        "ours": "red",
        "recorded_at": day,
    }
    ANSWERS.add(folder / "out", [answer | {"reader": str(n), **dict.fromkeys(("words", "department", "action"), said)}
                                 for n, said in enumerate(hostile.STRINGS)])  # fmt: skip


def notebook(path: Path, parameters: str, *cells: str) -> None:
    nb = v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        }
    )
    declared = f'{parameters}as_of: str = ""\ngrain: str = "week"'
    tagged = [
        (declared, "parameters"),
        *((cell, "executive") for cell in cells),
        ("story.record(this)", "facts"),
    ]
    nb.cells = [hostile.cell(source.strip(), [], tag) for source, tag in tagged]
    nbformat.write(nb, path)


def test_a_company_of_hostile_words_is_published_and_nothing_of_it_runs(tmp_path, visit):
    write(tmp_path)
    line = [
        sys.executable,
        "-m",
        "dataops_nb",
        "-w",
        str(tmp_path),
        "refresh",
        "--as-of",
        AS_OF.isoformat(),
        "--json",
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout, done.stderr
    assert [(each["state"], each["error"]) for each in json.loads(done.stdout)["reports"]] == [
        ("ok", None)
    ] * 2
    pages = sorted((tmp_path / "out").glob("**/*.html"))
    assert len(pages) == 9
    for path in pages:
        assert seals.page(path.read_text()) == [], path
        tab = visit(path)
        tab.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
        assert tab.evaluate("window.hit") is None, path
        assert [url for url in tab.asked if not url.startswith("data:")] == [path.as_uri()]
        assert [said for said in tab.said if "Content Security" not in said] == []
        assert (
            tab.locator("main").count()
            == tab.locator("h1").count()
            == tab.locator("footer").count()
            == 1
        )
    analyst = (tmp_path / "out" / "sales" / "2026-W47" / "analyst.html").read_text()
    escaped = sum(
        said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in analyst
        for said in hostile.STRINGS
    )
    assert escaped > 8
