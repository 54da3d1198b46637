"""Build the front page of a company's reports: the North Star first, then each department.

It says how fresh every report is and what failed since; a failed run leaves the last good report in
place. At its end is the list of all metrics. The list is there without a script; a field that
narrows it down appears with one, and asks nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from dataops_nb import numbers
from dataops_nb.board.findings import KINDS
from dataops_nb.display import say
from dataops_nb.numbers import DEFAULT
from dataops_nb.reports.pages import Day, WhatIf, crowds, day, document, markup, north_star
from dataops_nb.reports.pages.cards import MetricCard, More
from dataops_nb.reports.pages.quotes import Quoted, made_of, quoted, travelling_text

LONGEST = 600  # metrics in the list
CHECKED = 150  # metrics of a company whose lines carry their facts
FINDINGS_AT_ONCE = 3  # the rest is folded, so that the company stays on one screen


@dataclass(frozen=True)
class Entry:
    """One report on the front page: what is shown of it, and what failed since.

    `path` is None where nothing is shown. `failure` says how the last attempt ended, in words
    (`took too long`); None where it did not fail.
    """

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
    spans: tuple[Mapping[str, Any], ...] | None = None
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

    def says(self, sentence: Mapping[str, Any]) -> Quoted:
        """Quote a sentence of the report, with its facts."""
        return quoted(self.report, sentence, self.locale)


@dataclass(frozen=True)
class ReportCard:
    """A report as a card: its light and headline, whose it is, and how far its data reach."""

    title: str
    path: str | None
    chip: Markup
    sentence: Quoted
    owner: str
    late: Day | None


@dataclass(frozen=True)
class Failure:
    """A report that was not updated: why, and which one is shown instead."""

    title: str
    why: str
    as_of: Day | None
    shown: Day | None
    behind: str


@dataclass(frozen=True)
class Solving:
    """What to solve next, as one report says it."""

    title: str
    path: str | None
    sentences: Sequence[Quoted]


def build(
    company: str,
    entries: Sequence[Entry],
    as_of: dt.date,
    whatif: WhatIf | None = None,
    more: More | None = None,
) -> str:
    """Build the front page of a company from its reports, in the order of the suites."""
    more = more or More()
    published = [entry for entry in entries if entry.path]
    locale = published[0].locale if published else DEFAULT
    first = _first(entries)
    solving = [entry for entry in published if entry is not first and entry.solve]
    others = []
    for entry in entries:
        if entry not in solving and (entry is not first or _speaks(entry, more)):
            others.append(entry)

    north, north_stars = None, list[north_star.Star]()
    if first is not None and first.path and more.stars:
        north_stars = north_star.stars([more.cards[name] for name in more.stars], more.grain)
    elif first is not None:
        north = _card(first)
    departments = [_card(entry) for entry in crowds.foremost(others)]
    groups = crowds.by_light(others)
    findings, findings_left = crowds.first(_findings(first, others))
    to_solve = [_solving(entry) for entry in solving]
    tree = north_star.tree([more.cards[name] for name in more.stars], more.cards)
    metrics = rows(list(more.cards.values()), is_crowded=bool(groups))
    overdue = _overdue(published)
    failures, failures_left = crowds.first([_failure(entry) for entry in entries if entry.failure])

    sentences = [star.sentence for star in north_stars]
    sentences += _headlines([north] if north else [])
    sentences += _headlines(departments)
    sentences += findings
    for report in to_solve:
        sentences += report.sentences
    sentences += north_star.lines(tree)
    sentences += [row.line for row in metrics]

    left = len(more.cards) - len(metrics)
    body = markup.fill(
        "front.html.j2",
        company=company,
        as_of=day(as_of, locale),
        whatif=whatif,
        failures=failures,
        failures_left=failures_left,
        north=north,
        stars=north_stars,
        north_title=_north_title(first),
        north_path=first.path if first and first.department is None else None,
        departments=departments,
        groups=groups,
        groups_count=_count(len(others), more),
        findings=findings[:FINDINGS_AT_ONCE],
        more_findings=findings[FINDINGS_AT_ONCE:],
        findings_left=findings_left,
        solving=to_solve,
        overdue=crowds.first(overdue)[0],
        overdue_count=_overdue_count(len(overdue)),
        tree=tree,
        metrics=metrics,
        metrics_count=_count(len(more.cards), more),
        metrics_left=_count(left, more) if left > 0 else "",
        count=_reports(entries, day(as_of, locale).shown),
        refreshed=_refreshed(more, locale),
    )
    script = markup.script("finder.js") if metrics or groups else ""
    travelling = travelling_text(sentences, as_of)
    title = f"{company} · Where we stand"
    return document(title, body, travelling, script=script, look="nb-front")


def _first(entries: Sequence[Entry]) -> Entry | None:
    """The report that speaks for the company: the first published one of no department."""
    for entry in entries:
        if entry.path and entry.department is None:
            return entry
    return entries[0] if entries else None


def _speaks(first: Entry, more: More) -> bool:
    """Whether the first report is a department's, which stands among the others beside stars."""
    return bool(more.stars) and first.department is not None


def _north_title(first: Entry | None) -> str:
    """What stands over the North Stars: their own report's title, where they have one."""
    if first is None or first.department is not None:
        return "North Star"
    return first.title or "North Star"


def _card(entry: Entry) -> ReportCard:
    headline: dict[str, Any] = {"text": entry.headline, "facts": entry.facts}
    if entry.facts:
        headline["spans"] = entry.spans
    late = None
    if entry.data_to and entry.data_to != entry.as_of:
        late = day(entry.data_to, entry.locale)
    return ReportCard(
        title=entry.title,
        path=entry.path,
        chip=markup.chip(entry.light, entry.reason),
        sentence=entry.says(headline),
        owner=entry.owner or "",
        late=late,
    )


def _headlines(cards: Iterable[ReportCard]) -> list[Quoted]:
    return [card.sentence for card in cards if card.path and card.sentence.ids]


def _findings(first: Entry | None, others: Iterable[Entry]) -> list[Quoted]:
    """What stands behind the lights, each finding once, the gravest kind first.

    The North Star's report says it where it can, else a department's.
    """
    known: set[tuple[str, str]] = set()
    sentences: list[tuple[int, Quoted]] = []
    for entry in [*([first] if first else []), *others]:
        if not entry.path:
            continue
        for finding in entry.findings:
            about = {(finding["kind"], metric) for metric in finding["metrics"]}
            if not about <= known:
                kind = finding["kind"]
                rank = KINDS.index(kind) if kind in KINDS else len(KINDS)
                sentences.append((rank, entry.says(finding)))
            known |= about
    sentences.sort(key=lambda ranked: ranked[0])
    return [sentence for _, sentence in sentences]


def _solving(entry: Entry) -> Solving:
    return Solving(entry.title, entry.path, [entry.says(sentence) for sentence in entry.solve])


def _overdue(published: Iterable[Entry]) -> list[str]:
    """The reactions that were agreed for a light and are over their time, each once."""
    reactions: dict[str, None] = {}
    for entry in published:
        reactions |= dict.fromkeys(entry.overdue)
    return list(reactions)


def _overdue_count(count: int) -> str:
    return "1 response overdue" if count == 1 else f"{count} responses overdue"


def _failure(entry: Entry) -> Failure:
    behind = ""
    if entry.behind > 0:
        late = "1 day behind" if entry.behind == 1 else f"{entry.behind} days behind"
        behind = f", {late}"
    return Failure(
        title=entry.title,
        why=entry.error or f"it {entry.failure or 'failed'}",
        as_of=day(entry.failed_as_of, entry.locale) if entry.failed_as_of else None,
        shown=day(entry.as_of, entry.locale) if entry.path else None,
        behind=behind,
    )


def _count(count: int, more: More) -> str:
    """A number of metrics, written as the company writes numbers."""
    locale = next((card.locale for card in more.cards.values()), DEFAULT)
    return numbers.at(locale).count(count)


def _reports(entries: Sequence[Entry], newest: str) -> str:
    """How many reports are shown, the day of the newest, and how many were not updated."""
    shown = sum(entry.path is not None for entry in entries)
    failed = sum(entry.failure is not None for entry in entries)
    if not shown:
        reports = "0 reports"
    elif shown == 1:
        reports = f"1 report up to {newest}"
    else:
        reports = f"{shown} reports up to {newest}"
    return f"{reports}; {failed} not updated." if failed else f"{reports}."


def _refreshed(more: More, locale: str) -> str:
    if more.refreshed is None:
        return ""
    date = day(more.refreshed.date(), locale).shown
    return f" Updated {date}, {more.refreshed:%H:%M} ({more.refreshed.tzname()})."


@dataclass(frozen=True)
class Row:
    """One metric in the list: its card, its line, and `hidden` words by which it is found too."""

    card: MetricCard
    line: Quoted
    words: str
    hidden: str


def rows(cards: Sequence[MetricCard], *, is_crowded: bool = False) -> list[Row]:
    """List the metrics in the order of the definitions, each with its light and numbers.

    The lines of a company with very many metrics carry no facts, and beyond 600, or earlier where
    the page is crowded with departments, the list ends: a page stays one that loads.
    """
    listed = []
    for card in cards[: crowds.METRICS if is_crowded else LONGEST]:
        line = _line(card)
        if len(cards) > CHECKED:
            line = made_of(line.report, line.text)
        words = say(card.now()).text
        hidden = " ".join(filter(None, (card.metric, card.question, card.owner)))
        listed.append(Row(card, line, words, hidden))
    return listed


def _line(card: MetricCard) -> Quoted:
    now, department = card.now(), say.name(card.department)
    if not now or not card.department:
        return card.line(now, (department,))
    return card.line((now, " · ", department))
