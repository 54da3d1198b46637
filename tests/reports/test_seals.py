"""A page that comes back: what was changed in it is found, sentence by sentence, and what was not is left alone."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from nbformat import v4

from dataops_nb import cli, display, numbers
from dataops_nb.display import Fact, Told, say
from dataops_nb.errors import ReportError
from dataops_nb.reports import pages
from dataops_nb.reports.pages import markup, seals
from dataops_nb.reports.pages import notebook as notebook_

META = pages.Meta("sales", "1.2.3")


def fact(field, value, text, unit="deals", metric="won", period="2026-W47"):
    return Fact(f"{metric}.{field}", metric, None, period, field, value, unit, text)


VALUE, TARGET, GAP = fact("value", 41.0, "41"), fact("target", 45.0, "45"), fact("gap", -4.0, "4")
SHARE, LIGHT = fact("attainment", 41 / 45, "91 %"), fact("light", "yellow", "yellow")
SAID = "Won deals came to 41 in week 47, 4 below the target of 45 (91 % of it)."
WON, WEEK = say.name("Won deals"), say.name("week 47")
SENTENCE = say(
    WON, " came to ", VALUE, " in ", WEEK, ", ", GAP, " below the target of ", TARGET, " (", SHARE, " of it).",
    say.rests_on(LIGHT), kind="headline", light="yellow",
)  # fmt: skip


# --- pages ------------------------------------------------------------------------------------------------------------


def notebook(*told, known=(), prose="Prose without a number.", meanings=()):
    payload = {
        "schema_version": 1, "complete": True, "company": "Lumen", "department": "Sales", "title": "Sales", "owner": "Ann",
        "as_of": "2026-11-22", "grain": "week", "period": "2026-W47", "data_to": "2026-11-21", "light": "yellow", "reason": None,
        "headline": SAID, "headline_facts": [], "facts": [each.as_dict() for each in known], "rows": [],
        "meanings": dict(meanings), "sources": [], "warnings": ["The source deals is overdue."],
    }  # fmt: skip
    cells = [v4.new_markdown_cell(prose)]
    for data in (*told, {notebook_.MIME: payload}):
        cells.append(v4.new_code_cell("s", outputs=[v4.new_output("display_data", data=data)]))
    return v4.new_notebook(cells=cells)


def built(*sentences, **options):
    bundle = Told(sentences)._repr_mimebundle_()
    return pages.build(notebook(bundle, **options), "analyst", META)


@pytest.fixture
def sent():
    return built(SENTENCE)


def test_an_untouched_page_agrees_with_its_facts(sent):
    assert seals.page(sent) == []


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (">Won deals came to 41 in ", ">Won deals came to 44 in "),
        ("Prose without a number", "Prose with a number"),
        ("The source deals is overdue", "The source deals is fresh"),
        ("</span> Yellow", "</span> Green"),
        ('data-light="yellow"', 'data-light="green"'),
        ("as of <time", "as of yesterday <time"),
        ("<h1>Sales</h1>", "<h1>Sales, great week</h1>"),
        ('aria-label="Check before you use these numbers"', 'aria-label="Nothing to see"'),
        ("Ann", "Bob"),
        ("<li>The source deals is overdue.</li>", ""),
    ],
)
def test_a_text_that_was_changed_anywhere_on_the_page_is_refused(sent, was, now):
    changed = sent.replace(was, now, 1)
    assert changed != sent
    assert seals.page(changed)


def test_a_sentence_that_was_changed_wherever_it_stands_is_refused_by_its_facts(sent):
    changed = sent.replace("came to 41", "came to 47")
    assert changed.count("came to 47") == 2
    wrong = seals.page(changed)
    assert any(
        "came to 47" in each.sentence and "the fact is 41 (won.value)" in each.problem
        for each in wrong
    )


def test_facts_that_were_changed_in_the_page_alone_are_refused(sent):
    assert seals.page(sent.replace('"value":41.0', '"value":41.2'))


def test_a_page_without_facts_is_refused():
    assert "not a dataops-nb page" in seals.page("<p>Everything is fine.</p>")[0].problem


def test_a_sentence_brings_its_facts_to_the_page_and_to_facts_json():
    made = notebook(Told((SENTENCE,))._repr_mimebundle_())
    assert {fact["id"] for fact in notebook_.of(made)["facts"]} == set(SENTENCE.facts)
    assert seals.page(pages.build(made, "analyst", META)) == []


@pytest.mark.parametrize("unit", ["point", "points", "%"])
def test_a_unit_that_reads_like_the_mark_of_a_share_is_none(unit):
    right, wrong = (fact("value", value, f"860 {unit}", unit) for value in (860.0, 86.0))
    assert seals.page(built(say(WON, " came to ", right, "."))) == []
    assert "the fact is 86.0" in seals.page(built(say(WON, " came to ", wrong, ".")))[0].problem


@pytest.mark.parametrize("unit", ["", "percent", "USD"])
@pytest.mark.parametrize(("value", "holds"), [(-1.8e-09, True), (0.0, False), (2e-02, False)])
def test_a_change_too_small_to_write_is_less_than_the_least_number(unit, value, holds):
    change = fact("change", value, numbers.at("en_US").gap(1.8e-09, unit), unit)
    page = built(say(WON, " fell ", change, " from the week before."))
    assert (seals.page(page) == []) is holds


def test_sentences_of_two_boards_may_state_one_fact_of_two_periods():
    month = fact("value", 180.0, "180", period="2026-11")
    other = Told((say(WON, " came to ", month, "."),))
    shown = [told._repr_mimebundle_() for told in (Told((SENTENCE,)), other)]
    html = pages.build(notebook(*shown), "analyst", META)
    assert "Won deals came to 180." in re.sub("<[^>]*>", "", html)
    assert seals.page(html) == []


def test_a_sentence_of_an_older_version_is_plain_words():
    told = {"text": "Red Line 7 came to 41.", "facts": ["won.value"], "kind": "line", "light": None}
    html = pages.build(notebook({display.SENTENCES: {"sentences": [told]}}), "analyst", META)
    assert "<li>Red Line 7 came to 41.</li>" in html
    assert seals.page(html) == []
    assert seals.page(html.replace("came to 41", "came to 47"))


def test_a_fact_that_nobody_brought_is_refused():
    bundle = Told((SENTENCE,))._repr_mimebundle_()
    bundle[display.SENTENCES]["facts"] = []
    with pytest.raises(ReportError, match=r"needs the fact 'won.value', missing from this report"):
        pages.build(notebook(bundle), "analyst", META)


def forged(html):
    """A page sealed anew by somebody who knows how."""
    bare = seals.FACTS.sub("", html)
    travelling = json.loads(seals.FACTS.search(html)[1])
    seal = markup.data({**travelling, "seal": seals.seal(bare, travelling)})
    script = f'<script type="application/json" id="facts">{seal}</script>'
    return seals.close(seals.FACTS.sub(lambda _: script, html))


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ("41", "47", "the fact is 41 (won.value)"),
        ("91 %", "100 %", "the fact is 91 % (won.attainment)"),
        (" below the target", " below the target, 2 a day,", "says 2"),
        (" below the target", " below the green target", "says green"),
    ],
)
def test_a_forged_seal_does_not_hide_a_number_that_is_not_its_fact(sent, was, now, why):
    assert seals.page(forged(sent)) == []
    changed = re.sub(rf"(?<![\w.-]){was}(?![\w%.])", now, sent)
    changed = changed.replace(f'"unit":"deals","text":"{now}"', f'"unit":"deals","text":"{was}"')
    assert why in "; ".join(problem.problem for problem in seals.page(forged(changed)))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("\n<main>", "\n\n<main>"),
        ("<!doctype html>", "<!DOCTYPE html>"),
        ("</html>\n", "</html>"),
        ("\n", "\r\n"),
    ],
)
def test_every_changed_byte_is_refused(sent, was, now):
    (problem,) = seals.page(sent.replace(was, now, 1))
    assert "the file was written again" in problem.problem


def test_the_command_names_the_page_and_the_sentence(sent, tmp_path, capsys):
    good, bad = tmp_path / "good.html", tmp_path / "bad.html"
    good.write_text(sent)
    bad.write_text(sent.replace("below", "above"))
    assert cli.main(["verify", str(good)]) == 0
    assert cli.main(["verify", str(good), str(bad), "--json"]) == 1
    said = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert [each["ok"] for each in said["pages"]] == [True, False]
    assert said["pages"][1]["problems"][0]["sentence"] == ", 4 above the target of 45 ("
    assert cli.main(["verify", str(tmp_path / "none.html")]) == 2


@pytest.mark.parametrize(
    "name", ["report.eml", "index.pdf", "report.ipynb", "numbers.csv", "facts.json", "site.zip"]
)
def test_what_is_no_page_is_refused_with_what_to_check_instead(tmp_path, capsys, name):
    (tmp_path / name).write_bytes(b"\xff\xfe anything")
    assert cli.main(["verify", str(tmp_path / name)]) == 1
    assert re.search(r": (is|a) .+: (unpack it and )?verify .*page", capsys.readouterr().err)


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
    html = built(SENTENCE, meanings=meaning)
    tip = (
        "Won deals, value, 2026-W47: how many rows in deals. Source: CRM, data to Sat 21 Nov 2026."
    )
    assert f'data-tip="{tip}">41</span> in <span class="nb-nowrap">week 47</span>, <span' in html
    assert "How it is calculated" in html
    assert seals.page(html) == []
    assert seals.page(html.replace("data to Sat 21", "data to Sun 22"))


def test_a_link_that_leads_elsewhere_is_found():
    html = pages.document(
        "A page",
        Markup('<main><p><a href="../index.html">All reports</a></p></main>'),
        {"sentences": [], "facts": []},
    )
    assert seals.page(html) == []
    assert (
        "links" in seals.page(html.replace("../index.html", "https://elsewhere.example"))[0].problem
    )


@pytest.mark.parametrize(
    "facts",
    ["[]", "null", '{"facts": 1, "sentences": 2, "seal": 3}', '{"facts": [1], "sentences": [1], "seal": {"texts": 4}}',
     '{"facts": [{"id": "won.value"}], "sentences": [{"facts": ["won.value"]}], "seal": {}}',],
)  # fmt: skip
def test_a_page_whose_facts_were_spoilt_is_refused(sent, facts):
    spoilt = seals.FACTS.sub(f'<script type="application/json" id="facts">{facts}</script>', sent)
    assert "not a dataops-nb page" in seals.page(spoilt)[0].problem


def test_a_page_of_no_known_language_is_refused(sent):
    assert (
        "not a dataops-nb page"
        in seals.page(sent.replace('"locale":"en_US"', '"locale":"xx"'))[0].problem
    )


def test_a_file_that_is_no_text_is_refused_and_the_others_are_looked_at(sent, tmp_path, capsys):
    (tmp_path / "odd.html").write_bytes(b"\xff\xfe<\x00p\x00")
    (tmp_path / "marked.html").write_bytes(
        b"\xef\xbb\xbf" + sent.encode()
    )  # as an editor on Windows saves it
    assert (
        cli.main(["verify", str(tmp_path / "odd.html"), str(tmp_path / "marked.html"), "--json"])
        == 1
    )
    said = json.loads(capsys.readouterr().out)
    assert [(each["ok"], [p["problem"] for p in each["problems"]]) for each in said["pages"]] == [
        (False, ["is not a page (not UTF-8)"]), (False, [seals.WRITTEN_AGAIN]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "attribute",
    ["hidden", 'style="display: none"', 'onclick="this.textContent = 1"', 'class="nb-narrow"'],
)
def test_an_attribute_that_can_hide_or_rewrite_a_sentence_is_found(sent, attribute):
    assert "have been changed" in seals.page(sent.replace("<p ", f"<p {attribute} ", 1))[0].problem


# --- kinds of alteration ----------------------------------------------------------------------------------------------

DRAWING = """<svg viewBox="0 0 9 9" role="img" aria-label="Won deals"><title>Won</title>
<path d="M0 9 L9 0"/><text x="1" y="8">41</text></svg>"""
HTML = """<div><p>Beside the point.</p><table><tr><td>41</td></tr></table></div>"""

ALTERATIONS = {
    "a comment": ("<main>", "<!-- all is well --><main>"),
    "a template": ("</main>", "<template><p>44</p></template></main>"),
    "a hidden element": ("</main>", "<p hidden>Nothing.</p></main>"),
    "an unknown element": ("</main>", "<x-note></x-note></main>"),
    "an empty element": ("</main>", "<span></span></main>"),
    "an attribute that nobody sees": ("<main>", '<main data-note="44">'),
    "an id": ("<main>", '<main id="top">'),
    "a class of the body": ("<body>", '<body class="nb-narrow">'),
    "a label": ('aria-label="Check before you use these numbers"', 'aria-label="Read this last"'),
    "a line of a drawing": ("M0 9 L9 0", "M0 0 L9 9"),
    "a text of a drawing": (">41</text>", ">44</text>"),
    "a title of a drawing": ("<title>Won</title>", "<title>Won!</title>"),
    "a cell of a table": ("<td>41</td>", "<td>44</td>"),
    "a rule of the style": ("</style>", "p { display: none }</style>"),
    "a second style": ("</head>", "<style>li { display: none }</style></head>"),
    "a script": ("</body>", "<script>1</script></body>"),
    "the policy": ("default-src 'none'", "default-src *"),
    "a base": ("<head>", '<head><base href="https://elsewhere.example">'),
    "a referrer": ("no-referrer", "unsafe-url"),
    "the maker": ('content="dataops-nb"', 'content="dataops-NB"'),
    "the language": ('lang="en"', 'lang="de"'),
    "a character by its number": ("Prose", "&#80;rose"),
    "a capital of a tag": ("<main>", "<MAIN>"),
    "another quote": ('lang="en"', "lang='en'"),
    "a blank": ("<main>", "<main >"),
    "a line end": ("</head>\n", "</head>\r\n"),
    "a letter of two code points": ("Ann", "A\u0300nn"),
    "more after the end": ("</html>", "</html><!-- -->"),
    "a blank in the facts": ('{"schema_version"', '{ "schema_version"'),
    "a key more in the facts": ('"sentences":', '"note":1,"sentences":'),
    "the facts a second time": ("</body>", '<script id="more">{}</script></body>'),
    "the name of the seal": (',"page":"', ',"pagf":"'),
}


@pytest.fixture(scope="module")
def drawn():
    """A page with prose, a sentence, a table and a drawing in it."""
    bundle = Told((SENTENCE,))._repr_mimebundle_()
    html = pages.build(notebook(bundle, {"text/html": HTML}), "analyst", META)
    bare = seals.FACTS.sub("", html).replace("</main>", f"{DRAWING}</main>")
    travelling = json.loads(seals.FACTS.search(html)[1])
    seal = markup.data({**travelling, "seal": seals.seal(bare, travelling)})
    script = f'<script type="application/json" id="facts">{seal}</script>'
    return seals.close(bare.replace("</body>", f"{script}\n</body>"))


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_each_kind_of_alteration_is_refused(drawn, kind):
    was, now = ALTERATIONS[kind]
    assert seals.page(drawn) == []
    changed = drawn.replace(was, now, 1)
    assert changed != drawn
    assert seals.page(changed)


@settings(deadline=None, max_examples=40)
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_one_other_byte_anywhere_is_refused(drawn, place, byte):
    raw = bytearray(drawn.encode())
    place %= len(raw)
    assume(raw[place] != byte)
    raw[place] = byte
    assert seals.page(raw.decode("utf-8", "surrogateescape"))


@settings(deadline=None, max_examples=20)
@given(place=st.integers(0, 10**6), length=st.integers(1, 400))
def test_bytes_that_were_cut_out_are_refused(drawn, place, length):
    place %= len(drawn)
    assert seals.page(drawn[:place] + drawn[place + length :])


def test_a_page_without_the_seal_of_its_bytes_does_not_pass_for_an_older_one(drawn):
    bare = re.sub(r',"page":"[0-9a-f]{32}"', "", drawn)
    assert not seals.is_older(bare)
    assert [each.problem for each in seals.page(bare)] == [seals.UNSEALED]
    without_maker = bare.replace(seals.MAKER, "")
    assert not seals.is_older(without_maker)
    assert seals.page(without_maker)


def older():
    """A page as version 0.1.0 made them: no maker, no spans, no seal of its bytes."""
    bare = f"<!doctype html><main><p data-facts='won.value'>{SAID}</p><p>Prose.</p></main>"
    travelling = {
        "facts": [each.as_dict() for each in (VALUE, TARGET, GAP, SHARE, LIGHT)],
        "sentences": [
            {
                "text": SAID,
                "facts": ["won.value", "won.target", "won.gap", "won.attainment", "won.light"],
                "names": ["Won deals"],
            }
        ],
    }
    seal = seals.seal(bare, travelling)
    del seal["page"]
    data = markup.data({**travelling, "seal": seal})
    return f'{bare}<script type="application/json" id="facts">{data}</script>'


def test_a_page_of_an_older_version_is_held_by_its_sentences(tmp_path, capsys):
    page = tmp_path / "index.html"
    page.write_text(older(), encoding="utf-8")
    assert cli.main(["verify", str(page)]) == 0
    assert "sealed by an older version: nothing else was checked" in capsys.readouterr().out
    page.write_text(older().replace("came to 41", "came to 44"), encoding="utf-8")
    assert cli.main(["verify", str(page)]) == 1
