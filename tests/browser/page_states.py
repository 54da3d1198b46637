"""A small company in every state that a page must say: one department a state, one of them with a notebook that fails."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import nbformat
from nbformat import v4

AS_OF = dt.date(2026, 11, 22)
COMPANY = """
company: States
timezone: UTC
north_star: [fine]
lights:
  standard:
    green: {at_least: 1.0, means: "On plan.", do: "Keep going."}
    yellow: {at_least: 0.85, means: "Recoverable.", do: "Review.", act_within: 14d}
    red: {means: "At risk.", do: "Re-plan.", act_within: 5d}
sources:
  fine: {system: CRM, path: fine.csv, time: day, key: id}
  other: {system: Billing, path: other.csv, time: day, key: id}
  later: {system: Shop, path: fine.csv, time: day, key: id, covers: {from: 2026-12-01}}
  old: {system: Desk, path: old.csv, time: day, key: id, fresh_within: 2d}
  part: {system: Phone, path: part.csv, time: day, key: id}
  young: {system: App, path: young.csv, time: day, key: id}
  wrong: {system: Sheet, path: wrong.csv, time: day, key: id, on_fault: mark, columns: {size: {type: integer}}}
"""
TARGET = "targets: [{from: 2020-01-01, per: week, value: 7}], lights: standard"
METRICS = {
    "fine": f"fine: {{type: simple, measure: {{source: fine, agg: count}}, {TARGET}}}",
    "no_data": f"late: {{type: simple, measure: {{source: later, agg: count}}, {TARGET}}}",
    "stale": f"calls: {{type: simple, measure: {{source: old, agg: count}}, {TARGET}}}",
    "partial": f"visits: {{type: simple, measure: {{source: part, agg: count}}, {TARGET}}}",
    "no_target": "likes: {type: simple, measure: {source: fine, agg: count}}",
    "short": "tries: {type: simple, measure: {source: young, agg: count}, policy: capability,"
    " targets: [{from: 2020-01-01, per: week, value: 7}], lights: standard}",
    "unreconciled": f"sold: {{type: simple, measure: {{source: fine, agg: sum, expr: size}}, {TARGET},"
    " reconcile: [{with: billed, key: {left: id, right: id}, amount: {left: size, right: size}, tolerance: 2%}]}\n"
    "  billed: {type: simple, measure: {source: other, agg: sum, expr: size}}",
    "fault": f"sizes: {{type: simple, measure: {{source: wrong, agg: count}}, {TARGET}}}",
    "error": f"errors: {{type: simple, measure: {{source: fine, agg: count}}, {TARGET}}}",
}
PARAMETERS = 'department: str\nas_of: str = ""\ngrain: str = "week"'
READ = """
from dataops_nb import board, charts, story, tables, workbench

here = workbench.open()
this = board.read(here, department=department, as_of=as_of, grain=grain)
"""
SHOW = """
display(story.opening(this), story.tiles(this), story.to_do(this), charts.trend(this, this.lead))
display(story.why(this), story.others(this), tables.feeds(this), story.changed(this))
display(tables.moved(this), tables.leads(this), tables.reactions(this), tables.scorecard(this))
"""


def make(folder: Path, command) -> None:
    """Write the company, and publish it: the last good page of the report that fails is a week old."""
    for place in ("params/departments", "notebooks", "data"):
        (folder / place).mkdir(parents=True)
    (folder / "params" / "company.yaml").write_text(dedent(COMPANY).lstrip())
    for name, metrics in METRICS.items():
        words = f"department: {name.replace('_', ' ').capitalize()}\nowner: Head of {name}\nmetrics:\n  {metrics}\n"
        (folder / "params" / "departments" / f"{name}.yaml").write_text(words)
    reports = "".join(
        f"    {name.replace('_', '-')}: {{notebook: {'fails' if name == 'error' else 'any'}.ipynb,"
        f" parameters: {{department: {name}}}}}\n"
        for name in METRICS
    )
    (folder / "params" / "reports.yaml").write_text(
        f"weekly:\n  cadence: week\n  reports:\n{reports}"
    )
    _write_data(folder / "data")
    _write_notebook(folder / "notebooks" / "any.ipynb", READ, SHOW)
    _write_notebook(folder / "notebooks" / "fails.ipynb", READ, SHOW)
    command("-w", folder, "refresh", "--report", "error", "--as-of", AS_OF - dt.timedelta(days=7))
    _write_notebook(
        folder / "notebooks" / "fails.ipynb", READ, 'raise ValueError("the sheet is locked")'
    )
    line = [
        sys.executable,
        "-m",
        "dataops_nb",
        "-w",
        str(folder),
        "--quiet",
        "refresh",
        "--as-of",
        AS_OF.isoformat(),
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stderr


def _write_data(folder: Path) -> None:
    start = AS_OF - dt.timedelta(days=400)
    days = [start + dt.timedelta(days=i) for i in range(401)]
    files = {
        "fine": [(day, 1) for day in days],
        "other": [(day, 2) for day in days],
        "old": [(day, 1) for day in days if day <= AS_OF - dt.timedelta(days=12)],
        "part": [(day, 1) for day in days if day <= AS_OF - dt.timedelta(days=2)],
        "young": [(day, 1) for day in days if day > AS_OF - dt.timedelta(days=35)],
        "wrong": [(day, "many" if day == AS_OF else 1) for day in days],
    }
    for name, rows in files.items():
        lines = [f"k{i},{day},{size}" for i, (day, size) in enumerate(rows)]
        (folder / f"{name}.csv").write_text("\n".join(["id,day,size", *lines, ""]))


def _write_notebook(path: Path, *cells: str) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nb = v4.new_notebook(
        metadata={"kernelspec": kernel}, cells=[v4.new_markdown_cell("# A department")]
    )
    tagged = [
        (PARAMETERS, "parameters"),
        *((cell, "executive") for cell in cells),
        ("story.record(this)", "facts"),
    ]
    for source, tag in tagged:
        cell = v4.new_code_cell(source.strip())
        cell.metadata["tags"] = [tag]
        nb.cells.append(cell)
    nbformat.write(nb, path)
