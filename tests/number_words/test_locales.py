"""A company writes numbers, money and days as its people do; what is written is read back, and checked, the same way."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import definitions, numbers
from dataops_nb.charts import look
from dataops_nb.display import Fact, say
from dataops_nb.errors import DefinitionsError
from dataops_nb.story import comments
from tests import sentences

SPOKEN = (
    "en_US",
    "en_GB",
    "en_IN",
    "de_DE",
    "de_CH",
    "fr_FR",
    "pt_BR",
    "sv_SE",
    "pl_PL",
    "ja_JP",
    "tr_TR",
)


@pytest.mark.parametrize(
    ("locale", "value", "unit", "text"),
    [  # CLDR 47, https://cldr.unicode.org
        ("de_DE", 1234.5, "", "1.234"),
        ("de_DE", 34.52, "days", "34,5"),
        ("de_DE", 183400.4, "EUR", "183.400\u00a0€"),
        ("de_DE", 9412345, "EUR", "9,41M\u00a0€"),
        ("de_DE", -0.024, "percent", "\u22122,4\u00a0%"),
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
        ("en_US", "22 Nov 2026", "November 2026"),
        ("de_DE", "22. Nov. 2026", "November 2026"),
        ("fr_FR", "22 nov. 2026", "novembre 2026"),
        ("en_GB", "22 Nov 2026", "November 2026"),
    ],
)
def test_days_and_months_are_named_as_in_the_locale(locale, day, month):
    assert numbers.at(locale).date(dt.date(2026, 11, 22)) == day
    assert numbers.at(locale).period_in_words("2026-11") == month


@given(
    st.sampled_from(SPOKEN),
    st.floats(0.01, 1e9),
    st.sampled_from(["", "percent", "USD", "EUR", "SEK", "days"]),
)
def test_every_number_is_read_back_as_it_was_written(locale, value, unit):
    text = f"It came to {numbers.at(locale).quantity(value, unit)} in week 47."
    said, week = comments.figures(text, locale)
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
    value, gap, target = known
    said = say("Won came to ", value, ", ", gap, " below the target of ", target, ".")
    assert sentences.wrong(said, "de_DE") == []
    assert sentences.wrong(said, "en_US")
    other = say("Won came to ", say.as_(value, "1.235\u00a0€"), ".")
    assert "says 1.235" in "; ".join(sentences.wrong(other, "de_DE"))


def test_a_locale_that_nobody_has_is_a_mistake_with_its_line_and_the_nearest(tmp_path):
    (tmp_path / "departments").mkdir()
    (tmp_path / "company.yaml").write_text(
        "company: Test\nlocale: de_ED\nsources: {a: {system: S, path: a.csv}}\n"
    )
    (tmp_path / "departments" / "d.yaml").write_text(
        "department: D\nmetrics: {n: {type: simple, measure: {source: a, agg: count}}}\n"
    )
    with pytest.raises(
        DefinitionsError,
        match=r"company.yaml:2: locale: unknown locale 'de_ED'; did you mean 'de_DE'",
    ):
        definitions.load(tmp_path)


def test_the_axes_of_charts_speak_the_locale():
    said = look.locale_config("de_DE")["locale"]
    assert (said["number"]["decimal"], said["number"]["thousands"]) == (",", ".")
    assert said["time"]["shortDays"][0] == "So."
    assert look.locale_config("en_US") == {}
