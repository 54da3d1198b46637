"""From two series to two series of surprises, between which a correlation means something.

Two independent series that drift look related in most cases. So what is regular is taken out first: the trend and the
season, then the input's own rhythm out of both (prewhitening), then what is left of the target's own rhythm out of the
target. Without the last step a metric that moves together with the target, at lag 0, would look like a driver.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.definitions.models import Grain
from dataops_nb.limits import TWO_YEARS, year_end

Array = npt.NDArray[np.float64]

LONGEST_MEMORY = 8
PERIODS_AN_ORDER = 10
FARTHEST = 4.0
NOISE = 1e-9
_NONE: Array = np.zeros(0)


def regular(starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, grain: Grain) -> Array:
    """What a series is cleared of, one column each: level, trend; from two years on a yearly wave and the year's end.

    The year's end is the number of a period's days from 24 December to 1 January (days and weeks only), when almost
    everything dips together. Days also have their weekdays.
    """
    n = len(starts)
    columns = [np.ones(n), np.linspace(-1.0, 1.0, n)]
    if grain != "year" and n and (ends[-1] - starts[0]).days + 1 >= TWO_YEARS:
        middle = starts + (ends - starts) / 2
        angle = 2 * np.pi * middle.day_of_year.to_numpy() / 365.25
        columns += [np.cos(angle), np.sin(angle)]
        if grain in {"day", "week"}:
            columns.append(year_end(starts, ends))
    if grain == "day":
        columns += [(starts.day_of_week == day).astype(float) for day in range(6)]
    return np.column_stack(columns)


def cleared(series: Array, columns: Array) -> Array:
    """The series (or each row of many) without what a least-squares fit of these columns explains of it."""
    solution, *_ = np.linalg.lstsq(columns, series.T, rcond=None)
    return np.asarray(series - (columns @ solution).T)


def is_constant(series: Array, residual: Array) -> npt.NDArray[np.bool_]:
    """Whether nothing but rounding is left of each row."""
    size = np.abs(series).max(axis=1, initial=0.0)
    return np.asarray(np.abs(residual).max(axis=1, initial=0.0) <= NOISE * np.maximum(1.0, size))


def autoregressions(series: Array) -> list[Array]:
    """The coefficients of each row's autoregression whose BIC is best: none, up to 8, at most one for ten values."""
    count, length = series.shape
    most = min(LONGEST_MEMORY, length // PERIODS_AN_ORDER)
    if not most:
        return [_NONE] * count
    centred = series - series.mean(axis=1, keepdims=True)
    rows = np.lib.stride_tricks.sliding_window_view(centred, most + 1, axis=1)[:, :, ::-1]
    now, past = rows[:, :, 0], rows[:, :, 1:]
    basis, shape = np.linalg.qr(past)
    along = np.einsum("kij,ki->kj", basis, now)
    gone = np.concatenate([np.zeros((count, 1)), np.cumsum(along**2, axis=1)], axis=1)
    left = np.einsum("ki,ki->k", now, now)[:, None] - gone
    n = now.shape[1]
    criterion = n * np.log(np.maximum(left, np.finfo(float).tiny) / n) + np.arange(most + 1) * math.log(max(n, 2))
    orders = criterion.argmin(axis=1)
    return [
        _solved(shape[row, :order, :order], along[row, :order], past[row, :, :order], now[row]) if order else _NONE
        for row, order in enumerate(orders.tolist())
    ]


def _solved(shape: Array, along: Array, past: Array, now: Array) -> Array:
    """The coefficients from the decomposition; by least squares where a column of the past is a sum of others."""
    pivots = np.abs(np.diagonal(shape))
    if pivots.min() <= NOISE * pivots.max():
        return np.asarray(np.linalg.lstsq(past, now, rcond=None)[0])
    return np.asarray(np.linalg.solve(shape, along))


def filtered(series: Array, coefficients: Array) -> Array:
    """What an autoregression does not foresee of a series; shorter by its order."""
    if not len(coefficients):
        return series
    return np.convolve(series, np.concatenate([[1.0], -coefficients]), mode="valid")


def bounded(series: Array) -> Array:
    """Each row, centred, no value farther from the median than four robust deviations: one odd week proves nothing."""
    middle = _medians(series)
    spread = 1.4826 * _medians(np.abs(series - middle))
    if not spread.all():
        spread = np.where(spread > 0, spread, series.std(axis=1, keepdims=True))
    kept = np.clip(series, middle - FARTHEST * spread, middle + FARTHEST * spread)
    return np.asarray(kept - kept.mean(axis=1, keepdims=True))


def _medians(series: Array) -> Array:
    """The median of each row, as a column."""
    half = (series.shape[1] - 1) // 2, series.shape[1] // 2
    return np.asarray(np.partition(series, half, axis=1)[:, half].mean(axis=1, keepdims=True))


def surprises(causes: Array, effects: Array) -> list[tuple[Array, Array]]:
    """Pairs of rows, cleared already, filtered by the model of the cause, and the effect by its own as well.

    The two of a pair are equally long; the pairs need not be.
    """
    own = autoregressions(causes)
    first = [filtered(*each) for each in zip(causes, own, strict=True)]
    second = [filtered(*each) for each in zip(effects, own, strict=True)]
    rest = _by_length(autoregressions, second)
    ahead = [each[len(coefficients) :] for each, coefficients in zip(first, rest, strict=True)]
    behind = [filtered(*each) for each in zip(second, rest, strict=True)]
    return list(zip(_by_length(bounded, ahead), _by_length(bounded, behind), strict=True))


def _by_length(work: Callable[[Array], Iterable[Array]], series: list[Array]) -> list[Array]:
    """The work on series of different lengths, done at once for those that are equally long; in their order."""
    places: dict[int, list[int]] = {}
    for place, each in enumerate(series):
        places.setdefault(len(each), []).append(place)
    found = {
        place: done
        for alike in places.values()
        for place, done in zip(alike, work(np.stack([series[each] for each in alike])), strict=True)
    }
    return [found[place] for place in range(len(series))]


def rounded_up(value: float) -> int:
    """The next whole number; a number that is whole but for its last bits stays."""
    return math.ceil(value - NOISE)
