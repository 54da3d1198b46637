"""Luck in sentences: how often a light changes while nothing does, and how many false alarms a whole board raises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dataops_nb.board import Board
from dataops_nb.limits import FALSE_ALARM
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact, _known
from dataops_nb.story.sentences import Sentence, Told

PERIODS = 13


def luck(board: Board, metrics: Iterable[str] | None = None) -> Told:
    """How often the light of each metric would have changed by luck, then what luck does to the whole board.

    A metric without a verdict on its noise says nothing; without any such metric nothing is said.
    """
    known = luck_facts(board)
    names = list(board.metrics if metrics is None else metrics)
    return Told((*(each for name in names for each in _of_light(board, name, known)), *_of_board(board, known)))


def luck_facts(board: Board) -> dict[str, Fact]:
    """`lucky_changes` in `lucky_periods` of each light; under the lead metric, what luck does to the `judged` of the board.

    `lucky_lights` is the expected number of lights that differ next period, `false_alarms` that of newest points with a
    signal in `alarm_periods`, if nothing changes.
    """
    return {fact.id: fact for fact in _facts(board)}


def _facts(board: Board) -> Iterator[Fact]:
    def fact(metric: str, field: str, value: float, unit: str) -> Fact:
        shown = round(value, 1)
        return Fact(
            f"{metric}.{field}", metric, None, board.period.id, field, shown, unit, numbers.of(board).number(shown)
        )

    now, grains = board.current, f"{board.grain}s"
    lights = now[now["flips"].map(_known)]
    for row in lights.to_dict("records"):
        yield fact(row["metric"], "lucky_changes", float(round(PERIODS * row["flips"])), grains)
        yield fact(row["metric"], "lucky_periods", PERIODS, grains)
    if len(lights):
        limited = int(now["variation"].notna().sum())
        yield fact(board.lead, "lights_judged", len(lights), "lights")
        yield fact(board.lead, "lucky_lights", float(lights["flips"].sum()), "lights")
        yield fact(board.lead, "limits_judged", limited, "metrics")
        yield fact(board.lead, "alarm_periods", PERIODS, grains)
        yield fact(board.lead, "false_alarms", limited * FALSE_ALARM * PERIODS, "signals")


def _of_light(board: Board, metric: str, known: dict[str, Fact]) -> Iterator[Sentence]:
    board.row(metric)
    times, of = known.get(f"{metric}.lucky_changes"), known.get(f"{metric}.lucky_periods")
    if times is None or of is None:
        return
    label = board.definitions.label(metric)
    if not times.value:
        text = f"The light of {label} hardly ever changes by luck alone."
        yield Sentence(text, (times.id,))
        return
    text = (
        f"By luck alone the light of {label} would have changed in {times.text} of the last {of.text} {board.grain}s."
    )
    yield Sentence(text, (times.id, of.id))


def _of_board(board: Board, known: dict[str, Fact]) -> Iterator[Sentence]:
    fields = ("lights_judged", "lucky_lights", "alarm_periods", "limits_judged", "false_alarms")
    found = [known[f"{board.lead}.{field}"] for field in fields if f"{board.lead}.{field}" in known]
    if len(found) < len(fields):
        return
    lights, lucky, periods, limited, alarms = found
    many, these = ("light" if lights.value == 1 else "lights"), ("metric" if limited.value == 1 else "metrics")
    text = (
        f"Of {lights.text} {many} here {lucky.text} would differ next {board.grain} if nothing changed at all, and in "
    )
    text += f"{periods.text} {board.grain}s the usual ranges of {limited.text} {these} would raise {alarms.text} false alarms."
    yield Sentence(text, tuple(fact.id for fact in found))
