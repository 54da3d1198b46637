"""Show what the cells of a notebook displayed: the richest form that is on the allow-list.

Sentences and charts are written anew from their data; HTML and Markdown pass a filter; a picture is
a PNG that travels in the page; all else is text, cut where it is endless.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from dataops_nb.display import SENTENCES
from dataops_nb.errors import ReportError
from dataops_nb.reports.pages import figures, markup, notebook, sentences
from dataops_nb.reports.pages.sentences import Shown

if TYPE_CHECKING:
    from nbformat import NotebookNode


WIDGET = "application/vnd.jupyter.widget-view+json"
SHOWN = (SENTENCES, figures.MIME, "text/html", "image/png", "text/markdown", "text/plain")
# What draws, and never stands on a page.
DRAWN = ("image/", "application/javascript", "application/vnd.")
FIGURE = re.compile(r"<(script|iframe|img|svg|canvas|object|embed|video)\b", re.IGNORECASE)
CUT = 32_000
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def of(cell: NotebookNode, number: int, shown: Shown, *, stdout: bool) -> Iterator[Markup]:
    """Yield the outputs of the code cell with this number as HTML.

    `stdout` says whether what the cell printed is shown.
    """
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            if stdout and output.get("name") == "stdout":
                yield _printed(output["text"])
        elif output["output_type"] in {"display_data", "execute_result"}:
            yield _displayed(output["data"], output.get("metadata", {}), number, shown)


def _displayed(
    data: Mapping[str, Any], metadata: Mapping[str, Any], number: int, shown: Shown
) -> Markup:
    """Write the richest of the forms in which an output is there.

    HTML of which a page shows nothing, as that of a figure that is all script, gives way to the
    next form. Where only text is left of a figure, a note names the cell.
    """
    if notebook.MIME in data or WIDGET in data:
        return Markup()
    is_blank = "text/html" in data and _is_blank(_text(data["text/html"]))
    forms = [mime for mime in SHOWN if mime in data and not (is_blank and mime == "text/html")]
    written = Markup()
    if forms:
        written = _form(forms[0], data[forms[0]], metadata, shown)
    others = [mime for mime in data if mime not in SHOWN]
    is_figure = is_blank or any(mime.startswith(DRAWN) for mime in others)
    if is_figure and forms in ([], ["text/plain"]):
        if _text(data.get("text/plain", "")).startswith("<IPython.core.display."):
            written = Markup()  # it only says that there is another form
        return markup.fill("unshown.html.j2", number=number, written=written)
    return written


def _is_blank(html: str) -> bool:
    """Tell whether HTML is a figure of which nothing may stand on a page."""
    return bool(FIGURE.search(html)) and not markup.plain(markup.clean(html))


def _form(mime: str, content: Any, metadata: Mapping[str, Any], shown: Shown) -> Markup:
    if mime == SENTENCES:
        return sentences.write(content, shown)
    if mime == figures.MIME:
        return figures.figure(content, shown.name(), shown.kept)
    if mime == "image/png":
        return _image(content, metadata.get(mime, {}).get("alt"), shown)
    writers: dict[str, Callable[[str], Markup]] = {
        "text/html": markup.clean,
        "text/markdown": markup.markdown,
        "text/plain": _printed,
    }
    return writers[mime](_text(content))


def _text(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def _printed(value: Any) -> Markup:
    """Write what was printed, cut after so many characters."""
    printed = ESCAPES.sub("", _text(value)).rstrip()
    if not printed:
        return Markup()
    cut = ""
    if len(printed) > CUT:
        cut = f"{len(printed) - CUT:,}"
    return markup.fill("printed.html.j2", printed=printed[:CUT], cut=cut)


def _image(value: Any, alt: str | None, shown: Shown) -> Markup:
    try:
        raw = base64.b64decode(_text(value).replace("\n", ""), validate=True)
    except binascii.Error as error:
        raise ReportError("damaged image in the notebook") from error
    if not raw.startswith(b"\x89PNG\r\n"):
        raise ReportError("this output is not a PNG")
    label = alt or f"Figure {shown.name()[1:]} (no description)"
    source = base64.b64encode(raw).decode()
    return markup.fill("image.html.j2", label=label, source=source)
