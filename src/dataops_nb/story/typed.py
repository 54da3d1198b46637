"""Typed: what somebody types about a metric of a board, held against the board's facts before it is kept anywhere.

What the facts contradict is not kept. What no fact tells is kept, and said to be so: people know more than systems do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dataops_nb.board import Board, history
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Grain
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.story.comments import Claim, weigh
from dataops_nb.story.facts import facts
from dataops_nb.story.naming import names
from dataops_nb.story.weighing import About

PAST = 104
_FACT = re.compile(r"\{(\w+\.\w+)\}")


def mentioned(definitions: Definitions, text: str, grain: Grain) -> list[str]:
    """The metrics of a grain whose label, id or fact stands in a text, so that a board can be read with what it speaks of."""
    known = [id_ for id_, metric in definitions.metrics.items() if grain in metric.grains]
    named = {fact.partition(".")[0] for fact in _FACT.findall(text)}
    return [
        id_
        for id_ in known
        if id_ in named or any(_stands(name, text) for name in (definitions.label(id_), id_.replace("_", " ")))
    ]


def filled(board: Board, text: str, *, numbers: str | None = None) -> str:
    """A text with the facts of a board that it names in braces, `{closed_won.value}`, as people read them; or each of those
    that are numbers as the words in `numbers`, where only the rest is to be judged.

    Raises UsageError for a fact that the board does not have, with the nearest one.
    """
    known = facts(board)

    def say(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise UsageError(f"{found[0]} is no fact of {board.period.id}{did_you_mean(found[1], known)}")
        fact = known[found[1]]
        return fact.text if numbers is None or isinstance(fact.value, str) else numbers

    return _FACT.sub(say, text)


def typed(board: Board, text: str, metric: str | None = None) -> list[Claim]:
    """Everything that a text claims about a metric of the board (default: its lead) and those it names, each weighed."""
    events = [str(title) for title in board.events["title"]]
    said = [name for name in names(board.definitions) if name not in _words_for_lights(board.definitions)]
    return weigh(text, metric or board.lead, abouts(board), [*said, *events])


def abouts(board: Board) -> Iterator[About]:
    """What is known of each metric of a board: its facts of the last complete period, and its complete values so far."""
    known, locale = facts(board), board.definitions.company.locale
    for metric in board.metrics:
        own = {fact.field: fact for fact in known.values() if fact.metric == metric and "@" not in fact.id}
        past = history(board, metric, PAST)
        values = past.loc[past["complete"].astype(bool) & past["value"].notna(), "value"]
        label, asked = board.definitions.label(metric), board.definitions.metrics[metric].question or ""
        yield About(metric, label, own, tuple(map(float, values)), locale, asked)


def contradictions(found: Iterable[Claim]) -> list[str]:
    """What the facts contradict, in a few words each: what was said, where, and what is so."""
    return [f"{_quoted(claim)}: {claim.why}" for claim in found if claim.verdict == "wrong"]


def unjudged(found: Iterable[Claim]) -> list[str]:
    """What nobody can check from the facts, in a few words each."""
    return list(dict.fromkeys(f"{_quoted(claim)}: {claim.why}" for claim in found if claim.verdict == "cannot judge"))


def _quoted(claim: Claim) -> str:
    clause = claim.text.rstrip(".,;:!")
    return f"{claim.words!r} in {clause!r}" if claim.words and claim.words != clause else f"{clause!r}"


def _stands(name: str, text: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE))


def _words_for_lights(definitions: Definitions) -> set[str]:
    """What lights mean and ask for: names on a page, but plain words (`On plan.`) in what somebody types."""
    lights = [*definitions.company.lights.values(), *filter(None, map(definitions.lights, definitions.metrics))]
    agreed = [light for each in lights for light in (each.green, each.yellow, each.red) if light is not None]
    return {text for light in agreed for text in (light.means, light.do)}
