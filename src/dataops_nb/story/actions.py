"""What to do: what to solve next, which agreed reactions are due, what was never told to anybody.

A thing to solve is said with its price, the time that is left and what that rests on. Reactions and
notes say what was agreed for a light and what its owner answered. A metric that is green and was
never published is activity without communication.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Board
from dataops_nb.display import Fact, Phrase, Piece, Sentence, Told, capitalized, say
from dataops_nb.plain import records
from dataops_nb.story.comments import label
from dataops_nb.story.decisions import COUNTED, due_fact
from dataops_nb.story.facts import Subject, by_id, clean, facts, once_a_board
from dataops_nb.story.lights import headline
from dataops_nb.story.phrases import fill, metric_slots
from dataops_nb.story.wordings import REACTIONS, SOLVING

YEAR = 365
MONEY = ("at_stake", "at_stake_low", "at_stake_high")


def solving(board: Board, count: int = 3) -> Told:
    """Say what to solve first: at most `count` things with something at stake, and what was closed.

    One or two sentences each; a single one where nothing has a price.

    >>> print(story.solving(company))
    First: Payments arrive late (Revenue). Left alone, it costs about €8,166 a year (likely €3,838
    to €12k).
    Start now: it should have begun by 10 Nov to reach this year's target.
    """
    known = solving_facts(board)
    costly = [row for row in records(board.priorities) if row["at_stake"] > 0]
    sentences: list[Sentence] = []
    for place, row in enumerate(costly[:count]):
        sentences += _priority(board, row, known, place)
    if not sentences:
        sentences.append(fill(SOLVING["nothing"], {}, known["solve.listed"]))
    return Told((*sentences, *_closed(board, known)), more=known)


def first(board: Board) -> Told:
    """Say the first thing to solve as a report's headline, under the light of its metric.

    Further sentences say why it costs that, how long there is, and what was closed since. Where
    nothing has money at stake the board's lead speaks.

    >>> print(story.first(company))
    First: Payments arrive late (Revenue). Left alone, it costs about €8,166 a year (likely €3,838
    to €12k).
    Its own shortfall.
    Start now: it should have begun by 10 Nov to reach this year's target.
    """
    known, row = solving_facts(board), first_row(board)
    if row is None:
        opening = headline(board, moved=False).sentences
        return Told((*opening, *solving(board).sentences), more=known)
    light = None
    if row["metric"] in board.metrics:
        light = str(board.row(row["metric"])["light"])
    costs, *further = _priority(board, row, known, 0)
    opening_ = replace(costs, kind="headline", light=light)
    why = fill(SOLVING["why"], {"why": capitalized(_why(row, known))})
    return Told((opening_, why, *further, *_closed(board, known)), more=known)


@once_a_board
def first_row(board: Board) -> dict[str, Any] | None:
    """Return the first row of `board.priorities` that has something at stake."""
    for row in records(board.priorities):
        if row["at_stake"] > 0:
            return row
    return None


@once_a_board
def solving_facts(board: Board) -> dict[str, Fact]:
    """Return every fact about the things to solve, by id: `metric.field[item]`.

    `solve.listed` and `solve.closed` count them.
    """
    made: list[Fact] = []
    for row in records(board.priorities):
        made += _priority_facts(board, row)
    for row in records(board.closed):
        made.append(_item(board, str(row["id"])).word("title", str(row["title"])))
    subject = Subject("solve", board.period.id)
    counts = {"listed": len(board.priorities), "closed": len(board.closed)}
    for field, count in counts.items():
        made.append(subject.fact(field, count, numbers.of(board).count(count)))
    return by_id(made)


def _item(board: Board, id_: str, metric: str | None = None) -> Subject:
    """Return a thing to solve as the subject of facts."""
    segment = f"item={id_}"
    return Subject(metric or "solve", board.period.id, "", f"[{id_}]", segment)


def fact_id(row: dict[str, Any], field: str) -> str:
    """Return the id of a fact about a thing to solve."""
    return f"{row['metric'] or 'solve'}.{field}[{row['id']}]"


def _priority_facts(board: Board, row: dict[str, Any]) -> Iterator[Fact]:
    item = _item(board, row["id"], row["metric"])
    written, currency = numbers.of(board), board.company.currency
    yield item.fact("rank", int(row["rank"]), str(row["rank"]))
    yield item.word("title", str(row["title"]))
    yield item.word("why", _reason(row))
    if not pd.isna(row["lag"]) and row["lag"]:
        lag, unit = int(row["lag"]), f"{board.grain}s"
        yield item.fact("lag", lag, written.quantity(lag, unit), unit)
    for field in MONEY:
        amount = row[field]
        if math.isfinite(amount):
            yield item.fact(field, clean(amount), written.rough(amount, currency), currency)
    if math.isfinite(row["slack"]):
        slack = int(row["slack"])
        yield item.fact("slack", slack, written.quantity(abs(slack), "days"), "days")
        start_by = board.as_of + dt.timedelta(days=slack)
        yield item.fact("start_by", start_by.isoformat(), written.date(start_by))
    if row["reports"]:
        reports = int(row["reports"])
        yield item.fact("reports", reports, written.quantity(reports, "reports"), "reports")
    stability = row["stability"]
    yield item.fact("stability", clean(stability), written.share(stability), "percent")


def _priority(
    board: Board, row: dict[str, Any], known: dict[str, Fact], place: int
) -> Iterator[Sentence]:
    amount, low, high = (known[fact_id(row, field)] for field in MONEY)
    slots: dict[str, Piece] = {
        "title": (known[fact_id(row, "title")], _about(board, row)),
        "cost": amount,
        "low": "" if low.text == high.text else low,
        "high": high,
    }
    yield fill(SOLVING[("first", "second", "third")[min(place, 2)]], slots, low, high)
    yield from _pressing(row, known)


def _about(board: Board, row: dict[str, Any]) -> Phrase:
    """Return the metric that a thing to solve is about, where its title does not say it."""
    if not row["metric"]:
        return ()
    name = label(board, row["metric"])
    return () if not name.text or name.text in row["title"] else (" (", name, ")")


def _pressing(row: dict[str, Any], known: dict[str, Fact]) -> Iterator[Sentence]:
    """Say how long there is, and whether it was listed before."""
    slack = known.get(fact_id(row, "slack"))
    if slack is not None:
        days = int(slack.value or 0)
        wording = "start" if days >= 0 else "late" if days >= -YEAR else "too late"
        start_by = known[fact_id(row, "start_by")]
        yield fill(SOLVING[wording], {"start_by": start_by}, slack)
    again = known.get(fact_id(row, "reports"))
    if again is not None:
        yield fill(SOLVING["again"], {"reports": again})


def _reason(row: dict[str, Any]) -> str:
    why = str(row["why"])
    return why if row["star"] else why[:1].lower() + why[1:]


def _why(row: dict[str, Any], known: dict[str, Fact]) -> Phrase:
    """Return why it costs what it costs; the lag that it names is a fact of its own."""
    why, lag = known[fact_id(row, "why")], known.get(fact_id(row, "lag"))
    return (why, say.rests_on(lag) if lag else ())


def _closed(board: Board, known: dict[str, Fact]) -> Iterator[Sentence]:
    for row in board.closed.to_dict("records"):
        title = known[f"solve.title[{row['id']}]"]
        yield fill(SOLVING["closed"], {"title": title})


def notes(board: Board, metric: str | None = None) -> Told:
    """Say the unanswered notes on a metric's light (default: the lead), with day and author.

    >>> print(story.notes(company))
    Ann, 13 Nov: The fair starts on Thursday.
    """
    name = metric or board.lead
    known = reaction_facts(board)
    own = [row for row in _open_notes(board) if row["metric"] == name]
    return Told(tuple(_note(board, row, known) for row in own))


def reactions(board: Board) -> Told:
    """Say what is due for lights that are on, and how much of the agreed time is left.

    Overdue reactions stand first; notes on other metrics than the lead follow.

    >>> story.reactions(company).sentences  # red, and answered by a note
    ()
    """
    known = reaction_facts(board)
    sentences = []
    for row in records(board.reactions):
        if row["overdue"] or not row["answered"]:
            sentences.append(_reaction(board, row, known))
    for row in _open_notes(board):
        if row["metric"] != board.lead:
            sentences.append(_note(board, row, known, named=True))
    return Told(tuple(sentences))


def overdue(board: Board) -> list[Sentence]:
    """Return one sentence for each reaction whose time is over and that nobody has answered."""
    known = reaction_facts(board)
    late = [row for row in records(board.reactions) if row["overdue"]]
    return [_reaction(board, row, known) for row in late]


@once_a_board
def reaction_facts(board: Board) -> dict[str, Fact]:
    """Return every fact about reactions and notes, by id.

    `light_to_act light_since act_by days_to_act` of a metric; `note noted_by noted_on`, each with
    the note's place.
    """
    made: list[Fact] = []
    for row in records(board.reactions):
        made += _reaction_facts(board, row)
    for row in _open_notes(board):
        made += _note_facts(board, row)
    return by_id(made)


@once_a_board
def _open_notes(board: Board) -> list[dict[str, Any]]:
    """Return the notes that nobody has answered, each with its place among them."""
    rows = []
    for place, row in enumerate(records(board.notes[board.notes["open"]])):
        rows.append({"place": place, **row})
    return rows


def _reaction_facts(board: Board, row: dict[str, Any]) -> Iterator[Fact]:
    subject, written = Subject(str(row["metric"]), board.period.id), numbers.of(board)
    left = int(row["days_left"])
    yield subject.word("light_to_act", str(row["light"]))
    yield subject.fact("light_since", row["since"].isoformat(), written.date(row["since"]))
    yield due_fact(board, str(row["metric"]), row["due"])
    yield subject.fact("days_to_act", left, written.quantity(abs(left), "days"), "days")


def _note_facts(board: Board, row: dict[str, Any]) -> Iterator[Fact]:
    subject = Subject(str(row["metric"]), str(row["period"]), ending=f"[{row['place']}]")
    day = numbers.of(board).date(dt.date.fromisoformat(row["as_of"]))
    yield subject.word("note", row["text"])
    yield subject.word("noted_by", row["who"])
    yield subject.word("noted_on", day)


def _reaction(board: Board, row: dict[str, Any], known: dict[str, Fact]) -> Sentence:
    metric = str(row["metric"])
    light, left = known[f"{metric}.light_to_act"], known[f"{metric}.days_to_act"]
    slots: dict[str, Piece] = {
        **metric_slots(board, metric),
        "who": say.name(row["owner"]) if row["owner"] else "",
        "since": known[f"{metric}.light_since"],
        "due": known[f"{metric}.act_by"],
        "days_late": left,
        "light": light,
    }
    days = int(row["days_left"])
    if not row["owner"]:
        wording = "no owner" if row["overdue"] else "no owner yet"
    elif board.row(metric)["light"] == "unknown":
        wording = "no newer data"
    elif not row["overdue"]:
        wording = "running"
    else:
        wording = "long overdue" if days < -COUNTED else "overdue"
    return fill(REACTIONS[wording], slots, light, left)


def _note(
    board: Board, row: dict[str, Any], known: dict[str, Fact], *, named: bool = False
) -> Sentence:
    """Say a note with its day, and with its period where that is another one than the board's.

    What was right of that period may not be of this one.
    """
    metric, place = row["metric"], row["place"]
    about: Piece = ""
    if row["period"] != board.period.id:
        about = say.name(numbers.of(board).period_in_words(str(row["period"])))
    slots: dict[str, Piece] = {
        "L": label(board, str(metric)),
        "who": known[f"{metric}.noted_by[{place}]"],
        "day": known[f"{metric}.noted_on[{place}]"],
        "about": about,
        "text": known[f"{metric}.note[{place}]"],
    }
    return fill(REACTIONS["note on" if named else "note"], slots)


def untold(board: Board) -> Told:
    """Say which metrics of the board are on target and were never published, a sentence each.

    >>> print(story.untold(company))
    New customers are on target and nobody has been told: they are in no published report.
    """
    known = facts(board)
    sentences = []
    for never in untold_facts(board).values():
        slots = metric_slots(board, never.metric)
        light = known[f"{never.metric}.light"]
        sentences.append(fill(REACTIONS["untold"], slots, light, never))
    return Told(tuple(sentences))


def untold_metrics(board: Board) -> list[str]:
    """Return the metrics of the board that are green and were never published."""
    return [fact.metric for fact in untold_facts(board).values()]


@once_a_board
def untold_facts(board: Board) -> dict[str, Fact]:
    """Return the fact `metric.communicated` of each metric that is green and never published."""
    green = board.current.loc[board.current["light"] == "green", "metric"]
    made = []
    for name in green:
        if str(name) not in board.communicated:
            made.append(Subject(str(name), board.period.id).word("communicated", "never"))
    return by_id(made)
