"""What a cell shows on a page: the richest of its outputs that is on the allow-list, and nothing else."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dataops_nb.errors import ReportError
from dataops_nb.publish import facts, figures, markup, said
from dataops_nb.publish.facts import SENTENCES
from dataops_nb.publish.said import Seen

if TYPE_CHECKING:  # importing nbformat takes a second, and a suite in which nothing changed needs none
    from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"
SHOWN = (SENTENCES, figures.MIME, "text/html", "image/png", "text/markdown", "text/plain")
CUT = 32_000
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def html(cell: NotebookNode, seen: Seen, *, stdout: bool) -> Iterator[str]:
    """The outputs of a code cell as HTML; `stdout` says whether what it printed is shown."""
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            if stdout and output.get("name") == "stdout":
                yield _printed(output["text"])
        elif output["output_type"] in {"display_data", "execute_result"}:
            yield _displayed(output["data"], output.get("metadata", {}), seen)


def _displayed(data: Mapping[str, Any], metadata: Mapping[str, Any], seen: Seen) -> str:
    if facts.MIME in data or WIDGET in data:
        return ""
    mime = next((mime for mime in SHOWN if mime in data), None)
    if mime == SENTENCES:
        return said.sentences(data[SENTENCES]["sentences"], seen, str(data[SENTENCES].get("title") or ""))
    if mime == figures.MIME:
        return figures.figure(data[mime], seen.name())
    if mime == "image/png":
        return _image(data[mime], metadata.get(mime, {}).get("alt"), seen)
    show: dict[str, Callable[[str], str]] = {
        "text/html": markup.clean,
        "text/markdown": markup.markdown,
        "text/plain": _printed,
    }
    return show[mime](_text(data[mime])) if mime else ""


def _text(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def _printed(value: Any) -> str:
    printed = ESCAPES.sub("", _text(value)).rstrip()
    note = ""
    if len(printed) > CUT:
        note = f'<p class="nb-note">Cut here: {len(printed) - CUT:,} more characters were printed.</p>'
        printed = printed[:CUT]
    return f'<pre tabindex="0">{markup.text(printed)}</pre>{note}' if printed else ""


def _image(value: Any, alt: str | None, seen: Seen) -> str:
    try:
        raw = base64.b64decode(_text(value).replace("\n", ""), validate=True)
    except binascii.Error as error:
        raise ReportError("an image of the notebook is damaged") from error
    if not raw.startswith(b"\x89PNG\r\n"):
        raise ReportError("an output says it is a PNG image and is not")
    label = alt or f"Figure {seen.name()[1:]}, without a description"
    source = base64.b64encode(raw).decode()
    return f'<figure class="nb-figure"><img alt="{markup.text(label)}" src="data:image/png;base64,{source}"></figure>'
