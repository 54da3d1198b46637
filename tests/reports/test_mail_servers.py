"""Which mail servers are trusted with a mail and a password; each is a server of this test."""

from __future__ import annotations

import itertools
import shutil
import socketserver
import ssl
import subprocess
import threading
from email.message import EmailMessage

import pytest

from dataops_nb.reports.delivery import servers

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not on this machine")


def certificate(folder, name):
    """A key and a certificate of its own for an IP address or a name."""
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    kind = "IP" if name[0].isdigit() else "DNS"
    command = [OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName={kind}:{name}", "-keyout", key, "-out", cert]
    subprocess.run(command, check=True, capture_output=True)
    return key, cert


class Server(socketserver.StreamRequestHandler):
    """A mail server that notes the words it hears, and whether they came under TLS."""

    def handle(self):
        server = self.server
        if server.tls and server.at_once:
            self._secure()
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():  # STARTTLS changes the stream
            word = line.split()[0].upper() if line.split() else b""
            server.heard.append((word.decode(), isinstance(self.connection, ssl.SSLSocket)))
            if word == b"STARTTLS" and server.tls is None:
                self.wfile.write(b"454 TLS not available\r\n")
            elif word == b"STARTTLS":
                self.wfile.write(b"220 go on\r\n")
                self._secure()
            elif word == b"EHLO":
                self.wfile.write(self._offers())
            elif word == b"DATA":
                self._take()
            elif word == b"AUTH":
                self.wfile.write(b"235 ok\r\n")
            else:
                self.wfile.write(b"250 ok\r\n")

    def _offers(self):
        offered = self.server.offers or (self.server.tls and not self.server.at_once)
        starttls = b"250-STARTTLS\r\n" if offered else b""
        return b"250-test\r\n" + starttls + b"250 AUTH PLAIN\r\n"

    def _take(self):
        self.wfile.write(b"354 go on\r\n")
        while self.rfile.readline().strip() != b".":
            pass
        self.server.taken += 1
        self.wfile.write(b"250 ok\r\n")

    def _secure(self):
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.setup_streams()

    def setup_streams(self):
        self.rfile, self.wfile = (
            self.connection.makefile("rb", self.rbufsize),
            self.connection.makefile("wb", 0),
        )


class Quiet(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that leaves in the middle is what is tested."""


@pytest.fixture
def start(monkeypatch):
    running = []

    def begin(cert=None, *, at_once=False, user=True, offers=False):
        server = Quiet(("127.0.0.1", 0), Server)
        server.heard, server.taken, server.at_once, server.tls = [], 0, at_once, None
        server.offers = offers
        if cert is not None:
            server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.tls.load_cert_chain(cert[1], cert[0])
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        scheme = "smtps" if at_once else "smtp"
        who = "me:hunter22@" if user else ""
        port = server.server_address[1]
        monkeypatch.setenv("DATAOPS_SMTP_URL", f"{scheme}://{who}127.0.0.1:{port}")
        return server

    for name in ("DATAOPS_SMTP_PLAIN", "SSL_CERT_FILE", "DATAOPS_MAIL_FROM"):
        monkeypatch.delenv(name, raising=False)
    yield begin
    for server in running:
        server.shutdown()
        server.server_close()


def send():
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Won deals", "us@example.com", "you@example.com"
    mail.set_content("41")
    return servers.send(mail, ["you@example.com"], pauses=(0.0,))


def words(server):
    return [word for word, _ in server.heard]


@needs_openssl
@pytest.mark.parametrize("at_once", [False, True])
def test_a_trusted_server_of_this_name_gets_the_mail_under_tls(
    start, tmp_path, monkeypatch, at_once
):
    cert = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert[1]))
    server = start(cert, at_once=at_once)
    assert send() == ""
    assert server.taken == 1
    assert dict(server.heard)["AUTH"] is True
    assert dict(server.heard)["DATA"] is True


@needs_openssl
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("user", [False, True])
def test_a_certificate_for_another_name_is_refused_at_once(
    start, tmp_path, monkeypatch, at_once, user
):
    cert = certificate(tmp_path, "mail.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert[1]))
    server = start(cert, at_once=at_once, user=user)
    assert send() == "the mail server is not used: its certificate is for another name"
    assert server.taken == 0
    assert "AUTH" not in words(server)
    assert words(server).count("STARTTLS") <= 1  # no second attempt


@needs_openssl
def test_a_certificate_that_nobody_trusts_is_refused_and_says_how_to_trust_it(start, tmp_path):
    server = start(certificate(tmp_path, "127.0.0.1"))
    why = send()
    assert "certificate is not trusted" in why
    assert "SSL_CERT_FILE" in why
    assert server.taken == 0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return {
        "right": certificate(folder, "127.0.0.1"),
        "other name": certificate(folder, "mail.example.com"),
        "untrusted": certificate(tmp_path_factory.mktemp("others"), "127.0.0.1"),
        "none": None,
        "promised": None,
    }


KINDS = ["right", "other name", "untrusted", "none", "promised"]
SERVERS = list(itertools.product(KINDS, [False, True], [False, True], [False, True]))


@needs_openssl
@pytest.mark.parametrize(("kind", "at_once", "user", "plain"), SERVERS)
def test_whatever_a_server_offers_a_password_goes_to_the_right_one_or_nowhere(
    start, certificates, monkeypatch, kind, at_once, user, plain
):
    """A server may have no TLS, promise it and have none, or show a certificate that proves nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["right"][1]))
    if kind == "other name":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates["other name"][1]))
    monkeypatch.setattr(servers, "PATIENCE", 1.0)
    if plain:
        monkeypatch.setenv("DATAOPS_SMTP_PLAIN", "1")
    server = start(certificates[kind], at_once=at_once, user=user, offers=kind == "promised")
    why = send()
    is_plain = kind == "none" and not at_once and (plain or not user)
    assert server.taken == (kind == "right" or is_plain)
    assert (why == "") == (server.taken == 1)
    assert "hunter22" not in why
    in_the_open = [word for word, under_tls in server.heard if not under_tls]
    assert ("AUTH" in in_the_open) == (is_plain and user)


def test_a_password_is_never_sent_without_tls(start):
    server = start()
    why = send()
    assert "offers no TLS, so the password was not sent" in why
    assert "DATAOPS_SMTP_PLAIN=1" in why
    assert "hunter22" not in why
    assert words(server) == ["EHLO"]


def test_a_plain_server_is_used_where_that_is_said_on_purpose(start, monkeypatch):
    server = start()
    monkeypatch.setenv("DATAOPS_SMTP_PLAIN", "1")
    assert send() == ""
    assert server.taken == 1


def test_a_mail_that_was_taken_is_not_sent_again_for_an_odd_good_bye(start):
    server = start(user=False)  # it answers 250 to QUIT, which is not what RFC 5321 says
    assert send() == ""
    assert server.taken == 1


def test_a_plain_server_that_needs_no_password_is_used(start):
    server = start(user=False)
    assert send() == ""
    assert "AUTH" not in words(server)


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(servers, "PATIENCE", 0.2)
    with socketserver.TCPServer(("127.0.0.1", 0), Server) as silent:  # it accepts, and says nothing
        port = silent.server_address[1]
        monkeypatch.setenv("DATAOPS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        assert send() == "the mail server cannot be reached (SMTPServerDisconnected)"


@pytest.mark.parametrize(
    "url",
    [
        "smtp://me:hunter22/x@127.0.0.1:25",
        "smtp://me:22#hunter22@127.0.0.1:25",
        "smtp://me:22?hunter22@127.0.0.1:25",
        "smtp://me:22/hunter22@127.0.0.1:25",
        "smtp://me:[hunter22@127.0.0.1:25",
        "http://me:hunter22@127.0.0.1:25",
    ],
)
def test_an_address_that_cannot_be_read_does_not_give_its_password_away(monkeypatch, url):
    monkeypatch.setenv("DATAOPS_SMTP_URL", url)
    why = send()
    assert why.startswith("the mail server cannot be used: DATAOPS_SMTP_URL ")
    assert "hunter22" not in why
    assert "22" not in why.replace("%23", "").replace("%2F", "")
