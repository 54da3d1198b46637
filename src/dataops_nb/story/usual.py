"""The usual: whether a value is one of those that a metric makes by itself, and how much of its light is luck."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dataops_nb.board import Board, history
from dataops_nb.story.facts import Fact

_WITHIN = {
    "trend": "but it has gone one way for so long that it is a signal",
    "near-limit": "but so often near the same end of it that it is a signal",
    "run": "but so long on the same side of {line} that it is a signal",
}


def within_usual(board: Board, row: pd.Series, known: Mapping[str, Fact]) -> tuple[str, tuple[str, ...]]:
    """`within its usual range of 28 to 52`, with the ids of its facts; nothing where that cannot be told."""
    metric = str(row["metric"])
    variation, signal = known.get(f"{metric}.variation"), known.get(f"{metric}.signal")
    if row["limits_reason"] or (variation is None and signal is None):
        return "", ()
    used = tuple(fact.id for fact in (variation, signal) if fact)
    span, ends = _range(board, metric, known)
    if signal is None:
        return f"within its usual range{span}", (*used, *ends)
    good = {"special-cause improvement": " for the better", "special-cause concern": " for the worse"}
    meant = good.get(str(variation.value) if variation else "", "")
    if signal.value == "outside":
        crossed = known[f"{metric}.{'upper' if row['value'] > row['upper'] else 'lower'}"]
        if crossed.text == known[f"{metric}.value"].text or crossed.id not in ends:
            span, ends = "", ()
        return f"outside its usual range{span}, a signal{meant}", (*used, *ends)
    center = known[f"{metric}.center"]
    agreed = board.definitions.metrics[metric].limits
    line = (
        f"the {center.text} that its past foresees"
        if agreed.trend or agreed.season
        else f"its average of {center.text}"
    )
    why = _WITHIN[str(signal.value)].format(line=line)
    because = (center.id,) if center.text in why else ()
    return f"within its usual range{span}, {why}{meant}", (*used, *ends, *because)


def _range(board: Board, metric: str, known: Mapping[str, Fact]) -> tuple[str, tuple[str, ...]]:
    """` of 28 to 52`; an end that no value of the metric can reach is left out: ` of up to 52`."""
    lower, upper = known[f"{metric}.lower"], known[f"{metric}.upper"]
    values = history(board, metric, len(board.table))["value"].dropna()
    rate = board.definitions.metrics[metric].unit == "percent"
    below = float(lower.value or 0) < 0 <= values.min()
    above = rate and values.max() <= 1 < float(upper.value or 0)
    if below and above:
        return "", ()
    if below:
        return f" of up to {upper.text}", (upper.id,)
    if above:
        return f" from {lower.text} up", (lower.id,)
    first = lower.text.removesuffix(f" {lower.unit}") if upper.text.endswith(f" {lower.unit}") else lower.text
    return f" of {first} to {upper.text}", (lower.id, upper.id)
