"""Sample: the time of Lumen Supply, the truths planted in it, and its names.

Define the sample company's time: weeks from Monday to Sunday, quiet days, a yearly season.

Weeks are counted by their position on the grid; `ago(1)` is the last complete week. The grid begins
some weeks before the first exported one, because the causes of an event may lie up to six weeks
before it.

Draw how much of everything happens in each week; here the company's truths are planted.

Every series varies around its own level. The last complete week has its expected value, so that the
lights tell the same story for every seed and on every day.

Make the names that people typed into five systems, with commas and in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[Any]
LEAD = 8
NOTHING: Array = np.array(None, dtype=object)
WEEKDAYS = np.array([1.0, 1.1, 1.1, 1.05, 0.85, 0.08, 0.08])
HOLIDAY = 0.3
TIMEZONE = "America/New_York"
MEETING_TO_CUSTOMER = 3
SAD_TO_LOST = 6
RISE_OF_BOOKED = 20
RELEASE = 14
DECLINE_OF_SIGNUPS = 40
SHARE_OF_SAD_LOST = 0.3
FIRST = [
    "Harbor", "Summit", "Cedar", "Granite", "Prairie", "Lakeside", "Union", "Atlas", "Beacon",
    "Copper", "Delta", "Evergreen", "Falcon", "Garden", "Hudson", "Ironwood", "Juniper",
    "Keystone", "Liberty", "Maple", "Northgate", "Orchard", "Pioneer", "Quarry", "Redwood",
    "Sterling", "Tidewater", "Upland", "Valley", "Willow", "Amber", "Bayside", "Cobalt",
    "Dogwood", "Eastport", "Foxglove", "Glenview", "Highland", "Inland", "Jasper",
]  # fmt: skip
SECOND = [
    "Lighting", "Electric", "Interiors", "Hotels", "Theatres", "Schools", "Clinics", "Markets",
    "Offices", "Studios", "Builders", "Facilities", "Properties", "Galleries", "Restaurants",
    "Logistics", "Libraries", "Kitchens",
]  # fmt: skip
FORM = ["", ", Inc.", " LLC", " & Sons", ", Ltd.", " Group"]
REGIONS = ["East", "Central", "West"]
SDRS = ["Ana Ruiz", "Ben Cole", "Chidi Obi", "Dana Fox", "Eli Stern", "Fay Wong"]
SELLERS = ["Gus Hall", "Hana Mori", "Ivan Petrov", "June Park", "Kofi Mensah"]
AGENTS = [
    "Lea Brandt",
    "Mo Haddad",
    "Nia Grant",
    "Otis Reed",
    "Pia Costa",
    "Quinn Day",
    "Rosa Lind",
]


@dataclass(frozen=True)
class Grid:
    """`weeks` complete weeks up to the last Sunday on or before `end`.

    `LEAD` weeks lie before them, and one after.
    """

    end: date
    weeks: int

    @property
    def sunday(self) -> date:
        """Return the last day of the last complete week."""
        return self.end - timedelta(days=self.end.isoweekday() % 7)

    @property
    def start(self) -> date:
        """Return the first exported day, a Monday."""
        return self.sunday - timedelta(weeks=self.weeks) + timedelta(days=1)

    @property
    def size(self) -> int:
        """Return the number of weeks on the grid."""
        return LEAD + self.weeks + 1

    @property
    def last(self) -> int:
        """Return the position of the last complete week."""
        return LEAD + self.weeks - 1

    @property
    def mondays(self) -> Array:
        """Return the first day of every week."""
        first = np.datetime64(self.start - timedelta(weeks=LEAD), "D")
        return first + 7 * np.arange(self.size)

    @property
    def busy(self) -> Array:
        """Return how busy days are: a row a week, a column a weekday; an ordinary Monday is 1.0."""
        days = self.mondays[:, None] + np.arange(7)
        month = days.astype("datetime64[M]")
        day = (days - month.astype("datetime64[D]")).astype(int) + 1
        december = month.astype(int) % 12 == 11
        january = month.astype(int) % 12 == 0
        year_end = (december & (day >= 24)) | (january & (day == 1))
        return WEEKDAYS * np.where(year_end, HOLIDAY, 1.0)

    @property
    def activity(self) -> Array:
        """Return each week's share of an ordinary week's work."""
        return np.asarray(self.busy.sum(axis=1) / WEEKDAYS.sum())

    def ago(self, weeks: int) -> int:
        """Return the position of the week so many weeks back; 1 is the last complete one."""
        return self.last + 1 - weeks

    def season(self, amplitude: float, peak: int = 290) -> Array:
        """Return a yearly wave around 1.0 that is highest on day `peak` of the year."""
        year = self.mondays.astype("datetime64[Y]").astype("datetime64[D]")
        angle = 2 * np.pi * ((self.mondays - year).astype(int) + 3 - peak) / 365.25
        return np.asarray(1 + amplitude * np.cos(angle))

    def days(self, rng: np.random.Generator, week: Array, among: slice = slice(0, 7)) -> Array:
        """Draw a day of each week, busy ones more often; `among` restricts the weekdays."""
        weights = np.zeros((self.size, 7))
        weights[:, among] = self.busy[:, among]
        steps = weights.cumsum(axis=1) / weights.sum(axis=1, keepdims=True)
        weekday = (rng.random(len(week))[:, None] > steps[week]).sum(axis=1)
        return np.asarray(self.mondays[week] + weekday)

    def exported(self, days: Array) -> Array:
        """Return which days or local stamps lie within the exports."""
        day = days.astype("datetime64[D]")
        begun = day >= np.datetime64(self.start, "D")
        ended = day > np.datetime64(self.end, "D")
        return np.asarray(begun & ~ended)

    def known(self, days: Array) -> Array:
        """Return the days without those after the end, which nobody knows yet."""
        later = days.astype("datetime64[D]") > np.datetime64(self.end, "D")
        return np.asarray(np.where(later, np.datetime64("NaT"), days))


def stamps(rng: np.random.Generator, days: Array, opens: float = 8, closes: float = 18) -> Array:
    """Draw local stamps on the given days, between two hours, to the second."""
    seconds = rng.uniform(opens * 3600, closes * 3600, len(days)).astype(int)
    return np.asarray(days.astype("datetime64[s]") + seconds)


def utc(local: Array) -> Array:
    """Turn local stamps into naive UTC ones, as the CRM writes them; missing stays missing."""
    index = pd.DatetimeIndex(local.astype("datetime64[s]"))
    there = index.tz_localize(
        TIMEZONE, ambiguous=np.zeros(len(index), dtype=bool), nonexistent="shift_forward"
    )
    return there.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")


def written(days: Array) -> Array:
    """Return dates and stamps as text for a csv; a missing one is empty."""
    text = np.datetime_as_string(days).astype(object)
    if days.dtype != np.dtype("datetime64[D]"):
        text = np.array([stamp.replace("T", " ") for stamp in text], dtype=object)
    return np.where(np.isnat(days), "", text)


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
    """Draw the company's weeks for one seed."""
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
    """Draw white noise: mean 0, deviation 1 around the planted changes; none in the last week."""
    noise = rng.standard_normal(grid.size)
    changes = [grid.ago(RISE_OF_BOOKED), grid.ago(RELEASE)]
    for part in np.split(np.arange(grid.size), changes):
        noise[part] = (noise[part] - noise[part].mean()) / noise[part].std()
    noise[grid.last] = 0.0
    return noise


def _counts(expected: Array, least: int = 0) -> Array:
    return np.asarray(np.maximum(np.rint(expected), least).astype(int))


def _stable(
    rng: np.random.Generator,
    grid: Grid,
    level: float,
    spread: float,
    *,
    season: float = 0.0,
    least: int = 0,
) -> Array:
    expected = level + spread * _noise(rng, grid)
    return _counts(expected * grid.season(season) * grid.activity, least)


def _earlier(series: Array, weeks: int) -> Array:
    """Return the series so many weeks before; the first weeks repeat the first value."""
    return np.asarray(np.concatenate([np.repeat(series[:1], weeks), series[:-weeks]]))


def _unqualified(rng: np.random.Generator, grid: Grid) -> Array:
    """Draw meetings that lead nowhere: more variable ones, and half as many again lately."""
    level = np.full(grid.size, 34.0)
    level[grid.ago(RISE_OF_BOOKED) :] += 20.5
    return _counts((level + 15.0 * _noise(rng, grid)) * grid.activity, least=3)


def _won(rng: np.random.Generator, grid: Grid, qualified: Array) -> Array:
    """Win nearly half of the qualified meetings three weeks later."""
    met = _earlier(qualified, MEETING_TO_CUSTOMER)
    signed = (0.45 * met + 1.0 * _noise(rng, grid)) * np.sqrt(grid.activity)
    signed[grid.last] = np.clip(signed[grid.last], 11.5, 12.4)
    return np.minimum(_counts(signed, least=1), met)


def _sad(rng: np.random.Generator, grid: Grid) -> Array:
    """Draw customers who score 1 or 2: many more from the release on, the Tuesday of its week."""
    level = np.full(grid.size, 24.0)
    level[grid.ago(RELEASE)] += 13.0
    level[grid.ago(RELEASE - 1) :] += 20.0
    return _counts((level + 6.0 * _noise(rng, grid)) * np.sqrt(grid.activity), least=4)


def _lost_customers(rng: np.random.Generator, grid: Grid, sad: Array) -> Array:
    """Lose a good quarter of the customers who were sad six weeks ago, and always a few others."""
    leaving = 3.2 + SHARE_OF_SAD_LOST * _earlier(sad, SAD_TO_LOST) + 0.9 * _noise(rng, grid)
    leaving[grid.last] = max(leaving[grid.last], 16.0)
    return _counts(leaving, least=1)


def _orders(rng: np.random.Generator, grid: Grid) -> Array:
    """Draw repeat orders, which nothing changes; the last week is low within the usual range."""
    noise = _noise(rng, grid)
    noise[grid.ago(4) : grid.ago(2)] *= 0.5
    noise[grid.ago(2)] = 0.4
    noise[grid.ago(1)] = -1.64
    return _counts(150 + 14 * noise)


def _signups(rng: np.random.Generator, grid: Grid) -> Array:
    """Raise sign-ups gently for years; take a quarter in the last forty weeks, still on target."""
    level = np.linspace(188.0, 200.0, grid.size)
    level[grid.ago(DECLINE_OF_SIGNUPS) :] -= 1.25 * np.arange(1, DECLINE_OF_SIGNUPS + 2)
    return _counts((level + 10.0 * _noise(rng, grid)) * grid.season(0.03) * grid.activity)


def accounts(rng: np.random.Generator, count: int) -> Array:
    """Draw a name for each account; some repeat."""
    first = rng.choice(FIRST, count)
    second = rng.choice(SECOND, count)
    form = rng.choice(FORM, count, p=[0.4, 0.2, 0.15, 0.1, 0.1, 0.05])
    names = [f"{a} {b}{c}" for a, b, c in zip(first, second, form, strict=True)]
    return np.array(names, dtype=object)


def typed(rng: np.random.Generator, names: Array) -> Array:
    """Return the names as hurried people type them: one in eight in capitals or without any."""
    ways = (str, str.upper, str.lower)
    cases = rng.choice(3, len(names), p=[0.88, 0.06, 0.06])
    texts = [ways[case](name) for case, name in zip(cases, names, strict=True)]
    return np.array(texts, dtype=object)


def identifiers(prefix: str, count: int, *, digits: int, first: int = 1) -> Array:
    """Return running ids such as `INV-004711`."""
    numbers = range(first, first + count)
    return np.array([f"{prefix}{number:0{digits}d}" for number in numbers], dtype=object)


def account_ids(accounts: Array) -> Array:
    """Return the ids that all five systems use for account numbers."""
    ids = identifiers("A-", int(accounts.max(initial=0)) + 1, digits=5, first=0)
    return np.asarray(ids[accounts])


def mostly_empty(rng: np.random.Generator, values: list[str], count: int, share: float) -> Array:
    """Draw an optional field: one of the values in `share` of the rows, else empty."""
    filled = rng.random(count) < share
    drawn = rng.choice(np.array(values, dtype=object), count)
    return np.where(filled, drawn, NOTHING)
