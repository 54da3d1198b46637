"""How often limits cry wolf, by kind of metric: as often as they say, and seldom."""

from __future__ import annotations

import math

import honesty_limits
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb.limits import alarms, attributes


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


def counted(expected, base, dispersion=1.0):
    """One count: a share of a base, or without one a plain count."""
    is_share = base is not None
    columns = (expected, base or 1.0, is_share, dispersion, 0.0)
    return alarms.Counted(*(np.array([column]) for column in columns))


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_shares_have_the_chances_of_a_binomial_count(base, share):
    upto = np.arange(base)
    exact = np.cumsum([math.comb(base, k) * share**k * (1 - share) ** (base - k) for k in upto])
    known = counted(base * share, float(base)).at_most(upto[:, None].astype(float))[:, 0]
    assert known == pytest.approx(exact, abs=1e-7)


@given(st.floats(0.01, 25.0))
def test_counts_have_the_chances_of_poisson_ones(mean):
    upto = np.arange(60)
    exact = np.cumsum([math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in upto])
    known = counted(mean, None).at_most(upto[:, None].astype(float))[:, 0]
    assert known == pytest.approx(exact, abs=1e-6)


@given(st.floats(0.1, 15.0), st.floats(1.05, 3.0), st.sampled_from([None, 40.0, 200.0]))
def test_counts_that_differ_more_than_dice_keep_their_mean_and_variance(mean, dispersion, base):
    upto = np.arange(-1.0, 101.0)
    known = counted(mean, base, dispersion).at_most(upto[:, None])[:, 0]
    chance, number = np.diff(known), upto[1:]
    middle = (chance * number).sum()
    wanted = dispersion * mean * (1 - mean / (base or math.inf))
    assert middle == pytest.approx(mean, rel=0.01)
    assert (chance * (number - middle) ** 2).sum() == pytest.approx(wanted, rel=0.05, abs=0.01)


@given(st.integers(1, 40), st.floats(0, 1), st.floats(0.3, 12))
def test_the_median_of_a_share_can_be_counted(base, share, dispersion):
    columns = (np.array([each]) for each in (share, float(base), True, dispersion))
    assert 0 <= attributes.medians(*columns)[0] <= 1


@pytest.mark.slow
def test_rates_of_any_share_of_any_number_cry_wolf_as_often_as_is_said():
    rows = honesty_limits.any_rates(40_000, seed=3)
    ratio = rows["came"] / rows["said"]
    assert ratio.between(0.6, 1.4).all()


def test_small_rates_cry_wolf_no_more_often_than_is_said():
    rows = honesty_limits.any_rates(8000, seed=4)
    assert (rows["came"] < 1.6 * rows["said"]).all()
