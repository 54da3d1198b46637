"""What a report can be published as beside its pages: prints, a mail, a message, the executed notebook."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from dataops_nb.publish import digest, facts, mail, paper, slack
from dataops_nb.publish.kinds import FILES

if TYPE_CHECKING:  # see facts
    from nbformat import NotebookNode


def files(to: Collection[str], notebook: NotebookNode, report: str, pages: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the formats beside html, by name; they say what the executive page among `pages` says.

    Raises PublishError where a page cannot be printed.
    """
    payload = facts.of(notebook)
    day = dt.date.fromisoformat(str(payload["as_of"])[:10])
    made = paper.prints(pages, day) if "pdf" in to else {}
    if "ipynb" in to:
        made[FILES["ipynb"][0]] = _notebook(notebook)
    if not {"eml", "slack"} & set(to):
        return made
    page = pages[FILES["html"][0]].decode()
    said = digest.said(page, report, payload["light"], headline=payload["headline"], period=payload["period"])
    subject = digest.title(page)
    if "eml" in to:
        letter = mail.message(subject, [said], sender="dataops-nb@localhost", to=[], day=day)
        letter["X-Unsent"] = "1"  # who opens the file gets a mail to send
        made[FILES["eml"][0]] = letter.as_bytes()
    if "slack" in to:
        made[FILES["slack"][0]] = (json.dumps(slack.blocks(subject, [said]), indent=1) + "\n").encode()
    return made


def _notebook(notebook: NotebookNode) -> bytes:
    """The executed notebook without the cell that papermill added and without what it noted: places, users, times."""
    plain: dict[str, Any] = json.loads(json.dumps(notebook))
    plain["metadata"].pop("papermill", None)
    plain["cells"] = [cell for cell in plain["cells"] if facts.INJECTED not in cell["metadata"].get("tags", [])]
    for cell in plain["cells"]:
        for noted in ("papermill", "execution"):
            cell["metadata"].pop(noted, None)
    return (json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
