"""The columns that a series may follow: what is certain, and what may come back every year."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.limits.lines import TWO_YEARS, year_end
from dataops_nb.links.memory import solved
from dataops_nb.terms import Grain

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
BEARABLE = 0.4  # columns for each period
# of holidays, waves, months and growing waves: what comes first takes what the next share with it
WAVES, MONTHS = 1, 2  # their places among the shapes
DAYS = 365  # of a year
SPELL_STEP = 4  # days between spells that are tried first
OTHER_ORDERS = ((0, 2, 1, 3), (1, 0, 2, 3))
ALIKE = 1e-6  # the length from which a column adds something to those before


@dataclass(frozen=True)
class Blocks:
    """Blocks of columns, each of which adds something to those before.

    `certain` are the level, the trend and the weekdays; `shapes` what may come back. `orders` say
    in which other orders the shapes may be taken: where each of them stands there. `offered` are
    the shapes as they were before each lost what it shares with others. `days_of_year` is which
    share of each period is which day of the year.
    """

    certain: Array
    shapes: tuple[Array, ...]
    offered: tuple[Array, ...] = ()
    days_of_year: Array = field(default_factory=lambda: np.zeros((0, 0)))
    orders: tuple[tuple[int, ...], ...] = ()
    _turned: dict[int, Blocks] = field(default_factory=dict)
    _shared: dict[int, Array] = field(default_factory=dict)
    _decomposed: dict[int, tuple[Array, Array]] = field(default_factory=dict)

    @staticmethod
    def of(starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, grain: Grain) -> Blocks:
        """Return the blocks that so many periods can bear.

        They follow from the days alone, which are the same for every board of a company.
        """
        days = (index.to_numpy().astype("datetime64[s]").tobytes() for index in (starts, ends))
        return _blocks_of(*days, grain)

    @classmethod
    def made(cls, starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, grain: Grain) -> Blocks:
        """Make the blocks of these days."""
        n = len(starts)
        trend = np.linspace(-1.0, 1.0, n)
        always = [np.ones(n), trend]
        if grain == "day":
            always += [(starts.day_of_week == day).astype(float) for day in range(6)]
        certain = np.column_stack(always)
        offered: list[Array] = []
        if grain != "year" and n and (ends[-1] - starts[0]).days + 1 >= TWO_YEARS:
            offered = season(starts, ends, grain, trend)
        shapes: list[Array] = []
        width = certain.shape[1]
        for block in offered:
            if width + block.shape[1] <= BEARABLE * n:
                shapes.append(block)
                width += block.shape[1]
        orders: list[tuple[int, ...]] = []
        for order in OTHER_ORDERS if len(shapes) == 4 else ():
            orders.append(tuple(order.index(number) for number in range(4)))
        of_year = _days_of_year(starts, ends) if orders else np.zeros((0, 0))
        return cls(certain, _each_new(certain, shapes), tuple(shapes), of_year, tuple(orders))

    def turned(self, number: int) -> Blocks:
        """Return the shapes in one of the `orders`, counted from 0."""
        if number not in self._turned:
            places = self.orders[number]
            order = [places.index(place) for place in range(len(places))]
            shapes = _each_new(self.certain, [self.offered[which] for which in order])
            self._turned[number] = Blocks(self.certain, shapes)
        return self._turned[number]

    @cached_property
    def columns(self) -> Array:
        """All columns beside each other."""
        return np.hstack([self.certain, *self.shapes])

    @cached_property
    def basis(self) -> Array:
        """Perpendicular columns of length 1 that stand for all of them."""
        return np.asarray(np.linalg.qr(self.columns)[0])

    @cached_property
    def certain_basis(self) -> Array:
        """The same of what is certain."""
        return np.asarray(np.linalg.qr(self.certain)[0])

    def without_first(self, count: int) -> tuple[Array, Array]:
        """Return Q of all columns without their first rows, and the inverse of R."""
        if count not in self._decomposed:
            basis, shape = np.linalg.qr(self.columns[count:])
            width = len(shape)
            inverse = solved(np.broadcast_to(shape, (width, width, width)), np.eye(width)).T
            self._decomposed[count] = basis, inverse
        return self._decomposed[count]

    @cached_property
    def sizes(self) -> Places:
        """How many columns each shape has."""
        return np.array([block.shape[1] for block in self.shapes], dtype=np.intp)

    def shared(self, lag: int) -> Array:
        """Return how many columns of each shape are the same so many periods later.

        Waves are, months are only in part, holidays hardly.
        """
        if lag not in self._shared:
            count = len(self.certain) - lag
            common: list[float] = []
            for block in self.shapes:
                common.append(float(((block[:count].T @ block[lag:]) ** 2).sum()))
            self._shared[lag] = np.array(common)
        return self._shared[lag]

    def spells(self, first: Places, last: Places) -> Array:
        """Return a column of length 1, beside what is certain, for each spell of the year.

        A spell lasts from its first day of the year to before its last one, which may lie in the
        next year.
        """
        spells = self._until[:, last] - self._until[:, first]
        spells -= self.certain_basis @ (self.certain_basis.T @ spells)
        return np.asarray(spells / np.linalg.norm(spells, axis=0))

    def clearest_spells(self, values: Array) -> Array:
        """Return the spell that fits each row best, as large as it is there.

        Spells last a fortnight to half a year: most of a year at another level is the rest of it at
        the usual one.
        """
        begins, lengths = np.arange(0, DAYS, SPELL_STEP), np.arange(14, DAYS // 2, SPELL_STEP)
        first = np.repeat(begins, len(lengths))
        last = first + np.tile(lengths, len(begins))
        spells = self.spells(first, last)
        best = np.abs(values @ spells).argmax(axis=1)
        away = np.arange(-SPELL_STEP + 1, SPELL_STEP)
        sooner, later = np.repeat(away, len(away)), np.tile(away, len(away))
        fitted = np.empty_like(values)
        for place in np.unique(best).tolist():
            own = np.flatnonzero(best == place)
            begins = (first[place] + sooner) % DAYS
            near = self.spells(begins, begins + last[place] - first[place] + later - sooner)
            along = values[own] @ near
            exact = np.abs(along).argmax(axis=1)
            fitted[own] = along[np.arange(len(own)), exact, None] * near.T[exact]
        return fitted

    @cached_property
    def _until(self) -> Array:
        """Which share of each period's days lies before each day of this year and the next."""
        until = np.zeros((len(self.certain), 2 * DAYS + 1))
        until[:, 1:] = np.cumsum(np.hstack([self.days_of_year] * 2), axis=1)
        return until

    @property
    def places(self) -> list[tuple[int, int]]:
        """The first column of each shape, and the one after its last."""
        ends = self.certain.shape[1] + np.cumsum(self.sizes)
        return list(zip((ends - self.sizes).tolist(), ends.tolist(), strict=True))


@lru_cache(maxsize=16)
def _blocks_of(starts: bytes, ends: bytes, grain: Grain) -> Blocks:
    firsts, lasts = (
        pd.DatetimeIndex(np.frombuffer(days, "datetime64[s]")) for days in (starts, ends)
    )
    return Blocks.made(firsts, lasts, grain)


def _each_new(certain: Array, blocks: list[Array]) -> tuple[Array, ...]:
    """Return of each block what it adds to those before, as columns that are perpendicular."""
    known = certain
    new: list[Array] = []
    for block in blocks:
        basis = np.linalg.qr(known)[0]
        rest = block - basis @ (basis.T @ block)
        directions, size, _ = np.linalg.svd(rest, full_matrices=False)
        added = directions[:, size > ALIKE * np.sqrt(len(block))]
        new.append(added)
        known = np.hstack([known, added])
    return tuple(new)


def season(
    starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, grain: Grain, trend: Array
) -> list[Array]:
    """Return what may come back every year, a block each."""
    middle = starts + (ends - starts) / 2
    if grain == "quarter":
        return [np.column_stack([(middle.quarter == number).astype(float) for number in (2, 3, 4)])]
    months = _months(starts, ends)
    angle = 2 * np.pi * middle.day_of_year.to_numpy() / 365.25
    if grain == "month":
        return [months, waves(angle, 1) * trend[:, None]]
    slow = waves(angle, 3)
    return [holidays(starts, ends), slow, months, slow * trend[:, None]]


def _months(starts: pd.DatetimeIndex, ends: pd.DatetimeIndex) -> Array:
    """Return which share of each period's days lies in each month but January.

    A week that begins in June and ends in July has a level between theirs.
    """
    days = ((ends - starts).days + 1).to_numpy()
    shares = np.zeros((len(starts), 12))
    for away in range(int(days.max(initial=0))):
        own = np.flatnonzero(away < days)
        month = (starts[own] + pd.Timedelta(days=away)).month.to_numpy()
        shares[own, month - 1] += 1 / days[own]
    return shares[:, 1:]


def _days_of_year(starts: pd.DatetimeIndex, ends: pd.DatetimeIndex) -> Array:
    """Return which share of each period's days is which day of the year."""
    length = ((ends - starts).days + 1).to_numpy()
    shares = np.zeros((len(starts), DAYS))
    for away in range(int(length.max())):
        own = np.flatnonzero(away < length)
        day = (starts[own] + pd.Timedelta(days=away)).day_of_year.to_numpy()
        shares[own, np.minimum(day, DAYS) - 1] += 1 / length[own]
    return shares


def waves(angle: Array, most: int) -> Array:
    """Return the first so many harmonics of a year, two columns each."""
    columns: list[Array] = []
    for times in range(1, most + 1):
        columns += [np.cos(times * angle), np.sin(times * angle)]
    return np.column_stack(columns)


def holidays(starts: pd.DatetimeIndex, ends: pd.DatetimeIndex) -> Array:
    """Count the days of each period at the turn of the year, in advent, before and after Easter.

    Advent begins on 24 November, the earliest Black Friday but one; Easter has the week before its
    Sunday and the one after it.
    """
    advent, before, after = (np.zeros(len(starts)) for _ in range(3))
    week = dt.timedelta(days=6)
    for year in range(starts[0].year, ends[-1].year + 1):
        sunday = easter(year)
        first = sunday + dt.timedelta(days=1)
        advent += _shared_days(starts, ends, dt.date(year, 11, 24), dt.date(year, 12, 23))
        before += _shared_days(starts, ends, sunday - week, sunday)
        after += _shared_days(starts, ends, first, first + week)
    return np.column_stack([year_end(starts, ends), advent, before, after])


def _shared_days(
    starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, first: dt.date, last: dt.date
) -> Array:
    """Return how many days of each period lie between two days, both included."""
    since = starts.to_numpy().astype("datetime64[D]")
    until = ends.to_numpy().astype("datetime64[D]")
    days = np.minimum(until, np.datetime64(last, "D")) - np.maximum(
        since, np.datetime64(first, "D")
    )
    return np.asarray(np.maximum(days.astype(float) + 1.0, 0.0))


def easter(year: int) -> dt.date:
    """Return Easter Sunday of a year (Meeus, Astronomical Algorithms, chapter 8).

    >>> str(easter(2026))
    '2026-04-05'
    """
    century, rest = divmod(year, 100)
    leaps, years = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - leaps - moon + 15) % 30
    weekday = (32 + 2 * years + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return dt.date(year, month, day + 1)
