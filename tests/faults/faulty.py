"""A workbench of tiny reports, one of which goes wrong; and what must hold whatever goes wrong."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import nbformat
import pytest
from nbformat import v4

from dataops_nb import reports as reports_
from dataops_nb import workbench
from dataops_nb.reports import execution, ledger, processes, progress, run
from dataops_nb.reports.resources import Warm

DAY = dt.date(2026, 11, 22)
COMPANY = "company: Lumen\nsources:\n  deals: {system: CRM, path: deals.csv, time: day}\n"
SALES = "department: Sales\nmetrics:\n  won: {type: simple, measure: {source: deals, agg: count}}\n"
PARAMETERS = 'as_of: str = ""\ngrain: str = "week"'
FACTS = """
display({"application/vnd.dataops-nb.facts+json": {
    "schema_version": 1, "complete": True, "company": "Lumen", "department": "Sales", "title": "Sales", "owner": None,
    "as_of": as_of, "grain": grain, "period": "2026-W47", "data_to": as_of, "light": "green", "reason": None,
    "headline": "All is well.", "facts": [], "rows": [{"metric": "won", "value": 3}], "sources": [], "warnings": [],
}}, raw=True)
"""


def write_notebook(path: Path, *cells: str, ends: bool = True, kernel: str = "python3") -> None:
    """A report of a title, its parameters, the cells (the first is cell 3), and its facts."""
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    nb = v4.new_notebook(metadata={"kernelspec": spec}, cells=[v4.new_markdown_cell("# Sales")])
    facts = [(FACTS, ["facts"])] * ends
    for source, tags in [
        (PARAMETERS, ["parameters"]),
        *((cell, ["analyst"]) for cell in cells),
        *facts,
    ]:
        cell = v4.new_code_cell(dedent(source).strip())
        cell.metadata["tags"] = tags
        nb.cells.append(cell)
    nbformat.write(nb, path)


def make(root: Path, *names: str, cells: tuple[str, ...] = ()) -> workbench.Workbench:
    """A workbench with one report a name, all of the same cells."""
    reports = "weekly:\n  reports:\n" + "".join(
        f"    {name}: {{notebook: {name}.ipynb}}\n" for name in names
    )
    for name, text in {
        "company.yaml": COMPANY,
        "departments/sales.yaml": SALES,
        "reports.yaml": reports,
    }.items():
        (root / "params" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "params" / name).write_text(text)
    for folder in ("notebooks", "data"):
        (root / folder).mkdir()
    (root / "data" / "deals.csv").write_text("day\n2026-11-20\n")
    for name in names:
        write_notebook(root / "notebooks" / f"{name}.ipynb", *cells)
    return workbench.open(root, data=root / "data", out=root / "out")


KEPT: list[Warm] = []


def again(wb: workbench.Workbench, *reports: str, **options) -> reports_.RefreshResult:
    """Run reports whether or not they have changed, on what the fixture `warm` keeps."""
    options.setdefault("warm", KEPT[-1] if KEPT else None)
    return run.run(wb, reports=reports, as_of=DAY, force=True, progress=progress.silent, **options)


def files(folder: Path) -> dict[str, bytes]:
    """What stands in a published folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows(wb: workbench.Workbench) -> list[dict]:
    """The ledger, the newest row first."""
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        return ledger.rows(book, 100_000)


def alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has asked about yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def wait_for(reached, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def warm():
    """One template and one renderer for all tests of a file, as in one long refresh."""
    with execution.kept() as kept:
        KEPT.append(kept)
        yield kept
        KEPT.remove(kept)


@pytest.fixture(scope="module")
def spoil(warm, tmp_path_factory):
    """Publish a good report, then let it go wrong beside another one; hold what must hold, and give what happened."""
    root = tmp_path_factory.mktemp("wb")
    names = [f"r{i}" for i in range(40)]
    wb = make(root, "good", *names)
    left = iter(names)

    def spoiled(*cells: str, code: int, state: str, **options) -> SimpleNamespace:
        name = next(left)
        assert again(wb, name).exit_code == 0
        before = files(wb.out / name / "2026-W47")
        write_notebook(wb.notebooks / f"{name}.ipynb", *cells, ends=options.pop("ends", True))
        family = {pid for pid, _ in processes.below(os.getpid())}
        outcome = again(wb, name, "good", jobs=2, **options)
        found = {result.report: result for result in outcome.reports}
        bad = found[name]
        assert (bad.state, bad.code, outcome.exit_code) == (state, code, code), bad.error
        assert bad.error
        assert "\n" not in bad.error
        assert found["good"].state == "ok"
        assert files(wb.out / name / "2026-W47") == before, (
            "the last good report is not what it was"
        )
        newest = next(row for row in rows(wb) if row["report"] == name)
        assert (newest["state"], newest["error"]) == (state, bad.error)
        wait_for(
            lambda: {pid for pid, _ in processes.below(os.getpid()) if alive(pid)} <= family, 10
        )
        assert not list((wb.out / "runs").glob("*/*/k-*"))
        private = wb.out / "runs" / outcome.run / f"{name}.weekly"
        print(f"{bad.state} ({bad.code}): {bad.error}")
        return SimpleNamespace(
            error=bad.error, private=private, seconds=bad.seconds, wb=wb, name=name
        )

    return spoiled
