"""What was agreed before the data: what each light means and asks for, and who owns what."""

from __future__ import annotations

from typing import Any

from dataops_nb.board import Board
from dataops_nb.definitions.models import Lights
from dataops_nb.story import numbers
from dataops_nb.tables.markup import Light, Table


def lights(board: Board, metric: str | None = None) -> Table:
    """What each light of a metric means, what is done, and how soon."""
    agreed = board.definitions.lights(metric or board.lead)
    rows = [] if agreed is None else _rows(board, agreed)
    columns = ["Light", "From", "Means", "What we do", "Within"]
    return Table(f"What the light of {board.definitions.label(metric or board.lead)} means", columns, rows)


def _rows(board: Board, agreed: Lights) -> list[list[str | Light]]:
    said = {"green": agreed.green, "yellow": agreed.yellow, "red": agreed.red}
    return [
        [Light(name), f"{numbers.of(board).share(one.at_least)} of target" if one.at_least is not None else "below that",
         one.means, one.do, str(one.act_within) if one.act_within else "–"]
        for name, one in said.items()
        if one is not None
    ]  # fmt: skip


def owners(board: Board) -> Table:
    """Every metric's question, department and owner."""
    definitions = board.definitions
    rows = []
    for name in board.metrics:
        department = definitions.departments[definitions.department_of(name)]
        rows.append(
            [
                definitions.label(name),
                definitions.metrics[name].question or "–",
                department.department,
                department.owner or "–",
            ]
        )
    return Table("Who answers for what", ["Metric", "Question", "Department", "Owner"], rows)


def reactions(board: Board) -> Table:
    """What is done next about the lights that are on: owner, action, by when; the most urgent first."""
    rows = [_reaction(board, row) for row in board.reactions.to_dict("records")]
    columns = ["About", "Light", "Owner", "Action", "By when"]
    return Table("What we solve next", columns, rows, nothing="no light asks for anything")


def _reaction(board: Board, row: dict[Any, Any]) -> list[str | Light]:
    agreed = getattr(board.definitions.lights(row["metric"]), row["light"])
    due = numbers.of(board).date(row["due"])
    late = ", overdue" if row["overdue"] else ""
    answered = f"{due}, answered" if row["answered"] else f"{due}{late}"
    return [
        board.definitions.label(row["metric"]),
        Light(row["light"]),
        row["owner"] or "nobody named",
        agreed.do,
        answered,
    ]
