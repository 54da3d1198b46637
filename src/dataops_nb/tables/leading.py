"""What the data say about links: the declared ones, those that were found, and activity without movement."""

from __future__ import annotations

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.story import link_facts
from dataops_nb.story.facts import Fact
from dataops_nb.tables.markup import Table

_NOTHING = "–"


def links(board: Board) -> Table:
    """The links of the board's inputs that were declared or found: after how long, how much, and how sure."""
    tested = board.links[~board.links["is_part"].astype(bool)]
    shown = tested[tested["declared"].astype(bool) | (tested["verdict"] == "moves")]
    known = link_facts(board)
    rows = [_row(board, row, known) for _, row in shown.iterrows()]
    numeric = ["More of it", "Does", "From", "To"]
    columns = ["Input", "North Star", "Moves it?", "After", *numeric, "Note"]
    caption = f"Does it move the North Star? {len(tested)} pairs were tested"
    return Table(caption, columns, rows, frozenset(numeric))


def _row(board: Board, row: pd.Series, known: dict[str, Fact]) -> list[str]:
    def text(field: str) -> str:
        fact = known.get(f"{row['input']}.{field}_on_{row['target']}")
        return fact.text if fact else _NOTHING

    def signed(field: str) -> str:
        fact = known.get(f"{row['input']}.{field}_on_{row['target']}")
        return _NOTHING if fact is None else f"{'-' if float(fact.value or 0) < 0 else '+'}{fact.text}"

    labels = [board.definitions.label(str(row[name])) for name in ("input", "target")]
    effects = [signed(field) for field in ("effect", "effect_low", "effect_high")]
    return [*labels, str(row["verdict"]), text("lag"), text("step"), *effects, _note(board, row, text("needed"))]


def _note(board: Board, row: pd.Series, needed: str) -> str:
    if row["rocking_chair"]:
        return "activity, not movement"
    if row["together"]:
        return f"both move in the same {board.grain}"
    if row["contradicted"]:
        return "declared, and the data speak against it"
    if row["declared"]:
        return "declared" if row["verdict"] == "moves" else f"needs {needed} more"
    return "not declared"
