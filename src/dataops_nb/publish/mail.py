"""A mail that reads in a mail program: the sentences of the executive pages as text and as HTML with inlined styles.

Each report stands under its light, with what a reader must know first (stale data, a what-if), its headline, its first chart
as a picture inside the mail, and its further sentences. The same reports give the same bytes: date and id come from what is
said, not from the clock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from dataops_nb.publish.digest import Said
from dataops_nb.publish.markup import text
from dataops_nb.publish.pictures import WIDTH, Picture

LARGEST = 100_000
ROOM = 80_000
ATTACHED = 10_000_000
DRAWN = 2_000_000
COLUMNS = 76
LINES = 30
LONGEST = 1_000
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
    subject = _short(" ".join(subject.split()), 200)
    mail["Subject"], mail["From"] = subject, sender
    mail["To"] = ", ".join(to) or "undisclosed-recipients:;"
    mail["Date"] = format_datetime(dt.datetime.combine(day, dt.time(), dt.UTC))
    pages = dict(_pages(reports) if attach else ())
    plain, html = as_text(subject, reports, pages), as_html(subject, reports, pages)
    mark = hashlib.sha256("\n".join([subject, plain, html, *to]).encode()).hexdigest()[:24]
    mail["Message-ID"] = f"<{mark}@dataops-nb>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(plain)
    mail.add_alternative(html, subtype="html")
    _enclose(mail, [picture for picture in _pictures(reports).values() if f"cid:{_cid(picture)}" in html])
    for name, content in pages.items():
        mail.add_attachment(content, maintype="text", subtype="html", filename=name)
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{mark}_{number}")
    return mail


def as_text(subject: str, reports: Sequence[Said], pages: Iterable[str] = ()) -> str:
    """The mail for programs that show text only."""
    parts = [f"{subject}\n{'=' * min(len(subject), COLUMNS)}", *map(_told, reports)]
    return "\n\n".join([*_fitting(parts), *_attached(pages)]) + "\n"


def as_html(subject: str, reports: Sequence[Said], pages: Iterable[str] = ()) -> str:
    """The mail as HTML: styles stand at each element, because mail programs throw a style sheet away."""
    drawn = _pictures(reports)
    blocks = _fitting([_block(said, drawn.get(said.report)) for said in reports])
    notes = "".join(f'<p style="margin:0;color:#5a626c;font-size:14px">{text(note)}</p>\n' for note in _attached(pages))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">'
        f"<title>{text(subject)}</title></head>\n"
        f'<body style="margin:0;padding:16px;background:#ffffff;color:#1b1b1b;{FONT};font-size:16px;line-height:1.5">\n'
        f'<h1 style="font-size:20px;line-height:1.3;margin:0 0 18px">{text(subject)}</h1>\n'
        f"{''.join(blocks)}{notes}</body></html>\n"
    )


def _told(said: Said) -> str:
    """One report as text: its light first, then what must be known, the headline, the chart in words, the rest as a list."""
    lines = [f"{said.mark}  {said.title}"]
    lines += [said.about] if said.about else []
    if said.error:
        return "\n".join([*lines, *_wrapped(said.error)])
    lines += [line for warning in _few(said.warnings) for line in _wrapped(f"! {warning}", "  ")]
    lines += ["", *_wrapped(_short(said.headline)), ""]
    lines += [line for each in _few(said.lines) for line in _wrapped(f"- {each}", "  ")]
    if said.picture:
        shown = f"Chart: {_ended(said.picture.caption)} {said.picture.alternative}"
        lines += ["", *_wrapped(" ".join(shown.split()))]
    return "\n".join(lines).strip()


def _block(said: Said, picture: Picture | None) -> str:
    chip = CHIPS.get(said.light, CHIPS["unknown"])
    about = f'<p style="margin:0 0 8px;color:#5a626c;font-size:14px">{text(said.about)}</p>' if said.about else ""
    warned = "".join(f'<p style="margin:0">{text(warning)}</p>' for warning in _few(said.warnings) if not said.error)
    box = "padding:8px 12px;margin:0 0 10px;background:#fff6dc;color:#1b1b1b;border-left:4px solid #d99a00"
    items = "".join(f'<li style="margin:0 0 5px">{text(line)}</li>' for line in _few(said.lines) if not said.error)
    return (
        f'<div style="margin:0 0 28px;max-width:640px"><h2 style="font-size:18px;line-height:1.4;margin:0 0 4px">'
        f'<span style="{chip};padding:2px 10px;border-radius:10px;font-size:14px;white-space:nowrap">{said.mark}</span> '
        f"{text(said.title)}</h2>{about}"
        + (f'<div style="{box}">{warned}</div>' if warned else "")
        + f'<p style="margin:0 0 10px;font-size:18px;line-height:1.4"><b>{text(_short(said.error or said.headline))}</b></p>'
        + (_shown(picture) if picture and not said.error else "")
        + (f'<ul style="margin:0;padding:0 0 0 20px">{items}</ul>' if items else "")
        + "</div>\n"
    )


def _shown(picture: Picture) -> str:
    return (
        f'<p style="margin:12px 0 4px;font-size:15px"><b>{text(picture.caption)}</b></p>'
        f'<p style="margin:0 0 12px"><img src="cid:{_cid(picture)}" alt="{text(picture.alternative)}" width="{WIDTH}" '
        f'style="display:block;width:100%;max-width:{WIDTH}px;height:auto;border:0"></p>{_legend(picture)}'
    )


def _legend(picture: Picture) -> str:
    """What the numbers in a picture stand for; a text part has it among its words."""
    lines = "<br>".join(text(line) for line in _few(picture.legend))
    return f'<p style="margin:0 0 12px;color:#5a626c;font-size:14px">{lines}</p>' if lines else ""


def _pictures(reports: Sequence[Said]) -> dict[str, Picture]:
    """The pictures of the reports, as far as two megabytes go."""
    kept, size = dict[str, Picture](), 0
    for said in reports:
        size += len(said.picture.png) if said.picture else 0
        if said.picture and not said.error and size <= DRAWN:
            kept[said.report] = said.picture
    return kept


def _enclose(mail: EmailMessage, pictures: Iterable[Picture]) -> None:
    """Put the pictures beside the HTML, which points to them."""
    html = mail.get_body(("html",))
    assert isinstance(html, EmailMessage)  # noqa: S101  it was added a moment ago
    for name, picture in {picture.name: picture for picture in pictures}.items():
        cid, file = f"<{_cid(picture)}>", f"{name}.png"
        html.add_related(picture.png, maintype="image", subtype="png", cid=cid, filename=file, disposition="inline")


def _cid(picture: Picture) -> str:
    return f"{picture.name}@dataops-nb"


def _few(lines: Sequence[str]) -> list[str]:
    """The first lines, none longer than a mail has use for; how many more there are is said."""
    left = len(lines) - LINES
    return [*map(_short, lines[:LINES]), *([f"{left} more lines stand on the page."] if left > 0 else [])]


def _short(line: str, room: int = LONGEST) -> str:
    return line if len(line) <= room else f"{line[: room - 1]}…"


def _wrapped(line: str, indent: str = "") -> list[str]:
    return textwrap.wrap(line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _ended(sentence: str) -> str:
    return f"{sentence}." if sentence and sentence[-1] not in ".!?" else sentence


def _attached(pages: Iterable[str]) -> list[str]:
    names = list(pages)
    return [f"Attached, to open in a browser: {', '.join(names)}"] if names else []


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
