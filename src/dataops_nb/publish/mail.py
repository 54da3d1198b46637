"""A mail that reads in a mail program: the sentences of the executive pages as text and as HTML with inlined styles.

The same reports give the same bytes: date and id come from what is said, not from the clock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from dataops_nb.publish.digest import Said
from dataops_nb.publish.markup import text

LARGEST = 100_000
ROOM = 80_000
ATTACHED = 10_000_000
FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif"
CHIPS = {
    "green": "background:#00805e;color:#ffffff",
    "yellow": "background:#f0b429;color:#1b1b1b",
    "red": "background:#b3261e;color:#ffffff",
    "unknown": "background:#e6e6e6;color:#1b1b1b",
}


def message(
    subject: str, reports: Sequence[Said], *, sender: str, to: Sequence[str], day: dt.date, attach: bool = False
) -> EmailMessage:
    """The mail about these reports; with `attach` their executive pages come along, as far as ten megabytes go."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"], mail["From"] = " ".join(subject.split()), sender
    mail["To"] = ", ".join(to) or "undisclosed-recipients:;"
    mail["Date"] = format_datetime(dt.datetime.combine(day, dt.time(), dt.UTC))
    plain, html = as_text(subject, reports), as_html(subject, reports)
    mark = hashlib.sha256("\n".join([subject, plain, html, *to]).encode()).hexdigest()[:24]
    mail["Message-ID"] = f"<{mark}@dataops-nb>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(plain)
    mail.add_alternative(html, subtype="html")
    for name, content in _pages(reports) if attach else ():
        mail.add_attachment(content, maintype="text", subtype="html", filename=name)
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{mark}_{number}")
    return mail


def as_text(subject: str, reports: Sequence[Said]) -> str:
    """The mail for programs that show text only."""
    parts = [subject]
    for said in reports:
        lines = [f"{said.mark}  {said.title}", *_lines(said)]
        parts.append("\n".join(lines))
    return "\n\n".join(_fitting(parts)) + "\n"


def as_html(subject: str, reports: Sequence[Said]) -> str:
    """The mail as HTML: styles stand at each element, because mail programs throw a style sheet away."""
    blocks = _fitting([_block(said) for said in reports])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(subject)}</title></head>\n'
        f'<body style="margin:0;padding:16px;background:#ffffff;color:#1b1b1b;{FONT};font-size:16px;line-height:1.5">\n'
        f'<h1 style="font-size:20px;margin:0 0 16px">{text(subject)}</h1>\n{"".join(blocks)}</body></html>\n'
    )


def _block(said: Said) -> str:
    chip = CHIPS.get(said.light, CHIPS["unknown"])
    first, *others = _lines(said) or [""]
    items = "".join(f'<li style="margin:0 0 4px">{text(line)}</li>' for line in others)
    listed = f'<ul style="margin:0;padding:0 0 0 20px">{items}</ul>' if items else ""
    return (
        f'<section style="margin:0 0 24px;max-width:680px"><h2 style="font-size:17px;margin:0 0 6px">{text(said.title)} '
        f'<span style="{chip};padding:2px 10px;border-radius:10px;font-size:14px;white-space:nowrap">{said.mark}</span></h2>'
        f'<p style="margin:0 0 6px">{text(first)}</p>{listed}</section>\n'
    )


def _lines(said: Said) -> list[str]:
    if said.error:
        return [said.error]
    return list(dict.fromkeys([said.headline, *said.sentences]))


def _fitting(parts: Sequence[str]) -> list[str]:
    """As many parts as there is room for; what is left out is said."""
    kept, size = list[str](), 0
    for part in parts:
        size += len(part.encode())
        if size > ROOM:
            return [*kept, f"{len(parts) - len(kept)} more reports do not fit in here; they are on the front page."]
        kept.append(part)
    return kept


def _pages(reports: Sequence[Said]) -> Iterator[tuple[str, bytes]]:
    size = 0
    for said in reports:
        content = said.page.read_bytes() if said.page and said.page.exists() and not said.error else b""
        size += len(content)
        if content and size <= ATTACHED:
            yield f"{said.report}-{said.period}.html", content
