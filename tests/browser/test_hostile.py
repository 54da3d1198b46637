"""Forty hostile strings through every channel, on all kinds of pages, in Chromium: none runs, none asks, no page breaks."""

from __future__ import annotations

import csv
import io
import json
import threading
from email import message_from_bytes
from email.policy import default

import pytest

from dataops_nb.reports.pages import seals
from dataops_nb.reports.server import serving
from tests.browser import hostile
from tests.browser.test_sending import as_a_mail_program_shows_it

pytestmark = pytest.mark.browser
LANDMARKS = "html, head, body, title, meta, header, main, footer, nav, aside, h1, form, button, textarea, select, .nb-headline, figure, figcaption, .nb-how, dl, dt, dd, article, fieldset, #facts"  # fmt: skip
SKELETON = f"[...document.querySelectorAll('{LANDMARKS}')].map(e => e.tagName + '.' + (e.parentElement || e).tagName).join(' ')"
FOREIGN = "iframe, object, embed, link:not([rel=icon]), base, video, audio, math, svg a, a[href^='javascript:'], a[href^='http'], [onerror], [onload], [ontoggle], [onfocus]"  # fmt: skip
KINDS = ("front page", "archive", "form", "executive", "manager", "analyst", "mail")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages of each string, and those of a harmless one, by string and kind."""
    folder = tmp_path_factory.mktemp("hostile")
    made = {
        said: hostile.write(folder / f"{i:02}", said)
        for i, said in enumerate([hostile.HARMLESS, *hostile.STRINGS])
    }
    for pages in made.values():
        letter = message_from_bytes(pages["mail"].read_bytes(), policy=default)
        pages["mail"] = pages["mail"].with_name("mail.html")
        pages["mail"].write_text(as_a_mail_program_shows_it(letter))
    return folder, made


@pytest.fixture(scope="module")
def tab(browser):
    """One window for all pages; `asked` is what it asked for, `said` what it complained of or showed in a dialog."""
    context = browser.new_context()
    context.add_init_script(
        "for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => { window.hit = name }"
    )
    opened = context.new_page()
    opened.asked, opened.said = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("dialog", lambda dialog: (opened.said.append(dialog.message), dialog.dismiss()))
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    yield opened
    context.close()


def look(tab, address):
    """Open a page and press whatever opens or takes the focus; what happened, and what the page is made of."""
    tab.asked.clear()
    tab.said.clear()
    tab.goto(address, wait_until="load")
    tab.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
    tab.evaluate(
        "document.querySelectorAll('[tabindex], a, input').forEach(e => { e.focus({preventScroll: true}) })"
    )
    return tab.evaluate(
        f"""[window.hit || null, {SKELETON}, document.querySelectorAll("{FOREIGN}").length, location.href]"""
    )


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_runs_nothing_is_asked_for_and_the_page_stays_whole(built, tab, kind):
    _, made = built
    seen = {}
    for said, pages in made.items():
        address = pages[kind].as_uri()
        hit, seen[said], foreign, place = look(tab, address)
        assert hit is None, said
        assert [url for url in tab.asked if not url.startswith("data:")] == [address], said
        assert (tab.said, foreign, place) == ([], 0, address), said
        if kind == "executive":
            shown = tab.inner_text(".nb-headline p")
            exactly = said.isprintable() and "  " not in said
            assert shown == f"41 won. {said}" if exactly else shown.startswith("41 won."), said
    whole = seen.pop(hostile.HARMLESS)
    assert whole.count(" ") > 6
    assert [said for said, parts in seen.items() if parts != whole] == []
    assert len(seen) == 40


def test_a_page_with_them_agrees_with_its_own_seal(built):
    _, made = built
    wrong = {(said, kind): seals.page(pages[kind].read_text()) for said, pages in made.items() for kind in ("front page", "archive", "executive", "manager", "analyst")}  # fmt: skip
    assert {at: problems for at, problems in wrong.items() if problems} == {}


def test_served_pages_are_sandboxed_and_ask_only_this_server(built, tab):
    folder, made = built
    with serving_all(folder) as server:
        for said, pages in list(made.items())[::4]:
            address = f"http://127.0.0.1:{server.server_port}/{server.token}/{pages['analyst'].relative_to(folder).as_posix()}"
            hit, *_ = look(tab, address)
            assert hit is None
            assert [url for url in tab.asked if not url.startswith("data:")] == [address], said


def serving_all(folder):
    (folder / "index.html").write_text("")

    class Served:
        def __enter__(self):
            self.made = serving(folder)
            server = self.made.__enter__()
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            self.server = server
            return server

        def __exit__(self, *_):
            self.server.shutdown()
            self.made.__exit__(None, None, None)

    return Served()


def test_what_programs_read_can_be_read_and_no_spreadsheet_runs_it(built):
    _, made = built
    for said, pages in made.items():
        place = pages["executive"].parent
        json.loads((place / "facts.json").read_text())
        json.loads((place / "slack.json").read_text())
        json.loads((place / "report.ipynb").read_text())
        with (place / "numbers.csv").open(encoding="utf-8", newline="") as handle:
            header, row = csv.reader(io.StringIO(handle.read().replace("\0", "")))
        assert not [
            text for text in (*header, *row) if text.startswith(("=", "+", "-", "@", "\t", "\r"))
        ], said
        letter = message_from_bytes((place / "report.eml").read_bytes(), policy=default)
        assert not letter.defects
        assert "\n" not in letter["Subject"]
