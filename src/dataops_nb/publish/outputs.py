"""What a cell shows on a page: the richest of its outputs that is on the allow-list, and nothing else."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataops_nb import story
from dataops_nb.errors import ReportError
from dataops_nb.publish import facts, figures, markup, style
from dataops_nb.publish.facts import SENTENCES
from dataops_nb.story import Fact

if TYPE_CHECKING:  # importing nbformat takes a second, and a suite in which nothing changed needs none
    from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"
SHOWN = (SENTENCES, figures.MIME, "text/html", "image/png", "text/markdown", "text/plain")
CUT = 32_000
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass
class Seen:
    """What the cells of one page have said so far: their sentences, and how many figures were numbered."""

    known: Mapping[str, Fact]
    reason: str | None = None
    names: tuple[str, ...] = ()
    sentences: list[dict[str, Any]] = field(default_factory=list)
    figures: int = 0

    @property
    def headline(self) -> bool:
        """Whether a headline was shown."""
        return any(sentence.get("kind") == "headline" for sentence in self.sentences)

    def say(self, said: str, used: Sequence[str]) -> list[str]:
        """Keep a sentence with its facts in the order it prints them; ReportError where it does not agree with them."""
        if lacking := [id_ for id_ in used if id_ not in self.known]:
            raise ReportError(f"the sentence {said!r} uses the fact {lacking[0]!r}, which the report does not have")
        names = [name for name in self.names if name in said]
        told = story.in_order(said, [self.known[id_] for id_ in used], names)
        if told and (wrong := story.disagreements(said, told, names)):
            raise ReportError(f"the sentence {said!r} does not agree with its facts: {'; '.join(wrong)}")
        ids = [fact.id for fact in told]
        self.sentences.append({"text": said, "facts": ids, **({"names": names} if names else {})})
        return ids

    def name(self) -> str:
        """A name for the next figure."""
        self.figures += 1
        return f"f{self.figures}"


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
        return _sentences(data[SENTENCES]["sentences"], seen)
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
    said = ESCAPES.sub("", _text(value)).rstrip()
    note = ""
    if len(said) > CUT:
        note = f'<p class="nb-note">Cut here: {len(said) - CUT:,} more characters were printed.</p>'
        said = said[:CUT]
    return f'<pre tabindex="0">{markup.text(said)}</pre>{note}' if said else ""


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


def _sentences(sentences: list[dict[str, Any]], seen: Seen) -> str:
    pieces: list[str] = []
    lines: list[str] = []
    for sentence in sentences:
        used = seen.say(str(sentence["text"]), [str(id_) for id_ in sentence.get("facts", [])])
        attribute = f' data-facts="{markup.text(" ".join(used))}"' if used else ""
        if sentence.get("kind") == "headline":
            seen.sentences[-1]["kind"] = "headline"
            pieces += [*_listed(lines), headline(sentence["text"], sentence.get("light"), seen.reason, attribute)]
            lines = []
        else:
            lines.append(_line(sentence["text"], sentence.get("light"), attribute))
    return "".join([*pieces, *_listed(lines)])


def _line(said: str, light: str | None, attribute: str) -> str:
    mark = f' data-light="{light}"' if light in style.CHIPS else ""
    return f"<li{attribute}{mark}>{markup.text(said)}</li>"


def _listed(lines: list[str]) -> list[str]:
    return [f'<ul class="nb-lines">{"".join(lines)}</ul>'] if lines else []


def headline(said: str, light: str | None, reason: str | None, attribute: str = "") -> str:
    """The sentence that answers first, under its light."""
    mark = markup.chip(light, reason) if light else ""
    return f'<div class="nb-headline">{mark}<p{attribute}>{markup.text(said)}</p></div>'
