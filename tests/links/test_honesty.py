"""Honesty of links: what is regular about two series, or odd about both, is no link between them.

A small part of `benchmarks/honesty_links.py`, whose table says how often each kind goes wrong.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from dataops_nb import links
from dataops_nb.links import regular

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import honesty_links

pytestmark = pytest.mark.long

HARD = (
    "three waves a year, 2 sd",
    "a dip in July and August",
    "dips that no month bounds",
    "Easter",
    "growth of 1 % a week",
    "growth and season",
    "one step in all, 3 sd",
    "steps of their own",
    "bursts in common",
    "mostly zero",
)


def false_boards(kind, count, seed=11):
    """The share of boards without any link that show one."""
    return honesty_links.false_share(honesty_links.KINDS[kind], count, seed=seed)


@pytest.mark.parametrize("kind", HARD)
def test_what_all_series_share_is_no_link(kind):
    # without any care 13 to 100 of 100 of these boards show one; 4 of 8 have a chance of .0004
    assert false_boards(kind, 8) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("kind", honesty_links.KINDS)
def test_few_boards_of_any_kind_show_a_false_link_or_miss_a_true_one(kind):
    count = 200
    if kind == "60 published months" and not honesty_links.published():
        pytest.skip("the published series come with the benchmarks' packages")
    known = honesty_links.KINDS[kind]
    beside = honesty_links.false_share(known, count, honesty_links.TRUE)
    assert honesty_links.false_share(known, count) <= honesty_links.allowed(0.06, count)
    assert beside <= honesty_links.allowed(0.10, count)
    if known.power is not None:
        least = honesty_links.allowed(known.power, count, least=True)
        assert honesty_links.power(known, count) >= least


def weekly(series):
    starts, ends = honesty_links.days(series.shape[1], "week")
    return regular.clear(series, starts, ends, "week")


def test_noise_keeps_nearly_all_of_its_evidence():
    noise = np.random.default_rng(1).standard_normal((40, 130))
    cleared = weekly(noise)
    places = np.arange(0, 40, 2)
    spent = cleared.spent(places, places + 1, range(1, 9))
    assert np.median(spent) < 4  # level and trend; a season of 27 columns was offered


def test_a_season_goes_as_a_whole():
    kind = honesty_links.KINDS["three waves a year, 2 sd"]
    cleared = weekly(honesty_links.board(kind, np.random.default_rng(2), 0))
    _, ends = honesty_links.days(130, "week")
    season = honesty_links.three_waves(ends)
    season = season - season.mean()
    along = cleared.values @ season / (season @ season)
    assert np.abs(along).max() < 0.15  # of 1.6 before


@pytest.mark.parametrize(
    ("kind", "taken"),
    [("three waves a year, 2 sd", 1), ("Easter", 0)],
)
def test_a_season_takes_the_columns_that_explain_it_with_fewest(kind, taken):
    drawn = honesty_links.board(honesty_links.KINDS[kind], np.random.default_rng(5), 0)
    kept = np.median(weekly(drawn).kept, axis=0)  # holidays, waves, months, waves that grow
    assert kept[taken] < 0.1
    assert np.delete(kept, taken).min() > 0.9


@pytest.mark.parametrize("kind", ["a dip in July and August", "dips that no month bounds"])
def test_a_low_season_takes_few_columns_whichever_days_bound_it(kind):
    drawn = honesty_links.board(honesty_links.KINDS[kind], np.random.default_rng(5), 0)
    cleared = weekly(drawn)
    taken = cleared.fitted + (1 - cleared.kept**2) @ cleared.blocks.sizes
    assert np.median(taken) < 10  # level, trend and two spells; months alone are eleven


def test_growth_by_a_rate_is_cleared_on_a_log_scale_and_effects_keep_their_unit():
    rng = np.random.default_rng(3)
    level = 100 * 1.01 ** np.arange(134)
    cause = level * (1 + 0.1 * rng.standard_normal(134))
    effect = np.empty(134)
    effect[3:] = 2 * cause[:-3] * (1 + 0.03 * rng.standard_normal(131))
    series = np.stack([cause[3:], effect[3:]])
    assert (weekly(series).unit > 100).all()
    starts, ends = honesty_links.days(131, "week")
    lags = [range(1, 9)]
    (row,) = links.relate(starts, ends, series[:1], series[1:], lags=lags, grain="week")
    # 3 weeks of growth lie between the two, so that each is worth 3 % more than 2
    assert row.effect(2)[0] == pytest.approx(2.06, rel=0.15)


def test_a_change_of_level_goes():
    series = np.random.default_rng(4).standard_normal((1, 130))
    series[:, 70:] += 4
    rest = weekly(series).values[0]
    assert abs(rest[70:].mean() - rest[:70].mean()) < 0.3


@pytest.mark.parametrize("value", [0.0, 5.0, 1e9])
def test_what_never_changes_is_still(value):
    assert weekly(np.full((1, 130), value)).is_still.all()
