"""Collect what one side says: its pages, its verbs, its boards. Runs in that side's own Python path.

`python collect.py RESULTS PART [--olist DIR] [--quick]` works in RESULTS/PART and leaves there
`verbs.json`, `boards.json` and folders of published pages, with clocks, run ids and folders of
this machine replaced. Only the command, `workbench.open` and `board.read` of the package are used,
because everything else may have another name on the other side.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from goldens import broken

DAY = "2026-11-22"
OLIST_DAY = "2018-08-31"
FORMATS = "html,eml,slack,ipynb"
PRIVATE = {"runs", "cache", "ledger.sqlite"}
TEXTS = {".html", ".json", ".csv", ".eml", ".ipynb", ".txt", ".md", ".yaml", ".css", ".js"}
NOTEBOOK = (
    'department: str = ""\nas_of: str = ""\ngrain: str = "month"',
    "import inspect\n\nfrom dataops_nb import board, charts, story, tables, workbench\n\n"
    "this = board.read(workbench.open(), department=department, as_of=as_of, grain=grain)\n"
    "flags = {'findings': True, 'links': True}\n"
    "flags = flags if 'findings' in inspect.signature(story.record).parameters else {}",
    "display(story.headline(this, moved=False), story.now(this), story.pitch(this),"
    " story.action(this))\n"
    "display(charts.trend(this, this.lead), tables.feeds(this), tables.moved(this))",
    "display(story.findings(this), story.changed(this), story.lines(this), story.luck(this))\n"
    "display(story.paced(this, this.metrics), story.movement(this), story.links(this))",
    "display(tables.scorecard(this), tables.six_twelve(this, this.lead), tables.lights(this))\n"
    "display(story.moved(this), story.restated(this, this.metrics), tables.provenance(this))",
    "story.record(this, **flags)",
)
FAILING = 'as_of: str = ""\ngrain: str = "week"', 'raise ValueError("no such luck")'


class Bench:
    """A workbench on which commands are run one after the other; what they say is kept."""

    def __init__(self, results: Path, *, data: Path | None = None) -> None:
        self.results = results
        self.root = results / "bench"
        self.out = self.root / "out"
        self.said: list[dict[str, Any]] = []
        self.options = ["-w", str(self.root)]
        if data:
            self.options += ["--data", str(data)]
        self.hidden = [(str(data), "<data>")] if data else []

    def run(self, *words: str, fresh: bool = False) -> dict[str, Any]:
        """Run a command: in a fork of this process, or in a process that starts anew."""
        line = [*self.options, *words]
        # run from here: relative paths of pages and errors read the same on every machine
        began = time.perf_counter()
        code, stdout, stderr = (_started if fresh else _forked)(line, self.root)
        took = time.perf_counter() - began
        print(f"{took:6.1f} s  {' '.join(words)[:100]}", flush=True)
        said = {"name": " ".join(words), "code": code}
        if words and words[0] in _TIMED:
            stdout = re.sub(r"(?m) +\d+\.\d(?=  |$)", " <n>", stdout)
        said |= {"stdout": self.clean(stdout), "stderr": self.clean(stderr)}
        said["name"] = self.clean(said["name"])
        self.said.append(said)
        return said

    def both(self, *words: str) -> None:
        """Run a command for people, then for a program."""
        self.run(*words)
        self.run(*words, "--json")

    def clean(self, text: str) -> str:
        """A text without clocks, run ids and folders of this machine."""
        for hidden, shown in [*self.hidden, (str(self.root), "<bench>"), *_FOLDERS]:
            text = text.replace(hidden, shown)
        for pattern, shown in _CLOCKS:
            text = pattern.sub(shown, text)
        return text

    def keep(self, name: str) -> None:
        """Keep what is published now as folder `name`."""
        kept = self.results / name
        shutil.rmtree(kept, ignore_errors=True)
        for path in sorted(self.out.rglob("*")):
            place = path.relative_to(self.out)
            if place.parts[0] in PRIVATE or not path.is_file():
                continue
            (kept / place).parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            if path.suffix in TEXTS:
                content = self.clean(content.decode("utf-8")).encode()
            elif path.suffix == ".zip":
                content = _names(path).encode()
            (kept / place).write_bytes(content)

    def save(self) -> None:
        """Write down what was said."""
        path = self.results / "verbs.json"
        path.write_text(json.dumps(self.said, indent=1), encoding="utf-8")


def main() -> None:
    """Collect one part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("part", choices=["sample", "olist", "broken"])
    parser.add_argument("--olist", type=Path)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    folder = asked.results / asked.part
    folder.mkdir(parents=True, exist_ok=True)
    _preload()
    if asked.part == "sample":
        sample(folder, quick=asked.quick)
    elif asked.part == "olist":
        olist(folder, asked.olist, quick=asked.quick)
    else:
        breakages(folder)
    shutil.rmtree(folder / "bench", ignore_errors=True)


def sample(folder: Path, *, quick: bool) -> None:
    """The packaged workbench with the sample that never changes."""
    bench = Bench(folder)
    done = _started(["init", str(bench.root)], folder)
    _expect(done)
    _write_sample(bench.root / "data")
    data = {path.name: path.read_bytes().hex() for path in (bench.root / "data").iterdir()}
    digests = {name: _digest(text) for name, text in sorted(data.items())}
    (folder / "data.json").write_text(json.dumps(digests, indent=1))
    for words in (["check"], ["plan"], ["plan", "weekly"], ["runs"], ["metric", "list"]):
        bench.both(*words)
    refreshed(bench, DAY, quick=quick)
    metrics = [
        row["id"] for row in json.loads(bench.run("metric", "list", "--json")["stdout"])["metrics"]
    ]
    day = ["--as-of", DAY]
    for grain in ("day", "week", "month", "quarter", "year"):
        bench.both("status", "--grain", grain, *day)
    for grain in ("week", "month"):
        bench.both("links", "--grain", grain, *day)
    for words in (
        ["--open"],
        ["--sort", "attainment"],
        ["--sort", "sigma"],
        ["--sort", "north_star"],
    ):
        bench.both("status", *words, *day)
    bench.both("status", "--as-of", "2026-11-18")
    bench.both("metric", "tree")
    bench.both("metric", "show", "closed_won")
    bench.both("metric", "explain", "closed_won", *day)
    bench.both("metric", "values", "closed_won", "--by", "region", *day)
    for name in metrics[::5] if quick else metrics:
        bench.run("metric", "show", name)
        bench.run("metric", "explain", name, *day)
        bench.run("metric", "values", name, "--grain", "month", "--json", *day)
    bench.both("ask", "closed deals", *day)
    for name in ("closed_won", "revenue", "new_customers", "churn_rate"):
        bench.run("ask", name, *day)
    bench.both("reconcile", *day)
    bench.both("reconcile", "closed_won", "--rows", *day)
    bench.both("solve", *day)
    for form in ("cron", "systemd", "github", "airflow", "jupyter-scheduler"):
        bench.both("schedule", "weekly", "--format", form)
    bench.both("doctor")
    mistaken(bench)
    changing(bench, quick=quick)
    bench.save()
    boards(bench, DAY)


def refreshed(bench: Bench, day: str, *, quick: bool) -> None:
    """Publish all reports, and publish them once more: the pages must be the same."""
    options = ["refresh", "--jobs", "1", "--to", FORMATS, "--as-of", day]
    bench.run(*options, fresh=True)
    bench.keep("pages")
    bench.run(*options, "--json", fresh=True)  # nothing has changed since
    bench.both("plan", "--as-of", day)
    bench.both("runs")
    if not quick:
        bench.run(*options, "--force", fresh=True)
        bench.keep("again")
    pages = sorted(path for path in bench.out.glob("*/*/*.html"))
    bench.both("verify", *map(str, pages))


def mistaken(bench: Bench) -> None:
    """Commands that are refused."""
    for words in (  # refused before anything is read, most of them
        ["metric", "show", "closd_won"], ["metric", "values", "revenu"], ["status", "--grain", "weak"],
        ["status", "--as-of", "yesterday"], ["refresh", "weakly"], ["refresh", "--report", "sale"],
        ["refresh", "-p", "grian=week"], ["refresh", "--to", "docx"], ["ask", "nothing of this name"],
        ["ask", "customers"], ["note", "closd_won", "x"], ["reconcile", "sad"], ["statsu"],
        ["backfill", "weekly", "--from", "2026-11-01"], ["prune", "--keep", "0"], ["verify", "no.html"],
        ["message", "result", "closed_won"], ["message", "form", "revenue"], ["metric", "values",
        "closed_won", "--by", "regoin"], ["refresh", "--whatif", "none"], ["new", "department", "sales"],
        ["schedule", "weakly", "--format", "cron"], ["schedule", "weekly", "--format", "corn"],
    ):  # fmt: skip
        bench.run(*words)
    helped = ["--help"], ["--version"], ["metric"], ["metric", "values", "--help"]
    for words in ([], *helped):
        bench.run(*words)


def changing(bench: Bench, *, quick: bool) -> None:
    """Commands that write something, at the end."""
    day = ["--as-of", DAY]
    bench.both("note", "closed_won", "We call every open deal this week.", "--who", "Ada", *day)
    bench.both("note", "sad", "Sad customers came to 1 in week 47; all is green.", *day)
    bench.both("note", "revenue", "The target of {revenue.target} is out of reach.", *day)
    bench.both("message", "form", "closed_won", "--readers", "3", *day)
    bench.both("message", "result", "closed_won")
    page = next(iter(sorted(bench.out.glob("sales/*/index.html"))), None)
    if page:
        changed = bench.root / "changed.html"
        changed.write_text(page.read_text().replace("12", "13"), encoding="utf-8")
        bench.both("verify", str(changed))
        changed.write_text(page.read_text().replace("below", "above"), encoding="utf-8")
        bench.both("verify", str(changed))
    if quick:
        return
    span = ["--from", "2026-11-09", "--to", "2026-11-15"]
    bench.run("backfill", "weekly", *span, "--report", "sales", "--jobs", "1", fresh=True)
    bench.run(
        "refresh",
        "--report",
        "sales",
        "--report",
        "sdr",
        "--jobs",
        "1",
        "--fail-on",
        "yellow",
        *day,
        fresh=True,
    )
    bench.run("new", "department", "Warehouse")
    bench.both("check")
    bench.both("zip")
    bench.keep("written")
    bench.both("prune", "--keep", "1")
    bench.both("runs", "--limit", "3")


def olist(folder: Path, data: Path, *, quick: bool) -> None:
    """The real company of examples/, a report for each department, by month."""
    bench = Bench(folder, data=data)
    shutil.copytree(Path("examples/olist"), bench.root)
    _notebook(bench.root / "notebooks" / "olist.ipynb", NOTEBOOK)
    (bench.root / "params" / "reports.yaml").write_text(
        "monthly:\n  cadence: month\n  reports:\n"
        "    shop: {notebook: olist.ipynb, each: department, parameters: {grain: month}}\n"
        "    all: {notebook: olist.ipynb, parameters: {grain: month}}\n"
    )
    bench.both("check")
    bench.both("metric", "list")
    metrics = [row["id"] for row in json.loads(bench.said[-1]["stdout"])["metrics"]]
    day = ["--as-of", OLIST_DAY]
    for grain in ("week", "month", "quarter"):
        bench.both("status", "--grain", grain, *day)
        bench.both("links", "--grain", grain, *day)
    for name in metrics:
        bench.run("metric", "values", name, "--grain", "month", "--json", *day)
        bench.run("metric", "explain", name, *day)
    bench.both("ask", metrics[0], *day)
    bench.both("solve", *day)
    refreshed(bench, OLIST_DAY, quick=quick)
    bench.save()
    boards(bench, OLIST_DAY)


def breakages(folder: Path) -> None:
    """What `check` says of every broken shop; what a failing report and a sound one leave behind."""
    everything: list[dict[str, Any]] = []
    for case in broken.CASES:
        bench = Bench(folder)
        shutil.rmtree(bench.root, ignore_errors=True)
        broken.write(bench.root, case)
        _notebook(
            bench.root / "notebooks" / "shop.ipynb",
            (NOTEBOOK[0].replace("month", "week"), *NOTEBOOK[1:]),
        )
        _notebook(bench.root / "notebooks" / "failing.ipynb", FAILING)
        bench.run("check")
        if case.name in {"sound", "everything at once", "text in a number", "circle"}:
            bench.run("check", "--json")
            bench.both("status", "--as-of", "2026-11-15")
        if case.name == "sound":
            published(bench)
        for said in bench.said:
            everything.append(said | {"name": f"{case.name}: {said['name']}"})
    (folder / "verbs.json").write_text(json.dumps(everything, indent=1), encoding="utf-8")


def published(bench: Bench) -> None:
    """The sound shop's report, then one that fails, then one whose light is asked about."""
    day = ["--as-of", "2026-11-15", "--jobs", "1"]
    bench.run("refresh", *day, "--to", FORMATS, fresh=True)
    reports = bench.root / "params" / "reports.yaml"
    reports.write_text(broken.REPORTS + "    failing: {notebook: failing.ipynb}\n")
    bench.run("refresh", *day, "--json", fresh=True)
    bench.run("refresh", *day, "--report", "shop", "--force", "--fail-on", "red", fresh=True)
    bench.both("runs")
    bench.both("plan", "--as-of", "2026-11-15")
    bench.keep("pages")


def boards(bench: Bench, day: str) -> None:
    """The metric tables as columns of texts that lose nothing."""
    from dataops_nb import board, workbench  # noqa: PLC0415  this side's

    data = bench.options[3] if len(bench.options) > 2 else None
    here = workbench.open(bench.root, data=data)
    tables: dict[str, Any] = {}
    for grain in ("week", "month", "quarter"):
        try:
            table = board.read(here, as_of=day, grain=grain).table
            tables[grain] = {str(name): [_exact(v) for v in table[name]] for name in table.columns}
        except Exception:
            tables[grain] = {"error": [traceback.format_exc(limit=-2)]}
    (bench.results / "boards.json").write_text(json.dumps(tables), encoding="utf-8")


def _exact(value: Any) -> str:
    if isinstance(value, float):
        return value.hex()
    return "missing" if value is None or str(value) in {"NaT", "<NA>"} else str(value)


def _preload() -> None:
    """Import once what every command would import; forks then start at once."""
    for name in ("pandas", "duckdb", "sqlglot", "pyarrow", "pydantic", "dataops_nb.cli"):
        __import__(name)


def _forked(line: list[str], folder: Path) -> tuple[int, str, str]:
    from dataops_nb import cli  # noqa: PLC0415  this side's

    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            os.chdir(folder)
            os._exit(_called(cli.main, line))
        _, status = os.waitpid(child, 0)
        texts = []
        for stream in (stdout, stderr):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


def _called(command: Any, line: list[str]) -> int:
    sys.argv = ["dataops-nb", *line]
    code = 99
    with contextlib.suppress(BaseException):
        try:
            code = int(command(line) or 0)
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    return code


def _started(line: list[str], folder: Path) -> tuple[int, str, str]:
    words = [sys.executable, "-m", "dataops_nb", *line]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def _expect(done: tuple[int, str, str]) -> None:
    if done[0]:
        sys.exit(f"the workbench was not made: {done[2]}")


def _write_sample(folder: Path) -> None:
    try:
        from dataops_nb.workbench import sample as made  # noqa: PLC0415  where it lies later
    except ImportError:
        from dataops_nb import sample as made  # type: ignore[no-redef]  # noqa: PLC0415
    if not hasattr(made, "write"):
        from dataops_nb import sample as made  # type: ignore[no-redef]  # noqa: PLC0415
    made.write(folder, seed=20, end=date.fromisoformat(DAY), weeks=130)


def _notebook(path: Path, cells: tuple[str, ...]) -> None:
    made = [
        {
            "cell_type": "markdown",
            "id": "title",
            "metadata": {},
            "source": "# A report\n\nHow do we do?",
        }
    ]
    for number, text in enumerate(cells):
        cell = {"cell_type": "code", "execution_count": None, "id": f"cell{number}", "outputs": []}
        cell |= {"metadata": {} if number else {"tags": ["parameters"]}, "source": text}
        made.append(cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole), encoding="utf-8")


def _names(path: Path) -> str:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(path) as packed:
        return "\n".join(sorted(packed.namelist()))


def _digest(text: str) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(text.encode()).hexdigest()


def _clocks() -> Iterator[tuple[re.Pattern[str], str]]:
    now = datetime.now(UTC)
    days = sorted({(now + timedelta(days=off)).date() for off in (-1, 0, 1)})
    written = "|".join(day.isoformat() for day in days)
    compact = "|".join(day.strftime("%Y%m%d") for day in days)
    yield re.compile(rf"({compact})T\d{{6}}-[0-9a-f]{{6}}"), "<run>"
    yield re.compile(rf"({written})[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "<when>"
    yield re.compile(rf"\b({written})\b"), "<today>"
    yield re.compile(r"Last refresh: [^<]*?\)"), "Last refresh: <when>"
    yield re.compile(r'("(?:seconds|peak|memory|cpu)": )[\d.]+'), r"\1<n>"
    yield (
        re.compile(r"(?m)(  \d{4}-\S+)  \d+\.\d s(?=$|  )"),
        r"\1  <n> s",
    )  # the progress of a refresh


_TIMED = {"refresh", "backfill", "runs"}  # their tables tell seconds
_CLOCKS = list(_clocks())
_FOLDERS = [
    (str(Path.cwd()), "<side>"),
    (sys.prefix, "<python>"),
    (tempfile.gettempdir(), "<temporary>"),
]

if __name__ == "__main__":
    main()
