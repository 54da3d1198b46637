"""The message lab as tables: the pitches at their gate, and what readers understood of them."""

from __future__ import annotations

from dataops_nb import messages
from dataops_nb.board import Board
from dataops_nb.errors import UsageError
from dataops_nb.story import numbers, pitches, reading
from dataops_nb.tables.markup import Table

_NOTHING = "–"


def pitch_gate(board: Board, metric: str | None = None) -> Table:
    """Each pitch of a metric (default: the lead) as it reads now, with its words, its grade, and what keeps it back."""
    rows = [
        [each.variant, each.text, str(len(reading.words(each.text))), f"{reading.grade(each.text):.1f}",
         "; ".join(each.faults) or ("the data lack it" if each.missing else "passes")]
        for each in pitches(board, metric or board.lead)
    ]  # fmt: skip
    return Table(
        "The pitches at their gate", ["Pitch", "Reads", "Words", "Grade", "Gate"], rows, frozenset({"Words", "Grade"})
    )


def understood(board: Board, metric: str | None = None) -> Table:
    """What readers understood of each pitch in the last trial of a metric, and whether the difference is more than luck."""
    columns = ["Pitch", "Readers", "Light", "Direction", "What to do", "All three"]
    try:
        if board.out is None:
            raise UsageError("nothing is remembered")
        trial = messages.read_trial(board.out, metric or board.lead)
    except UsageError:
        return Table("What readers understood", columns, [])
    found = messages.result(trial, messages.answers(board.out))
    rows = [
        [
            str(name),
            str(int(row["readers"])),
            *(_share(board, row[key]) for key in ("colour", "direction", "action", "understood")),
        ]
        for name, row in found.shares.iterrows()
    ]
    return Table(f"What readers understood: {found.evidence}", columns, rows, frozenset(columns[1:]))


def agreed(board: Board) -> Table:
    """Whether readers see the lights that we see, by department and altitude, over all trials; kappa takes chance out."""
    found = messages.agreement(messages.answers(board.out))
    names = {id_: each.department for id_, each in board.definitions.departments.items()}
    rows = [
        [
            row["by"],
            names.get(row["group"], row["group"]),
            str(row["readers"]),
            _share(board, row["alike"]),
            _kappa(board, row["kappa"]),
        ]
        for row in found.to_dict("records")
    ]
    columns = ["By", "Group", "Answers", "Alike", "Kappa"]
    return Table("Do readers see the lights that we see?", columns, rows, frozenset(columns[2:]))


def _kappa(board: Board, value: float) -> str:
    return "one light only" if value != value else numbers.of(board).digits(f"{value:.2f}")  # noqa: PLR0124  NaN


def _share(board: Board, value: float) -> str:
    return _NOTHING if value != value else numbers.of(board).share(value)  # noqa: PLR0124  NaN
