"""How much of a light is luck is said in a sentence, from facts."""

import datetime as dt
import re

import numpy as np
import pytest

from dataops_nb import board, story
from dataops_nb.story import checking

LAST = dt.date(2026, 11, 22)


def of_weeks(company, target, rest="", values=None):
    rng = np.random.default_rng(11)
    values = rng.normal(100, 10, 60).round() if values is None else values
    first = LAST - dt.timedelta(days=7 * len(values) - 1)
    rows = "on,n\n" + "".join(
        f"{first + dt.timedelta(days=7 * i + j)},{n if j == 6 else 0}\n" for i, n in enumerate(values) for j in range(7)
    )
    metrics = f"""
    m: {{type: simple, measure: {{source: s, agg: sum, expr: n}}, lights: standard, targets: [{{per: week, value: {target}}}]}}
    free: {{type: simple, measure: {{source: s, agg: sum, expr: n}}{rest}}}
    """
    catalog = company("s: {system: CRM, path: s.csv, time: on}", metrics, {"s.csv": rows}, as_of=LAST.isoformat())
    return board.of(catalog, ["m", "free"])


def test_a_light_says_how_often_luck_would_have_changed_it(company):
    this = of_weeks(company, 100)
    said = story.luck(this).sentences
    times = round(13 * this.row("m")["flips"])
    assert 5 <= times <= 8
    assert said[0].text == f"By luck alone the light of M would have changed in {times} of the last 13 weeks."
    assert (
        said[1].text
        == "If nothing changed at all, in 13 weeks the usual ranges of 2 metrics would raise 0.30 false alarms."
    )


def test_several_lights_are_told_together(company):
    this = of_weeks(company, 100, rest=", lights: standard, targets: [{per: week, value: 100}]")
    known, said = story.luck_facts(this), story.luck(this).sentences
    assert re.fullmatch(
        r"By luck alone lights would have changed in some of the last 13 weeks: M in \d, Free in \d\.", said[0].text
    )
    assert re.match(
        r"Of 2 lights here [01]\.\d+ would differ next week if nothing changed at all, and in 13 weeks", said[1].text
    )
    for each in said:
        assert checking.disagreements(each.text, [known[name] for name in each.facts], ["M", "Free"]) == []


def test_a_light_far_from_its_thresholds_says_that_luck_does_not_change_it(company):
    (said, _) = story.luck(of_weeks(company, 20)).sentences
    assert said.text == "The light of M hardly ever changes by luck alone."


def test_these_sentences_agree_with_their_facts_and_the_record_has_them(company):
    this = of_weeks(company, 100)
    known, recorded = story.luck_facts(this), {fact["id"] for fact in story.record(this).payload["facts"]}
    for said in story.luck(this).sentences:
        assert checking.disagreements(said.text, [known[name] for name in said.facts], ["M"]) == []
        assert set(said.facts) <= recorded


def test_a_series_that_remembers_says_nothing_about_luck(company):
    this = of_weeks(company, 100, values=np.arange(60) * 3 + 10)
    assert story.luck(this).sentences == ()


@pytest.mark.parametrize("ten", [10])
def test_a_parents_light_is_that_of_its_own_metric_and_never_the_worst_of_its_children(company, ten):
    """Ten children with a light that is red in 31 of 100 weeks by luck: one of them is red in 97.5 % (computed)."""
    assert 1 - 0.69**ten == pytest.approx(0.975, abs=0.002)
    this = of_weeks(company, 100)
    assert story.record(this).payload["light"] == this.row("m")["light"]
