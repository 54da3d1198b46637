"""What a page weighs beside nbconvert's of the same notebook, and how soon its last chart is drawn beside inlined Vega.

    python benchmarks/pages.py [REPORT...]

Each report of the packaged company is executed by stock papermill and turned into HTML by nbconvert, as a user would without
this package, and refreshed by us; both pages come from one notebook and one day. Then the same charts are put into a page with
Vega inlined (vl-convert's bundle, which is what a chart saved by altair with `inline=True` carries). Both pages are opened in
headless Chromium in turn, and the time from the start of the navigation to the frame after the last chart is taken; the median
counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import vl_convert
from playwright.sync_api import Browser, sync_playwright

REPORTS = ("north-star", "sdr", "sales", "customer-service", "product", "solve-next")
AS_OF = "2026-11-22"
OPENED = 7
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WATCH = """window.finished = new Promise(done => addEventListener("load", async () => {
  await window.drawn;
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
}));"""
VEGA = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Charts</title><script type="module">{bundle}
window.drawn = Promise.all({specs}.map((spec, i) =>
  vegaEmbed(document.getElementById("c" + i), spec, {{actions: false, renderer: "svg"}})));
</script></head><body>{places}</body></html>"""


def main() -> None:
    """Print the figures of each report."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("reports", nargs="*", default=REPORTS)
    reports = asked.parse_args().reports
    with tempfile.TemporaryDirectory() as place, sync_playwright() as play:
        root = Path(place) / "bench"
        ours = refreshed(root, reports)
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        print(
            f"{'':<18}{'summary':>9}{'analyst':>9}{'nbconvert':>11}{'ratio':>7}{'drawn':>9}{'Vega':>9}{'ratio':>7}"
        )
        for report, folder in ours.items():
            said = [
                size(folder / "index.html"),
                size(folder / "analyst.html"),
                size(converted(root, folder)),
            ]
            times = drawing(browser, folder, root / f"{report}.html")
            weights = (
                f"{said[0]:>6.0f} kB{said[1]:>6.0f} kB{said[2]:>8.0f} kB{said[1] / said[2]:>7.2f}"
            )
            print(
                f"{report:<18}{weights}{times[0]:>6.0f} ms{times[1]:>6.0f} ms{times[0] / times[1]:>7.2f}",
                flush=True,
            )
        browser.close()


def refreshed(root: Path, reports: Iterator[str]) -> dict[str, Path]:
    """The published folder of each report, with the notebook that was executed."""
    run("dataops_nb", "--quiet", "init", root)
    run(
        "dataops_nb",
        "--quiet",
        "-w",
        root,
        "refresh",
        "--as-of",
        AS_OF,
        "--to",
        "html,ipynb",
        "--json",
        *named(reports),
    )
    found = json.loads((root / "out" / "latest.json").read_text())["reports"]
    return {each["report"]: (root / "out" / each["path"]).parent for each in found}


def named(reports: Iterator[str]) -> list[str]:
    """The reports as options of the command."""
    return [word for report in reports for word in ("--report", report)]


def converted(root: Path, folder: Path) -> Path:
    """nbconvert's page of the notebook behind a published report, executed by stock papermill."""
    plan = subprocess.run(
        [sys.executable, "-m", "dataops_nb", "-w", root, "--json", "plan"],
        capture_output=True,
        text=True,
        check=True,
    )
    (planned,) = [
        each for each in json.loads(plan.stdout)["reports"] if each["report"] == folder.parent.name
    ]
    done = root / f"{planned['report']}.ipynb"
    values = [
        word for name, value in planned["parameters"].items() for word in ("-r", name, str(value))
    ]
    notebook = root / "notebooks" / planned["notebook"]
    run("papermill", "--no-progress-bar", "--cwd", notebook.parent, notebook, done, *values)
    run("nbconvert", "--to", "html", "--output", f"{planned['report']}-nbconvert.html", done)
    return root / f"{planned['report']}-nbconvert.html"


def run(module: str, *words: object) -> None:
    """One command of this Python, quietly."""
    line = [sys.executable, "-m", module, *map(str, words)]
    subprocess.run(
        line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )


def size(page: Path) -> float:
    """Kilobytes."""
    return page.stat().st_size / 1000


def drawing(browser: Browser, folder: Path, with_vega: Path) -> tuple[float, float]:
    """Milliseconds to the last chart of our analyst page, and of the same charts with Vega inlined; opened in turn."""
    specs = list(charts(folder / "report.ipynb"))
    places = "".join(f'<div id="c{i}"></div>' for i in range(len(specs)))
    text = json.dumps(specs).replace("</", "<\\/")
    with_vega.write_text(VEGA.format(bundle=bundle(), specs=text, places=places), encoding="utf-8")
    pairs = [
        (opened(browser, folder / "analyst.html"), opened(browser, with_vega))
        for _ in range(OPENED)
    ]
    ours, theirs = zip(*pairs, strict=True)
    return statistics.median(ours), statistics.median(theirs)


def bundle() -> str:
    """Vega, Vega-Lite and vega-embed as one script."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")).replace(
        "</script", "<\\/script"
    )


def charts(notebook: Path) -> Iterator[Mapping[str, Any]]:
    """The specifications of the charts that a notebook displayed."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            yield from (spec for mime, spec in output.get("data", {}).items() if "vegalite" in mime)


def opened(browser: Browser, page: Path) -> float:
    """Milliseconds from the start of the navigation to the frame after the last chart."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH)
    tab = context.new_page()
    tab.goto(page.as_uri())
    took = float(tab.evaluate("() => window.finished"))
    context.close()
    return took


if __name__ == "__main__":
    main()
