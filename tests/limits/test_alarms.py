"""How often limits cry wolf, by kind of metric: as often as they say, and seldom."""

from __future__ import annotations

import honesty_limits
import pytest


@pytest.mark.parametrize("kind", ["normal", "sums of deals", "rate .25, n 4 or 60", "counts of 12"])
def test_newest_points_cry_wolf_about_as_often_as_is_said(kind):
    row = honesty_limits.alarms(kind, 1500)
    assert 0.4 * row["said"] <= row["auto"] <= 1.9 * row["said"]


@pytest.mark.parametrize("kind", ["sums of deals", "rate .25, n 4 or 60", "churn, 2 % of 60"])
def test_limits_of_the_kind_cry_wolf_less_than_those_of_moving_ranges(kind):
    row = honesty_limits.alarms(kind, 800)
    assert row["auto"] < 0.8 * row["xmr"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", honesty_limits.KINDS)
def test_the_alarms_of_each_kind_are_within_half_and_one_and_a_half(kind):
    row = honesty_limits.alarms(kind, 20_000)
    assert 0.45 * row["said"] <= row["auto"] <= 1.5 * row["said"]


def test_a_real_drop_of_a_rate_is_found_and_moving_ranges_miss_it():
    assert honesty_limits.drops_found(100, "auto") >= 0.9
    assert honesty_limits.drops_found(100, "xmr") <= 0.1
