"""The pages of the sample as a reader meets them: what to do on the first screen, few words, headings that hold something."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
WEEK = "2026-W47"
# Words that are read: not what is folded or drawn, and not what stands in tables and tiles.
WORDS = r"""root => { const apart = "svg, script, style, table, figure, .nb-tiles, .nb-gap, details:not([open])";
  const count = node => { if (node.nodeType === 3) return node.textContent.split(/\s+/).filter(w => /[\p{L}\p{N}]/u.test(w)).length;
    if (node.nodeType !== 1 || node.matches(apart)) return 0; return [...node.childNodes].reduce((sum, child) => sum + count(child), 0); };
  return count(root); }"""
# A heading is empty where the next thing that is seen is another heading of its rank, or the end.
EMPTY = r"""main => { const seen = [...main.querySelectorAll("h2, h3, h4, p, li, figure, table, pre, summary")]; const empty = [];
  seen.forEach((e, i) => { if (!/^H[234]$/.test(e.tagName)) return; const next = seen[i + 1];
    if (!next || (/^H[234]$/.test(next.tagName) && next.tagName <= e.tagName)) empty.push(e.textContent); }); return empty; }"""
# A group of lines has a heading of its own: no other group, table or chart stands between the two.
HEADLESS = r"""main => { const found = []; let heading = false;
  main.querySelectorAll("h2, h3, h4, summary, strong, ul.nb-lines, figure, table").forEach(e => {
    if (e.matches("ul.nb-lines")) { if (!heading) found.push(e.innerText.slice(0, 80)); heading = false; }
    else heading = !e.matches("figure, table"); }); return found; }"""
REPORTS = ["north-star", "sdr", "sales", "customer-service", "product", "solve-next"]
each_report = pytest.mark.parametrize("report", REPORTS)


def page(out: Path, report: str, file: str) -> Path:
    return out / report / WEEK / file


@each_report
def test_what_to_do_stands_on_the_first_screen_of_a_phone(sample_out, visit, report):
    tab = visit(page(sample_out, report, "index.html"), viewport=PHONE)
    (box,) = tab.locator(".nb-todo").all()
    place = box.bounding_box()
    assert place["y"] + place["height"] <= PHONE["height"]
    assert box.locator("li").count()


@each_report
@pytest.mark.parametrize(("file", "most"), [("index.html", 250), ("manager.html", 350)])
def test_a_page_has_few_words(sample_out, visit, report, file, most):
    tab = visit(page(sample_out, report, file))
    assert tab.locator("main").evaluate(WORDS) <= most


@each_report
def test_the_block_of_a_summary_is_read_in_half_a_minute(sample_out, visit, report):
    tab = visit(page(sample_out, report, "index.html"))
    lines = tab.locator(
        ".nb-headline p, main > section > .nb-todo li, main > section > ul.nb-lines li"
    )
    assert lines.count() >= 2
    assert sum(len(line.split()) for line in lines.all_inner_texts()) <= 90


@each_report
@pytest.mark.parametrize("file", ["index.html", "manager.html", "analyst.html"])
def test_no_heading_is_empty_and_no_lines_are_without_one(sample_out, visit, report, file):
    main = visit(page(sample_out, report, file)).locator("main")
    assert main.evaluate(EMPTY) == []
    assert main.evaluate(HEADLESS) == []


@each_report
def test_a_summary_keeps_its_order(sample_out, visit, report):
    parts = [".nb-headline", ".nb-tiles", ".nb-todo", "figure", "h2#why"]
    tab = visit(page(sample_out, report, "index.html"), viewport=PHONE)
    tops = [tab.locator(part).first.bounding_box()["y"] for part in parts]
    assert tops == sorted(tops)


@each_report
def test_what_feeds_it_has_at_most_seven_rows(sample_out, visit, report):
    table = visit(page(sample_out, report, "index.html")).locator(
        '[aria-label="What feeds it"] tbody tr'
    )
    assert table.count() <= 7
