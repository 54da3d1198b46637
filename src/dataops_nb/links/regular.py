"""What is regular about a series, and what is left of it: growth, season, holidays, levels.

Two metrics of one company share their summer, their Christmas and their growth, and look related
for that alone. So each series is cleared of what a calendar or a straight line foresees:

- level and trend, and of days the weekdays, always;
- from two years on what comes back: the days before Christmas, at the turn of the year and around
  Easter; three waves a year; a level for each month; and waves that grow or shrink. Quarters and
  months have a level each instead of waves;
- changes of level that `limits.shifts` finds in what is left.

What comes back is taken out as far as it is there. Each block of columns is compared with the
noise, given the series' own memory; one that is no clearer than chance makes it stays in, because
taking out nothing costs evidence (shrinkage: James and Stein 1961, here steeper, so that a clear
season goes as a whole). Blocks share columns: a wave lies partly in those of holidays and months.
So they are tried in several orders, and the one that takes the fewest columns is kept. Where a
level for each month is taken, one or two spells of the year at another level may explain as much
with fewer: each column that is taken from both series makes what relates them look weaker.

A positive series is cleared on a log scale where its values, given the same columns, are likelier
there by more than chance makes them (Box and Cox 1964): growth by a rate is a straight line then,
and noise that grows with it is even.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.limits import shifts
from dataops_nb.limits.steps import SHORTEST
from dataops_nb.links.memory import (
    LONGEST_MEMORY,
    PERIODS_AN_ORDER,
    autoregressions,
    solved,
    triangles,
)
from dataops_nb.links.seasons import MONTHS, WAVES, Blocks
from dataops_nb.terms import Grain

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
YEAR = {"day": 364, "week": 52, "month": 12, "quarter": 4, "year": 1}
LIKELIER = 3.0  # log-likelihood by which the log scale must be better
NOISE = 1e-9
CLEAR = 2.0  # times the noise from which a block of columns is more than chance
FALLS = 3  # the power by which what stays of a clearer block falls
MOST_SPELLS = 2  # spells of a year at another level
A_COLUMN = 1.5  # what one must explain, where one of noise explains 1
A_SPELL = 3  # columns that the best of all spells counts as
TAKEN = 0.5  # the share from which less stays in of a block that counts as taken out
PASSES = 3  # memory and season are estimated in turns
_TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Cleared:
    """Series without what is regular, one a row.

    `kept` says which share of each of the `blocks`' shapes stayed in, `order` in which order they
    were taken out: 0 as they stand, from 1 on as `blocks.orders` has them. `fitted` counts the
    columns that were taken out for certain. `unit` is what one of `values` is in the series' own
    unit: 1, or on a log scale its recent level. `is_still` where nothing but rounding is left.
    """

    values: Array
    kept: Array
    order: Places
    blocks: Blocks
    fitted: Places
    unit: Array
    is_still: Flags

    def spent(self, causes: Places, effects: Places, lags: range) -> Array:
        """Return the degrees of freedom that clearing takes from correlations of these rows.

        One column for each lag. Correlations of series from which columns were taken scatter by N /
        (A B), where A and B are the dimensions that either has left, and N those that both have
        left once one is shifted by the lag.
        """
        n = self.values.shape[1]
        gone_c, gone_e = 1 - self.kept[causes] ** 2, 1 - self.kept[effects] ** 2
        left_c, left_e = n - gone_c @ self.blocks.sizes, n - gone_e @ self.blocks.sizes
        same = np.where(self.order[causes] == self.order[effects], self.order[causes], 0)
        spent = np.empty((len(causes), len(lags)))
        for column, lag in enumerate(lags):
            shared = np.tile(self.blocks.shared(lag), (len(causes), 1))
            for number, places in enumerate(self.blocks.orders, start=1):
                rows = np.flatnonzero(same == number)
                if len(rows):
                    shared[rows] = self.blocks.turned(number - 1).shared(lag)[list(places)]
            both = (gone_c * gone_e * shared).sum(axis=1)
            spent[:, column] = n - left_c * left_e / (left_c + left_e - n + both)
        return spent + np.maximum(self.fitted[causes], self.fitted[effects])[:, None]


def clear(series: Array, starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, grain: Grain) -> Cleared:
    """Clear each row of what is regular about it; the periods have no gap."""
    blocks = Blocks.of(starts, ends, grain)
    values, unit = scaled(series, blocks, YEAR[grain])
    rest = without(values, blocks.basis)
    size = np.abs(values).max(axis=1, initial=0.0)
    is_still = np.abs(rest).max(axis=1, initial=0.0) <= NOISE * np.maximum(1.0, size)
    rest, kept = shrunk(values, blocks)
    values, levels = without_steps(values, rest, blocks, ~is_still)
    stepped = np.flatnonzero(levels)
    if len(stepped):
        rest[stepped], kept[stepped] = shrunk(values[stepped], blocks)
    order = _turn(values, rest, kept, blocks)
    fitted = blocks.certain.shape[1] + levels
    cleared = Cleared(rest, kept, order, blocks, fitted, unit, is_still)
    if blocks.orders:
        _take_spells(values, cleared)
    return cleared


def _turn(values: Array, rest: Array, kept: Array, blocks: Blocks) -> Places:
    """Clear rows in another order of the shapes, where that takes fewer columns.

    A wave lies partly in the columns of holidays and of months, and a dip of one month partly in
    those of waves: what comes first is taken out although the other explains it as well. Returns
    the order of each row.
    """
    order = np.zeros(len(values), dtype=np.intp)
    for number, places in enumerate(blocks.orders, start=1):
        moved = [place for place, before in enumerate(places) if place != before]
        rows = np.flatnonzero((kept[:, moved] < TAKEN).all(axis=1))
        if not len(rows):
            continue
        rest_again, kept_again = shrunk(values[rows], blocks.turned(number - 1))
        kept_again = kept_again[:, list(places)]
        is_better = _taken(kept_again, blocks) < _taken(kept[rows], blocks)
        better = rows[is_better]
        rest[better], kept[better] = rest_again[is_better], kept_again[is_better]
        order[better] = number
    return order


def _take_spells(values: Array, cleared: Cleared) -> None:
    """Clear rows of one or two spells of the year instead of a level for each month, in place.

    Where that takes fewer columns: a summer is one level beside the usual one, not eleven. The one
    that fits best of all spells counts as more than one column.
    """
    blocks = cleared.blocks
    rows = np.flatnonzero(cleared.kept[:, MONTHS] < TAKEN)
    if not len(rows):
        return
    calmer, fitted = values[rows], cleared.fitted[rows]
    least = _cost(cleared.values[rows], _taken(cleared.kept[rows], blocks))
    for spells in range(1, MOST_SPELLS + 1):
        calmer -= blocks.clearest_spells(calmer)
        rest, kept = shrunk(calmer, blocks)
        order = _turn(calmer, rest, kept, blocks)
        cost = _cost(rest, _taken(kept, blocks) + A_SPELL * spells)
        # Where waves or months go too, the season is no spell.
        is_better = (cost < least) & (kept[:, [WAVES, MONTHS]] >= TAKEN).all(axis=1)
        better, least = rows[is_better], np.where(is_better, cost, least)
        cleared.values[better], cleared.kept[better] = rest[is_better], kept[is_better]
        cleared.order[better] = order[is_better]
        cleared.fitted[better] = fitted[is_better] + A_SPELL * spells


def _cost(rest: Array, columns: Array) -> Array:
    """Return what the columns that were taken cost, and what they leave unexplained."""
    n = rest.shape[1]
    return np.asarray(n * np.log(np.maximum(rest.var(axis=1), _TINY)) + A_COLUMN * columns)


def _taken(kept: Array, blocks: Blocks) -> Array:
    """Return how many columns were taken out of each row, those in part counted in part."""
    return np.asarray((1 - kept**2) @ blocks.sizes)


def scaled(series: Array, blocks: Blocks, year: int) -> tuple[Array, Array]:
    """Return each row on the scale that suits it, and what one of it is in the row's own unit."""
    values, unit = series.astype(float), np.ones(len(series))
    rows = np.flatnonzero((series > 0).all(axis=1))
    if not len(rows):
        return values, unit
    positive = values[rows]
    logs = np.log(positive)
    plain = np.maximum(without(positive, blocks.basis).var(axis=1), _TINY)
    even = np.maximum(without(logs, blocks.basis).var(axis=1), _TINY)
    gain = series.shape[1] / 2 * np.log(plain / even) - logs.sum(axis=1)
    is_log = gain > LIKELIER
    values[rows[is_log]] = logs[is_log]
    unit[rows[is_log]] = positive[is_log][:, -year:].mean(axis=1)
    return values, unit


def without_steps(
    values: Array, calm: Array, blocks: Blocks, is_asked: Flags
) -> tuple[Array, Places]:
    """Return rows without their changes of level, and how many each had.

    `calm` are the rows without season and trend. The trend is put back before steps are looked
    for, because it takes a part of them.
    """
    count, n = values.shape
    levels = np.zeros(count, dtype=np.intp)
    if n < SHORTEST:
        return values, levels
    line = blocks.certain[:, 1:2]
    straight = calm + values - without(values, np.linalg.qr(blocks.certain[:, :2])[0])
    worth = np.flatnonzero(shifts.suspects(straight) & is_asked)
    steady = values.copy()
    steady_rows = worth[~shifts.wanders(straight[worth])]
    years = [None] * len(steady_rows)
    regimes = shifts.find_in_steady(straight[steady_rows], [line[:, :0], line], years)
    for row, own in zip(steady_rows.tolist(), regimes, strict=True):
        places = own.starts
        levels[row] = len(places)
        if places:
            steps = (np.arange(n)[:, None] >= np.array(places)).astype(float)
            design = np.hstack([blocks.columns, steps])
            solution = np.linalg.lstsq(design, values[row], rcond=None)[0]
            steady[row] -= steps @ solution[blocks.columns.shape[1] :]
    return steady, levels


def shrunk(values: Array, blocks: Blocks) -> tuple[Array, Array]:
    """Clear rows of what is certain, and of each other block as far as it is clear.

    Returns what is left, and which share of each block stayed in. Blocks are judged where the
    series' memory is filtered out of both, because what wanders has waves of its own.
    """
    rest = without(values, blocks.certain_basis)
    values = rest.copy()  # what is certain goes as a whole; without it no digits are lost
    kept = np.ones((len(values), len(blocks.shapes)))
    if not blocks.shapes or not len(values):
        return rest, kept
    forgets = np.zeros(len(values), dtype=bool)
    rows = np.arange(len(values))
    for _ in range(PASSES):
        models = autoregressions(rest[rows])
        forgot, forgets[rows] = forgets[rows], [not len(model) for model in models]
        # What remembers nothing once more stays as it is.
        moves = np.flatnonzero(~(forgot & forgets[rows]))
        if not len(moves):
            break
        rows, models = rows[moves], [models[move] for move in moves.tolist()]
        for group in (forgets[rows], ~forgets[rows]):
            places = np.flatnonzero(group)
            if len(places):
                own = [models[place] for place in places.tolist()]
                taken = _shrunk_once(values[rows[places]], own, blocks)
                rest[rows[places]], kept[rows[places]] = taken
    return rest, kept


def _shrunk_once(values: Array, models: list[Array], blocks: Blocks) -> tuple[Array, Array]:
    """Clear rows of each block as far as it is clear, given what each row remembers.

    Beside rows that remember nothing the columns are as they stand, and decomposed once for all.
    """
    columns = blocks.columns
    n, width = columns.shape
    most = min(LONGEST_MEMORY, n // PERIODS_AN_ORDER)
    remember = any(len(model) for model in models)
    if remember:
        shape, along, squares = _whitened(values, columns, models)
    else:
        basis, inverse = blocks.without_first(most)
        along = values[:, most:] @ basis
        squares = np.einsum("ki,ki->k", values[:, most:], values[:, most:])
    unexplained = np.maximum(squares - (along**2).sum(axis=1), 0.0)
    noise = unexplained / max(n - most - width, 1)
    kept = np.ones((len(values), len(blocks.shapes)))
    weights = np.ones_like(along)
    for number, (first, last) in enumerate(blocks.places):
        energy = np.maximum((along[:, first:last] ** 2).sum(axis=1), _TINY)
        chance = CLEAR * noise * (last - first) / energy
        kept[:, number] = np.minimum(chance, 1.0) ** FALLS
        weights[:, first:last] -= kept[:, number : number + 1]
    along *= weights
    solution = solved(shape, along) if remember else along @ inverse.T
    return values - solution @ columns.T, kept


def _whitened(values: Array, columns: Array, models: list[Array]) -> tuple[Array, Array, Array]:
    """Filter each row, and the columns beside it, by what the row remembers, and decompose them.

    Returns the upper triangle R of each row's columns QR, how the row lies along Q, and its
    squares. Columns that are filtered are sums of columns some periods apart; so their products
    are sums of products that are the same for all rows, and R comes from these (see
    `memory.triangles`). Only where that is not exact enough are a row's own columns decomposed.
    """
    count, (n, width) = len(values), columns.shape
    most = min(LONGEST_MEMORY, n // PERIODS_AN_ORDER)
    longest = max(map(len, models))
    filters = np.zeros((count, longest + 1))
    filters[:, 0] = 1.0
    for row, model in enumerate(models):
        filters[row, 1 : len(model) + 1] = -model
    apart = np.stack([columns[most - back : n - back] for back in range(longest + 1)])
    white = np.zeros((count, n - most))
    for back in range(longest + 1):
        white += filters[:, back, None] * values[:, most - back : n - back]
    squares = np.einsum("ki,ki->k", white, white)
    products = np.empty((count, width + 1, width + 1))
    flat = apart.transpose(1, 0, 2).reshape(n - most, -1)
    shared = (flat.T @ flat).reshape(longest + 1, width, longest + 1, width)
    once = (filters @ shared.reshape(longest + 1, -1)).reshape(count, width, longest + 1, width)
    products[:, :width, :width] = np.einsum("kb,kibj->kij", filters, once)
    own = np.einsum("ka,kai->ki", filters, (white @ flat).reshape(count, longest + 1, width))
    products[:, :width, width] = products[:, width, :width] = own
    products[:, width, width] = squares
    shape, is_clear = triangles(products)
    along = shape[:, :width, width].copy()
    shape = shape[:, :width, :width].copy()
    for row in np.flatnonzero(~is_clear).tolist():
        basis, shape[row] = np.linalg.qr(np.tensordot(filters[row], apart, axes=1))
        along[row] = basis.T @ white[row]
    return shape, along, squares


def without(series: Array, basis: Array) -> Array:
    """Return each row without its least-squares fit to perpendicular columns of length 1."""
    return np.asarray(series - series @ basis @ basis.T)
