"""A look at the pages: only from this machine, only with the token, only to read."""

from __future__ import annotations

import http.client
import threading

import pytest

from dataops_nb.errors import PublishError
from dataops_nb.reports.server import serving


@pytest.fixture
def out(tmp_path):
    pages = {
        "index.html": "<p>front</p>", "sales/2026-W47/index.html": "<p>sales</p>", "sales/2026-W47/numbers.csv": "a,b\n",
        "ledger.sqlite": "x", "runs/log.html": "x", "history/values.csv": "x", "sales/2026-W47/.hidden.html": "x",
    }  # fmt: skip
    for name, text in pages.items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text(text)
    (tmp_path / "secret.html").write_text("x")
    (tmp_path / "out" / "link.html").symlink_to(tmp_path / "secret.html")
    return tmp_path / "out"


@pytest.fixture
def server(out):
    with serving(out) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(server, path, method="GET", **headers):
    line = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    line.request(method, path, headers=headers)
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer, body


def test_it_listens_on_this_machine_only(server):
    assert server.server_address[0] == "127.0.0.1"


def test_the_address_shows_the_front_page_sandboxed(server):
    answer, body = ask(server, f"/{server.token}/index.html")
    assert (answer.status, body) == (200, b"<p>front</p>")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy


@pytest.mark.parametrize("path", ["sales/2026-W47/index.html", "sales/2026-W47/numbers.csv", ""])
def test_published_files_are_there(server, path):
    assert ask(server, f"/{server.token}/{path}")[0].status == 200


@pytest.mark.parametrize(
    "path",
    ["ledger.sqlite", "runs/log.html", "history/values.csv", "../secret.html", "%2e%2e/secret.html", "link.html", "sales/2026-W47/.hidden.html", "sales", "none.html", "%00", "x" * 5000],
)  # fmt: skip
def test_what_is_private_or_elsewhere_is_not(server, path):
    assert ask(server, f"/{server.token}/{path}")[0].status == 404


@pytest.mark.parametrize("path", ["/index.html", "/", "/wrong/index.html", "/%00/index.html"])
def test_without_the_token_there_is_nothing(server, path):
    assert ask(server, path)[0].status == 404


def test_another_name_in_the_host_header_is_refused(server):
    assert ask(server, f"/{server.token}/index.html", Host="evil.example")[0].status == 421
    assert (
        ask(server, f"/{server.token}/index.html", Host=f"localhost:{server.server_port}")[0].status
        == 200
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_only_looking_is_allowed(server, method):
    answer, _ = ask(server, f"/{server.token}/index.html", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_sends_no_body(server):
    answer, body = ask(server, f"/{server.token}/index.html", "HEAD")
    assert (answer.status, body, answer.headers["Content-Length"]) == (200, b"", "12")


def test_each_start_has_a_token_of_its_own(out):
    with serving(out) as one, serving(out) as other:
        assert one.token != other.token
        assert len(one.token) >= 32


def test_nothing_published_is_said(tmp_path):
    with pytest.raises(PublishError, match="no pages"), serving(tmp_path):
        pass
