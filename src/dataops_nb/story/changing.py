"""What has changed since the last report: the lights that are other ones now, from what was published for an earlier day.

Compared are the last complete period now and the one that was the last complete one then, each as it was lit on its day. The
report before is the newest one of an earlier as-of, so a repeated refresh says the same.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.history import published_lights
from dataops_nb.periods import calendar
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact
from dataops_nb.story.sentences import Sentence, Told

TITLE = "What changed since the last report"
COMPARED = "report.compared_with"


def changed(board: Board) -> Told:
    """One sentence for each light that is another one than in the last report, or that none is; folded on a page."""
    known = changed_facts(board)
    if COMPARED not in known:
        return Told((Sentence("There is no earlier report of these metrics to compare with.", ()),), TITLE)
    day = known[COMPARED]
    told = [_told(board, fact, day) for fact in known.values() if fact.field == "light_before"]
    none = Sentence(f"Every light is as it was in the report of {day.text}.", (day.id,))
    return Told(tuple(told) or (none,), TITLE)


def changed_facts(board: Board) -> dict[str, Fact]:
    """`report.compared_with`, the day of the last report, and `light_before` of each metric whose light has changed, by id."""
    before = _before(board)
    if before.empty:
        return {}
    day = before["as_of"].iloc[0].date()
    said = numbers.of(board).date(day)
    found = [Fact(COMPARED, "report", None, board.period.id, "compared_with", day.isoformat(), "", said)]
    now = dict(zip(board.current["metric"], board.current["light"], strict=True))
    for row in before.to_dict("records"):
        metric, light = str(row["metric"]), str(row["light"])
        if light != now[metric]:
            id_ = f"{metric}.light_before"
            found.append(Fact(id_, metric, None, str(row["period"]), "light_before", light, "", light))
    return {fact.id: fact for fact in found}


def _before(board: Board) -> pd.DataFrame:
    """The lights of the last report before: `metric period as_of light`, those of its last complete period."""
    lights = published_lights(board.out)
    mine = lights[lights["metric"].isin(board.metrics) & (lights["grain"] == board.grain)]
    earlier = mine[mine["as_of"] < pd.Timestamp(board.as_of)]
    if earlier.empty:
        return earlier
    day: dt.date = earlier["as_of"].max().date()
    then = calendar(board.definitions.company.calendar).last_complete(board.grain, day)
    return earlier[(earlier["as_of"] == pd.Timestamp(day)) & (earlier["period"] == then.id)]


def _told(board: Board, before: Fact, day: Fact) -> Sentence:
    label, light = board.definitions.label(before.metric), str(board.row(before.metric)["light"])
    text = f"{label} went from {before.text} to {light} since {day.text}."
    return Sentence(text, (before.id, f"{before.metric}.light", day.id))
