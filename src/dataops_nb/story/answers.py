"""Right when asked: what one more unit is worth in money, and what would change our mind.

`worth` prices one step of a metric by the formulas and links that lead from it to the company's
money, with an interval. `mind` names the values at which a light turns, how often luck alone turns
it, and what each link still has to show.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dataops_nb import numbers
from dataops_nb.board import Board
from dataops_nb.board.stakes import Unit
from dataops_nb.display import Fact, Piece, Sentence, Told, say
from dataops_nb.story.effects import link_facts, one_more
from dataops_nb.story.facts import Subject, beside, by_id, clean, facts, turns, without_unit
from dataops_nb.story.phrases import fill, metric_slots, small_label
from dataops_nb.story.wordings import ANSWERS


def worth(board: Board, metric: str | None = None) -> Told:
    """Say what one unit of a metric (default: the lead) is worth a year, with its interval.

    Amounts are in the company's currency. Where there is none, the sentence says why.

    >>> print(story.worth(company))
    Revenue is already in money.
    """
    name = metric or board.lead
    answer = answer_facts(board, name)
    return Told((_worth(board, name, answer),), more=answer)


def _without_price(board: Board, metric: str, price: Unit) -> Sentence:
    """Say why one more of a metric has no value in money."""
    light, slots = facts(board)[f"{metric}.light"], metric_slots(board, metric)
    if price.unpriced is None:
        return fill(ANSWERS["no value"], {**slots, "reason": say.name(price.reason)}, light)
    slots["s"] = small_label(board, price.unpriced)
    wording = "unpriced" if price.unpriced == metric else "unpriced star"
    return fill(ANSWERS[wording], slots, light)


def _worth(board: Board, metric: str, known: dict[str, Fact]) -> Sentence:
    price, slots = board.unit_worth(metric), metric_slots(board, metric)
    if math.isnan(price.value):
        return _without_price(board, metric, price)
    one, value = known[f"{metric}.one"], known[f"{metric}.worth_of_one"]
    low, high = known[f"{metric}.worth_low"], known[f"{metric}.worth_high"]
    is_money = price.star in {None, metric}
    if is_money and one.text == value.text:
        return fill(ANSWERS["money"], slots, one, value)
    is_cost = price.value < 0
    ends: tuple[Piece, Piece] = (low, high)
    if is_cost:
        ends = (high, low)  # a cost is written without its sign: the smaller one first
    if low.text == high.text == value.text:
        ends = ("", "")
    slots |= {
        "one": one_more(one),
        "price": value,
        "s": "" if is_money else small_label(board, str(price.star)),
        "low": ends[0],
        "high": ends[1],
        "lag": known.get(f"{metric}.worth_after", ""),
    }
    return fill(ANSWERS["cost" if is_cost else "gain"], slots)


def mind(board: Board, metric: str | None = None) -> Told:
    """Say what would change our mind about a metric (default: the lead).

    The values at which its light turns, how often luck alone turns it, and what its links rest on.

    >>> print(story.mind(company))
    Revenue turns green at €400 or more.
    Revenue turns yellow at €340 or more.
    """
    name = metric or board.lead
    answer = answer_facts(board, name)
    known = {**facts(board), **answer, **link_facts(board)}
    sentences = [
        *_turning(board, name, known),
        *_luck(board, name, known),
        *_resting(board, name, known),
    ]
    return Told(tuple(sentences), more=answer)


def answer_facts(board: Board, metric: str) -> dict[str, Fact]:
    """Return the facts of both answers about one metric, by id.

    `one worth_of_one worth_low worth_high worth_after`, and `turns_… light_…` of each colour.
    """
    return by_id([*_worth_facts(board, metric), *_turn_facts(board, metric)])


def _worth_facts(board: Board, metric: str) -> Iterator[Fact]:
    price, currency = board.unit_worth(metric), board.company.currency
    if math.isnan(price.value):
        return
    subject, written = Subject(metric, board.period.id, currency), numbers.of(board)
    unit = board.company.metrics[metric].unit
    text = written.difference(price.step, unit, word=True)
    yield subject.fact("one", clean(price.step), text, unit)
    amounts = {"worth_of_one": price.value, "worth_low": price.low, "worth_high": price.high}
    for field, amount in amounts.items():
        text = written.rough(abs(clean(amount)), currency)
        yield subject.fact(field, clean(amount), text)
    if price.lag:
        periods = f"{board.grain}s"
        text = written.quantity(price.lag, periods)
        yield subject.fact("worth_after", clean(price.lag), text, periods)


def _turn_facts(board: Board, metric: str) -> Iterator[Fact]:
    """Yield the values at which green and yellow start, of a target to be above or below."""
    row, definition = board.row(metric), board.company.metrics[metric]
    subject = Subject(metric, board.period.id, definition.unit)
    compared = beside(board.company, row)
    for colour, value in turns(board.company, metric, row["target"]).items():
        yield subject.fact(f"turns_{colour}", clean(value), compared.quantity(value))
        yield subject.word(f"light_{colour}", colour)


def _turning(board: Board, metric: str, known: dict[str, Fact]) -> Iterator[Sentence]:
    """Say where the light turns: where better colours start, and up to where green stays."""
    light, slots = known[f"{metric}.light"], metric_slots(board, metric)
    better = board.company.metrics[metric].better
    direction = [known[id_] for id_ in (f"{metric}.better",) if id_ in known]
    slots["side"] = "more" if better == "up" else "less"
    for colour in ("green", "yellow"):
        fact = known.get(f"{metric}.turns_{colour}")
        if fact is None or (light.value == "green" and colour == "yellow"):
            continue  # what is green is past the value at which yellow starts
        slots |= {"light": known[f"{metric}.light_{colour}"], "value": fact}
        if light.value != colour:
            yield fill(ANSWERS["turns"], slots, *direction)
        elif colour == "green":
            yield fill(ANSWERS["stays"], slots, *direction)
    low, high = known.get(f"{metric}.target_low"), known.get(f"{metric}.target_high")
    if better == "inside" and low and high:
        yield fill(ANSWERS["range"], {**slots, "low": without_unit(low, high), "high": high})
    elif light.value == "unknown" and board.row(metric)["reason"] == "no target":
        yield fill(ANSWERS["no target"], slots, light)


def _luck(board: Board, metric: str, known: dict[str, Fact]) -> Iterator[Sentence]:
    flips = known.get(f"{metric}.flips")
    if flips is not None:
        slots = {"flips": flips, "grain": board.grain, "an": numbers.article(flips.text)}
        yield fill(ANSWERS["luck"], slots)


def _resting(board: Board, metric: str, known: dict[str, Fact]) -> Iterator[Sentence]:
    """Say what each link rests on: a range that must not include zero, or missing periods."""
    for row in board.links[board.links["input"] == metric].to_dict("records"):
        star = str(row["target"])
        needed = known.get(f"{metric}.needed_on_{star}")
        verdict = known.get(f"{metric}.verdict_on_{star}")
        if verdict is None:
            continue
        slots = {**metric_slots(board, star), "s": small_label(board, star)}
        if row["verdict"] == "moves":
            yield fill(ANSWERS["drop"], slots, verdict)
        elif row["verdict"] == "cannot tell" and needed is not None and row["declared"]:
            yield fill(ANSWERS["wait"], {**slots, "needed": needed}, verdict)
