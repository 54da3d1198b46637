"""The panel in a real JupyterLab: every knob answers, by mouse and by keyboard, and nothing is asked of a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.browser.conftest import CHROMIUM
from tests.browser.labs import RUN

AXE_NAMES = """() => [...document.querySelectorAll(
    '.nb-explore select, .nb-explore input, .nb-explore button')].filter((each) => each.offsetParent !== null).map((each) => ({
        what: each.outerHTML.slice(0, 80),
        name: each.getAttribute('aria-label') || [...(each.labels || [])].map((l) => l.textContent).join('') || each.textContent,
        height: Math.max(each.getBoundingClientRect().height, each.closest('label, .widget-checkbox, .nb-slider')?.clientHeight || 0),
    }))"""
DRAWN = (
    "said => new RegExp(said).test(document.querySelector('.nb-explore .vega-embed')?.ariaLabel)"
)
PICKED_ALIKE = """() => {
    const rows = document.querySelectorAll(".nb-explore .nb-rows tbody tr").length;
    const list = document.querySelector(".nb-explore .nb-rows select");
    return rows > 1 && list.selectedOptions.length === rows;
}"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not on this machine"),
]


@pytest.fixture(scope="module")
def page(lab, browser):
    """The notebook of sales development, run as far as its panel."""
    page = lab.watch(browser.new_page(viewport={"width": 1280, "height": 1400}))
    lab.open(page, "20_sdr.ipynb")
    page.evaluate(RUN, 3)
    page.wait_for_selector(".nb-explore .vega-embed svg", timeout=90_000)
    return page


@pytest.fixture
def panel(page):
    """The panel as it is agreed, with its first metric."""
    panel = page.locator(".nb-explore")
    drawer = panel.get_by_role("button", name="What-if: save, load, reset")
    if panel.get_by_role("button", name="Back to agreed targets").count() == 0 or not _open(panel):
        drawer.click()
    panel.get_by_label("Metric").select_option("Meetings booked")
    panel.get_by_role("button", name="Back to agreed targets").click()
    _until(page, panel, "You have changed nothing yet")
    _until(
        page,
        panel.locator(".nb-headline"),
        r"\d+ meetings booked in week 47, .* target \(65\)",
    )
    page.wait_for_function(
        DRAWN, arg="Meetings booked, last 26 weeks: .* in week 47, .*; target 65\\."
    )
    page.wait_for_timeout(300)  # the chart has listeners once it is drawn
    return panel


def _open(panel):
    return panel.get_by_role("button", name="Back to agreed targets").is_visible()


def _until(page, found, pattern):
    """Wait until what is found says so."""
    for _ in range(150):
        if re.search(pattern, found.inner_text(), re.DOTALL):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{found.inner_text()!r} does not say {pattern!r}")


def described(panel):
    """What the chart says it shows."""
    return panel.locator(".vega-embed").get_attribute("aria-label")


def targets(panel):
    """Where the target's dashed line lies in the chart."""
    return panel.locator(".vega-embed svg path[stroke-dasharray='6,4']").first.get_attribute("d")


def test_a_slider_moves_number_light_sentence_chart_and_scorecard(page, panel):
    before, line = described(panel), targets(panel)
    slider = panel.get_by_role("slider", name="Target", exact=True)
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    _until(page, panel.locator(".nb-headline"), "■ Red.*short of target \\(1[45]")
    target = panel.get_by_label("Target, exactly, a week").input_value()
    _until(page, panel.locator(".nb-tabled"), rf"Meetings booked\s+■ Red\s+.*\s{target}\s")
    page.wait_for_function(
        "before => document.querySelector('.nb-explore .vega-embed').ariaLabel !== before",
        arg=before,
    )
    assert f"target {target}." in described(panel)
    assert targets(panel) != line
    assert "not what was agreed: settings of Meetings booked" in panel.inner_text()


def test_thresholds_policy_period_comparison_segment_and_metric_each_answer(page, panel):
    said = panel.locator(".nb-headline")
    panel.get_by_label("Green from, exactly, % of target").fill("140")
    page.keyboard.press("Enter")
    _until(page, said, "▲ Yellow")
    panel.get_by_label("Yellow from, exactly, % of target").fill("130")
    page.keyboard.press("Enter")
    _until(page, said, "■ Red")
    panel.get_by_label("Judged by").select_option("Target and ordinary range")
    _until(page, said, "▲ Yellow")
    panel.get_by_label("Judged by").select_option("Target only")
    _until(page, said, "■ Red")
    panel.get_by_label("Compare with").select_option("a year earlier")
    _until(page, panel.locator(".nb-tabled"), "What changed meetings booked from week 47")
    panel.get_by_label("Period", exact=True).select_option(label="week 40 · 28 Sep to 4 Oct 2026")
    _until(page, said, "in week 40")
    panel.get_by_label("Segment").select_option("channel Event")
    _until(page, said, "eetings booked, channel Event")
    assert panel.get_by_role("slider", name="Target", exact=True).is_disabled()
    panel.get_by_label("Metric").select_option("Show rate")
    _until(page, said, "Show rate")
    assert panel.get_by_label("Target for a week, exactly, %").is_enabled()
    panel.get_by_label("Period", exact=True).select_option(label="week 47 · 16 to 22 Nov 2026")
    _until(page, said, "in week 47")


def test_what_is_picked_in_the_chart_is_what_the_table_beside_it_holds(page, panel):
    table, chart = panel.locator(".nb-rows table"), panel.locator(".vega-embed svg")
    _until(page, table, "latest 8 weeks")
    chart.scroll_into_view_if_needed()
    _brush(page, chart, table)
    # Every step of the hand is an answer of its own, and the last one may still be on its way.
    page.wait_for_function(PICKED_ALIKE)
    box = chart.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.click(box["x"] + box["width"] * 0.3, middle)
    _until(page, table, "1 picked week\n")
    page.mouse.dblclick(box["x"] + box["width"] * 0.3, middle)
    _until(page, table, "latest 8 weeks")


def _brush(page, chart, table):
    """Brush a stretch of weeks, again where the chart had no ears for it yet.

    Altair's widget draws first and listens a moment later, and on a busy machine that is after the hand has gone by.
    """
    for _ in range(5):
        box = chart.bounding_box()
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.45, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=6)
        page.mouse.up()
        for _ in range(30):
            if re.search(r"\d picked weeks", table.inner_text()):
                return
            page.wait_for_timeout(100)
        page.mouse.dblclick(box["x"] + box["width"] * 0.3, middle)
    raise AssertionError(f"{table.inner_text()!r} holds no picked weeks")


def test_a_what_if_is_a_file_with_only_what_differs(lab, page, panel):
    panel.get_by_label("Target, exactly, a week").fill("90")
    page.keyboard.press("Enter")
    _until(page, panel.locator(".nb-diff"), r"-  value: 65\n\+  value: 90")
    panel.get_by_label("Name", exact=True).fill("ninety")
    panel.get_by_label("Name", exact=True).blur()
    panel.get_by_role("button", name="Save what-if").click()
    _until(page, panel, "Saved as params/whatif/ninety.yaml")
    content = yaml.safe_load((lab.root / "params" / "whatif" / "ninety.yaml").read_text())
    assert list(content["metrics"]) == ["meetings_booked"]
    assert list(content["metrics"]["meetings_booked"]) == ["targets"]
    assert content["metrics"]["meetings_booked"]["targets"][-1]["value"] == 90
    panel.get_by_role("button", name="Back to agreed targets").click()
    _until(page, panel.locator(".nb-headline"), "target \\(65\\)")
    panel.get_by_role("button", name="Load", exact=True).click()
    _until(page, panel.locator(".nb-headline"), "target \\(90\\)")
    _until(
        page, panel, "Loaded ninety"
    )  # until then the panel is still moving, and a click may miss
    panel.get_by_role("button", name="Save what-if").click()
    _until(page, panel, "'ninety' exists")


def test_two_sides_and_the_meaning_of_a_number_are_behind_buttons(page, panel):
    panel.get_by_role("button", name="Compare").click()
    _until(
        page,
        panel,
        "Meetings booked, side by side.*Current targets, week 46.*Current targets, week 47.*Difference",
    )
    panel.get_by_role("button", name="Compare").click()
    panel.get_by_role("button", name="About this number").click()
    _until(
        page,
        panel,
        "How busy are we\\?.*Head of SDR.*CRM.*What each light means for meetings booked",
    )
    panel.get_by_role("button", name="About this number").click()


def test_everything_has_a_name_and_room_for_a_finger(page, panel):
    found = page.evaluate(AXE_NAMES)
    assert len(found) > 15
    assert [each for each in found if not each["name"].strip() or each["height"] < 24] == []
    assert panel.locator("[role=status]").count() >= 1


def _tab_to(page, wanted, most=40):
    for _ in range(most):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "() => { const e = document.activeElement; return e.getAttribute('aria-label')"
            " || [...(e.labels || [])].map((l) => l.textContent).join('') || e.textContent; }"
        )
        if name.strip() == wanted:
            return
    raise AssertionError(f"Tab does not come to {wanted}")


def test_by_keyboard_alone_a_target_is_moved_a_period_picked_and_a_what_if_saved(lab, page, panel):
    panel.get_by_label("Metric").focus()
    _tab_to(page, "Target")
    for _ in range(25):
        page.keyboard.press("ArrowRight")
    _until(page, panel.locator(".nb-headline"), "▲ Yellow.*short of target \\(90\\)")
    _tab_to(page, "Name")
    page.keyboard.press("Control+A")
    page.keyboard.type("by-keyboard")
    _tab_to(page, "Save what-if")
    page.wait_for_timeout(800)  # no hand is as quick as this one
    page.keyboard.press("Enter")
    _until(page, panel, "Saved as params/whatif/by-keyboard.yaml")
    assert (lab.root / "params" / "whatif" / "by-keyboard.yaml").exists()
    _tab_to(page, "Rows shown")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    _until(page, panel.locator(".nb-rows table"), "2 picked weeks.*2026-W46.*2026-W45")


def test_nothing_was_asked_of_anybody_else(lab, panel):
    assert lab.elsewhere == []
