"""The checker of our own sentences: does each say what its facts say, and nothing else?

It reads finished English, so it lives among the tests: the package builds sentences from spans and
never has to read them. Every number must be the fact of its span, every colour a light, every
direction the sign of the difference it speaks of, every superlative a fact of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dataops_nb import numbers
from dataops_nb.display import Fact, Sentence
from dataops_nb.story.comments import Number, cover, figures, typed_colours

Way = Literal["up", "down", "level"]

_UP = (
    "up above over more higher rose rise rises rising risen grew grow grows growing grown climbed "
    "climbing gained increase increased increases increasing ahead exceeds exceeded jumped beat "
    "surpassed overtook overtaken overshot outperformed topped soared"
)
_DOWN = (
    "down below under less fewer lower fell fall falls falling fallen dropped drop drops dropping "
    "decrease decreased decreases decreasing declined declining decline shrank shrunk shrinking "
    "lost behind short slipped sank sunk missed undershot tumbled plunged lagged lagging trailed "
    "trailing"
)
_LEVEL = ("level", "flat", "unchanged", "exactly", "did not change", "no change")
_WAYS: dict[str, Way] = {
    **dict.fromkeys(_UP.split(), "up"),
    **dict.fromkeys(_DOWN.split(), "down"),
    **dict.fromkeys(_LEVEL, "level"),
}
# Whole words: `sign-up` says no direction.
_WAY = re.compile(
    rf"(?<![\w\u2010\u2011-])(?:{'|'.join(_WAYS)})(?![\w\u2010\u2011-])", re.IGNORECASE
)
_NO_WAY = re.compile(
    r"\bup to\b|\bmore or less\b|\bfrom [^,;.]{1,20} up\b|\bwhat is more\b|"
    r"\brows behind it\b|\bfollow(?:s|ed|ing)? up\b|\bonce more\b|\bmore often\b|\banother level\b|"
    r"\bunder (?:control|way|discussion|review|pressure)\b|"
    r"\bor more\)|\bby more than\b|\bthen missed\b|"
    r"\b(?:every|each) [^,;.]{1,40}? more\b|\bdrop (?:the|this)\b|"
    r"\bwhen [^;.]{1,80}? rises?(?=,)|\b(?:below|above) the agreed\b|"
    r"\bover (?:time|and over|the (?:week|weekend|month|quarter|year))\b",
    re.IGNORECASE,
)
_SUPERLATIVES = re.compile(
    r"\b(?:most|least|largest|biggest|smallest|highest|lowest|best|worst|(?<!forecast )record|"
    r"fewest|strongest|"
    r"weakest|slowest|fastest)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r"[.;:!?](?:\s|$)|,\s+(?:and|but|while|although|yet)\b|"
    r"\s(?:and|but|while|although)\s(?=\w+ (?:on|by)\b)|,\s"
)
_COVER = "\u2022"
_LEVELS = (
    *("value", "target", "target_low", "target_high", "previous", "same_last_year"),
    *("mtd", "qtd", "ytd", "center", "lower", "upper", "attainment", "reported"),
    *("level_before", "level_now"),
)
# The difference that a clause speaks of, by words in it.
_ABOUT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\blast year\b|\byear before\b|\byear earlier\b"), "change_last_year"),
    (
        re.compile(
            r"\b(?:day|week|month|quarter|year) before\b|"
            r"\b(?:on|than) last (?:week|month|quarter)\b"
        ),
        "change",
    ),
    (re.compile(r"\b(?:up|down) from\b|^\s*The (?:rise|fall) began\b"), "level_shift"),
    (re.compile(r"\btarget\b|\blimit\b"), "gap"),
)
# Facts that are words, and say which way or whether.
_VERDICTS = ("reason", "signal", "variation", "agrees")
_NEVER_ROUNDED_UP = ("attainment", "pace", "p_hit")


@dataclass(frozen=True)
class Word:
    """A word that claims something, and where it stands."""

    start: int
    end: int
    text: str
    means: str


@dataclass(frozen=True)
class Printed:
    """A number of a text with the fact that it prints."""

    number: Number
    fact: Fact


def wrong(sentence: Sentence, locale: str = numbers.DEFAULT) -> list[str]:
    """Return what a sentence says that its facts do not, each in a few words."""
    known = in_order(sentence)
    names = [span.text for span in sentence.spans if span.name]
    problems = disagreements(sentence.text, known, names, locale) if known else []
    periods = _periods(known, locale)
    for span in sentence.spans:
        is_plain = span.fact is None and not span.name
        if is_plain and figures(cover(span.text, periods), locale):
            problems.append(f"types {span.text!r}")
    return problems


def in_order(sentence: Sentence) -> list[Fact]:
    """Return the facts of a sentence as it prints them; those that it does not print follow."""
    printed = [span.fact for span in sentence.spans if span.fact is not None and span.text]
    return [*printed, *(fact for fact in sentence.known.values() if fact not in printed)]


def out_of_place(text: str, sentence: Sentence) -> list[str]:
    """Return the facts that a sentence prints and a text does not, in the sentence's order.

    A number that another fact would allow, and two days exchanged, are seen here alone.
    """
    place, missing = 0, list[str]()
    for span in sentence.spans:
        if span.fact is None or not span.text:
            continue
        found = text.find(span.text, place)
        if found < 0:
            missing.append(f"does not print {span.text!r} where {span.fact.id} stands")
        else:
            place = found + len(span.text)
    return missing


def _periods(facts: Iterable[Fact], locale: str) -> list[str]:
    return [numbers.at(locale).period_in_words(fact.period) for fact in facts]


def disagreements(
    text: str, facts: Sequence[Fact], names: Iterable[str] = (), locale: str = numbers.DEFAULT
) -> list[str]:
    """Return what a text says that its facts do not, each in a few words.

    `facts` are those of the sentence, in its order; `names` are labels, titles and people's words
    in it, which claim nothing; its numbers are written as in `locale`.
    """
    claims = cover(text, [*names, *_phrases(facts, locale)])
    printed, problems = _numbers(claims, facts, locale)
    for fact in facts:
        if not _is_printed_right(fact, locale):
            problems.append(f"prints {fact.text!r} for {fact.id}, which is {fact.value}")
    problems += _colours(claims, facts)
    for word in ways(claims):
        problems += _way(claims, word, printed, facts)
    problems += _within(claims, facts)
    problems += _superlatives(claims, facts)
    return problems


def _phrases(facts: Iterable[Fact], locale: str) -> list[str]:
    """Return what facts say in words: dates, parts, and the periods that they are about."""
    phrases = []
    for fact in facts:
        if isinstance(fact.value, str) and fact.field not in {"light", *_VERDICTS}:
            phrases += [fact.text, f"{fact.text[:1].upper()}{fact.text[1:]}"]
    for period in _periods(facts, locale):
        phrases += [period, f"{period[:1].upper()}{period[1:]}"]
    return phrases


def _prints(number: Number, fact: Fact, locale: str) -> bool:
    if isinstance(fact.value, str):
        return False
    printed = figures(fact.text, locale)
    return bool(printed) and number.same(printed[0])


def _numbers(text: str, facts: Sequence[Fact], locale: str) -> tuple[list[Printed], list[str]]:
    """Return each number with its fact, and what no fact says: facts come in the text's order."""
    printed, problems, place = list[Printed](), list[str](), 0
    for number in figures(text, locale):
        left = facts[place:]
        matches = [index for index, fact in enumerate(left) if _prints(number, fact, locale)]
        if matches:
            printed.append(Printed(number, left[matches[0]]))
            place += matches[0] + 1
        else:
            meant = _expected(left, locale)
            problems.append(f"says {number.text}, which no fact at that place says{meant}")
    return printed, problems


def _expected(facts: Iterable[Fact], locale: str) -> str:
    """Return the next number that a text should print, as the end of a sentence."""
    for fact in facts:
        if figures(fact.text, locale):
            return "" if isinstance(fact.value, str) else f"; {fact.id} is {fact.text}"
    return ""


def _is_printed_right(fact: Fact, locale: str) -> bool:
    """Return whether the text of a number is its value, within half of the last digit."""
    printed = figures(fact.text, locale)
    if isinstance(fact.value, str) or fact.value is None or not printed:
        return True
    first = printed[0]
    value = float(fact.value) * (100 if first.mark else 1)
    if fact.text.startswith(numbers.LESS):
        return 0 < abs(value) < abs(first.value)
    slack = first.within * (1 + 1e-9) + 1e-9 * abs(value)
    # A share below its target is never rounded up to it, so it may be off by nearly a digit.
    if first.mark == "%" and fact.field in _NEVER_ROUNDED_UP:
        slack = max(slack, 0.5)
    return math.isclose(abs(first.value), abs(value), rel_tol=0, abs_tol=slack)


def _colours(text: str, facts: Iterable[Fact]) -> Iterator[str]:
    lights = {}
    for fact in facts:
        if fact.field == "light" or fact.field.startswith("light_"):
            lights[str(fact.value)] = fact.id
    known = ", ".join(f"{id_} is {value}" for value, id_ in lights.items())
    for word in typed_colours(text):
        if word.means not in lights:
            yield f"says {word.text}, and {known or 'no fact of it is a light'}"


def _way(text: str, word: Word, printed: Sequence[Printed], facts: Sequence[Fact]) -> Iterator[str]:
    """Yield what is wrong with a direction: against the difference it is about, or the bounds."""
    start, end = clause(text, word.start)
    if text[: word.start].endswith(" or "):
        yield from _best_side(word, facts)
        return
    if "later" in text[start:end] and any(fact.field.startswith("sign_o") for fact in facts):
        yield from _following(text, word, facts)
        return
    near = [shown for shown in printed if start <= shown.number.start < end]
    fact = (
        _named(text[start:end], facts)
        or _nearest(word, near)
        or _unprinted([shown.fact.id for shown in printed], facts)
    )
    way = _signed(fact) if fact else _against_bounds(facts)
    if way is None:
        yield f"says {word.text!r}, and no fact says which way"
    elif way != word.means:
        meant = f"{fact.id} is {fact.value}" if fact else f"its value is {way}"
        yield f"says {word.text!r}, and {meant}"


def _best_side(word: Word, facts: Iterable[Fact]) -> Iterator[str]:
    """Yield what is wrong with `at 13 or more`: the side is the one where the metric is best."""
    for fact in facts:
        if fact.field == "better" and fact.value != word.means:
            yield f"says {word.text!r}, and {fact.id} is {fact.value}"


def _following(text: str, word: Word, facts: Sequence[Fact]) -> Iterator[str]:
    """Yield what is wrong with what follows: the sign of the link, times the side of the miss.

    `when sad customers rise` supposes a rise; the clauses that follow have a sign each.
    """
    signs = [fact for fact in facts if fact.field.startswith("sign_o")]
    gap = next((fact for fact in facts if fact.field == "gap"), None)
    before = len(re.findall(r"\blater\b", text[: word.start]))
    sign = signs[min(before, len(signs) - 1)]
    is_up = gap is None or _signed(gap) == "up"
    expected = "up" if is_up == (sign.value == "same") else "down"
    if word.means != expected:
        yield f"says {word.text!r}, and {sign.id} is {sign.value}"


def _named(words: str, facts: Iterable[Fact]) -> Fact | None:
    """Return the difference that a clause names: `on the week before`, `below the target`."""
    by_field = {fact.field: fact for fact in reversed(list(facts))}
    for cue, field in _ABOUT:
        if cue.search(words):
            return by_field.get(field)
    return None


def _nearest(word: Word, near: Iterable[Printed]) -> Fact | None:
    """Return the printed difference that stands nearest to a word."""

    def distance(shown: Printed) -> int:
        number = shown.number
        return min(abs(number.start - word.end), abs(word.start - number.end))

    differences = [shown for shown in near if _is_difference(shown.fact)]
    return min(differences, key=distance).fact if differences else None


def _unprinted(printed: Sequence[str], facts: Iterable[Fact]) -> Fact | None:
    """Return the one difference that a sentence tells in words alone, as `did not change`."""
    left = [fact for fact in facts if _is_difference(fact) and fact.id not in printed]
    return left[0] if len(left) == 1 else None


def _is_difference(fact: Fact) -> bool:
    if isinstance(fact.value, str) or fact.field in _LEVELS:
        return False
    return not fact.field.startswith(("lag_", "a_", "b_", "event_lag", "follows_", "moves_"))


def _signed(fact: Fact) -> Way:
    value = float(fact.value or 0)
    if value == 0:
        return "level"
    if fact.field == "dropped_rows":  # how many rows fewer
        return "down"
    return "up" if value > 0 else "down"


def _against_bounds(facts: Iterable[Fact]) -> Way | None:
    known = {fact.field: float(fact.value) for fact in facts if isinstance(fact.value, float | int)}
    if not {"value", "target_low", "target_high"} <= known.keys():
        return None
    if known["value"] < known["target_low"]:
        return "down"
    return "up" if known["value"] > known["target_high"] else "level"


def _within(text: str, facts: Sequence[Fact]) -> Iterator[str]:
    """Yield what is wrong about ranges, signals and agreement, each against its fact."""
    known = {fact.field: fact for fact in facts}
    yield from _signal(text, known.get("signal"))
    yield from _range(text, known.get("signal"), known.get("variation"))
    for better in re.findall(r"\bfor the (better|worse)\b", text)[:1]:
        yield from _meaning(better, known.get("variation"))
    # Only of what is best when it is low is a change called better or worse.
    for way, judged in re.findall(r"\b(up|down)\b[^()]*\((better|worse)\)", text, re.IGNORECASE):
        if (way.lower() == "up") != (judged == "worse"):
            yield f"says {judged!r} of what went {way}"
    if re.search(r"\b(?:every|each) [^,;.]{1,40}? less\b", text):
        yield "says what one less does, and the facts are about one more"
    for side in re.findall(r"\b(inside|above|below) the agreed\b", text)[:1]:
        if {"inside": "level", "above": "up", "below": "down"}[side] != _against_bounds(facts):
            yield f"says {side!r}, and its value is not"
    yield from _agreement(text, known)


def _signal(text: str, signal: Fact | None) -> Iterator[str]:
    if re.search(r"\ban ordinary \w+\b", text, re.IGNORECASE) and signal is not None:
        yield f"says ordinary, and {signal.id} is {signal.value}"
    if re.search(r"\ba real change\b", text, re.IGNORECASE) and signal is None:
        yield "says that there is a real change, and no fact says so"


def _range(text: str, signal: Fact | None, variation: Fact | None) -> Iterator[str]:
    is_ordinary = re.search(r"\ban ordinary \w+\b", text, re.IGNORECASE)
    if is_ordinary and variation is not None and variation.value != "common cause":
        yield f"says ordinary, and {variation.id} is {variation.value}"
    if is_ordinary and variation is None and signal is None:
        yield "says ordinary, and no fact says so"


def _meaning(word: str, variation: Fact | None) -> Iterator[str]:
    meant = {"better": "special-cause improvement", "worse": "special-cause concern"}[word]
    if variation is None:
        yield f"says 'for the {word}', and no fact says so"
    elif variation.value != meant:
        yield f"says 'for the {word}', and {variation.id} is {variation.value}"


def _agreement(text: str, known: dict[str, Fact]) -> Iterator[str]:
    verb = re.search(r"\b(disagree|agree)\b", text)
    for field, fact in known.items():
        if field.startswith("agrees_with_") and verb:
            if (verb[1] == "agree") != (fact.value == "yes"):
                yield f"says {verb[1]!r}, and {fact.id} is {fact.value}"
            return


def _superlatives(text: str, facts: Sequence[Fact]) -> Iterator[str]:
    """Yield superlatives that no field is named after: `moved it most` needs `moved_most`."""
    fields = {word for fact in facts for word in fact.field.split("_")}
    for word in superlatives(text):
        if word.means not in fields:
            yield f"says {word.text!r}, and no fact says so"


def ways(text: str) -> list[Word]:
    """Return the words that say which way something went or stands; `up to` does not."""
    text = _NO_WAY.sub(lambda match: _COVER * len(match[0]), text)
    words = []
    for match in _WAY.finditer(text):
        words.append(Word(match.start(), match.end(), match[0], _WAYS[match[0].lower()]))
    return words


def superlatives(text: str) -> list[Word]:
    """Return the words that put something before all others."""
    words = []
    for match in _SUPERLATIVES.finditer(text):
        words.append(Word(match.start(), match.end(), match[0], match[0].lower()))
    return words


def clause(text: str, at: int) -> tuple[int, int]:
    """Return where the clause around a position starts and ends."""
    ends = [0, *(match.end() for match in _BREAK.finditer(text)), len(text)]
    return max(end for end in ends if end <= at), min(end for end in ends if end > at)
