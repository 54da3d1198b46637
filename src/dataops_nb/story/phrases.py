"""Phrases: sentences as texts with slots, so that they can be read, and changed, as a list.

A wording is written as it is read: `{who}find what changed[ {since}][; {effect}].` A slot in braces
stands for facts, names or words. What stands in brackets is left out where one of its slots is
empty. The wordings are in `wordings`, and what to do about a light in `decisions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from dataops_nb import numbers
from dataops_nb.board import Board
from dataops_nb.display import Fact, Phrase, Piece, Sentence, Span, capitalized, say
from dataops_nb.metrics import Conversion, Cumulative, Derived, Ratio, Simple
from dataops_nb.story.comments import label

_PART = re.compile(r"\[([^\]]*)\]|\{(\w+)\}|([^\[{]+)")
# A name with a comma inside ends with another where the sentence goes on behind it.
_NAMES = frozenset({"L", "l", "S", "s", "m", "star"})
_GOES_ON = re.compile(r" [a-z{]")
_OF_ROWS = frozenset({"average", "median", "min", "max", "percentile"})


def fill(wording: str, slots: Mapping[str, Piece], *rests_on: Fact) -> Sentence:
    """Return the sentence of a wording; it begins with a capital.

    `slots` has a piece for each slot; an empty one is "" or (). The sentence `rests_on` further
    facts. Raises KeyError for a slot that has no piece.

    >>> fill("{who}: review the plan[ {by}].", {"who": "Finance", "by": ""}).text
    'Finance: review the plan.'
    """
    spans = say(capitalized(phrase(wording, slots))).spans
    return say(tuple(_without_double_stops(spans)), say.rests_on(*rests_on))


def _without_double_stops(spans: Iterable[Span]) -> Iterator[Span]:
    """Drop a full stop after a day that is written with one: `29. Nov.`."""
    ended = ""
    for span in spans:
        is_words = span.fact is None and not span.name
        is_double = is_words and ended.endswith(".") and span.text.startswith(".")
        kept = Span(span.text[1:]) if is_double else span
        if kept.text:
            ended = kept.text
        yield kept


def phrase(wording: str, slots: Mapping[str, Piece]) -> Phrase:
    """Return a wording as a part of a sentence, as it stands."""
    return tuple(_pieces(wording, slots))


def _pieces(wording: str, slots: Mapping[str, Piece]) -> Iterator[Piece]:
    for match in _PART.finditer(wording):
        optional, slot, words = match.groups()
        if slot is not None:
            yield slots[slot]
            if slot in _NAMES and _GOES_ON.match(wording, match.end()):
                yield numbers.closed(say(slots[slot]).text).removeprefix(say(slots[slot]).text)
        elif words is not None:
            yield words
        elif all(not _is_empty(slots[name]) for name in re.findall(r"\{(\w+)\}", optional)):
            yield from _pieces(optional, slots)


def _is_empty(piece: Piece) -> bool:
    return isinstance(piece, str | tuple | list) and not piece


def inside(label_text: str) -> Span:
    """Name something as its label stands inside a sentence (`numbers.small`)."""
    return say.name(numbers.small(label_text))


def small_label(board: Board, metric: str) -> Span:
    """Name a metric inside a sentence: `sad customers`."""
    return inside(board.company.label(metric))


def metric_slots(board: Board, metric: str) -> dict[str, Piece]:
    """Return the slots that name a metric, with the verbs that agree with it."""
    text = board.company.label(metric)
    forms = {
        "was": ("was", "were"),
        "is_": ("is", "are"),
        "are": ("is", "are"),
        "have": ("has", "have"),
        "move": ("moves", "move"),
        "miss": ("misses", "miss"),
        "turns": ("turns", "turn"),
        "stay": ("stays", "stay"),
        "follow": ("follows", "follow"),
        "it": ("it", "they"),
        "its": ("its", "their"),
    }
    slots: dict[str, Piece] = {"L": label(board, metric), "l": inside(text), "grain": board.grain}
    for name, (one, many) in forms.items():
        slots[name] = numbers.agreeing(text, one, many)
    return slots


def is_level(board: Board, metric: str) -> bool:
    """Return whether a metric is a rate, an average or a level, and not an amount that adds up."""
    definition = board.company.metrics[metric]
    if isinstance(definition, Simple):
        return definition.measure.agg in _OF_ROWS or definition.measure.at == "end"
    return isinstance(definition, Ratio | Derived | Cumulative | Conversion)


def is_at_end(board: Board, metric: str) -> bool:
    """Return whether a value is that of the last day of its period."""
    definition = board.company.metrics[metric]
    if isinstance(definition, Simple):
        return definition.measure.at == "end"
    return isinstance(definition, Cumulative)


def counted(board: Board, metric: str, value: Fact) -> Phrase:
    """Count what a label names: `44 sad customers`, `1 meeting booked`; () where it names no unit.

    That is where the word of the unit stands in the label, and the metric is no rate or level.
    """
    text, unit = board.company.label(metric), board.company.metrics[metric].unit
    if not unit or unit == "percent" or numbers.is_currency(unit) or is_level(board, metric):
        return ()
    word = re.compile(rf"(?<![\w-]){re.escape(unit)}(?![\w-])", re.IGNORECASE)
    if not word.search(text):
        return ()
    small = inside(text).text
    if value.text == "1":
        small = word.sub(numbers.singular(unit), small)
    return (value, " ", say.name(small))
