"""Check-ins in sentences: what owners said about a light, and which agreed reactions are due or overdue, from facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from dataops_nb.board import Board
from dataops_nb.definitions import agreeing
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact
from dataops_nb.story.sentences import Sentence, Told

COUNTED = 28  # days up to which it helps to count how late a reaction is; after that the day says more


def notes(board: Board, metric: str | None = None) -> Told:
    """The notes on a metric's light (default: of the lead) that nobody has answered yet, with day and author."""
    name = metric or board.lead
    own = [row for row in _notes(board) if row["metric"] == name]
    known = reaction_facts(board)
    return Told(tuple(_noted(board, row, known) for row in own))


def reactions(board: Board) -> Told:
    """What was agreed to be done about the lights that are on, and how much of the agreed time is left; overdue first."""
    known = reaction_facts(board)
    rows = [{str(k): v for k, v in row.items()} for row in board.reactions.to_dict("records")]
    told = [_told(board, row, known) for row in rows if row["overdue"] or not row["answered"]]
    others = [row for row in _notes(board) if row["metric"] != board.lead]
    return Told((*told, *(_noted(board, row, known, named=True) for row in others)))


def overdue(board: Board) -> list[Sentence]:
    """One sentence for each reaction whose time is over and that nobody has answered."""
    known = reaction_facts(board)
    return [_told(board, row, known) for row in board.reactions.to_dict("records") if row["overdue"]]


def reaction_facts(board: Board) -> dict[str, Fact]:
    """Every fact about reactions and notes, by id."""
    found = [fact for row in board.reactions.to_dict("records") for fact in _facts(board, row)]
    found += [fact for row in _notes(board) for fact in _note_facts(board, row)]
    return {fact.id: fact for fact in found}


def _notes(board: Board) -> list[dict[str, Any]]:
    open_ = board.notes[board.notes["open"]]
    return [{"place": i, **{str(k): v for k, v in row.items()}} for i, row in enumerate(open_.to_dict("records"))]


def _facts(board: Board, row: dict[Any, Any]) -> Iterator[Fact]:
    metric = str(row["metric"])

    def fact(field: str, value: float | str, unit: str, text: str) -> Fact:
        return Fact(f"{metric}.{field}", metric, None, board.period.id, field, value, unit, text)

    left = int(row["days_left"])
    yield fact("light_to_act", str(row["light"]), "", str(row["light"]))
    yield fact("light_since", row["since"].isoformat(), "", numbers.of(board).date(row["since"]))
    yield fact("act_by", row["due"].isoformat(), "", numbers.of(board).date(row["due"]))
    yield fact("days_to_act", left, "days", numbers.of(board).quantity(abs(left), "days"))


def _note_facts(board: Board, row: dict[str, Any]) -> Iterator[Fact]:
    metric = str(row["metric"])
    day = numbers.of(board).date(dt.date.fromisoformat(row["as_of"]))
    for field, text in (("note", row["text"]), ("noted_by", row["who"]), ("noted_on", day)):
        id_ = f"{metric}.{field}[{row['place']}]"
        yield Fact(id_, metric, None, str(row["period"]), field, text, "", text)


def _told(board: Board, row: dict[Any, Any], known: dict[str, Fact]) -> Sentence:
    metric, label = str(row["metric"]), board.definitions.label(str(row["metric"]))
    light, since, by, left = (
        known[f"{metric}.{field}"] for field in ("light_to_act", "light_since", "act_by", "days_to_act")
    )
    used = (light.id, since.id, left.id, by.id)
    opening = f"{label} {agreeing(label, 'has', 'have')} been {light.text} since {since.text}"
    if board.row(metric)["light"] == "unknown":
        opening = f"{label} had been {light.text} since {since.text} when it could last be judged"
    owner = f"{row['owner']} has" if row["owner"] else "nobody has"
    if row["overdue"]:
        who = f"{row['owner']} has not answered" if row["owner"] else "nobody has answered"
        if int(row["days_left"]) < -COUNTED:
            return Sentence(
                f"{opening}; the agreed reaction was due on {by.text}, and {who}.", (light.id, since.id, by.id)
            )
        return Sentence(
            f"{opening}; the agreed reaction is {left.text} overdue (it was due on {by.text}), and {who}.", used
        )
    return Sentence(f"{opening}; {owner} {left.text} to react (until {by.text}).", used)


def _noted(board: Board, row: dict[str, Any], known: dict[str, Fact], *, named: bool = False) -> Sentence:
    """A note with its day; where it was about another period, with that: it was right of it, and may not be of this one."""
    text, who, day = (known[f"{row['metric']}.{field}[{row['place']}]"] for field in ("note", "noted_by", "noted_on"))
    about = (
        "" if row["period"] == board.period.id else f", about {numbers.of(board).period_in_words(str(row['period']))}"
    )
    of = f"{board.definitions.label(str(row['metric']))}, " if named else ""
    return Sentence(f"{of}{who.text} on {day.text}{about}: {text.text}", (who.id, day.id, text.id))
