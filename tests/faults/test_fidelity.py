"""The packaged notebooks show the same on a fork and on the stock kernel: every output of every one of them."""

from __future__ import annotations

import re
import sys

import nbformat
import pytest

from dataops_nb import workbench
from dataops_nb.reports import environment, execution, parameters, run
from dataops_nb.reports.execution import job

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely"),
]
IDS = re.compile(
    r"0x[0-9a-f]+|T_[0-9a-f]{5}|ipykernel_\d+/\d+|altair-viz-\w+|/job-(forked|kernel)-\w+"
    r"|systems?, \d+\.\d+ s"  # how long a metric took to compute, which is shown where metrics are admitted
)
DAY = "2026-11-22"


def every_notebook(wb) -> dict[str, dict]:
    """Each notebook with its parameters: those that a refresh gives it, or its own as of the day."""
    found = {one.notebook: dict(one.parameters) for one in run.planned(wb, as_of=DAY)}
    for path in sorted(wb.notebooks.glob("*.ipynb")):
        own = {"as_of": DAY} if "as_of" in parameters.declared(parameters.read(path)) else {}
        found.setdefault(path.name, own)
    return found


def test_every_packaged_notebook_shows_the_same_on_both_engines(tmp_path, capsys):
    workbench.init(tmp_path / "wb")
    wb = workbench.open(tmp_path / "wb", out=tmp_path / "out")
    workbench.ensure_data(wb)
    todo = every_notebook(wb)
    seen = environment.passed() | {
        "DATAOPS_WORKBENCH": str(wb.root),
        "DATAOPS_DATA": str(wb.data),
        "DATAOPS_OUT": str(wb.out),
    }
    shown: dict[str, dict[str, list]] = {}
    for engine in ("forked", "kernel"):
        jobs = [
            job.Job(wb.notebooks / name, given, tmp_path / f"job-{engine}-{name[:2]}", seen)
            for name, given in todo.items()
        ]
        for ended in execution.run(
            jobs, at_a_time=2, timeout=600, started=lambda _: None, engine=engine
        ):
            assert ended.error in {
                None,
                "the notebook stopped before its last cell, story.record(this)",
            }
            cells = nbformat.read(ended.job.executed, as_version=4).cells
            said = [(c.source, c.get("execution_count"), c.get("outputs")) for c in cells]
            shown.setdefault(ended.job.notebook.name, {})[engine] = [
                IDS.sub("ID", repr(cell)) for cell in said
            ]
    outputs = sum(cell.count("output_type") for both in shown.values() for cell in both["forked"])
    differing = [
        (name, ours, theirs)
        for name, both in shown.items()
        for ours, theirs in zip(both["forked"], both["kernel"], strict=True)
        if ours != theirs
    ]
    with capsys.disabled():
        print(
            f"\n{len(shown)} notebooks, {outputs} outputs on both engines, {len(differing)} cells that differ"
        )
    assert differing == []
    assert set(shown) == {path.name for path in wb.notebooks.glob("*.ipynb")}
