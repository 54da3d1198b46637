"""Leading: whether what a department does moves the North Star, in one sentence a link, from facts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.definitions import agreeing
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact
from dataops_nb.story.sentences import Sentence, Told


@dataclass(frozen=True)
class Step:
    """So much more of an input that what follows from it can be read: 1, 10, 100 … units (of a rate, percent points).

    `text` is the step in words: `1 meeting`, `10 customers`, `$1,000`, `1 point`.
    """

    size: float
    unit: str
    text: str


def step(board: Board, row: pd.Series) -> Step:
    """The step of an input that changes the target by at least a tenth of what is printed of it."""
    unit = board.definitions.metrics[str(row["input"])].unit
    target = board.definitions.metrics[str(row["target"])].unit
    smallest, least = (0.01 if unit == "percent" else 1.0), (0.001 if target == "percent" else 0.1)
    effect = abs(float(row["effect"])) * smallest
    power = 0 if not effect > 0 else max(0, math.ceil(math.log10(least / effect)))
    size = smallest * 10.0 ** min(power, 6)
    return Step(size, unit, numbers.of(board).difference(size, unit, word=True))


def links(board: Board) -> Told:
    """What the data say about each link that was declared or found, and which inputs are activity without movement."""
    known = link_facts(board)
    shown = board.links[~board.links["is_part"].astype(bool)]
    told = [each for _, row in shown.iterrows() for each in _told(board, row, known)]
    return Told(tuple(told))


def link_facts(board: Board) -> dict[str, Fact]:
    """`verdict_on_…`, `lag_on_…`, `effect_on_…` with its ends and step, and `rise` of the board's inputs, by id."""
    return link_facts_of(board, board.links)


def link_facts_of(board: Board, links: pd.DataFrame) -> dict[str, Fact]:
    """The same of any of the company's links."""
    shown = links[~links["is_part"].astype(bool)]
    return {fact.id: fact for _, row in shown.iterrows() for fact in _facts(board, row)}


def _facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    metric, target, grain = str(row["input"]), str(row["target"]), board.grain
    unit = board.definitions.metrics[target].unit

    def fact(field: str, value: float | str, of: str, text: str) -> Fact:
        return Fact(f"{metric}.{field}", metric, None, board.period.id, field, value, of, text)

    yield fact(f"verdict_on_{target}", row["verdict"], "", row["verdict"])
    if not pd.isna(row["rise"]):
        rise = float(f"{row['rise']:.12g}")
        yield fact("rise", rise, "percent", numbers.of(board).number(abs(rise), "percent"))
    if row["rocking_chair"]:
        yield fact(f"rocking_chair_on_{target}", "yes", "", "yes")
    if not pd.isna(row["periods_needed"]):
        needed = int(row["periods_needed"])
        yield fact(f"needed_on_{target}", needed, f"{grain}s", numbers.of(board).quantity(needed, f"{grain}s"))
    if pd.isna(row["lag"]):
        return
    lag, each, written = int(row["lag"]), step(board, row), numbers.of(board)
    yield fact(f"lag_on_{target}", lag, f"{grain}s", numbers.of(board).quantity(lag, f"{grain}s"))
    yield fact(f"step_on_{target}", each.size, each.unit, each.text)
    for field in ("effect", "effect_low", "effect_high"):
        size = float(f"{row[field] * each.size:.12g}")
        text = written.rough(abs(size), unit) if numbers.is_currency(unit) else written.difference(size, unit)
        yield fact(f"{field}_on_{target}", size, unit, text)


def _told(board: Board, row: pd.Series, known: dict[str, Fact]) -> Iterator[Sentence]:
    label, target = (board.definitions.label(str(row[name])) for name in ("input", "target"))

    def find(field: str) -> Fact:
        return known[f"{row['input']}.{field}_on_{row['target']}"]

    verdict = find("verdict")
    if row["verdict"] == "moves":
        yield _moves(board, row, known)
        if row["contradicted"]:
            yield Sentence(f"It was declared the other way round: {label} to {target}.", (verdict.id,))
    elif row["declared"] and row["rocking_chair"]:
        yield rocking(board, str(row["input"]), str(row["target"]), known)
    elif row["declared"] and row["together"]:
        text = (
            f"{label} and {target} move in the same {board.grain}, so the {board.grain}s cannot tell which moves which."
        )
        yield Sentence(text, (verdict.id,))
    elif row["declared"] and row["contradicted"]:
        was = agreeing(label, "was", "were")
        yield Sentence(f"{label} {was} meant to move {target}, and the data speak against it.", (verdict.id,))
    elif row["declared"]:
        needed = find("needed")
        moves = agreeing(label, "moves", "move")
        text = f"Whether {label} {moves} {target} cannot be told yet: that needs about {needed.text} more."
        yield Sentence(text, (verdict.id, needed.id))


def _moves(board: Board, row: pd.Series, known: dict[str, Fact]) -> Sentence:
    label, target = (board.definitions.label(str(row[name])) for name in ("input", "target"))
    at = f"{row['input']}.{{}}_on_{row['target']}"
    verdict, lag, more, effect, low, high = (
        known[at.format(name)] for name in ("verdict", "lag", "step", "effect", "effect_low", "effect_high")
    )
    way = "more" if float(effect.value or 0) > 0 else "less"
    ends = (low, high) if float(effect.value or 0) > 0 else (high, low)
    first = ends[0].text.removesuffix(" points")
    text = f"{label}: {more.text} more went with {effect.text} {way} of {target} {lag.text} later ({first} to {ends[1].text})."
    return Sentence(text, tuple(each.id for each in (verdict, more, effect, lag, *ends)))


def rocking(board: Board, metric: str, star: str, known: Mapping[str, Fact]) -> Sentence:
    """An input that is up or on target while the North Star does not follow."""
    label, target = board.definitions.label(metric), board.definitions.label(star)
    used = tuple(f"{metric}.{name}_on_{star}" for name in ("verdict", "rocking_chair"))
    rise = known.get(f"{metric}.rise")
    if rise is None:
        return Sentence(f"{label}: on target, and {target} did not follow; that is activity, not movement.", used)
    way = "rose" if float(rise.value or 0) > 0 else "fell"
    text = f"{label} {way} by {rise.text} of late, and {target} did not follow; that is activity, not movement."
    return Sentence(text, (rise.id, *used))
