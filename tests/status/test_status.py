"""One honest light for every input."""

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import alignment, limits, status
from dataops_nb.metrics import Accept, Light, Lights, Limits
from dataops_nb.status.attainment import (
    LIGHTS,
    Bounds,
    assurance,
    attaining,
    attainment,
    flips,
    variation,
)

STANDARD = Lights(
    green=Light(at_least=1.0, means="On plan.", do="Keep going."),
    yellow=Light(at_least=0.85, means="Recoverable.", do="Review."),
    red=Light(means="At risk.", do="Re-plan."),
)


@pytest.mark.parametrize(
    ("value", "target", "better", "attained"),
    [
        (41, 45, "up", 41 / 45),
        (45, 45, "up", 1.0),
        (90, 45, "up", 2.0),
        (-5, 10, "up", -0.5),
        (-5, -10, "up", 1.0),
        (-15, -10, "up", 0.5),
        (-1, 0, "up", 0.0),
        (0, 0, "up", 1.0),
        (4, 2, "down", 0.5),
        (1, 2, "down", 2.0),
        (0, 2, "down", 1.0),
        (3, 0, "down", 0.0),
        (-3, 2, "down", 1.0),
    ],
)
def test_attainment_is_the_share_of_the_target_and_at_least_one_only_where_met(
    value, target, better, attained
):
    assert attainment(value, target, better) == pytest.approx(attained, abs=0)


@pytest.mark.parametrize(
    ("value", "attained"), [(3, 1.0), (5, 1.0), (4, 1.0), (6, 0.5), (2, 0.5), (9, -1.0)]
)
def test_attainment_inside_a_band_falls_with_the_distance_in_widths(value, attained):
    assert attainment(value, math.nan, "inside", 3, 5) == attained


def test_equal_to_a_threshold_counts_as_met_also_in_decimals_that_floats_cannot_hold():
    assert 0.01445 / 0.017 < 0.85
    assert status.light(attainment(0.01445, 0.017, "up"), STANDARD) == "yellow"


def test_a_hair_below_a_threshold_is_not_met():
    assert status.light(math.nextafter(0.85, 0), STANDARD) == "red"
    assert status.light(math.nextafter(1.0, 0), STANDARD) == "yellow"


def test_without_yellow_what_is_not_green_is_red():
    two = STANDARD.model_copy(update={"yellow": None})
    assert [status.light(each, two) for each in (1.0, 0.99)] == ["green", "red"]


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(NUMBERS, NUMBERS, st.sampled_from(["up", "down", "inside"]), NUMBERS, NUMBERS)
def test_any_numbers_get_exactly_one_light(value, target, better, low, high):
    low, high = min(low, high), max(low, high)
    assert status.light(attainment(value, target, better, low, high), STANDARD) in LIGHTS


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_target_is_met_exactly_where_attainment_is_at_least_one(value, target):
    assert (attainment(value, target, "up") >= 1) == (value >= target)
    assert (attainment(value, target, "down") >= 1) == (value <= target)


class Definitions:
    """Just what judging asks of the definitions: the good direction and the lights."""

    def __init__(self, lights=STANDARD, better="up", policy=None, accept=()):
        said = {"better": better, "policy": policy, "accept": list(accept), "limits": Limits()}
        self.metrics = {"m": type("Metric", (), said)}
        self._lights = lights

    def lights(self, metric):
        return self._lights


def row(**changes):
    known = {
        "metric": "m",
        "value": 10.0,
        "target": 10.0,
        "target_low": math.nan,
        "target_high": math.nan,
    }
    return pd.DataFrame([{**known, "complete": True, "condition": None, **changes}])


@pytest.mark.parametrize(
    ("changes", "light", "reason"),
    [
        ({}, "green", None),
        ({"value": 9.0}, "yellow", None),
        ({"value": 1.0}, "red", None),
        ({"value": math.nan}, "unknown", "no data"),
        ({"value": math.inf}, "unknown", "fault"),
        ({"complete": False}, "unknown", "incomplete"),
        ({"target": math.nan}, "unknown", "no target"),
        ({"value": math.nan, "condition": "stale"}, "unknown", "stale"),
        ({"value": math.nan, "condition": "fault"}, "unknown", "fault"),
    ],
)
def test_every_state_of_a_row_has_one_light_and_its_reason(changes, light, reason):
    judged = status.judge(row(**changes), Definitions()).iloc[0]
    assert (judged["light"], judged["reason"]) == (light, reason)


def test_a_metric_without_agreed_lights_has_no_target_to_be_judged_by():
    assert status.judge(row(), Definitions(lights=None))["reason"].tolist() == ["no target"]


def test_judging_keeps_rows_their_order_and_their_index():
    table = pd.concat([row(value=1.0), row(value=10.0), row(value=9.0)]).set_index(
        pd.Index([5, 3, 9])
    )
    judged = status.judge(table, Definitions())
    assert judged.index.tolist() == [5, 3, 9]
    assert judged["light"].tolist() == ["red", "green", "yellow"]


# --- two axes -----------------------------------------------------------------------------------------------------------

LIMITS = {"center": 10.0, "lower": 7.0, "upper": 13.0, "signal": None, "limits_reason": None}
OUTSIDE = {
    "special-cause improvement": {"value": 14.0, "signal": "outside"},
    "special-cause concern": {"value": 6.0, "signal": "outside"},
    "common cause": {"value": 10.0},
}


@pytest.mark.parametrize(
    ("assurance", "variation", "colour"),
    [
        ("consistent pass", "special-cause improvement", "green"),
        ("consistent pass", "common cause", "green"),
        ("consistent pass", "special-cause concern", "yellow"),
        ("inconsistent", "special-cause improvement", "yellow"),
        ("inconsistent", "common cause", "yellow"),
        ("inconsistent", "special-cause concern", "red"),
        ("consistent fail", "special-cause improvement", "yellow"),
        ("consistent fail", "common cause", "red"),
        ("consistent fail", "special-cause concern", "red"),
    ],
)
def test_capability_lights_by_both_axes(assurance, variation, colour):
    target = {"consistent pass": 7.0, "inconsistent": 10.0, "consistent fail": 13.1}[assurance]
    table = row(**LIMITS | OUTSIDE[variation] | {"target": target})
    judged = status.judge(table, Definitions(policy="capability")).iloc[0]
    assert (judged["light"], judged["variation"], judged["reason"]) == (colour, variation, None)
    two = STANDARD.model_copy(update={"yellow": None, "policy": "capability"})
    assert status.judge(table, Definitions(two)).iloc[0]["light"] == (
        "red" if colour == "yellow" else colour
    )


@pytest.mark.parametrize("reason", ["too short", "autocorrelated"])
def test_limits_that_prove_nothing_give_no_colour_by_capability_and_the_targets_colour_by_target(
    reason,
):
    table = row(**LIMITS | {"limits_reason": reason})
    by = {
        policy: status.judge(table, Definitions(policy=policy)).iloc[0]
        for policy in ("capability", "target")
    }
    assert (by["capability"]["light"], by["capability"]["reason"]) == ("unknown", "too short")
    assert (by["target"]["light"], by["target"]["variation"]) == ("green", None)
    assert math.isnan(by["target"]["flips"])


def test_a_metrics_own_policy_goes_before_the_one_of_its_lights():
    lights = STANDARD.model_copy(update={"policy": "capability"})
    table = row(**LIMITS)
    assert status.judge(table, Definitions(lights))["light"].tolist() == ["yellow"]
    assert status.judge(table, Definitions(lights, policy="target"))["light"].tolist() == ["green"]


@pytest.mark.parametrize(
    ("better", "target", "low", "high", "said"),
    [
        ("up", 7.0, math.nan, math.nan, "consistent pass"),
        ("up", 7.1, math.nan, math.nan, "inconsistent"),
        ("up", 13.0, math.nan, math.nan, "inconsistent"),
        ("up", 13.1, math.nan, math.nan, "consistent fail"),
        ("down", 13.0, math.nan, math.nan, "consistent pass"),
        ("down", 6.9, math.nan, math.nan, "consistent fail"),
        ("inside", 10.0, 7.0, 13.0, "consistent pass"),
        ("inside", 10.0, 8.0, 12.0, "inconsistent"),
        ("inside", 21.0, 20.0, 22.0, "consistent fail"),
        ("up", math.nan, math.nan, math.nan, None),
    ],
)
def test_assurance_is_where_the_target_lies_to_the_limits(better, target, low, high, said):
    assert assurance(7.0, 13.0, better, target=target, low=low, high=high) == said


@pytest.mark.parametrize(
    ("better", "value", "target", "said"),
    [
        ("up", 14.0, 10.0, "special-cause improvement"),
        ("down", 14.0, 10.0, "special-cause concern"),
        ("down", 6.0, 10.0, "special-cause improvement"),
        ("inside", 14.0, 15.0, "special-cause improvement"),
        ("inside", 14.0, 10.0, "special-cause concern"),
        ("inside", 14.0, math.nan, None),
    ],
)
def test_a_signal_is_good_or_bad_by_the_good_direction(better, value, target, said):
    assert variation("outside", value, 10.0, better, target) == said


# --- how much is luck ---------------------------------------------------------------------------------------------------


def test_a_target_at_the_mean_and_a_yellow_band_of_half_a_sigma_flips_in_61_8_percent_of_weeks():
    """The worked example: green/yellow/red = 50/19/31 %."""
    lights = STANDARD.model_copy(update={"yellow": Light(at_least=0.95, means="x", do="x")})
    said = flips(100.0, 10.0, lights, "up", target=100.0, low=math.nan, high=math.nan)
    assert said == pytest.approx(0.618, abs=0.0005)
    mirrored = STANDARD.model_copy(update={"yellow": Light(at_least=100 / 105, means="x", do="x")})
    assert flips(
        100.0, 10.0, mirrored, "down", target=100.0, low=math.nan, high=math.nan
    ) == pytest.approx(said)


def test_flips_are_computed_from_the_moving_range_behind_the_limits():
    mean_range = 1.128 * 10
    reach = 2.66 * mean_range
    table = row(
        value=100.0,
        target=100.0,
        center=100.0,
        lower=100 - reach,
        upper=100 + reach,
        signal=None,
        limits_reason=None,
    )
    lights = STANDARD.model_copy(update={"yellow": Light(at_least=0.95, means="x", do="x")})
    assert status.judge(table, Definitions(lights))["flips"].iloc[0] == pytest.approx(
        0.618, abs=0.0005
    )


def test_a_light_far_from_its_thresholds_never_changes_by_luck():
    assert flips(
        200.0, 1.0, STANDARD, "up", target=100.0, low=math.nan, high=math.nan
    ) == pytest.approx(0)
    assert flips(5.0, 0.0, STANDARD, "inside", target=5.0, low=4.0, high=6.0) == 0
    assert math.isnan(flips(5.0, 1.0, STANDARD, "up", target=math.nan, low=math.nan, high=math.nan))


PLAIN = st.integers(-400, 400).map(lambda n: n / 8)


@given(
    PLAIN,
    PLAIN,
    st.sampled_from(["up", "down", "inside"]),
    PLAIN,
    st.sampled_from([0.5, 0.85, 1.0, 1.25]),
)
def test_values_attain_a_share_exactly_where_the_noise_counts_them(
    value, target, better, other, share
):
    low, high = sorted((target, other))
    if better == "inside" and low == high:
        return
    (first,), (last,) = attaining(np.array([share]), Bounds.one(better, target, low, high))
    if any(math.isclose(value, edge, abs_tol=1e-9) for edge in (first, last)):
        return
    assert (first < value < last) == (attainment(value, target, better, low, high) >= share)


# --- accepted lights ----------------------------------------------------------------------------------------------------

ACCEPTED = Accept(light="red", owner="CFO", until=dt.date(2026, 12, 31), because="migration")


@pytest.mark.parametrize(
    ("as_of", "value", "until"),
    [
        (dt.date(2026, 12, 31), 1.0, pd.Timestamp(2026, 12, 31)),
        (dt.date(2027, 1, 1), 1.0, pd.NaT),
        (dt.date(2026, 12, 1), 9.0, pd.NaT),
        (None, 1.0, pd.NaT),
    ],
)
def test_an_accepted_red_stays_red_and_says_until_when(as_of, value, until):
    judged = status.judge(row(value=value), Definitions(accept=[ACCEPTED]), as_of).iloc[0]
    assert judged["light"] == ("red" if value == 1 else "yellow")
    assert judged["accepted_until"] is until or judged["accepted_until"] == until


# --- all rows at once -----------------------------------------------------------------------------------------------------

SIMPLE = st.one_of(
    st.integers(-20, 20).map(float),
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=False),
    st.just(0.0145),
)


@given(
    st.lists(st.tuples(SIMPLE, SIMPLE, SIMPLE, SIMPLE), min_size=1, max_size=8),
    st.sampled_from(["up", "down", "inside"]),
)
def test_many_rows_have_the_lights_of_each(rows, better):
    lows = [min(low, high) for *_, low, high in rows]
    highs = [max(low, high) for *_, low, high in rows]
    table = pd.concat([row(value=v, target=t) for v, t, *_ in rows], ignore_index=True)
    table = table.assign(target_low=lows, target_high=highs)
    judged = status.judge(table, Definitions(better=better))
    alone = [
        attainment(v, t, better, low, high)
        for (v, t, *_), low, high in zip(rows, lows, highs, strict=True)
    ]
    assert judged["attainment"].tolist() == pytest.approx(alone, rel=1e-12, nan_ok=True)
    coloured = judged["light"] != "unknown"
    assert judged["light"][coloured].tolist() == [
        status.light(each, STANDARD) for each, here in zip(alone, coloured, strict=True) if here
    ]


@pytest.mark.parametrize(
    ("value", "target", "colour"),
    [(0.01445, 0.017, "yellow"), (math.nextafter(0.01445, 0), 0.017, "red"), (17, 20, "yellow")],
)
def test_a_threshold_is_met_exactly_among_many_rows_too(value, target, colour):
    table = pd.concat([row(), row(value=value, target=target), row(value=1.0)], ignore_index=True)
    assert status.judge(table, Definitions())["light"].tolist() == ["green", colour, "red"]


def published():
    """The table of the documentation: policy, row, and the colour under improvement, common cause and concern."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "metrics.md").read_text()
    head = "| policy | | improvement ↑ | common cause → | concern ↓ |"
    lines = page[page.index(head) :].splitlines()[2:8]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


VARYING = ("special-cause improvement", "common cause", "special-cause concern")
SAID = {"consistent pass": 7.0, "inconsistent": 10.0, "consistent fail": 13.1}


@pytest.mark.parametrize("line", range(6))
@pytest.mark.parametrize("column", range(3))
def test_every_cell_of_the_published_table_is_what_is_lit(line, column):
    policy, case, *colours = published()[line]
    value = OUTSIDE[VARYING[column]]["value"]
    attained = {"green holds": 1.0, "yellow holds": 0.9, "neither holds": 0.5}
    target = SAID[case] if policy == "capability" else value / attained[case]
    table = row(**LIMITS | OUTSIDE[VARYING[column]] | {"target": target})
    judged = status.judge(table, Definitions(policy=policy)).iloc[0]
    assert (judged["light"], judged["variation"]) == (colours[column], VARYING[column])


@pytest.mark.parametrize("better", ["up", "down"])
def test_what_never_happened_and_must_not_has_no_chance_of_another_light(better):
    days = pd.DataFrame({"day": pd.date_range("2026-06-01", "2026-11-22"), "lost": 0})
    table = alignment.from_frame(days, "lost", time="day", value="lost", agg="sum")
    agreed = {"lost": status.Agreement(target=0, better=better)}
    newest = status.judge(limits.add_limits(table), agreed).iloc[-1]
    assert (newest["light"], newest["flips"], newest["upper"]) == ("green", 0, 0)
