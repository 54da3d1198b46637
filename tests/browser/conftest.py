"""What the browser tests share: Chromium, and two sites of real refreshes, each made once for all workers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from dataops_nb.workbench import sample
from tests.browser import page_states
from tests.browser.labs import AS_OF, lab  # noqa: F401  a fixture

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not on this machine")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Open a page in a context of its own; gives it with what it asked for and what it complained of."""
    contexts = []

    def go(path: Path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        tab = context.new_page()
        tab.asked, tab.said = [], []
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.on("console", lambda message: tab.said.append(message.text))
        tab.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.goto(path.as_uri(), wait_until="load")
        return tab

    yield go
    for context in contexts:
        context.close()


def command(*words: object) -> None:
    """Run dataops-nb; a failure shows what it said."""
    line = [sys.executable, "-m", "dataops_nb", "--quiet", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker to ask makes, and the others wait for."""
    shared = factory.getbasetemp()
    shared = shared.parent if shared.name.startswith("popen-") else shared
    folder, done = shared / name, shared / f"{name}.done"
    with FileLock(shared / f"{name}.lock"):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def sample_out(tmp_path_factory):
    """out/ of the packaged company: every report, sales also a week before and as a what-if, and the pages of a message."""

    def make(folder: Path) -> None:
        command("init", folder)
        sample.write(folder / "data", end=AS_OF)
        (folder / "params" / "whatif").mkdir(exist_ok=True)
        (folder / "params" / "whatif" / "more.yaml").write_text(
            "departments: {sales: {metrics: {closed_won: {targets: [{from: 2020-01-01, per: week, value: 10}]}}}}\n"
        )
        command("-w", folder, "refresh", "--report", "sales", "--as-of", "2026-11-15")
        command("-w", folder, "refresh", "--as-of", AS_OF)
        command("-w", folder, "refresh", "--as-of", AS_OF, "--report", "sales", "--whatif", "more")
        command("-w", folder, "message", "form", "closed_won", "--as-of", AS_OF)

    return once(tmp_path_factory, "sample", make) / "out"


@pytest.fixture(scope="session")
def states_out(tmp_path_factory):
    """out/ of a small company, each department of which is in another state."""
    return (
        once(tmp_path_factory, "states", lambda folder: page_states.make(folder, command)) / "out"
    )
