"""Regimes of a table's series: where each changed its level, and what that says about its newest.

A series is searched where its limits are the ones that fit (`chart: auto`), nobody said which days
they come from (`lock`), and they follow no line. Where somebody said when they start anew
(`rebase`), that stands, and what came after the newest of these days is searched. Days are not
searched: a weekday is no level. Each regime has limits of its own; those of the newest one wait
until it has `SHORTEST` complete periods. Until then, and for half a year at least, the change
itself is the signal of its points; later it is history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataops_nb.limits import shifts
from dataops_nb.limits.columns import begins
from dataops_nb.limits.lines import SHORTEST
from dataops_nb.limits.xmr import counts
from dataops_nb.metrics import Limits

# Periods within which a change of level is news.
RECENT = {"week": 26, "month": 12, "quarter": 12, "year": 12}
IN_A_YEAR: dict[str, float | None] = {"week": 52.18, "month": 12.0, "quarter": 4.0, "year": None}
# Of steady series of so many periods, the share that are said to have changed level, and how many
# times as often rare counts are, by how many are counted in a period times the root of the periods.
# Simulated: normal values and Poisson counts of .05 to 8.
FALSE = ((12, 0.0006), (24, 0.0048), (65, 0.0072), (130, 0.008))
FALSE_OF_RARE = ((0.4, 0.2), (0.8, 1.0), (1.5, 2.5), (2.5, 2.5), (3.5, 1.5), (4.5, 1.0))
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Searched:
    """What is searched: one entry a row, series by series, oldest first.

    A series is cut into a `part` for each day on which its limits were said to start anew. `values`
    are on the scale of their chart; only those of `basis` rows are looked at. `agreed` are the
    rules of each part, `grains` its grain; `newest` parts are the last of their series.
    """

    part: Places
    values: Array
    basis: Mask
    agreed: Sequence[Limits]
    grains: Sequence[str]
    newest: Mask


@dataclass(frozen=True)
class Change:
    """The change of level that each row's regime began with; one entry a row.

    `since` is the place of the row that begins the regime (-1: it is the first one), `before` and
    `now` the mean value of the regime before and of its own. `is_news` rows lie in the newest
    regime while it is recent. `is_new` regimes are too short for limits of their own.
    """

    since: Places
    before: Array
    now: Array
    is_news: Mask
    is_new: Mask


def is_searched(rules: Limits, grain: str) -> bool:
    """Tell whether a series with these rules is searched for changes of level."""
    is_told = rules.lock is not None or rules.chart != "auto"
    return not (is_told or rules.trend or rules.season) and grain in IN_A_YEAR


def starts(searched: Searched) -> Places:
    """Return the places of the rows that begin a regime, but those that begin a series."""
    firsts = np.flatnonzero(begins(searched.part))
    sizes = counts(searched.basis, firsts)
    pairs = zip(searched.agreed, searched.grains, strict=True)
    is_open = np.array([is_searched(rules, grain) for rules, grain in pairs], dtype=bool)
    is_open &= searched.newest & (sizes >= SHORTEST)
    in_open = np.repeat(is_open, np.diff(firsts, append=len(searched.part)))
    rows, numbers = np.flatnonzero(searched.basis & in_open), np.flatnonzero(is_open)
    lengths = sizes[numbers]
    new: list[int] = []
    for length in np.unique(lengths).tolist():
        # Series of one length are looked at together, one a row.
        same = np.flatnonzero(lengths == length)
        first = (np.cumsum(lengths) - lengths)[same]
        places = rows[first[:, None] + np.arange(length)]
        together = searched.values[places]
        may_have = np.flatnonzero(shifts.suspects(together))
        straight = np.linspace(-1.0, 1.0, length)[:, None]
        steady = may_have[~shifts.wanders(together[may_have])]
        years = [IN_A_YEAR[searched.grains[number]] for number in numbers[same[steady]].tolist()]
        offered = [np.zeros((length, 0)), straight]
        levels = shifts.find_in_steady(together[steady], offered, years)
        for which, own in zip(steady.tolist(), levels, strict=True):
            new += places[which, list(own.starts)].tolist()
    return np.array(sorted(new), dtype=np.intp)


def false_levels(
    agreed: Sequence[Limits], grains: Sequence[str], n: Places, counted: Array
) -> Array:
    """Return the chance that each newest point is falsely said to lie on a new level.

    Of stretches with these rules, so many periods, and so many `counted` in a period (inf: what is
    no count). It is 0 where no change of level is looked for.
    """
    pairs = zip(agreed, grains, strict=True)
    is_open = np.array([is_searched(rules, grain) for rules, grain in pairs], dtype=bool)
    recent = np.array([RECENT.get(grain, 0) for grain in grains])
    changed = np.interp(n, *np.transpose(FALSE))
    rare = np.interp(counted * np.sqrt(np.maximum(n, 1)), *np.transpose(FALSE_OF_RARE))
    return np.asarray(is_open * changed * rare * np.minimum(recent / np.maximum(n, 1), 1.0))


def _edges(numbers: Places) -> Places:
    """Return where each numbered part begins, and the end of the last one."""
    return np.append(np.flatnonzero(begins(numbers)), len(numbers))


def change(
    part: Places, values: Array, usable: Mask, regimes: Places, grains: Sequence[str]
) -> Change:
    """Return the change of level of each row's regime, by where `regimes` begin.

    `values` are in the metric's unit, `part` numbers the parts that were searched, each of which
    has its grain.
    """
    count = len(values)
    since = np.full(count, -1, dtype=np.intp)
    before, now = np.full(count, np.nan), np.full(count, np.nan)
    is_news, is_new = (np.zeros(count, dtype=bool) for _ in range(2))
    edges = _edges(part)
    for number in np.unique(part[regimes]):
        first, end = int(edges[number]), int(edges[number + 1])
        own = regimes[(regimes >= first) & (regimes < end)].tolist()
        ends = [*own[1:], end]
        level = _mean(values, usable, first, own[0])
        for start, following in zip(own, ends, strict=True):
            rows = slice(start, following)
            since[rows] = start
            before[rows] = level
            level = _mean(values, usable, start, following)
            now[rows] = level
        periods = int(usable[own[-1] : end].sum())
        is_new[own[-1] : end] = periods < SHORTEST
        is_news[own[-1] : end] = periods <= RECENT[grains[number]]
    return Change(since, before, now, is_news, is_new)


def _mean(values: Array, usable: Mask, first: int, end: int) -> float:
    return float(values[first:end][usable[first:end]].mean())
