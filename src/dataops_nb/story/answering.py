"""Right when asked: what one unit of effort is worth on the bottom line, and what would change our mind, from facts."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dataops_nb.board import Board
from dataops_nb.definitions import agreeing
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact, _clean, facts
from dataops_nb.story.leading import link_facts
from dataops_nb.story.sentences import Sentence, Told


def worth(board: Board, metric: str | None = None) -> Told:
    """What one unit of a metric is worth a year in the company's currency, with its interval; or why that cannot be told."""
    name = metric or board.lead
    found, known = board.unit_worth(name), answer_facts(board, name)
    label = board.definitions.label(name)
    if math.isnan(found.value):
        return Told((Sentence(f"What {label} is worth in money cannot be told: {found.reason}.", (f"{name}.light",)),))
    one, value, low, high = (known[f"{name}.{field}"] for field in ("one", "worth_of_one", "worth_low", "worth_high"))
    if found.star in {None, name} and one.text == value.text:
        return Told(
            (
                Sentence(
                    f"{label} {agreeing(label, 'is', 'are')} money already: {one.text} of it is {value.text}.",
                    (one.id, value.id),
                ),
            )
        )
    verb = "costs" if found.value < 0 else "is worth"
    through = "" if found.star in {None, name} else f", through {board.definitions.label(str(found.star))}"
    sure = "" if low.text == high.text == value.text else f" ({low.text} to {high.text})"
    used = [one.id, value.id, *((low.id, high.id) if sure else ())]
    text = f"{label}: {one.text} {verb} about {value.text} a year{through}{sure}"
    if (lag := known.get(f"{name}.worth_after")) is not None:
        text, used = f"{text}; it takes {lag.text} to show", [*used, lag.id]
    return Told((Sentence(f"{text}.", tuple(used)),))


def mind(board: Board, metric: str | None = None) -> Told:
    """What would change our mind: the value at which the light turns, how much of it is luck, and what the links rest on."""
    name = metric or board.lead
    known = {**facts(board), **answer_facts(board, name), **link_facts(board)}
    return Told((*_turning(board, name, known), *_luck(name, known), *_resting(board, name, known)))


def answer_facts(board: Board, metric: str) -> dict[str, Fact]:
    """The facts of the answer about one metric, by id."""
    board.answered.setdefault(metric, None)
    return {fact.id: fact for fact in (*_worth_facts(board, metric), *_turn_facts(board, metric))}


def answered_facts(board: Board) -> dict[str, Fact]:
    """The facts of every answer that was asked for."""
    return {id_: fact for metric in board.answered for id_, fact in answer_facts(board, metric).items()}


def _fact(board: Board, metric: str, field: str, value: tuple[float, str], text: str) -> Fact:
    return Fact(f"{metric}.{field}", metric, None, board.period.id, field, _clean(value[0]), value[1], text)


def _worth_facts(board: Board, metric: str) -> Iterator[Fact]:
    found, currency = board.unit_worth(metric), board.definitions.company.currency
    if math.isnan(found.value):
        return
    unit = board.definitions.metrics[metric].unit
    yield _fact(board, metric, "one", (found.step, unit), numbers.of(board).difference(found.step, unit, word=True))
    for field, amount in (("worth_of_one", found.value), ("worth_low", found.low), ("worth_high", found.high)):
        yield _fact(board, metric, field, (amount, currency), numbers.of(board).rough(abs(_clean(amount)), currency))
    if found.lag:
        periods = f"{board.grain}s"
        yield _fact(board, metric, "worth_after", (found.lag, periods), numbers.of(board).quantity(found.lag, periods))


def _turn_facts(board: Board, metric: str) -> Iterator[Fact]:
    """The values at which green and yellow start, where a target is met by being above or below it."""
    row, agreed = board.row(metric), board.definitions.lights(metric)
    said, target = board.definitions.metrics[metric], float(row["target"])
    if agreed is None or not math.isfinite(target) or said.better == "inside" or target <= 0:
        return
    for colour in ("green", "yellow"):
        light = getattr(agreed, colour)
        share = (
            None
            if light is None
            else light.at_least
            if light.at_least is not None
            else 1.0
            if colour == "green"
            else None
        )
        if share:
            value = target * share if said.better == "up" else target / share
            yield _fact(
                board, metric, f"turns_{colour}", (value, said.unit), numbers.of(board).quantity(value, said.unit)
            )
            id_ = f"{metric}.light_{colour}"
            yield Fact(id_, metric, None, board.period.id, f"light_{colour}", colour, "", colour)


def _turning(board: Board, metric: str, known: dict[str, Fact]) -> Iterator[Sentence]:
    """Where the light turns: the values at which other colours start, and up to where green stays."""
    light, label, said = known[f"{metric}.light"], board.definitions.label(metric), board.definitions.metrics[metric]
    way = "from" if said.better == "up" else "up to"
    for colour in ("green", "yellow"):
        fact = known.get(f"{metric}.turns_{colour}")
        if fact is not None and light.value != colour:
            counts = agreeing(label, "counts", "count")
            yield Sentence(f"{label} {counts} as {colour} {way} {fact.text}.", (fact.id, f"{metric}.light_{colour}"))
        elif fact is not None and colour == "green":
            stays = agreeing(label, "stays", "stay")
            yield Sentence(f"{label} {stays} green {way} {fact.text}.", (fact.id, f"{metric}.light_green"))
    low, high = known.get(f"{metric}.target_low"), known.get(f"{metric}.target_high")
    if said.better == "inside" and low and high:
        yield Sentence(f"The agreed band of {label} is {low.text} to {high.text}.", (low.id, high.id))
    elif light.value == "unknown" and board.row(metric)["reason"] == "no target":
        yield Sentence(f"Without a target no value of {label} gives it a light.", (light.id,))


def _luck(metric: str, known: dict[str, Fact]) -> Iterator[Sentence]:
    flips = known.get(f"{metric}.flips")
    if flips is not None:
        yield Sentence(
            f"If nothing changes, the next light still differs from this one with a chance of {flips.text}.",
            (flips.id,),
        )


def _resting(board: Board, metric: str, known: dict[str, Fact]) -> Iterator[Sentence]:
    """What each link of the metric rests on: the interval that must not reach zero, or the periods that are missing."""
    for row in board.links[board.links["input"] == metric].to_dict("records"):
        star, needed = str(row["target"]), known.get(f"{metric}.needed_on_{row['target']}")
        verdict = known.get(f"{metric}.verdict_on_{star}")
        if verdict is None:
            continue
        label = board.definitions.label(star)
        follows = agreeing(label, "follows", "follow")
        if row["verdict"] == "moves":
            text = f"That {label} {follows} it would no longer hold if the interval of the effect reached zero."
            yield Sentence(text, (verdict.id,))
        elif row["verdict"] == "cannot tell" and needed is not None and row["declared"]:
            yield Sentence(f"Whether {label} {follows} it can be told in about {needed.text}.", (verdict.id, needed.id))
