"""A message for Slack: blocks with each report's light, title and headline, and a line of plain text for notifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataops_nb.publish.digest import Said

BLOCKS = 48
LONGEST = 2_900


def blocks(subject: str, reports: Sequence[Said]) -> dict[str, Any]:
    """The body that an incoming webhook takes; of more reports than a message holds, the last are counted."""
    shown = [_section(said) for said in reports[:BLOCKS]]
    left = len(reports) - len(shown)
    more = [_text(f"{left} more reports are on the front page.")] if left > 0 else []
    head = {"type": "header", "text": {"type": "plain_text", "text": subject[:150]}}
    return {"text": _escaped(subject), "blocks": [head, *shown, *more]}


def _section(said: Said) -> dict[str, Any]:
    line = said.error or said.headline
    return _text(f"*{_escaped(said.title)}*  {said.mark}\n{_escaped(line)}"[:LONGEST])


def _text(said: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": said}}


def _escaped(said: str) -> str:
    """What Slack would read as a link, a mention or a mark is shown as it is."""
    plain = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("*", "∗").replace("`", "'").replace("~", "∼")
