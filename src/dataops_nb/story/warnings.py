"""What is wrong with the sources behind a board, in the words that stand on top of a page."""

from __future__ import annotations

import datetime as dt

from dataops_nb.alignment import sources_of
from dataops_nb.board import Board
from dataops_nb.definitions import upstream
from dataops_nb.definitions.models import Measure, Simple
from dataops_nb.sources import Coverage
from dataops_nb.story import numbers


def faulty(board: Board) -> list[str]:
    """The sources with faults whose metrics are marked unknown, each with its first fault."""
    faults = board.catalog.marked(*sources_of(board.definitions, board.metrics))
    first = {fault.source: fault for fault in reversed(faults)}
    return [
        f"{_named(board, name)} has faults, so what is computed from it is unknown. {_owner(board, name)}"
        f"The first fault: {first[name]}"
        for name in dict.fromkeys(fault.source for fault in faults)
    ]


def overdue(board: Board) -> list[str]:
    """The sources whose last row is older than agreed, each with the day since when it is."""
    stale = {name: coverage for name, coverage in coverages(board) if coverage.stale}
    return [
        f"{_named(board, name)} {_since(board, name, each)} {_owner(board, name)}".strip()
        for name, each in stale.items()
    ]


def coverages(board: Board) -> list[tuple[str, Coverage]]:
    """How far each source reaches, by each time column that the board's metrics use."""
    metrics = (board.definitions.metrics[name] for name in upstream(board.definitions, board.metrics))
    asked = dict.fromkeys(_asked(board, metric.measure) for metric in metrics if isinstance(metric, Simple))
    return [(name, board.catalog.coverage(name, time)) for name, time in asked if not board.catalog.faulty(name)]


def _asked(board: Board, measure: Measure) -> tuple[str, str | None]:
    undated = board.definitions.company.sources[measure.source].time is None and measure.open is not None
    return measure.source, measure.time or (measure.open.from_ if undated and measure.open else None)


def _since(board: Board, name: str, coverage: Coverage) -> str:
    agreed = board.definitions.company.sources[name].fresh_within
    if coverage.last_row is None or agreed is None:
        return "is overdue: it has no rows."
    since = coverage.last_row + dt.timedelta(days=agreed.days + 1)
    return f"is overdue since {numbers.of(board).date(since)}: its last row is of {numbers.of(board).date(coverage.last_row)}."


def _named(board: Board, name: str) -> str:
    return f"The source {name} ({board.definitions.company.sources[name].system})"


def _owner(board: Board, name: str) -> str:
    owner = board.definitions.company.sources[name].owner
    return f"{owner} answers for it. " if owner else ""
