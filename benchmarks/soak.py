"""How the forked engine holds out on one Python: `python benchmarks/soak.py [CHILDREN]` (1,000).

Every child executes a small notebook that uses pandas, DuckDB and a thread. The run fails where a child hangs, where one
ends in any way but well, and where Python warns that a process with threads forks.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat import v4

from dataops_nb.reports import environment, execution, processes
from dataops_nb.reports.execution import job

CELLS = (
    'word: str = "?"',
    "import threading, pandas as pd, duckdb\nrows = pd.DataFrame({'x': range(1000)})",
    "duckdb.sql('select sum(x) from rows').fetchall()",
    "worker = threading.Thread(target=sum, args=(range(10_000),)); worker.start(); worker.join()",
    "display({'application/vnd.dataops-nb.facts+json': {'schema_version': 1, 'complete': True, 'company': 'C', 'title': 'T',"
    " 'as_of': '2026-11-22', 'period': '2026-W47', 'light': 'green', 'headline': word, 'facts': []}}, raw=True)",
)
HANGS = 120.0


def main(count: int) -> int:
    """Execute, count, and say what was seen."""
    os.environ["PYTHONWARNINGS"] = "error:This process:DeprecationWarning"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS])
        notebook.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(notebook, Path(place) / "soak.ipynb")
        jobs = [
            job.Job(
                Path(place) / "soak.ipynb",
                {"word": str(i)},
                Path(place) / f"job{i}",
                environment.passed(),
            )
            for i in range(count)
        ]
        ended = list(
            execution.run(
                jobs, at_a_time=os.cpu_count() or 1, timeout=HANGS, started=lambda _: None
            )
        )
    states = [one.state for one in ended]
    right = sum(
        one.notebook is not None and str(one.notebook).count(f"'{one.job.parameters['word']}'") > 0
        for one in ended
    )
    left = [pid for pid, _ in processes.below(os.getpid())]
    said = f"{states.count('ok')} ok, {states.count('timed_out')} hung, {len(left)} left, {time.monotonic() - began:.0f} s"
    print(f"Python {platform.python_version()}: {count} children, {said}")
    for said in sorted({f"  {one.state}: {one.error}" for one in ended if one.state != "ok"}):
        print(said)
    return 0 if states.count("ok") == right == count and not left else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
