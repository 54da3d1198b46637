"""A real site in a browser: every kind of page and every state can be used by everybody, on a phone, in the dark, on paper."""

from __future__ import annotations

import json
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from dataops_nb.reports.pages import archive, seals
from dataops_nb.reports.server import serving
from tests import crowds

pytestmark = pytest.mark.browser
AXE = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
KINDS = {
    "customer service": "customer-service/2026-W47/index.html", "front": "index.html", "archive": "sales/index.html", "summary": "sales/2026-W47/index.html",
    "manager": "sales/2026-W47/manager.html", "analyst": "sales/2026-W47/analyst.html",
    "north star": "north-star/2026-W47/analyst.html", "solve next": "solve-next/2026-W47/analyst.html",
    "what-if": "whatif/more/sales/2026-W47/index.html", "front of a what-if": "whatif/more/index.html",
    "form": "messages/*/*.html",
}  # fmt: skip
STATES = {
    "no-data": "no data for week", "stale": "due before 13 Nov",
    "partial": "The data end on 20 Nov",
    "no-target": "no target", "short": "too new to judge",
    "unreconciled": "Two systems disagree by more than the agreed tolerance", "fault": "sent bad data, so its numbers are not shown",
}  # fmt: skip
DESK, TABLET, PHONE = ({"width": w, "height": h} for w, h in ((1440, 900), (768, 1024), (360, 740)))
SMALL_DESK = {"width": 1280, "height": 900}
FOCUSED = "() => { const s = getComputedStyle(document.activeElement); return [document.activeElement.tagName, parseFloat(s.outlineWidth), s.outlineStyle] }"
BOXES = """svg => [...svg.querySelectorAll("text")].map(e => [e.textContent, e.getBoundingClientRect()])
  .filter(([text, box]) => text.trim() && box.width)"""
CROSSING = f"""svg => {{ const all = ({BOXES})(svg); const found = [];
  all.forEach(([a, p], i) => all.slice(i + 1).forEach(([b, q]) => {{
    const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left), high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (a !== b && wide > 2 && high > 4) found.push(`${{a}} / ${{b}}`); }})); return found; }}"""
CUT = f"""svg => {{ const edge = svg.getBoundingClientRect(); return ({BOXES})(svg)
  .filter(([, box]) => box.left < edge.left - 1 || box.right > edge.right + 1).map(([text]) => text); }}"""
WIDER = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.ariaLabel)"


def found(out: Path, kind: str) -> Path:
    return sorted(out.glob(KINDS[kind]))[0]


def problems(tab) -> list[str]:
    answer = AXE.Axe().run(tab).response
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in answer["violations"]
        for node in each["nodes"]
    ]


def everywhere(tab) -> list[str]:
    """The same on a phone, on a desk in the dark, and on paper."""
    found = problems(tab)
    tab.set_viewport_size(DESK)
    tab.emulate_media(color_scheme="dark")
    found += problems(tab)
    tab.emulate_media(media="print", color_scheme="dark")
    return [*found, *problems(tab)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_can_be_used_by_everybody(sample_out, visit, kind):
    assert everywhere(visit(found(sample_out, kind), viewport=PHONE)) == []


@pytest.mark.parametrize("state", [*STATES, "index"])
def test_a_state_is_said_in_words_on_the_first_screen_and_can_be_read_by_everybody(
    states_out, visit, state
):
    path = (
        states_out / "index.html"
        if state == "index"
        else states_out / state / "2026-W47" / "index.html"
    )
    tab = visit(path, viewport=PHONE)
    words = STATES.get(
        state, "Error was not updated on 22 Nov 2026: cell 4: ValueError: the sheet is locked."
    )
    said = tab.get_by_text(words).first
    assert said.bounding_box()["y"] < PHONE["height"]
    assert everywhere(tab) == []


@pytest.mark.parametrize("viewport", [DESK, SMALL_DESK], ids=["1440", "1280"])
def test_the_whole_company_is_on_one_screen_of_a_desk(sample_out, visit, viewport):
    tab = visit(found(sample_out, "front"), viewport=viewport)
    tree = tab.locator(".nb-feeds").bounding_box()
    assert tree["y"] + tree["height"] <= viewport["height"]
    tops = [star.bounding_box()["y"] for star in tab.locator(".nb-stars > li").all()]
    assert len(tops) == 4
    assert len(set(tops)) == 1


def test_no_department_stands_in_a_column_of_single_words(states_out, visit):
    tab = visit(states_out / "index.html", viewport=SMALL_DESK)
    for name in tab.locator(".nb-columns article :is(h3, .nb-meta)").all():
        words, box = name.inner_text().split(), name.bounding_box()
        assert box is None or len(words) < 2 or box["height"] < 20 * len(words)


@pytest.mark.parametrize("kind", ["manager", "customer service", "north star", "solve next"])
def test_no_words_of_a_chart_stand_on_others_on_a_phone_or_a_desk(sample_out, visit, kind):
    tab = visit(found(sample_out, kind), viewport=PHONE)
    for viewport in (PHONE, DESK):
        tab.set_viewport_size(viewport)
        charts = tab.locator(".nb-chart svg:visible")
        assert charts.count()
        for each in charts.all():
            assert each.evaluate(CROSSING) == []
            assert each.evaluate(CUT) == []


def test_an_unknown_light_says_why(states_out, visit):
    chips = visit(states_out / "index.html").locator("article .nb-chip").all_inner_texts()
    assert [chip for chip in chips if chip[0] in "◇○"] == [
        "◇ No data", "◇ Late", "◇ Partial", "○ No target", "◇ Too new", "◇ Systems disagree", "◇ Bad data",
    ]  # fmt: skip


def test_a_what_if_says_so_before_anything_else(sample_out, visit):
    for kind in ("what-if", "front of a what-if"):
        first = visit(found(sample_out, kind)).locator("main > *").first
        assert first.inner_text().split("\n") == [
            "What-if “more”, not the real report",
            "Closed-won deals: target 10 instead of 13.",
        ]


def test_the_footer_of_a_what_if_says_what_differs(sample_out, visit):
    for kind in ("what-if", "front of a what-if"):
        words = visit(found(sample_out, kind)).locator("body > footer").inner_text()
        assert "Closed-won deals: target 10 instead of 13" in words


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_asks_for_nothing_and_fits_every_screen(sample_out, visit, kind):
    path = found(sample_out, kind)
    assert path.stat().st_size <= 300_000
    tab = visit(path, viewport=PHONE)
    for viewport in (PHONE, TABLET, DESK):
        tab.set_viewport_size(viewport)
        assert tab.evaluate("document.scrollingElement.scrollWidth") <= viewport["width"]
        wide = tab.eval_on_selector_all(".nb-scroll", WIDER)
        assert wide == []
    assert [url for url in tab.asked if not url.startswith("data:")] == [path.as_uri()]
    assert tab.said == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_can_be_pressed_is_large_enough_headings_are_in_order_and_the_language_is_said(
    sample_out, visit, kind
):
    tab = visit(found(sample_out, kind), viewport=PHONE)
    for viewport in (PHONE, DESK):
        tab.set_viewport_size(viewport)
        small = tab.eval_on_selector_all(
            "a[href], summary, button, input:not([type=radio]):not([type=checkbox]), select, textarea",
            "all => all.filter(e => e.checkVisibility()).map(e => [e.getBoundingClientRect().height, e.outerHTML]).filter(e => e[0] < 24)",
        )
        assert small == []
        levels = tab.eval_on_selector_all(
            "h1, h2, h3, h4", "all => all.filter(e => e.checkVisibility()).map(e => +e.tagName[1])"
        )
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert tab.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whatever_the_keyboard_reaches_shows_that_it_was_reached(sample_out, visit, scheme):
    tab = visit(found(sample_out, "front"), viewport=DESK, color_scheme=scheme)
    reached = []
    for _ in range(12):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate(FOCUSED))
    assert {tag for tag, _, _ in reached} >= {"INPUT", "A"}
    assert [each for each in reached if each[1] < 2 or each[2] == "none"] == []


def test_a_desk_shows_the_whole_company_in_one_screen(sample_out, visit):
    tab = visit(found(sample_out, "front"), viewport=DESK)
    for place in (".nb-north", ".nb-cards", ".nb-lines", ".nb-solve", ".nb-overdue", ".nb-tree"):
        box = tab.locator(place).first.bounding_box()
        assert box["y"] + box["height"] <= DESK["height"], place


def test_the_tree_reads_as_a_nested_list_with_a_light_on_every_line(sample_out, visit):
    lines = visit(found(sample_out, "front")).locator(".nb-tree li > p").all_text_contents()
    assert len(lines) > 8
    assert all(line.strip()[0] in "●▲■◇○" for line in lines)


def test_a_metric_is_found_by_typing_and_opened_by_enter(sample_out, visit):
    tab = visit(found(sample_out, "front"), viewport=PHONE)
    tab.get_by_label("Find a metric").press_sequentially("deals won")
    assert [
        line.split("\n")[0] for line in tab.locator("#metrics li:visible").all_inner_texts()
    ] != []
    assert all(
        "deal" in line.lower() or "won" in line.lower()
        for line in tab.locator("#metrics li:visible").all_inner_texts()
    )
    assert "of 33 metrics" in tab.locator("#nb-found").inner_text()
    assert not tab.locator(".nb-north").is_visible()
    tab.get_by_label("Find a metric").fill("repeat orders")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/sales/2026-W47/index.html")


def test_under_serve_which_runs_no_script_the_list_is_there_and_no_dead_field(sample_out, browser):
    with serving(sample_out) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tab = browser.new_page()
        tab.goto(server.url)
        assert not tab.locator("#nb-find").is_visible()
        tab.locator("#metrics > summary").click()
        assert tab.locator("#metrics li:visible").count() == 33
        tab.close()
        server.shutdown()


def test_without_scripts_every_metric_is_listed_and_no_dead_field_is_shown(sample_out, visit):
    tab = visit(found(sample_out, "front"), java_script_enabled=False)
    assert not tab.locator("#nb-find").is_visible()
    tab.locator("#metrics > summary").click()
    assert tab.locator("#metrics li:visible").count() == 33


@pytest.mark.parametrize("kind", ["front", "summary", "analyst", "archive"])
def test_every_sentence_can_be_read_without_scripts(sample_out, visit, kind):
    tab = visit(found(sample_out, kind), java_script_enabled=False)
    said = [each["text"] for each in json.loads(tab.locator("#facts").inner_text())["sentences"]]
    folded = tab.locator("main details:not([open]) > summary:visible")
    while folded.count():
        folded.first.click()
    shown = " ".join(tab.locator("main").inner_text().split())
    assert [text for text in said if " ".join(text.split()) not in shown] == []


def test_a_page_leads_to_the_period_before_and_after_it(sample_out, visit):
    tab = visit(found(sample_out, "summary"))
    tab.get_by_text("‹ Earlier").click()
    tab.wait_for_url("**/2026-W46/index.html")
    tab.get_by_text("Later ›").click()
    tab.wait_for_url("**/2026-W47/index.html")


def test_the_newest_page_leads_to_none_after_it(sample_out, visit):
    tab = visit(found(sample_out, "summary"))
    assert tab.get_by_text("Later ›").is_visible()
    assert tab.locator("a[rel=next]").count() == 0


def test_a_page_that_was_given_its_way_to_the_next_one_is_sealed_anew(sample_out):
    for file in ("index.html", "manager.html", "analyst.html"):
        html = (sample_out / "sales" / "2026-W46" / file).read_text()
        assert 'rel="next"' in html
        assert seals.page(html) == []


def test_without_scripts_the_archive_shows_the_line_of_the_period_before(sample_out, visit):
    tab = visit(found(sample_out, "summary"), java_script_enabled=False)
    tab.get_by_text("‹ Earlier").click()
    tab.wait_for_url("**/sales/index.html#before-2026-W47")
    assert tab.locator("li:has(:target) a").inner_text() == "2026-W46"


@pytest.mark.parametrize("kind", ["front", "analyst"])
def test_paper_is_white_has_no_links_to_press_and_cuts_no_table(sample_out, visit, kind):
    tab = visit(
        found(sample_out, kind), viewport={"width": 700, "height": 990}, color_scheme="dark"
    )
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert [link for link in tab.locator("header a, .nb-find").all() if link.is_visible()] == []
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= 700
    if kind == "front":
        assert tab.locator(".nb-overdue li").first.is_visible()


def test_a_crowded_front_page_can_be_used_by_everybody_and_searched_without_network(
    visit, tmp_path
):
    page = tmp_path / "index.html"
    page.write_text(crowds.front(500), encoding="utf-8")
    tab = visit(page, viewport=PHONE)
    assert problems(tab) == []
    tab.get_by_label("Find a department or metric").fill("region 123")
    assert tab.locator("#departments li:visible").all_inner_texts() == ["Region 123, field sales"]
    assert tab.locator("#departments h2:visible").count() == 1
    assert "departments and metrics" in tab.locator("#nb-found").inner_text()
    assert everywhere(tab) == []


def test_neighbours_are_found_across_the_pages_of_an_archive(visit, tmp_path):
    periods = [
        archive.Past(f"2026-W{week:02}", "2026-11-22", "green", headline="Fine.")
        for week in range(6, 0, -1)
    ]
    older = [archive.Older("older-1.html", "2026-W01", "2026-W03")]
    first = archive.build("Lumen", "Sales", periods[:3], before="2026-W03", older=older)
    last = archive.build("Lumen", "Sales", periods[3:], newer="2026-W04")
    for name, html in {"index.html": first, "older-1.html": last}.items():
        (tmp_path / name).write_text(html, encoding="utf-8")
    for period in periods:
        (tmp_path / period.period).mkdir()
        (tmp_path / period.period / "index.html").write_text("<title>page</title>")
    tab = visit(tmp_path / "older-1.html")
    assert everywhere(tab) == []
    for mark, week in {"before-2026-W04": 3, "after-2026-W03": 4, "before-2026-W02": 1,
                       "after-2026-W02": 3, "after-2026-W05": 6}.items():  # fmt: skip
        tab.goto("about:blank")
        tab.goto(f"{(tmp_path / 'index.html').as_uri()}#{mark}")
        tab.wait_for_url(f"**/2026-W{week:02}/index.html")
