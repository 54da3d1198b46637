"""The record: the facts of a report, as its notebook's last output. A report without one did not finish."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dataops_nb.alignment import sources_of
from dataops_nb.board import Board, history
from dataops_nb.sources import touched
from dataops_nb.story import numbers, reacting
from dataops_nb.story.agreement import agreement_facts
from dataops_nb.story.answering import answered_facts
from dataops_nb.story.changing import changed_facts
from dataops_nb.story.communicated import untold_facts
from dataops_nb.story.explaining import explanation_facts
from dataops_nb.story.facts import Fact, facts
from dataops_nb.story.finding import finding_facts, told
from dataops_nb.story.leading import link_facts
from dataops_nb.story.luck import luck_facts
from dataops_nb.story.meaning import meanings
from dataops_nb.story.naming import names
from dataops_nb.story.pacing import pace_facts
from dataops_nb.story.pitch import pitch_facts
from dataops_nb.story.readers import meant_facts
from dataops_nb.story.sentences import Sentence, sentence
from dataops_nb.story.solving import first, first_row, solving, solving_facts
from dataops_nb.story.tracking import track_facts
from dataops_nb.story.warnings import faulty, overdue

MIME = "application/vnd.dataops-nb.facts+json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Record:
    """Everything a page says, as data."""

    payload: dict[str, Any]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        count = len(self.payload["facts"])
        said = f"{count} facts recorded, as of {self.payload['as_of']}"
        return {MIME: self.payload, "text/plain": said}


def record(board: Board, title: str | None = None) -> Record:
    """The facts, the numbers and the sources of a board; a report's last cell shows it."""
    lead, definitions = board.row(board.lead), board.definitions
    department = definitions.departments.get(board.department or "")
    lit, headline = _opening(board)
    answers = department or definitions.departments[definitions.department_of(board.lead)]
    return Record(
        {
            "schema_version": SCHEMA_VERSION,
            "complete": True,
            "company": definitions.company.company,
            "locale": definitions.company.locale,
            "department": department.department if department else None,
            "title": title or (department.department if department else _subject(board)),
            "owner": answers.owner,
            "as_of": board.as_of.isoformat(),
            "grain": board.grain,
            "period": board.period.id,
            "data_to": None if pd.isna(lead["data_to"]) else lead["data_to"].date().isoformat(),
            "light": str(lit["light"]),
            "reason": lit["reason"],
            "headline": headline.text,
            "headline_facts": list(headline.facts),
            "names": [*names(definitions), *_fiscal(board)],
            "facts": [fact.as_dict() for fact in _said(board).values()],
            "rows": _rows(pd.concat([history(board, metric) for metric in board.metrics])),
            "sources": _sources(board),
            "definitions": board.fingerprints,
            "meanings": meanings(board),
            "follow_ups": _follow_ups(board),
            "overdue": [each.text for each in reacting.overdue(board)],
            "warnings": warnings(board),
            "findings": _findings(board) if board.has_findings else [],
            "stars": _stars(board),
            "solve": _solve(board) if board.has_priorities else [],
            "lights": _lights(board),
            "used": _used(board),
        }
    )


def _opening(board: Board) -> tuple[pd.Series, Sentence]:
    """What the report opens with, and the row whose light it shows: its lead's, or that of what is to be solved first."""
    row = first_row(board) if board.has_priorities and not board.department else None
    if row is None or row["metric"] not in board.metrics:
        return board.row(board.lead), sentence(board, board.lead)
    return board.row(row["metric"]), first(board).sentences[0]


def _said(board: Board) -> dict[str, Fact]:
    """Every fact that a page of the board may say; those about links and findings only where asked for."""
    return {
        **facts(board),
        **agreement_facts(board),
        **explanation_facts(board),
        **luck_facts(board),
        **pace_facts(board),
        **(link_facts(board) if board.has_links else {}),
        **(finding_facts(board) if board.has_findings else {}),
        **(solving_facts(board) if board.has_priorities else {}),
        **(track_facts(board) if board.has_track else {}),
        **changed_facts(board),
        **reacting.reaction_facts(board),
        **meant_facts(board),
        **untold_facts(board),
        **answered_facts(board),
        **(pitch_facts(board) if "pitched" in board.__dict__ else {}),
    }


def _findings(board: Board) -> list[dict[str, Any]]:
    """What the front page says of the report's findings: each sentence with its facts, its kinds and its metrics."""
    return [
        {
            "text": said.text,
            "facts": list(said.facts),
            "kind": rows[0]["kind"],
            "metrics": [row["metric"] for row in rows],
        }
        for rows, said in told(board)
    ]


def _stars(board: Board) -> list[dict[str, Any]]:
    """The sentence of each North Star that the report is about, with its facts."""
    stars = [name for name in board.definitions.company.north_star if name in board.metrics]
    told = [(name, sentence(board, name)) for name in stars]
    return [{"metric": name, "text": said.text, "facts": list(said.facts)} for name, said in told]


def _solve(board: Board) -> list[dict[str, Any]]:
    """What the front page says of the things to solve: each with what is at stake, or that nothing is."""
    told = solving(board).sentences
    worth = [said for said in told if any(".at_stake[" in id_ for id_ in said.facts)]
    return [{"text": said.text, "facts": list(said.facts)} for said in worth or told[:1]]


def _lights(board: Board) -> list[dict[str, Any]]:
    """The lights of the last complete period and of the open one, and what is foreseen of it, to be remembered."""
    columns = ["metric", "grain", "period", "light", "reason", "on_pace", "attainment", "landing", "p_hit"]
    return _rows(pd.concat([board.current, board.unfinished])[columns])


def _used(board: Board) -> dict[str, list[str]]:
    """The metrics and sources that the notebook has looked at until now: when one changes, the report is made anew."""
    metrics = {*board.metrics, *(name for name in touched.METRICS if name in board.definitions.metrics)}
    sources = touched.SOURCES & set(board.definitions.company.sources)
    return {"metrics": sorted(metrics), "sources": sorted({*sources, *sources_of(board.definitions, metrics)})}


def _follow_ups(board: Board) -> list[dict[str, Any]]:
    """What the report lists to solve, to be carried until it is closed; nothing where it was not asked for."""
    columns = ["id", "title", "metric", "kind", "rank", "state"]
    return _rows(board.priorities[columns]) if board.has_priorities else []


def _fiscal(board: Board) -> list[str]:
    """What a week of a fiscal year is called: its id does not tell."""
    return [numbers.of(board).period(board.period)] if board.period.fiscal else []


def warnings(board: Board) -> list[str]:
    """What a reader must know before anything else: faulty and overdue sources, metrics that say nothing, and why."""
    grave = board.current[board.current["reason"].isin(["stale", "fault", "incomplete", "no data", "unreconciled"])]
    return [*faulty(board), *overdue(board), *_together(board, grave["metric"])]


def _together(board: Board, metrics: Iterable[str]) -> Iterator[str]:
    """What is said of metrics that say nothing: those of which the same is to be said share a sentence."""
    told: dict[str, list[str]] = {}
    for metric in metrics:
        label = board.definitions.label(metric)
        told.setdefault(sentence(board, metric).text.removeprefix(label), []).append(label)
    for said, labels in told.items():
        if len(labels) == 1:
            yield f"{labels[0]}{said}"
        else:
            many = re.sub(r"\bits\b", "their", re.sub(r"\bit\b", "them", said))
            yield f"{', '.join(labels[:-1])} and {labels[-1]}{many}"


def _subject(board: Board) -> str:
    """What a board without a department is about: what to solve next where that was asked, the North Star, or one metric."""
    if board.has_priorities:
        return "What to solve next"
    star = board.definitions.company.north_star
    return "North Star" if not star or board.lead in star else board.definitions.label(board.lead)


def _sources(board: Board) -> list[dict[str, Any]]:
    """Where the numbers came from, with what was left out or counted once."""
    others = [each.with_ for name in board.metrics for each in board.definitions.metrics[name].reconcile]
    used = sources_of(board.definitions, [*board.metrics, *others])
    notes = {
        name: [f"{numbers.of(board).count(n.count)} {n.text}" for n in board.catalog.notices(name) if n.source == name]
        for name in used
    }
    return [{**row, "notes": "; ".join(notes[row["source"]])} for row in _rows(board.catalog.provenance(*used))]


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()[:10] if not pd.isna(value) else None
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value.item() if hasattr(value, "item") else value
