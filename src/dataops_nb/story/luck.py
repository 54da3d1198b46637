"""Luck: how often lights change while nothing does, and how many false alarms a board raises.

Both are expectations, from the noise that the metrics' own past shows; nothing of it was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Board
from dataops_nb.display import Fact, Piece, Sentence, Told, listed
from dataops_nb.limits.xmr import FALSE_ALARM
from dataops_nb.story.comments import label
from dataops_nb.story.facts import Subject, by_id, is_number, once_a_board
from dataops_nb.story.phrases import fill, metric_slots, small_label
from dataops_nb.story.wordings import LUCK

PERIODS = 13  # a quarter of weeks: over so many, changes by luck are counted


def luck(board: Board, metrics: Iterable[str] | None = None) -> Told:
    """Say how often lights would have changed by luck, and what luck does to the whole board.

    A metric without a verdict on its noise is left out; without any, nothing is said.

    >>> str(story.luck(this))
    ''
    """
    known = luck_facts(board)
    names = list(board.metrics if metrics is None else metrics)
    return Told((*_of_lights(board, names, known), *_of_board(board, known)))


@once_a_board
def luck_facts(board: Board) -> dict[str, Fact]:
    """Return what luck does to lights, by id.

    `lucky_changes` in `lucky_periods` of each light. Under the lead: `lucky_lights`, how many of
    the `lights_judged` are expected to differ next period, and `false_alarms`, how many newest
    points of the `limits_judged` show a signal in `alarm_periods`, if nothing changes.
    """
    return by_id(_luck_facts(board))


def _luck_facts(board: Board) -> Iterator[Fact]:
    def fact(metric: str, field: str, value: float, unit: str) -> Fact:
        shown = round(value, 1)
        text = numbers.of(board).number(shown)
        return Subject(metric, board.period.id, unit).fact(field, shown, text)

    now, periods = board.current, f"{board.grain}s"
    lights = now[now["flips"].map(is_number)]
    for row in lights.to_dict("records"):
        changes = float(round(PERIODS * row["flips"]))
        yield fact(row["metric"], "lucky_changes", changes, periods)
        yield fact(row["metric"], "lucky_periods", PERIODS, periods)
    if len(lights):
        judged = now[now["variation"].notna()]
        limited = len(judged)
        yield fact(board.lead, "lights_judged", len(lights), "lights")
        yield fact(board.lead, "lucky_lights", float(lights["flips"].sum()), "lights")
        yield fact(board.lead, "limits_judged", limited, "metrics")
        yield fact(board.lead, "alarm_periods", PERIODS, periods)
        yield fact(board.lead, "false_alarms", _expected(judged) * PERIODS, "signals")


def _expected(judged: pd.DataFrame) -> float:
    """Return how many metrics' newest points show a signal if nothing happens, on average.

    Each by its own chart (`limits.add_limits`, `alarm`); a table without it, as of normal data.
    """
    if "alarm" not in judged:
        return len(judged) * FALSE_ALARM
    return float(judged["alarm"].fillna(FALSE_ALARM).sum())


def _of_lights(board: Board, metrics: Iterable[str], known: dict[str, Fact]) -> Iterator[Sentence]:
    """Say which lights luck changes, and which it leaves alone, a sentence each."""
    moved: list[str] = []
    still: list[str] = []
    for name in metrics:
        board.row(name)  # refuses a metric that the board does not have
        changes = known.get(f"{name}.lucky_changes")
        if changes is not None:
            (moved if changes.value else still).append(name)
    if moved:
        yield _lucky(board, moved, known)
    if still:
        yield _steady(board, still, known)


def _steady(board: Board, metrics: list[str], known: dict[str, Fact]) -> Sentence:
    used = [known[f"{name}.lucky_changes"] for name in metrics]
    slots = metric_slots(board, metrics[0])
    first, *others = metrics
    slots["Names"] = listed([label(board, first), *(small_label(board, name) for name in others)])
    if len(metrics) > 1:
        slots["its"] = "their"
    return fill(LUCK["still"], slots, *used)


def _lucky(board: Board, moved: list[str], known: dict[str, Fact]) -> Sentence:
    of, grain = known[f"{moved[0]}.lucky_periods"], board.grain
    if len(moved) == 1:
        changes = known[f"{moved[0]}.lucky_changes"]
        slots = {**metric_slots(board, moved[0]), "changes": changes, "periods": of}
        return fill(LUCK["one"], slots)
    pieces: list[Piece] = []
    for metric in moved:
        if pieces:
            pieces.append(", ")
        pieces += [label(board, metric), " ", known[f"{metric}.lucky_changes"]]
    return fill(LUCK["many"], {"periods": of, "grain": grain, "each_light": pieces})


def _of_board(board: Board, known: dict[str, Fact]) -> Iterator[Sentence]:
    fields = ("lights_judged", "lucky_lights", "alarm_periods", "limits_judged", "false_alarms")
    ids = [f"{board.lead}.{field}" for field in fields]
    if not known.keys() >= set(ids):
        return
    lights, differ, periods, limited, alarms = (known[id_] for id_ in ids)
    slots: dict[str, Piece] = {
        "lights": lights,
        "differ": differ,
        "periods": periods,
        "alarms": alarms,
        "alarm": "alarm" if alarms.text == "1" else "alarms",
        "grain": board.grain,
    }
    wording = "alarms" if lights.value == 1 else "board"
    yield fill(LUCK[wording], slots, limited)
