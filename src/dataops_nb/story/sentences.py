"""Sentences: what happened, against what was agreed, and which way it moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal

import pandas as pd

from dataops_nb.board import Board, history
from dataops_nb.definitions.models import Conversion, Cumulative, Derived, Ratio, Simple
from dataops_nb.story import numbers
from dataops_nb.story.facts import Fact, facts
from dataops_nb.story.usual import within_usual

MIME = "application/vnd.dataops-nb.sentences+json"
_NO_FORMULA = (
    "mathjax_ignore"  # two dollar signs in a sentence are amounts, and JupyterLab would set what is between them
)
CHIPS = {"green": "● Green", "yellow": "▲ Yellow", "red": "■ Red", "unknown": "◇ Unknown"}
_REASONS = {
    "no data": "there are no data for it",
    "stale": "its source is overdue",
    "incomplete": "its data do not cover the whole period",
    "no target": "no target was agreed",
    "fault": "its source has faults",
    "too short": "its own past does not say enough yet to judge it by",
    "unreconciled": "two systems disagree about it beyond what was agreed",
}
_UNTOLD = frozenset({"no data", "stale", "incomplete", "fault"})


@dataclass(frozen=True)
class Sentence:
    """A text and the ids of the facts it says; `light` where it opens with a colour."""

    text: str
    facts: tuple[str, ...]
    kind: Literal["headline", "line", "figures"] = "line"
    light: str | None = None


@dataclass(frozen=True)
class Told:
    """Sentences as a notebook shows them; each travels with its facts. Under a `title` they are folded away."""

    sentences: tuple[Sentence, ...] = field(default=())
    title: str = ""

    def __str__(self) -> str:
        return "\n".join(each.text for each in self.sentences)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        told = [{"text": s.text, "facts": list(s.facts), "kind": s.kind, "light": s.light} for s in self.sentences]
        html, folded = _html(self.sentences), {"title": self.title} if self.title else {}
        if self.title:
            html = f"<details><summary>{escape(self.title)}</summary>{html}</details>"
        return {MIME: {"sentences": told, **folded}, "text/html": html, "text/plain": str(self)}


def headline(board: Board, metric: str | None = None, *, moved: bool = True) -> Told:
    """The light of the board's lead metric (or of another one) in one sentence, and the way it `moved` in a second."""
    name = metric or board.lead
    known = facts(board)
    opening = _lit(board, sentence(board, name), name, "headline")
    return Told((opening, *_acceptance(board, name, known), *(movement(board, name).sentences if moved else ())))


def movement(board: Board, metric: str | None = None) -> Told:
    """The way a metric (else the board's lead) moved since the period before and since last year, and whether that is usual."""
    name = metric or board.lead
    return Told(tuple(_movement(board, board.row(name), facts(board))))


def action(board: Board, metric: str | None = None) -> Told:
    """What was agreed for the light a metric has now: what it means, what is done, by whom, how soon."""
    name = metric or board.lead
    light, agreed = str(board.row(name)["light"]), board.definitions.lights(name)
    said = getattr(agreed, light, None)
    if said is None:
        return Told()
    owner = board.definitions.departments[board.definitions.department_of(name)].owner
    soon = f"within {said.act_within}" if said.act_within else ""
    by = f"{owner} answers for it{f', {soon}' if soon else ''}." if owner else f"Due {soon}." if soon else ""
    parts = (f"{light.capitalize()}: {said.means}", said.do, by)
    text = " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)
    return Told((Sentence(text, (f"{name}.light",)),))


def now(board: Board, metric: str | None = None) -> Told:
    """A metric (else the board's lead) at a glance: `Now 41 · Target 45 · Week before 38 · Same week last year 36`."""
    name, known, grain = metric or board.lead, facts(board), board.grain
    fields = {
        "Now": "value",
        "Target": "target",
        f"{grain.capitalize()} before": "previous",
        f"Same {grain} last year": "same_last_year",
    }
    shown = [(said, known[f"{name}.{field}"]) for said, field in fields.items() if f"{name}.{field}" in known]
    if "Now" not in dict(shown):
        return Told()
    text = " · ".join(f"{said} {fact.text}" for said, fact in shown)
    return Told((Sentence(text, tuple(fact.id for _, fact in shown), "figures"),))


def lines(board: Board, metrics: Iterable[str] | None = None) -> Told:
    """One short sentence a metric, in the order of the board: its value against its target. The period is the page's."""
    return Told(tuple(_lit(board, _line(board, name), name) for name in metrics or board.metrics))


def _line(board: Board, metric: str) -> Sentence:
    known, label, row = facts(board), board.definitions.label(metric), board.row(metric)
    value = known.get(f"{metric}.value")
    if row["reason"] == "no target" and value:
        return Sentence(f"{label}: {value.text}; no target was agreed.", (value.id,))
    if row["reason"] or value is None:
        return sentence(board, metric)
    against, used = _against(board, metric, known, brief=True)
    return Sentence(f"{label}: {value.text}, {against}.", (value.id, *used, f"{metric}.light"))


def _lit(board: Board, said: Sentence, metric: str, kind: Literal["headline", "line"] = "line") -> Sentence:
    row = board.row(metric)
    judged = kind == "headline" or row["reason"] != "no target"
    return replace(said, kind=kind, light=str(row["light"]) if judged else None)


def sentence(board: Board, metric: str) -> Sentence:
    """What one metric came to against its target."""
    return _judgement(board, board.row(metric), facts(board))


def moved(board: Board, count: int = 3) -> Told:
    """The metrics that moved most since the period before, measured by their own usual change; the largest first."""
    known = facts(board)
    return Told(tuple(_change(board, name, known) for name in most_moved(board, count)))


def most_moved(board: Board, count: int = 3) -> list[str]:
    """The ids of those metrics. What the data do not cover has not fallen, so it is not among them."""
    known = facts(board)
    whole = [name for name in board.metrics if board.row(name)["reason"] not in _UNTOLD]
    sizes = {name: _unusual(board, name) for name in whole if f"{name}.change" in known}
    return sorted(sizes, key=lambda name: -sizes[name])[:count]


def _unusual(board: Board, metric: str) -> float:
    change = history(board, metric, 27)["value"].diff().abs()
    usual = change.iloc[:-1].mean()
    return float(change.iloc[-1] / usual) if usual > 0 else 0.0


def _change(board: Board, metric: str, known: dict[str, Fact]) -> Sentence:
    change, value = known[f"{metric}.change"], known[f"{metric}.value"]
    label = board.definitions.label(metric)
    if not change.value:
        return Sentence(f"{label} did not change: {value.text}.", (value.id, change.id))
    verb = "rose" if float(change.value) > 0 else "fell"
    return Sentence(f"{label} {verb} by {change.text} to {value.text}.", (change.id, value.id))


def _judgement(board: Board, row: pd.Series, known: dict[str, Fact]) -> Sentence:
    metric, when = str(row["metric"]), numbers.of(board).period(board.period)
    label = board.definitions.label(metric)
    light, value = known[f"{metric}.light"], known.get(f"{metric}.value")
    if row["reason"] == "no target" and value:
        return Sentence(
            f"{label} {_verb(board, metric)} {value.text} {_at(board, metric, when)}; no target was agreed.",
            (value.id,),
        )
    if row["reason"]:
        return _unjudged(label, when, metric, row["reason"], known)
    against, used = _against(board, metric, known)
    text = f"{label} {_verb(board, metric)} {known[f'{metric}.value'].text} {_at(board, metric, when)}, {against}."
    return Sentence(text, (f"{metric}.value", *used, light.id))


def _unjudged(label: str, when: str, metric: str, reason: str, known: dict[str, Fact]) -> Sentence:
    reach = known.get(f"{metric}.data_to")
    ends = f" (the data end on {reach.text})" if reach and reason in {"no data", "stale", "incomplete"} else ""
    used = (f"{metric}.light", f"{metric}.reason", *([reach.id] if reach and ends else []))
    return Sentence(f"{label} cannot be judged for {when}: {_REASONS[reason]}{ends}.", used)


def _verb(board: Board, metric: str) -> str:
    definition = board.definitions.metrics[metric]
    stands = isinstance(definition, Ratio | Derived | Cumulative | Conversion) or (
        isinstance(definition, Simple)
        and (definition.measure.at == "end" or definition.measure.agg in {"average", "median", "min", "max"})
    )
    return "stood at" if stands else "came to"


def _at(board: Board, metric: str, when: str) -> str:
    definition = board.definitions.metrics[metric]
    at_end = isinstance(definition, Cumulative) or (isinstance(definition, Simple) and definition.measure.at == "end")
    return f"at the end of {when}" if at_end else f"in {when}"


def _against(board: Board, metric: str, known: dict[str, Fact], *, brief: bool = False) -> tuple[str, tuple[str, ...]]:
    better = board.definitions.metrics[metric].better
    if better == "inside":
        return _against_band(metric, known)
    gap, target, attained = (known[f"{metric}.{name}"] for name in ("gap", "target", "attainment"))
    ids = (target.id, gap.id, attained.id)
    if not gap.value:
        return f"exactly its target of {target.text}", ids
    side = "above" if float(gap.value) > 0 else "below"
    against = f"{gap.text} {side} the target of {target.text}"
    if better == "down":
        lower = known[f"{metric}.better"]
        return against if brief else f"{against}, and {lower.text}", (*ids[:2], lower.id)
    return against if brief else f"{against} ({attained.text} of it)", ids[:2] if brief else ids


def _against_band(metric: str, known: dict[str, Fact]) -> tuple[str, tuple[str, ...]]:
    low, high, value = (known[f"{metric}.{name}"] for name in ("target_low", "target_high", "value"))
    first = low.text.removesuffix(f" {low.unit}") if high.text.endswith(f" {low.unit}") else low.text
    band = f"the agreed {first} to {high.text}"
    where = "below" if float(value.value or 0) < float(low.value or 0) else "above"
    inside = float(low.value or 0) <= float(value.value or 0) <= float(high.value or 0)
    if inside:
        return f"inside {band}", (low.id, high.id)
    share = known[f"{metric}.attainment"]
    return f"{where} {band} ({share.text} attained)", (low.id, high.id, share.id)


def _movement(board: Board, row: pd.Series, known: dict[str, Fact]) -> list[Sentence]:
    metric, grain = str(row["metric"]), board.grain
    week, year = known.get(f"{metric}.change"), known.get(f"{metric}.change_last_year")
    usual, because = within_usual(board, row, known)
    if row["reason"] or week is None:
        return []
    text, used = f"{_direction(week)} the {grain} before", [week.id]
    if year is not None:
        text, used = f"{text}, and {_direction(year).lower()} the same {grain} last year", [*used, year.id]
    return [Sentence(f"{text}; {usual}." if usual else f"{text}.", (*used, *because))]


def _acceptance(board: Board, metric: str, known: dict[str, Fact]) -> list[Sentence]:
    until, light = known.get(f"{metric}.accepted_until"), known[f"{metric}.light"]
    if until is None:
        return []
    said = next(
        each
        for each in board.definitions.metrics[metric].accept
        if each.light == light.value and each.until.isoformat() == until.value
    )
    text = f"This {light.text} is accepted until {until.text}, and {said.owner} answers for it: {said.because}"
    return [Sentence(f"{text.rstrip('.')}.", (light.id, until.id))]


def _direction(change: Fact) -> str:
    if not change.value:
        return "Level with"
    return f"{'Up' if float(change.value) > 0 else 'Down'} {change.text} on"


def _html(sentences: tuple[Sentence, ...]) -> str:
    heads = [
        f'<p class="nb-headline {_NO_FORMULA}"><strong>{CHIPS.get(s.light or "", "")}</strong> {escape(s.text)}</p>'
        for s in sentences
        if s.kind == "headline"
    ]
    others = [
        f"<li>{f'<strong>{CHIPS[s.light]}</strong> ' if s.light else ''}{escape(s.text)}</li>"
        for s in sentences
        if s.kind != "headline"
    ]
    listed = f'<ul class="{_NO_FORMULA}">{"".join(others)}</ul>' if others else ""
    return "".join(heads) + listed
