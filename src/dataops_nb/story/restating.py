"""Restatement in sentences: what was reported before and is another number now, and whether rows or a definition did it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.periods import calendar
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact, facts, restatements
from dataops_nb.story.sentences import Sentence, Told


def restated(board: Board, metrics: Iterable[str] | None = None, most: int = 3) -> Told:
    """What has changed since it was published for an earlier as-of; nothing where nothing has.

    A sentence for each of the newest `most` periods of a metric whose rows changed, one for a changed definition, and
    how many periods there are where there are more.
    """
    known = facts(board)
    return Told(tuple(said for name in metrics or board.metrics for said in _of_metric(board, name, known, most)))


def _of_metric(board: Board, metric: str, known: dict[str, Fact], most: int) -> Iterator[Sentence]:
    board.row(metric)
    changed = restatements(board)
    changed = changed[changed["metric"] == metric].sort_values("period_start", ascending=False)
    for redefined, shown in ((False, most), (True, 1)):
        rows = changed[changed["redefined"] == redefined]
        for _, row in rows.head(shown).iterrows():
            yield _sentence(board, row, known)
        if len(rows) > shown:
            yield _rest(board, metric, known, redefined=redefined)


def _sentence(board: Board, row: pd.Series, known: dict[str, Fact]) -> Sentence:
    metric, at = str(row["metric"]), f"@{row['period']}"
    reported, value = known[f"{metric}.reported{at}"], known[f"{metric}.value{at}"]
    used, now = [reported.id, value.id], f"is now {value.text}"
    if reported.text == value.text and (by := known.get(f"{metric}.restated_by{at}")):
        used, now = [reported.id, by.id], f"is now {by.text} {'more' if row['value'] > row['reported'] else 'less'}"
    why, because = _why(metric, at, known, redefined=bool(row["redefined"]))
    period = calendar(board.definitions.company.calendar).period(board.grain, row["period_start"].date())
    when = numbers.of(board).period(period)
    text = (
        f"{board.definitions.label(metric)}: {when[0].upper()}{when[1:]} was reported as {reported.text}, {now}: {why}."
    )
    return Sentence(text, (*used, *because))


def _why(metric: str, at: str, known: dict[str, Fact], *, redefined: bool) -> tuple[str, tuple[str, ...]]:
    if redefined:
        return "it was computed by an older definition", ()
    for field, said in (("late_rows", "late {}"), ("dropped_rows", "{} fewer")):
        if count := known.get(f"{metric}.{field}{at}"):
            return f"{count.text} {said.format('row' if count.value == 1 else 'rows')}", (count.id,)
    return "rows behind it have changed", ()


def _rest(board: Board, metric: str, known: dict[str, Fact], *, redefined: bool) -> Sentence:
    count = known[f"{metric}.{'redefined' if redefined else 'restated'}"]
    why = "were computed by an older definition" if redefined else "are other numbers now"
    text = f"{board.definitions.label(metric)}: {count.text} reported {board.grain}s in all {why}."
    return Sentence(text, (count.id,))
