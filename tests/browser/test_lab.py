"""The notebooks in a real JupyterLab: every cell runs, charts draw, and nothing is asked of a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.conftest import CHROMIUM
from tests.browser.labs import RUN

NOTEBOOKS = sorted(path.name for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not on this machine"),
]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_run_all_finishes_without_an_error_and_draws_every_chart_offline(lab, browser, name):
    page = lab.watch(browser.new_page(viewport={"width": 1280, "height": 900}))
    lab.open(page, name)
    page.click("text=Run >> nth=0")
    page.click("text=Restart Kernel and Run All Cells")
    page.click(".jp-Dialog button.jp-mod-accept")
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt")
    last = prompts.nth(prompts.count() - 1)
    for _ in range(480):
        if re.match(r"\[\d+\]", last.inner_text().strip()):
            break
        assert (
            page.locator(
                ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr'] .ansi-red-fg"
            ).count()
            == 0
        )
        page.wait_for_timeout(250)
    said = [prompt.strip() for prompt in prompts.all_inner_texts()]
    assert all(re.match(r"\[\d+\]", prompt) for prompt in said), said
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    charts = page.locator(".jp-RenderedSVG img, .jp-RenderedSVG svg")
    text = (Path(__file__).parents[2] / "notebooks" / name).read_text()
    assert charts.count() >= text.count("charts.trend") + text.count("charts.compare") + text.count(
        "charts.by_segment"
    )
    sizes = charts.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert all(width > 200 for width in sizes)
    assert lab.elsewhere == []
    page.close()


def test_a_departments_link_on_the_first_notebook_opens_its_notebook(lab, browser):
    page = lab.watch(browser.new_page(viewport={"width": 1280, "height": 900}))
    lab.open(page, "00_start_here.ipynb")
    page.evaluate(RUN, 9)
    page.click(".jp-OutputArea-output a:text-is('30_sales.ipynb')", timeout=90_000)
    page.wait_for_selector(".lm-TabBar-tabLabel:text-is('30_sales.ipynb')")
    assert page.url.partition("?")[0].endswith("/lab/tree/notebooks/30_sales.ipynb")
    assert len(page.context.pages) == 1
    page.close()
