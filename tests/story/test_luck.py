"""How much of a light is luck is said in a sentence, from facts."""

import datetime as dt
import re

import numpy as np
import pytest

from dataops_nb import board, story
from tests import sentences

LAST = dt.date(2026, 11, 22)


def of_weeks(company, target, rest="", values=None):
    rng = np.random.default_rng(11)
    values = rng.normal(100, 10, 60).round() if values is None else values
    first = LAST - dt.timedelta(days=7 * len(values) - 1)
    rows = "on,n\n" + "".join(
        f"{first + dt.timedelta(days=7 * i + j)},{n if j == 6 else 0}\n"
        for i, n in enumerate(values)
        for j in range(7)
    )
    metrics = f"""
    m: {{type: simple, measure: {{source: s, agg: sum, expr: n}}, lights: standard, targets: [{{per: week, value: {target}}}]}}
    free: {{type: simple, measure: {{source: s, agg: sum, expr: n}}{rest}}}
    """
    catalog = company(
        "s: {system: CRM, path: s.csv, time: on}", metrics, {"s.csv": rows}, as_of=LAST.isoformat()
    )
    return board.measure(catalog, ["m", "free"])


def test_a_light_says_how_often_luck_would_have_changed_it(company):
    this = of_weeks(company, 100)
    said = story.luck(this).sentences
    times = round(13 * this.row("m")["flips"])
    assert 5 <= times <= 8
    assert said[0].text == (
        f"Expect the M light to change by chance in about {times} weeks of 13. "
        "Read several weeks together."
    )
    assert said[1].text == "Expect 0.30 false alarms in 13 weeks."


def test_several_lights_are_told_together(company):
    this = of_weeks(company, 100, rest=", lights: standard, targets: [{per: week, value: 100}]")
    said = story.luck(this).sentences
    assert re.fullmatch(
        r"Changes of light to expect by chance in 13 weeks: M \d, Free \d\.",
        said[0].text,
    )
    assert re.match(
        r"Even if nothing changes, expect about [01]\.\d+ of these 2 lights to differ next week\. Expect",
        said[1].text,
    )
    assert [wrong for each in said for wrong in sentences.wrong(each)] == []


def test_a_light_far_from_its_thresholds_says_that_luck_does_not_change_it(company):
    (said, _) = story.luck(of_weeks(company, 20)).sentences
    assert said.text == "M: a change of its light is rarely chance."


def test_these_sentences_agree_with_their_facts_and_the_record_has_them(company):
    this = of_weeks(company, 100)
    recorded = {fact["id"] for fact in story.record(this).payload["facts"]}
    for said in story.luck(this).sentences:
        assert sentences.wrong(said) == []
        assert set(said.facts) <= recorded


def test_a_series_that_remembers_says_nothing_about_luck(company):
    this = of_weeks(company, 100, values=np.arange(60) * 3 + 10)
    assert story.luck(this).sentences == ()


@pytest.mark.parametrize("ten", [10])
def test_a_parents_light_is_that_of_its_own_metric_and_never_the_worst_of_its_children(
    company, ten
):
    """Ten children with a light that is red in 31 of 100 weeks by luck: one of them is red in 97.5% (computed)."""
    assert 1 - 0.69**ten == pytest.approx(0.975, abs=0.002)
    this = of_weeks(company, 100)
    assert story.record(this).payload["light"] == this.row("m")["light"]
