"""How much of everything happens in each week: the sample company's truths are planted here and nowhere else.

Every series is drawn around its own level. The last complete week is drawn at its expectation, so that the
lights tell the same story on whatever day and from whatever seed the sample is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataops_nb.sample.grid import Array, Grid

MEETING_TO_CUSTOMER = 3
SAD_TO_LOST = 6
RISE_OF_BOOKED = 20
RELEASE = 14
DECLINE_OF_SIGNUPS = 40
SHARE_OF_SAD_LOST = 0.3


@dataclass(frozen=True)
class Rhythm:
    """Counts by week, one array a series, all on the positions of one grid."""

    qualified: Array
    unqualified: Array
    won: Array
    sad: Array
    happy: Array
    lukewarm: Array
    unrated: Array
    lost_customers: Array
    orders: Array
    signups: Array
    features: Array


def draw(grid: Grid, seed: int) -> Rhythm:
    """The company's weeks for one seed."""
    rng = np.random.default_rng([seed, 1])
    qualified = _stable(rng, grid, 26.5, 4.2, season=0.03)
    sad = _sad(rng, grid)
    return Rhythm(
        qualified=qualified,
        unqualified=_unqualified(rng, grid),
        won=_won(rng, grid, qualified),
        sad=sad,
        happy=_stable(rng, grid, 97.0, 6.0, season=0.02),
        lukewarm=_stable(rng, grid, 18.0, 4.0),
        unrated=_stable(rng, grid, 162.0, 14.0, season=0.06),
        lost_customers=_lost_customers(rng, grid, sad),
        orders=_orders(rng, grid),
        signups=_signups(rng, grid),
        features=_stable(rng, grid, 6.0, 1.8, least=2),
    )


def _noise(rng: np.random.Generator, grid: Grid) -> Array:
    """White noise, mean 0 and deviation 1 before, between and after the planted changes; the last week has none."""
    noise = rng.standard_normal(grid.size)
    for part in np.split(np.arange(grid.size), [grid.ago(RISE_OF_BOOKED), grid.ago(RELEASE)]):
        noise[part] = (noise[part] - noise[part].mean()) / noise[part].std()
    noise[grid.last] = 0.0
    return noise


def _counts(expected: Array, least: int = 0) -> Array:
    return np.asarray(np.maximum(np.rint(expected), least).astype(int))


def _stable(
    rng: np.random.Generator, grid: Grid, level: float, spread: float, *, season: float = 0.0, least: int = 0
) -> Array:
    expected = level + spread * _noise(rng, grid)
    return _counts(expected * grid.season(season) * grid.activity, least)


def _earlier(series: Array, weeks: int) -> Array:
    """The series so many weeks before; the first weeks repeat the first value."""
    return np.asarray(np.concatenate([np.repeat(series[:1], weeks), series[:-weeks]]))


def _unqualified(rng: np.random.Generator, grid: Grid) -> Array:
    """Meetings that lead nowhere: far more variable than the qualified ones, and half as many again of late."""
    level = np.full(grid.size, 34.0)
    level[grid.ago(RISE_OF_BOOKED) :] += 20.5
    return _counts((level + 15.0 * _noise(rng, grid)) * grid.activity, least=3)


def _won(rng: np.random.Generator, grid: Grid, qualified: Array) -> Array:
    """Nearly half of the qualified meetings are won three weeks later."""
    met = _earlier(qualified, MEETING_TO_CUSTOMER)
    signed = (0.45 * met + 1.0 * _noise(rng, grid)) * np.sqrt(grid.activity)
    signed[grid.last] = np.clip(signed[grid.last], 11.5, 12.4)
    return np.minimum(_counts(signed, least=1), met)


def _sad(rng: np.random.Generator, grid: Grid) -> Array:
    """Customers who score 1 or 2: many more from the release on, which comes on the Tuesday of its week."""
    level = np.full(grid.size, 24.0)
    level[grid.ago(RELEASE)] += 13.0
    level[grid.ago(RELEASE - 1) :] += 20.0
    return _counts((level + 6.0 * _noise(rng, grid)) * np.sqrt(grid.activity), least=4)


def _lost_customers(rng: np.random.Generator, grid: Grid, sad: Array) -> Array:
    """Of the customers who were sad six weeks ago a good quarter leave; a few others always do."""
    leaving = 3.2 + SHARE_OF_SAD_LOST * _earlier(sad, SAD_TO_LOST) + 0.9 * _noise(rng, grid)
    leaving[grid.last] = max(leaving[grid.last], 16.0)
    return _counts(leaving, least=1)


def _orders(rng: np.random.Generator, grid: Grid) -> Array:
    """Repeat orders: nothing ever happens to them, and the last week is a low one within the usual range."""
    noise = _noise(rng, grid)
    noise[grid.ago(4) : grid.ago(2)] *= 0.5
    noise[grid.ago(2)] = 0.4
    noise[grid.ago(1)] = -1.64
    return _counts(150 + 14 * noise)


def _signups(rng: np.random.Generator, grid: Grid) -> Array:
    """Sign-ups rise gently for years, then lose a quarter over the last forty weeks, still above their target."""
    level = np.linspace(188.0, 200.0, grid.size)
    level[grid.ago(DECLINE_OF_SIGNUPS) :] -= 1.25 * np.arange(1, DECLINE_OF_SIGNUPS + 2)
    return _counts((level + 10.0 * _noise(rng, grid)) * grid.season(0.03) * grid.activity)
