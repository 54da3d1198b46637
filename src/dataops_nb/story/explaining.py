"""Explanation in sentences: what moved a metric most, and how much everything else did, from facts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from dataops_nb import drivers
from dataops_nb.board import Board, explain
from dataops_nb.definitions import Definitions, agreeing
from dataops_nb.definitions.models import Offset, Ratio
from dataops_nb.drivers import Against, Change
from dataops_nb.periods import Period
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact, _clean, _says_unit, facts
from dataops_nb.story.sentences import Sentence, Told

UNEXPLAINED = "unexplained"
_COLUMN = re.compile(r"(^|,)([^\s,=]+)=")
_SEGMENTS = {"segment": "{}", "rate": "rate of {}", "mix": "share of {}"}
_DAYS = {"entered": "days that entered the window", "left": "days that left the window", UNEXPLAINED: UNEXPLAINED}


def explained(board: Board, metric: str | None = None, against: Against = "previous") -> Told:
    """What moved a metric (else the board's lead) most since the period before, and how much everything else did.

    Two sentences; one that says why not where there is nothing to explain or no part is known. It is compared with another
    period where one is named; the record has the facts of the period before alone.
    """
    name = metric or board.lead
    whole, parts = _explained(board, name, against)
    label = board.definitions.label(name)
    if not whole.explainable:
        text = f"What moved {label} cannot be said: the data do not cover both {numbers.of(board).period(whole.period)} and "
        return Told((Sentence(f"{text}{numbers.of(board).period(whole.against)}.", ()),))
    known = {**facts(board), **{fact.id: fact for fact in _facts(board, name, whole, parts)}}
    if against != "previous":
        change = _changed(board, name, whole)
        known[change.id] = change
    return Told(tuple(_told(board, name, known, _named(board, whole, against))))


def _explained(board: Board, metric: str, against: Against) -> tuple[Change, pd.DataFrame]:
    if against == "previous":
        return explain(board, metric)
    asked = board.catalog, metric, board.period, against
    return drivers.change(*asked), drivers.explain(*asked)


def _changed(board: Board, metric: str, whole: Change) -> Fact:
    unit = board.definitions.metrics[metric].unit
    text = numbers.of(board).difference(whole.size, unit, word=_says_unit(board, metric))
    return Fact(f"{metric}.change", metric, None, whole.period.id, "change", _clean(whole.size), unit, text)


def _named(board: Board, whole: Change, against: Against) -> str:
    """What the change is against, in words."""
    if isinstance(against, Period):
        return numbers.of(board).period(whole.against)
    return f"the {board.grain} before" if against == "previous" else f"the same {board.grain} last year"


def explanation_facts(board: Board) -> dict[str, Fact]:
    """`moved_most moved_most_by moved_rest unexplained` of the metrics that were explained on this board, by id."""
    asked = [(metric, found) for (metric, by), found in board.explained.items() if not by]
    return {fact.id: fact for metric, found in asked for fact in _facts(board, metric, *found)}


def part_name(definitions: Definitions, metric: str, part: str, kind: str) -> str:
    """A part of a change as people call it: a metric's label, `region West`, `share of region West`, the days of a window."""
    if kind in _SEGMENTS:
        return _SEGMENTS[kind].format(_COLUMN.sub(_column, part))
    if kind in _DAYS:
        return _DAYS[kind]
    said = definitions.metrics[metric]
    side = getattr(said, kind) if isinstance(said, Ratio) else part
    return f"{definitions.label(part)}, {side.offset} earlier" if isinstance(side, Offset) else definitions.label(part)


def _column(found: re.Match[str]) -> str:
    return f"{', ' if found[1] else ''}{found[2].replace('_', ' ')} "


def part_unit(definitions: Definitions, metric: str, part: str, kind: str) -> str:
    """The unit of a part's own values; its effect is in the metric's unit."""
    if kind in {"factor", "numerator", "denominator"}:
        return definitions.metrics[part].unit
    return "percent" if kind == "mix" else definitions.metrics[metric].unit


def _facts(board: Board, metric: str, whole: Change, parts: pd.DataFrame) -> Iterator[Fact]:
    unit, told = board.definitions.metrics[metric].unit, parts[parts["kind"] != UNEXPLAINED]

    def fact(field: str, value: float | str, text: str, of: str = unit) -> Fact:
        said = value if isinstance(value, str) else _clean(value)
        return Fact(f"{metric}.{field}", metric, None, whole.period.id, field, said, of, text)

    for row in parts[parts["kind"] == UNEXPLAINED].to_dict("records"):
        yield fact("unexplained", float(row["effect"]), numbers.of(board).effect(row["effect"], unit))
    if told.empty:
        return
    place = told["effect"].abs().idxmax()
    most = told[told.index == place].iloc[0]
    name, size = part_name(board.definitions, metric, most["part"], most["kind"]), float(most["effect"])
    yield fact("moved_most", name, name, "")
    yield fact("moved_most_by", size, numbers.of(board).effect(size, unit))
    rest = parts["effect"].drop(place)
    if rest.any():
        others = float(rest.sum())
        yield fact("moved_rest", others, numbers.of(board).effect(others, unit))


def _told(board: Board, metric: str, known: dict[str, Fact], other: str) -> Iterator[Sentence]:
    change, most, by, rest, open_ = (
        known.get(f"{metric}.{field}")
        for field in ("change", "moved_most", "moved_most_by", "moved_rest", "unexplained")
    )
    if change is None:
        return
    label = board.definitions.label(metric)
    went = (
        f"{'rose' if float(change.value or 0) > 0 else 'fell'} by {change.text} on"
        if change.value
        else f"{agreeing(label, 'was', 'were')} level with"
    )
    opening = f"{label} {went} {other}"
    if most is None or by is None:
        yield Sentence(f"{opening}; no part of it is known that could say why.", (change.id,))
        return
    if not by.value:
        yield Sentence(f"{opening}, and so were its parts.", (change.id,))
        return
    yield Sentence(f"{opening}; {most.text} moved it most ({by.text}).", (change.id, most.id, by.id))
    if rest is None:
        yield Sentence("Nothing else moved it.", ())
    elif open_ is None and _prints_as_nothing(board, rest):
        yield Sentence("Everything else together hardly moved it.", (rest.id,))
    elif open_ is None:
        yield Sentence(f"Everything else together: {rest.text}.", (rest.id,))
    else:
        yield Sentence(
            f"Everything else together: {rest.text}, of which {open_.text} is unexplained.", (rest.id, open_.id)
        )


def _prints_as_nothing(board: Board, fact: Fact) -> bool:
    written = numbers.of(board).difference
    return written(float(fact.value or 0), fact.unit) == written(0.0, fact.unit)
