"""One refresh to every format, as a person would look at what came out: prints on paper, the mail in a window, the notebook."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import nbformat
import pytest

from dataops_nb.reports.delivery import words
from dataops_nb.reports.pages import markup, seals
from tests.browser.conftest import CHROMIUM

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not on this machine"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of the packaged sales report, refreshed by the command to all formats."""
    place = tmp_path_factory.mktemp("sent")
    where = ["-w", str(ROOT), "--data", str(place / "data"), "--out", str(place / "out")]
    asked = [
        "refresh",
        "--report",
        "customer-service",
        "--to",
        "html,pdf,eml,slack,ipynb",
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "dataops_nb", *where, *asked],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    (made,) = json.loads(done.stdout)["reports"]
    assert made["state"] == "ok", made["error"]
    return Path(made["pages"][0]).parent


def headline(report):
    return words.sentences((report / "index.html").read_text("utf-8"))[0]


def test_every_format_is_published_beside_the_pages(report):
    assert sorted(path.name for path in report.iterdir()) == [
        "analyst.html", "analyst.pdf", "facts.json", "index.html", "index.pdf", "manager.html", "manager.pdf",
        "numbers.csv", "report.eml", "report.ipynb", "slack.json",
    ]  # fmt: skip
    assert [name for name in report.glob("*.html") if seals.page(name.read_text())] == []


@pytest.mark.parametrize(
    ("name", "fewest", "most"), [("index", 1, 3), ("manager", 2, 9), ("analyst", 3, 14)]
)
def test_a_print_says_the_headline_on_a4_and_has_ink_on_every_page(report, name, fewest, most):
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")
    printed = pdfium.PdfDocument(report / f"{name}.pdf")
    texts = [" ".join(page.get_textpage().get_text_range().split()) for page in printed]
    assert fewest <= len(texts) <= most
    assert headline(report) in texts[0]
    assert "How it is calculated" in " ".join(texts)
    assert {(round(page.get_width()), round(page.get_height())) for page in printed} == {(595, 842)}
    for page in printed:
        dark = page.render(scale=0.5, grayscale=True).to_numpy() < 200
        assert 0.002 < dark.mean() < 0.5


@pytest.mark.parametrize("name", ["solve-next", "north-star", "product"])
def test_the_first_sheet_says_what_to_do_and_has_the_chart(sample_out, visit, tmp_path, name):
    """A page of which all but a warning stood overleaf had this sheet nearly white."""
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")
    tab = visit(sample_out / name / "2026-W47" / "manager.html")
    tab.pdf(path=tmp_path / "printed.pdf", format="A4")
    first = pdfium.PdfDocument(tmp_path / "printed.pdf")[0]
    assert "What to do" in first.get_textpage().get_text_range()
    dark = first.render(scale=0.5, grayscale=True).to_numpy() < 200
    assert dark[len(dark) // 2 :].mean() > 0.005  # its lower half is not white


def test_the_light_keeps_its_colour_on_paper(report):
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")
    seen = (
        pdfium.PdfDocument(report / "index.pdf")[0]
        .render(scale=1)
        .to_numpy()[:, :, 2::-1]
        .reshape(-1, 3)
    )
    light = re.search(r'class="nb-chip" data-light="(\w+)"', (report / "index.html").read_text())[1]
    colour = {"green": (0, 128, 94), "yellow": (240, 180, 41), "red": (179, 38, 30)}[light]
    assert (abs(seen.astype(int) - colour).max(axis=1) < 6).sum() > 300


def test_no_print_names_a_folder_of_this_machine_or_links_to_one(report):
    for path in report.glob("*.pdf"):
        content = path.read_bytes()
        assert b"file:" not in content
        assert b"/URI" not in content
        assert str(report).encode() not in content


def test_the_slack_body_and_the_notebook_can_be_read(report):
    assert (
        headline(report)
        in json.loads((report / "slack.json").read_text())["blocks"][0]["text"]["text"]
    )
    shared = nbformat.read(report / "report.ipynb", as_version=4)
    nbformat.validate(shared)
    assert not [
        cell for cell in shared.cells if "injected-parameters" in cell.metadata.get("tags", [])
    ]
    assert "papermill" not in shared.metadata


def as_a_mail_program_shows_it(letter):
    """The HTML part with its pictures in place, as a mail program resolves what cid: points to."""
    html = letter.get_body(("html",)).get_content()
    for part in letter.walk():
        if part["Content-ID"]:
            shown = f"data:{part.get_content_type()};base64,{base64.b64encode(part.get_content()).decode()}"
            html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", shown)
    return html


@pytest.mark.parametrize("width", [600, 360])
def test_the_mail_reads_in_a_window_of_any_width(report, browser, tmp_path, width):
    letter = message_from_bytes((report / "report.eml").read_bytes(), policy=default)
    (tmp_path / "mail.html").write_text(as_a_mail_program_shows_it(letter))
    tab = browser.new_page(viewport={"width": width, "height": 800})
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto((tmp_path / "mail.html").as_uri(), wait_until="networkidle")
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    drawn = tab.eval_on_selector_all(
        "img", "all => all.map(e => [e.naturalWidth, e.getBoundingClientRect().width, e.alt])"
    )
    assert len(drawn) == 1
    assert drawn[0][0] > drawn[0][1] > 300
    assert len(drawn[0][2]) > 40
    assert headline(report) in tab.inner_text("body")
    tab.close()


def test_the_text_of_the_mail_says_what_its_html_says(report):
    letter = message_from_bytes((report / "report.eml").read_bytes(), policy=default)
    plain, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    written = " ".join(plain.split())
    first = words.told_first((report / "index.html").read_text("utf-8"))
    assert len(first) > 2
    for sentence in first:
        assert sentence in written, sentence
        assert " ".join(sentence.split()) in markup.plain(html).replace(" · ", " · "), sentence
