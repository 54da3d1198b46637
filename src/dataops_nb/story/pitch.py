"""The pitch: a metric in one or two sentences that somebody in another department understands in 30 seconds.

People write it into params, with facts by name. It is held to a gate before anybody reads it: at most two sentences and 75
words (30 seconds at 150 words a minute), a school grade (Flesch and Kincaid) of at most 9, no word that a reader
outside the department cannot know, and nothing typed that facts do not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dataops_nb.board import Board
from dataops_nb.definitions import Definitions
from dataops_nb.errors import did_you_mean
from dataops_nb.story import reading, wording
from dataops_nb.story.checking import disagreements, in_order
from dataops_nb.story.facts import Fact, facts
from dataops_nb.story.naming import names
from dataops_nb.story.sentences import Sentence, Told

SENTENCES, WORDS, GRADE = 2, 75, 9.0
FIELDS = (
    "value", "target", "target_low", "target_high", "previous", "same_last_year", "mtd", "qtd", "ytd", "center", "lower",
    "upper", "gap", "change", "change_last_year", "attainment", "light", "reason", "data_to",
)  # fmt: skip
_TRADE = (
    "abm acv arr attribution backlog bandwidth blended burndown cac cadence churn cohort conversion cpl "
    "cpc cross-sell deliverable enablement firmographic funnel gmv gtm icp inbound kpi lift ltv mql mqls "
    "mrr nps nrr okr onboarding outbound pipeline pql qoq retention roas roi run-rate runrate sdr sla sql "
    "sqls stack synergy throughput touchpoint upsell velocity vertical yoy ytd "
)
_STAND_INS = {"light": "green", "reason": "late", "data_to": "Monday"}
JARGON = frozenset(_TRADE.split())
_ACRONYM = re.compile(r"\b[A-Z][A-Z0-9&]+s?\b")
_ID = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_ONCE = re.compile(r"[A-Za-z][A-Za-z'-]*")


@dataclass(frozen=True)
class Pitch:
    """One variant as it was typed and as it reads now, the facts in it, and what keeps it from being shown.

    `missing` names the facts that the data do not have for this period: then it is not shown, and only its words are judged.
    """

    metric: str
    variant: str
    typed: str
    text: str
    facts: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether it may be shown."""
        return not self.faults and not self.missing


def pitches(board: Board, metric: str | None = None) -> list[Pitch]:
    """Every pitch of a metric (default: of all the board's), filled and held to the gate."""
    known = pitch_facts(board)
    metrics = board.definitions.metrics
    asked = [metric] if metric else list(board.metrics)
    return [
        _judged(board, name, variant, typed, known) for name in asked for variant, typed in metrics[name].pitch.items()
    ]


def pitch(board: Board, metric: str | None = None) -> Told:
    """The pitch of a metric that may be shown: the chosen variant, else the first sound one; nothing where there is none."""
    name = metric or board.lead
    said = board.definitions.metrics[name]
    chosen = said.pitch_choice.use if said.pitch_choice else None
    sound = [each for each in pitches(board, name) if each.sound]
    best = next((each for each in sound if each.variant == chosen), next(iter(sound), None))
    return Told((Sentence(best.text, best.facts),) if best else ())


def pitch_facts(board: Board) -> dict[str, Fact]:
    """The board's facts, with those of other metrics that its pitches name."""
    return {**facts(board), **(facts(board.pitched) if board.pitched else {})}


def _judged(board: Board, metric: str, variant: str, typed: str, known: dict[str, Fact]) -> Pitch:
    asked = wording.named(typed)
    fields = {name: name.partition(".")[2] for name in asked}
    wrong = [_no_fact(name, board.definitions) for name in asked if not _can_be(name, board.definitions)]
    missing = tuple(name for name in asked if name not in known and _can_be(name, board.definitions))
    text = re.sub(r"\{([^{}]*)\}", lambda found: known[found[1]].text if found[1] in known else found[0], typed)
    read = re.sub(r"\{([^{}]*)\}", lambda found: _STAND_INS.get(fields[found[1]], "10"), text)
    found = list(wrong)
    if not wrong:
        found += [*_gate(board, metric, typed, read), *(() if missing else _untrue(board, metric, typed, text, known))]
    return Pitch(metric, variant, typed, text, _used(typed, metric, known), tuple(found), missing)


def _can_be(name: str, definitions: Definitions) -> bool:
    metric, _, field = name.partition(".")
    return metric in definitions.metrics and field in FIELDS


def _no_fact(name: str, definitions: Definitions) -> str:
    metric, _, field = name.partition(".")
    if field in FIELDS:
        return f"{{{name}}} is no fact: there is no metric {metric!r}{did_you_mean(metric, definitions.metrics)}"
    return f"{{{name}}} is no fact{did_you_mean(field, FIELDS)}; a metric has {', '.join(FIELDS)}"


def _used(typed: str, metric: str, known: dict[str, Fact]) -> tuple[str, ...]:
    """The facts that a pitch names, as often as it does, and those that its words may claim: light, change and gap."""
    claimed = [f"{name}.{field}" for name in wording.metrics_in(typed, metric) for field in ("light", "change", "gap")]
    asked = wording.named(typed)
    return tuple(id_ for id_ in [*asked, *(each for each in claimed if each not in asked)] if id_ in known)


def _gate(board: Board, metric: str, typed: str, text: str) -> Iterator[str]:
    """What is wrong with the words, whatever the numbers are."""
    said, count = reading.sentences(text), len(reading.words(text))
    if not count:
        yield "says nothing; write one or two sentences"
        return
    if len(said) > SENTENCES:
        yield f"has {len(said)} sentences, at most {SENTENCES}; keep what a reader must know"
    if count > WORDS:
        yield f"has {count} words, at most {WORDS}, which take 30 seconds; leave out {count - WORDS}"
    if (level := reading.grade(text)) > GRADE:
        yield f"reads at grade {level:.1f}, at most {GRADE:g}; shorter sentences, or other words for {_longest(text)}"
    yield from _jargon(text, board.definitions)
    whole = wording.metrics_in(typed, metric)
    for one in reading.sentences(typed):
        yield from wording.faults(wording.Said(one, whole), board.grain, board.definitions)


def _untrue(board: Board, metric: str, typed: str, text: str, known: dict[str, Fact]) -> Iterator[str]:
    """What the pitch says, filled with the numbers of the period, that its facts do not."""
    told = [known[id_] for id_ in _used(typed, metric, known)]
    called = [name for name in names(board.definitions) if name in text]
    locale = board.definitions.company.locale
    for problem in disagreements(text, in_order(text, told, called, locale), called, locale):
        yield f"{problem}; name a fact that says so, or leave it out"


def _longest(text: str) -> str:
    by_length = sorted(dict.fromkeys(_ONCE.findall(text)), key=lambda word: -reading.syllables(word))
    return ", ".join(by_length[:3])


def _singular(word: str) -> set[str]:
    """A word as it stands and, where it may be a plural, its singular."""
    return {word, word.removesuffix("s"), re.sub("ies$", "y", word)}


def _jargon(text: str, definitions: Definitions) -> Iterator[str]:
    """Words that a reader in another department may not know: acronyms, ids, and the trade's own words."""
    known = " ".join(
        [*map(definitions.label, definitions.metrics), *definitions.glossary, definitions.company.company]
    ).lower()
    defined = set(re.findall(r"[\w&-]+", known))
    trade = [word for word in _ONCE.findall(text) if not JARGON.isdisjoint(_singular(word.lower()))]
    for word in dict.fromkeys([*_ACRONYM.findall(text), *_ID.findall(text), *trade]):
        if defined.isdisjoint(_singular(word.lower())) and word not in {"I", "OK"}:
            yield f"{word!r} is no metric's label and not in params/glossary.yaml; explain it there, or use another word"
