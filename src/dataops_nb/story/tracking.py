"""The track record in sentences: how often the lights of unfinished periods were right, and the chances that were given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from dataops_nb.board import Board
from dataops_nb.history import FEWEST
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact
from dataops_nb.story.sentences import Sentence, Told


def track(board: Board) -> Told:
    """What became of the lights and chances published for unfinished periods on earlier days; `too few to tell` while so."""
    return Told(tuple(_told(board, track_facts(board))))


def track_facts(board: Board) -> dict[str, Fact]:
    """`tracked_periods tracked_green green_not_met tracked_red red_met tracked_chances brier` of the board's lead, by id."""
    return {fact.id: fact for fact in _facts(board)}


def _facts(board: Board) -> Iterator[Fact]:
    done, cases = board.track, "cases"
    counts = {
        "tracked_periods": done.periods,
        "tracked_needed": FEWEST,
        "tracked_green": done.green,
        "green_not_met": done.green_not,
        "tracked_red": done.red,
        "red_met": done.red_hit,
        "tracked_chances": done.chances,
    }
    for field, count in counts.items():
        of = f"{board.grain}s" if field in {"tracked_periods", "tracked_needed"} else cases
        text = numbers.of(board).quantity(count, of) if field == "tracked_periods" else numbers.of(board).number(count)
        yield _fact(board, field, count, of, text)
    if not math.isnan(done.brier):
        brier = float(f"{done.brier:.12g}")
        yield _fact(board, "brier", brier, "", numbers.of(board).digits(f"{brier:.2f}"))
    for light in ("green", "red"):
        yield _fact(board, f"light_tracked_{light}", light, "", light)


def _fact(board: Board, field: str, value: float | str, unit: str, text: str) -> Fact:
    return Fact(f"{board.lead}.{field}", board.lead, None, board.period.id, field, value, unit, text)


def _told(board: Board, known: Mapping[str, Fact]) -> Iterator[Sentence]:
    def find(field: str) -> Fact:
        return known[f"{board.lead}.{field}"]

    periods, needed = find("tracked_periods"), find("tracked_needed")
    if not periods.value:
        yield Sentence(
            f"How right lights on pace are cannot be said yet: no {board.grain} that was lit unfinished has ended.",
            (periods.id,),
        )
    elif not board.track.tells:
        text = f"Too few to tell how often lights on pace were right: {periods.text} of {needed.text} that it takes."
        yield Sentence(text, (periods.id, needed.id))
    else:
        yield from _lights(board, known)
        yield from _chances(board, known)


def _lights(board: Board, known: Mapping[str, Fact]) -> Iterator[Sentence]:
    for light, field, tail in (
        ("green", "green_not_met", "did not meet its target"),
        ("red", "red_met", "met it after all"),
    ):
        count, of = known[f"{board.lead}.{field}"], known[f"{board.lead}.tracked_{light}"]
        if of.value:
            text = f"An unfinished {board.grain} that was {light} {tail} in {count.text} of {of.text} cases."
            yield Sentence(text, (count.id, of.id, f"{board.lead}.light_tracked_{light}"))


def _chances(board: Board, known: Mapping[str, Fact]) -> Iterator[Sentence]:
    brier, count = known.get(f"{board.lead}.brier"), known[f"{board.lead}.tracked_chances"]
    if brier is None or float(count.value or 0) < FEWEST:
        yield Sentence("Too few chances of meeting a target were given to tell how good they are.", (count.id,))
        return
    text = f"The chances that were given have a Brier score of {brier.text} in {count.text} cases; nought is perfect, "
    yield Sentence(f"{text}a quarter is what a coin scores.", (brier.id, count.id))
