"""Comments: people's own words about a metric, with facts by name.

A fact that is named in braces, `{closed_won.value}`, is right by itself. A number or a colour that
somebody types is held against the facts of the metric it stands beside and of those it names. All
else is kept, and said to be what nobody can check: people know more than systems do.

Labels, titles, owners and periods claim nothing, whatever digit or colour they hold. They are names
in every sentence, and covered before people's words are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from dataops_nb import drivers, numbers
from dataops_nb.board import Board, segments
from dataops_nb.company import Company
from dataops_nb.display import Fact, Phrase, Span, say
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.metrics import Lights
from dataops_nb.numbers import DEFAULT, agreeing
from dataops_nb.periods import Period
from dataops_nb.story.facts import facts
from dataops_nb.terms import Grain

Verdict = Literal["right", "wrong", "cannot judge"]
_FACT = re.compile(r"\{(\w+\.\w+)\}")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
# Words beside which a number, or a colour, need not be that of the last complete period.
_OTHERWISE = (
    r"not|never|no|nothing|without|last|before|ago|earlier|until|next|if|unless|will|would|"
    r"should|could|may|might|must|can|going to|expect\w*|hope\w*|plan(?:s|ned|ning)|aim\w*|"
    r"want\w*|tomorrow|soon"
)
_OTHER_NUMBER = re.compile(rf"\b(?:{_OTHERWISE}|from|than|by)\b|n't\b|\?", re.IGNORECASE)
_OTHER_COLOUR = re.compile(
    rf"\b(?:{_OTHERWISE}|was|were|been|turn\w*|become\w*|stay\w*)\b|n't\b|\?", re.IGNORECASE
)
_ROUGHLY = re.compile(
    r"\b(?:about|around|roughly|nearly|almost|over|under|above|below|more than|less than|"
    r"fewer than|at least|at most|some|up to)\s+$",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\b(?:at|to|is|are|was|were|made|had|reached|hit|got)\s+(?:just |only )?$", re.IGNORECASE
)
_BARE = re.compile(
    r"\s*(?:$|[.,;:!?)]|(?:this|in|on|now|today|against|of|and|but|or|than|more|less|fewer|up|down|"
    r"higher|lower|above|below|short|ahead|behind|so|at|after|by|was|is|were|a|per|points?)\b)",
    re.IGNORECASE,
)
_LEVELS = (
    *("value", "target", "target_low", "target_high", "previous", "same_last_year"),
    *("mtd", "qtd", "ytd", "attainment"),
)
_DIFFERENCES = ("gap", "change", "change_last_year")
_NOUN = re.compile(r"[\s-]+([^\W\d_]+)")
_LETTERS = re.compile(r"[^\W\d_]+")
_NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve"
_SPELLED = {word: size for size, word in enumerate(_NUMBER_WORDS.split(), start=2)}
_WORD = re.compile(rf"\b(?:{'|'.join(_SPELLED)})\b", re.IGNORECASE)
_NO_FACTS = "we have no data on that"
_NAMED = "…"  # stands for a fact that is named in braces, and right by itself
COVER = "\u2022"
_MONEY = r"[A-Z]{0,3}[$¢£¤¥￥\u058f\u060b\u09f2\u0e3f\u17db\u20a0-\u20cf][A-Z]{0,3}"
_SCALES = {"k": 1e3, "M": 1e6, "bn": 1e9}
_MARKED = {"%": "%", "point": "point", "points": "point"}  # units that read as marks of shares
_COLOURS = re.compile(r"\b(green|yellow|amber|red)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Claim:
    """One thing that a comment says: its sentence, the words in it, the verdict and why."""

    text: str
    verdict: Verdict
    why: str
    words: str = ""


def mentioned(company: Company, text: str, grain: Grain) -> list[str]:
    """Return the metrics of a grain whose label, id or fact stands in a text.

    A board of them has all that the text speaks of.
    """
    in_braces = {fact.partition(".")[0] for fact in _FACT.findall(text)}
    metrics = []
    for id_, metric in company.metrics.items():
        if grain in metric.grains and (id_ in in_braces or _is_named(company, id_, text)):
            metrics.append(id_)
    return metrics


def filled(board: Board, text: str) -> Phrase:
    """Fill a text with the facts that it names in braces, as in `{closed_won.value}`.

    Raises UsageError for a fact that the board does not have, with the nearest one.
    """
    known, called = facts(board), names(board.company)
    phrase: list[Phrase | Fact] = []
    end = 0
    for match in _FACT.finditer(text):
        name = match[1]
        if name not in known:
            nearest = did_you_mean(name, known)
            raise UsageError(f"no fact {match[0]} for {board.period.id}{nearest}")
        phrase += [worded(text[end : match.start()], called), known[name]]
        end = match.end()
    return (*phrase, worded(text[end:], called))


def typed(board: Board, text: str, metric: str | None = None) -> list[Claim]:
    """Weigh the numbers and colours that somebody typed about a metric (default: the lead).

    A sentence without any is one claim that nobody can check. What is named in braces is no claim.
    """
    words = " ".join(_FACT.sub(_NAMED, text).split())
    called = [*_names(board.company), *(str(title) for title in board.events["title"])]
    claims: list[Claim] = []
    for sentence in _sentences(words, [*called, *_stopped_signs(board.company)]):
        named = [id_ for id_ in board.metrics if _is_named(board.company, id_, sentence)]
        metrics = named or [metric or board.lead]
        about = _about(board, metrics)
        weighed = list(_weighed(sentence, called, about))
        if contradictions(weighed):
            weighed = list(_weighed(sentence, [*called, *segment_names(board, metrics)], about))
        claims += weighed
    return claims


def segment_names(board: Board, metrics: Iterable[str]) -> list[str]:
    """Name the segments of these metrics in the board's period and the one before.

    One that is no more than a colour or a number (`Red`, `7`) is left out: it would hide a claim.
    """
    called = set()
    for metric in metrics:
        for split in drivers.splits(board.company, metric):
            if len(split) == 1:
                rows = segments(board, metric, split, periods=2)["segment"].dropna()
                called |= {str(segment).partition("=")[2] for segment in rows}
    return sorted(name for name in called if _LETTERS.search(_COLOURS.sub("", name)))


def without_stops(text: str, called: Iterable[str]) -> str:
    """Cover the stops in names, which end no sentence: `Dr. Oetker`, `No. of calls`.

    Positions stay, and so does one at the end of a name (`Acme Inc.`) before a blank and what is
    no small letter.
    """
    letters = list(text)
    for match in re.finditer(f"{COVER}+", cover(text, called)):
        after = text[match.end() :].lstrip()
        is_last = match.end() < len(text) and not after[:1].islower()
        for place in range(match.start(), match.end() - is_last):
            if letters[place] in ".!?;":
                letters[place] = COVER
    return "".join(letters)


def _sentences(text: str, called: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of a text; no name is cut in two."""
    start = 0
    for end in _SENTENCE.finditer(without_stops(text, called)):
        yield text[start : end.start()]
        start = end.end()
    yield text[start:]


def _stopped_signs(company: Company) -> list[str]:
    """Return the sign of a company's money where it ends in a stop: `kr.`."""
    signs = [sign.strip() for sign in numbers.around(company.locale, company.currency)]
    return [sign for sign in signs if sign.endswith(".")]


def contradictions(claims: Iterable[Claim]) -> list[str]:
    """Return what the facts contradict, in a few words each: the words, where, and what is so."""
    return [f"{_quoted(claim)}: {claim.why}" for claim in claims if claim.verdict == "wrong"]


def unjudged(claims: Iterable[Claim]) -> list[str]:
    """Return what nobody can check from the facts, in a few words each."""
    unknown = [claim for claim in claims if claim.verdict == "cannot judge"]
    return list(dict.fromkeys(f"{_quoted(claim)}: {claim.why}" for claim in unknown))


@dataclass(frozen=True)
class _Known:
    """What a sentence is held against: its metrics' facts and labels, and the locale."""

    facts: list[Fact]
    labels: Mapping[str, str]
    locale: str

    def words(self, fact: Fact) -> set[str]:
        """Return the words that count a metric: those of label and unit, in the singular."""
        sign = self.sign(fact) if numbers.is_currency(fact.unit) else ""
        named = f"{self.labels[fact.metric]} {fact.unit} {sign}".lower()
        return {word.removesuffix("s") for word in _LETTERS.findall(named)}

    def sign(self, fact: Fact) -> str:
        """Return what a fact prints beside its number: `zł` of `1 234 zł`, `CHF` of `CHF 5`."""
        printed = figures(fact.text, self.locale)
        if not printed:
            return ""
        beside = fact.text[: printed[0].start] + fact.text[printed[0].end :]
        return printed[0].currency or re.split(r"[\s(]", beside.strip())[0].strip("\u2212-+")

    def sentence(self, fact: Fact) -> str:
        """Return a fact in words."""
        name = self.labels[fact.metric]
        if fact.field == "light":
            return f"{name} {agreeing(name, 'is', 'are')} {fact.text}"
        return f"the {fact.field.replace('_', ' ')} of {name} is {fact.text}"


def _about(board: Board, metrics: Iterable[str]) -> _Known:
    """Return what is known of some metrics in the board's period."""
    labels = {metric: board.company.label(metric) for metric in metrics}
    own = [fact for fact in facts(board).values() if fact.metric in labels and "@" not in fact.id]
    return _Known(own, labels, board.company.locale)


def _weighed(sentence: str, called: Iterable[str], about: _Known) -> Iterator[Claim]:
    digits = _WORD.sub(lambda match: str(_SPELLED[match[0].lower()]), sentence)
    covered = cover(digits, called)
    numbers, colours = figures(covered, about.locale), typed_colours(covered)
    if not numbers and not colours and _NAMED not in sentence:
        yield Claim(sentence, "cannot judge", _NO_FACTS)
    for number in numbers:
        yield _number(sentence, digits, number, about)
    for colour in colours:
        yield _colour(sentence, covered, colour, about)


def _number(sentence: str, digits: str, number: Number, about: _Known) -> Claim:
    """Weigh a number: right as some fact, wrong as the value it claims to be, or unknown."""
    before, after = digits[: number.start], digits[number.end :]
    noun = _NOUN.match(after)
    # `47 meetings` speaks of a metric that counts meetings; `47 this week` of any.
    counted = noun[1].lower().removesuffix("s") if noun and not _BARE.match(after) else ""
    own = [fact for fact in about.facts if not counted or counted in about.words(fact)]
    fields = _LEVELS if _STATED.search(before) else (*_LEVELS, *_DIFFERENCES)
    for fact in own:
        if fact.field in fields and _is_printed(number, fact, about.locale):
            return Claim(sentence, "right", about.sentence(fact), number.text)
    if not _OTHER_NUMBER.search(digits) and not _ROUGHLY.search(before):
        for fact in own:
            is_counted = bool(counted) or _is_money(before, after, fact, about.sign(fact))
            if fact.field == "value" and _is_value(before, number, fact, counted=is_counted):
                return Claim(sentence, "wrong", about.sentence(fact), number.text)
    return Claim(sentence, "cannot judge", _NO_FACTS, number.text)


def _is_printed(number: Number, fact: Fact, locale: str) -> bool:
    """Return whether a number is the value of a fact, within its last digit."""
    if isinstance(fact.value, str) or fact.value is None:
        return False
    printed = figures(fact.text, locale)
    marks = ("", printed[0].mark, _MARKED.get(fact.unit, "")) if printed else ()
    if number.mark not in marks:
        return False
    scale = 100.0 if printed[0].mark and fact.unit not in _MARKED else 1.0
    actual, typed = abs(float(fact.value)) * scale, abs(number.value)
    return abs(actual - typed) <= number.within * (1 + 1e-9) or typed == abs(printed[0].value)


def _is_value(before: str, number: Number, value: Fact, *, counted: bool) -> bool:
    """Return whether a number is written as a metric's value.

    As in `47 meetings`, `3%`, `$400`, `we stand at 47`.
    """
    mark = _MARKED.get(value.unit, "%" if value.unit == "percent" else "")
    if number.mark or mark:
        return number.mark == mark
    if number.currency:
        return number.currency in value.text
    return counted or bool(_STATED.search(before))


def _is_money(before: str, after: str, value: Fact, sign: str) -> bool:
    """Return whether letters beside a number are the currency of a value, as `CHF 5`, `5 zł`."""
    if not numbers.is_currency(value.unit):
        return False
    for letters in (value.unit, sign):
        if letters and (before.rstrip().endswith(letters) or after.lstrip().startswith(letters)):
            return True
    return False


def _colour(sentence: str, covered: str, colour: Word, about: _Known) -> Claim:
    lights = [fact for fact in about.facts if fact.field == "light"]
    for light in lights:
        if light.value == colour.means:
            return Claim(sentence, "right", about.sentence(light), colour.text)
    if _OTHER_COLOUR.search(covered) or not lights:
        return Claim(sentence, "cannot judge", _NO_FACTS, colour.text)
    return Claim(sentence, "wrong", about.sentence(lights[0]), colour.text)


def _names(company: Company) -> list[str]:
    """Return a company's names without what its lights mean: `On plan.` is plain words here."""
    agreed = [*company.named_lights.values()]
    for metric in company.metrics:
        lights = company.lights(metric)
        if lights is not None:
            agreed.append(lights)
    meanings = set()
    for lights in agreed:
        for light in (lights.green, lights.yellow, lights.red):
            if light is not None:
                meanings |= {light.means, light.do}
    return [name for name in names(company) if name not in meanings]


def _quoted(claim: Claim) -> str:
    clause = claim.text.rstrip(".,;:!")
    if claim.words and claim.words != clause:
        return f"{claim.words!r} in {clause!r}"
    return f"{clause!r}"


def _is_named(company: Company, metric: str, text: str) -> bool:
    """Return whether a text holds a metric's label or id as words."""
    for name in (company.label(metric), metric.replace("_", " ")):
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
            return True
    return False


def label(board: Board, metric: str) -> Span:
    """Name a metric as people call it."""
    return say.name(board.company.label(metric))


def period(board: Board, of: Period | None = None) -> Span:
    """Name a period (default: the board's) as people call it."""
    return say.name(numbers.of(board).period(of or board.period))


def names(company: Company) -> list[str]:
    """Return every label, title, owner and agreed wording of a company, each once."""
    return list(dict.fromkeys(name for name in _all_names(company) if name))


def _all_names(company: Company) -> Iterator[str]:
    yield company.name
    for name, source in company.origins.items():
        yield from (name, source.system, source.owner or "")
    for lights in company.named_lights.values():
        yield from _agreed(lights)
    for department in company.departments.values():
        yield from (department.department, department.owner or "")
    for id_, metric in company.metrics.items():
        yield company.label(id_)
        for accepted in metric.accept:
            yield from (accepted.owner, accepted.because)
        own = company.lights(id_)
        if own is not None:
            yield from _agreed(own)


def _agreed(lights: Lights) -> Iterator[str]:
    for light in (lights.green, lights.yellow, lights.red):
        if light is not None:
            yield from (light.means, light.do)
            if light.act_within:
                yield f"within {light.act_within}"


def worded(text: str, called: Iterable[str]) -> Phrase:
    """Return a text as a phrase in which names stand out; the longest of two that overlap."""
    longest = sorted({name for name in called if name.strip()}, key=len, reverse=True)
    if not longest:
        return (text,)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)")
    phrase: list[str | Span] = []
    end = 0
    for match in pattern.finditer(text):
        phrase += [text[end : match.start()], say.name(match[0])]
        end = match.end()
    return (*phrase, text[end:])


@dataclass(frozen=True)
class Number:
    """A number in a text: its place, its value as printed, and half of its last digit's worth."""

    start: int
    end: int
    text: str
    value: float
    within: float
    mark: str
    currency: str

    def same(self, other: Number) -> bool:
        """Return whether both print one number; `3 to 5 points` says the mark once for two."""
        alike = self.currency == other.currency and (self.mark == other.mark or not self.mark)
        return alike and self.value == other.value and self.within == other.within


@dataclass(frozen=True)
class Word:
    """A word that claims something, and where it stands."""

    start: int
    end: int
    text: str
    means: str


def cover(text: str, names: Iterable[str]) -> str:
    """Make names illegible in a text, the longest first; positions stay."""
    for name in sorted({name for name in names if name.strip()}, key=len, reverse=True):
        pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        text = pattern.sub(lambda match: COVER * len(match[0]), text)
    return text


def figures(text: str, locale: str = DEFAULT) -> list[Number]:
    """Return the numbers of a text as they are written in a locale, in order."""
    pattern, between, decimal = _written(locale)
    return [_figure(match, between, decimal) for match in pattern.finditer(text)]


@cache
def _written(locale: str) -> tuple[re.Pattern[str], str, str]:
    """Return how a locale writes numbers: the pattern, the signs in thousands, the decimal one."""
    group, decimal = get_group_symbol(locale), get_decimal_symbol(locale)
    between = "\u00a0\u202f " if group.isspace() else group.replace("\u2019", "\u2019'")
    dot = re.escape(decimal)
    thousands = rf"\d{{1,3}}(?:[{re.escape(between)}]\d{{{_narrow(locale)},3}})+(?!\d)"
    pattern = re.compile(
        rf"(?<![\w.,])(?P<sign>[+\-\u2212])?(?:(?P<currency>{_MONEY})[\u00a0\u202f ]?)?"
        rf"(?P<digits>(?:{thousands}|\d+)(?:{dot}\d+)?)(?P<scale>M|k|bn)?"
        rf"(?:[\u00a0\u202f ]?(?P<after>{_MONEY}))?"
        r"(?:\s?(?P<mark>%|percent(?!age)|points?\b))?(?![\w])"
    )
    return pattern, between, decimal


def _narrow(locale: str) -> int:
    """Return the fewest digits between two signs: two in India (`12,34,567`)."""
    return int(min(Locale.parse(locale).decimal_formats[None].grouping))


def _figure(match: re.Match[str], between: str, decimal: str) -> Number:
    digits = re.sub(f"[{re.escape(between)}]", "", match["digits"]).replace(decimal, ".")
    scale = _SCALES.get(match["scale"] or "", 1.0)
    sign = -1.0 if match["sign"] in {"-", "\u2212"} else 1.0
    decimals = len(digits.partition(".")[2])
    return Number(
        start=match.start(),
        end=match.end(),
        text=match[0],
        value=float(f"{sign * float(digits) * scale:.12g}"),
        within=0.5 * 10.0**-decimals * scale,
        mark=(match["mark"] or "").replace("percent", "%").removesuffix("s"),
        currency=match["currency"] or match["after"] or "",
    )


def typed_colours(text: str) -> list[Word]:
    """Return the lights that a text names; amber is yellow."""
    words = []
    for match in _COLOURS.finditer(text):
        means = match[0].lower().replace("amber", "yellow")
        words.append(Word(match.start(), match.end(), match[0], means))
    return words
