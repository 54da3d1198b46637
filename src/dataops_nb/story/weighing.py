"""Weighing: one clause about one metric against what is known of it; each finding holds, does not, or cannot be told.

Every reader takes the clause (names covered, numbers as digits) and the metric, and gives `(holds, why, the words)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dataops_nb.story import claims
from dataops_nb.story.claims import Number
from dataops_nb.story.facts import Fact
from dataops_nb.story.numbers import DEFAULT
from dataops_nb.story.phrases import (
    ABOUT,
    AGO,
    AGREED,
    ALMOST,
    AS_TARGET,
    BESIDE,
    BETTER,
    COUNT,
    COUNTED,
    EARLIER,
    FACTORS,
    FLAT,
    FROM,
    IS_TARGET,
    LACKING,
    LAST_YEAR,
    LESS,
    MET,
    MISSED,
    MORE,
    MOVED,
    MOVED_BY,
    NOT,
    NOUN,
    NTH,
    PART,
    PLAIN,
    PLAN,
    RANK,
    REACH,
    SHARE_OF,
    SIDE,
    STREAK,
    TARGET,
    THEN,
    TIMES,
    UNUSUAL,
    USUAL,
    WAS,
)

Weighed = tuple[bool | None, str, str]

NEAR, STILL = 0.05, 0.02


@dataclass(frozen=True)
class About:
    """What is known of one metric: its facts by field, and its past values, oldest first, the present one last.

    People who type about it write their numbers as in `locale`, and may use the words of its `question`.
    """

    metric: str
    label: str
    facts: Mapping[str, Fact]
    past: Sequence[float] = ()
    locale: str = DEFAULT
    question: str = ""

    @property
    def words(self) -> frozenset[str]:
        """The words by which people call it: of its label, its id, its unit and the question it answers; without plurals."""
        unit = self.facts["value"].unit if "value" in self.facts else ""
        whole = f"{self.label} {self.metric.replace('_', ' ')} {unit} {self.question}"
        return frozenset(word.rstrip("s") for word in re.findall(r"[^\W\d_]+", whole.lower()))

    def number(self, name: str) -> float | None:
        """The value of a numeric fact; `change_share` is a change as a share of what it is counted from."""
        if name.endswith("_share"):
            change = name.removesuffix("_share")
            size, base = self.number(change), self.number(_BASES[change])
            return abs(size / base) if size is not None and base else None
        fact = self.facts.get(name)
        return None if fact is None or isinstance(fact.value, str) or fact.value is None else float(fact.value)

    def word(self, name: str) -> str | None:
        """The value of a fact in words."""
        fact = self.facts.get(name)
        return str(fact.value) if fact is not None and isinstance(fact.value, str) else None


_AGAINST = {"target": "its target", "previous": "the period before", "same_last_year": "last year"}
_BASES = {"change": "previous", "change_last_year": "same_last_year", "gap": "target"}


def weighed(clause: str, about: About) -> Iterator[Weighed]:
    """Everything that a clause claims about a metric."""
    for read in (_light, _target, _usual, _rank, _streak, _times, _part, _change, _numbers):
        yield from read(clause, about)


def _negated(clause: str, at: int) -> bool:
    """Whether a `not` stands within five words before a position."""
    return bool(NOT.search(" ".join(clause[:at].split()[-5:])))


def _light(clause: str, about: About) -> Iterator[Weighed]:
    light = about.word("light")
    for word in claims.colours(clause):
        if light is None or THEN.search(clause):
            yield None, f"no fact says what was {word.text} then", word.text
        else:
            holds = (word.means == light) != _negated(clause, word.start)
            yield holds, f"the light of {about.label} is {light}", word.text


def _target(clause: str, about: About) -> Iterator[Weighed]:
    attained, gap = about.number("attainment"), about.number("gap")
    found = [(hit, met) for pattern, met in ((MET, True), (MISSED, False)) for hit in pattern.finditer(clause)]
    for hit, met in found:
        over = (
            hit[0].lower().startswith("exceed") and about.word("better") == "down"
        )  # a limit: to exceed it is to miss it
        if attained is None:
            yield None, f"{about.label} has no target", hit[0]
        else:
            yield (
                (attained >= 1) == ((met and not over) != _negated(clause, hit.start())),
                f"{about.label} reached {about.facts['attainment'].text} of its target",
                hit[0],
            )
    for hit in SIDE.finditer(clause):
        if gap is None:
            yield None, f"{about.label} has no target", hit[0]
            continue
        over = hit[1].lower() in {"above", "over"}
        yield (
            (gap > 0 if over else gap < 0) != _negated(clause, hit.start()),
            f"its target is {about.facts['target'].text}",
            hit[0],
        )


def _usual(clause: str, about: About) -> Iterator[Weighed]:
    variation = about.word("variation")
    for pattern, usual in ((USUAL, True), (UNUSUAL, False)):
        for hit in pattern.finditer(clause):
            if variation is None:
                yield None, "its limits prove nothing yet", hit[0]
            else:
                yield (
                    ((variation == "common cause") == usual) != _negated(clause, hit.start()),
                    f"its variation is {variation}",
                    hit[0],
                )


def _rank(clause: str, about: About) -> Iterator[Weighed]:
    hit = RANK.search(clause)
    if hit is None:
        return
    reach, past = REACH.search(clause), list(about.past)
    seen = past[-int(reach[1] or reach[2]) :] if reach else past
    low = hit[1].lower() in {"lowest", "all-time low"}
    if hit[1].lower() in {"best", "worst"}:
        low = (about.word("better") == "down") == (hit[1].lower() == "best")
    if len(seen) < 2:
        yield None, "too few of its past values are known", hit[0]
        return
    top = seen[-1] <= min(seen) if low else seen[-1] >= max(seen)
    said = f"of its last {len(seen)} values it is {'' if top else 'not '}the {'lowest' if low else 'highest'}"
    yield top != _negated(clause, hit.start()), said, hit[0]


def _streak(clause: str, about: About) -> Iterator[Weighed]:
    hit = STREAK.search(clause)
    if hit is None:
        return
    said = (hit[1] or hit[2]).lower()
    count = int(said) if said.isdigit() else NTH[said]
    way = next((word.means for word in claims.ways(clause)), None) or _turned(clause, about)
    steps = [b - a for a, b in pairwise(about.past)]
    if way not in {"up", "down"} or len(steps) < count:
        yield None, "too little of its past is known", hit[0]
        return
    run = 0
    for step in reversed(steps):
        if (step > 0) != (way == "up") or step == 0:
            break
        run += 1
    yield run >= count, f"it has gone {way} {run} times in a row", hit[0]


def _turned(clause: str, about: About) -> str | None:
    """`better` and `worse` as a way, by what is good for the metric."""
    hit = BETTER.search(clause)
    good = about.word("better")
    if hit is None or good not in {"up", "down"}:
        return None
    improved = hit[1].lower() in {"better", "improved", "improving", "improves"}
    return "up" if improved == (good == "up") else "down"


def _base(clause: str) -> tuple[str, str]:
    """The fields of the change that a clause speaks of, and of what it is compared with."""
    if LAST_YEAR.search(clause):
        return "change_last_year", "same_last_year"
    return ("gap", "target") if TARGET.search(clause) else ("change", "previous")


def _times(clause: str, about: About) -> Iterator[Weighed]:
    hit = TIMES.search(clause)
    if hit is None:
        return
    _, against = _base(clause)
    value, base = about.number("value"), about.number(against)
    if value is None or not base:
        yield None, "what it is compared with is not known", hit[0]
        return
    factor = FACTORS[hit[1].lower()] if hit[1] else float(hit[2])
    yield (
        (abs(value / base / factor - 1) <= 2 * NEAR) != _negated(clause, hit.start()),
        f"it is {value / base:.2f} times that",
        hit[0],
    )


def _part(clause: str, about: About) -> Iterator[Weighed]:
    """`nine in ten of the planned meetings`: a share, of the target where the clause speaks of it."""
    for hit in PART.finditer(clause):
        of_target = TARGET.search(clause) or re.search(rf"\b{AGREED}\b", clause)
        name = "attainment" if of_target else "value"
        fact = about.facts.get(name)
        if fact is None or (name == "value" and fact.unit != "percent") or not float(hit[2]):
            yield None, f"{hit[0]} is about something that no fact tells", hit[0]
            continue
        share, slack = float(hit[1]) / float(hit[2]), 0.5 / float(hit[2])
        holds = abs(float(about.number(name) or 0) - share) <= (NEAR if slack < NEAR else slack)
        yield holds != _negated(clause, hit.start()), f"the {name} of {about.label} is {fact.text}", hit[0]


def _change(clause: str, about: About) -> Iterator[Weighed]:
    """Which way it went, with its size where a number stands beside the word."""
    if STREAK.search(clause) or RANK.search(clause):
        return
    name, against = _base(clause)
    change, base = about.number(name), about.number(against)
    plain = SIDE.sub("", MET.sub("", MISSED.sub("", clause)))
    if flat := FLAT.search(plain):
        if change is None or base is None:
            yield None, "the change is not known", flat[0]
        else:
            yield (
                (abs(change) <= STILL * abs(base)) != _negated(plain, flat.start()),
                f"it changed by {about.facts[name].text}",
                flat[0],
            )
        return
    words = [w for w in claims.ways(plain) if w.means != "level" and not _bound(plain, w.start, w.end)]
    turned = BETTER.search(plain)
    way, at = (words[0].means, words[0].start) if words else (_turned(plain, about), turned.start() if turned else 0)
    said = words[0].text if words else turned[0] if turned else ""
    if way is None:
        return
    if change is None:
        yield None, "the change is not known", said
        return
    holds = ((change > 0) if way == "up" else (change < 0)) != _negated(plain, at)
    size = about.facts[name].text.lstrip("+-")
    went = f"{'+' if change > 0 else '-' if change < 0 else ''}{size}"
    yield holds, f"{about.label} changed by {went} against {_AGAINST[against]}", said


def _bound(clause: str, start: int, end: int) -> bool:
    """`over 40`, `more than 40`, `below 10 %`: a bound of a number, and no way that something went."""
    return bool(re.match(r"(?:over|above|under|below|more|less|fewer)$", clause[start:end], re.IGNORECASE)) and bool(
        re.match(r"(?: than)?(?: the)? *[$€£]?\d", clause[end:])
    )


def _numbers(clause: str, about: About) -> Iterator[Weighed]:
    for counted in (STREAK, REACH, TIMES, AGO, PART, COUNT):
        clause = counted.sub(lambda hit: " " * len(hit[0]), clause)
    for number in claims.figures(clause, about.locale):
        yield from _number(clause, number, about)


def _number(clause: str, number: Number, about: About) -> Iterator[Weighed]:
    before, after = clause[: number.start], clause[number.end :]
    if _elsewhere(before, after, about):
        yield None, f"{number.text} is about something that no fact tells", number.text
        return
    name = _field(before, after, clause, about, number)
    value = about.number(name)
    if value is None:
        yield None, f"nothing is known that {number.text} could be held against", number.text
        return
    shown = about.facts[name].text if name in about.facts else f"{100 * value:.1f} %"
    gap = about.number("gap")
    if name == "target" and gap is not None and (side := BESIDE.search(before)):
        over = side[1].lower() in {"above", "over", "more than", "beyond"}
        yield (gap > 0 if over else gap <= 0), f"its target is {about.facts['target'].text}", side[1]
        before = before[: side.start()]
    holds = _equals(number, value, name, before, about, in_percent="%" in clause or "percent" in clause)
    yield holds, f"the {name.replace('_', ' ')} of {about.label} is {shown}", number.text


def _elsewhere(before: str, after: str, about: About) -> bool:
    """Whether a number counts other things than the metric does: `two reps`, `a 5-day outage`, `week 47`, `version 8.0`."""
    if COUNTED.search(before):
        return True
    noun = None if PLAIN.match(after) else NOUN.match(after)
    if noun is None or "\u2022" in noun[1]:
        return False
    own = [about.label, about.facts["value"].unit if "value" in about.facts else ""]
    return noun[1].lower().rstrip("s") not in {
        each.rstrip("s") for text in own for each in re.findall(r"[a-z]+", text.lower())
    }


def _field(before: str, after: str, clause: str, about: About, number: Number) -> str:
    """The field that a number must be, by the words around it."""
    name, against = _base(clause)
    if LACKING.match(after) or (
        re.search(r"\bby (?:about |nearly |almost |over )?$", before) and re.search(PLAN, before)
    ):
        return "gap"
    if SHARE_OF.match(after) or (number.mark and re.match(rf" of {PLAN}\b", after)):
        return "attainment"
    if AS_TARGET.search(before) or IS_TARGET.match(after):
        return "target"
    if MOVED_BY.search(before) or MOVED.match(after):
        own = "value" in about.facts and about.facts["value"].unit == "percent"
        return f"{name}_share" if number.mark == "%" and not own else name
    if FROM.search(before) or EARLIER.match(after) or WAS.match(clause):
        return "previous" if against == "target" else against
    return "value"


def _equals(number: Number, value: float, name: str, before: str, about: About, *, in_percent: bool) -> bool:
    """Whether a number is a value, within its last digit, or as nearly as `about` and `almost` allow.

    `2.4 percent instead of 2`: the mark of one number of a clause holds for the others.
    """
    unit = about.facts[name].unit if name in about.facts else ""
    shared = unit == "percent" or name.endswith(("attainment", "_share"))
    scale = 100.0 if shared and (number.mark or (in_percent and unit == "percent")) else 1.0
    actual, said = abs(value) * scale, abs(number.value)
    bounds: Sequence[tuple[re.Pattern[str], Callable[[], bool]]] = (
        (ALMOST, lambda: said * 0.9 <= actual < said + number.within),
        (ABOUT, lambda: abs(actual - said) <= max(NEAR * said, number.within)),
        (MORE, lambda: actual >= said),
        (LESS, lambda: actual <= said),
    )
    met = next((holds for pattern, holds in bounds if pattern.search(before)), None)
    return met() if met else abs(actual - said) <= number.within * (1 + 1e-9)
