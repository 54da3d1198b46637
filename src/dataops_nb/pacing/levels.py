"""Levels: how large a period was to be expected by the periods before it.

A weak week in a strong season, and the first weeks after a change of level, are measured by what
was to be expected of *them*. Five simple forecasts are made of every period from the periods before
it: their mean, a level that follows them fast or slowly, one with a slope, steady growth, and the
same season of last year at today's level. The one whose own past forecasts erred least is taken; a
more complicated one than the mean must be clearly better.

Sources: exponential smoothing and the damped trend (Holt 1957; Gardner and McKenzie 1985); choosing
by rolling one-step errors (Hyndman and Athanasopoulos, *Forecasting: Principles and Practice*).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# How fast a level follows its values; the last one also follows their slope, which fades.
SLOW, FAST = 0.2, 0.5
SLOPE, FADING = 0.3, 0.9
# Of the slope's last step, what a level that has moved evenly lies above or below the forecast in
# the next period, if it moves on (.74) or stops (.63).
HALFWAY = 0.7
OPENING = 4  # periods whose mean is the first level
# An error counts so much less for each period that has passed since: half of it after seven.
DISCOUNT = 0.9
# Another forecast than the mean must err by a tenth less.
ADVANTAGE = 0.9
FEWEST_ERRORS = 12
AT_ONCE = 256  # series that are scaled together
FEWEST_FOR_GROWTH = 6
# Of a season: the periods around the same one of last year, and those that tell today's level.
AROUND = {52: 2}
RECENT = {52: 8, 12: 3, 4: 2}


def scales(history: Array, count: int, year: int = 0) -> tuple[Array, Array]:
    """Return by how much each of the `count` latest periods is to be scaled to today's level.

    `history` has one row a series and one column a period, the oldest first; NaN is missing, and no
    value is below 0. `year` is the number of periods in a year (0: no season). Returns one row a
    series and `count` columns, the latest period first: 1 where the mean is the best forecast. And
    of each series by which share of today's level it may lie below or above: 0 but where the level
    moves now, and nobody knows whether it moves on or has just stopped.

    >>> scaled, reach = scales(np.array([[10.0] * 20 + [20.0] * 10]), 12)
    >>> scaled[0, [0, -1]].round(1).tolist(), reach.tolist()
    ([1.0, 2.0], [0.0])
    """
    scaled, reach = np.ones((len(history), count)), np.zeros(len(history))
    smoothed = [_smoothed(history, *ways) for ways in ((SLOW,), (FAST,), (FAST, SLOPE))]
    # A few series at a time stay in the processor's cache through all of it.
    for first in range(0, len(history), AT_ONCE):
        own = slice(first, first + AT_ONCE)
        slow, fast, slope = (forecast[own] for forecast in smoothed)
        known = history[own]
        expected = {
            "mean": _means(known, count),
            "slow": slow,
            "fast": fast,
            "slope": slope,
            "growth": _growth(known, count),
            "season": _season(known, year),
        }
        _scale(scaled[own], reach[own], known, expected)
    return scaled, reach


def _scale(scaled: Array, reach: Array, history: Array, expected: Mapping[str, Array]) -> None:
    """Write into `scaled` and `reach` what `scales` returns of some series."""
    length, count = history.shape[1], scaled.shape[1]
    roots = np.sqrt(history)
    errors = np.stack([_error(forecast, roots) for forecast in expected.values()])
    errors[1:] /= ADVANTAGE
    best = errors.argmin(axis=0)
    latest = slice(max(length - count, 0), length)
    for place, (name, forecast) in enumerate(expected.items()):
        rows = np.flatnonzero(best == place)
        if name == "mean" or not len(rows):
            continue
        now, then = forecast[rows, length], forecast[rows, latest]
        if name == "growth":
            # One line through all of them errs less than the lines that each period knew.
            then, now = _line(history[rows, latest])
        if name == "slope":
            reach[rows] = _reach(history[rows], forecast[rows])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (now[:, None] / then)[:, ::-1]
        ratio = np.where(np.isfinite(ratio) & (ratio > 0), ratio, np.nan)
        enough = np.isfinite(ratio).sum(axis=1) >= FEWEST_ERRORS
        scaled[rows, : ratio.shape[1]] = np.where(enough[:, None], ratio, 1.0)


def _reach(history: Array, forecast: Array) -> Array:
    """Return how far the level may lie below and above a damped slope, as a share of it.

    The slope lies in the middle between a level that moves on and one that has just stopped.
    """
    last, now = forecast[:, -2], forecast[:, -1]
    step = now - last - FAST * np.nan_to_num(history[:, -1] - last)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(HALFWAY * np.abs(step) / now, posinf=0.0)


def _error(forecast: Array, roots: Array) -> Array:
    """Return the mean square error of each series' forecasts, on the scale of square roots.

    `roots` are those of the history. On that scale counts of any size, and amounts that grow, err
    alike. Recent errors count more.
    """
    length = roots.shape[1]
    misses = np.sqrt(np.maximum(forecast[:, :length], 0.0)) - roots
    counts = DISCOUNT ** np.arange(length)[::-1]
    counts[:OPENING] = 0.0
    known = np.isfinite(misses)
    if length >= OPENING + FEWEST_ERRORS and known.all():
        return np.asarray((misses**2 * counts).sum(axis=1) / counts.sum())
    known[:, :OPENING] = False
    weights = known * counts
    total = weights.sum(axis=1)
    squares = (np.where(known, misses, 0.0) ** 2 * weights).sum(axis=1)
    enough = known.sum(axis=1) >= FEWEST_ERRORS
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(enough, squares / total, np.inf)


def _sums(columns: Array) -> Array:
    """Return sums from the first column on: one column more, and 0 where a value is missing."""
    sums = np.zeros((len(columns), columns.shape[1] + 1))
    missing = np.isnan(columns)
    filled = np.where(missing, 0.0, columns) if missing.any() else columns
    np.cumsum(filled, axis=1, out=sums[:, 1:])
    return sums


def _counts(columns: Array) -> Array:
    """Return how many values are known from the first column on; one row if all are."""
    known = np.isfinite(columns)
    return _sums((known[:1] if known.all() else known).astype(float))


def _means(history: Array, most: int) -> Array:
    """Forecast each period, and the next one, by the mean of up to `most` periods before it."""
    last = np.arange(history.shape[1] + 1)
    first = np.maximum(last - most, 0)
    total, count = _sums(history), _counts(history)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((total[:, last] - total[:, first]) / (count[:, last] - count[:, first]))


def _smoothed(history: Array, follow: float, slope: float = 0.0) -> Array:
    """Forecast by exponential smoothing; with `slope` by a damped trend."""
    rows, length = history.shape
    opening = history[:, :OPENING]
    known = np.maximum(np.isfinite(opening).sum(axis=1), 1)
    level, trend = np.nansum(opening, axis=1) / known, np.zeros(rows)
    by_period = np.ascontiguousarray(history.T)
    is_complete = bool(np.isfinite(history).all())
    forecast = np.empty((length + 1, rows))
    forecast[0] = level
    for place in range(length):
        miss = by_period[place] - forecast[place]
        if not is_complete:
            miss = np.nan_to_num(miss)
        level = forecast[place] + follow * miss
        if slope:
            trend = FADING * trend + follow * slope * miss
            level = level + FADING * trend
        np.maximum(level, 0.0, out=forecast[place + 1])
    return np.ascontiguousarray(forecast.T)


def _growth(history: Array, most: int) -> Array:
    """Forecast by the straight line through the logarithms of up to `most` periods before.

    NaN where a series is not above 0 throughout.
    """
    last = np.arange(history.shape[1] + 1)
    first = np.maximum(last - most, 0)

    def sum_before(columns: Array) -> Array:
        sums = _sums(columns)
        return np.asarray(sums[:, last] - sums[:, first])

    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(history > 0, history, np.nan))
        known = np.isfinite(logs)
        if known.all():
            known = known[:1]  # then all rows have the same places
        place = np.where(known, np.arange(history.shape[1], dtype=float), np.nan)
        n, x, y = sum_before(known * 1.0), sum_before(place), sum_before(logs)
        spread = sum_before(place * place) - x * x / n
        slope = (sum_before(place * logs) - x * y / n) / spread
        line = y / n + slope * (last - x / n)
    is_above_zero = np.asarray(~(history <= 0).any(axis=1))
    is_known = is_above_zero[:, None] & (n >= FEWEST_FOR_GROWTH)
    return np.where(is_known, np.exp(np.where(is_known, line, 0.0)), np.nan)


def _line(history: Array) -> tuple[Array, Array]:
    """Return the line of growth through all periods: at each of them, and at the next one."""
    logs = np.log(history)
    place = np.arange(history.shape[1] + 1, dtype=float)
    at = np.where(np.isfinite(logs), place[:-1], np.nan)
    middle, center = np.nanmean(logs, axis=1), np.nanmean(at, axis=1)
    away = at - center[:, None]
    slope = np.nansum(away * logs, axis=1) / np.nansum(away**2, axis=1)
    line = np.exp(middle[:, None] + slope[:, None] * (place - center[:, None]))
    return line[:, :-1], line[:, -1]


def _season(history: Array, year: int) -> Array:
    """Forecast by the same periods of last year, times the change of level since.

    NaN where no year is known before.
    """
    rows, length = history.shape
    forecast = np.full((rows, length + 1), np.nan)
    recent, around = RECENT.get(year, 0), AROUND.get(year, 0)
    first = year + recent
    if not recent or first > length:
        return forecast
    total, count = _sums(history), _counts(history)

    def mean(before: int, after: int) -> Array:
        """Return the mean of periods around each, from the `first` one on, that is forecast."""
        since = slice(first + before, length + 1 + before)
        until = slice(first + after, length + 1 + after)
        return np.asarray((total[:, until] - total[:, since]) / (count[:, until] - count[:, since]))

    with np.errstate(divide="ignore", invalid="ignore"):
        last_year = mean(-year - around, -year + around + 1)
        now, then = mean(-recent, 0), mean(-year - recent, -year)
        forecast[:, first:] = last_year * now / then
    return np.where(np.isfinite(forecast), forecast, np.nan)
