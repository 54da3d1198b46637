"""What to solve next, in sentences: what is at stake, how long there is, and how sure the order is, from facts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact, _clean
from dataops_nb.story.sentences import Sentence, Told, headline

YEAR = 365
_MONEY = ("at_stake", "at_stake_low", "at_stake_high")


def solving(board: Board, count: int = 3) -> Told:
    """The first things to solve that have something at stake, one or two sentences each, and what was closed since.

    One sentence that says so where nothing has.
    """
    known = solving_facts(board)
    worth = [row for row in _rows(board) if row["at_stake"] > 0][:count]
    told = [each for place, row in enumerate(worth) for each in _told(board, row, known, place)]
    if not told:
        told = [Sentence("Nothing on the list has money at stake that can be told.", (known["solve.listed"].id,))]
    return Told((*told, *_closed(board, known)))


def first(board: Board) -> Told:
    """The first thing to solve as the headline of a report, under the light of the metric it is about; then how sure that is,
    how long there is, and what was closed since. Where nothing has money at stake the board's lead speaks."""
    known, row = solving_facts(board), first_row(board)
    if row is None:
        return Told((*headline(board, moved=False).sentences, *solving(board).sentences))
    amount, low, high = (known[fact_id(row, field)] for field in _MONEY)
    title = known[fact_id(row, "title")]
    text = f"First: {row['title']}{_about(board, row)}. It costs about {amount.text} a year as it is."
    light = str(board.row(row["metric"])["light"]) if row["metric"] in board.metrics else None
    more = [known[id_].id for field in ("why", "lag") if (id_ := fact_id(row, field)) in known]
    ends = Sentence(f"That lies between {low.text} and {high.text}; {_why(row)}.", (low.id, high.id, *more))
    opening = Sentence(text, (amount.id, title.id), "headline", light)
    return Told((opening, ends, *_pressing(row, known), *_closed(board, known)))


def first_row(board: Board) -> dict[str, Any] | None:
    """The first thing to solve that has something at stake."""
    return next((row for row in _rows(board) if row["at_stake"] > 0), None)


def solving_facts(board: Board) -> dict[str, Fact]:
    """Every fact about the things to solve, by id: `metric.field[item]`, and how many are listed and closed."""
    found = [fact for row in _rows(board) for fact in _facts(board, row)]
    counts = {"listed": len(board.priorities), "closed": len(board.closed)}
    titles = [(str(row["id"]), str(row["title"])) for row in board.closed.to_dict("records")]
    found += [
        Fact(f"solve.title[{id_}]", "solve", f"item={id_}", board.period.id, "title", t, "", t) for id_, t in titles
    ]
    found += [
        Fact(f"solve.{name}", "solve", None, board.period.id, name, n, "", numbers.of(board).count(n))
        for name, n in counts.items()
    ]
    return {fact.id: fact for fact in found}


def fact_id(row: dict[str, Any], field: str) -> str:
    """The id of a fact about a thing to solve."""
    return f"{row['metric'] or 'solve'}.{field}[{row['id']}]"


def _rows(board: Board) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in board.priorities.to_dict("records")]


def _facts(board: Board, row: dict[str, Any]) -> Iterator[Fact]:
    def fact(field: str, value: float | str, unit: str, text: str) -> Fact:
        metric = row["metric"] or "solve"
        return Fact(fact_id(row, field), metric, f"item={row['id']}", board.period.id, field, value, unit, text)

    currency = board.definitions.company.currency
    yield fact("rank", int(row["rank"]), "", str(row["rank"]))
    yield fact("title", str(row["title"]), "", str(row["title"]))
    yield fact("why", _why(row), "", _why(row))
    if not pd.isna(row["lag"]) and row["lag"]:
        unit = f"{board.grain}s"
        yield fact("lag", int(row["lag"]), unit, numbers.of(board).quantity(int(row["lag"]), unit))
    for field in _MONEY:
        if math.isfinite(row[field]):
            yield fact(field, _clean(row[field]), currency, numbers.of(board).rough(row[field], currency))
    if math.isfinite(row["slack"]):
        yield fact("slack", int(row["slack"]), "days", numbers.of(board).quantity(abs(int(row["slack"])), "days"))
    if row["reports"]:
        yield fact(
            "reports", int(row["reports"]), "reports", numbers.of(board).quantity(int(row["reports"]), "reports")
        )
    yield fact("stability", _clean(row["stability"]), "percent", numbers.of(board).share(row["stability"]))


def _told(board: Board, row: dict[str, Any], known: dict[str, Fact], place: int) -> Iterator[Sentence]:
    amount, low, high = (known[fact_id(row, field)] for field in _MONEY)
    opening = ("First", "Then", "After that")[min(place, 2)]
    costs = "It costs about" if not place else "About"
    text = f"{opening}: {row['title']}{_about(board, row)}. {costs} {amount.text} a year as it is ({low.text} to {high.text})"
    more = [known[id_].id for field in ("title", "why", "lag") if (id_ := fact_id(row, field)) in known]
    yield Sentence(f"{text}; {_why(row)}.", (amount.id, low.id, high.id, *more))
    yield from _pressing(row, known)


def _about(board: Board, row: dict[str, Any]) -> str:
    """The metric that a thing to solve is about, where its title does not say it."""
    name = board.definitions.label(row["metric"]) if row["metric"] else ""
    return f" ({name})" if name and name not in row["title"] else ""


def _pressing(row: dict[str, Any], known: dict[str, Fact]) -> Iterator[Sentence]:
    """How long there is, and whether it was listed before."""
    slack = known.get(fact_id(row, "slack"))
    if slack is not None:
        yield Sentence(_hurry(slack), (slack.id,))
    again = known.get(fact_id(row, "reports"))
    if again is not None:
        yield Sentence(f"It was on this list in {again.text} before.", (again.id,))


def _why(row: dict[str, Any]) -> str:
    said = str(row["why"])
    return said if row["star"] else said[:1].lower() + said[1:]


def _hurry(slack: Fact) -> str:
    days = int(slack.value or 0)
    if days < -YEAR:
        return "It comes too late for the year's target, and still costs what it costs."
    if days < 0:
        return f"It is late: work should have started {slack.text} ago to reach the year's target."
    return f"{slack.text[:1].upper()}{slack.text[1:]} {'is' if days == 1 else 'are'} left to start it in time."


def _closed(board: Board, known: dict[str, Fact]) -> Iterator[Sentence]:
    for row in board.closed.to_dict("records"):
        yield Sentence(f"Closed since the last report: {row['title']}.", (known[f"solve.title[{row['id']}]"].id,))
