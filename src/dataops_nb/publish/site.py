"""The front page of a company's reports: the North Star first, then each department's light and sentence.

It says what is shown, how fresh it is, and what failed since: a failed run leaves the last good report in place.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataops_nb.publish import finder, markup, saying, stars
from dataops_nb.publish.markup import prose, text
from dataops_nb.publish.page import day, document, notice, stamp, whatif_said
from dataops_nb.publish.saying import Said
from dataops_nb.publish.standing import Standing
from dataops_nb.story.numbers import DEFAULT

FAILED = {"failed": "failed", "timed_out": "ran out of time", "killed": "was killed", "skipped": "was skipped"}


@dataclass(frozen=True)
class More:
    """What the front page shows beside its reports: where each metric stands, by id; which are North Stars; when it ran."""

    standings: Mapping[str, Standing] = field(default_factory=dict)
    stars: Sequence[str] = ()
    grain: str = "week"
    refreshed: dt.datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One report on the front page: what is shown of it (`path` is None where nothing is), and what failed since."""

    report: str
    title: str
    path: str | None = None
    department: str | None = None
    owner: str | None = None
    light: str = "unknown"
    reason: str | None = None
    headline: str = ""
    overdue: tuple[str, ...] = ()
    facts: tuple[Mapping[str, Any], ...] = ()
    names: tuple[str, ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    solve: tuple[Mapping[str, Any], ...] = ()
    period: str = ""
    as_of: str | None = None
    data_to: str | None = None
    failure: str | None = None
    failed_as_of: str | None = None
    error: str | None = None
    locale: str = DEFAULT

    @property
    def behind(self) -> int:
        """How many days older the shown report is than the one that failed."""
        if not (self.as_of and self.failed_as_of):
            return 0
        return (dt.date.fromisoformat(self.failed_as_of) - dt.date.fromisoformat(self.as_of)).days


def build(company: str, entries: Sequence[Entry], as_of: dt.date, whatif: str = "", more: More | None = None) -> str:
    """out/index.html of a company, from its reports in the order of the suites; that of a what-if says so."""
    more = more or More()
    locale = next((entry.locale for entry in entries if entry.path), DEFAULT)
    first = next((entry for entry in entries if entry.path and entry.department is None), next(iter(entries), None))
    solving = [entry for entry in entries if entry is not first and entry.path and entry.solve]
    others = [entry for entry in entries if entry not in solving and (entry is not first or _speaks(entry, more))]
    shining = [more.standings[star] for star in more.stars]
    north, told = _north(first, shining, more.grain)
    found, solve, rest = _found(first, others), [_solve(entry) for entry in solving], _headlines(others)
    tree, branches = stars.tree(shining, more.standings)
    listed, lines = finder.section(list(more.standings.values()))
    next_ = f'<div class="nb-next">{_solving(solving, solve)}{_overdue(entries)}</div>'
    parts = [
        _header(company, stamp(as_of, locale), finder.field() if listed else ""),
        f"<main>\n{_watermark(whatif)}{_failures(entries)}{north}"
        f'<div class="nb-columns">{_departments(others)}{_findings(found)}{next_}</div>{tree}{listed}</main>',
        f"<footer><p>{_count(entries)} The newest is as of {day(as_of, locale)}.{_refreshed(more, locale)}</p></footer>",
    ]
    script = finder.script() if listed else ""
    travelling = saying.travelling([*told, *rest, *found, *itertools.chain(*solve), *branches, *lines], as_of)
    return document(f"{company} · Where we stand", "\n".join(parts), travelling, script=script, look="nb-front")


def _header(company: str, as_of: str, field_: str) -> str:
    return (
        f'<header>\n<div class="nb-top"><span class="nb-company">{text(company)}</span>'
        f'<span class="nb-asof">as of {as_of}</span></div>\n<h1>Where we stand</h1>\n{field_}</header>'
    )


def _speaks(first: Entry, more: More) -> bool:
    """Whether the first report is a department's, which stands among the others where North Stars have their own place."""
    return bool(more.stars) and first.department is not None


def _headlines(entries: Iterable[Entry]) -> list[Said]:
    return [_headline(entry) for entry in entries if entry.path and entry.facts]


def _headline(entry: Entry) -> Said:
    return Said(entry.report, entry.headline, entry.facts, entry.names, entry.locale)


def _found(first: Entry | None, others: Iterable[Entry]) -> list[Said]:
    """What the lights do not say, each finding once: as the North Star's report says it, else as a department's does."""
    known: set[tuple[str, str]] = set()
    said = []
    for entry in [*([first] if first else []), *others]:
        for each in entry.findings if entry.path else ():
            about = {(each["kind"], metric) for metric in each["metrics"]}
            if not about <= known:
                said.append(Said(entry.report, each["text"], each["facts"], each["names"], entry.locale))
            known |= about
    return said


def _findings(said: Sequence[Said]) -> str:
    items = "".join(f"<li{each.attribute}>{prose(each.text)}</li>" for each in said)
    return f'<section><h2>What the lights do not say</h2><ul class="nb-lines">{items}</ul></section>\n' if items else ""


def _solve(entry: Entry) -> list[Said]:
    return [Said(entry.report, each["text"], each["facts"], each["names"], entry.locale) for each in entry.solve]


def _solving(entries: Sequence[Entry], said: Sequence[Sequence[Said]]) -> str:
    """What to solve next, as the reports about it say."""
    sections = []
    for entry, told in zip(entries, said, strict=True):
        items = "".join(f"<li{each.attribute}>{prose(each.text)}</li>" for each in told)
        name = f'<a href="{text(entry.path)}">{text(entry.title)}</a>'
        sections.append(f'<section class="nb-solve"><h2>{name}</h2><ol class="nb-lines">{items}</ol></section>\n')
    return "".join(sections)


def _watermark(whatif: str) -> str:
    return notice("What-if", f"<li>{text(whatif_said(whatif))}</li>") if whatif else ""


def _count(entries: Sequence[Entry]) -> str:
    shown = sum(entry.path is not None for entry in entries)
    failed = sum(entry.failure is not None for entry in entries)
    reports = f"{shown} {'report' if shown == 1 else 'reports'}"
    if failed:
        return f"{reports}; {failed} did not refresh."
    return f"{reports}, {'from its' if shown == 1 else 'all from their'} last run."


def _refreshed(more: More, locale: str) -> str:
    if more.refreshed is None:
        return ""
    return f" Last refresh: {day(more.refreshed.date(), locale)}, {more.refreshed:%H:%M} ({more.refreshed.tzname()})."


def _failures(entries: Iterable[Entry]) -> str:
    items = "".join(f"<li>{_failure(entry)}</li>" for entry in entries if entry.failure)
    return notice("What failed", items) if items else ""


def _overdue(entries: Iterable[Entry]) -> str:
    """The reactions that were agreed for a light and are over their time, each once; how many there are stands open."""
    said = dict.fromkeys(text(each) for entry in entries if entry.path for each in entry.overdue)
    if not said:
        return ""
    count = f"{len(said)} agreed {'reaction is' if len(said) == 1 else 'reactions are'} overdue"
    items = "".join(f"<li>{each}</li>" for each in said)
    return f'<details class="nb-warnings nb-overdue"><summary>{count}</summary><ul>{items}</ul></details>\n'


def _failure(entry: Entry) -> str:
    what = f"<strong>{text(entry.title)}</strong> {FAILED.get(entry.failure or '', 'failed')}"
    what += f" as of {stamp(entry.failed_as_of, entry.locale)}" if entry.failed_as_of else ""
    why = f": {text(entry.error)}" if entry.error else ""
    if entry.path is None:
        return f"{what}{why}. Nothing was published before."
    age = f", {entry.behind} {'day' if entry.behind == 1 else 'days'} older" if entry.behind > 0 else ""
    return f"{what}{why}. Shown is the report as of {stamp(entry.as_of, entry.locale)}{age}."


def _north(entry: Entry | None, shining: Sequence[Standing], grain: str) -> tuple[str, list[Said]]:
    """The numbers the company looks at; the first report's sentence where nobody named them."""
    if entry is None:
        return "<p>No report has been published yet.</p>\n", []
    if shining and entry.path:
        return stars.section(shining, entry.title if entry.department is None else "", entry.path, grain)
    html = f'<section class="nb-north" aria-label="North Star">{_card(entry, "h2")}</section>\n'
    return html, _headlines([entry])


def _departments(entries: Sequence[Entry]) -> str:
    cards = "".join(f"<li>{_card(entry, 'h3')}</li>" for entry in entries)
    return f'<section><h2>Departments</h2><ul class="nb-cards">{cards}</ul></section>\n' if cards else ""


def _card(entry: Entry, level: str) -> str:
    if entry.path is None:
        return f'<article><{level}>{text(entry.title)}</{level}><p class="nb-muted">Not published yet.</p></article>'
    late = f"data to {stamp(entry.data_to, entry.locale)}" if entry.data_to != entry.as_of else ""
    meta = " · ".join(part for part in (text(entry.owner or ""), late) if part)
    return (
        f'<article><div class="nb-cardtop"><{level}><a href="{text(entry.path)}">{text(entry.title)}</a></{level}>'
        f"{markup.chip(entry.light, entry.reason)}</div>"
        f'<p class="nb-said"{_headline(entry).attribute if entry.facts else ""}>{prose(entry.headline)}</p>'
        f'<p class="nb-meta">{meta}</p></article>'
    )
