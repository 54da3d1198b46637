"""The front page of a company's reports: the North Star first, then each department's light and sentence.

It says what is shown, how fresh it is, and what failed since: a failed run leaves the last good report in place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_nb import story
from dataops_nb.publish import facts, markup
from dataops_nb.publish.markup import text
from dataops_nb.publish.page import day, document, notice, stamp, whatif_said
from dataops_nb.story.numbers import DEFAULT

FAILED = {"failed": "failed", "timed_out": "ran out of time", "killed": "was killed", "skipped": "was skipped"}


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


def build(company: str, entries: Sequence[Entry], as_of: dt.date, whatif: str = "") -> str:
    """out/index.html of a company, from its reports in the order of the suites; that of a what-if says so."""
    locale = next((entry.locale for entry in entries if entry.path), DEFAULT)
    first = next((entry for entry in entries if entry.path and entry.department is None), next(iter(entries), None))
    others = [entry for entry in entries if entry is not first]
    parts = [
        f'<header>\n<div class="nb-top"><span class="nb-company">{text(company)}</span>'
        f'<span class="nb-asof">as of {stamp(as_of, locale)}</span></div>\n<h1>Where we stand</h1>\n</header>',
        f"<main>\n{_watermark(whatif)}{_failures(entries)}{_north(first)}"
        f"{_findings(_found(first, others))}{_departments(others)}{_overdue(entries)}</main>",
        f"<footer><p>{_count(entries)} The newest is as of {day(as_of, locale)}.</p></footer>",
    ]
    said = [*_headlines([first] if first else []), *_found(first, others), *_headlines(others)]
    return document(f"{company} · Where we stand", "\n".join(parts), _travelling(said, as_of))


@dataclass(frozen=True)
class Said:
    """A sentence on the front page: the report that says it, its text, its facts, and the names in it."""

    report: str
    text: str
    facts: Sequence[Mapping[str, Any]]
    names: Sequence[str]
    locale: str = DEFAULT

    @property
    def ids(self) -> list[str]:
        """The ids of its facts in the order it prints them: a report's own, since two may be about two periods."""
        ordered = story.in_order(self.text, [facts.as_fact(fact) for fact in self.facts], self.names, self.locale)
        return [f"{self.report}:{fact.id}" for fact in ordered]


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
    items = "".join(f'<li data-facts="{text(" ".join(each.ids))}">{text(each.text)}</li>' for each in said)
    return f'<section><h2>What the lights do not say</h2><ul class="nb-lines">{items}</ul></section>\n' if items else ""


def _travelling(said: Sequence[Said], as_of: dt.date) -> dict[str, Any]:
    """The sentences with their facts."""
    known = {f"{each.report}:{fact['id']}": fact for each in said for fact in each.facts}
    sentences = [
        {"text": each.text, "facts": each.ids, "names": list(each.names), "locale": each.locale} for each in said
    ]
    facts = [{**fact, "id": id_} for id_, fact in known.items()]
    return {"schema_version": 1, "as_of": as_of.isoformat(), "facts": facts, "sentences": sentences}


def _watermark(whatif: str) -> str:
    return notice("What-if", f"<li>{text(whatif_said(whatif))}</li>") if whatif else ""


def _count(entries: Sequence[Entry]) -> str:
    shown = sum(entry.path is not None for entry in entries)
    failed = sum(entry.failure is not None for entry in entries)
    reports = f"{shown} {'report' if shown == 1 else 'reports'}"
    return f"{reports}, all from their last run." if not failed else f"{reports}; {failed} did not refresh."


def _failures(entries: Iterable[Entry]) -> str:
    items = "".join(f"<li>{_failure(entry)}</li>" for entry in entries if entry.failure)
    return notice("What failed", items) if items else ""


def _overdue(entries: Iterable[Entry]) -> str:
    """The reactions that were agreed for a light and are over their time, each once."""
    said = dict.fromkeys(text(each) for entry in entries if entry.path for each in entry.overdue)
    return notice("Overdue reactions", "".join(f"<li>{each}</li>" for each in said)) if said else ""


def _failure(entry: Entry) -> str:
    what = f"<strong>{text(entry.title)}</strong> {FAILED.get(entry.failure or '', 'failed')}"
    what += f" as of {stamp(entry.failed_as_of, entry.locale)}" if entry.failed_as_of else ""
    why = f": {text(entry.error)}" if entry.error else ""
    if entry.path is None:
        return f"{what}{why}. Nothing was published before."
    age = f", {entry.behind} {'day' if entry.behind == 1 else 'days'} older" if entry.behind > 0 else ""
    return f"{what}{why}. Shown is the report as of {stamp(entry.as_of, entry.locale)}{age}."


def _north(entry: Entry | None) -> str:
    if entry is None:
        return "<p>No report has been published yet.</p>\n"
    return f'<section class="nb-north" aria-label="North Star">{_card(entry, "h2")}</section>\n'


def _departments(entries: Sequence[Entry]) -> str:
    cards = "".join(f"<li>{_card(entry, 'h3')}</li>" for entry in entries)
    return f'<section><h2>Departments</h2><ul class="nb-cards">{cards}</ul></section>\n' if cards else ""


def _card(entry: Entry, level: str) -> str:
    if entry.path is None:
        return f'<article><{level}>{text(entry.title)}</{level}><p class="nb-muted">Not published yet.</p></article>'
    owner = f"{text(entry.owner)} · " if entry.owner else ""
    said = f' data-facts="{text(" ".join(_headline(entry).ids))}"' if entry.facts else ""
    fresh = f"as of {stamp(entry.as_of, entry.locale)} · data to {stamp(entry.data_to, entry.locale)} · {text(entry.period)}"
    return (
        f'<article><div class="nb-cardtop"><{level}><a href="{text(entry.path)}">{text(entry.title)}</a></{level}>'
        f"{markup.chip(entry.light, entry.reason)}</div>"
        f'<p class="nb-said"{said}>{text(entry.headline)}</p>'
        f'<p class="nb-meta">{owner}{fresh}</p></article>'
    )
