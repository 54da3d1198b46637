"""Turn one execution of a notebook into the pages of a report, one file an altitude.

The executive page keeps the cells tagged `executive`, the manager's page adds `manager`, the
analyst's page has them all with the code folded away. The three come from one execution, so they
cannot contradict each other. A page is one file: it asks for nothing from anywhere, needs no
JavaScript, and is the same bytes whenever it is built again.

A notebook is data here. What is known of a report's content is its facts, which the last code cell
displays; everything else passes an allow-list. The layout lies in `templates/`.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from dataops_nb import numbers
from dataops_nb.reports.pages import markup, outputs, seals, sentences
from dataops_nb.reports.pages import notebook as notebook_
from dataops_nb.reports.pages.notebook import Payload
from dataops_nb.reports.pages.sentences import Shown

if TYPE_CHECKING:
    from nbformat import NotebookNode


Altitude = Literal["executive", "manager", "analyst"]
FILES: dict[Altitude, str] = {
    "executive": "index.html",
    "manager": "manager.html",
    "analyst": "analyst.html",
}
NAMES: dict[Altitude, str] = {"executive": "Summary", "manager": "Manager", "analyst": "Analyst"}
SHOWN: dict[Altitude, frozenset[str]] = {
    "executive": frozenset({"executive"}),
    "manager": frozenset({"executive", "manager"}),
    "analyst": frozenset({"executive", "manager", "analyst"}),
}
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_LATER = re.compile(r'<span class="nb-later" data-later="([^"]*)">Later ›</span>')
MEANINGS = ("Metric", "Question", "Calculation", "System", "Data to")
SOURCES = ("Source", "System", "Owner", "Rows", "Data to", "Files", "SHA-256", "Notes")


@dataclass(frozen=True)
class Meta:
    """What a page says about its making: the report's id, its parameters, the package's version.

    `up` leads to the front page and `archive` to all periods of the report; empty where there is
    none. `whatif` names the what-if that the page shows in place of what is, `differs` says what it
    changes. `kept` is the folder of what is kept between runs, as drawings are.
    """

    report: str
    version: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    up: str = "../../index.html"
    archive: str = "../index.html"
    whatif: str = ""
    differs: tuple[str, ...] = ()
    kept: Path | None = None


class WhatIf(NamedTuple):
    """A what-if as a page names it: its name, and what it changes, in words."""

    name: str
    differs: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Say what it changes, in one line."""
        return "; ".join(self.differs)


class Day(NamedTuple):
    """A day as a page shows it: for machines (empty where it is unknown) and spelled out."""

    iso: str
    shown: str


class PageLink(NamedTuple):
    """A link from one page of a report to another; `here` marks the page it stands on."""

    file: str
    name: str
    here: bool


class SourceLine(NamedTuple):
    """A source in one line: its system, name and rows, and the start of its fingerprint."""

    words: str
    digest: str


class Cell(NamedTuple):
    """A cell of a table, and the class it carries."""

    text: str
    look: str = ""


def files(notebook: NotebookNode, meta: Meta) -> dict[str, bytes]:
    """Build everything that is published of a report, by file name.

    Raises ReportError where the notebook is no finished report.
    """
    payload = notebook_.of(notebook)
    run = notebook_.fingerprint(notebook, meta.parameters, payload, meta.version)
    made = {}
    for altitude, name in FILES.items():
        made[name] = _page(notebook, altitude, meta, payload, run).encode()
    made["facts.json"] = notebook_.as_json(payload, meta.report)
    made["numbers.csv"] = notebook_.as_csv(payload)
    return made


def build(notebook: NotebookNode, altitude: Altitude, meta: Meta) -> str:
    """Build one page of an executed notebook.

    Raises ReportError where it is no finished report, or the page must be refused.
    """
    payload = notebook_.of(notebook)
    run = notebook_.fingerprint(notebook, meta.parameters, payload, meta.version)
    return _page(notebook, altitude, meta, payload, run)


def _page(
    notebook: NotebookNode, altitude: Altitude, meta: Meta, payload: Payload, run: str
) -> str:
    meanings = payload.get("meanings") or {}
    shown = Shown(notebook_.by_id(payload), payload.get("reason"), meanings, meta.kept)
    sections = list(_sections(notebook, altitude, shown))
    if not shown.headline:
        words = str(payload["headline"])
        headline = sentences.headline(words, payload["light"], payload.get("reason"))
        sections.insert(0, headline)
    body = markup.fill(
        "page.html.j2",
        **_head(payload, altitude, meta),
        **_foot(payload, altitude, meta),
        sections=sections,
        meanings=_meanings(payload),
        run=run,
    )
    period = numbers.at(numbers.DEFAULT).period_in_words(str(payload["period"]))
    title = f"{payload['title']}, {period} · {payload['company']}"
    if meta.whatif:
        title = f"What-if {meta.whatif} · {title}"
    return document(title, body, _travelling(payload, meta, shown))


def document(
    title: str, body: Markup, travelling: Mapping[str, Any], *, script: str = "", look: str = ""
) -> str:
    """Wrap a body into a whole HTML file: nothing in it loads, and only a `script` of ours runs.

    What travels in it is sealed with its texts. `look` is the class of the body.
    """
    frame = {
        "title": title,
        "body": body,
        "script": script,
        "look": look,
        "policy": policy(script),
        "css": markup.css(),
    }
    # The seal cuts the page into pieces: each piece of Markup would be escaped text of its own.
    bare = str(markup.fill("document.html.j2", **frame, travelling=""))
    sealed = markup.data({**travelling, "seal": seals.seal(bare, travelling)})
    whole = markup.fill("document.html.j2", **frame, travelling=sealed)
    return seals.close(str(whole))


def with_later(html: str) -> str:
    """Let a published page lead to the period after it, and seal it anew; else it stays as it is.

    A page does not know when it is built whether another one will follow.
    """
    last, carried = _LATER.search(html), seals.FACTS.search(html)
    if last is None or carried is None:
        return html
    link = f'<a rel="next" href="{last[1]}">Later ›</a>'
    linked = html.replace(last[0], link)
    travelling = json.loads(carried[1])
    travelling.pop("seal", None)
    bare = linked.replace(carried[0] + "\n", "")
    sealed = markup.data({**travelling, "seal": seals.seal(bare, travelling)})
    return seals.close(linked.replace(carried[1], sealed))


def policy(script: str = "") -> str:
    """Write the content security policy of a page that runs nothing, or this script."""
    if not script:
        return POLICY
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{POLICY}; script-src 'sha256-{digest}'"


def day(value: str | dt.date | None, locale: str = numbers.DEFAULT) -> Day:
    """Spell a day out as in a locale: `Sun 22 Nov 2026`; `unknown` where there is none."""
    if not value:
        return Day("", "unknown")
    iso = str(value)[:10]
    return Day(iso, numbers.at(locale).date(dt.date.fromisoformat(iso)))


def _locale(payload: Payload) -> str:
    return str(payload.get("locale") or numbers.DEFAULT)


class Section(NamedTuple):
    """What a cell shows on a page: its content, its code, and whether that is a heading alone."""

    content: Markup
    code: str = ""
    is_heading: bool = False


def _sections(notebook: NotebookNode, altitude: Altitude, shown: Shown) -> Iterator[Markup]:
    """Each cell that its altitude shows, as a section; a heading without content is left out."""
    sections = list(_shown_cells(notebook, altitude, shown))
    for place, section in enumerate(sections):
        following = sections[place + 1 : place + 2]
        is_alone = not following or following[0].content.startswith("<h2")
        if section.is_heading and is_alone and not (following and following[0].code):
            continue
        yield markup.fill("section.html.j2", content=section.content, code=section.code)


def _shown_cells(notebook: NotebookNode, altitude: Altitude, shown: Shown) -> Iterator[Section]:
    """Each cell that says something at an altitude; the page's own title is left out."""
    title_comes = True
    for number, cell in notebook_.numbered(notebook):
        tags = notebook_.tags(cell)
        if tags & notebook_.HIDDEN or cell.cell_type == "raw":
            continue
        shown_at = tags & SHOWN["analyst"] or {"analyst"}
        is_markdown = cell.cell_type == "markdown"
        is_title = title_comes and is_markdown and cell.source.lstrip().startswith("# ")
        title_comes = title_comes and not is_title
        if not shown_at & SHOWN[altitude]:
            continue
        if is_markdown:
            content = markup.markdown(cell.source, drop_title=is_title)
            if content:
                yield Section(content, is_heading=markup.is_heading(content))
            continue
        written = Markup("").join(outputs.of(cell, number, shown, stdout=altitude == "analyst"))
        code = cell.source if altitude == "analyst" and cell.source.strip() else ""
        if written or code:
            yield Section(written, code)


def _head(payload: Payload, altitude: Altitude, meta: Meta) -> dict[str, Any]:
    """What stands on top: names, the day, the ways to other pages, and what to read first."""
    pages = [PageLink(FILES[name], NAMES[name], name == altitude) for name in FILES]
    return {
        "company": payload["company"],
        "title": payload["title"],
        "as_of": day(payload["as_of"], _locale(payload)),
        "place": quote(str(payload["period"])),
        "archive": meta.archive,
        "up": meta.up,
        "pages": pages,
        "whatif": _whatif(meta),
        "warnings": payload.get("warnings") or [],
    }


def _whatif(meta: Meta) -> WhatIf | None:
    return WhatIf(meta.whatif, meta.differs) if meta.whatif else None


def _foot(payload: Payload, altitude: Altitude, meta: Meta) -> dict[str, Any]:
    """What stands below: how fresh the page is, whose, from what; as a table for analysts."""
    locale, sources = _locale(payload), payload.get("sources") or []
    table, lines = Markup(), list[SourceLine]()
    if altitude == "analyst" and sources:
        table = _table("Sources", SOURCES, [_source_row(source, locale) for source in sources])
    elif altitude != "analyst":
        lines = [_source_line(source, locale) for source in sources]
    parameters = [f"{name} {value}" for name, value in meta.parameters.items()]
    return {
        "data_to": day(payload.get("data_to"), locale),
        "period": payload["period"],
        "owner": payload.get("owner") or "no owner",
        "parameters": " · ".join(parameters) or "none",
        "version": meta.version,
        "source_table": table,
        "source_lines": lines,
    }


def _meanings(payload: Payload) -> Markup:
    """What each number is and how it is made: the same that a touch on a number tells."""
    rows = []
    for meaning in (payload.get("meanings") or {}).values():
        systems = ", ".join(meaning["systems"])
        words = (meaning["label"], meaning["question"], meaning["how"], systems, meaning["data_to"])
        rows.append([Cell(word) for word in words])
    return _table("Definitions", MEANINGS, rows) if rows else Markup()


def _table(caption: str, columns: tuple[str, ...], rows: list[list[Cell]]) -> Markup:
    """A table in its frame; the first cell of each row is its name."""
    table = markup.fill("table.html.j2", caption=caption, columns=columns, rows=rows)
    return markup.clean(table)


def _source_line(source: Mapping[str, Any], locale: str) -> SourceLine:
    names = [str(source.get(name) or "") for name in ("system", "source")]
    words = " ".join(names).strip()
    if isinstance(source.get("rows"), int):
        words += f", {numbers.at(locale).count(source['rows'])} rows"
    return SourceLine(words, str(source.get("sha256") or "")[:12])


def _source_row(source: Mapping[str, Any], locale: str) -> list[Cell]:
    rows = Cell("")
    if isinstance(source.get("rows"), int):
        rows = Cell(numbers.at(locale).count(source["rows"]), "nb-num")
    data_to = ""
    if source.get("data_to"):
        data_to = day(source["data_to"], locale).shown
    files_ = source.get("files") or ""
    if isinstance(files_, list):
        files_ = ", ".join(map(str, files_))
    return [
        Cell(source.get("source", "")),
        Cell(source.get("system") or ""),
        Cell(source.get("owner") or ""),
        rows,
        Cell(data_to),
        Cell(files_),
        Cell(str(source.get("sha256") or "")[:12], "nb-hash"),
        Cell(source.get("notes") or ""),
    ]


def _travelling(payload: Payload, meta: Meta, shown: Shown) -> dict[str, Any]:
    """The sentences of the page and the facts they use, for whoever checks a page later."""
    used = {id_ for sentence in shown.sentences for id_ in sentence["facts"]}
    carried = []
    for fact in payload["facts"]:
        if fact["id"] in used:
            carried.append({key: fact.get(key) for key in notebook_.FACT})
    return {
        "schema_version": 1,
        "report": meta.report,
        "as_of": payload["as_of"],
        "locale": _locale(payload),
        "facts": carried,
        "sentences": shown.sentences,
    }
