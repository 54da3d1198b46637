"""A message for Slack: blocks with each report's light, title and headline, and a line of plain text for notifications.

Slack takes at most 50 blocks, 150 characters of a header and 3,000 of a section, and no empty text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataops_nb.publish.digest import Said

BLOCKS = 48
LONGEST = 2_900
HEADER = 150
WARNINGS = 10
_SHOWN = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "`": "'", "~": "∼"})


def blocks(subject: str, reports: Sequence[Said]) -> dict[str, Any]:
    """The body that an incoming webhook takes; of more reports than a message holds, the last are counted."""
    shown = [_section(said) for said in reports[:BLOCKS]]
    left = len(reports) - len(shown)
    more = [_text(f"{left} more reports are on the front page.")] if left > 0 else []
    line = " ".join(subject.split()) or "Reports"
    head = {"type": "header", "text": {"type": "plain_text", "text": _cut(line, HEADER)}}
    return {"text": _escaped(line, LONGEST), "blocks": [head, *shown, *more]}


def _section(said: Said) -> dict[str, Any]:
    title = f"*{_escaped(said.title, 300) or 'Report'}*  {said.mark}"
    lines = [said.error] if said.error else [*said.warnings[:WARNINGS], said.headline]
    room = (LONGEST - len(title)) // len(lines) - 1
    return _text("\n".join([title, *(_escaped(line, room) for line in lines)]))


def _text(said: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": said}}


def _escaped(said: str, room: int) -> str:
    """What Slack would read as a link, a mention or a mark is shown as it is; never more than `room` characters."""
    line = " ".join(said.split())
    escaped = line.translate(_SHOWN)
    while line and len(escaped) > room:
        line = line[: len(line) - max((len(escaped) - room) // 5, 1)]
        escaped = f"{line.translate(_SHOWN)}…"
    return escaped


def _cut(line: str, room: int) -> str:
    return line if len(line) <= room else f"{line[: room - 1]}…"
