"""The pitch: a metric in one or two sentences that another department understands in 30 seconds.

People write it into params, with facts by name in braces. It is held to a gate before anybody reads
it: at most two sentences and 75 words (30 seconds at 150 words a minute), a school grade of at most
9, no word that a reader outside the department cannot know. A number that is typed is right once,
so only facts may say numbers; a length of time must be one that the definitions agree on.

Grade = .39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid et al., 1975). Syllables are
counted by the vowels that are heard: groups of vowels, less the silent e and ed, with the common
endings that break the rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dataops_nb import numbers
from dataops_nb.board import Board
from dataops_nb.company import Company
from dataops_nb.display import Fact, Phrase, Piece, Sentence, Told, say
from dataops_nb.errors import did_you_mean
from dataops_nb.story import comments
from dataops_nb.story.comments import names, worded
from dataops_nb.story.facts import facts

SENTENCES, WORDS, GRADE = 2, 75, 9.0
FIELDS = (
    *("value", "target", "target_low", "target_high", "previous", "same_last_year"),
    *("mtd", "qtd", "ytd", "center", "lower", "upper", "gap", "change", "change_last_year"),
    *("attainment", "light", "reason", "data_to"),
)
_TRADE = (
    "abm acv arr attribution backlog bandwidth blended burndown cac cadence churn cohort "
    "conversion cpl cpc cross-sell deliverable enablement firmographic funnel gmv gtm icp inbound "
    "kpi lift ltv mql mqls mrr nps nrr okr onboarding outbound pipeline pql qoq retention roas roi "
    "run-rate runrate sdr sla sql sqls stack synergy throughput touchpoint upsell velocity "
    "vertical yoy ytd "
)
_STAND_INS = {"light": "green", "reason": "late", "data_to": "Monday"}
JARGON = frozenset(_TRADE.split())
_ACRONYM = re.compile(r"\b[A-Z][A-Z0-9&]+s?\b")
_ID = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_ONCE = re.compile(r"[A-Za-z][A-Za-z'-]*")
NUMBERS = {
    **{"half": 0.5, "two": 2, "twice": 2, "double": 2, "doubled": 2, "three": 3, "four": 4},
    **{"five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11},
    **{"twelve": 12, "dozen": 12, "thirteen": 13, "twenty": 20, "fifty": 50, "hundred": 100},
    **{"thousand": 1000, "million": 1_000_000},
}
_LENGTH = re.compile(
    r"\b(one|a|{})[\s-]+(day|week|month|quarter|year)s?\b".format("|".join(NUMBERS)), re.IGNORECASE
)
_NUMBER = re.compile(r"\b({})\b".format("|".join(NUMBERS)), re.IGNORECASE)
_PERIOD = re.compile(r"\b(?:this|last|next)\s+(day|week|month|quarter|year)\b", re.IGNORECASE)
_FACT = re.compile(r"\{([^{}]*)\}")
_WORD = re.compile(r"[^\s]+")
_SPOKEN = re.compile(r"[^\W_]")
_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]?[^\sa-z])")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?<=[^aeiouy])(?:e|es|ed)$")
_HEARD = re.compile(r"(?:[td]ed|[^aeiouy]les?|(?:[sxz]|ch|sh|ce|ge|se|ze)es|[^aeiouy]res?)$")
_SPLIT = re.compile(
    r"i[ao](?!n\b|ns\b|us\b|l\b|lly\b|ble)|[^q]ua(?!r)|[^aeiou]eo|uou|ying|"
    r"[aeiouy]ing$|ism$|eate|iet|creat|[aeiou]y[aeiou]"
)
_JOINED = re.compile(r"(?:tio|sio|cia|tia|cio|gio|scio)")
# Words whose syllables the rule gets wrong, by how many they have.
_ONE = "does done gone some once eight whole while rate twelve"
_TWO = (
    "business every people being maybe sometimes therefore somewhere evening quiet client clients "
    "science review reviews real really before orders promised value our"
)
_THREE = (
    "everyone customer customers revenue area idea ideas recipe something different interest "
    "several created"
)
_KNOWN = {
    **dict.fromkeys(_ONE.split(), 1),
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_THREE.split(), 3),
    "everybody": 4,
}


@dataclass(frozen=True)
class Pitch:
    """One variant as it was typed and as it reads now, with what keeps it from being shown.

    `missing` names the facts that the data lack for this period: it is not shown then, and only
    its words are judged.
    """

    metric: str
    variant: str
    typed: str
    sentence: Sentence
    faults: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """How it reads now."""
        return self.sentence.text

    @property
    def facts(self) -> tuple[str, ...]:
        """The ids of the facts in it."""
        return self.sentence.facts

    @property
    def sound(self) -> bool:
        """Whether it may be shown."""
        return not self.faults and not self.missing


def pitch(board: Board, metric: str | None = None) -> Told:
    """Say the pitch of a metric (default: the lead) that may be shown; nothing where none may.

    It is the variant that was chosen, else the first that is sound. A metric whose period cannot be
    judged for want of data has none: a pitch would judge it all the same.

    >>> print(story.pitch(company))
    We sold €320.50 of €400.
    """
    name = metric or board.lead
    if board.row(name)["reason"] not in (None, "no target"):
        return Told(more=pitch_facts(board))
    choice = board.company.metrics[name].pitch_choice
    sound = [candidate for candidate in pitches(board, name) if candidate.sound]
    best = sound[:1]
    for candidate in sound:
        if choice is not None and candidate.variant == choice.use:
            best = [candidate]
    return Told(tuple(candidate.sentence for candidate in best), more=pitch_facts(board))


def pitches(board: Board, metric: str | None = None) -> list[Pitch]:
    """Return every pitch of a metric (default: of all metrics), filled and held to the gate."""
    known = pitch_facts(board)
    judged = []
    for name in [metric] if metric else board.metrics:
        for variant, typed in board.company.metrics[name].pitch.items():
            judged.append(_judged(board, name, variant, typed, known))
    return judged


def pitch_facts(board: Board) -> dict[str, Fact]:
    """Return the board's facts, with those of other metrics that its pitches name, by id."""
    known = facts(board)
    if board.pitched:
        known |= facts(board.pitched)
    return known


def _judged(board: Board, metric: str, variant: str, typed: str, known: dict[str, Fact]) -> Pitch:
    """Fill a pitch, and list what keeps it from being shown.

    The names of segments are read only where something does: that takes a query.
    """
    called = names(board.company)
    judged = _held(board, metric, variant, typed, known, called=called)
    if not judged.faults:
        return judged
    metrics = [name for name in metrics_in(typed, metric) if name in board.company.metrics]
    more = comments.segment_names(board, metrics)
    if not more:
        return judged
    return _held(board, metric, variant, typed, known, called=[*called, *more])


def _held(
    board: Board,
    metric: str,
    variant: str,
    typed: str,
    known: dict[str, Fact],
    *,
    called: list[str],
) -> Pitch:
    """Fill a pitch and hold it to the gate; what is `called` so claims nothing."""
    company = board.company
    fact_names = named(typed)
    wrong = [_no_fact(name, company) for name in fact_names if not _can_be(name, company)]
    unknown = [name for name in fact_names if name not in known]
    missing = tuple(name for name in unknown if _can_be(name, company))
    phrase, read = _filled(typed, known, called)
    light = known.get(f"{metric}.light")
    sentence = say(phrase, say.rests_on(light) if light else ())
    if wrong:
        return Pitch(metric, variant, typed, sentence, tuple(wrong), missing)
    metrics = metrics_in(typed, metric)
    problems = [*_gate(read), *_jargon(_without_money(typed, known), company)]
    problems += faults(phrase, metrics, board.grain, company)
    if not missing:
        problems += _colours(sentence, _lights(metrics, known))
    return Pitch(metric, variant, typed, sentence, tuple(problems), missing)


def _lights(metrics: Iterable[str], known: dict[str, Fact]) -> list[Fact]:
    return [known[f"{name}.light"] for name in metrics if f"{name}.light" in known]


def _filled(typed: str, known: dict[str, Fact], called: list[str]) -> tuple[Phrase, str]:
    """Return the pitch with its facts, and as it is read for length and grade.

    A fact that is missing is read as a word of one syllable; the stop of an abbreviation in a
    fact (`5 kr.`) or a name (`Dr. Oetker`) ends no sentence.
    """
    phrase: list[Piece] = []
    read, end = "", 0
    for match in _FACT.finditer(typed):
        before, name = typed[end : match.start()], match[1]
        fact: Piece = known[name] if name in known else say.name(match[0])
        phrase += [worded(before, called), fact]
        stand_in = _STAND_INS.get(name.partition(".")[2], "10")
        shown = fact.text if isinstance(fact, Fact) else stand_in
        read += _read(before, called) + re.sub(r"\.(?!\S)", "", shown)
        end = match.end()
    return (*phrase, worded(typed[end:], called)), read + _read(typed[end:], called)


def _read(text: str, called: list[str]) -> str:
    """Return words as they are read: without the stops inside their names."""
    return comments.without_stops(text, called).replace(comments.COVER, "")


def _can_be(name: str, company: Company) -> bool:
    metric, _, field = name.partition(".")
    return metric in company.metrics and field in FIELDS


def _no_fact(name: str, company: Company) -> str:
    metric, _, field = name.partition(".")
    if field in FIELDS:
        nearest = did_you_mean(metric, company.metrics)
        return f"{{{name}}}: no metric {metric!r}{nearest}"
    nearest = did_you_mean(field, FIELDS)
    return f"{{{name}}}: no such fact{nearest}; choose from {', '.join(FIELDS)}"


def _without_money(typed: str, known: dict[str, Fact]) -> str:
    """Return the pitch with its facts but amounts of money.

    The locale writes their currency (US$, $US, CHF); nobody has to explain it.
    """

    def shown(match: re.Match[str]) -> str:
        fact = known.get(match[1])
        return "10" if fact is None or numbers.is_currency(fact.unit) else fact.text

    return _FACT.sub(shown, typed)


def _gate(text: str) -> Iterator[str]:
    """Yield what is wrong with the words, whatever the numbers are."""
    count, too_many = len(words(text)), len(sentences(text)) > SENTENCES
    if not count:
        yield "is empty: write one or two sentences"
        return
    if too_many:
        yield f"{len(sentences(text))} sentences; {SENTENCES} at most"
    if count > WORDS:
        yield f"{count} words; {WORDS} at most (30 seconds): cut {count - WORDS}"
    level = grade(text)
    if level > GRADE:
        hard = f"hard to read (grade {level:.1f}; {GRADE:g} at most)"
        yield f"{hard}: shorten it, or replace {_longest(text)}"


def _colours(sentence: Sentence, lights: list[Fact]) -> Iterator[str]:
    """Yield colours in a pitch's plain words that are no light of what it speaks of."""
    shown = ", ".join(f"{light.id} is {light.text}" for light in lights)
    values = {str(light.value) for light in lights}
    for colour in comments.typed_colours(_plain(sentence)):
        if colour.means not in values:
            yield f"says {colour.text}, and {shown}: use a fact that supports it, or cut it"


def _plain(sentence: Sentence) -> str:
    """Return what people typed: a sentence without its facts and names."""
    typed = []
    for span in sentence.spans:
        if span.fact is None and not span.name:
            typed.append(span.text)
    return " … ".join(typed)


def _longest(text: str) -> str:
    by_length = sorted(dict.fromkeys(_ONCE.findall(text)), key=lambda word: -syllables(word))
    return ", ".join(by_length[:3])


def _singular(word: str) -> set[str]:
    """Return a word as it stands and, where it may be a plural, its singular."""
    return {word, word.removesuffix("s"), re.sub("ies$", "y", word)}


def _jargon(text: str, company: Company) -> Iterator[str]:
    """Yield words that another department may not know: acronyms, ids, words of the trade."""
    labels = map(company.label, company.metrics)
    named_words = " ".join([*labels, *company.glossary, company.name]).lower()
    defined = set(re.findall(r"[\w&-]+", named_words))
    trade = [word for word in _ONCE.findall(text) if not JARGON.isdisjoint(_singular(word.lower()))]
    for word in dict.fromkeys([*_ACRONYM.findall(text), *_ID.findall(text), *trade]):
        if defined.isdisjoint(_singular(word.lower())) and word not in {"I", "OK"}:
            yield f"{word!r} is jargon: explain it in params/glossary.yaml, or use another word"


def named(text: str) -> list[str]:
    """Return the facts that a text names, in order, as often as it does."""
    return _FACT.findall(text)


def metrics_in(text: str, *more: str) -> tuple[str, ...]:
    """Return the metrics whose facts a text names, and `more`, each once."""
    metrics = [name.partition(".")[0] for name in named(text)]
    return tuple(dict.fromkeys([*metrics, *more]))


def faults(phrase: Piece, metrics: Iterable[str], grain: str, company: Company) -> Iterator[str]:
    """Yield the numbers, lengths of time and periods in plain words that nobody agreed on.

    `metrics` are those that the pitch speaks of. Each fault comes with its remedy.
    """
    typed = _plain(say(phrase))
    yield from _numbers(typed, metrics, company)
    for period in _PERIOD.finditer(typed):
        if period[1].lower() != grain:
            yield f"a report by {grain} can't say {period[0]!r}: cut it"


def _numbers(typed: str, metrics: Iterable[str], company: Company) -> Iterator[str]:
    agreed = _lengths(company, metrics)
    for length in _LENGTH.finditer(typed):
        number, unit = length[1].lower(), length[2].lower()
        count = 1 if number in {"a", "one"} else NUMBERS[number]
        if count != 1 and (count, unit) not in agreed:
            listed = ", ".join(f"{size:g} {of}s" for size, of in sorted(agreed)) or "none"
            yield f"nothing defines {length[0]!r} here (known: {listed}): cut it"
    rest = _LENGTH.sub(" ", typed)
    for digits in re.findall(r"[$€£]?\d[\d.,]*\s?%?", rest):
        outdated = f"{digits.strip()} is typed in and will go out of date"
        yield f"{outdated}: use a fact, like {{metric.value}}"
    for word in _NUMBER.findall(rest):
        yield f"{word.lower()!r} is typed in and nothing supports it: use a fact or cut it"


def _lengths(company: Company, metrics: Iterable[str]) -> set[tuple[float, str]]:
    """Return the lengths of time agreed for these metrics: their links' lags, and windows."""
    wanted = set(metrics)
    lengths: set[tuple[float, str]] = set()
    for name, metric in company.metrics.items():
        for link in metric.moves:
            if link.after and wanted & {name, link.metric}:
                lengths.add((float(link.after.count), link.after.unit))
        window = getattr(metric, "window", None)
        if name in wanted and window:
            lengths.add((float(window.count), window.unit))
    return lengths


def words(text: str) -> list[str]:
    """Return the words of a text, as they stand between blanks, with a letter or digit in each."""
    return [word for word in _WORD.findall(text) if _SPOKEN.search(word)]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text.

    They end with . ! or ? before a blank and what is no small letter.
    """
    return [part for part in _END.split(text.strip()) if _SPOKEN.search(part)]


def syllables(word: str) -> int:
    """Count the syllables of a word as they are heard; a number counts one.

    The tools of the published formula count numbers the same way.
    """
    parts = [part for part in re.split(r"[-–—/]", word.lower()) if _SPOKEN.search(part)]
    if len(parts) > 1:
        return sum(map(syllables, parts))
    plain = re.sub(r"[^a-z]", "", re.sub(r"['’]s?$", "", word.lower()))
    if not plain:
        return 1 if _SPOKEN.search(word) else 0
    if plain in _KNOWN:
        return _KNOWN[plain]
    shorter = plain if _HEARD.search(plain) else _SILENT.sub("", plain)
    groups = len(_VOWELS.findall(shorter))
    split = len(_SPLIT.findall(_JOINED.sub("tyo", shorter)))
    return max(1, groups + split)


def grade(text: str) -> float:
    """Return the school grade at which a text can be read; -15.59 for one without words."""
    spoken = words(text)
    if not spoken:
        return -15.59
    length = 0.39 * len(spoken) / max(1, len(sentences(text)))
    return length + 11.8 * sum(map(syllables, spoken)) / len(spoken) - 15.59
