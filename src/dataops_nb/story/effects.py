"""Links in sentences: whether an input moves the North Star, and what that means elsewhere.

`links` says of each declared or found pair what the data say about it: so much more of the input
went with so much of the target, after so long. `for_departments` turns the same pairs, and the
formulas of metrics, towards the reader: which of your inputs hang together with this number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Board
from dataops_nb.display import Fact, Phrase, Piece, Sentence, Span, Told, listed, say
from dataops_nb.links.regular import YEAR
from dataops_nb.links.verdicts import reason_words
from dataops_nb.story.facts import Subject, by_id, clean, once_a_board
from dataops_nb.story.phrases import fill, metric_slots, phrase, small_label
from dataops_nb.story.wordings import FINDINGS, LINKS

MOST = 2  # relations that a department is told
_RELATIONS = ("moves", "follows", "goes with", "does not move", "is part of", "is computed from")


@dataclass(frozen=True)
class Step:
    """So much more of an input that its effect can be read: 1, 10, 100 … units, or percent points.

    `text` is the step in words: `1 meeting`, `10 customers`, `$1,000`, `1 point`.
    """

    size: float
    unit: str
    text: str


def step(board: Board, row: pd.Series) -> Step:
    """Return the step of an input that moves the target by a tenth of what is printed, or more."""
    unit = board.company.metrics[str(row["input"])].unit
    target = board.company.metrics[str(row["target"])].unit
    smallest = 0.01 if unit == "percent" else 1.0
    least = 0.001 if target == "percent" else 0.1
    effect = abs(float(row["effect"])) * smallest
    power = max(0, math.ceil(math.log10(least / effect))) if effect > 0 else 0
    size = smallest * 10.0 ** min(power, 6)
    return Step(size, unit, numbers.of(board).difference(size, unit, word=True))


def links(board: Board) -> Told:
    """Say what the data say about each link that was declared or found.

    Inputs that are activity without movement are named as such.

    >>> len(story.links(this).sentences)
    0
    """
    known = link_facts(board)
    sentences: list[Sentence] = []
    for _, row in _between_metrics(board.links).iterrows():
        sentences += _link(board, row, known)
    return Told(tuple(sentences), more=known)


def _between_metrics(links: pd.DataFrame) -> pd.DataFrame:
    """Return links without those of a metric and its own part."""
    return links[~links["is_part"].astype(bool)]


@once_a_board
def link_facts(board: Board) -> dict[str, Fact]:
    """Return the facts of the links of a board's inputs, by id.

    `verdict_on_…`, `lag_on_…`, `horizon_on_…`, `same_as_on_…`, `needed_on_…`, `effect_on_…` with
    its ends and step, `sign_on_…` (`same` where both go one way, else `opposite`), `rise`, and
    `rise_from`: from when.
    """
    return link_facts_of(board, board.links)


def link_facts_of(board: Board, links: pd.DataFrame) -> dict[str, Fact]:
    """Return the same facts of any of the company's links."""
    made: list[Fact] = []
    for _, row in _between_metrics(links).iterrows():
        made += _link_facts(board, row)
    return by_id(made)


def _link_facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    target, periods, written = str(row["target"]), f"{board.grain}s", numbers.of(board)
    subject = Subject(str(row["input"]), board.period.id)
    yield subject.word(f"verdict_on_{target}", row["verdict"])
    if not pd.isna(row["rise"]):
        rise = clean(row["rise"])
        yield subject.fact("rise", rise, written.number(abs(rise), "percent"), "percent")
        yield subject.word("rise_from", _compared_with(board, int(row["rise_back"])))
    if row["rocking_chair"]:
        yield subject.word(f"rocking_chair_on_{target}", "yes")
    if not pd.isna(row["periods_needed"]):
        needed = int(row["periods_needed"])
        text = written.quantity(needed, periods)
        yield subject.fact(f"needed_on_{target}", needed, text, periods)
    if pd.notna(row["same_as"]):
        yield subject.word(f"same_as_on_{target}", row["same_as"])
    if not pd.isna(row["lag"]):
        lag, horizon = int(row["lag"]), int(row["horizon"])
        reach = written.quantity(horizon, periods)
        yield subject.fact(f"horizon_on_{target}", horizon, reach, periods)
        yield subject.fact(f"lag_on_{target}", lag, written.quantity(lag, periods), periods)
        sign = "same" if float(row["effect"]) > 0 else "opposite"
        yield subject.word(f"sign_on_{target}", sign)
        yield from _effect_facts(board, row, subject)


def _compared_with(board: Board, back: int) -> str:
    """Return what a rise is compared with: a year earlier, or the periods just before."""
    if back == YEAR[board.grain]:
        return "from a year earlier"
    return f"from the {numbers.of(board).quantity(back, f'{board.grain}s')} before"


def _effect_facts(board: Board, row: pd.Series, subject: Subject) -> Iterator[Fact]:
    """Yield the step of an input, and what went with it: the effect and its interval."""
    target, written, of_input = str(row["target"]), numbers.of(board), step(board, row)
    unit = board.company.metrics[target].unit
    yield subject.fact(f"step_on_{target}", of_input.size, of_input.text, of_input.unit)
    for field in ("effect", "effect_low", "effect_high"):
        size = clean(row[field] * of_input.size)
        text = written.difference(size, unit)
        if numbers.is_currency(unit):
            text = written.rough(abs(size), unit)
        yield subject.fact(f"{field}_on_{target}", size, text, unit)


def _link(board: Board, row: pd.Series, known: dict[str, Fact]) -> Iterator[Sentence]:
    metric, star = str(row["input"]), str(row["target"])
    verdict = known[f"{metric}.verdict_on_{star}"]
    slots = {**metric_slots(board, metric), "s": small_label(board, star)}
    if row["verdict"] == "moves":
        if pd.isna(row["same_as"]) or row["declared"]:
            yield _moves(board, row, known)
        if row["contradicted"]:
            yield fill(LINKS["reversed"], slots, verdict)
    elif not row["declared"]:
        return
    elif row["rocking_chair"]:
        yield rocking(board, metric, star, known)
    elif row["together"]:
        yield fill(LINKS["together"], slots, verdict)
    elif row["contradicted"]:
        yield fill(LINKS["against"], slots, verdict)
    else:
        yield _open(board, row, known)


def _open(board: Board, row: pd.Series, known: dict[str, Fact]) -> Sentence:
    """Say that it cannot be told whether an expected link holds, and why."""
    metric, star = str(row["input"]), str(row["target"])
    slots = {**metric_slots(board, metric), "s": small_label(board, star)}
    verdict = known[f"{metric}.verdict_on_{star}"]
    needed = known.get(f"{metric}.needed_on_{star}")
    if needed is None:
        why = reason_words(str(row["reason"]), board.grain)
        return fill(LINKS["untold"], {**slots, "why": why}, verdict)
    return fill(LINKS["open"], {**slots, "needed": needed}, verdict)


def _moves(board: Board, row: pd.Series, known: dict[str, Fact]) -> Sentence:
    metric, star = str(row["input"]), str(row["target"])

    def of(field: str) -> Fact:
        return known[f"{metric}.{field}_on_{star}"]

    low, high, effect = of("effect_low"), of("effect_high"), of("effect")
    is_more = float(effect.value or 0) > 0
    if not is_more:
        low, high = high, low
    slots: dict[str, Piece] = {
        **metric_slots(board, metric),
        "s": small_label(board, star),
        "step": one_more(of("step")),
        "has_": "has" if of("step").text.startswith("1 ") else "have",
        "lag": of("lag"),
        "size": effect,
        "low": say.as_(low, low.text.removesuffix(" points")),
        "high": say.as_(high, high.text.removesuffix(" points")),
    }
    alike = _alike_names(board, metric, star)
    slots["alike"] = listed(alike) if alike else ""
    return fill(LINKS["higher" if is_more else "lower"], slots, of("verdict"))


def one_more(step: Fact) -> Piece:
    """State a step as it stands after `every`: `10 customers`, and `customer` for one."""
    if step.text.startswith("1 "):
        return (step.text.removeprefix("1 "), say.rests_on(step))
    return step


def _alike_names(board: Board, metric: str, star: str) -> list[Span]:
    """Return the labels of the inputs that move a North Star as a stronger one does."""
    pairs = board.links
    is_alike = (pairs["target"] == star) & (pairs["same_as"] == metric)
    return [small_label(board, str(name)) for name in pairs.loc[is_alike, "input"]]


def rocking(board: Board, metric: str, star: str, known: Mapping[str, Fact]) -> Sentence:
    """Say that an input is up or on target while the North Star does not follow."""
    used = (known[f"{metric}.verdict_on_{star}"], known[f"{metric}.rocking_chair_on_{star}"])
    slots = {**metric_slots(board, metric), "s": small_label(board, star)}
    rise = known.get(f"{metric}.rise")
    if rise is None:
        is_green = metric in board.metrics and board.row(metric)["light"] == "green"
        return fill(FINDINGS["idle" if is_green else "idle lately"], slots, *used)
    slots |= {"risen": rise, "compared": known[f"{metric}.rise_from"]}
    return fill(FINDINGS["rose" if float(rise.value or 0) > 0 else "fell"], slots, *used)


def for_departments(board: Board, metric: str | None = None) -> Told:
    """Say what a metric (default: the lead) means for each other department, a sentence each.

    A department is named where one of its metrics moves it, is moved by it or goes with it in the
    same period, is a part of it or is computed from it, or was declared to move it and does not.

    >>> print(story.for_departments(company))
    Finance: your paid share is calculated from revenue.
    """
    name = metric or board.lead
    known = meaning_facts(board, name)
    own = board.company.department_of(name)
    by_department: dict[str, list[Fact]] = {}
    for fact in known.values():
        if fact.field.startswith("sign_"):
            continue  # it belongs to the relation before it
        department = board.company.department_of(fact.metric)
        by_department.setdefault(department, []).append(fact)
    by_department.pop(own, None)
    sentences = []
    for department, relations in by_department.items():
        sentences.append(_for_department(board, name, department, relations[:MOST], known))
    return Told(tuple(sentences), more=known)


def meaning_facts(board: Board, metric: str) -> dict[str, Fact]:
    """Return how other metrics hang together with one, by id; the most telling first."""
    return by_id([*_linked(board, metric), *_computed(board, metric)])


def _linked(board: Board, metric: str) -> Iterator[Fact]:
    links = board.company_links
    is_declared = links["declared"].astype(bool)
    moves = links[(links["verdict"] == "moves") & ~links["contradicted"].astype(bool)]
    for row in moves.to_dict("records"):
        sign = "same" if float(row["effect"]) > 0 else "opposite"
        if row["target"] == metric:
            yield _relation(board, row["input"], f"moves_{metric}", int(row["lag"]))
            yield _relation(board, row["input"], f"sign_on_{metric}", sign)
        elif row["input"] == metric:
            yield _relation(board, row["target"], f"follows_{metric}", int(row["lag"]))
            yield _relation(board, row["target"], f"sign_of_{metric}", sign)
    together = links[links["together"].astype(bool) & is_declared]
    for row in together.to_dict("records"):
        if metric in (row["input"], row["target"]):
            other = row["input"] if row["target"] == metric else row["target"]
            yield _relation(board, other, f"goes_with_{metric}", "yes")
    idle = links[links["rocking_chair"].astype(bool) & is_declared & (links["target"] == metric)]
    for name in idle["input"]:
        yield _relation(board, str(name), f"does_not_move_{metric}", "yes")


def _computed(board: Board, metric: str) -> Iterator[Fact]:
    company = board.company
    for name in company.upstream([metric]):
        if name != metric:
            yield _relation(board, name, f"is_part_of_{metric}", "yes")
    for name in company.metrics:
        if name != metric and metric in company.upstream([name]):
            yield _relation(board, name, f"is_computed_from_{metric}", "yes")


def _relation(board: Board, metric: str, field: str, value: int | str) -> Fact:
    """Make the fact of a relation: `yes`, or after how many periods."""
    subject = Subject(metric, board.period.id)
    if isinstance(value, str):
        return subject.word(field, value)
    periods = f"{board.grain}s"
    return subject.fact(field, value, numbers.of(board).quantity(value, periods), periods)


def _for_department(
    board: Board, metric: str, department: str, relations: list[Fact], known: Mapping[str, Fact]
) -> Sentence:
    who = say.name(board.company.departments[department].department)
    pieces: list[Piece] = []
    signs = []
    for alike in _alike(relations, metric, known):
        sign = _sign_of(alike[0], metric, known)
        signs += [sign] if sign else []
        pieces += ["; " if pieces else ": ", _related(board, metric, alike, sign)]
    return say(who, pieces, ".", say.rests_on(*relations, *signs))


def _sign_of(relation: Fact, metric: str, known: Mapping[str, Fact]) -> Fact | None:
    """Return whether two linked metrics go the `same` or the `opposite` way."""
    kind = "on" if relation.field.startswith("moves_") else "of"
    return known.get(f"{relation.metric}.sign_{kind}_{metric}")


def _alike(facts: list[Fact], metric: str, known: Mapping[str, Fact]) -> list[list[Fact]]:
    """Group the facts that say the same of different metrics, in their order."""
    groups: dict[tuple[str, str, object], list[Fact]] = {}
    for fact in facts:
        sign = _sign_of(fact, metric, known)
        key = (fact.field, fact.text, sign.value if sign else None)
        groups.setdefault(key, []).append(fact)
    return list(groups.values())


def _related(board: Board, metric: str, alike: list[Fact], sign: Fact | None) -> Phrase:
    """Say how the metrics of facts that say the same hang together with one."""
    fact = alike[0]
    others = [small_label(board, other.metric) for other in alike]
    are_many = len(others) > 1 or numbers.is_plural(others[0].text)
    mine_many = numbers.is_plural(board.company.label(metric))
    is_same = sign is not None and sign.value == "same"

    def verb(word: str, *, many: bool) -> str:
        return word if many else f"{word}s"

    slots: dict[str, Piece] = {
        "others": listed(others),
        "m": small_label(board, metric),
        "lag": fact,
        "grain": board.grain,
        "are": "are" if are_many else "is",
    }
    kind = next(kind for kind in _RELATIONS if fact.field.startswith(f"{kind.replace(' ', '_')}_"))
    if kind == "moves":
        slots["rise"] = verb("rise", many=are_many)
        slots["answers"] = verb("rise" if is_same else "fall", many=mine_many)
    elif kind == "follows":
        slots["rise"] = verb("rise", many=mine_many)
        slots["answers"] = verb("rise" if is_same else "fall", many=are_many)
    return phrase(LINKS[kind], slots)
