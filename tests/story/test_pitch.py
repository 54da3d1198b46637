"""The pitch: short, readable, without jargon, and nothing typed that facts do not say."""

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

from dataops_nb import board, definitions, sources, story
from dataops_nb.cli import main
from dataops_nb.story.pitch import grade, pitches, sentences, syllables
from dataops_nb.workbench import sample

END = dt.date(2026, 11, 22)
COMPANY = """
company: Test
timezone: America/New_York
lights: {standard: {green: {at_least: 1.0, means: "Ok.", do: "Go on."}, red: {means: "Risk.", do: "Re-plan."}}}
sources: {orders: {system: Shop, path: orders.csv, time: day}}
"""
DEPARTMENT = """
department: Shop
defaults: {{source: orders, lights: standard}}
metrics:
  orders:
    {{type: simple, measure: {{agg: count}}, unit: orders, targets: [{{from: 2020-01-01, per: week, value: 7}}],
     moves: [{{metric: amount, after: 3w}}], pitch: {{a: "{}"}}}}
  amount: {{type: simple, label: Top 10 red wines, measure: {{agg: sum, expr: amount}}, unit: USD}}
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Seven orders a week, five in the last one, of 5 each."""
    root = tmp_path_factory.mktemp("shop")
    (root / "params" / "departments").mkdir(parents=True)
    (root / "params" / "company.yaml").write_text(COMPANY)
    (root / "params" / "departments" / "shop.yaml").write_text(
        DEPARTMENT.format("{orders.value} orders came in.")
    )
    (root / "data").mkdir()
    days = [*pd.date_range("2026-10-05", "2026-11-20")]
    (root / "data" / "orders.csv").write_text(
        "day,amount\n" + "".join(f"{d:%Y-%m-%d},5\n" for d in [*days, END])
    )
    return root


@pytest.fixture(scope="module")
def shop(bench):
    known = definitions.load(bench / "params")
    return board.measure(sources.open(known, bench / "data", END), ["orders", "amount"])


@pytest.fixture
def judge(shop):
    def make(text):
        metric = shop.company.metrics["orders"]
        metric.pitch["a"] = text
        return pitches(shop, "orders")[0]

    return make


def test_facts_are_filled_in_by_name_and_travel_with_the_sentence(judge):
    found = judge("{orders.value} orders came in, and {orders.target} were agreed.")
    assert found.text == "6 orders came in, and 7 were agreed."
    assert found.facts[:2] == ("orders.value", "orders.target")
    assert found.sound


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("One. Two. Three came in.", "3 sentences; "),
        ("We " + "sell and " * 40 + "sell.", "82 words; "),
        ("Organisational capability determines international collaboration efficiency.", "hard to read (grade "),
        ("Our ARPA is {orders.value}.", "'ARPA' is jargon"),
        ("The pipeline has {orders.value} orders.", "'pipeline' is jargon"),
        ("Synergies of our funnels gave {orders.value} orders.", "'Synergies' is jargon"),
        ("We had {order.value} orders.", "no metric 'order'; did you mean 'orders'?"),
        ("We had {orders.valu} orders.", "did you mean 'value'?"),
        ("We had 6 orders this week.", "6 is typed in"),
        ("We had six orders of {orders.target}.", "'six' is typed in"),
        ("{orders.value} orders pay us in five weeks.", "nothing defines 'five weeks' here"),
        ("{orders.value} orders came in this month.", "a report by week can't say 'this month'"),
        ("Orders are green with {orders.value}.", "says green, and orders.light is red"),
        ("{orders.valeu} orders came in.", "{orders.valeu}: no such fact"),
        ("...", "is empty: write"),
    ],
)  # fmt: skip
def test_a_pitch_that_fails_says_why_and_how_to_mend_it(judge, text, fault):
    assert any(fault in each for each in judge(text).faults)


@pytest.mark.parametrize(
    "text",
    [
        "Orders are red: {orders.value} came in.",
        "Orders fell by {orders.change} to {orders.value}, {orders.gap} below the target of {orders.target}.",
        "{orders.value} orders came in this week. They pay us in three weeks.",
        "Ask about the Top 10 red wines: {orders.value} orders came in.",
        "We follow up on {orders.value} orders.",
    ],
)
def test_what_is_true_and_what_is_only_a_name_is_let_pass(judge, text):
    assert judge(text).faults == ()


def test_the_words_of_a_pitch_are_judged_also_where_the_data_lack_its_numbers(judge):
    found = judge("Our CAC is {orders.same_last_year}. It is good. It is ours.")
    assert found.missing == ("orders.same_last_year",)
    assert list(found.faults[:1]) == ["3 sentences; 2 at most"]
    assert any("'CAC' is jargon" in fault for fault in found.faults)
    assert judge("We had {orders.same_last_year} orders.").faults == ()


def test_a_pitch_that_fails_is_not_shown(judge, shop):
    judge("We had 6 orders this week.")
    assert story.pitch(shop, "orders").sentences == ()


def test_check_names_file_line_and_key_of_a_failing_pitch(bench, tmp_path, capsys):
    file = bench / "params" / "departments" / "shop.yaml"
    sound = file.read_text()
    file.write_text(DEPARTMENT.format("We had 6 orders this week."))
    try:
        assert main(["-w", str(bench), "--out", str(tmp_path), "check"]) == 2
    finally:
        file.write_text(sound)
    assert (
        "params/departments/shop.yaml:7: metrics.orders.pitch.a: 6 is typed in"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("cat", 1),
        ("revenue", 3),
        ("customers", 3),
        ("companies", 3),
        ("churn", 1),
        ("invited", 3),
        ("three-week", 2),
        ("$7.69M", 1),
    ],
)
def test_syllables_are_those_that_are_heard(word, count):
    assert syllables(word) == count


def test_a_decimal_point_ends_no_sentence():
    assert (
        sentences("We billed $7.69M. The plan is 8.") == ["We billed $7.69M", "The plan is 8."]
        or len(sentences("We billed $7.69M. The plan is 8.")) == 2
    )


def test_the_grade_is_the_published_formula():
    # 9 words, 2 sentences, 10 syllables: .39 * 9/2 + 11.8 * 10/9 - 15.59
    assert grade("We sell shoes to kids. They like our shoes.") == pytest.approx(
        0.39 * 4.5 + 11.8 * 10 / 9 - 15.59
    )


ROOT = Path(__file__).parents[2]


def every_pitch(params, data, as_of, grain):
    known = definitions.load(params)
    told = [
        name for name, metric in known.metrics.items() if metric.pitch and grain in metric.grains
    ]
    with sources.open(known, data, as_of) as catalog:
        return pitches(board.measure(catalog, told, grain=grain))


def agrees_with_textstat(text):
    # textstat ends a sentence at a decimal point, so it is given numbers without one
    textstat = pytest.importorskip("textstat")
    return (
        abs(textstat.flesch_kincaid_grade(re.sub(r"(?<=\d)\.(?=\d)", "", text)) - grade(text))
        <= 0.5
    )


@pytest.mark.long
def test_every_pitch_of_the_sample_passes_and_reads_at_the_grade_that_textstat_gives(tmp_path):
    sample.write(tmp_path, end=END, weeks=60)
    told = every_pitch(ROOT / "params", tmp_path, END, "week")
    assert len(told) >= 14
    assert [
        (each.metric, each.variant, each.faults, each.missing) for each in told if not each.sound
    ] == []
    assert [each.text for each in told if not agrees_with_textstat(each.text)] == []


@pytest.mark.long
def test_every_pitch_of_olist_passes_and_reads_at_the_grade_that_textstat_gives(shared):
    told = every_pitch(
        ROOT / "examples" / "olist" / "params", shared("olist"), dt.date(2018, 5, 31), "month"
    )
    assert len(told) >= 10
    assert [
        (each.metric, each.variant, each.faults, each.missing) for each in told if not each.sound
    ] == []
    assert [each.text for each in told if not agrees_with_textstat(each.text)] == []


MONEY = """
company: Test
timezone: America/New_York
locale: {locale}
lights: {{standard: {{green: {{at_least: 1.0, means: "Ok.", do: "Go on."}}, red: {{means: "Risk.", do: "Re-plan."}}}}}}
sources: {{orders: {{system: Shop, path: orders.csv, time: day}}}}
"""
SOLD = """
department: Shop
metrics:
  sold:
    {{type: simple, label: Sales, measure: {{source: orders, agg: sum, expr: amount}}, unit: {currency},
     pitch: {{a: "We sold for {{sold.value}}, after {{sold.previous}}. That is {{sold.value}}."}}}}
"""


@pytest.mark.parametrize(
    ("locale", "currency", "printed"),
    [
        ("fr_FR", "USD", "1\u202f234\xa0$US"),
        ("en_US", "CHF", "CHF\xa01,234"),
        ("de_CH", "CHF", "CHF\xa01’234"),
        ("en_US", "CAD", "CA$1,234"),
        ("da_DK", "DKK", "1.234\xa0kr."),
        ("bg_BG", "BGN", "1\xa0234\xa0лв."),
    ],
)
def test_the_signs_of_a_currency_are_no_jargon_and_end_no_sentence(
    tmp_path, locale, currency, printed
):
    folder = tmp_path / "params" / "departments"
    folder.mkdir(parents=True)
    (tmp_path / "params" / "company.yaml").write_text(MONEY.format(locale=locale))
    (folder / "shop.yaml").write_text(SOLD.format(currency=currency))
    lines = "day,amount\n2026-11-09,1234\n2026-11-15,0\n2026-11-16,1234\n2026-11-22,0\n"
    (tmp_path / "orders.csv").write_text(lines)
    known = definitions.load(tmp_path / "params")
    [found] = pitches(board.measure(sources.open(known, tmp_path, END), ["sold"]), "sold")
    assert found.faults == ()
    assert found.text.endswith(f"That is {printed.removesuffix('.')}.")


@pytest.mark.parametrize(
    ("label", "text", "faults"),
    [
        ("Dr. Oetker sales", "Dr. Oetker sales came to {sold.value}. We go on.", 0),
        ("Sales to Acme Inc.", "Sales to Acme Inc. came to {sold.value}. We go on.", 0),
        ("Sales to Acme Inc.", "We know Sales to Acme Inc. They rose. We go on.", 1),
    ],
)
def test_a_stop_in_a_name_ends_no_sentence(shop, label, text, faults):
    sold = shop.company.metrics["amount"].model_copy(update={"label": label, "pitch": {"a": text}})
    company = shop.company.model_copy(deep=True)
    company.departments["shop"].metrics["sold"] = sold
    this = board.measure(shop.rows.under(company), ["sold"])
    [found] = pitches(this, "sold")
    assert len(found.faults) == faults


@pytest.mark.parametrize(("text", "fault"), [("Red wines sold best.", 0), ("We are red.", 1)])
def test_a_segment_with_a_colour_in_its_name_is_no_light(tmp_path, text, fault):
    folder = tmp_path / "params" / "departments"
    folder.mkdir(parents=True)
    (tmp_path / "params" / "company.yaml").write_text(COMPANY)
    (folder / "shop.yaml").write_text(
        "department: Shop\nmetrics:\n  sold: {type: simple, measure: {source: orders, agg: count}, by: [what], "
        f"lights: standard, targets: [{{from: 2020-01-01, value: 1}}], pitch: {{a: '{text}'}}}}\n"
    )
    (tmp_path / "orders.csv").write_text("day,what\n2026-11-16,Red wines\n2026-11-22,Red wines\n")
    known = definitions.load(tmp_path / "params")
    [found] = pitches(board.measure(sources.open(known, tmp_path, END), ["sold"]), "sold")
    assert len(found.faults) == fault
