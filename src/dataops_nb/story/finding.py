"""Findings in sentences: what a light alone does not say, one sentence a finding, from facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.definitions import agreeing
from dataops_nb.periods import calendar
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact, facts
from dataops_nb.story.leading import link_facts_of, rocking
from dataops_nb.story.sentences import Sentence, Told
from dataops_nb.story.usual import within_usual

Row = Mapping[str, Any]


def findings(board: Board, most: int | None = None, after: int = 0) -> Told:
    """What the lights of the board do not say: each finding in a sentence, the gravest kind first.

    Inputs that rock and were never declared to move a North Star share the last sentence. Where nothing was found it says so.
    `most` keeps the first ones, `after` leaves out so many: what a summary says, and what the page below it adds.
    """
    said = [said for _, said in told(board)]
    if not said and not after:
        return Told((Sentence("Nothing: what there is to say, the lights say.", ()),))
    return Told(tuple(said[after : None if most is None else after + most]))


def told(board: Board) -> list[tuple[list[Row], Sentence]]:
    """Each sentence with the rows of `board.findings` that it says."""
    known = {**facts(board), **finding_facts(board)}
    rows: list[Row] = [{str(k): v for k, v in row.items()} for row in board.findings.to_dict("records")]
    rocks = {(row["metric"], row["other"]) for row in rows if row["kind"] == "rocking chair"}
    idle = [row for row in rows if row["kind"] == "rocking chair" and not _is_declared(board, row)]
    said: list[tuple[list[Row], Sentence]] = []
    for row in rows:
        again = row["kind"] == "contradicted link" and (row["metric"], row["other"]) in rocks
        if row not in idle and not again:
            said.append(([row], _SAYS[row["kind"]](board, row, known)))
    return [*said, (idle, _idle(board, idle))] if idle else said


def finding_facts(board: Board) -> dict[str, Fact]:
    """The facts that sentences about findings use and the board's own facts lack, by id."""
    made = [fact for _, row in board.findings.iterrows() for fact in _facts(board, row)]
    return {fact.id: fact for fact in [*link_facts_of(board, _links(board)).values(), *made]}


def _links(board: Board) -> pd.DataFrame:
    """The links that findings speak of."""
    found = board.findings.dropna(subset=["other"])
    wanted = set(zip(found["metric"], found["other"], strict=True))
    pairs = zip(board.company_links["input"], board.company_links["target"], strict=True)
    return board.company_links.loc[
        [place for place, pair in zip(board.company_links.index, pairs, strict=True) if pair in wanted]
    ]


def _facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    metric, grain = str(row["metric"]), f"{board.grain}s"

    def fact(field: str, value: float, unit: str, text: str, of: str = metric) -> Fact:
        return Fact(f"{of}.{field}", of, None, board.period.id, field, value, unit, text)

    if row["kind"] == "explained signal":
        yield from _event_facts(board, row)
    if row["kind"] == "watermelon":
        yield fact("inputs_green", int(row["green"]), "inputs", numbers.of(board).count(int(row["green"])))
        yield fact("inputs_judged", int(row["judged"]), "inputs", numbers.of(board).count(int(row["judged"])))
        yield from (Fact(f"{name}.light", name, None, board.period.id, "light", "green", _unit(board, name), "green")
                    for name in str(row["inputs"]).split(", "))  # fmt: skip
    if row["kind"] == "green decline" and pd.notna(row["slope"]):
        unit, slope = _unit(board, metric), float(f"{row['slope']:.12g}")
        yield fact("decline", slope, unit, numbers.of(board).difference(slope, unit, word=True))
        length = _length(board, row)
        yield fact("decline_lasted", length, grain, numbers.of(board).quantity(length, grain))
        if pd.notna(row["left"]):
            left = int(row["left"])
            yield fact("target_holds_for", left, grain, numbers.of(board).quantity(left, grain))


def _unit(board: Board, metric: str) -> str:
    return board.definitions.metrics[metric].unit


def _event_facts(board: Board, row: pd.Series) -> Iterator[Fact]:
    metric, of = str(row["metric"]), _unit(board, str(row["metric"]))

    def fact(field: str, value: float | str, unit: str, text: str) -> Fact:
        return Fact(f"{metric}.{field}", metric, None, board.period.id, field, value, unit, text)

    day, since = (
        row["event_date"].date(),
        calendar(board.definitions.company.calendar).period(board.grain, row["since"].date()),
    )
    yield fact("event", row["event"], "", row["event"])
    yield fact("event_date", day.isoformat(), "", numbers.of(board).date(day))
    lag = int(row["event_lag"])
    yield fact("event_lag", lag, f"{board.grain}s", numbers.of(board).quantity(lag, f"{board.grain}s"))
    yield fact("signal_since", since.id, "", numbers.of(board).period(since))
    shift = float(f"{row['now'] - row['before']:.12g}")
    yield fact("event_shift", shift, of, numbers.of(board).difference(shift, of, word=True))


def _event(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    metric = str(row["metric"])
    name, day, lag, since, shift = (
        known[f"{metric}.{field}"] for field in ("event", "event_date", "event_lag", "signal_since", "event_shift")
    )
    way = "above" if float(shift.value or 0) > 0 else "below"
    when = f" {lag.text} later" if lag.value else ""
    text = (
        f"{board.definitions.label(metric)}: since {since.text} on average {shift.text} {way} the {board.grain}s before; "
        f"that followed {name.text} ({day.text}){when}."
    )
    return Sentence(text, (since.id, shift.id, name.id, day.id, *([lag.id] if lag.value else [])))


def _length(board: Board, row: pd.Series) -> int:
    past = board.table[(board.table["metric"] == row["metric"]) & (board.table["period_start"] >= row["since"])]
    return int((past["period_end"] <= pd.Timestamp(board.period.end)).sum())


def _watermelon(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    metric = str(row["metric"])
    green, judged = known[f"{metric}.inputs_green"], known[f"{metric}.inputs_judged"]
    text = (
        f"{board.definitions.label(metric)}: red, while its inputs look well: {green.text} of {judged.text} judged ones"
    )
    lights = [f"{metric}.light", *(f"{name}.light" for name in str(row["inputs"]).split(", "))]
    return Sentence(f"{text} {'is' if green.value == 1 else 'are'} green, none is red.", (green.id, judged.id, *lights))


def _decline(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    metric, label = str(row["metric"]), board.definitions.label(str(row["metric"]))
    falls, lasted, holds = (known.get(f"{metric}.{name}") for name in ("decline", "decline_lasted", "target_holds_for"))
    if falls is None or lasted is None:
        usual, used = within_usual(board, board.row(metric), known)
        return Sentence(f"{label}: green, and {usual}.", (f"{metric}.light", *used))
    way = "falling" if float(falls.value or 0) < 0 else "rising"
    pace = f"{way} by about {falls.text} a {board.grain} for {lasted.text}"
    text = f"{label}: green, but {pace}"
    if holds is None:
        return Sentence(f"{text}.", (f"{metric}.light", falls.id, lasted.id))
    soon = f"at that pace it misses its target in {holds.text}"
    return Sentence(f"{text}; {soon}.", (f"{metric}.light", falls.id, lasted.id, holds.id))


def _noise(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    metric = str(row["metric"])
    usual, used = within_usual(board, board.row(metric), known)
    value = known[f"{metric}.value"]
    text = (
        f"{board.definitions.label(metric)}: red, but {value.text} is {usual}; chance alone makes such {board.grain}s."
    )
    return Sentence(text, (value.id, f"{metric}.light", *used))


def _rocks(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    return rocking(board, row["metric"], row["other"], known)


def _against(board: Board, row: Row, known: Mapping[str, Fact]) -> Sentence:
    label, target = (board.definitions.label(str(row[name])) for name in ("metric", "other"))
    verdict = known[f"{row['metric']}.verdict_on_{row['other']}"]
    text = f"{label} {agreeing(label, 'was', 'were')} declared to move {target}, and the data speak against it"
    return Sentence(f"{text}{': it moves it the other way round' if verdict.value == 'moves' else ''}.", (verdict.id,))


def _idle(board: Board, rows: list[Row]) -> Sentence:
    labels = [board.definitions.label(str(row["metric"])) for row in rows]
    listed = labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
    used = tuple(f"{row['metric']}.rocking_chair_on_{row['other']}" for row in rows)
    return Sentence(f"On target or improving, and no North Star follows: {listed}.", used)


def _is_declared(board: Board, row: Row) -> bool:
    links = board.company_links
    declared = links[links["declared"].astype(bool)]
    return bool(((declared["input"] == row["metric"]) & (declared["target"] == row["other"])).any())


_SAYS: Mapping[str, Callable[[Board, Row, Mapping[str, Fact]], Sentence]] = {
    "watermelon": _watermelon,
    "green decline": _decline,
    "rocking chair": _rocks,
    "contradicted link": _against,
    "explained signal": _event,
    "red by noise": _noise,
}
