"""The NHS's rules mark the points that NHSRplotthedots's own published examples mark.

Source: NHS-R Community, NHSRplotthedots (MIT), tests/testthat/test-ptd_calculate_point_type.R and
test-ptd_calculate_assurance_type.R: each example is a series of sides, nearness or values.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataops_nb.limits.xmr import NAMES, NHS, marks
from dataops_nb.status.attainment import assurance

CENTER, REACH = 0.0, 3.0
NEAR, FAR = 0.1, 2.5  # of the centre; beyond two thirds of the way to the limit


def marked(values: list[float], name: str) -> list[int]:
    """Which points have this signal; the centre is 0 and the limits are ± 3."""
    count = len(values)
    places = marks(
        np.array(values, dtype=float),
        np.zeros(count, dtype=int),
        np.full(count, CENTER),
        np.full(count, REACH),
        NHS,
    )
    return [int(place == NAMES.index(name)) for place in places]


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ([1] * 6, [0] * 6),
        ([1] * 6 + [-1], [0] * 7),
        ([1] * 8 + [-1], [1] * 8 + [0]),
        ([-1] * 8 + [1], [1] * 8 + [0]),
        ([-1] + [1] * 8 + [-1], [0] + [1] * 8 + [0]),
        ([1] + [-1] * 8 + [1], [0] + [1] * 8 + [0]),
    ],
)
def test_seven_points_on_one_side_of_the_mean(sides, expected):
    assert marked([NEAR * side for side in sides], "run") == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([1, 2, 3, 4, 5, 6], [0] * 6),
        ([1, 2, 3, 3, 4, 5, 6], [0] * 7),
        ([1, 2, 3, 4, 5, 6, 7], [1] * 7),
        ([2, 1, 2, 3, 4, 5, 6, 7, 3], [0] + [1] * 7 + [0]),
        ([7, 6, 5, 4, 3, 2, 1], [1] * 7),
        ([2, 7, 6, 5, 4, 3, 2, 1, 3], [0] + [1] * 7 + [0]),
    ],
)
def test_seven_points_that_all_rise_or_all_fall(steps, expected):
    middle = 4
    assert marked([NEAR * (step - middle) for step in steps], "trend") == expected


@pytest.mark.parametrize(
    ("near_limit", "expected"),
    [
        ([0, 0, 0], [0, 0, 0]),
        ([1, 0, 1], [1, 0, 1]),
        ([0, 1, 1], [0, 1, 1]),
        ([1, 1, 0], [1, 1, 0]),
        ([0, 0, 1, 0, 1, 0, 0], [0, 0, 1, 0, 1, 0, 0]),
        ([0, 0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0]),
        ([1, 0, 0, 1], [0, 0, 0, 0]),
        ([1, 0, 0, 1, 1], [0, 0, 0, 1, 1]),
    ],
)
def test_two_of_three_points_near_the_same_limit(near_limit, expected):
    assert marked([FAR if is_near else NEAR for is_near in near_limit], "near-limit") == expected


def test_a_point_beyond_a_limit_is_marked_and_one_on_it_is_not():
    assert marked([0.1, 3.1, -0.1, -3.0, 0.1], "outside") == [0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("better", "said"),
    [
        ("up", ["consistent fail", "consistent pass", "inconsistent"]),
        ("down", ["consistent pass", "consistent fail", "inconsistent"]),
    ],
)
def test_assurance_is_where_the_target_lies_to_the_limits(better, said):
    nothing = {"low": math.nan, "high": math.nan}
    limits = [(1.0, 3.0), (5.0, 7.0), (1.0, 5.0)]
    assert [assurance(*ends, better, target=4.0, **nothing) for ends in limits] == said
