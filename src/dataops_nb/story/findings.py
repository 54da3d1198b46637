"""What no single light says: findings, the gravest first, and the first as a short story.

Findings are rows of `board.findings`: a lead that is on or off target against its inputs, a decline
under a good light, activity that moves nothing, a change that began with an event. Each kind has
its sentence. A change of level is told to its end: what changed, since when, what it began with,
which North Star follows, what it costs a year, and who does what about it by when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Board, current_rows
from dataops_nb.company import Company
from dataops_nb.display import Fact, Piece, Sentence, Told, listed, say
from dataops_nb.metrics import Simple
from dataops_nb.periods import calendar
from dataops_nb.plain import records
from dataops_nb.story.actions import MONEY, fact_id, solving_facts
from dataops_nb.story.decisions import action, decision, effect_of
from dataops_nb.story.effects import link_facts_of, rocking
from dataops_nb.story.facts import (
    NO_RESULT,
    Subject,
    by_id,
    clean,
    facts,
    once_a_board,
    says_unit,
)
from dataops_nb.story.lights import within_usual
from dataops_nb.story.phrases import counted, fill, is_level, metric_slots, small_label
from dataops_nb.story.wordings import CAUSES, FINDINGS

Row = Mapping[str, Any]
_LEVELS = ("explained signal", "new level")
# The days between the beginnings of two changes that may have one cause: one period.
_NEAR = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
_WORST = ("red", "yellow", "green", "unknown")


def findings(board: Board, most: int | None = None, after: int = 0) -> Told:
    """Say what the lights of a board do not, a sentence a finding, the gravest kind first.

    The first is a short story: what changed, what it began with, what follows, what it costs and
    who does what. Changes of one cause share a sentence, and so do idle inputs that were never
    declared to move a North Star. Nothing is said where there is no finding. `most` keeps the first
    ones and `after` leaves so many out: what a summary says, and what the page below it adds.

    >>> str(story.findings(this))
    ''
    """
    sentences = [sentence for _, sentence in told(board)]
    sentences += _cost_of_lead(board)
    last = None if most is None else after + most
    return Told(tuple(sentences[after:last]), more=finding_facts(board))


@once_a_board
def told(
    board: Board,
    *,
    alone: bool = False,
    says_cause: bool = True,
    brief: bool = False,
    boxed: frozenset[str] = frozenset(),
) -> list[tuple[list[Row], Sentence]]:
    """Return each sentence about findings with the rows of `board.findings` that it says.

    On a page the lead's own action has a box; where a sentence stands `alone`, as on the front
    page, it is said with it. Below a headline with its `cause`, the lead's story leaves that out,
    and the effect that the box names; a `brief` story also leaves out what changed with it. Of
    metrics that are `boxed` the box says what to do, too.
    """
    known = {**facts(board), **_facts_of_findings(board)}
    rows: list[Row] = [*records(board.findings)]
    rocking_rows = [row for row in rows if row["kind"] == "rocking chair"]
    rocking_pairs = {(row["metric"], row["other"]) for row in rocking_rows}
    idle = [row for row in rocking_rows if not _is_declared(board, row)]
    sentences: list[tuple[list[Row], Sentence]] = []
    levels = _of_one_cause(board, [row for row in rows if row["kind"] in _LEVELS])
    told_of = {group[0]["metric"]: group for group in levels}
    for group in levels:
        says_action = alone or group[0]["metric"] not in {board.lead, *boxed}
        is_new = says_cause or group[0]["metric"] != board.lead
        shown = group[:1] if brief else group
        story = _level(board, shown, known, says_action=says_action, says_cause=is_new)
        sentences.append((group, story))
    for row in rows:
        pair = (row["metric"], row["other"])
        is_repeated = row["kind"] == "contradicted link" and pair in rocking_pairs
        if row["kind"] == "rocking chair" and row["metric"] in told_of:
            told_of[row["metric"]].append(row)  # its story says that no North Star follows
        elif row["kind"] not in _LEVELS and row not in idle and not is_repeated:
            sentences.append(([row], _SENTENCES[row["kind"]](board, row, known)))
    sentences += _idle_together(board, [row for row in idle if row["metric"] not in told_of], known)
    return sentences


def _results(board: Board, metrics: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Return the light of each metric, of the board or not, and the reason of one without."""
    if not metrics:
        return {}
    rows = current_rows(board, metrics)
    pairs = zip(rows["light"], rows["reason"], strict=True)
    return dict(zip(rows["metric"], pairs, strict=True))


def _idle_together(
    board: Board, idle: list[Row], known: Mapping[str, Fact]
) -> Iterator[tuple[list[Row], Sentence]]:
    """Say which good results, and which busy metrics, no North Star follows, a sentence each.

    Nothing is said of one that has no result now.
    """
    good, busy = list[Row](), list[Row]()
    results = _results(board, [str(row["metric"]) for row in idle])
    for row in idle:
        metric = str(row["metric"])
        light, reason = results.get(metric, ("unknown", None))
        if reason not in NO_RESULT:
            is_off = light in ("red", "yellow")
            is_good = board.company.metrics[metric].has_direction and not is_off
            (good if is_good else busy).append(row)
    for wording, alike in (("good and idle", good), ("busy and idle", busy)):
        if alike:
            one = f"{wording} one" if len(alike) == 1 else wording
            yield alike, _idle(board, FINDINGS.get(one, FINDINGS[wording]), alike, known)


@once_a_board
def cause(board: Board) -> Sentence:
    """Say why the lead is where it is, in one short sentence: an event, luck, or nothing known."""
    metric, known = board.lead, {**facts(board), **_facts_of_findings(board)}
    row, wording = decision(board, metric), "no cause"
    slots: dict[str, Piece] = {"grain": board.grain, "turn": "", "usual": ""}
    used = [known[f"{metric}.light"]]
    shift = known.get(f"{metric}.level_shift")
    usual = within_usual(board, board.row(metric), known)
    if shift is not None:
        move = slots["turn"] = "rise" if float(shift.value or 0) > 0 else "fall"
        for sentence in _begins(metric, known, move):
            return say(sentence.spans, say.rests_on(shift), kind="cause")
        wording, used = "no event", [*used, shift]
    elif row["began"] is not None:
        wording = "slide"
    elif usual and f"{metric}.signal" in known:
        wording, slots["usual"] = "real change", usual
    elif usual and row["variation"] in ("ordinary", "unreachable"):
        wording, used = "ordinary", [*used, known[f"{metric}.variation"]]
    return replace(fill(CAUSES[wording], slots, *used), kind="cause")


def _of_one_cause(board: Board, rows: list[Row]) -> list[list[Row]]:
    """Group changes of level that have one cause, the gravest first in each group.

    Those are changes in the same period or the next, of metrics that stand on one another or on
    the same rows.
    """
    near = pd.Timedelta(days=_NEAR[board.grain])
    groups: list[list[Row]] = []
    for row in rows:
        for group in groups:
            first = group[0]
            is_near = abs(row["since"] - first["since"]) <= near
            if is_near and _stand_together(board, str(row["metric"]), str(first["metric"])):
                group.append(row)
                break
        else:
            groups.append([row])
    for group in groups:
        group.sort(key=lambda row: _gravity(board, row))
    return groups


def _gravity(board: Board, row: Row) -> tuple[bool, bool, int]:
    """Return how grave a change is; the smallest first: an event, a North Star, a bad light."""
    is_star = row["metric"] in board.company.north_star
    light = row["light"] if row["light"] in _WORST else "unknown"
    return row["kind"] != "explained signal", not is_star, _WORST.index(light)


def _stand_together(board: Board, metric: str, other: str) -> bool:
    company = board.company
    if set(company.upstream([metric])) & set(company.upstream([other])):
        return True
    first, second = (board.rows.behind(*_sources(company, name)) for name in (metric, other))
    return bool(set(first) & set(second))


def _sources(company: Company, metric: str) -> set[str]:
    """Return the sources whose rows a metric is made of, without those of its targets."""
    names = set()
    for name in company.upstream([metric]):
        definition = company.metrics[name]
        if isinstance(definition, Simple):
            names.add(definition.measure.source)
    return names


def _idle(board: Board, wording: str, rows: list[Row], known: Mapping[str, Fact]) -> Sentence:
    labels = [small_label(board, str(row["metric"])) for row in rows]
    used = [known[f"{row['metric']}.rocking_chair_on_{row['other']}"] for row in rows]
    return fill(wording, {"names": listed(labels)}, *used)


def _is_declared(board: Board, row: Row) -> bool:
    links = board.company_links
    declared = links[links["declared"].astype(bool)]
    return bool(((declared["input"] == row["metric"]) & (declared["target"] == row["other"])).any())


def _watermelon(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    metric = str(row["metric"])
    green, judged = known[f"{metric}.inputs_green"], known[f"{metric}.inputs_judged"]
    inputs = [known[f"{name}.light"] for name in str(row["inputs"]).split(", ")]
    slots = {**metric_slots(board, metric), "green": green, "inputs": judged}
    slots["agree"] = "is" if green.value == 1 else "are"
    wording = "watermelon"
    if judged.value == 1:
        wording = "watermelon one"
    elif green.value == judged.value:
        wording = "watermelon all"
    return fill(FINDINGS[wording], slots, known[f"{metric}.light"], *inputs)


def _decline(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    metric = str(row["metric"])
    slots, light = metric_slots(board, metric), known[f"{metric}.light"]
    falls, lasted = known.get(f"{metric}.decline"), known.get(f"{metric}.decline_lasted")
    if falls is None or lasted is None:
        slots["usual"] = within_usual(board, board.row(metric), known)
        return fill(FINDINGS["decline by signal"], slots, light)
    # A label that counts its unit has said it.
    unit_said = counted(board, metric, falls)
    slots["falls"] = say.as_(falls, falls.text.partition(" ")[0]) if unit_said else falls
    slots["lasted"] = lasted
    slots["moved"] = "fallen" if float(falls.value or 0) < 0 else "risen"
    left = known.get(f"{metric}.target_holds_for")
    if left is None:
        return fill(FINDINGS["decline"], slots, light)
    return fill(FINDINGS["decline ends"], {**slots, "left": left}, light)


def _rocking(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    return rocking(board, row["metric"], row["other"], known)


def _against(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    metric, star = str(row["metric"]), str(row["other"])
    verdict = known[f"{metric}.verdict_on_{star}"]
    slots = {**metric_slots(board, metric), "s": small_label(board, star)}
    if verdict.value != "moves":
        return fill(FINDINGS["against"], slots, verdict)
    is_limit = board.company.metrics[star].better == "down"
    slots["raise_"] = "lower" if is_limit else "raise"
    return fill(FINDINGS["opposite"], slots, verdict)


def _level(
    board: Board,
    group: list[Row],
    known: Mapping[str, Fact],
    *,
    says_action: bool,
    says_cause: bool,
) -> Sentence:
    """Say a change of level as one story, each part only where it is known."""
    row = group[0]
    metric = str(row["metric"])
    since, now = known[f"{metric}.signal_since"], known[f"{metric}.level_now"]
    before, shift = known[f"{metric}.level_before"], known[f"{metric}.level_shift"]
    is_up = float(shift.value or 0) > 0
    slots: dict[str, Piece] = {
        **metric_slots(board, metric),
        "now": now,
        "before": before,
        "since": since,
        "way": "up" if is_up else "down",
        "each_": "" if is_level(board, metric) else board.grain,
    }
    sentences = [fill(FINDINGS["level"], slots, shift)]
    if says_cause:
        sentences += _begins(metric, known, "rise" if is_up else "fall")
    if len(group) > 1:
        others = [small_label(board, str(other["metric"])) for other in group[1:]]
        sentences.append(fill(FINDINGS["too"], {"others": listed(others)}))
    boxed = "" if says_cause else str(action(board, metric))
    sentences += [effect for effect in _follows(board, metric) if _is_new(effect, boxed)]
    sentences += _cost(board, metric)
    chosen = decision(board, metric)
    if says_action:
        sentences += action(board, metric, says_effect=False).sentences[:1]
    elif chosen["link"] == "no effect":
        verdict = known.get(f"{metric}.verdict_on_{chosen['star']}")
        star = {"s": small_label(board, str(chosen["star"]))}
        idle = fill(FINDINGS["no effect"], star, *([verdict] if verdict else []))
        sentences += [idle] if _is_new(idle, boxed) else []
    return _paragraph(sentences)


def _is_new(sentence: Sentence, boxed: str) -> bool:
    """Tell whether the box of what to do leaves out what a sentence says."""
    return sentence.text.rstrip(".").casefold() not in boxed.casefold()


def _begins(metric: str, known: Mapping[str, Fact], move: str) -> Iterator[Sentence]:
    """Say what event a change began with, or how long after it."""
    event, day = known.get(f"{metric}.event"), known.get(f"{metric}.event_date")
    lag = known.get(f"{metric}.event_lag")
    if event is None or day is None or lag is None:
        return
    slots: dict[str, Piece] = {"turn": move, "event": event, "day": day, "lag": lag}
    if lag.value:
        yield fill(FINDINGS["event later"], slots)
    else:
        yield fill(FINDINGS["event"], slots, lag)


def _follows(board: Board, metric: str) -> Iterator[Sentence]:
    """Say what a North Star does after such a miss."""
    phrase = effect_of(board, metric)
    if phrase:
        yield fill(FINDINGS["effect"], {"effect": phrase})


def _cost(board: Board, metric: str) -> Iterator[Sentence]:
    """Say what a metric's shortfall costs a year; nothing where it has no price."""
    for row in records(board.priorities):
        if row["metric"] == metric and row["at_stake"] > 0:
            known = solving_facts(board)
            cost, low, high = (known[fact_id(row, field)] for field in MONEY)
            slots: dict[str, Piece] = {"cost": cost, "low": low, "high": high}
            if low.text == high.text:
                slots["low"] = ""
            yield fill(FINDINGS["cost"], slots, low, high)
            return


def _cost_of_lead(board: Board) -> Iterator[Sentence]:
    """Say what a department's first metric costs a year, where no change of level says it."""
    is_level_told = any(
        row["metric"] == board.lead and row["kind"] in _LEVELS for row in records(board.findings)
    )
    if board.department and not is_level_told:
        follows = [*_follows(board, board.lead)]
        costs = [*_cost(board, board.lead)]
        if costs:
            yield _paragraph([*follows, *costs])


def _paragraph(sentences: Sequence[Sentence]) -> Sentence:
    """Join sentences that are one story."""
    pieces: list[Piece] = []
    for sentence in sentences:
        pieces += [" " if pieces else "", sentence.spans]
    return say(*pieces)


def _noise(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    metric = str(row["metric"])
    slots = {**metric_slots(board, metric), "value": known[f"{metric}.value"]}
    slots["usual"] = within_usual(board, board.row(metric), known)
    return fill(FINDINGS["noise"], slots, known[f"{metric}.light"])


_SENTENCES: Mapping[str, Callable[[Board, Row, Mapping[str, Fact]], Sentence]] = {
    "watermelon": _watermelon,
    "green decline": _decline,
    "rocking chair": _rocking,
    "contradicted link": _against,
    "red by noise": _noise,
}


@once_a_board
def finding_facts(board: Board) -> dict[str, Fact]:
    """Return the facts of sentences about findings that the board's own facts lack, by id."""
    known = _facts_of_findings(board)
    for _, sentence in told(board, alone=True):
        known |= sentence.known
    for sentence in _cost_of_lead(board):
        known |= sentence.known
    return known


@once_a_board
def _facts_of_findings(board: Board) -> dict[str, Fact]:
    made = [*link_facts_of(board, _links(board)).values()]
    for _, row in board.findings.iterrows():
        made += _finding_facts(board, row)
    return by_id(made)


def _links(board: Board) -> pd.DataFrame:
    """Return the links that findings speak of."""
    paired = board.findings.dropna(subset=["other"])
    wanted = set(zip(paired["metric"], paired["other"], strict=True))
    links = board.company_links
    pairs = zip(links["input"], links["target"], strict=True)
    return links.loc[[pair in wanted for pair in pairs]]


def _finding_facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    if row["kind"] in _LEVELS:
        yield from _level_facts(board, row)
    if row["kind"] in _LEVELS and isinstance(row["event"], str):
        yield from _event_facts(board, row)
    elif row["kind"] == "watermelon":
        yield from _watermelon_facts(board, row)
    elif row["kind"] == "green decline" and pd.notna(row["slope"]):
        yield from _decline_facts(board, row)


def _watermelon_facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    subject, written = Subject(str(row["metric"]), board.period.id, "inputs"), numbers.of(board)
    green, judged = int(row["green"]), int(row["judged"])
    yield subject.fact("inputs_green", green, written.count(green))
    yield subject.fact("inputs_judged", judged, written.count(judged))
    for name in str(row["inputs"]).split(", "):
        yield Subject(name, board.period.id, _unit(board, name)).fact("light", "green", "green")


def _decline_facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    unit, periods = _unit(board, str(row["metric"])), f"{board.grain}s"
    subject, written = Subject(str(row["metric"]), board.period.id, periods), numbers.of(board)
    slope = clean(row["slope"])
    yield subject.fact("decline", slope, written.difference(slope, unit, word=True), unit)
    length = _length(board, row)
    yield subject.fact("decline_lasted", length, written.quantity(length, periods))
    if pd.notna(row["left"]):
        left = int(row["left"])
        yield subject.fact("target_holds_for", left, written.quantity(left, periods))


def _event_facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    periods = f"{board.grain}s"
    subject, written = Subject(str(row["metric"]), board.period.id), numbers.of(board)
    day, lag = row["event_date"].date(), int(row["event_lag"])
    yield subject.word("event", row["event"])
    yield subject.fact("event_date", day.isoformat(), written.date(day))
    yield subject.fact("event_lag", lag, written.quantity(lag, periods), periods)


def _level_facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    metric = str(row["metric"])
    subject = Subject(metric, board.period.id, _unit(board, metric))
    since = calendar(board.company.calendar).period(board.grain, row["since"].date())
    yield subject.fact("signal_since", since.id, numbers.of(board).period(since), "")
    ends = {"level_before": float(row["before"]), "level_now": float(row["now"])}
    written = numbers.of(board).beside(ends["level_now"], [ends["level_before"]], subject.unit)
    shift = clean(row["now"] - row["before"])
    text = numbers.of(board).difference(shift, subject.unit, word=True)
    yield subject.fact("level_shift", shift, text)
    write = written.quantity if says_unit(board, metric) else written.number
    for field, value in ends.items():
        yield subject.fact(field, clean(value), write(value))


def _unit(board: Board, metric: str) -> str:
    return board.company.metrics[metric].unit


def _length(board: Board, row: pd.Series) -> int:
    """Return how many complete periods a decline has lasted."""
    table = board.table
    past = table[(table["metric"] == row["metric"]) & (table["period_start"] >= row["since"])]
    return int((past["period_end"] <= pd.Timestamp(board.period.end)).sum())
