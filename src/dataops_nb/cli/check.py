"""Run `dataops-nb check` and `dataops-nb doctor`.

`check` lists every mistake in the definitions and every fault in the data; mistakes do not wait for
pandas and DuckDB. `doctor` checks that this machine can refresh and that this is a workbench.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import platform
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dataops_nb import cli, workbench
from dataops_nb import definitions as company_files
from dataops_nb.cli import suites
from dataops_nb.definitions import passwords, rates
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DataError, DataopsError, DefinitionsError, Fault, Mistake, UsageError
from dataops_nb.reports.delivery import paper
from dataops_nb.workbench import Workbench

if TYPE_CHECKING:
    from dataops_nb.board.admission import Crowd
    from dataops_nb.sources.catalog import Catalog
    from dataops_nb.sources.evidence import Notice


OLDEST_PYTHON = (3, 11)
PACKAGES = ("jupyterlab", "ipywidgets", "pandas", "altair", "papermill", "duckdb")
CHART = {
    "data": {"values": [{"x": 1}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}},
}
# What a notebook calls where the record needs a flag.
FLAG_USES = {
    "findings": {"story.findings"},
    "links": {"story.links", "story.mind", "tables.links"},
    "solve": {
        "charts.eisenhower",
        "story.first",
        "story.solving",
        "tables.shortlist",
        "tables.solve_next",
    },
}


@dataclass(frozen=True)
class DataCheck:
    """What the data have shown: faults, notices, faulty pitches, and the number of metrics."""

    faults: Sequence[Fault]
    notices: Sequence[Mistake | Notice | Crowd]
    pitches: Sequence[Mistake]
    metrics: int


@dataclass(frozen=True)
class Findings:
    """Mistakes in the files, faults in the data, and notices that need no change."""

    mistakes: Sequence[Mistake]
    faults: Sequence[Fault]
    notices: Sequence[Mistake | Notice | Crowd]

    @property
    def exit_code(self) -> int:
        """Return 2 for mistakes, 3 for faults, 2 for both, else 0."""
        if self.mistakes:
            return DefinitionsError.exit_code
        if self.faults:
            return DataError.exit_code
        return 0

    @property
    def summary(self) -> str:
        """Count both: `2 errors in the definitions, 1 error in the data`."""
        counts = []
        if self.mistakes:
            counts.append(f"{_count(len(self.mistakes), 'error')} in the definitions")
        if self.faults:
            counts.append(f"{_count(len(self.faults), 'error')} in the data")
        return ", ".join(counts)


def run_check(args: Namespace) -> int:
    """Print all findings on stdout and their number on stderr."""
    bench = cli.find(args)
    readable, mistakes = company_files.survey(bench.params, notebooks=bench.notebooks)
    if not mistakes:
        mistakes = list(suites.mistakes(bench.params, bench.notebooks, readable))
    data = DataCheck([], [], [], len(readable.metrics))
    if bench.data.is_dir() or not mistakes:
        data = check_data(bench, readable, sound=not mistakes)
    findings = Findings(
        mistakes=[*mistakes, *data.pitches],
        faults=data.faults,
        notices=[
            *passwords.notices(bench.params),
            *([] if mistakes else rates.notices(bench.params, readable)),
            *missing_flags(bench.notebooks),
            *data.notices,
        ],
    )
    sources_count = len(readable.sources)
    if args.json:
        cli.document(
            {
                "ok": findings.exit_code == 0,
                "metrics": data.metrics,
                "sources": sources_count,
                "mistakes": [asdict(mistake) for mistake in findings.mistakes],
                "faults": [asdict(fault) for fault in findings.faults],
                "notices": [asdict(notice) for notice in findings.notices],
            }
        )
    else:
        _print_check(findings, data.metrics, sources_count)
    if findings.exit_code:
        print(f"dataops-nb: {findings.summary}", file=sys.stderr)
    return findings.exit_code


def check_data(bench: Workbench, readable: Definitions, *, sound: bool) -> DataCheck:
    """Check the rows and freshness of every source.

    Pitches are checked only where the definitions are `sound` and the data have no faults.
    """
    # pandas and duckdb are slow to import, and mistakes in files are found without them
    from dataops_nb import sources  # noqa: PLC0415
    from dataops_nb.board import admission  # noqa: PLC0415
    from dataops_nb.cli import levels, pitches  # noqa: PLC0415
    from dataops_nb.cli.sound import broken_lines  # noqa: PLC0415
    from dataops_nb.sources import oddities  # noqa: PLC0415

    workbench.ensure_data(bench)
    as_of = workbench.as_of(bench, None)
    with sources.open(readable, bench.data, as_of) as catalog:
        faults = catalog.check()
        try:
            known = catalog.company
        except DataError:
            # A table of indicators cannot be read. That is among the faults.
            known = readable
        pitch_mistakes = []
        new_levels: list[Mistake] = []
        if sound and not faults:
            pitch_mistakes = pitches.mistakes(bench.params, catalog)
            new_levels = levels.notices(bench.params, catalog)
        notices: list[Mistake | Notice | Crowd] = [
            *new_levels,
            *catalog.notices(),
            *stale_sources(catalog),
            *(oddities.list_oddities(catalog) if sound else []),
            *admission.crowded(readable),
            *broken_lines(bench.out),
        ]
    return DataCheck(faults, notices, pitch_mistakes, len(known.metrics))


def stale_sources(catalog: Catalog) -> Iterator[Notice]:
    """Yield one notice for each readable source whose last row is too old."""
    from dataops_nb.sources.evidence import Notice  # noqa: PLC0415  imports pandas

    for name, source in catalog.declared.sources.items():
        try:
            coverage = catalog.coverage(name)
        except DataError:
            # It cannot be read. That is among the faults.
            continue
        if coverage.stale and coverage.last_row:
            days = (catalog.as_of - coverage.last_row).days
            text = (
                f"days since its last row on {coverage.last_row}; due within {source.fresh_within}"
            )
            yield Notice(name, text, days)


def _print_check(findings: Findings, metrics: int, sources: int) -> None:
    lines = [str(mistake) for mistake in findings.mistakes]
    lines += [str(fault) for fault in findings.faults]
    lines += [f"note: {notice}" for notice in findings.notices]
    if not findings.exit_code:
        lines.append(f"ok: {_count(metrics, 'metric')}, {_count(sources, 'source')}")
    cli.show("\n".join(lines))


def _count(number: int, word: str) -> str:
    if number == 1:
        return f"1 {word}"
    return f"{number} {word}s"


def missing_flags(notebooks: Path) -> list[Mistake]:
    """Return a notice for each notebook that shows more than the front page may quote.

    `story.record` quotes findings, links and things to solve where its flags say so. A notebook of
    version 0.1.0 has no flags: it is published as before, and quoted on less. The line is that of
    the call.
    """
    notices: list[Mistake] = []
    for path in sorted(notebooks.glob("*.ipynb")):
        flags = list(_flags_to_add(path))
        if flags:
            arguments = ", ".join(f"{flag}=True" for flag in flags)
            message = f"the front page does not quote its {' and '.join(flags)}; add {arguments}"
            file = f"notebooks/{path.name}"
            notices.append(Mistake(file, _line_of_record(path), "story.record", message))
    return notices


def _flags_to_add(path: Path) -> Iterator[str]:
    """Yield the flags that a notebook needs and its record lacks; none where it has no record."""
    called: set[str] = set()
    given: set[str] | None = None
    for call in _calls(path):
        name = ast.unparse(call.func)
        called.add(name)
        if name == "story.record":
            given = {keyword.arg for keyword in call.keywords if keyword.arg}
    if given is None:
        return
    for flag, uses in FLAG_USES.items():
        if flag not in given and called & uses:
            yield flag


def _calls(path: Path) -> Iterator[ast.Call]:
    """Yield every call in the code of a notebook; none from a cell or file that cannot be read."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        try:
            tree = ast.parse("".join(cell["source"]))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield node


def _line_of_record(path: Path) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if "story.record(" in line:
            return number
    return 1


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, and what it found."""

    name: str
    ok: bool
    text: str


def run_doctor(args: Namespace) -> int:
    """Print one line a check and return 1 if one of them failed."""
    checks = [*machine(), *company(args)]
    healthy = all(check.ok for check in checks)
    if args.json:
        documents = [asdict(check) for check in checks]
        cli.document({"ok": healthy, "checks": documents})
    else:
        lines = []
        for check in checks:
            verdict = "ok" if check.ok else "problem"
            lines.append(f"{verdict:8} {check.name:13} {check.text}")
        cli.show("\n".join(lines))
    return 0 if healthy else 1


def machine() -> Iterator[Check]:
    """Check Python, the packages, the kernel and the chart renderer."""
    recent = sys.version_info >= OLDEST_PYTHON
    yield Check("python", recent, f"{platform.python_version()} at {sys.executable}")
    for name in PACKAGES:
        yield _attempt(name, partial(version, name))
    yield _attempt("kernel", _check_kernel)
    yield _attempt("charts", _check_charts)
    yield _check_printer()
    yield _check_assistant()


def company(args: Namespace) -> Iterator[Check]:
    """Check the workbench, its data, its output folder and the company's date of today."""
    try:
        bench = cli.find(args)
        definitions = bench.definitions
    except DataopsError as error:
        yield Check("workbench", False, str(error))
        return
    metrics = len(definitions.metrics)
    sources = len(definitions.sources)
    yield Check("workbench", True, f"{bench.root}: {metrics} metrics, {sources} sources")
    yield _attempt("data", partial(_check_data_folder, bench))
    yield _attempt("out", partial(_check_out_folder, bench.out))
    yield _attempt("today", partial(_check_today, definitions.timezone))


def _attempt(name: str, look: Callable[[], str]) -> Check:
    """Run one check; any error is its problem."""
    try:
        return Check(name, True, look())
    except PackageNotFoundError:
        return Check(name, False, f"missing: pip install {name}")
    except DataopsError as error:
        return Check(name, False, str(error))
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {error}")


def _check_kernel() -> str:
    # slow to import, and missing where Jupyter is broken
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415

    spec = KernelSpecManager().get_kernel_spec("python3")
    program = Path(spec.argv[0])
    if program.is_absolute() and not program.exists():
        raise FileNotFoundError(f"kernel python3 is broken: {spec.argv[0]} does not exist")
    return f"python3 in {spec.resource_dir}"


def _check_charts() -> str:
    import vl_convert  # noqa: PLC0415  slow to import, and its failure is a finding

    svg = vl_convert.vegalite_to_svg(CHART)
    if "<svg" not in svg:
        raise RuntimeError("charts don't work: vl-convert returned no SVG")
    return f"vl-convert {version('vl-convert-python')} draws SVG"


def _check_printer() -> Check:
    """Find the browser that prints pdf; a machine without one passes too."""
    try:
        return Check("pdf", True, f"printed by {paper.browser()}")
    except DataopsError as error:
        return Check("pdf", True, f"not available: {error}")


def _check_assistant() -> Check:
    """Start the server of `mcp` and list its tools; a machine without it passes too."""
    # the verb's module brings pandas and DuckDB, which the checks above report on
    from dataops_nb.cli import mcp  # noqa: PLC0415

    try:
        return Check("mcp", True, mcp.checked())
    except UsageError as error:
        return Check("mcp", True, f"not served: {error}")
    except Exception as error:
        return Check("mcp", False, f"{type(error).__name__}: {error}")


def _check_data_folder(bench: Workbench) -> str:
    workbench.ensure_data(bench)
    if not bench.data.is_dir():
        raise UsageError(f"no folder {bench.data}: use --data DIR or DATAOPS_DATA")
    return str(bench.data)


def _check_out_folder(out: Path) -> str:
    existing = next(path for path in (out, *out.parents) if path.exists())
    # Making a file is the only sure test of the right to write.
    with tempfile.TemporaryFile(dir=existing):
        pass
    if existing == out:
        return str(out)
    return f"{out} (created by the first refresh)"


def _check_today(timezone: str) -> str:
    today = dt.datetime.now(ZoneInfo(timezone)).date()
    return f"{today} in {timezone}"
