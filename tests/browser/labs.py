"""A real JupyterLab on a new workbench."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dataops_nb import workbench
from dataops_nb.workbench import sample

AS_OF = dt.date(2026, 11, 22)  # the sample's last week, whenever the tests run
TOKEN = "only-for-this-test"
READY = """async () => {
    const context = window.jupyterapp?.shell.currentWidget?.context?.sessionContext;
    if (!context) return false;
    await context.ready;
    await context.session.kernel.info;
    return context.session.kernel.status === "idle";
}"""
RUN = """async (first) => {
    const { commands, shell } = window.jupyterapp, notebook = shell.currentWidget.content;
    notebook.activeCellIndex = first - 1;
    notebook.deselectAll();
    for (let i = 0; i < first; i++) notebook.activeCellIndex = i, await commands.execute("notebook:run-cell");
}"""  # the first cells of the notebook that is open


@dataclass
class Lab:
    """A JupyterLab that runs: its address, and the workbench it is open on; `elsewhere` is what pages asked of others."""

    address: str
    root: Path
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, page):
        """Note every request of a page that goes anywhere but here."""
        page.on("request", lambda request: self._note(request.url))
        return page

    def _note(self, url):
        if not url.startswith((self.address, "data:", "blob:")):
            self.elsewhere.append(url)

    def open(self, page, notebook):
        """A notebook with a kernel that is ready."""
        page.goto(f"{self.address}/lab/tree/notebooks/{notebook}?token={TOKEN}&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        page.wait_for_function(READY, timeout=60_000)
        return page


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as `dataops-nb lab` starts it, on a new workbench."""
    root = workbench.init(tmp_path_factory.mktemp("lab") / "bench")
    sample.write(root / "data", end=AS_OF)
    settings = tmp_path_factory.mktemp("settings")
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text(
        json.dumps({"windowingMode": "none"})
    )  # cells out of sight are in the page, to be counted
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        sys.executable,
        "-m",
        "dataops_nb",
        "lab",
        "-w",
        str(root),
        "--no-browser",
        "--",
        "--allow-root",
    ]
    words += [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
    ]
    words += ["--LabApp.expose_app_in_browser=True"]
    own = ("JUPYTERLAB_SETTINGS_DIR", "JUPYTER_CONFIG_DIR", "XDG_CACHE_HOME")
    environment = {**os.environ, **dict.fromkeys(own, str(settings))}
    address, log = f"http://127.0.0.1:{port}", settings / "log"
    with log.open("w") as told:  # a pipe that nobody reads would stop it
        server = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=told)
    try:
        _wait_for(f"{address}/api?token={TOKEN}", server, log)
        yield Lab(address, root)
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(url, server, log):
    for _ in range(240):
        try:
            urllib.request.urlopen(url, timeout=2)
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.25)
        else:
            return
    raise AssertionError("JupyterLab did not answer in a minute")
