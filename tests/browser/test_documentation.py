"""The documentation site as `make docs` builds it: everybody can use it, on a phone, on a desk and in the dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.test_site import DESK, PHONE, problems

SITE = Path(__file__).parents[2] / "build" / "site"
# One of each kind: words, pictures, long tables, code with examples, what is generated, the gallery.
PAGES = [
    "index.html", "howto/own-chart.html", "reference/commands.html", "reference/files.html", "api/status.html",
    "api/board.html", "gallery/index.html", "CHANGELOG.html",
]  # fmt: skip
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not SITE.is_dir(), reason="make docs has not been run"),
]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_site_can_be_used_by_everybody_and_asks_for_nothing_from_elsewhere(
    visit, name
):
    tab = visit(SITE / name, viewport=PHONE)
    found = problems(tab)
    tab.set_viewport_size(DESK)
    tab.emulate_media(color_scheme="dark")
    found += problems(tab)
    assert found == []
    assert [url for url in tab.asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_what_is_copied_from_an_example_is_what_is_typed(browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.goto((SITE / "howto" / "new-report.html").as_uri())
    tab.locator(".md-code__button").first.click()
    copied = tab.evaluate("navigator.clipboard.readText()")
    context.close()
    assert copied == "dataops-nb new report board-pack\ndataops-nb lab"
