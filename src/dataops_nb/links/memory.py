"""What a series remembers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LONGEST_MEMORY = 8
PERIODS_AN_ORDER = 10
NOISE = 1e-9
CLEARLY = 1e-4  # of the squares of a column, what the ones before must leave
_NONE: Array = np.zeros(0)


def autoregressions(series: Array) -> list[Array]:
    """Fit an autoregression to each row, of the order whose BIC is best.

    The order is 0 to 8, at most one for ten values.

    Returns each row's coefficients, the nearest period first.
    """
    count, length = series.shape
    most = min(LONGEST_MEMORY, length // PERIODS_AN_ORDER)
    if not most or not count:
        return [_NONE] * count
    centred = series - series.mean(axis=1, keepdims=True)
    n = length - most
    # the past, the nearest period first, and the values that it leads to
    together = np.empty((count, most + 1, n))
    for back in range(most):
        together[:, back] = centred[:, most - back - 1 : length - back - 1]
    together[:, most] = centred[:, most:]
    shape, along = _decomposed(together)
    explained = np.concatenate([np.zeros((count, 1)), np.cumsum(along**2, axis=1)], axis=1)
    now = together[:, most]
    left = np.einsum("ki,ki->k", now, now)[:, None] - explained
    fit = n * np.log(np.maximum(left, np.finfo(float).tiny) / n)
    criterion = fit + np.arange(most + 1) * math.log(max(n, 2))
    coefficients: list[Array] = []
    for row, order in enumerate(criterion.argmin(axis=1).tolist()):
        if not order:
            coefficients.append(_NONE)
            continue
        own_shape = shape[row, :order, :order]
        own_past = together[row, :order].T
        coefficients.append(_solved(own_shape, along[row, :order], own_past, now[row]))
    return coefficients


def _decomposed(together: Array) -> tuple[Array, Array]:
    """Return the upper triangle R of each past's decomposition QR, and how values lie along Q.

    One decomposition gives what is left after every order, because its columns come one by one. It
    is taken from the products of the columns (Cholesky), which is much faster than to make Q, and
    as exact where no column is nearly a sum of those before; those rows are decomposed themselves.
    """
    shape, is_clear = triangles(together @ together.transpose(0, 2, 1))
    along = shape[:, :-1, -1].copy()
    shape = shape[:, :-1, :-1].copy()
    rows = np.flatnonzero(~is_clear)
    if len(rows):
        basis, shape[rows] = np.linalg.qr(together[rows, :-1].transpose(0, 2, 1))
        along[rows] = np.einsum("kij,ki->kj", basis, together[rows, -1])
    return shape, along


def triangles(products: Array) -> tuple[Array, Flags]:
    """Return R of each matrix RᵀR, and where no column but the last is nearly a sum of others.

    Where one is, R is of no use.
    """
    own = np.diagonal(products, axis1=1, axis2=2)
    try:
        upper = np.linalg.cholesky(products).transpose(0, 2, 1)
    except np.linalg.LinAlgError:  # one of all matrices has none
        return _row_by_row(products)
    pivots = np.diagonal(upper, axis1=1, axis2=2) ** 2
    is_clear = np.asarray((pivots > CLEARLY * own)[:, :-1].all(axis=1))
    return np.asarray(upper, dtype=float), is_clear


def _row_by_row(products: Array) -> tuple[Array, Flags]:
    """Return the same; all matrices are taken at once, one row of R after the other."""
    upper = np.zeros_like(products)
    width = products.shape[1]
    is_clear = np.ones(len(products), dtype=bool)
    for place in range(width):
        above = upper[:, :place, place:]
        row = products[:, place, place:] - np.einsum("ki,kij->kj", above[:, :, 0], above)
        own = products[:, place, place]
        if place < width - 1:
            is_clear &= row[:, 0] > CLEARLY * own
        # What is not clear is not used; it only must not stop the others.
        pivot = np.where(row[:, 0] > 0, row[:, 0], 1.0) ** 0.5
        upper[:, place, place:] = row / pivot[:, None]
    return upper, is_clear


def solved(shape: Array, along: Array) -> Array:
    """Solve Rx = y for each upper triangle R, all of them at once, from the last row up."""
    solution = np.zeros_like(along)
    for place in range(along.shape[1] - 1, -1, -1):
        later = slice(place + 1, None)
        known = np.einsum("ki,ki->k", shape[:, place, later], solution[:, later])
        solution[:, place] = (along[:, place] - known) / shape[:, place, place]
    return solution


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
