"""`dataops-nb doctor`: is this machine able to refresh, and is this folder a workbench? One line a check."""

from __future__ import annotations

import datetime as dt
import platform
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo

from dataops_nb import workbench
from dataops_nb.cli import folder, output
from dataops_nb.errors import DataopsError, UsageError
from dataops_nb.publish import paper
from dataops_nb.workbench import Workbench

PACKAGES = ("jupyterlab", "ipywidgets", "pandas", "altair", "papermill", "duckdb")
CHART = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x", "type": "quantitative"}}}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, whether it is as it should be, and what was found."""

    name: str
    ok: bool
    text: str


def run(args: Namespace) -> int:
    """Print every check; 1 where one of them found a problem."""
    checks = [*machine(), *company(args)]
    healthy = all(check.ok for check in checks)
    if args.json:
        output.document({"ok": healthy, "checks": [asdict(check) for check in checks]})
    else:
        output.write("\n".join(f"{'ok' if c.ok else 'problem':8} {c.name:13} {c.text}" for c in checks))
    return 0 if healthy else 1


def machine() -> Iterator[Check]:
    """Python, the packages, the kernel and the chart renderer."""
    yield Check("python", sys.version_info >= (3, 11), f"{platform.python_version()} at {sys.executable}")
    for name in PACKAGES:
        yield _tried(name, lambda name=name: version(name))  # type: ignore[misc]
    yield _tried("kernel", _kernel)
    yield _tried("charts", _chart)
    yield _printer()


def company(args: Namespace) -> Iterator[Check]:
    """The workbench, its data, its output folder, and today's date where the company is."""
    try:
        bench = folder.find(args)
        definitions = bench.definitions
    except DataopsError as error:
        yield Check("workbench", False, str(error))
        return
    metrics, sources = len(definitions.metrics), len(definitions.company.sources)
    yield Check("workbench", True, f"{bench.root}: {metrics} metrics, {sources} sources")
    yield _tried("data", lambda: _data(bench))
    yield _tried("out", lambda: _writable(bench.out))
    yield _tried("today", lambda: f"{_today(definitions.company.timezone)} in {definitions.company.timezone}")


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except PackageNotFoundError:
        return Check(name, False, f"not installed; pip install {name}")
    except DataopsError as error:
        return Check(name, False, str(error))
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {error}")


def _kernel() -> str:
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415  slow, and absent where Jupyter is broken

    spec = KernelSpecManager().get_kernel_spec("python3")
    if Path(spec.argv[0]).is_absolute() and not Path(spec.argv[0]).exists():
        raise FileNotFoundError(f"kernel python3 starts {spec.argv[0]}, which does not exist")
    return f"python3 in {spec.resource_dir}"


def _chart() -> str:
    import vl_convert  # noqa: PLC0415  slow, and its failure is what is looked for

    drawn = vl_convert.vegalite_to_svg(CHART)
    if "<svg" not in drawn:
        raise RuntimeError("vl-convert returned no SVG")
    return f"vl-convert {version('vl-convert-python')} draws SVG"


def _printer() -> Check:
    """What prints pdf; a machine without one is well all the same."""
    try:
        return Check("pdf", True, f"printed by {paper.browser()}")
    except DataopsError as error:
        return Check("pdf", True, f"not printed: {error}")


def _data(bench: Workbench) -> str:
    workbench.ensure_data(bench)
    if not bench.data.is_dir():
        raise UsageError(f"{bench.data} is no folder; --data DIR or DATAOPS_DATA names another one")
    return str(bench.data)


def _writable(out: Path) -> str:
    existing = next(place for place in (out, *out.parents) if place.exists())
    with tempfile.TemporaryFile(dir=existing):
        return str(out) if existing == out else f"{out} (made by the first refresh)"


def _today(timezone: str) -> dt.date:
    return dt.datetime.now(ZoneInfo(timezone)).date()
