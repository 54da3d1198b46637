"""Verbs agree with the names of metrics."""

import pytest

from dataops_nb.numbers import agreeing, article, is_plural


@pytest.mark.parametrize(
    "label",
    [
        "New customers", "Sign-ups", "Closed-won deals", "Meetings held", "Meetings booked", "Features shipped", "Deals closed won",
        "Sales", "Tickets solved within a day", "Patients", "Happy customers (net)", "People in training",
    ],
)  # fmt: skip
def test_a_plural_head_noun_is_found_wherever_it_stands(label):
    assert is_plural(label)


@pytest.mark.parametrize(
    "label",
    [
        "Churn rate", "Sales pipeline", "Share of happy customers", "Revenue, trailing 12 months", "Recurring revenue per customer",
        "Length of a deal", "First response", "Product use", "NPS", "Gross loss", "Status", "Customer's choice", "Neue Kunden", "",
    ],
)  # fmt: skip
def test_one_thing_stays_one_whatever_else_its_name_counts(label):
    assert not is_plural(label)


def test_the_verb_follows_the_label():
    assert agreeing("New customers", "follows", "follow") == "follow"
    assert agreeing("Churn rate", "follows", "follow") == "follows"


@pytest.mark.parametrize(
    ("share", "word"),
    [("8%", "an"), ("8.5%", "an"), ("11%", "an"), ("18 %", "an"), ("80%", "an"), ("1%", "a"), ("1.8%", "a"), ("17%", "a"), ("110%", "a")],
)  # fmt: skip
def test_the_article_before_a_share_is_the_one_that_is_spoken(share, word):
    assert article(share) == word
