"""The summary of a board in the order in which it is read: tiles, what to do, why, for others.

Whoever stops after any of them has read the most important part. All sentences together have at
most `WORDS` words: what does not fit is left out from the end, and stands on the manager's page.
Lines that belong together stand under a heading, which is left out with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Board, history
from dataops_nb.display import Fact, Past, Phrase, Piece, Sentence, Span, Told, say
from dataops_nb.plain import records
from dataops_nb.story.actions import YEAR, fact_id, first, first_row, notes, solving_facts
from dataops_nb.story.changes import explained
from dataops_nb.story.comments import label
from dataops_nb.story.decisions import NOTHING, action, decision, wording_of
from dataops_nb.story.effects import for_departments, links
from dataops_nb.story.facts import (
    NO_RESULT,
    facts,
    is_partial,
    once_a_board,
    without_unit,
)
from dataops_nb.story.findings import Row, cause, finding_facts, told
from dataops_nb.story.lights import headline, most_moved, moved, movement
from dataops_nb.story.phrases import fill
from dataops_nb.story.pitch import pitch
from dataops_nb.story.trust import warnings
from dataops_nb.story.wordings import SOLVING

WORDS = 90
PAGE_WORDS = 250  # of a whole summary: sentences, tiles, chart and inputs
CHART_WORDS = 60  # what a chart's title and the names in it take, all headings and what is folded
TO_DO_WORDS = 40  # with the lines about other metrics than the lead
FOR_OTHERS = 12  # words that a second finding leaves for them
PAST = 26  # values of a small line: half a year of weeks
TILES = 4
COSTLY = 3


def under(heading: str, *answers: Told, most: int | None = None, after: int = 0) -> Told:
    """Put sentences under a heading, each once; without a sentence there is no heading either.

    `most` keeps the first ones, and `after` leaves out as many first ones that stand elsewhere.

    >>> print(story.under("Why", story.movement(this)).heading)
    Why
    """
    sentences: dict[str, Sentence] = {}
    more = {}
    for answer in answers:
        more.update(answer.known)
        for sentence in answer.sentences:
            sentences.setdefault(sentence.text, sentence)
    shown = tuple(sentences.values())[:most]
    return Told(shown[after:], more=more, heading=heading)


def tiles(board: Board, metrics: Iterable[str] | None = None) -> Told:
    """Show metrics at a glance: value, target or limit, change, and the last values as a line.

    By default those of the North Star, else the lead and the next ones that have a target; at most
    four. A change is called better or worse where somebody agreed which way is good.

    >>> print(story.tiles(this))
    Revenue: €320.50 · target €300 · up €110.50 in a week (better)
    """
    names = list(metrics) if metrics is not None else _at_a_glance(board)
    return Told(tuple(_tile(board, name) for name in names))


def _at_a_glance(board: Board) -> list[str]:
    urgent = first_row(board)
    if urgent is not None and is_about_solving(board):
        return [urgent["metric"]] if urgent["metric"] in board.metrics else []
    if board.lead in board.company.north_star and board.department is None:
        return [name for name in board.metrics if name in board.company.north_star][:TILES]
    has_target = [name for name in board.metrics if f"{name}.attainment" in facts(board)]
    others = [name for name in has_target if name != board.lead]
    return [board.lead, *others][:TILES]


@once_a_board
def _tile(board: Board, metric: str) -> Sentence:
    known, row, name = facts(board), board.row(metric), label(board, metric)
    light = str(row["light"]) if row["reason"] != "no target" else None
    value = known.get(f"{metric}.value")
    if value is None or row["reason"] in NO_RESULT:
        rests_on = say.rests_on(known[f"{metric}.light"])
        return say(name, ": no result yet", rests_on, kind="tile", light=light)
    pieces: list[Piece] = [name, ": ", value]
    low, high = known.get(f"{metric}.target_low"), known.get(f"{metric}.target_high")
    target = known.get(f"{metric}.target")
    if low is not None and high is not None:
        pieces += [" · range ", without_unit(low, high), " to ", high]
    elif target is not None:
        bound = "limit" if board.company.metrics[metric].better == "down" else "target"
        pieces += [f" · {bound} ", target]
    pieces += _change(board, row)
    past = _past(board, metric, str(row["period"]))
    return say(*pieces, say.rests_on(known[f"{metric}.light"]), kind="tile", light=light, past=past)


def _change(board: Board, row: pd.Series) -> Phrase:
    """Return ` · up 2 in a week (better)`; nothing where the two cannot be compared."""
    metric, known = str(row["metric"]), facts(board)
    change = known.get(f"{metric}.change")
    if change is None or not row["complete"] or is_partial(row, "previous"):
        return ()
    if not change.value:
        return (f" · unchanged in a {board.grain}", say.rests_on(change))
    is_up = float(change.value) > 0
    better = board.company.metrics[metric].better
    meant = ""
    if board.company.metrics[metric].has_direction and better != "inside":
        meant = " (better)" if is_up == (better == "up") else " (worse)"
    way = "up" if is_up else "down"
    return (f" · {way} ", change, f" in a {board.grain}{meant}")


def _past(board: Board, metric: str, period: str) -> Past | None:
    """Return the last complete values of a metric and its target; None for fewer than two."""
    rows = history(board, metric, PAST)
    values: list[float | None] = []
    for row in records(rows):
        is_known = bool(row["complete"]) and pd.notna(row["value"])
        values.append(float(row["value"]) if is_known else None)
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    unit, written = board.company.metrics[metric].unit, numbers.of(board)
    ends = [written.number(value, unit) for value in (min(known), max(known), known[-1])]
    name = board.company.label(metric)
    description = (
        f"{name}, last {len(values)} {board.grain}s: {ends[2]}, between {ends[0]} and {ends[1]}."
    )
    own = rows.loc[rows["period"] == period, "target"]
    target = float(own.iloc[-1]) if len(own) and pd.notna(own.iloc[-1]) else None
    if board.company.metrics[metric].better == "inside":
        target = None  # the middle of an agreed range is no target
    return Past(tuple(values), description, target)


@once_a_board
def to_do(board: Board, most: int = 3) -> Told:
    """Say what to do, who does it and by when, in one box: of the lead first, then the worst.

    Of other metrics only those are told that ask for something; what is overdue comes first. A
    light that was accepted or answered says so. A board without a department, whose first metric is
    no North Star, says what to solve first.

    >>> print(story.to_do(this))
    Nothing to do.
    """
    sentences = _starting(board) or [*_asked_of_lead(board), *_listed(board, board.lead)]
    sentences += notes(board).sentences
    used = _words(sentences)
    for metric in _others_to_act(board):
        for own in (_named(board, metric), _listed(board, metric)):
            if len(sentences) + len(own) > most or used + _words(own) > TO_DO_WORDS:
                break
            sentences += own
            used += _words(own)
    if len(sentences) > 1 and sentences[0].text.startswith(NOTHING):
        of_lead = (label(board, board.lead), ": ", _small_start(sentences[0].spans))
        sentences[0] = say(*of_lead)  # or the lines below it would speak against it
    answer = under("What to do", Told(tuple(sentences)))
    return replace(answer, boxed=True)


def _asked_of_lead(board: Board) -> list[Sentence]:
    accepted = headline(board, moved=False).sentences[1:]
    sentences = [*accepted, *action(board).sentences]
    if not sentences and not notes(board).sentences:
        sentences.append(say(NOTHING))
    return sentences


def _starting(board: Board) -> list[Sentence]:
    """Say until when the work on the costliest things must start; nothing on other boards."""
    if not is_about_solving(board):
        return []
    known, sentences = solving_facts(board), list[Sentence]()
    costly = [row for row in records(board.priorities) if row["at_stake"] > 0]
    for row in costly[:COSTLY]:
        sentences += _start(row, known, is_first=not sentences)
    return sentences


def _start(row: dict[str, Any], known: Any, *, is_first: bool) -> Iterator[Sentence]:
    start_by, slack = known.get(fact_id(row, "start_by")), known.get(fact_id(row, "slack"))
    owner = str(row["owner"] or row["raised_by"] or "")
    who: Phrase = (say.name(owner), ": ") if owner else ()
    what: Phrase = ("this",) if is_first else ("“", known[fact_id(row, "title")], "”")
    if start_by is None or slack is None:
        yield say(who, "say by when work on ", what, " can start.")
    elif float(slack.value or 0) < 0:
        late = (" now: it had to start by ", start_by, ".", say.rests_on(slack))
        yield say(who, "start work on ", what, late)
    else:
        yield say(who, "start work on ", what, " by ", start_by, ".", say.rests_on(slack))


@once_a_board
def _listed(board: Board, metric: str) -> list[Sentence]:
    """Say by when the work on what somebody listed about a metric must start: the costliest thing.

    Only of a light that asks for something. This clock is the target's, and another one than the
    light's (`respond by`): where that has run out, one that runs for months yet is not set beside
    it.
    """
    if board.row(metric)["light"] not in ("red", "yellow"):
        return []
    is_overdue = decision(board, metric)["deadline"] == "overdue"
    rows = board.priorities
    own = rows[(rows["metric"] == metric) & (rows["kind"] == "asked") & (rows["at_stake"] > 0)]
    known = solving_facts(board) if len(own) else {}
    for row in records(own):
        start_by, slack = known.get(fact_id(row, "start_by")), known.get(fact_id(row, "slack"))
        if start_by is not None and slack is not None and float(slack.value or 0) >= -YEAR:
            wording = "listed late" if float(slack.value or 0) < 0 else "listed"
            if is_overdue and wording == "listed":
                return []
            slots = {"title": known[fact_id(row, "title")], "start_by": start_by}
            return [fill(SOLVING[wording], slots, slack)]
    return []


@once_a_board
def is_about_solving(board: Board) -> bool:
    """Return whether a board is the whole company's, for whom the costliest thing comes first."""
    stars = set(board.company.north_star)
    is_whole = stars <= set(board.metrics) and len(board.metrics) > len(stars)
    return board.department is None and is_whole and first_row(board) is not None


def _others_to_act(board: Board) -> list[str]:
    """Return the metrics beside the lead that ask for something: overdue first, then red."""
    urgent: list[tuple[bool, bool, int, str]] = []
    if is_about_solving(board):
        return []
    for place, metric in enumerate(board.metrics):
        row = decision(board, metric)
        asks = row["light"] in ("red", "yellow") and row["deadline"] not in ("accepted", "answered")
        wording = wording_of(row)
        is_idle = "othing to do" in wording or "no action" in wording or "othing new" in wording
        if metric != board.lead and asks and wording and not is_idle:
            is_due, is_red = row["deadline"] == "overdue", row["light"] == "red"
            urgent.append((not is_due, not is_red, place, metric))
    return [metric for *_, metric in sorted(urgent)]


def _named(board: Board, metric: str) -> list[Sentence]:
    """Say what to do about another metric than the lead: `Churn rate (CFO): find the cause.`"""
    sentences = []
    for sentence in action(board, metric).sentences[:1]:
        who, *words = sentence.spans
        if who.name and words:
            sentences.append(say(label(board, metric), " (", who, ")", words))
        else:
            sentences.append(say(label(board, metric), ": ", _small_start(sentence.spans)))
    return sentences


def _small_start(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return what followed a name and a colon: its first word is small where we wrote it."""
    first, *others = spans
    if first.fact is not None or first.name:
        return spans
    return (Span(numbers.small(first.text)), *others)


@once_a_board
def why(board: Board) -> Told:
    """Say why the lead is where it is, by the first that is known and fits, under a heading.

    That is a finding about it, what moved it, or how it moved; then the gravest finding about
    another metric, as far as there is room.

    >>> print(story.why(this))
    Revenue rose €110.50 from the week before: web +€80.50, everything else +€30.
    """
    room = WORDS - _words(opening(board).sentences) - _words(to_do(board).sentences)
    causes, further, more = _causes(board)
    kept = _fitting(causes, room)[:1]
    kept += _fitting(further[:1], room - FOR_OTHERS - _words(kept))
    return Told(kept, more=more, heading="Why")


@once_a_board
def _causes(board: Board) -> tuple[list[Sentence], list[Sentence], dict[str, Fact]]:
    """Return what may be said of the lead, the best first, and of others, with all facts."""
    if is_about_solving(board):
        return [], [], solving_facts(board)
    causes, further = list[Sentence](), list[Sentence]()
    boxed = _in_the_box(board)
    for rows, sentence in told(board, says_cause=False, boxed=boxed):
        is_own = _is_about_lead(board, rows)
        if not (is_own and _is_said_in_the_box(board, rows)):
            (causes if is_own else further).append(sentence)
    for rows, sentence in told(board, says_cause=False, brief=True, boxed=boxed):
        is_own = _is_about_lead(board, rows) and not _is_said_in_the_box(board, rows)
        causes += [sentence] if is_own else []
    moved_by = _moved_by(board)
    causes += [*moved_by.sentences[:1], *movement(board).sentences]
    return causes, further, {**moved_by.known, **finding_facts(board)}


def _in_the_box(board: Board) -> frozenset[str]:
    """Return the metrics beside the lead about which the box says what to do."""
    said_there = {sentence.text for sentence in to_do(board).sentences}
    named = set()
    for metric in _others_to_act(board):
        if any(sentence.text in said_there for sentence in _named(board, metric)):
            named.add(metric)
    return frozenset(named)


def _is_said_in_the_box(board: Board, rows: Iterable[Row]) -> bool:
    """Tell whether a finding only repeats that no North Star follows the lead."""
    is_only_idle = all(row["kind"] == "rocking chair" and pd.isna(row["change"]) for row in rows)
    return is_only_idle and "no effect" in to_do(board).sentences[0].text


def _is_about_lead(board: Board, rows: Iterable[Row]) -> bool:
    return any(row["metric"] == board.lead for row in rows)


def _moved_by(board: Board) -> Told:
    """Return what moved the lead; nothing of one that has not changed or has no result."""
    change = facts(board).get(f"{board.lead}.change")
    if change is None or not change.value or board.row(board.lead)["reason"] in NO_RESULT:
        return Told()
    return explained(board)


@once_a_board
def others(board: Board) -> Told:
    """Say what the lead means for other departments, as far as there is room, under a heading.

    A pitch that was chosen comes first.

    >>> len(story.others(this).sentences)
    0
    """
    if is_about_solving(board):
        return Told()
    sentences = list[Sentence]()
    if board.company.metrics[board.lead].pitch_choice is not None:
        sentences += pitch(board).sentences
    answer = for_departments(board)
    sentences += answer.sentences
    before = (*opening(board).sentences, *to_do(board).sentences, *why(board).sentences)
    kept = _fitting(sentences, WORDS - _words(before))
    return Told(kept, more=answer.known, heading="What it means for others")


def what_changed(board: Board, most: int = 6) -> Told:
    """Say what else changed than the summary says, under a heading: at most so many sentences.

    The rest of what moved the lead, further findings, and the other metrics that moved most.

    >>> story.what_changed(company).sentences[-1].text
    'New customers rose 1 to 2.'
    """
    before = {sentence.text for sentence in why(board).sentences}
    before |= {sentence.text for sentence in links(board).sentences}  # under a heading of its own
    moved_by = _moved_by(board)
    if before & {sentence.text for sentence in moved_by.sentences[:1]}:
        moved_by = Told(more=moved_by.known)  # what else moved it says so of a sentence above
    further = [*_not_told_above(board, before)][: most - 3]
    changes = [line for name, line in _moves(board) if name != board.lead]
    sentences = [*moved_by.sentences, *further, *changes]
    left = [sentence for sentence in sentences if sentence.text not in before]
    more = {**moved_by.known, **finding_facts(board)}
    return Told(tuple(left[:most]), more=more, heading="What changed")


def _not_told_above(board: Board, before: set[str]) -> Iterator[Sentence]:
    """Yield what was found, without what the summary says in full or in brief."""
    boxed = _in_the_box(board)
    whole = told(board, says_cause=False, boxed=boxed)
    brief = told(board, says_cause=False, brief=True, boxed=boxed)
    for (_, sentence), (_, in_brief) in zip(whole, brief, strict=True):
        if in_brief.text not in before:
            yield sentence


def _moves(board: Board) -> Iterator[tuple[str, Sentence]]:
    """Yield the metrics that moved most, each with its sentence."""
    return zip(most_moved(board), moved(board).sentences, strict=True)


def room_for_inputs(board: Board) -> int:
    """Return how many words the table of inputs may have, so that a summary stays short."""
    parts = (opening, tiles, to_do, why, others)
    used = sum(_words(part(board).sentences) for part in parts)
    return PAGE_WORDS - CHART_WORDS - used - _words(warnings(board))


@once_a_board
def opening(board: Board) -> Told:
    """Say what stands first: the lead's headline, or what to solve first on the whole company's.

    A short sentence below it says why, or that no cause is known; a result that is missing, or too
    new to judge, says so itself. Who has accepted a light, the box says.

    >>> print(story.opening(this))
    Revenue was €320.50 in week 46, €20.50 above target (€300).
    No single cause is known yet.
    """
    if is_about_solving(board):
        head, *reasons = first(board).sentences[:2]
        return Told((head, *(replace(reason, kind="cause") for reason in reasons)))
    head = headline(board, moved=False).sentences[0]
    reason = board.row(board.lead)["reason"]
    if reason in (*NO_RESULT, "too short") or f"{board.lead}.value" not in facts(board):
        return Told((head,))
    return Told((head, cause(board)))


def _fitting(sentences: Iterable[Sentence], room: int) -> tuple[Sentence, ...]:
    """Return the sentences that fit into so many words, in their order."""
    kept = list[Sentence]()
    for sentence in sentences:
        if _words([sentence]) <= room:
            room -= _words([sentence])
            kept.append(sentence)
    return tuple(kept)


def _words(sentences: Iterable[Sentence]) -> int:
    return sum(len(sentence.text.split()) for sentence in sentences)
