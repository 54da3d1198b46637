"""Write a mail that reads in a mail program, on a phone and in the dark, as HTML and as text.

Each report stands under its light, with what a reader must know first (stale data, a what-if): its
headline, its tiles, what to do, its first chart as a picture inside the mail, and the way to the
page. Styles stand at each element, since mail programs throw a style sheet away; there is no
colour of the ground or of plain text, so that a dark program can choose both. The same reports give
the same bytes: date and id come from what is said, not from the clock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from markupsafe import Markup

from dataops_nb.reports.delivery.words import Picture, Words
from dataops_nb.reports.pages import markup
from dataops_nb.reports.pages.sentences import APART

LARGEST = 100_000  # bytes of a part that mail programs show whole
ROOM = 80_000  # bytes of reports in a part
ATTACHED = 10_000_000  # bytes
DRAWN = 2_000_000  # bytes of pictures
COLUMNS = 76
LINES = 30  # of one report
LONGEST = 1_000  # characters of a line
FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif"
CHIPS = {
    "green": "background:#00805e;color:#ffffff",
    "yellow": "background:#f0b429;color:#1b1b1b",
    "red": "background:#b3261e;color:#ffffff",
    "unknown": "background:#e6e6e6;color:#1b1b1b",
}
WIDTH = 420
TO_DO = "What to do"


def message(
    subject: str,
    reports: Sequence[Words],
    *,
    sender: str,
    to: Sequence[str],
    day: dt.date,
    attach: bool = False,
) -> EmailMessage:
    """Write the mail about these reports.

    With `attach` their executive pages come along, as far as ten megabytes go.
    """
    mail = EmailMessage(policy=SMTP)
    subject = _short(" ".join(subject.split()), 200)
    mail["Subject"], mail["From"] = subject, sender
    mail["To"] = ", ".join(to) or "undisclosed-recipients:;"
    mail["Date"] = format_datetime(dt.datetime.combine(day, dt.time(), dt.UTC))
    pages = dict(_pages(reports) if attach else ())
    text, html = as_text(subject, reports, pages), as_html(subject, reports, pages)
    mark = hashlib.sha256("\n".join([subject, text, html, *to]).encode()).hexdigest()[:24]
    mail["Message-ID"] = f"<{mark}@dataops-nb>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    pictures = _pictures(reports).values()
    _enclose(mail, [picture for picture in pictures if f"cid:{_cid(picture)}" in html])
    for name, content in pages.items():
        mail.add_attachment(content, maintype="text", subtype="html", filename=name)
    multiparts = [part for part in mail.walk() if part.is_multipart()]
    for number, part in enumerate(multiparts):
        part.set_boundary(f"=_{mark}_{number}")  # chosen by chance otherwise
    return mail


def as_text(subject: str, reports: Sequence[Words], pages: Iterable[str] = ()) -> str:
    """Write the mail for programs that show text only; one report needs no title above it."""
    parts = [_report_text(report) for report in reports]
    if len(reports) != 1:
        parts.insert(0, f"{subject}\n{'=' * min(len(subject), COLUMNS)}")
    return "\n\n".join([*_fitting(parts), *_attached(pages)]) + "\n"


def as_html(subject: str, reports: Sequence[Words], pages: Iterable[str] = ()) -> str:
    """Write the mail as HTML, with styles at each element."""
    pictures = _pictures(reports)
    blocks = [_block(report, pictures.get(report.report)) for report in reports]
    preview = ""
    if len(reports) == 1:
        preview = " ".join(reports[0].to_do[:1])
    return str(
        markup.fill(
            "mail.html.j2",
            subject=subject,
            is_titled=len(reports) != 1,
            preview=preview,
            font=FONT,
            reports=_fitting(blocks),
            notes=_attached(pages),
        )
    )


def _report_text(report: Words) -> str:
    """Write one report as text: light, what must be known first, headline, tiles, what to do."""
    lines = [f"{report.mark}  {report.title}"]
    if report.error:
        return "\n".join([*lines, *_wrapped(report.error)])
    for warning in _few(report.warnings):
        lines += _wrapped(f"! {warning}", "  ")
    lines += ["", *_wrapped(_short(report.headline))]
    lines += [*_wrapped(_short(report.cause)), ""] if report.cause else [""]
    for tile in _few(report.tiles):
        lines += _wrapped(f"- {tile}", "  ")
    if report.to_do:
        lines += ["", TO_DO]
        for sentence in _few(report.to_do):
            lines += _wrapped(f"- {sentence}", "  ")
    for sentence in _few(report.lines):
        lines += _wrapped(f"- {sentence}", "  ")
    if report.picture:
        chart = f"Chart: {_ended(report.picture.caption)} {report.picture.alternative}"
        lines += ["", *_wrapped(" ".join(chart.split()))]
    lines += ["", *(f"{words}: {address}" for words, address in links(report))]
    if report.about:
        lines += ["", report.about]
    return "\n".join(lines).strip().replace("\n\n\n", "\n\n")


def links(report: Words) -> list[tuple[str, str]]:
    """Return where a report leads, with the words of each link; none without an address."""
    ways = [("Open the report", report.link), ("What changed", report.changed)]
    return [(words, address) for words, address in ways if address]


def _block(report: Words, picture: Picture | None) -> Markup:
    """Write one report as HTML; one that failed says why, and nothing else."""
    shown, legend = report, list[str]()
    if report.error:
        shown, picture = Words(report.report, report.title, report.light, report.error), None
    if picture is not None:
        legend = _few(picture.legend)
    return markup.fill(
        "mail_report.html.j2",
        colours=CHIPS.get(report.light, CHIPS["unknown"]),
        mark=report.mark,
        title=report.title,
        about=shown.about,
        warnings=_few(shown.warnings),
        headline=_short(shown.headline),
        cause=_short(shown.cause),
        tiles=[Tile.of(tile) for tile in _few(shown.tiles)],
        heading=TO_DO,
        to_do=_few(shown.to_do),
        picture=picture,
        picture_id=_cid(picture) if picture is not None else "",
        width=WIDTH,
        legend=legend,
        lines=_few(shown.lines),
        links=links(shown),
    )


class Tile(NamedTuple):
    """A tile in three parts: what stands before its value, the value, and the rest."""

    name: str
    value: str
    rest: str

    @classmethod
    def of(cls, text: str) -> Tile:
        """Divide the sentence of a tile: `Deals: 12 · target 13`."""
        before, _, after = text.partition(APART)
        name, colon, value = before.rpartition(": ")
        return cls(f"{name}{colon}", value, after)


def _pictures(reports: Sequence[Words]) -> dict[str, Picture]:
    """Return the pictures of the reports, as far as two megabytes go."""
    pictures = dict[str, Picture]()
    size = 0
    for report in reports:
        if report.picture is None:
            continue
        size += len(report.picture.png)
        if size <= DRAWN and not report.error:
            pictures[report.report] = report.picture
    return pictures


def _enclose(mail: EmailMessage, pictures: Iterable[Picture]) -> None:
    """Put the pictures beside the HTML, which points to them."""
    html = mail.get_body(("html",))
    assert isinstance(html, EmailMessage)  # noqa: S101  it was added a moment ago
    for name, picture in {picture.name: picture for picture in pictures}.items():
        cid, file = f"<{_cid(picture)}>", f"{name}.png"
        html.add_related(
            picture.png,
            maintype="image",
            subtype="png",
            cid=cid,
            filename=file,
            disposition="inline",
        )


def _cid(picture: Picture) -> str:
    return f"{picture.name}@dataops-nb"


def _few(lines: Sequence[str]) -> list[str]:
    """Return the first lines, each shortened, and say how many more there are."""
    few = [_short(line) for line in lines[:LINES]]
    left = len(lines) - LINES
    if left > 0:
        few.append(f"{left} more lines in the report.")
    return few


def _short(line: str, room: int = LONGEST) -> str:
    return line if len(line) <= room else f"{line[: room - 1]}…"


def _wrapped(line: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _ended(sentence: str) -> str:
    return f"{sentence}." if sentence and sentence[-1] not in ".!?" else sentence


def _attached(pages: Iterable[str]) -> list[str]:
    names = list(pages)
    return [f"Attached: {', '.join(names)} (open in a browser)"] if names else []


def _fitting(parts: Sequence[str]) -> list[str]:
    """Return as many parts as there is room for, and say how many are left out."""
    kept, size = list[str](), 0
    for part in parts:
        size += len(part.encode())
        if size > ROOM:
            left = len(parts) - len(kept)
            kept.append(f"{left} more reports on the front page.")
            break
        kept.append(part)
    return kept


def _pages(reports: Sequence[Words]) -> Iterator[tuple[str, bytes]]:
    """Yield the executive pages, by the name of their attachment, as far as there is room."""
    size = 0
    for report in reports:
        if report.error or report.page is None or not report.page.exists():
            continue
        content = report.page.read_bytes()
        size += len(content)
        if content and size <= ATTACHED:
            yield f"{report.report}-{report.period}.html", content
