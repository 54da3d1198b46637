"""What a series remembers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LONGEST_MEMORY = 8
PERIODS_AN_ORDER = 10
NOISE = 1e-9
_NONE: Array = np.zeros(0)


def autoregressions(series: Array) -> list[Array]:
    """Fit an autoregression to each row, of the order whose BIC is best.

    The order is 0 to 8, at most one for ten values.

    Returns each row's coefficients, the nearest period first.
    """
    count, length = series.shape
    most = min(LONGEST_MEMORY, length // PERIODS_AN_ORDER)
    if not most:
        return [_NONE] * count
    centred = series - series.mean(axis=1, keepdims=True)
    rows = np.lib.stride_tricks.sliding_window_view(centred, most + 1, axis=1)[:, :, ::-1]
    now, past = rows[:, :, 0], rows[:, :, 1:]
    # one decomposition gives what is left after every order, because its columns come one by one
    basis, shape = np.linalg.qr(past)
    along = np.einsum("kij,ki->kj", basis, now)
    explained = np.concatenate([np.zeros((count, 1)), np.cumsum(along**2, axis=1)], axis=1)
    left = np.einsum("ki,ki->k", now, now)[:, None] - explained
    n = now.shape[1]
    fit = n * np.log(np.maximum(left, np.finfo(float).tiny) / n)
    criterion = fit + np.arange(most + 1) * math.log(max(n, 2))
    coefficients: list[Array] = []
    for row, order in enumerate(criterion.argmin(axis=1).tolist()):
        if not order:
            coefficients.append(_NONE)
            continue
        own_shape = shape[row, :order, :order]
        own_past = past[row, :, :order]
        coefficients.append(_solved(own_shape, along[row, :order], own_past, now[row]))
    return coefficients


def _solved(shape: Array, along: Array, past: Array, now: Array) -> Array:
    """Solve for the coefficients.

    By least squares where a column of the past is a sum of others.
    """
    pivots = np.abs(np.diagonal(shape))
    if pivots.min() <= NOISE * pivots.max():
        return np.asarray(np.linalg.lstsq(past, now, rcond=None)[0])
    return np.asarray(np.linalg.solve(shape, along))


def filtered(series: Array, coefficients: Array) -> Array:
    """Return what an autoregression does not foresee of a series; shorter by its order."""
    if not len(coefficients):
        return series
    return np.convolve(series, np.concatenate([[1.0], -coefficients]), mode="valid")
