"""The story: plain sentences about a board, made from facts and from nothing else.

Each function takes a board and returns `Told`: sentences whose spans carry the facts they state, so
that whoever reads them, or a program, can check them. `record` is a report's last output: all its
facts, rows and sources as data. A report without one did not finish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dataops_nb import numbers, plain
from dataops_nb.alignment.measures import sources_of
from dataops_nb.board import Board, history
from dataops_nb.display import Fact, Sentence
from dataops_nb.story.actions import (
    first,
    first_row,
    notes,
    overdue,
    reaction_facts,
    reactions,
    solving,
    solving_facts,
    untold,
    untold_facts,
)
from dataops_nb.story.answers import mind, worth
from dataops_nb.story.changes import changed, changed_facts, explained, pace_facts, paced
from dataops_nb.story.decisions import action
from dataops_nb.story.effects import for_departments, link_facts, links
from dataops_nb.story.facts import facts, meanings
from dataops_nb.story.findings import finding_facts, findings, told
from dataops_nb.story.lights import (
    headline,
    lines,
    moved,
    movement,
    now,
    sentence,
)
from dataops_nb.story.luck import luck, luck_facts
from dataops_nb.story.pitch import pitch
from dataops_nb.story.summary import opening, others, tiles, to_do, under, what_changed, why
from dataops_nb.story.trust import (
    agreement_facts,
    agreements,
    pairs,
    restated,
    track,
)
from dataops_nb.story.trust import warnings as warnings

__all__ = [
    "action",
    "agreements",
    "changed",
    "explained",
    "findings",
    "first",
    "for_departments",
    "headline",
    "lines",
    "links",
    "luck",
    "mind",
    "moved",
    "movement",
    "notes",
    "now",
    "opening",
    "others",
    "paced",
    "pairs",
    "pitch",
    "reactions",
    "record",
    "restated",
    "solving",
    "tiles",
    "to_do",
    "track",
    "under",
    "untold",
    "what_changed",
    "why",
    "worth",
]


def __dir__() -> list[str]:
    return __all__


MIME = "application/vnd.dataops-nb.facts+json"
SCHEMA_VERSION = 1
DIGITS = 12  # of a number in a record: the same on every machine


@dataclass(frozen=True)
class Record:
    """Everything a page says, as data."""

    payload: dict[str, Any]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        count = len(self.payload["facts"])
        summary = f"{count} facts recorded, as of {self.payload['as_of']}"
        return {MIME: self.payload, "text/plain": summary}


def record(
    board: Board,
    title: str | None = None,
    *,
    findings: bool = False,
    links: bool = False,
    solve: bool = False,
) -> Record:
    """The facts, the numbers and the sources of a board; a report's last cell shows it.

    The flags tell the front page what the report is about: its `findings`, which `links` the data
    show, and what to `solve` next. A report without them is published, and the front page does not
    quote it on these. `title` names the report; the default is the department, or what is asked.

    >>> story.record(this).payload["light"]
    'green'
    """
    company, known = board.company, _facts(board, findings=findings, links=links, solve=solve)
    department = company.departments.get(board.department or "")
    answers = department or company.departments[company.department_of(board.lead)]
    name = department.department if department else None
    judged, headline = _opening(board, solve=solve)
    reach = board.row(board.lead)["data_to"]
    rows = pd.concat([history(board, metric) for metric in board.metrics])
    return Record(
        {
            "schema_version": SCHEMA_VERSION,
            "complete": True,
            "company": company.name,
            "locale": company.locale,
            "department": name,
            "title": title or name or _subject(board, solve=solve),
            "owner": answers.owner,
            "as_of": board.as_of.isoformat(),
            "grain": board.grain,
            "period": board.period.id,
            "data_to": None if pd.isna(reach) else reach.date().isoformat(),
            "light": str(judged["light"]),
            "reason": judged["reason"],
            "headline": headline.text,
            "headline_facts": list(headline.facts),
            "headline_spans": [span.as_data() for span in headline.spans],
            "facts": [fact.as_dict() for fact in known.values()],
            "rows": plain.rows(rows, digits=DIGITS),
            "sources": _sources(board),
            "definitions": board.fingerprints,
            "meanings": meanings(board),
            "follow_ups": _follow_ups(board) if solve else [],
            "overdue": [sentence.text for sentence in overdue(board)],
            "warnings": _warnings(board, headline.text),
            "findings": _findings(board) if findings else [],
            "stars": _stars(board),
            "solve": _solve(board) if solve else [],
            "lights": _lights(board),
            "used": _used(board),
        }
    )


def _opening(board: Board, *, solve: bool) -> tuple[pd.Series, Sentence]:
    """Return the row whose light the report shows, and its first sentence.

    It is that of the lead, or of what is to be solved first.
    """
    row = first_row(board) if solve and not board.department else None
    if row is None or row["metric"] not in board.metrics:
        return board.row(board.lead), sentence(board, board.lead)
    return board.row(row["metric"]), first(board).sentences[0]


def _facts(board: Board, *, findings: bool, links: bool, solve: bool) -> dict[str, Fact]:
    """Return the facts of the board; a page adds those that its sentences bring."""
    known = {**facts(board), **agreement_facts(board), **luck_facts(board), **pace_facts(board)}
    if links:
        known |= link_facts(board)
    if findings:
        known |= finding_facts(board)
    if solve:
        known |= solving_facts(board)
    known |= changed_facts(board)
    known |= reaction_facts(board)
    return known | untold_facts(board)


def _quoted(sentence: Sentence) -> dict[str, Any]:
    """Return a sentence as the front page repeats it."""
    spans = [span.as_data() for span in sentence.spans]
    return {"text": sentence.text, "facts": list(sentence.facts), "spans": spans}


def _findings(board: Board) -> list[dict[str, Any]]:
    """Return each finding for the front page: its sentence, kind and metrics."""
    quoted = []
    for rows, finding in told(board, alone=True):
        metrics = [row["metric"] for row in rows]
        quoted.append({**_quoted(finding), "kind": rows[0]["kind"], "metrics": metrics})
    return quoted


def _stars(board: Board) -> list[dict[str, Any]]:
    """Return the sentence of each North Star that the report is about."""
    stars = [name for name in board.company.north_star if name in board.metrics]
    return [{"metric": name, **_quoted(sentence(board, name))} for name in stars]


def _solve(board: Board) -> list[dict[str, Any]]:
    """Return the things to solve for the front page: those with a price, or that none has."""
    sentences = solving(board).sentences
    costly = []
    for sentence_ in sentences:
        if any(".at_stake[" in id_ for id_ in sentence_.facts):
            costly.append(_quoted(sentence_))
    return costly or [_quoted(sentences[0])]


def _warnings(board: Board, headline: str) -> list[str]:
    """Return what a reader must know first, but for what the headline below it says, too."""
    return [sentence.text for sentence in warnings(board) if sentence.text not in headline]


def _lights(board: Board) -> list[dict[str, Any]]:
    """Return the lights to remember: of the last complete period and the open one."""
    judged = ["metric", "grain", "period", "light", "reason", "on_pace"]
    foreseen = ["attainment", "landing", "p_hit"]
    both = pd.concat([board.current, board.unfinished])
    return plain.rows(both[[*judged, *foreseen]], digits=DIGITS)


def _used(board: Board) -> dict[str, list[str]]:
    """Return what the notebook has looked at: when one of these changes, it is made anew."""
    usage, company = board.rows.usage, board.company
    metrics = {*board.metrics, *(name for name in usage.metrics if name in company.metrics)}
    sources = {*(usage.sources & set(company.origins)), *sources_of(company, metrics)}
    return {"metrics": sorted(metrics), "sources": sorted(sources)}


def _follow_ups(board: Board) -> list[dict[str, Any]]:
    """Return what the report lists to solve, to be carried until it is closed."""
    columns = ["id", "title", "metric", "kind", "rank", "state"]
    return plain.rows(board.priorities[columns], digits=DIGITS)


def _subject(board: Board, *, solve: bool) -> str:
    """Return what a board without a department is about.

    What to solve next where the report lists that, else the North Star or one metric.
    """
    if solve:
        return "What to solve next"
    star = board.company.north_star
    return "North Star" if not star or board.lead in star else board.company.label(board.lead)


def _sources(board: Board) -> list[dict[str, Any]]:
    """Return where the numbers came from, with what was left out or counted once."""
    metrics = list(board.metrics)
    for name in board.metrics:
        metrics += [other.with_ for other in board.company.metrics[name].reconcile]
    used = sources_of(board.company, metrics)
    rows = plain.rows(board.rows.provenance(*used), digits=DIGITS)
    return [{**row, "notes": _source_notes(board, row["source"])} for row in rows]


def _source_notes(board: Board, name: str) -> str:
    own = [notice for notice in board.rows.notices(name) if notice.source == name]
    count = numbers.of(board).count
    return "; ".join(f"{count(notice.count)} {notice.text}" for notice in own)
