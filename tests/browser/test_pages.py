"""Pages in a browser: nothing is asked for, nothing runs, nothing has to be pushed aside to be read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from nbformat import v4

from dataops_nb import display as display_
from dataops_nb.reports import pages as pages_
from dataops_nb.reports.pages import figures, front_page, notebook

WIDE_ROW = "".join(f"<td class='nb-num'>column {i} with words</td>" for i in range(12))
pytestmark = pytest.mark.browser


def display(mime, content):
    return v4.new_output("display_data", data={mime: content})


def code(source, outputs, *tags):
    cell = v4.new_code_cell(source, outputs=outputs)
    cell.metadata["tags"] = list(tags)
    return cell


def report(attack: str = "plain words"):
    """A report that carries a string through every channel of a page."""
    chart = {
        "title": attack,
        "description": attack,
        "data": {"values": [{"week": attack, "won": 1}, {"week": "W47", "won": 2}]},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {"field": "week", "type": "nominal", "title": attack},
            "y": {"field": "won", "type": "quantitative"},
        },
    }
    table = (
        f"<table><caption>{attack}</caption><tr><th>{attack}</th>{WIDE_ROW}</tr></table>{attack}"
    )
    fact = {
        "id": "won.value",
        "metric": "won",
        "period": "2026-W47",
        "field": "value",
        "value": 41,
        "unit": attack,
        "text": "41",
    }
    change = fact | {"id": "won.change", "field": "change", "value": 3, "text": "3"}
    said = [
        {
            "text": f"41 won. {attack}",
            "facts": ["won.value"],
            "kind": "headline",
            "light": "yellow",
        },
        {"text": f"Up 3. {attack}", "facts": ["won.change"], "kind": "line", "light": "red"},
    ]
    payload = {
        "schema_version": 1, "complete": True, "company": attack, "title": attack, "owner": attack, "department": attack,
        "as_of": "2026-11-22", "period": "2026-W47", "data_to": "2026-11-22", "light": "yellow", "reason": None,
        "headline": attack, "facts": [fact, change], "names": [attack], "rows": [], "warnings": [attack, "x" * 300],
        "sources": [{"source": attack, "system": attack, "files": [attack], "rows": 1, "sha256": attack}],
    }  # fmt: skip
    heading = v4.new_markdown_cell(f"# Title\n\n## Part {attack}\n\n{attack}\n\n`{attack}`")
    heading.metadata["tags"] = ["executive"]
    outputs = [
        display(display_.SENTENCES, {"sentences": said}),
        display(figures.MIME, chart),
        display("text/html", table),
        display("text/markdown", attack),
        display("text/plain", attack + "-" * 300),
        v4.new_output("stream", name="stdout", text=attack),
    ]
    cells = [
        heading,
        code(attack, outputs, "executive"),
        code("record", [display(notebook.MIME, payload)], "facts"),
    ]
    return v4.new_notebook(cells=cells)


def write(folder: Path, attack: str = "plain words") -> Path:
    target = folder / "sales" / "2026-W47"
    target.mkdir(parents=True)
    meta = pages_.Meta("sales", "1.0", {"department": attack})
    for name, content in pages_.files(report(attack), meta).items():
        (target / name).write_bytes(content)
    entry = front_page.Entry(
        "sales",
        attack,
        "sales/2026-W47/index.html",
        attack,
        attack,
        "red",
        None,
        attack,
        "2026-W47",
    )
    late = front_page.Entry(
        "sdr", "SDR " + "x" * 80, failure="failed", failed_as_of="2026-11-22", error=attack
    )
    (folder / "index.html").write_text(
        front_page.build(attack, [entry, late], pages_.dt.date(2026, 11, 22))
    )
    return target


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    target = write(folder)
    return [folder / "index.html", *(target / name for name in pages_.FILES.values())]


def test_a_page_asks_for_nothing_and_complains_of_nothing(pages, visit):
    for path in pages:
        tab = visit(path)
        tab.wait_for_load_state("networkidle")
        assert [url for url in tab.asked if not url.startswith("data:")] == [path.as_uri()]
        assert tab.said == []


def test_a_phone_never_scrolls_sideways(pages, visit):
    for path in pages:
        tab = visit(path, viewport={"width": 360, "height": 740})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360, path.name


def test_a_wide_table_scrolls_in_a_frame_that_the_keyboard_reaches(pages, visit):
    tab = visit(pages[1], viewport={"width": 360, "height": 740})
    frame = tab.locator(".nb-scroll").first
    assert frame.evaluate("e => e.scrollWidth > e.clientWidth")
    frame.focus()
    assert frame.evaluate("e => e === document.activeElement")


def test_the_chart_of_a_phone_has_words_that_can_be_read(pages, visit):
    tab = visit(pages[1], viewport={"width": 360, "height": 740})
    assert tab.locator(".nb-narrow svg").is_visible()
    assert not tab.locator(".nb-wide svg").is_visible()
    assert tab.locator(".nb-narrow svg text").first.bounding_box()["height"] >= 10


def test_a_page_reads_without_javascript(pages, visit):
    tab = visit(pages[3], java_script_enabled=False)
    assert tab.locator(".nb-headline p").is_visible()
    assert tab.locator(".nb-wide svg").is_visible()
    tab.locator("summary").first.click()
    assert tab.locator("details pre").first.is_visible()


def test_the_pages_lead_to_each_other_and_up(pages, visit):
    tab = visit(pages[0])
    tab.click("article a")
    for name in ("Analyst", "Manager", "Summary"):
        tab.click(f"header nav a:has-text('{name}')")
        assert tab.locator("[aria-current]").inner_text() == name
    tab.click(".nb-up")
    assert tab.url == pages[0].as_uri()


def test_what_can_be_clicked_is_large_enough_and_headings_are_in_order(pages, visit):
    for path in pages:
        tab = visit(path, viewport={"width": 360, "height": 740})
        heights = tab.eval_on_selector_all(
            "a, summary", "all => all.map(e => e.getBoundingClientRect().height)"
        )
        assert min(heights) >= 24
        levels = tab.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(e => +e.tagName[1])")
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_told_from_their_background(pages, visit, scheme):
    contrast = """all => all.map(e => {
        const light = c => { const [r, g, b] = c.match(/[0-9.]+/g).slice(0, 3).map(v => { v /= 255;
            return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return .2126*r + .7152*g + .0722*b };
        let at = e; while (at && getComputedStyle(at).backgroundColor === 'rgba(0, 0, 0, 0)') at = at.parentElement;
        const [a, b] = [getComputedStyle(e).color, at ? getComputedStyle(at).backgroundColor : 'rgb(255, 255, 255)'];
        const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return [(x + .05) / (y + .05), e.className || e.tagName] })"""
    for path in pages:
        tab = visit(path, color_scheme=scheme)
        found = tab.eval_on_selector_all(
            "p, li, a, th, td, h1, h2, h3, dt, dd, small, summary, .nb-chip, time", contrast
        )
        assert [item for item in found if item[0] < 4.5] == []
