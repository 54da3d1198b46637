"""What a report is sent as: a mail, a message, prints, one zip; each says what the page says, and nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from contextlib import suppress
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import psutil
import pytest
from nbformat import v4
from packaging.requirements import Requirement

from dataops_nb import display
from dataops_nb.cli import main
from dataops_nb.errors import PublishError, UsageError
from dataops_nb.reports import formats as format_names
from dataops_nb.reports import pages, site
from dataops_nb.reports import pages as pages_
from dataops_nb.reports.delivery import formats, mail, paper, words
from dataops_nb.reports.delivery.words import Words
from dataops_nb.reports.pages import archive, figures, front_page, markup
from dataops_nb.reports.pages import notebook as notebook_
from dataops_nb.reports.pages.cards import MetricCard, More

DAY = dt.date(2026, 11, 22)
ROOT = Path(__file__).parents[2]
CHART = {
    "title": "Won: on target in 9 weeks",
    "description": "Won over the last 2 weeks: 40, then 41.",
    "data": {"values": [{"week": "W46", "won": 40}, {"week": "W47", "won": 41}]},
    "mark": "bar",
    "encoding": {
        "x": {"field": "week", "type": "nominal"},
        "y": {"field": "won", "type": "quantitative"},
    },
}


def output(mime, content):
    return v4.new_output("display_data", data={mime: content})


def cell(source, *outputs, tag="executive"):
    made = v4.new_code_cell(source, outputs=list(outputs))
    made.metadata["tags"] = [tag]
    return made


def notebook():
    fact = dict.fromkeys(notebook_.FACT) | {
        "id": "won.value",
        "metric": "won",
        "field": "value",
        "value": 41,
        "text": "41",
        "period": "2026-W47",
    }
    payload = {
        "schema_version": 1, "complete": True, "company": "Lumen & Co", "title": "Sales", "owner": "Head of Sales", "as_of": "2026-11-22",
        "period": "2026-W47", "data_to": "2026-11-20", "light": "red", "reason": None, "headline": "41 won.", "facts": [fact],
        "rows": [], "warnings": ["deals are 2 days old"],
    }  # fmt: skip
    said = [
        {"text": "Ann is on it.", "facts": []},
        {"text": "41 won.", "facts": ["won.value"], "kind": "headline", "light": "red"},
    ]
    shown = output(display.SENTENCES, {"sentences": said}), output(figures.MIME, CHART)
    injected = cell("token = 'abc'", tag=notebook_.INJECTED)
    nb = v4.new_notebook(
        cells=[
            injected,
            cell("x", *shown),
            cell("record", output(notebook_.MIME, payload), tag="facts"),
        ]
    )
    nb.metadata["papermill"] = {"input_path": "somewhere/30_sales.ipynb"}
    return nb


@pytest.fixture(scope="module")
def files():
    """A report with what is made of it beside its pages."""
    made = pages.files(notebook(), pages.Meta("sales", "1.0"))
    return made | formats.files(("eml", "slack", "ipynb"), notebook(), "sales", made)


@pytest.fixture(scope="module")
def letter(files):
    return message_from_bytes(files["report.eml"], policy=default)


def body(letter, kind):
    return letter.get_body((kind,)).get_content().replace("\r\n", "\n")


def test_every_sentence_of_a_mail_is_one_of_its_page(files, letter):
    page_says = [
        markup.plain(piece)
        for piece in re.findall(r"<(?:p|li|h1|title)[^>]*>(.*?)</", files["index.html"].decode())
    ]
    told = [
        markup.plain(piece) for piece in re.findall(r"<(?:li|b)[^>]*>(.*?)</", body(letter, "html"))
    ]
    assert told == ["41 won.", "Won: on target in 9 weeks", "Ann is on it."]
    assert {"41 won.", "Ann is on it."} <= {
        *page_says,
        *words.sentences(files["index.html"].decode()),
    }
    assert letter["Subject"] == "■ Sales: 41 won, week 47"


def test_a_mail_says_first_what_must_be_known_and_how_fresh_it_is(letter):
    assert body(letter, "plain") == (
        "■ Red  Sales\n! Check first: deals are 2 days old\n\n41 won.\n\n- Ann is on it.\n\n"
        "Chart: Won: on target in 9 weeks. Won over the last 2 weeks: 40, then 41.\n\n"
        "Head of Sales · as of 22 Nov 2026 · data to 20 Nov 2026\n"
    )
    assert "Check first: deals are 2 days old" in body(letter, "html")


def test_the_chart_of_a_mail_is_a_picture_inside_it_with_words(letter):
    html = body(letter, "html")
    (picture,) = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    cid = picture["Content-ID"].strip("<>")
    assert f'src="cid:{cid}" alt="Won over the last 2 weeks: 40, then 41."' in html
    assert picture.get_content().startswith(b"\x89PNG")
    assert len(picture.get_content()) < 60_000
    assert not re.search(r"https?:|<style|<script|<link", html)


def test_the_words_of_a_chart_are_drawn_into_its_picture(files):
    html = files["index.html"].decode()
    silent = re.sub(r"<text\b.*?</text>", "", html)
    assert silent != html
    assert len(words.first_picture(silent).png) < 0.9 * len(words.first_picture(html).png)


def test_a_mail_of_one_report_is_a_draft_and_its_parts_are_small(files, letter):
    assert letter["X-Unsent"] == "1"
    assert letter["Date"].datetime.date() == DAY
    texts = [part for part in letter.walk() if part.get_content_maintype() == "text"]
    assert all(len(part.get_content().encode()) <= mail.LARGEST for part in texts)
    assert formats.files(("eml",), notebook(), "sales", files)["report.eml"] == files["report.eml"]


def test_a_mail_knows_the_day_of_its_page(files):
    assert words.read(files["index.html"].decode(), "sales", "red").as_of == "2026-11-22"


def test_a_mail_of_a_whatif_says_so_in_its_subject_and_first(files):
    meta = pages_.Meta("sales", "1.0", whatif="more", differs=("target 9 instead of 8",))
    pages = pages_.files(notebook(), meta)
    told = message_from_bytes(
        formats.files(("eml",), notebook(), "sales", pages)["report.eml"], policy=default
    )
    assert told["Subject"].startswith("What-if more · ■ Sales")
    assert "! What-if “more”, not the real report: target 9 instead of 8." in " ".join(
        body(told, "plain").split()
    )


def as_published(kind, facts, text, light="yellow"):
    """A page that carries a headline about a value, and its tile."""
    tile = {"text": text, "kind": "tile", "facts": [fact["id"] for fact in facts]}
    headline = {
        "text": "44 sad customers in week 47.",
        "kind": "headline",
        "facts": [facts[0]["id"]],
    }
    cause = {"text": "The rise began with Release 8.0.", "kind": "cause", "facts": []}
    to_do = {"text": "Head of Sales: review the plan by 6 Dec.", "kind": "to do", "facts": []}
    carried = json.dumps({"sentences": [headline, cause, tile, to_do], "facts": facts})
    return f'<h1>{kind}</h1><script type="application/json" id="facts">{carried}</script>'


@pytest.mark.parametrize(
    ("value", "unit", "bound", "rest", "subject"),
    [
        ("12", "deals", "13", "target 13", "▲ Sales: 12 of 13 deals, week 47"),
        ("44", "customers", "26", "limit 26", "▲ Sales: 44 sad customers, limit 26, week 47"),
        ("0.80 %", "percent", "0.50 %", "limit 0.50 %", "▲ Sales: 0.80 %, limit 0.50 %, week 47"),
        ("$7.69M", "USD", "$8.00M", "target $8.00M", "▲ Sales: $7.69M of $8.00M, week 47"),
        ("81", "meetings", "65", "target 65", "▲ Sales: 81 meetings, target 65, week 47"),
        ("325", "tickets", None, "up 3 in a week", "▲ Sales: 325 tickets, week 47"),
    ],
)
def test_the_subject_of_a_mail_is_light_report_number_and_period(value, unit, bound, rest, subject):
    facts = [{"id": "m.value", "field": "value", "text": value, "unit": unit}]
    if bound:
        facts.append({"id": "m.target", "field": "target", "text": bound, "unit": unit})
    if value.isdecimal() and bound:
        for fact in facts:
            fact["value"] = int(fact["text"])
    page = as_published("Sales", facts, f"Deals: {value} · {rest}")
    assert words.read(page, "sales", "yellow", period="2026-W47").subject == subject


def test_a_long_headline_is_cut_and_the_period_stays():
    said = Words("s", "What to solve next", "red", "First: " + "word " * 40, period="2026-W47")
    assert len(said.subject) <= words.SUBJECT
    assert said.subject.endswith("…, week 47")


def test_a_mail_says_headline_tiles_and_what_to_do_and_leads_to_the_page():
    facts = [{"id": "m.value", "field": "value", "text": "12", "unit": "deals"}]
    page = as_published("Sales", facts, "Deals: 12 · target 13")
    said = words.read(page, "sales", "red", period="2026-W47", site="https://x.example/r/")
    made = mail.message("s", [said], sender="a@b.example", to=[], day=DAY)
    text, html = body(made, "plain"), body(made, "html")
    assert "What to do\n- Head of Sales: review the plan by 6 Dec.\n" in text
    assert "- Deals: 12 · target 13\n" in text
    assert "44 sad customers in week 47.\nThe rise began with Release 8.0.\n" in text
    assert "<p>The rise began with Release 8.0.</p>" in re.sub(r' style="[^"]*"', "", html)
    assert "Open the report: https://x.example/r/sales/2026-W47/index.html\n" in text
    assert 'href="https://x.example/r/sales/2026-W47/manager.html#what-changed"' in html
    assert markup.plain(html).count("Deals: 12 · target 13") == 1
    (section,) = formats.blocks("s", [said])["blocks"]
    assert (
        "<https://x.example/r/sales/2026-W47/index.html|Open the report>" in section["text"]["text"]
    )
    assert "*What to do:* Head of Sales" in section["text"]["text"]
    assert section["fields"] == [{"type": "mrkdwn", "text": "Deals: 12 · target 13"}]


def test_a_mail_leaves_ground_and_letters_to_a_dark_program():
    said = Words("s", "S", "red", "h.", to_do=["do it."], warnings=["late"])
    html = body(mail.message("s", [said], sender="a@b.example", to=[], day=DAY), "html")
    assert 'name="color-scheme" content="light dark"' in html
    (ground,) = re.findall(r'<body style="([^"]*)"', html)
    assert "background" not in ground
    assert "color:" not in ground
    for style in re.findall(r'style="([^"]*)"', html):
        assert ("background:" in style) <= ("color:" in style or "border:0" in style), style
    assert not re.search(r"<style|<link|class=", html)


def test_a_mail_without_an_address_leads_nowhere(letter):
    assert "href=" not in body(letter, "html")


def test_a_page_without_a_chart_makes_a_mail_without_a_picture():
    nb = notebook()
    nb.cells[1].outputs.pop()
    pages = pages_.files(nb, pages_.Meta("sales", "1.0"))
    told = message_from_bytes(
        formats.files(("eml",), nb, "sales", pages)["report.eml"], policy=default
    )
    assert "cid:" not in body(told, "html")
    assert "Chart" not in body(told, "plain")


def test_a_report_of_very_long_words_still_fits_and_says_what_is_left_out():
    said = Words(
        "x",
        "T",
        "red",
        "h" * 50_000,
        tuple(f"{n} " + "w" * 3_000 for n in range(200)),
        warnings=["s" * 9_000],
    )
    made = mail.message("s" * 5_000, [said], sender="a@b.example", to=[], day=DAY)
    for kind in ("plain", "html"):
        assert len(body(made, kind).encode()) <= mail.LARGEST
        assert "170 more lines in the report." in body(made, kind)


def test_the_notebook_that_is_published_has_no_injected_cell_and_no_places(files):
    shared = files["report.ipynb"].decode()
    assert "abc" not in shared
    assert "somewhere" not in shared
    assert [c["metadata"]["tags"] for c in json.loads(shared)["cells"]] == [
        ["executive"],
        ["facts"],
    ]


# --- Slack: https://api.slack.com/reference/block-kit/blocks, as of its limits there ----------------------------------


def refused(message):
    """What Slack would refuse a message for."""
    blocks = message["blocks"]
    wrong = [] if len(blocks) <= 50 else [f"{len(blocks)} blocks"]
    for each in blocks:
        limit, kind = {"header": (150, "plain_text"), "section": (3000, "mrkdwn")}[each["type"]]
        fields = each.get("fields", [])
        texts = [len(field["text"]) for field in fields]
        if (
            each["text"]["type"] != kind
            or not 1 <= len(each["text"]["text"]) <= limit
            or set(each) - {"type", "text", "fields"}
            or len(fields) > 10
            or any(not 1 <= size <= 2_000 for size in texts)
        ):
            wrong.append(each)
    return wrong


@pytest.mark.parametrize(
    "reports",
    [
        [],
        [Words("a", "", "green", "")],
        [Words("a", "&" * 5_000, "red", "<" * 9_000, warnings=["*" * 5_000] * 40)],
        [Words(str(n), f"Report {n}", "green", "Well.") for n in range(300)],
        [
            Words(
                "a",
                "A",
                "red",
                "h",
                tiles=["&" * 3_000] * 30,
                to_do=["<" * 5_000] * 9,
                link="https://x.example/a",
            )
        ],
    ],
)
def test_slack_takes_whatever_is_said(reports):
    assert refused(formats.blocks("x" * 500, reports)) == []
    assert refused(formats.blocks(" ", reports)) == []


def test_a_message_says_light_warning_and_headline_and_marks_nothing(files):
    (section,) = json.loads(files["slack.json"])["blocks"]
    assert section["text"]["text"] == "*■ Sales*: 41 won.\nCheck first: deals are 2 days old"
    cut = formats.blocks("s", [Words("a", "A", "red", "&" * 9_000)])["blocks"][0]["text"]["text"]
    assert re.fullmatch(r"\*■ A\*: (&amp;)+…", cut)


# --- paper ----------------------------------------------------------------------------------------------------------


def test_a_machine_without_a_browser_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(paper.NAMED, raising=False)
    monkeypatch.setattr(paper, "ELSEWHERE", ())
    with pytest.raises(PublishError, match="apt-get install chromium"):
        paper.browser()
    monkeypatch.setenv(paper.NAMED, "no-such-program")
    with pytest.raises(PublishError, match="DATAOPS_CHROMIUM points to 'no-such-program'"):
        paper.browser()


def test_a_refresh_to_pdf_without_a_browser_ends_with_7_before_anything_runs(
    monkeypatch, tmp_path, capsys
):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "company.yaml").write_text("company: Lumen\nsources: {}\n")
    monkeypatch.setenv(paper.NAMED, "no-such-program")
    assert main(["-w", str(tmp_path), "refresh", "--to", "html,pdf"]) == 7
    assert "no-such-program" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_printed_page_links_nowhere_and_unfolds_how_it_was_computed(files):
    shown = paper.sheet(
        files["manager.html"]
        .decode()
        .replace("</main>", '<details class="nb-how">x</details></main>')
    )
    assert re.findall(r"<a\b[^>]*href", shown) == []
    assert '<details open class="nb-how">' in shown
    assert "size: A4" in shown


def alive(process):
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "can't print index.html: browser ended with 3"),
        ("sleep 60 & sleep 60", "can't print index.html: browser took more than 1 s"),
        (
            'for a; do case $a in --print-to-pdf=*) echo half > "${a#*=}";; esac; done',
            "ended with 0",
        ),
    ],
)
def test_a_browser_that_fails_hangs_or_writes_half_is_ended_and_named(
    tmp_path, monkeypatch, script, why
):
    (tmp_path / "browser").write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\n{script}\n")
    (tmp_path / "browser").chmod(0o755)
    monkeypatch.setenv(paper.NAMED, str(tmp_path / "browser"))
    monkeypatch.setattr(paper, "PAPER_LONGEST", 1)
    with pytest.raises(PublishError, match=why):
        paper.prints({"index.html": b"<html></html>"}, DAY)
    group = int((tmp_path / "pid").read_text())
    assert [
        each for each in psutil.process_iter() if alive(each) and os.getpgid(each.pid) == group
    ] == []


@pytest.mark.long
@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere nothing tells a child that its parent died"
)
def test_a_browser_ends_with_a_refresh_that_is_killed(tmp_path, monkeypatch):
    (tmp_path / "browser").write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/new && mv {tmp_path}/new {tmp_path}/pid\nexec sleep 60\n"
    )
    (tmp_path / "browser").chmod(0o755)
    code = "import datetime; from dataops_nb.reports.delivery import paper; paper.prints({'index.html': b''}, datetime.date.today())"
    runner = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, paper.NAMED: str(tmp_path / "browser"), "TMPDIR": str(tmp_path)},
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    printing = int((tmp_path / "pid").read_text())
    runner.kill()
    runner.wait()
    monkeypatch.setenv(paper.NAMED, sys.executable)
    while (
        psutil.pid_exists(printing)
        and alive(psutil.Process(printing))
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    assert not (psutil.pid_exists(printing) and alive(psutil.Process(printing)))
    assert len(list(tmp_path.glob(f"{paper.HOME}*"))) == 1
    monkeypatch.setattr(paper.tempfile, "tempdir", str(tmp_path))
    assert paper.prints({}, DAY) == {}  # and the next one clears up what it has left
    assert list(tmp_path.glob(f"{paper.HOME}*")) == []


def test_a_browser_sees_none_of_our_variables(tmp_path, monkeypatch):
    (tmp_path / "browser").write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
    (tmp_path / "browser").chmod(0o755)
    monkeypatch.setenv(paper.NAMED, str(tmp_path / "browser"))
    monkeypatch.setenv("DATAOPS_SMTP_URL", "smtp://me:hunter22secret@127.0.0.1:1")
    with pytest.raises(PublishError):
        paper.prints({"index.html": b"<html></html>"}, DAY)
    assert "hunter22secret" not in (tmp_path / "seen").read_text()


def test_a_print_is_dated_as_of_its_report_and_keeps_its_length():
    pdf = b"%PDF-1.4 /CreationDate (D:20260101123456+00'00')\n/ModDate (D:20260101123456+00'00')>>"
    assert paper._dated(pdf, DAY) == pdf.replace(b"20260101123456", b"20261122000000")


def test_pdf_stands_for_three_files_and_zip_is_named_where_it_is_a_command():
    assert format_names.files_of(("pdf",)) == [
        "index.html",
        "index.pdf",
        "manager.pdf",
        "analyst.pdf",
    ]
    with pytest.raises(UsageError, match="dataops-nb zip"):
        format_names.parse("html,zip")


# --- what may run, and what may be installed -------------------------------------------------------------------------


def test_the_policy_forbids_everything_but_styles_inlined_pictures_and_the_script_it_names(files):
    front = front_page.build("Lumen", [], DAY, more=More({"won": MetricCard("won", "Won")}))
    past = archive.build("Lumen", "Sales", [archive.Past("2026-W47", "2026-11-22")])
    pages = [front, past, *(files[name].decode() for name in pages_.FILES.values())]
    running = 0
    for html in pages:
        (said,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
        allowed = dict(part.strip().split(" ", 1) for part in said.split(";"))
        assert html.index("Content-Security-Policy") < html.index("<title>")
        scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
        digests = [
            base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            for script in scripts
        ]
        assert allowed.pop("script-src", "") == " ".join(f"'sha256-{digest}'" for digest in digests)
        assert allowed == {
            "default-src": "'none'", "style-src": "'unsafe-inline'", "img-src": "data:", "font-src": "data:",
            "base-uri": "'none'", "form-action": "'none'",
        }  # fmt: skip
        running += len(scripts)
    assert running == 2


def test_no_version_with_a_known_hole_is_allowed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    said = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    lowest = {one.name: one.specifier for one in map(Requirement, said)}
    for name, last_bad in {
        "jupyter-server": "2.19.9",
        "jupyterlab": "4.6.1",
        "nbconvert": "7.17.0",
    }.items():
        assert last_bad not in lowest[name]


# --- one zip --------------------------------------------------------------------------------------------------------


@pytest.fixture
def out(tmp_path, files):
    made = tmp_path / "out"
    place = made / "sales" / "2026-W47"
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name).write_bytes(content)
    (made / "sales" / "index.html").write_text("every period")
    (made / "index.html").write_text('<a href="sales/2026-W47/index.html">Sales</a>')
    (made / "latest.json").write_text("{}")
    for name in ("ledger.sqlite", "runs/x/log.html", "history/values.csv", "cache/a.json", "notices/weekly/a.eml",
                 "whatif/more/index.html", "messages/won/a.html", "ask/won/index.html", "sales/.hidden.html", "old.zip"):  # fmt: skip
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text("private")
    (tmp_path / "secret.html").write_text("private")
    (made / "link.html").symlink_to(tmp_path / "secret.html")
    return made


def test_a_zip_holds_what_is_published_and_nothing_else(out, files, tmp_path):
    packed = site.pack(out, tmp_path / "site.zip")
    with zipfile.ZipFile(packed.file) as archive:
        names = archive.namelist()
        assert b"private" not in b"".join(map(archive.read, names))
    assert names == sorted(
        [
            "index.html",
            "latest.json",
            "sales/index.html",
            *(f"sales/2026-W47/{name}" for name in files),
        ]
    )
    assert (packed.files, packed.bytes) == (len(names), (tmp_path / "site.zip").stat().st_size)


def test_the_same_pages_make_the_same_zip_whenever_it_is_packed(out, tmp_path):
    one = site.pack(out, tmp_path / "site.zip").file.read_bytes()
    (out / "index.html").touch()
    assert site.pack(out, out / "site.zip").file.read_bytes() == one
    assert site.pack(out, out / "site.zip").file.read_bytes() == one


def test_the_links_of_an_unpacked_zip_lead_somewhere(out, tmp_path):
    with zipfile.ZipFile(site.pack(out, tmp_path / "site.zip").file) as archive:
        archive.extractall(tmp_path / "unpacked")
    pages = sorted((tmp_path / "unpacked").rglob("*.html"))
    links = [
        (at, link)
        for at in pages
        for link in re.findall(r'<a\b[^>]*href="([^"#]+)"', at.read_text())
    ]
    assert len(links) > 10
    assert [link for at, link in links if not (at.parent / link).is_file()] == []


def test_the_command_packs_what_it_is_told_to(out, tmp_path, capsys):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "company.yaml").write_text("company: Lumen\nsources: {}\n")
    bench = ["-w", str(tmp_path), "--out", str(out)]
    assert main([*bench, "zip", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == str(out / "site.zip")
    assert main([*bench, "zip", str(tmp_path / "none" / "a.zip")]) == 7
    assert main(["-w", str(tmp_path), "--out", str(tmp_path / "empty"), "zip"]) == 7
    assert "no pages yet" in capsys.readouterr().err


def test_a_base64_word_of_a_mail_hides_no_other_words(files):
    """Both text parts can be read in the file as it is, so that what is looked for in it is found."""
    raw = files["report.eml"]
    assert base64.b64encode(b"41 won.") not in raw
    assert raw.count(b"41 won.") == 2
