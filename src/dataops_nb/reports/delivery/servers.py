"""Hand a mail to its server, and post a message; both are tried again where the fault may pass.

The environment alone configures them: `DATAOPS_SMTP_URL` (smtp://user:password@host:587, or
smtps://), the sender `DATAOPS_MAIL_FROM`, and `DATAOPS_SLACK_WEBHOOK`. Where these are not set
nothing is sent.

The certificate of a server must be valid and for its name, and a password is never sent without
TLS. Who runs a server in the same room that has none says so with `DATAOPS_SMTP_PLAIN=1`. Answers
never repeat an address or a password.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

PAUSES = (1.0, 4.0, 16.0)  # seconds between attempts
PATIENCE = 30.0  # seconds without an answer
OTHER_NAME = 62  # OpenSSL's number for a certificate that is another host's
EXAMPLE = "smtp://host:port or smtps://host:port"
ENCODED = "write signs such as / : @ # of a user or password as %2F %3A %40 %23"
NO_TLS = (
    "the server offers no TLS, so the password was not sent; use smtps:// or a server with"
    " STARTTLS, or allow this one with DATAOPS_SMTP_PLAIN=1"
)


class Address(NamedTuple):
    """Where mails are handed in: from the first byte under TLS (`secure`) or by STARTTLS."""

    host: str
    port: int
    secure: bool
    user: str
    password: str


def sender() -> str:
    """Return the address that mails come from."""
    return os.environ.get("DATAOPS_MAIL_FROM") or "dataops-nb@localhost"


def has_mail() -> bool:
    """Tell whether a mail server is named."""
    return bool(os.environ.get("DATAOPS_SMTP_URL"))


def has_slack() -> bool:
    """Tell whether a webhook is named."""
    return bool(os.environ.get("DATAOPS_SLACK_WEBHOOK"))


def send(mail: EmailMessage, to: Sequence[str], pauses: Sequence[float] | None = None) -> str:
    """Hand a mail to the server; return why that failed, empty if it did not.

    The written mail is dated as of its reports, the one that is sent is dated now.
    """
    if mail["Date"]:
        mail.replace_header("Date", format_datetime(dt.datetime.now(dt.UTC)))
    return _try(lambda: _send(mail, to), PAUSES if pauses is None else pauses, "the mail server")


def post(body: Any, pauses: Sequence[float] | None = None) -> str:
    """Post a message; return why that failed, empty if it did not."""
    return _try(lambda: _post(body), PAUSES if pauses is None else pauses, "the webhook")


def _try(attempt: Callable[[], None], pauses: Sequence[float], whom: str) -> str:
    """Attempt it until it succeeds, is refused for good, or the pauses are used up."""
    why = ""
    for pause in (*pauses, None):
        try:
            attempt()
        except (OSError, ValueError, smtplib.SMTPException) as error:
            why = f"{whom} {_reason(error)}"
            if pause is None or _is_final(error):
                return why
            time.sleep(pause)
        else:
            return ""
    return why


def address(url: str) -> Address:
    """Read the address of a mail server.

    Raises ValueError, without repeating the address, where it is none.

    >>> address("smtp://me:p%2Fw@mail.example.com:587")
    Address(host='mail.example.com', port=587, secure=False, user='me', password='p/w')
    """
    try:
        where = urlsplit(url)
        port = where.port or 0
    except ValueError:
        raise ValueError(f"DATAOPS_SMTP_URL is not {EXAMPLE}; {ENCODED}") from None
    if where.path not in {"", "/"} or where.query or where.fragment:
        raise ValueError(f"DATAOPS_SMTP_URL goes on after its port; {ENCODED}")
    if where.scheme not in {"smtp", "smtps"} or not where.hostname:
        raise ValueError(f"DATAOPS_SMTP_URL is not {EXAMPLE}")
    user, password = unquote(where.username or ""), unquote(where.password or "")
    return Address(where.hostname, port, where.scheme == "smtps", user, password)


def _send(mail: EmailMessage, to: Sequence[str]) -> None:
    where = address(os.environ["DATAOPS_SMTP_URL"])
    server = _connected(where)
    try:
        if where.user:
            server.login(where.user, where.password)
        server.send_message(mail, from_addr=sender(), to_addrs=list(to))
        # What was taken stays taken, however the server says good-bye.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()


def _connected(where: Address) -> smtplib.SMTP:
    """Connect to a server, under TLS where it offers that.

    Raises ValueError where a password would go out without TLS and nobody allowed it.
    """
    trusted = ssl.create_default_context()  # checks the certificate and the name of the host
    if where.secure:
        return smtplib.SMTP_SSL(where.host, where.port, timeout=PATIENCE, context=trusted)
    server = smtplib.SMTP(where.host, where.port, timeout=PATIENCE)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=trusted)
            server.ehlo()
        elif where.user and not _is_plain_allowed():
            raise ValueError(NO_TLS)
    except BaseException:
        server.close()
        raise
    return server


def _is_plain_allowed() -> bool:
    return os.environ.get("DATAOPS_SMTP_PLAIN", "").strip().lower() in {"1", "true", "yes"}


def _post(body: Any) -> None:
    webhook = os.environ["DATAOPS_SLACK_WEBHOOK"]
    if urlsplit(webhook).scheme not in {"http", "https"}:
        raise ValueError("DATAOPS_SLACK_WEBHOOK is no address")
    request = urllib.request.Request(  # noqa: S310  the scheme is checked above
        webhook,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        answer.read()


def _is_final(error: Exception) -> bool:
    """Tell a refusal, which stays, from a fault of the moment."""
    if isinstance(error, urllib.error.HTTPError):
        return 400 <= error.code < 500 and error.code != 429
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    if _certificate_fault(error) is not None:
        return True
    return isinstance(error, ValueError) and not isinstance(error, OSError)


def _reason(error: Exception) -> str:
    certificate = _certificate_fault(error)
    if certificate is not None:
        return _certificate_reason(certificate)
    if isinstance(error, urllib.error.HTTPError):
        return f"answered {error.code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "rejected the recipients"
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return f"cannot be used: {error}"
    return f"cannot be reached ({type(error).__name__})"


def _certificate_fault(error: Exception) -> ssl.SSLCertVerificationError | None:
    """Return what is wrong with a certificate; urllib wraps it."""
    inner = error
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        inner = error.reason
    return inner if isinstance(inner, ssl.SSLCertVerificationError) else None


def _certificate_reason(error: ssl.SSLCertVerificationError) -> str:
    """Say what is wrong with a certificate; OpenSSL's own words repeat the host."""
    if error.verify_code == OTHER_NAME or "mismatch" in error.verify_message:
        return "is not used: its certificate is for another name"
    fault = error.verify_message.strip().rstrip(".")
    advice = "SSL_CERT_FILE names the certificates that are trusted"
    return f"is not used: its certificate is not trusted ({fault}); {advice}"
