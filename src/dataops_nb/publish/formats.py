"""What a report can be published as beside its pages: a mail, a message, the executed notebook."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from dataops_nb.publish import digest, facts, mail, slack
from dataops_nb.publish.digest import Said
from dataops_nb.publish.facts import Payload
from dataops_nb.publish.kinds import FILES

if TYPE_CHECKING:  # see facts
    from nbformat import NotebookNode


def files(to: Collection[str], notebook: NotebookNode, report: str, pages: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the formats beside html, by name; they say what the executive page among `pages` says."""
    payload = facts.of(notebook)
    said = _said(report, payload, pages[FILES["html"]].decode())
    subject = f"{payload['company']} · {payload['title']} · {payload['period']}"
    made: dict[str, bytes] = {}
    if "eml" in to:
        day = dt.date.fromisoformat(str(payload["as_of"])[:10])
        made[FILES["eml"]] = mail.message(subject, [said], sender="dataops-nb@localhost", to=[], day=day).as_bytes()
    if "slack" in to:
        made[FILES["slack"]] = (json.dumps(slack.blocks(subject, [said]), indent=1) + "\n").encode()
    if "ipynb" in to:
        made[FILES["ipynb"]] = _notebook(notebook)
    return made


def _said(report: str, payload: Payload, page: str) -> Said:
    headline, *others = digest.of_html(page) or [str(payload["headline"])]
    return Said(report, payload["title"], payload["light"], headline, tuple(others), payload["period"])


def _notebook(notebook: NotebookNode) -> bytes:
    """The executed notebook without the cell that papermill added and without what it noted: places, users, times."""
    plain: dict[str, Any] = json.loads(json.dumps(notebook))
    plain["metadata"].pop("papermill", None)
    plain["cells"] = [cell for cell in plain["cells"] if facts.INJECTED not in cell["metadata"].get("tags", [])]
    for cell in plain["cells"]:
        for noted in ("papermill", "execution"):
            cell["metadata"].pop(noted, None)
    return (json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
