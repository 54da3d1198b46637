"""What values that are alike lead to expect: the line that limits follow where nobody named one.

Limits around a level are too narrow where successive values are alike. Most such series are alike
for a reason that can be taken out: a trend, a season, both, or a memory. What is left is judged
where it is alike no longer. Lines are tried in this order:

1. The trend, the season (with two years) and both; of those that leave nothing alike, the one that
   explains most for its size (Schwarz 1978).
2. A memory on top of one of these or of the level: each period is expected where the one before
   leads, x̂ = line + φ (x before - its line), and limits are those of the surprises (the
   special-cause chart of Alwan and Roberts 1988, Journal of Business & Economic Statistics 6).
   A φ that is not clearly below 1 is 1, so that each period starts where the last one ended (Dickey
   and Fuller 1979, Journal of the American Statistical Association 74): estimated, it would pull a
   series that wanders back to where it has been, and call it a signal that it does not come.

Whether what is left is alike is asked of what is no odd value (Hampel's filter), which would hide
it, and with what fitting takes off (Marriott and Pope 1954, Biometrika 41). Under a memory the
centre line is what one period leads to expect of the next: a slow move that goes on is ordinary
there, and says nothing of where a target lies in the long run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dataops_nb.limits import lines
from dataops_nb.limits.lines import SHORTEST, Array, Days, Places
from dataops_nb.limits.shifts import calmed
from dataops_nb.metrics import Limits
from dataops_nb.terms import Grain

MEMORY = "memory"
_SHAPES = ((True, False), (False, True), (True, True))
_WANDERS = {False: -2.86, True: -3.41}  # Dickey and Fuller's t at 5 %; beside a trend


@dataclass(frozen=True)
class Expectation:
    """What is expected of each row of a stretch; NaN where nothing leads to it.

    `name` says what the line follows: `trend`, `season`, `memory`, joined by ` and `. `wide` is as
    `lines.fit` says. `score` is Schwarz's criterion: the lower, the more is explained for the size.
    """

    name: str
    line: Array
    wide: float
    score: float


def named(rules: Limits) -> str | None:
    """Return what the line of some rules follows; None without one."""
    parts = [name for name in ("trend", "season") if getattr(rules, name)]
    return " and ".join(parts) or None


def is_open(rules: Limits) -> bool:
    """Tell whether nobody has said what a metric's limits follow."""
    return rules.chart == "auto" and rules.lock is None and named(rules) is None


@dataclass(frozen=True)
class Shape:
    """A line that was tried, what it leaves of each value, and how many numbers it has.

    `calm` is what it leaves of the basis, less its odd values.
    """

    name: str
    line: Array
    left: Array
    calm: Array
    wide: float
    count: int


@dataclass(frozen=True)
class Past:
    """The values of one stretch, oldest first; `usable` are the places of those that count.

    Limits come from the `basis`. `days` are the first and last days of its periods, `weights` the
    number behind each; `designs` keeps what is the same of others with these days.
    """

    values: Array
    usable: Places
    basis: Places
    days: Days
    grain: Grain
    weights: Array
    designs: lines.Designs


def expect(past: Past) -> Expectation | None:
    """Return what the values of a stretch lead to expect, so that what is left is not alike.

    None where nothing that is tried leaves so little.
    """
    shapes = _fitted(past)
    plain: list[Expectation] = []
    for shape in shapes:
        if shape.name and not _alike(shape.calm, shape.count):
            score = _score(shape.calm, shape.count)
            plain.append(Expectation(shape.name, shape.line, shape.wide, score))
    if plain:
        return min(plain, key=lambda line: line.score)
    remembered: list[Expectation] = []
    for shape in shapes:
        remembering = _remembered(past, shape)
        if remembering is not None:
            remembered.append(remembering)
    return min(remembered, key=lambda line: line.score, default=None)


def _fitted(past: Past) -> list[Shape]:
    """Return the level and each line that fits."""
    values, basis = past.values, past.basis
    if len(basis) < SHORTEST:
        return []
    left = values - float(np.average(values[basis], weights=past.weights[basis]))
    tried = [("", values - left, left, 1.0, 0)]
    for trend, season in _SHAPES:
        rules = Limits(trend=trend, season=season)
        fitted = lines.fit(
            *(values, basis, past.days, past.grain, rules),
            weights=past.weights,
            designs=past.designs,
        )
        if fitted is not None:
            line, wide = fitted
            count = trend + season * (4 if past.grain == "quarter" else 12)
            tried.append((named(rules) or "", line, values - line, wide, count))
    calm = calmed(np.array([left[basis] for _, _, left, _, _ in tried]))
    shapes: list[Shape] = []
    for number, (name, line, left, wide, count) in enumerate(tried):
        shapes.append(Shape(name, line, left, calm[number], wide, count))
    return shapes


def _remembered(past: Past, shape: Shape) -> Expectation | None:
    """Return a line with a memory of what it left the period before."""
    usable, basis, left = past.usable, past.basis, shape.left
    before = np.full(len(left), -1, dtype=np.intp)
    last = np.searchsorted(usable, np.arange(len(left))) - 1
    before[last >= 0] = usable[last[last >= 0]]
    follows = basis[before[basis] >= 0]
    steps = follows - before[follows]
    close = follows[steps == 1]
    if len(close) < SHORTEST:
        return None
    calm = left.copy()
    same = len(usable) == len(basis)
    calm[usable] = shape.calm if same else calmed(left[usable][None, :])[0]
    squares = float(calm[close - 1] @ calm[close - 1])
    if squares <= 0:
        return None
    memory = float(calm[close] @ calm[close - 1]) / squares
    rest = calm[close] - memory * calm[close - 1]
    error = math.sqrt(float(rest @ rest) / max(len(close) - shape.count - 2, 1) / squares)
    if memory <= 0:
        return None
    if memory - 1 > _WANDERS["trend" in shape.name] * error:
        memory = 1.0
    expected = np.full(len(left), np.nan)
    known = np.flatnonzero(before >= 0)
    expected[known] = memory ** (known - before[known]) * left[before[known]]
    surprises = calmed((left - expected)[follows][None, :])[0]
    if _alike(surprises, 1):
        return None
    name = f"{MEMORY} and {shape.name}" if shape.name else MEMORY
    return Expectation(name, shape.line + expected, 1.0, _score(surprises, shape.count + 1))


def _alike(calm: Array, numbers: int) -> bool:
    """Tell whether successive values are alike, with what so many fitted `numbers` took off."""
    n = len(calm)
    away = calm - calm.mean()
    squares = float(away @ away)
    if squares <= 0:
        return True
    measured = float(away[1:] @ away[:-1]) / squares
    taken = (numbers * (1 + measured) + 2 * measured) / n
    return measured + max(taken, 0.0) > 2 / math.sqrt(n)


def _score(calm: Array, numbers: int) -> float:
    n = len(calm)
    away = calm - calm.mean()
    return math.log(max(float(away @ away) / n, 1e-300)) + numbers * math.log(n) / n
