"""A page that comes back: what was changed in it is found, sentence by sentence, and what was not is left alone."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import re
from pathlib import Path

import pytest
from nbformat import v4

from dataops_nb import board, cli, definitions, sample, sources, story
from dataops_nb.errors import ReportError
from dataops_nb.publish import facts, page, verify
from dataops_nb.story import Fact, claims, disagreements, in_order, sentences

META = page.Meta("sales", "1.2.3")
END = dt.date(2026, 11, 22)


def fact(field, value, text, unit="deals", metric="won", period="2026-W47"):
    return Fact(f"{metric}.{field}", metric, None, period, field, value, unit, text)


VALUE, TARGET, GAP = fact("value", 41.0, "41"), fact("target", 45.0, "45"), fact("gap", -4.0, "4")
SHARE, LIGHT = fact("attainment", 41 / 45, "91 %"), fact("light", "yellow", "yellow")
CHANGE, YEAR = fact("change", 3.0, "3"), fact("change_last_year", -5.0, "5")
AGAINST = [VALUE, GAP, TARGET, SHARE, LIGHT]
SAID = "Won deals came to 41 in week 47, 4 below the target of 45 (91 % of it)."


def test_a_sentence_that_says_what_its_facts_say_is_let_pass():
    assert disagreements(SAID, AGAINST) == []
    assert disagreements("Up 3 on the week before, and down 5 on the same week last year.", [CHANGE, YEAR]) == []


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ("41", "47", "says 47"),
        ("below", "above", "'above'"),
        ("91 %", "100 %", "says 100 %"),
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
        ("Up 3 on the week before, and up 5 on the same week last year.", "won.change_last_year is -5.0"),
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


def test_days_and_percent_of_one_number_are_told_apart():
    low, hit = fact("target_low", 3.0, "3 days", "days"), fact("p_hit", 0.03, "3 %", "percent")
    text = "It ends at the agreed 3 days in 3 % of cases."
    assert in_order(text, [hit, low]) == [low, hit]
    assert disagreements(text, in_order(text, [hit, low])) == []


def test_a_part_of_a_word_says_no_direction():
    assert disagreements("Falling by about 1 sign-up a week.", [fact("decline", -1.0, "1 sign-up", "sign-ups")]) == []
    assert disagreements("Up by about 1 sign-up a week.", [fact("decline", -1.0, "1 sign-up", "sign-ups")])


def test_facts_are_put_into_the_order_in_which_a_sentence_prints_them():
    assert in_order(SAID, [LIGHT, SHARE, TARGET, GAP, VALUE]) == [VALUE, GAP, TARGET, SHARE, LIGHT]


def test_a_distance_as_large_as_its_target_is_told_apart_from_it():
    value, target, gap = fact("value", 52.0, "52"), fact("target", 26.0, "26"), fact("gap", 26.0, "26")
    said = "Sad customers came to 52 in week 47, 26 above the target of 26."
    told = in_order(said, [value, target, gap], ["Sad customers"])
    assert told == [value, gap, target]
    assert disagreements(said, told, ["Sad customers"]) == []


def test_a_change_told_in_words_alone_is_held_against_its_fact():
    value, still, rose = fact("value", 5.0, "5"), fact("change", 0.0, "0"), fact("change", 3.0, "3")
    assert disagreements("Features did not change: 5.", [value, still]) == []
    assert "won.change is 3.0" in "; ".join(disagreements("Features did not change: 5.", [value, rose]))


@pytest.mark.parametrize("reason", sentences._REASONS.values())
def test_why_something_cannot_be_judged_claims_nothing(reason):
    assert not [*claims.figures(reason), *claims.colours(reason), *claims.ways(reason), *claims.superlatives(reason)]


@pytest.mark.parametrize(
    ("text", "used", "holds"),
    [
        ("so no signal.", [], True),
        ("so no signal.", [fact("signal", "outside", "outside")], False),
        ("outside its usual range, a signal for the worse.",
         [fact("signal", "outside", "outside"), fact("variation", "special-cause concern", "")], True),
        ("outside its usual range, a signal for the better.",
         [fact("signal", "outside", "outside"), fact("variation", "special-cause concern", "")], False),
        ("within its usual range.", [fact("signal", "outside", "outside")], False),
        ("inside the agreed 3 to 7.", [fact("target_low", 3.0, "3"), fact("target_high", 7.0, "7"), fact("value", 5.0, "5")], True),
        ("inside the agreed 3 to 7.", [fact("target_low", 3.0, "3"), fact("target_high", 7.0, "7"), fact("value", 8.0, "8")], False),
        ("A and B agree.", [fact("agrees_with_b", "no", "no")], False),
        ("A and B do not agree.", [fact("agrees_with_b", "no", "no")], True),
    ],
)  # fmt: skip
def test_what_is_said_of_ranges_signals_and_agreement_is_held_against_its_fact(text, used, holds):
    assert (disagreements(text, used) == []) == holds


# --- pages ------------------------------------------------------------------------------------------------------------


def built(*told, altitude="analyst", known=(), names=(), prose="Prose without a number.", meanings=()):
    bundle = {
        facts.SENTENCES: {"sentences": [{"text": t, "facts": list(f), "kind": k, "light": c} for t, f, k, c in told]}
    }
    payload = {
        "schema_version": 1, "complete": True, "company": "Lumen", "department": "Sales", "title": "Sales", "owner": "Ann",
        "as_of": "2026-11-22", "grain": "week", "period": "2026-W47", "data_to": "2026-11-21", "light": "yellow", "reason": None,
        "headline": told[0][0], "headline_facts": list(told[0][1]), "facts": [each.as_dict() for each in known], "rows": [],
        "names": list(names), "meanings": dict(meanings), "sources": [], "warnings": ["The source deals is overdue."],
    }  # fmt: skip
    cells = [v4.new_markdown_cell(prose), v4.new_code_cell("s", outputs=[v4.new_output("display_data", data=bundle)])]
    cells.append(v4.new_code_cell("r", outputs=[v4.new_output("display_data", data={facts.MIME: payload})]))
    return page.build(v4.new_notebook(cells=cells), altitude, META)


@pytest.fixture
def sent():
    return built((SAID, [each.id for each in AGAINST], "headline", "yellow"), known=AGAINST)


def test_an_untouched_page_agrees_with_its_facts(sent):
    assert verify.page(sent) == []


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (f">{SAID}<", ">Won deals came to 44 in week 47, 1 below the target of 45 (98 % of it).<"),
        ("Prose without a number", "Prose with a number"),
        ("The source deals is overdue", "The source deals is fresh"),
        ("</span> Yellow", "</span> Green"),
        ('data-light="yellow"', 'data-light="green"'),
        ("as of <time", "as of yesterday <time"),
        ("<h1>Sales</h1>", "<h1>Sales, great week</h1>"),
        ('aria-label="Read this first"', 'aria-label="Nothing to see"'),
        ("Ann", "Bob"),
        ("<li>The source deals is overdue.</li>", ""),
    ],
)
def test_a_text_that_was_changed_anywhere_on_the_page_is_refused(sent, was, now):
    changed = sent.replace(was, now, 1)
    assert changed != sent
    assert verify.page(changed)


def test_a_sentence_that_was_changed_wherever_it_stands_is_refused_by_its_facts(sent):
    changed = sent.replace("came to 41", "came to 47")
    assert changed.count("came to 47") == 2
    wrong = verify.page(changed)
    assert any("came to 47" in each.sentence and "won.value is 41" in each.problem for each in wrong)


def test_facts_that_were_changed_in_the_page_alone_are_refused(sent):
    assert verify.page(sent.replace('"value":41.0', '"value":41.2'))


def test_a_page_without_facts_is_refused():
    assert "carries no facts" in verify.page("<p>Everything is fine.</p>")[0].problem


def test_a_page_whose_sentence_contradicts_its_facts_is_never_built():
    with pytest.raises(ReportError, match=r"'Won deals came to 42.' does not agree with its facts: says 42"):
        built(("Won deals came to 42.", ["won.value"], "line", None), known=[VALUE])


def test_the_command_names_the_page_and_the_sentence(sent, tmp_path, capsys):
    good, bad = tmp_path / "good.html", tmp_path / "bad.html"
    good.write_text(sent)
    bad.write_text(sent.replace("below", "above"))
    assert cli.main(["verify", str(good)]) == 0
    assert cli.main(["verify", str(good), str(bad), "--json"]) == 1
    said = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert [each["ok"] for each in said["pages"]] == [True, False]
    assert said["pages"][1]["problems"][0]["sentence"] == SAID.replace("below", "above")
    assert cli.main(["verify", str(tmp_path / "none.html")]) == 2


@pytest.mark.parametrize("name", ["report.eml", "index.pdf", "report.ipynb", "numbers.csv", "facts.json", "site.zip"])
def test_what_is_no_page_is_refused_with_what_to_check_instead(tmp_path, capsys, name):
    (tmp_path / name).write_bytes(b"\xff\xfe anything")
    assert cli.main(["verify", str(tmp_path / name)]) == 1
    assert re.search(r": is .+: (unpack it, and )?check .*page", capsys.readouterr().err)


# --- the sentences of a company, mutated ------------------------------------------------------------------------------

FLIPS = {
    "above": "below", "below": "above", "up": "down", "down": "up", "Up": "Down", "Down": "Up", "rose": "fell", "fell": "rose",
    "more": "less", "less": "more", "inside": "outside", "within": "outside", "Level": "Up", "exactly": "above",
    "lower": "higher", "better": "worse", "worse": "better", "most": "least",
}  # fmt: skip
COLOURS = {"green": "red", "yellow": "green", "red": "green"}


def digit(chance, text):
    places = [hit.start() for hit in re.finditer(r"\d", text)]
    at = chance.choice(places) if places else None
    return (
        None if at is None else text[:at] + chance.choice([d for d in "0123456789" if d != text[at]]) + text[at + 1 :]
    )


def flip(chance, text):
    found = [
        hit
        for hit in re.finditer(r"\b(\w+)\b", text)
        if hit[0] in FLIPS and "moved it most" not in text[hit.start() - 9 : hit.end()]
    ]
    hit = chance.choice(found) if found else None
    return None if hit is None else text[: hit.start()] + FLIPS[hit[0]] + text[hit.end() :]


def colour(chance, text):
    hit = re.search(r"\b(green|yellow|red)\b", text, re.IGNORECASE)
    if hit is None:
        return None
    other = COLOURS[hit[0].lower()]
    return text[: hit.start()] + (other.capitalize() if hit[0][0].isupper() else other) + text[hit.end() :]


def swap(chance, text):
    """Two different numbers change places: a comparison the other way round."""
    hits = list(re.finditer(r"(?<![\w.,])\d[\d,.]*\d|(?<![\w.,])\d", text))
    pairs = [(a, b) for a, b in itertools.pairwise(hits) if a[0] != b[0]]
    if not pairs:
        return None
    a, b = chance.choice(pairs)
    return text[: a.start()] + b[0] + text[a.end() : b.start()] + a[0] + text[b.end() :]


def superlative(chance, text):
    if "moved it most" in text:
        return text.replace("moved it most", "moved it least")
    return (
        re.sub(
            r" (came to|stood at) ",
            lambda hit: f" hit its {chance.choice(['highest', 'lowest', 'best'])}: ",
            text,
            count=1,
        )
        if re.search(r" (came to|stood at) ", text)
        else None
    )


MUTATIONS = (digit, flip, colour, swap, superlative)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    sample.write(folder, seed=20, end=END, weeks=130)
    return folder


@pytest.fixture(scope="module", params=["en_US", "de_DE"])
def said(request, exports):
    """What the reports of the sample company say in two locales: (text, facts, names, locale)."""
    packaged, locale, folder = definitions.load(Path(__file__).parents[1] / "params"), request.param, exports
    known = packaged.model_copy(update={"company": packaged.company.model_copy(update={"locale": locale})})
    names = story.names(known)
    out = []
    with sources.open(known, folder, END) as catalog:
        for department in ("sales", "customer_service", "sdr") if locale == "en_US" else ("sales", "customer_service"):
            this = board.of(catalog, list(known.departments[department].metrics), department=department)
            found = {**story.facts(this)}
            told = [
                story.headline(this),
                story.action(this),
                story.lines(this),
                story.moved(this),
                story.explained(this),
            ]
            found |= {each["id"]: Fact(**each) for each in story.record(this).payload["facts"]}
            out += [(s.text, [found[i] for i in s.facts], names) for each in told for s in each.sentences if s.facts]
    return [(text, in_order(text, used, names, locale), names, locale) for text, used, names in out]


def test_what_the_reports_say_agrees_with_its_facts(said):
    assert len(said) > 25
    assert {text: wrong for text, *known in said if (wrong := disagreements(text, *known))} == {}


def test_two_hundred_seeded_mutations_are_refused_by_their_facts_alone(said):
    """A digit changed, a direction or comparison reversed, a colour swapped, two numbers exchanged, a superlative made up.

    The stored sentence is changed with the visible one, and no seal is asked: the facts alone must refuse it.
    """
    chance, tried, passed = random.Random(20261122), 0, []
    while tried < 200:
        text, used, names, locale = chance.choice(said)
        mutated = chance.choice(MUTATIONS)(chance, text)
        if mutated is None or mutated == text:
            continue
        tried += 1
        if not disagreements(mutated, used, [name for name in names if name in text], locale):
            passed.append((text, mutated))
    print(f"{tried} mutations, {tried - len(passed)} refused")
    assert passed == []


def test_a_number_tells_on_a_touch_what_it_is():
    meaning = {
        "won": {
            "label": "Won deals",
            "question": "Do we win?",
            "how": "how many rows in deals",
            "systems": ["CRM"],
            "data_to": "Sat 21 Nov 2026",
        }
    }
    html = built((SAID, [each.id for each in AGAINST], "headline", "yellow"), known=AGAINST, meanings=meaning)
    tip = "Won deals, value, 2026-W47: how many rows in deals. Source: CRM, data to Sat 21 Nov 2026."
    assert f'data-tip="{tip}">41</span> in week 47, <span' in html
    assert "How this was computed" in html
    assert verify.page(html) == []
    assert verify.page(html.replace("data to Sat 21", "data to Sun 22"))


def test_a_link_that_leads_elsewhere_is_found():
    html = page.document(
        "A page", '<main><p><a href="../index.html">All reports</a></p></main>', {"sentences": [], "facts": []}
    )
    assert verify.page(html) == []
    assert "links" in verify.page(html.replace("../index.html", "https://elsewhere.example"))[0].problem


def test_at_a_glance_numbers_that_are_alike_tell_each_what_they_are():
    value, target, previous, before = (
        Fact(f"won.{field}", "won", None, "2026-W47", field, number, "deals", text)
        for field, number, text in (
            ("value", 13.0, "13"), ("target", 12.6, "13"), ("previous", 13.0, "13"), ("same_last_year", 13.2, "13"),
        )
    )  # fmt: skip
    text = "Now 13 · Target 13 · Week before 13 · Same week last year 13"
    printed = in_order(text, [before, previous, target, value])
    assert [fact.field for fact in printed] == ["value", "target", "previous", "same_last_year"]


@pytest.mark.parametrize(
    "facts",
    ["[]", "null", '{"facts": 1, "sentences": 2, "seal": 3}', '{"facts": [1], "sentences": [1], "seal": {"texts": 4}}',
     '{"facts": [{"id": "won.value"}], "sentences": [{"facts": ["won.value"]}], "seal": {}}',],
)  # fmt: skip
def test_a_page_whose_facts_were_spoilt_is_refused(sent, facts):
    spoilt = verify.FACTS.sub(f'<script type="application/json" id="facts">{facts}</script>', sent)
    assert "carries no facts" in verify.page(spoilt)[0].problem


def test_a_page_of_no_known_language_is_refused(sent):
    assert "carries no facts" in verify.page(sent.replace('"locale":"en_US"', '"locale":"xx"'))[0].problem


def test_a_file_that_is_no_text_is_refused_and_the_others_are_looked_at(sent, tmp_path, capsys):
    (tmp_path / "odd.html").write_bytes(b"\xff\xfe<\x00p\x00")
    (tmp_path / "marked.html").write_bytes(b"\xef\xbb\xbf" + sent.encode())  # as an editor on Windows saves it
    assert cli.main(["verify", str(tmp_path / "odd.html"), str(tmp_path / "marked.html"), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [(each["ok"], [p["problem"] for p in each["problems"]]) for each in said["pages"]] == [
        (False, ["is not a page: not UTF-8 text"]), (True, []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "attribute", ["hidden", 'style="display: none"', 'onclick="this.textContent = 1"', 'class="nb-narrow"']
)
def test_an_attribute_that_can_hide_or_rewrite_a_sentence_is_found(sent, attribute):
    assert "are not those it was built with" in verify.page(sent.replace("<p ", f"<p {attribute} ", 1))[0].problem
