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
    return Told((*_of_lights(board, names, known), *_of_board(board, known)))


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


def _of_lights(board: Board, metrics: Iterable[str], known: dict[str, Fact]) -> Iterator[Sentence]:
    """One sentence for the lights that luck changes, and one for those that it leaves alone."""
    for name in (told := list(metrics)):
        board.row(name)
    judged = [name for name in told if f"{name}.lucky_changes" in known and f"{name}.lucky_periods" in known]
    moved = [name for name in judged if known[f"{name}.lucky_changes"].value]
    still = [name for name in judged if name not in moved]
    if moved:
        yield _changing(board, moved, known)
    if still:
        light = "light" if len(still) == 1 else "lights"
        text = f"The {light} of {_listed(board, still)} hardly ever {'changes' if len(still) == 1 else 'change'} by luck alone."
        yield Sentence(text, tuple(known[f"{name}.lucky_changes"].id for name in still))


def _changing(board: Board, moved: list[str], known: dict[str, Fact]) -> Sentence:
    of, times = known[f"{moved[0]}.lucky_periods"], [known[f"{name}.lucky_changes"] for name in moved]
    if len(moved) == 1:
        text = f"By luck alone the light of {board.definitions.label(moved[0])} would have changed in {times[0].text} "
        return Sentence(f"{text}of the last {of.text} {board.grain}s.", (times[0].id, of.id))
    each = ", ".join(f"{board.definitions.label(name)} in {fact.text}" for name, fact in zip(moved, times, strict=True))
    text = f"By luck alone lights would have changed in some of the last {of.text} {board.grain}s: {each}."
    return Sentence(text, (of.id, *(fact.id for fact in times)))


def _listed(board: Board, metrics: list[str]) -> str:
    labels = [board.definitions.label(name) for name in metrics]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _of_board(board: Board, known: dict[str, Fact]) -> Iterator[Sentence]:
    fields = ("lights_judged", "lucky_lights", "alarm_periods", "limits_judged", "false_alarms")
    found = [known[f"{board.lead}.{field}"] for field in fields if f"{board.lead}.{field}" in known]
    if len(found) < len(fields):
        return
    lights, lucky, periods, limited, alarms = found
    these = "range of 1 metric" if limited.value == 1 else f"ranges of {limited.text} metrics"
    alarmed = f"in {periods.text} {board.grain}s the usual {these} would raise {alarms.text} false alarms."
    if lights.value == 1:
        yield Sentence(f"If nothing changed at all, {alarmed}", (periods.id, limited.id, alarms.id))
        return
    text = f"Of {lights.text} lights here {lucky.text} would differ next {board.grain} if nothing changed at all, and {alarmed}"
    yield Sentence(text, tuple(fact.id for fact in found))
