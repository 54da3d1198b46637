"""What stands before a number and behind it: what feeds it, what moved of late, and how it leads to the North Star.

Tables to be looked at, not read: on a summary they stand between the chart and what is done next.
"""

from __future__ import annotations

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.findings import inputs_of
from dataops_nb.links import flow
from dataops_nb.story import Fact, facts, most_moved, numbers
from dataops_nb.tables.markup import Light, Table
from dataops_nb.tables.review import _number, _reach, _varies

_NOTHING = "–"
_FED = ("Value", "Light", "Owner", "Fresh to")


def feeds(board: Board) -> Table:
    """What feeds the board's numbers: each input with value, light, owner and how far its data reach.

    Of North Stars: what is told to move them, wherever it is measured, and its variation. Of another metric that leads a
    board: what stands directly below it in the tree. A sentence where nothing does.
    """
    definitions = board.definitions
    if board.lead not in definitions.company.north_star:
        rows = [_fed(board, row) for _, row in board.inputs.iterrows()]
        nothing = f"no other metric is declared to move {definitions.label(board.lead)}"
        return Table("What feeds it", ["Input", *_FED], rows, frozenset({"Value"}), nothing)
    current = {str(row["metric"]): row for _, row in board.feeding.iterrows()}
    stars = [name for name in definitions.company.north_star if name in board.metrics]
    told = [(star, name) for star in stars for name in inputs_of(definitions, star, board.grain) if name in current]
    rows = [_starring(board, star, current[name]) for star, name in told]
    return Table("What feeds it", ["Input", "Feeds", "Variation", *_FED], rows, frozenset({"Value"}))


def _starring(board: Board, star: str, row: pd.Series) -> list[str | Light]:
    label, *others = _fed(board, row)
    return [label, board.definitions.label(star), _varies(row), *others]


def _fed(board: Board, row: pd.Series) -> list[str | Light]:
    definitions, name = board.definitions, str(row["metric"])
    return [
        definitions.label(name),
        _number(board, row["value"], definitions.metrics[name].unit),
        Light(row["light"]),
        definitions.departments[definitions.department_of(name)].owner or "nobody named",
        _reach(board, row),
    ]


def moved(board: Board, count: int = 3) -> Table:
    """The metrics that moved most since the period before, measured by their own usual change; the largest first."""
    known = facts(board)
    rows = [
        [board.definitions.label(name), _signed(known[f"{name}.change"]), known[f"{name}.value"].text]
        for name in most_moved(board, count)
    ]
    caption = f"What moved since the {board.grain} before"
    return Table(caption, ["Metric", "Change", "Now"], rows, frozenset({"Change", "Now"}), "nothing that can be told")


def _signed(change: Fact) -> str:
    size = float(change.value or 0)
    return f"{'+' if size > 0 else '-' if size < 0 else ''}{change.text}"


def leads(board: Board) -> Table:
    """Where the board's inputs are said to lead: which metric each should move, after how long, what the data say, why."""
    definitions = board.definitions
    rows = [
        [
            definitions.label(name), definitions.label(move.metric), str(move.after) if move.after else _NOTHING,
            _shown(board, name, move.metric), move.because or _NOTHING,
        ]
        for name in board.metrics
        for move in definitions.metrics[name].moves
    ]  # fmt: skip
    columns = ["Input", "Should move", "After", "The data say", "Because"]
    nothing = "nothing here is declared to move another metric"
    return Table("How it leads to the North Star", columns, rows, nothing=nothing)


def _shown(board: Board, metric: str, target: str) -> str:
    """What the data say of a declared link, in a few words; only links to a North Star are tested."""
    tested = board.links[board.links["input"] == metric]
    for _, row in tested.iterrows():
        if target in {row["target"], flow(board.definitions, str(row["target"]))}:
            return _verdict(board, row)
    return "not tested: it is no North Star"


def _verdict(board: Board, row: pd.Series) -> str:
    if row["is_part"]:
        return "it is part of it"
    if row["rocking_chair"]:
        return "activity, not movement"
    if row["together"]:
        return f"both move in the same {board.grain}"
    if row["contradicted"]:
        return "they speak against it"
    if row["verdict"] == "moves":
        return f"it does, {numbers.of(board).quantity(int(row['lag']), f'{board.grain}s')} later"
    return "it does not" if row["verdict"] == "does not" else "that cannot be told yet"
