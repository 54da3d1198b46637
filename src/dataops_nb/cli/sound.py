"""What a command says of a history that somebody has damaged: which lines it goes on without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_nb import cli
from dataops_nb.bookkeeping import shapes
from dataops_nb.company import Memory
from dataops_nb.errors import PublishError

if TYPE_CHECKING:
    from dataops_nb.board import Board

SHOWN = 3
FEW = 1 << 20  # bytes of history that are looked through line by line


def with_sound_memory(company_board: Board) -> Board:
    """Tell the broken lines of the history, and return the board.

    It has no memory where a file of it cannot be read at all: the lights do not stand on what
    earlier reports said, so no file that somebody broke takes one away.
    """
    memory, as_of = company_board.memory, company_board.as_of
    try:
        tell_lines(memory.broken())
        memory.notes(as_of)
        memory.carried(as_of)
    except PublishError as error:
        cli.print_error(f"{error}; shown without what earlier reports said")
        return replace(company_board, memory=Memory())
    return company_board


def tell_broken(out: Path) -> None:
    """Tell the broken lines of the history in an output folder."""
    try:
        if shapes.sizes(out) <= FEW:
            tell_lines(shapes.broken_lines(out))
            return
        from dataops_nb import history  # noqa: PLC0415  a longer one is asked, which needs tables

        tell_lines(history.broken_lines(out))
    except PublishError as error:
        cli.print_error(str(error))


def tell_lines(lines: Sequence[str]) -> None:
    """Print the first of the lines that are left out to stderr, and how many more there are."""
    for line in lines[:SHOWN]:
        cli.print_error(f"{line}; the line is left out until somebody mends it")
    more = len(lines) - SHOWN
    if more > 0:
        cli.print_error(f"{more:,} more broken lines in out/history are left out")
