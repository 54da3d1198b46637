"""One honest light for every input."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import status
from dataops_nb.definitions.models import Light, Lights

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
def test_attainment_is_the_share_of_the_target_and_at_least_one_only_where_met(value, target, better, attained):
    assert status.attainment(value, target, better) == pytest.approx(attained, abs=0)


@pytest.mark.parametrize(("value", "attained"), [(3, 1.0), (5, 1.0), (4, 1.0), (6, 0.5), (2, 0.5), (9, -1.0)])
def test_attainment_inside_a_band_falls_with_the_distance_in_widths(value, attained):
    assert status.attainment(value, math.nan, "inside", 3, 5) == attained


def test_equal_to_a_threshold_counts_as_met_also_in_decimals_that_floats_cannot_hold():
    assert 0.01445 / 0.017 < 0.85
    assert status.light(status.attainment(0.01445, 0.017, "up"), STANDARD) == "yellow"


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
    assert status.light(status.attainment(value, target, better, low, high), STANDARD) in status.LIGHTS


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_a_target_is_met_exactly_where_attainment_is_at_least_one(value, target):
    assert (status.attainment(value, target, "up") >= 1) == (value >= target)
    assert (status.attainment(value, target, "down") >= 1) == (value <= target)


class Definitions:
    """Just what judging asks of the definitions: the good direction and the lights."""

    def __init__(self, lights=STANDARD, better="up"):
        self.metrics = {"m": type("Metric", (), {"better": better})}
        self._lights = lights

    def lights(self, metric):
        return self._lights


def row(**changes):
    known = {"metric": "m", "value": 10.0, "target": 10.0, "target_low": math.nan, "target_high": math.nan}
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
    table = pd.concat([row(value=1.0), row(value=10.0), row(value=9.0)]).set_index(pd.Index([5, 3, 9]))
    judged = status.judge(table, Definitions())
    assert judged.index.tolist() == [5, 3, 9]
    assert judged["light"].tolist() == ["red", "green", "yellow"]
