"""Checks: what is strong for a wrong reason is no link."""

import numpy as np

from dataops_nb.links import checks


def pair(seed, n=120, r=0.5):
    """A cause and, three periods later, an effect."""
    rng = np.random.default_rng(seed)
    cause = rng.standard_normal(n)
    effect = rng.standard_normal(n) * np.sqrt(1 - r * r)
    effect[3:] += r * cause[:-3]
    return cause, effect


def test_a_plain_link_keeps_nearly_all_of_its_standard_errors():
    shares = [checks.doubt(*pair(seed), 3, 8).share for seed in range(20)]
    assert np.median(shares) == 1.0
    assert min(shares) > 0.7


def test_what_one_stretch_alone_says_is_no_link():
    cause, effect = (np.random.default_rng(seed).standard_normal(120) for seed in (5, 6))
    cause[50:56] += 6
    effect[53:59] += 6
    assert checks.doubt(cause, effect, 3, 8).reason == "one stretch"


def test_noise_that_is_wild_at_the_same_time_is_less_sure():
    rng = np.random.default_rng(3)
    wild = np.where(np.arange(120) % 20 < 4, 6.0, 1.0)
    cause, effect = (rng.standard_normal(120) * wild for _ in range(2))
    even = [rng.standard_normal(120) for _ in range(2)]
    assert checks.unrest(cause, effect) < 0.8 < checks.unrest(*even)


def test_a_wave_in_both_shows_at_lags_that_nobody_means():
    rng = np.random.default_rng(4)
    wave = 2 * np.sin(np.arange(120) / 4)
    cause, effect = (rng.standard_normal(120) + wave for _ in range(2))
    assert checks.elsewhere(cause, effect, 8) < 0.6
