"""From two series to two series of surprises, between which a correlation means something.

Two independent series that drift look related in most cases. So what is regular is taken out first: the trend and the
season, then the input's own rhythm out of both (prewhitening), then what is left of the target's own rhythm out of the
target. Without the last step a metric that moves together with the target, at lag 0, would look like a driver.
"""

from __future__ import annotations

import math

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
    """The series without what a least-squares fit of these columns explains of it."""
    solution, *_ = np.linalg.lstsq(columns, series, rcond=None)
    return np.asarray(series - columns @ solution)


def is_constant(series: Array, residual: Array) -> bool:
    """Whether nothing but rounding is left of a series."""
    return float(np.abs(residual).max(initial=0.0)) <= NOISE * max(1.0, float(np.abs(series).max(initial=0.0)))


def autoregression(series: Array) -> Array:
    """The coefficients of the autoregression whose BIC is best: none, up to 8, at most one for ten values."""
    most = min(LONGEST_MEMORY, len(series) // PERIODS_AN_ORDER)
    centred = series - series.mean()
    rows = np.lib.stride_tricks.sliding_window_view(centred, most + 1)[:, ::-1]
    now, past = rows[:, 0], rows[:, 1:]
    n = len(now)
    explained = (np.linalg.qr(past)[0].T @ now) ** 2 if most else np.zeros(0)
    left = np.maximum(now @ now - np.concatenate([[0.0], np.cumsum(explained)]), np.finfo(float).tiny)
    orders = np.arange(most + 1)
    order = int(np.argmin(n * np.log(left / n) + orders * math.log(max(n, 2))))
    return np.asarray(np.linalg.lstsq(past[:, :order], now, rcond=None)[0])


def filtered(series: Array, coefficients: Array) -> Array:
    """What an autoregression does not foresee of a series; shorter by its order."""
    return np.convolve(series, np.concatenate([[1.0], -coefficients]), mode="valid")


def bounded(series: Array) -> Array:
    """The series, centred, no value farther from the median than four robust deviations: one odd week proves nothing."""
    middle = float(np.median(series))
    spread = 1.4826 * float(np.median(np.abs(series - middle))) or float(series.std())
    kept = np.clip(series, middle - FARTHEST * spread, middle + FARTHEST * spread)
    return np.asarray(kept - kept.mean())


def surprises(cause: Array, effect: Array) -> tuple[Array, Array]:
    """Both series, cleared already, filtered by the model of `cause`, and `effect` by its own as well; equally long."""
    own = autoregression(cause)
    first, second = filtered(cause, own), filtered(effect, own)
    rest = autoregression(second)
    return bounded(first[len(rest) :]), bounded(filtered(second, rest))


def rounded_up(value: float) -> int:
    """The next whole number; a number that is whole but for its last bits stays."""
    return math.ceil(value - NOISE)
