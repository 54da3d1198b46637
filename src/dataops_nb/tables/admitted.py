"""Which metrics earn their place, and which were ever told to anybody."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dataops_nb import admission as test
from dataops_nb import messages
from dataops_nb.board import Board
from dataops_nb.history import communications as logged
from dataops_nb.story import numbers
from dataops_nb.tables.markup import Light, Table

_NOTHING = "–"
MARKS = {True: "yes", False: "no"}


def admission(board: Board) -> Table:
    """The admission test: one row a metric with what was measured for each of the four properties, the weakest first."""
    scored = test.score(board).sort_values("held", kind="stable")
    rows = [_row(board, {str(k): v for k, v in row.items()}) for row in scored.to_dict("records")]
    count = int(scored["retire"].sum())
    columns = ["Metric", "Tracked", "Relevant", "Specific", "Affordable", "Holds", "Verdict"]
    return Table(f"The admission test: {count} of {len(rows)} to retire", columns, rows, frozenset({"Holds"}))


def _row(board: Board, row: dict[str, Any]) -> list[str]:
    fresh = "fresh" if row["fresh"] else "not fresh"
    written = numbers.of(board)
    change = _NOTHING if pd.isna(row["detectable"]) else written.number(float(str(row["detectable"])), "percent")
    exports, actions, systems = (
        written.quantity(int(str(row[name])), name) for name in ("exports", "actions", "systems")
    )
    covered = written.share(float(str(row["coverage"])))
    seconds = written.digits(f"{float(str(row['seconds'])):.2f}")
    owner = str(row["owner"] or "no owner")
    return [
        board.definitions.label(str(row["metric"])),
        f"{MARKS[bool(row['tracked'])]}: {covered} covered, {fresh}, {exports}",
        f"{MARKS[bool(row['relevant'])]}: {row['relevance']}",
        f"{MARKS[bool(row['specific'])]}: {owner}, {actions}, shows a change of {change}",
        f"{MARKS[bool(row['affordable'])]}: {systems}, {seconds} s",
        f"{row['held']} of 4",
        "retire" if row["retire"] else "keep",
    ]


def communications(board: Board) -> Table:
    """When each metric was last published, sent and read back; on target and never told is activity without communication."""
    found = logged(board.out, board.metrics, messages.answers(board.out), board.as_of)
    rows = [_told(board, {str(k): v for k, v in row.items()}) for row in found.to_dict("records")]
    columns = ["Metric", "Light", "Published for", "In", "Sent", "Answers", "Note"]
    return Table("Who was told", columns, rows, frozenset({"Answers"}))


def _told(board: Board, row: dict[str, Any]) -> list[str | Light]:
    metric = str(row["metric"])
    light = str(board.row(metric)["light"])
    never = pd.isna(row["published"]) and not row["answers"]
    day = _NOTHING if pd.isna(row["published"]) else numbers.of(board).date(row["published"])
    texts = [_NOTHING if pd.isna(row[name]) else str(row[name]) for name in ("report", "sent")]
    note = "activity without communication" if never and light == "green" else ""
    return [board.definitions.label(metric), Light(light), day, *texts, str(row["answers"]), note]
