"""What limits say: which points are signals, and how many of them would be false.

The rules are Wheeler's, the NHS's or Anhøj's, as each metric agreed. Amounts run above or below
their centre line; what is counted, above or below the median of its counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dataops_nb.limits import alarms, attributes, runs
from dataops_nb.limits.columns import in_parts
from dataops_nb.limits.noise import Noise
from dataops_nb.limits.stretches import Stretches
from dataops_nb.limits.xmr import NAMES, NHS, WHEELER, SignalRules, marks

RULES = {"wheeler": WHEELER, "nhs": NHS}
RUNS_ALONE = "anhoej"
RECENT = 16  # of a counted metric's newest periods, whose numbers say what the next one's may be
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


def signals(rows: Stretches, noise: Noise) -> npt.NDArray[np.int8]:
    """Return the place in `NAMES` of each row's signal; none in stretches without a verdict."""
    places = np.zeros(len(rows.values), dtype=np.int8)
    values = rows.values + rows.line
    names = rows.rules
    for name, rules in RULES.items():
        own = np.flatnonzero(rows.usable & rows.by_row(noise.judged & (names == name)))
        if len(own):
            places[own] = marks(
                values[own],
                rows.stretch[own],
                noise.center[own],
                noise.reach[own],
                rules,
                middle=_middles(rows, noise, own) if rows.is_counted.any() else None,
                lift=noise.lift[own],
            )
    for number in np.flatnonzero(noise.judged & (names == RUNS_ALONE)):
        own = np.flatnonzero(rows.usable & (rows.stretch == number))
        in_long, in_few = runs.mark((values - noise.center)[own])
        places[own[in_long]] = NAMES.index("run")
        places[own[in_few]] = NAMES.index("crossings")
    return places


def _middles(rows: Stretches, noise: Noise, own: Places) -> Array:
    """Return the line that runs are on one side of: the median of what is counted."""
    dispersion = (noise.width / attributes.WIDTH) ** 2

    def middles(part: slice) -> tuple[Array]:
        places = own[part]
        center, stretch = noise.center[places], rows.stretch[places]
        by_count = attributes.medians(
            center, rows.base[places], rows.is_share[places], dispersion[stretch]
        )
        return (np.where(rows.is_counted[stretch], by_count, center),)

    return in_parts(middles, len(own))[0]


def false_alarms(rows: Stretches, noise: Noise) -> Array:
    """Return the chance that each stretch's newest point is a false alarm; NaN without verdict."""
    names, counted = rows.rules, rows.is_counted
    chance = np.full(rows.count, np.nan)
    for name, rules in RULES.items():
        own = noise.judged & (names == name)
        for part, chances_of in ((own & ~counted, _by_shape), (own & counted, _by_count)):
            if part.any():
                chances = chances_of(rows, noise, part, rules)
                own_chance = chances.signal(rules, noise.n, _is_fixed(rows))
                chance = np.where(part, own_chance, chance)
    by_runs = noise.judged & (names == RUNS_ALONE)
    chance[by_runs] = alarms.of_runs(noise.n[by_runs])
    return chance


def _is_fixed(rows: Stretches) -> Mask:
    """Return which stretches have limits that their newest point has no part in."""
    usable = np.append(0, np.flatnonzero(rows.usable))
    newest = usable[np.searchsorted(usable, rows.firsts + rows.sizes) - 1]
    return np.asarray(~rows.basis[newest])


def _by_shape(rows: Stretches, noise: Noise, wanted: Mask, rules: SignalRules) -> alarms.Chances:
    """Return the chances of amounts, from the shape of their values."""
    basis = np.flatnonzero(rows.basis & rows.by_row(wanted))

    def scored(part: slice) -> tuple[Array]:
        own = basis[part]
        sigma = noise.reach[own] / attributes.WIDTH
        away = rows.values[own] + rows.line[own] - noise.center[own]
        with np.errstate(divide="ignore", invalid="ignore"):
            return (np.where(sigma > 0, away / sigma, 0.0),)

    scores = in_parts(scored, len(basis))[0]
    sizes = np.where(wanted, noise.n, 0)
    return alarms.of_shapes(scores, rows.stretch[basis], sizes, rules.near_at)


def _by_count(rows: Stretches, noise: Noise, wanted: Mask, rules: SignalRules) -> alarms.Chances:
    """Return the chances of what is counted, from how counts of the newest sizes are spread."""
    own = np.flatnonzero(rows.basis & wanted[rows.stretch])
    after = np.cumsum(np.bincount(rows.stretch[own], minlength=rows.count))
    own = own[after[rows.stretch[own]] - np.arange(len(own)) <= RECENT]
    # Most counts have the same limits in all periods: of each run of the same one is enough.
    sizes = np.column_stack([rows.stretch[own], rows.base[own], noise.center[own]])
    is_new = np.append(True, (np.diff(sizes, axis=0) != 0).any(axis=1))[: len(own)]
    first, run = own[is_new], np.cumsum(is_new) - 1
    stretch, base, center = rows.stretch[first], rows.base[first], noise.center[first]
    is_share = rows.is_share[first]
    dispersion = attributes.likely(noise.width / attributes.WIDTH, noise.n)[stretch] ** 2
    middle = np.rint(attributes.medians(center, base, is_share, dispersion) * base)
    counts = alarms.Counted(center * base, base, is_share, dispersion, middle)
    reach, lift = noise.reach[first] * base, noise.lift[first] * base
    ends = reach + np.maximum(lift, 0.0), reach + np.maximum(-lift, 0.0)
    chances = alarms.of_counts(counts, ends, rules.near_at)
    return chances.of(run).averaged(rows.stretch[own], rows.count)
