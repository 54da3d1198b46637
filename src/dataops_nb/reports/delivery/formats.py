"""Write what a report is published as beside its pages: prints, a mail, a message, the notebook.

A message for Slack holds a section for each report: light, title and headline, what to do, and the
way to the page, with the tiles as fields; and a line of plain text for notifications. Slack takes
at most 50 blocks, 150 characters of a header, 3,000 of a section, ten fields of 2,000 each, and no
empty text.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dataops_nb.reports.delivery import mail, paper
from dataops_nb.reports.delivery import words as published
from dataops_nb.reports.delivery.words import Words
from dataops_nb.reports.formats import FILES
from dataops_nb.reports.pages import notebook as notebook_

if TYPE_CHECKING:
    from nbformat import NotebookNode


BLOCKS = 48
SLACK_LONGEST = 2_900
HEADER = 150
WARNINGS = 10
TO_DO = 3  # sentences about what to do
FIELDS, FIELD = 10, 1_900
_SHOWN = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "`": "'", "~": "∼"})


def files(
    to: Collection[str],
    notebook: NotebookNode,
    report: str,
    pages: Mapping[str, bytes],
    site: str | None = None,
) -> dict[str, bytes]:
    """Write the files of the formats `to` beside html, by name.

    They say what the executive page among `pages` says; `site` is the address it is published
    under. PublishError where a page cannot be printed.
    """
    if not set(to) - {"html"}:
        return {}
    payload = notebook_.of(notebook)
    day = dt.date.fromisoformat(str(payload["as_of"])[:10])
    written = paper.prints(pages, day) if "pdf" in to else {}
    if "ipynb" in to:
        written[FILES["ipynb"][0]] = _notebook(notebook)
    if not {"eml", "slack"} & set(to):
        return written
    page = pages[FILES["html"][0]].decode()
    words = published.read(
        page,
        report,
        payload["light"],
        headline=payload["headline"],
        period=payload["period"],
        site=site,
    )
    subject = words.subject
    whatif = published.whatif(page)
    if whatif:
        subject = f"What-if {whatif} · {subject}"
    if "eml" in to:
        letter = mail.message(subject, [words], sender="dataops-nb@localhost", to=[], day=day)
        letter["X-Unsent"] = "1"  # who opens the file gets a mail to send
        written[FILES["eml"][0]] = letter.as_bytes()
    if "slack" in to:
        message = json.dumps(blocks(subject, [words]), indent=1)
        written[FILES["slack"][0]] = (message + "\n").encode()
    return written


def _notebook(notebook: NotebookNode) -> bytes:
    """Write the executed notebook without what papermill added: places, users, times."""
    plain: dict[str, Any] = json.loads(json.dumps(notebook))
    plain["metadata"].pop("papermill", None)
    cells = []
    for cell in plain["cells"]:
        if notebook_.INJECTED not in cell["metadata"].get("tags", []):
            for name in ("papermill", "execution"):
                cell["metadata"].pop(name, None)
            cells.append(cell)
    plain["cells"] = cells
    return (json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def blocks(subject: str, reports: Sequence[Words]) -> dict[str, Any]:
    """Write the body that an incoming webhook takes.

    A single report needs no header, and its headline is the notification. Of more reports than a
    message holds, the last are counted.
    """
    sections = [_section(report) for report in reports[:BLOCKS]]
    left = len(reports) - len(sections)
    if left > 0:
        sections.append(_text(f"{left} more on the front page."))
    line = " ".join(subject.split()) or "Reports"
    if len(reports) != 1:
        header = {"type": "header", "text": {"type": "plain_text", "text": _cut(line, HEADER)}}
        sections.insert(0, header)
    return {"text": _escaped(line, SLACK_LONGEST), "blocks": sections}


def _section(words: Words) -> dict[str, Any]:
    """Write a report: light and headline, what to do, the ways to the page; its tiles as fields."""
    shape = words.mark.partition(" ")[0]
    title = f"*{shape} {_escaped(words.title, 300) or 'Report'}*"
    causes = [words.cause] if words.cause else []
    lines = [words.error] if words.error else [words.headline, *causes, *words.warnings[:WARNINGS]]
    ways = " · ".join(f"<{address}|{text}>" for text, address in mail.links(words))
    to_do = [] if words.error else list(words.to_do[:TO_DO])
    room = (SLACK_LONGEST - len(title) - len(ways) - 20) // (len(lines) + len(to_do)) - 1
    written = [f"{title}: {_escaped(lines[0], room)}"]
    written += [_escaped(line, room) for line in lines[1:]]
    if to_do:
        written.append(f"*{mail.TO_DO}:* {_escaped(to_do[0], room)}")
        written += [_escaped(line, room) for line in to_do[1:]]
    section = _text("\n".join([*written, ways] if ways else written))
    if words.tiles and not words.error:
        tiles = [_escaped(tile, FIELD) for tile in words.tiles[:FIELDS]]
        section["fields"] = [{"type": "mrkdwn", "text": tile} for tile in tiles]
    return section


def _text(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _escaped(text: str, room: int) -> str:
    """Write text without what Slack reads as a link, a mention or a mark, at most `room` long."""
    line = " ".join(text.split())
    escaped = line.translate(_SHOWN)
    while line and len(escaped) > room:
        line = line[: len(line) - max((len(escaped) - room) // 5, 1)]
        escaped = f"{line.translate(_SHOWN)}…"
    return escaped


def _cut(line: str, room: int) -> str:
    return line if len(line) <= room else f"{line[: room - 1]}…"
