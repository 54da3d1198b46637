"""What a metric means for the reader: how the inputs of each department hang together with it, from links and formulas."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_nb.board import Board
from dataops_nb.definitions import agreeing, upstream
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact
from dataops_nb.story.sentences import Sentence, Told

MOST = 2


def for_departments(board: Board, metric: str | None = None) -> Told:
    """What a metric (default: the lead) means for each other department: one sentence on the inputs or outcomes that it shares.

    A department is named where one of its metrics moves it, is moved by it or goes with it in the same period, is a part
    of it or is computed from {mine}, or was declared to move it and does not.
    """
    name = metric or board.lead
    known = meaning_facts(board, name)
    by_department: dict[str, list[Fact]] = {}
    for fact in known.values():
        by_department.setdefault(board.definitions.department_of(fact.metric), []).append(fact)
    own = board.definitions.department_of(name)
    return Told(tuple(_told(board, name, each, found) for each, found in by_department.items() if each != own))


def meaning_facts(board: Board, metric: str) -> dict[str, Fact]:
    """How each other metric hangs together with one, by id; of each department the most telling first."""
    found = {fact.id: fact for fact in (*_linked(board, metric), *_computed(board, metric))}
    board.meant.setdefault(metric, None)
    return found


def meant_facts(board: Board) -> dict[str, Fact]:
    """The facts of every meaning that was asked for."""
    return {id_: fact for metric in board.meant for id_, fact in meaning_facts(board, metric).items()}


def _linked(board: Board, metric: str) -> Iterator[Fact]:
    rows = board.company_links
    for row in rows[(rows["verdict"] == "moves") & ~rows["contradicted"].astype(bool)].to_dict("records"):
        if row["target"] == metric:
            yield _fact(board, row["input"], f"moves_{metric}", int(row["lag"]))
        elif row["input"] == metric:
            yield _fact(board, row["target"], f"follows_{metric}", int(row["lag"]))
    for row in rows[rows["together"].astype(bool) & rows["declared"].astype(bool)].to_dict("records"):
        if metric in (row["input"], row["target"]):
            other = row["input"] if row["target"] == metric else row["target"]
            yield _fact(board, other, f"goes_with_{metric}", "yes")
    rocking = rows[rows["rocking_chair"].astype(bool) & rows["declared"].astype(bool) & (rows["target"] == metric)]
    for name in rocking["input"]:
        yield _fact(board, str(name), f"does_not_move_{metric}", "yes")


def _computed(board: Board, metric: str) -> Iterator[Fact]:
    definitions = board.definitions
    below = [name for name in upstream(definitions, [metric]) if name != metric]
    above = [name for name in definitions.metrics if name != metric and metric in upstream(definitions, [name])]
    for name in below:
        yield _fact(board, name, f"is_part_of_{metric}", "yes")
    for name in above:
        yield _fact(board, name, f"is_computed_from_{metric}", "yes")


def _fact(board: Board, metric: str, field: str, value: int | str) -> Fact:
    """A relation: `yes`, or after how many periods."""
    unit = "" if isinstance(value, str) else f"{board.grain}s"
    text = value if isinstance(value, str) else numbers.of(board).quantity(value, unit)
    return Fact(f"{metric}.{field}", metric, None, board.period.id, field, value, unit, text)


def _told(board: Board, metric: str, department: str, found: list[Fact]) -> Sentence:
    shown = found[:MOST]
    who = board.definitions.departments[department].department
    said = "; ".join(_said(board, metric, alike) for alike in _alike(shown))
    return Sentence(f"{who}: {said}.", (*(fact.id for fact in shown), f"{metric}.light"))


def _alike(found: list[Fact]) -> list[list[Fact]]:
    """The facts that say the same of different metrics together, in their order."""
    ways: dict[tuple[str, str], list[Fact]] = {}
    for fact in found:
        ways.setdefault((fact.field, fact.text), []).append(fact)
    return list(ways.values())


def _said(board: Board, metric: str, alike: list[Fact]) -> str:
    mine, others = board.definitions.label(metric), [board.definitions.label(fact.metric) for fact in alike]
    other, fact = " and ".join(others), alike[0]

    def verb(one: str, many: str) -> str:
        return many if len(others) > 1 else agreeing(other, one, many)

    said: dict[str, str] = {
        "moves_": f"{mine} {agreeing(mine, 'follows', 'follow')} your {other} {fact.text} later",
        "follows_": f"your {other} {verb('follows', 'follow')} {mine} {fact.text} later",
        "goes_with_": f"your {other} {verb('moves', 'move')} with {mine} in the same {board.grain}",
        "does_not_move_": f"your {other} {verb('was', 'were')} meant to move {mine}, and {verb('does', 'do')} not",
        "is_part_of_": f"your {other} {verb('is', 'are')} part of {mine}",
        "is_computed_from_": f"your {other} {verb('is', 'are')} computed from {mine}",
    }
    return next(text for way, text in said.items() if fact.field.startswith(way))
