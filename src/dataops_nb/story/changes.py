"""What moved and why, what changed since the last report, and where an open period leads.

The explanation names the part that moved a metric most in the direction of its change, the part
that held most against it, and what all others did. What changed compares each light with that of
the last report of an earlier day, as it was lit then, so that a repeated refresh says the same.
Pacing says what an unfinished period has come to, where that ends, and how likely it meets its
target.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from dataops_nb import drivers, numbers
from dataops_nb.board import Board, explain
from dataops_nb.company import Company
from dataops_nb.display import Fact, Phrase, Piece, Sentence, Told, say
from dataops_nb.drivers import Against, Change
from dataops_nb.lineage import metric_of
from dataops_nb.metrics import Derived, Offset, Ratio
from dataops_nb.numbers import Beside
from dataops_nb.periods import Period, calendar
from dataops_nb.story.comments import period
from dataops_nb.story.facts import (
    Subject,
    by_id,
    clean,
    difference_text,
    distance,
    facts,
    is_number,
    once_a_board,
    says_unit,
    without_unit,
)
from dataops_nb.story.phrases import counted, fill, metric_slots, phrase
from dataops_nb.story.wordings import CHANGES, PACE

UNEXPLAINED = "unexplained"
_COLUMN = re.compile(r"(^|,)([^\s,=]+)=")
_SEGMENTS = {"segment": "{}", "rate": "{} itself", "mix": "weight of {}"}
_DAYS = {
    "entered": "the days that came in",
    "left": "the days that dropped out",
    UNEXPLAINED: UNEXPLAINED,
}
TITLE = "What changed since the last report"
COMPARED = "report.compared_with"
_GOALS = ("target", "target_low", "target_high")


def explained(
    board: Board,
    metric: str | None = None,
    by: str | tuple[str, ...] | None = None,
    *,
    against: Against = "previous",
) -> Told:
    """Say what changed a metric (default: the lead): part by part, and everything else together.

    The first part named went the way of the change, the second the other way. `by` names the
    columns of a split; `against` another period than the one before. Where nothing can be
    explained, or no part is known, the sentence says why.

    >>> str(story.explained(this)).splitlines()[0]
    'Revenue rose €110.50 from the week before: web +€80.50, everything else +€30.'
    """
    name = metric or board.lead
    change, parts = _explained(board, name, by, against)
    if not change.explainable:
        slots = metric_slots(board, name)
        slots |= {"when": period(board, change.period), "then": period(board, change.against)}
        sentence = fill(CHANGES["no data"], slots)
        return Told((sentence,), more=by_id(_part_facts(board, name, change, parts)))
    if against == "previous":
        known = by_id(_part_facts(board, name, change, parts))
        size = facts(board).get(f"{name}.change")
    else:
        at = f"@{change.against.id}"
        known = by_id(_part_facts(board, name, change, parts, at))
        size = _size(board, name, change, at)
    other = _compared_with(board, change, against)
    by_field = {fact.field: fact for fact in known.values()}
    return Told(tuple(_explanation(board, name, size, by_field, other)), more=known)


def _explained(
    board: Board, metric: str, by: str | tuple[str, ...] | None, against: Against
) -> tuple[Change, pd.DataFrame]:
    """Return the change and its parts; those since the period before are kept by the board."""
    if against == "previous":
        return explain(board, metric, by)
    rows, now = board.rows, board.period
    change = drivers.change(rows, metric, now, against)
    return change, drivers.of_company(rows, metric, now, against, by=by)


def _size(board: Board, metric: str, change: Change, at: str) -> Fact:
    """Return the change since another period than the one before; its id ends with that period."""
    size = distance(change.now, change.before)
    text = difference_text(board, metric, size, change.now)
    subject = Subject(metric, change.period.id, board.company.metrics[metric].unit, at)
    return subject.fact("change", clean(size), text)


def _compared_with(board: Board, change: Change, against: Against) -> Phrase:
    """Return what a change is against, in words: `from the week before`."""
    slots: dict[str, Piece] = {"grain": board.grain, "then": period(board, change.against)}
    if isinstance(against, Period):
        return phrase(CHANGES["period"], slots)
    return phrase(CHANGES["previous" if against == "previous" else "year"], slots)


def part_name(company: Company, metric: str, part: str, kind: str) -> str:
    """Return a part of a change as people call it.

    A metric's label, `West`, `weight of West`, or the days of a window; the column is named where
    two are crossed, and before a number: `type 1`.
    """
    if kind in _SEGMENTS:
        name = _COLUMN.sub("", part)
        if len(_COLUMN.findall(part)) > 1 or name.replace(".", "").isdecimal():
            name = _COLUMN.sub(_column, part)
        return _SEGMENTS[kind].format(name)
    if kind in _DAYS:
        return _DAYS[kind]
    definition = company.metrics[metric]
    side: str | Offset = part
    if isinstance(definition, Ratio):
        side = getattr(definition, kind)
    elif isinstance(definition, Derived):
        side = definition.parts.get(part, part)
    name = company.label(metric_of(side))
    return f"{name}, {side.offset} earlier" if isinstance(side, Offset) else name


def _column(match: re.Match[str]) -> str:
    comma = ", " if match[1] else ""
    return f"{comma}{match[2].replace('_', ' ')} "


def part_unit(company: Company, metric: str, part: str, kind: str) -> str:
    """Return the unit of a part's own values; its effect is in the metric's unit."""
    definition = company.metrics[metric]
    if kind in {"factor", "numerator", "denominator"}:
        own = definition.parts.get(part, part) if isinstance(definition, Derived) else part
        return company.metrics[metric_of(own)].unit
    return "percent" if kind == "mix" else definition.unit


def _part_facts(
    board: Board, metric: str, change: Change, parts: pd.DataFrame, at: str = ""
) -> Iterator[Fact]:
    """Yield `moved_most moved_most_by held_against held_against_by moved_rest unexplained`.

    What moved it most went the way of the change, what held against it the other way; of a metric
    that is level they are what went up most and down most. Ids end with `at`.
    """
    unit, written = board.company.metrics[metric].unit, numbers.of(board)
    subject = Subject(metric, change.period.id, unit, at)
    is_known = parts["kind"] != UNEXPLAINED
    for effect in parts.loc[~is_known, "effect"]:
        yield subject.fact("unexplained", clean(effect), written.effect(effect, unit))
    along, size = parts.loc[is_known, "effect"], distance(change.now, change.before)
    if size < 0 or (size == 0 and not (along > 0).any()):
        along = -along
    named: list[Any] = []
    for field, sizes in (("moved_most", along), ("held_against", -along)):
        forward = sizes[sizes > 0]
        if forward.empty:
            continue
        place: Any = forward.idxmax()
        effect = float(parts["effect"].loc[place])
        if field == "held_against" and _prints_as_nothing(board, effect, unit):
            continue
        part, kind = parts["part"].loc[place], parts["kind"].loc[place]
        yield subject.word(field, part_name(board.company, metric, part, kind))
        yield subject.fact(f"{field}_by", clean(effect), written.effect(effect, unit))
        named.append(place)
    rest = parts["effect"].drop(named)
    if rest.any():
        others = float(rest.sum())
        yield subject.fact("moved_rest", clean(others), written.effect(others, unit))


def _explanation(
    board: Board, metric: str, change: Fact | None, known: dict[str, Fact], base: Phrase
) -> Iterator[Sentence]:
    """Say what changed a metric: the part that did most, the one against it, everything else."""
    if change is None:
        return
    slots: dict[str, Piece] = {**metric_slots(board, metric), "change": change, "base": base}
    size = float(change.value or 0)
    way = "rose" if size > 0 else "fell" if size < 0 else "level"
    most, by = known.get("moved_most"), known.get("moved_most_by")
    held, held_by = known.get("held_against"), known.get("held_against_by")
    rest, unexplained = known.get("moved_rest"), known.get("unexplained")
    parts: list[Piece] = []
    if most and by:
        parts.append((most, " ", by))
    if held and held_by:
        parts.append((held, " ", held_by))
    is_slight = (
        rest is not None
        and unexplained is None
        and _prints_as_nothing(board, float(rest.value or 0), rest.unit)
    )
    if len(parts) == 1 and most and size and (rest is None or is_slight):
        slots["part"] = most
        nearly = " nearly" if rest is not None else ""
        more = [fact for fact in (by, rest) if fact is not None]
        yield fill(CHANGES[f"{way}{nearly} all"], slots, *more)
        return
    if parts and rest is not None and not is_slight:
        parts.append(_others(rest, unexplained))
    used = [change] if not size else []
    if is_slight and rest is not None:
        used.append(rest)
    if not parts:
        yield fill(CHANGES[f"{way} alone"], slots, *used)
        return
    listed_parts: list[Piece] = []
    for part in parts:
        listed_parts += [", " if listed_parts else "", part]
    yield fill(CHANGES[way], {**slots, "parts": listed_parts}, *used)


def _others(rest: Fact, unexplained: Fact | None) -> Phrase:
    """Return what everything but the named parts did: `everything else +3 (+1 unexplained)`."""
    if unexplained is not None and unexplained.value == rest.value:
        return ("unexplained ", unexplained)
    if unexplained is None:
        return ("everything else ", rest)
    return ("everything else ", rest, " (", unexplained, " unexplained)")


def _prints_as_nothing(board: Board, effect: float, unit: str) -> bool:
    written = numbers.of(board).difference
    return written(effect, unit) == written(0.0, unit)


def changed(board: Board) -> Told:
    """Say which lights are others than in the last report of an earlier day; folded on a page.

    One sentence for each, or one that none is.

    >>> print(story.changed(company))
    Revenue: unknown on 8 Nov, red now.
    """
    known = changed_facts(board)
    if COMPARED not in known:
        return Told((), TITLE)
    day, now = known[COMPARED], facts(board)
    sentences = []
    for before in known.values():
        if before.field == "light_before":
            light = now[f"{before.metric}.light"]
            slots = metric_slots(board, before.metric)
            slots |= {"light_then": before, "day": day, "light": light}
            sentences.append(fill(CHANGES["light"], slots))
    if not sentences:
        sentences.append(fill(CHANGES["none"], {"day": day}))
    return Told(tuple(sentences), TITLE)


@once_a_board
def changed_facts(board: Board) -> dict[str, Fact]:
    """Return the lights of the last report that are others now, by id; nothing without a report.

    `report.compared_with` is its day; `metric.light_before` each light.
    """
    before = _before(board)
    if before.empty:
        return {}
    day = before["as_of"].iloc[0].date()
    report = Subject("report", board.period.id)
    text = numbers.of(board).date(day)
    made = [report.fact("compared_with", day.isoformat(), text)]
    now = dict(zip(board.current["metric"], board.current["light"], strict=True))
    for row in before.to_dict("records"):
        metric, light = str(row["metric"]), str(row["light"])
        if light != now[metric]:
            made.append(Subject(metric, str(row["period"])).word("light_before", light))
    return by_id(made)


def _before(board: Board) -> pd.DataFrame:
    """Return the lights of the newest earlier report: `metric period as_of light`.

    They are those of the period that was the last complete one on its day.
    """
    lights = board.memory.lights()
    mine = lights[lights["metric"].isin(board.metrics) & (lights["grain"] == board.grain)]
    earlier = mine[mine["as_of"] < pd.Timestamp(board.as_of)]
    if earlier.empty:
        return earlier
    day: dt.date = earlier["as_of"].max().date()
    then = calendar(board.company.calendar).last_complete(board.grain, day)
    return earlier[(earlier["as_of"] == pd.Timestamp(day)) & (earlier["period"] == then.id)]


def paced(board: Board, metrics: Iterable[str] | None = None) -> Told:
    """Say where the open period leads, a sentence a metric (default: the board's lead).

    Each stands under the light of its pace. Nothing is said where no period is open, or where
    nothing is known of its beginning.

    >>> print(story.paced(open_week))
    Day 4 of 7: Revenue €245.50 so far, ...
    """
    now = board.open_period
    if now is None:
        return Told()
    known = pace_facts(board)
    names = [board.lead] if metrics is None else list(metrics)
    sentences: list[Sentence] = []
    for name in names:
        sentences += _pace(board, name, now, known)
    return Told(tuple(sentences))


@once_a_board
def pace_facts(board: Board) -> dict[str, Fact]:
    """Return what is known of the open period, by id; ids end with `@period`.

    `light value target expected pace landing p_hit days_in days` of each metric.
    """
    now = board.open_period
    if now is None:
        return {}
    made: list[Fact] = []
    for _, row in board.unfinished.iterrows():
        if is_number(row["landing"]):
            made += _pace_facts(board, row, now)
    return by_id(made)


def _pace_facts(board: Board, row: pd.Series, now: Period) -> Iterator[Fact]:
    metric = str(row["metric"])
    unit = board.company.metrics[metric].unit
    written, word = numbers.of(board), says_unit(board, metric)
    subject = Subject(metric, now.id, unit, f"@{now.id}")
    yield subject.word("light", str(row["light"]))
    agreed = {field: float(row[field]) for field in _GOALS if is_number(row[field])}
    value = float(row["value"])
    expected = math.nan
    if is_number(row["expected"]):
        expected = _foreseen(row["expected"], [value], unit)
    landing = _foreseen(row["landing"], agreed.values(), unit)
    so_far = written.beside(value, [expected, *agreed.values()], unit)
    ends = written.beside(landing, agreed.values(), unit)
    more = max(so_far.more, ends.more)
    so_far, ends = replace(so_far, more=more), replace(ends, more=more)

    def write(compared: Beside, number: float) -> str:
        return compared.quantity(number) if word else compared.number(number)

    yield subject.fact("value", clean(value), write(so_far, value))
    for field, goal in agreed.items():
        yield subject.fact(field, clean(goal), write(ends, goal))
    if math.isfinite(expected):
        yield subject.fact("expected", clean(row["expected"]), write(so_far, expected))
    yield subject.fact("landing", clean(row["landing"]), write(ends, landing))
    for field in ("pace", "p_hit"):
        if is_number(row[field]):
            share = written.share(row[field])
            yield subject.fact(field, clean(row[field]), share, "percent")
    last_day = min(row["data_to"].date(), board.as_of)
    passed = (last_day - now.start).days + 1
    yield subject.fact("days_in", float(passed), written.number(passed), "days")
    yield subject.fact("days", float(now.days), written.number(now.days), "days")


def _foreseen(value: float, others: Iterable[float], unit: str) -> float:
    """Round what is foreseen: `74` meetings rather than `74.3`, as it is no count.

    Small numbers and rates stay, and whatever would lie at or across its target only by rounding.
    """
    if unit == "percent" or abs(value) < 10:
        return value
    rounded = float(round(value))
    for other in others:
        if (rounded > other, rounded < other) != (value > other, value < other):
            return value
    return rounded


def _pace(board: Board, metric: str, now: Period, known: Mapping[str, Fact]) -> Iterator[Sentence]:
    board.row(metric)  # refuses a metric that the board does not have

    def find(field: str) -> Fact | None:
        return known.get(f"{metric}.{field}@{now.id}")

    value, landing, light = find("value"), find("landing"), find("light")
    days_in, days = find("days_in"), find("days")
    if value is None or landing is None or light is None or days_in is None or days is None:
        return
    count = counted(board, metric, value)
    slots: dict[str, Piece] = {
        **metric_slots(board, metric),
        "value": value,
        "count": count,
        "day_now": days_in,
        "days": days,
        "expected": find("expected") or "",
        "landing": landing,
        "against": _against(board, metric, find),
    }
    slots["so_far"] = phrase(PACE["counted" if count else "named"], slots)
    sentences = [fill(PACE["so far"], slots), fill(PACE["course"], slots)]
    p_hit = find("p_hit")
    if p_hit is not None:
        sentences.append(fill(PACE["chance"], {"chance": p_hit}))
    pieces: list[Piece] = []
    for sentence in sentences:
        pieces += [" " if pieces else "", sentence.spans]
    judged = str(light.value) if light.value != "unknown" else None
    yield say(*pieces, say.rests_on(light), light=judged)


def _against(board: Board, metric: str, find: Callable[[str], Fact | None]) -> Phrase:
    target, low, high = find("target"), find("target_low"), find("target_high")
    if low and high:
        return phrase(PACE["range"], {"low": without_unit(low, high), "high": high})
    if target is None:
        return ()
    is_limit = board.company.metrics[metric].better == "down"
    return phrase(PACE["limit" if is_limit else "target"], {"target": target})
