"""What is known about a light before anybody says what to do: every row from small tables."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd
import pytest

from dataops_nb.board import decisions
from dataops_nb.metrics import Light, Lights, Simple

DAY = dt.date(2026, 11, 22)
WITHIN = {"act_within": "5d"}
LIGHTS = Lights(
    green=Light(at_least=1.0, means="m", do="d"),
    yellow=Light(at_least=0.85, means="m", do="d", **WITHIN),
    red=Light(means="m", do="d", **WITHIN),
)


class Company:
    """What decisions ask of a company: one input `m`, one North Star `star`."""

    north_star = ("star",)

    def __init__(self, better="up"):
        measure = {"source": "s", "agg": "count"}
        metric = Simple(type="simple", measure=measure, better=better)
        self.metrics = {"m": metric, "star": metric}

    def lights(self, _):
        return LIGHTS


def current(**changes):
    row = {
        "metric": "m", "light": "red", "reason": None, "variation": None, "value": 5.0,
        "target": 10.0, "target_low": math.nan, "target_high": math.nan,
        "lower": 2.0, "upper": 12.0, "accepted_until": pd.NaT,
    }  # fmt: skip
    return pd.DataFrame([row | changes])


def finding(**changes):
    row = {"metric": "m", "kind": "explained signal", "since": pd.Timestamp("2026-08-24"),
           "event": "Release 8.0", "before": 10.0, "now": 5.0, "left": pd.NA}  # fmt: skip
    return pd.DataFrame([row | changes])


def pair(**changes):
    row = {"input": "m", "target": "star", "verdict": "cannot tell", "lag": 3, "effect": 0.5, "q": 0.2,
           "declared": False, "contradicted": False, "rocking_chair": False, "is_part": False,
           "periods_needed": pd.NA}  # fmt: skip
    return pd.DataFrame([row | changes])


def reaction(**changes):
    row = {"metric": "m", "light": "red", "since": dt.date(2026, 11, 15), "due": dt.date(2026, 11, 25),
           "days_left": 3, "answered": False}  # fmt: skip
    return pd.DataFrame([row | changes])


def decide(row=None, *, better="up", findings=None, links=None, reactions=None):
    def empty(like):
        return like.iloc[:0]

    return decisions.decide(
        current() if row is None else row,
        Company(better),
        findings=empty(finding()) if findings is None else findings,
        links=empty(pair()) if links is None else links,
        reactions=empty(reaction()) if reactions is None else reactions,
        as_of=DAY,
    ).iloc[0]


@pytest.mark.parametrize(
    ("said", "variation"),
    [
        ("special-cause concern", "worse"),
        ("special-cause improvement", "better"),
        ("common cause", "ordinary"),
        (None, "cannot tell"),
    ],
)
def test_the_metrics_own_signal_is_its_variation(said, variation):
    assert decide(current(variation=said)).variation == variation


def test_an_ordinary_value_whose_target_lies_beyond_its_range_is_out_of_reach():
    row = current(variation="common cause", upper=9.0)
    assert decide(row).variation == "unreachable"


@pytest.mark.parametrize(("better", "variation"), [("up", "worse"), ("down", "better")])
def test_a_finding_beats_what_limits_cannot_tell(better, variation):
    found = decide(better=better, findings=finding())
    assert (found.variation, found.event) == (variation, "Release 8.0")


def test_a_new_level_for_the_worse_says_since_when():
    new = decide(findings=finding(kind="new level", event=None))
    assert (new.variation, new.event) == ("worse", None)
    assert new.began == pd.Timestamp("2026-08-24")


def test_a_green_value_that_declines_is_worse_and_says_how_long_it_holds():
    found = decide(current(light="green"), findings=finding(kind="green decline", left=6))
    assert (found.variation, found.left) == ("worse", 6)


def test_a_finding_about_another_metric_says_nothing():
    assert decide(findings=finding(metric="other")).variation == "cannot tell"


@pytest.mark.parametrize(
    ("changes", "link"),
    [
        ({"verdict": "moves"}, "moves"),
        ({"verdict": "moves", "contradicted": True, "declared": True}, "no effect"),
        ({"verdict": "does not", "declared": True}, "no effect"),
        ({"verdict": "does not"}, "no sign"),
        ({"rocking_chair": True, "declared": True}, "no effect"),
        ({"is_part": True}, "moves"),
        ({"declared": True}, "no sign"),
    ],
)
def test_a_link_is_one_of_three(changes, link):
    assert decide(links=pair(**changes)).link == link


def test_a_north_star_moves_itself():
    found = decide(current(metric="star"))
    assert (found.link, found.star) == ("moves", None)


def test_of_several_links_the_surest_counts():
    both = pd.concat([pair(verdict="moves", q=0.03, target="a"), pair(verdict="moves", q=0.001)])
    assert decide(links=both).star == "star"


@pytest.mark.parametrize(
    ("changes", "deadline"),
    [
        ({}, "running"),
        ({"days_left": -1}, "overdue"),
        ({"days_left": -1, "answered": True}, "answered"),
    ],
)
def test_a_deadline_runs_is_over_or_was_answered(changes, deadline):
    assert decide(reactions=reaction(**changes)).deadline == deadline


def test_an_accepted_light_has_no_deadline():
    row = current(accepted_until=pd.Timestamp("2026-12-31"))
    assert decide(row, reactions=reaction()).deadline == "accepted"


@pytest.mark.parametrize(("since", "waited"), [(20, False), (21, True)])
def test_over_four_times_the_agreed_time_is_waiting(since, waited):
    late = reaction(since=DAY - dt.timedelta(days=since), days_left=5 - since)
    assert decide(reactions=late).waited == waited


def test_who_changed_something_has_not_waited():
    late = reaction(since=dt.date(2025, 1, 5), days_left=-600)
    assert not decide(current(variation="special-cause improvement"), reactions=late).waited
