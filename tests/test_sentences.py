"""What the package says is true: a reader of English holds each sentence against its facts.

The reader is `tests/sentences.py`; only tests have it. Mutated sentences show that it would refuse
a false one.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
import re
from pathlib import Path

import pytest

from dataops_nb import board, definitions, sources, story
from dataops_nb.display import Fact, say
from dataops_nb.story import actions, comments
from dataops_nb.story.wordings import UNJUDGED
from dataops_nb.workbench import sample
from tests.sentences import disagreements, in_order, out_of_place, superlatives, ways, wrong
from tests.story.test_wordings import NEVER

ROOT = Path(__file__).parents[1]
END = dt.date(2026, 11, 22)
OWN = ("why", "title", "note", "reason")


def fact(field, value, text, unit="deals", metric="won", period="2026-W47"):
    return Fact(f"{metric}.{field}", metric, None, period, field, value, unit, text)


VALUE, TARGET, GAP = fact("value", 41.0, "41"), fact("target", 45.0, "45"), fact("gap", -4.0, "4")
SHARE, LIGHT = fact("attainment", 41 / 45, "91%"), fact("light", "yellow", "yellow")
CHANGE, YEAR = fact("change", 3.0, "3"), fact("change_last_year", -5.0, "5")
AGAINST = [VALUE, GAP, TARGET, SHARE, LIGHT]
SAID = "Won deals came to 41 in week 47, 4 below the target of 45 (91% of it)."


def test_a_sentence_that_says_what_its_facts_say_is_let_pass():
    assert disagreements(SAID, AGAINST) == []
    assert (
        disagreements(
            "Up 3 on the week before, and down 5 on the same week last year.", [CHANGE, YEAR]
        )
        == []
    )


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ("41", "47", "says 47"),
        ("below", "above", "'above'"),
        ("91%", "100%", "says 100%"),
        ("week 47", "week 46", "says 46"),
        ("41 in", "45 in", "says 45"),
        ("4 below the target of 45", "45 below the target of 4", "says 4,"),
        ("Won", "Yellow won", ""),
        ("Won", "Red won", "says Red"),
        ("Won", "The most won", "'most'"),
    ],
)
def test_a_changed_word_is_named(was, now, why):
    wrong = "; ".join(disagreements(SAID.replace(was, now, 1), AGAINST))
    assert why in wrong if why else not wrong


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Down 3 on the week before, and down 5 on the same week last year.", "won.change is 3.0"),
        (
            "Up 3 on the week before, and up 5 on the same week last year.",
            "won.change_last_year is -5.0",
        ),
        ("Level with the week before, and down 5 on the same week last year.", "'Level'"),
    ],
)
def test_each_direction_is_held_against_the_change_it_speaks_of(text, why):
    assert why in "; ".join(disagreements(text, [CHANGE, YEAR]))


def test_a_number_that_is_not_its_value_is_refused_even_where_the_sentence_repeats_it():
    assert "prints '47'" in "; ".join(disagreements("It came to 47.", [fact("value", 41.0, "47")]))


def test_digits_and_colours_in_a_name_claim_nothing():
    assert disagreements("Red Line 7 came to 41.", [VALUE], ["Red Line 7"]) == []
    assert disagreements("Red Line 8 came to 41.", [VALUE], ["Red Line 7"])


def test_a_part_of_a_word_says_no_direction():
    assert (
        disagreements(
            "Falling by about 1 sign-up a week.", [fact("decline", -1.0, "1 sign-up", "sign-ups")]
        )
        == []
    )
    assert disagreements(
        "Up by about 1 sign-up a week.", [fact("decline", -1.0, "1 sign-up", "sign-ups")]
    )


def test_a_change_told_in_words_alone_is_held_against_its_fact():
    value, still, rose = fact("value", 5.0, "5"), fact("change", 0.0, "0"), fact("change", 3.0, "3")
    assert disagreements("Features did not change: 5.", [value, still]) == []
    assert "won.change is 3.0" in "; ".join(
        disagreements("Features did not change: 5.", [value, rose])
    )


def test_two_days_exchanged_are_out_of_place():
    due, since = fact("act_by", "2026-08-28", "28 Aug"), fact("light_since", "2026-08-23", "23 Aug")
    sentence = say("It was due ", due, " and nothing is recorded since ", since, ".")
    assert out_of_place(sentence.text, sentence) == []
    exchanged = "It was due 23 Aug and nothing is recorded since 28 Aug."
    assert "'23 Aug'" in "; ".join(out_of_place(exchanged, sentence))


@pytest.mark.parametrize("reason", UNJUDGED.values())
def test_why_something_cannot_be_judged_claims_nothing(reason):
    assert not [
        *comments.figures(reason),
        *comments.typed_colours(reason),
        *ways(reason),
        *superlatives(reason),
    ]


@pytest.mark.parametrize(
    ("text", "used", "holds"),
    [
        ("An ordinary week.", [fact("variation", "common cause", "")], True),
        ("An ordinary week.", [], False),
        ("An ordinary week.", [fact("signal", "outside", "outside")], False),
        ("A real change.", [], False),
        ("A real change for the worse.",
         [fact("signal", "outside", "outside"), fact("variation", "special-cause concern", "")], True),
        ("A real change for the better.",
         [fact("signal", "outside", "outside"), fact("variation", "special-cause concern", "")], False),
        ("inside the agreed 3 to 7.", [fact("target_low", 3.0, "3"), fact("target_high", 7.0, "7"), fact("value", 5.0, "5")], True),
        ("inside the agreed 3 to 7.", [fact("target_low", 3.0, "3"), fact("target_high", 7.0, "7"), fact("value", 8.0, "8")], False),
        ("A and B agree.", [fact("agrees_with_b", "no", "no")], False),
        ("A and B disagree.", [fact("agrees_with_b", "no", "no")], True),
    ],
)  # fmt: skip
def test_what_is_said_of_ranges_signals_and_agreement_is_held_against_its_fact(text, used, holds):
    assert (disagreements(text, used) == []) == holds


def test_a_number_that_no_fact_carries_is_found():
    assert wrong(say("Won deals came to ", VALUE, ", 7 more than hoped."))
    assert wrong(say("Won deals came to ", VALUE, " in ", say.name("week 47"), ".")) == []


# --- the sentences of a company, mutated ------------------------------------------------------------------------------

PAIRS = (
    *(("above", "below"), ("up", "down"), ("Up", "Down"), ("rose", "fell"), ("more", "less")),
    ("better", "worse"),
)
FLIPS = {
    **dict(PAIRS),
    **{second: first for first, second in PAIRS},
    **{"inside": "outside", "within": "outside", "Level": "Up", "exactly": "above"},
    **{"lower": "higher", "most": "least"},
}
COLOURS = {"green": "red", "yellow": "green", "red": "green"}


def replaced(text, match, new):
    return text[: match.start()] + new + text[match.end() :]


def digit(chance, text):
    """Another digit."""
    digits = list(re.finditer(r"\d", text))
    if not digits:
        return None
    match = chance.choice(digits)
    return replaced(text, match, chance.choice([d for d in "0123456789" if d != match[0]]))


def flip(chance, text):
    """Another direction, or the other side of a bound; `moved it most` has its own mutation."""
    words = []
    for match in re.finditer(r"\b(\w+)\b", text):
        if match[0] in FLIPS and "moved it most" not in text[match.start() - 9 : match.end()]:
            words.append(match)
    if not words:
        return None
    match = chance.choice(words)
    return replaced(text, match, FLIPS[match[0]])


def colour(chance, text):
    """Another light."""
    match = re.search(r"\b(green|yellow|red)\b", text, re.IGNORECASE)
    if match is None:
        return None
    other = COLOURS[match[0].lower()]
    return replaced(text, match, other.capitalize() if match[0][0].isupper() else other)


def swap(chance, text):
    """Two different numbers change places: a comparison the other way round."""
    numbers = list(re.finditer(r"(?<![\w.,])\d[\d,.]*\d|(?<![\w.,])\d", text))
    pairs = [(a, b) for a, b in itertools.pairwise(numbers) if a[0] != b[0]]
    if not pairs:
        return None
    a, b = chance.choice(pairs)
    return text[: a.start()] + b[0] + text[a.end() : b.start()] + a[0] + text[b.end() :]


def superlative(chance, text):
    """A record that nobody counted."""
    match = re.search(r" (was|were|rose|fell) ", text)
    if match is None:
        return None
    best = chance.choice(["highest", "lowest", "best"])
    return replaced(text, match, f" hit its {best}: ")


MUTATIONS = (digit, flip, colour, swap, superlative)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    sample.write(folder, seed=20, end=END, weeks=130)
    return folder


WORDS = (
    "headline now action notes lines moved movement explained findings links luck paced reactions "
    "changed restated track untold agreements"
)
WORDS_OF_A_METRIC = "headline explained for_departments worth mind pitch action"


def everything(this):
    """Every sentence that a board says."""
    sentences = []
    for word in WORDS.split():
        # Where an open period leads is asked of every metric; all else of the board.
        arguments = (this, this.metrics) if word == "paced" else (this,)
        sentences += getattr(story, word)(*arguments).sentences
    for name in this.metrics:
        for word in WORDS_OF_A_METRIC.split():
            sentences += getattr(story, word)(this, name).sentences
    return sentences


def disagreeing(sentences):
    """What is wrong with sentences, each with its locale, by their texts."""
    problems = {}
    for sentence, locale in sentences:
        wrongs = wrong(sentence, locale)
        if wrongs:
            problems[sentence.text] = wrongs
    return problems


def company(params, locale):
    packaged = definitions.load(params)
    return packaged.model_copy(update={"locale": locale})


@pytest.fixture(scope="module", params=["en_US", "de_DE"])
def said(request, exports):
    """What the reports of the sample company say in two locales, each with its locale."""
    known = company(ROOT / "params", request.param)
    english = ("sales", "customer_service", "sdr", "product")
    departments = english if request.param == "en_US" else english[:2]
    out = []
    with sources.open(known, exports, END, keep=exports / "kept") as catalog:
        for department in departments:
            metrics = list(known.departments[department].metrics)
            out += everything(board.measure(catalog, metrics, department=department))
    return [(sentence, request.param) for sentence in out]


@pytest.mark.long
def test_the_id_of_a_fact_is_its_metric_and_field(said):
    """After them stands only another period, or a segment or item in brackets."""
    odd = set()
    for sentence, _ in said:
        for fact in sentence.known.values():
            stem = f"{fact.metric}.{fact.field}"
            if not re.fullmatch(re.escape(stem) + r"(@[\w-]+|\[[^\]]*\])*", fact.id):
                odd.add((fact.id, stem))
    assert odd == set()


@pytest.mark.long
def test_what_the_reports_say_agrees_with_its_facts(said):
    assert len(said) > 100
    assert disagreeing(said) == {}


@pytest.mark.long
def test_no_sentence_of_the_sample_explains_itself_to_its_maker(said):
    """Names, pitches and what people wrote aside."""
    for sentence, _ in said:
        own = "".join(span.text for span in sentence.spans if not span.name)
        assert not NEVER.search(own), sentence.text


@pytest.mark.long
def test_the_list_of_the_sample_agrees_with_its_facts(exports):
    known = company(ROOT / "params", "en_US")
    with sources.open(known, exports, END, keep=exports / "kept") as catalog:
        this = board.measure(catalog, known.company.north_star)
        found = [*actions.solving(this).sentences, *story.first(this).sentences, *everything(this)]
    assert disagreeing((sentence, "en_US") for sentence in found) == {}


@pytest.mark.long
@pytest.mark.parametrize("day", [dt.date(2018, 5, 31), dt.date(2018, 8, 31)])
def test_what_a_real_company_is_told_agrees_with_its_facts(shared, day):
    known = definitions.load(ROOT / "examples" / "olist" / "params")
    with sources.open(known, shared("olist"), day) as catalog:
        monthly = [name for name, metric in known.metrics.items() if "month" in metric.grains]
        found = everything(board.measure(catalog, monthly, grain="month"))
    assert len(found) > 50
    assert disagreeing((sentence, "en_US") for sentence in found) == {}


def is_judged(sentence):
    """Whether a sentence is about the lights and numbers of a metric, and nobody's own words."""
    return not any(
        isinstance(span.fact.value, str) and span.fact.field in OWN
        for span in sentence.spans
        if span.fact
    )


@pytest.mark.long
def test_two_hundred_seeded_mutations_are_refused_by_their_facts_alone(said):
    """A digit changed, a direction or comparison reversed, a colour swapped, two numbers exchanged, a superlative made up.

    The stored sentence is changed with the visible one, and no seal is asked: the facts alone must refuse it.
    """
    chance, tried, passed, by_words = random.Random(20261122), 0, [], 0
    numbered = [(each, locale) for each, locale in said if each.facts and is_judged(each)]
    while tried < 200:
        sentence, locale = chance.choice(numbered)
        text, names = sentence.text, [span.text for span in sentence.spans if span.name]
        mutated = chance.choice(MUTATIONS)(chance, text)
        if mutated is None or mutated == text:
            continue
        tried += 1
        by_words += bool(disagreements(mutated, in_order(sentence), names, locale))
        if not (
            disagreements(mutated, in_order(sentence), names, locale)
            or out_of_place(mutated, sentence)
        ):
            passed.append((text, mutated))
    print(f"{tried} mutations, {tried - len(passed)} refused, {by_words} by the words alone")
    assert passed == []
    assert by_words >= 190
