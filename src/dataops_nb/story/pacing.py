"""Pacing in sentences: what an unfinished period has come to, where that leads, and how likely it meets its target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.definitions import agreeing
from dataops_nb.periods import Period
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact, _clean, _known, _says_unit
from dataops_nb.story.sentences import Sentence, Told


def paced(board: Board, metrics: Iterable[str] | None = None) -> Told:
    """One sentence for each metric (else the board's lead) about the open period, its light that of its pace.

    Nothing is said where no period is open, or where nothing is known of its beginning.
    """
    now = board.open_period
    known = pace_facts(board)
    names = [board.lead] if metrics is None else list(metrics)
    return Told(tuple(each for name in names if now for each in _told(board, name, now, known)))


def pace_facts(board: Board) -> dict[str, Fact]:
    """What is known of the open period, metric by metric: `light value target expected pace landing p_hit days_in days`.

    Ids end with `@period`."""
    now = board.open_period
    rows = [] if now is None else [row for _, row in board.unfinished.iterrows() if _known(row["landing"])]
    return {fact.id: fact for row in rows if now is not None for fact in _facts(board, row, now)}


def _facts(board: Board, row: pd.Series, now: Period) -> Iterator[Fact]:
    metric = str(row["metric"])
    unit, says_unit = board.definitions.metrics[metric].unit, _says_unit(board, metric)
    written = numbers.of(board).quantity if says_unit else numbers.of(board).number

    def fact(field: str, value: float | str, text: str, of: str = unit) -> Fact:
        return Fact(f"{metric}.{field}@{now.id}", metric, None, now.id, field, value, of, text)

    yield fact("light", str(row["light"]), str(row["light"]), "")
    for field in ("value", "target", "target_low", "target_high"):
        if _known(row[field]):
            yield fact(field, _clean(row[field]), written(row[field], unit))
    for field in ("expected", "landing"):
        if _known(row[field]):
            yield fact(field, _clean(row[field]), written(_foreseen(row[field], row["target"], unit), unit))
    for field in ("pace", "p_hit"):
        if _known(row[field]):
            yield fact(field, _clean(row[field]), numbers.of(board).share(row[field]), "percent")
    passed = (min(row["data_to"].date(), board.as_of) - now.start).days + 1
    yield fact("days_in", float(passed), numbers.of(board).number(passed), "days")
    yield fact("days", float(now.days), numbers.of(board).number(now.days), "days")


def _foreseen(value: float, target: float, unit: str) -> float:
    """What is foreseen is no count: `74` meetings rather than `74.3`, unless it would look like the target then."""
    whole = float(round(value))
    return whole if unit != "percent" and abs(value) >= 10 and (whole != target or value == target) else value


def _told(board: Board, metric: str, now: Period, known: Mapping[str, Fact]) -> Iterator[Sentence]:
    board.row(metric)

    def find(field: str) -> Fact | None:
        return known.get(f"{metric}.{field}@{now.id}")

    value, landing, light, days_in, days = map(find, ("value", "landing", "light", "days_in", "days"))
    if value is None or landing is None or light is None or days_in is None or days is None:
        return
    said = [days_in, days, value]
    opening = f"after {days_in.text} of the {days.text} days of {numbers.of(board).period(now)}"
    label = board.definitions.label(metric)
    text = f"{opening} {label} {agreeing(label, 'is', 'are')} at {value.text}"
    if expected := find("expected"):
        text, said = f"{text}, where {expected.text} was to be expected", [*said, expected]
    against, agreed = _against(find("target"), find("target_low"), find("target_high"))
    text, said = f"{text}; at this pace it ends at {landing.text}{against}", [*said, landing, *agreed]
    if p_hit := find("p_hit"):
        text = f"{text}. The rest of earlier {board.grain}s would meet that in {p_hit.text} of cases"
        said = [*said, p_hit]
    judged = light.value != "unknown"
    text = f"On pace: {text}" if judged else f"{text[0].upper()}{text[1:]}"
    ids = (*(fact.id for fact in said), light.id)
    yield Sentence(f"{text}.", ids, light=str(light.value) if judged else None)


def _against(target: Fact | None, low: Fact | None, high: Fact | None) -> tuple[str, list[Fact]]:
    if low and high:
        return f" against the agreed {low.text} to {high.text}", [low, high]
    return (f" against a target of {target.text}", [target]) if target else ("", [])
