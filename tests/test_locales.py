"""A company writes numbers, money and days as its people do; what is written is read back, and checked, the same way."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import definitions, story
from dataops_nb.charts import speech
from dataops_nb.errors import DefinitionsError
from dataops_nb.story import About, Fact, claims, comments, numbers

SPOKEN = ("en_US", "en_GB", "en_IN", "de_DE", "de_CH", "fr_FR", "pt_BR", "sv_SE", "pl_PL", "ja_JP", "tr_TR")


@pytest.mark.parametrize(
    ("locale", "value", "unit", "text"),
    [  # CLDR 47, https://cldr.unicode.org
        ("de_DE", 1234.5, "", "1.234"),
        ("de_DE", 34.52, "days", "34,5"),
        ("de_DE", 183400.4, "EUR", "183.400\u00a0€"),
        ("de_DE", 9412345, "EUR", "9,41M\u00a0€"),
        ("de_DE", -0.024, "percent", "-2,4 %"),
        ("fr_FR", 1234567, "", "1\u202f234\u202f567"),
        ("en_IN", 1234567, "", "12,34,567"),
        ("de_CH", 1234567, "CHF", "CHF\u00a01.23M"),
        ("pt_BR", 1250, "BRL", "R$\u00a01.250"),
        ("en_US", 1250, "CHF", "CHF\u00a01,250"),
        ("sv_SE", 1250, "SEK", "1\u00a0250\u00a0kr"),
    ],
)
def test_numbers_and_money_are_written_as_in_the_locale(locale, value, unit, text):
    assert numbers.at(locale).number(value, unit) == text


@pytest.mark.parametrize(
    ("locale", "day", "month"),
    [
        ("en_US", "Sun 22 Nov 2026", "November 2026"),
        ("de_DE", "So., 22. Nov. 2026", "November 2026"),
        ("fr_FR", "dim. 22 nov. 2026", "novembre 2026"),
        ("en_GB", "Sun, 22 Nov 2026", "November 2026"),
    ],
)
def test_days_and_months_are_named_as_in_the_locale(locale, day, month):
    assert numbers.at(locale).date(dt.date(2026, 11, 22)) == day
    assert numbers.at(locale).period_in_words("2026-11") == month


@given(st.sampled_from(SPOKEN), st.floats(0.01, 1e9), st.sampled_from(["", "percent", "USD", "EUR", "SEK", "days"]))
def test_every_number_is_read_back_as_it_was_written(locale, value, unit):
    text = f"It came to {numbers.at(locale).quantity(value, unit)} in week 47."
    said, week = claims.figures(text, locale)
    scale = 100 if unit == "percent" else 1
    assert abs(said.value - value * scale) <= said.within * (1 + 1e-9) + 1e-9 * value
    assert week.value == 47


def fact(field, value, text, unit="EUR"):
    return Fact(f"won.{field}", "won", None, "2026-W47", field, value, unit, text)


def test_a_sentence_is_held_against_its_facts_in_its_own_locale():
    known = [
        fact("value", 1234.0, "1.234\u00a0€"),
        fact("gap", -266.5, "266,50\u00a0€"),
        fact("target", 1500.5, "1.500,50\u00a0€"),
    ]
    text = "Won came to 1.234\u00a0€ in week 47, 266,50\u00a0€ below the target of 1.500,50\u00a0€."
    assert story.disagreements(text, known, (), "de_DE") == []
    assert story.disagreements(text, known, ())
    assert "says 1.235" in "; ".join(story.disagreements(text.replace("1.234", "1.235"), known, (), "de_DE"))
    assert [each.fact for each in story.places(text, known, (), "de_DE")] == known


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("We made 1.234,5 this week.", "right"),
        ("We made 1.233 this week.", "wrong"),
        ("We made 1234,5 this week.", "right"),
    ],
)
def test_what_people_type_is_read_in_their_locale(text, verdict):
    known = About("won", "Won", {"value": fact("value", 1234.5, "1.234,5", "")}, (), "de_DE")
    assert [claim.verdict for claim in comments.weigh(text, "won", [known])] == [verdict]


def test_a_locale_that_nobody_has_is_a_mistake_with_its_line_and_the_nearest(tmp_path):
    (tmp_path / "departments").mkdir()
    (tmp_path / "company.yaml").write_text("company: Test\nlocale: de_ED\nsources: {a: {system: S, path: a.csv}}\n")
    (tmp_path / "departments" / "d.yaml").write_text(
        "department: D\nmetrics: {n: {type: simple, measure: {source: a, agg: count}}}\n"
    )
    with pytest.raises(DefinitionsError, match=r"company.yaml:2: locale: unknown locale 'de_ED'; did you mean 'de_DE'"):
        definitions.load(tmp_path)


def test_the_axes_of_charts_speak_the_locale():
    said = speech.config("de_DE")["locale"]
    assert (said["number"]["decimal"], said["number"]["thousands"]) == (",", ".")
    assert said["time"]["shortDays"][0] == "So."
    assert speech.config("en_US") == {}
