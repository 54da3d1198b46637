"""Day after day, published one by one, each as of its own; and once more, which executes nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from dataops_nb import workbench
from dataops_nb.reports import ledger, progress
from dataops_nb.reports.run import backfill
from tests.faults.test_figures import few_or_many

FIRST = dt.date(2025, 1, 1)
COMPANY = "company: Lumen\nsources:\n  deals: {system: CRM, path: deals.csv, time: day}\n"
SALES = "department: Sales\nmetrics:\n  won: {type: simple, measure: {source: deals, agg: count}, grains: [day, week]}\n"


@pytest.fixture
def wb(tmp_path):
    from tests.reports.test_refresh import write_notebook

    (tmp_path / "params" / "departments").mkdir(parents=True)
    (tmp_path / "params" / "company.yaml").write_text(COMPANY)
    (tmp_path / "params" / "departments" / "sales.yaml").write_text(SALES)
    (tmp_path / "params" / "reports.yaml").write_text(
        "daily:\n  cadence: day\n  reports:\n    won: {notebook: won.ipynb}\n"
    )
    for folder in ("notebooks", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data" / "deals.csv").write_text("day\n2025-06-01\n")
    write_notebook(tmp_path / "notebooks" / "won.ipynb")
    return tmp_path


def opened(root: Path):
    return workbench.open(root, data=root / "data", out=root / "out")


def pages(root: Path) -> dict[str, str]:
    found = (root / "out" / "won").glob("20*/*")
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
    }


def executed(root: Path) -> int:
    with ledger.opened(root / "out" / "ledger.sqlite") as book:
        return sum(row["state"] == "ok" for row in ledger.rows(book, None))


@pytest.mark.parametrize("days", few_or_many(90, 365))
def test_every_day_twice(wb, capsys, days):
    last = FIRST + dt.timedelta(days=days - 1)
    half = FIRST + dt.timedelta(days=days // 2 - 1)
    backfill(opened(wb), "daily", first=FIRST, last=half, progress=progress.silent)
    once = backfill(opened(wb), "daily", first=FIRST, last=last, progress=progress.silent)
    assert executed(wb) == days
    assert sum(result.state == "skipped" for result in once.reports) == days // 2
    before = pages(wb)
    twice = backfill(opened(wb), "daily", first=FIRST, last=last, progress=progress.silent)
    after = pages(wb)
    same = sum(after[name] == digest for name, digest in before.items())
    with capsys.disabled():
        print(f"\nbackfill of {len(twice.reports)} periods twice: {executed(wb) - days} executions in the second pass,"
              f" {same} of {len(before)} files byte-identical")  # fmt: skip
    assert executed(wb) == days
    assert (len(before), same) == (days * 5, days * 5)
