"""The packaged notebooks show the same on a fork and on the stock kernel."""

from __future__ import annotations

import re
import sys

import pytest

from dataops_nb import refresh, workbench
from dataops_nb.refresh import execute

pytestmark = [pytest.mark.faults, pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")]
IDS = re.compile(r"0x[0-9a-f]+|T_[0-9a-f]{5}|ipykernel_\d+/\d+|altair-viz-\w+|/job-(forked|kernel)-\d+")


def test_every_packaged_notebook_shows_the_same_on_both_engines(tmp_path):
    workbench.init(tmp_path / "wb")
    wb = workbench.open(tmp_path / "wb", out=tmp_path / "out")
    workbench.ensure_data(wb)
    todo = list({one.notebook: one for one in refresh.planned(wb, as_of="2026-11-22")}.values())
    places = {"DATAOPS_WORKBENCH": str(wb.root), "DATAOPS_DATA": str(wb.data), "DATAOPS_OUT": str(wb.out)}
    shown: dict[str, dict[str, list]] = {}
    for engine in ("forked", "kernel"):
        seen = execute.passed() | places
        jobs = {
            execute.Job(wb.notebooks / one.notebook, one.parameters, tmp_path / f"job-{engine}-{i}", seen): one
            for i, one in enumerate(todo)
        }
        for ended in execute.run(jobs, at_a_time=2, timeout=600, started=lambda _: None, engine=engine):
            assert ended.state == "ok", ended.error
            cells = [(c.source, c.get("execution_count"), c.get("outputs")) for c in ended.notebook.cells]
            shown.setdefault(jobs[ended.job].notebook, {})[engine] = [IDS.sub("ID", repr(cell)) for cell in cells]
    outputs = sum(cell.count("output_type") for both in shown.values() for cell in both["forked"])
    differing = [name for name, both in shown.items() if both["forked"] != both["kernel"]]
    print(f"{len(shown)} notebooks, {outputs} outputs, {len(differing)} notebooks that differ")
    assert differing == []
