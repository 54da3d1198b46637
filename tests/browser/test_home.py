"""At home in JupyterLab: a company's tables, an own chart and the public names, as an analyst meets them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dataops_nb import charts, story
from dataops_nb.charts.look import ACCENT
from tests.browser.conftest import CHROMIUM
from tests.browser.labs import RUN

NOTEBOOKS = sorted(path.name for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not on this machine"),
]
MODIFIED = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
COMPLETE = """async (code) => {
    const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
    const reply = await kernel.requestComplete({code, cursor_pos: code.length});
    return reply.content.matches.map(match => match.split(".").pop());
}"""
CELLS = [
    "import altair as alt\nfrom dataops_nb import board, charts, story, workbench\nhere = workbench.open()",
    'this = board.read(here, department="sales")\nthis',
    "this.table",
    'alt.Chart(this.current).mark_bar().encode(x="metric", y="value")',
    "print(this)",
]
SHOTS = os.environ.get("DATAOPS_SHOTS")


@pytest.fixture(scope="module")
def own(lab, browser):
    """A notebook of an analyst's own, run to its end."""
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for n, source in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    (lab.root / "notebooks" / "own.ipynb").write_text(json.dumps(content))
    page = lab.watch(browser.new_page(viewport={"width": 1280, "height": 1400}))
    lab.open(page, "own.ipynb")
    page.evaluate(RUN, len(CELLS))
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/own.png")
    yield page
    page.close()


def output(page, cell):
    return page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-OutputArea-output")


def test_opening_a_notebook_does_not_modify_it(lab, browser):
    page = lab.watch(browser.new_page(viewport={"width": 1280, "height": 900}))
    modified = {}
    for name in NOTEBOOKS[:3]:
        lab.open(page, name)
        page.wait_for_timeout(500)
        modified[name] = page.evaluate(MODIFIED)
    page.close()
    assert modified == dict.fromkeys(NOTEBOOKS[:3], False)


def test_a_board_is_a_table_with_lights(own):
    shown = output(own, 1)
    assert shown.locator("caption").inner_text().startswith("Sales, week 47")
    assert shown.locator(".nb-chip[data-light=red]").inner_text() == "■ Red"
    assert shown.locator("tbody tr").count() == 7


def test_a_metric_table_has_lights_and_says_what_it_leaves_out(own):
    shown = output(own, 2)
    assert "more columns" in shown.locator("caption").inner_text()
    assert shown.locator(".nb-chip[data-light=green]").count() > 0


def test_an_own_chart_has_our_colour_and_font(own):
    drawn = output(own, 3).locator("img").get_attribute("src")
    text = own.evaluate("async (url) => await (await fetch(url)).text()", drawn)
    assert f'fill="{ACCENT}"' in text
    assert "system-ui" in text


def test_a_printed_board_is_one_short_line(own):
    text = output(own, 4).inner_text().strip()
    assert text.startswith("<Board of Sales, 2026-W47: 7 metrics, ")
    assert len(text) < 120


@pytest.mark.parametrize("module", [charts, story])
def test_the_tab_key_offers_the_public_names_alone(module, own):
    name = module.__name__.split(".")[-1]
    offered = own.evaluate(COMPLETE, f"{name}.")
    assert set(offered) == set(module.__all__)


def test_an_edited_file_of_the_company_is_seen_when_the_cell_runs_again(lab, own):
    file = lab.root / "params" / "departments" / "sales.yaml"
    before = file.read_text()
    assert "label: Win rate" in before
    try:
        file.write_text(before.replace("label: Win rate", "label: Share of deals won"))
        own.evaluate(RUN, 2)
        assert "Share of deals won" in output(own, 1).inner_text()
    finally:
        file.write_text(before)


def test_nothing_is_asked_of_a_network(lab, own):
    assert lab.elsewhere == []
