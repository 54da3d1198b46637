"""What a command says of a history that somebody has damaged: which lines it goes on without.

Commands that read the history tell its broken lines on stderr; `check` lists those of every file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_nb import cli
from dataops_nb.bookkeeping import shapes
from dataops_nb.company import Memory
from dataops_nb.errors import Mistake, PublishError

if TYPE_CHECKING:
    from dataops_nb.board import Board

SHOWN = 3
FEW = 1 << 20  # bytes of history that are looked through line by line
LISTED = 20  # of one file
LEFT_OUT = "the line is left out until somebody mends it"


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
        cli.print_error(f"{line}; {LEFT_OUT}")
    more = len(lines) - SHOWN
    if more > 0:
        cli.print_error(f"{more:,} more broken lines in out/history are left out")


def broken_lines(out: Path) -> Iterator[Mistake]:
    """Yield a notice for each broken line of the history, with its file; at most 20 a file."""
    from dataops_nb import history  # noqa: PLC0415  as in `tell_broken`
    from dataops_nb.messages.trials import ANSWERS  # noqa: PLC0415  the same

    for book in (*history.BOOKS, ANSWERS):
        try:
            broken = book.broken(out)
        except PublishError as error:
            yield Mistake(book.shown, 1, "", str(error))
            continue
        for line in broken[:LISTED]:
            yield Mistake(book.shown, line.line, "", f"{line.rule}; {LEFT_OUT}")
        if len(broken) > LISTED:
            more = len(broken) - LISTED
            yield Mistake(book.shown, broken[LISTED].line, "", f"{more:,} more lines are broken")
