"""What one publisher does for a report beside executing it, in CPU seconds: what 10,000 reports an hour would need.

    python benchmarks/publisher.py [REPORTS]

Reports are answered by a ready notebook, so that nothing is executed; everything else is real: plan, claim, checks,
publication, ledger, history, front page, and in a process of their own the pages with their charts. The share of one core
that 10,000 reports an hour take is printed for each part, and what remembering published values costs as the history grows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from nbformat import v4

from dataops_nb import history, workbench
from dataops_nb.reports import execution, ledger, pages, progress, run
from dataops_nb.reports.execution import job as job_
from dataops_nb.reports.execution.job import Job
from dataops_nb.reports.pages import figures

HOUR, RATE = 3600.0, 10_000
DAY = dt.date(2026, 11, 22)
COMPANY = "company: Lumen\nsources:\n  deals: {system: CRM, path: deals.csv, time: day}\n"
SALES = "department: Sales\nmetrics:\n  won: {type: simple, measure: {source: deals, agg: count}}\n"
PARAMETERS = 'as_of: str = ""\ngrain: str = "week"\nnumber: int = 0'


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("reports", nargs="?", type=int, default=100)
    count = asked.parse_args().reports
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        make(root, count)
        execution.run = answer  # type: ignore[assignment]
        wb = workbench.open(root)
        run.run(wb, as_of=DAY, reports=["r0"], progress=progress.silent)  # imports, once
        first = cpu(lambda: run.run(wb, as_of=DAY, progress=progress.silent)) / (count - 1)
        say("publish a report", first)
        say("build its pages, with three charts", drawing(count))
        say(
            "find a report unchanged",
            cpu(lambda: run.run(wb, as_of=DAY, progress=progress.silent)) / count,
        )
        with ledger.opened(root / "claims.sqlite") as book:
            say(
                "claim a report",
                cpu(lambda: [ledger.claim(book, str(n), "r") for n in range(2000)]) / 2000,
            )
    for rows in (1_000, 26_000, 260_000):
        say(f"remember 26 values beside {rows:,}", remembering(rows))


def say(what: str, seconds: float) -> None:
    """One line: milliseconds each, and the share of a core at the rate."""
    print(
        f"{what:<40} {1000 * seconds:9.2f} ms   {seconds * RATE / HOUR:8.1%} of a core at {RATE:,} an hour"
    )


def cpu(work: Callable[[], Any]) -> float:
    """The CPU seconds that something takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def make(root: Path, count: int) -> None:
    """A workbench with so many reports of one notebook."""
    for folder in ("params/departments", "notebooks", "data"):
        (root / folder).mkdir(parents=True)
    (root / "params" / "company.yaml").write_text(COMPANY)
    (root / "params" / "departments" / "sales.yaml").write_text(SALES)
    named = "".join(
        f"    r{n}: {{notebook: one.ipynb, parameters: {{number: {n}}}}}\n" for n in range(count)
    )
    (root / "params" / "reports.yaml").write_text(f"weekly:\n  reports:\n{named}")
    (root / "data" / "deals.csv").write_text("day\n2026-11-20\n")
    cell = v4.new_code_cell(PARAMETERS)
    cell.metadata["tags"] = ["parameters"]
    nbformat.write(v4.new_notebook(cells=[cell]), root / "notebooks" / "one.ipynb")


def answer(
    jobs: Iterable[Job], *, started: Callable[[Job], None], **_: Any
) -> Generator[job_.JobEnd, None, None]:
    """Every job as ended well, with the facts of 26 weeks."""
    for job in jobs:
        started(job)
        number = job.parameters["number"]
        rows = [
            {"metric": "won", "segment": None, "grain": "week", "period": f"2026-W{week}", "value": number + week,
             "complete": True, "n": week} for week in range(22, 48)
        ]  # fmt: skip
        facts = {
            "schema_version": 1, "complete": True, "company": "Lumen", "department": "Sales", "title": "Sales", "owner": None,
            "as_of": DAY.isoformat(), "grain": "week", "period": "2026-W47", "data_to": None, "light": "green", "reason": None,
            "headline": "All is well.", "facts": [], "rows": rows, "sources": [], "warnings": [],
            "used": {"metrics": ["won"], "sources": ["deals"]},
        }  # fmt: skip
        cell = v4.new_code_cell("x")
        cell.outputs = [
            v4.new_output("display_data", {"application/vnd.dataops-nb.facts+json": facts})
        ]
        yield job_.JobEnd(job, "ok", 0.0, notebook=v4.new_notebook(cells=[cell]))


def drawing(count: int) -> float:
    """CPU seconds to build the three pages of a report with three charts of a year of weeks, as the warm renderer does."""
    notebooks = [charted(number) for number in range(count + 1)]
    pages.files(notebooks[0], pages.Meta("r", "0"))  # the first drawing of a process takes a second
    return cpu(lambda: [pages.files(each, pages.Meta("r", "0")) for each in notebooks[1:]]) / count


def charted(number: int) -> nbformat.NotebookNode:
    """An executed notebook with three charts that no other has."""
    values = [{"week": f"2026-W{week:02}", "value": (week * number) % 47} for week in range(1, 53)]
    axes = {
        "x": {"field": "week", "type": "ordinal"},
        "y": {"field": "value", "type": "quantitative"},
    }
    charts = [{"data": {"values": values}, "mark": mark, "encoding": axes, "title": f"{mark} {number}"}
              for mark in ("line", "bar", "area")]  # fmt: skip
    (ended,) = answer([Job(Path("one.ipynb"), {"number": number}, Path())], started=lambda _: None)
    cells = [
        v4.new_code_cell("x", outputs=[v4.new_output("display_data", {figures.MIME: chart})])
        for chart in charts
    ]
    assert ended.notebook is not None  # noqa: S101  it ended well
    ended.notebook.cells[:0] = cells
    return ended.notebook


def remembering(rows: int) -> float:
    """CPU seconds to remember one report's values beside so many that are remembered already."""
    with tempfile.TemporaryDirectory() as place:
        known = pd.DataFrame({
            "metric": [f"m{n}" for n in range(rows)], "segment": None, "grain": "week", "period": "2026-W46", "value": 1.0,
            "complete": True, "n": 1, "definition": "",
        })  # fmt: skip
        now = dt.datetime.now(dt.UTC)
        about = {"report": "r", "run": "x", "published_at": now}
        history.remember(Path(place), known, as_of=DAY, **about)
        fresh = known.head(26).assign(value=2.0)
        return cpu(lambda: history.remember(Path(place), fresh, as_of=DAY, **about))


if __name__ == "__main__":
    main()
