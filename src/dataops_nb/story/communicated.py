"""Activity without communication: what is on target and was never told to anybody, from facts."""

from __future__ import annotations

from dataops_nb.board import Board
from dataops_nb.definitions import agreeing
from dataops_nb.story.facts import Fact
from dataops_nb.story.sentences import Sentence, Told


def untold(board: Board) -> Told:
    """One sentence for each metric of the board that is green and was never published."""
    known = untold_facts(board)
    said = [
        Sentence(
            f"{_named(board, fact.metric)} never published: activity without communication.",
            (f"{fact.metric}.light", fact.id),
        )
        for fact in known.values()
    ]
    return Told(tuple(said))


def _named(board: Board, metric: str) -> str:
    label = board.definitions.label(metric)
    return f"{label} {agreeing(label, 'is green and was', 'are green and were')}"


def untold_metrics(board: Board) -> list[str]:
    """The metrics of the board that are green and were never published."""
    return [fact.metric for fact in untold_facts(board).values()]


def untold_facts(board: Board) -> dict[str, Fact]:
    """The fact `metric.communicated` of each such metric."""
    green = board.current.loc[board.current["light"] == "green", "metric"]
    names = [str(name) for name in green if str(name) not in board.communicated]
    facts = [
        Fact(f"{name}.communicated", name, None, board.period.id, "communicated", "never", "", "never")
        for name in names
    ]
    return {fact.id: fact for fact in facts}
