"""Who is told what after a suite, as mails and messages, sent to servers of this test. No live service is used."""

from __future__ import annotations

import datetime as dt
import json
import socketserver
import threading
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from dataops_nb import history
from dataops_nb.reports import environment, execution, progress, run
from dataops_nb.reports.delivery import formats, mail, servers, words
from dataops_nb.reports.delivery.words import Words
from tests.reports.test_incremental import DAY, Fake, again, refreshed, why

pytestmark = pytest.mark.faults  # each runs refreshes; `make check` has the time

MAIL = "  mail: {success: [board@example.com], failure: [ops@example.com], only_on_change: %s}\n"


@pytest.fixture
def fake(monkeypatch):
    made = Fake()
    monkeypatch.setattr(execution, "run", made.run)
    for name in ("DATAOPS_SMTP_URL", "DATAOPS_SLACK_WEBHOOK", "DATAOPS_MAIL_FROM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(servers, "PAUSES", (0.0, 0.0))
    return made


@pytest.fixture
def wb(tmp_path):
    from tests.reports.test_incremental import COMPANY, make, weekly, write_sales

    made = make(tmp_path, weekly("one", "two") + MAIL % "false", one=["1"], two=["2"])
    (tmp_path / "params" / "company.yaml").write_text(COMPANY)
    (tmp_path / "data" / "losses.csv").write_text("day\n2026-11-19\n")
    write_sales(made)
    return again(made)


class Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs; `answers` are given to RCPT, one a connection, the last one for ever."""

    def handle(self):
        server = self.server
        answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        self.wfile.write(b"220 test\r\n")
        to, data = [], None
        for line in self.rfile:
            word = line[:4].upper()
            if data is not None:
                if line == b".\r\n":
                    server.got.append((to, b"".join(data)))
                    data = None
                    self.wfile.write(b"250 ok\r\n")
                else:
                    data.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            elif word == b"RCPT":
                to.append(line.decode().split("<")[1].split(">")[0])
                self.wfile.write(answer)
            elif word == b"DATA":
                data = []
                self.wfile.write(b"354 go on\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        code = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        if code == 200:
            server.got.append(json.loads(body))
        server.asked += 1
        self.send_response(code)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """Start a server of this test on a free port; `got` is what it was given."""
    running = []

    def start(kind, handler, answers):
        server = kind(("127.0.0.1", 0), handler)
        server.answers, server.got, server.asked, server.daemon_threads = answers, [], 0, True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def post_office(serve, monkeypatch):
    def start(*answers):
        server = serve(socketserver.ThreadingTCPServer, Smtp, list(answers) or [b"250 ok\r\n"])
        monkeypatch.setenv("DATAOPS_SMTP_URL", f"smtp://127.0.0.1:{server.server_address[1]}")
        return server

    return start


@pytest.fixture
def channel(serve, monkeypatch):
    def start(*answers):
        server = serve(HTTPServer, Hook, list(answers) or [200])
        monkeypatch.setenv(
            "DATAOPS_SLACK_WEBHOOK", f"http://127.0.0.1:{server.server_address[1]}/hook"
        )
        return server

    return start


def read(server):
    return [(to, message_from_bytes(raw, policy=default)) for to, raw in server.got]


# --- what a mail is -------------------------------------------------------------------------------------------------

HOSTILE = '<script>alert(1)</script> & "quotes"'


def letter(reports, **options):
    return mail.message(
        "Weekly", reports, sender="a@example.com", to=["b@example.com"], day=DAY, **options
    )


def test_a_mail_says_its_sentences_as_text_and_as_html_with_inlined_styles():
    made = letter(
        [Words("sales", "Sales", "red", "Too few.", ("Too few.", "Three less than planned."))]
    )
    plain, html = (made.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "■ Red  Sales\n\nToo few.\n\n- Three less than planned." in plain.replace("\r\n", "\n")
    assert html.count("Too few.") == 1
    assert "<style" not in html
    assert 'style="background:#b3261e' in html


def test_what_a_report_says_cannot_run_in_a_mail_or_a_message():
    said = [Words("x", HOSTILE, "green", HOSTILE)]
    html = letter(said).get_body(("html",)).get_content()
    assert "<script" not in html
    body = formats.blocks(HOSTILE, [Words("x", "A", "green", "<!channel> *bold* <http://x|y>")])
    assert "<" not in json.dumps(body["blocks"][0])


def test_a_mail_of_many_reports_stays_small_and_says_what_is_left_out():
    many = [
        Words(f"r{n}", f"Report {n}", "green", "word " * 200, period="2026-W47") for n in range(300)
    ]
    made = letter(many)
    assert (
        max(len(part.get_content().encode()) for part in made.walk() if not part.is_multipart())
        <= mail.LARGEST
    )
    assert "more reports on the front page" in made.get_body(("plain",)).get_content()
    assert len(formats.blocks("s", many)["blocks"]) <= 50


def test_the_same_reports_make_the_same_mail(tmp_path):
    (tmp_path / "index.html").write_text("page")
    said = [
        Words("sales", "Sales", "green", "Well.", page=tmp_path / "index.html", period="2026-W47")
    ]
    one, two = (letter(said, attach=True).as_bytes() for _ in range(2))
    assert one == two
    assert [
        part.get_filename() for part in message_from_bytes(one, policy=default).iter_attachments()
    ] == ["sales-2026-W47.html"]


def test_sentences_are_read_back_from_the_page_the_headline_first():
    page = '<script type="application/json" id="facts">{"sentences":[{"text":"b"},{"text":"a \\u003c b","kind":"headline"}]}</script>'
    assert words.sentences(page) == ["a < b", "b"]


# --- who is told, and when ------------------------------------------------------------------------------------------


def test_success_and_failure_go_to_those_who_are_named(wb, fake, post_office):
    server = post_office()
    fake.fails = {"two"}
    refreshed(wb)
    told = {to[0]: said for to, said in read(server)}
    assert sorted(told) == ["board@example.com", "ops@example.com"]
    assert told["board@example.com"]["Subject"] == "● Sales, week 47"
    assert told["ops@example.com"]["Subject"] == "1 of 2 reports not updated · Lumen"
    assert "cell 3: ValueError: no" in told["ops@example.com"].get_body(("plain",)).get_content()
    names = sorted(path.name for path in (wb.out / "notices" / "weekly").iterdir())
    forms = ("eml", "json", "slack.json")
    assert names == [
        f"2026-11-22.{kind}.{form}" for kind in ("failure", "success") for form in forms
    ]


def test_nobody_is_told_where_nothing_happened(wb, fake, post_office):
    refreshed(wb)
    server = post_office()
    refreshed(wb)
    assert server.got == []


def test_a_reader_of_several_departments_gets_one_digest_a_week(wb, fake, post_office):
    path = wb.root / "params" / "reports.yaml"
    text = path.read_text().replace("mail: {", "mail: {digest: {ann@example.com: [two]}, ")
    path.write_text(text.replace("board@example.com", "").replace("ops@example.com", ""))
    server = post_office()
    for day in (8, 15, 15, 20, 22):
        refreshed(again(wb), as_of=dt.date(2026, 11, day), force=True)
    assert [to for to, _ in server.got] == [["ann@example.com"]] * 3
    written = [path.name for path in (wb.out / "notices" / "weekly").glob("*.digest.*.eml")]
    assert len(written) == 3


def test_only_a_change_is_told_if_asked(wb, fake, post_office, channel):
    path = wb.root / "params" / "reports.yaml"
    path.write_text(path.read_text().replace("only_on_change: false", "only_on_change: true"))
    server, hook = post_office(), channel()
    for day, fails in (
        (8, set()),
        (15, set()),
        (22, {"two"}),
        (29, {"two"}),
        (30, set()),
        (30, {"two"}),
    ):
        fake.fails = fails
        refreshed(wb, as_of=dt.date(2026, 11, day), force=True)
    assert [to[0].split("@")[0] for to, _ in server.got] == ["board", "ops", "ops"]
    assert len(hook.got) == 3


def test_a_delivery_is_tried_again_a_failing_cell_is_not(wb, fake, post_office, channel):
    server, hook = post_office(b"451 later\r\n", b"250 ok\r\n"), channel(503, 429, 200)
    fake.fails = {"two"}
    outcome = run.run(again(wb), as_of=DAY, reports=["two"], progress=progress.silent)
    assert (fake.ran, outcome.undelivered) == (["two"], [])
    assert (len(server.got), len(hook.got), hook.asked) == (1, 1, 3)


def test_what_could_not_be_delivered_is_delivered_by_the_next_refresh(
    wb, fake, monkeypatch, channel
):
    hook = channel(403)
    outcome = run.run(again(wb), as_of=DAY, progress=progress.silent)
    assert outcome.undelivered == [
        "notices/weekly/2026-11-22.success.slack.json not sent: the webhook answered 403. It will be tried again at the next refresh."
    ]
    assert (outcome.exit_code, hook.asked) == (7, 1)
    hook.answers = [200]
    assert run.run(again(wb), as_of=DAY, progress=progress.silent).undelivered == []
    assert len(hook.got) == 1


def test_what_a_server_has_taken_stands_in_the_communication_log_what_was_only_written_does_not(
    wb, fake, channel
):
    log = wb.out / "history" / "sent.csv"
    refreshed(wb)
    assert (wb.out / "notices" / "weekly" / "2026-11-22.success.eml").exists()
    assert not log.exists()
    hook = channel(403)
    refreshed(wb, force=True)
    assert not log.exists()
    hook.answers = [200]
    assert refreshed(wb) == ["skipped", "skipped"]
    rows = [line.split(",")[1:] for line in log.read_text().splitlines()]
    assert rows == [
        ["report", "as_of", "readers"],
        ["one", "2026-11-22", "slack"],
        ["two", "2026-11-22", "slack"],
    ]


def test_the_log_names_the_readers_of_a_mail_and_leaves_failures_out(wb, fake, post_office):
    post_office()
    fake.fails = {"two"}
    refreshed(wb)
    sent = history.SENT.read(wb.out)
    assert sent[["report", "as_of", "readers"]].values.tolist() == [
        ["one", "2026-11-22", "board@example.com"]
    ]
    assert why(wb, as_of=DAY + dt.timedelta(days=1)).endswith(
        "not '2026-11-22'"
    )  # and no report is due because of it


def test_a_mail_is_dated_when_it_is_sent(wb, fake, post_office):
    server = post_office()
    refreshed(wb)
    [(_, told)] = read(server)
    assert abs(told["Date"].datetime - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)
    written = (wb.out / "notices" / "weekly" / "2026-11-22.success.eml").read_bytes()
    assert message_from_bytes(written, policy=default)["Date"].datetime.date() == DAY


def test_a_server_that_is_not_there_is_named_without_its_password(wb, fake, monkeypatch):
    monkeypatch.setenv("DATAOPS_SMTP_URL", "smtp://me:hunter22secret@127.0.0.1:1")
    outcome = run.run(again(wb), as_of=DAY, progress=progress.silent)
    assert outcome.undelivered == [
        "notices/weekly/2026-11-22.success.eml not sent: the mail server cannot be reached (ConnectionRefusedError). It will be tried again at the next refresh."
    ]


def test_no_notebook_sees_what_delivery_needs(wb, fake, monkeypatch):
    monkeypatch.setenv("DATAOPS_SMTP_URL", "smtp://me:hunter22secret@127.0.0.1:1")
    assert "DATAOPS_SMTP_URL" not in environment.of(wb.definitions)
    assert "hunter22secret" in environment.secrets(wb.definitions)


def test_a_whatif_and_a_backfill_tell_nobody(wb, fake, post_office):
    from dataops_nb.reports.run import backfill

    server = post_office()
    (wb.root / "params" / "whatif").mkdir()
    (wb.root / "params" / "whatif" / "more.yaml").write_text("currency: EUR\n")
    run.run(again(wb, whatif="more"), as_of=DAY, progress=progress.silent)
    backfill(again(wb), "weekly", first=dt.date(2026, 11, 1), last=DAY, progress=progress.silent)
    assert server.got == []
