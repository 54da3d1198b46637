"""What people type beside a number.

Facts by name are right, numbers and colours are held against them, all else is kept.
"""

from __future__ import annotations

import datetime as dt

import pytest

from dataops_nb import board
from dataops_nb.display import say
from dataops_nb.errors import UsageError
from dataops_nb.story import comments

DAYS = [dt.date(2026, 10, 26) + dt.timedelta(days=place) for place in range(28)]
SOURCE = "s: {system: CRM, path: s.csv, time: on}"
METRICS = """
meetings: {type: simple, label: Meetings held, measure: {source: s, agg: sum, expr: n}, unit: meetings, lights: standard,
           targets: [{from: 2020-01-01, per: week, value: 45}]}
churn: {type: simple, label: Churn rate, measure: {source: s, agg: average, expr: c}, unit: percent, better: down,
        lights: standard, targets: [{from: 2020-01-01, value: 0.02}]}
"""


@pytest.fixture
def this(company):
    """Four weeks: 38 meetings in each and 41 in the last; a churn of 2.4%."""
    rows = [
        f"{day},{41 if place == 27 else 38 if place % 7 == 6 else 0},0.024"
        for place, day in enumerate(DAYS)
    ]
    catalog = company(
        SOURCE, METRICS, {"s.csv": "\n".join(["on,n,c", *rows]) + "\n"}, as_of="2026-11-22"
    )
    return board.measure(catalog, ["meetings", "churn"])


def verdicts(this, comment, beside="meetings"):
    return [claim.verdict for claim in comments.typed(this, comment, beside)]


@pytest.mark.parametrize(
    "comment",
    [
        "We held 41 meetings.",
        "41 of 45.",
        "We are yellow.",
        "Churn rate stands at 2.4%.",
        "Churn rate is red.",
        "Up by 3.",
    ],
)
def test_what_the_facts_say_is_right(this, comment):
    assert set(verdicts(this, comment)) == {"right"}


@pytest.mark.parametrize(
    "comment",
    [
        "We held 47 meetings.",
        "We are green.",
        "We stand at 47.",
        "Churn rate is 3%.",
        "We held forty 47 meetings.",
    ],
)
def test_another_number_or_colour_is_wrong(this, comment):
    assert "wrong" in verdicts(this, comment)


@pytest.mark.parametrize(
    "comment",
    [
        "Two reps were on leave.",
        "41 people came to the fair.",
        "We will be green next week.",
        "It was red last week.",
        "It is not green.",
        "About 50 meetings.",
        "The trade fair kept everybody busy.",
        "We went up because of the campaign.",
    ],
)
def test_what_no_fact_says_is_kept_and_said_to_be_unchecked(this, comment):
    assert verdicts(this, comment) == ["cannot judge"]
    (told,) = comments.unjudged(comments.typed(this, comment))
    assert "we have no data on that" in told


def test_a_contradiction_is_told_with_what_is_so(this):
    (told,) = comments.contradictions(comments.typed(this, "We held 47 meetings."))
    assert told == "'47' in 'We held 47 meetings': the value of Meetings held is 41"


def test_a_sentence_is_about_the_metric_it_names(this):
    found = comments.typed(this, "We are yellow. Churn rate is green.")
    assert [claim.verdict for claim in found] == ["right", "wrong"]
    assert "Churn rate is red" in found[1].why


def test_a_fact_by_name_is_filled_in_and_claims_nothing(this):
    text = "We stand at {meetings.value}."
    assert say(comments.filled(this, text)).text == "We stand at 41."
    assert comments.typed(this, text) == []
    with pytest.raises(UsageError, match=r"did you mean 'meetings.value'"):
        comments.filled(this, "{meetings.valeu}")


MONEY = (
    "sold: {type: simple, label: Sales, measure: {source: s, agg: sum, expr: n}, unit: CURRENCY}"
)


@pytest.mark.parametrize(
    ("locale", "unit", "right", "wrong"),
    [
        ("en_US", "USD", "$1,234", "$1,521"),
        ("en_US", "CHF", "CHF 1,234", "CHF 1,521"),
        ("en_US", "CHF", "1,234 CHF", "1,521 CHF"),
        ("de_CH", "CHF", "CHF 1’234", "CHF 1’521"),
        ("de_CH", "CHF", "CHF 1'234", "CHF 1'521"),
        ("pt_BR", "USD", "US$ 1.234", "US$ 1.521"),
        ("nl_NL", "EUR", "€ 1.234", "€ 1.521"),
        ("pl_PL", "PLN", "1 234 zł", "1 521 zł"),
        ("da_DK", "DKK", "1.234 kr.", "1.521 kr."),
        ("en_US", '"%"', "1,234 %", "1,521 %"),
        ("en_US", "points", "1,234 points", "1,521 points"),
    ],
)
def test_an_amount_in_the_unit_of_a_metric_is_held_against_it(company, locale, unit, right, wrong):
    metric, rows = MONEY.replace("CURRENCY", unit), "on,n\n2026-11-16,1234\n2026-11-22,0\n"
    catalog = company(
        SOURCE, metric, {"s.csv": rows}, as_of="2026-11-22", extra=f"locale: {locale}\n"
    )
    this = board.measure(catalog, ["sold"])
    assert verdicts(this, f"Sales were {right}.", "sold") == ["right"]
    assert verdicts(this, f"We sold for {wrong}.", "sold") == ["wrong"]


@pytest.mark.parametrize(
    ("label", "text", "parts"),
    [
        ("Dr. Oetker orders", "Dr. Oetker orders fell. We know why.", 2),
        ("No. of calls", "We had 12 No. of calls.", 1),
        ("Sales at Acme Inc.", "Sales at Acme Inc. have gone down.", 1),
        ("Sales at Acme Inc.", "We lost Sales at Acme Inc. Others stay.", 2),
        ("Sales", "Sales were 1.234 kr. this week.", 1),
    ],
)
def test_a_stop_in_a_name_or_a_sign_of_money_ends_no_sentence(company, label, text, parts):
    metric = f"sold: {{type: simple, label: {label}, measure: {{source: s, agg: count}}}}"
    catalog = company(
        SOURCE, metric, {"s.csv": "on\n2026-11-16\n"}, as_of="2026-11-22",
        extra="locale: da_DK\ncurrency: DKK\n",
    )  # fmt: skip
    claims = comments.typed(board.measure(catalog, ["sold"]), text)
    assert len({claim.text for claim in claims}) == parts


SPLIT = "sold: {type: simple, label: Sales, measure: {source: s, agg: count}, by: [what],"
SPLIT += " lights: standard, targets: [{from: 2020-01-01, value: 1}]}"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Red wines fell.", "cannot judge"),
        ("We are at Region 9.", "cannot judge"),
        ("Red wines fell and we are red.", "wrong"),
        ("We are red: red sold badly.", "wrong"),
        ("We are at 7.", "wrong"),
    ],
)
def test_a_segment_claims_nothing_unless_it_is_a_colour_or_a_number(company, text, verdict):
    rows = "on,what\n" + "".join(
        f"2026-11-16,{what}\n" for what in ("Red wines", "red", "7", "Region 9")
    )
    catalog = company(
        SOURCE.replace("time: on", "time: on, columns: {what: {type: text}}"),
        SPLIT, {"s.csv": rows}, as_of="2026-11-22",
    )  # fmt: skip
    assert set(verdicts(board.measure(catalog, ["sold"]), text, "sold")) == {verdict}
