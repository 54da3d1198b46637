"""A suite of reports the way people run it today, and ours: the same notebook and parameters, in one run, as ratios.

`python benchmarks/refresh.py [--sizes 1,5,20] [--today N] [--notebooks] [--departments N]` prints wall and CPU seconds and
their ratios for

- shell: `papermill`, then `jupyter nbconvert --to html --no-input`, for each report;
- process: papermill and nbconvert in one process, a kernel a report;
- bare: no isolation at all: one process that runs every report in its own shell and builds our pages, with our quick imports;
- cold: `dataops-nb refresh`, from a fresh process on; warm: one more report once the template is there;
- again: `dataops-nb refresh --force`, which executes all of them on tables and drawings that are kept;
- unchanged: `dataops-nb refresh` again.

`--today N` measures the first two ways on N reports and multiplies: each report costs them the same. `--notebooks` takes
the packaged reports instead, whatever number of them there is. `--departments N` takes N departments like the sample's, each
with metrics and a report of its own. The seconds of one report show whether it costs more in a larger suite.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import yaml
from nbformat import v4

from dataops_nb import workbench
from dataops_nb.reports import execution, plan, progress, run

DAY = dt.date(2026, 11, 22)
KINDS = {
    "sdr": "20_sdr.ipynb",
    "sales": "30_sales.ipynb",
    "customer_service": "40_customer_service.ipynb",
    "product": "50_product.ipynb",
}
PARAMS = {
    "company.yaml": "company: Lumen\nsources:\n  events: {system: CRM, path: events.parquet, time: day}\n",
    "departments/sales.yaml": "department: Sales\nmetrics:\n  won: {type: simple, measure: {source: events, agg: count}}\n",
}
CHART = """
picture = alt.Chart(weekly).mark_{mark}().encode(x="week:T", y="{column}:Q").properties(title="{column}", description="d")
display({{"application/vnd.vegalite.v6+json": picture.to_dict(), "text/plain": "{column}"}}, raw=True)
"""
CELLS = (
    "# Sales",
    'as_of: str = ""\ngrain: str = "week"\nregion: int = 0\nfile: str = ""',
    "import altair as alt\nimport pandas as pd",
    "events = pd.read_parquet(file)\nevents = events[events.region == region]",
    "weekly = events.groupby(events.day.dt.to_period('W').dt.start_time.rename('week'))"
    ".agg(won=('amount', 'size'), amount=('amount', 'sum'), mean=('amount', 'mean')).reset_index()",
    CHART.format(mark="line", column="won"),
    CHART.format(mark="bar", column="amount"),
    CHART.format(mark="area", column="mean"),
    "weekly.tail(12).style.format({'amount': '{:,.0f}', 'mean': '{:.2f}'}).set_caption('The last weeks')",
    "display({'application/vnd.dataops-nb.facts+json': {'schema_version': 1, 'complete': True, 'company': 'Lumen',"
    " 'title': 'Sales', 'as_of': as_of, 'period': '2026-W47', 'light': 'green', 'headline': 'On plan.',"
    " 'facts': []}}, raw=True)",
)
TODAY = """
import json, sys
import papermill
from nbconvert import HTMLExporter
for notebook, out, parameters in json.loads(sys.argv[1]):
    papermill.execute_notebook(notebook, out, parameters=parameters, progress_bar=False, cwd=sys.argv[2])
    page, _ = HTMLExporter(exclude_input=True).from_filename(out)
    open(out + ".html", "w").write(page)
"""
BARE = """
import json, sys
import dataops_nb
with dataops_nb.grammars_later():
    from dataops_nb.reports.engine.shell import make_shell
    with make_shell().builtin_trap:
        import papermill
        from dataops_nb.reports import pages as page
for notebook, out, parameters in json.loads(sys.argv[1]):
    done = papermill.execute_notebook(
        notebook, None, parameters=parameters, progress_bar=False, cwd=sys.argv[2], engine_name="dataops-forked"
    )
    for name, content in page.files(done, page.Meta("r", "0", parameters)).items():
        open(f"{out}.{name}", "wb").write(content)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of the processors."""

    wall: float
    cpu: float

    def times(self, count: float) -> Cost:
        """As much, so often."""
        return Cost(self.wall * count, self.cpu * count)


def cost(run: Callable[[], object]) -> Cost:
    """What a call costs, with every process that it starts and waits for."""
    before, began = os.times(), time.perf_counter()
    run()
    after = os.times()
    return Cost(time.perf_counter() - began, sum(after[:4]) - sum(before[:4]))


def write(root: Path, count: int) -> workbench.Workbench:
    """A workbench of `count` reports over one parquet file of 2,000,000 rows, each about its own region."""
    chance, rows = np.random.default_rng(7), 2_000_000
    (root / "params" / "departments").mkdir(parents=True)
    for folder in ("notebooks", "data"):
        (root / folder).mkdir()
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(chance.integers(0, 1056, rows), unit="D")
    events = pd.DataFrame(
        {
            "day": days,
            "region": chance.integers(0, 20, rows),
            "amount": chance.gamma(2.0, 50.0, rows),
        }
    )
    events.to_parquet(root / "data" / "events.parquet")
    said = (
        f"    r{i}: {{notebook: report.ipynb, parameters: {{region: {i}, file: {root}/data/events.parquet}}}}"
        for i in range(count)
    )
    for name, text in (
        PARAMS | {"reports.yaml": "weekly:\n  reports:\n" + "\n".join(said) + "\n"}
    ).items():
        (root / "params" / name).write_text(text)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = [v4.new_markdown_cell(CELLS[0]), *(v4.new_code_cell(cell.strip()) for cell in CELLS[1:])]
    made[1].metadata["tags"] = ["parameters"]
    nbformat.write(
        v4.new_notebook(metadata={"kernelspec": kernel}, cells=made),
        root / "notebooks" / "report.ipynb",
    )
    return workbench.open(root, data=root / "data", out=root / "out")


def packaged(root: Path) -> workbench.Workbench:
    """The packaged workbench, with its sample."""
    workbench.init(root)
    wb = workbench.open(root, out=root / "out")
    workbench.ensure_data(wb)
    return wb


def departments(root: Path, count: int) -> workbench.Workbench:
    """The packaged workbench with so many departments more, and a report of each of these alone."""
    wb = packaged(root)
    said = []
    for number, kind in zip(range(count), itertools.cycle(KINDS)):
        names = add_department(wb, kind, number)
        report = nbformat.read(wb.notebooks / KINDS[kind], as_version=4)
        for cell in report.cells:
            if cell.cell_type == "code":
                for name, own in names.items():
                    cell.source = cell.source.replace(f'"{name}"', f'"{own}"')
        nbformat.write(report, wb.notebooks / f"{kind}_{number}.ipynb")
        said.append(f"    {kind}-{number}: {{notebook: {kind}_{number}.ipynb}}\n")
    text = "weekly:\n  cadence: week\n  reports:\n" + "".join(said)
    (wb.params / "reports.yaml").write_text(text, encoding="utf-8")
    return workbench.open(root, out=root / "out")


def add_department(wb: workbench.Workbench, kind: str, number: int) -> dict[str, str]:
    """Write a department like one of the sample's; return its own names by the sample's."""
    folder = wb.params / "departments"
    known = yaml.safe_load((folder / f"{kind}.yaml").read_text(encoding="utf-8"))
    names = {name: f"{name}_{number}" for name in (kind, *known["metrics"])}
    known["department"] += f" {number}"
    metrics = {}
    for name, metric in known["metrics"].items():
        for field in ("pitch", "reconcile"):
            metric.pop(field, None)
        metric["label"] += f" {number}"
        for field in ("numerator", "denominator", "expr"):
            words = re.split(r"(\w+)", metric.get(field, ""))
            if any(words):
                metric[field] = "".join(names.get(word, word) for word in words)
        metrics[names[name]] = metric
    text = yaml.safe_dump({**known, "metrics": metrics}, sort_keys=False)
    (folder / f"{kind}_{number}.yaml").write_text(text, encoding="utf-8")
    return names


def shell(wb: workbench.Workbench, todo: list[plan.Planned], place: Path) -> None:
    """papermill and nbconvert from the shell, report by report."""
    tools = Path(sys.executable).parent
    for one in todo:
        notebook, out = str(wb.notebooks / one.notebook), str(place / f"{one.report}.ipynb")
        said = [word for name, value in one.parameters.items() for word in ("-p", name, str(value))]
        execute = [
            str(tools / "papermill"),
            notebook,
            out,
            "--cwd",
            str(wb.notebooks),
            "--no-progress-bar",
            *said,
        ]
        convert = [str(tools / "jupyter"), "nbconvert", "--to", "html", "--no-input", out]
        for command in (execute, convert):
            called(command)


def script(code: str, wb: workbench.Workbench, todo: list[plan.Planned], place: Path) -> None:
    """One process for all of them."""
    import json  # noqa: PLC0415  only here

    jobs = json.dumps(
        [
            [str(wb.notebooks / o.notebook), str(place / f"{o.report}.ipynb"), o.parameters]
            for o in todo
        ]
    )
    environment = os.environ | {"DATAOPS_NB_REFRESH": "1"}
    called([sys.executable, "-c", code, jobs, str(wb.notebooks)], env=environment)


def called(words: list[str], **options: Any) -> None:
    """Run a program to its good end; what it said where there is none."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(words)[:200]} ended with {done.returncode}:\n{done.stderr[-3000:]}"
        )


def ours(wb: workbench.Workbench, *options: str) -> None:
    """The command."""
    run = [
        sys.executable,
        "-m",
        "dataops_nb",
        "-w",
        str(wb.root),
        "--data",
        str(wb.data),
        "--out",
        str(wb.out),
    ]
    called([*run, "refresh", "--as-of", DAY.isoformat(), *options])


def warm(wb: workbench.Workbench, report: str) -> Cost:
    """One more report where the template is there."""
    asked = {"reports": [report], "as_of": DAY, "force": True, "progress": progress.silent}
    with execution.kept() as kept:
        asked["warm"] = kept
        for _ in range(2):
            run.run(wb, **asked)
        return cost(lambda: run.run(wb, **asked))


def measure(wb: workbench.Workbench, few: int, place: Path) -> dict[str, Cost]:
    """Every way, for all reports of a workbench; the two of today for a few, multiplied."""
    todo = run.planned(wb, as_of=DAY)
    few = min(few, len(todo)) or len(todo)
    found = {"shell": cost(lambda: shell(wb, todo[:few], place)).times(len(todo) / few)}
    found["process"] = cost(lambda: script(TODAY, wb, todo[:few], place)).times(len(todo) / few)
    shutil.rmtree(wb.out, ignore_errors=True)
    found["bare"] = cost(lambda: script(BARE, wb, todo, place))
    shutil.rmtree(wb.out, ignore_errors=True)
    found["cold"] = cost(lambda: ours(wb))
    found["again"] = cost(lambda: ours(wb, "--force"))
    found["unchanged"] = cost(lambda: ours(wb))
    if len(todo) == 1:
        found["warm"] = warm(wb, todo[0].report)
    return found


def show(count: int, found: dict[str, Cost]) -> None:
    """The seconds, and how many times faster than today each way is."""
    today = found["shell"]
    for way, this in found.items():
        ratio = f"{today.wall / this.wall:7.1f} x shell"
        processors = f"CPU {this.cpu / found['bare'].cpu:5.2f} x bare" if way != "bare" else ""
        print(
            f"{count:3} reports  {way:10} {this.wall:8.2f} s  CPU {this.cpu:8.2f} s"
            f"  of one {this.wall / count:6.2f} s  CPU {this.cpu / count:6.2f} s {ratio}  {processors}",
            flush=True,
        )
    print(
        f"{count:3} reports  unchanged / cold = {found['unchanged'].wall / found['cold'].wall:.3f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1,5,20")
    parser.add_argument(
        "--today", type=int, default=0, help="reports that the ways of today are measured on (all)"
    )
    parser.add_argument("--notebooks", action="store_true", help="the packaged reports")
    parser.add_argument("--departments", type=int, default=0, help="so many like the sample's")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        packaged_ones = said.notebooks or said.departments
        for count in [0] if packaged_ones else map(int, said.sizes.split(",")):
            root = Path(temporary) / str(count)
            if said.departments:
                wb = departments(root, said.departments)
            else:
                wb = write(root, count) if count else packaged(root)
            place = root / "today"
            place.mkdir()
            show(count or len(run.planned(wb, as_of=DAY)), measure(wb, said.today, place))


if __name__ == "__main__":
    main()
