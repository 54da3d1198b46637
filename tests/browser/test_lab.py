"""The notebooks in a real JupyterLab: every cell runs, charts draw, and nothing is asked of a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dataops_nb import workbench

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
NOTEBOOKS = sorted(path.name for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
READY = """async () => {
    const context = window.jupyterapp?.shell.currentWidget?.context?.sessionContext;
    if (!context) return false;
    await context.ready;
    await context.session.kernel.info;
    return context.session.kernel.status === "idle";
}"""
TOKEN = "only-for-this-test"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not on this machine"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as `dataops-nb lab` starts it, on a new workbench."""
    root = workbench.init(tmp_path_factory.mktemp("lab") / "bench")
    settings = tmp_path_factory.mktemp("settings")
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text(json.dumps({"windowingMode": "none"}))  # cells out of sight are in the page, to be counted
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "dataops_nb", "lab", "-w", str(root), "--no-browser", "--", "--allow-root"]
    words += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    words += ["--LabApp.expose_app_in_browser=True"]
    environment = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(settings), "JUPYTER_CONFIG_DIR": str(settings)}
    server = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api?token={TOKEN}", server)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(url, server):
    for _ in range(240):
        try:
            urllib.request.urlopen(url, timeout=2)
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, server.stderr.read()
            time.sleep(0.25)
        else:
            return
    raise AssertionError("JupyterLab did not answer in a minute")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as play, play.chromium.launch(executable_path=CHROMIUM, args=arguments) as chromium:
        yield chromium


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_run_all_finishes_without_an_error_and_draws_every_chart_offline(lab, browser, name):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    elsewhere = []
    page.on(
        "request",
        lambda request: None if request.url.startswith((lab, "data:", "blob:")) else elsewhere.append(request.url),
    )
    page.goto(f"{lab}/lab/tree/notebooks/{name}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_function(READY, timeout=60_000)
    page.click("text=Run >> nth=0")
    page.click("text=Restart Kernel and Run All Cells")
    page.click(".jp-Dialog button.jp-mod-accept")
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt")
    last = prompts.nth(prompts.count() - 1)
    for _ in range(480):
        if re.match(r"\[\d+\]", last.inner_text().strip()):
            break
        assert (
            page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr'] .ansi-red-fg").count() == 0
        )
        page.wait_for_timeout(250)
    said = [prompt.strip() for prompt in prompts.all_inner_texts()]
    assert all(re.match(r"\[\d+\]", prompt) for prompt in said), said
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    charts = page.locator(".jp-RenderedSVG img, .jp-RenderedSVG svg")
    text = (Path(__file__).parents[2] / "notebooks" / name).read_text()
    assert charts.count() >= text.count("charts.trend") + text.count("charts.compare") + text.count("charts.by_segment")
    sizes = charts.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert all(width > 200 for width in sizes)
    assert elsewhere == []
    page.close()
