"""Checking: whether a sentence says what its facts say, and nothing else.

The facts of a sentence stand in the order in which it prints them. Every number must be the next of them, within its printed
rounding; every colour a light; every direction the sign of the difference it speaks of; every superlative a fact of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dataops_nb.story import claims, numbers
from dataops_nb.story.claims import Number, Word
from dataops_nb.story.facts import Fact

_LEVELS = (
    "value", "target", "target_low", "target_high", "previous", "same_last_year", "mtd", "qtd", "ytd", "center", "lower",
    "upper", "attainment", "reported",
)  # fmt: skip
_ROLES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"\b(?:target|targets) (?:of|is|was) $"), ("target", "target_low", "target_high")),
    (re.compile(r"\bwas reported as $"), ("reported",)),
)
_WITH_ROLES = {field for _, fields in _ROLES for field in fields}
_AT_A_GLANCE: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"^Now $"), ("value",)),
    (re.compile(r"· Target $"), ("target", "target_low", "target_high")),
    (re.compile(r"· \w+ before $"), ("previous",)),
    (re.compile(r"· Same \w+ last year $"), ("same_last_year",)),
)
_ABOUT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\blast year\b|\byear before\b"), "change_last_year"),
    (re.compile(r"\b(?:day|week|month|quarter|year) before\b|\b(?:on|than) last (?:week|month|quarter)\b"), "change"),
    (re.compile(r"\btarget\b"), "gap"),
)
_SAID = ("reason", "signal", "variation", "agrees")


@dataclass(frozen=True)
class Said:
    """A number of a text with the fact that says it."""

    number: Number
    fact: Fact


def disagreements(
    text: str, facts: Sequence[Fact], names: Iterable[str] = (), locale: str = numbers.DEFAULT
) -> list[str]:
    """What a sentence says that its facts do not, each in a few words; empty where it agrees with them.

    `facts` are those of the sentence, in its order; `names` are labels, titles and people's words in it, which claim nothing;
    its numbers are written as in `locale`.
    """
    left = claims.cover(text, [*names, *_phrases(facts, locale)])
    said, wrong = _numbers(left, facts, locale)
    wrong += [
        f"prints {fact.text!r} for {fact.id}, which is {fact.value}"
        for fact in facts
        if not _printed_right(fact, locale)
    ]
    wrong += _colours(left, facts)
    wrong += [problem for word in claims.ways(left) if (problem := _way(left, word, said, facts))]
    wrong += _within(left, facts)
    wrong += _superlatives(left, facts)
    return wrong


def places(text: str, facts: Sequence[Fact], names: Iterable[str] = (), locale: str = numbers.DEFAULT) -> list[Said]:
    """The numbers of a sentence, each with its place and its fact; `facts` in the order of the sentence."""
    return _numbers(claims.cover(text, [*names, *_phrases(facts, locale)]), facts, locale)[0]


def in_order(text: str, facts: Sequence[Fact], names: Iterable[str] = (), locale: str = numbers.DEFAULT) -> list[Fact]:
    """The facts in the order in which a text prints them; those that it does not print follow."""
    left = claims.cover(text, [*names, *_phrases(facts, locale)])
    waiting, printed = list(facts), list[Fact]()
    for number in claims.figures(left, locale):
        alike, roles = [fact for fact in waiting if _prints(number, fact, locale)], _roles(left, number)
        if alike:
            found = min(alike, key=lambda fact: _apart(number, fact, roles, locale))
            waiting.remove(found)
            printed.append(found)
    return [*printed, *waiting]


def _roles(text: str, number: Number) -> tuple[str, ...]:
    """The fields that a number must be of, by the words before it; none where they do not say."""
    return next((fields for cue, fields in (*_ROLES, *_AT_A_GLANCE) if cue.search(text[: number.start])), ())


def _apart(number: Number, fact: Fact, roles: tuple[str, ...], locale: str) -> tuple[bool, bool]:
    """How little a fact fits a number that it prints: `3 days` is no `3 %`, then by the words around it."""
    mark = claims.figures(fact.text, locale)[0].mark
    return mark != number.mark, _stem(fact) not in roles if roles else _stem(fact) in _WITH_ROLES


def _stem(fact: Fact) -> str:
    return fact.field.split("_with_")[0]


def _phrases(facts: Iterable[Fact], locale: str) -> list[str]:
    """What facts say in words: dates, parts, and the periods that they are about."""
    said = [fact.text for fact in facts if isinstance(fact.value, str) and fact.field not in {"light", *_SAID}]
    periods = {numbers.at(locale).period_in_words(fact.period) for fact in facts}
    return [*said, *periods, *(f"{period[:1].upper()}{period[1:]}" for period in periods)]


def _prints(number: Number, fact: Fact, locale: str) -> bool:
    printed = claims.figures(fact.text, locale) if not isinstance(fact.value, str) else []
    return bool(printed) and number.same(printed[0])


def _numbers(text: str, facts: Sequence[Fact], locale: str) -> tuple[list[Said], list[str]]:
    """Each number with its fact: the facts that are printed come in the order of the text."""
    said, wrong, place = list[Said](), list[str](), 0
    for number in claims.figures(text, locale):
        later = next((i for i in range(place, len(facts)) if _prints(number, facts[i], locale)), None)
        if later is None:
            expected = next((fact for fact in facts[place:] if claims.figures(fact.text, locale)), None)
            meant = f"; {expected.id} is {expected.text}" if expected and not isinstance(expected.value, str) else ""
            wrong.append(f"says {number.text}, which no fact at that place says{meant}")
            continue
        fact, place = facts[later], later + 1
        roles = _roles(text, number)
        if roles and _stem(fact) not in roles:
            wrong.append(f"gives {number.text} as {roles[0]}, and it is {fact.id}")
        said.append(Said(number, fact))
    return said, wrong


def _printed_right(fact: Fact, locale: str) -> bool:
    """Whether the text of a number is its value, within half of the last printed digit."""
    if isinstance(fact.value, str) or fact.value is None or not (printed := claims.figures(fact.text, locale)):
        return True
    first = printed[0]
    value = float(fact.value) * (100 if first.mark else 1)
    slack = first.within * (1 + 1e-9) + 1e-9 * abs(value)
    if first.mark == "%" and fact.field in {
        "attainment",
        "pace",
        "p_hit",
    }:  # never rounded up to a target that was missed
        slack = max(slack, 0.5)
    return math.isclose(abs(first.value), abs(value), rel_tol=0, abs_tol=slack)


def _colours(text: str, facts: Iterable[Fact]) -> Iterator[str]:
    lights = {str(fact.value): fact.id for fact in facts if fact.field == "light" or fact.field.startswith("light_")}
    for word in claims.colours(text):
        if word.means not in lights:
            known = ", ".join(f"{id_} is {value}" for value, id_ in lights.items()) or "no fact of it is a light"
            yield f"says {word.text}, and {known}"


def _way(text: str, word: Word, said: Sequence[Said], facts: Sequence[Fact]) -> str | None:
    """What is wrong with a direction: against the difference it is about, or else against value and bounds."""
    start, end = claims.clause(text, word.start)
    about = next((field for cue, field in _ABOUT if cue.search(text[start:end])), None)
    near = [s for s in said if start <= s.number.start < end]
    fact = _by_field(facts, about) or _nearest(word, near) or _unprinted(said, facts)
    way = _signed(fact) if fact else _against_bounds(facts)
    if way is None:
        return f"says {word.text!r}, and no fact says which way"
    if way != word.means:
        meant = f"{fact.id} is {fact.value}" if fact else f"its value is {way}"
        return f"says {word.text!r}, and {meant}"
    return None


def _by_field(facts: Iterable[Fact], field: str | None) -> Fact | None:
    return next((fact for fact in facts if field and fact.field == field), None)


def _nearest(word: Word, said: Iterable[Said]) -> Fact | None:
    near = [s for s in said if _is_difference(s.fact)]
    best = min(near, key=lambda s: min(abs(s.number.start - word.end), abs(word.start - s.number.end)), default=None)
    return best.fact if best else None


def _unprinted(said: Iterable[Said], facts: Iterable[Fact]) -> Fact | None:
    """The one difference that a sentence tells in words alone, as `did not change`."""
    printed = {each.fact.id for each in said}
    left = [fact for fact in facts if _is_difference(fact) and fact.id not in printed]
    return left[0] if len(left) == 1 else None


def _is_difference(fact: Fact) -> bool:
    return (
        not isinstance(fact.value, str)
        and fact.field not in _LEVELS
        and not fact.field.startswith(("lag_", "a_", "b_"))
    )


def _signed(fact: Fact) -> claims.Way:
    value = float(fact.value or 0)
    return "up" if value > 0 else "down" if value < 0 else "level"


def _against_bounds(facts: Iterable[Fact]) -> claims.Way | None:
    known = {fact.field: float(fact.value) for fact in facts if isinstance(fact.value, float | int)}
    value, low, high = known.get("value"), known.get("target_low"), known.get("target_high")
    if value is None or low is None or high is None:
        return None
    return "down" if value < low else "up" if value > high else "level"


def _within(text: str, facts: Sequence[Fact]) -> Iterator[str]:
    """`inside the agreed`, `outside its usual range`, `no signal`, `for the better`: each against its fact."""
    known = {fact.field: fact for fact in facts}
    signal, variation = known.get("signal"), known.get("variation")
    if re.search(r"\bso no signal\b", text) and signal is not None:
        yield f"says that there is no signal, and {signal.id} is {signal.value}"
    if re.search(r"\b(?<!no )signal\b", text) and "so no signal" not in text and signal is None:
        yield "says that there is a signal, and no fact says so"
    if signal is not None and (hit := re.search(r"\b(within|inside|outside) its usual range", text)):
        out = signal.value == "outside"
        if (hit[1] == "outside") != out:
            yield f"says {hit[1]!r}, and {signal.id} is {signal.value}"
    elif signal is None and variation is not None and re.search(r"\boutside its usual range", text):
        yield f"says 'outside', and {variation.id} is {variation.value}"
    if hit := re.search(r"\bfor the (better|worse)\b", text):
        meant = {"better": "special-cause improvement", "worse": "special-cause concern"}[hit[1]]
        if variation is None or variation.value != meant:
            yield f"says {hit[0]!r}, and {variation.id + ' is ' + str(variation.value) if variation else 'no fact says so'}"
    if hit := re.search(r"\b(inside|outside) the agreed\b", text):
        inside = _against_bounds(facts) == "level"
        if (hit[1] == "inside") != inside:
            yield f"says {hit[1]!r}, and its value is not"
    yield from _agreement(text, known)


def _agreement(text: str, known: dict[str, Fact]) -> Iterator[str]:
    agrees = next((fact for field, fact in known.items() if field.startswith("agrees_with_")), None)
    hit = re.search(r"\b(do not agree|agree)\b", text)
    if agrees is not None and hit and (hit[1] == "agree") != (agrees.value == "yes"):
        yield f"says {hit[1]!r}, and {agrees.id} is {agrees.value}"


def _superlatives(text: str, facts: Sequence[Fact]) -> Iterator[str]:
    """`moved it most` needs the fact `moved_most`; a superlative that no field is named after is not a fact."""
    fields = {word for fact in facts for word in fact.field.split("_")}
    for word in claims.superlatives(text):
        if word.means not in fields:
            yield f"says {word.text!r}, and no fact says so"
