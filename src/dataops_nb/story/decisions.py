"""What to do about a light, in one sentence: light, variation, link and deadline together.

`WORDINGS` has a row for each light and variation, with three columns: what to do where the metric
moves a North Star, where it was expected to and shows no effect, and where there is no sign yet.
A company's own words for a light (`do:`) speak where nothing else is known. A light that somebody
has accepted or answered asks for nothing more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from dataops_nb import numbers
from dataops_nb.alignment.measures import coverage_of
from dataops_nb.board import Board
from dataops_nb.display import Fact, Piece, Sentence, Told, say
from dataops_nb.metrics import Simple
from dataops_nb.numbers import agreeing
from dataops_nb.periods import calendar
from dataops_nb.reconciliation.pairs import find_pairs
from dataops_nb.story.comments import label
from dataops_nb.story.facts import Subject, facts, once_a_board
from dataops_nb.story.phrases import fill, inside

LINKS = ("moves", "no effect", "no sign")
# Up to so many days it helps to count how late something is; after that the day says more.
COUNTED = 28
# Within so many days a weekday helps more than a date alone.
SOON = 7
# Where nothing says how long it takes to tell, look again after so many periods.
LOOK_AGAIN = 4
# More periods than these are no plan: two years of weeks.
MOST_PERIODS = 104
WAITED = "waited"
NOTHING = "Nothing to do."

WORDINGS: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("red", "worse"): (
        "{who}find what changed[ {since}] and undo it[ {by}][; {effect}].",
        "{who}decide[ {by}] whether this {bound} still matters; no effect on {star} is seen.",
        "{who}find what changed[ {since}] and undo it[ {by}].",
    ),
    ("red", "better"): (
        "{who}keep what changed, and say[ {by}] when it will reach {target}.",
        "{who}no action; it is improving, with no effect seen on {star}.",
        "{who}keep what changed, and look again in {again}.",
    ),
    ("red", "ordinary"): (
        "{who}leave this {grain} alone; bring a way to meet {target} more often[ {by}].",
        "{who}leave this {grain} alone; say[ {by}] whether the {bound} is worth keeping.",
        "{who}leave this {grain} alone; bring a way to meet {target} more often[ {by}].",
    ),
    ("red", "unreachable"): (
        "{who}working as we do can't reach {target}; bring another way or another {bound}[ {by}].",
        "{who}drop this {bound} or this work[ {by}]; it can't reach {target} and moves nothing.",
        "{who}working as we do can't reach {target}; agree a {bound} that can be reached[ {by}].",
    ),
    ("red", "cannot tell"): (
        "{who}find the cause[ {by}][; {effect}].",
        "{who}say[ {by}] whether the {bound} is worth keeping; no effect on {star} is seen.",
        "{who}find the cause[ {by}].",
    ),
    ("yellow", "worse"): (
        "{who}stop the slide[ {by}][, before it {costs} {star}].",
        "{who}no action on this alone; no effect on {star} is seen.",
        "{who}find what changed[ {since}][ {by}].",
    ),
    ("yellow", "better"): (
        "Nothing new to do: it is on its way to {target}.",
        NOTHING,
        "Nothing new to do: it is on its way to {target}.",
    ),
    ("yellow", "ordinary"): (
        "{who}review the plan[ {by}]; this {grain} alone is no reason to change it.",
        "{who}nothing to do; no effect on {star} is seen.",
        "{who}review the plan[ {by}]; this {grain} alone is no reason to change it.",
    ),
    ("yellow", "cannot tell"): (
        "{who}review it[ {by}][; {effect}].",
        "{who}nothing to do; no effect on {star} is seen.",
        "{who}review it[ {by}].",
    ),
    ("green", "worse"): (
        "{who}act before it misses {target}[ (in about {left})].",
        "{who}no action; watch it.",
        "{who}find out why it is slipping[; it misses {target} in about {left}].",
    ),
    ("green", "better"): (
        "{who}find out what helped, and keep it.",
        "{who}add no effort here; no effect on {star} is seen.",
        "Nothing to do.[ About {needed} more of data will show what it brings.]",
    ),
    ("green", "ordinary"): (
        NOTHING,
        "{who}keep it going, but add no effort; no effect on {star} is seen.",
        NOTHING,
    ),
    ("unknown", "no target"): ("{who}set a target[; it moves {star}].", "", ""),
    ("unknown", "late"): (
        "{supplier}deliver {system} data[ (due before {late})]; "
        "no action on the number until then.",
    )
    * 3,
    ("unknown", "unreconciled"): ("{who}settle[ with {other}] which number is right[ {by}].",) * 3,
    ("red", WAITED): (
        "{who}waiting has not helped since {waiting}; change the plan or the {bound} now.",
        "{who}drop the {bound} now; it has been missed since {waiting} and moves nothing.",
        "{who}waiting has not helped since {waiting}; change the plan or the {bound} now.",
    ),
}
_SAME_AS = {
    ("yellow", "unreachable"): ("yellow", "ordinary"),
    ("green", "unreachable"): ("green", "ordinary"),
    ("green", "cannot tell"): ("green", "ordinary"),
    ("yellow", WAITED): ("red", WAITED),
}
# What a company's own words for a light would say, where nothing else is known.
_AGREED = {
    ("red", "worse"),
    ("red", "cannot tell"),
    ("yellow", "ordinary"),
    ("yellow", "cannot tell"),
}
_LATE = ("stale", "incomplete", "no data", "fault")
Row = Mapping[str, Any]


@once_a_board
def action(board: Board, metric: str | None = None, *, says_effect: bool = True) -> Told:
    """Say what to do about a metric's light (default: the lead's), who does it and by when.

    Nothing is said of a light that was accepted or answered, and of a metric without a target that
    moves nothing. Where it was said before which North Star follows, `says_effect` leaves it out.

    >>> print(story.action(this))
    Nothing to do.
    """
    name = metric or board.lead
    row = decision(board, name)
    if row["deadline"] in ("accepted", "answered"):
        return Told()
    wording = wording_of(row)
    if not wording:
        return Told()
    agreed = _agreed_words(board, row)
    slots = _slots(board, row)
    if not says_effect:
        slots["effect"] = ""
    sentences = [fill(agreed or wording, slots)]
    if "{by}" in (agreed or wording):
        sentences += _lateness(board, row)
    role = "who" if "{who}" in wording else "supplier"
    if f"{{{role}}}" in wording and not slots[role]:
        sentences.append(say("No owner yet."))
    return Told(tuple(sentences))


def briefly(board: Board, metric: str) -> Sentence | None:
    """Say what to do without who and by when, as a cell of a table; None where nothing is said."""
    row = decision(board, metric)
    wording = wording_of(row)
    if not wording:
        return None
    slots = {**_slots(board, row), "who": "", "by": ""}
    return fill(_agreed_words(board, row) or wording, slots)


@once_a_board
def decision(board: Board, metric: str) -> dict[str, Any]:
    """Return the row of `board.decisions` of a metric."""
    rows = board.decisions
    row: dict[Any, Any] = rows[rows["metric"] == metric].iloc[0].to_dict()
    return {str(name): value for name, value in row.items()}


def wording_of(row: Row) -> str:
    """Return the wording for a decision's light, variation, link and patience; "" for none."""
    cell = cell_of(row)
    if cell == ("unknown", "no target") and row["star"] and row["lag"] is None:
        return ""  # a part of a North Star, which has a target of its own
    wordings = WORDINGS.get(_SAME_AS.get(cell, cell))
    return wordings[LINKS.index(row["link"])] if wordings else ""


def cell_of(row: Row) -> tuple[str, str]:
    """Return the row of `WORDINGS`, or of what is said the same way, for a decision."""
    if row["light"] == "unknown":
        reason = "late" if row["reason"] in _LATE else str(row["reason"])
        return "unknown", reason
    if row["waited"]:
        return str(row["light"]), WAITED
    return str(row["light"]), str(row["variation"])


def _agreed_words(board: Board, row: Row) -> str:
    """Return the company's own words for a light, where nothing else is known; else ""."""
    is_known = row["link"] != "no sign" or row["deadline"] != "none" or row["began"] is not None
    if is_known or cell_of(row) not in _AGREED:
        return ""
    agreed = getattr(board.company.lights(str(row["metric"])), str(row["light"]), None)
    if agreed is None or not agreed.do:
        return ""
    return "{who}{agreed}"


def _slots(board: Board, row: Row) -> dict[str, Piece]:
    """Return what may stand in the slots of a wording; "" for what is not known."""
    metric = str(row["metric"])
    owner = board.company.departments[board.company.department_of(metric)].owner
    known = facts(board)
    better = board.company.metrics[metric].better
    bounds = {"up": "target", "down": "limit", "inside": "range"}
    target: Piece = known.get(f"{metric}.target", "")
    if better == "inside":
        target = "the agreed range"
    star = row["star"]
    return {
        "who": (say.name(owner), ": ") if owner else "",
        "agreed": _agreed_of(board, row),
        "grain": board.grain,
        "bound": bounds[better],
        "target": target or "the target",
        "star": inside(label(board, str(star)).text) if star else "",
        "costs": "raises"
        if star and board.company.metrics[str(star)].better == "down"
        else "costs",
        "since": _since(board, row),
        "by": _by(board, row),
        "effect": _effect(board, row, known),
        "again": _again(board, row),
        "needed": _periods(board, row, "periods_needed"),
        "left": _periods(board, row, "left"),
        "waiting": _day(board, metric, "light_since", row["since"]),
        **_supply(board, metric, owner),
        "other": _other_owner(board, metric, owner),
    }


def _agreed_of(board: Board, row: Row) -> Piece:
    agreed = getattr(board.company.lights(str(row["metric"])), str(row["light"]), None)
    words = agreed.do if agreed is not None else ""
    if words and not words.endswith((".", "!", "?")):
        words += "."
    return say.name(words) if words else ""


def _since(board: Board, row: Row) -> Piece:
    """Return `with Release 8.0`, or `since week 34`."""
    subject = Subject(str(row["metric"]), board.period.id)
    if isinstance(row["event"], str):
        return ("with ", subject.word("event", row["event"]))
    if pd.isna(row["began"]):
        return ""
    start = pd.Timestamp(row["began"]).date()
    period = calendar(board.company.calendar).period(board.grain, start)
    fact = subject.fact("changed_since", period.id, numbers.of(board).period(period))
    return ("since ", fact)


def _by(board: Board, row: Row) -> Piece:
    """Return `by 6 Dec`, or `now` where that is over."""
    if row["deadline"] == "overdue":
        return "now"
    if row["deadline"] != "running":
        return ""
    return ("by ", due_fact(board, str(row["metric"]), row["due"]))


def _lateness(board: Board, row: Row) -> Iterator[Sentence]:
    """Say when something overdue was due, and for how long if that is short."""
    if row["deadline"] != "overdue":
        return
    metric = str(row["metric"])
    due = due_fact(board, metric, row["due"])
    days = -int(row["days_left"])
    subject, written = Subject(metric, board.period.id), numbers.of(board)
    late = subject.fact("days_to_act", -days, written.quantity(days, "days"), "days")
    if days > COUNTED:
        yield say("It was due ", due, ".", say.rests_on(late))
    else:
        yield say("It was due ", due, ", ", late, " ago.")


def _day(board: Board, metric: str, field: str, day: dt.date | None) -> Piece:
    if day is None or pd.isna(day):
        return ""
    text = numbers.of(board).date(day)
    return Subject(metric, board.period.id).fact(field, day.isoformat(), text)


def due_fact(board: Board, metric: str, due: dt.date) -> Fact:
    """Return the day by which somebody must act: with its weekday where that is within a week."""
    is_soon = 0 <= (due - board.as_of).days <= SOON
    text = numbers.of(board).date(due, weekday=is_soon)
    return Subject(metric, board.period.id).fact("act_by", due.isoformat(), text)


def effect_of(board: Board, metric: str) -> Piece:
    """Return what follows of a metric's miss: `churn rate rises 6 weeks later`; "" for nothing."""
    return _effect(board, decision(board, metric), facts(board))


def _effect(board: Board, row: Row, known: Mapping[str, Fact]) -> Piece:
    """Return what follows of a miss: `churn rate rises 6 weeks later`."""
    metric, star = str(row["metric"]), row["star"]
    gap = known.get(f"{metric}.gap")
    if not star or pd.isna(row["effect"]) or gap is None or not gap.value:
        return ""
    sign = "same" if float(row["effect"]) > 0 else "opposite"
    is_rising = (float(row["effect"]) > 0) == (float(gap.value) > 0)
    name = label(board, str(star)).text
    verb = agreeing(name, "rises", "rise") if is_rising else agreeing(name, "falls", "fall")
    lag, periods = int(row["lag"]), f"{board.grain}s"
    subject, written = Subject(metric, board.period.id), numbers.of(board)
    later = subject.fact(f"lag_on_{star}", lag, written.quantity(lag, periods), periods)
    signed = subject.word(f"sign_on_{star}", sign)
    return (
        inside(name),
        "," if "," in name else "",
        f" {verb} ",
        later,
        " later",
        say.rests_on(gap, signed),
    )


def _again(board: Board, row: Row) -> Piece:
    return _periods(board, row, "periods_needed") or f"{LOOK_AGAIN} {board.grain}s"


def _periods(board: Board, row: Row, field: str) -> Piece:
    """Return a number of periods as a fact; "" for none, and for more than anybody plans."""
    count = row[field]
    if pd.isna(count) or count > MOST_PERIODS:
        return ""
    names = {"left": "target_holds_for", "periods_needed": "periods_needed"}
    periods = f"{board.grain}s"
    text = numbers.of(board).quantity(int(count), periods)
    subject = Subject(str(row["metric"]), board.period.id)
    return subject.fact(names[field], int(count), text, periods)


def _supply(board: Board, metric: str, metrics_owner: str | None) -> dict[str, Piece]:
    """Return `supplier system late` of the source of a metric's rows that ends first.

    Plans, rates and lists of members may end earlier; no value waits for them. Where nobody owns
    the source, who owns the metric has to get it.
    """
    ends: list[tuple[dt.date, str, dt.date]] = []
    for part in board.company.upstream([metric]):
        made = board.company.metrics[part]
        if isinstance(made, Simple):
            covered = coverage_of(board.rows, made.measure)
            last_row = covered.last_row or dt.date.min
            ends.append((covered.last or dt.date.min, made.measure.source, last_row))
    if not ends:
        return {"supplier": "", "system": "", "late": ""}
    _, name, last_day = min(ends)
    origin = board.company.origins[name]
    owner = origin.owner or metrics_owner
    due: Piece = ""
    if origin.fresh_within is not None and last_day > dt.date.min:
        day = last_day + dt.timedelta(days=origin.fresh_within.days + 1)
        due = Subject(name, board.period.id).fact(
            "overdue_since", day.isoformat(), numbers.of(board).date(day)
        )
    return {
        "supplier": (say.name(owner), ": ") if owner else "",
        "system": say.name(origin.system),
        "late": due,
    }


def _other_owner(board: Board, metric: str, owner: str | None) -> Piece:
    """Return who owns the system that disagrees; "" where it is the same person or nobody."""
    if not board.company.metrics[metric].reconcile:
        return ""
    for pair in find_pairs(board.company, metric):
        department = board.company.department_of(pair.b.metric)
        other = board.company.departments[department].owner
        if other and other != owner:
            return say.name(other)
    return ""
