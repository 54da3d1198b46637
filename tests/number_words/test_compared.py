"""Two numbers that differ never read alike where they are compared, in any unit and any locale."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from babel.numbers import get_decimal_symbol
from hypothesis import example, given
from hypothesis import strategies as st

from dataops_nb import numbers

LOCALES = ("en_US", "de_DE", "fr_FR", "de_CH", "sv_SE")
UNITS = ("", "percent", "USD", "EUR", "SEK", "hours")
AMOUNTS = st.floats(-1e9, 1e9, allow_nan=False) | st.integers(-(10**7), 10**7).map(float)
NEARBY = st.sampled_from([0.0, 1e-14, 1e-9, 1e-6, 1e-4, 4e-4, 0.004, 0.04, 0.4, 1.0])
SLIGHT = Decimal("1e-17")
SHARES = st.floats(0, 3) | st.integers(0, 3000).map(lambda size: size / 1000)


def read(text, locale="en_US"):
    """The number that a reader sees, in the value's own unit, exactly."""
    digits = text.replace(get_decimal_symbol(locale), "D")
    size = Decimal(
        "".join(letter for letter in digits if letter in "0123456789D").replace("D", ".")
    )
    size *= Decimal(10**6) if "M" in text else Decimal(1)
    size /= Decimal(100) if "%" in text else Decimal(1)
    just = {"just under": -SLIGHT, "just over": SLIGHT}
    step = next((step for words, step in just.items() if text.startswith(words)), Decimal(0))
    return (-size if "\u2212" in text else size) + step


def sign(difference):
    return (difference > 0) - (difference < 0)


@given(AMOUNTS, NEARBY, st.sampled_from([-1, 1]), st.sampled_from(UNITS), st.sampled_from(LOCALES))
@example(44.96, 0.04, 1, "", "en_US")
@example(999_999.6, 0.4, 1, "USD", "en_US")
@example(7.999999e6, 1.0, 1, "USD", "de_DE")
def test_texts_of_numbers_compare_like_the_numbers(value, nearby, side, unit, locale):
    other = value + side * nearby
    written = numbers.at(locale).beside(value, [other], unit)
    for write in (written.number, written.quantity):
        mine, its = read(write(value), locale), read(write(other), locale)
        assert sign(mine - its) == sign(value - other), (write(value), write(other))


@given(AMOUNTS, st.lists(AMOUNTS | NEARBY, max_size=4), st.sampled_from(UNITS))
def test_a_value_reads_apart_from_all_that_it_is_compared_with(value, others, unit):
    written = numbers.at("en_US").beside(value, others, unit)
    texts = {written.number(other) for other in others if other != value}
    assert written.number(value) not in texts


@pytest.mark.parametrize(
    ("value", "other", "unit", "texts"),
    [
        (44.96, 45, "", ("44.96", "45.0")),
        (44.9, 45, "", ("44.9", "45")),
        (0.8496, 0.85, "percent", ("84.96%", "85.0%")),
        (999_999.6, 1e6, "USD", ("$999,999.60", "$1.000M")),
        (7_999_600, 8e6, "USD", ("$7.9996M", "$8.0000M")),
        (1234.4, 1234, "USD", ("$1,234.40", "$1,234.00")),
        (math.nextafter(45, 0), 45, "", ("just under 45", "45")),
        (0.30000000000000004, 0.3, "", ("just over 0.30", "0.30")),
        (45, 45, "", ("45", "45")),
        (math.nan, 45, "", ("no value", "45")),
    ],
)
def test_digits_are_added_until_numbers_differ(value, other, unit, texts):
    written = numbers.at("en_US").beside(value, [other, math.nan], unit)
    assert (written.number(value), written.number(other)) == texts


@given(SHARES, st.lists(SHARES, max_size=2), st.sampled_from(LOCALES))
@example(11 / 13, [0.85], "en_US")
@example(0.9999999, [], "en_US")
def test_a_share_stays_on_its_side_of_each_threshold(share, thresholds, locale):
    written = numbers.at(locale)
    mine = read(written.share(share, thresholds), locale)
    for threshold in (1.0, *thresholds):
        assert (mine >= Decimal(repr(threshold))) == (share >= threshold)


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_a_share_reads_on_its_side_of_a_threshold_as_that_reads(share, threshold):
    written, edge = numbers.at("en_US"), threshold / 1000
    shown = read(written.share(share / 997, [edge]), "en_US")
    assert (shown >= read(written.threshold(edge), "en_US")) == (share / 997 >= edge)


def test_a_share_under_a_threshold_has_the_decimals_that_say_so():
    written = numbers.at("en_US")
    assert written.share(11 / 13) == "85%"
    assert written.share(11 / 13, [0.85]) == "84.6%"
    assert written.share(0.8504, [0.85]) == "85%"
    assert written.share(0.9996, [0.85]) == "99.96%"
    assert written.share(0.84999999, [0.85]) == "just under 85%"
    assert written.share(1.0, [0.85]) == "100%"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.85, "85%"), (0.825, "82.5%"), (1.0, "100%"), (1 / 3, "33.333%"), (0.0, "0%")],
)
def test_a_threshold_has_all_of_its_decimals(share, text):
    assert numbers.at("en_US").threshold(share) == text


@given(st.floats(-1e6, 1e6), st.sampled_from(UNITS))
def test_a_gap_never_reads_as_none(value, unit):
    text = numbers.at("en_US").gap(value, unit)
    assert any(digit in "123456789" for digit in text) == (value != 0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (-4, "", "4"),
        (0.0004, "", "0.0004"),
        (0.04 / 100, "percent", "0.04 points"),
        (1e-9, "", "less than 0.000001"),
        (0, "", "0"),
    ],
)
def test_a_gap_has_digits_until_it_shows(value, unit, text):
    assert numbers.at("en_US").gap(value, unit) == text


def test_beside_a_count_whole_numbers_have_no_decimals():
    compared = numbers.at("en_US").beside(11, [11.04, 13])
    assert [compared.number(value) for value in (11, 11.04, 13)] == ["11", "11.04", "13"]
    compared = numbers.at("en_US").beside(44.96, [45])
    assert [compared.number(value) for value in (44.96, 45)] == ["44.96", "45.0"]


@pytest.mark.parametrize(
    ("first", "last", "unit", "once"),
    [
        ("3 days", "7 days", "days", "3"),
        ("1 day", "7 days", "days", "1"),
        ("$3", "$7", "USD", "$3"),
        ("3%", "7%", "percent", "3%"),
        ("3", "7", "days", "3"),
    ],
)
def test_the_first_end_of_a_range_leaves_its_unit_to_the_last(first, last, unit, once):
    assert numbers.without_unit(first, last, unit) == once


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0032, "", "0.003"),
        (-0.0032, "", "−0.003"),
        (0.0004, "", "0.0004"),
        (0.00053, "", "0.0005"),
        (-0.00001, "", "0"),
        (-1e-17, "percent", "0%"),
        (0.00004, "percent", "0.004%"),
        (-0.001, "USD", "$0.00"),
        (0.05, "", "0.05"),
    ],
)
def test_a_small_number_shows_a_digit_and_nothing_has_no_sign(value, unit, text):
    assert numbers.at("en_US").number(value, unit) == text
