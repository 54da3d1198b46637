"""Agreement: whether two systems say the same about a metric, in one sentence a pair, from facts."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from dataops_nb import reconciliation
from dataops_nb.board import Board
from dataops_nb.reconciliation import Pair
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact
from dataops_nb.story.sentences import Sentence, Told


def agreements(board: Board) -> Told:
    """For each metric with `reconcile:`, whether the two systems agree in the period, and how often they did before."""
    known = agreement_facts(board)
    return Told(tuple(each for pair in pairs(board) for each in _told(board, pair, known)))


def pairs(board: Board) -> list[Pair]:
    """Every pair of systems that a metric of the board is compared between."""
    reconciled = [name for name in board.metrics if board.definitions.metrics[name].reconcile]
    return [pair for name in reconciled for pair in reconciliation.find_pairs(board.definitions, name)]


def history(board: Board, pair: Pair) -> pd.DataFrame:
    """The bridge between the two systems, period by period, up to the board's period."""
    found = reconciliation.bridge(board.catalog, pair.a.metric, board.grain)
    return found[(found["with"] == pair.b.metric) & (found["period_end"] <= pd.Timestamp(board.period.end))]


def systems(board: Board, pair: Pair) -> tuple[str, str]:
    """What the two sides are called: their systems, or where both stand in one system, the metrics."""
    sources = board.definitions.company.sources
    named = [sources[side.measure.source].system for side in (pair.a, pair.b)]
    if named[0] == named[1]:
        named = [board.definitions.label(side.metric) for side in (pair.a, pair.b)]
    return named[0], named[1]


def unit(board: Board, pair: Pair) -> str:
    """The unit of the amounts: the company's currency where amounts are compared, else the metric's."""
    return board.definitions.company.currency if pair.a.amount else board.definitions.metrics[pair.a.metric].unit


def agreement_facts(board: Board) -> dict[str, Fact]:
    """`a`, `b`, `difference`, `tolerance` of the period, and how many periods were judged and out of tolerance, by id."""
    return {fact.id: fact for pair in pairs(board) for fact in _facts(board, pair)}


def _facts(board: Board, pair: Pair) -> Iterator[Fact]:
    metric, money, past = pair.a.metric, unit(board, pair), history(board, pair)

    def fact(name: str, value: float | str, of: str, text: str) -> Fact:
        field = f"{name}_with_{pair.b.metric}"
        return Fact(f"{metric}.{field}", metric, None, board.period.id, field, value, of, text)

    allowed = pair.tolerance
    of, text = ("percent", numbers.of(board).number(allowed.value, "percent")) if allowed.relative else (money, "")
    yield fact("tolerance", allowed.value, of, text or numbers.of(board).number(allowed.value, money))
    judged = past["within_tolerance"].dropna()
    apart = int((~judged.astype(bool)).sum())
    yield fact("judged", len(judged), f"{board.grain}s", numbers.of(board).quantity(len(judged), f"{board.grain}s"))
    yield fact("apart", apart, f"{board.grain}s", numbers.of(board).number(apart))
    for row in past[past["period"] == board.period.id].dropna(subset=["a"]).to_dict("records"):
        for name in ("a", "b"):
            yield fact(name, float(row[name]), money, numbers.of(board).number(float(row[name]), money))
        yield fact(
            "difference", float(row["difference"]), money, numbers.of(board).difference(float(row["difference"]), money)
        )
        if row["within_tolerance"] is not None:
            verdict = "yes" if row["within_tolerance"] else "no"
            yield fact("agrees", verdict, "", verdict)


def _told(board: Board, pair: Pair, known: dict[str, Fact]) -> Iterator[Sentence]:
    def find(name: str) -> Fact | None:
        return known.get(f"{pair.a.metric}.{name}_with_{pair.b.metric}")

    left, right = systems(board, pair)
    label, when = board.definitions.label(pair.a.metric), numbers.of(board).period(board.period)
    a, b, gap, agrees, allowed = (find(name) for name in ("a", "b", "difference", "agrees", "tolerance"))
    about = f"{left} and {right}" if label in (left, right) else f"On {label}, {left} and {right}"
    if a is None or b is None or gap is None or allowed is None:
        yield Sentence(f"{about} cannot be compared for {when}: one of them has no data for it.", ())
    elif agrees is None:
        yield Sentence(f"{about} came to {a.text} and {b.text} in {when}; rows may still arrive.", (a.id, b.id))
    elif not gap.value:
        yield Sentence(f"{about} agree in {when}: both say {a.text}.", (a.id, gap.id, agrees.id))
    else:
        verdict = "agree well enough" if agrees.value == "yes" else "do not agree"
        text = f"{about} {verdict} in {when}: {a.text} and {b.text}, {gap.text} apart where {allowed.text} is let pass."
        yield Sentence(text, (a.id, b.id, gap.id, allowed.id, agrees.id))
    judged, apart = find("judged"), find("apart")
    if judged is not None and apart is not None and judged.value:
        text = f"In {apart.text} of {judged.text} they were further apart than was agreed."
        yield Sentence(text, (apart.id, judged.id))
