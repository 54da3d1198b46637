"""Delivery: a mail is handed to a server, a message posted; tried again a few times where the other side is at fault.

Both are configured by the environment alone: `DATAOPS_SMTP_URL` (smtp://user:password@host:587, or smtps://), the sender
`DATAOPS_MAIL_FROM`, and `DATAOPS_SLACK_WEBHOOK`. Where they are not set nothing is sent.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import smtplib
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

PAUSES = (1.0, 4.0, 16.0)
PATIENCE = 30.0


def sender() -> str:
    """Who mails come from."""
    return os.environ.get("DATAOPS_MAIL_FROM") or "dataops-nb@localhost"


def mail_configured() -> bool:
    """Whether a mail server is named."""
    return bool(os.environ.get("DATAOPS_SMTP_URL"))


def slack_configured() -> bool:
    """Whether a webhook is named."""
    return bool(os.environ.get("DATAOPS_SLACK_WEBHOOK"))


def send(mail: EmailMessage, to: Sequence[str], pauses: Sequence[float] | None = None) -> str:
    """Hand a mail to the server; why that failed, or nothing. The server's address and password are never repeated.

    The mail as it was written is dated as of its reports; the one that is sent is dated now.
    """
    if mail["Date"]:
        mail.replace_header("Date", format_datetime(dt.datetime.now(dt.UTC)))
    return _tried(lambda: _send(mail, to), PAUSES if pauses is None else pauses, "the mail server")


def post(body: Any, pauses: Sequence[float] | None = None) -> str:
    """Post a message; why that failed, or nothing."""
    return _tried(lambda: _post(body), PAUSES if pauses is None else pauses, "the webhook")


def _tried(attempt: Callable[[], None], pauses: Sequence[float], whom: str) -> str:
    said = ""
    for pause in (*pauses, None):
        try:
            attempt()
        except (OSError, ValueError, smtplib.SMTPException) as error:
            said = f"{whom} {_reason(error)}"
            if pause is None or _is_final(error):
                return said
            time.sleep(pause)
        else:
            return ""
    return said


def _send(mail: EmailMessage, to: Sequence[str]) -> None:
    where = urlsplit(os.environ["DATAOPS_SMTP_URL"])
    if where.scheme not in {"smtp", "smtps"} or not where.hostname:
        raise ValueError("DATAOPS_SMTP_URL is not smtp://host:port or smtps://host:port")
    kind = smtplib.SMTP_SSL if where.scheme == "smtps" else smtplib.SMTP
    with kind(where.hostname, where.port or 0, timeout=PATIENCE) as server:
        server.ehlo()
        if where.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls()
            server.ehlo()
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        server.send_message(mail, from_addr=sender(), to_addrs=list(to))


def _post(body: Any) -> None:
    address = os.environ["DATAOPS_SLACK_WEBHOOK"]
    if urlsplit(address).scheme not in {"http", "https"}:
        raise ValueError("DATAOPS_SLACK_WEBHOOK is no address")
    asked = urllib.request.Request(  # noqa: S310  the scheme is checked above
        address, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
        answer.read()


def _is_final(error: Exception) -> bool:
    """Whether asking again would not help: a refusal, not a fault of the moment."""
    if isinstance(error, urllib.error.HTTPError):
        return 400 <= error.code < 500 and error.code != 429
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, ValueError) and not isinstance(error, OSError)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"answers {error.code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answers {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "refuses the recipients"
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return f"cannot be used: {error}"
    return f"cannot be reached ({type(error).__name__})"
