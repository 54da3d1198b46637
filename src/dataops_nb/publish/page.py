"""One page of a report: the cells of its altitude, with what a reader needs around them.

The executive page keeps the cells tagged `executive`, the manager's page adds `manager`, the analyst's page has them
all with the code folded away. The three come from one execution, so they cannot contradict each other. A page is one
file: it asks for nothing from anywhere, needs no JavaScript, and is the same bytes whenever it is built again.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from dataops_nb.publish import facts, markup, outputs, said, seals, style
from dataops_nb.publish.facts import Payload
from dataops_nb.publish.markup import text
from dataops_nb.publish.said import Seen
from dataops_nb.story import numbers

if TYPE_CHECKING:  # importing nbformat takes a second, and a suite in which nothing changed needs none
    from nbformat import NotebookNode

Altitude = Literal["executive", "manager", "analyst"]
FILES: dict[Altitude, str] = {"executive": "index.html", "manager": "manager.html", "analyst": "analyst.html"}
NAMES: dict[Altitude, str] = {"executive": "Summary", "manager": "Manager", "analyst": "Analyst"}
SHOWN: dict[Altitude, frozenset[str]] = {
    "executive": frozenset({"executive"}),
    "manager": frozenset({"executive", "manager"}),
    "analyst": frozenset({"executive", "manager", "analyst"}),
}
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Meta:
    """What a page says about its making: the report's id, its parameters, the package's version.

    `up` leads to the front page and `archive` to all periods of the report; empty where there is none. `whatif` names the
    what-if that the page shows in place of what is.
    """

    report: str
    version: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    up: str = "../../index.html"
    archive: str = "../index.html"
    whatif: str = ""


def files(notebook: NotebookNode, meta: Meta) -> dict[str, bytes]:
    """Everything that is published of a report, by file name; ReportError where the notebook is no finished report."""
    payload = facts.of(notebook)
    pages = {name: build(notebook, altitude, meta).encode() for altitude, name in FILES.items()}
    return pages | {"facts.json": facts.as_json(payload, meta.report), "numbers.csv": facts.as_csv(payload)}


def build(notebook: NotebookNode, altitude: Altitude, meta: Meta) -> str:
    """One page of an executed notebook; ReportError where it is no finished report, or the page must be refused."""
    payload = facts.of(notebook)
    names, meanings = tuple(payload.get("names") or ()), payload.get("meanings") or {}
    seen = Seen(facts.by_id(payload), payload.get("reason"), names, meanings, _locale(payload))
    body = "\n".join(_cells(notebook, altitude, seen))
    if not seen.headline:
        body = said.headline(text(payload["headline"]), payload["light"], payload.get("reason")) + "\n" + body
    run = facts.fingerprint(notebook, meta.parameters, payload, meta.version)
    parts = [
        _header(payload, altitude, meta),
        f"<main>\n{_watermark(meta)}{_warnings(payload)}{body}{_meanings(payload)}\n</main>",
        _footer(payload, altitude, meta, run),
    ]
    title = f"{payload['title']} · {payload['company']} · {payload['period']}"
    title = f"What-if {meta.whatif} · {title}" if meta.whatif else title
    return document(title, "\n".join(parts), _travelling(payload, meta, seen))


def document(title: str, body: str, travelling: Mapping[str, Any], *, script: str = "", look: str = "") -> str:
    """A whole HTML file around a body; nothing in it can load, and nothing can run but a `script` of ours.

    What travels in it is sealed with its texts. `look` is the class of the body.
    """
    bare = _whole(title, body, script, look)
    sealed = markup.data({**travelling, "seal": seals.seal(bare, travelling)})
    return _whole(title, f'{body}\n<script type="application/json" id="facts">{sealed}</script>', script, look)


def policy(script: str = "") -> str:
    """The content security policy of a page that runs nothing, or this script."""
    if not script:
        return POLICY
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{POLICY}; script-src 'sha256-{digest}'"


def _whole(title: str, body: str, script: str, look: str) -> str:
    running = f"<script>{script}</script>\n" if script else ""
    kind = f' class="{look}"' if look else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f'<link rel="icon" href="data:,">\n<title>{text(title)}</title>\n<style>\n{style.css()}\n</style>\n</head>\n'
        f"<body{kind}>\n{body}\n{running}</body>\n</html>\n"
    )


def day(value: str | dt.date | None, locale: str = numbers.DEFAULT) -> str:
    """A day spelled out as in a locale: `Sun 22 Nov 2026`."""
    if not value:
        return "unknown"
    return numbers.at(locale).date(dt.date.fromisoformat(value[:10]) if isinstance(value, str) else value)


def stamp(value: str | dt.date | None, locale: str = numbers.DEFAULT) -> str:
    """A day spelled out, with its machine-readable form."""
    return f'<time datetime="{text(str(value)[:10])}">{day(value, locale)}</time>' if value else "unknown"


def _locale(payload: Payload) -> str:
    return str(payload.get("locale") or numbers.DEFAULT)


def _cells(notebook: NotebookNode, altitude: Altitude, seen: Seen) -> Iterator[str]:
    title = True
    for _, cell in facts.numbered(notebook):
        if facts.tags(cell) & facts.HIDDEN or cell.cell_type == "raw":
            continue
        shown = facts.tags(cell) & SHOWN["analyst"] or {"analyst"}
        has_title = cell.cell_type == "markdown" and title and cell.source.lstrip().startswith("# ")
        title = title and not has_title
        if not shown & SHOWN[altitude]:
            continue
        html = "".join(_cell(cell, altitude, seen, drop_title=has_title))
        if html:
            yield f"<section>{html}</section>"


def _cell(cell: NotebookNode, altitude: Altitude, seen: Seen, *, drop_title: bool) -> Iterator[str]:
    if cell.cell_type == "markdown":
        yield markup.markdown(cell.source, drop_title=drop_title)
        return
    yield from outputs.html(cell, seen, stdout=altitude == "analyst")
    if altitude == "analyst" and cell.source.strip():
        code = text(cell.source)
        yield f'<details class="nb-code"><summary>Code</summary><pre tabindex="0"><code>{code}</code></pre></details>'


def _header(payload: Payload, altitude: Altitude, meta: Meta) -> str:
    links = []
    for name, file in FILES.items():
        here = ' aria-current="page"' if name == altitude else ""
        links.append(f'<a href="{file}"{here}>{NAMES[name]}</a>')
    above = f'<a class="nb-up" href="{text(meta.up)}">All reports</a>' if meta.up else ""
    return (
        f'<header>\n<div class="nb-top"><span class="nb-company">{text(payload["company"])}</span>'
        f"{_neighbours(payload, meta)}</div>\n<h1>{text(payload['title'])}</h1>\n"
        f'<nav aria-label="Pages of this report">{above}{"".join(links)}</nav>\n</header>'
    )


def _neighbours(payload: Payload, meta: Meta) -> str:
    """The page's day between the ways to the period before and after it, which the archive knows (see `archive`)."""
    period, day = quote(str(payload["period"])), stamp(payload["as_of"], _locale(payload))
    if not meta.archive:
        return f'<span class="nb-asof">as of {day}</span>'
    return (
        f'<nav class="nb-asof" aria-label="Periods">'
        f'<a rel="prev" href="{text(meta.archive)}#before-{period}">‹ Earlier</a> <span>as of {day}</span> '
        f'<a rel="next" href="{text(meta.archive)}#after-{period}">Later ›</a></nav>'
    )


def _watermark(meta: Meta) -> str:
    return notice("What-if", f"<li>{text(whatif_said(meta.whatif))}</li>") if meta.whatif else ""


def whatif_said(name: str) -> str:
    """What stands on top of everything that shows a what-if."""
    return f"What-if {name}: this is not what is, but what would be."


def _warnings(payload: Payload) -> str:
    warnings = payload.get("warnings") or []
    if not warnings:
        return ""
    items = "".join(f"<li>{text(warning)}</li>" for warning in warnings)
    return notice("Read this first", items)


def notice(title: str, items: str) -> str:
    """What a reader must know before anything else, as a list of finished <li>."""
    return f'<aside class="nb-warnings" aria-label="{title}"><strong>{title}</strong><ul>{items}</ul></aside>\n'


def _footer(payload: Payload, altitude: Altitude, meta: Meta, run: str) -> str:
    parameters = " · ".join(f"{name} {value}" for name, value in meta.parameters.items()) or "none"
    entries = {
        "As of": stamp(payload["as_of"], _locale(payload)),
        "Data to": stamp(payload.get("data_to"), _locale(payload)),
        "Period": text(payload["period"]),
        "Owner": text(payload.get("owner") or "nobody named"),
        "Parameters": text(parameters),
        "Run": f"<code>{run}</code>",
        "Version": f"dataops-nb {text(meta.version)}",
    }
    if altitude != "analyst" and payload.get("sources"):
        entries["Sources"] = "; ".join(_briefly(source, _locale(payload)) for source in payload["sources"])
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in entries.items())
    sources = _sources(payload) if altitude == "analyst" else ""
    links = '<a href="numbers.csv">The numbers (csv)</a><a href="facts.json">The facts (json)</a>'
    links += f'<a href="{text(meta.archive)}">Every period</a>' if meta.archive else ""
    return f'<footer>\n{sources}<dl>{rows}</dl>\n<nav aria-label="Files of this report">{links}</nav>\n</footer>'


def _meanings(payload: Payload) -> str:
    """What each number is and how it is made, folded away: the same that a touch on a number tells."""
    rows = "".join(
        f'<tr><th scope="row">{text(each["label"])}</th><td>{text(each["question"])}</td><td>{text(each["how"])}</td>'
        f"<td>{text(', '.join(each['systems']))}</td><td>{text(each['data_to'])}</td></tr>"
        for each in (payload.get("meanings") or {}).values()
    )
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("Metric", "Question", "How it is made", "System", "Data to"))
    table = f"<table><caption>What the numbers are</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'\n<details class="nb-how"><summary>How this was computed</summary>{markup.clean(table)}</details>'


def _sources(payload: Payload) -> str:
    sources = payload.get("sources") or []
    if not sources:
        return ""
    head = "".join(
        f"<th>{name}</th>" for name in ("Source", "System", "Owner", "Rows", "Data to", "Files", "SHA-256", "Notes")
    )
    rows = "".join(f"<tr>{''.join(_source(source, _locale(payload)))}</tr>" for source in sources)
    return markup.clean(f"<table><caption>Sources</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def _briefly(source: Mapping[str, Any], locale: str) -> str:
    """A source in one line: its system and name, how many rows, the start of its fingerprint."""
    rows, digest = source.get("rows"), str(source.get("sha256") or "")[:12]
    said = text(" ".join(str(source.get(name) or "") for name in ("system", "source")).strip())
    count = f", {numbers.at(locale).count(rows)} rows" if isinstance(rows, int) else ""
    return f"{said}{count}{f', <code>{text(digest)}</code>' if digest else ''}"


def _source(source: Mapping[str, Any], locale: str) -> Iterator[str]:
    rows, files_ = source.get("rows"), source.get("files")
    yield f'<th scope="row">{text(source.get("source", ""))}</th>'
    yield f"<td>{text(source.get('system') or '')}</td><td>{text(source.get('owner') or '')}</td>"
    yield f'<td class="nb-num">{numbers.at(locale).count(rows)}</td>' if isinstance(rows, int) else "<td></td>"
    yield f"<td>{day(source['data_to'], locale) if source.get('data_to') else ''}</td>"
    yield f"<td>{text(', '.join(map(str, files_)) if isinstance(files_, list) else files_ or '')}</td>"
    yield f'<td class="nb-hash">{text(str(source.get("sha256") or "")[:12])}</td>'
    yield f"<td>{text(source.get('notes') or '')}</td>"


def _travelling(payload: Payload, meta: Meta, seen: Seen) -> dict[str, Any]:
    """The sentences of the page and the facts they use, for whoever checks a page that came back."""
    used = {id_ for sentence in seen.sentences for id_ in sentence["facts"]}
    kept = [{key: fact.get(key) for key in facts.FACT} for fact in payload["facts"] if fact["id"] in used]
    about = {"schema_version": 1, "report": meta.report, "as_of": payload["as_of"], "locale": _locale(payload)}
    return about | {"facts": kept, "sentences": seen.sentences}
