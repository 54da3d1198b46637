"""Meaning: what a number is, in words a colleague understands: the question it answers, how it is made, and of which rows."""

from __future__ import annotations

from typing import Any

from dataops_nb.alignment import sources_of
from dataops_nb.board import Board
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Conversion, Cumulative, Measure, Metric, Offset, Ratio, Simple
from dataops_nb.story import numbers

_AGGREGATES = {
    "count": "how many", "count_distinct": "how many different", "sum": "the sum of", "average": "the average of",
    "median": "the median of", "min": "the smallest", "max": "the largest", "first_seen": "how many for the first time, by",
}  # fmt: skip


def meanings(board: Board) -> dict[str, dict[str, Any]]:
    """For each metric of a board `label question how systems data_to`, as plain values."""
    return {name: _meaning(board, name) for name in board.metrics}


def _meaning(board: Board, metric: str) -> dict[str, Any]:
    definitions, row = board.definitions, board.row(metric)
    systems = [definitions.company.sources[name].system for name in sources_of(definitions, [metric])]
    reach = row["data_to"]
    return {
        "label": definitions.label(metric),
        "question": definitions.metrics[metric].question or "",
        "how": how(definitions, metric),
        "systems": list(dict.fromkeys(systems)),
        "data_to": "" if reach is None or reach != reach else numbers.of(board).date(reach.date()),  # noqa: PLR0124 - NaT is not itself
    }


def how(definitions: Definitions, metric: str) -> str:
    """How a metric is made, in one phrase: `Closed-won deals divided by Decided deals`."""
    said: Metric = definitions.metrics[metric]
    if isinstance(said, Simple):
        return _counted(said.measure)
    if isinstance(said, Ratio):
        return f"{_side(definitions, said.numerator)} divided by {_side(definitions, said.denominator)}"
    if isinstance(said, Cumulative):
        return f"{definitions.label(said.metric)} over {said.window}"
    if isinstance(said, Conversion):
        base, then = definitions.label(said.base_metric), definitions.label(said.conversion_metric)
        return f"the share of {base} with {then} within {said.window}"
    return said.expr


def _side(definitions: Definitions, side: str | Offset) -> str:
    if isinstance(side, Offset):
        return f"{definitions.label(side.metric)}, {side.offset} earlier"
    return definitions.label(side)


def _counted(measure: Measure) -> str:
    what = f"{_AGGREGATES[measure.agg]} {measure.expr or 'rows'} in {measure.source}"
    kept = f" where {measure.filter}" if measure.filter else ""
    dropped = f", without {measure.exclude}" if measure.exclude else ""
    return f"{what}{kept}{dropped}{', at the end' if measure.at else ''}"
