"""How large a period was to be expected: seasons, growth and changes of level in chances."""

from __future__ import annotations

import honesty_chance
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import pacing
from dataops_nb.pacing.levels import scales

# Regimes that no forecast of `levels` describes exactly stand beside those that one does.
SMALL = (
    "steady",
    "bursty",
    "falling by 1 % a week",
    "a season of 35 %",
    "+60 % for eight weeks",
    "-35 % for 3 to 15 weeks",
    "drifting",
    "season and growth",
)


@pytest.mark.parametrize("kind", SMALL)
def test_chances_come_as_often_as_they_are_said(kind):
    row = honesty_chance.scored(kind, 800)
    assert abs(row["said"] - row["came"]) <= 0.04
    assert row["farthest"] <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("prior", [60, 130])
def test_every_tenth_of_the_scale_is_within_five_points(prior):
    farthest = {
        kind: honesty_chance.scored(kind, 20_000, prior)["farthest"]
        for kind in honesty_chance.KINDS
    }
    far_off = {kind for kind, beyond in farthest.items() if beyond > 0.01}
    # nothing in the first 60 weeks of a metric foresees how steep its season rises
    assert far_off == ({"a season of 35 %, on its rise"} if prior == 60 else set())


def test_a_chance_that_hinges_on_whether_a_rise_goes_on_is_not_stated():
    risen = honesty_chance.scored("+60 % over eight weeks", 2000)
    assert risen["farthest"] <= 0.03
    assert 0.75 < risen["stated"] < 0.9
    assert honesty_chance.scored("steady", 2000)["stated"] > 0.995


def moving(target):
    """The chance of a week of a metric that rises faster and faster, after half of it."""
    level = np.concatenate([np.full(40, 100.0), 100 + 8 * np.arange(1, 13)])
    days = np.random.default_rng(7).poisson(level / 7, (7, 52)).astype(float)
    value = days.sum(axis=0)[None, ::-1]
    past = pacing.Past(days[:4].sum(axis=0)[None, ::-1], value, history=value)
    now = np.array([115.0])
    rest = pacing.remainders(past, now)
    bounds = np.array([target]), np.array([np.inf])
    return pacing.chance(past, now, rest, *bounds)[0], past.to_today[1][0]


@pytest.mark.parametrize(("target", "stated"), [(130.0, 1.0), (198.0, np.nan), (400.0, 0.0)])
def test_a_moving_level_leaves_sure_chances_and_no_open_ones(target, stated):
    chance, reach = moving(target)
    assert reach > 0.01
    assert chance == pytest.approx(stated, nan_ok=True)


def test_after_a_lasting_rise_earlier_weeks_are_scaled_up_and_recent_ones_are_not():
    rng = np.random.default_rng(4)
    history = np.concatenate([rng.poisson(100, 100), rng.poisson(160, 9)])[None, :].astype(float)
    scaled = scales(history, 52, 52)[0][0]
    assert scaled[30:].mean() == pytest.approx(1.6, rel=0.08)
    assert scaled[0] == pytest.approx(1.0, rel=0.08)


def test_a_weak_week_is_measured_by_the_season_it_lies_in():
    season = 1 + 0.5 * np.sin(2 * np.pi * np.arange(157) / 52)
    history = (np.random.default_rng(5).poisson(1000 * season[:-1]))[None, :].astype(float)
    scaled = scales(history, 52, 52)[0][0]
    expected = season[-1] / season[:-1][::-1][:52]
    assert np.abs(scaled / expected - 1).max() < 0.2


def test_the_mean_is_kept_where_nothing_else_is_clearly_better():
    history = np.random.default_rng(6).poisson(40, (200, 100)).astype(float)
    assert (scales(history, 52, 52)[0] == 1).all(axis=1).mean() > 0.85


@given(st.lists(st.integers(0, 20), min_size=12, max_size=80), st.sampled_from([0, 4, 12, 52]))
def test_a_scale_is_a_positive_number_for_at_least_twelve_periods(values, year):
    scaled, _ = scales(np.array([values], dtype=float), 52, year)
    known = scaled[np.isfinite(scaled)]
    assert (known > 0).all()
    assert len(known) >= 12


def test_a_missing_week_makes_no_forecast_worse():
    history = np.full((1, 80), 50.0)
    history[0, 30:33] = np.nan
    assert scales(history, 52, 52)[0][0].tolist() == [1.0] * 52


def test_what_is_no_amount_is_not_scaled():
    value = np.linspace(-1, 3, 60)[None, ::-1][:, :52]
    past = pacing.Past(value * 0.5, value, history=value)
    assert pacing.levelled(past).value.tolist() == value.tolist()
